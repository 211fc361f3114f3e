//! HAProxy's sections and keywords (configuration manual, 2.1 "Configuration file format" and 2.2
//! "Quoting and escaping"). A keyword's meaning is HAProxy's; a section's name is known here.

use super::Settings;
use super::gather::{Gather, Wrong};
use crate::text;

/// Sections of HAProxy 1.8 to 3.2, and whether each needs a name.
const SECTIONS: [(&str, bool); 21] = [
    ("global", false),
    ("defaults", false),
    ("frontend", true),
    ("backend", true),
    ("listen", true),
    ("userlist", true),
    ("peers", true),
    ("resolvers", true),
    ("mailers", true),
    ("program", true),
    ("http-errors", true),
    ("ring", true),
    ("cache", true),
    ("log-forward", true),
    ("log-profile", true),
    ("fcgi-app", true),
    ("crt-store", false),
    ("traces", false),
    ("acme", true),
    ("namespace_list", false),
    ("healthcheck", true),
];

/// A line's words, whether it is indented, and its number.
struct Line {
    words: Vec<String>,
    indented: bool,
    number: usize,
}

pub(super) fn read(text: &str) -> Result<Settings, Wrong> {
    let lines = lines(text)?;
    let mut gather = Gather::default();
    // Lines of the `.if`s that are open (2.4 "Conditional blocks").
    let mut conditions = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let [first, values @ ..] = line.words.as_slice() else {
            continue;
        };
        let value = values.join(" ");
        let section = SECTIONS.iter().find(|(name, _)| name == first);
        match section {
            Some((_, true)) if values.is_empty() => {
                let why = format!("the section `{first}` has no name");
                return Err(Wrong::at(line.number, 1, why));
            }
            Some(_) => {
                gather.close();
                gather.open(first, &value, line.number)?;
            }
            None if first == ".if" => conditions.push(line.number),
            None if matches!(first.as_str(), ".elif" | ".else" | ".endif") => {
                if conditions.is_empty() {
                    let why = format!("a `{first}` without an `.if`");
                    return Err(Wrong::at(line.number, 1, why));
                }
                if first == ".endif" {
                    conditions.pop();
                }
            }
            // `.notice`
            None if first.starts_with('.') => {}
            None if gather.depth() == 0
                || heads_a_block(&lines, at) && !meant(first).is_empty() =>
            {
                let meant = meant(first);
                let shown = text::clip(&text::escape(first), 40).into_owned();
                let why = format!("no section is called `{shown}` {meant}");
                return Err(Wrong::at(line.number, 1, why.trim_end()));
            }
            None => gather.setting(first, &value, line.number)?,
        }
    }
    if let Some(number) = conditions.pop() {
        return Err(Wrong::at(number, 1, "an `.if` without an `.endif`"));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        // HAProxy 2.3 and later refuse it, since the file may have been cut off.
        let (number, last) = text.lines().enumerate().last().unwrap_or_default();
        let column = last.chars().count() + 1;
        let why = "the last line has no end: the file may have been cut off";
        return Err(Wrong::at(number + 1, column, why));
    }
    Ok(gather.finish())
}

fn meant(word: &str) -> String {
    text::did_you_mean(word, SECTIONS.iter().map(|(name, _)| *name))
}

/// Indentation means nothing to HAProxy, which takes a misspelt section for a keyword of the one above;
/// in a file that indents its keywords, a word at the margin with indented ones on both sides is one, if
/// it reads like a section's name.
fn heads_a_block(lines: &[Line], at: usize) -> bool {
    let (above, below) = (lines[..at].last(), lines.get(at + 1));
    !lines[at].indented
        && above.is_some_and(|line| line.indented)
        && below.is_some_and(|line| line.indented)
}

fn lines(text: &str) -> Result<Vec<Line>, Wrong> {
    let mut found = Vec::new();
    for (at, raw) in text.lines().enumerate() {
        let words = words(raw, at + 1)?;
        if !words.is_empty() {
            found.push(Line {
                words,
                indented: raw.starts_with([' ', '\t']),
                number: at + 1,
            });
        }
    }
    Ok(found)
}

fn words(line: &str, number: usize) -> Result<Vec<String>, Wrong> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<(char, usize)> = None;
    let (mut brace, mut before) = (None, ' ');
    let mut chars = line.chars().enumerate();
    while let Some((at, c)) = chars.next() {
        let current = |word: &mut Option<String>, c: char| word.get_or_insert_default().push(c);
        // 2.3 "Environment variables": only in double quotes, and with both braces or none.
        match (quote, c) {
            (Some(('"', _)), '{') if before == '$' => brace = Some(at + 1),
            (_, '}') => brace = None,
            (Some(('"', _)), '"') => {
                if let Some(column) = brace {
                    let why = "the brace of an environment variable is not closed";
                    return Err(Wrong::at(number, column, why));
                }
            }
            _ => {}
        }
        before = c;
        match (quote, c) {
            (Some((open, _)), c) if c == open => quote = None,
            (Some(('\'', _)), c) => current(&mut word, c),
            (_, '\\') => match chars.next() {
                Some((_, 'n')) => current(&mut word, '\n'),
                Some((_, 'r')) => current(&mut word, '\r'),
                Some((_, 't')) => current(&mut word, '\t'),
                Some((_, 'x')) => {
                    let digits: String = chars.by_ref().take(2).map(|(_, c)| c).collect();
                    match u8::from_str_radix(&digits, 16) {
                        Ok(byte) if digits.len() == 2 => current(&mut word, char::from(byte)),
                        _ => {
                            let why = "a `\\x` without two hexadecimal digits";
                            return Err(Wrong::at(number, at + 1, why));
                        }
                    }
                }
                Some((_, c)) => current(&mut word, c),
                // HAProxy 2.6 takes it as it stands (measured with `haproxy -c`).
                None => current(&mut word, '\\'),
            },
            (Some(_), c) => current(&mut word, c),
            (None, '"' | '\'') => {
                word.get_or_insert_default();
                quote = Some((c, at + 1));
            }
            (None, '#') => break,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => current(&mut word, c),
        }
    }
    if let Some((_, column)) = quote {
        return Err(Wrong::at(
            number,
            column,
            "a quote that is not closed on its line",
        ));
    }
    words.extend(word);
    Ok(words)
}
