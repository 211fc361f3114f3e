//! What the whole plan must hold: each of the four kinds of artifact, of every instance, by every team
//! responsible for it (contract 1 and 5): a team whose login nobody tried may not be able to fetch it.

use std::collections::HashSet;

use super::Check;
use crate::inventory::{Inventory, Kind};
use crate::problem::{Place, Problem};

const HINT: &str = "the vendor's support will ask this team for it: add a scenario, or `And each team responsible for it` to one; to look at a part only, use --instance, --host, --team or --tags";

/// Refuses a plan with a gap.
///
/// # Errors
/// One problem for each instance and team, naming the kinds that no check retrieves.
pub(super) fn demand_every_kind(
    inventory: &Inventory,
    checks: &[Check],
) -> Result<(), Vec<Problem>> {
    let planned = planned(inventory, checks);
    let mut problems = Vec::new();
    for instance in &inventory.instances {
        for team in &instance.teams {
            let cell = |kind: &Kind| (instance.name.as_str(), team.as_str(), *kind);
            let missing: Vec<&str> = Kind::REQUIRED
                .iter()
                .filter(|kind| !planned.contains(&cell(kind)))
                .map(|kind| kind.as_str())
                .collect();
            if !missing.is_empty() {
                let (kinds, name) = (missing.join(", "), &instance.name);
                let message =
                    format!("no check retrieves the {kinds} of instance `{name}` as team `{team}`");
                problems.push(Problem::new(Place::whole(&inventory.path), message).with_hint(HINT));
            }
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems),
    }
}

fn planned<'a>(inventory: &'a Inventory, checks: &'a [Check]) -> HashSet<(&'a str, &'a str, Kind)> {
    let mut planned = HashSet::new();
    for check in checks {
        let subject = &check.subject;
        let instance = subject
            .instance
            .as_deref()
            .and_then(|name| inventory.instance(name));
        let (Some(instance), Some(team)) = (instance, subject.team.as_deref()) else {
            continue;
        };
        let mut kinds: Vec<Kind> = Vec::new();
        for step in &check.steps {
            for artifact in step.call.about(instance, Some(team)) {
                if !kinds.contains(&artifact.kind) {
                    kinds.push(artifact.kind);
                }
            }
        }
        let kinds = kinds.into_iter();
        planned.extend(kinds.map(|kind| (instance.name.as_str(), team, kind)));
    }
    planned
}
