//! Questions that nobody may answer: what failed beside them, and the runner's own word.

use super::asked::{Asked, FEATURE, PAGER, ROLLBACK};
use super::*;

#[test]
fn a_failure_beats_what_is_pending_and_the_runner_cannot_answer() {
    let asked = Asked::new(|_| ());
    let (house, run) = (&asked.house, &asked.run);
    let same = house.forged(&run.dir, "same", |dir| edit(dir, |_| ()));
    expect(&house.verify(&same, &[]), 5, &["\nHOLD\n"]);
    let index = |report: &Value, id: &str| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().position(|check| check["id"] == id).unwrap()
    };
    let settle = |report: &mut Value, id: &str| {
        let at = index(report, id);
        let check = &mut report["checks"][at];
        check["outcome"] = "passed".into();
        for step in check["steps"].as_array_mut().unwrap() {
            step["outcome"] = "passed".into();
        }
    };
    let go = |report: &mut Value| {
        report["counts"]["passed"] = 6.into();
        report["counts"]["pending"] = 0.into();
        report["verdict"] = json!({"decision": "GO", "reasons": []});
    };
    // Both questions told as passed: by the facts no GO; without the mark that they ask, not the plan's.
    let told = house.forged(&run.dir, "told", |dir| {
        edit(dir, |report| {
            settle(report, PAGER);
            settle(report, ROLLBACK);
            go(report);
        });
    });
    expect(
        &house.verify(&told, &[]),
        4,
        &["the recorded facts give NO-GO", "nobody did"],
    );
    let bare = house.forged(&run.dir, "bare", |dir| {
        edit(dir, |report| {
            for id in [PAGER, ROLLBACK] {
                settle(report, id);
                let at = index(report, id);
                for step in report["checks"][at]["steps"].as_array_mut().unwrap() {
                    step.as_object_mut().unwrap().remove("asks");
                }
            }
            go(report);
        });
    });
    expect(
        &house.verify(&bare, &[]),
        4,
        &["is not told as it was planned"],
    );
    // As an older version, which asked nobody.
    let old = house.forged(&run.dir, "old", |dir| {
        edit(dir, |report| {
            report["run"]["tool"]["version"] = "0.3.0".into();
            report["run"].as_object_mut().unwrap().remove("number");
        });
    });
    expect(&house.verify(&old, &[]), 4, &["did not know"]);
    // Another role for the question; a retrieval that was never made put behind a person's word.
    let role = house.forged(&run.dir, "role", |dir| {
        edit(dir, |report| {
            let at = index(report, ROLLBACK);
            report["checks"][at]["steps"][0]["asks"]
                .as_object_mut()
                .unwrap()
                .remove("role");
        });
    });
    expect(
        &house.verify(&role, &[]),
        4,
        &["is not told as it was planned"],
    );
    let unseen = house.forged(&run.dir, "unseen", |dir| {
        edit(dir, |report| {
            let at = index(report, PAGER);
            report["checks"][at]["evidence"] = json!([]);
        });
    });
    expect(
        &house.verify(&unseen, &[]),
        4,
        &["the recorded facts give NO-GO"],
    );

    // What failed beside the question stays failed, whatever people say.
    house.write(
        "features/people.feature",
        &FEATURE.replace("And the version can", "And the event log has an entry with"),
    );
    let refused = house.lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    expect(&refused, 2, &["undefined step"]);
    let more = "    And the event log has at least 100000000 entries\n  Scenario: the rollback";
    let failing = FEATURE.replace("  Scenario: the rollback", more);
    house.write("features/people.feature", &failing);
    let run = house.lab.judge_as_written();
    assert_eq!(run.code(), 1, "{}", run.told());
    let pager = run.check("orders", OPERATIONS.team, "the pager");
    assert_eq!(pager["outcome"], "failed");
    assert_eq!(pager["steps"][2]["outcome"], "pending");
    let failed = Asked { run, ..asked };
    expect(
        &failed.attest(PAGER, "passed", "ann"),
        2,
        &["waits for nobody: it is told as failed"],
    );

    // Questions that are refused before anything is contacted.
    for (step, why) in [
        ("a person confirms \"\"", "some text"),
        ("the \"a*\" confirms \"x\"", "is no role"),
        (
            "a person confirms \"x\"\n    And a person confirms \"y\"",
            "a second question",
        ),
    ] {
        let text = format!("Feature: f\n  Scenario: s\n    Then {step}\n");
        failed.house.write("features/people.feature", &text);
        let plan = failed
            .house
            .lab
            .run(&["plan", "-i", "inventory.yaml", "features"]);
        expect(&plan, 2, &[why, "people.feature:"]);
    }
}
