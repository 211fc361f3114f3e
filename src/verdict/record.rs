//! Rules about the record itself: a run is believed only when its record is whole and agrees with
//! itself. What was found in the world is judged elsewhere.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use super::words::list;
use super::{Check, Facts, Outcome, RunKind, StepOutcome};
use crate::digest::Sha256;

pub(super) fn unreadable(facts: &Facts) -> Vec<String> {
    if facts.unreadable.is_empty() {
        return Vec::new();
    }
    let phrases = list(facts.unreadable.iter().map(String::as_str));
    vec![format!("the record cannot be read: {phrases}")]
}

pub(super) fn aborted(facts: &Facts) -> Vec<String> {
    match (&facts.aborted, facts.kind) {
        (Some(why), _) => vec![format!("the run was aborted: {why}")],
        (None, RunKind::Aborted) => vec!["the run was aborted".to_owned()],
        (None, RunKind::Run | RunKind::Demo) => Vec::new(),
    }
}

pub(super) fn empty(facts: &Facts) -> Vec<String> {
    // A plan that is only stated to be empty, or only stated not to be, has its sums against it.
    // A shard without a host waits for the others, as every shard does.
    let is_idle = |shard: &super::Shard| shard.hosts.is_empty() && shard.checks > 0;
    if !facts.checks.is_empty() || facts.shard.as_ref().is_some_and(is_idle) {
        return Vec::new();
    }
    vec!["nothing was planned: an empty plan proves nothing".to_owned()]
}

/// planned = passed + failed + waived + pending, and each is what the checks say (contract 5).
pub(super) fn sums(facts: &Facts) -> Vec<String> {
    let mut reasons = Vec::new();
    let counts = &facts.counts;
    let parts = [
        (Outcome::Passed, counts.passed),
        (Outcome::Failed, counts.failed),
        (Outcome::Waived, counts.waived),
        (Outcome::Pending, counts.pending),
    ];
    // Saturation cannot hide a wrong sum: no plan has u64::MAX checks to equal it.
    let sum = parts
        .iter()
        .fold(0_u64, |sum, (_, n)| sum.saturating_add(*n));
    if sum != counts.planned {
        let planned = counts.planned;
        reasons.push(format!(
            "{planned} checks were planned and {sum} are accounted for"
        ));
    }
    if counts.planned != facts.checks.len() as u64 {
        let (planned, told) = (counts.planned, facts.checks.len());
        reasons.push(format!("{planned} checks were planned and {told} are told"));
    }
    for (outcome, stated) in parts {
        let told = facts.of(outcome).len();
        if stated != told as u64 {
            let word = outcome.as_str();
            reasons.push(format!(
                "{stated} checks are counted as {word} and {told} are told as {word}"
            ));
        }
    }
    reasons
}

pub(super) fn clock(facts: &Facts) -> Vec<String> {
    let pieces = facts.merged.iter().flat_map(|merged| &merged.pieces);
    let pieces = pieces.map(|piece| (piece.started, piece.finished));
    let set_back = |(started, finished): (Option<Timestamp>, Option<Timestamp>)| {
        started
            .zip(finished)
            .is_some_and(|(started, finished)| finished < started)
    };
    match pieces
        .chain([(facts.started, facts.finished)])
        .any(set_back)
    {
        true => vec!["the run ended before it began: the runner's clock was set back".to_owned()],
        false => Vec::new(),
    }
}

pub(super) fn duplicates(facts: &Facts) -> Vec<String> {
    let checks = facts.checks.iter().map(|check| &*check.id);
    let hosts = facts.hosts.iter().map(|host| &*host.name);
    let instances = facts.instances.iter().map(|instance| &*instance.name);
    let mut reasons = Vec::new();
    for (what, twice) in [
        ("check", twice(checks)),
        ("host", twice(hosts)),
        ("instance", twice(instances)),
    ] {
        if !twice.is_empty() {
            reasons.push(format!("told twice as a {what}: {}", list(twice)));
        }
    }
    reasons
}

fn twice<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| !seen.insert(*name)).collect()
}

/// Checks about instances and hosts that the run does not have, or about an instance elsewhere than
/// on its host: without this rule a lost list of instances would leave nothing to be covered.
pub(super) fn strangers(facts: &Facts) -> Vec<String> {
    let instances = facts.by_name();
    let hosts: HashSet<&str> = facts.hosts.iter().map(|host| &*host.name).collect();
    let known = |name: &str| hosts.contains(name);
    let is_stranger = |check: &&Check| {
        let instance = check.instance.as_deref().map(|name| instances.get(name));
        match (instance, &check.host) {
            (Some(None), _) => true,
            (Some(Some(instance)), Some(host)) => instance.host != *host || !known(host),
            (Some(Some(instance)), None) => !known(&instance.host),
            (None, Some(host)) => !known(host),
            (None, None) => false,
        }
    };
    let strangers = facts.checks.iter().filter(is_stranger);
    let ids: Vec<_> = strangers.map(|check| &*check.id).collect();
    match ids.is_empty() {
        true => Vec::new(),
        false => vec![format!(
            "told about an instance or host that the run does not have: {}",
            list(ids)
        )],
    }
}

/// Checks whose outcome does not follow from what is told of them.
pub(super) fn untold(facts: &Facts) -> Vec<String> {
    gather(facts, |check| {
        let all_passed = check.steps.iter().all(|step| *step == StepOutcome::Passed);
        let of = |outcome| check.steps.iter().filter(|step| **step == outcome).count();
        // All else was done: a person's word stands for nothing that was not looked at.
        let waits_for_one = of(StepOutcome::Pending) == 1
            && of(StepOutcome::Passed) + 1 == check.steps.len()
            && check.asks == 1;
        if check.earlier != check.attempts.saturating_sub(1) as usize {
            return Some("does not tell each of its attempts");
        }
        match check.outcome {
            Outcome::Passed | Outcome::Pending if check.attempts == 0 => {
                Some("was judged and never tried")
            }
            Outcome::Passed | Outcome::Pending if check.steps.is_empty() => Some("has no step"),
            Outcome::Passed if !all_passed => Some("passed with a step that did not"),
            Outcome::Passed if check.asks > 0 && check.answers == 0 => {
                Some("passed what only a person can answer, and nobody did")
            }
            Outcome::Pending if !waits_for_one => {
                Some("is pending for something else than one person's answer")
            }
            Outcome::Passed | Outcome::Pending if check.failure.is_some() => {
                Some("did not fail and states a failure")
            }
            Outcome::Failed | Outcome::Waived if check.failure.is_none() => {
                Some("failed and states no failure")
            }
            _ => None,
        }
    })
}

/// Passed checks that state something about an artifact and show no proof of it, and evidence whose
/// digest cannot be that of its bytes.
pub(super) fn unproven(facts: &Facts) -> Vec<String> {
    let nothing = Sha256::of(b"");
    gather(facts, |check| {
        let is_impossible = |evidence: &super::Evidence| {
            let digest_of_nothing = evidence.sha256 == Some(nothing);
            digest_of_nothing != (evidence.bytes == 0)
        };
        if check.evidence.iter().any(is_impossible) {
            return Some("has evidence whose digest and size disagree");
        }
        let unproven = check.claims.iter().any(|claim| {
            let mut evidence = check.evidence.iter();
            !evidence.any(|evidence| claim.is_about(evidence) && evidence.is_proof())
        });
        match check.outcome {
            Outcome::Passed if unproven => Some("passed without evidence of what it retrieved"),
            Outcome::Pending if unproven => {
                Some("waits for a person without evidence of what it retrieved")
            }
            _ => None,
        }
    })
}

/// One reason for each complaint, in the order of its first check.
fn gather(facts: &Facts, complain: impl Fn(&Check) -> Option<&'static str>) -> Vec<String> {
    let mut complaints: Vec<(&str, Vec<&str>)> = Vec::new();
    for check in &facts.checks {
        let Some(complaint) = complain(check) else {
            continue;
        };
        match complaints.iter_mut().find(|(said, _)| *said == complaint) {
            Some((_, ids)) => ids.push(&check.id),
            None => complaints.push((complaint, vec![&check.id])),
        }
    }
    let say = |(complaint, ids): (&str, Vec<&str>)| match ids.len() {
        1 => format!("a check {complaint}: {}", ids[0]),
        many => format!("{many} checks, each of which {complaint}: {}", list(ids)),
    };
    complaints.into_iter().map(say).collect()
}

pub(super) fn partial(facts: &Facts) -> Vec<String> {
    match (facts.partial, facts.filters.is_empty()) {
        (false, true) => Vec::new(),
        (_, true) => vec!["partial run: something was left out".to_owned()],
        (_, false) => vec![format!("partial run: {}", facts.filters.join(" "))],
    }
}
