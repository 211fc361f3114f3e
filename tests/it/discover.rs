//! `gonogo discover` on hosts whose processes are real: what it prints is pasted into an inventory, and the
//! plan of that inventory is made. Each thing that keeps it from seeing has a twin that is seen.

use std::fs;
use std::process::{Command, Output};

use gonogo::demo;

use crate::lab::products::{Nginx, Redis};
use crate::lab::{GONOGO, Host, Lab, OPERATIONS, needs_root};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A program of that name that only waits, its configuration its argument.
fn fake_amps(host: &Host, user: u32, base: &str, name: &str) {
    let configuration = format!(
        "<AMPSConfig><Name>{name}</Name><Admin><InetAddr>127.0.0.1:8085</InetAddr><FileName>./stats.db</FileName></Admin><Logging><Target><Protocol>file</Protocol><FileName>logs/%Y-%m-%d-%n.log</FileName></Target></Logging></AMPSConfig>"
    );
    host.root(&format!(
        "mkdir -p {base}/bin {base}/config && cp \"$(command -v tail)\" {base}/bin/ampServer && chmod -R a+rX {base}"
    ));
    host.put(&format!("{base}/config/{name}.xml"), &configuration);
    host.root(&format!(
        "cd {base} && setsid setpriv --reuid {user} --regid {user} --clear-groups ./bin/ampServer -f config/{name}.xml >/dev/null 2>&1 </dev/null &"
    ));
    host.wait_for(
        "it runs",
        &format!("ps -e -o args= | grep -q '^./bin/ampServer -f config/{name}.xml'"),
    );
}

fn discover(lab: &Lab, more: &[&str]) -> Output {
    let args = ["discover", "-i", "inventory.yaml", "--host", "ny4-1"];
    lab.run(&[&args[..], more].concat())
}

/// An inventory without instances and the printed ones: what the plan says of it.
fn plan_of(lab: &Lab, printed: &str) -> Output {
    let mut inventory = lab.inventory();
    inventory.as_object_mut().unwrap().remove("instances");
    let whole = format!("{inventory:#}");
    // JSON is YAML, but not beside a block: the last brace gives way.
    let head = whole.trim_end().trim_end_matches('}').trim_end();
    fs::write(lab.operator().join("head.json"), format!("{head}\n}}")).unwrap();
    let head: serde_json::Value = serde_json::from_str(&format!("{head}\n}}")).unwrap();
    let mut pasted = String::new();
    for (key, value) in head.as_object().unwrap() {
        pasted += &format!("{key}: {value}\n");
    }
    pasted += printed;
    fs::write(lab.operator().join("pasted.yaml"), pasted).unwrap();
    lab.run(&["plan", "-i", "pasted.yaml", "features"])
}

#[test]
fn what_runs_becomes_an_inventory_that_plans() {
    if needs_root("discover") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("other", &host);
    let inventory = lab.inventory();
    lab.write_inputs(&inventory);
    let base = host.path("own").display().to_string();
    host.root(&format!("mkdir -p {base} && chmod 755 {base}"));

    // A neighbour's process: its words are seen, where it works is not.
    fake_amps(&host, 0, &format!("{base}/orders"), "orders");
    let team = ["--team", OPERATIONS.team];
    let seen = discover(&lab, &team);
    let said = text(&seen.stdout);
    assert_eq!(seen.status.code(), Some(0), "{seen:?}");
    assert!(
        said.contains("# where it works is not known: account "),
        "{said}"
    );
    assert!(said.contains("  amps-ny4-1:\n"), "{said}");

    // The account's own: everything is.
    fake_amps(&host, OPERATIONS.uid, &format!("{base}/trades"), "trades");
    let seen = discover(&lab, &team);
    let said = text(&seen.stdout);
    assert_eq!(seen.status.code(), Some(0), "{seen:?}");
    for wanted in [
        "  trades:\n".to_owned(),
        format!("home: {base}/trades\n"),
        format!("mask: \"{base}/trades/logs/%Y-%m-%d-%n.log\""),
        format!("statistics: {{path: {base}/trades/stats.db}}"),
        "expect: {name: trades}".to_owned(),
    ] {
        assert!(said.contains(&wanted), "{wanted}\n{said}");
    }
    // Only the instance that is known whole can be planned.
    let begin = said.find("  trades:\n").unwrap();
    let end = said[begin..]
        .find("\n  amps-")
        .map_or(said.len(), |end| begin + end + 1);
    let printed = format!("instances:\n{}", &said[begin..end]);
    let planned = plan_of(&lab, &printed);
    let told = format!("{printed}\n{}", text(&planned.stderr));
    assert!(!told.contains("pasted.yaml:"), "{told}");
}

#[test]
fn nothing_found_is_said_and_nothing_is_contacted_by_a_plan() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    lab.write_inputs(&lab.inventory());
    let before = host.log();
    let planned = discover(&lab, &["--team", OPERATIONS.team, "--dry-run"]);
    let said = text(&planned.stdout);
    assert_eq!(planned.status.code(), Some(0), "{planned:?}");
    assert!(
        said.contains("execute ps -ww -e -o 'pid=,user=,args='")
            || said.contains("execute ps -ww -e -o pid=,user=,args="),
        "{said}"
    );
    assert!(said.contains("nothing was contacted"), "{said}");
    assert_eq!(host.log(), before);
    if crate::lab::is_root() {
        let seen = discover(&lab, &["--team", OPERATIONS.team]);
        assert_eq!(seen.status.code(), Some(1), "{seen:?}");
        assert!(
            text(&seen.stderr).contains("is of a known product"),
            "{seen:?}"
        );
    }
    let wrong = discover(&lab, &["--team", "operatoins"]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    assert!(
        text(&wrong.stderr).contains("did you mean `operations`?"),
        "{wrong:?}"
    );
}

#[test]
fn the_practice_estate_is_discovered_whole() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let estate = runtime.block_on(demo::start(None)).unwrap();
    let path = estate.inventory();
    let run = |inventory: &std::path::Path, args: &[&str]| {
        let mut command = Command::new(GONOGO);
        command
            .arg(args[0])
            .arg("-i")
            .arg(inventory)
            .args(&args[1..]);
        command.output().unwrap()
    };
    let team = ["discover", "--host", "ny4-1", "--team", "operations"];
    let seen = run(path, &team);
    let said = text(&seen.stdout);
    assert_eq!(seen.status.code(), Some(0), "{seen:?}");
    assert!(
        said.contains("  orders-2:\n") && said.contains("  trades-2:\n"),
        "{said}"
    );
    // In place of the inventory's own instances.
    let whole = fs::read_to_string(path).unwrap();
    let (head, _) = whole.split_once("\ninstances:").unwrap();
    let pasted = path.with_file_name("pasted.yaml");
    fs::write(&pasted, format!("{head}\n{said}")).unwrap();
    let features = concat!(env!("CARGO_MANIFEST_DIR"), "/features/amps.feature");
    let planned = run(
        &pasted,
        &[
            "plan",
            features,
            "--instance",
            "orders-2",
            "--tags",
            "@artifact:configuration",
        ],
    );
    let told = text(&planned.stderr);
    assert!(!told.contains("pasted.yaml:"), "{told}\n{said}");
}

#[test]
fn debians_redis_and_nginx_are_known_by_what_they_call_themselves() {
    if needs_root("discover") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("ny4-1").start_debian();
    let _redis = Redis::start(&host);
    let _nginx = Nginx::start(&host);
    let mut inventory = lab.inventory();
    inventory["instances"] = serde_json::json!({});
    lab.write_inputs(&inventory);
    let seen = discover(&lab, &["--team", OPERATIONS.team]);
    let said = text(&seen.stdout);
    assert_eq!(seen.status.code(), Some(0), "{seen:?}");
    assert_eq!(said.matches("product: redis\n").count(), 1, "{said}");
    assert_eq!(said.matches("product: nginx\n").count(), 1, "{said}");
    // Debian lets nobody but redis read its configuration; that of nginx everybody.
    assert!(
        said.contains("# its configuration is not known: /etc/redis/redis.conf: "),
        "{said}"
    );
    assert!(
        said.contains("event log: {path: \"/var/log/nginx/error.log*\"}"),
        "{said}"
    );
    let planned = plan_of(&lab, &said);
    let told = text(&planned.stderr);
    assert!(!told.contains("pasted.yaml:"), "{told}\n{said}");
}
