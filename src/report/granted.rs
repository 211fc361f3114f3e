//! The part of the published shape that tells of waivers: each of the run's file, and what it came to. A part
//! of `schema.rs`: the same rules hold for it.

use serde::{Deserialize, Serialize};

/// One waiver of the run's file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Granted {
    /// Its id in the file.
    pub id: String,
    /// What it means, as it was written.
    pub selects: String,
    /// Why the failure is accepted.
    pub reason: String,
    /// Where its remedy is followed up.
    pub ticket: String,
    /// Who asked.
    pub requester: String,
    /// Who granted.
    pub approver: String,
    /// `SHA256:…` of the key with which the approver signed the file.
    pub key: String,
    /// RFC 3339, UTC; valid from then on.
    pub from: String,
    /// RFC 3339, UTC; no longer valid from then on.
    pub expires: String,
    /// Ids of the checks whose failure it covers.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub covered: Vec<String>,
    /// Ids of the checks that passed without it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub passed: Vec<String>,
    /// Ids of the checks that failed all the same: no waiver covers such a failure, or another one does.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub failed: Vec<String>,
}
