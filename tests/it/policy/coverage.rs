//! What the last GO had: a run that asks for less is a NO-GO, the next one too, until the policy retires it.

use std::fs;

use super::{LEAST, under};
use crate::lab::Lab;
use crate::people::{House, edit, expect};

fn run(lab: &Lab, out: &str) {
    let args = lab.run_args(out);
    let output = lab.run(&[&args[..], &["--history", "runs"]].concat());
    expect(&output, 0, &["GO"]);
}

#[test]
fn what_vanished_since_the_last_go_is_a_no_go() {
    let house = House::new(|_| ());
    let lab = &house.lab;
    let two = lab.host("ny4-2").start();
    lab.amps("quotes", &two);
    lab.write_inputs(&lab.inventory());
    fs::create_dir(house.at("runs")).unwrap();
    let feature = fs::read_to_string(house.at("features/support.feature")).unwrap();
    let demand = format!("{LEAST}coverage:\n  last_go: required\n");
    let verify = |policy: &str, name: &str, more: &[&str], code: i32, words: &[&str]| {
        let run = house.at(name);
        expect(&under(&house, policy, &run, more), code, words);
    };
    let history = ["--history", "runs"];
    run(lab, "runs/1");
    verify(
        &demand,
        "runs/1",
        &[],
        2,
        &["policy.yaml:4:3", "no --history DIR, or --against RUN"],
    );
    let kept = |policy: &str| policy.replace("last_go: required", "last_go: kept");
    let unknown = "no earlier GO is known";
    verify(&demand, "runs/1", &history, 1, &[unknown, "\nNO-GO\n"]);
    verify(&kept(&demand), "runs/1", &history, 0, &[unknown, "\nGO\n"]);
    // The benign twin, its lines moved.
    house.write(
        "features/support.feature",
        &format!("# looked at\n{feature}"),
    );
    run(lab, "runs/2");
    verify(
        &demand,
        "runs/2",
        &history,
        0,
        &["last GO      2", "\nGO\n"],
    );
    house.write("features/support.feature", &feature);

    let mut inventory = lab.inventory();
    for (part, name) in [("instances", "quotes"), ("hosts", "ny4-2")] {
        inventory[part].as_object_mut().unwrap().remove(name);
    }
    lab.write_inputs(&inventory);
    run(lab, "runs/3");
    let gone = [
        "policy: instance `quotes` with 4 checks, which run",
        "policy: host `ny4-2`, which run",
        "\nNO-GO\n",
    ];
    verify(&demand, "runs/3", &history, 1, &gone);
    // It is a GO of its own, and yet no run that the next one may be held to.
    run(lab, "runs/4");
    verify(&demand, "runs/4", &history, 1, &gone);
    verify(LEAST, "runs/4", &history, 0, &["\nGO\n"]);
    verify(&demand, "runs/4", &["--against", "runs/2"], 1, &gone);
    verify(&demand, "runs/4", &["--against", "runs/3"], 0, &["\nGO\n"]);
    verify(
        &demand,
        "runs/2",
        &["--against", "runs/4"],
        4,
        &["is not earlier than the run"],
    );
    verify(
        &demand,
        "runs/4",
        &["--against", "keys"],
        4,
        &["no earlier GO"],
    );
    verify(
        LEAST,
        "runs/4",
        &["--against", "runs/3"],
        2,
        &["--against without `coverage`"],
    );
    let retired = |from: &str| {
        let entry = |what: &str| format!("    - {what}\n      reason: moved\n      from: {from}\n");
        format!(
            "{demand}  retired:\n{}{}",
            entry("instance: quotes"),
            entry("host: ny4-2")
        )
    };
    verify(&retired("2026-11-01"), "runs/4", &history, 0, &["\nGO\n"]);
    verify(&retired("2999-01-01"), "runs/4", &history, 1, &gone);
    // Older runs may be left out.
    let since = |day: &str| format!("{demand}  since: {day}\n");
    let later = since("2999-01-01");
    verify(&kept(&later), "runs/4", &history, 0, &[unknown]);
    verify(&later, "runs/4", &history, 1, &[unknown]);
    verify(&since("2020-01-01"), "runs/4", &history, 1, &gone);

    // A check that asks for less than it did.
    let line = "    And the event log covers the last 24 hours\n";
    assert!(feature.contains(line));
    house.write("features/support.feature", &feature.replace(line, ""));
    run(lab, "runs/5");
    let step =
        "policy: step `the event log covers the last 24 hours` of check `features/support.feature:";
    verify(&retired("2026-11-01"), "runs/5", &history, 1, &[step]);
    let entry = "    - step: the event log covers *\n      reason: asked elsewhere\n      from: 2026-11-01\n";
    let policy = format!("{}{entry}", retired("2026-11-01"));
    verify(&policy, "runs/5", &history, 0, &["\nGO\n"]);
}

/// Were a HOLD no base, whatever people were asked for could be dropped, and all that came with it.
#[test]
fn what_vanished_since_a_hold_is_a_no_go_too() {
    let house = House::new(|_| ());
    let lab = &house.lab;
    fs::create_dir(house.at("runs")).unwrap();
    let question = "Feature: people\n  Scenario: the rollback\n    \
                    Then a person confirms \"the rollback was rehearsed\"\n";
    house.write("features/people.feature", question);
    let asked = lab.run(&[&lab.run_args("runs/1")[..], &["--history", "runs"]].concat());
    expect(&asked, 5, &["HOLD"]);
    let demand = format!("{LEAST}coverage:\n  last_go: required\n");
    let verify = |name: &str, code: i32, words: &[&str]| {
        let output = under(&house, &demand, &house.at(name), &["--history", "runs"]);
        expect(&output, code, words);
    };
    fs::remove_file(house.at("features/people.feature")).unwrap();
    run(lab, "runs/2");
    let gone = "policy: check `features/people.feature:2@production` (the rollback)";
    verify("runs/2", 1, &[gone, "\nNO-GO\n"]);
    // The benign twin asks again; nothing but the answer is missing then.
    house.write("features/people.feature", question);
    let asked = lab.run(&[&lab.run_args("runs/3")[..], &["--history", "runs"]].concat());
    expect(&asked, 5, &["HOLD"]);
    verify("runs/3", 5, &["\nHOLD\n"]);
}

/// Of the same plan nothing can have vanished, unless the record leaves it out.
#[test]
fn a_base_of_the_same_plan_holds_a_run_to_all_of_it() {
    let house = House::new(|_| ());
    let lab = &house.lab;
    fs::create_dir(house.at("runs")).unwrap();
    for name in ["runs/1", "runs/2"] {
        run(lab, name);
    }
    let report = |name: &str| -> serde_json::Value {
        let bytes = fs::read(house.at(name).join("report.json")).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    let plan = |name: &str| report(name)["run"]["scope"]["plan"].clone();
    assert!(plan("runs/1").is_string(), "{}", report("runs/1")["run"]);
    assert_eq!(plan("runs/1"), plan("runs/2"));
    let demand = format!("{LEAST}coverage:\n  last_go: required\n");
    let verify = |run: &std::path::Path, code: i32, words: &[&str]| {
        let more = ["--against", "runs/1"];
        expect(&under(&house, &demand, run, &more), code, words);
    };
    verify(&house.at("runs/2"), 0, &["\nGO\n"]);
    // By the right key, a check and all that it showed left out, the plan's digest kept.
    let forged = house.forged(&house.at("runs/2"), "forged", |dir| {
        edit(dir, |report| {
            let checks = report["checks"].as_array_mut().unwrap();
            checks.pop().unwrap();
            let left = checks.len();
            report["counts"]["planned"] = left.into();
            report["counts"]["passed"] = left.into();
        });
    });
    let refused = under(&house, &demand, &forged, &["--against", "runs/1"]);
    assert_eq!(refused.status.code(), Some(4), "{refused:?}");
    // A run is no base of itself.
    verify(&house.at("runs/1"), 4, &["is not earlier than the run"]);
}
