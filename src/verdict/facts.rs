//! What a judgement needs, and nothing else: the report with every word read and every rendering
//! detail left behind. Built by `report/facts.rs`; judges nothing itself.

use jiff::{SignedDuration, Timestamp};

use super::{Clock, Outcome};
use crate::digest::Sha256;
use crate::failure::FailureKind;
use crate::inventory::Kind;

/// One run, as far as its verdict depends on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Words, times and digests of the record that could not be read, each said in a phrase.
    pub unreadable: Vec<String>,
    /// What kind of run it was.
    pub kind: RunKind,
    /// Why it ended early, when it did.
    pub aborted: Option<String>,
    /// When it began; `None` only together with a word in `unreadable`.
    pub started: Option<Timestamp>,
    /// When it ended; waivers are measured against it. `None` as above.
    pub finished: Option<Timestamp>,
    /// True when filters left something out.
    pub partial: bool,
    /// The filters in clear.
    pub filters: Vec<String>,
    /// What the machine that ran gonogo says of itself.
    pub runner: Runner,
    /// The sums as recorded, not as recounted.
    pub counts: Counts,
    /// Every host of the plan.
    pub hosts: Vec<Host>,
    /// Every instance of the inventory.
    pub instances: Vec<Instance>,
    /// Every planned check.
    pub checks: Vec<Check>,
    /// Every waiver of the run's file.
    pub waivers: Vec<Grant>,
    /// When the estate is to go live, when it was said.
    pub go_live: Option<Timestamp>,
    /// The part of the plan that it was for, when it was a shard.
    pub shard: Option<Shard>,
    /// What it was put together from, when it was.
    pub merged: Option<Merged>,
}

/// A part of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shard {
    /// `2/3`, `of group ny4`.
    pub name: String,
    /// The hosts whose checks are its own.
    pub hosts: Vec<String>,
    /// Checks of the whole plan.
    pub checks: u64,
}

/// The shards of a merged run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Most time from the beginning of the first to the end of the last.
    pub within: SignedDuration,
    /// Those that count.
    pub pieces: Vec<Piece>,
    /// Those that do not, each with the reason.
    pub missing: Vec<String>,
    /// What they tell of one host, and do not agree on.
    pub differs: Vec<String>,
}

/// One shard that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// Which.
    pub shard: Shard,
    /// When it began; `None` only together with a word in `unreadable`.
    pub started: Option<Timestamp>,
    /// When it ended; `None` as above.
    pub finished: Option<Timestamp>,
    /// What the machine that ran it says of itself.
    pub runner: Runner,
}

/// The kinds of run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// Against an estate of the user's.
    Run,
    /// Against the practice estate.
    Demo,
    /// Sealed before it was complete.
    Aborted,
}

impl RunKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Run, Self::Demo, Self::Aborted];

    /// The published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Demo => "demo",
            Self::Aborted => "aborted",
        }
    }
}

/// The sums of contract 5, as the record states them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each field is the count of the outcome it is named after"
)]
pub struct Counts {
    pub planned: u64,
    pub passed: u64,
    pub failed: u64,
    pub waived: u64,
    pub pending: u64,
}

/// What tells whether a host is the machine that gonogo ran on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runner {
    /// Its machine-id(5).
    pub machine_id: Option<String>,
    /// Fingerprints of its own SSH server's keys.
    pub host_keys: Vec<String>,
}

/// A host as it was meant and as it proved to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Key in `hosts:`.
    pub name: String,
    /// `address:port`.
    pub address: String,
    /// Fingerprint seen.
    pub host_key: Option<String>,
    /// Type of the key seen, such as `ssh-ed25519`.
    pub host_key_type: Option<String>,
    /// Host name it stated.
    pub hostname: Option<String>,
    /// machine-id(5) it stated.
    pub machine_id: Option<String>,
    /// `machine:` of the inventory: hosts that name the same one are knowingly one machine.
    pub machine: Option<String>,
    /// `runner: true` of the inventory: it is knowingly the machine that gonogo runs on.
    pub is_runner: bool,
    /// Its clock, where a login may run commands.
    pub clock: Option<Clock>,
    /// Fingerprint that the inventory pins.
    pub expected_host_key: Option<String>,
    /// Host name that the inventory demands.
    pub expected_hostname: Option<String>,
    /// machine-id that the inventory demands.
    pub expected_machine_id: Option<String>,
}

/// An instance, who must be able to fetch from it, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Key in `instances:`.
    pub name: String,
    /// Key of its host.
    pub host: String,
    /// Teams responsible.
    pub teams: Vec<String>,
    /// Name and kind of each artifact.
    pub artifacts: Vec<(String, Kind)>,
    /// Name of each log that may be one file with those of other instances, and what they call it.
    pub shared: Vec<(String, String)>,
}

/// One check.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Unique and stable.
    pub id: String,
    /// The instance, when it is about one.
    pub instance: Option<String>,
    /// The host, when it is about one.
    pub host: Option<String>,
    /// The team whose login it used.
    pub team: Option<String>,
    /// What the record says became of it.
    pub outcome: Outcome,
    /// How often it was tried.
    pub attempts: u32,
    /// How many attempts before the last one the record tells.
    pub earlier: usize,
    /// What became of each step.
    pub steps: Vec<StepOutcome>,
    /// How many of them only a person answers.
    pub asks: usize,
    /// How many people answered, each proven.
    pub answers: usize,
    /// Why it failed.
    pub failure: Option<FailureKind>,
    /// It failed before there was a session with the machine that is meant.
    pub at_login: bool,
    /// What covers the failure.
    pub waiver: Option<Waiver>,
    /// What its steps state about artifacts: each passed statement needs evidence.
    pub claims: Vec<Claim>,
    /// What was retrieved.
    pub evidence: Vec<Evidence>,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// It ran and held.
    Passed,
    /// It ran and did not hold.
    Failed,
    /// It did not run.
    NotRun,
    /// It asks a person, and waits for the answer.
    Pending,
}

impl StepOutcome {
    /// Every outcome of a step.
    pub const ALL: [Self; 4] = [Self::Passed, Self::Failed, Self::NotRun, Self::Pending];

    /// The published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotRun => "not-run",
            Self::Pending => "pending",
        }
    }
}

/// What a step is about: an artifact by name, or the first of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// `artifact "event log"`.
    Artifact(String),
    /// `the configuration`.
    Kind(Kind),
}

impl Claim {
    /// True when `evidence` is of what the claim is about.
    #[must_use]
    pub fn is_about(&self, evidence: &Evidence) -> bool {
        match self {
            Self::Artifact(name) => *name == evidence.artifact,
            Self::Kind(kind) => *kind == evidence.kind,
        }
    }
}

/// What was retrieved of one file or command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Name of the artifact.
    pub artifact: String,
    /// Its kind.
    pub kind: Kind,
    /// Remote path, or the command.
    pub path: String,
    /// How it came.
    pub method: String,
    /// Bytes retrieved.
    pub bytes: u64,
    /// SHA-256 of those bytes; `None` only together with a word in `unreadable`.
    pub sha256: Option<Sha256>,
    /// Entries of a log, or samples of a database.
    pub entries: Option<u64>,
    /// What the first bytes of a log are, whatever it is packed in.
    pub beginning: Option<Sha256>,
}

impl Evidence {
    /// Proof that bytes came: some, and their digest. An empty file is never proof (contract 4).
    #[must_use]
    pub const fn is_proof(&self) -> bool {
        self.bytes > 0 && self.sha256.is_some()
    }
}

/// Who accepted a failure, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Its id.
    pub id: String,
    /// Why the failure is accepted.
    pub reason: String,
    /// Who asked.
    pub requester: String,
    /// Who granted.
    pub approver: String,
    /// Valid from then on; `None` where the record does not say.
    pub from: Option<Timestamp>,
    /// No longer valid from then on; `None` only together with a word in `unreadable`.
    pub expires: Option<Timestamp>,
}

/// A waiver of the run's file, and what it came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: String,
    /// Valid from then on; `None` only together with a word in `unreadable`, as below.
    pub from: Option<Timestamp>,
    /// No longer valid from then on.
    pub expires: Option<Timestamp>,
    /// Ids of the checks whose failure it covers.
    pub covered: Vec<String>,
    /// Ids of the checks that passed without it.
    pub passed: Vec<String>,
}
