//! Lines one after the other: what a line leaves for those below it. Keys in PEM, values on the next line, in
//! blocks, in quotes and brackets over several lines, columns below their names, sections and blocks of settings.

use super::Counts;
use super::armour::{self, Armour, Below};
use super::columns::{self, Columns};
use super::cues::{self, Cue};
use super::engine::Engine;
use super::line::{Carry, Line, Mood};
use super::undress::{LAYERS, decoded};
use super::value::is_nothing;
use super::{json, shape, tree};
use crate::evidence::redact::MARK;

/// Lines that a value may go on for.
const LONGEST: usize = 400;
/// Lines below the name of a secret in which `value` is its value.
pub(super) const NAMED: usize = 3;

/// Where among its lines a text is.
#[derive(Clone)]
pub(super) struct Text<'e> {
    engine: &'e Engine,
    mood: Mood,
    carry: Carry,
    /// Lines of a value so far.
    carried: usize,
    key: Option<Armour>,
    columns: Option<Columns>,
    /// Lines for which `value` is the value of a secret.
    named: usize,
    /// Of every open block whether it holds secrets.
    blocks: Vec<bool>,
    /// What the section is about.
    section: Cue,
}

impl<'e> Text<'e> {
    pub fn new(engine: &'e Engine, mood: Mood) -> Self {
        Self {
            engine,
            mood,
            carry: Carry::Nothing,
            carried: 0,
            key: None,
            columns: None,
            named: 0,
            blocks: Vec::new(),
            section: Cue::None,
        }
    }

    /// Writes one line with its end to `out`.
    pub fn line(&mut self, line: &str, out: &mut String, counts: &mut Counts) {
        let body = line.trim_end_matches(['\n', '\r']);
        let end = &line[body.len()..];
        self.body(body, out, counts);
        out.push_str(end);
    }

    fn body(&mut self, body: &str, out: &mut String, counts: &mut Counts) {
        if let Some(key) = self.key.take() {
            return self.key(key, body, out, counts);
        }
        if self.carry != Carry::Nothing && self.carried(body, out, counts) {
            return;
        }
        // In a value of JSON it is taken out as one.
        if let Some((begin, end)) = armour::begin(body)
            && object(body).and_then(json::read).is_none()
        {
            let (head, rest) = body.split_at(begin);
            self.plain(head, out, counts);
            self.carry = Carry::Nothing;
            let (key, behind) = rest.split_at(end.map_or(rest.len(), |end| end - begin));
            self.hide(key, out, counts);
            match end {
                Some(_) => self.plain(behind, out, counts),
                None => self.key = Some(Armour::new(head)),
            }
            return;
        }
        if self.cells(body, out, counts) {
            return;
        }
        if let Some(object) = object(body)
            && let Some(clean) = tree::redact_line(self.engine, object, counts)
        {
            out.push_str(&body[..body.len() - body.trim_start().len()]);
            out.push_str(&clean);
            return;
        }
        self.plain(body, out, counts);
        if self.columns.is_some() {
            self.carry = Carry::Nothing;
        }
    }

    /// A line below the first of a key.
    fn key(&mut self, mut key: Armour, body: &str, out: &mut String, counts: &mut Counts) {
        let from = match key.below(body) {
            Below::Over => return self.body(body, out, counts),
            Below::Stray => {
                self.body(body, out, counts);
                self.key.get_or_insert(key);
                return;
            }
            Below::Key(from) => {
                self.key = Some(key);
                from
            }
            Below::Last(from) => from,
        };
        let (head, rest) = body.split_at(from);
        self.run(head, self.mood, out, counts);
        self.carry = Carry::Nothing;
        self.hide(rest, out, counts);
    }

    fn hide(&mut self, body: &str, out: &mut String, counts: &mut Counts) {
        let trimmed = body.trim_start();
        out.push_str(&body[..body.len() - trimmed.len()]);
        if trimmed.is_empty() {
            return;
        }
        self.engine.saw(trimmed);
        *counts.entry("secret".to_owned()).or_default() += 1;
        out.push_str(if self.mood.is_setting {
            "redacted"
        } else {
            MARK
        });
        if self.mood.is_setting && trimmed.ends_with('\\') {
            out.push('\\');
        }
    }

    /// What the line above left; false when it is over.
    fn carried(&mut self, body: &str, out: &mut String, counts: &mut Counts) -> bool {
        self.carried += 1;
        let trimmed = body.trim();
        if self.carried > LONGEST || is_entry(body) {
            self.carry = Carry::Nothing;
            return false;
        }
        match self.carry {
            Carry::Nothing => false,
            Carry::Value => {
                if trimmed.is_empty() {
                    out.push_str(body);
                    return self.carried < 4;
                }
                self.carry = match trimmed.as_bytes() {
                    [quote @ (b'"' | b'\''), rest @ ..] if !rest.contains(quote) => {
                        Carry::Quote(*quote)
                    }
                    [.., b'\\'] => Carry::Value,
                    [.., b'[' | b'{'] if trimmed.len() == 1 => {
                        Carry::Bracket(trimmed.as_bytes()[0], trimmed.as_bytes()[0] + 2, 1)
                    }
                    // `password:` above, and more names below it: a block.
                    _ if trimmed.ends_with(':') || trimmed.starts_with("- ") => {
                        Carry::Block(indent(body).saturating_sub(1))
                    }
                    _ => Carry::Nothing,
                };
                self.hide(body, out, counts);
                true
            }
            Carry::Quote(quote) => {
                match body.bytes().position(|byte| byte == quote) {
                    None => self.hide(body, out, counts),
                    Some(end) => {
                        self.carry = Carry::Nothing;
                        self.hide(&body[..end], out, counts);
                        let mood = Mood {
                            is_shadowed: true,
                            ..self.mood
                        };
                        self.run(&body[end..], mood, out, counts);
                    }
                }
                true
            }
            Carry::Triple(quote) => {
                let triple = char::from(quote).to_string().repeat(3);
                match body.find(&triple) {
                    None => self.hide(body, out, counts),
                    Some(end) => {
                        self.carry = Carry::Nothing;
                        self.hide(&body[..end], out, counts);
                        out.push_str(&triple);
                        let mood = Mood {
                            is_shadowed: true,
                            ..self.mood
                        };
                        self.run(&body[end + 3..], mood, out, counts);
                    }
                }
                true
            }
            Carry::Bracket(open, close, depth) => {
                let opened = body.bytes().filter(|byte| *byte == open).count();
                let closed = body.bytes().filter(|byte| *byte == close).count();
                self.carry = match (depth + opened).checked_sub(closed) {
                    None | Some(0) => Carry::Nothing,
                    Some(depth) => Carry::Bracket(open, close, depth),
                };
                let is_end = self.carry == Carry::Nothing
                    && trimmed.trim_end_matches([',', ';']).as_bytes() == [close];
                match is_end {
                    true => out.push_str(body),
                    false => self.hide(body, out, counts),
                }
                true
            }
            Carry::Block(least) => {
                if trimmed.is_empty() || indent(body) > least {
                    self.hide(body, out, counts);
                    return true;
                }
                self.carry = Carry::Nothing;
                false
            }
        }
    }

    /// Columns below their names.
    fn cells(&mut self, body: &str, out: &mut String, counts: &mut Counts) -> bool {
        let is_entry = is_entry(body);
        if let Some(mut columns) = self.columns.take() {
            if columns.goes_on(body) {
                self.columns = Some(columns);
                return false;
            }
            if let Some(cells) = (!is_entry).then(|| columns.row(body)).flatten() {
                let mut at = 0;
                for (range, cue) in cells {
                    out.push_str(body.get(at..range.start).unwrap_or_default());
                    at = range.end;
                    self.cell(body.get(range).unwrap_or_default(), cue, out, counts);
                }
                out.push_str(body.get(at..).unwrap_or_default());
                self.columns = Some(columns);
                return true;
            }
        }
        if !self.mood.is_setting {
            self.columns = columns::header(body, is_entry);
        }
        false
    }

    fn cell(&mut self, cell: &str, cue: Cue, out: &mut String, counts: &mut Counts) {
        let value = cell.trim().trim_matches(['"', '\'']);
        let (lead, tail) = cell.split_once(value).unwrap_or((cell, ""));
        match cue {
            _ if value.is_empty() || value.bytes().all(|byte| b"-+".contains(&byte)) => {
                out.push_str(cell);
            }
            cue if cue.is_secret() && !is_nothing(value) => {
                out.push_str(lead);
                self.hide(value, out, counts);
                out.push_str(tail);
            }
            Cue::Person(class) => {
                out.push_str(lead);
                out.push_str(&whole_name(self.engine, class, value, counts));
                out.push_str(tail);
            }
            _ => self.run(cell, self.mood, out, counts),
        }
    }

    /// A line without anything special about it.
    fn plain(&mut self, body: &str, out: &mut String, counts: &mut Counts) {
        let mut mood = self.mood;
        if mood.is_setting {
            mood = self.within(body, mood);
        }
        self.run(body, mood, out, counts);
        if reads_password_below(body) && self.carry == Carry::Nothing {
            (self.carry, self.carried) = (Carry::Value, 0);
        }
        if is_secret_setting(body) && self.carry == Carry::Nothing {
            (self.carry, self.carried) = (Carry::Block(indent(body)), 0);
        }
    }

    /// What the section or the block means for a line of it.
    fn within(&mut self, body: &str, mood: Mood) -> Mood {
        let trimmed = body.trim();
        let mut mood = mood;
        if trimmed.starts_with('[') && trimmed.ends_with(']') && !mood.has_semicolons {
            self.section = cues::of(trimmed);
            return mood;
        }
        if trimmed.starts_with('}') {
            self.blocks.pop();
        }
        let is_deep = self.blocks.last().copied().unwrap_or_default();
        mood.is_shadowed |= is_deep;
        match self.section {
            Cue::Strong | Cue::Rest => mood.is_shadowed = true,
            Cue::Weak => mood.is_strict = true,
            _ => {}
        }
        if trimmed.ends_with('{') {
            let holds = trimmed
                .split(|c: char| c.is_whitespace() || "\"'{}()=".contains(c))
                .any(|word| cues::of(word).is_secret());
            self.blocks.push(is_deep || holds);
        }
        mood
    }

    /// The line as it is written, and as it is meant.
    fn run(&mut self, body: &str, mood: Mood, out: &mut String, counts: &mut Counts) {
        let mut meant: Option<String> = None;
        for _ in 0..LAYERS {
            match decoded(meant.as_deref().unwrap_or(body)) {
                Some(plain) => meant = Some(plain),
                None => break,
            }
        }
        let named = self.named > 0;
        if let Some(meant) = meant {
            let mut own = Counts::new();
            let (clean, carry, names) = self.once(&meant, mood, named, &mut own);
            let mut as_written = Counts::new();
            let is_same = clean == meant;
            let sum = |counts: &Counts| counts.values().sum::<u64>();
            // Settings keep their spelling where nothing hid in it.
            let raw = (mood.is_setting && !is_same)
                .then(|| self.once(body, mood, named, &mut as_written));
            self.carry = carry;
            self.named = if names {
                NAMED
            } else {
                self.named.saturating_sub(1)
            };
            self.carried = 0;
            match raw {
                _ if is_same => out.push_str(body),
                Some((raw, carry, _))
                    if sum(&as_written) == sum(&own)
                        && as_written.get("secret") == own.get("secret") =>
                {
                    self.carry = carry;
                    out.push_str(&raw);
                    add(counts, as_written);
                }
                _ => {
                    out.push_str(&clean);
                    add(counts, own);
                }
            }
            return;
        }
        let (clean, carry, names) = self.once(body, mood, named, counts);
        out.push_str(&clean);
        self.carry = carry;
        self.carried = 0;
        self.named = if names {
            NAMED
        } else {
            self.named.saturating_sub(1)
        };
    }

    fn once(
        &self,
        body: &str,
        mood: Mood,
        named: bool,
        counts: &mut Counts,
    ) -> (String, Carry, bool) {
        let marked = self.engine.known_in(body, counts);
        let (text, known) = match &marked {
            Some((text, known)) => (text.as_str(), known.as_slice()),
            None => (body, &[][..]),
        };
        // `value=V, name=password`: the name comes last.
        let reversed = !named
            && text.contains("alue")
            && text
                .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
                .any(|word| cues::of(word) >= Cue::Strong);
        let mut line = Line {
            engine: self.engine,
            text,
            out: String::with_capacity(text.len() + 32),
            counts,
            mood,
            carry: Carry::Nothing,
            pending: None,
            weak: None,
            shadow: false,
            is_deep: false,
            in_block: false,
            forced: None,
            has_at: text.contains('@'),
            tag: None,
            is_unknown: false,
            before: 0..0,
            named: named || reversed,
            named_before: named || reversed,
            known,
        };
        line.run();
        let names = line.named && !line.named_before;
        (line.out, line.carry, names || reversed)
    }
}

/// A whole value that names somebody.
pub(super) fn whole_name(
    engine: &Engine,
    class: &'static str,
    value: &str,
    counts: &mut Counts,
) -> String {
    if shape::is_harmless(value) && !super::piece::is_held(class, value)
        || super::vocabulary::is_few(value)
        || engine.words.is_protected(value)
    {
        return value.to_owned();
    }
    // An address, mail, a list of them: by its form, but no word stays.
    if value.contains(['/', '@', ':', ',', ' ', '.', '\\', '(', '$', '*']) {
        let mood = Mood {
            is_strict: true,
            ..Mood::default()
        };
        return engine.text(value, mood, counts);
    }
    *counts.entry(class.to_owned()).or_default() += 1;
    engine.token(class, value)
}

fn add(counts: &mut Counts, more: Counts) {
    for (rule, count) in more {
        *counts.entry(rule).or_default() += count;
    }
}

fn indent(body: &str) -> usize {
    body.len() - body.trim_start().len()
}

/// `password = V`, alone on its line: to some readers of INI, lines that stand deeper below it are more of V.
fn is_secret_setting(body: &str) -> bool {
    body.split_once('=').is_some_and(|(name, value)| {
        let name = name.trim();
        !name.contains(char::is_whitespace)
            && !value.trim().is_empty()
            && !value.contains("\"\"\"")
            && cues::of(name) >= Cue::Strong
            && cues::of(name).is_secret()
    })
}

/// `su - x <<EOF`: what the program asks for stands on the next line.
fn reads_password_below(body: &str) -> bool {
    const ASKING: &[&str] = &[
        "su",
        "sudo",
        "passwd",
        "smbpasswd",
        "login",
        "kinit",
        "ftp",
        "telnet",
    ];
    body.split_once("<<").is_some_and(|(command, word)| {
        let word = word.trim_start_matches(['-', ' ', '"', '\'']);
        word.starts_with(|c: char| c.is_ascii_uppercase())
            && command
                .split_whitespace()
                .any(|part| ASKING.contains(&part))
    })
}

/// Whether a line begins as entries of logs do: no value goes on there.
pub(super) fn is_entry(body: &str) -> bool {
    let mut words = body.split_ascii_whitespace();
    let Some(first) = words.next() else {
        return false;
    };
    let first = first.trim_matches(['[', ']']);
    let is_time = first.len() >= 10
        && (first.starts_with("20") || first.starts_with("19"))
        && first
            .as_bytes()
            .get(4)
            .is_some_and(|byte| b"-/".contains(byte));
    is_time && shape::is_harmless(first)
}

/// A line that is one JSON object.
fn object(body: &str) -> Option<&str> {
    let trimmed = body.trim();
    (trimmed.starts_with('{') && trimmed.ends_with('}') && trimmed.contains('"')).then_some(trimmed)
}
