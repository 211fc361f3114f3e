//! A problem: something written wrongly in a file of the user's, with its place. Problems are
//! collected, so that all of them are shown at once; one is enough to refuse (exit 2).

use std::fmt;
use std::path::{Path, PathBuf};

use crate::text;

/// Where in a file: line and column count from 1, the column in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as the user named it.
    pub file: PathBuf,
    /// From 1; 0 when the whole file is meant.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl Place {
    /// A place inside `file`.
    #[must_use]
    pub fn new(file: &Path, line: usize, column: usize) -> Self {
        Self {
            file: file.to_owned(),
            line,
            column,
        }
    }

    /// The file as a whole.
    #[must_use]
    pub fn whole(file: &Path) -> Self {
        Self::new(file, 0, 0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::escape(&self.file.to_string_lossy()))?;
        match self.line {
            0 => Ok(()),
            line => write!(f, ":{line}:{}", self.column),
        }
    }
}

/// One thing written wrongly. Ordered by place, so that a list reads like the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// A lower-case phrase without a full stop.
    pub message: String,
    /// The offending line as written, when there is one.
    pub line: Option<String>,
    /// What to write instead; empty when the message says it all.
    pub hint: String,
}

impl Problem {
    /// A problem without line and hint.
    #[must_use]
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Self {
            place,
            message: message.into(),
            line: None,
            hint: String::new(),
        }
    }

    /// Shows the offending line, taken from the file's whole text.
    #[must_use]
    pub fn in_text(mut self, whole: &str) -> Self {
        let index = self.place.line.checked_sub(1);
        self.line = index
            .and_then(|index| whole.lines().nth(index))
            .map(str::to_owned);
        self
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

/// Compiler style: `error: message`, ` --> file:line:column`, the line with a caret, `hint: …`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", text::escape(&self.message))?;
        write!(f, " --> {}", self.place)?;
        if let Some(line) = &self.line {
            let number = self.place.line.to_string();
            let gutter = " ".repeat(number.len());
            // The caret counts characters of the *shown* line: tabs become one blank, escapes widen.
            let before: String = line
                .chars()
                .take(self.place.column.saturating_sub(1))
                .collect();
            let indent = text::escape(&before.replace('\t', " ")).chars().count();
            let line = line.replace('\t', " ");
            let line = text::escape(&line);
            let shown = text::clip(&line, 160);
            write!(
                f,
                "\n{gutter} |\n{number} | {shown}\n{gutter} | {}^",
                " ".repeat(indent)
            )?;
        }
        if !self.hint.is_empty() {
            write!(f, "\n  hint: {}", text::escape(&self.hint))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_place_line_caret_and_hint() {
        let place = Place::new(Path::new("estate.yaml"), 2, 3);
        let problem = Problem::new(place, "unknown key `prot`")
            .in_text("ssh:\n  prot: 22\n")
            .with_hint("did you mean `port`?");
        assert_eq!(
            problem.to_string(),
            "error: unknown key `prot`\n --> estate.yaml:2:3\n  |\n2 |   prot: 22\n  |   ^\n  hint: did you mean `port`?"
        );
    }

    #[test]
    fn a_hostile_line_cannot_reach_the_terminal() {
        let place = Place::new(Path::new("e\u{1b}.yaml"), 1, 1);
        let shown = Problem::new(place, "bad").in_text("\u{1b}[2Jx").to_string();
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
    }
}
