//! An ssh_config read with everything that it includes, its lines cut and its keywords known. Which of
//! them count for a host is `weigh.rs`'s business.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::blocks::Blocks;
use super::criteria::{self, Criterion};
use super::here::Here;
use super::keywords::{self, Sort};
use super::{jump, lex, pattern};
use crate::problem::{Place, Problem};
use crate::text;

/// As deep as OpenSSH follows `Include` (readconf.c).
const MOST_DEPTH: usize = 16;
/// More files than anybody includes.
const MOST_FILES: usize = 1000;
/// Largest file read; the largest that anybody keeps by hand is far below.
const MOST_BYTES: u64 = 8 << 20;

/// Where a line stands, enough to show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    pub file: Arc<Path>,
    pub line: usize,
    pub column: usize,
    pub text: Arc<str>,
}

impl At {
    /// What is wrong with that line, and what to write instead.
    pub fn problem(&self, message: impl Into<String>, hint: impl Into<String>) -> Problem {
        let place = Place::new(&self.file, self.line, self.column);
        let mut problem = Problem::new(place, message).with_hint(hint);
        problem.line = Some(self.text.as_ref().to_owned());
        problem
    }
}

/// One line that says something.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub at: At,
    pub says: Says,
}

/// What a line says.
#[derive(Clone, Debug)]
pub(super) enum Says {
    Host(Vec<String>),
    Match(Vec<Criterion>),
    Include(Vec<Blocks>),
    /// Pattern list of keywords that may be unknown.
    IgnoreUnknown(String),
    Set(&'static str, Vec<String>),
    /// A keyword that nobody knows, unless an `IgnoreUnknown` that counts names it.
    Unknown(String),
}

/// A file and all that it includes.
#[derive(Clone, Debug, Default)]
pub(super) struct Config {
    pub lines: Blocks,
}

/// Reads the file at `path`, which must exist.
///
/// # Errors
/// The text of why it cannot be read, or everything wrong in it, with its place.
pub(super) fn load(path: &Path, here: &Here) -> Result<Config, Unread> {
    let text = read(path, here).map_err(Unread::File)?;
    parse(path, &text, Some(here))
}

/// Why there is no config.
#[derive(Debug)]
pub(super) enum Unread {
    /// The file itself; said at the place that names it.
    File(String),
    /// What it says.
    Lines(Vec<Problem>),
}

/// Reads `text`; without `here` it includes nothing.
///
/// # Errors
/// Everything wrong in it.
pub(super) fn parse(path: &Path, text: &str, here: Option<&Here>) -> Result<Config, Unread> {
    let mut reader = Reader {
        here,
        above: vec![path.to_owned()],
        ignored: Vec::new(),
        read: 0,
        problems: Vec::new(),
    };
    let lines = reader.lines(path, text);
    match reader.problems.is_empty() {
        true => Ok(Config {
            lines: Blocks::of(lines),
        }),
        false => Err(Unread::Lines(reader.problems)),
    }
}

/// The text of a file that only its owner or root can have written, as ssh(1) demands.
fn read(path: &Path, here: &Here) -> Result<String, String> {
    let shown = path.display();
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("ssh_config {shown} does not exist"),
        _ => format!("ssh_config {shown} cannot be read: {error}"),
    };
    let file = File::open(path).map_err(cannot)?;
    let found = file.metadata().map_err(cannot)?;
    if !found.is_file() {
        return Err(format!("ssh_config {shown} is not a regular file"));
    }
    if (found.uid() != 0 && found.uid() != here.uid) || found.mode() & 0o022 != 0 {
        return Err(format!(
            "ssh_config {shown} could have been written by others (owner {}, mode {:04o})",
            found.uid(),
            found.mode() & 0o7777
        ));
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("{shown} is too large to be an ssh_config"));
    }
    String::from_utf8(bytes).map_err(|_| format!("ssh_config {shown} is not UTF-8 text"))
}

struct Reader<'h> {
    here: Option<&'h Here>,
    /// The files being read, the outermost first.
    above: Vec<PathBuf>,
    /// Every `IgnoreUnknown` so far, whether it counts or not.
    ignored: Vec<String>,
    /// How many files so far.
    read: usize,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn lines(&mut self, path: &Path, text: &str) -> Vec<Line> {
        let file: Arc<Path> = Arc::from(path);
        let mut lines = Vec::new();
        for (index, written) in text.split('\n').enumerate() {
            let mut at = At {
                file: Arc::clone(&file),
                line: index + 1,
                column: 1,
                text: Arc::from(written.trim_end()),
            };
            match lex::cut(written) {
                Ok(None) => {}
                Ok(Some(cut)) => {
                    at.column = cut.column;
                    if let Some(says) = self.says(&at, &cut) {
                        lines.push(Line { at, says });
                    }
                }
                Err(message) => self.problems.push(at.problem(message, "close the quote")),
            }
        }
        lines
    }

    fn refuse(&mut self, at: &At, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(at.problem(message, hint));
    }

    fn says(&mut self, at: &At, cut: &lex::Cut<'_>) -> Option<Says> {
        let written = &cut.keyword;
        if cut.rest.is_empty() {
            self.refuse(
                at,
                format!("`{written}` says nothing"),
                "write a value after it",
            );
            return None;
        }
        let Some((name, sort)) = keywords::find(written) else {
            let lower = written.to_ascii_lowercase();
            if !self.ignored.iter().any(|list| pattern::list(&lower, list)) {
                let known = text::did_you_mean(&lower, keywords::names());
                let hint = match known.as_str() {
                    "" => {
                        "ssh(1) refuses it too, unless `IgnoreUnknown` names it before".to_owned()
                    }
                    known => known.to_owned(),
                };
                self.refuse(at, format!("unknown keyword `{written}`"), hint);
            }
            return Some(Says::Unknown(lower));
        };
        // These take the rest of the line as it is.
        let raw = matches!(name, "proxycommand" | "remotecommand" | "localcommand");
        if raw {
            return Some(Says::Set(name, vec![cut.rest.to_owned()]));
        }
        if name == "proxyjump" {
            let jumps = cut.rest.split('#').next().unwrap_or_default().trim_end();
            let jumps = jumps.trim_start_matches([' ', '\t', '=']);
            if let Err(hint) = jump::parse(jumps) {
                self.refuse(at, format!("`{written} {jumps}` names no way"), hint);
                return None;
            }
            return Some(Says::Set(name, vec![jumps.to_owned()]));
        }
        if name == "match" {
            return match criteria::parse(cut.rest) {
                Ok(criteria) => Some(Says::Match(criteria)),
                Err(message) => {
                    self.refuse(at, message, "see `Match` in ssh_config(5)");
                    None
                }
            };
        }
        let Some(words) = cut.words.clone().filter(|words| !words.is_empty()) else {
            self.refuse(
                at,
                format!("the value of `{written}` cannot be read"),
                "close the quote",
            );
            return None;
        };
        match (name, sort) {
            ("host", _) if words.iter().any(String::is_empty) => {
                self.refuse(at, "`Host` has an empty pattern", "remove it");
                None
            }
            ("host", _) => Some(Says::Host(words)),
            ("include", _) => Some(Says::Include(self.included(at, &words))),
            ("ignoreunknown", _) => {
                self.ignored.push(words[0].clone());
                Some(Says::IgnoreUnknown(words[0].clone()))
            }
            (_, Sort::Harmless) => Some(Says::Set(name, words)),
            _ => match super::values::check(name, &words) {
                Ok(()) => Some(Says::Set(name, words)),
                Err(hint) => {
                    let message = format!("`{written}`: cannot read `{}`", words.join(" "));
                    self.refuse(at, message, hint);
                    None
                }
            },
        }
    }

    /// The files that each pattern names, in the order of their names.
    fn included(&mut self, at: &At, patterns: &[String]) -> Vec<Blocks> {
        let Some(here) = self.here else {
            self.refuse(at, "nothing is included here", "remove the line");
            return Vec::new();
        };
        if self.above.len() > MOST_DEPTH {
            let message = format!("more than {MOST_DEPTH} files include one another");
            self.refuse(at, message, "look for a circle of `Include`");
            return Vec::new();
        }
        let mut files = Vec::new();
        for pattern in patterns {
            if pattern.contains('%') || pattern.contains("${") {
                let hint = "write the path itself";
                self.refuse(
                    at,
                    format!("tokens in `Include {pattern}` are not followed"),
                    hint,
                );
                continue;
            }
            let Some(path) = here.included(pattern) else {
                let message = format!("`Include {pattern}`: only `~/` is understood");
                self.refuse(at, message, "write the whole path");
                continue;
            };
            for path in globbed(&path) {
                self.read += 1;
                if self.above.contains(&path) || self.read > MOST_FILES {
                    let message = format!("`Include {pattern}` leads in a circle");
                    self.refuse(at, message, "a file must not include itself");
                    return files;
                }
                match read(&path, here) {
                    Ok(text) => {
                        self.above.push(path.clone());
                        let lines = self.lines(&path, &text);
                        self.above.pop();
                        files.push(Blocks::of(lines));
                    }
                    Err(message) => {
                        self.refuse(
                            at,
                            message,
                            "ssh(1) refuses it too: chmod go-w, or correct the path",
                        );
                    }
                }
            }
        }
        files
    }
}

/// Existing files that a pattern of glob(7) names, sorted; wildcards also in folders, and a hidden name
/// only where the pattern shows its dot.
fn globbed(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let part = part.as_os_str();
        let wild = part
            .to_str()
            .filter(|part| part.contains(['*', '?', '[', '\\']));
        let Some(wild) = wild else {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        };
        let glob = globset::GlobBuilder::new(wild)
            .literal_separator(true)
            .build();
        let Ok(glob) = glob.map(|glob| glob.compile_matcher()) else {
            return Vec::new();
        };
        let mut next = Vec::new();
        for folder in &found {
            let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let mut names: Vec<_> = names
                .map(|entry| entry.file_name())
                .filter(|name| {
                    let hidden = name.as_encoded_bytes().starts_with(b".");
                    (!hidden || wild.starts_with('.')) && glob.is_match(name)
                })
                .collect();
            names.sort();
            next.extend(names.into_iter().map(|name| folder.join(name)));
        }
        found = next;
    }
    found.retain(|path| path.exists());
    found
}
