//! The part of the published shape that tells of shards: which part of the plan a run was for, and what a merged
//! run was put together from. A part of `schema.rs`: the same rules hold for it.

use serde::{Deserialize, Serialize};

use super::schema::RunnerIdentity;

/// The part of the plan that a run was for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Which one, from 1.
    pub number: u64,
    /// Of how many.
    pub of: u64,
    /// Of the hosts of these groups; of all hosts, when there is none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub groups: Vec<String>,
    /// The hosts whose checks are its own, sorted.
    pub hosts: Vec<String>,
    /// Checks of the whole plan.
    pub checks: u64,
}

impl Shard {
    /// `2/3`, `of group ny4`, `2/3 of groups ld5 and ny4`.
    #[must_use]
    pub fn name(&self) -> String {
        name(self.number, self.of, &self.groups)
    }
}

/// How a shard is called.
#[must_use]
pub fn name(number: u64, of: u64, groups: &[String]) -> String {
    let groups = match groups {
        [] => String::new(),
        [one] => format!("of group {one}"),
        many => format!("of groups {}", many.join(" and ")),
    };
    match (of, groups.is_empty()) {
        (_, true) => format!("{number}/{of}"),
        (1, false) => groups,
        (_, false) => format!("{number}/{of} {groups}"),
    }
}

/// What a merged run was put together from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Merged {
    /// Most seconds from the beginning of the first shard to the end of the last.
    pub within_s: u64,
    /// The shards that count; `shards/1.report.json`, `shards/1.SHA256SUMS` and `shards/1.SHA256SUMS.sig` are of the
    /// first.
    pub shards: Vec<Piece>,
    /// What is missing, and what was given and does not count.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub missing: Vec<Missing>,
    /// Hosts that were another machine in another shard.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub differs: Vec<String>,
}

/// One shard of a merged run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// Which.
    pub shard: Shard,
    /// Id of its run.
    pub run: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// SHA-256 of its SHA256SUMS.
    pub manifest: String,
    /// `SHA256:…` of the key that signed it.
    pub key: String,
    /// `user` of the person or job on its runner.
    pub operator: String,
    /// Host name of its runner.
    pub runner: String,
    /// What its runner says of itself, as far as it can be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub runner_identity: Option<RunnerIdentity>,
    /// URL of its CI job, when there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ci: Option<String>,
}

/// A shard that does not count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// Which, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub shard: Option<String>,
    /// Why.
    pub why: String,
}

impl Missing {
    /// `2/3: no run of it was given`.
    #[must_use]
    pub fn say(&self) -> String {
        match &self.shard {
            Some(shard) => format!("{shard}: {}", self.why),
            None => self.why.clone(),
        }
    }
}

/// Where a merged run keeps record, manifest and signature of the shard at this place. A name that ends in one of a
/// run's own files would be passed over by who looks for strangers with `find`.
#[must_use]
pub fn files_of(at: usize) -> [String; 3] {
    let number = at + 1;
    [
        format!("{FOLDER}{number}.report.json"),
        format!("{FOLDER}{number}.SHA256SUMS"),
        format!("{FOLDER}{number}.SHA256SUMS.sig"),
    ]
}

/// Where all of them are.
pub const FOLDER: &str = "shards/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_called_by_its_place_and_its_groups() {
        let name = |number, of, groups: &[&str]| {
            let groups: Vec<_> = groups.iter().map(|&group| group.to_owned()).collect();
            name(number, of, &groups)
        };
        assert_eq!(name(2, 3, &[]), "2/3");
        assert_eq!(name(1, 1, &[]), "1/1");
        assert_eq!(name(1, 1, &["ny4"]), "of group ny4");
        assert_eq!(name(2, 3, &["ld5", "ny4"]), "2/3 of groups ld5 and ny4");
    }
}
