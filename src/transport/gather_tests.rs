//! The command in the shells of this machine, and what is made of what it prints.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use tempfile::TempDir;

use super::printed::Printed;
use super::*;
use crate::transport::glob::Shelf as _;
use crate::transport::{EntryKind, Span};

#[path = "gather_planted_tests.rs"]
mod planted;

const NONCE: &str = "1234567890";

/// What the command prints here and says beside it, with this PATH.
fn said_by(shell: &str, what: &Gathering, path: &str) -> (Vec<u8>, Vec<u8>) {
    let words = what.command(NONCE).0;
    let mut words = words.iter().map(String::as_str).collect::<Vec<_>>();
    words[0] = shell;
    let (program, first) = match shell {
        "busybox" => ("busybox", vec!["sh"]),
        shell => (shell, vec![]),
    };
    let out = Process::new(found(program).unwrap())
        .args(first)
        .args(&words[1..])
        .env("LC_ALL", "C")
        .env("PATH", path)
        .env("TAR_OPTIONS", "--exclude=*")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(0), "{shell}: {out:?}");
    (out.stdout, out.stderr)
}

/// The same, where nothing else was said.
fn printed_by(shell: &str, what: &Gathering, path: &str) -> Vec<u8> {
    let (stdout, stderr) = said_by(shell, what, path);
    assert_eq!(String::from_utf8_lossy(&stderr), "", "{shell}");
    stdout
}

fn own_path() -> String {
    std::env::var("PATH").unwrap()
}

fn printed(what: &Gathering) -> Vec<u8> {
    printed_by("sh", what, &own_path())
}

fn read(printed: &[u8], nonce: &str) -> Option<Printed> {
    printed::read(printed, b"", nonce)
}

/// Where a program of that name is here.
fn found(program: &str) -> Option<PathBuf> {
    let path = own_path();
    let mut places = path.split(':').map(|place| Path::new(place).join(program));
    places.find(|at| at.is_file())
}

/// Whatever else of the kind is here: tools of others, and a host that has no `tar`.
fn kits() -> Vec<(&'static str, TempDir)> {
    let tools = ["stat", "head", "find", "date", "tar"];
    let mut kits = Vec::new();
    for (name, tools) in [
        ("busybox", &tools[..]),
        ("toybox", &tools[..]),
        ("no tar", &tools[..4]),
    ] {
        let whose = |tool| match name {
            "no tar" => found(tool),
            name => found(name),
        };
        let kit = tempfile::tempdir().unwrap();
        let all = tools.iter().all(|tool| {
            whose(tool).is_some_and(|program| symlink(program, kit.path().join(tool)).is_ok())
        });
        if all {
            kits.push((name, kit));
        }
    }
    kits
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
    let all = ["sh", "bash", "dash", "busybox", "ksh", "mksh"];
    all.into_iter()
        .filter(|shell| found(shell).is_some())
        .collect()
}

#[test]
fn a_set_comes_whole_whatever_its_files_are_called_and_hold() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("it's \"there\" $(id) *");
    fs::create_dir(&directory).unwrap();
    let forged = format!("GNG+{NONCE}\0c\x000\0GNG+{NONCE}\0s\x000\x000\0\0GNG+{NONCE}\0E\0");
    let contents = [
        ("plain.log", b"one\n".to_vec()),
        ("-n.log", b"two".to_vec()),
        ("two words\nand a line.log", vec![0, 10, 0, 255]),
        ("it's \"so\" `x` $HOME.log", forged.clone().into_bytes()),
        ("blocks.log", vec![0; 2048]),
        ("żółw.log", vec![b'x'; 70_000]),
        (&format!("{}.log", "long".repeat(60)), b"long".to_vec()),
    ];
    for (name, content) in &contents {
        fs::write(directory.join(name), content).unwrap();
    }
    // Not wanted, empty, too large for memory, of a name that GNU tar reads otherwise, and no files at all.
    for (name, bytes) in [
        (".hidden.log", 3),
        ("other.txt", 3),
        ("empty.log", 0),
        ("large.log", MOST + 1),
        ("back\\nslash.log", 3),
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
    let literal = Gathering::Set(format!("{}/*.log", text(root.path())));
    assert!(
        judged(&printed(&literal), &literal).is_none(),
        "no file at all"
    );
    let kits = kits();
    let other = kits
        .iter()
        .map(|(name, kit)| (*name, "sh", text(kit.path())));
    let own = shells().into_iter().map(|shell| ("own", shell, own_path()));
    for (kit, shell, path) in own.chain(other) {
        let of = format!("{shell}, {kit}");
        let bytes = printed_by(shell, &what, &path);
        let mut printed = read(&bytes, NONCE).expect(&of);
        // The directory's own name is a pattern, which nobody asks for: only what was printed is judged here.
        let held = printed.files();
        assert_eq!(held.len(), contents.len(), "{of}: {:?}", names(&held));
        for (name, content) in &contents {
            let path = text(&directory.join(name));
            let held = held
                .iter()
                .find(|held| held.entry.path == path)
                .expect(name);
            assert!(held.bytes == *content, "{of}: {name}");
            assert_eq!((held.entry.size, held.most), (content.len() as u64, None));
        }
        let mut kind = |name: &str| {
            let looked = printed.look(&text(&directory.join(name)));
            looked.unwrap().kind
        };
        assert_eq!(kind("directory.log"), EntryKind::Directory, "{of}");
        assert_eq!(kind("fifo.log"), EntryKind::Special, "{of}");
        assert_eq!(kind("large.log"), EntryKind::File, "{of}");
        assert_eq!(kind("back\\nslash.log"), EntryKind::File, "{of}");
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
    for files in ["a.log", "b.log"] {
        // One by head, and two by tar.
        fs::write(root.path().join(files), "content").unwrap();
        for what in ["*.log", "a.log"] {
            let what = Gathering::set(&format!("{}/{what}", text(root.path()))).unwrap();
            let bytes = printed(&what);
            let (gathered, _) = judged(&bytes, &what).unwrap();
            assert!(!gathered.set.is_empty());
            for end in 0..bytes.len() {
                assert!(judged(&bytes[..end], &what).is_none(), "cut at {end}");
            }
            assert!(judged(&[&bytes[..], b"x"].concat(), &what).is_none());
            assert!(read(&bytes, "1234567891").is_none(), "another's marks");
            // Whatever single byte is another: no other file, and none of another length.
            for at in 0..bytes.len() {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1;
                let held = judged(&bytes, &what).map(|(gathered, _)| gathered.set);
                for held in held.unwrap_or_default() {
                    let is_one = held.entry.path.starts_with(&text(root.path()));
                    assert!(is_one && held.bytes.len() as u64 == held.entry.size, "{at}");
                }
            }
        }
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
    // So it is where there is no tar, or another.
    for (kit, path) in kits() {
        let printed = printed_by("sh", &what, &text(path.path()));
        let (gathered, _) = judged(&printed, &what).unwrap();
        assert_eq!(gathered.turn.len(), 4, "{kit}");
        assert_eq!(gathered.looked.len(), 3, "{kit}");
    }
    // A log that has not even its mark is none.
    fs::write(&wal, vec![2; 31]).unwrap();
    assert!(printed(&what).len() < 1000 && fresh().turn.is_empty());
    fs::write(&wal, vec![2; 3000]).unwrap();
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
