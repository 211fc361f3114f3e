//! What differs between the environments although it works: versions, operating systems, configurations. What a
//! test environment proves of one version it does not prove of another.

use std::collections::{BTreeMap, BTreeSet};

use super::roles::{Roles, Subject};
use super::{Across, Finding, Kind};
use crate::report::schema::{Check, Report};

/// What was found of one instance.
#[derive(Default)]
struct Seen {
    /// By artifact.
    versions: BTreeMap<String, BTreeSet<String>>,
    /// By artifact and name of the file.
    digests: BTreeMap<String, BTreeSet<String>>,
    systems: BTreeSet<String>,
}

impl Seen {
    fn add<'c>(&mut self, report: &Report, host: &str, checks: impl Iterator<Item = &'c Check>) {
        for check in checks.filter(|check| check.outcome == "passed") {
            for one in &check.evidence {
                if let Some(version) = &one.version {
                    let of = self.versions.entry(one.artifact.clone()).or_default();
                    of.insert(version.clone());
                }
                if one.kind == "configuration" {
                    let file = one.path.rsplit('/').next().unwrap_or_default();
                    let of = self.digests.entry(format!("{} {file}", one.artifact));
                    of.or_default().insert(one.sha256.clone());
                }
            }
        }
        let host = report.hosts.iter().find(|one| one.name == host);
        if let Some(facts) = host.and_then(|host| host.facts.as_ref()) {
            self.systems
                .insert(format!("{}, {} {}", facts.os, facts.kernel, facts.machine));
        }
    }
}

pub(super) fn compare(across: &mut Across, roles: &Roles<'_>) {
    for subject in roles.subjects() {
        let Subject::Instance(name) = &subject else {
            continue;
        };
        let counterparts = roles.counterparts(&subject);
        let Some(here) = roles.instance_of_second(&subject) else {
            continue;
        };
        if counterparts.is_empty() {
            continue;
        }
        let (mut first, mut second) = (Seen::default(), Seen::default());
        for one in &counterparts {
            if let Some(instance) = roles.instance_of_first(one) {
                first.add(roles.first, &instance.host, roles.first_of(one));
            }
        }
        let own = roles.second.checks.iter();
        let own = own.filter(|check| check.instance.as_deref() == Some(name));
        second.add(roles.second, &here.host, own);
        let mut tell = |kind, what: String, there: &BTreeSet<String>, here: &BTreeSet<String>| {
            // With several counterparts it is enough to be as one of them.
            if here.is_subset(there) || there.is_empty() || here.is_empty() {
                return;
            }
            let finding = Finding::new(kind, what);
            let finding = finding.first(list(there)).second(list(here));
            across.findings.push(finding);
        };
        for (artifact, found) in &second.versions {
            if let Some(there) = first.versions.get(artifact) {
                tell(
                    Kind::Versions,
                    format!("{artifact} of {name}"),
                    there,
                    found,
                );
            }
        }
        tell(
            Kind::Versions,
            format!("operating system of {name}"),
            &first.systems,
            &second.systems,
        );
        for (file, found) in &second.digests {
            if let Some(there) = first.digests.get(file) {
                tell(
                    Kind::Configurations,
                    format!("{file} of {name}"),
                    there,
                    found,
                );
            }
        }
    }
}

fn list(set: &BTreeSet<String>) -> String {
    set.iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
