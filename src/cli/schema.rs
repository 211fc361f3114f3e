//! `gonogo schema`: prints the JSON Schema of `report.json`, so that whoever reads reports has the one that
//! this gonogo writes by.

use super::fault::{Exit, Fault};
use super::term;
use crate::report::schema::JSON_SCHEMA;

#[expect(
    clippy::unnecessary_wraps,
    reason = "every subcommand answers in this form"
)]
pub(super) fn schema() -> Result<Exit, Fault> {
    term::out(JSON_SCHEMA);
    Ok(Exit::Go)
}
