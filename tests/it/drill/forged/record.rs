//! The right key over a record that cannot be, or that tells of no whole drill.

use std::fs;
use std::path::Path;

use gonogo::report::drill::{Outcome, Record, Step};

use super::{Forge, place, relink};

#[test]
fn a_record_that_cannot_be_is_refused_whoever_signed_it() {
    let forge = Forge::new();
    let entry = |word: &'static str, edit: &'static dyn Fn(&mut Step)| {
        move |record: &mut Record, _: &Path| {
            let at = place(record, word);
            edit(&mut record.entries[at].step);
            relink(record);
        }
    };
    macro_rules! step {
        ($variant:ident, $step:ident => $edit:expr) => {
            &|step: &mut Step| {
                if let Step::$variant($step) = step {
                    $edit;
                }
            }
        };
    }
    // The twin: linked and sealed anew, as it was, it counts.
    let folder = forge.copy(false);
    let drill = format!("{folder}/1");
    forge.rewrite(&drill, &|record, _| relink(record));
    forge.seal(&drill, "signer");
    forge.counts(&folder, &drill);

    // Times.
    forge.forged(
        "times that run backwards",
        &|record, _| {
            let first = record.entries[0].at.clone();
            let last = record.entries.len() - 1;
            record.entries[last].at = first.replacen(&first[..4], "2020", 1);
            relink(record);
        },
        &["times go backwards"],
    );
    forge.forged(
        "sealed before it was told",
        &|record, _| "2020-01-01T00:00:00Z".clone_into(&mut record.sealed),
        &["it was sealed before its last entry was told"],
    );
    forge.forged(
        "sealed in the future",
        &|record, _| "2099-01-01T00:00:00Z".clone_into(&mut record.sealed),
        &["sealed in the future"],
    );
    forge.forged(
        "answered in the future",
        &entry(
            "acknowledgement",
            step!(Acknowledgement, step => "2099-01-01T00:00:00Z".clone_into(&mut step.at)),
        ),
        &["which is in the future"],
    );
    forge.forged(
        "a run from before the drill",
        &entry(
            "retrieval",
            step!(Retrieval, step => "2020-01-01T00:00:00Z".clone_into(&mut step.started)),
        ),
        &["before the drill began"],
    );

    // People.
    forge.forged(
        "an operator who is the expert",
        &entry(
            "begin",
            step!(Begin, step => "Ana Silva".clone_into(&mut step.roles[1].person)),
        ),
        &["the usual expert must not be the operator"],
    );
    forge.forged(
        "no operator",
        &entry("begin", step!(Begin, step => drop(step.roles.pop()))),
        &["nobody plays `operator`"],
    );
    forge.forged(
        "acknowledged by one of ours",
        &entry(
            "acknowledgement",
            step!(Acknowledgement, step => "Ana Silva".clone_into(&mut step.from)),
        ),
        &["is one of ours"],
    );
    forge.forged(
        "a call answered by one of ours",
        &entry(
            "escalation",
            step!(Escalation, step => step.from = Some("ben".to_owned())),
        ),
        &["is one of ours"],
    );
    forge.forged(
        "a call answered by a team of ours",
        &entry(
            "escalation",
            step!(Escalation, step => step.from = Some("Operations".to_owned())),
        ),
        &["is one of ours"],
    );
    forge.forged(
        "a call answered by who signs drills off",
        &entry(
            "escalation",
            step!(Escalation, step => step.from = Some("Bob".to_owned())),
        ),
        &["`Bob` is one of ours, who may sign drills off"],
    );

    // Stations.
    for word in [
        "retrieval",
        "request",
        "bundle",
        "delivery",
        "acknowledgement",
        "escalation",
        "deviation",
    ] {
        let without = |record: &mut Record| {
            let at = place(record, word);
            record.entries.remove(at);
        };
        let dropped = |record: &mut Record, dir: &Path| {
            let at = place(record, word);
            for kept in record.entries[at].step.files() {
                fs::remove_file(dir.join(&kept.name)).unwrap();
            }
        };
        forge.forged(
            &format!("PASSED without {word}"),
            &|record, dir| {
                dropped(record, dir);
                without(record);
                relink(record);
                record.outcome = Outcome::Passed;
                record.missing.clear();
            },
            &["it says PASSED, and what was told comes to INVALID"],
        );
        forge.forged(
            &format!("INVALID without {word}"),
            &|record, dir| {
                dropped(record, dir);
                without(record);
                relink(record);
            },
            &["INVALID"],
        );
    }
    forge.forged(
        "nobody answered",
        &|record, _| {
            let at = place(record, "escalation");
            if let Step::Escalation(step) = &mut record.entries[at].step {
                step.answered = None;
            }
            relink(record);
        },
        &["an answer has a time and a person"],
    );
    forge.forged(
        "a level that nobody has to try",
        &entry(
            "begin",
            step!(Begin, step => drop(step.agreed.escalation.remove(0))),
        ),
        &["no escalation level `mailbox`"],
    );
    forge.forged(
        "a level that was never agreed",
        &|record, _| {
            if let Step::Begin(begin) = &mut record.entries[0].step {
                begin.agreed.escalation.remove(0);
            }
            let at = place(record, "escalation");
            record.entries.remove(at);
            relink(record);
        },
        &["what it says of the vendor is not what its inventory says"],
    );
    forge.forged(
        "more time than is agreed",
        &entry(
            "begin",
            step!(Begin, step => step.agreed.acknowledged_within = 1 << 40),
        ),
        &["what it says of the vendor is not what its inventory says"],
    );
    forge.forged(
        "nobody of ours",
        &entry("begin", step!(Begin, step => step.agreed.teams.clear())),
        &["what it says of the vendor is not what its inventory says"],
    );
    forge.forged(
        "another maker",
        &|record, _| "gonogo 9.9.9".clone_into(&mut record.tool),
        &["made by `gonogo 9.9.9`"],
    );
    let folder = forge.copy(false);
    let drill = format!("{folder}/1");
    fs::write(forge.office.at(&drill).join("drill.md"), "all is well\n").unwrap();
    forge.seal(&drill, "signer");
    forge.refused(
        "a page",
        &folder,
        &drill,
        &["drill.md says something else than drill.json"],
    );
}
