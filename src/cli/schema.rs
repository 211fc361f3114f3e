//! `gonogo schema`: prints the JSON Schema of `report.json` or `drill.json`, so that whoever reads them has the one
//! that this gonogo writes by.

use clap::ValueEnum;

use super::fault::{Exit, Fault};
use super::term;
use crate::report::{drill, schema};

/// What is published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Of {
    /// report.json of a run
    #[default]
    Report,
    /// drill.json of a sealed drill
    Drill,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every subcommand answers in this form"
)]
pub(super) fn schema(of: Of) -> Result<Exit, Fault> {
    term::out(match of {
        Of::Report => schema::JSON_SCHEMA,
        Of::Drill => drill::JSON_SCHEMA,
    });
    Ok(Exit::Go)
}
