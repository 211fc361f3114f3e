//! The reader for a log: counts entries and keeps times, levels, ids, holes and names, each byte seen
//! once, in constant memory. Judges no age: that is for the step that knows what is expected. Unpacks
//! nothing: that is for `unpack`.

mod amps;
mod encoding;
mod grammar;
mod heads;
mod holes;
mod json;
mod nothing;
mod pattern;
mod ranks;
mod tally;

use std::collections::BTreeSet;
use std::io::{self, Write};

use jiff::tz::TimeZone;

use self::amps::Amps;
pub use self::amps::LEVELS as AMPS_LEVELS;
use self::encoding::Decode;
use self::grammar::{Grammar, Line};
use self::heads::Heads;
use self::json::Objects;
use self::pattern::Lines;
use self::ranks::Ranks;
use self::tally::Tally;
use super::Content;
use super::log_seen::LogSeen;
use super::reader::Reader;
use super::redact::Capture;
use super::version;
use crate::digest::Sha256;
use crate::failure::Failure;
use crate::inventory::{Artifact, Encoding, EntryForm, Format, Pattern, Zone};

/// Most characters of a name or a version.
const LONGEST: usize = 200;
/// Bytes of a line that a failure may quote.
const QUOTED: usize = 512;

/// The reader for a log, not compressed, in the grammar that the inventory states; `timezone` is the
/// host's. `None` for what is no log, or says of none how its entries begin.
#[must_use]
pub fn reader(artifact: &Artifact, timezone: Option<&str>) -> Option<Box<dyn Reader>> {
    let wanted = Wanted {
        encoding: artifact.log.encoding,
        name: artifact.log.names.clone(),
        version: artifact.pattern.clone(),
    };
    if artifact.format == Some(Format::AmpsLog) {
        return Some(Box::new(Log::new(Amps::default(), wanted)));
    }
    let entry = artifact.log.entry.as_ref()?;
    let zone = match &entry.zone {
        Zone::Host => timezone.unwrap_or("UTC"),
        Zone::Named(name) => name,
    };
    // The inventory has looked each name up.
    let zone = TimeZone::get(zone).ok()?;
    let ranks = Ranks::new(entry.levels.clone());
    let form = entry.time.clone();
    match (artifact.format?, &entry.form) {
        (Format::Log, EntryForm::Line(Pattern(pattern))) => {
            let lines = Lines::new(pattern, form, zone, ranks)?;
            Some(Box::new(Log::new(lines, wanted)))
        }
        (Format::JsonLog, EntryForm::Json { time, level, id }) => {
            let (time, level, id) = (time.clone(), level.clone(), id.clone());
            let objects = Objects::new(time, level, id, form, zone, ranks);
            Some(Box::new(Log::new(objects, wanted)))
        }
        _ => None,
    }
}

/// What is looked for in each line beside the beginning of an entry.
#[derive(Clone, Debug, Default)]
struct Wanted {
    /// How characters are written, where no byte order mark says so.
    encoding: Option<Encoding>,
    /// The name of the instance.
    name: Option<Pattern>,
    /// The version of the product.
    version: Option<Pattern>,
}

/// Scans a log line by line. Lines that begin no entry belong to the entry before, or, at the top of
/// the file, to an entry that rotation left in the file before.
#[derive(Debug)]
struct Log<G> {
    decode: Decode,
    heads: Heads,
    scan: Scan<G>,
    bytes: u64,
    /// The first bytes, as they came.
    beginning: Vec<u8>,
}

#[derive(Debug)]
struct Scan<G> {
    grammar: G,
    tally: Tally,
    wanted: Wanted,
    names: BTreeSet<String>,
    version: Option<String>,
    /// The head of the first line that is not blank.
    first: Vec<u8>,
    /// Lines that would be entries if their time could be read, and the first of these times.
    untimed: u64,
    misread: Vec<u8>,
}

impl<G: Grammar> Log<G> {
    /// A reader for entries of that grammar.
    fn new(grammar: G, wanted: Wanted) -> Self {
        Self {
            decode: Decode::new(wanted.encoding),
            heads: Heads::new(G::HEAD),
            scan: Scan {
                grammar,
                tally: Tally::default(),
                wanted,
                names: BTreeSet::new(),
                version: None,
                first: Vec::new(),
                untimed: 0,
                misread: Vec::new(),
            },
            bytes: 0,
            beginning: Vec::new(),
        }
    }
}

impl<G: Grammar> Scan<G> {
    fn line(&mut self, line: &[u8]) {
        match self.grammar.line(line) {
            Line::Entry(start) => self.tally.entry(&start),
            Line::Untimed(entry) => {
                if self.untimed == 0 {
                    self.misread = entry.time[..entry.time.len().min(QUOTED)].to_vec();
                }
                self.untimed += 1;
                self.tally.untimed(&entry);
            }
            Line::Other => {}
        }
        if self.tally.entries() == 0 && self.first.trim_ascii().is_empty() {
            self.first = line[..line.len().min(QUOTED)].to_vec();
        }
        if self.wanted.name.is_some() || self.wanted.version.is_some() {
            self.look(&String::from_utf8_lossy(line));
        }
    }

    fn look(&mut self, line: &str) {
        if let Some(Pattern(name)) = &self.wanted.name
            && self.names.len() < LogSeen::MOST_NAMES
            && let Some(found) = name.captures(line)
            && let Some(name) = found.get(1).or_else(|| found.get(0))
            && !self.names.contains(name.as_str())
        {
            self.names.insert(name.as_str().to_owned());
        }
        if let Some(version) = &self.wanted.version
            && let Some(version) = version::stated(version, line)
            && self.version.as_deref() != Some(version)
        {
            self.version = Some(version.to_owned());
        }
    }
}

impl<G: Grammar> Write for Log<G> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.bytes += piece.len() as u64;
        let room = LogSeen::BEGINNING - self.beginning.len();
        self.beginning
            .extend_from_slice(&piece[..room.min(piece.len())]);
        let Self {
            decode,
            heads,
            scan,
            ..
        } = self;
        decode.pass(piece, |text| heads.feed(text, |line| scan.line(line)));
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<G: Grammar> Reader for Log<G> {
    fn finish(mut self: Box<Self>) -> Result<Content, Failure> {
        let (heads, scan) = (&mut self.heads, &mut self.scan);
        self.decode
            .finish(|text| heads.feed(text, |line| scan.line(line)));
        heads.finish(|line| scan.line(line));
        if let Some(nuls) = heads.nuls() {
            return Err(nothing::lost(&scan.grammar, nuls, heads.bytes()));
        }
        if scan.tally.entries() <= scan.untimed {
            return Err(nothing::no_entry(
                &scan.grammar,
                &nothing::Found {
                    bytes: self.bytes,
                    beginning: &self.beginning,
                    first: &scan.first,
                    untimed: scan.untimed,
                    misread: &scan.misread,
                },
            ));
        }
        let scan = self.scan;
        let excerpt = |text: String| Capture::new(text).excerpt(LONGEST);
        let is_whole = self.beginning.len() == LogSeen::BEGINNING;
        Ok(Content::Log(Box::new(LogSeen {
            names: scan.names.into_iter().map(excerpt).collect(),
            version: scan.version.map(excerpt),
            beginning: is_whole.then(|| Sha256::of(&self.beginning)),
            ..scan.tally.finish(scan.grammar.levels())
        })))
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod written_tests;
