//! The reader for what `journalctl --output=json` prints: one JSON object an entry. Runs nothing.
//!
//! Sources: systemd.journal-fields(7) for the fields; systemd.io/JOURNAL_EXPORT_FORMATS for JSON, where a
//! value is a text, `null` when it was too long, an array of numbers when it is no UTF-8, or an array of
//! values when the field came more than once; syslog(3) for the priorities.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::Content;
use super::log_seen::{Hole, LevelSeen, LogSeen, Met};
use super::reader::Reader;
use super::redact::Capture;
use crate::digest::Sha256;
use crate::failure::{Failure, FailureKind};
use crate::inventory::Pattern;

/// Levels from low to high, each with the words that people use; the first is journalctl's own.
pub const LEVELS: [&[&str]; 8] = [
    &["debug"],
    &["info"],
    &["notice"],
    &["warning", "warn"],
    &["err", "error"],
    &["crit", "critical"],
    &["alert"],
    &["emerg", "emergency", "panic"],
];

/// Longest line that is looked at: journalctl leaves out values of more than 4096 bytes, and four are
/// asked for.
const MOST_LINE: usize = 256 << 10;

/// Most characters of a name.
const LONGEST: usize = 200;

/// Reads entries line by line.
#[derive(Debug, Default)]
pub struct Journal {
    names: Option<Pattern>,
    line: Vec<u8>,
    seen: LogSeen,
    last: Option<Timestamp>,
    beginning: Vec<u8>,
    wrong: Option<Failure>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    at: String,
    #[serde(rename = "PRIORITY", default)]
    priority: Value,
    #[serde(rename = "MESSAGE_ID", default)]
    id: Value,
    #[serde(rename = "SYSLOG_IDENTIFIER", default)]
    identifier: Value,
    #[serde(rename = "MESSAGE", default)]
    message: Value,
}

impl Journal {
    /// A reader that looks for the instance's name in `IDENTIFIER: MESSAGE`.
    #[must_use]
    pub fn new(names: Option<Pattern>) -> Self {
        let levels = LEVELS.iter().map(|words| LevelSeen {
            name: words[0].to_owned(),
            entries: 0,
            newest: None,
        });
        Self {
            names,
            seen: LogSeen {
                levels: levels.collect(),
                ..LogSeen::default()
            },
            ..Self::default()
        }
    }

    fn take_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = line.trim_ascii();
        // A notice such as `-- No entries --` is no entry, and stands alone.
        if !text.is_empty() && !text.starts_with(b"-- ") && self.wrong.is_none() {
            match serde_json::from_slice::<Line>(text) {
                Ok(entry) => self.entry(&entry),
                Err(_) => self.wrong = Some(no_entry()),
            }
        }
        self.line = line;
        self.line.clear();
    }

    fn entry(&mut self, entry: &Line) {
        let at = entry.at.parse().ok();
        let Some(at) = at.and_then(|at| Timestamp::from_microsecond(at).ok()) else {
            self.wrong = Some(no_entry());
            return;
        };
        let seen = &mut self.seen;
        seen.entries += 1;
        seen.oldest = Some(seen.oldest.map_or(at, |oldest| oldest.min(at)));
        seen.newest = Some(seen.newest.map_or(at, |newest| newest.max(at)));
        if let Some(from) = self.last.filter(|from| *from < at) {
            widest(&mut seen.holes, Hole { from, to: at });
        }
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        let priority = text(&entry.priority).and_then(|text| text.parse::<usize>().ok());
        let rank = priority.and_then(|priority| (LEVELS.len() - 1).checked_sub(priority));
        if let Some(level) = rank.and_then(|rank| seen.levels.get_mut(rank)) {
            level.entries += 1;
            level.newest = level.newest.max(Some(at));
        }
        // 128 bits in hexadecimal digits.
        let id = text(&entry.id).filter(|id| id.len() <= 36);
        if let Some(id) = id.map(|id| Capture::new(id).excerpt(36)) {
            let is_full = seen.ids.len() >= LogSeen::MOST_IDS;
            if let Some(met) = seen.ids.get_mut(&id) {
                met.entries += 1;
                met.newest = met.newest.max(at);
            } else if is_full {
                seen.has_more_ids = true;
            } else {
                let (entries, newest) = (1, at);
                seen.ids.insert(id, Met { entries, newest });
            }
        }
        if let Some(Pattern(names)) = &self.names
            && seen.names.len() < LogSeen::MOST_NAMES
        {
            let [identifier, message] =
                [&entry.identifier, &entry.message].map(|value| text(value).unwrap_or_default());
            let whole = format!("{identifier}: {message}");
            if let Some(found) = names.captures(&whole) {
                let found = found.get(1).or_else(|| found.get(0));
                let name = found.map(|name| Capture::new(name.as_str()).excerpt(LONGEST));
                seen.names.extend(name);
            }
        }
    }
}

/// The text of a value, the first of several.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(values) => {
            let bytes: Option<Vec<u8>> = values
                .iter()
                .map(|value| u8::try_from(value.as_u64()?).ok())
                .collect();
            match bytes {
                Some(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
                None => values.iter().find_map(|value| match value {
                    Value::String(text) => Some(text.clone()),
                    _ => None,
                }),
            }
        }
        _ => None,
    }
}

/// Keeps the widest, widest first.
fn widest(holes: &mut Vec<Hole>, hole: Hole) {
    let width = |hole: &Hole| hole.to.duration_since(hole.from);
    if holes.len() == LogSeen::MOST_HOLES
        && holes.last().is_some_and(|last| width(last) >= width(&hole))
    {
        return;
    }
    let at = holes.partition_point(|known| width(known) >= width(&hole));
    holes.insert(at, hole);
    holes.truncate(LogSeen::MOST_HOLES);
}

impl Write for Journal {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let room = LogSeen::BEGINNING.saturating_sub(self.beginning.len());
        self.beginning
            .extend_from_slice(&piece[..room.min(piece.len())]);
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() + part.len() > MOST_LINE {
                self.wrong.get_or_insert_with(no_entry);
                self.line.clear();
            } else {
                self.line.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                self.take_line();
            }
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader for Journal {
    fn finish(mut self: Box<Self>) -> Result<Content, Failure> {
        self.take_line();
        if let Some(failure) = self.wrong {
            return Err(failure);
        }
        if self.seen.entries == 0 {
            return Err(empty());
        }
        if self.beginning.len() == LogSeen::BEGINNING {
            self.seen.beginning = Some(Sha256::of(&self.beginning));
        }
        Ok(Content::Log(Box::new(self.seen)))
    }
}

/// No entry of the unit.
#[must_use]
pub fn empty() -> Failure {
    Failure::new(
        FailureKind::Empty,
        "entries of the unit in the journal",
        "none, with exit status 0",
    )
    .with_hint("check the unit's name (`systemctl list-units`), and whether the product logs to a file instead; a journal in memory only (`Storage=volatile`) ends with the last boot, and one that is small loses its oldest entries first")
}

fn no_entry() -> Failure {
    Failure::new(
        FailureKind::Corrupt,
        "journal entries, a JSON object a line with `__REALTIME_TIMESTAMP`",
        "a line that is none",
    )
    .with_hint("is `journalctl` on this host systemd's own? Run the command that the plan prints with this account, and compare")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from journalctl 252, host names and ids changed.
    const ENTRIES: &str = concat!(
        r#"{"__CURSOR":"s=25;i=1","__REALTIME_TIMESTAMP":"1795285031018667","__MONOTONIC_TIMESTAMP":"24524351590","_BOOT_ID":"14aa","MESSAGE":"ready for orders","PRIORITY":"6","SYSLOG_IDENTIFIER":"mariadbd"}"#,
        "\n",
        r#"{"__REALTIME_TIMESTAMP":"1795288631018667","MESSAGE":[104,105,255],"PRIORITY":"4","MESSAGE_ID":"39f53479d3a045ac8e11786248231fbf"}"#,
        "\n",
        r#"{"__REALTIME_TIMESTAMP":"1795288632018667","MESSAGE":null,"PRIORITY":["3","6"]}"#,
        "\n",
    );

    fn read(text: &[u8], names: Option<&str>) -> Result<LogSeen, Failure> {
        let names = names.map(|names| Pattern(regex::Regex::new(names).unwrap()));
        let mut reader = Box::new(Journal::new(names));
        for piece in text.chunks(7) {
            reader.write_all(piece).unwrap();
        }
        match reader.finish()? {
            Content::Log(seen) => Ok(*seen),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn entries_tell_time_level_id_and_name() {
        let seen = read(ENTRIES.as_bytes(), Some("mariadbd: ready for (.*)")).unwrap();
        assert_eq!(seen.entries, 3);
        assert_eq!(seen.oldest.unwrap().as_microsecond(), 1_795_285_031_018_667);
        assert_eq!(seen.newest.unwrap().as_microsecond(), 1_795_288_632_018_667);
        let met = |name: &str| {
            let mut levels = seen.levels.iter();
            levels.find(|level| level.name == name).unwrap().entries
        };
        assert_eq!(["info", "warning", "err", "crit"].map(met), [1, 1, 1, 0]);
        assert_eq!(seen.ids["39f53479d3a045ac8e11786248231fbf"].entries, 1);
        assert_eq!(seen.holes.len(), 2);
        assert_eq!(seen.holes[0].from, seen.oldest.unwrap());
        assert!(seen.names.contains("orders") && seen.names.len() == 1);
    }

    #[test]
    fn notices_are_no_entries_and_anything_else_is_no_journal() {
        for nothing in ["", "-- No entries --\n", "\n\n"] {
            let failure = read(nothing.as_bytes(), None).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Empty, "{nothing}");
        }
        let long = format!("{{\"MESSAGE\":\"{}\"}}\n", "x".repeat(MOST_LINE));
        for bad in [
            "Hint: you are not …\n",
            "{}\n",
            "{\"__REALTIME_TIMESTAMP\":\"x\"}",
            &long,
        ] {
            let text = format!("{ENTRIES}{bad}");
            assert_eq!(
                read(text.as_bytes(), None).unwrap_err().kind,
                FailureKind::Corrupt
            );
        }
    }

    #[test]
    fn only_the_widest_holes_are_kept() {
        let mut text = String::new();
        let mut at = 1_795_285_031_000_000_i64;
        for n in 1..=200_i64 {
            at += n * 1_000_000;
            text.push_str(&format!("{{\"__REALTIME_TIMESTAMP\":\"{at}\"}}\n"));
        }
        let seen = read(text.as_bytes(), None).unwrap();
        assert_eq!(seen.holes.len(), LogSeen::MOST_HOLES);
        let widths = seen
            .holes
            .iter()
            .map(|hole| hole.to.duration_since(hole.from).as_secs());
        let widths: Vec<i64> = widths.collect();
        assert_eq!((widths[0], widths[63]), (200, 137));
        assert!(seen.beginning.is_some());
    }
}
