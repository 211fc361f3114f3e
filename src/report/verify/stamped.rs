//! The time stamp of a run, for whoever names authorities: with it the signer's key counts as of the
//! instant that it proves, and so a run outlives its key (facts: signing.md 9).

use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;

use super::{Demands, Unacceptable};
use crate::report::schema::Report;
use crate::report::sealed::Sealed;
use crate::report::stamp;
use crate::sign::timestamp::{Stamp, Token};

/// How soon after its end a run must be stamped, unless the verifier says otherwise.
pub const WITHIN: Duration = Duration::from_secs(24 * 3600);

/// The answer of the authority, where it is to be looked at.
pub(super) fn response(
    directory: &Path,
    demands: &Demands,
) -> Result<Option<Vec<u8>>, Unacceptable> {
    if demands.authorities.is_none() {
        return Ok(None);
    }
    match stamp::response(directory)? {
        None if demands.needs_stamp => Err(Unacceptable::Unstamped),
        response => Ok(response),
    }
}

/// What the token proves of the very signature that was verified.
pub(super) fn proven(
    token: Option<&Token>,
    sealed: &Sealed,
    demands: &Demands,
) -> Result<Option<Stamp>, Unacceptable> {
    match (token, &demands.authorities) {
        (Some(token), Some(authorities)) => {
            Ok(Some(token.verify(&sealed.signature, None, authorities)?))
        }
        _ => Ok(None),
    }
}

/// Stamped when the run had just ended.
pub(super) fn soon(
    report: &Report,
    stamp: Option<&Stamp>,
    demands: &Demands,
) -> Result<(), Unacceptable> {
    let within = demands.stamped_within.unwrap_or(WITHIN);
    let within = SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX);
    match stamp {
        Some(stamp) => Ok(stamp::soon(report, stamp, within)?),
        None => Ok(()),
    }
}
