//! The part of the published shape that tells what a person is asked. A part of `schema.rs`: the same rules
//! hold for it.

use serde::{Deserialize, Serialize};

/// A question that only a person can answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Asks {
    /// The role in which they must answer; not told where anybody may who answers at all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<String>,
    /// What they confirm.
    pub question: String,
}

/// One person's answer, proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Whether it holds.
    pub passed: bool,
    /// Their name.
    pub identity: String,
    /// `SHA256:…` of their key.
    pub fingerprint: String,
    /// When, by their own word.
    pub at: String,
    /// What they say to it.
    pub statement: String,
}
