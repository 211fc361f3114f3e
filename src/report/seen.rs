//! The part of the published shape that tells what was seen of a configuration and of a statistics database. A
//! part of `schema.rs`: the same rules hold for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was read of a configuration file, and what steps concluded from it. What a step concludes from
/// all files of an artifact stands with the first of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Number of settings.
    pub settings: u64,
    /// Number of include directives.
    pub includes: u64,
    /// Whether everything that the configuration includes was retrieved with it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub complete: bool,
    /// Number of `findings:` rules held against the configuration, of which none found anything.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rules: Option<u64>,
    /// The shipped samples that the configuration was compared with, and is not.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub shipped: Vec<String>,
    /// The comparison with the running copy.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub running: Option<Running>,
}

/// A comparison of a configuration with the copy that is running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Running {
    /// Name of the artifact that is the running copy.
    pub artifact: String,
    /// Settings that both have.
    pub compared: u64,
    /// Settings that differ.
    pub differing: u64,
}

/// What was seen of a statistics database, and how its copy was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Why it was taken by this method.
    pub reason: String,
    /// What became of each attempt, the first one first: `ok`, `changed` (by the product meanwhile),
    /// `torn`, `busy` (locked by the product) or `refused` (whole, and not as it must be).
    pub attempts: Vec<String>,
    /// Version of the host's `sqlite3`, when it was used.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sqlite: Option<String>,
    /// Number of tables; 0 when it could not be read.
    pub tables: u64,
    /// The tables that the inventory names and the database has, each with those of its named columns
    /// that are there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub found: BTreeMap<String, Vec<String>>,
    /// `rollback` or `wal`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub journal_mode: Option<String>,
    /// Bytes of a page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub page_size: Option<u32>,
    /// The widest stretch between two samples that follow each other.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub widest_gap: Option<Stretch>,
    /// How often samples came, in milliseconds, when a step asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interval_ms: Option<u64>,
    /// How often the configuration says that they come, where the inventory does not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub configured: Option<Configured>,
    /// The spans that steps asked about, each with its widest stretch without a sample.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub spans: Vec<Span>,
}

/// What a configuration that was fetched in the same check says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Configured {
    /// In milliseconds.
    pub interval_ms: u64,
    /// Path of the file that says so.
    pub source: String,
}

/// From one time to another, RFC 3339 UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// Where it begins.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// How long it is, in milliseconds.
    pub ms: u64,
}

/// A span that a step asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The whole span, by the host's clock.
    pub whole: Stretch,
    /// The widest stretch in it without a sample.
    pub widest: Stretch,
}
