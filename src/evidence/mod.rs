//! From bytes to facts: readers that look at an artifact while it streams by, and the evidence that
//! is left when the bytes are gone. Raw text leaves this room only through `redact`.
//!
//! A reader is put into a [`tap::Tap`], the tap's sink is given to `transport::Session::read`, and
//! the reader is taken back out to tell what it saw. Databases are judged as a whole file instead
//! ([`database::inspect`]), command output by [`version`].

pub mod amps_interval;
pub mod amps_keeps;
pub mod database;
pub mod database_seen;
pub mod feed;
mod hints;
pub mod host_facts;
mod journal;
pub mod journald;
pub mod log;
pub mod log_seen;
pub mod logrotate;
pub mod mark;
pub mod opaque;
pub mod pointed;
pub mod promise;
pub mod reader;
pub mod redact;
pub mod refusal;
mod rules;
mod samples;
pub mod settings;
pub mod status;
pub mod tap;
pub mod text;
pub mod transcript;
pub mod unpack;
pub mod version;
mod xml_encoding;

use jiff::Timestamp;

use self::database_seen::DatabaseSeen;
use self::log_seen::LogSeen;
use self::promise::Promise;
use self::settings::Settings;
use crate::digest::Sha256;
use crate::inventory::Kind;

/// What one check retrieved of one file or command, as the report states it.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Name of the artifact in the inventory.
    pub artifact: String,
    /// Its kind.
    pub kind: Kind,
    /// The remote path, or the command or URL as the plan printed it.
    pub path: String,
    /// Bytes retrieved.
    pub bytes: u64,
    /// SHA-256 of those bytes.
    pub sha256: Sha256,
    /// `sftp`, `exec`, `copy`, `vacuum-into`, `command`, or `http` for an answer with status 200.
    pub method: &'static str,
    /// Last change of the file, as the server stated it.
    pub modified: Option<Timestamp>,
    /// How often it was fetched until it was consistent (statistics); 1 otherwise.
    pub attempts: u32,
    /// How often its transfer was taken up again after the connection had been lost.
    pub resumed: u32,
    /// Wall time of the retrieval in milliseconds.
    pub duration_ms: u64,
    /// What a reader found inside.
    pub content: Content,
}

/// What a reader found inside.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Content {
    /// Nothing was looked at beyond the bytes.
    #[default]
    Opaque,
    /// The version found.
    Version(String),
    /// A file of a log.
    Log(Box<LogSeen>),
    /// A configuration file.
    Settings(Box<Settings>),
    /// What promises to keep a log.
    Promise(Promise),
    /// Files that were listed and not opened.
    Listing(Box<Listing>),
    /// A statistics database, or how a copy of one was taken that is none.
    Database(Box<DatabaseSeen>),
}

/// What a listing shows. Directories and special files are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Regular files.
    pub files: u64,
    /// Their sizes together.
    pub bytes: u64,
    /// Files of which the server states no time of change.
    pub undated: u64,
    /// The latest change of any.
    pub newest: Option<Timestamp>,
    /// Which one that was; empty when there is none.
    pub newest_path: String,
}

impl Content {
    /// Time of the newest entry or sample, when the format keeps one.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        match self {
            Self::Log(seen) => seen.newest,
            Self::Database(seen) => seen.newest,
            Self::Listing(seen) => seen.newest,
            _ => None,
        }
    }
}
