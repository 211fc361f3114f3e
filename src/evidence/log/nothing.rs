//! What a file is when it is not the log that it should be: each with its own words and its own hint.
//! Judges only what the reader has found.

use std::ops::Range;

use super::QUOTED;
use super::encoding::looks_like_utf16;
use super::grammar::Grammar;
use crate::evidence::opaque;
use crate::evidence::redact::Capture;
use crate::failure::{Failure, FailureKind};
use crate::text;

/// What was found in place of entries.
pub struct Found<'a> {
    /// Bytes seen.
    pub bytes: u64,
    /// The first of them, as they came.
    pub beginning: &'a [u8],
    /// The head of the first line that is not blank.
    pub first: &'a [u8],
    /// Lines that would be entries if their time could be read.
    pub untimed: u64,
    /// The first such time.
    pub misread: &'a [u8],
}

/// First bytes of what is no text, and its name.
const MAGICS: [(&[u8], &str); 12] = [
    (b"\x1f\x8b", "a gzip file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"\xfd7zXZ\0", "an xz file"),
    (b"BZh", "a bzip2 file"),
    (b"\x1f\x9d", "a file of compress(1)"),
    (b"\x04\x22\x4d\x18", "an lz4 file"),
    (b"LZIP", "an lzip file"),
    (b"PK\x03\x04", "a zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"LPKSHHRH", "a file of the systemd journal"),
];

/// Blocks of the file lost their content: what the product wrote there is gone.
pub fn lost(grammar: &impl Grammar, nuls: Range<u64>, bytes: u64) -> Failure {
    const CRASH: &str = "the host or its file system lost the content, for instance in a crash or \
                         on a full disk: see whether a newer or another copy of the log is there";
    let length = text::size(nuls.end - nuls.start);
    let (actual, hint) = match (nuls.start == 0, nuls.end == bytes) {
        (true, true) => ("the file is filled with NUL bytes".to_owned(), CRASH),
        (false, true) => (format!("its last {length} are NUL bytes"), CRASH),
        (true, false) => (
            format!("its first {length} are NUL bytes"),
            "the log was cut to nothing while the product went on at its old place (logrotate's \
             `copytruncate`): have the product reopen its log after rotation, or open it for appending",
        ),
        (false, false) => (
            format!("{length} of NUL bytes from byte {} on", nuls.start),
            CRASH,
        ),
    };
    Failure::new(FailureKind::Corrupt, grammar.expected(), actual).with_hint(hint)
}

/// Not one entry, or fewer than lines whose time does not read: says what the file looks like.
pub fn no_entry(grammar: &impl Grammar, found: &Found<'_>) -> Failure {
    let expected = grammar.expected();
    if found.bytes == 0 {
        return opaque::empty(&expected);
    }
    if found.untimed > 0 {
        return untimed(grammar, found);
    }
    let (actual, hint) = looks_like(found).unwrap_or_else(|| {
        let first = Capture::head(found.first, QUOTED - 1).excerpt(100);
        let actual = format!("no entry; the first line is `{first}`");
        (actual, grammar.hint())
    });
    Failure::new(FailureKind::Corrupt, expected, actual).with_hint(hint)
}

fn untimed(grammar: &impl Grammar, found: &Found<'_>) -> Failure {
    let times = match found.untimed {
        1 => "the time of one entry".to_owned(),
        many => format!("the times of {many} entries"),
    };
    let misread = Capture::head(found.misread, QUOTED - 1).excerpt(60);
    Failure::new(
        FailureKind::Mismatch,
        grammar.time(),
        format!("{times} cannot be read so; the first is `{misread}`"),
    )
    .with_hint("correct `time:` of the artifact's `entry:` in the inventory")
}

fn looks_like(found: &Found<'_>) -> Option<(String, &'static str)> {
    let (beginning, first) = (found.beginning, found.first);
    if beginning.iter().all(|byte| *byte == 0) {
        return Some((
            "the file is filled with NUL bytes".to_owned(),
            "the host or its file system lost the content, for instance in a crash: see whether a \
             newer log is there",
        ));
    }
    if let Some(is_big) = looks_like_utf16(beginning) {
        let order = if is_big { "big" } else { "little" };
        return Some((
            format!("UTF-16 text, {order}-endian, without a byte order mark"),
            "write `encoding: utf-16` for this artifact in the inventory",
        ));
    }
    if let Some((_, name)) = (MAGICS.iter()).find(|(magic, _)| beginning.starts_with(magic)) {
        return Some((
            (*name).to_owned(),
            "plain text and gzip, zstd, xz and bzip2 are read, packed once and one log a file: pack \
             it so on the host, or narrow the artifact's `path`",
        ));
    }
    if first.trim_ascii().is_empty() {
        return Some((
            "blank lines only".to_owned(),
            "check that the product writes to this path",
        ));
    }
    if is_binary(beginning) {
        return Some((
            "binary content".to_owned(),
            "check what is at this path with `file`; a log in UTF-32 or EBCDIC cannot be read",
        ));
    }
    page(first).map(|what| {
        (
            what.to_owned(),
            "an error or login page was saved in the log's place: check what is at this path",
        )
    })
}

/// An answer of a web server.
fn page(first: &[u8]) -> Option<&'static str> {
    let lower = first.trim_ascii_start().to_ascii_lowercase();
    let begins = |with: &str| lower.starts_with(with.as_bytes());
    if begins("<!doctype html") || begins("<html") || begins("<head") || begins("<body") {
        return Some("an HTML page");
    }
    if begins("<?xml") {
        return Some("an XML document");
    }
    let says = |word: &str| lower.windows(word.len()).any(|at| at == word.as_bytes());
    let is_object = begins("{") && (says("\"error") || says("\"message\"") || says("\"status"));
    is_object.then_some("a JSON error message")
}

/// One of ten bytes is a control character that no text has, or there is a NUL.
fn is_binary(head: &[u8]) -> bool {
    let odd = |byte: &&u8| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127);
    head.contains(&0) || head.iter().filter(odd).count() * 10 > head.len()
}
