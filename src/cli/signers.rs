//! The files that say who may sign and whose key is revoked, for every command that needs them.

use std::fs;
use std::path::Path;

use super::fault::{Exit, Fault};
use super::term;
use crate::sign::allowed_signers::AllowedSigners;
use crate::sign::krl::Revoked;
use crate::text::escape;

/// Reads them, and warns of lines without effect.
pub(super) fn read(file: &Path, revocations: Option<&Path>) -> Result<AllowedSigners, Fault> {
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
    let revoked = revocations.map(revoked).transpose()?;
    let allowed = allowed.without(revoked.unwrap_or_default());
    match allowed.is_empty() {
        true => Err(Fault::new(
            Exit::Refused,
            format!("`{}` allows nobody to sign", escape(&path)),
            "it holds no line that can be read",
        )),
        false => Ok(allowed),
    }
}

/// A list that was named and cannot be read revokes everything: nothing is verified.
pub(super) fn revoked(path: &Path) -> Result<Revoked, Fault> {
    let shown = escape(&path.to_string_lossy()).into_owned();
    let bytes = fs::read(path).map_err(|error| {
        Fault::new(
            Exit::Refused,
            format!("cannot read `{shown}`: {error}"),
            "--revoked names a list of `ssh-keygen -k`, or of public keys",
        )
    })?;
    Revoked::parse(&bytes).map_err(|fault| {
        Fault::new(
            Exit::Refused,
            format!("cannot use revocation list `{shown}`: {fault}"),
            fault.hint(),
        )
    })
}
