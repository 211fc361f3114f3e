//! What a log does not tell, and what no log could fail: neither is an answer.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Desk, OPS, as_it_is, entries, stamp};

const CALM: (&str, &str) = (
    "calm",
    "the event log has no entry of level \"error\" or worse from the last 24 hours",
);

/// The same log, its entries described by the inventory.
fn described(pattern: &str, levels: &[&str]) -> impl Fn(&mut Value) {
    let log = json!({
        "kind": "log", "path": "{home}/logs/*.log*", "format": "log",
        "entry": {"pattern": pattern, "time": "rfc3339", "levels": levels},
    });
    move |inventory| {
        inventory["instances"]["orders"]["artifacts"] = json!({"event log": log});
    }
}

const PATTERN: &str = r"^(?<time>\S+) \[\d+\] (?<level>\w+): ";
const LEVELS: [&str; 3] = ["info", "warning", "error"];

#[test]
fn a_level_that_the_inventory_does_not_know_is_not_harmless() {
    let desk = Desk::new();
    desk.is_go(&[CALM], described(PATTERN, &LEVELS));
    let text = entries(60, 0).replace("warning: 24-0002", "FATAL: 24-0002");
    desk.orders.write(&desk.orders.log(), text.as_bytes());
    let run = desk.fails(
        &[CALM],
        described(PATTERN, &LEVELS),
        &[("calm", "mismatch", "one of level FATAL from")],
    );
    let failure = &run.check("orders", OPS, "calm")["failure"];
    assert!(failure["hint"].as_str().unwrap().contains("`levels:`"));
    // Known to be harmless, it is.
    let known = ["FATAL", "info", "warning", "error"];
    desk.is_go(&[CALM], described(PATTERN, &known));
    // Of last week, it is not of today.
    desk.well();
    let old = entries(40 * 60, 12 * 60).replacen("warning: 24-0002", "FATAL: 24-0002", 1);
    let name = format!("{}.2.gz", desk.orders.log());
    desk.orders.write(&name, &super::gzip(&old));
    desk.is_go(&[CALM], described(PATTERN, &LEVELS));
}

#[test]
fn an_error_whose_time_cannot_be_read_may_be_of_today() {
    let desk = Desk::new();
    let odd = |level: &str| {
        let at = stamp(Timestamp::now()).replace('T', "?");
        let text = entries(60, 0) + &format!("{at} [1] {level}: 24-0002 data lost\n");
        desk.orders.write(&desk.orders.log(), text.as_bytes());
    };
    odd("error");
    desk.fails(
        &[CALM],
        described(PATTERN, &LEVELS),
        &[("calm", "mismatch", "whose time cannot be read")],
    );
    odd("info");
    desk.is_go(&[CALM], described(PATTERN, &LEVELS));
}

#[test]
fn what_no_log_could_fail_is_refused() {
    let desk = Desk::new();
    let refused = |question: &str, edit: &dyn Fn(&mut Value), words: &str| {
        desk.write(&[("asked", question)], edit);
        let plan = desk.lab.run(&["plan", "-i", "inventory.yaml", "features"]);
        let told = String::from_utf8_lossy(&plan.stderr);
        assert_eq!(plan.status.code(), Some(2), "{told}");
        assert!(told.contains(words), "{told}");
    };
    refused(
        "the event log has no gap of more than 24 hours in the last 1 day",
        &as_it_is,
        "ask for a longer span",
    );
    refused(
        CALM.1,
        &described(r"^(?<time>\S+) \[\d+\] \w+: ", &LEVELS),
        "do not say where their level stands",
    );
}
