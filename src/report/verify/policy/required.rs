//! What must be in a run: an inventory or a set of features that shrank asks for less, and passes what it asks.

use std::collections::BTreeSet;

use crate::inventory::Kind;
use crate::inventory::policy::{Artifact, Required, fits};
use crate::report::claims;
use crate::report::schema::{Check, Instance, Report};
use crate::text::count;
use crate::verdict::Claim;

/// What is not there, a phrase each.
pub(super) fn missing(report: &Report, required: &Required) -> Vec<String> {
    let mut missing = Vec::new();
    // To be listed is not enough: something must have been asked of it.
    let of = |part: fn(&Check) -> Option<&String>| -> BTreeSet<&str> {
        let checks = report.checks.iter();
        checks.filter_map(part).map(String::as_str).collect()
    };
    let tags = report.checks.iter().flat_map(|check| &check.tags);
    // Old reports have tags with their `@`.
    let tags: BTreeSet<&str> = tags.map(|tag| tag.trim_start_matches('@')).collect();
    for (words, names, there) in [
        ("no check has tag", &required.tags, tags),
        (
            "no check is about instance",
            &required.instances,
            of(|check| check.instance.as_ref()),
        ),
        (
            "no check is about host",
            &required.hosts,
            of(|check| check.host.as_ref()),
        ),
        (
            "no check is of team",
            &required.teams,
            of(|check| check.team.as_ref()),
        ),
    ] {
        let absent = names.iter().filter(|name| !there.contains(name.as_str()));
        let sign = if words.ends_with("tag") { "@" } else { "" };
        missing.extend(absent.map(|name| format!("{words} `{sign}{name}`")));
    }
    for kind in &required.kinds {
        missing.extend(not_of_kind(report, *kind));
    }
    for artifact in &required.artifacts {
        missing.extend(not_retrieved(report, artifact));
    }
    for scenario in &required.scenarios {
        let is_it = |check: &&Check| {
            let feature = scenario.feature.as_ref();
            fits(&scenario.name, &check.scenario)
                && feature.is_none_or(|path| fits(path, &check.feature))
        };
        let found = report.checks.iter().filter(is_it).count();
        if found < scenario.at_least {
            let feature = scenario.feature.as_ref();
            let feature = feature.map_or(String::new(), |path| format!(" of `{path}`"));
            missing.push(format!(
                "{} of scenario `{}`{feature}, {} required",
                count(found, "check"),
                scenario.name,
                scenario.at_least
            ));
        }
    }
    missing
}

fn not_retrieved(report: &Report, artifact: &Artifact) -> Vec<String> {
    let name = &artifact.name;
    let of = artifact.instance.as_deref();
    let instances = report.instances.iter();
    let instances: Vec<&Instance> = instances
        .filter(|one| of.is_none_or(|pattern| fits(pattern, &one.name)))
        .collect();
    if instances.is_empty() {
        let of = of.map_or(String::new(), |pattern| format!(" is `{pattern}`"));
        return vec![format!(
            "no instance{of}, of which artifact `{name}` is required"
        )];
    }
    let mut missing = Vec::new();
    for instance in instances {
        for team in &instance.teams {
            let is_of = |check: &&Check| {
                check.instance.as_ref() == Some(&instance.name) && check.team.as_ref() == Some(team)
            };
            if !report
                .checks
                .iter()
                .filter(is_of)
                .any(|check| answers(check, name))
            {
                let instance = &instance.name;
                missing.push(format!(
                    "no check retrieved `{name}` of `{instance}` for `{team}`"
                ));
            }
        }
    }
    missing
}

/// An estate without instances lacks no kind of any of them: whoever requires one expects something there.
fn not_of_kind(report: &Report, kind: Kind) -> Vec<String> {
    let kind = kind.as_str();
    if report.instances.is_empty() {
        return vec![format!(
            "the inventory has no instance, and artifacts of kind `{kind}` are required"
        )];
    }
    let mut missing = Vec::new();
    for instance in &report.instances {
        let own: Vec<&str> = (instance.artifacts.iter())
            .filter(|artifact| artifact.kind == kind)
            .map(|artifact| artifact.name.as_str())
            .collect();
        for team in &instance.teams {
            let is_of = |check: &&Check| {
                check.instance.as_ref() == Some(&instance.name) && check.team.as_ref() == Some(team)
            };
            let mut checks = report.checks.iter().filter(is_of);
            if !checks.any(|check| is_of_kind(check, kind, &own)) {
                let instance = &instance.name;
                missing.push(format!(
                    "no check retrieved an artifact of kind `{kind}` of `{instance}` for `{team}`"
                ));
            }
        }
    }
    missing
}

fn is_of_kind(check: &Check, kind: &str, names: &[&str]) -> bool {
    let retrieved = || {
        let mut evidence = check.evidence.iter();
        evidence.any(|one| one.kind == kind && names.contains(&one.artifact.as_str()))
    };
    let claimed = || {
        let claims = check.steps.iter().flat_map(claims::of_step);
        let mut claims = claims.map(|claim| match claim {
            Claim::Artifact(artifact) => names.contains(&artifact.as_str()),
            Claim::Kind(claimed) => claimed.as_str() == kind,
        });
        claims.any(|is_it| is_it)
    };
    match check.outcome.as_str() {
        "failed" | "waived" => claimed() || retrieved(),
        _ => retrieved(),
    }
}

/// As `verdict` asks it of the four kinds: retrieved, or its absence is told by a check that failed or is waived.
fn answers(check: &Check, name: &str) -> bool {
    let retrieved = || check.evidence.iter().any(|one| fits(name, &one.artifact));
    let claimed = || {
        let claims = check.steps.iter().flat_map(claims::of_step);
        let mut artifacts = claims.filter_map(|claim| match claim {
            Claim::Artifact(artifact) => Some(artifact),
            Claim::Kind(_) => None,
        });
        artifacts.any(|artifact| fits(name, &artifact))
    };
    match check.outcome.as_str() {
        "failed" | "waived" => claimed() || retrieved(),
        _ => retrieved(),
    }
}
