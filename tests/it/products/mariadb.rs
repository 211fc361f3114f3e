//! MariaDB: what an account in group adm with an account of its own there can fetch, and what breaks it.

use serde_json::json;

use super::{Instance, OPS, actual, faults_of_any_product, hint, judge, judge_with, packaged};
use crate::lab::products::Mariadb;
use crate::lab::{Lab, Run, needs_root};

const NAME: &str = "orders";

pub(super) fn instance(server: &Mariadb) -> Instance {
    Instance {
        name: NAME,
        product: "mariadb",
        host: server.host.name.clone(),
        vars: json!({}),
        version: packaged(&server.host, "mariadb-server"),
    }
}

fn judge_in(lab: &Lab, instance: &Instance, timezone: &str) -> Run {
    judge_with(lab, &[instance], |inventory| {
        inventory["hosts"]["db-1"]["timezone"] = timezone.into();
    })
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
    let padded = host.root("head -n 1 /var/log/mysql/error.log");
    assert!(padded.contains("  7:"), "{padded}");
    judge_in(&lab, &instance, &server.timezone).assert_go(5);
    // Nobody told which zone the log is in: its times are hours away from those of the file.
    let run = judge(&lab, &[&instance]);
    let ahead = server.timezone.contains('-');
    if ahead {
        run.assert_only(&[(NAME, OPS, "event log", "mismatch")]);
        let told = hint(&run, NAME, "event log");
        assert!(told.contains("timezone"), "{told}");
    }
    let log = "/var/log/mysql/error.log";
    let timezone = server.timezone.clone();
    faults_of_any_product(&lab, &host, &instance, log, |inventory| {
        inventory["hosts"]["db-1"]["timezone"] = timezone.as_str().into();
    });

    // The error log thrown away by an included file.
    let before = host.text(Mariadb::CONF);
    host.put(
        Mariadb::CONF,
        &before.replace("/var/log/mysql/error.log", "/dev/null"),
    );
    let run = judge_in(&lab, &instance, &server.timezone);
    run.assert_only(&[(NAME, OPS, "configuration", "gap")]);
    let told = actual(&run, NAME, "configuration");
    assert!(told.contains("thrown away"), "{told}");
    host.put(Mariadb::CONF, &before);

    server.down();
    let run = judge_in(&lab, &instance, &server.timezone);
    run.assert_only(&[
        (NAME, OPS, "statistics", "mismatch"),
        (NAME, OPS, "running version", "mismatch"),
    ]);
    let told = actual(&run, NAME, "statistics");
    assert!(told.contains("Can't connect to local server"), "{told}");
    server.up();
    judge_in(&lab, &instance, &server.timezone).assert_go(5);
}
