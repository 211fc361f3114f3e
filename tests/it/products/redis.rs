//! Redis: what an account in group adm can fetch, and what breaks it.

use serde_json::json;

use super::{Instance, OPS, actual, faults_of_any_product, judge, packaged};
use crate::lab::products::Redis;
use crate::lab::{Lab, OPERATIONS, needs_root};

const NAME: &str = "sessions";

pub(super) fn instance(server: &Redis) -> Instance {
    let address = server.host.address.ip().to_string();
    Instance {
        name: NAME,
        product: "redis",
        host: server.host.name.clone(),
        vars: json!({}),
        version: packaged(&server.host, "redis-server"),
        artifacts: json!({
            "version": {
                "kind": "version",
                "command": ["redis-server", "--version"],
                "match": "Redis server v=(\\d+\\.\\d+\\.\\d+)",
            },
            "configuration": {"kind": "configuration", "path": "/etc/redis/redis.conf"},
            "event log": {"kind": "log", "path": "/var/log/redis/redis-server.log*"},
            "statistics": {
                "kind": "statistics",
                "command": ["redis-cli", "-h", address, "INFO", "all"],
            },
        }),
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
    judge(&lab, &[&instance]).assert_go(4);
    faults_of_any_product(&lab, &host, &instance, "/var/log/redis/redis-server.log");

    server.down();
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "statistics", "mismatch")]);
    let told = actual(&run, NAME, "statistics");
    assert!(told.contains("Connection refused"), "{told}");
    server.up();
    judge(&lab, &[&instance]).assert_go(4);
}
