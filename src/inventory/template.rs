//! The template of a vendor's support request: text with fields in braces, `{version}`. Which fields there
//! are, and what is wrong with a template; what a field says is `support/request.rs` and `case/draft.rs`.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::problem::{Place, Problem};
use crate::text;

/// How the names of templates in [`super::Inventory::records`] end.
pub const TEMPLATE_END: &str = ".request.txt";

/// The template for 60East, to copy and edit.
pub const SHIPPED: &str = include_str!("../../inventories/60east-request.txt");

/// No form of a vendor comes near it.
const MOST_BYTES: u64 = 256 << 10;

/// Who fills a field in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// What the inventory says of the vendor.
    Inventory,
    /// What the run retrieved.
    Run,
}

/// Every field that gonogo fills in itself; all others are a person's, and stand in `asked:`.
pub const FIELDS: [(&str, By, &str); 23] = [
    ("vendor", By::Inventory, "the vendor's key"),
    ("environment", By::Inventory, "`environment:`"),
    ("contract", By::Inventory, "`contract: id`"),
    ("plan", By::Inventory, "`contract: plan`"),
    (
        "contract ends",
        By::Inventory,
        "`contract: ends`, its last day",
    ),
    (
        "primary contact",
        By::Inventory,
        "name, role, address, telephone and zone",
    ),
    ("backup contact", By::Inventory, "the same"),
    ("instance", By::Run, "the instance"),
    ("product", By::Run, "its product"),
    (
        "version",
        By::Run,
        "the version that was read, such as 5.3.4.12",
    ),
    ("host", By::Run, "the inventory's name of the host"),
    ("hostname", By::Run, "what the host calls itself"),
    ("machine id", By::Run, "its machine-id(5)"),
    ("os", By::Run, "its operating system"),
    ("kernel", By::Run, "name and release of its kernel"),
    ("processor", By::Run, "as its kernel names it"),
    ("memory", By::Run, "its memory"),
    ("team", By::Run, "the team that retrieved the artifacts"),
    ("operator", By::Run, "who made the run"),
    ("run", By::Run, "the run's id, and who signed it"),
    (
        "retrieved",
        By::Run,
        "from when to when the run retrieved, in UTC",
    ),
    (
        "artifacts",
        By::Run,
        "a line each: file, size, when it was read, newest entry",
    ),
    (
        "failures",
        By::Run,
        "a line each: what of this instance did not pass",
    ),
];

/// A template, read when the inventory was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Where.
    pub path: PathBuf,
    /// Its text, or why there is none.
    pub text: Result<String, String>,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// What stays as it is.
    Text(String),
    /// What is filled in, and where it stands.
    Field {
        /// Its name.
        name: String,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
    },
}

impl Template {
    /// Reads it from the disk.
    pub(super) fn read(path: PathBuf) -> Self {
        let text = read(&path);
        Self { path, text }
    }

    /// As a run has kept it.
    pub(super) fn kept(path: PathBuf, bytes: Option<&Vec<u8>>) -> Self {
        let text = match bytes {
            Some(bytes) => plain(bytes),
            None => Err("the run kept no copy of it".to_owned()),
        };
        Self { path, text }
    }

    /// Its pieces; `asked` are the fields that people fill in.
    ///
    /// # Errors
    /// Everything that would leave a field blank or unfilled, each with its place.
    pub fn pieces(&self, asked: &[String]) -> Result<Vec<Piece>, Vec<Problem>> {
        let whole = |why: &str, hint: &str| {
            vec![Problem::new(Place::whole(&self.path), why.to_owned()).with_hint(hint)]
        };
        let text = self.text.as_ref().map_err(|why| {
            let hint = "`request_template` is relative to the inventory; `gonogo case template` prints one to copy and edit";
            whole(&format!("the request template cannot be used: {why}"), hint)
        })?;
        let mut reader = Reader {
            path: &self.path,
            text,
            asked,
            pieces: Vec::new(),
            problems: Vec::new(),
        };
        reader.read();
        reader.blank_labels();
        reader.left_over();
        let fields = |name: &str| {
            let pieces = reader.pieces.iter();
            pieces
                .filter(|piece| matches!(piece, Piece::Field { name: of, .. } if of == name))
                .count()
        };
        for name in asked.iter().filter(|name| fields(name) == 0) {
            let why = format!("`asked` names `{name}`, which the template has no place for");
            let hint = format!("write `{{{name}}}` where it belongs, or take it out of `asked`");
            reader
                .problems
                .push(Problem::new(Place::whole(&self.path), why).with_hint(hint));
        }
        if reader.problems.is_empty() && !reader.pieces.iter().any(Piece::is_field) {
            let hint = "write fields such as `{version}` where something is to be filled in";
            return Err(whole("the request template has no field", hint));
        }
        match reader.problems.is_empty() {
            true => Ok(reader.pieces),
            false => Err(reader.problems),
        }
    }
}

impl Piece {
    const fn is_field(&self) -> bool {
        matches!(self, Self::Field { .. })
    }
}

/// Who fills that field in, when no person does.
#[must_use]
pub fn filled_by(field: &str) -> Option<By> {
    let known = FIELDS.iter().find(|(name, ..)| *name == field);
    known.map(|(_, by, _)| *by)
}

/// A field that a person fills in.
pub(super) fn asked(text: &str) -> Result<(), String> {
    if filled_by(text).is_some() {
        return Err(
            "gonogo fills this field in itself; `asked` lists those that only a person knows"
                .to_owned(),
        );
    }
    match is_name(text) {
        true => Ok(()),
        false => Err(
            "a field begins with a small letter, and has small letters, digits, single blanks and `-`"
                .to_owned(),
        ),
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with([' ', '-'])
        && !text.contains("  ")
        && text.len() <= 60
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == ' ' || c == '-')
}

struct Reader<'t> {
    path: &'t Path,
    text: &'t str,
    asked: &'t [String],
    pieces: Vec<Piece>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn refuse(&mut self, line: usize, column: usize, why: String, hint: impl Into<String>) {
        let problem = Problem::new(Place::new(self.path, line, column), why);
        self.problems
            .push(problem.in_text(self.text).with_hint(hint));
    }

    fn read(&mut self) {
        const LITERAL: &str = "a brace of the text itself is written twice: {{ or }}";
        let mut plain = String::new();
        for (number, line) in self.text.split_inclusive('\n').enumerate() {
            let number = number + 1;
            let mut rest = line;
            while let Some(at) = rest.find(['{', '}']) {
                let column = |rest: &str| line[..line.len() - rest.len()].chars().count() + 1;
                let column = column(&rest[at..]);
                plain.push_str(&rest[..at]);
                let brace = &rest[at..];
                if let Some(behind) = brace
                    .strip_prefix("{{")
                    .or_else(|| brace.strip_prefix("}}"))
                {
                    plain.push_str(&brace[..1]);
                    rest = behind;
                    continue;
                }
                let Some((name, behind)) = brace
                    .strip_prefix('{')
                    .and_then(|in_it| in_it.split_once('}'))
                else {
                    let why = match brace.starts_with('{') {
                        true => "a `{` is not closed on its line",
                        false => "a `}` without its `{`",
                    };
                    self.refuse(number, column, why.to_owned(), LITERAL);
                    rest = &brace[1..];
                    continue;
                };
                self.field(name, number, column);
                self.pieces.push(Piece::Text(std::mem::take(&mut plain)));
                self.pieces.push(Piece::Field {
                    name: name.to_owned(),
                    line: number,
                    column,
                });
                rest = behind;
            }
            plain.push_str(rest);
        }
        self.pieces.push(Piece::Text(plain));
    }

    fn field(&mut self, name: &str, line: usize, column: usize) {
        if filled_by(name).is_some() || self.asked.iter().any(|asked| asked == name) {
            return;
        }
        let known = FIELDS.iter().map(|(name, ..)| *name);
        let near = text::did_you_mean(name, known.chain(self.asked.iter().map(String::as_str)));
        let hint = match (near.is_empty(), is_name(name)) {
            (false, _) => near,
            (true, true) => format!(
                "a field that only a person knows is listed: `asked: [{name}]` of the vendor"
            ),
            (true, false) => "a field begins with a small letter, such as {behaviour seen}; a brace of the text itself is written twice: {{ or }}".to_owned(),
        };
        let why = format!("unknown field `{{{}}}`", text::clip(name, 60));
        self.refuse(line, column, why, hint);
    }

    /// `Impact:` or `Impact =` and nothing behind it, or `Impact: N/A`: a form that nobody fills in.
    fn blank_labels(&mut self) {
        let lines: Vec<&str> = self.text.lines().collect();
        let indent = |line: &str| line.len() - line.trim_start().len();
        for (at, line) in lines.iter().enumerate() {
            if line.contains('{') {
                continue;
            }
            if let Some(said) = says_nothing(line) {
                let column = line.chars().count() - said.chars().count() + 1;
                let why = format!("`{}` says nothing", text::clip(line.trim(), 60));
                self.refuse(at + 1, column, why, "write a field there, such as {impact}");
                continue;
            }
            let is_open = line.trim_end().ends_with(':') || is_unset(line);
            if !is_open {
                continue;
            }
            let next = lines[at + 1..].iter().find(|line| !line.trim().is_empty());
            let is_blank = is_unset(line)
                || next.is_none_or(|next| indent(next) <= indent(line) && is_label(next.trim()));
            if is_blank {
                let column = line.trim_end().chars().count();
                self.refuse(
                    at + 1,
                    column,
                    format!("`{}` is left blank", text::clip(line.trim(), 60)),
                    "write a field behind it, such as {impact}, and list it in `asked` when only a person knows it",
                );
            }
        }
    }

    /// What forms have where something is to be written by hand.
    fn left_over(&mut self) {
        for (at, line) in self.text.lines().enumerate() {
            let left = text::hand_mark(line).or_else(|| text::placeholder(line));
            if let Some((byte, mark)) = left {
                let column = line[..byte].chars().count() + 1;
                let why = format!("`{mark}` is left to be written by hand");
                self.refuse(at + 1, column, why, "write a field there, such as {impact}");
            }
        }
    }
}

/// `Behaviour seen: …`
fn is_label(line: &str) -> bool {
    line.split_once(':')
        .is_some_and(|(label, _)| is_label_word(label))
}

fn is_label_word(label: &str) -> bool {
    let of_label = |c: char| c.is_alphanumeric() || " -/,()'.".contains(c);
    let is_word = label.contains(char::is_alphanumeric) && label.chars().all(of_label);
    is_word && label.chars().count() <= 60
}

/// What stands behind a label and says nothing: `N/A`, `[HOST]`. A mark is told as one.
fn says_nothing(line: &str) -> Option<&str> {
    let (label, said) = line.split_once([':', '='])?;
    let said = said.trim_start();
    let is_told = text::hand_mark(line).is_some() || text::placeholder(line).is_some();
    // "Logs: see below" is how a form goes on.
    let goes_on = said.to_lowercase().starts_with("see ");
    let has_words = said.contains(char::is_alphanumeric) || said.contains("??");
    let is_empty = has_words && text::says_nothing(said);
    (is_empty && !is_told && !goes_on && is_label_word(label)).then_some(said)
}

/// `Telephone =`, and no rule below a heading.
fn is_unset(line: &str) -> bool {
    line.trim_end().strip_suffix('=').is_some_and(is_label_word)
}

fn read(path: &Path) -> Result<String, String> {
    let found = fs::metadata(path).map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    plain(&bytes)
}

fn plain(bytes: &[u8]) -> Result<String, String> {
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("it has more than {}", text::size(MOST_BYTES)));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n");
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    let odd = |c: &char| text::is_unsafe(*c) && !['\n', '\t'].contains(c);
    match text.chars().find(odd) {
        Some(_) => Err("it has invisible or control characters".to_owned()),
        None => Ok(text),
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
