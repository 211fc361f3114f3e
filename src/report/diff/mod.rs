//! What changed between two runs. One value, of which each format is a function; it judges neither run:
//! that is done before, by the facts of each.

pub mod across;
mod checks;
mod estate;
mod evidence;
pub mod json;
pub mod markdown;
pub(in crate::report) mod pairs;
pub mod text;

use super::schema::Report;
use crate::sign::allowed_signers::Signer;
use crate::verdict::{Decision, Verdict};

/// One of the two runs, read and judged anew.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// Its record.
    pub report: &'a Report,
    /// Its verdict, by its recorded facts.
    pub verdict: &'a Verdict,
    /// Who signed it; `None` when that was not checked.
    pub signer: Option<&'a Signer>,
}

/// One of the two runs, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its id.
    pub run: String,
    /// What it is about.
    pub environment: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// By its recorded facts.
    pub verdict: Decision,
    /// `identity (fingerprint)`; `None` when nobody was asked for.
    pub signer: Option<String>,
}

/// What kind of change a list holds; the order is the one that every format tells them in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The verdict, or a reason for it.
    Verdict,
    /// Failed, and did not before.
    NewlyFailing,
    /// Passed before; now waived, or waiting for a person.
    NoLongerPassing,
    /// A check that is not there any more, or asks for less.
    VanishedChecks,
    /// A host, instance, team or artifact that is not there any more.
    VanishedParts,
    /// Failed in another way before.
    FailingOtherwise,
    /// Failed before, and passes.
    NewlyPassing,
    /// Checks that were not there before, or ask for more.
    NewChecks,
    /// Hosts, instances, teams and artifacts that were not there before.
    NewParts,
    /// Another address, key, identity, server or client of the same host.
    Hosts,
    /// Another version, configuration, size, time or span of the same artifact.
    Evidence,
    /// Inventory, features, profiles: what was asked, and by which gonogo.
    Inputs,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Verdict,
        Self::NewlyFailing,
        Self::NoLongerPassing,
        Self::VanishedChecks,
        Self::VanishedParts,
        Self::FailingOtherwise,
        Self::NewlyPassing,
        Self::NewChecks,
        Self::NewParts,
        Self::Hosts,
        Self::Evidence,
        Self::Inputs,
    ];

    /// Its key in JSON.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::NewlyFailing => "newly_failing",
            Self::NoLongerPassing => "no_longer_passing",
            Self::VanishedChecks => "vanished_checks",
            Self::VanishedParts => "vanished_parts",
            Self::FailingOtherwise => "failing_otherwise",
            Self::NewlyPassing => "newly_passing",
            Self::NewChecks => "new_checks",
            Self::NewParts => "new_parts",
            Self::Hosts => "hosts",
            Self::Evidence => "evidence",
            Self::Inputs => "inputs",
        }
    }

    /// Its title for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::NewlyFailing => "newly failing",
            Self::NoLongerPassing => "no longer passing",
            Self::VanishedChecks => "vanished checks and steps",
            Self::VanishedParts => "vanished hosts, instances, teams and artifacts",
            Self::FailingOtherwise => "still failing, in another way",
            Self::NewlyPassing => "newly passing",
            Self::NewChecks => "new checks and steps",
            Self::NewParts => "new hosts, instances, teams and artifacts",
            Self::Hosts => "hosts that changed",
            Self::Evidence => "evidence that changed",
            Self::Inputs => "inputs that changed",
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which list it belongs to.
    pub kind: Kind,
    /// Whether it makes the new run worse than the old one.
    pub worse: bool,
    /// What changed: the id of a check, `host ny4-1: host key`.
    pub what: String,
    /// As it was; `None` when it was not there.
    pub was: Option<String>,
    /// As it is; `None` when it is not there.
    pub is: Option<String>,
    /// What to do about it, or empty.
    pub hint: String,
}

impl Change {
    fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self {
            kind,
            worse: false,
            what: what.into(),
            was: None,
            is: None,
            hint: String::new(),
        }
    }

    fn from(mut self, was: impl Into<String>) -> Self {
        self.was = Some(was.into());
        self
    }

    fn to(mut self, is: impl Into<String>) -> Self {
        self.is = Some(is.into());
        self
    }

    fn worse(mut self) -> Self {
        self.worse = true;
        self
    }
}

/// Why two runs cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// The same run twice.
    #[error("both are run {0}")]
    Same(String),
    /// The first one is the newer one.
    #[error("the first run finished at {old}, after the second one at {new}")]
    Order {
        /// When the first one finished.
        old: String,
        /// When the second one finished.
        new: String,
    },
    /// Not about the same thing.
    #[error("the first run is about environment `{old}`, the second about `{new}`")]
    Environment {
        /// Of the first one.
        old: String,
        /// Of the second one.
        new: String,
    },
    /// Two environments were to be compared.
    #[error("both runs are about environment `{0}`")]
    OneEnvironment(String),
    /// A name that one of the runs does not have.
    #[error("the {side} run knows no `{name}` {meant}")]
    Unknown {
        /// The name.
        name: String,
        /// `first` or `second`.
        side: &'static str,
        /// What may have been meant.
        meant: String,
    },
}

impl Incomparable {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Same(_) => "name the older run first, then the newer one",
            Self::Order { .. } => "swap them: the older run comes first",
            Self::Environment { .. } => {
                "compare two runs of one environment; --environments compares two environments by role"
            }
            Self::OneEnvironment(_) => "leave --environments out: these are two runs of one",
            Self::Unknown { .. } => {
                "write --same FIRST=SECOND: an instance, host, team or vendor of the first run, and what the second calls it"
            }
        }
    }
}

/// What changed from an old run to a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// The old run.
    pub old: Told,
    /// The new run.
    pub new: Told,
    /// What its reader must know beside the changes.
    pub warnings: Vec<String>,
    /// How many checks are as they were, failing ones included.
    pub unchanged: usize,
    /// How many of them fail, as before.
    pub still_failing: usize,
    /// Every change, in the order of [`Kind`], worst first within.
    pub changes: Vec<Change>,
}

impl Diff {
    /// Compares two runs of one environment.
    ///
    /// # Errors
    /// When they are the same run, in the wrong order, or about different environments.
    pub fn of(old: Side<'_>, new: Side<'_>) -> Result<Self, Incomparable> {
        comparable(old.report, new.report)?;
        let mut diff = Self {
            old: told(old),
            new: told(new),
            warnings: warnings(("old", old), ("new", new)),
            unchanged: 0,
            still_failing: 0,
            changes: Vec::new(),
        };
        let pairs = pairs::pair(old.report, new.report);
        verdict(&mut diff, old.verdict, new.verdict);
        checks::compare(&mut diff, &pairs);
        estate::compare(&mut diff, old.report, new.report);
        evidence::compare(&mut diff, old.report, new.report);
        // Stable: within a kind the order of the plan stays.
        diff.changes.sort_by_key(|change| change.kind);
        Ok(diff)
    }

    /// Whether something is worse than it was.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.changes.iter().any(|change| change.worse)
    }

    /// The changes of that kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Change> {
        self.changes
            .iter()
            .filter(move |change| change.kind == kind)
    }

    /// `worse: 2 newly failing, 1 vanished checks and steps`, or `nothing got worse`.
    #[must_use]
    pub fn say(&self) -> String {
        let counts = Kind::ALL.into_iter().filter_map(|kind| {
            let worse = self.of_kind(kind).filter(|change| change.worse).count();
            (worse > 0).then(|| format!("{worse} {}", kind.title()))
        });
        let counts: Vec<_> = counts.collect();
        match counts.is_empty() {
            true => "nothing got worse".to_owned(),
            false => format!("worse: {}", counts.join("; ")),
        }
    }
}

fn comparable(old: &Report, new: &Report) -> Result<(), Incomparable> {
    let (was, is) = (&old.run, &new.run);
    if was.id == is.id {
        return Err(Incomparable::Same(was.id.clone()));
    }
    let (before, after) = (&was.scope.environment, &is.scope.environment);
    if before != after {
        return Err(Incomparable::Environment {
            old: before.clone(),
            new: after.clone(),
        });
    }
    let time = |text: &str| text.parse::<jiff::Timestamp>().ok();
    if time(&was.finished) > time(&is.finished) {
        return Err(Incomparable::Order {
            old: was.finished.clone(),
            new: is.finished.clone(),
        });
    }
    Ok(())
}

fn told(side: Side<'_>) -> Told {
    let run = &side.report.run;
    let signer = side
        .signer
        .map(|signer| format!("{} ({})", signer.identity, signer.fingerprint));
    Told {
        run: run.id.clone(),
        environment: run.scope.environment.clone(),
        finished: run.finished.clone(),
        verdict: side.verdict.decision,
        signer,
    }
}

fn warnings(old: (&str, Side<'_>), new: (&str, Side<'_>)) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, side) in [old, new] {
        let run = &side.report.run;
        if let Some(why) = &run.aborted {
            warnings.push(format!("the {name} run was ended early: {why}"));
        }
        if run.scope.partial {
            let filters = run.scope.filters.join(" ");
            warnings.push(format!(
                "the {name} run is partial ({filters}): what it left out is told as not there"
            ));
        }
        if let Some(shard) = &run.scope.shard {
            let shard = shard.name();
            warnings.push(format!(
                "the {name} run is shard {shard} alone: what the others have is told as not there"
            ));
        }
        if side.report.verdict.decision != side.verdict.decision.as_str() {
            warnings.push(format!(
                "the {name} run states {}, its recorded facts give {}",
                side.report.verdict.decision,
                side.verdict.decision.as_str()
            ));
        }
    }
    warnings
}

fn verdict(diff: &mut Diff, old: &Verdict, new: &Verdict) {
    let rank = |decision| match decision {
        Decision::Go => 0,
        Decision::Hold => 1,
        Decision::NoGo => 2,
    };
    if old.decision != new.decision {
        let change = Change::new(Kind::Verdict, "verdict")
            .from(old.decision.as_str())
            .to(new.decision.as_str());
        diff.changes
            .push(match rank(new.decision) > rank(old.decision) {
                true => change.worse(),
                false => change,
            });
    }
    for reason in new
        .reasons
        .iter()
        .filter(|reason| !old.reasons.contains(reason))
    {
        diff.changes
            .push(Change::new(Kind::Verdict, "reason").to(reason));
    }
    for reason in old
        .reasons
        .iter()
        .filter(|reason| !new.reasons.contains(reason))
    {
        diff.changes
            .push(Change::new(Kind::Verdict, "reason").from(reason));
    }
}

#[cfg(test)]
mod tests;
