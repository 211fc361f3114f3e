//! MariaDB: what an account in group adm with an account of its own there can fetch, and what breaks it.

use serde_json::json;

use super::{Instance, OPS, actual, faults_of_any_product, judge, packaged};
use crate::lab::products::Mariadb;
use crate::lab::{Lab, needs_root};

const NAME: &str = "orders";

pub(super) fn instance(server: &Mariadb) -> Instance {
    Instance {
        name: NAME,
        product: "mariadb",
        host: server.host.name.clone(),
        vars: json!({}),
        version: packaged(&server.host, "mariadb-server"),
        artifacts: json!({
            "version": {
                "kind": "version",
                "command": ["/usr/sbin/mariadbd", "--version"],
                "match": "Ver (\\d+\\.\\d+\\.\\d+)-MariaDB",
            },
            "configuration": {"kind": "configuration", "path": "/etc/mysql/mariadb.conf.d/*.cnf"},
            "event log": {"kind": "log", "path": "/var/log/mysql/error.log*"},
            "statistics": {
                "kind": "statistics",
                "command": ["mariadb", "-NBe", "SHOW GLOBAL STATUS"],
            },
        }),
    }
}

#[test]
fn a_server_as_debian_makes_it() {
    if needs_root("products::mariadb") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("db-1").start_debian();
    let mut server = Mariadb::start(&host);
    let instance = instance(&server);
    judge(&lab, &[&instance]).assert_go(4);
    faults_of_any_product(&lab, &host, &instance, "/var/log/mysql/error.log");

    server.down();
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "statistics", "mismatch")]);
    let told = actual(&run, NAME, "statistics");
    assert!(told.contains("Can't connect to local server"), "{told}");
    server.up();
    judge(&lab, &[&instance]).assert_go(4);
}
