//! A problem: something written wrongly in a file of the user's, with its place. Problems are
//! collected, so that all of them are shown at once; one is enough to refuse (exit 2).

use std::fmt;
use std::path::{Path, PathBuf};

use crate::text;

/// Where in a file: line and column count from 1, the column in characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
                // A caret beyond the clip stands below the ellipsis.
                " ".repeat(indent.min(shown.chars().count().saturating_sub(1)))
            )?;
        }
        if !self.hint.is_empty() {
            write!(f, "\n  hint: {}", text::escape(&self.hint))?;
        }
        Ok(())
    }
}

/// Everything wrong in one input, in the order of the file, each thing once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Sorts by place and drops what was said twice.
    #[must_use]
    pub fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort();
        problems.dedup();
        Self(problems)
    }

    /// `good` when there is nothing to complain about, else all the complaints.
    ///
    /// # Errors
    /// When `problems` is not empty.
    pub fn unless_none<T>(problems: Vec<Problem>, good: T) -> Result<T, Self> {
        match problems.is_empty() {
            true => Ok(good),
            false => Err(Self::new(problems)),
        }
    }

    /// In the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems themselves, to be joined with those of another input.
    #[must_use]
    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl From<Vec<Problem>> for Problems {
    fn from(problems: Vec<Problem>) -> Self {
        Self::new(problems)
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Every problem, a blank line after each, and the count as the last line.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            write!(f, "{problem}\n\n")?;
        }
        f.write_str(&text::count(self.0.len(), "problem"))
    }
}

impl std::error::Error for Problems {}

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

    #[test]
    fn problems_read_like_the_file_and_end_with_their_number() {
        let at = |line| Problem::new(Place::new(Path::new("e.yaml"), line, 1), "bad");
        let problems = Problems::new(vec![at(9), at(2), at(9)]);
        assert_eq!(
            problems.to_string(),
            "error: bad\n --> e.yaml:2:1\n\nerror: bad\n --> e.yaml:9:1\n\n2 problems"
        );
        assert_eq!(Problems::unless_none(vec![], 1), Ok(1));
        assert_eq!(
            Problems::unless_none(vec![at(1)], 1),
            Err(Problems::from(at(1)))
        );
    }
}
