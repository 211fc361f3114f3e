//! Handing a finished file over to a vendor's intake: the only room that writes on another machine. No run can
//! reach it (`tests/it/tidy.rs`): `gonogo case deliver` alone does, and an intake is no production server.
//!
//! Nothing is written over. What is handed over was counted and hashed while it went; what arrived is compared
//! as far as the intake lets anybody look. Every call ends by its deadline.

mod door;
mod https;
pub mod mail;
mod sftp;

pub use door::{no_login, unpinned};

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::digest::{Sha256, Stream};
use crate::inventory::{Intake, IntakeTo};
use crate::time::say;

/// What is handed over.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The file here.
    pub path: PathBuf,
    /// What it is called there: letters, digits and `._-` alone.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Sha256,
    /// What goes with it, where it goes by e-mail.
    pub letter: Option<Letter>,
}

/// What a person reads beside what is handed over.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    /// What it is about, in one line.
    pub subject: String,
    /// The request.
    pub text: String,
}

/// What is known of the arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Where it lies.
    pub place: String,
    /// How the intake's copy was compared; `None` when nobody can look.
    pub compared: Option<Compared>,
    /// What the intake answered, where that matters.
    pub answer: Option<String>,
    /// What stayed behind beside it.
    pub left: Option<String>,
}

/// How a copy was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// It was read again, and has the digest.
    ReadBack,
    /// The intake stated the digest.
    Stated,
    /// It has the size; nobody could look at more.
    Size,
    /// A mail server took it, and nobody can look where it went.
    Accepted,
}

/// Why it was not handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What happened.
    pub why: String,
    /// What to do.
    pub hint: String,
    /// What of it is at the intake all the same.
    pub left: Option<String>,
    /// It arrived as something else: what lies there must not be used.
    pub damaged: bool,
    /// Our own side.
    pub is_fault: bool,
}

impl Refused {
    pub(crate) fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            hint: hint.into(),
            left: None,
            damaged: false,
            is_fault: false,
        }
    }

    fn fault(why: impl Into<String>) -> Self {
        Self {
            is_fault: true,
            ..Self::new(why, "")
        }
    }

    fn leaving(mut self, left: Option<String>) -> Self {
        self.left = left;
        self
    }
}

/// Looks at what can be known without anybody being contacted: secrets and keys that are needed.
///
/// # Errors
/// What is missing.
pub fn ready(intake: &Intake) -> Result<(), Refused> {
    match &intake.to {
        IntakeTo::Sftp { .. } => sftp::ready(intake),
        IntakeTo::Https { token_env, .. } => https::ready(token_env.as_deref()),
        IntakeTo::Email { by, .. } => mail::ready(by.as_ref()),
    }
}

/// Hands it over, within `time`.
///
/// # Errors
/// Why it did not arrive, and what stayed there.
pub fn deliver(intake: &Intake, parcel: &Parcel, time: Duration) -> Result<Arrived, Refused> {
    let (intake, sent) = (intake.clone(), parcel.clone());
    let deadline = Deadline(Instant::now() + time);
    let work = move || match &intake.to {
        IntakeTo::Sftp { .. } => sftp::deliver(&intake, &sent, deadline),
        IntakeTo::Https { link, token_env } => {
            https::deliver(link, token_env.as_deref(), &sent, deadline)
        }
        IntakeTo::Email { to, by } => mail::deliver(to, by.as_ref(), &sent, deadline),
    };
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = tell.send(work());
    });
    // What hangs inside a library is left behind: the process ends after it.
    match told.recv_timeout(time + Duration::from_secs(5)) {
        Ok(done) => done,
        Err(RecvTimeoutError::Timeout) => Err(late(time).leaving(Some(format!(
            "perhaps a part of `{}`: nobody could look",
            parcel.name
        )))),
        Err(RecvTimeoutError::Disconnected) => Err(Refused::fault("the delivery broke down")
            .leaving(Some(format!(
                "perhaps a part of `{}`: nobody could look",
                parcel.name
            )))),
    }
}

impl From<Refused> for (String, String) {
    fn from(refused: Refused) -> Self {
        (refused.why, refused.hint)
    }
}

fn late(time: Duration) -> Refused {
    Refused::new(
        format!("the intake was not done within {}", say(time)),
        "try again later, or allow more with --deadline",
    )
}

/// When everything is over.
#[derive(Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    fn left(self) -> Result<Duration, Refused> {
        let left = self.0.saturating_duration_since(Instant::now());
        match left.is_zero() {
            false => Ok(left),
            true => Err(Refused::new(
                "the deadline has passed",
                "try again later, or allow more with --deadline",
            )),
        }
    }
}

/// A file on its way: counted and hashed as it is read, and never more of it than was stated.
struct Outgoing {
    file: File,
    hash: Stream,
    read: u64,
}

impl Outgoing {
    fn open(parcel: &Parcel) -> Result<Self, Refused> {
        let file = File::open(&parcel.path);
        Ok(Self {
            file: file.map_err(|error| unreadable(&parcel.path, &error))?,
            hash: Stream::default(),
            read: 0,
        })
    }

    /// Whether what went was what was to go.
    fn done(self, parcel: &Parcel) -> Result<(), Refused> {
        match self.read == parcel.bytes && self.hash.finish() == parcel.sha256 {
            true => Ok(()),
            false => Err(Refused::new(
                format!("`{}` changed while it was sent", parcel.path.display()),
                "nobody may write to a finished bundle: build it again",
            )),
        }
    }
}

impl Read for Outgoing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.hash.update(&buffer[..n]);
        self.read += n as u64;
        Ok(n)
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Refused {
    Refused::fault(format!("cannot read `{}`: {error}", path.display()))
}

/// The secret that the environment variable holds.
fn secret(variable: &str, what: &str) -> Result<zeroize::Zeroizing<String>, Refused> {
    let value = std::env::var(variable).unwrap_or_default();
    let good = !value.is_empty() && !value.chars().any(char::is_control);
    match good {
        true => Ok(zeroize::Zeroizing::new(value)),
        false => Err(Refused::new(
            format!("the environment variable {variable} holds no {what}"),
            format!("set {variable} for this command alone"),
        )),
    }
}
