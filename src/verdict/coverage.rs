//! Rules about completeness: every instance, each of the four kinds, every team responsible.

use std::collections::HashMap;

use super::words::list;
use super::{Check, Claim, Facts, Instance, Outcome};
use crate::inventory::Kind;

/// What no check has retrieved for a team that must be able to (contract 5). A filtered run leaves
/// things out by request and says so itself (`record::partial`).
pub(super) fn not_retrieved(facts: &Facts) -> Vec<String> {
    if facts.partial || !facts.filters.is_empty() {
        return Vec::new();
    }
    let mut by_cell: HashMap<(&str, &str), Vec<&Check>> = HashMap::new();
    for check in &facts.checks {
        if let (Some(instance), Some(team)) = (&check.instance, &check.team) {
            by_cell.entry((instance, team)).or_default().push(check);
        }
    }
    let mut missing = Vec::new();
    // The hosts of other shards are theirs to answer for.
    let is_due = |instance: &&Instance| {
        let shard = facts.shard.as_ref();
        shard.is_none_or(|shard| shard.hosts.contains(&instance.host))
    };
    for instance in facts.instances.iter().filter(is_due) {
        for team in &instance.teams {
            let checks = by_cell.get(&(instance.name.as_str(), team.as_str()));
            let checks = checks.map(Vec::as_slice).unwrap_or_default();
            let kinds = Kind::REQUIRED.into_iter();
            let kinds = kinds.filter(|kind| !is_answered(checks, instance, *kind));
            missing.extend(kinds.map(|kind| {
                let (name, kind) = (&instance.name, kind.as_str());
                format!("{kind} of {name} for {team}")
            }));
        }
    }
    match missing.is_empty() {
        true => Vec::new(),
        false => vec![format!(
            "no check retrieved: {}",
            list(missing.iter().map(String::as_str))
        )],
    }
}

/// Retrieved by one of the `checks` of this instance and team, or its absence is already told by one
/// that failed or is waived. A pending check
/// must have retrieved it: HOLD means that all is well but for a person's word.
fn is_answered(checks: &[&Check], instance: &Instance, kind: Kind) -> bool {
    let is_of_kind = |name: &str| {
        let mut artifacts = instance.artifacts.iter();
        artifacts.any(|(artifact, of)| artifact == name && *of == kind)
    };
    let retrieved = |check: &Check| {
        let mut evidence = check.evidence.iter();
        evidence.any(|evidence| {
            evidence.kind == kind && is_of_kind(&evidence.artifact) && evidence.is_proof()
        })
    };
    let claimed = |check: &Check| {
        check.claims.iter().any(|claim| match claim {
            Claim::Artifact(name) => is_of_kind(name),
            Claim::Kind(claimed) => *claimed == kind,
        })
    };
    checks.iter().any(|check| match check.outcome {
        Outcome::Passed | Outcome::Pending => retrieved(check),
        Outcome::Failed | Outcome::Waived => claimed(check) || retrieved(check),
    })
}

/// An instance without a team would ask nothing of anybody.
pub(super) fn without_team(facts: &Facts) -> Vec<String> {
    let without = facts.instances.iter().filter(|one| one.teams.is_empty());
    let names: Vec<_> = without.map(|instance| &*instance.name).collect();
    match names.is_empty() {
        true => Vec::new(),
        false => vec![format!("no team is responsible for: {}", list(names))],
    }
}

/// Not wrong, but whoever reads GO should know that nothing was asked for.
pub(super) fn without_instance(facts: &Facts) -> Vec<String> {
    match facts.instances.is_empty() {
        true => vec!["the inventory has no instance: nothing was to be retrieved".to_owned()],
        false => Vec::new(),
    }
}
