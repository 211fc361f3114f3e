//! The plan: every check that a run will make, made before anything is contacted. It gives each check
//! its slot in the report, says what will be touched on each host, and refuses whatever can be known
//! to be wrong. Reads files; never the network.

mod coverage;
mod cross;
mod filter;
mod lint;
mod parse;
mod render;
mod visit;

use std::path::PathBuf;
use std::sync::Arc;

pub use filter::Filters;
pub use render::{json, text};
pub use visit::Visit;

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
    /// SHA-256 of what [`text`] prints.
    pub digest: Sha256,
    /// The filters in clear; not empty means partial.
    pub filters: Vec<String>,
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
    pub tags: Vec<String>,
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

/// Makes the plan.
///
/// # Errors
/// Every problem of features, steps, selectors, filters and coverage; the inventory's own were told
/// when it was loaded.
pub fn make(
    inventory: &Arc<Inventory>,
    features: &[PathBuf],
    filters: &Filters,
) -> Result<Plan, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut read = Vec::new();
    let mut templates = Vec::new();
    for file in feature_files::find(features)? {
        match parse::parse(&file) {
            Ok((feature, found)) => {
                templates.extend(found);
                read.push(Feature {
                    file,
                    keyword: feature.keyword,
                    name: feature.name,
                });
            }
            Err(found) => problems.extend(found),
        }
    }
    let all = cross::cross(inventory, &templates).unwrap_or_else(|found| {
        problems.extend(found);
        Vec::new()
    });
    if !problems.is_empty() {
        problems.sort();
        problems.dedup();
        return Err(problems);
    }
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
    let visits = visit::visits(inventory, &checks);
    let mut plan = Plan {
        inventory: inventory.clone(),
        features: read,
        checks,
        visits,
        digest: Sha256::of(b""),
        filters: filters.in_clear(),
    };
    plan.digest = Sha256::of(text(&plan).as_bytes());
    Ok(plan)
}
