//! Cases of `glob.rs` over a file system in memory.

use super::*;

/// Paths with their kinds; what is listed may differ from what is there.
struct Tree {
    entries: Vec<(&'static str, EntryKind)>,
    listed: Vec<(&'static str, Vec<&'static [u8]>)>,
    denied: Vec<&'static str>,
}

impl Tree {
    fn of(entries: &[(&'static str, EntryKind)]) -> Self {
        Self {
            entries: entries.to_vec(),
            listed: vec![],
            denied: vec![],
        }
    }
}

impl Shelf for Tree {
    fn look(&mut self, path: &str) -> Result<Entry, Failure> {
        let found = self.entries.iter().find(|(name, _)| *name == path);
        let missing = || Failure::new(FailureKind::Missing, "", "").with_subject(path);
        let (name, kind) = found.ok_or_else(missing)?;
        Ok(Entry {
            path: (*name).to_owned(),
            kind: *kind,
            size: 0,
            modified: None,
        })
    }

    fn names(&mut self, directory: &str) -> Result<Vec<Vec<u8>>, Failure> {
        if self.denied.contains(&directory) {
            return Err(Failure::new(FailureKind::Denied, "", "").with_subject(directory));
        }
        if let Some((_, names)) = self.listed.iter().find(|(name, _)| *name == directory) {
            return Ok(names.iter().map(|name| name.to_vec()).collect());
        }
        if directory != "/" && self.look(directory)?.kind != EntryKind::Directory {
            return Err(Failure::new(FailureKind::Missing, "", "not a directory"));
        }
        let prefix = format!("{}/", directory.trim_end_matches('/'));
        let below = self
            .entries
            .iter()
            .filter_map(|(path, _)| path.strip_prefix(&*prefix));
        let names = below.filter(|rest| !rest.is_empty() && !rest.contains('/'));
        Ok(names.map(|name| name.as_bytes().to_vec()).collect())
    }
}

fn estate() -> Tree {
    use EntryKind::{Dangling, Directory as D, File as F, Special};
    Tree::of(&[
        ("/opt", D),
        ("/opt/a", D),
        ("/opt/a/logs", D),
        ("/opt/a/logs/2.log", F),
        ("/opt/a/logs/1.log", F),
        ("/opt/a/logs/.hidden.log", F),
        ("/opt/a/logs/pipe.log", Special),
        ("/opt/a/logs/gone.log", Dangling),
        ("/opt/b", D),
        ("/opt/file", F),
        ("/opt/a/odd{1,2}.cfg", F),
        ("/opt/a/odd1.cfg", F),
    ])
}

fn paths(tree: &mut Tree, pattern: &str) -> Vec<String> {
    let entries = expand(tree, pattern).unwrap_or_else(|failure| panic!("{pattern}: {failure}"));
    entries.into_iter().map(|entry| entry.path).collect()
}

#[test]
fn finds_what_a_shell_would() {
    for (pattern, expected) in [
        ("/opt/a/logs/1.log", &["/opt/a/logs/1.log"][..]),
        (
            "/opt/a/logs/?.log",
            &["/opt/a/logs/1.log", "/opt/a/logs/2.log"],
        ),
        ("/opt/a/logs/[!1].log", &["/opt/a/logs/2.log"]),
        ("/opt/a/logs/.*.log", &["/opt/a/logs/.hidden.log"]),
        ("/opt/*/logs/1.log", &["/opt/a/logs/1.log"]),
        (
            "/opt/*/logs/[12].*",
            &["/opt/a/logs/1.log", "/opt/a/logs/2.log"],
        ),
        ("//opt/./a//logs/1.log", &["/opt/a/logs/1.log"]),
        ("/opt/a/odd{1,2}.*", &["/opt/a/odd{1,2}.cfg"]),
        ("/opt/b/*", &[]),
        ("/o*/file", &["/opt/file"]),
    ] {
        assert_eq!(paths(&mut estate(), pattern), expected, "{pattern}");
    }
    let all = expand(&mut estate(), "/opt/a/logs/*").unwrap();
    assert_eq!(all.len(), 4, "no hidden one");
    let kinds: Vec<_> = all.iter().map(|entry| entry.kind).collect();
    assert!(kinds.contains(&EntryKind::Special) && kinds.contains(&EntryKind::Dangling));
}

#[test]
fn what_is_named_must_be_there_and_what_is_guessed_need_not() {
    for pattern in ["/opt/c", "/opt/c/*", "/opt/file/*", "/opt/c/logs/*.log"] {
        let failure = expand(&mut estate(), pattern).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Missing, "{pattern}");
    }
    assert!(paths(&mut estate(), "/opt/c*/logs/*.log").is_empty());
    assert!(paths(&mut estate(), "/opt/*/missing").is_empty());
}

#[test]
fn a_directory_that_may_not_be_entered_is_a_failure() {
    let mut tree = estate();
    tree.denied = vec!["/opt/a/logs"];
    for pattern in ["/opt/a/logs/*.log", "/opt/*/logs/*.log"] {
        let failure = expand(&mut tree, pattern).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Denied, "{pattern}");
    }
}

#[test]
fn names_from_the_server_are_not_trusted() {
    for name in [
        &b"../../etc/passwd"[..],
        b"/etc/passwd",
        b"a\0b",
        b"",
        b"a/b",
    ] {
        let mut tree = estate();
        tree.listed = vec![("/opt", vec![b"a", name])];
        let failure = expand(&mut tree, "/opt/*").unwrap_err();
        assert_eq!(failure.kind, FailureKind::Io, "{name:?}");
    }
    let mut tree = estate();
    tree.listed = vec![("/opt", vec![b".", b"..", b"a", b"a", b"b", b"\xff.tmp"])];
    assert_eq!(paths(&mut tree, "/opt/[ab]"), ["/opt/a", "/opt/b"]);
    assert_eq!(paths(&mut tree, "/opt/.*"), Vec::<String>::new());
    // A name that is no text is a failure only where it is meant.
    assert_eq!(
        expand(&mut tree, "/opt/*.tmp").unwrap_err().kind,
        FailureKind::Io
    );
}

#[test]
fn a_crowded_directory_is_refused() {
    let mut tree = estate();
    tree.listed = vec![("/opt", vec![b"x"; MOST_ENTRIES + 3])];
    assert_eq!(
        expand(&mut tree, "/opt/*").unwrap_err().kind,
        FailureKind::TooLarge
    );
}

#[test]
fn a_pattern_that_is_none_is_refused() {
    for pattern in [
        "",
        "opt/*",
        "/opt/../etc",
        "/opt/**",
        "/opt/**/x",
        "/opt/[",
        "/a\0b",
    ] {
        assert!(expand(&mut estate(), pattern).is_err(), "{pattern}");
    }
}
