//! Logs as the reader sees them: AMPS' own grammar stands for all.

use super::*;
use crate::failure::FailureKind;

const ENTRY: &str = "2026-11-21T09:30:00.1234567+00:00 [12] info: 07-0022 client logged on";

fn wanted(name: &str, version: &str) -> Wanted {
    let pattern = |text: &str| Some(Pattern(regex::Regex::new(text).unwrap()));
    Wanted {
        encoding: None,
        name: pattern(name),
        version: pattern(version),
    }
}

fn read_as(wanted: &Wanted, bytes: &[u8]) -> Result<Content, Failure> {
    let judge = |step: usize| {
        let mut reader = Log::new(Amps::default(), wanted.clone());
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

fn read(bytes: &[u8]) -> Result<Content, Failure> {
    read_as(&Wanted::default(), bytes)
}

fn seen(content: Result<Content, Failure>) -> LogSeen {
    match content {
        Ok(Content::Log(seen)) => *seen,
        other => panic!("{other:?}"),
    }
}

#[test]
fn counts_entries_and_keeps_the_span_across_offsets() {
    let log = "rest of an entry that rotation cut\n\
         2026-11-21T09:30:00.5000000-05:00 [1] error: 1B-0001 two\n  lines\r\n\n\
         2026-11-21T15:29:59.0000000+01:00 [1] warning: 05-0001 oldest\r\n\
         2026-11-21T14:30:00.6Z [1] warning: 05-0001 newest, unfinished li";
    let seen = seen(read(log.as_bytes()));
    assert_eq!(seen.entries, 3);
    assert_eq!(seen.oldest.unwrap().to_string(), "2026-11-21T14:29:59Z");
    assert_eq!(seen.newest.unwrap().to_string(), "2026-11-21T14:30:00.6Z");
    assert_eq!(seen.levels.len(), 9);
    assert_eq!(seen.levels[0].name, "developer");
    assert_eq!((seen.levels[0].entries, seen.levels[0].newest), (0, None));
    let level = |name| seen.levels.iter().find(|level| level.name == name);
    let (warning, error) = (level("warning").unwrap(), level("error").unwrap());
    assert_eq!((warning.entries, warning.newest), (2, seen.newest));
    assert_eq!(error.newest.unwrap().to_string(), "2026-11-21T14:30:00.5Z");
    assert_eq!(seen.ids.len(), 2);
    let id = seen.ids["05-0001"];
    assert_eq!((id.entries, Some(id.newest)), (2, seen.newest));
    let holes = seen
        .holes
        .iter()
        .map(|hole| hole.to.duration_since(hole.from));
    let holes: Vec<i128> = holes.map(|hole| hole.as_millis()).collect();
    assert_eq!(holes, [1500, 100]);
    assert_eq!((seen.version, seen.beginning), (None, None));
    assert!(!seen.has_more_ids && seen.names.is_empty());
}

#[test]
fn names_and_versions_are_found_in_every_line() {
    let log = format!(
        "{ENTRY}\nAMPS 5.3.4.11.1 starts\n  instance [orders] ready\n{ENTRY}\n\
         cannot open /opt/amps-5.3.4.13/lib\nAMPS 5.3.4.12.9\ninstance [orders-2]\ninstance [orders]\n"
    );
    let wanted = wanted(r"instance \[([^\]]+)\]", r"\b\d+\.\d+\.\d+\.\d+\b");
    let seen = seen(read_as(&wanted, log.as_bytes()));
    let names: Vec<&str> = seen.names.iter().map(String::as_str).collect();
    assert_eq!(names, ["orders", "orders-2"]);
    // What complains about a path is no source of a version.
    assert_eq!(seen.version.as_deref(), Some("5.3.4.12"));
}

#[test]
fn ids_and_names_are_bounded_and_say_so() {
    let entry = |n: usize| format!("2026-11-21T09:30:00Z [1] info: 00-{n:04X} instance [n{n}]\n");
    let log = |ids: usize| (0..ids).map(entry).collect::<String>();
    let wanted = wanted(r"instance \[([^\]]+)\]", "never");
    let most = seen(read_as(&wanted, log(LogSeen::MOST_IDS).as_bytes()));
    assert_eq!((most.ids.len(), most.has_more_ids), (1000, false));
    assert_eq!(most.names.len(), LogSeen::MOST_NAMES);
    let more = seen(read(log(LogSeen::MOST_IDS + 1).as_bytes()));
    assert_eq!((more.ids.len(), more.has_more_ids), (1000, true));
}

#[test]
fn the_beginning_is_hashed_when_it_is_long_enough() {
    let log = format!("{ENTRY}\n").repeat(40);
    let beginning = seen(read(log.as_bytes())).beginning;
    assert_eq!(beginning, Some(Sha256::of(&log.as_bytes()[..1024])));
    let short = seen(read(&log.as_bytes()[..1023]));
    assert_eq!(short.beginning, None);
}

#[test]
fn a_line_without_end_is_skipped_and_the_next_is_read() {
    let long = "x".repeat(300_000);
    let log = format!("{long}\n{ENTRY}{long}\n{ENTRY}\n");
    assert_eq!(seen(read(log.as_bytes())).entries, 2);
}

#[test]
fn every_encoding_is_read_as_the_log_it_is() {
    let log = format!("{ENTRY} größer\n{ENTRY}\n");
    let plain = seen(read(log.as_bytes()));
    let marked = format!("\u{feff}{log}");
    let utf16 = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    };
    let (le, be) = (u16::to_le_bytes, u16::to_be_bytes);
    for bytes in [
        marked.as_bytes().to_vec(),
        utf16(&marked, le),
        utf16(&marked, be),
    ] {
        assert_eq!(seen(read(&bytes)), plain);
    }
    let bare = utf16(&log, le);
    let declared = Wanted {
        encoding: Some(Encoding::Utf16),
        ..Wanted::default()
    };
    assert_eq!(seen(read_as(&declared, &bare)), LogSeen { ..plain });
    let failure = read(&bare).unwrap_err();
    assert!(failure.actual.starts_with("UTF-16 text"), "{failure:?}");
    assert!(failure.hint.contains("encoding: utf-16"), "{failure:?}");
}

#[test]
fn a_block_of_nuls_is_corrupt_wherever_it_lies() {
    let entry = format!("{ENTRY}\n");
    let judge = |parts: &[&[u8]]| read(&parts.concat());
    let nuls = [0; 8192];
    let log = entry.as_bytes();
    let almost = &nuls[..4095];
    assert!(judge(&[log, almost, b"\n", log, almost]).is_ok());
    for (parts, actual) in [
        (&[&nuls[..]][..], "the file is filled with NUL bytes"),
        (&[log, &nuls], "its last 8 KiB are NUL bytes"),
        (&[&nuls, log], "its first 8 KiB are NUL bytes"),
        (&[log, &nuls, log], "8 KiB of NUL bytes from byte 70 on"),
    ] {
        let failure = judge(parts).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Corrupt);
        assert_eq!(failure.actual, actual);
        let is_front = actual.contains("first");
        assert_eq!(failure.hint.contains("copytruncate"), is_front);
    }
}

#[test]
fn a_file_without_any_entry_is_corrupt_and_says_what_it_is() {
    for (bytes, actual) in [
        (&b"\n \r\n\n"[..], "blank lines only"),
        (&[0; 100], "the file is filled with NUL bytes"),
        (
            b"\n<!DOCTYPE HTML>\n<html><title>Sign in</title>",
            "an HTML page",
        ),
        (b"<?xml version='1.0'?>\n<AMPSConfig/>", "an XML document"),
        (
            b"{\"status\": 404, \"error\": \"Not Found\"}",
            "a JSON error message",
        ),
        (b"PK\x03\x04\x14\0\0\0", "a zip archive"),
        (b"\x7fELF\x02\x01\x01", "a program"),
        (b"\x01\x02\xfe\x03\x10\x11\x12", "binary content"),
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
