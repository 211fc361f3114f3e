//! Java properties (java.util.Properties, `load`): `=`, `:` or a blank between key and value, `\` for
//! continuation and escapes, `#` and `!` comments. Nearly every text is well-formed; a broken `\u` is
//! not.

use super::Settings;
use super::gather::{Gather, Wrong};

pub(super) fn read(text: &str) -> Result<Settings, Wrong> {
    let mut gather = Gather::default();
    let mut lines = text.lines().enumerate();
    while let Some((at, raw)) = lines.next() {
        let first = raw.trim_start();
        if first.is_empty() || first.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = first.to_owned();
        while continues(&logical) {
            logical.pop();
            match lines.next() {
                Some((_, next)) => logical.push_str(next.trim_start()),
                None => break,
            }
        }
        let (key, value) = halves(&logical);
        let unescaped = |text: &str| {
            unescape(text)
                .ok_or_else(|| Wrong::at(at + 1, 1, "a `\\u` without four hexadecimal digits"))
        };
        gather.setting(&unescaped(key)?, &unescaped(value)?, at + 1)?;
    }
    Ok(gather.finish())
}

/// An odd number of backslashes at the end.
fn continues(line: &str) -> bool {
    line.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1
}

fn halves(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        let parts = matches!(c, '=' | ':' | ' ' | '\t' | '\x0c');
        if parts && !escaped {
            let value = line[at..].trim_start_matches([' ', '\t', '\x0c']);
            let value = value.strip_prefix(['=', ':']).unwrap_or(value);
            return (&line[..at], value.trim_start_matches([' ', '\t', '\x0c']));
        }
        escaped = c == '\\' && !escaped;
    }
    (line, "")
}

fn unescape(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut units = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let unit = match c {
            '\\' => match chars.next() {
                Some('u') => {
                    let digits: String = chars.by_ref().take(4).collect();
                    let is_hex = digits.len() == 4 && digits.chars().all(|c| c.is_ascii_hexdigit());
                    let unit = u16::from_str_radix(&digits, 16).ok().filter(|_| is_hex);
                    units.push(unit?);
                    continue;
                }
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\x0c',
                Some(c) => c,
                None => break,
            },
            c => c,
        };
        plain.push_str(&String::from_utf16_lossy(&units));
        units.clear();
        plain.push(unit);
    }
    plain.push_str(&String::from_utf16_lossy(&units));
    Some(plain)
}
