//! One setting a line: PostgreSQL's `name = 'value'` (documentation, "Setting Parameters": quotes,
//! doubled or escaped, `include`, `include_if_exists`, `include_dir`) and Redis' `name value value`
//! (redis.conf, and its splitting of arguments). A name without a value is neither's.
//!
//! Names are case-insensitive in both products and are given small. Of a name that comes twice the
//! last wins in both: that is for whoever looks a setting up.

use super::Settings;
use super::gather::{Gather, Wrong};

pub(super) fn read(text: &str) -> Result<Settings, Wrong> {
    let mut gather = Gather::default();
    for (at, raw) in text.lines().enumerate() {
        let line = raw.trim_end();
        let mut words = Words {
            line: at + 1,
            text: line,
            at: 0,
        };
        words.blank();
        if words.rest().is_empty() || words.rest().starts_with('#') {
            continue;
        }
        let name = words.name()?;
        words.blank();
        let is_assigned = words.rest().starts_with('=');
        if is_assigned {
            words.at += 1;
        }
        let mut values = Vec::new();
        loop {
            words.blank();
            if words.rest().is_empty() || words.rest().starts_with('#') {
                break;
            }
            if is_assigned && values.len() == 1 {
                return words.wrong("a second value behind the first (quote a value with blanks)");
            }
            values.push(words.value(is_assigned)?);
        }
        let value = values.join(" ");
        match (name.as_str(), values.len()) {
            (_, 0) => return words.wrong("a name without a value"),
            ("include", 1) => gather.include(&value, at + 1, false, false)?,
            ("include_if_exists", 1) => gather.include(&value, at + 1, false, true)?,
            ("include_dir", 1) => gather.include(&value, at + 1, true, false)?,
            _ => gather.setting(&name, &value, at + 1)?,
        }
    }
    Ok(gather.finish())
}

struct Words<'t> {
    line: usize,
    text: &'t str,
    at: usize,
}

impl<'t> Words<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn wrong<T>(&self, why: &str) -> Result<T, Wrong> {
        let column = 1 + self.text[..self.at].chars().count();
        Err(Wrong::at(self.line, column, why))
    }

    fn blank(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn name(&mut self) -> Result<String, Wrong> {
        let rest = self.rest();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.$".contains(c);
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let begins = rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let ends = rest[end..].starts_with(|c: char| c == '=' || c.is_whitespace());
        if !begins || !(ends || end == rest.len()) {
            return self.wrong("a line that does not begin with the name of a setting");
        }
        self.at += end;
        Ok(rest[..end].to_ascii_lowercase())
    }

    /// One word, quoted or not.
    fn value(&mut self, is_assigned: bool) -> Result<String, Wrong> {
        let rest = self.rest();
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'));
        // PostgreSQL quotes with `'` only.
        let quote = quote.filter(|quote| *quote == '\'' || !is_assigned);
        let Some(quote) = quote else {
            let comment = |text: &str| text.find('#').filter(|_| is_assigned);
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let end = comment(&rest[..end]).unwrap_or(end);
            self.at += end;
            return Ok(rest[..end].to_owned());
        };
        let mut value = String::new();
        let mut chars = rest.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, 'r')) => value.push('\r'),
                    Some((_, c)) => value.push(c),
                    None => break,
                },
                c if c == quote => {
                    let doubled = chars.peek().is_some_and(|(_, next)| *next == quote);
                    if doubled && is_assigned {
                        value.push(quote);
                        chars.next();
                        continue;
                    }
                    self.at += at + 1;
                    let rest = self.rest();
                    let parted = rest.is_empty()
                        || rest.starts_with(|c: char| c.is_whitespace() || c == '#');
                    return match parted {
                        true => Ok(value),
                        false => self.wrong("text right behind a closing quote"),
                    };
                }
                c => value.push(c),
            }
        }
        self.wrong("a quote that is not closed on its line")
    }
}
