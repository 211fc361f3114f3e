//! The part of the published shape that tells what was found in a log, and what promises to keep it. A
//! part of `schema.rs`: the same rules hold for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was found in one file of a log, as far as steps may have judged it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogFound {
    /// Each level that was met, from low to high.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub levels: Vec<LevelFound>,
    /// Each id that a step of the check asked for and that was met.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub ids: BTreeMap<String, u64>,
    /// The widest stretch without an entry, and all that are wider than a step of the check allows.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub holes: Vec<HoleFound>,
    /// The names that its entries give the instance, redacted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub names: Vec<String>,
    /// SHA-256 of its first 1024 bytes, unpacked: the same for two instances means one log.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub beginning: Option<String>,
}

/// One level of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LevelFound {
    /// The product's own word.
    pub name: String,
    /// Entries of it.
    pub entries: u64,
    /// Time of the newest, RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub newest: Option<String>,
}

/// A stretch without an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HoleFound {
    /// Time of the entry before, RFC 3339 UTC.
    pub from: String,
    /// Time of the entry behind, RFC 3339 UTC.
    pub to: String,
}

/// What a file promises of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PromiseFound {
    /// For how long it is kept, in seconds; not told: nothing removes it; 0: no time is promised.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kept_s: Option<u64>,
    /// The rule in short, such as `daily, rotate 14`.
    pub rule: String,
    /// Line of the file.
    pub line: u64,
}
