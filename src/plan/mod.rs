//! The plan: every check that a run will make, made before anything is contacted. It gives each check
//! its slot in the report, says what will be touched on each host, and refuses whatever can be known
//! to be wrong. Reads files; never the network.

mod coverage;
mod cross;
mod filter;
mod grant;
mod lint;
pub mod load;
mod parse;
mod planned;
mod prose;
mod render;
mod shard;
#[cfg(test)]
mod shard_tests;
#[cfg(test)]
mod tests;
mod visit;
mod waive;

use std::path::PathBuf;
use std::sync::Arc;

pub use filter::Filters;
pub use grant::{Grant, Granted, grant};
pub use planned::{Planned, Word};
pub use render::{json, text};
pub use shard::{MOST_SHARDS, NO_GROUP, Part, Shard};
pub use visit::Visit;
pub use waive::Waivers;

use crate::digest::Sha256;
use crate::feature_files::{self, FeatureFile};
use crate::inventory::Inventory;
use crate::problem::{Place, Problem};
use crate::steps::{Call, Subject};

/// Everything a run will do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The inventory it was crossed with.
    pub inventory: Arc<Inventory>,
    /// The features read.
    pub features: Vec<Feature>,
    /// One slot each, in the order of features and inventory.
    pub checks: Vec<Check>,
    /// What will be touched, for each login.
    pub visits: Vec<Visit>,
    /// SHA-256 of what [`text`] prints of the whole plan.
    pub digest: Sha256,
    /// The filters in clear; not empty means partial.
    pub filters: Vec<String>,
    /// The failures that are accepted; no part of what is done, and of `digest`.
    pub waivers: Option<Waivers>,
    /// The part that `checks` and `visits` are, when they are not the whole.
    pub part: Option<Part>,
}

/// A feature file and its title.
#[derive(Clone, Debug)]
pub struct Feature {
    /// The file.
    pub file: FeatureFile,
    /// `Feature` in the file's language.
    pub keyword: String,
    /// Its name.
    pub name: String,
}

/// One scenario for one subject.
#[derive(Clone, Debug)]
pub struct Check {
    /// Unique and stable: `features/amps.feature:12@orders/operations`.
    pub id: String,
    /// Label of the feature file.
    pub feature: Arc<str>,
    /// Line of the scenario, or of its row of examples.
    pub line: usize,
    /// Name of the scenario, placeholders filled.
    pub scenario: String,
    /// Whom it is about.
    pub subject: Subject,
    /// Tags, without `@`.
    pub tags: Arc<[String]>,
    /// Its steps, background first.
    pub steps: Vec<Step>,
}

/// One step of a check.
#[derive(Clone, Debug)]
pub struct Step {
    /// As written.
    pub keyword: Arc<str>,
    /// Placeholders filled.
    pub text: Arc<str>,
    /// What it does.
    pub call: Arc<Call>,
}

/// Features as written, not yet crossed with an inventory.
#[derive(Clone, Debug)]
pub struct Written {
    features: Vec<Feature>,
    templates: Vec<parse::Template>,
}

/// Reads every feature that the arguments name.
///
/// # Errors
/// Every problem of every file: what cannot be found, read or parsed, and what the linter refuses.
pub fn read(features: &[PathBuf]) -> Result<Written, Vec<Problem>> {
    read_files(feature_files::find(features)?)
}

/// The same from files that were found already, such as those that a run directory keeps.
///
/// # Errors
/// As [`read`].
pub fn read_files(files: Vec<FeatureFile>) -> Result<Written, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut written = Written {
        features: Vec::new(),
        templates: Vec::new(),
    };
    for file in files {
        match parse::parse(&file) {
            Ok((feature, found)) => {
                written.templates.extend(found);
                written.features.push(Feature {
                    file,
                    keyword: feature.keyword,
                    name: feature.name,
                });
            }
            Err(found) => problems.extend(found),
        }
    }
    match problems.is_empty() {
        true => Ok(written),
        false => Err(problems),
    }
}

/// Crosses features with an inventory.
///
/// # Errors
/// Every problem of steps, selectors, filters and coverage; those of the inventory and of the features
/// themselves were told when they were read.
pub fn make(
    inventory: &Arc<Inventory>,
    written: Written,
    filters: &Filters,
) -> Result<Plan, Vec<Problem>> {
    let mut plan = cross_all(inventory, written, filters)?;
    plan.digest = render::digest(&plan);
    Ok(plan)
}

/// The same with what [`text`] prints of it: its digest needs all of that, and it takes long for a large estate.
///
/// # Errors
/// As [`make`].
pub fn make_printed(
    inventory: &Arc<Inventory>,
    written: Written,
    filters: &Filters,
) -> Result<(Plan, String), Vec<Problem>> {
    let mut plan = cross_all(inventory, written, filters)?;
    let printed = text(&plan);
    plan.digest = Sha256::of(printed.as_bytes());
    Ok((plan, printed))
}

/// The plan but for its digest.
fn cross_all(
    inventory: &Arc<Inventory>,
    written: Written,
    filters: &Filters,
) -> Result<Plan, Vec<Problem>> {
    let all = cross::cross(inventory, &written.templates)?;
    let checks = match filters.is_empty() {
        true => {
            coverage::demand_every_kind(inventory, &all)?;
            all
        }
        false => filters.apply(all)?,
    };
    if checks.is_empty() {
        return Err(vec![Problem::new(
            Place::whole(&inventory.path),
            "the plan is empty: nothing would be checked",
        )]);
    }
    let visits = visit::visits(inventory, &checks)?;
    Ok(Plan {
        inventory: inventory.clone(),
        features: written.features,
        checks,
        visits,
        digest: Sha256::of(b""),
        filters: filters.in_clear(),
        waivers: None,
        part: None,
    })
}
