//! Who plays which role: subjects of the second environment beside those of the first, and checks that ask the
//! same although the names in them differ.

use std::collections::{BTreeMap, BTreeSet};

use super::Same;
use crate::report::diff::Incomparable;
use crate::report::schema::{Check, Instance, Report};
use crate::sign::manifest::portable_name;

/// What a check is about, its team aside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Instance(String),
    Host(String),
    Vendor(String),
    None,
}

impl Subject {
    fn of(check: &Check) -> Self {
        match (&check.instance, &check.host, &check.vendor) {
            (Some(name), ..) => Self::Instance(name.clone()),
            (None, Some(name), _) => Self::Host(name.clone()),
            (None, None, Some(name)) => Self::Vendor(name.clone()),
            (None, None, None) => Self::None,
        }
    }

    pub(super) fn say(&self) -> String {
        match self {
            Self::Instance(name) => format!("instance {name}"),
            Self::Host(name) => format!("host {name}"),
            Self::Vendor(name) => format!("vendor {name}"),
            Self::None => "no host".to_owned(),
        }
    }

    pub(super) fn say_with(&self, team: &str) -> String {
        match team.is_empty() {
            true => self.say(),
            false => format!("{} as {team}", self.say()),
        }
    }
}

/// What a check asks, whoever it asks: names of its own environment are left open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// As the second environment calls it; empty where there is none.
    pub team: String,
    feature: String,
    /// Its line, where both environments have the very same feature; else 0.
    line: u64,
    /// With its names left open.
    pub scenario: String,
}

/// Both runs by role.
pub(super) struct Roles<'a> {
    pub first: &'a Report,
    pub second: &'a Report,
    same: &'a Same,
    /// Features that are the same byte for byte.
    shared: BTreeSet<&'a str>,
    of_first: BTreeMap<Subject, Vec<&'a Check>>,
    of_second: BTreeMap<(Subject, Key), Vec<&'a Check>>,
    beside: BTreeMap<Subject, Vec<Subject>>,
    order: Vec<Subject>,
}

/// Whether each name is known on its own side.
pub(super) fn known(first: &Report, second: &Report, same: &Same) -> Result<(), Incomparable> {
    let names = |report: &Report| -> BTreeSet<String> {
        let mut names: BTreeSet<String> = BTreeSet::new();
        for instance in &report.instances {
            names.insert(instance.name.clone());
            names.extend(instance.teams.iter().cloned());
        }
        names.extend(report.hosts.iter().map(|host| host.name.clone()));
        for check in &report.checks {
            names.extend(check.team.iter().chain(&check.vendor).cloned());
        }
        names
    };
    for (side, report, named) in [
        ("first", first, same.keys().collect::<Vec<_>>()),
        ("second", second, same.values().collect()),
    ] {
        let names = names(report);
        if let Some(name) = named.into_iter().find(|name| !names.contains(*name)) {
            return Err(Incomparable::Unknown {
                name: name.clone(),
                side,
                meant: crate::text::did_you_mean(name, names.iter().map(String::as_str)),
            });
        }
    }
    Ok(())
}

impl<'a> Roles<'a> {
    pub(super) fn of(first: &'a Report, second: &'a Report, same: &'a Same) -> Self {
        let features = |report: &'a Report| {
            let features: BTreeSet<&str> = report.checks.iter().map(|one| &*one.feature).collect();
            features
        };
        let digest = |report: &Report, feature: &str| {
            let path = format!("inputs/{}", portable_name(feature));
            let input = report.inputs.iter().find(|input| input.path == path);
            input.map(|input| input.sha256.clone())
        };
        let shared = features(first).into_iter().filter(|feature| {
            let was = digest(first, feature);
            was.is_some() && was == digest(second, feature)
        });
        let mut roles = Self {
            first,
            second,
            same,
            shared: shared.collect(),
            of_first: BTreeMap::new(),
            of_second: BTreeMap::new(),
            beside: BTreeMap::new(),
            order: Vec::new(),
        };
        for check in &first.checks {
            let checks = roles.of_first.entry(Subject::of(check)).or_default();
            checks.push(check);
        }
        for check in &second.checks {
            let subject = Subject::of(check);
            let team = check.team.clone().unwrap_or_default();
            let key = roles.key(check, second, team);
            let at = (subject.clone(), key);
            roles.of_second.entry(at).or_default().push(check);
            if !roles.order.contains(&subject) {
                roles.order.push(subject);
            }
        }
        // An instance is there, whether somebody checks it or not.
        for instance in &second.instances {
            let subject = Subject::Instance(instance.name.clone());
            if !roles.order.contains(&subject) {
                roles.order.push(subject);
            }
        }
        for instance in &first.instances {
            let subject = Subject::Instance(instance.name.clone());
            roles.of_first.entry(subject).or_default();
        }
        for subject in roles.order.clone() {
            let found = roles.pair(&subject);
            roles.beside.insert(subject, found);
        }
        roles
    }

    /// What the second environment calls it.
    pub(super) fn renamed(&self, name: &str) -> String {
        self.same
            .get(name)
            .cloned()
            .unwrap_or_else(|| name.to_owned())
    }

    fn key(&self, check: &Check, report: &Report, team: String) -> Key {
        let is_shared = self.shared.contains(check.feature.as_str());
        Key {
            team,
            feature: check.feature.clone(),
            line: if is_shared { check.line } else { 0 },
            scenario: open(&check.scenario, check, report),
        }
    }

    pub(super) fn key_of_first(&self, check: &Check) -> Key {
        let team = check.team.as_deref().map(|team| self.renamed(team));
        self.key(check, self.first, team.unwrap_or_default())
    }

    /// Of the second environment, in the order of its plan.
    pub(super) fn subjects(&self) -> Vec<Subject> {
        self.order.clone()
    }

    pub(super) fn counterparts(&self, subject: &Subject) -> Vec<Subject> {
        self.beside.get(subject).cloned().unwrap_or_default()
    }

    pub(super) fn first_of(&self, subject: &Subject) -> impl Iterator<Item = &'a Check> + '_ {
        self.of_first.get(subject).into_iter().flatten().copied()
    }

    pub(super) fn second_of(
        &self,
        subject: &Subject,
        key: &Key,
    ) -> impl Iterator<Item = &'a Check> + '_ {
        let at = (subject.clone(), key.clone());
        self.of_second.get(&at).into_iter().flatten().copied()
    }

    pub(super) fn instance_of_first(&self, subject: &Subject) -> Option<&'a Instance> {
        instance(self.first, subject)
    }

    pub(super) fn instance_of_second(&self, subject: &Subject) -> Option<&'a Instance> {
        instance(self.second, subject)
    }

    /// Of the first environment, what stands beside nothing.
    pub(super) fn unplaced(&self) -> Vec<Subject> {
        let placed: BTreeSet<&Subject> = self.beside.values().flatten().collect();
        let all = self.of_first.keys().filter(|one| !placed.contains(one));
        all.cloned().collect()
    }

    /// What the scenario asks in the first environment and not in the second.
    pub(super) fn missing_steps(&self, there: &Check, here: &Check) -> Vec<String> {
        let opened = |check: &Check, report: &Report| -> Vec<String> {
            let steps = check.steps.iter();
            steps.map(|step| open(&step.text, check, report)).collect()
        };
        let mut left = opened(here, self.second);
        let mut missing = Vec::new();
        for step in opened(there, self.first) {
            match left.iter().position(|one| *one == step) {
                Some(at) => drop(left.remove(at)),
                None => missing.push(step),
            }
        }
        missing
    }

    /// By name, as it is or as somebody says it is called there; else all that have the same role and no
    /// namesake of their own.
    fn pair(&self, subject: &Subject) -> Vec<Subject> {
        let is_namesake = |one: &Subject| match (one, subject) {
            (Subject::Instance(there), Subject::Instance(here)) => {
                self.renamed(there) == *here
                    && (self.same.contains_key(there)
                        || instance(self.first, one).map(|one| &one.product)
                            == instance(self.second, subject).map(|one| &one.product))
            }
            (Subject::Host(there), Subject::Host(here))
            | (Subject::Vendor(there), Subject::Vendor(here)) => self.renamed(there) == *here,
            (Subject::None, Subject::None) => true,
            _ => false,
        };
        let all = self.of_first.keys();
        let namesakes: Vec<Subject> = all
            .clone()
            .filter(|one| is_namesake(one))
            .cloned()
            .collect();
        if !namesakes.is_empty() {
            return namesakes;
        }
        let has_role = |one: &Subject| match (one, subject) {
            (Subject::Instance(there), Subject::Instance(_)) => {
                !self.same.contains_key(there)
                    && instance(self.first, one).map(|one| &one.product)
                        == instance(self.second, subject).map(|one| &one.product)
            }
            (Subject::Host(there), Subject::Host(here)) => {
                !self.same.contains_key(there)
                    && products(self.first, there) == products(self.second, here)
            }
            _ => false,
        };
        all.filter(|one| has_role(one)).cloned().collect()
    }
}

fn instance<'a>(report: &'a Report, subject: &Subject) -> Option<&'a Instance> {
    match subject {
        Subject::Instance(name) => report.instances.iter().find(|one| one.name == *name),
        _ => None,
    }
}

/// What runs on a host is its role.
fn products<'a>(report: &'a Report, host: &str) -> BTreeSet<&'a str> {
    let on_it = report.instances.iter().filter(|one| one.host == host);
    on_it.map(|one| one.product.as_str()).collect()
}

/// `text` without the names that its own environment gives.
fn open(text: &str, check: &Check, report: &Report) -> String {
    let mut open = text.to_owned();
    for (name, placeholder) in [
        (check.instance.as_deref(), "<instance>"),
        (check.host.as_deref(), "<host>"),
        (check.team.as_deref(), "<team>"),
        (check.vendor.as_deref(), "<vendor>"),
        (Some(report.run.scope.environment.as_str()), "<environment>"),
    ] {
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            open = replaced(&open, name, placeholder);
        }
    }
    open
}

/// Whole words alone: `orders` is no part of `reorders` or `orders-2`.
fn replaced(text: &str, name: &str, placeholder: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || "-_.<>".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, behind) = (&rest[..at], &rest[at + name.len()..]);
        let last = before
            .chars()
            .next_back()
            .or_else(|| out.chars().next_back());
        let is_whole = !last.is_some_and(is_word) && !behind.chars().next().is_some_and(is_word);
        out.push_str(before);
        out.push_str(if is_whole { placeholder } else { name });
        rest = behind;
    }
    out + rest
}
