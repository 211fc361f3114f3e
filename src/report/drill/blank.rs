//! What a person forgot to fill in of a text. A vendor asks back for it, and the clock runs.

use crate::text::{hand_mark, placeholder};

/// The first line that is not filled in, from 1, and what is wrong with it.
pub(super) fn left(text: &str) -> Option<(usize, &'static str)> {
    if text.trim().is_empty() {
        return Some((1, "the text is empty"));
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let depth = |line: &str| line.len() - line.trim_start().len();
    for (index, line) in lines.iter().enumerate() {
        if is_placeholder(line) {
            return Some((index + 1, "a placeholder was left in it"));
        }
        let next = lines[index + 1..].iter().find(|line| !line.is_empty());
        // What is set in belongs to the label, whatever it looks like.
        let is_next = |next: &&str| depth(next) <= depth(line) && is_field(next);
        if is_label(line) && next.is_none_or(is_next) {
            return Some((index + 1, "nothing is said behind it"));
        }
    }
    None
}

/// `Version:`, with nothing behind it.
fn is_label(line: &str) -> bool {
    is_field(line) && line.ends_with(':')
}

/// Begins as `Version:` or `Impact: words` does.
fn is_field(line: &str) -> bool {
    let line = line.trim_start_matches(['-', '*', '#', ' ']);
    let Some((head, rest)) = line.split_once(':') else {
        return false;
    };
    if !rest.is_empty() && !rest.starts_with(' ') {
        return false;
    }
    let is_word = |c: char| c.is_alphanumeric() || " /_-()'’?".contains(c);
    let mut first = head.chars();
    first.next().is_some_and(char::is_alphabetic)
        && head.chars().count() <= 60
        && head.chars().all(is_word)
        && head.split_whitespace().count() <= 7
}

/// `{version}`, `{{ version }}`, `${VERSION}`, `<version>`, `____`, `TODO`, `TBD`, `XXX`.
fn is_placeholder(line: &str) -> bool {
    hand_mark(line).is_some() || placeholder(line).is_some() || has_braces(line)
}

/// A name between braces, as templates have it.
fn has_braces(line: &str) -> bool {
    let is_doubled = line.contains("{{");
    let is_name = |inner: &str| {
        let is_apart = inner.starts_with(' ') && !is_doubled;
        let inner = inner.trim_matches(['{', '}', ' ']);
        let is_word = |c: char| c.is_ascii_alphanumeric() || " ._-".contains(c);
        !is_apart
            && inner.starts_with(|c: char| c.is_ascii_alphabetic())
            && inner.chars().all(is_word)
            && inner.len() <= 40
    };
    let opened = line.match_indices('{').map(|(at, _)| &line[at + 1..]);
    let mut inner = opened.filter_map(|rest| rest.split_once('}'));
    inner.any(|(inner, _)| is_name(inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_found_and_words_are_not() {
        for (text, line) in [
            ("", 1),
            (" \n\t\n", 1),
            ("Version:\nImpact: none\n", 1),
            ("Version: 5\nImpact:\n\n", 2),
            ("Version: 5\n- Impact:  \n- Seen: x\n", 2),
            ("Version: {version}\n", 1),
            ("Version: {{ version }}\n", 1),
            ("Version: ${VERSION}\n", 1),
            ("Host: a\nVersion: <version>\n", 2),
            ("Version: ______\n", 1),
            ("Seen: TODO\n", 1),
        ] {
            assert_eq!(left(text).map(|(line, _)| line), Some(line), "{text:?}");
        }
        for text in [
            "Version: 5.3.4.12\nImpact: orders are late\n",
            "Behaviour seen:\n  the log ends at 10:41\n\nExpected: it goes on\n",
            "Behaviour seen:\n2026-11-22T10:00:00Z [1] error: 01-0022 x\nExpected: none\n",
            "Seen: {\"orders\": 1}\nMail: Ana <ana@ops.example>\nSet: a < b and b > c\n",
            "Seen: __init__\n",
            "Behaviour seen:\n  error: the disk is full\nExpected: none\n",
        ] {
            assert_eq!(left(text), None, "{text:?}");
        }
    }
}
