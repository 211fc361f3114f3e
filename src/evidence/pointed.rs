//! The time at a JSON pointer (RFC 6901) of an answer.

use jiff::Timestamp;
use serde_json::Value;

use super::redact::Capture;
use crate::failure::{Failure, FailureKind};
use crate::time::rfc3339;

/// Above it a number of seconds would lie beyond the year 5000: then they are milliseconds.
const MILLISECONDS: i64 = 100_000_000_000;

/// RFC 3339 in UTC: of text with an offset, or of seconds or milliseconds since 1970.
///
/// # Errors
/// `corrupt` where the answer is no JSON, `missing` where nothing stands there, `mismatch` where it is no
/// time.
pub fn time(pointer: &str, bytes: &[u8]) -> Result<String, Failure> {
    let json: Value = serde_json::from_slice(super::status::unmarked(bytes)).map_err(|error| {
        Failure::new(FailureKind::Corrupt, "an answer in JSON", error.to_string())
            .with_hint("see with curl what the URL answers; `fresh` reads JSON only")
    })?;
    let found = json.pointer(pointer).ok_or_else(|| {
        Failure::new(
            FailureKind::Missing,
            format!("a time at `{pointer}` of the answer"),
            "nothing stands there",
        )
        .with_hint("see with curl what the URL answers, and correct `at` of `fresh`")
    })?;
    let time = match found {
        Value::String(text) => text.trim().parse::<Timestamp>().ok(),
        Value::Number(number) => whole(number).and_then(|number| match number.abs() {
            MILLISECONDS.. => Timestamp::from_millisecond(number).ok(),
            _ => Timestamp::from_second(number).ok(),
        }),
        _ => None,
    };
    time.map(rfc3339).ok_or_else(|| {
        let quoted = Capture::new(found.to_string()).excerpt(60);
        Failure::new(
            FailureKind::Mismatch,
            format!("a time at `{pointer}` of the answer"),
            quoted,
        )
        .with_hint("it has to be a time with an offset, as of RFC 3339, or seconds or milliseconds since 1970")
    })
}

/// A fraction of a second does not matter.
fn whole(number: &serde_json::Number) -> Option<i64> {
    if let Some(number) = number.as_i64() {
        return Some(number);
    }
    let text = number.to_string();
    text.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_the_forms_that_services_use() {
        for (json, at) in [
            (
                r#"{"a":{"t":"2026-11-22T10:00:00+01:00"}}"#,
                "2026-11-22T09:00:00Z",
            ),
            (r#"{"a":{"t":1795338000}}"#, "2026-11-22T09:00:00Z"),
            (r#"{"a":{"t":1795338000123}}"#, "2026-11-22T09:00:00Z"),
            (r#"{"a":{"t":1795338000.75}}"#, "2026-11-22T09:00:00Z"),
        ] {
            assert_eq!(time("/a/t", json.as_bytes()).unwrap(), at, "{json}");
        }
        use FailureKind::{Corrupt, Mismatch, Missing};
        for (json, kind) in [
            ("<html>", Corrupt),
            ("{}", Missing),
            (r#"{"a":{"t":"2026-11-22T10:00:00"}}"#, Mismatch),
            (r#"{"a":{"t":"now"}}"#, Mismatch),
            (r#"{"a":{"t":null}}"#, Mismatch),
            (r#"{"a":{"t":1e300}}"#, Mismatch),
        ] {
            assert_eq!(
                time("/a/t", json.as_bytes()).unwrap_err().kind,
                kind,
                "{json}"
            );
        }
    }
}
