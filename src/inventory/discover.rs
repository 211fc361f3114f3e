//! How a profile knows its product among the processes of a host, and what its arguments and its
//! configuration tell of the rest. Text in, proposals out; asks no host.

use super::artifact::Format;
use super::expression::Expression;

/// `discover:` of a profile.
#[derive(Clone, Debug)]
pub struct Discover {
    /// The product that a proposal names.
    pub product: String,
    /// Format of its configuration.
    pub format: Option<Format>,
    pub(super) programs: Vec<String>,
    pub(super) title: Option<Expression>,
    pub(super) arguments: Option<Expression>,
    pub(super) places: Vec<Place>,
    /// What else is told, in the order of the file.
    pub tells: Vec<Tell>,
}

/// Where the configuration may be.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// The first group in the arguments; a file of that name below it, perhaps.
    Arguments(Expression, Option<String>),
    /// Where it lies by default.
    Path(String),
}

/// One thing that is told.
#[derive(Clone, Debug)]
pub struct Tell {
    /// By what.
    pub from: From,
    /// What it becomes.
    pub to: To,
    pub(super) matches: Option<Expression>,
    pub(super) value: Option<String>,
}

/// By what something is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// The path of the program.
    Program,
    /// Its arguments.
    Arguments,
    /// The path of the configuration.
    Configuration,
    /// A setting of the configuration.
    Setting(String),
}

/// What something told becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// A value of `vars:`.
    Var(String),
    /// `expect: {name: …}`.
    Name,
    /// `path:` of the artifact.
    Path(String),
    /// `path:` of the artifact, its rotated files with it.
    Rotated(String),
    /// `mask:` of the artifact.
    Mask(String),
}

/// A process as `ps` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its account.
    pub user: String,
    /// Its program as it was called.
    pub program: String,
    /// The rest of its words.
    pub arguments: String,
}

impl Process {
    /// Reads a line of `ps -eo pid=,user=,args=`.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let (pid, rest) = line.trim_start().split_once(' ')?;
        let (user, words) = rest.trim_start().split_once(' ')?;
        let words = words.trim();
        let (program, arguments) = words.split_once(' ').unwrap_or((words, ""));
        Some(Self {
            pid: pid.parse().ok()?,
            user: user.to_owned(),
            program: program.to_owned(),
            arguments: arguments.trim().to_owned(),
        })
    }
}

impl Discover {
    /// The process as the profile means it, if it is one of the product's: a title that a program gives
    /// itself is taken off.
    #[must_use]
    pub fn recognise(&self, process: &Process) -> Option<Process> {
        let mut process = process.clone();
        if let Some(title) = &self.title {
            let whole = format!("{} {}", process.program, process.arguments);
            let found = title.regex().and_then(|title| title.captures(&whole));
            if let Some(words) = found.and_then(|found| found.get(1)) {
                let (program, arguments) = words
                    .as_str()
                    .split_once(' ')
                    .unwrap_or((words.as_str(), ""));
                process.program = program.to_owned();
                process.arguments = arguments.trim().to_owned();
            } else {
                return None;
            }
        }
        let base = process.program.rsplit('/').next().unwrap_or_default();
        let is_named = self.programs.iter().any(|name| name == base);
        let fits = self.arguments.as_ref();
        let fits = fits.is_none_or(|fits| {
            let fits = fits.regex();
            fits.is_some_and(|fits| fits.is_match(&process.arguments))
        });
        (is_named && fits).then_some(process)
    }

    /// Where its configuration may be, the likeliest first; relative to where the process works.
    #[must_use]
    pub fn configurations(&self, process: &Process) -> Vec<String> {
        let places = self.places.iter().filter_map(|place| match place {
            Place::Path(path) => Some(path.clone()),
            Place::Arguments(pattern, file) => {
                let found = pattern.regex()?.captures(&process.arguments)?;
                let found = found.get(1)?.as_str();
                Some(match file {
                    Some(file) => format!("{}/{file}", found.trim_end_matches('/')),
                    None => found.to_owned(),
                })
            }
        });
        let mut all: Vec<String> = Vec::new();
        for place in places {
            if !all.contains(&place) {
                all.push(place);
            }
        }
        all
    }
}

impl Tell {
    /// What it makes of a text: the first group, or `value:` with its groups filled in; else all of it.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<String> {
        let Some(pattern) = &self.matches else {
            return Some(text.to_owned());
        };
        let found = pattern.regex()?.captures(text)?;
        match &self.value {
            Some(value) => {
                let mut filled = String::new();
                found.expand(value, &mut filled);
                Some(filled)
            }
            None => found
                .get(1)
                .or_else(|| found.get(0))
                .map(|found| found.as_str().to_owned()),
        }
    }
}
