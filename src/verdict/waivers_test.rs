//! What is said of waivers that hold.

use super::sample::{good, grant, waive, waiver};
use super::*;
use crate::failure::FailureKind;

/// Each stops the GO that it is made of.
const WRONG: &[fn(&mut Facts)] = &[
    // One word in two places: told otherwise in the list of the run's waivers.
    |f| waiver(f).id = "W-9".into(),
    |f| waiver(f).from = None,
    |f| waiver(f).from = Some("2026-11-20T00:00:01Z".parse().unwrap()),
    |f| waiver(f).expires = Some("2026-12-01T00:00:01Z".parse().unwrap()),
    |f| {
        waiver(f).from = Some("2026-11-21T09:30:01Z".parse().unwrap());
        f.waivers[0].from = f.checks[0].waiver.as_ref().unwrap().from;
    },
    |f| {
        waive(f, 0);
        f.waivers.clear();
    },
    |f| {
        waive(f, 0);
        f.waivers[0].covered.push(f.checks[1].id.clone());
    },
    |f| {
        waive(f, 0);
        f.checks[0].failure = Some(FailureKind::HostKey);
    },
    |f| {
        waive(f, 0);
        f.checks[0].failure = Some(FailureKind::Timeout);
    },
    |f| {
        waive(f, 0);
        f.checks[0].failure = Some(FailureKind::Unreachable);
    },
    |f| {
        waive(f, 0);
        f.checks[0].failure = Some(FailureKind::Undefined);
    },
    // The wrong machine is a mismatch like any other, but for where it was met.
    |f| {
        waive(f, 0);
        f.checks[0].failure = Some(FailureKind::Mismatch);
        f.checks[0].at_login = true;
    },
    |f| {
        waive(f, 0);
        f.checks[0].attempts = 0;
    },
    // Nothing passed.
    |f| (0..3).for_each(|index| waive(f, index)),
];

#[test]
fn a_waiver_that_does_not_hold_is_no_go() {
    for (index, change) in WRONG.iter().enumerate() {
        let mut facts = good();
        change(&mut facts);
        let verdict = decide(&facts);
        assert_eq!(verdict.decision, Decision::NoGo, "case {index}");
        assert!(
            verdict.reasons[0].contains("waiver"),
            "case {index}: {verdict:?}"
        );
    }
}

fn reasons(change: impl FnOnce(&mut Facts)) -> Vec<String> {
    let mut facts = good();
    change(&mut facts);
    let verdict = decide(&facts);
    assert_eq!(verdict.decision, Decision::Go);
    verdict.reasons
}

#[test]
fn a_valid_waiver_stays_go_and_says_so() {
    let waived = "1 of 3 checks waived: features/amps.feature:3@orders/operations";
    assert_eq!(reasons(|f| waive(f, 0)), [waived]);
    // A login that was refused is a fact about one account; the machine was proven by its key.
    let refused = reasons(|f| {
        waive(f, 0);
        f.checks[0].failure = Some(FailureKind::Auth);
        f.checks[0].at_login = true;
    });
    assert_eq!(refused, [waived]);
}

#[test]
fn tells_of_an_end_near_the_run_or_near_go_live() {
    let at = |time: &str| Some(time.parse().unwrap());
    // It ends at 2026-12-01T00:00:00Z, the run at 2026-11-21T09:31:00Z.
    for (go_live, expected) in [
        (None, None),
        (at("2026-11-23T00:00:00Z"), None),
        (
            at("2026-11-30T00:00:00Z"),
            Some("waiver W-7 ends 1d after go-live"),
        ),
        (
            at("2026-12-02T12:00:00Z"),
            Some("waiver W-7 ends 1d 12h before go-live"),
        ),
    ] {
        let told = reasons(|f| {
            waive(f, 0);
            f.go_live = go_live;
            // Nothing rests on this one.
            f.waivers.push(grant("W-8"));
            f.waivers[1].covered.clear();
        });
        let ends: Vec<_> = told
            .iter()
            .filter(|reason| reason.contains(" ends "))
            .collect();
        assert_eq!(ends, expected.iter().collect::<Vec<_>>(), "{told:?}");
    }
    let told = reasons(|f| {
        waive(f, 0);
        let end = at("2026-11-23T09:31:00Z");
        f.waivers[0].expires = end;
        f.checks[0].waiver.as_mut().unwrap().expires = end;
    });
    assert!(
        told.contains(&"waiver W-7 ends 2d after the run".to_owned()),
        "{told:?}"
    );
}

#[test]
fn tells_what_nothing_needed() {
    let told = reasons(|f| f.waivers = vec![grant("W-8")]);
    assert_eq!(told, ["waiver W-8 covers nothing"]);
    let told = reasons(|f| {
        f.waivers = vec![grant("W-8")];
        f.waivers[0].passed = vec!["a".to_owned(), "b".to_owned()];
    });
    assert_eq!(told, ["waiver W-8 covers nothing, passed without it: a, b"]);
    let told = reasons(|f| {
        waive(f, 0);
        f.waivers[0].passed = vec!["a".to_owned()];
    });
    assert_eq!(told[1], "waiver W-7 was not needed for: a");
}
