//! A configuration as its product reads it: the settings of all files of the artifact in order, those of
//! an included file where the directive stands. Fetches nothing.

use std::collections::HashMap;

use crate::evidence::settings::{Include, Settings};
use crate::evidence::{Content, Evidence};
use crate::failure::Failure;
use crate::inventory::Format;
use crate::steps::world::Retrieved;

/// Most settings of a configuration; files that include each other twice over may multiply.
const MOST: usize = 1_000_000;

/// One setting, where it applies.
pub(super) struct Row<'r> {
    pub file: &'r str,
    pub path: String,
    pub value: &'r str,
    pub line: usize,
}

/// Which files an include directive led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links(HashMap<(usize, usize), Vec<usize>>);

impl Links {
    /// Directive number `include` of file `from` led to `to`.
    pub(super) fn add(&mut self, from: usize, include: usize, to: Vec<usize>) {
        self.0.insert((from, include), to);
    }

    /// What directive number `include` of file `from` led to.
    pub(super) fn of(&self, from: usize, include: usize) -> &[usize] {
        self.0.get(&(from, include)).map_or(&[], Vec::as_slice)
    }

    /// Whether any directive led to `file`.
    fn lead_to(&self, file: usize) -> bool {
        self.0.values().flatten().any(|to| *to == file)
    }
}

/// The files of the set with their settings, or why there are none.
pub(super) fn parsed(set: &Retrieved) -> Result<Vec<(&Evidence, &Settings)>, Failure> {
    let mut found = Vec::with_capacity(set.files.len());
    for (file, content) in &set.files {
        if let Content::Settings(settings) = content.as_ref().map_err(Failure::clone)? {
            found.push((file, &**settings));
        }
    }
    Ok(found)
}

/// Every setting of the set. Of the formats in which the last of two settings wins, only that one.
pub(super) fn rows(set: &Retrieved) -> Result<Vec<Row<'_>>, Failure> {
    let files = parsed(set)?;
    let mut rows = Vec::new();
    let format = set.artifact.format;
    for at in (0..files.len()).filter(|at| !set.links.lead_to(*at)) {
        expand(&files, &set.links, format, at, "", 0, &mut rows);
    }
    if matches!(
        format,
        Some(Format::Conf | Format::Ini | Format::Properties)
    ) {
        let mut last = HashMap::new();
        for (at, row) in rows.iter().enumerate() {
            last.insert(row.path.clone(), at);
        }
        let mut at = 0;
        rows.retain(|row| {
            at += 1;
            last.get(&row.path) == Some(&(at - 1))
        });
    }
    Ok(rows)
}

// As deep as `includes` follows, which has refused cycles.
fn expand<'r>(
    files: &[(&'r Evidence, &'r Settings)],
    links: &Links,
    format: Option<Format>,
    at: usize,
    within: &str,
    depth: usize,
    rows: &mut Vec<Row<'r>>,
) {
    let Some((file, settings)) = files.get(at) else {
        return;
    };
    let mut includes = settings.includes.iter().enumerate().peekable();
    let follow = |include: &Include, number: usize, rows: &mut Vec<Row<'r>>| {
        // A group of an option file ends where the file does.
        let inner = match format {
            Some(Format::Ini) => String::new(),
            _ => joined(within, &include.within),
        };
        for to in links.of(at, number) {
            if depth < super::includes::DEEPEST && rows.len() < MOST {
                expand(files, links, format, *to, &inner, depth + 1, rows);
            }
        }
    };
    for setting in &settings.list {
        while let Some((number, include)) = includes.next_if(|(_, one)| one.line < setting.line) {
            follow(include, number, rows);
        }
        if rows.len() < MOST {
            rows.push(Row {
                file: &file.path,
                path: joined(within, &setting.path),
                value: &setting.value,
                line: setting.line,
            });
        }
    }
    for (number, include) in includes {
        follow(include, number, rows);
    }
}

fn joined(outer: &str, inner: &str) -> String {
    match (outer, inner) {
        ("", one) | (one, "") => one.to_owned(),
        (outer, inner) => format!("{outer}/{inner}"),
    }
}

/// Whether `path` ends in the parts of `pattern`, in which `*` stands for any text within a part.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let mut path = path.rsplit('/');
    pattern
        .rsplit('/')
        .all(|wanted| path.next().is_some_and(|part| is_like(wanted, part)))
}

fn is_like(wanted: &str, part: &str) -> bool {
    let mut pieces = wanted.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = part.strip_prefix(first) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    true
}
