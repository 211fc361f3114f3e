//! What a run carries over is what the run that it names has found, where the chain is at hand; and what a policy
//! says of checks that were tried again.

use std::fs;
use std::path::{Path, PathBuf};

use gonogo::digest::Sha256;
use serde_json::json;

use super::{LEAST, under};
use crate::people::{House, edit, expect};

/// A NO-GO and the run that restates it, in `runs/`.
fn restated() -> (House, PathBuf, PathBuf) {
    let house = House::new(|orders| orders.lock("config/config.xml"));
    fs::create_dir(house.at("runs")).unwrap();
    let run = |out: &str, more: &[&str]| {
        let args = [&house.lab.run_args(out)[..], &["--history", "runs"], more].concat();
        house.lab.run(&args)
    };
    expect(&run("runs/1", &[]), 1, &["denied"]);
    house
        .lab
        .instance("orders")
        .mode("config/config.xml", 0o644);
    expect(&run("runs/2", &["--rerun-failed", "runs/1"]), 0, &["GO"]);
    let (one, two) = (house.at("runs/1"), house.at("runs/2"));
    (house, one, two)
}

/// The second run put together again after `change`, in its place, its true self kept in `away`.
fn forge(house: &House, run: &Path, change: impl FnOnce(&Path)) {
    let away = house.at("away");
    fs::rename(run, &away).unwrap();
    let forged = house.forged(&away, "forged", change);
    fs::rename(forged, run).unwrap();
}

fn mend(house: &House, run: &Path) {
    fs::remove_dir_all(run).unwrap();
    fs::rename(house.at("away"), run).unwrap();
}

#[test]
fn what_is_carried_over_is_held_to_the_chain() {
    let (house, one, two) = restated();
    let history = ["--history", "runs"];
    expect(
        &house.verify(&two, &history),
        0,
        &["\nGO\n", "carried      3"],
    );
    // The benign twin: put together again as it is.
    forge(&house, &two, |dir| edit(dir, |_| ()));
    expect(&house.verify(&two, &history), 0, &["\nGO\n"]);
    mend(&house, &two);
    // A run that nobody has.
    forge(&house, &two, |dir| {
        edit(dir, |report| {
            report["run"]["restates"]["manifest"] = json!(Sha256::of(b"nowhere").to_string());
        });
    });
    expect(&house.verify(&two, &[]), 0, &["\nGO\n"]);
    let words = ["which is not among the runs before it"];
    expect(&house.verify(&two, &history), 4, &words);
    mend(&house, &two);
    // Evidence that the run before did not find.
    forge(&house, &two, |dir| {
        edit(dir, |report| {
            let evidence = &mut report["checks"][2]["evidence"][0];
            evidence["sha256"] = json!(Sha256::of(b"other").to_string());
        });
    });
    expect(
        &house.verify(&two, &history),
        4,
        &["is carried over otherwise than in run"],
    );
    mend(&house, &two);
    // Another transcript.
    forge(&house, &two, |dir| {
        let report = fs::read_to_string(dir.join("report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let name = report["checks"][2]["transcript"].as_str().unwrap();
        fs::write(dir.join(name), "all is well\n").unwrap();
    });
    expect(
        &house.verify(&two, &history),
        4,
        &["is carried over otherwise than in run"],
    );
    mend(&house, &two);
    // The attempt that failed, not told.
    forge(&house, &two, |dir| {
        edit(dir, |report| {
            let check = report["checks"][1].as_object_mut().unwrap();
            check.remove("earlier");
            check.insert("attempts".to_owned(), json!(1));
        });
    });
    expect(
        &house.verify(&two, &history),
        4,
        &["tells other attempts than in run"],
    );
    mend(&house, &two);
    expect(&house.verify(&two, &history), 0, &["\nGO\n"]);
    let _ = one;
}

#[test]
fn a_policy_says_how_often_checks_are_tried() {
    let (house, _, two) = restated();
    let verify = |retries: &str, code: i32, word: &str| {
        let policy = format!("{LEAST}history: required\nretries: {retries}\n");
        let output = under(&house, &policy, &two, &["--history", "runs"]);
        expect(&output, code, &[word]);
    };
    verify("{most_checks: 1, most_attempts: 2}", 0, "\nGO\n");
    verify(
        "none",
        1,
        "policy: 1 check tried more than once, at most 0 accepted",
    );
    verify(
        "{most_checks: 0}",
        1,
        "policy: 1 check tried more than once",
    );
    verify("{most_attempts: 1}", 1, "policy: 2 attempts of");
    verify(
        "{most_checks: 3, restating: none}",
        1,
        "policy: the run restates run",
    );
    let policy = format!("{LEAST}history: required\n");
    expect(
        &under(&house, &policy, &two, &[]),
        2,
        &["policy.yaml:3:10", "no --history DIR is given"],
    );
    let one = house.at("runs/1");
    let more = ["--history", "runs"];
    expect(&under(&house, &policy, &one, &more), 4, &["superseded"]);
}

/// What is to go live changed between the two.
#[test]
fn nothing_is_restated_for_another_commit() {
    let house = House::new(|orders| orders.lock("config/config.xml"));
    let commit = "ab".repeat(20);
    let run = |out: &str, more: &[&str]| {
        let args = [&house.lab.run_args(out)[..], more].concat();
        house.lab.run(&args)
    };
    expect(&run("one", &["--commit", &commit]), 1, &["denied"]);
    house
        .lab
        .instance("orders")
        .mode("config/config.xml", 0o644);
    let again = ["--rerun-failed", "one", "--commit"];
    let other = "cd".repeat(20);
    let wrong = [&again[..], &[&other]].concat();
    expect(
        &run("two", &wrong),
        2,
        &["made for another commit or release"],
    );
    expect(
        &run("two", &again[..2]),
        2,
        &["made for another commit or release"],
    );
    let right = [&again[..], &[&commit]].concat();
    expect(&run("two", &right), 0, &["GO"]);
}

/// Were an older one restated, what was found meanwhile would be passed over, and one could try until each check
/// has passed once.
#[test]
fn only_the_newest_run_is_restated() {
    let house = House::new(|orders| orders.lock("config/config.xml"));
    fs::create_dir(house.at("runs")).unwrap();
    let run = |out: &str, more: &[&str]| {
        let args = [&house.lab.run_args(out)[..], &["--history", "runs"], more].concat();
        house.lab.run(&args)
    };
    expect(&run("runs/1", &[]), 1, &["denied"]);
    expect(&run("runs/2", &[]), 1, &["denied"]);
    let orders = house.lab.instance("orders");
    orders.mode("config/config.xml", 0o644);
    let older = run("runs/3", &["--rerun-failed", "runs/1"]);
    expect(&older, 2, &["is not the newest: `2` came after it"]);
    expect(&run("runs/3", &["--rerun-failed", "runs/2"]), 0, &["GO"]);
    let (three, history) = (house.at("runs/3"), ["--history", "runs"]);
    expect(&house.verify(&three, &history), 0, &["\nGO\n"]);
    let sums = fs::read(house.at("runs/1/SHA256SUMS")).unwrap();
    forge(&house, &three, |dir| {
        edit(dir, |report| {
            report["run"]["restates"]["manifest"] = json!(Sha256::of(&sums).to_string());
        });
    });
    expect(&house.verify(&three, &history), 4, &["came between"]);
}
