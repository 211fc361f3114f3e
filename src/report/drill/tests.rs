//! What a drill comes to, from entries alone: each thing that may be missing or fall short, beside its benign twin.

use super::schema::begin;
use super::sound::sound;
use super::*;
use crate::digest::Sha256;

const AT: &str = "2026-11-22T10:00:00Z";

fn kept(name: &str) -> Kept {
    Kept {
        name: format!("evidence/{name}"),
        sha256: Sha256::of(name.as_bytes()).to_string(),
        bytes: 1,
    }
}

pub(super) fn first() -> Step {
    let person = |key: &str, name: &str| Person {
        key: key.to_owned(),
        name: name.to_owned(),
        email: None,
    };
    let role = |role: &str, person: &str| Role {
        role: role.to_owned(),
        person: person.to_owned(),
    };
    Step::Begin(Begin {
        id: "20261122T100000Z-1a2b3c4d".to_owned(),
        environment: "production".to_owned(),
        vendor: "60east".to_owned(),
        kind: Kind::Planned,
        roles: vec![role(EXPERT, "ana"), role(OPERATOR, "ben")],
        inventory: Sha256::of(b"inventory").to_string(),
        agreed: Agreed {
            contacts: vec![person("ana", "Ana Silva"), person("ben", "Ben Okafor")],
            teams: vec!["operations".to_owned()],
            acknowledged_within: 3600,
            escalation: vec![Level {
                name: "line".to_owned(),
                to: "+1 702 555 0100".to_owned(),
                answers_within: Some(600),
            }],
            coverage: None,
        },
    })
}

fn call(answered: Option<&str>) -> Step {
    Step::Escalation(Escalation {
        level: "line".to_owned(),
        tried: "2026-11-22T11:00:00Z".to_owned(),
        answered: answered.map(str::to_owned),
        from: answered.map(|_| "Kim".to_owned()),
    })
}

fn answer(at: &str) -> Step {
    Step::Acknowledgement(Acknowledgement {
        at: at.to_owned(),
        case: "7".to_owned(),
        from: "Kim".to_owned(),
    })
}

/// Everything, as agreed.
pub(super) fn steps() -> Vec<Step> {
    vec![
        first(),
        Step::Retrieval(Retrieval {
            run: "r".to_owned(),
            manifest: Sha256::of(b"m").to_string(),
            started: AT.to_owned(),
            finished: AT.to_owned(),
            signer: "ci".to_owned(),
            files: vec![kept("a"), kept("b"), kept("c")],
        }),
        Step::Request(Request {
            at: AT.to_owned(),
            file: kept("request"),
        }),
        Step::Bundle(Bundle {
            at: AT.to_owned(),
            files: vec![kept("bundle")],
            said: vec![Said {
                run: "r".to_owned(),
                run_manifest: Sha256::of(b"m").to_string(),
                instance: "orders".to_owned(),
                reviewed_by: "Eve".to_owned(),
            }],
        }),
        Step::Delivery(Delivery {
            at: AT.to_owned(),
            sha256: vec![kept("bundle").sha256],
            receipts: vec![kept("receipt")],
            words: None,
        }),
        answer("2026-11-22T11:00:00Z"),
        call(Some("2026-11-22T11:10:00Z")),
        Step::Deviation(Deviation { what: None }),
    ]
}

fn finding(number: usize, about: Option<&str>) -> Step {
    Step::Finding(Finding {
        id: format!("1a2b3c4d-{number}"),
        what: "mend it".to_owned(),
        owner: "ben".to_owned(),
        due: "2026-12-01".to_owned(),
        about: about.map(str::to_owned),
    })
}

/// As a journal tells them, all at noon but the first.
pub(super) fn entries(steps: Vec<Step>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for step in steps {
        let last = entries.last().map(|last| last.write().unwrap());
        let at = match &step {
            Step::Begin(_) => AT,
            _ => "2026-11-22T12:00:00Z",
        };
        let told = entries.iter().any(|entry| {
            entry.step.word() == step.word()
                && !matches!(step, Step::Finding(_) | Step::Deviation(_))
        });
        entries.push(Entry {
            number: entries.len() as u64 + 1,
            at: at.to_owned(),
            by: "ben".to_owned(),
            previous: last.map(|bytes| Sha256::of(&bytes).to_string()),
            again: told.then(|| "it was wrong".to_owned()),
            step,
        });
    }
    entries
}

#[test]
fn each_thing_that_is_missing_makes_it_invalid() {
    let whole = entries(steps());
    assert_eq!(sound(&whole), Ok(()));
    assert_eq!(judge(&whole, None).outcome, Outcome::Passed);
    for left_out in 1..steps().len() {
        let mut steps = steps();
        let word = steps.remove(left_out).word();
        let entries = entries(steps);
        assert_eq!(sound(&entries), Ok(()), "{word}");
        let judged = judge(&entries, None);
        assert_eq!(judged.outcome, Outcome::Invalid, "{word}");
        assert_eq!(judged.missing.len(), 1, "{word}: {judged:?}");
        assert!(
            judged.missing[0].hint.contains("gonogo drill note DIR"),
            "{judged:?}"
        );
    }
    assert_eq!(judge(&[], None).outcome, Outcome::Invalid);
}

#[test]
fn what_fell_short_needs_a_finding_about_it() {
    for (short, about) in [
        (answer("2026-11-22T11:00:01Z"), "acknowledgement"),
        (call(Some("2026-11-22T11:10:01Z")), "escalation line"),
        (call(None), "escalation line"),
    ] {
        let with = |more: Vec<Step>| {
            let told = [steps(), vec![short.clone()], more].concat();
            let entries = entries(told);
            assert_eq!(sound(&entries), Ok(()));
            judge(&entries, None)
        };
        let judged = with(vec![]);
        assert_eq!(
            (judged.outcome, judged.short.len()),
            (Outcome::Failed, 1),
            "{judged:?}"
        );
        assert_eq!(judged.short[0].about, about);
        // One about nothing, or about another thing, answers for nothing.
        assert_eq!(with(vec![finding(1, None)]).outcome, Outcome::Failed);
        let other = match about {
            "acknowledgement" => "escalation line",
            _ => "acknowledgement",
        };
        assert_eq!(with(vec![finding(1, Some(other))]).outcome, Outcome::Failed);
        assert_eq!(
            with(vec![finding(1, Some(about))]).outcome,
            Outcome::WithFindings
        );
    }
    // Before the delivery it is no answer to it.
    let early = [steps(), vec![answer("2026-11-22T10:00:00Z")]].concat();
    assert_eq!(judge(&entries(early), None).outcome, Outcome::Passed);
    let mut steps = steps();
    if let Step::Delivery(step) = &mut steps[4] {
        "2026-11-22T11:00:01Z".clone_into(&mut step.at);
    }
    assert_eq!(judge(&entries(steps), None).outcome, Outcome::Invalid);
}

#[test]
fn the_last_drills_findings_are_told_or_it_is_invalid() {
    let Step::Finding(found) = finding(1, Some("escalation line")) else {
        panic!("a finding");
    };
    let last = Last {
        id: "x".to_owned(),
        manifest: Sha256::of(b"x").to_string(),
        findings: vec![found],
    };
    let told = |finding: &str, state| {
        Step::Last(Told {
            finding: finding.to_owned(),
            state,
            reason: "seen".to_owned(),
            due: None,
        })
    };
    let outcome = |more: Vec<Step>| judge(&entries([steps(), more].concat()), Some(&last)).outcome;
    assert_eq!(outcome(vec![]), Outcome::Invalid);
    assert_eq!(
        outcome(vec![told("1a2b3c4d-2", State::Closed)]),
        Outcome::Invalid
    );
    assert_eq!(
        outcome(vec![told("1a2b3c4d-1", State::Closed)]),
        Outcome::Passed
    );
    assert_eq!(
        outcome(vec![told("1a2b3c4d-1", State::Open)]),
        Outcome::WithFindings
    );
    // One of which nobody spoke stays a finding: an invalid drill makes none vanish for the next one.
    for more in [vec![], vec![told("1a2b3c4d-2", State::Closed)]] {
        let judged = judge(&entries([steps(), more].concat()), Some(&last));
        let left: Vec<&str> = judged.findings.iter().map(|one| &*one.id).collect();
        assert_eq!(left, ["1a2b3c4d-1"]);
    }
    // An old finding does not answer for what falls short today.
    let silent = vec![told("1a2b3c4d-1", State::Open), call(None)];
    assert_eq!(outcome(silent), Outcome::Failed);
}

#[test]
fn what_stays_open_behind_its_day_has_a_new_day() {
    let found = |due: &str| {
        let Step::Finding(mut found) = finding(1, None) else {
            panic!("a finding");
        };
        due.clone_into(&mut found.due);
        Last {
            id: "x".to_owned(),
            manifest: Sha256::of(b"x").to_string(),
            findings: vec![found],
        }
    };
    let open = |due: Option<&str>| {
        Step::Last(Told {
            finding: "1a2b3c4d-1".to_owned(),
            state: State::Open,
            reason: "the part has not come".to_owned(),
            due: due.map(str::to_owned),
        })
    };
    // It is told at noon of the 22nd, in UTC: where clocks are twelve hours behind, the 22nd begins.
    for (was, now, outcome, due) in [
        ("2026-11-22", None, Outcome::WithFindings, "2026-11-22"),
        ("2026-11-21", None, Outcome::Invalid, "2026-11-21"),
        (
            "2026-11-21",
            Some("2026-12-24"),
            Outcome::WithFindings,
            "2026-12-24",
        ),
        (
            "2026-12-01",
            Some("2026-12-24"),
            Outcome::WithFindings,
            "2026-12-24",
        ),
    ] {
        let told = entries([steps(), vec![open(now)]].concat());
        assert_eq!(sound(&told), Ok(()));
        let judged = judge(&told, Some(&found(was)));
        assert_eq!(judged.outcome, outcome, "{was} {now:?}: {judged:?}");
        assert_eq!(judged.findings[0].due, due);
    }
    // A new day that is over, or of what is closed, is none.
    let over = entries([steps(), vec![open(Some("2026-11-21"))]].concat());
    assert!(sound(&over).unwrap_err().contains("which is over"));
    let mut closed = open(Some("2026-12-24"));
    if let Step::Last(told) = &mut closed {
        told.state = State::Closed;
    }
    let closed = entries([steps(), vec![closed]].concat());
    assert!(sound(&closed).unwrap_err().contains("is due no more"));
}

#[test]
fn nothing_and_something_cannot_both_have_gone_another_way() {
    let deviation = |what: Option<&str>| {
        Step::Deviation(Deviation {
            what: what.map(str::to_owned),
        })
    };
    let told = |first: Option<&str>, then: &[(Option<&str>, bool)]| {
        let mut all: Vec<Step> = steps();
        all.pop();
        all.push(deviation(first));
        all.extend(then.iter().map(|(what, _)| deviation(*what)));
        let place = all.len() - then.len();
        let mut told = entries(all);
        for (index, (_, again)) in then.iter().enumerate() {
            told[place + index].again = again.then(|| "it was wrong".to_owned());
            if let [.., before, entry] = &mut told[..=place + index] {
                entry.previous = Some(Sha256::of(&before.write().unwrap()).to_string());
            }
        }
        sound(&told)
    };
    let (a, b) = (Some("the menu is new"), Some("the line was engaged"));
    assert_eq!(told(a, &[(b, false)]), Ok(()));
    for (first, then) in [(None, a), (a, None), (None, None)] {
        assert!(
            told(first, &[(then, false)])
                .unwrap_err()
                .contains("told already"),
            "{first:?} {then:?}"
        );
        assert_eq!(told(first, &[(then, true)]), Ok(()), "{first:?} {then:?}");
    }
    assert_eq!(told(None, &[(a, true), (b, false)]), Ok(()));
}

#[test]
fn forged_entries_are_refused() {
    let good = entries(steps());
    let refused = |edit: &dyn Fn(&mut Vec<Entry>), words: &str| {
        let mut entries = good.clone();
        edit(&mut entries);
        let why = sound(&entries).unwrap_err();
        assert!(why.contains(words), "{words}: {why}");
    };
    refused(
        &|all| all[7].at = "2026-11-22T11:59:59Z".to_owned(),
        "times go backwards",
    );
    refused(
        &|all| all[7].at = "2026-11-22T12:00:00+00:00".to_owned(),
        "is no time in UTC",
    );
    refused(
        &|all| all[3].by = "carl".to_owned(),
        "was changed or taken out",
    );
    refused(&|all| drop(all.remove(3)), "another number");
    refused(&|all| drop(all.remove(0)), "does not begin it");
    refused(&|all| all.clear(), "does not begin it");
    let other = |id: &'static str| {
        move |all: &mut Vec<Entry>| {
            if let Step::Begin(begin) = &mut all[0].step {
                id.clone_into(&mut begin.id);
            }
        }
    };
    refused(&other("20261121T100000Z-1a2b3c4d"), "tells another time");
    refused(&other("20261122T100000Z-"), "tells another time");
    refused(&|all| all[7].number = 9, "another number");
    refused(&|all| all[7].by = " ".to_owned(), "is empty");
    refused(&|all| all[7].step = first(), "a drill begins once");
    refused(
        &|all| all[7].step = finding(2, None),
        "another id than its place",
    );
    refused(
        &|all| all[7].step = finding(1, Some("weather")),
        "can fall short",
    );
    refused(
        &|all| all[7].step = answer("2026-11-22T11:00:00Z"),
        "it was told already",
    );
    refused(
        &|all| all[7].again = Some("why".to_owned()),
        "was not told before",
    );
    for (at, words) in [
        ("2026-11-22T09:59:59Z", "before the drill began"),
        ("2026-11-22T12:00:01Z", "which is in the future"),
        ("yesterday", "is no time"),
    ] {
        let edit = |all: &mut Vec<Entry>| {
            all[7].step = answer(at);
            all[7].again = Some("why".to_owned());
        };
        refused(&edit, words);
    }
}

fn record(entries: Vec<Entry>, last: Option<Last>) -> Record {
    let judged = judge(&entries, last.as_ref());
    Record {
        schema: SCHEMA.to_owned(),
        id: "20261122T100000Z-1a2b3c4d".to_owned(),
        number: 1,
        previous: None,
        sealed: "2026-11-22T12:00:00Z".to_owned(),
        tool: "gonogo 0".to_owned(),
        outcome: judged.outcome,
        missing: judged.missing,
        short: judged.short,
        findings: judged.findings,
        last,
        entries,
    }
}

/// One as agreed, and one in which everything stands that can stand.
pub(super) fn records() -> [Record; 2] {
    let Step::Finding(found) = finding(1, Some("escalation line")) else {
        panic!("a finding");
    };
    let last = Last {
        id: "x".to_owned(),
        manifest: Sha256::of(b"x").to_string(),
        findings: vec![found],
    };
    let mut all = steps();
    if let Step::Begin(begin) = &mut all[0] {
        begin.agreed.contacts[0].email = Some("ana@ops.example".to_owned());
        begin.agreed.coverage = Some(Coverage {
            severity: Some("S1".to_owned()),
            answers: false,
            tzdb: "2026a".to_owned(),
        });
        begin.kind = Kind::OutOfHours;
    }
    let more = vec![
        call(None),
        finding(1, Some("escalation line")),
        Step::Last(Told {
            finding: "1a2b3c4d-1".to_owned(),
            state: State::Open,
            reason: "not yet".to_owned(),
            due: Some("2026-12-24".to_owned()),
        }),
        Step::Deviation(Deviation {
            what: Some("the menu is new".to_owned()),
        }),
    ];
    let mut whole = record(entries([all, more].concat()), Some(last));
    whole.number = 2;
    whole.previous = Some(Sha256::of(b"before").to_string());
    whole.missing.push(Missing {
        what: "x".to_owned(),
        hint: "y".to_owned(),
    });
    [record(entries(steps()), None), whole]
}

#[test]
fn the_record_has_one_spelling_and_one_story() {
    let record = record(entries(steps()), None);
    let bytes = record.write().unwrap();
    assert_eq!(Record::read(&bytes), Ok(record.clone()));
    assert_eq!(chain::holds(&record, None), Ok(()));
    let text = String::from_utf8(bytes).unwrap();
    for (from, to) in [
        ("\"PASSED\"", "\"GO\""),
        ("gonogo/drill/v1", "gonogo/drill/v2"),
        ("  \"id\"", "  \"more\": 1,\n  \"id\""),
        ("  \"id\"", "  \"number\": 2,\n  \"id\""),
        ("}\n", "}\n\n"),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(
            Record::read(text.replacen(from, to, 1).as_bytes()).is_err(),
            "{from} → {to}"
        );
    }
    let other = |edit: &dyn Fn(&mut Record)| {
        let mut record = record.clone();
        edit(&mut record);
        chain::holds(&record, None).unwrap_err()
    };
    assert!(other(&|one| one.outcome = Outcome::WithFindings).contains("comes to PASSED"));
    assert!(other(&|one| drop(one.entries.pop())).contains("comes to INVALID"));
    assert!(other(&|one| one.sealed = AT.to_owned()).contains("before its last entry"));
    assert!(other(&|one| one.number = 2).contains("is not its place"));
    assert!(other(&|one| one.id = "x".to_owned()).contains("another id"));
    assert!(begin(&record.entries).is_some());
    // Words of people steer nothing.
    let mut hostile = record;
    hostile.entries[7].step = Step::Deviation(Deviation {
        what: Some("<script>alert(1)</script> | x".to_owned()),
    });
    assert!(!html(&hostile).contains("<script") && html(&hostile).contains("&lt;script"));
    assert!(
        !markdown(&hostile).contains("<script"),
        "{}",
        markdown(&hostile)
    );
}

#[test]
fn a_bundle_of_another_run_or_from_before_it_is_none() {
    let with = |edit: &dyn Fn(&mut Bundle)| {
        let mut steps = steps();
        for step in &mut steps {
            match step {
                Step::Retrieval(step) => "2026-11-22T10:30:00Z".clone_into(&mut step.finished),
                Step::Bundle(step) => {
                    "2026-11-22T10:30:00Z".clone_into(&mut step.at);
                    edit(step);
                }
                Step::Delivery(step) => "2026-11-22T10:30:00Z".clone_into(&mut step.at),
                _ => {}
            }
        }
        let told = entries(steps);
        assert_eq!(sound(&told), Ok(()));
        judge(&told, None)
    };
    assert_eq!(with(&|_| ()).outcome, Outcome::Passed);
    // What is encrypted says nothing.
    assert_eq!(with(&|one| one.said.clear()).outcome, Outcome::Passed);
    let other = with(&|one| one.said[0].run_manifest = Sha256::of(b"n").to_string());
    assert_eq!(other.outcome, Outcome::Invalid);
    assert!(other.missing[0].what.contains("was built from run r"));
    for own in ["ben", "Okafor, Ben", "ben@ops.example"] {
        let own = with(&|one| own.clone_into(&mut one.said[0].reviewed_by));
        assert_eq!(own.outcome, Outcome::Invalid);
        assert!(own.missing[0].what.contains("a second person"));
    }
    let early = with(&|one| "2026-11-22T10:29:59Z".clone_into(&mut one.at));
    assert_eq!(early.outcome, Outcome::Invalid);
    assert!(
        early.missing[0]
            .what
            .contains("was ready before every team had fetched")
    );
}

#[test]
fn a_delivery_that_only_a_person_tells_falls_short() {
    let told = |more: Vec<Step>| {
        let mut steps = steps();
        for step in &mut steps {
            if let Step::Delivery(step) = step {
                step.receipts = Vec::new();
                step.words = Some("by carrier pigeon".to_owned());
            }
        }
        entries([steps, more].concat())
    };
    let short = told(Vec::new());
    assert_eq!(sound(&short), Ok(()));
    assert_eq!(judge(&short, None).outcome, Outcome::Failed);
    assert_eq!(judge(&short, None).short[0].about, "delivery");
    let mended = told(vec![finding(1, Some("delivery"))]);
    assert_eq!(sound(&mended), Ok(()));
    assert_eq!(judge(&mended, None).outcome, Outcome::WithFindings);
}
