//! `gonogo controls`: prints the mapping of tags to controls that OSCAL is made with, to copy and edit.

use super::fault::{Exit, Fault};
use super::term;
use crate::inventory::controls::BUILT_IN;

#[expect(
    clippy::unnecessary_wraps,
    reason = "every subcommand answers in this form"
)]
pub(super) fn controls() -> Result<Exit, Fault> {
    term::out(BUILT_IN);
    Ok(Exit::Go)
}
