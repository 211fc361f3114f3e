//! `gonogo case`: what a vendor's support is sent. One file a command.

mod build;
mod deliver;
mod draft;
mod encrypted;
mod split;

use clap::Subcommand;

use super::fault::{Exit, Fault};

/// What a vendor's support is sent.
#[derive(Subcommand)]
pub(super) enum Case {
    /// Build the redacted evidence bundle of one instance from what `run --keep` kept
    Build(build::Build),
    /// Hand a finished file to the vendor's intake
    Deliver(deliver::Deliver),
    /// Write the support request: the vendor's template, filled in from a run
    Draft(draft::Draft),
    /// Write a file that is too large for an intake as numbered parts
    Split(split::Split),
    /// Print a request template to copy and edit
    Template(draft::Template),
}

/// Does what was asked for.
pub(super) fn case(asked: &Case) -> Result<Exit, Fault> {
    match asked {
        Case::Build(args) => build::build(args),
        Case::Deliver(args) => deliver::deliver(args),
        Case::Draft(args) => draft::draft(args),
        Case::Split(args) => split::split(args),
        Case::Template(args) => draft::template(args),
    }
}
