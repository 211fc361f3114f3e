//! Texts in quotes that a piece of code hands over: `login('ops', 'V')`, `return "V"`. By position alone nothing
//! tells which of them is a secret, so none stays that is more than a number or a word of grammar.

use std::ops::Range;

use super::shape;
use super::value::is_nothing;
use super::vocabulary::{is_few, is_word};

/// The longest that is looked at.
const LONGEST: usize = 256;

/// Whether a text without blanks may be a secret: not a number, not a word of everybody's.
pub(super) fn is_odd(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphabetic()) && is_word(text);
    text.len() >= 4 && !is_plain && !is_nothing(text) && !is_few(text) && !shape::is_harmless(text)
}

/// Whether it is a place, which its own rules read.
pub(super) fn is_place(text: &str) -> bool {
    text.contains("://")
        || text.contains('/')
        || text.contains('\\')
        || text.contains('@')
        || text.contains('%')
}

struct Open {
    /// A name touches the bracket.
    is_call: bool,
    /// A comma came.
    has_more: bool,
}

/// The literals among the arguments of calls.
pub(super) fn spans(line: &str) -> Vec<Range<usize>> {
    let bytes = line.as_bytes();
    let mut found = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'(' => open.push(Open {
                is_call: is_called(&line[..at]),
                has_more: false,
            }),
            b')' => {
                open.pop();
            }
            b',' => {
                if let Some(last) = open.last_mut() {
                    last.has_more = true;
                }
            }
            quote @ (b'"' | b'\'') => {
                let Some(end) = closing(bytes, at + 1, quote) else {
                    return found;
                };
                let is_call = open.iter().any(|one| one.is_call);
                let is_one_of_several = open.last().is_some_and(|one| one.has_more)
                    || line[end + 1..].trim_start().starts_with(',');
                let behind = line[end + 1..].trim_start();
                let is_name = behind.starts_with([':', '=']) && !behind.starts_with("==");
                let range = at + 1..end;
                if is_call && !is_name && !is_named(&line[..at]) && line.is_char_boundary(end) {
                    let text = line[range.clone()].trim_end_matches('\\');
                    let is_one = !text.contains(char::is_whitespace) && !text.is_empty();
                    let is_bare = is_one_of_several
                        && text.len() >= 4
                        && !is_few(text)
                        && !shape::is_harmless(text);
                    let may_stay = is_nothing(text) || is_place(text) || text.len() > LONGEST;
                    if is_one && !may_stay && (is_odd(text) || is_bare) {
                        found.push(range.start..range.start + text.len());
                    }
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// `connect(`, `Db::new(`, `[]byte(`, `VALUES (`.
fn is_called(before: &str) -> bool {
    let is_name = before.ends_with(|c: char| c.is_alphanumeric() || "_]>!".contains(c));
    let trimmed = before.trim_end();
    let word = trimmed
        .rsplit(|c: char| !(c.is_alphanumeric() || c == '_'))
        .next()
        .unwrap_or_default();
    is_name
        || ["values", "call", "in"]
            .iter()
            .any(|one| one.eq_ignore_ascii_case(word))
}

/// `host='V'`, `"a": "V"`: its name says what it is.
fn is_named(before: &str) -> bool {
    // `b"…"`, `N'…'`.
    let bare = before.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let bare = match before.len() - bare.len() {
        0 | 1 => bare.trim_end(),
        _ => return false,
    };
    let compares = ["==", "!=", "~=", "<>", "::"]
        .iter()
        .any(|end| bare.ends_with(end));
    bare.ends_with(['=', ':', '>']) && !bare.ends_with("->") && !compares
}

fn closing(bytes: &[u8], from: usize, quote: u8) -> Option<usize> {
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if bytes.get(at + 1) == Some(&quote) && quote == b'"' => return Some(at + 1),
            b'\\' => at += 2,
            byte if byte == quote => return Some(at),
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_calls_are_found_and_messages_are_not() {
        for (line, literals) in [
            ("client.login('x', 'two-words')", &["two-words"][..]),
            ("hmac.new(b'two-words', msg)", &["two-words"]),
            ("auth = Basic(\"ops\", \"island\")", &["island"]),
            (
                "perl: DBI->connect(\"dbi:x\", \"u\", \"two-words\")",
                &["dbi:x", "two-words"],
            ),
            ("Key:[]byte(\"two-words\")", &["two-words"]),
            ("Some(\"two-words\")", &["two-words"]),
            ("SELECT decrypt(data, 'island') FROM t", &["island"]),
            ("INSERT INTO t VALUES ('two-words', 5)", &["two-words"]),
            ("db.auth(\\\"x\\\", \\\"two-words\\\") for", &["two-words"]),
        ] {
            let found: Vec<&str> = spans(line).into_iter().map(|range| &line[range]).collect();
            assert_eq!(found, literals, "{line}");
        }
        for line in [
            "Error(\"connection refused by peer\")",
            "client said 'read-only' (again)",
            "open('/var/log/amps/orders.log')",
            "Message(topic='two-words', command='sow')",
            "environ({'TWO_WORDS': 5})",
            "log(\"started\")",
            "max(5, '10')",
            "it's (not) a call, isn't it",
        ] {
            assert!(spans(line).is_empty(), "{line}");
        }
    }
}
