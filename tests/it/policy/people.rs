//! Who may answer, and which older gonogo is taken: in the policy, and beside flags.

use super::*;
use crate::lab::Run;
use crate::people::{Asked, expect};

const PAGER: &str = "features/people.feature:2@orders/operations";
const ROLLBACK: &str = "features/people.feature:7@production";

#[test]
fn who_answers_stands_in_the_policy() {
    let asked = Asked::new(|_| ());
    let (house, run) = (&asked.house, &asked.run);
    let verify = |policy: &str, more: &[&str], code: i32, words: &[&str]| {
        let policy = format!("{LEAST}{policy}\n");
        expect(&under(house, &policy, &run.dir, more), code, words);
    };
    let answerers = "answerers: answerers";
    verify(answerers, &[], 5, &["\nHOLD\n"]);
    // Answers state whole seconds: in a later one than the run's end they are late for 1ms.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    for (id, who) in [(PAGER, "ann"), (ROLLBACK, "bob")] {
        expect(&asked.attest(id, "passed", who), 0, &[]);
    }
    verify("", &[], 5, &["nobody said who may answer", "\nHOLD\n"]);
    verify(answerers, &[], 0, &["passed by ann", "\nGO\n"]);
    let within = |time: &str| format!("{answerers}\nanswered_within: {time}");
    verify(&within("24h"), &[], 0, &["\nGO\n"]);
    let late = ["after the run ended; 1ms is allowed", "\nHOLD\n"];
    verify(&within("1ms"), &[], 5, &late);
    // The stricter of policy and flag, whichever it is.
    let flag = |time| ["--answerers", "answerers", "--answered-within", time];
    verify(&within("1ms"), &flag("24h"), 5, &late);
    verify(&within("24h"), &flag("1ms"), 5, &late);
    verify(answerers, &flag("1ms"), 5, &late);
    verify(&within("24h"), &flag("24h"), 0, &["\nGO\n"]);
    // Another file of people excludes it; the same one, by another name, does not.
    let same = std::fs::read_to_string(house.at("answerers")).unwrap();
    house.write("same", &same);
    house.write("more", &format!("{same}# and\n"));
    verify(answerers, &["--answerers", "same"], 0, &["\nGO\n"]);
    verify(
        answerers,
        &["--answerers", "more"],
        2,
        &[
            "policy.yaml:3:12",
            "`answerers` and --answerers demand two things",
        ],
    );
    verify(
        "answerers: none.txt",
        &[],
        2,
        &["policy.yaml:3:12", "cannot read"],
    );
    // One no is a NO-GO under a policy, too.
    expect(&asked.attest(PAGER, "failed", "ann"), 0, &[]);
    verify(answerers, &[], 1, &["failed by ann", "\nNO-GO\n"]);
    house.write("policy.yaml", &format!("{LEAST}{}\n", within("24h")));
    expect(
        &house.lab.run(&["policy", "policy.yaml"]),
        0,
        &["was answered by people of `answerers`, at most 1d after its end"],
    );
}

#[test]
fn an_older_gonogo_is_taken_where_the_policy_names_it() {
    let house = House::new(|_| ());
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let signers = golden.join("go-0.3.allowed_signers");
    std::fs::copy(signers, house.at("allowed_signers")).unwrap();
    let dir = golden.join("go-0.3");
    let with = |policy: &str, more: &[&str]| {
        let policy = format!("environment: practice\nmax_age: 10000d\n{policy}\n");
        under(&house, &policy, &dir, more)
    };
    let older = ["made by gonogo `0.3.0`", "`accept_versions` of a policy"];
    expect(&with("", &[]), 4, &older);
    expect(&with("accept_versions: [0.2.0]", &[]), 4, &older);
    let both = "accept_versions: [0.2.0, 0.3.0]";
    for more in [&[][..], &["--accept-version", "0.3.0"]] {
        let output = with(both, more);
        // What this version refuses of its plan stays refused.
        match output.status.code() {
            Some(0) => expect(&output, 0, &["compared in part", "\nGO\n"]),
            _ => expect(&output, 4, &["own inputs"]),
        }
    }
    // A flag takes less than the policy, never more.
    expect(&with(both, &["--accept-version", "0.2.0"]), 4, &older);
    let flag = ["--accept-version", "0.3.0"];
    expect(
        &with("accept_versions: [0.2.0]", &flag),
        2,
        &["policy.yaml:3:18", "exclude each other"],
    );
    expect(
        &with("", &flag),
        2,
        &["--accept-version without `accept_versions`"],
    );
    expect(
        &with("tool: {oldest: 0.4.0}\naccept_versions: [0.3.0]", &[]),
        2,
        &["policy.yaml:4:19"],
    );
    expect(
        &house.verify(&dir, &flag),
        2,
        &["--accept-version needs --max-age, or a policy"],
    );
}

/// An estate of vendors alone lacks nothing of what it lists: a gate that expects artifacts says so.
#[test]
fn an_estate_without_instances_is_refused_where_kinds_are_required() {
    let house = House::new(|_| ());
    let mut inventory = house.lab.inventory();
    inventory["instances"] = serde_json::json!({});
    inventory["vendors"] = serde_json::json!({"60east": {}});
    house.lab.write_inputs(&inventory);
    std::fs::remove_file(house.at("features/support.feature")).unwrap();
    house.write(
        "features/vendor.feature",
        "Feature: v\n  Scenario: the desk of <vendor>\n    Given each vendor\n    \
         Then a person confirms \"it answers\"\n",
    );
    let out = house.lab.next_out();
    let run = Run::of(house.lab.run(&house.lab.run_args(&out)), house.at(&out));
    let nothing = "the inventory has no instance: nothing was to be retrieved";
    assert_eq!(run.code(), 5, "{}", run.told());
    assert!(run.told().contains(nothing), "{}", run.told());
    let verify = |policy: &str, code: i32, words: &[&str]| {
        let policy = format!("{LEAST}{policy}");
        expect(&under(&house, &policy, &run.dir, &[]), code, words);
    };
    verify("", 5, &[nothing, "\nHOLD\n"]);
    let kinds = "required: {kinds: [log]}\n";
    let refused = "policy: the inventory has no instance, and artifacts of kind `log` are required";
    verify(kinds, 1, &[refused, nothing, "\nNO-GO\n"]);
}
