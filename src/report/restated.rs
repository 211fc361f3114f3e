//! The part of the published shape that tells what a run took from an earlier one. A part of `schema.rs`: the
//! same rules hold for it.

use serde::{Deserialize, Serialize};

/// The run whose passed checks this run carries over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Restates {
    /// Its id.
    pub run: String,
    /// When it finished, RFC 3339, UTC.
    pub finished: String,
    /// SHA-256 of its SHA256SUMS.
    pub manifest: String,
}

/// Where a check was really run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Carried {
    /// Id of the run that ran it.
    pub run: String,
    /// When that run finished, RFC 3339, UTC.
    pub finished: String,
}
