//! PostgreSQL: what an account in group adm with the role pg_monitor can fetch, and what breaks it.

use serde_json::json;

use super::{Instance, OPS, actual, faults_of_any_product, hint, judge, packaged};
use crate::lab::products::Postgresql;
use crate::lab::{Lab, OPERATIONS, needs_root};

const NAME: &str = "accounts";

pub(super) fn instance(server: &Postgresql) -> Instance {
    let major = &server.major;
    Instance {
        name: NAME,
        product: "postgresql",
        host: server.host.name.clone(),
        vars: json!({
            "bin": format!("/usr/lib/postgresql/{major}/bin"),
            "config": server.conf(),
            "logs": server.log(),
        }),
        version: packaged(&server.host, &format!("postgresql-{major}")),
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
    // Debian lets nobody but postgres read who may connect, and nobody else into the data: neither is
    // asked for.
    for closed in [
        format!("{}/pg_hba.conf", server.conf()),
        format!("/var/lib/postgresql/{}/main/PG_VERSION", server.major),
    ] {
        assert!(!host.ops_can_read(&closed), "{closed}");
    }
    judge(&lab, &[&instance]).assert_go(5);
    faults_of_any_product(&lab, &host, &instance, &server.log(), |_| ());

    // Without pg_monitor the rows come, and psql ends with 0; what others do is left out.
    let user = OPERATIONS.login();
    server.sql(&format!("REVOKE pg_monitor FROM \"{user}\""));
    let asked = host.ops("psql -XAtd postgres -c 'SELECT * FROM pg_stat_activity'");
    let said = String::from_utf8_lossy(&asked.stdout);
    assert!(
        asked.status.success() && said.contains("insufficient privilege"),
        "{asked:?}"
    );
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "statistics", "mismatch")]);
    let told = hint(&run, NAME, "statistics");
    assert!(told.contains("pg_monitor"), "{told}");
    server.sql(&format!("GRANT pg_monitor TO \"{user}\""));

    // Errors are no longer logged: the included file says so, with its line.
    let conf = format!("{}/conf.d/lab.conf", server.conf());
    let before = host.text(&conf);
    host.put(&conf, &format!("{before}log_min_messages = panic\n"));
    server.sql("SELECT pg_reload_conf()");
    host.wait_for("PostgreSQL took it", "test \"$(setpriv --reuid postgres --regid postgres --init-groups psql -XAtd postgres -c 'SHOW log_min_messages')\" = panic");
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "configuration", "gap")]);
    let told = actual(&run, NAME, "configuration");
    assert!(told.contains("errors are not logged"), "{told}");

    // What is included may not be read, or is no configuration: PostgreSQL itself agrees.
    host.put(&conf, &before);
    host.root(&format!("chmod 600 {conf}"));
    assert!(!host.ops_can_read(&conf));
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "configuration", "denied")]);
    host.root(&format!("chmod 644 {conf}"));
    host.put(&conf, &format!("{before}cluster_name = 'lab\n"));
    let tried = host.inside(&format!("setpriv --reuid postgres --regid postgres --init-groups /usr/lib/postgresql/{0}/bin/postgres -C port -D {1}", server.major, server.conf()));
    assert!(!tried.status.success(), "{tried:?}");
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "configuration", "corrupt")]);
    host.put(&conf, &before);

    server.down();
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[
        (NAME, OPS, "statistics", "mismatch"),
        (NAME, OPS, "running version", "mismatch"),
    ]);
    let told = actual(&run, NAME, "statistics");
    assert!(told.contains("Is the server running locally"), "{told}");
    server.up();
    judge(&lab, &[&instance]).assert_go(5);
}

#[test]
fn a_log_that_is_copied_and_truncated() {
    if needs_root("products::postgresql") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("db-1").start_debian();
    let server = Postgresql::start(&host);
    let instance = instance(&server);
    for turn in 0..2 {
        // The one error that everybody may cause.
        let tried = host.ops(&format!("psql -Xd postgres -c 'SELECT turn_{turn}'"));
        assert!(!tried.status.success());
        host.logrotate("/etc/logrotate.d/postgresql-common");
    }
    host.ops("psql -Xd postgres -c 'SELECT turn_last'");
    let listed = host.root("ls /var/log/postgresql");
    assert!(
        listed.contains(".log.1\n") && listed.contains(".log.2.gz\n"),
        "{listed}"
    );
    assert!(host.text(&server.log()).contains("turn_last"));
    judge(&lab, &[&instance]).assert_go(5);

    // The server writes in the zone of New York, and nobody told: its times have no offset that is read.
    host.put(
        &format!("{}/conf.d/zone.conf", server.conf()),
        "log_timezone = 'Asia/Tokyo'\n",
    );
    server.sql("SELECT pg_reload_conf()");
    host.wait_for("a time of Tokyo", &format!("cd /tmp; psql -U nobody-of-that-name -d postgres -c '' 2>/dev/null; grep -q ' JST ' {}", server.log()));
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "event log", "mismatch")]);
    let told = hint(&run, NAME, "event log");
    assert!(told.contains("timezone"), "{told}");
}
