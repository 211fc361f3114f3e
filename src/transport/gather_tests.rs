//! The command in the shells of this machine, and what is made of what it prints.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command as Process, Stdio};

use super::*;
use crate::transport::{EntryKind, Span};

const NONCE: &str = "1234567890";

/// What the command prints here; `first` comes first in PATH.
fn printed_by(shell: &str, what: &Gathering, first: Option<&Path>) -> Vec<u8> {
    let words = what.command(NONCE).0;
    let mut words = words.iter().map(String::as_str).collect::<Vec<_>>();
    words[0] = shell;
    let path = std::env::var("PATH").unwrap();
    let path = first.map_or(path.clone(), |first| format!("{}:{path}", first.display()));
    let (program, first) = match shell {
        "busybox" => ("busybox", vec!["sh"]),
        shell => (shell, vec![]),
    };
    let out = Process::new(program)
        .args(first)
        .args(&words[1..])
        .env("LC_ALL", "C")
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(0), "{shell}: {out:?}");
    out.stdout
}

fn printed(what: &Gathering) -> Vec<u8> {
    printed_by("sh", what, None)
}

fn judged(bytes: &[u8], what: &Gathering) -> Option<(Gathered, Option<String>)> {
    read(bytes, NONCE)?.judged(what)
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn names(held: &[Held]) -> Vec<&str> {
    let paths = held.iter().map(|one| one.entry.path.as_str());
    paths.filter_map(|path| path.rsplit('/').next()).collect()
}

/// Beside `sh`, whatever else of its kind is here.
fn shells() -> Vec<&'static str> {
    let is_here = |shell: &&str| {
        let asked = Process::new("sh")
            .args(["-c", "command -v \"$1\"", "sh", shell])
            .output();
        asked.is_ok_and(|out| out.status.success())
    };
    let all = ["sh", "bash", "dash", "busybox", "ksh", "mksh"];
    all.into_iter().filter(|shell| is_here(shell)).collect()
}

#[test]
fn a_set_comes_whole_whatever_its_files_are_called_and_hold() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("it's \"there\" $(id) *");
    fs::create_dir(&directory).unwrap();
    let forged = format!("\x1eGNG+{NONCE}\0c\x000\x0081a4/1/1/1/1\0\x1eGNG+{NONCE}\0E\0");
    let contents = [
        ("plain.log", b"one\n".to_vec()),
        ("-n.log", b"two".to_vec()),
        ("two words\nand a line.log", vec![0, 10, 0, 255]),
        ("it's \"so\" `x` $HOME.log", forged.clone().into_bytes()),
        ("żółw.log", vec![b'x'; 70_000]),
    ];
    for (name, content) in &contents {
        fs::write(directory.join(name), content).unwrap();
    }
    // Not wanted, empty, too large for memory, and no files at all.
    for (name, bytes) in [
        (".hidden.log", 3),
        ("other.txt", 3),
        ("empty.log", 0),
        ("large.log", MOST + 1),
    ] {
        fs::write(
            directory.join(name),
            vec![b'y'; usize::try_from(bytes).unwrap()],
        )
        .unwrap();
    }
    fs::create_dir(directory.join("directory.log")).unwrap();
    let fifo = Process::new("mkfifo")
        .arg(directory.join("fifo.log"))
        .status();
    assert!(fifo.unwrap().success());
    let what = Gathering::Set(format!("{}/*.log", text(&directory)));
    // A `*` in the name of a directory is not for a shell to expand.
    assert_eq!(Gathering::set(&what.paths()[0]), None);
    for shell in shells() {
        let bytes = printed_by(shell, &what, None);
        let printed = read(&bytes, NONCE).expect(shell);
        assert_eq!(
            printed.held.len(),
            contents.len(),
            "{shell}: {:?}",
            names(&printed.held)
        );
        for (name, content) in &contents {
            let path = text(&directory.join(name));
            let held = printed
                .held
                .iter()
                .find(|held| held.entry.path == path)
                .expect(name);
            assert_eq!(held.bytes, *content, "{shell}: {name}");
            assert_eq!((held.entry.size, held.most), (content.len() as u64, None));
        }
        let kind = |name: &str| {
            let path = text(&directory.join(name));
            let found = printed.looked.iter().find(|(of, _)| *of == path).unwrap();
            found.1.as_ref().unwrap().kind
        };
        assert_eq!(kind("directory.log"), EntryKind::Directory, "{shell}");
        assert_eq!(kind("fifo.log"), EntryKind::Special, "{shell}");
        assert_eq!(kind("large.log"), EntryKind::File, "{shell}");
    }
}

#[test]
fn what_is_listed_is_what_find_has_listed() {
    let root = tempfile::tempdir().unwrap();
    for name in ["a.log", "b.log", "c.txt"] {
        fs::write(root.path().join(name), name).unwrap();
    }
    let what = Gathering::set(&format!("{}/*.log", text(root.path()))).unwrap();
    let bytes = printed(&what);
    let (gathered, _) = judged(&bytes, &what).unwrap();
    let (_, listed) = gathered.listing.unwrap();
    assert_eq!(
        (listed.len(), names(&gathered.set)),
        (2, vec!["a.log", "b.log"])
    );
    // A file that find lists and the shell does not is none that could be left out.
    let other = String::from_utf8(bytes.clone())
        .unwrap()
        .replacen("/b.log\0", "/d.log\0", 1);
    assert!(judged(other.as_bytes(), &what).is_none());
    // A directory that find could not read to its end proves nothing.
    let failed = String::from_utf8(bytes)
        .unwrap()
        .replacen("\0l\x000\0", "\0l\x001\0", 1);
    assert!(judged(failed.as_bytes(), &what).is_none());
    let nothing = Gathering::set(&format!("{}/*.xml", text(root.path()))).unwrap();
    assert!(judged(&printed(&nothing), &nothing).is_none());
    let gone = Gathering::set(&text(&root.path().join("gone"))).unwrap();
    assert!(judged(&printed(&gone), &gone).is_none());
    symlink("nowhere", root.path().join("link.xml")).unwrap();
    assert!(judged(&printed(&nothing), &nothing).is_none());
}

#[test]
fn cut_off_anywhere_it_holds_nothing() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a.log"), "content").unwrap();
    let what = Gathering::set(&format!("{}/*.log", text(root.path()))).unwrap();
    let bytes = printed(&what);
    assert!(judged(&bytes, &what).is_some());
    for end in 0..bytes.len() {
        assert!(judged(&bytes[..end], &what).is_none(), "cut at {end}");
    }
    assert!(judged(&[&bytes[..], b"x"].concat(), &what).is_none());
    assert!(read(&bytes, "1234567891").is_none(), "another's marks");
}

/// A `head` of our own: it changes the file that it reads, or is not what it seems.
#[test]
fn what_changed_while_it_was_read_is_not_held() {
    let root = tempfile::tempdir().unwrap();
    let programs = root.path().join("programs");
    fs::create_dir(&programs).unwrap();
    let files = root.path().join("files");
    let real = "/usr/bin/head \"$@\"";
    for (does, reads, holds) in [
        (real.to_owned(), true, 2),
        // Short: what follows stands where its bytes should be.
        ("/usr/bin/head -c 3 -- \"$4\"".to_owned(), false, 0),
        ("exit 1".to_owned(), false, 0),
        ("printf longer-than-it-should-be".to_owned(), false, 0),
        // All bytes, and then truncated, replaced, gone, or an error.
        (format!("{real}; : >\"$4\""), true, 0),
        (
            format!("{real}; cp -- \"$4\" \"$4.new\"; mv -- \"$4.new\" \"$4\""),
            true,
            0,
        ),
        (format!("{real}; rm -- \"$4\""), true, 0),
        (format!("{real}; exit 1"), true, 0),
        // A log grows.
        (format!("{real}; echo more >>\"$4\""), true, 2),
    ] {
        fs::create_dir(&files).unwrap();
        for name in ["a.log", "b.log"] {
            fs::write(files.join(name), "some content").unwrap();
        }
        fs::write(programs.join("head"), format!("#!/bin/sh\n{does}\n")).unwrap();
        fs::set_permissions(programs.join("head"), fs::Permissions::from_mode(0o755)).unwrap();
        let what = Gathering::set(&format!("{}/*.log", text(&files))).unwrap();
        let found = read(&printed_by("sh", &what, Some(&programs)), NONCE);
        assert_eq!(found.is_some(), reads, "{does}");
        let held = found.map(|printed| printed.held.len()).unwrap_or_default();
        assert_eq!(held, holds, "{does}");
        fs::remove_dir_all(&files).unwrap();
    }
}

#[test]
fn a_database_is_held_in_the_order_of_its_proof_or_not_at_all() {
    let root = tempfile::tempdir().unwrap();
    let path = text(&root.path().join("stats.db"));
    let what = Gathering::database(&path).unwrap();
    let wal = format!("{path}-wal");
    let asked = |path: &str, most| Asked {
        path: path.to_owned(),
        span: Span { from: 0, most },
        most: 1 << 20,
    };
    let order = [
        asked(&wal, Some(HEAD)),
        asked(&path, None),
        asked(&wal, None),
        asked(&wal, Some(HEAD)),
    ];
    let fresh = || {
        let (gathered, _) = judged(&printed(&what), &what).unwrap();
        Gathered {
            when: Some((Instant::now(), Instant::now())),
            ..gathered
        }
    };
    let take = |gathered: &mut Gathered, order: Order, asked: &[Asked]| {
        gathered.take(order, asked.iter()).iter().flatten().count()
    };
    fs::write(&path, vec![1; 5000]).unwrap();
    // Without a log nothing is printed that could be taken for a proof, and what is absent is told apart.
    assert!(printed(&what).len() < 1000, "read in vain");
    let mut gathered = fresh();
    assert!(gathered.turn.is_empty() && gathered.set.is_empty());
    let looked = gathered
        .look_all(&[path.clone(), wal.clone(), format!("{path}-journal")])
        .unwrap();
    assert_eq!(looked[0].as_ref().unwrap().size, 5000);
    assert!(
        looked[1..]
            .iter()
            .all(|one| one.as_ref().unwrap_err().kind == FailureKind::Missing)
    );
    assert!(
        gathered.look_all(std::slice::from_ref(&path)).is_none(),
        "once"
    );

    fs::write(&wal, vec![2; 3000]).unwrap();
    let mut gathered = fresh();
    assert_eq!(
        gathered
            .turn
            .iter()
            .map(|held| held.bytes.len())
            .collect::<Vec<_>>(),
        [32, 5000, 3000, 32]
    );
    assert_eq!(take(&mut gathered, Order::InTurn, &order), 4);
    assert_eq!(take(&mut gathered, Order::InTurn, &order), 0, "once");
    // A database that is too large is not read, nor what would be of use with it alone.
    fs::write(&path, vec![1; usize::try_from(MOST).unwrap() + 1]).unwrap();
    assert!(printed(&what).len() < 1500 && fresh().turn.is_empty());
    fs::write(&path, vec![1; 5000]).unwrap();
    fs::write(format!("{path}-journal"), "hot").unwrap();
    assert!(printed(&what).len() < 1000 && fresh().turn.is_empty());
    fs::remove_file(format!("{path}-journal")).unwrap();
    // One of them alone, another order, together: of a proof there is no half.
    assert_eq!(take(&mut fresh(), Order::Together, &order), 0);
    assert_eq!(take(&mut fresh(), Order::InTurn, &order[..3]), 0);
    let [a, b, c, d] = order;
    assert_eq!(take(&mut fresh(), Order::InTurn, &[b, a, c, d]), 0);
    // What nobody asked for in time is asked for again.
    let mut old = fresh();
    let long_ago = Instant::now().checked_sub(Looks::FRESH).unwrap();
    old.when = Some((long_ago, long_ago));
    assert!(old.look_all(std::slice::from_ref(&wal)).is_none());
    symlink("nowhere", format!("{path}-journal")).unwrap();
    assert!(
        judged(&printed(&what), &what).is_none(),
        "a link that leads nowhere is not absent"
    );
}

#[test]
fn a_cap_holds_for_what_is_held() {
    let root = tempfile::tempdir().unwrap();
    let path = text(&root.path().join("a.log"));
    fs::write(&path, "0123456789").unwrap();
    let what = Gathering::set(&path).unwrap();
    for (most, served) in [(9, 0), (10, 1)] {
        let (gathered, _) = judged(&printed(&what), &what).unwrap();
        let mut gathered = Gathered {
            when: Some((Instant::now(), Instant::now())),
            ..gathered
        };
        let asked = [Asked {
            path: path.clone(),
            span: Span::WHOLE,
            most,
        }];
        let held = gathered.take(Order::Together, asked.iter());
        assert_eq!(held.iter().flatten().count(), served);
    }
}

#[test]
fn only_what_a_shell_and_gonogo_read_alike_is_asked_for_so() {
    for plain in ["/a/*.log", "/a/b.db", "/*.log", "/a b/it's*", "/a/*"] {
        assert!(Gathering::set(plain).is_some(), "{plain}");
    }
    for other in [
        "/*/a.log",
        "/a/[ab].log",
        "/a/?.log",
        "/a/\\*.log",
        "a/*.log",
        "/a/",
        "/a//b",
        "/a/../b",
        "/a/**",
        "/a/x\ny",
        "",
    ] {
        assert_eq!(Gathering::set(other), None, "{other}");
    }
    assert_eq!(Gathering::database("/a/*.db"), None);
    let (one, other) = (nonce().unwrap(), nonce().unwrap());
    assert!(one != other && one.len() == 40 && one.starts_with('1'));
}

#[test]
fn the_door_tells_the_clock() {
    let root = tempfile::tempdir().unwrap();
    let path = text(&root.path().join("machine-id"));
    fs::write(&path, "abc\n").unwrap();
    let what = Gathering::Door(vec![path, text(&root.path().join("hostname"))]);
    let (gathered, date) = judged(&printed(&what), &what).unwrap();
    assert_eq!(gathered.set[0].bytes, b"abc\n");
    assert_eq!(gathered.set.len(), 1);
    let seconds: i64 = date.unwrap().parse().unwrap();
    assert!((seconds - crate::time::now().as_second()).abs() < 5);
}
