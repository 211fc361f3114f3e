//! `report.json` from bytes, strictly: one spelling, no key twice, none unknown, every word known
//! (facts: traps.md T13). Whether the report is signed or true is not asked here.

use serde::Deserialize;

use super::facts::facts;
use super::schema::{Report, SCHEMA};
use crate::text;
use crate::verdict::Decision;

/// Most bytes of a report: far above a plan of 100,000 checks, far below what exhausts a runner.
pub const MAX_BYTES: usize = 512 << 20;

/// Why bytes are no report.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// Larger than [`MAX_BYTES`].
    #[error("report is {0} bytes, the most that is read is {MAX_BYTES}")]
    TooLarge(usize),
    /// No JSON object with one text `schema`.
    #[error("not a gonogo report: {0}")]
    NotAReport(serde_json::Error),
    /// A later version of the schema.
    #[error("report has schema `{0}`, this gonogo reads `{SCHEMA}`: use a newer gonogo")]
    Newer(String),
    /// Some other schema.
    #[error("report has schema `{0}`, expected `{SCHEMA}`")]
    OtherSchema(String),
    /// A key unknown, missing or told twice, or a value of the wrong type.
    #[error("report does not have the shape of `{SCHEMA}`: {0}")]
    Shape(serde_json::Error),
    /// Words, times or digests that mean nothing.
    #[error("report states what cannot be read: {}", list(.0))]
    Words(Vec<String>),
}

fn list(words: &[String]) -> String {
    let shown: Vec<_> = words
        .iter()
        .take(5)
        .map(|word| text::clip(word, 120))
        .collect();
    let more = match words.len().saturating_sub(5) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    text::escape(&(shown.join(", ") + &more)).into_owned()
}

/// Reads the bytes of a `report.json`.
///
/// # Errors
/// Anything that is not exactly what [`super::write()`] could have written, whitespace and order of
/// keys aside; the schema's name is looked at first, so that a newer report is called newer.
pub fn read(bytes: &[u8]) -> Result<Report, ReadFault> {
    #[derive(Deserialize)]
    struct Head {
        schema: String,
    }
    if bytes.len() > MAX_BYTES {
        return Err(ReadFault::TooLarge(bytes.len()));
    }
    let report: Result<Report, _> = serde_json::from_slice(bytes);
    // Only of what is no report of ours it matters which schema it names.
    let schema = match &report {
        Ok(report) => report.schema.clone(),
        Err(_) => {
            let head: Result<Head, _> = serde_json::from_slice(bytes);
            head.map_err(ReadFault::NotAReport)?.schema
        }
    };
    if schema != SCHEMA {
        let version =
            |schema: &str| -> Option<u32> { schema.strip_prefix("gonogo/report/v")?.parse().ok() };
        let shown = text::escape(&text::clip(&schema, 80)).into_owned();
        return Err(match version(&schema) > version(SCHEMA) {
            true => ReadFault::Newer(shown),
            false => ReadFault::OtherSchema(shown),
        });
    }
    let mut report = report.map_err(ReadFault::Shape)?;
    tighten(&mut report);
    let mut unreadable = facts(&report).unreadable;
    let decision = &report.verdict.decision;
    if !Decision::ALL.iter().any(|known| known.as_str() == decision) {
        unreadable.insert(0, format!("verdict `{decision}`"));
    }
    match unreadable.is_empty() {
        true => Ok(report),
        false => Err(ReadFault::Words(unreadable)),
    }
}

/// A parser does not know how many are to come: what it made room for in vain is a tenth of a large record.
fn tighten(report: &mut Report) {
    report.checks.shrink_to_fit();
    for check in &mut report.checks {
        check.steps.shrink_to_fit();
        check.evidence.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{sample, write};

    fn refusal(text: &str) -> String {
        read(text.as_bytes()).unwrap_err().to_string()
    }

    fn written() -> String {
        String::from_utf8(write(&sample::go()).unwrap()).unwrap()
    }

    #[test]
    fn reads_back_what_was_written() {
        for report in [
            sample::go(),
            sample::no_go(),
            sample::hold(),
            sample::hostile(),
        ] {
            assert_eq!(read(&write(&report).unwrap()).unwrap(), report);
        }
    }

    #[test]
    fn a_newer_schema_is_called_newer() {
        // A newer schema has keys that this one does not know: its name must be looked at first.
        let newer = r#"{"schema": "gonogo/report/v2", "new": 1}"#;
        assert!(
            refusal(newer).contains("use a newer gonogo"),
            "{}",
            refusal(newer)
        );
        let other = refusal(r#"{"schema": "junit\u001b[2J"}"#);
        assert!(other.contains("expected `gonogo/report/v1`"), "{other}");
        assert!(!other.contains('\u{1b}'), "{other:?}");
    }

    #[test]
    fn keys_twice_unknown_or_missing_are_refused() {
        let twice = |from: &str, to: &str| {
            let text = written();
            assert!(text.contains(from), "{from}");
            refusal(&text.replacen(from, to, 1))
        };
        let decision = "\"decision\": \"GO\",";
        let both = "\"decision\": \"NO-GO\",\n    \"decision\": \"GO\",";
        assert!(twice(decision, both).contains("duplicate field"));
        let schema = "\"schema\": \"gonogo/report/v1\",";
        let both = "\"schema\": \"gonogo/report/v2\", \"schema\": \"gonogo/report/v1\",";
        assert!(twice(schema, both).contains("duplicate field"));
        assert!(twice(decision, "\"decision\": \"GO\", \"x\": 1,").contains("unknown field"));
        assert!(twice(decision, "").contains("missing field"));
        assert!(refusal("{}").contains("missing field `schema`"));
        assert!(refusal("").contains("not a gonogo report"));
        assert!(refusal(&format!("{}x", written())).contains("trailing characters"));
    }

    #[test]
    fn unknown_words_are_refused() {
        let text = written().replacen("\"outcome\": \"passed\"", "\"outcome\": \"fine\"", 1);
        assert!(
            refusal(&text).contains("outcome of a check `fine`"),
            "{}",
            refusal(&text)
        );
        let text = written().replace("\"decision\": \"GO\"", "\"decision\": \"GO!\"");
        assert!(
            refusal(&text).contains("verdict `GO!`"),
            "{}",
            refusal(&text)
        );
    }
}
