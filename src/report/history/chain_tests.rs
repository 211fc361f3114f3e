//! Chains that hold, and each way to break one.

use super::*;
use crate::report::history::Signed;
use crate::report::sample;

fn digest(number: u64) -> Sha256 {
    Sha256::of(&number.to_le_bytes())
}

/// The run at this place of a chain, an hour for each.
fn run(number: u64) -> Entry {
    let mut run = sample::go().run;
    run.number = Some(number);
    run.started = format!("2026-11-21T{number:02}:00:00Z");
    run.finished = format!("2026-11-21T{number:02}:10:00Z");
    Entry {
        name: format!("run-{number}"),
        digest: digest(number),
        previous: (number > 1).then(|| digest(number - 1)),
        decision: "GO",
        reason: None,
        counts: sample::go().counts,
        took: None,
        slowest: BTreeMap::new(),
        waivers: Vec::new(),
        signed: Signed::NotAsked,
        answers: 0,
        break_glass: Vec::new(),
        run,
    }
}

fn names(runs: &[Entry]) -> String {
    let names: Vec<_> = runs.iter().map(|run| &run.name[4..]).collect();
    names.join(" ")
}

fn linked(runs: Vec<Entry>) -> (String, Vec<String>) {
    let (runs, breaks) = link(runs);
    (names(&runs), breaks.iter().map(Break::to_string).collect())
}

#[test]
fn what_would_break_the_chain_is_known_before() {
    let newest = run(3);
    let own = newest.run.scope.environment.clone();
    let why = |environment: &str, now: &str| newest.unfollowed(environment, now.parse().unwrap());
    assert_eq!(why(&own, "2026-11-21T04:00:00Z"), None);
    // The clock of this runner may be a little behind.
    assert_eq!(why(&own, "2026-11-21T03:05:00Z"), None);
    let early = why(&own, "2026-11-21T03:04:59Z").unwrap();
    assert!(early.contains("which is in the future"), "{early}");
    let other = why("other", "2026-11-21T04:00:00Z").unwrap();
    assert!(other.contains("not `other`"), "{other}");
}

#[test]
fn runs_that_follow_each_other_are_a_chain_in_whatever_order_they_lie() {
    assert_eq!(linked(vec![]), (String::new(), vec![]));
    for order in [[1, 2, 3, 4], [4, 3, 2, 1], [3, 1, 4, 2]] {
        let told = linked(order.map(run).into());
        assert_eq!(told, ("1 2 3 4".to_owned(), vec![]), "{order:?}");
    }
    // Before 0.4 runs had no number.
    let mut old = vec![run(1), run(2), run(3)];
    old[0].run.number = None;
    old[1].run.number = None;
    assert_eq!(linked(old).1, [""; 0]);
}

#[test]
fn a_run_that_was_taken_out_or_put_in_shows() {
    let told = linked(vec![run(1), run(3), run(4)]);
    assert_eq!(told.0, "1 3 4");
    assert!(
        told.1[0].contains("`run-3` follows a run that is not here"),
        "{told:?}"
    );
    // The first one too.
    let told = linked(vec![run(2), run(3)]);
    assert!(
        told.1[0].contains("`run-2` follows a run that is not here"),
        "{told:?}"
    );

    let mut copy = run(2);
    copy.name = "run-2-copy".into();
    let told = linked(vec![run(1), run(2), copy]);
    assert_eq!(told.1, ["`run-2` and `run-2-copy` are the same run"]);

    // Somebody who did not like run 2 made it again.
    let mut again = run(2);
    (again.name, again.digest) = ("run-2-again".into(), digest(99));
    let told = linked(vec![run(1), run(2), run(3), again.clone()]);
    assert!(
        told.1[0].contains("follow the same run, `run-1`"),
        "{told:?}"
    );
    (again.previous, again.run.number) = (None, Some(1));
    let told = linked(vec![run(1), run(2), again]);
    assert!(
        told.1[0].contains("both say that they are the first run"),
        "{told:?}"
    );
}

#[test]
fn numbers_times_and_environments_go_on() {
    let told = |change: fn(&mut Entry)| {
        let mut runs = vec![run(1), run(2), run(3)];
        change(&mut runs[1]);
        linked(runs).1
    };
    assert_eq!(told(|_| {}), [""; 0]);
    // Of another runner, whose clock is behind.
    let behind = told(|run| run.run.started = "2026-11-21T01:05:00Z".into());
    assert_eq!(behind, [""; 0]);
    let number = told(|run| run.run.number = Some(3));
    assert_eq!(
        number[0],
        "`run-2` has number 3, its place in the chain is 2"
    );
    let none = told(|run| run.run.number = None);
    assert_eq!(none, ["`run-2` has no number, though a run before it has"]);
    let early = told(|run| run.run.started = "2026-11-21T01:04:59Z".into());
    assert_eq!(
        early,
        ["`run-2` began before `run-1`, which it follows, had ended"]
    );
    let other = told(|run| run.run.scope.environment = "staging".into());
    assert_eq!(other.len(), 2, "{other:?}");
    assert!(
        other[0].contains("is about environment `staging`"),
        "{other:?}"
    );
}
