//! `gonogo case`: what a vendor's support is sent. One file a command.

mod build;

use clap::Subcommand;

use super::fault::{Exit, Fault};

/// What a vendor's support is sent.
#[derive(Subcommand)]
pub(super) enum Case {
    /// Build the redacted evidence bundle of one instance from what `run --keep` kept
    Build(build::Build),
}

/// Does what was asked for.
pub(super) fn case(asked: &Case) -> Result<Exit, Fault> {
    match asked {
        Case::Build(args) => build::build(args),
    }
}
