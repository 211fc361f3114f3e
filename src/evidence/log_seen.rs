//! What was seen in one file of a log. Facts only: what they must be is for the step that asks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::digest::Sha256;

/// What was seen in one file of a log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogSeen {
    /// Entries, each with all of its lines.
    pub entries: u64,
    /// Time of the oldest.
    pub oldest: Option<Timestamp>,
    /// Time of the newest.
    pub newest: Option<Timestamp>,
    /// Each level of the product, from low to high, met or not; behind them entries of a level that the
    /// inventory does not know, and those of which nobody can say how old they are.
    pub levels: Vec<LevelSeen>,
    /// Each id met, as far as [`LogSeen::MOST_IDS`] go.
    pub ids: BTreeMap<String, Met>,
    /// More ids were met than are told.
    pub has_more_ids: bool,
    /// The widest stretches without an entry, widest first, at most [`LogSeen::MOST_HOLES`].
    pub holes: Vec<Hole>,
    /// The names that the log gives its instance, at most [`LogSeen::MOST_NAMES`].
    pub names: BTreeSet<String>,
    /// The version that it states last.
    pub version: Option<String>,
    /// SHA-256 of the first [`LogSeen::BEGINNING`] bytes, unpacked; `None` for a shorter log.
    pub beginning: Option<Sha256>,
    /// What the file is packed with, as the program is called; `None` when it is plain.
    pub packed: Option<&'static str>,
    /// The compressed file ended inside a gzip member, as only the live file of a log may.
    pub is_unfinished: bool,
}

/// One level of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelSeen {
    /// The product's own word; the first of them where the inventory gives several.
    pub name: String,
    /// Entries of it.
    pub entries: u64,
    /// Time of the newest.
    pub newest: Option<Timestamp>,
}

/// How often something was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Met {
    /// Entries that have it.
    pub entries: u64,
    /// Time of the newest.
    pub newest: Timestamp,
}

/// A stretch without an entry, between two that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Time of the entry before.
    pub from: Timestamp,
    /// Time of the entry behind.
    pub to: Timestamp,
}

impl LogSeen {
    /// Most ids that are told.
    pub const MOST_IDS: usize = 1000;
    /// Most holes that are kept.
    pub const MOST_HOLES: usize = 64;
    /// Most names that are told.
    pub const MOST_NAMES: usize = 8;
    /// Bytes that tell one log from another.
    pub const BEGINNING: usize = 1024;
}
