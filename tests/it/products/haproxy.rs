//! HAProxy: what an account in group adm with a socket of its own can fetch, and what breaks it.

use serde_json::json;

use super::{Instance, OPS, actual, faults_of_any_product, judge, packaged};
use crate::lab::products::Haproxy;
use crate::lab::{Lab, needs_root};

const NAME: &str = "edge";

pub(super) fn instance(server: &Haproxy) -> Instance {
    Instance {
        name: NAME,
        product: "haproxy",
        host: server.host.name.clone(),
        vars: json!({}),
        version: packaged(&server.host, "haproxy"),
    }
}

#[test]
fn a_server_as_debian_makes_it() {
    if needs_root("products::haproxy") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("edge-1").start_debian();
    let mut server = Haproxy::start(&host);
    let instance = instance(&server);
    judge(&lab, &[&instance]).assert_go(5);
    let (taken, said) = server.takes_its_configuration();
    assert!(taken, "{said}");
    // Debian's own socket would let whoever may ask it change the balance; the one for statistics does not.
    let maintain = "socat -t5 'EXEC:echo set server site/one state maint!!STDOUT' UNIX-CONNECT:";
    let asked = host.ops(&format!("{maintain}{}", Haproxy::SOCKET));
    assert!(asked.stdout.starts_with(b"Permission denied"), "{asked:?}");
    let asked = host.ops(&format!("{maintain}/run/haproxy/admin.sock"));
    assert!(!asked.status.success(), "{asked:?}");

    // Broken, and HAProxy says so too; and a log that is turned off.
    let conf = host.text(Haproxy::CONF);
    host.put(Haproxy::CONF, conf.trim_end());
    let (taken, said) = server.takes_its_configuration();
    assert!(!taken && said.contains("Missing LF"), "{said}");
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "configuration", "corrupt")]);
    host.put(Haproxy::CONF, &conf.replace("log /dev/log\tlocal", "# log"));
    let (taken, said) = server.takes_its_configuration();
    assert!(taken, "{said}");
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "configuration", "gap")]);
    let told = actual(&run, NAME, "configuration");
    assert!(told.contains("nothing is logged"), "{told}");
    host.put(Haproxy::CONF, &conf);

    // Turned over as cron would: rsyslogd opens the new file by Debian's own script.
    host.logrotate("/etc/logrotate.d/haproxy");
    server.reopen();
    server.logs("/again");
    judge(&lab, &[&instance]).assert_go(5);
    faults_of_any_product(&lab, &host, &instance, "/var/log/haproxy.log", |_| ());

    server.down();
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[
        (NAME, OPS, "statistics", "mismatch"),
        (NAME, OPS, "running version", "mismatch"),
    ]);
    let told = actual(&run, NAME, "statistics");
    assert!(told.contains("Connection refused"), "{told}");
    server.up();
    judge(&lab, &[&instance]).assert_go(5);
}
