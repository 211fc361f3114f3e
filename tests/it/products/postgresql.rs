//! PostgreSQL: what an account in group adm with the role pg_monitor can fetch, and what breaks it.

use serde_json::json;

use super::{Instance, OPS, actual, faults_of_any_product, judge, packaged};
use crate::lab::products::Postgresql;
use crate::lab::{Lab, OPERATIONS, needs_root};

const NAME: &str = "accounts";

pub(super) fn instance(server: &Postgresql) -> Instance {
    let (major, conf) = (&server.major, server.conf());
    Instance {
        name: NAME,
        product: "postgresql",
        host: server.host.name.clone(),
        vars: json!({}),
        version: packaged(&server.host, &format!("postgresql-{major}")),
        artifacts: json!({
            "version": {
                "kind": "version",
                "command": [format!("/usr/lib/postgresql/{major}/bin/postgres"), "--version"],
                "match": "^postgres \\(PostgreSQL\\) (\\d+\\.\\d+)",
            },
            "configuration": {"kind": "configuration", "path": format!("{conf}/*.conf")},
            "event log": {
                "kind": "log",
                "path": format!("/var/log/postgresql/postgresql-{major}-main.log*"),
            },
            "statistics": {
                "kind": "statistics",
                "command": ["psql", "-XAtd", "postgres", "-c", "SELECT * FROM pg_stat_activity"],
            },
        }),
    }
}

#[test]
fn a_cluster_as_debian_makes_it() {
    if needs_root("products::postgresql") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("db-1").start_debian();
    let mut server = Postgresql::start(&host);
    let instance = instance(&server);
    // Debian lets nobody but postgres read who may connect.
    assert!(!host.ops_can_read(&format!("{}/pg_hba.conf", server.conf())));
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "configuration", "denied")]);
    host.root(&format!(
        "setfacl -m u:{}:r {}/pg_hba.conf {}/pg_ident.conf",
        OPERATIONS.login(),
        server.conf(),
        server.conf()
    ));
    judge(&lab, &[&instance]).assert_go(4);
    faults_of_any_product(&lab, &host, &instance, &server.log());

    // A role without pg_monitor, even one that may not log in: psql says so and ends with 2.
    let user = OPERATIONS.login();
    server.sql(&format!("ALTER ROLE \"{user}\" NOLOGIN"));
    let asked = host.ops("psql -XAtd postgres -c 'SELECT 1'");
    assert_eq!(asked.status.code(), Some(2), "{asked:?}");
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "statistics", "mismatch")]);
    let told = actual(&run, NAME, "statistics");
    assert!(told.contains("is not permitted to log in"), "{told}");
    server.sql(&format!("ALTER ROLE \"{user}\" LOGIN"));

    server.down();
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "statistics", "mismatch")]);
    let told = actual(&run, NAME, "statistics");
    assert!(told.contains("Is the server running locally"), "{told}");
    server.up();
    judge(&lab, &[&instance]).assert_go(4);
}
