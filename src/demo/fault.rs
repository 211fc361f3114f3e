//! Why a practice estate could not be built: always something of this machine's, never of the world's.

use std::io;
use std::path::{Path, PathBuf};

/// The estate could not be built.
#[derive(Debug, thiserror::Error)]
pub enum EstateFault {
    /// The disk refused.
    #[error("cannot {doing} `{}`", path.display())]
    Disk {
        /// The verb.
        doing: &'static str,
        /// What it was about.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The temporary directory's path cannot be put into a shell command as it is.
    #[error("the practice estate cannot live in `{}`: only letters, digits, `/`, `.`, `_` and `-` may be in its path", .0.display())]
    Path(PathBuf),
    /// No loopback port.
    #[error("cannot listen on 127.0.0.1")]
    Port(#[source] io::Error),
    /// No thread or no event queue.
    #[error("cannot start the estate's threads")]
    Runtime(#[source] io::Error),
    /// A key could not be made or written out.
    #[error("cannot make a practice key")]
    Key(#[from] ssh_key::Error),
    /// The system gave no random bytes.
    #[error("cannot get random bytes for a practice key")]
    Random(#[source] getrandom::Error),
    /// A statistics database could not be made.
    #[error("cannot make a practice statistics database")]
    Statistics(#[from] rusqlite::Error),
    /// A practice certificate could not be made.
    #[error("cannot make a practice certificate")]
    Certificate(#[from] openssl::error::ErrorStack),
    /// The TLS server did not take it.
    #[error("cannot start the practice web site")]
    Tls(#[from] rustls::Error),
    /// The building thread panicked or was cancelled: a defect of gonogo.
    #[error("the practice estate was lost while it was being built")]
    Lost,
}

impl EstateFault {
    /// Names what was being done to which path.
    pub(super) fn disk(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Disk {
            doing,
            path,
            source,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Disk { .. } | Self::Path(_) => {
                "set TMPDIR to a directory with a plain path and some 20 MiB of room"
            }
            Self::Port(_) => "allow this process to listen on loopback",
            Self::Runtime(_) => "raise the limit of threads or open files (ulimit)",
            Self::Key(_)
            | Self::Random(_)
            | Self::Statistics(_)
            | Self::Certificate(_)
            | Self::Tls(_)
            | Self::Lost => "this should not happen: please report it",
        }
    }
}
