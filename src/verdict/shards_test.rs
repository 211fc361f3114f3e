//! What is said of shards and of what was merged from them: each rule alone, and the twins that pass.

use super::sample::{fail, good, hang};
use super::*;
use crate::failure::FailureKind;

fn shard(name: &str, host: &str) -> Shard {
    Shard {
        name: name.to_owned(),
        hosts: vec![host.to_owned()],
        checks: 3,
    }
}

/// As [`good`], made by two shards, one after the other.
fn merged() -> Facts {
    let piece = |name, host, started: &str, finished: &str| Piece {
        shard: shard(name, host),
        started: started.parse().ok(),
        finished: finished.parse().ok(),
        runner: Runner {
            machine_id: Some(format!("of {name}")),
            host_keys: Vec::new(),
        },
    };
    let mut facts = good();
    facts.merged = Some(Merged {
        within: jiff::SignedDuration::from_mins(30),
        pieces: vec![
            piece(
                "1/2",
                "ny4-1",
                "2026-11-21T09:30:00Z",
                "2026-11-21T09:40:00Z",
            ),
            piece(
                "2/2",
                "ny4-2",
                "2026-11-21T09:45:00Z",
                "2026-11-21T10:00:00Z",
            ),
        ],
        missing: Vec::new(),
        differs: Vec::new(),
    });
    facts
}

/// The first shard of [`good`].
fn first() -> Facts {
    let mut facts = good();
    facts.checks.truncate(2);
    facts.counts = Counts {
        planned: 2,
        passed: 2,
        ..Counts::default()
    };
    facts.shard = Some(shard("1/2", "ny4-1"));
    facts
}

fn of(facts: &mut Facts) -> &mut Merged {
    facts.merged.as_mut().unwrap()
}

type Change = fn(&mut Facts);

/// The rule that must speak, and what makes it.
pub(super) const BREAKS: &[(&str, Change)] = &[
    ("shard missing", |f| {
        of(f).missing.push("2/2: no run of it was given".into())
    }),
    ("shard missing", |f| of(f).pieces.clear()),
    ("shards differ", |f| {
        of(f).differs.push("host bastion: its host key".into())
    }),
    ("shards apart", |f| {
        of(f).pieces[1].finished = Some("2026-11-21T10:00:01Z".parse().unwrap())
    }),
    ("clock", |f| {
        of(f).pieces[0].finished = Some("2026-11-21T09:29:59Z".parse().unwrap())
    }),
    ("runner", |f| {
        of(f).pieces[1].runner.machine_id = Some("77AA".into())
    }),
    ("shard", |f| *f = first()),
];

fn speaking(facts: &Facts) -> Vec<&'static str> {
    let tables = [STOPS, WAITS, NOTES].into_iter().flatten();
    let speaking = tables.filter(|rule| !(rule.against)(facts).is_empty());
    speaking.map(|rule| rule.name).collect()
}

#[test]
fn each_alone_stops_a_merged_run() {
    assert_eq!(decide(&merged()).decision, Decision::Go);
    assert_eq!(decide(&merged()).reasons, [""; 0]);
    for (index, (name, change)) in BREAKS.iter().enumerate() {
        let mut facts = merged();
        change(&mut facts);
        assert_eq!(speaking(&facts), [*name], "case {index}");
        let expected = match *name {
            "shard" => Decision::Hold,
            _ => Decision::NoGo,
        };
        assert_eq!(decide(&facts).decision, expected, "case {index}");
    }
}

/// Who ran one shard may be a host of another: it was met over the network there.
#[test]
fn a_host_is_held_against_the_machine_that_met_it() {
    let mut facts = merged();
    of(&mut facts).pieces[0].runner.machine_id = Some("77aa".into());
    // Nor is who merged them of interest.
    facts.runner.machine_id = Some("9f0c".into());
    assert_eq!(decide(&facts).decision, Decision::Go);
}

#[test]
fn a_shard_waits_for_the_others_whatever_it_found() {
    let facts = first();
    let verdict = decide(&facts);
    assert_eq!(verdict.decision, Decision::Hold);
    let says =
        "shard 1/2 is 2 of 3 checks: only `gonogo merge` of all shards can say GO".to_owned();
    assert_eq!(verdict.reasons, std::slice::from_ref(&says));
    let mut pending = first();
    hang(&mut pending, 0);
    assert_eq!(decide(&pending).decision, Decision::Hold);
    let mut failed = first();
    fail(&mut failed, 0, FailureKind::Stale);
    assert_eq!(decide(&failed).decision, Decision::NoGo);
    assert!(decide(&failed).reasons.contains(&says));
    // What its own hosts must give is its own to find.
    let mut lost = first();
    lost.checks.truncate(1);
    (lost.counts.planned, lost.counts.passed) = (1, 1);
    assert_eq!(speaking(&lost), ["not retrieved", "shard"]);
    // Filters too: it stays a NO-GO.
    let mut filtered = first();
    filtered.partial = true;
    assert_eq!(decide(&filtered).decision, Decision::NoGo);
}

#[test]
fn a_shard_without_a_host_waits_too() {
    let mut idle = first();
    idle.checks.clear();
    idle.counts = Counts::default();
    idle.shard.as_mut().unwrap().hosts.clear();
    let verdict = decide(&idle);
    assert_eq!(verdict.decision, Decision::Hold);
    assert!(
        verdict.reasons[0].starts_with("shard 1/2 has nothing to do"),
        "{verdict:?}"
    );
    // One with a host and no check lost them; of an empty plan nothing is a part.
    let mut lost = idle.clone();
    lost.shard = Some(shard("1/2", "ny4-1"));
    assert_eq!(decide(&lost).decision, Decision::NoGo);
    idle.shard.as_mut().unwrap().checks = 0;
    assert_eq!(decide(&idle).decision, Decision::NoGo);
}
