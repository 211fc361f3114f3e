//! Readers of status pages: from JSON to what the page says, in its own words. Which word is well is no
//! matter of theirs; what has not the shape of its kind is refused.

mod cachet;
mod status_io;
mod statuspage;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::redact::Capture;
use crate::failure::{Failure, FailureKind};
use crate::probe::{Page, Read};
use crate::time::rfc3339;

/// Nobody has more, and no record holds more.
const MOST: usize = 500;

/// What the page says; nothing for what is no status page.
pub fn page(read: &Read, bytes: &[u8]) -> Option<Result<Page, Failure>> {
    let found = match read {
        Read::Statuspage => statuspage::read(bytes),
        Read::StatusIo => status_io::read(bytes),
        Read::CachetComponents => cachet::components(bytes),
        Read::CachetIncidents => cachet::incidents(bytes),
        Read::CachetSchedules => cachet::schedules(bytes),
        Read::Nothing | Read::Feed | Read::Time(_) => return None,
    };
    Some(found.and_then(|page| {
        let most = [
            page.unwell.len(),
            page.incidents.len(),
            page.maintenance.len(),
        ];
        match most.into_iter().max() {
            Some(many) if many > MOST => Err(Failure::new(
                FailureKind::TooLarge,
                format!("at most {MOST} components, incidents or maintenances that matter"),
                format!("{many}"),
            )
            .with_hint("see whether the page is the right one: nobody could read so much")),
            _ => Ok(page),
        }
    }))
}

fn json<T: DeserializeOwned>(bytes: &[u8], kind: &str) -> Result<T, Failure> {
    serde_json::from_slice(unmarked(bytes)).map_err(|error| corrupt(kind, &error.to_string()))
}

/// JSON without the byte order mark of UTF-8, which a reader may pass over (RFC 8259 8.1).
pub(super) fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

fn corrupt(kind: &str, actual: &str) -> Failure {
    Failure::new(FailureKind::Corrupt, format!("an answer of {kind}"), words(actual)).with_hint(
        "see with curl what the URL answers: another kind of page, another version of it, or a page for people (then it is of `kind: page`)",
    )
}

/// Words of the other side, short and without secrets.
fn words(text: &str) -> String {
    Capture::new(text.trim()).excerpt(200)
}

/// RFC 3339, with an offset.
fn instant(text: &str) -> Option<String> {
    text.trim().parse::<Timestamp>().ok().map(rfc3339)
}

/// A time that must be one.
fn time(text: Option<&str>, what: &str, kind: &str) -> Result<Option<String>, Failure> {
    match text {
        None => Ok(None),
        Some(text) => match instant(text) {
            Some(time) => Ok(Some(time)),
            None => Err(corrupt(
                kind,
                &format!("{what}: `{text}` is no time with an offset"),
            )),
        },
    }
}
