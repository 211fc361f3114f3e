//! `gonogo plan --estimate` against a real server: sizes and times from listings alone.

use std::fs;

use serde_json::Value;

use crate::lab::{Lab, OPERATIONS};

fn estimate(lab: &Lab, more: &[&str]) -> (Option<i32>, Value, String) {
    let known = lab.judge();
    assert_eq!(known.code(), 0, "{}", known.told());
    let args = [
        &["plan", "-i", "inventory.yaml", "features", "--estimate"],
        more,
        &["--format", "json"],
    ];
    let output = lab.run(&args.concat());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let found = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), found, told)
}

fn of<'v>(found: &'v Value, artifact: &str) -> &'v Value {
    let all = found["artifacts"].as_array().unwrap();
    let one = |one: &&Value| one["artifact"] == artifact && one["team"] == OPERATIONS.team;
    all.iter().find(one).unwrap()
}

#[test]
fn sizes_and_times_are_told_and_limits_that_break_are_said() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    let (code, found, told) = estimate(&lab, &[]);
    assert_eq!(code, Some(0), "{told} {found}");
    let size: u64 = fs::read_dir(orders.path("config"))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert_eq!(of(&found, "configuration")["bytes"], size, "{found}");
    assert_eq!(found["rate"], 10 << 20);
    // At a byte a second nothing ends within the deadline of a check.
    let (code, found, told) = estimate(&lab, &["--rate", "1"]);
    assert_eq!(code, Some(1), "{told}");
    let objection = of(&found, "event log")["objection"].as_str().unwrap();
    assert!(objection.contains("`deadline`"), "{objection}");
    // What is not there is said as a run would say it.
    fs::remove_file(orders.path("stats.db")).unwrap();
    let args = ["plan", "-i", "inventory.yaml", "features", "--estimate"];
    let output = lab.run(&args);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("missing") && told.contains("1 objection"),
        "{told}"
    );
}
