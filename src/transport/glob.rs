//! Patterns of files: which names a path like `/opt/*/logs/*.log` means. Walks component by component
//! and asks its [`Shelf`] what lies in a directory; trusts no name that comes back (facts: traps.md
//! T11). Opens nothing.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};

use super::{Entry, EntryKind};
use crate::failure::{Failure, FailureKind};

/// Most entries of one directory.
pub(super) const MOST_ENTRIES: usize = 10_000;

/// What can be asked about a far file system: by SFTP or by commands.
pub(super) trait Shelf {
    /// What is at `path`, links followed.
    fn look(&mut self, path: &str) -> Result<Entry, Failure>;
    /// The names in `directory` without `.` and `..`, as they came; at most [`MOST_ENTRIES`].
    fn names(&mut self, directory: &str) -> Result<Vec<Vec<u8>>, Failure>;
}

/// Everything that `pattern` names, sorted by path.
pub(super) fn expand(shelf: &mut impl Shelf, pattern: &str) -> Result<Vec<Entry>, Failure> {
    let components = components(pattern)?;
    // `true`: found by a glob, so that what is missing below it is merely no match.
    let mut paths = vec![(String::new(), false)];
    for component in &components {
        let mut next = Vec::new();
        for (path, guessed) in paths {
            match component {
                Component::Name(name) => next.push((format!("{path}/{name}"), guessed)),
                Component::Glob(glob) => {
                    let directory = if path.is_empty() { "/" } else { &path };
                    let names = match shelf.names(directory) {
                        Err(failure) if guessed && is_no_match(&failure) => continue,
                        names => names?,
                    };
                    let matching = matching(glob, directory, names)?;
                    next.extend(
                        matching
                            .into_iter()
                            .map(|name| (format!("{path}/{name}"), true)),
                    );
                }
            }
        }
        paths = next;
    }
    let mut found = BTreeMap::new();
    for (path, guessed) in paths {
        match shelf.look(&path) {
            Ok(entry) => drop(found.insert(path, entry)),
            // Gone between the listing and the look, as logs do when they are rotated.
            Err(failure) if guessed && is_no_match(&failure) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(found.into_values().collect())
}

// `/opt/*/logs`: a file where the star is, or a directory without `logs`, is no match.
fn is_no_match(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Missing | FailureKind::NotRegular)
}

enum Component {
    Name(String),
    Glob(Box<GlobMatcher>),
}

fn components(pattern: &str) -> Result<Vec<Component>, Failure> {
    let wrong = |why: &str| {
        Failure::new(FailureKind::Undefined, "an absolute path or pattern", why)
            .with_subject(pattern)
            .with_hint(
                "write it as `/dir/*.log`: `*`, `?` and `[…]` within a component, no `..`, no `**`",
            )
    };
    let Some(relative) = pattern.strip_prefix('/') else {
        return Err(wrong("it does not begin with `/`"));
    };
    if pattern.contains('\0') {
        return Err(wrong("a NUL byte in it"));
    }
    let names = relative
        .split('/')
        .filter(|name| !name.is_empty() && *name != ".");
    let components = names.map(|name| match name {
        ".." => Err(wrong("`..` in it")),
        "**" => Err(wrong("`**` in it")),
        name if !name.contains(['*', '?', '[']) => Ok(Component::Name(name.to_owned())),
        name => {
            // Braces and backslashes are plain characters here, as contract 3 knows no others.
            let escaped: String = name
                .chars()
                .flat_map(|c| match c {
                    '{' | '}' | '\\' => vec!['\\', c],
                    c => vec![c],
                })
                .collect();
            let built = GlobBuilder::new(&escaped)
                .literal_separator(true)
                .backslash_escape(true)
                .build();
            let glob = built.map_err(|error| wrong(&error.kind().to_string()))?;
            Ok(Component::Glob(Box::new(glob.compile_matcher())))
        }
    });
    components.collect()
}

fn matching(
    glob: &GlobMatcher,
    directory: &str,
    names: Vec<Vec<u8>>,
) -> Result<Vec<String>, Failure> {
    // `.` and `..` come on top.
    if names.len() > MOST_ENTRIES + 2 {
        return Err(crowded(directory));
    }
    let shows_hidden = glob.glob().glob().starts_with('.');
    let mut matching = Vec::new();
    for name in names {
        if name == b"." || name == b".." {
            continue;
        }
        if name.is_empty() || name.contains(&b'/') || name.contains(&0) {
            let actual = format!("\"{}\"", String::from_utf8_lossy(&name));
            return Err(lying(directory, &actual));
        }
        if name.starts_with(b".") && !shows_hidden {
            continue;
        }
        match String::from_utf8(name) {
            Ok(name) if glob.is_match(&name) => matching.push(name),
            Ok(_) => {}
            Err(error) => {
                let lossy = String::from_utf8_lossy(error.as_bytes()).into_owned();
                if glob.is_match(&lossy) {
                    return Err(unreadable(directory, &lossy));
                }
            }
        }
    }
    Ok(matching)
}

/// The failure of a directory with more entries than anyone keeps by intention.
pub(super) fn crowded(directory: &str) -> Failure {
    Failure::new(
        FailureKind::TooLarge,
        format!("at most {MOST_ENTRIES} entries in a directory"),
        "more than that",
    )
    .with_subject(directory)
    .with_hint("name the files more closely, or have the directory tidied up")
}

fn lying(directory: &str, actual: &str) -> Failure {
    Failure::new(
        FailureKind::Io,
        "names that a directory can hold",
        format!("the server listed {actual}"),
    )
    .with_subject(directory)
    .with_hint("no honest server sends such a name: have the host and its sshd looked at")
}

fn unreadable(directory: &str, name: &str) -> Failure {
    Failure::new(
        FailureKind::Io,
        "file names in UTF-8",
        format!("\"{name}\" is none, and the pattern means it"),
    )
    .with_subject(directory)
    .with_hint("have the file renamed, or name the wanted files more closely")
}

/// An entry's kind from its POSIX file mode.
pub(super) const fn kind_of(mode: u32) -> EntryKind {
    match mode & 0o170_000 {
        0o100_000 => EntryKind::File,
        0o040_000 => EntryKind::Directory,
        0o120_000 => EntryKind::Dangling,
        _ => EntryKind::Special,
    }
}

#[cfg(test)]
#[path = "glob_tests.rs"]
mod tests;
