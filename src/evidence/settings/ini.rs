//! Option files as MySQL and MariaDB read them: `[group]`, `key`, `key = value`, comments, `!include`
//! and `!includedir` (MySQL Reference Manual, "Using Option Files"). An option before any group is
//! refused, as the products do. Judges no key.

use super::Settings;
use super::gather::{Gather, Wrong};

pub(super) fn read(text: &str) -> Result<Settings, Wrong> {
    let mut gather = Gather::default();
    for (at, raw) in text.lines().enumerate() {
        let number = at + 1;
        let line = raw.trim();
        let wrong = |why: &str| {
            let column = 1 + raw.chars().take_while(|c| c.is_whitespace()).count();
            Err(Wrong::at(number, column, why))
        };
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(directive) = line.strip_prefix('!') {
            let (word, path) = split(directive);
            match (word, path) {
                ("include" | "includedir", "") => {
                    return wrong("an include directive without a path");
                }
                ("include", path) => gather.include(path, number, false, false)?,
                ("includedir", path) => gather.include(path, number, true, false)?,
                _ => return wrong("a `!` that is neither `!include` nor `!includedir`"),
            }
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let Some((name, rest)) = rest.split_once(']') else {
                return wrong("a `[` without its `]`");
            };
            if name.trim().is_empty() {
                return wrong("a group without a name");
            }
            if !rest.trim().is_empty() && !rest.trim().starts_with(['#', ';']) {
                return wrong("text behind the `]` of a group");
            }
            gather.close();
            gather.open(name.trim(), "", number)?;
            continue;
        }
        let (key, value) = match line.split_once('=') {
            Some((key, value)) => (key.trim(), unquoted(value.trim())),
            None => (uncommented(line).trim(), String::new()),
        };
        if key.is_empty() {
            return wrong("a `=` without a key before it");
        }
        if key.contains(char::is_whitespace) && !line.contains('=') {
            return wrong("neither a `[group]`, `key` nor `key = value`");
        }
        if gather.depth() == 0 {
            return wrong("an option before the first `[group]`");
        }
        gather.setting(&key.replace('-', "_"), &value, number)?;
    }
    Ok(gather.finish())
}

fn split(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

/// A `#` begins a comment in the middle of a line too, outside of quotes.
fn uncommented(value: &str) -> &str {
    let mut quote = None;
    for (at, c) in value.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '#') => return &value[..at],
            _ => {}
        }
    }
    value
}

fn unquoted(value: &str) -> String {
    let value = uncommented(value).trim();
    for quote in ['"', '\''] {
        let inner = value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            return inner.to_owned();
        }
    }
    value.to_owned()
}
