//! Every failure kind of contract 6 produced for real, one sabotage each, beside an instance that
//! nothing was done to. What differs is one thing: so the failure has that one reason.
//!
//! `io` and `short` need a lying server and are tested inside the transport room; `undefined` is in
//! `interrupt.rs`.

use std::rc::Rc;

use serde_json::Value;

use crate::lab::{Amps, Host, Lab, MARKET_DATA, OPERATIONS, needs_root};

const OPS: &str = OPERATIONS.team;
const MD: &str = MARKET_DATA.team;

/// One host, the instance that will be broken (`orders`) and its benign twin (`quotes`).
fn pair() -> (Lab, Rc<Host>, Rc<Amps>) {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    lab.amps("quotes", &host);
    (lab, host, orders)
}

/// Breaks `orders`, edits the inventory, and expects exactly one failing check.
#[track_caller]
fn one_failure(
    scenario: &str,
    kind: &str,
    sabotage: impl FnOnce(&Amps),
    edit: impl FnOnce(&mut Value),
) {
    let (lab, _host, orders) = pair();
    sabotage(&orders);
    let run = lab.judge_with(edit);
    run.assert_only(&[("orders", OPS, scenario, kind)]);
    // A NO-GO is signed like a GO, and verify says what it says.
    crate::retrieve::audit(&lab, &run);
    let verified = lab.verify(&run.dir);
    assert_eq!(verified.status.code(), Some(1), "{verified:?}");
}

fn as_it_is(_: &mut Value) {}

/// All four checks of an instance and team fail with `kind`; everything else passes.
#[track_caller]
fn all_four(run: &crate::lab::Run, instance: &str, team: &str, kind: &str) {
    let all = crate::lab::FOUR.map(|scenario| (instance, team, scenario, kind));
    run.assert_only(&all);
}

#[test]
fn unreachable() {
    let (lab, _host, _) = pair();
    let nobody = lab.host("ld5-1").dead();
    let run = lab.judge_with(|inventory| {
        inventory["hosts"]["ld5-1"] = serde_json::json!({
            "address": nobody.ip().to_string(), "port": nobody.port(),
            // Pinned: known_hosts cannot know a host that never answered.
            "host_key": "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        });
        inventory["instances"]["orders"]["host"] = "ld5-1".into();
    });
    all_four(&run, "orders", OPS, "unreachable");
}

#[test]
fn host_key() {
    let lab = Lab::new();
    let ny4 = lab.host("ny4-1").start();
    let ld5 = lab.host("ld5-1").start();
    lab.amps("orders", &ny4);
    lab.amps("quotes", &ld5);
    lab.write_inputs(&lab.inventory());
    let path = lab.path("operator/known_hosts");
    let wrong = std::fs::read_to_string(&path).unwrap();
    // ny4-1 is known with the key of ld5-1.
    let wrong = wrong.replace(&ny4.public_key(), &ld5.public_key());
    std::fs::write(&path, wrong).unwrap();
    let run = lab.judge_as_written();
    all_four(&run, "orders", OPS, "host-key");
    assert!(!ny4.log().contains("Accepted"), "logged in to a stranger");
}

#[test]
fn auth() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").without_key(MARKET_DATA).start();
    let orders = lab.amps("orders", &host);
    *orders.teams.borrow_mut() = vec![OPS, MD];
    let run = lab.judge();
    all_four(&run, "orders", MD, "auth");
}

#[test]
fn shell_answers_everything_with_success() {
    let lab = Lab::new();
    let host = lab
        .host("ny4-1")
        .key_options(OPERATIONS, "command=\"echo welcome\"")
        .without_sftp()
        .start();
    let well = lab.host("ny4-2").start();
    lab.amps("orders", &host);
    lab.amps("quotes", &well);
    all_four(&lab.judge(), "orders", OPS, "shell");
}

#[test]
fn shell_is_nologin() {
    if needs_root("shell_is_nologin") {
        return;
    }
    let lab = Lab::new();
    let host = lab
        .host("ny4-1")
        .shell(OPERATIONS, "/usr/sbin/nologin")
        .start();
    let well = lab.host("ny4-2").start();
    lab.amps("orders", &host);
    lab.amps("quotes", &well);
    let run = lab.judge_with(|inventory| {
        inventory["teams"][OPS]["transport"] = "exec".into();
    });
    all_four(&run, "orders", OPS, "shell");
}

#[test]
fn elevate() {
    if needs_root("elevate") {
        return;
    }
    let lab = Lab::new();
    let allowed = format!("{} ALL=(ALL) NOPASSWD: ALL", OPERATIONS.login());
    let without = lab.host("ny4-1").start();
    let with = lab.host("ny4-2").sudoers(&allowed).start();
    lab.amps("orders", &without);
    let quotes = lab.amps("quotes", &with);
    // Only root reads this one: the twin proves that elevation is really used.
    quotes.lock("config/config.xml");
    let run = lab.judge_with(|inventory| {
        inventory["teams"][OPS]["elevate"] = "sudo".into();
    });
    all_four(&run, "orders", OPS, "elevate");
}

#[test]
fn missing() {
    one_failure(
        "configuration",
        "missing",
        |orders| orders.remove("config"),
        as_it_is,
    );
    one_failure("statistics", "missing", Amps::remove_statistics, as_it_is);
    one_failure(
        "configuration",
        "missing",
        |orders| {
            orders.dangle("config/logging.xml");
        },
        as_it_is,
    );
    one_failure(
        "version",
        "missing",
        |orders| orders.remove("bin/ampServer"),
        as_it_is,
    );
    one_failure(
        "event log",
        "missing",
        |orders| {
            orders.drop_rotated_logs();
            orders.remove(&orders.log());
        },
        as_it_is,
    );
}

#[test]
fn denied() {
    one_failure(
        "configuration",
        "denied",
        |orders| orders.lock("config/config.xml"),
        as_it_is,
    );
    one_failure(
        "event log",
        "denied",
        |orders| orders.lock("logs"),
        as_it_is,
    );
    one_failure("statistics", "denied", Amps::lock_wal, as_it_is);
    one_failure(
        "version",
        "denied",
        |orders| orders.lock("bin/ampServer"),
        as_it_is,
    );
}

#[test]
fn not_regular() {
    one_failure(
        "event log",
        "not-regular",
        |orders| orders.fifo(&orders.log()),
        as_it_is,
    );
    one_failure(
        "configuration",
        "not-regular",
        |orders| {
            orders.fifo("config/logging.xml");
        },
        as_it_is,
    );
}

#[test]
fn empty() {
    one_failure(
        "event log",
        "empty",
        |orders| {
            orders.drop_rotated_logs();
            orders.empty(&orders.log());
        },
        as_it_is,
    );
    one_failure(
        "configuration",
        "empty",
        |orders| orders.empty("config/config.xml"),
        as_it_is,
    );
    one_failure(
        "version",
        "empty",
        |orders| orders.answer_version("", 0),
        as_it_is,
    );
    one_failure("statistics", "empty", Amps::clear_statistics, as_it_is);
}

#[test]
fn corrupt() {
    one_failure(
        "configuration",
        "corrupt",
        |orders| {
            orders.break_xml("config/config.xml");
        },
        as_it_is,
    );
    one_failure("event log", "corrupt", Amps::cut_gzip, as_it_is);
    one_failure("statistics", "corrupt", Amps::corrupt_statistics, as_it_is);
}

#[test]
fn stale() {
    one_failure("event log", "stale", Amps::age_logs, as_it_is);
    one_failure("statistics", "stale", Amps::age_statistics, as_it_is);
}

#[test]
fn gap() {
    one_failure("event log", "gap", Amps::drop_rotated_logs, as_it_is);
}

#[test]
fn mismatch() {
    one_failure(
        "version",
        "mismatch",
        |orders| {
            orders.answer_version("AMPS 5.3.3.9.1.abc", 0);
        },
        as_it_is,
    );
    one_failure(
        "configuration",
        "mismatch",
        |orders| orders.rename_config("quotes"),
        as_it_is,
    );
}

#[test]
fn mismatch_of_the_machine() {
    if needs_root("mismatch_of_the_machine") {
        return;
    }
    let lab = Lab::new();
    let ny4 = lab.host("ny4-1").start();
    let ld5 = lab.host("ld5-1").start();
    lab.amps("orders", &ny4);
    lab.amps("quotes", &ld5);
    let run = lab.judge_with(|inventory| {
        // quotes: the pin is right.
        let right = serde_json::json!({"hostname": "ld5-1", "machine_id": ld5.machine_id});
        inventory["hosts"]["ld5-1"]["identity"] = right;
        inventory["hosts"]["ny4-1"]["identity"] = serde_json::json!({"machine_id": "0".repeat(32)});
    });
    all_four(&run, "orders", OPS, "mismatch");
}

#[test]
fn two_hosts_that_are_one_machine() {
    if needs_root("two_hosts_that_are_one_machine") {
        return;
    }
    let lab = Lab::new();
    let ny4 = lab.host("ny4-1").start();
    let twin = lab.host("ny4-2").same_machine_as(&ny4).start();
    lab.amps("orders", &ny4);
    lab.amps("quotes", &twin);
    let run = lab.judge();
    assert_eq!(run.code(), 1, "{}", run.told());
    let reasons = run.report()["verdict"]["reasons"].to_string();
    assert!(
        reasons.contains("ny4-1") && reasons.contains("ny4-2"),
        "{reasons}"
    );
    // Told beforehand, it is no surprise.
    let run = lab.judge_with(|inventory| {
        for host in ["ny4-1", "ny4-2"] {
            inventory["hosts"][host]["machine"] = "rack-7".into();
        }
    });
    run.assert_go(8);
}

#[test]
fn too_large() {
    let lab = Lab::new();
    let ny4 = lab.host("ny4-1").start();
    let ny5 = lab.host("ny4-2").start();
    let orders = lab.amps("orders", &ny4);
    lab.amps("quotes", &ny5);
    // The cap lies above every other artifact and below this one.
    orders.write("config/config.xml", large_config().as_bytes());
    let run = lab.judge_with(|inventory| {
        inventory["ssh"]["max_bytes"] = "4MiB".into();
    });
    run.assert_only(&[("orders", OPS, "configuration", "too-large")]);
    // Under the default cap the same file is fine.
    lab.judge().assert_go(8);
}

fn large_config() -> String {
    let filler = format!("<!-- {} -->\n", "x".repeat(70)).repeat(70_000);
    let config = format!("<AMPSConfig>\n<Name>orders</Name>\n{filler}</AMPSConfig>\n");
    assert!(config.len() > 5 << 20);
    config
}

#[test]
fn timeout() {
    one_failure("version", "timeout", Amps::slow_version, |inventory| {
        inventory["ssh"]["deadline"] = "10s".into();
    });
}

#[test]
fn untouched_it_is_go() {
    let (lab, _host, _orders) = pair();
    lab.judge().assert_go(8);
}
