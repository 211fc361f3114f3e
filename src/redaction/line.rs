//! One line of text: every piece of it stays, or something stands in its place. What is proven harmless
//! stays; what follows the name of a secret goes, whatever it is; all else becomes a token.
//!
//! Blanks, quotes, brackets and other marks stay where they are, so that the line can still be read.

use std::ops::Range;

use super::Counts;
use super::cues::Cue;
use super::engine::Engine;
use super::map::Class;
use super::shape::{self, Address};
use super::undress::{FIRST, MOST};

/// How a text is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mood {
    /// Only numbers and a few words stay.
    pub is_strict: bool,
    /// Nothing but a few words stays: a secret's name stood before.
    pub is_shadowed: bool,
    /// The line of a configuration: a blank divides a name from its value.
    pub is_setting: bool,
    /// `;` ends a directive.
    pub has_semicolons: bool,
}

/// What goes on below the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Carry {
    #[default]
    Nothing,
    /// The value stands on the next line.
    Value,
    /// Up to this quote.
    Quote(u8),
    /// Up to three of this quote.
    Triple(u8),
    /// Up to this bracket, so many of which are open.
    Bracket(u8, u8, usize),
    /// As long as lines are indented further than that.
    Block(usize),
}

/// A name whose value has not come yet.
#[derive(Clone, Copy)]
pub(super) struct Pending {
    pub cue: Cue,
    /// What divides a name from its value has come.
    pub is_parted: bool,
    /// The name stood in quotes, or was an option of a command.
    pub is_quoted: bool,
    /// A colon parted it.
    pub by_colon: bool,
}

/// A line that is being rewritten.
pub(super) struct Line<'e> {
    pub engine: &'e Engine,
    pub text: &'e str,
    pub out: String,
    pub counts: &'e mut Counts,
    pub mood: Mood,
    pub carry: Carry,
    pub pending: Option<Pending>,
    /// Where a name stood to which words may link its value.
    pub weak: Option<Range<usize>>,
    /// Few words stay up to the end of the line, or the next name of a value.
    pub shadow: bool,
    /// Not even then.
    pub is_deep: bool,
    /// Up to the end of a block on the same line.
    pub in_block: bool,
    /// The next piece is a name of that class, whatever it looks like.
    pub forced: Option<Class>,
    /// Whether an account may stand on the line at all.
    pub has_at: bool,
    /// The element whose tag is open.
    pub tag: Option<Cue>,
    /// The next piece is the value of something unknown.
    pub is_unknown: bool,
    /// Where the last piece stood.
    pub before: Range<usize>,
    /// A secret's name stood where the name of a value stands.
    pub named: bool,
    /// Whether that was so before this line.
    pub named_before: bool,
    /// What stands for each character of [`FIRST`] and up: as written, and its token or mark.
    pub known: &'e [(String, String)],
}

pub(super) const fn is_mark(c: char) -> bool {
    matches!(
        c,
        '(' | ')'
            | '['
            | ']'
            | '{'
            | '}'
            | '<'
            | '>'
            | '"'
            | '\''
            | '`'
            | ','
            | ';'
            | '='
            | '|'
            | '&'
            | '?'
            | '!'
            | '*'
            | '^'
            | '#'
    )
}

pub(super) fn known_at(c: char) -> Option<usize> {
    let at = (c as u32).checked_sub(FIRST)?;
    (at < MOST).then_some(at as usize)
}

/// How long the piece is that `text` begins with: up to a blank or a mark.
fn chunk_length(text: &str) -> usize {
    const ENDS: [bool; 128] = {
        let mut ends = [false; 128];
        let mut at = 0;
        while at < 128 {
            let c = at as u8 as char;
            ends[at] = is_mark(c) || matches!(c, ' ' | '\t'..='\r');
            at += 1;
        }
        ends
    };
    let ends = |c: char| match ENDS.get(c as usize) {
        Some(ends) => *ends,
        None => c.is_whitespace() || known_at(c).is_some() || !c.is_alphanumeric(),
    };
    text.find(ends).unwrap_or(text.len())
}

impl Line<'_> {
    pub fn run(&mut self) {
        let text = self.text;
        self.shadow |= self.mood.is_shadowed;
        if let Some(host) = self.engine.stamped_host(text) {
            self.range(0, host.start);
            self.forced = Some("host");
            self.range(host.start, host.end);
            self.forced = None;
            self.range(host.end, text.len());
        } else {
            self.range(0, text.len());
        }
        self.end();
    }

    fn range(&mut self, from: usize, to: usize) {
        let mut at = from;
        while at < to {
            at = self.step(at, to).max(at + 1);
            while !self.text.is_char_boundary(at) {
                at += 1;
            }
        }
    }

    /// What the line leaves for the next one.
    fn end(&mut self) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        let text = self.text.trim();
        // Only nginx takes the next line for more of the same, up to a semicolon.
        let is_over = self.mood.is_setting
            && (!self.mood.has_semicolons
                || text.starts_with('#')
                || text.ends_with([';', '{', '}']));
        let goes_on = !is_over
            && pending.cue.is_secret()
            && (pending.is_parted || pending.cue == Cue::Strong && self.is_short());
        if goes_on && self.carry == Carry::Nothing {
            self.carry = Carry::Value;
        }
    }

    /// `requirepass` alone on its line: the value comes below it.
    fn is_short(&self) -> bool {
        self.text.split_whitespace().count() <= 2
    }

    /// One piece that may be a name of somebody.
    pub fn forced_chunk(&mut self, at: usize, to: usize) -> usize {
        let end = self.step(at, to);
        self.forced = None;
        end
    }

    /// One piece, and where it ends.
    pub fn step(&mut self, at: usize, to: usize) -> usize {
        let rest = &self.text[at..to];
        let Some(c) = rest.chars().next() else {
            return to;
        };
        if c.is_whitespace() {
            return self.blank(at, c);
        }
        if let Some(pending) = self.pending
            && (pending.is_parted && !self.parts(rest))
        {
            return self.value(at, to, pending);
        }
        if let Some(number) = known_at(c) {
            self.known_one(number);
            self.before = at..at + c.len_utf8();
            return at + c.len_utf8();
        }
        if self.pending.is_some() && (c == ':' || rest.starts_with("->")) {
            match c {
                ':' => self.colon(),
                c => self.out.push(c),
            }
            return at + 1;
        }
        if is_mark(c) || !(c.is_alphanumeric() || c.is_ascii()) {
            return self.mark(at, to, c);
        }
        self.chunk(at, at + chunk_length(rest), to)
    }

    /// Whether more of `=>`, `:=`, `==`, `->` comes.
    fn parts(&self, rest: &str) -> bool {
        let more = rest.starts_with(['=', ':']) || rest.starts_with("->") || rest.starts_with('~');
        let arrow = rest.starts_with('>') && self.out.ends_with(['=', '-']);
        more || arrow
    }

    fn blank(&mut self, at: usize, c: char) -> usize {
        self.out.push(c);
        if let Some(pending) = &mut self.pending {
            let is_option =
                pending.is_quoted && self.text[..at].ends_with(|c: char| c.is_alphanumeric());
            let parts = c == '\t' || self.mood.is_setting || is_option;
            pending.is_parted |= parts && (pending.cue.is_secret() || self.mood.is_setting);
        }
        if !matches!(self.text[..at].chars().next_back(), Some('=' | ':')) {
            self.is_unknown = false;
        }
        at + c.len_utf8()
    }

    /// A quote, a bracket, a comma: it stays, and may part a name from its value.
    fn mark(&mut self, at: usize, to: usize, c: char) -> usize {
        let touches = at == self.before.end;
        let next = at + c.len_utf8();
        if c == '?' && self.is_query(at, to) {
            return self.query(next, to);
        }
        // Redis: `user NAME on >PASSWORD`, `#HASH`.
        let is_glued = self.text[next..to].starts_with(|c: char| !c.is_whitespace())
            && self.text[..at].ends_with(' ');
        if self.mood.is_setting
            && matches!(c, '>' | '#')
            && is_glued
            && (self.text.trim_start().starts_with("user ")
                || self.text.to_ascii_lowercase().contains("setuser "))
        {
            self.out.push(c);
            let pending = Pending {
                cue: Cue::Strong,
                is_parted: true,
                is_quoted: false,
                by_colon: false,
            };
            return self.value(next, to, pending);
        }
        if c == '<' && self.text[next..to].starts_with('/') && !self.is_deep {
            self.shadow = self.mood.is_shadowed;
        }
        if let (Some(cue), '>') = (self.tag, c) {
            self.tag = None;
            if !self.text[..at].ends_with('/') {
                self.pending = Some(Pending {
                    cue,
                    is_parted: true,
                    is_quoted: false,
                    by_colon: false,
                });
                self.shadow = self.mood.is_shadowed;
                self.out.push(c);
                return next;
            }
        }
        if c == '('
            && touches
            && self.text[..at].contains("id=")
            && self.text[self.before.clone()]
                .bytes()
                .all(|byte| byte.is_ascii_digit())
        {
            self.forced = Some("user");
        }
        if let Some(mut pending) = self.pending {
            match c {
                '"' | '\''
                    if touches
                        && self.before.len() == 2
                        && self.text[self.before.clone()].starts_with('-') =>
                {
                    return self.value(at, to, pending);
                }
                '=' | '|' => pending.is_parted = true,
                '>' if touches || self.out.ends_with(['-', '=']) => pending.is_parted = true,
                '(' if touches => pending.is_parted = true,
                '[' | '{' | '<' if touches && !(c == '{' && self.mood.is_setting) => {
                    return self.value(at, to, pending);
                }
                '"' | '\'' | '`' if touches => pending.is_quoted = true,
                '"' | '\'' | '`' => return self.value(at, to, pending),
                '[' if matches!(pending.cue, Cue::Person(_)) => return self.value(at, to, pending),
                ',' if pending.is_quoted => pending.is_parted = true,
                ')' | ']' | '!' | '*' => {}
                _ => {
                    self.pending = None;
                    self.shadow |= pending.cue == Cue::Strong;
                    self.out.push(c);
                    return next;
                }
            }
            self.pending = Some(pending);
            self.out.push(c);
            return next;
        }
        if self.mood.has_semicolons {
            self.directive(at, c);
        }
        self.out.push(c);
        next
    }

    /// What ends a directive of nginx, and with it what its name said: `;`, the condition of `if ($x_token = "V") {`,
    /// and the end of `map $http_x_token $ok { … }`, all of which the name is about.
    fn directive(&mut self, at: usize, c: char) {
        let is_condition = c == '{' && self.text[..at].trim_end().ends_with(')');
        self.in_block |= c == '{' && self.shadow && !is_condition;
        if c == '}' || is_condition || c == ';' && !self.in_block {
            (self.shadow, self.is_deep, self.in_block) = (self.mood.is_shadowed, false, false);
        }
    }

    /// A piece of text up to a blank or a mark.
    pub fn chunk(&mut self, at: usize, end: usize, to: usize) -> usize {
        if self.weak.is_some() && self.is_linked(at, end) {
            self.pending = None;
            self.secret(self.text[at..end].trim_end_matches(['.', ':']));
            self.before = at..end;
            return end;
        }
        if let Some(pending) = self.pending.take() {
            // Only a blank parted the name from what comes.
            match pending.cue {
                Cue::Strong => self.shadow = true,
                Cue::Weak if self.is_loud() => self.shadow = true,
                Cue::Weak
                    if self.text[..at].trim_end().ends_with("auth")
                        && self.text[at..end].contains(':') =>
                {
                    return self.value(at, to, pending);
                }
                Cue::Rest => self.shadow = true,
                // `key two-words`: words that nobody writes together.
                Cue::Weak if self.is_compound(at, end) => {
                    self.secret(self.text[at..end].trim_end_matches(['.', ':']));
                    self.before = at..end;
                    return end;
                }
                Cue::Person(class) if class == "user" || self.mood.is_setting => {
                    self.forced = Some(class);
                }
                Cue::Number => return self.digits(at, to),
                _ => {}
            }
        }
        if !self.has_at
            && let Some(bare) = self.is_word(at, end)
        {
            self.core(at, &self.text[at..bare], "");
            self.before = at..bare;
            if bare < end {
                self.colon();
            }
            self.before = at..end;
            return end;
        }
        if let Some(end) = self.place(at, end, to) {
            self.before = at..end;
            return end;
        }
        self.pieces(at, end);
        self.before = at..end;
        end
    }

    /// Most pieces are a word or a number, with a colon at most, in which nothing else can hide; where it ends.
    fn is_word(&self, at: usize, end: usize) -> Option<usize> {
        let text = &self.text.as_bytes()[at..end];
        let bare = text.strip_suffix(b":").unwrap_or(text);
        let is_plain = !bare.is_empty()
            && bare
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let is_reached = bare.len() < text.len() && self.text[end..].starts_with("//");
        (is_plain && !is_reached).then_some(at + bare.len())
    }

    fn is_compound(&self, at: usize, end: usize) -> bool {
        let text = self.text[at..end].trim_end_matches(['.', ':']);
        !self.mood.is_setting
            && !self.text[end..].starts_with('=')
            && text.contains(['-', '_'])
            && text.starts_with(|c: char| c.is_alphanumeric())
            && super::literals::is_odd(text)
            && !super::literals::is_place(text)
            && !text.contains('.')
    }

    /// `AUTH`, as a command in capitals.
    fn is_loud(&self) -> bool {
        self.mood.is_setting
            || matches!(&self.text[self.before.clone()], "AUTH" | "KEY" | "SESSION")
    }

    /// Pieces with colons between.
    pub fn pieces(&mut self, from: usize, to: usize) {
        let text = &self.text[from..to];
        let trimmed = text.trim_end_matches([':', '.', '\\']);
        if self.whole(trimmed) {
            self.forced = None;
            self.tail(from + trimmed.len(), to);
            return;
        }
        if self.forced == Some("user")
            && let Some((user, secret)) = trimmed.split_once(':')
            && !user.is_empty()
            && !secret.is_empty()
            && !self.shadow
        {
            let is_number = secret.len() <= 5 && secret.bytes().all(|byte| byte.is_ascii_digit());
            self.forced = None;
            self.forced_name("user", user);
            self.out.push(':');
            match is_number {
                true => self.out.push_str(secret),
                false => self.secret(secret),
            }
            self.tail(from + trimmed.len(), to);
            return;
        }
        if is_line_of_pgpass(text) {
            self.name("host", text);
            self.shadow = true;
            return;
        }
        let mut at = from;
        for piece in text.split(':') {
            let end = at + piece.len();
            match self.pending {
                Some(pending) if !piece.is_empty() => {
                    let end = self.value(at, to, pending);
                    if end >= to {
                        return;
                    }
                }
                _ => self.piece(at, end),
            }
            self.before = at..end;
            if end < to {
                self.colon();
            }
            at = end + 1;
        }
    }

    fn tail(&mut self, from: usize, to: usize) {
        for c in self.text[from..to].chars() {
            match c {
                ':' => self.colon(),
                c => self.out.push(c),
            }
        }
    }

    fn colon(&mut self) {
        self.out.push(':');
        if let Some(pending) = &mut self.pending {
            pending.is_parted = true;
            pending.by_colon = true;
        }
    }

    /// A time, an address with its port: what only makes sense with its colons.
    fn whole(&mut self, text: &str) -> bool {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphabetic());
        if is_plain || text.is_empty() {
            return false;
        }
        if self.address(text) {
            return true;
        }
        let is_free = !self.shadow && self.forced.is_none();
        if is_free && text.contains(':') && shape::is_harmless(text) {
            self.out.push_str(text);
            return true;
        }
        false
    }

    /// Writes an address; false when it is none.
    pub fn address(&mut self, text: &str) -> bool {
        let says = || {
            let before = self.text[self.before.clone()].to_ascii_lowercase();
            [
                "version",
                "ver",
                "versions",
                "release",
                "amps",
                "ampsserver",
                "v",
            ]
            .contains(&before.trim_end_matches([':', '=']))
        };
        let found = shape::address(text, says, |version| {
            self.engine.words.versions.contains(version)
        });
        match found {
            None => return false,
            Some(Address::Harmless) => self.out.push_str(text),
            Some(Address::Named(class, name, tail)) => {
                let token = self.engine.token(class, &name);
                self.count(class);
                self.out.push_str(&token);
                self.out.push_str(&tail);
            }
        }
        true
    }
}

/// `host:port:database:user:password` (PostgreSQL, 34.16).
fn is_line_of_pgpass(text: &str) -> bool {
    let mut fields = text.split(':');
    let port = fields.nth(1).is_some_and(|port| {
        port == "*" || !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
    });
    port && fields.clone().count() == 3
        && fields.all(|field| !field.is_empty())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && !text
            .split(':')
            .all(|field| field.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
