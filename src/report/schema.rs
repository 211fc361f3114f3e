//! The published shape of `report.json`, version 1 (contract 6): the only Serialize for reports, and
//! the strict Deserialize that `verify` and `show` read it with. Unknown and duplicate keys are
//! refused (facts: traps.md T13). Fields are only ever added, as `Option` or with a default.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use super::asked::{Answered, Asks};
pub use super::found::{HoleFound, LevelFound, LogFound, PromiseFound};
pub use super::granted::Granted;
pub use super::restated::{Carried, Restates};
pub use super::seen::{Configured, Database, Running, Settings, Span, Stretch};
pub use super::sharded::{Merged, Missing, Piece, Shard};
pub use super::subject::Subject;
pub use super::week::{HoursOfWeek, Midnight, Week};
pub use crate::probe::Probe;

/// Value of [`Report::schema`].
pub const SCHEMA: &str = "gonogo/report/v1";

/// JSON Schema of [`Report`], as `gonogo schema` prints it. A test holds it to this file.
pub const JSON_SCHEMA: &str = include_str!("../../docs/schema/report-v1.json");

/// One run, complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// `gonogo/report/v1`: the version of this shape.
    pub schema: String,
    /// Which run this is.
    pub run: Run,
    /// What it came to.
    pub verdict: Verdict,
    /// The sums that must add up.
    pub counts: Counts,
    /// Every file that decided what was asked, with its digest: `inputs/…` of the run directory.
    pub inputs: Vec<Input>,
    /// Every host of the plan, reached or not.
    pub hosts: Vec<Host>,
    /// Every instance of the inventory: the matrix has a cell for each, checked or not.
    pub instances: Vec<Instance>,
    /// One slot for each planned check, in the plan's order.
    pub checks: Vec<Check>,
    /// Every waiver of the run's file, and what it came to.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub waivers: Vec<Granted>,
    /// A week of each application beside its vendor's hours; not told before gonogo 0.4.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub weeks: Vec<Week>,
}

/// Which run this is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Unique: UTC start time and 8 random hexadecimal digits, `20261121T093000Z-1a2b3c4d`.
    pub id: String,
    /// `run`, `demo` or `aborted`.
    pub kind: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// What made it.
    pub tool: Tool,
    /// `user` of the person or job on the runner.
    pub operator: String,
    /// Host name of the runner.
    pub runner: String,
    /// What was asked for.
    pub scope: Scope,
    /// SHA-256 of the previous run's SHA256SUMS, when chained.
    pub previous: Option<String>,
    /// Its place in the chain of runs, from 1 and without gaps; not told before gonogo 0.4.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<u64>,
    /// Words from elsewhere, such as an auditor's: the run was made after they were known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub challenge: Option<String>,
    /// Why the run ended early, when it did.
    pub aborted: Option<String>,
    /// URL of the CI job, when there is one.
    pub ci: Option<String>,
    /// When the estate is to go live, when it was said: RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub go_live: Option<String>,
    /// When that is to be over, when it was said: RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub go_live_until: Option<String>,
    /// What the runner says of itself, as far as it can be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub runner_identity: Option<RunnerIdentity>,
    /// What is to go live on it, when it was said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<Subject>,
    /// The run whose passed checks are carried over into this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub restates: Option<Restates>,
    /// The shards that it was put together from, when it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub merged: Option<Merged>,
}

/// What tells whether a host is the machine that gonogo ran on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RunnerIdentity {
    /// Its machine-id(5).
    pub machine_id: Option<String>,
    /// `SHA256:…` of each key in its `/etc/ssh`.
    pub host_keys: Vec<String>,
}

/// What made the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// `gonogo`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the running binary, when it could be read.
    pub sha256: Option<String>,
    /// Version of libssh2 (facts: traps.md T12).
    pub libssh2: String,
    /// The version of the zone database that hours and days were judged by, such as `2026a`; not told
    /// before gonogo 0.4.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tzdb: Option<String>,
    /// The installed `ssh`, as it names itself, when a login used it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub openssh: Option<String>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// `environment:` of the inventory.
    pub environment: String,
    /// SHA-256 of the plan: of every check, command and path it printed.
    pub plan: String,
    /// True when filters left something out.
    pub partial: bool,
    /// The filters in clear, such as `--host ny4-*`.
    pub filters: Vec<String>,
    /// The part of the plan that it was for, when it was a shard: `plan` is that of the whole.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub shard: Option<Shard>,
}

/// What the run came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// `GO`, `NO-GO` or `HOLD`.
    pub decision: String,
    /// Why, worst first; empty for a plain GO.
    pub reasons: Vec<String>,
}

/// Planned must equal the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
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

/// A file that decided what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Path inside the run directory: `inputs/inventory.yaml`, `inputs/features/…`.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// The name that a feature had, where the run directory keeps it under another.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
}

/// A host as it was meant and as it proved to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Key in `hosts:`.
    pub name: String,
    /// `address:port`.
    pub address: String,
    /// `SHA256:…` of the host key seen; null when no login got that far.
    pub host_key: Option<String>,
    /// Type of that key, such as `ssh-ed25519`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host_key_type: Option<String>,
    /// What it said of itself.
    pub identity: HostIdentity,
    /// The server's identification string.
    pub server: Option<String>,
    /// `machine:` of the inventory.
    pub machine: Option<String>,
    /// `runner: true` of the inventory.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub runner: Option<bool>,
    /// How many sessions met it, all of them the same machine.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sessions: Option<u64>,
    /// Its clock beside the runner's; not told where it was not measured, as where no login may run a
    /// command.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub clock: Option<Clock>,
    /// What the inventory demands of it, when it demands anything.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expected: Option<HostExpected>,
    /// What a step learnt of it for the support request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub facts: Option<HostFacts>,
    /// Which SSH client each team came with; nothing where it was libssh2 for all.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub clients: BTreeMap<String, String>,
    /// The keys that it showed to those who went through it, each once; not told where the client does not tell.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub as_hop: Vec<HopKey>,
}

impl HopKey {
    /// Whether both were shown at one place, are of one type, and are two keys. Two types are two keys of one machine, and
    /// behind another port another sshd may listen.
    #[must_use]
    pub fn is_other(&self, other: &Self) -> bool {
        let place = |key: &Self| (key.address.clone(), key.host_key_type.clone());
        place(self) == place(other) && self.host_key != other.host_key
    }
}

/// A key that a host showed as a hop.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HopKey {
    /// `address:port`.
    pub address: String,
    /// `SHA256:…`.
    pub host_key: String,
    /// Type of that key, such as `ssh-ed25519`.
    pub host_key_type: String,
}

/// What is known of a host for the support request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HostFacts {
    /// The account that asked: limits are those of its session.
    pub account: String,
    /// The operating system, by the name that it gives itself.
    pub os: String,
    /// Name and release of the kernel.
    pub kernel: String,
    /// The processor, as the kernel names it.
    pub machine: String,
    /// Memory in KiB.
    pub memory_kib: u64,
    /// Each limit, soft and hard, with its unit.
    pub limits: BTreeMap<String, String>,
    /// Each file system with a size.
    pub disks: Vec<Disk>,
}

/// One file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// What is mounted.
    pub file_system: String,
    /// Where.
    pub mounted_on: String,
    /// Its size in KiB.
    pub size_kib: u64,
    /// KiB in use.
    pub used_kib: u64,
    /// KiB that an ordinary account may still use.
    pub free_kib: u64,
}

/// A host's clock beside the runner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Host minus runner, in milliseconds: more than 0 is ahead.
    pub skew_ms: i64,
    /// The true skew is at most so far from it.
    pub uncertainty_ms: u64,
    /// `clock_tolerance` of the inventory, the least of the host's logins.
    pub tolerance_ms: u64,
}

/// What the inventory demands of a host; what is null is recorded, not judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HostExpected {
    /// `host_key:`, the pin.
    pub host_key: Option<String>,
    /// `identity.hostname`.
    pub hostname: Option<String>,
    /// `identity.machine_id`.
    pub machine_id: Option<String>,
}

/// What a host said of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HostIdentity {
    /// Its host name.
    pub hostname: Option<String>,
    /// Its machine-id(5).
    pub machine_id: Option<String>,
}

/// An instance of the inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// Key in `instances:`.
    pub name: String,
    /// Product.
    pub product: String,
    /// Host.
    pub host: String,
    /// Teams responsible.
    pub teams: Vec<String>,
    /// Its artifacts.
    pub artifacts: Vec<Artifact>,
}

/// An artifact of the inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// Its name, such as `event log`.
    pub name: String,
    /// `version`, `configuration`, `log`, `statistics` or `other`.
    pub kind: String,
    /// `shared:` of a log: those of this name may be one file, of whichever instances.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub shared: Option<String>,
}

/// One check, complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Unique and stable: `features/amps.feature:12@orders/operations`.
    pub id: String,
    /// Path of the feature.
    pub feature: String,
    /// Line of the scenario.
    pub line: u64,
    /// Name of the scenario, placeholders filled.
    pub scenario: String,
    /// The instance, when it is about one.
    pub instance: Option<String>,
    /// The host, when it is about one.
    pub host: Option<String>,
    /// The team, when it is about one.
    pub team: Option<String>,
    /// The vendor, when it is about one.
    pub vendor: Option<String>,
    /// Tags of feature, rule, scenario and examples.
    pub tags: Vec<String>,
    /// `passed`, `failed`, `waived` or `pending`.
    pub outcome: String,
    /// How often the check was tried: the last time told here, the others in `earlier`; 0 when it
    /// never started.
    pub attempts: u32,
    /// RFC 3339, UTC; null when it never started.
    pub started: Option<String>,
    /// Wall time, queueing not counted.
    pub duration_ms: u64,
    /// Every step of the scenario, executed or not.
    pub steps: Vec<Step>,
    /// What was retrieved.
    pub evidence: Vec<Evidence>,
    /// File systems whose free space was judged, in the order of the steps.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub disks: Vec<Disk>,
    /// What was asked of the network for the support process, and what came.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub probes: Vec<Probe>,
    /// The redacted transcript, `evidence/0001.txt`.
    pub transcript: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure: Option<Failure>,
    /// The waiver that covers the failure; present exactly when the outcome is `waived`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub waiver: Option<Waiver>,
    /// The attempts before the last one, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub earlier: Vec<Attempt>,
    /// The run that ran it, when this one only restates or merges it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub carried: Option<Carried>,
    /// Who answered it: proven when the run is verified, and never a part of the record.
    #[serde(skip)]
    pub answers: Vec<Answered>,
}

/// An attempt that was followed by another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// RFC 3339, UTC.
    pub started: Option<String>,
    /// Wall time.
    pub duration_ms: u64,
    /// Every step of the scenario, executed or not.
    pub steps: Vec<Step>,
    /// Why it failed.
    pub failure: Failure,
    /// Id of the run that made it, when it was another one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<String>,
}

/// Who accepted a failure, why, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Its id in the file of waivers.
    pub id: String,
    /// Why the failure is accepted.
    pub reason: String,
    /// Who asked for it.
    pub requester: String,
    /// Who granted it: somebody else.
    pub approver: String,
    /// RFC 3339, UTC; valid from then on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// RFC 3339, UTC; no longer valid from then on.
    pub expires: String,
    /// Where the remedy is followed up.
    pub ticket: Option<String>,
}

/// One step of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// `Given`, `When`, `Then`, `And`, `But` or the keyword of the feature's language.
    pub keyword: String,
    /// Text, placeholders filled.
    pub text: String,
    /// `passed`, `failed`, `not-run`, or `pending` where it asks a person.
    pub outcome: String,
    /// Wall time.
    pub duration_ms: u64,
    /// Names of the artifacts that the step is about: a passed step needs evidence of each.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub artifacts: Vec<String>,
    /// What it asks of a person, where nothing else can answer it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub asks: Option<Asks>,
}

/// One file or command output that was retrieved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Name of the artifact.
    pub artifact: String,
    /// Its kind.
    pub kind: String,
    /// Remote path, or the command.
    pub path: String,
    /// Bytes retrieved.
    pub bytes: u64,
    /// SHA-256 of those bytes.
    pub sha256: String,
    /// `sftp`, `exec`, `copy`, `vacuum-into`, `command`, `http` or `listing`; of a listing, bytes and digest
    /// are those of its lines.
    pub method: String,
    /// Last change of the file, RFC 3339 UTC.
    pub modified: Option<String>,
    /// How often it was fetched until it was consistent.
    pub attempts: u32,
    /// How often its transfer was taken up again after the connection had been lost; not told when never.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub resumed: u32,
    /// Wall time of the retrieval.
    pub duration_ms: u64,
    /// Time of the newest entry or sample, RFC 3339 UTC.
    pub newest_entry: Option<String>,
    /// Time of the oldest entry, RFC 3339 UTC.
    pub oldest_entry: Option<String>,
    /// Entries of a log, samples of a database, or files of a listing.
    pub entries: Option<u64>,
    /// Version found.
    pub version: Option<String>,
    /// Name that the configuration gives itself.
    pub instance_name: Option<String>,
    /// What was found in a log.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub log: Option<LogFound>,
    /// What this file promises of a log; its artifact is `retention of LOG`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub promise: Option<PromiseFound>,
    /// Sizes of the listed files together.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub listed_bytes: Option<u64>,
    /// What was read of a configuration file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub settings: Option<Settings>,
    /// What was seen of a statistics database, and how its copy was taken.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub database: Option<Database>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Why a check failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: String,
    /// Host or hop concerned.
    pub host: Option<String>,
    /// Account used there.
    pub account: Option<String>,
    /// Path, pattern or command concerned.
    pub subject: Option<String>,
    /// What would have passed.
    pub expected: String,
    /// What came.
    pub actual: String,
    /// What to do about it.
    pub hint: String,
    /// True when no session was opened, or it did not prove to be with the machine that is meant.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub at_login: bool,
}
