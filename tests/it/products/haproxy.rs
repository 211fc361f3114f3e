//! HAProxy: what an account in group adm with a socket of its own can fetch, and what breaks it.

use serde_json::json;

use super::{Instance, OPS, actual, faults_of_any_product, judge, packaged};
use crate::lab::products::Haproxy;
use crate::lab::{Lab, needs_root};

const NAME: &str = "edge";

pub(super) fn instance(server: &Haproxy) -> Instance {
    let socket = format!("UNIX-CONNECT:{}", Haproxy::SOCKET);
    Instance {
        name: NAME,
        product: "haproxy",
        host: server.host.name.clone(),
        vars: json!({}),
        version: packaged(&server.host, "haproxy"),
        artifacts: json!({
            "version": {
                "kind": "version",
                "command": ["/usr/sbin/haproxy", "-v"],
                "match": "^HAProxy version (\\d+\\.\\d+\\.\\d+)",
            },
            "configuration": {"kind": "configuration", "path": "/etc/haproxy/haproxy.cfg"},
            "event log": {"kind": "log", "path": "/var/log/haproxy.log*"},
            "statistics": {
                "kind": "statistics",
                "command": ["socat", "-t5", "EXEC:echo show stat!!STDOUT", socket],
            },
        }),
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
    judge(&lab, &[&instance]).assert_go(4);
    let (taken, said) = server.takes_its_configuration();
    assert!(taken, "{said}");
    // Turned over as cron would: rsyslogd opens the new file by Debian's own script.
    host.logrotate("/etc/logrotate.d/haproxy");
    server.reopen();
    server.get("/again");
    host.wait_for("rsyslogd wrote", "grep -q /again /var/log/haproxy.log");
    judge(&lab, &[&instance]).assert_go(4);
    faults_of_any_product(&lab, &host, &instance, "/var/log/haproxy.log");

    server.down();
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "statistics", "mismatch")]);
    let told = actual(&run, NAME, "statistics");
    assert!(told.contains("Connection refused"), "{told}");
    server.up();
    judge(&lab, &[&instance]).assert_go(4);
}
