//! The part of the published shape that tells what a run is a gate for. A part of `schema.rs`: the same rules
//! hold for it.

use serde::{Deserialize, Serialize};

/// What is to go live on this run, as who ran it said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The commit: 40 or 64 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
    /// SHA-256 of the release; subject `release` of the attestation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub release: Option<String>,
}

/// Name of the release among the subjects of the attestation.
pub(super) const RELEASE: &str = "release";

/// Whether `text` is a whole commit id, SHA-1 or SHA-256, as git prints it.
#[must_use]
pub fn is_commit(text: &str) -> bool {
    let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    matches!(text.len(), 40 | 64) && text.chars().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_whole_and_lower_case() {
        for good in ["ab".repeat(20), "0".repeat(64)] {
            assert!(is_commit(&good), "{good}");
        }
        for bad in [
            String::new(),
            "ab12cd3".to_owned(),
            "AB".repeat(20),
            "a".repeat(41),
            "g".repeat(40),
            format!("{}\n", "a".repeat(40)),
        ] {
            assert!(!is_commit(&bad), "{bad}");
        }
    }
}
