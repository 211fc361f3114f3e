//! The table of steps, a theme a file. Its order is the order of `gonogo steps` and docs/steps.md. No code
//! here.

mod command;
mod configuration;
mod core;
mod host;
mod listing;
mod log;
mod person;
mod selectors;
mod statistics;
mod time;
mod vendor;
mod version;

use std::sync::LazyLock;

use super::call::Call;

/// One phrase: how it is written, what it proves, and the call it binds to.
pub struct StepDef {
    /// The keyword that reads best; matching ignores it, as other cucumbers do.
    pub keyword: &'static str,
    /// A Cucumber Expression; parameters are those of `bind.rs`.
    pub expression: &'static str,
    /// What it proves, for authors and auditors.
    pub doc: &'static str,
    /// A line that matches exactly this step (a test says so).
    pub example: &'static str,
    /// What stands below it.
    pub takes: Takes,
    /// From the captured parameters, in order, to a call. What stands below the step comes last, a
    /// table one argument a row.
    pub(super) build: fn(&[&str]) -> Result<Call, String>,
}

/// What a step takes from the lines below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: a table or doc string there is refused.
    Nothing,
    /// A data table of one column.
    Table,
    /// A doc string.
    DocString,
}

const fn step(
    keyword: &'static str,
    expression: &'static str,
    example: &'static str,
    build: fn(&[&str]) -> Result<Call, String>,
    doc: &'static str,
) -> StepDef {
    StepDef {
        keyword,
        expression,
        doc,
        example,
        takes: Takes::Nothing,
        build,
    }
}

const fn with(takes: Takes, def: StepDef) -> StepDef {
    StepDef { takes, ..def }
}

/// Every phrase. Wording is fixed by contract 4; phrases are added, never renamed.
pub static STEPS: LazyLock<Vec<&'static StepDef>> = LazyLock::new(|| {
    let themes = [
        selectors::STEPS,
        core::STEPS,
        version::STEPS,
        configuration::STEPS,
        log::STEPS,
        statistics::STEPS,
        listing::STEPS,
        host::STEPS,
        time::STEPS,
        command::STEPS,
        vendor::STEPS,
        person::STEPS,
    ];
    themes.into_iter().flatten().collect()
});
