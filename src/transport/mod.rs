//! Reaching a production server and reading there, by every rule of facts/ssh.md.
//!
//! [`Session`] has no method that writes. One session is one login on one host; it does one thing
//! at a time. A refusal is a [`Failure`] with host and account filled in; nothing here judges
//! content, and nothing here knows a step.

mod actor;
mod attempts;
mod auth;
mod back_off;
mod classify;
mod connect;
mod dial;
mod elevate;
mod exec;
mod far;
mod files;
mod forward;
mod frame;
mod gather;
mod glob;
mod handshake;
mod hello;
mod hops;
mod host_key;
mod http;
mod known_hosts;
mod mail;
mod meter;
mod offers;
mod openssh;
mod pour;
mod quote;
mod rate;
mod sftp;
mod sftp_refused;
mod shell_files;
pub mod smtp;
mod ssh;
mod trail;
mod ways;
mod wire;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, ready};
use jiff::Timestamp;

pub use auth::Keyring;
pub use connect::libssh2_version;
pub use elevate::elevated;
pub use frame::script as framed;
pub use gather::Gathering;
pub use http::{Proxies, Wanted, ask};
pub use mail::{exchangers, preferred};
pub use openssh::openssh_version;
pub use quote::words as quoted;
pub use shell_files::{link_command, list_command, read_command, stat_command};
pub use trail::{Account, Element, Trail, trail_commands};
pub use ways::{Hold, Ways};

use crate::digest::{Sha256, Stream};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Get, Login};
use crate::text;

/// What the far side proved and said of itself while connecting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Greeting {
    /// `SHA256:…` of the host key (of the key inside, if it presented a certificate).
    pub host_key: String,
    /// `ssh-ed25519` …
    pub host_key_type: String,
    /// Negotiated key exchange, cipher.
    pub kex: String,
    /// Negotiated cipher, client to server.
    pub cipher: String,
    /// The server's identification string, such as `SSH-2.0-OpenSSH_9.2p1`.
    pub server: String,
    /// Which method let us in: `publickey`, `agent`, `password`; `control socket` when a person had.
    pub method: String,
    /// The client that was used: `libssh2` or `OpenSSH`, with its version.
    pub client: String,
    /// The hops on the way, nearest to the runner first, as far as the client tells.
    pub crossed: Vec<Crossed>,
    /// How many times a server that may have been busy hung up before it let us in.
    pub turned_away: u32,
}

/// A hop on the way to a host, and the key that it proved to own.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crossed {
    /// Its name.
    pub host: String,
    /// Where it was met: `address:port`.
    pub address: String,
    /// As [`Greeting::host_key`].
    pub host_key: String,
    /// As [`Greeting::host_key_type`].
    pub host_key_type: String,
}

impl Crossed {
    fn new(hop: &Login, greeting: &Greeting) -> Self {
        Self {
            host: hop.host.clone(),
            address: text::endpoint(&hop.address, hop.port),
            host_key: greeting.host_key.clone(),
            host_key_type: greeting.host_key_type.clone(),
        }
    }
}

/// A program with its arguments; quoting is the session's business.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Command(pub Vec<String>);

/// Limits of one operation, enforced on our side.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Wall time from now on.
    pub time: Duration,
    /// Most bytes of one file or of one command's output; one more is `too-large`.
    pub bytes: u64,
}

/// What a command printed, and how it ended. Exists only when start and end nonce were both seen.
#[derive(Clone, PartialEq, Eq)]
pub struct Output {
    /// Bytes of stdout.
    pub stdout: Vec<u8>,
    /// Bytes of stderr.
    pub stderr: Vec<u8>,
    /// The command's own exit status, from the nonce trailer.
    pub status: i32,
}

// Raw bytes of a production server stay out of logs and panics.
impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            stdout,
            stderr,
            status,
        } = self;
        write!(
            f,
            "Output({} + {} bytes, status {status})",
            stdout.len(),
            stderr.len()
        )
    }
}

/// One file as a listing or `lstat` shows it, symbolic links followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Absolute path; its components were checked (no `/`, NUL, `.` or `..` from the server).
    pub path: String,
    /// What it is after following links.
    pub kind: EntryKind,
    /// Size in bytes.
    pub size: u64,
    /// Last change of the content.
    pub modified: Option<Timestamp>,
}

/// What a directory entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file: the only thing that is ever opened.
    File,
    /// A directory.
    Directory,
    /// A FIFO, socket or device, or what the server did not say.
    Special,
    /// A symbolic link whose target is gone.
    Dangling,
}

/// Which part of a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// How many bytes to leave out at the beginning. SFTP does not ask for them; commands print them
    /// again, for `head` is what the plan names, and they are dropped here.
    pub from: u64,
    /// At most so many bytes; all that follow when `None`.
    pub most: Option<u64>,
}

impl Span {
    /// The whole file.
    pub const WHOLE: Self = Self {
        from: 0,
        most: None,
    };

    /// The first `bytes`, or as many as there are.
    #[must_use]
    pub const fn head(bytes: u64) -> Self {
        Self {
            from: 0,
            most: Some(bytes),
        }
    }
}

/// Proof that a file was read: counted and hashed by the session itself while it streamed. That of a
/// part is none of the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The path read, or the URL asked for.
    pub path: String,
    /// Bytes read: as many as the file had when it was opened (or the asked part of them).
    pub bytes: u64,
    /// Bytes that the file had when it was opened; of an answer, those that came.
    pub size: u64,
    /// SHA-256 of those bytes.
    pub sha256: Sha256,
    /// Last change of the content, as the server stated it when the file was opened.
    pub modified: Option<Timestamp>,
    /// `sftp`, `exec`, or `http` for an answer with status 200.
    pub method: &'static str,
}

/// Where a file's bytes go while they stream: in constant memory, on the session's own thread.
/// A write error aborts the read and comes back as [`ReadError::Sink`].
pub type Sink = Box<dyn Write + Send>;

/// One of several files that are read together.
pub struct Reading {
    /// Absolute path.
    pub path: String,
    /// Which part of it.
    pub span: Span,
    /// Most bytes of it; one more is `too-large`.
    pub bytes: u64,
    /// Where they go.
    pub sink: Sink,
}

/// Why a read gave no receipt.
#[derive(Debug)]
pub enum ReadError {
    /// The world refused.
    Failure(Failure),
    /// Our own sink could not take the bytes: a fault (disk full), no statement about the world.
    Sink(std::io::Error),
    /// The connection was lost while an opened file streamed: whoever can may go on over another.
    Lost(Box<Lost>),
}

/// A file that was being read when the connection was lost.
pub struct Lost {
    /// What happened.
    pub failure: Failure,
    /// Bytes that the file had when it was opened.
    pub size: u64,
    /// Last change of the content, as the server stated it when the file was opened.
    pub modified: Option<Timestamp>,
    /// Of all bytes that the sink has taken; more may be added.
    pub hash: Stream,
}

impl std::fmt::Debug for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lost({})", self.failure)
    }
}

impl ReadError {
    /// For whoever does not go on: the failure, or the fault of our own as the error.
    ///
    /// # Errors
    /// That of the sink.
    pub fn told(self) -> std::io::Result<Failure> {
        match self {
            Self::Failure(failure) => Ok(failure),
            Self::Lost(lost) => Ok(lost.failure),
            Self::Sink(error) => Err(error),
        }
    }
}

impl From<Failure> for ReadError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Most bytes of a streamed command's stderr.
pub const MOST_STDERR: u64 = 16 << 20;

/// One login on one host. There is no method that writes, and there never will be one.
///
/// Every method ends within its limits, whatever the peer does. After a `timeout` or `unreachable`
/// failure the session is dead: every further call fails at once, and its owner opens a new one.
pub trait Session: Send + Sync {
    /// What the far side proved and said while connecting.
    fn greeting(&self) -> &Greeting;

    /// Runs a command, framed by nonces, stdin empty.
    fn run<'a>(
        &'a self,
        command: &'a Command,
        limits: Limits,
    ) -> BoxFuture<'a, Result<Output, Failure>>;

    /// As [`Session::run`], what the command prints on stdout going to `sink` as it comes, in constant
    /// memory: the stdout of the answer is empty. stderr is kept, at most [`MOST_STDERR`].
    ///
    /// A session that has no such way runs the command and hands over what came.
    fn stream<'a>(
        &'a self,
        command: &'a Command,
        limits: Limits,
        mut sink: Sink,
    ) -> BoxFuture<'a, Result<Output, ReadError>> {
        Box::pin(async move {
            let mut output = self.run(command, limits).await?;
            let stdout = std::mem::take(&mut output.stdout);
            sink.write_all(&stdout).map_err(ReadError::Sink)?;
            sink.flush().map_err(ReadError::Sink)?;
            Ok(output)
        })
    }

    /// Files that `pattern` (absolute, each component perhaps a glob) names, sorted by path. A
    /// pattern without glob is looked up. Empty only when readable directories hold no match; a
    /// directory that is missing or may not be entered is a failure.
    fn list<'a>(
        &'a self,
        pattern: &'a str,
        limits: Limits,
    ) -> BoxFuture<'a, Result<Vec<Entry>, Failure>>;

    /// Streams one regular file into `sink`: looks before it opens, refuses what is not regular,
    /// reads as many bytes as the file had when opened, or `span` of them, and hands over a receipt.
    fn read<'a>(
        &'a self,
        path: &'a str,
        span: Span,
        limits: Limits,
        sink: Sink,
    ) -> BoxFuture<'a, Result<Receipt, ReadError>>;

    /// What is at each path, links followed: one answer for each, all asked before one is waited for where the
    /// session can.
    fn look<'a>(
        &'a self,
        paths: &'a [String],
        limits: Limits,
    ) -> BoxFuture<'a, Vec<Result<Entry, Failure>>> {
        Box::pin(async move {
            let mut found = Vec::with_capacity(paths.len());
            for path in paths {
                let listed = self.list(path, limits).await;
                let gone = || Failure::new(FailureKind::Missing, "a path that exists", "none");
                found.push(listed.and_then(|entries| entries.into_iter().next().ok_or_else(gone)));
            }
            found
        })
    }

    /// As [`Session::read`] of each, in fewer round trips where the session can; one answer for each, with the time
    /// that it came after. Those behind one whose failure ended the session were not read, and say so.
    fn read_all(
        &self,
        wanted: Vec<Reading>,
        time: Duration,
    ) -> BoxFuture<'_, Vec<(Result<Receipt, ReadError>, Duration)>> {
        Box::pin(async move {
            let began = std::time::Instant::now();
            let mut read = Vec::with_capacity(wanted.len());
            for one in wanted {
                let limits = Limits {
                    time: time.saturating_sub(began.elapsed()),
                    bytes: one.bytes,
                };
                let done = self.read(&one.path, one.span, limits, one.sink).await;
                read.push((done, began.elapsed()));
            }
            read
        })
    }

    /// As [`Session::read_all`], in this order: no byte of one is asked for before the one before it has come whole, and
    /// behind one that failed none is read. Each is opened anew, also where a path comes twice; the opening of one
    /// may be asked for together with the bytes of the one before it, never earlier.
    fn read_in_turn(
        &self,
        wanted: Vec<Reading>,
        time: Duration,
    ) -> BoxFuture<'_, Vec<(Result<Receipt, ReadError>, Duration)>> {
        Box::pin(async move {
            let began = std::time::Instant::now();
            let mut read: Vec<(Result<Receipt, ReadError>, Duration)> = Vec::new();
            for one in wanted {
                let limits = Limits {
                    time: time.saturating_sub(began.elapsed()),
                    bytes: one.bytes,
                };
                let done = match read.last() {
                    Some((Err(_), _)) => Err(files::not_reached().into()),
                    _ => self.read(&one.path, one.span, limits, one.sink).await,
                };
                read.push((done, began.elapsed()));
            }
            read
        })
    }

    /// Reads what is about to be asked for by one command, where the login consents to that and there is such a way: the
    /// calls that follow at once then find it here. What the host's clock shows comes back, where it was asked.
    ///
    /// What could not be had by it is no failure, and is asked for again by those calls; a deadline and a lost
    /// connection are.
    fn gather<'a>(
        &'a self,
        _what: &'a Gathering,
        _limits: Limits,
    ) -> BoxFuture<'a, Result<Option<String>, Failure>> {
        Box::pin(ready(Ok(None)))
    }

    /// Sends one HTTP GET from the host itself (direct-tcpip) and streams the answer's body into `sink`.
    /// Only status 200 has a receipt; no redirect is followed. `elevate` has no part in it. Of this
    /// alone `unreachable` may mean the web server, and the session then lives on.
    fn get<'a>(
        &'a self,
        get: &'a Get,
        _limits: Limits,
        _sink: Sink,
    ) -> BoxFuture<'a, Result<Receipt, ReadError>> {
        let failure = Failure::new(
            FailureKind::Undefined,
            "a session that sends HTTP requests",
            "one that does not",
        );
        Box::pin(ready(Err(failure.with_subject(&*get.url).into())))
    }

    /// The same session without `sudo`, whatever the login's `elevate` says: for what the account may
    /// do as itself.
    fn unelevated(&self) -> Arc<dyn Session>;

    /// What can be seen of each element of `path`, for whoever explains why it was denied. Never a
    /// failure: `None` when nothing can be seen, as from a session that has no such look.
    fn trail<'a>(&'a self, _path: &'a str, _limits: Limits) -> BoxFuture<'a, Option<Trail>> {
        Box::pin(ready(None))
    }

    /// True once a deadline or a lost connection has ended the session.
    fn is_dead(&self) -> bool;

    /// Ends the session in an orderly way, within a second.
    fn close(&self) -> BoxFuture<'_, ()>;
}
