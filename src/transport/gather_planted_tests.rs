//! Programs of our own in place of the host's: they change the files that they read, or are not what they seem.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// A host with two logs, and programs that come first in PATH.
struct Host {
    root: TempDir,
}

impl Host {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("programs")).unwrap();
        Self { root }
    }

    fn at(&self, name: &str) -> String {
        text(&self.root.path().join("files").join(name))
    }

    fn plant(&self, program: &str, does: &str) {
        let at = self.root.path().join("programs").join(program);
        fs::write(&at, format!("#!/bin/sh\n{does}\n")).unwrap();
        fs::set_permissions(&at, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Whether what comes then can be read at all, and how many files are held of it.
    fn holds(&self, name: &str) -> (bool, usize) {
        let files = self.root.path().join("files");
        let _ = fs::remove_dir_all(&files);
        fs::create_dir(&files).unwrap();
        for name in ["a.log", "b.log"] {
            fs::write(files.join(name), "some content").unwrap();
        }
        let path = format!("{}/programs:{}", text(self.root.path()), own_path());
        let what = Gathering::set(&self.at(name)).unwrap();
        let (stdout, stderr) = said_by("sh", &what, &path);
        let found = printed::read(&stdout, &stderr, NONCE);
        let reads = found.is_some();
        let held = found.and_then(|found| found.judged(&what));
        let held = held.map(|(gathered, _)| gathered.set).unwrap_or_default();
        for held in &held {
            assert_eq!(held.bytes, b"some content");
        }
        (reads, held.len())
    }
}

#[test]
fn what_changed_while_head_read_it_is_not_held() {
    let host = Host::new();
    let real = "/usr/bin/head \"$@\"";
    for (does, reads, holds) in [
        (real.to_owned(), true, 1),
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
        // A log grows: what was read of it may be of no version.
        (format!("{real}; echo more >>\"$4\""), true, 0),
    ] {
        host.plant("head", &does);
        assert_eq!(host.holds("a.log"), (reads, holds), "{does}");
    }
}

/// A line is read by the shell itself, and nothing that is not that line to the byte.
#[test]
fn a_line_costs_no_process() {
    let host = Host::new();
    host.plant("head", "exit 1");
    let path = format!("{}/programs:{}", text(host.root.path()), own_path());
    let file = host.root.path().join("line");
    let what = Gathering::set(&text(&file)).unwrap();
    let long = format!("{}\n", "x".repeat(256));
    for shell in shells() {
        for (content, is_line) in [
            ("4f3c9d\n", true),
            (" \t two  words \\ and \\n \n", true),
            ("żółw\n", true),
            ("-n\n", true),
            ("\n", true),
            (&long[1..], true),
            (&long, false),
            ("no end", false),
            ("two\nlines\n", false),
            ("line\n\n", false),
        ] {
            fs::write(&file, content).unwrap();
            let (bytes, _) = said_by(shell, &what, &path);
            let held = read(&bytes, NONCE).and_then(|found| found.judged(&what));
            let held = held.map(|(gathered, _)| gathered.set).unwrap_or_default();
            let came: Vec<_> = held.iter().map(|held| &*held.bytes).collect();
            // BusyBox runs its own `head`.
            let expected: &[&[u8]] = if is_line || shell == "busybox" {
                &[content.as_bytes()]
            } else {
                &[]
            };
            assert_eq!(came, expected, "{shell}: {content:?}");
        }
        // A shell that cannot keep a NUL must not leave it out.
        fs::write(&file, "a\0b\n").unwrap();
        let (bytes, _) = said_by(shell, &what, &path);
        let found = read(&bytes, NONCE);
        let held = found.map(|mut found| found.files()).unwrap_or_default();
        assert!(held.iter().all(|held| held.bytes == b"a\0b\n"), "{shell}");
    }
}

#[test]
fn what_changed_while_tar_read_it_is_not_held() {
    let host = Host::new();
    let (a, b) = (host.at("a.log"), host.at("b.log"));
    let real = "/usr/bin/tar \"$@\"";
    let some = "/usr/bin/tar -c -f - -C /";
    let (first, second) = (&a[1..], &b[1..]);
    for (does, reads, holds) in [
        (real.to_owned(), true, 2),
        // Between look and opening: grown, shrunk, gone, another, no file.
        (format!("echo more >>'{a}'; {real}"), true, 1),
        (format!("echo x >'{a}'; {real}"), true, 1),
        (format!("rm '{a}'; {real}"), false, 0),
        (
            format!("cp '{a}' '{a}.new'; mv '{a}.new' '{a}'; {real}"),
            true,
            1,
        ),
        (format!("rm '{a}'; mkdir '{a}'; {real}"), false, 0),
        (format!("rm '{a}'; mkfifo '{a}'; {real}"), false, 0),
        // Shorter or longer for as long as it was read.
        (
            format!("echo x >'{a}'; {real}; echo some content >'{a}'"),
            true,
            1,
        ),
        (
            format!("echo more >>'{a}'; {real}; printf 'some content' >'{a}'"),
            true,
            1,
        ),
        // All bytes, and then grown, truncated, replaced, gone.
        (format!("{real}; echo more >>'{a}'"), true, 1),
        (format!("{real}; : >'{a}'"), true, 1),
        (
            format!("{real}; cp '{a}' '{a}.new'; mv '{a}.new' '{a}'"),
            true,
            1,
        ),
        (format!("{real}; rm '{a}'"), true, 1),
        // What it ends with, and what it says.
        (format!("{real}; exit 1"), true, 0),
        (format!("{real}; exit 2"), true, 0),
        (format!("{real}; echo 'tar: odd' >&2"), true, 0),
        (
            format!("{real}; echo 'tar: x: file changed as we read it' >&2; exit 1"),
            true,
            2,
        ),
        (
            format!("{real}; echo 'tar: x: file changed as we read it' >&2; exit 2"),
            true,
            0,
        ),
        (
            format!("{real}; echo 'tar: x: file changed as we read it' >&2"),
            true,
            0,
        ),
        (
            format!(
                "{real}; echo 'tar: x: file changed as we read it\n\
                     tar: y: File shrank by 9 bytes; padding with zeros' >&2; exit 1"
            ),
            true,
            0,
        ),
        // Another dialect, and a longer end.
        ("/usr/bin/tar --format=posix \"$@\"".to_owned(), true, 2),
        ("/usr/bin/tar --format=ustar \"$@\"".to_owned(), true, 2),
        (format!("{real}; /usr/bin/head -c 512 /dev/zero"), true, 2),
        // No archive, half of one, two of them, or one of something else.
        ("exit 0".to_owned(), false, 0),
        (
            "echo \"tar: unrecognized option '$1'\" >&2; exit 64".to_owned(),
            false,
            0,
        ),
        (format!("{real} | /usr/bin/head -c 1024"), false, 0),
        (format!("{real} | /usr/bin/head -c 2048"), false, 0),
        (format!("{real} | /usr/bin/head -c 2560"), false, 0),
        (format!("{real} | /usr/bin/head -c 3072"), true, 2),
        (format!("{real} | /usr/bin/head -c 3080"), false, 0),
        (format!("{real}; {real}"), false, 0),
        (format!("{real}; printf x"), false, 0),
        (format!("{some} -- '{first}'"), false, 0),
        (format!("{some} -- '{second}' '{first}'"), false, 0),
        (
            format!("{some} -- '{first}' '{second}' etc/passwd"),
            false,
            0,
        ),
        (
            format!("{some} --transform s/b.log/c.log/ -- '{first}' '{second}'"),
            false,
            0,
        ),
        (
            format!("ln -sf a.log '{b}'; {some} -- '{first}' '{second}'"),
            false,
            0,
        ),
        (format!("{real} | /usr/bin/gzip"), false, 0),
        (format!("{some} -S -- '{first}' '{second}'"), true, 2),
        (
            format!("truncate -s 1M '{a}'; {some} -S -- '{first}' '{second}'"),
            false,
            0,
        ),
    ] {
        host.plant("tar", &does);
        assert_eq!(host.holds("*.log"), (reads, holds), "{does}");
    }
}

#[test]
fn looks_that_do_not_add_up_hold_nothing() {
    let host = Host::new();
    let real = "/usr/bin/stat \"$@\"";
    for (does, reads, holds) in [
        (real.to_owned(), true, 2),
        // In another order the shell looks for no more behind what it has found, and what it reads is right.
        (format!("{real} | /usr/bin/tac"), true, 1),
        (format!("{real} | /usr/bin/head -n 1"), false, 0),
        (format!("{real}; {real}"), false, 0),
        (format!("{real}; exit 1"), false, 0),
        (format!("{real}; exit 2"), false, 0),
        (format!("{real}; echo odd"), false, 0),
        (format!("{real}; echo odd >&2"), false, 0),
        (format!("echo odd; {real}"), false, 0),
        ("exit 0".to_owned(), false, 0),
        ("exit 127".to_owned(), false, 0),
        (
            "echo \"stat: cannot stat 'x': Permission denied\" >&2; exit 1".to_owned(),
            false,
            0,
        ),
        // It is another kind of `stat`, or one without sense.
        (
            "/usr/bin/stat -L -c %f/%s/%Y/%d/%i -- \"$5\"".to_owned(),
            false,
            0,
        ),
        (format!("{real} | /usr/bin/tr 0-9 x"), false, 0),
    ] {
        host.plant("stat", &does);
        assert_eq!(host.holds("*.log"), (reads, holds), "{does}");
    }
    // One that went between listing and look, as logs do, is no match; the others are held.
    host.plant("stat", &format!("rm -f '{}'; {real}", host.at("a.log")));
    assert_eq!(host.holds("*.log"), (true, 1));
}

/// What a log gets while its database is read may be in the database by then, and has to be in the log.
#[test]
fn a_log_that_grows_behind_its_database_is_not_held() {
    let host = Host::new();
    let database = host.root.path().join("s.db");
    let wal = host.root.path().join("s.db-wal");
    let what = Gathering::database(&text(&database)).unwrap();
    let path = format!("{}/programs:{}", text(host.root.path()), own_path());
    let grows = format!("echo more >>'{}'", wal.display());
    let (head, tar) = ("/usr/bin/head \"$@\"", "/usr/bin/tar \"$@\"");
    for (head, tar, holds) in [
        (head.to_owned(), tar.to_owned(), 4),
        (head.to_owned(), format!("{grows}; {tar}"), 0),
        (head.to_owned(), format!("{tar}; {grows}"), 0),
        (format!("{grows}; {head}"), tar.to_owned(), 0),
        // Behind the last mark it is as good as before.
        (
            format!("{head}; touch -d 2020-01-01 '{}'", wal.display()),
            tar.to_owned(),
            0,
        ),
    ] {
        fs::write(&database, [7; 4096]).unwrap();
        fs::write(&wal, [9; 4152]).unwrap();
        host.plant("head", &head);
        host.plant("tar", &tar);
        let (stdout, stderr) = said_by("sh", &what, &path);
        let found = printed::read(&stdout, &stderr, NONCE).unwrap();
        let (gathered, _) = found.judged(&what).unwrap();
        assert_eq!(gathered.turn.len(), holds, "{head}; {tar}");
    }
}

/// The number of a file that is gone is given to the next one, and a name may end in a line's end.
#[test]
fn another_file_of_the_same_number_or_line_is_not_held() {
    let host = Host::new();
    let a = host.at("a.log");
    let real = "/usr/bin/stat \"$@\"";
    host.plant("stat", real);
    assert_eq!(host.holds("a.log"), (true, 1));
    // The second look sees a file of another time, whatever its number is.
    let again = format!("case $5 in /*) ;; *) touch -d 2020-01-01 '{a}' ;; esac; {real}");
    host.plant("stat", &again);
    assert_eq!(host.holds("a.log"), (true, 0));
    host.plant("stat", real);
    host.plant("find", &format!("touch '{a}\n'; /usr/bin/find \"$@\""));
    assert_eq!(host.holds("*.log"), (false, 0));
}

/// Several names of one file: GNU tar writes its bytes once.
#[test]
fn a_file_comes_by_all_its_names() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a.log"), "some content").unwrap();
    fs::hard_link(root.path().join("a.log"), root.path().join("b.log")).unwrap();
    symlink("a.log", root.path().join("c.log")).unwrap();
    fs::write(root.path().join("d.log"), "other").unwrap();
    let what = Gathering::set(&format!("{}/*.log", text(root.path()))).unwrap();
    let kits = kits();
    let kits = kits.iter().map(|(name, kit)| (*name, text(kit.path())));
    for (kit, path) in kits.chain([("own", own_path())]) {
        let (gathered, _) = judged(&printed_by("sh", &what, &path), &what).unwrap();
        let bytes: Vec<_> = gathered.set.iter().map(|held| &*held.bytes).collect();
        let same: &[u8] = b"some content";
        assert_eq!(bytes, [same, same, same, b"other"], "{kit}");
        assert_eq!(names(&gathered.set), ["a.log", "b.log", "c.log", "d.log"]);
    }
}

/// A host that says many names of one file has to send nothing for them.
#[test]
fn no_more_is_kept_than_may_come() {
    let archive = |links: usize| {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(1 << 20);
        header.set_cksum();
        archive
            .append_data(&mut header, "0", &vec![7; 1 << 20][..])
            .unwrap();
        for link in 1..=links {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Link);
            header.set_size(0);
            archive
                .append_link(&mut header, link.to_string(), "0")
                .unwrap();
        }
        let printed = archive.into_inner().unwrap();
        let called: Vec<String> = (0..=links).map(|name| name.to_string()).collect();
        let called: Vec<&str> = called.iter().map(String::as_str).collect();
        archive::read(&printed, &called).map(|(members, behind)| (members.len(), behind.len()))
    };
    assert_eq!(archive(7), Some((8, 0)));
    assert_eq!(archive(8), None);
    assert_eq!(archive(100_000), None);
}
