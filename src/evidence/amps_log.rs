//! The reader for an AMPS log: counts entries and keeps the oldest and the newest time, in constant
//! memory. Judges no age: that is for the step that knows what is expected.

use std::io::{self, BufRead as _, Write};

use jiff::Timestamp;

use super::Content;
use super::amps_line::{LEVELS, Lines};
use super::log_seen::{LevelSeen, LogSeen};
use super::opaque;
use super::reader::Reader;
use super::redact::Capture;
use crate::failure::{Failure, FailureKind};

/// Bytes of a line that are looked at: an entry shows itself in its first hundred, and a failure
/// quotes no more. The rest of a longer line is skipped.
const HEAD: usize = 512;

/// Entries of each level.
#[derive(Debug, Default)]
struct Levels([u64; LEVELS.len()]);

/// Scans an AMPS log line by line. Lines that begin no entry belong to the entry before, or, at the
/// top of the file, to an entry that rotation left in the file before.
#[derive(Debug, Default)]
pub struct AmpsLog {
    lines: Lines,
    /// The head of a line whose end has not come yet.
    partial: Vec<u8>,
    /// Inside a line: `partial` holds its head, perhaps clipped.
    inside: bool,
    bytes: u64,
    /// The head of the first line that is not blank.
    first: Vec<u8>,
    entries: u64,
    levels: Levels,
    span: Option<(Timestamp, Timestamp)>,
}

impl AmpsLog {
    fn line(&mut self, line: &[u8]) {
        if let Some(start) = self.lines.start(line) {
            self.entries += 1;
            self.levels.0[start.level] += 1;
            self.span = Some(match self.span {
                None => (start.at, start.at),
                Some((oldest, newest)) => (oldest.min(start.at), newest.max(start.at)),
            });
        } else if self.entries == 0 && self.first.iter().all(u8::is_ascii_whitespace) {
            self.first = line[..line.len().min(HEAD)].to_vec();
        }
    }
}

impl Write for AmpsLog {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.bytes += piece.len() as u64;
        let mut rest = piece;
        while !rest.is_empty() {
            // `skip_until` finds the end of the line with the machine's vector instructions.
            let (front, behind) = rest.split_at({ rest }.skip_until(b'\n')?);
            rest = behind;
            match front {
                [line @ .., b'\n'] if !self.inside => self.line(line),
                _ => {
                    let room = HEAD.saturating_sub(self.partial.len());
                    let ended = front.last() == Some(&b'\n');
                    let line = &front[..front.len() - usize::from(ended)];
                    self.partial
                        .extend_from_slice(&line[..room.min(line.len())]);
                    self.inside = !ended;
                    if ended {
                        let mut line = std::mem::take(&mut self.partial);
                        self.line(&line);
                        line.clear();
                        self.partial = line;
                    }
                }
            }
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader for AmpsLog {
    fn finish(mut self: Box<Self>) -> Result<Content, Failure> {
        if self.inside {
            let line = std::mem::take(&mut self.partial);
            self.line(&line);
        }
        let Some((oldest, newest)) = self.span else {
            return Err(no_entry(self.bytes, self.first));
        };
        let levels = LEVELS.into_iter().zip(self.levels.0);
        let levels = levels.map(|(name, entries)| LevelSeen {
            name: name.to_owned(),
            entries,
            newest: None,
        });
        Ok(Content::Log(Box::new(LogSeen {
            entries: self.entries,
            oldest: Some(oldest),
            newest: Some(newest),
            levels: levels.collect(),
            ..LogSeen::default()
        })))
    }
}

/// Not one entry: says what the file looks like instead.
fn no_entry(bytes: u64, first: Vec<u8>) -> Failure {
    const EXPECTED: &str =
        "AMPS log entries (`2021-11-23T14:49:38.3442510-08:00 [1] info: 00-0015 …`)";
    if bytes == 0 {
        return opaque::empty(EXPECTED);
    }
    let lower = first.trim_ascii_start().to_ascii_lowercase();
    let (actual, hint) = if first.iter().all(u8::is_ascii_whitespace) {
        (
            "blank lines only".to_owned(),
            "check that the product writes to this path",
        )
    } else if first.iter().all(|byte| *byte == 0) {
        (
            "the file is filled with NUL bytes".to_owned(),
            "the host or its file system lost the content, for instance in a crash: see whether a \
             newer log is there",
        )
    } else if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") {
        (
            "an HTML page".to_owned(),
            "an error or login page was saved in the log's place: check what is at this path",
        )
    } else {
        (
            format!(
                "no entry; the first line is `{}`",
                Capture::head(first, HEAD - 1).excerpt(100)
            ),
            "check that this path is the event log of this product, and its `format:` in the \
             inventory",
        )
    };
    Failure::new(FailureKind::Corrupt, EXPECTED, actual).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "2026-11-21T09:30:00.1234567+00:00 [12] info: 07-0022 client logged on";

    fn read(bytes: &[u8]) -> Result<Content, Failure> {
        let judge = |step: usize| {
            let mut reader = AmpsLog::default();
            for piece in bytes.chunks(step) {
                reader.write_all(piece).unwrap();
            }
            Box::new(reader).finish()
        };
        let whole = judge(usize::MAX);
        for step in [1, 7, 100, 511, 513] {
            assert_eq!(judge(step), whole, "in pieces of {step}");
        }
        whole
    }

    fn facts(content: Content) -> (u64, String, String) {
        match content {
            Content::Log(seen) => (
                seen.entries,
                seen.oldest.unwrap().to_string(),
                seen.newest.unwrap().to_string(),
            ),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn counts_entries_and_keeps_the_span_across_offsets() {
        let log = "rest of an entry that rotation cut\n\
             2026-11-21T09:30:00.5000000-05:00 [1] error: 1B-0001 two\n  lines\r\n\n\
             2026-11-21T15:29:59.0000000+01:00 [1] warning: 05-0001 oldest\r\n\
             2026-11-21T14:30:00.6Z [1] warning: 05-0001 newest, unfinished li";
        let content = read(log.as_bytes()).unwrap();
        if let Content::Log(seen) = &content {
            let of = |name| seen.levels.iter().find(|level| level.name == name);
            let entries = |name| of(name).map(|level| level.entries);
            assert_eq!((entries("warning"), entries("error")), (Some(2), Some(1)));
        }
        let (entries, oldest, newest) = facts(content);
        assert_eq!(entries, 3);
        assert_eq!(oldest, "2026-11-21T14:29:59Z");
        assert_eq!(newest, "2026-11-21T14:30:00.6Z");
    }

    #[test]
    fn a_line_without_end_is_skipped_and_the_next_is_read() {
        let long = "x".repeat(300_000);
        let log = format!("{long}\n{ENTRY}{long}\n{ENTRY}\n");
        assert_eq!(facts(read(log.as_bytes()).unwrap()).0, 2);
        let mut reader = AmpsLog::default();
        reader.write_all(long.as_bytes()).unwrap();
        assert!(reader.partial.capacity() <= 2 * HEAD);
    }

    #[test]
    fn a_file_without_any_entry_is_corrupt_and_says_what_it_is() {
        for (bytes, actual) in [
            (&b"\n \r\n\n"[..], "blank lines only"),
            (&[0; 4096], "the file is filled with NUL bytes"),
            (
                b"\n<!DOCTYPE HTML>\n<html><title>Sign in</title>",
                "an HTML page",
            ),
            (
                b"\n\x1b[31mNov 21 09:30:00 sshd[1]: password=hunter2 refused\n",
                "no entry; the first line is `Nov 21 09:30:00 sshd[1]: password=[redacted] refused`",
            ),
        ] {
            let failure = read(bytes).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Corrupt);
            assert_eq!(failure.actual, actual);
            assert!(!failure.hint.is_empty());
        }
        assert_eq!(read(b"").unwrap_err().kind, FailureKind::Empty);
        assert!(read(format!("{ENTRY}\n").as_bytes()).is_ok());
    }
}
