//! Redis: what an account in group adm can fetch, and what breaks it.

use serde_json::json;

use super::{Instance, OPS, actual, faults_of_any_product, hint, judge, packaged};
use crate::lab::products::Redis;
use crate::lab::{Lab, OPERATIONS, needs_root};

const NAME: &str = "sessions";

pub(super) fn instance(server: &Redis) -> Instance {
    let address = server.host.address.ip().to_string();
    Instance {
        name: NAME,
        product: "redis",
        host: server.host.name.clone(),
        vars: json!({"address": address}),
        version: packaged(&server.host, "redis-server"),
    }
}

#[test]
fn a_server_as_debian_makes_it() {
    if needs_root("products::redis") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("db-1").start_debian();
    let mut server = Redis::start(&host);
    let instance = instance(&server);
    assert!(!host.ops_can_read("/etc/redis/redis.conf"));
    let user = OPERATIONS.login();
    host.root(&format!(
        "setfacl -m u:{user}:x /etc/redis && setfacl -m u:{user}:r /etc/redis/redis.conf"
    ));
    judge(&lab, &[&instance]).assert_go(5);
    faults_of_any_product(
        &lab,
        &host,
        &instance,
        "/var/log/redis/redis-server.log",
        |_| (),
    );

    // A password that nobody told: redis-cli says NOAUTH, and ends with 0.
    server.down();
    server.configure("requirepass lab-secret");
    server.up();
    let asked = host.ops(&format!("redis-cli -h {} INFO all", host.address.ip()));
    assert!(
        asked.status.success() && asked.stdout.starts_with(b"NOAUTH"),
        "{asked:?}"
    );
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[
        (NAME, OPS, "statistics", "denied"),
        (NAME, OPS, "running version", "denied"),
    ]);
    let told = hint(&run, NAME, "statistics");
    assert!(told.contains("requirepass"), "{told}");

    // An ACL user without a password that may ask INFO, and nothing else: the twin.
    server.down();
    server.configure("user default on nopass -@all +info +ping");
    host.root("sed -i /^requirepass/d /etc/redis/redis.conf");
    server.up();
    let asked = host.ops(&format!(
        "redis-cli -h {} CONFIG GET requirepass",
        host.address.ip()
    ));
    assert!(asked.stdout.starts_with(b"NOPERM"), "{asked:?}");
    judge(&lab, &[&instance]).assert_go(5);

    // No log file.
    host.root("sed -i 's/^logfile .*/logfile \"\"/' /etc/redis/redis.conf");
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "configuration", "gap")]);
    let told = actual(&run, NAME, "configuration");
    assert!(told.contains("nothing is logged to a file"), "{told}");
    host.root(
        "sed -i 's,^logfile .*,logfile /var/log/redis/redis-server.log,' /etc/redis/redis.conf",
    );

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
