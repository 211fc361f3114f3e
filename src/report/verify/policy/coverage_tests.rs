//! What vanishes from one run to the next, each named alone, and what may.

use std::path::Path;

use super::*;
use crate::inventory::policy::Policy;
use crate::report::sample;

const TODAY: &str = "2026-11-22";

fn rule(retired: &str) -> Coverage {
    let text =
        format!("environment: production\nmax_age: 24h\ncoverage:\n  last_go: required\n{retired}");
    let policy = Policy::parse(Path::new("policy.yaml"), text.into_bytes());
    policy.unwrap().coverage.unwrap()
}

fn lost(edit: impl FnOnce(&mut Report), retired: &str) -> Vec<String> {
    let (old, mut new) = (sample::go(), sample::go());
    edit(&mut new);
    gone(&old, &new, &rule(retired), TODAY.parse().unwrap())
}

fn retiring(what: &str, from: &str) -> String {
    format!("  retired:\n    - {what}\n      reason: it is\n      from: {from}\n")
}

fn without_instance(report: &mut Report) {
    report.instances.retain(|one| one.name != "quotes");
    let is_of = |check: &Check| check.instance.as_deref() == Some("quotes");
    report.checks.retain(|check| !is_of(check));
}

fn without_host(report: &mut Report) {
    report.hosts.retain(|one| one.name != "ny4-amps-2");
    let is_on = |check: &Check| check.host.as_deref() == Some("ny4-amps-2");
    report.checks.retain(|check| !is_on(check));
}

fn without_team(report: &mut Report) {
    report
        .checks
        .retain(|check| check.team.as_deref() != Some("support"));
}

#[test]
fn what_stays_is_not_lost() {
    assert_eq!(lost(|_| (), ""), [""; 0]);
    // Lines move, a host gets another name in its checks, a scenario is renamed in its place, more is asked.
    let edits: [fn(&mut Report); 4] = [
        |r| {
            for check in &mut r.checks {
                check.line += 3;
                check.id = format!("{}-moved", check.id);
            }
        },
        |r| r.checks[0].host = Some("ny4-amps-2".to_owned()),
        |r| r.checks[0].scenario = "operations fetches the version of orders".to_owned(),
        |r| {
            let mut more = r.checks[0].clone();
            more.id = "more".to_owned();
            r.checks.push(more);
            let step = r.checks[1].steps[0].clone();
            r.checks[1].steps.push(step);
        },
    ];
    for (index, edit) in edits.into_iter().enumerate() {
        assert_eq!(lost(edit, ""), [""; 0], "case {index}");
    }
}

#[test]
fn what_vanishes_is_named() {
    type Edit = fn(&mut Report);
    let cases: [(Edit, &str, &str); 6] = [
        (
            without_instance,
            "instance `quotes` with 4 checks",
            "instance: quotes",
        ),
        (without_host, "host `ny4-amps-2` with", "host: ny4-amps-*"),
        (without_team, "team `support` with", "team: support"),
        (
            |r| drop(r.checks.remove(2)),
            "check `features/amps/retrieve.feature:26@orders/operations` (operations retrieves the event log of orders)",
            "scenario: \"* retrieves the event log of orders\"",
        ),
        (
            |r| drop(r.checks[2].steps.remove(1)),
            "step `each team responsible for it` of check",
            "step: each team *\n      scenario: \"* event log of orders\"",
        ),
        (
            // One of two that have one name.
            |r| {
                let step = &mut r.checks[0].steps[2];
                step.text = "nothing much".to_owned();
            },
            "step `the team connects` of check",
            "step: the team connects",
        ),
    ];
    for (index, (edit, told, retired)) in cases.into_iter().enumerate() {
        let found = lost(edit, "");
        assert_eq!(found.len(), 1, "case {index}: {found:#?}");
        assert!(found[0].starts_with(told), "case {index}: {found:#?}");
        // Retired, it may; from tomorrow on, not yet; and no other entry helps.
        assert_eq!(
            lost(edit, &retiring(retired, TODAY)),
            [""; 0],
            "case {index}"
        );
        assert_eq!(
            lost(edit, &retiring(retired, "2026-11-23")),
            found,
            "case {index}"
        );
        let other = retiring("instance: audit-trail\n      scenario: x", TODAY);
        assert_eq!(lost(edit, &other), found, "case {index}");
    }
}

/// A row of the table that stands below a step.
#[test]
fn an_artifact_that_a_step_is_about_no_more_is_missed() {
    let mut old = sample::go();
    let step = &mut old.checks[2].steps[1];
    step.artifacts = vec!["x1".to_owned(), "x2".to_owned()];
    let mut new = old.clone();
    let today = TODAY.parse().unwrap();
    let found = |new: &Report, retired: &str| gone(&old, new, &rule(retired), today);
    assert_eq!(found(&new, ""), [""; 0]);
    new.checks[2].steps[1].artifacts.pop();
    let lost = found(&new, "");
    assert!(
        lost.len() == 1 && lost[0].starts_with("artifact `x2` in step `"),
        "{lost:?}"
    );
    assert_eq!(
        found(&new, &retiring("step: \"each team*\"", TODAY)),
        [""; 0]
    );
}

/// Two checks of one name are two.
#[test]
fn one_of_two_checks_of_one_name_is_missed() {
    let mut old = sample::go();
    let mut twin = old.checks[0].clone();
    twin.id = "twin".to_owned();
    old.checks.push(twin);
    let found = gone(&old, &sample::go(), &rule(""), TODAY.parse().unwrap());
    assert!(
        found.len() == 1 && found[0].starts_with("check `twin`"),
        "{found:?}"
    );
}

#[test]
fn an_instance_that_is_retired_lets_no_other_go() {
    let edit = |report: &mut Report| {
        without_instance(report);
        without_team(report);
    };
    let found = lost(edit, &retiring("instance: quotes", TODAY));
    assert!(
        found.len() == 1 && found[0].starts_with("team `support`"),
        "{found:?}"
    );
}
