//! `policy.yaml`: what `verify` demands of a run, in one file that is reviewed. Read as strictly as an inventory,
//! all problems at once. Knows no run: what one lacks is said where it is judged; `say` tells in plain words what
//! is demanded, and what is not.

mod bound;
mod drill;
mod read;
mod say;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;

use super::Kind;
use super::page::Page;
use super::waivers::matches;
use super::yaml;
use crate::digest::Sha256;
use crate::failure::FailureKind;
use crate::problem::{Place, Problem, Problems};

/// No policy that people review comes near it.
const MOST_BYTES: u64 = 1 << 20;

/// What `verify` demands of a run. What is `None` or empty is not demanded.
#[derive(Clone, Debug)]
pub struct Policy {
    /// As the user named it.
    pub path: PathBuf,
    /// Its bytes as read.
    pub bytes: Vec<u8>,
    /// SHA-256 of `bytes`.
    pub digest: Sha256,
    /// What the run must be about.
    pub environment: String,
    /// Most time since it finished.
    pub max_age: Duration,
    /// Who may have signed it, of those whom `--allowed-signers` lets sign.
    pub signers: Vec<String>,
    /// Who may have signed the shards of a merged run, of those whom `--allowed-signers` lets sign.
    pub shard_signers: Vec<String>,
    /// The revocation list.
    pub revoked: Option<PathBuf>,
    /// Who may approve waivers and runs.
    pub approvers: Option<PathBuf>,
    /// How many must have approved the run.
    pub approvals: Option<usize>,
    /// Who may answer what only a person can answer.
    pub answerers: Option<PathBuf>,
    /// Most time from the end of the run to an answer.
    pub answered_within: Option<Duration>,
    /// The inventory that it must have used.
    pub inventory: Option<PathBuf>,
    /// The features that it must have used.
    pub features: Vec<PathBuf>,
    /// The commit that it must be for.
    pub commit: Option<Bound>,
    /// The release that it must be for.
    pub release: Option<Bound>,
    /// The time of go-live that it must be for, in UTC.
    pub go_live: Option<Bound>,
    /// Whether the words of a challenge must be asked for.
    pub challenge: bool,
    /// Which gonogo may have made it.
    pub tool: Tool,
    /// The older versions whose runs are taken all the same, although less of them is compared.
    pub accept_versions: Vec<String>,
    /// What must be in it.
    pub required: Required,
    /// Which waivers are accepted.
    pub waivers: Waived,
    /// How often checks may have been tried.
    pub retries: Retries,
    /// The time stamp that it must have.
    pub time_stamp: Option<TimeStamp>,
    /// The folder of all runs, of which it must be the newest.
    pub history: Option<Folder>,
    /// Whether what was in the last GO must be in it.
    pub coverage: Option<Coverage>,
    /// The rehearsal that there must have been.
    pub drill: Option<Rehearsed>,
    places: BTreeMap<&'static str, Problem>,
}

/// What a run is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Whatever the command line names; it must name one.
    Named,
    /// This one.
    To(String),
}

/// Which gonogo may have made the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tool {
    /// The oldest version.
    pub oldest: Option<[u64; 3]>,
    /// The only versions.
    pub versions: Vec<String>,
    /// SHA-256 of the only binaries.
    pub binaries: Vec<String>,
}

/// What must be in the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Required {
    /// Tags, without `@`.
    pub tags: Vec<String>,
    /// Instances that a check is about.
    pub instances: Vec<String>,
    /// Hosts that a check is about.
    pub hosts: Vec<String>,
    /// Teams that a check is of.
    pub teams: Vec<String>,
    /// Kinds of artifact that must have been retrieved of every instance; there must be one.
    pub kinds: Vec<Kind>,
    /// Artifacts beyond the four kinds.
    pub artifacts: Vec<Artifact>,
    /// Scenarios.
    pub scenarios: Vec<Scenario>,
}

/// An artifact that must have been retrieved of each instance it is demanded of, by each of its teams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its name, or a pattern.
    pub name: String,
    /// Of which instances; all when nothing is said.
    pub instance: Option<String>,
}

/// A scenario that must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Its name, placeholders filled, or a pattern.
    pub name: String,
    /// Path of its feature, or a pattern.
    pub feature: Option<String>,
    /// Least checks of it.
    pub at_least: usize,
}

/// Which waivers are accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waived {
    /// None at all.
    pub none: bool,
    /// Most waivers that cover something.
    pub most: Option<usize>,
    /// Most checks that are covered.
    pub most_checks: Option<usize>,
    /// Most days that one holds.
    pub most_days: Option<usize>,
    /// Kinds of failure that are never waived.
    pub never_kinds: Vec<FailureKind>,
    /// Tags, without `@`, of checks that are never waived.
    pub never_tags: Vec<String>,
    /// Scenarios that are never waived, as patterns.
    pub never_scenarios: Vec<String>,
}

/// How often checks may have been tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retries {
    /// Most checks that were tried more than once.
    pub most_checks: Option<usize>,
    /// Most attempts of one check.
    pub most_attempts: Option<usize>,
    /// Whether a run that restates another one is refused.
    pub no_restating: bool,
}

/// The time stamp that the run must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeStamp {
    /// Root certificates of the authorities.
    pub tsa_ca: PathBuf,
    /// Most time from the end of the run to its stamp.
    pub within: Option<Duration>,
}

/// The folder of all runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folder {
    /// Whichever the command line names; it must name one.
    Named,
    /// This one.
    At(PathBuf),
}

/// The support process must have been rehearsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsed {
    /// Most time since it began.
    pub within: Duration,
    /// The folder of all drills.
    pub drills: Folder,
    /// Who may sign drills off; whom the command line names, when it is `None`.
    pub people: Option<PathBuf>,
    /// With whom; with every vendor of the run's inventory when it is nobody.
    pub vendors: Vec<String>,
}

/// What was in the last GO must be in the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Whether there must have been a GO before.
    pub must_exist: bool,
    /// Older runs are not looked at.
    pub since: Option<Date>,
    /// What is not asked for any more.
    pub retired: Vec<Retired>,
}

/// Something that is not asked for any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retired {
    /// What it means; what is `None` narrows nothing. `*` and `?` may stand in each.
    pub what: Selector,
    /// Why.
    pub reason: String,
    /// From which day on.
    pub from: Date,
}

/// What an entry of `retired` selects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Path of a feature.
    pub feature: Option<String>,
    /// Name of a scenario, placeholders filled.
    pub scenario: Option<String>,
    /// Text of a step, placeholders filled: the check stays and asks for less.
    pub step: Option<String>,
    /// An instance, and all checks about it.
    pub instance: Option<String>,
    /// A host, and all checks about it.
    pub host: Option<String>,
    /// A team, and all its checks.
    pub team: Option<String>,
}

/// Something that was in an earlier run and is not in this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each field is what a selector of that name means"
)]
pub struct Lost<'a> {
    pub feature: Option<&'a str>,
    pub scenario: Option<&'a str>,
    pub step: Option<&'a str>,
    pub instance: Option<&'a str>,
    pub host: Option<&'a str>,
    pub team: Option<&'a str>,
}

impl Selector {
    fn keys(&self) -> [(&'static str, Option<&str>); 6] {
        [
            ("feature", self.feature.as_deref()),
            ("scenario", self.scenario.as_deref()),
            ("step", self.step.as_deref()),
            ("instance", self.instance.as_deref()),
            ("host", self.host.as_deref()),
            ("team", self.team.as_deref()),
        ]
    }

    /// Whether it means that. Only one with `step` means a step: to retire an instance lets no check of it ask
    /// for less.
    #[must_use]
    pub fn means(&self, lost: &Lost<'_>) -> bool {
        let names = [
            lost.feature,
            lost.scenario,
            lost.step,
            lost.instance,
            lost.host,
            lost.team,
        ];
        let mut pairs = self.keys().into_iter().zip(names);
        self.step.is_some() == lost.step.is_some()
            && pairs.all(|((_, pattern), name)| match (pattern, name) {
                (None, _) => true,
                (Some(pattern), Some(name)) => matches(pattern, name),
                (Some(_), None) => false,
            })
    }
}

/// Whether a name fits a pattern in which `*` stands for any characters, `?` for one.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    matches(pattern, name)
}

impl Policy {
    /// Who may have signed the shards of a merged run; whoever `--allowed-signers` lets sign, when it is nobody. Who
    /// may sign runs, where nothing else is said: a policy that was written before its run had shards must not let
    /// in whom it keeps out.
    #[must_use]
    pub fn who_signs_shards(&self) -> &[String] {
        match self.shard_signers.is_empty() {
            true => &self.signers,
            false => &self.shard_signers,
        }
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// Every problem at once; that it cannot be read is one too.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let whole = |message: String| {
            let problem = Problem::new(Place::whole(path), message);
            Problems::from(problem.with_hint("name a policy with `--policy`"))
        };
        match std::fs::metadata(path) {
            Ok(found) if !found.is_file() => Err(whole("this is no policy".to_owned())),
            Ok(found) if found.len() > MOST_BYTES => {
                Err(whole("this is too large to be a policy".to_owned()))
            }
            _ => match std::fs::read(path) {
                Ok(bytes) => Self::parse(path, bytes),
                Err(error) => Err(whole(format!("cannot read the policy: {error}"))),
            },
        }
    }

    /// Reads a policy from `bytes`; `path` names it in problems, and relative paths start from its folder.
    ///
    /// # Errors
    /// Every problem at once, in the order of the file.
    pub fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, Problems> {
        let text = super::utf8(path, &bytes)?;
        let mut page = Page::new(path, text);
        let root = yaml::read(text, &mut page);
        if root.as_ref().is_none_or(yaml::Node::is_null) && page.refusals() == 0 {
            let problem = Problem::new(Place::whole(path), "the policy demands nothing");
            let hint = "begin with `environment: production` and `max_age: 24h`";
            return Err(problem.with_hint(hint).into());
        }
        let policy = root.and_then(|root| read::policy(&mut page, &root));
        let problems = page.into_problems();
        match policy {
            Some(mut policy) if problems.is_empty() => {
                policy.path = path.to_owned();
                policy.digest = Sha256::of(&bytes);
                policy.bytes = bytes;
                Ok(policy)
            }
            _ => Err(problems.into()),
        }
    }

    /// A problem where that key is written.
    #[must_use]
    pub fn problem(&self, key: &str, message: impl Into<String>, hint: &str) -> Problem {
        let place = self.places.get(key).cloned();
        let mut problem = place.unwrap_or_else(|| Problem::new(Place::whole(&self.path), ""));
        problem.message = message.into();
        problem.with_hint(hint)
    }

    /// What it demands in plain words, and what it does not, a line each.
    #[must_use]
    pub fn say(&self) -> Vec<String> {
        say::lines(self)
    }
}
