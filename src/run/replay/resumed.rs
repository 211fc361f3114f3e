//! Whether what is told of a transfer that was taken up again can have happened.

use crate::inventory::{Artifact, Format};
use crate::report::schema;
use crate::steps::resume::MOST;
use crate::text::escape;

/// Only a file that is read where it lies is gone on with, and only so often; a database is one set.
pub(super) fn believable(
    evidence: &schema::Evidence,
    artifacts: &[Artifact],
) -> Result<(), String> {
    let is_set = artifacts.iter().any(|artifact| {
        artifact.name == evidence.artifact && artifact.format == Some(Format::Sqlite)
    });
    let is_file = matches!(evidence.method.as_str(), "sftp" | "exec");
    match evidence.resumed {
        0 => Ok(()),
        1..=MOST if is_file && !is_set => Ok(()),
        count => Err(format!(
            "evidence `{}` from `{}` cannot have been resumed {count} times",
            escape(&evidence.artifact),
            escape(&evidence.path)
        )),
    }
}
