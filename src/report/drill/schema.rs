//! `drill.json`, version 1: what was told, entry by entry, and what it came to. Read strictly, in one spelling.
//! Times are RFC 3339 in UTC to the second.

use serde::{Deserialize, Serialize};

use super::SCHEMA;
use crate::report::beside;

/// The published JSON Schema of [`Record`].
pub const JSON_SCHEMA: &str = include_str!("../../../docs/schema/drill-v1.json");

/// A sealed drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// `gonogo/drill/v1`.
    pub schema: String,
    /// Which drill; as in its first entry.
    pub id: String,
    /// Its place in the folder's chain, from 1.
    pub number: u64,
    /// SHA-256 of the SHA256SUMS of the drill before it in the folder.
    pub previous: Option<String>,
    /// When it was sealed.
    pub sealed: String,
    /// `gonogo` and its version.
    pub tool: String,
    /// What it came to.
    pub outcome: Outcome,
    /// What nobody told, or what does not fit together: with any of it the drill is invalid.
    pub missing: Vec<Missing>,
    /// What fell short of what is agreed.
    pub short: Vec<Short>,
    /// What has to be done: found today, and found earlier and still open.
    pub findings: Vec<Finding>,
    /// The last drill with this vendor in this environment, where there was one.
    pub last: Option<Last>,
    /// Everything that was told, in its order.
    pub entries: Vec<Entry>,
}

impl Record {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, in a phrase.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        beside::read(bytes, SCHEMA)
    }

    /// Its bytes.
    ///
    /// # Errors
    /// Never for text keys.
    pub fn write(&self) -> Result<Vec<u8>, String> {
        beside::write(self).map_err(|error| error.to_string())
    }

    /// Its first entry.
    #[must_use]
    pub fn begin(&self) -> Option<&Begin> {
        begin(&self.entries)
    }
}

/// The first entry.
#[must_use]
pub(super) fn begin(entries: &[Entry]) -> Option<&Begin> {
    match &entries.first()?.step {
        Step::Begin(begin) => Some(begin),
        _ => None,
    }
}

/// What a drill came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Outcome {
    /// Everything was done, as agreed.
    #[serde(rename = "PASSED")]
    Passed,
    /// Everything was done; what is to be mended has an owner and a day.
    #[serde(rename = "PASSED WITH FINDINGS")]
    WithFindings,
    /// Something fell short, and nobody is named to mend it.
    #[serde(rename = "FAILED")]
    Failed,
    /// Something is missing: it was no whole rehearsal.
    #[serde(rename = "INVALID")]
    Invalid,
}

impl Outcome {
    /// The published words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::WithFindings => "PASSED WITH FINDINGS",
            Self::Failed => "FAILED",
            Self::Invalid => "INVALID",
        }
    }

    /// Whether the next one is due a whole interval later.
    #[must_use]
    pub const fn is_passed(self) -> bool {
        matches!(self, Self::Passed | Self::WithFindings)
    }
}

/// Something that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// What.
    pub what: String,
    /// How it is told.
    pub hint: String,
}

/// Something that fell short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Short {
    /// `acknowledgement`, `delivery`, or `escalation NAME`: what a finding is about that answers it.
    pub about: String,
    /// How.
    pub what: String,
}

/// The last drill, as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Last {
    /// Which.
    pub id: String,
    /// SHA-256 of its SHA256SUMS.
    pub manifest: String,
    /// Its findings: each must be told closed or open.
    pub findings: Vec<Finding>,
}

/// One thing that somebody told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// From 1, without gaps.
    pub number: u64,
    /// When it was told.
    pub at: String,
    /// Who told it.
    pub by: String,
    /// SHA-256 of the entry before it, as it is written in its file.
    pub previous: Option<String>,
    /// Why what was told already is told again; the last one counts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub again: Option<String>,
    /// What.
    pub step: Step,
}

impl Entry {
    /// Its bytes, as they lie in its file.
    ///
    /// # Errors
    /// Never for text keys.
    pub fn write(&self) -> Result<Vec<u8>, String> {
        beside::write(self).map_err(|error| error.to_string())
    }

    /// Reads one: one spelling.
    ///
    /// # Errors
    /// What is wrong with it, in a phrase.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let entry: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        match entry.write() {
            Ok(again) if again == bytes => Ok(entry),
            _ => Err("it is not spelled as gonogo writes it".to_owned()),
        }
    }
}

/// What can be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// It begins.
    Begin(Begin),
    /// Every team fetched from every server.
    Retrieval(Retrieval),
    /// The text of the case.
    Request(Request),
    /// What is handed over.
    Bundle(Bundle),
    /// It was handed over.
    Delivery(Delivery),
    /// The vendor answered.
    Acknowledgement(Acknowledgement),
    /// A level of escalation was tried.
    Escalation(Escalation),
    /// Something went another way than the process says.
    Deviation(Deviation),
    /// Something has to be done.
    Finding(Finding),
    /// What became of a finding of the last drill.
    Last(Told),
}

impl Step {
    /// Its word on the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Begin(_) => "begin",
            Self::Retrieval(_) => "retrieval",
            Self::Request(_) => "request",
            Self::Bundle(_) => "bundle",
            Self::Delivery(_) => "delivery",
            Self::Acknowledgement(_) => "acknowledgement",
            Self::Escalation(_) => "escalation",
            Self::Deviation(_) => "deviation",
            Self::Finding(_) => "finding",
            Self::Last(_) => "last",
        }
    }

    /// The files that it brought.
    #[must_use]
    pub fn files(&self) -> &[Kept] {
        match self {
            Self::Retrieval(step) => &step.files,
            Self::Request(step) => std::slice::from_ref(&step.file),
            Self::Bundle(step) => &step.files,
            Self::Delivery(step) => &step.receipts,
            _ => &[],
        }
    }
}

/// What kind of rehearsal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// At a time that suits.
    Planned,
    /// While the vendor does not have to answer.
    OutOfHours,
}

impl Kind {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::OutOfHours => "out of hours",
        }
    }
}

/// How it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Begin {
    /// UTC time and 8 random hexadecimal digits.
    pub id: String,
    /// `environment:` of the inventory.
    pub environment: String,
    /// A key of its `vendors:`.
    pub vendor: String,
    /// What kind.
    pub kind: Kind,
    /// Who plays what.
    pub roles: Vec<Role>,
    /// SHA-256 of the inventory: it stays the same for the whole drill.
    pub inventory: String,
    /// What the inventory says of it.
    pub agreed: Agreed,
}

/// Who plays what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// `usual-expert`, `operator`, or another.
    pub role: String,
    /// Who: a key of `contacts`, or a name.
    pub person: String,
}

/// What the inventory says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Agreed {
    /// The vendor's `contacts`.
    pub contacts: Vec<Person>,
    /// Names of the inventory's `teams`: whoever is one of ours answers nothing for the vendor.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub teams: Vec<String>,
    /// `process_test: within`, in seconds.
    pub acknowledged_within: u64,
    /// `escalation`.
    pub escalation: Vec<Level>,
    /// Whether the vendor has to answer when the drill begins, where that is known.
    pub coverage: Option<Coverage>,
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its address.
    pub email: Option<String>,
}

/// A level of escalation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Its name.
    pub name: String,
    /// URL, address or number.
    pub to: String,
    /// `answers_within`, in seconds.
    pub answers_within: Option<u64>,
}

/// The contracted hours beside the beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// For which severity, where hours differ.
    pub severity: Option<String>,
    /// Whether the vendor has to answer then.
    pub answers: bool,
    /// Version of the zone database.
    pub tzdb: String,
}

/// A file that lies in the drill.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// `evidence/…`.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// How many they are.
    pub bytes: u64,
}

/// Every team fetched from every server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Retrieval {
    /// Id of the run.
    pub run: String,
    /// SHA-256 of its SHA256SUMS.
    pub manifest: String,
    /// When it began.
    pub started: String,
    /// When it ended.
    pub finished: String,
    /// Who signed it.
    pub signer: String,
    /// Its SHA256SUMS, SHA256SUMS.sig and report.json; then what its inventory needs to be read, from its `inputs/`:
    /// templates, holidays, profiles, ssh_configs.
    pub files: Vec<Kept>,
}

/// The text of the case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// When it was ready.
    pub at: String,
    /// The text.
    pub file: Kept,
}

/// What is handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// When it was ready.
    pub at: String,
    /// Its parts.
    pub files: Vec<Kept>,
    /// What each bundle said of itself that could be opened; none that is encrypted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub said: Vec<Said>,
}

/// What a bundle says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Id of the run that it was built from.
    pub run: String,
    /// SHA-256 of that run's SHA256SUMS.
    pub run_manifest: String,
    /// Of which instance.
    pub instance: String,
    /// Who looked at it.
    pub reviewed_by: String,
}

/// It was handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// When.
    pub at: String,
    /// SHA-256 of each part, as the receipts or the intake tell it.
    pub sha256: Vec<String>,
    /// `gonogo/receipt/v1`, one a part.
    pub receipts: Vec<Kept>,
    /// Where there are none: how the digests became known.
    pub words: Option<String>,
}

/// The vendor answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// When.
    pub at: String,
    /// The vendor's number of the case.
    pub case: String,
    /// Who at the vendor's.
    pub from: String,
}

/// A level of escalation was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// Which.
    pub level: String,
    /// When.
    pub tried: String,
    /// When somebody answered.
    pub answered: Option<String>,
    /// Who.
    pub from: Option<String>,
}

/// Something went another way than the process says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// What; nothing, where somebody says that there was none.
    pub what: Option<String>,
}

/// Something has to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Its name for ever.
    pub id: String,
    /// What.
    pub what: String,
    /// Who: a contact, or somebody who has a role.
    pub owner: String,
    /// By which day.
    pub due: String,
    /// What fell short, where it is about that.
    pub about: Option<String>,
}

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Done.
    Closed,
    /// Not yet.
    Open,
}

/// What became of a finding of the last drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Which.
    pub finding: String,
    /// What.
    pub state: State,
    /// By what it is known, or why it is not done.
    pub reason: String,
    /// By which day now, where it is open and its day is over.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub due: Option<String>,
}
