//! nginx: what an account in group adm can fetch, and what breaks it.

use serde_json::json;

use super::{Instance, OPS, actual, faults_of_any_product, judge, packaged};
use crate::lab::products::Nginx;
use crate::lab::{Lab, needs_root};

const NAME: &str = "www";

pub(super) fn instance(server: &Nginx) -> Instance {
    let status = format!("http://{}:8080/basic_status", server.host.address.ip());
    Instance {
        name: NAME,
        product: "nginx",
        host: server.host.name.clone(),
        vars: json!({}),
        version: packaged(&server.host, "nginx"),
        artifacts: json!({
            "version": {
                "kind": "version",
                "command": ["/usr/sbin/nginx", "-v"],
                "stream": "stderr",
                "match": "nginx/(\\d+\\.\\d+\\.\\d+)",
            },
            "configuration": {"kind": "configuration", "path": "/etc/nginx/*.conf"},
            "event log": {"kind": "log", "path": "/var/log/nginx/access.log*"},
            "statistics": {"kind": "statistics", "command": ["curl", "-fsS", status]},
        }),
    }
}

#[test]
fn a_server_as_debian_makes_it() {
    if needs_root("products::nginx") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("web-1").start_debian();
    let mut server = Nginx::start(&host);
    let instance = instance(&server);
    let (taken, said) = server.takes_its_configuration();
    assert!(taken, "{said}");
    judge(&lab, &[&instance]).assert_go(4);
    faults_of_any_product(&lab, &host, &instance, "/var/log/nginx/access.log");

    server.down();
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "statistics", "mismatch")]);
    let told = actual(&run, NAME, "statistics");
    assert!(told.contains("Couldn't connect"), "{told}");
    server.up();
    judge(&lab, &[&instance]).assert_go(4);
}

#[test]
fn logs_that_logrotate_turned_over() {
    if needs_root("products::nginx") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("web-1").start_debian();
    let server = Nginx::start(&host);
    let instance = instance(&server);
    for turn in 0..3 {
        server.get(80, &format!("/turn-{turn}"));
        // Debian's script asks an init script that the lab has not; the signal is the same.
        host.logrotate("/etc/logrotate.d/nginx");
        server.reopen();
    }
    server.get(80, "/last");
    host.wait_for("nginx wrote", "grep -q /last /var/log/nginx/access.log");
    // delaycompress: the youngest is plain.
    let listed = host.root("ls /var/log/nginx");
    for file in [
        "access.log",
        "access.log.1",
        "access.log.2.gz",
        "access.log.3.gz",
    ] {
        assert!(listed.lines().any(|line| line == file), "{listed}");
    }
    let modes = host.root("stat -c '%U:%G %a' /var/log/nginx/access.log*");
    assert!(
        modes.lines().all(|mode| mode == "www-data:adm 640"),
        "{modes}"
    );
    let run = judge(&lab, &[&instance]);
    run.assert_go(4);
    let check = run.check(NAME, OPS, "event log");
    assert_eq!(check["evidence"].as_array().unwrap().len(), 4, "{check:#}");
}
