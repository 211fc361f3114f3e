//! A piece of text that must not leave: where it stands, and what it is.

use std::ops::Range;

use super::map::Class;

/// One piece of text that must not leave.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub range: Range<usize>,
    /// With what gives it away.
    pub place: Range<usize>,
    pub what: What,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Secret(&'static str),
    Name(Class, String),
}

/// Words of every log and configuration, that nobody's name may take out of it.
pub(super) fn is_common(word: &str) -> bool {
    const WORDS: [&str; 48] = [
        "amps",
        "admin",
        "administrator",
        "client",
        "clients",
        "server",
        "service",
        "connection",
        "connect",
        "connected",
        "session",
        "user",
        "users",
        "username",
        "password",
        "secret",
        "token",
        "error",
        "warning",
        "info",
        "debug",
        "trace",
        "stats",
        "critical",
        "emergency",
        "developer",
        "message",
        "messages",
        "topic",
        "queue",
        "replica",
        "primary",
        "backup",
        "master",
        "localhost",
        "local",
        "host",
        "hostname",
        "name",
        "test",
        "data",
        "config",
        "file",
        "path",
        "port",
        "changeme",
        "production",
        "staging",
    ];
    WORDS.contains(&word)
}

/// Where the line begins that stands so many lines above `at`.
pub(super) fn above(text: &str, at: usize, lines: usize) -> usize {
    let mut start = at;
    for _ in 0..=lines {
        match text[..start].rfind('\n') {
            Some(feed) => start = feed,
            None => return 0,
        }
    }
    start + 1
}

/// Where the line ends that stands so many lines below `at`.
pub(super) fn below(text: &str, at: usize, lines: usize) -> usize {
    let bytes = text.as_bytes();
    let mut end = at;
    for _ in 0..=lines {
        match bytes[end..].iter().position(|byte| *byte == b'\n') {
            Some(feed) => end += feed + 1,
            None => return text.len(),
        }
    }
    end
}

/// Sorted; what overlaps becomes one, a secret where one of them is.
pub(super) fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| !span.range.is_empty());
    spans.sort_by_key(|span| (span.range.start, std::cmp::Reverse(span.range.end)));
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.range.start < last.range.end => {
                let secret =
                    matches!(span.what, What::Secret(_)) && !matches!(last.what, What::Secret(_));
                // A name that only overlaps in part must not let the other's rest stand.
                last.range.end = last.range.end.max(span.range.end);
                last.place =
                    last.place.start.min(span.place.start)..last.place.end.max(span.place.end);
                if secret {
                    last.what = span.what;
                }
            }
            _ => merged.push(span),
        }
    }
    merged
}
