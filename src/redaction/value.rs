//! What stands behind a name: the secret of a secret's name, whatever it is made of; the name of a person's.

use super::cues::Cue;
use super::line::{Carry, Line, Pending};
use super::shape;
use super::vocabulary::is_few;
use crate::evidence::redact::MARK;

/// A value that is no secret.
pub(super) fn is_nothing(value: &str) -> bool {
    const NOTHING: &[&str] = &[
        "",
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "null",
        "none",
        "nil",
        "undefined",
        "~",
        "\"\"",
        "''",
        "[]",
        "{}",
        "redacted",
        MARK,
    ];
    let value = value.trim();
    let is_reference = (value.starts_with("${")
        || value.starts_with("{{")
        || value.starts_with("$(")
        || value.starts_with("%{"))
        && value.ends_with(['}', ')'])
        && value.len() <= 80
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_${}().: %-".contains(&byte))
        && !value[1..].contains('$')
        && !value.contains(":-");
    let is_nothing = NOTHING.contains(&value.to_ascii_lowercase().as_str());
    is_nothing || is_reference || !value.is_empty() && value.bytes().all(|byte| byte == b'*')
}

/// How a header of HTTP hands its secret over.
fn is_scheme(value: &str) -> bool {
    [
        "basic",
        "bearer",
        "digest",
        "negotiate",
        "ntlm",
        "token",
        "apikey",
    ]
    .iter()
    .any(|one| one.eq_ignore_ascii_case(value))
}

impl Line<'_> {
    /// Writes the value of `pending` that begins at `at`; gives where it ends.
    pub fn value(&mut self, at: usize, to: usize, pending: Pending) -> usize {
        self.pending = None;
        match pending.cue {
            Cue::Person(class) => self.person(at, to, class),
            Cue::Number => self.digits(at, to),
            Cue::None => at,
            Cue::Weak if self.is_client_of_amps(at) => self.person(at, to, "client"),
            cue => self.hidden(at, to, cue, pending),
        }
    }

    /// `client session: 'pricing-3' disconnected`: AMPS calls a client's name so, and support has to tell clients apart.
    fn is_client_of_amps(&self, at: usize) -> bool {
        self.text[..at].ends_with("client session: ") && self.text[at..].starts_with('\'')
    }

    /// What a name of a person or a machine names.
    fn person(&mut self, at: usize, to: usize, class: &'static str) -> usize {
        let rest = &self.text[at..to];
        let Some(open) = rest.chars().next() else {
            return to;
        };
        let close = match open {
            '"' | '\'' | '`' => open,
            '[' => ']',
            '<' => '>',
            '(' => ')',
            _ => {
                // What stands in a list, or goes on without a name, is read as usual.
                if open.is_alphanumeric() || "-_./\\$".contains(open) {
                    self.forced = Some(class);
                }
                return self.forced_chunk(at, to);
            }
        };
        let inner = at + open.len_utf8();
        let Some(end) = self.text[inner..to].find(close).map(|end| inner + end) else {
            self.out.push(open);
            return inner;
        };
        self.out.push(open);
        let value = &self.text[inner..end];
        let is_one = !value.contains(char::is_whitespace) && !value.contains(['/', '=', '@', ':']);
        match is_one
            && !value.is_empty()
            && super::line::known_at(value.chars().next().unwrap_or(' ')).is_none()
        {
            true => self.forced_name(class, value),
            // Several: each as it comes, and none of them a word.
            false => {
                let was = std::mem::replace(&mut self.mood.is_strict, true);
                self.inner(inner, end);
                self.mood.is_strict = was;
            }
        }
        self.out.push(close);
        self.before = at..end + 1;
        end + close.len_utf8()
    }

    fn inner(&mut self, from: usize, to: usize) {
        let mut at = from;
        while at < to {
            let next = self.step(at, to).max(at + 1);
            at = next.min(to);
            while !self.text.is_char_boundary(at) {
                at += 1;
            }
        }
    }

    /// Digits by which somebody is reached, or paid.
    pub fn digits(&mut self, at: usize, to: usize) -> usize {
        let rest = &self.text[at..to];
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || " +()-./".contains(c)))
            .unwrap_or(rest.len());
        let part = rest[..end].trim_end();
        match part.bytes().filter(u8::is_ascii_digit).count() >= 4 {
            true => {
                self.name("phone", part);
                at + part.len()
            }
            false => self.forced_chunk(at, to),
        }
    }

    /// A secret, in quotes, in brackets, or as far as it goes.
    fn hidden(&mut self, at: usize, to: usize, cue: Cue, pending: Pending) -> usize {
        let rest = &self.text[at..to];
        let is_hard = cue >= Cue::Strong || self.mood.is_setting;
        if rest.starts_with(MARK) {
            self.out.push_str(MARK);
            self.shadow |= is_hard;
            return at + MARK.len();
        }
        let first = rest.as_bytes().first().copied().unwrap_or_default();
        match first {
            b'"' | b'\'' | b'`' => return self.quoted(at, to, first, cue),
            // `password: |`
            b'|' | b'>'
                if pending.by_colon
                    && rest.len() <= 3
                    && rest[1..].bytes().all(|b| b"+-0123456789 \r".contains(&b)) =>
            {
                self.out.push_str(rest);
                self.carry = Carry::Block(self.text.len() - self.text.trim_start().len());
                return to;
            }
            b'[' | b'{' | b'(' | b'<' => return self.bracketed(at, to, first),
            b'\\' if rest.len() <= 2 => {
                self.out.push_str(rest);
                self.carry = Carry::Value;
                return to;
            }
            _ => {}
        }
        if cue == Cue::Rest {
            return self.rest_of_line(at, to);
        }
        let stops = |c: char| c.is_whitespace() || ",;&|)]}\"'<>".contains(c);
        let reference = ["${", "{{", "%{"].iter().any(|open| rest.starts_with(open));
        let end = match rest.find('}') {
            Some(end) if reference => end + if rest.starts_with("{{") { 2 } else { 1 },
            _ => rest.find(stops).unwrap_or(rest.len()),
        };
        let end = end.min(rest.len());
        let value = rest[..end].trim_end_matches('\\');
        // `AuthError: password "V"`: what went wrong, and only then the name.
        if cue == Cue::Weak
            && pending.by_colon
            && self.tells_of_error()
            && super::cues::is_word(value)
        {
            return self.chunk(at, at + value.len(), to);
        }
        if value.is_empty() {
            // Not what was thought: `password=, next`.
            self.out
                .push_str(&rest[..rest.chars().next().map_or(0, char::len_utf8)]);
            return at + rest.chars().next().map_or(1, char::len_utf8);
        }
        // `cert=/etc/ssl/server.pem`
        if cue == Cue::Weak && self.is_file(value) {
            self.path(value);
            self.pending = None;
            self.before = at..at + value.len();
            return at + value.len();
        }
        let is_variable = self.mood.has_semicolons
            && value.strip_prefix('$').is_some_and(|name| {
                name.starts_with(|c: char| c.is_ascii_alphabetic())
                    && name
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
            });
        let is_said =
            cue == Cue::Weak && pending.by_colon && !self.mood.is_setting && is_few(value);
        if is_nothing(value) || is_variable || is_said {
            self.out.push_str(value);
            self.shadow |= self.mood.is_setting
                || cue >= Cue::Strong && !rest[value.len()..].starts_with([',', '<']);
            return at + value.len();
        }
        // `auth: Basic V`
        if cue == Cue::Weak && is_scheme(value) && rest[value.len()..].starts_with(' ') {
            self.out.push_str(value);
            self.shadow = true;
            self.before = at..at + value.len();
            return at + value.len();
        }
        let is_port = value.len() <= 5
            && pending.is_quoted
            && cue == Cue::Weak
            && shape::is_harmless(value)
            && self.text[self.before.clone()].len() == 2;
        match is_port {
            true => self.out.push_str(value),
            false => self.secret(value),
        }
        self.shadow |= is_hard;
        // `password: correct horse; x=y`: nothing tells where it ends.
        self.is_deep |=
            cue == Cue::Rest || cue == Cue::Strong && pending.by_colon && !self.mood.is_setting;
        let end = at + value.len();
        if self.text[end..to].trim_end_matches('\r') == "\\" {
            self.out.push_str(&self.text[end..to]);
            self.carry = Carry::Value;
            return to;
        }
        self.before = at..end;
        end
    }

    /// Whether the piece before is called like an error.
    fn tells_of_error(&self) -> bool {
        let before = self.text[self.before.clone()].trim_end_matches(':');
        ["Error", "Exception", "Failure", "_error", "-error"]
            .iter()
            .any(|end| before.ends_with(end))
    }

    /// A path of words: no key looks like one.
    fn is_file(&self, value: &str) -> bool {
        value.starts_with('/')
            && value.matches('/').count() > 1
            && value.split('/').all(|name| {
                self.engine.words.is_harmless(name)
                    || name
                        .split('.')
                        .all(|part| self.engine.words.is_harmless(part))
            })
    }

    /// All that is left of the line, but for what ends a directive.
    fn rest_of_line(&mut self, at: usize, to: usize) -> usize {
        let rest = &self.text[at..to];
        let end = match (self.mood.has_semicolons, self.mood.is_setting) {
            (true, _) => {
                let end = rest.find([';', '{', '}']).unwrap_or(rest.len());
                rest[..end].trim_end().len()
            }
            (_, true) => rest.trim_end_matches([' ', '\t', '\r', '}', '\\']).len(),
            _ => rest.trim_end_matches('\r').len(),
        };
        if rest[..end].trim().is_empty() {
            self.out.push_str(rest);
            return to;
        }
        self.secret(&rest[..end]);
        (self.shadow, self.is_deep) = (true, true);
        if rest[end..].trim_end() == "\\" {
            self.carry = Carry::Value;
        }
        at + end
    }

    fn quoted(&mut self, at: usize, to: usize, quote: u8, cue: Cue) -> usize {
        let triple = char::from(quote).to_string().repeat(3);
        if let Some(rest) = self.text[at..to].strip_prefix(&triple) {
            return self.triple(to - rest.len(), to, quote, &triple);
        }
        let bytes = self.text.as_bytes();
        let mut end = at + 1;
        while end < to && bytes[end] != quote {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        self.out.push(char::from(quote));
        self.shadow |= cue >= Cue::Strong || self.mood.is_setting;
        self.is_deep |= cue == Cue::Rest;
        if end >= to {
            if at + 1 < to {
                self.secret(&self.text[at + 1..to]);
            }
            // Elsewhere in a configuration a quote ends with its line, or was an apostrophe.
            if !self.mood.is_setting
                || self.mood.has_semicolons && !self.text.trim_start().starts_with('#')
            {
                self.carry = Carry::Quote(quote);
            }
            return to;
        }
        let value = &self.text[at + 1..end];
        match is_nothing(value) || value.is_empty() {
            true => self.out.push_str(value),
            false => self.secret(value),
        }
        self.out.push(char::from(quote));
        // `'a''b'`, `"a"b`: it goes on.
        let behind = &self.text[end + 1..to];
        let more = behind
            .find(|c: char| c.is_whitespace() || ",;}])>:&|".contains(c))
            .unwrap_or(behind.len());
        if more > 0 {
            self.secret(&behind[..more]);
        }
        self.before = at..end + 1 + more;
        end + 1 + more
    }

    /// A text of TOML between three quotes, which goes on over lines.
    fn triple(&mut self, inner: usize, to: usize, quote: u8, triple: &str) -> usize {
        let rest = &self.text[inner..to];
        let end = rest.find(triple);
        let value = &rest[..end.unwrap_or(rest.len())];
        self.out.push_str(triple);
        if !value.trim().is_empty() {
            self.secret(value);
        }
        self.shadow = true;
        let Some(end) = end else {
            self.carry = Carry::Triple(quote);
            return to;
        };
        self.out.push_str(triple);
        self.before = inner - 3..inner + end + 3;
        inner + end + 3
    }

    fn bracketed(&mut self, at: usize, to: usize, open: u8) -> usize {
        let close = match open {
            b'[' => b']',
            b'{' => b'}',
            b'(' => b')',
            _ => b'>',
        };
        let mut depth = 0;
        let mut end = None;
        for (offset, byte) in self.text.as_bytes()[at..to].iter().enumerate() {
            if *byte == open {
                depth += 1;
            } else if *byte == close {
                depth -= 1;
                if depth == 0 {
                    end = Some(at + offset);
                    break;
                }
            }
        }
        let until = end.unwrap_or(to);
        self.out.push(char::from(open));
        let inner = self.text[at + 1..until].trim();
        match is_nothing(inner) {
            true => self.out.push_str(inner),
            false => self.secret(inner),
        }
        self.shadow = true;
        match end {
            Some(end) => {
                self.out.push(char::from(close));
                self.before = at..end + 1;
                end + 1
            }
            None => {
                // A block of settings is told by its reader; a list in a log goes on below.
                if !self.mood.is_setting {
                    self.carry = Carry::Bracket(open, close, depth);
                }
                to
            }
        }
    }
}
