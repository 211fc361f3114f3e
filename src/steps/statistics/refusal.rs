//! What the host's tools mean when they refuse to make a copy: which of the many ways of being read-only,
//! too old or too full it is (facts: artifacts.md 2.4). Judges words and exit statuses; runs nothing.

use super::road::{Road, Writes};
use crate::evidence::redact::Capture;
use crate::failure::{Failure, FailureKind};
use crate::steps::command_line;
use crate::text;
use crate::transport::Output;

/// The first sqlite3 that knows `VACUUM INTO` (<https://www.sqlite.org/lang_vacuum.html>).
const OLDEST: (u32, u32) = (3, 27);

/// Whether the tool says that it has no room left.
pub(super) fn is_full(said: &str) -> bool {
    [
        "No space left on device",
        "Disk quota exceeded",
        "disk is full",
        "File too large",
    ]
    .iter()
    .any(|words| said.contains(words))
}

/// The refusal of a directory that has no room for the copy.
pub(super) fn full(writes: &Writes, needed: u64, actual: String) -> Failure {
    Failure::new(
        FailureKind::Io,
        format!("room for a copy of {} on the host", text::size(needed)),
        actual,
    )
    .with_subject(&writes.directory)
    .with_hint("name a directory with more room in the artifact's `take:`, or take the database as it lies (`take: stream`); what was written of the copy is removed")
}

/// Why no private directory could be made.
pub(super) fn of_mktemp(writes: &Writes, output: &Output) -> Failure {
    let said = said(output);
    let line = command_line(writes.make());
    let (kind, hint) = match output.status {
        127 => (
            FailureKind::Missing,
            "the host has no `mktemp`: install coreutils, or write `take: stream`",
        ),
        _ if is_full(&said) => (
            FailureKind::Io,
            "name a directory with more room in the artifact's `take:`, or write `take: stream`",
        ),
        _ if said.contains("No such file") || said.contains("Not a directory") => (
            FailureKind::Missing,
            "name a directory that is there in the artifact's `take:`, such as /var/tmp",
        ),
        _ if [
            "Permission denied",
            "Read-only file system",
            "not permitted",
        ]
        .iter()
        .any(|words| said.contains(words)) =>
        {
            (
                FailureKind::Denied,
                "name a directory in the artifact's `take:` where this account may write, such as /var/tmp, or write `take: stream`",
            )
        }
        _ => (
            FailureKind::Io,
            "run the command by hand with this account, and remove the directory that it makes",
        ),
    };
    Failure::new(
        kind,
        format!("a private directory below {}", writes.directory),
        format!("\"{said}\""),
    )
    .with_subject(line)
    .with_hint(hint)
}

/// Why `cp` made no copy of `path`.
pub(super) fn of_cp(writes: &Writes, path: &str, size: u64, output: &Output) -> Failure {
    let said = said(output);
    if is_full(&said) {
        return full(writes, size, format!("\"{said}\""));
    }
    let (kind, hint) = match output.status {
        127 => (
            FailureKind::Missing,
            "the host has no `cp`: install coreutils, or write `take: stream`",
        ),
        _ if said.contains("No such file") => (
            FailureKind::Missing,
            "the product closed the database or rotated its journal meanwhile: run again",
        ),
        _ if said.contains("Permission denied") => (
            FailureKind::Denied,
            "this account must be able to read the database, its `-wal` and its `-journal`",
        ),
        _ => (
            FailureKind::Io,
            "look at the host's file system and at its kernel's log (`dmesg`)",
        ),
    };
    Failure::new(kind, "a copy on the host", format!("\"{said}\""))
        .with_subject(path)
        .with_hint(hint)
}

/// Whether a writer was merely in the way.
pub(super) fn is_busy(output: &Output) -> bool {
    let said = said(output);
    matches!(output.status, 5 | 6)
        || said.contains("database is locked")
        || said.contains("table is locked")
}

/// The version that the host's sqlite3 printed first.
pub(super) fn version(output: &Output) -> Option<String> {
    let printed = String::from_utf8_lossy(&output.stdout);
    let first = printed.lines().next()?.trim();
    let is_version = !first.is_empty()
        && first.len() < 20
        && first.split('.').count() >= 3
        && first
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_version.then(|| first.to_owned())
}

/// Why `sqlite3` made no copy.
pub(super) fn of_sqlite(writes: &Writes, size: u64, output: &Output) -> Failure {
    const OLD: &str =
        "install a newer sqlite3 on the host, or permit a plain copy: `take: {copy: DIRECTORY}`";
    let said = said(output);
    if is_full(&said) || output.status == 13 {
        return full(writes, size, format!("\"{said}\""));
    }
    let version = version(output);
    let parts = version.as_deref().map(|version| {
        let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    });
    let newer = "an sqlite3 of 3.27 or later on the host, which knows `VACUUM INTO`";
    let (kind, expected, actual, hint) = match output.status {
        127 => (
            FailureKind::Missing,
            "an `sqlite3` on the host",
            format!("\"{said}\""),
            "install the package sqlite3 on the host, or permit a plain copy: `take: {copy: DIRECTORY}`",
        ),
        126 => (
            FailureKind::Denied,
            "an `sqlite3` that this account may execute",
            format!("\"{said}\""),
            "correct its mode, or permit a plain copy: `take: {copy: DIRECTORY}`",
        ),
        _ if said.contains("unknown option") => {
            (FailureKind::Mismatch, newer, format!("\"{said}\""), OLD)
        }
        _ if parts.is_some_and(|parts| parts < OLDEST) => (
            FailureKind::Mismatch,
            newer,
            format!("version {}", version.unwrap_or_default()),
            OLD,
        ),
        _ if is_busy(output) => (
            FailureKind::Denied,
            "a database that can be read while the product writes",
            format!("each attempt: \"{said}\""),
            "the product keeps it locked, or is never done: take it as it lies (`take: stream`) or by a plain copy \
             (`take: {copy: DIRECTORY}`), which ask for no lock",
        ),
        8 => (
            FailureKind::Denied,
            "a database that SQLite can open without writing",
            format!("\"{said}\""),
            "its writer crashed and left a `-journal` or a `-wal` that SQLite would have to work off first: start the \
             product, or take the set with its journal (`take: stream`, `take: {copy: DIRECTORY}`)",
        ),
        14 => (
            FailureKind::Denied,
            "a database that SQLite can open with its `-wal` and `-shm`",
            format!("\"{said}\""),
            "this account must be able to read the database, its `-wal` and its `-shm`, and to write below the directory of `take:`",
        ),
        11 | 26 => (
            FailureKind::Corrupt,
            "a consistent SQLite database",
            format!("\"{said}\""),
            "run `PRAGMA integrity_check` on the host; an encrypted database cannot be judged",
        ),
        _ if said.contains("unable to open database") => (
            FailureKind::Denied,
            "a database that SQLite can open",
            format!("\"{said}\""),
            "this account must be able to read the database, its `-wal` and its `-shm`, and to enter every directory above them",
        ),
        status => (
            FailureKind::Mismatch,
            "exit status 0",
            format!("exit status {status}, and \"{said}\""),
            "run the command by hand with this account to see why it fails, with another name for the copy",
        ),
    };
    let failure = Failure::new(kind, expected, actual).with_hint(hint);
    debug_assert!(writes.road == Road::VacuumInto);
    failure.with_subject(format!("sqlite3 on {}", writes.database))
}

/// The last words of stderr, redacted and short.
fn said(output: &Output) -> String {
    let redacted = Capture::new(output.stderr.as_slice()).redact().text;
    let lines: Vec<&str> = redacted
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let from = lines.len().saturating_sub(3);
    text::clip(&lines[from..].join(" / "), 240).into_owned()
}
