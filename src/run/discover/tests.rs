//! From made-up processes and configurations to inventory YAML that loads.

use std::io::Write as _;
use std::path::Path;

use super::look::Seen;
use super::page::page;
use super::propose::{absolute, propose};
use crate::evidence::Content;
use crate::evidence::reader::Reader as _;
use crate::evidence::settings::Settings;
use crate::evidence::settings::reader::Parsed;
use crate::inventory::{Format, Inventory, Process, Source};

const HEAD: &str = "environment: p\nssh: {known_hosts: [k]}\nhosts: {ny4-1: {address: h}}\nteams: {ops: {user: o, agent: true}}\n";

fn inventory(more: &str) -> Inventory {
    let text = format!("{HEAD}{more}");
    let read = Inventory::parse(Path::new("i.yaml"), text.clone().into_bytes());
    read.unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

fn settings(format: Format, text: &str) -> Settings {
    let mut parsed = Box::new(Parsed::new(format));
    parsed.write_all(text.as_bytes()).unwrap();
    match parsed.finish().unwrap() {
        Content::Settings(settings) => *settings,
        other => panic!("{other:?}"),
    }
}

/// What is seen of the process in that line of ps.
fn seen(line: &str, cwd: Option<&str>, configuration: Option<(&str, &str)>) -> Option<Seen> {
    let process = Process::read(line)?;
    let all = inventory("").discoveries();
    let (discover, process) = all
        .into_iter()
        .find_map(|one| one.recognise(&process).map(|process| (one, process)))?;
    let format = discover.format;
    let places = discover.configurations(&process);
    Some(Seen {
        cwd: cwd
            .map(str::to_owned)
            .ok_or("account o may not see it".to_owned()),
        exe: Err("account o may not see it".to_owned()),
        configuration: match configuration {
            Some((path, text)) => {
                let named = places
                    .iter()
                    .any(|place| absolute(place, cwd).as_deref() == Some(path));
                assert!(named, "{places:?}");
                Ok((path.to_owned(), settings(format.unwrap(), text)))
            }
            None => Err("denied".to_owned()),
        },
        discover,
        process,
    })
}

const AMPS: &str = "<AMPSConfig><Name>orders</Name>
<Admin><InetAddr>8085</InetAddr><FileName>./stats.db</FileName></Admin>
<Logging><Target><Protocol>file</Protocol><FileName>./logs/%Y-%m-%d-%n.log</FileName></Target></Logging>
</AMPSConfig>";

#[test]
fn an_amps_that_runs_becomes_an_instance_that_loads() {
    let line = "  77 amps /opt/amps/bin/ampServer -Dx=y config/orders.xml";
    let configuration = ("/srv/orders/config/orders.xml", AMPS);
    let one = seen(line, Some("/srv/orders"), Some(configuration)).unwrap();
    let proposals = [propose(&one), propose(&one)];
    let text = page("ny4-1", "ops", &proposals, &["orders"]);
    let inventory = Inventory::parse(Path::new("i"), format!("{HEAD}{text}").into_bytes());
    // The same files twice are refused, as they should be: the second is there for its name.
    assert!(inventory.is_err());
    assert!(
        text.contains("  orders-2:") && text.contains("  orders-3:"),
        "{text}"
    );
    let text = page("ny4-1", "ops", &proposals[..1], &[]);
    let read = self::inventory(&text);
    let orders = read.instance("orders").unwrap();
    assert_eq!(orders.expect_name.as_deref(), Some("orders"));
    assert_eq!(orders.vars["home"], "/opt/amps");
    assert_eq!(orders.vars["admin"], "127.0.0.1:8085");
    let source = |name: &str| orders.artifact(name).unwrap().source.clone();
    assert_eq!(
        source("event log"),
        Source::Mask("/srv/orders/logs/%Y-%m-%d-%n.log".into())
    );
    assert_eq!(
        source("statistics"),
        Source::Path("/srv/orders/stats.db".into())
    );
    assert_eq!(
        source("configuration"),
        Source::Path("/srv/orders/config/orders.xml".into())
    );
    assert!(
        text.contains("# why: AMPSConfig/Admin/FileName, /srv/orders/config/orders.xml:2"),
        "{text}"
    );
}

#[test]
fn what_is_not_known_is_said_and_what_is_secret_or_hostile_is_not() {
    let line = "7 amps /opt/amps/bin/ampServer orders.xml";
    let text = page(
        "ny4-1",
        "ops",
        &[propose(&seen(line, None, None).unwrap())],
        &[],
    );
    assert!(
        text.contains("# where it works is not known: account o may not see it"),
        "{text}"
    );
    assert!(
        text.contains("# its configuration is not known: denied"),
        "{text}"
    );
    assert_eq!(inventory(&text).instances.len(), 1);
    let hostile = AMPS
        .replace("orders", "a: \"}\u{202e}\n# x")
        .replace("./stats.db", "/x/${STATS}/{home}.db")
        .replace("8085", "tcp://bob:s3cret@h:1");
    let one = seen(
        "7 amps /opt/amps/bin/ampServer /c.xml",
        Some("/"),
        Some(("/c.xml", &hostile)),
    );
    let text = page("ny4-1", "ops", &[propose(&one.unwrap())], &[]);
    assert!(
        !text.contains(['\u{1b}', '\u{202e}']) && !text.contains("s3cret"),
        "{text}"
    );
    let read = inventory(&text);
    assert_eq!(read.instances[0].name, "amps-ny4-1");
    assert_eq!(read.instances[0].expect_name, None);
}

#[test]
fn each_product_is_known_by_its_process_and_its_like_is_not() {
    for (product, line) in [
        ("amps", "1 a /opt/amps/bin/ampServer-compat /etc/a.xml"),
        (
            "postgresql",
            "1 p /usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main -c config_file=/etc/postgresql/15/main/postgresql.conf",
        ),
        ("mysql", "1 m /usr/sbin/mysqld"),
        ("mariadb", "1 m /usr/sbin/mariadbd --user=mysql"),
        ("mongodb", "1 m /usr/bin/mongod --config /etc/mongod.conf"),
        ("redis", "1 r /usr/bin/redis-server 127.0.0.1:6379"),
        (
            "kafka",
            "1 k /usr/bin/java -Xmx1G -Dkafka.logs.dir=/var/log/kafka -cp /opt/kafka/bin/../libs/a.jar:/opt/kafka/libs/b.jar kafka.Kafka /opt/kafka/config/server.properties",
        ),
        (
            "rabbitmq",
            "1 r /usr/lib/erlang/erts-13.1.5/bin/beam.smp -W w -- -root /usr/lib/erlang -rabbit x",
        ),
        (
            "elasticsearch",
            "1 e /usr/share/elasticsearch/jdk/bin/java -Des.path.home=/usr/share/elasticsearch -Des.path.conf=/etc/elasticsearch org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch",
        ),
        (
            "opensearch",
            "1 o /usr/share/opensearch/jdk/bin/java -Dopensearch.path.home=/usr/share/opensearch -Dopensearch.path.conf=/etc/opensearch org.opensearch.bootstrap.OpenSearch -d",
        ),
        (
            "nginx",
            "1 root nginx: master process /usr/sbin/nginx -g daemon on; master_process on;",
        ),
        (
            "haproxy",
            "1 h /usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid",
        ),
    ] {
        let one = seen(line, None, None).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(one.discover.product, product);
        assert!(
            !one.discover.configurations(&one.process).is_empty(),
            "{product}"
        );
        let text = page("ny4-1", "ops", &[propose(&one)], &[]);
        let read = inventory(&text);
        assert_eq!(read.instances[0].product, product);
    }
    for line in [
        "1 p postgres: 15/main: checkpointer",
        "1 w nginx: worker process",
        "1 x vi /etc/nginx/nginx.conf",
        "1 x grep ampServer",
        "1 x /usr/bin/java -jar x.jar",
        "1 x [kworker/0:0]",
        "x",
    ] {
        assert!(seen(line, None, None).is_none(), "{line}");
    }
}
