//! Each demand of a policy: a run that fails it alone, with its own reason, and one that meets it.

use std::path::Path;

use super::*;
use crate::digest::Sha256;
use crate::report::sample;
use crate::report::schema::{Failure, Granted, Restates};

fn policy(more: &str) -> Policy {
    let text = format!("environment: production\nmax_age: 24h\n{more}\n");
    Policy::parse(Path::new("policy.yaml"), text.into_bytes()).unwrap()
}

/// What that policy holds against a run.
fn against(report: &Report, more: &str) -> Vec<String> {
    let policy = policy(more);
    let mut reasons = required::missing(report, &policy.required);
    reasons.extend(waivers::beyond(report, &policy.waivers));
    reasons.extend(tried::beyond(report, &policy.retries));
    reasons
}

fn waive(report: &mut Report, id: &str, check: usize, kind: &str, days: i64) {
    let from = "2026-11-01T00:00:00Z".parse::<Timestamp>().unwrap();
    let check = &mut report.checks[check];
    check.outcome = "waived".to_owned();
    check.failure = Some(Failure {
        kind: kind.to_owned(),
        host: None,
        account: None,
        subject: None,
        expected: String::new(),
        actual: String::new(),
        hint: String::new(),
        at_login: false,
    });
    report.waivers.push(Granted {
        id: id.to_owned(),
        from: from.to_string(),
        expires: (from + SignedDuration::from_hours(24 * days)).to_string(),
        covered: vec![check.id.clone()],
        ..Granted::default()
    });
}

use jiff::SignedDuration;

/// The sample with two waived checks, one of them retried.
fn waived() -> Report {
    let mut report = sample::go();
    for check in &mut report.checks {
        check.attempts = 1;
    }
    waive(&mut report, "W-1", 0, "denied", 10);
    waive(&mut report, "W-2", 1, "missing", 20);
    report.checks[2].attempts = 3;
    report
}

#[test]
fn each_demand_has_its_reason_and_its_twin() {
    let report = waived();
    let (first, second) = (&report.checks[0], &report.checks[1]);
    let (one, other) = (named(first), named(second));
    let third = named(&report.checks[2]);
    for (meets, fails, reason) in [
        (
            "required: {tags: [\"@blocker\"]}",
            "required: {tags: [\"@other\"]}",
            "no check has tag `@other`".to_owned(),
        ),
        (
            "required: {instances: [orders]}",
            "required: {instances: [orders, order]}",
            "no check is about instance `order`".to_owned(),
        ),
        (
            "required: {hosts: [ny4-amps-1]}",
            "required: {hosts: [ny4-amps-9]}",
            "no check is about host `ny4-amps-9`".to_owned(),
        ),
        (
            "required: {teams: [support]}",
            "required: {teams: [suport]}",
            "no check is of team `suport`".to_owned(),
        ),
        (
            "required: {artifacts: [{name: event log, instance: order?}]}",
            "required: {artifacts: [{name: core files, instance: quotes}]}",
            "no check retrieved `core files` of `quotes` for `operations`".to_owned(),
        ),
        (
            "required: {artifacts: [{name: event*}]}",
            "required: {artifacts: [{name: event*, instance: other*}]}",
            "no instance is `other*`, of which artifact `event*` is required".to_owned(),
        ),
        (
            "required: {scenarios: [{scenario: \"* retrieves the event log of *\", at_least: 7}]}",
            "required: {scenarios: [{scenario: \"* retrieves the event log of *\", at_least: 99}]}",
            "7 checks of scenario `* retrieves the event log of *`, 99 required".to_owned(),
        ),
        (
            "required: {scenarios: [{scenario: \"*event log*\", feature: features/amps/*}]}",
            "required: {scenarios: [{scenario: \"*event log*\", feature: other/*}]}",
            "0 checks of scenario `*event log*` of `other/*`, 1 required".to_owned(),
        ),
        (
            "waivers: {most: 2}",
            "waivers: {most: 1}",
            "2 waivers, at most 1 accepted".to_owned(),
        ),
        (
            "waivers: {most_checks: 2}",
            "waivers: {most_checks: 1}",
            "2 waived checks, at most 1 accepted".to_owned(),
        ),
        (
            "waivers: {most_days: 20}",
            "waivers: {most_days: 19}",
            "waiver `W-2` holds from 2026-11-01T00:00:00Z to 2026-11-21T00:00:00Z, at most 19 days accepted".to_owned(),
        ),
        (
            "waivers: {never: {kinds: [stale]}}",
            "waivers: {never: {kinds: [stale, missing]}}",
            format!("a failure of kind `missing` is never waived: {other}"),
        ),
        (
            "waivers: {never: {tags: [\"@other\"]}}",
            "waivers: {never: {scenarios: [operations retrieves the version of *]}}",
            format!("scenario `operations retrieves the version of *` is never waived: {one}"),
        ),
        (
            "waivers: {most: 3}",
            "waivers: none",
            "2 checks waived, and no waiver is accepted here".to_owned(),
        ),
        (
            "retries: {most_checks: 1}",
            "retries: {most_checks: 0}",
            format!("1 check tried more than once, at most 0 accepted: {third}"),
        ),
        (
            "retries: {most_attempts: 3}",
            "retries: {most_attempts: 2}",
            format!("3 attempts of {third}, at most 2 accepted"),
        ),
    ] {
        assert_eq!(against(&report, meets), [""; 0], "{meets}");
        assert_eq!(against(&report, fails), [reason], "{fails}");
    }
    // A tag: both are checks with it.
    let tagged = against(&report, "waivers: {never: {tags: [\"@blocker\"]}}");
    assert_eq!(tagged.len(), 2, "{tagged:?}");
}

#[test]
fn nothing_is_carried_over_where_that_is_not_accepted() {
    let mut report = sample::go();
    assert_eq!(against(&report, "retries: {restating: none}"), [""; 0]);
    report.run.restates = Some(Restates {
        run: "earlier".to_owned(),
        finished: "2026-11-20T09:31:12Z".to_owned(),
        manifest: "ab".repeat(32),
    });
    assert_eq!(against(&report, "retries: {most_attempts: 9}"), [""; 0]);
    assert_eq!(
        against(&report, "retries: {restating: none}"),
        ["the run restates run earlier, and none is accepted that does"]
    );
}

/// The four kinds are asked of every instance anyway: what requires one is that there is an instance.
#[test]
fn a_required_kind_is_retrieved_of_every_instance_and_there_is_one() {
    let all = "required: {kinds: [version, configuration, log, statistics]}";
    let report = sample::go();
    assert_eq!(against(&report, all), [""; 0]);
    let other = "required: {kinds: [other]}";
    let told = against(&report, other);
    assert!(
        told[0].starts_with("no check retrieved an artifact of kind `other` of `"),
        "{told:?}"
    );
    let mut none = report.clone();
    none.instances.clear();
    let told = against(&none, all);
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(
        told[2],
        "the inventory has no instance, and artifacts of kind `log` are required"
    );
    // Evidence under that kind of an artifact that the instance has as another is none.
    let mut odd = report.clone();
    for check in &mut odd.checks {
        for evidence in &mut check.evidence {
            evidence.kind = "other".to_owned();
        }
    }
    assert!(!against(&odd, other).is_empty());
    assert!(!against(&odd, all).is_empty());
    // Asked for, and failed: the verdict has told that already.
    let mut failed = report.clone();
    for check in &mut failed.checks {
        check.outcome = "failed".to_owned();
        check.evidence.clear();
    }
    assert_eq!(against(&failed, all), [""; 0]);
}

/// A waiver whose times nobody can read holds for ever.
#[test]
fn what_cannot_be_read_is_beyond() {
    let mut report = waived();
    report.waivers[0].expires = "soon".to_owned();
    let told = against(&report, "waivers: {most_days: 30}");
    assert!(told.len() == 1 && told[0].contains("`W-1`"), "{told:?}");
}

#[test]
fn the_tool_is_one_that_the_policy_permits() {
    let mut tool = sample::go().run.tool;
    tool.version = "0.3.0".to_owned();
    tool.sha256 = Some(Sha256::of(b"gonogo").to_string());
    let own = tool.sha256.clone().unwrap();
    let other = Sha256::of(b"other");
    for good in [
        "tool: {oldest: 0.3.0}".to_owned(),
        "tool: {oldest: 0.2.9}".to_owned(),
        "tool: {versions: [0.2.0, 0.3.0]}".to_owned(),
        format!("tool: {{sha256: [{other}, {own}]}}"),
    ] {
        assert!(made_by("the run", &tool, &policy(&good)).is_ok(), "{good}");
    }
    for bad in [
        "tool: {oldest: 0.3.1}".to_owned(),
        "tool: {oldest: 0.10.0}".to_owned(),
        "tool: {oldest: 1.0.0}".to_owned(),
        "tool: {versions: [0.2.0]}".to_owned(),
        format!("tool: {{sha256: [{other}]}}"),
    ] {
        let refused = made_by("the run", &tool, &policy(&bad));
        assert!(matches!(refused, Err(Unacceptable::Policy(_))), "{bad}");
    }
    tool.sha256 = None;
    assert!(
        made_by(
            "the run",
            &tool,
            &policy(&format!("tool: {{sha256: [{own}]}}"))
        )
        .is_err()
    );
}
