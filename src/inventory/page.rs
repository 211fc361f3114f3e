//! The file being read, the profiles that it names, and everything found wrong on them so far. Turns a
//! [`Mark`] into a place with its line; knows neither YAML nor keys.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use crate::problem::{Place, Problem};

/// Line and column from 1, in characters. Line 0: not in the file, but in a built-in profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Mark {
    /// 0: the inventory; else the profile opened as that sheet.
    pub sheet: u16,
    pub line: u32,
    pub column: u32,
}

impl Mark {
    /// Where things stand that no line of the user's file says.
    pub const BUILT_IN: Self = Self {
        sheet: 0,
        line: 0,
        column: 0,
    };

    /// True for what comes out of a built-in profile.
    pub fn is_built_in(self) -> bool {
        self == Self::BUILT_IN
    }

    /// True for what comes out of a profile, built in or not.
    pub fn is_of_profile(self) -> bool {
        self.is_built_in() || self.sheet > 0
    }
}

/// Something read, with where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spanned<T> {
    pub at: Mark,
    pub value: T,
}

/// Text as written.
pub(super) type Text = Spanned<String>;

/// One file under the eyes of the reader, and the profiles read meanwhile.
pub(super) struct Page<'s> {
    path: &'s Path,
    text: &'s str,
    /// Of use only where something is refused.
    lines: OnceCell<Vec<&'s str>>,
    built_in: bool,
    /// It is word for word one of ours.
    shipped: bool,
    /// Path and lines of each profile of the user's; the first is sheet 1.
    sheets: Vec<(PathBuf, Vec<String>)>,
    /// The sheet that new marks are of.
    sheet: u16,
    comparisons: usize,
    problems: Vec<Problem>,
}

impl<'s> Page<'s> {
    pub fn new(path: &'s Path, text: &'s str) -> Self {
        Self {
            path,
            text,
            lines: OnceCell::new(),
            built_in: false,
            shipped: false,
            sheets: Vec::new(),
            sheet: 0,
            comparisons: 0,
            problems: Vec::new(),
        }
    }

    /// Reads a built-in profile: until [`Page::back`], no mark has a place.
    pub fn turn_to_built_in(&mut self) {
        self.built_in = true;
    }

    /// What is read until [`Page::back`] is word for word a profile of ours, or is not.
    pub fn of_ours(&mut self, shipped: bool) {
        self.shipped = shipped;
    }

    /// Whether what is read was read by a test, and is known to be sound.
    pub fn is_shipped(&self) -> bool {
        self.shipped
    }

    /// Reads a profile of the user's: until [`Page::back`], marks are of that file.
    pub fn turn_to(&mut self, path: &Path, text: &str) {
        let lines = lines(text).into_iter().map(str::to_owned).collect();
        self.sheets.push((path.to_owned(), lines));
        self.sheet = u16::try_from(self.sheets.len()).unwrap_or(u16::MAX);
    }

    /// Back to the inventory itself.
    pub fn back(&mut self) {
        self.built_in = false;
        self.shipped = false;
        self.sheet = 0;
    }

    /// What relative paths in it start from; a built-in profile has no such folder.
    pub fn folder(&self) -> Option<&'s Path> {
        (!self.built_in).then(|| self.path.parent().unwrap_or(Path::new("")))
    }

    /// The mark of a line and a column, both from 1.
    pub fn mark(&self, line: usize, column: usize) -> Mark {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        match self.built_in {
            true => Mark::BUILT_IN,
            false => Mark {
                sheet: self.sheet,
                line: number(line),
                column: number(column),
            },
        }
    }

    /// The place of `at` in this file.
    pub fn place(&self, at: Mark) -> Place {
        let path = match self.sheet_of(at) {
            Some((path, _)) => path,
            None => self.path,
        };
        Place::new(path, at.line as usize, at.column as usize)
    }

    fn sheet_of(&self, at: Mark) -> Option<&(PathBuf, Vec<String>)> {
        let index = usize::from(at.sheet).checked_sub(1)?;
        self.sheets.get(index)
    }

    /// The line of `at` as written.
    pub fn line(&self, at: Mark) -> Option<String> {
        let index = (at.line as usize).checked_sub(1)?;
        match self.sheet_of(at) {
            Some((_, lines)) => lines.get(index).cloned(),
            None => {
                let lines = self.lines.get_or_init(|| lines(self.text));
                lines.get(index).map(|line| (*line).to_owned())
            }
        }
    }

    /// Notes what is wrong at `at`, and what to write instead.
    pub fn refuse(&mut self, at: Mark, message: impl Into<String>, hint: impl Into<String>) {
        let mut problem = Problem::new(self.place(at), message).with_hint(hint);
        problem.line = self.line(at);
        self.problems.push(problem);
    }

    /// Notes what is wrong in another file that this one names.
    pub fn add(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// The same without showing the line, for where a secret may have been written.
    pub fn refuse_unseen(&mut self, at: Mark, message: impl Into<String>, hint: impl Into<String>) {
        let problem = Problem::new(self.place(at), message).with_hint(hint);
        self.problems.push(problem);
    }

    /// True while guessing what was meant still costs little: 10,000 dangling references into 10,000
    /// hosts must not take minutes. `candidates` is how many words the next guess looks at.
    pub fn may_guess(&mut self, candidates: usize) -> bool {
        const MOST: usize = 200_000;
        self.comparisons = self.comparisons.saturating_add(candidates);
        self.comparisons <= MOST
    }

    /// How much has been refused so far.
    pub fn refusals(&self) -> usize {
        self.problems.len()
    }

    /// Everything refused.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }
}

/// Lines as YAML counts them (YAML 1.2.2, 5.4): a lone CR breaks a line too.
fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(['\n', '\r']) {
        lines.push(&rest[..end]);
        let wide = rest[end..].starts_with("\r\n");
        rest = &rest[end + if wide { 2 } else { 1 }..];
    }
    lines.push(rest);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_as_yaml_does() {
        assert_eq!(lines("a\r\nb\rc\n\nd"), ["a", "b", "c", "", "d"]);
    }
}
