//! Two runs of two environments, such as staging and production: what works in the first and not in the second.
//! Names differ between environments, so that roles are compared: an instance stands beside the one of its
//! name, or of the name that somebody says is its own, else beside all of its product.

mod differs;
mod roles;
pub mod show;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::checks::{is_failed, outcome};
use super::{Incomparable, Side, Told, told, warnings};
use crate::report::phrases;
use crate::report::schema::Check;
use roles::{Key, Roles, Subject};

/// Names of the first environment, each with what the second one calls the same.
pub type Same = BTreeMap<String, String>;

/// What kind of finding a list holds; the order is the one that every format tells them in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Passes in the first, and not in the second.
    Works,
    /// The first has it, the second does not.
    Lacks,
    /// Another version of product or operating system.
    Versions,
    /// Another configuration.
    Configurations,
    /// The second has what was never tried in the first.
    Untried,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Works,
        Self::Lacks,
        Self::Versions,
        Self::Configurations,
        Self::Untried,
    ];

    /// Its key in JSON.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Works => "works_in_first_only",
            Self::Lacks => "lacking_in_second",
            Self::Versions => "versions",
            Self::Configurations => "configurations",
            Self::Untried => "never_tried_in_first",
        }
    }

    /// Its title for people.
    #[must_use]
    pub fn title(self, first: &str, second: &str) -> String {
        match self {
            Self::Works => format!("works in {first}, not in {second}"),
            Self::Lacks => format!("{first} has it, {second} does not"),
            Self::Versions => "versions that differ".to_owned(),
            Self::Configurations => "configurations that differ".to_owned(),
            Self::Untried => format!("in {second}, never tried in {first}"),
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which list it belongs to.
    pub kind: Kind,
    /// Whether the second environment falls short of what the first one proves.
    pub worse: bool,
    /// What it is about.
    pub what: String,
    /// As it is in the first.
    pub first: Option<String>,
    /// As it is in the second.
    pub second: Option<String>,
    /// What to do about it, or empty.
    pub hint: String,
}

impl Finding {
    fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self {
            kind,
            worse: false,
            what: what.into(),
            first: None,
            second: None,
            hint: String::new(),
        }
    }

    fn first(mut self, words: impl Into<String>) -> Self {
        self.first = Some(words.into());
        self
    }

    fn second(mut self, words: impl Into<String>) -> Self {
        self.second = Some(words.into());
        self
    }

    fn worse_if(mut self, worse: bool) -> Self {
        self.worse = worse;
        self
    }
}

/// What two environments have and have not in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Across {
    /// The run of the first environment.
    pub first: Told,
    /// The run of the second one.
    pub second: Told,
    /// What its reader must know beside the findings.
    pub warnings: Vec<String>,
    /// How many checks pass in both.
    pub both: usize,
    /// In the order of [`Kind::ALL`].
    pub findings: Vec<Finding>,
}

impl Across {
    /// Compares the run of a first environment, where things are tried, with that of a second, where they must
    /// work. `same` names what only looks different.
    ///
    /// # Errors
    /// When the runs are no such pair, or `same` names what neither has.
    pub fn of(first: Side<'_>, second: Side<'_>, same: &Same) -> Result<Self, Incomparable> {
        let (was, is) = (&first.report.run, &second.report.run);
        if was.id == is.id {
            return Err(Incomparable::Same(was.id.clone()));
        }
        if was.scope.environment == is.scope.environment {
            return Err(Incomparable::OneEnvironment(was.scope.environment.clone()));
        }
        roles::known(first.report, second.report, same)?;
        let mut across = Self {
            first: told(first),
            second: told(second),
            warnings: warnings(
                (&was.scope.environment, first),
                (&is.scope.environment, second),
            ),
            both: 0,
            findings: Vec::new(),
        };
        let roles = Roles::of(first.report, second.report, same);
        for subject in roles.subjects() {
            across.subject(&roles, &subject);
        }
        across.unplaced(&roles);
        differs::compare(&mut across, &roles);
        // Stable: within a kind the order of the plan stays.
        across.findings.sort_by_key(|one| one.kind);
        Ok(across)
    }

    /// Whether something works in the first environment and not in the second.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.findings.iter().any(|one| one.worse)
    }

    /// The findings of that kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |one| one.kind == kind)
    }

    /// The sum in one line.
    #[must_use]
    pub fn say(&self) -> String {
        let (first, second) = (&self.first.environment, &self.second.environment);
        let worse = |kind| self.of_kind(kind).filter(|one| one.worse).count();
        match (worse(Kind::Works), worse(Kind::Lacks)) {
            (0, 0) => format!("whatever works in {first} works in {second}"),
            (works, lacks) => {
                format!("{works} work in {first} and not in {second}; {lacks} lacking in {second}")
            }
        }
    }

    /// One subject of the second environment, beside its counterparts in the first.
    fn subject(&mut self, roles: &Roles<'_>, subject: &Subject) {
        let counterparts = roles.counterparts(subject);
        if counterparts.is_empty() {
            if !matches!(subject, Subject::None) {
                let finding = Finding::new(Kind::Untried, subject.say());
                let hint = "--same FIRST=SECOND says what is called otherwise there";
                self.findings.push(Finding {
                    hint: hint.to_owned(),
                    ..finding
                });
            }
            return;
        }
        let gone = self.teams_and_artifacts(roles, subject, &counterparts);
        let mut seen: BTreeSet<Key> = BTreeSet::new();
        for check in counterparts.iter().flat_map(|one| roles.first_of(one)) {
            let key = roles.key_of_first(check);
            if gone.contains(&key.team) || !seen.insert(key.clone()) {
                continue;
            }
            // It works there if it works for one of them.
            let all = counterparts.iter().flat_map(|one| roles.first_of(one));
            let mut passed =
                all.filter(|one| one.outcome == "passed" && roles.key_of_first(one) == key);
            let tried = passed.next();
            self.check(
                roles,
                subject,
                &key,
                tried.unwrap_or(check),
                tried.is_some(),
            );
        }
    }

    fn check(
        &mut self,
        roles: &Roles<'_>,
        subject: &Subject,
        key: &Key,
        tried: &Check,
        works: bool,
    ) {
        let here: Vec<&Check> = roles.second_of(subject, key).collect();
        let first = format!(
            "{}: {} ({})",
            tried.outcome,
            tried.scenario,
            phrases::about(tried)
        );
        if here.is_empty() {
            let what = format!("{}: scenario {}", subject.say_with(&key.team), key.scenario);
            self.findings
                .push(Finding::new(Kind::Lacks, what).first(first).worse_if(works));
            return;
        }
        for check in here {
            if works && check.outcome != "passed" {
                let what = format!("{} ({})", check.id, check.scenario);
                let finding = Finding::new(Kind::Works, what)
                    .first(first.clone())
                    .second(outcome(check))
                    .worse_if(true);
                let failure = check.failure.as_ref();
                let hint = failure.map_or(String::new(), |failure| failure.hint.clone());
                self.findings.push(Finding { hint, ..finding });
            } else if works {
                self.both += 1;
            } else if is_failed(check) {
                // Fails in both: the newer run's own verdict tells of it.
                continue;
            }
            for step in roles.missing_steps(tried, check) {
                let what = format!("step of {} ({})", check.id, check.scenario);
                let finding = Finding::new(Kind::Lacks, what).first(step);
                self.findings.push(finding.worse_if(works));
            }
        }
    }

    /// Teams and artifacts that the counterparts have; the teams that are not here.
    fn teams_and_artifacts(
        &mut self,
        roles: &Roles<'_>,
        subject: &Subject,
        counterparts: &[Subject],
    ) -> BTreeSet<String> {
        let mut gone = BTreeSet::new();
        let Some(here) = roles.instance_of_second(subject) else {
            return gone;
        };
        let there = counterparts
            .iter()
            .filter_map(|one| roles.instance_of_first(one));
        let there: Vec<_> = there.collect();
        let teams: BTreeSet<String> = (there.iter())
            .flat_map(|one| one.teams.iter().map(|team| roles.renamed(team)))
            .collect();
        for team in teams {
            if !here.teams.contains(&team) {
                let what = format!("{}: team {team}", subject.say());
                self.findings
                    .push(Finding::new(Kind::Lacks, what).worse_if(true));
                gone.insert(team);
            }
        }
        let artifacts: BTreeSet<(&str, &str)> = (there.iter())
            .flat_map(|one| one.artifacts.iter())
            .map(|one| (one.name.as_str(), one.kind.as_str()))
            .collect();
        for (name, kind) in artifacts {
            if !here.artifacts.iter().any(|one| one.name == name) {
                let what = format!("{}: artifact {name} ({kind})", subject.say());
                let was_fetched =
                    counterparts
                        .iter()
                        .flat_map(|one| roles.first_of(one))
                        .any(|check| {
                            check.outcome == "passed"
                                && check.evidence.iter().any(|one| one.artifact == name)
                        });
                self.findings
                    .push(Finding::new(Kind::Lacks, what).worse_if(was_fetched));
            }
        }
        gone
    }

    /// What the first environment has and nothing of the second stands beside.
    fn unplaced(&mut self, roles: &Roles<'_>) {
        for subject in roles.unplaced() {
            let passed = roles
                .first_of(&subject)
                .any(|check| check.outcome == "passed");
            let finding = Finding::new(Kind::Lacks, subject.say()).worse_if(passed);
            let hint = "--same FIRST=SECOND says what is called otherwise there";
            self.findings.push(Finding {
                hint: hint.to_owned(),
                ..finding
            });
        }
    }
}
