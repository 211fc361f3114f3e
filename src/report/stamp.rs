//! The time stamp of a run: a request and an answer beside its signature, outside the manifest, since they
//! come after it (facts: signing.md 1). Written whole or not at all, and an answer only when it is proven.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::schema::Report;
use crate::sign::manifest::{SIGNATURE, read_regular};
use crate::sign::timestamp::{
    Authorities, MOST_BYTES, REQUEST_SUFFIX, RESPONSE_SUFFIX, Request, Stamp, StampFault, Token,
};
use crate::text::escape;
use crate::time::{rfc3339, say};

// What a clock may be off, as for log entries.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Why a run has no time stamp, or none that counts.
#[derive(Debug, thiserror::Error)]
pub enum StampingFault {
    /// A file of the run.
    #[error("`{}` {what}: {cause}", escape(&path.to_string_lossy()))]
    Io {
        /// The file.
        path: PathBuf,
        /// `cannot be read` or `cannot be written`.
        what: &'static str,
        /// What the system said.
        cause: io::Error,
    },
    /// It has one already.
    #[error("`{}` has a time stamp already", escape(&.0.to_string_lossy()))]
    Stamped(PathBuf),
    /// The token.
    #[error(transparent)]
    Token(#[from] StampFault),
    /// Stamped before the run had ended, or long after.
    #[error("{0}")]
    When(String),
}

impl StampingFault {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => {
                "name the directory that `gonogo run -o` wrote, as an account that may write in it"
            }
            Self::Stamped(_) => {
                "a time stamp is never replaced; `gonogo verify --tsa-ca FILE` looks at it"
            }
            Self::Token(fault) => fault.hint(),
            Self::When(_) => {
                "a record that is signed or stamped long after its run may have been changed in between: ask its owner; --stamped-within says how long is accepted"
            }
        }
    }
}

/// Where a run keeps its request or its answer.
fn beside(run: &Path, suffix: &str) -> PathBuf {
    run.join(format!("{SIGNATURE}{suffix}"))
}

fn read(path: &Path) -> Result<Vec<u8>, StampingFault> {
    read_regular(path, MOST_BYTES).map_err(|cause| StampingFault::Io {
        path: path.to_owned(),
        what: "cannot be read",
        cause,
    })
}

/// The request that lies beside the signature, when there is one.
fn asked(run: &Path) -> Result<Option<Request>, StampingFault> {
    let path = beside(run, REQUEST_SUFFIX);
    match path.symlink_metadata() {
        Ok(_) => Ok(Some(Request::parse(&read(&path)?)?)),
        Err(_) => Ok(None),
    }
}

/// Writes a new request beside the signature: its path and its bytes.
///
/// # Errors
/// When the run is stamped already, or cannot be read or written.
pub fn request(run: &Path, nonce: [u8; 8]) -> Result<(PathBuf, Vec<u8>), StampingFault> {
    unstamped(run)?;
    let request = Request::of(&read(&run.join(SIGNATURE))?, nonce);
    let path = beside(run, REQUEST_SUFFIX);
    write(run, &path, request.bytes(), true)?;
    Ok((path, request.bytes().to_vec()))
}

/// Proves an authority's answer, and puts it beside the signature.
///
/// # Errors
/// When it proves nothing of this run, or the run is stamped already.
pub fn attach(
    run: &Path,
    response: &[u8],
    authorities: &Authorities,
) -> Result<Stamp, StampingFault> {
    unstamped(run)?;
    let signature = read(&run.join(SIGNATURE))?;
    let request = asked(run)?;
    let stamp = Token::parse(response)?.verify(&signature, request.as_ref(), authorities)?;
    write(run, &beside(run, RESPONSE_SUFFIX), response, false)?;
    Ok(stamp)
}

/// The answer beside the signature, as it lies there; `None` when there is none.
///
/// # Errors
/// When it cannot be read.
pub fn response(run: &Path) -> Result<Option<Vec<u8>>, StampingFault> {
    let path = beside(run, RESPONSE_SUFFIX);
    match path.symlink_metadata() {
        Ok(_) => read(&path).map(Some),
        Err(_) => Ok(None),
    }
}

/// A stamp says when a record existed, and the record when its run ended: it must have been stamped soon
/// after, or somebody had time to make another one.
///
/// # Errors
/// When it was not.
pub fn soon(report: &Report, stamp: &Stamp, within: SignedDuration) -> Result<(), StampingFault> {
    let finished = report.run.finished.parse::<Timestamp>();
    let finished = finished.map_err(|_| StampingFault::When("the run states no end".to_owned()))?;
    let after = stamp.at.duration_since(finished);
    let told = |what: String| {
        let (at, finished) = (rfc3339(stamp.at), rfc3339(finished));
        Err(StampingFault::When(format!(
            "stamped at {at}, {what}: the run says that it finished at {finished}"
        )))
    };
    match after {
        after if after < -SKEW => told("before the run had ended".to_owned()),
        after if after > within => told(format!(
            "{} after its end, where {} is accepted",
            say(after.unsigned_abs()),
            say(within.unsigned_abs())
        )),
        _ => Ok(()),
    }
}

fn unstamped(run: &Path) -> Result<(), StampingFault> {
    match beside(run, RESPONSE_SUFFIX).symlink_metadata() {
        Ok(_) => Err(StampingFault::Stamped(run.to_owned())),
        Err(_) => Ok(()),
    }
}

/// Whole or not at all, and never over a stamp.
fn write(run: &Path, path: &Path, content: &[u8], replace: bool) -> Result<(), StampingFault> {
    let fault = |cause| StampingFault::Io {
        path: path.to_owned(),
        what: "cannot be written",
        cause,
    };
    // The manifest does not cover names that begin like its own.
    let mut file = tempfile::Builder::new()
        .prefix("SHA256SUMS.partial-")
        .tempfile_in(run)
        .map_err(fault)?;
    file.write_all(content).map_err(fault)?;
    file.as_file().sync_all().map_err(fault)?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(mode).map_err(fault)?;
    let kept = match replace {
        true => file.persist(path).map(drop),
        false => file.persist_noclobber(path).map(drop),
    };
    kept.map_err(|error| fault(error.error))
}
