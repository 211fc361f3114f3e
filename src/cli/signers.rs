//! The file that says who may sign, for every command that needs it.

use std::fs;
use std::path::Path;

use super::fault::{Exit, Fault};
use super::term;
use crate::sign::allowed_signers::AllowedSigners;
use crate::text::escape;

/// Reads it, and warns of lines without effect.
pub(super) fn read(file: &Path) -> Result<AllowedSigners, Fault> {
    let path = file.to_string_lossy();
    let bytes = fs::read(file).map_err(|error| {
        Fault::new(
            Exit::Refused,
            format!("cannot read `{}`: {error}", escape(&path)),
            "--allowed-signers names a file in the format of ssh-keygen(1), ALLOWED SIGNERS",
        )
    })?;
    let allowed = AllowedSigners::parse(&bytes);
    for warning in allowed.warnings() {
        term::say(&format!(
            "warning: {}: {}",
            escape(&path),
            escape(&format!("line {}: {}", warning.line, warning.message))
        ));
    }
    match allowed.is_empty() {
        true => Err(Fault::new(
            Exit::Refused,
            format!("`{}` allows nobody to sign", escape(&path)),
            "it holds no line that can be read",
        )),
        false => Ok(allowed),
    }
}
