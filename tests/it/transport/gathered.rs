//! Small files by one command (`gather: framed`): what comes whole is not read again, and everything else is told apart
//! as without it, by the road that reads each file by itself.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use gonogo::failure::FailureKind as K;
use gonogo::inventory::{Gather, Login, Transport};
use gonogo::transport::{EntryKind, Gathering, Limits, ReadError, Reading, Receipt, Session, Span};

use super::files::bites;
use super::lab::{AMPLE, APPLETS, Kept, Lab, OPS, connect, sh, usable, within};
use super::shells::SHELLS;

fn login(lab: &Lab, user: &str) -> Login {
    let mut login = lab.login(user);
    login.gather = Gather::Framed;
    login
}

type Read = (String, Result<Receipt, ReadError>, Vec<u8>);

/// As a check does: together, then listed, then read. Names, answers and bytes; `None` where the listing was refused.
async fn set(session: &dyn Session, pattern: &str, bytes: u64) -> Result<Vec<Read>, K> {
    let what = Gathering::set(pattern).unwrap();
    session
        .gather(&what, AMPLE)
        .await
        .map_err(|failure| failure.kind)?;
    let entries = session
        .list(pattern, AMPLE)
        .await
        .map_err(|failure| failure.kind)?;
    let files = entries.iter().filter(|entry| entry.kind == EntryKind::File);
    let kept: Vec<(String, Kept)> = files
        .map(|entry| (entry.path.clone(), Kept::default()))
        .collect();
    let wanted = kept.iter().map(|(path, kept)| Reading {
        path: path.clone(),
        span: Span::WHOLE,
        bytes,
        sink: Box::new(kept.clone()),
    });
    let read = session.read_all(wanted.collect(), AMPLE.time).await;
    let name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    Ok(kept
        .iter()
        .zip(read)
        .map(|((path, kept), (read, _))| (name(path), read, kept.0.lock().unwrap().clone()))
        .collect())
}

fn method(read: &Result<Receipt, ReadError>) -> &'static str {
    read.as_ref().map_or("", |receipt| receipt.method)
}

fn kind(read: &Result<Receipt, ReadError>) -> Option<K> {
    match read {
        Err(ReadError::Failure(failure)) => Some(failure.kind),
        _ => None,
    }
}

#[tokio::test]
pub(super) async fn a_set_comes_by_one_command_through_every_shell_that_runs_sh() {
    if !usable() {
        return;
    }
    let lab = Lab::with(&format!(
        "Match User gngt-ash\n  SetEnv PATH={APPLETS}\nMatch all"
    ));
    let names = [
        "a b.log",
        "it's \"so\" $(id) !x.log",
        "-n.log",
        "GNG+1.log",
        "żółw.log",
    ];
    for name in names {
        lab.file(
            &format!("logs/{name}"),
            format!("content of {name}\n").as_bytes(),
        );
    }
    let pattern = format!("{}/files/logs/*.log", lab.dir.display());
    for user in SHELLS.into_iter().chain(["gngt-loud"]) {
        let session = connect(&login(&lab, user)).await.unwrap();
        let read = set(&*session, &pattern, AMPLE.bytes).await.unwrap();
        assert_eq!(read.len(), names.len(), "{user}");
        for (name, read, bytes) in read {
            assert_eq!(method(&read), "exec", "{user}: {name}: {read:?}");
            assert_eq!(bytes, format!("content of {name}\n").as_bytes(), "{user}");
        }
    }
    // Where no shell runs it, and where nobody has consented, files come as ever.
    let mut plain = lab.login(OPS);
    plain.gather = Gather::Each;
    for login in [
        login(&lab, "gngt-nologin"),
        login(&lab, "gngt-exit"),
        login(&lab, "gngt-false"),
        plain,
    ] {
        let session = connect(&login).await.unwrap();
        let read = set(&*session, &pattern, AMPLE.bytes).await.unwrap();
        assert!(
            read.iter().all(|(_, read, _)| method(read) == "sftp"),
            "{}: {read:?}",
            login.user
        );
    }
}

#[tokio::test]
pub(super) async fn what_does_not_come_whole_is_told_apart_as_ever() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let dir = lab.dir.join("files");
    let at = |name: &str| dir.join(name).display().to_string();
    lab.file("good.x", b"content");
    let denied = lab.file("denied.x", b"secret");
    lab.mode(&denied, 0o600);
    bites(&denied);
    lab.file("empty.x", b"");
    lab.file("large.x", &vec![7; (4 << 20) + 1]);
    fs::create_dir(at("directory.x")).unwrap();
    sh("mkfifo", &[&at("fifo.x")]);
    lab.file("shut/a.x", b"x");
    lab.mode(&at("shut"), 0o700);
    bites(&at("shut/a.x"));
    lab.file("listed/a.x", b"x");
    lab.mode(&at("listed"), 0o744);
    lab.file("links/a.x", b"x");
    symlink("nowhere", at("links/b.x")).unwrap();
    for transport in [Transport::Auto, Transport::Exec] {
        let other = match transport {
            Transport::Auto => "sftp",
            _ => "exec",
        };
        let mut login = login(&lab, OPS);
        login.transport = transport;
        let session = connect(&login).await.unwrap();
        let read = set(&*session, &at("*.x"), AMPLE.bytes).await.unwrap();
        let told: Vec<_> = read
            .iter()
            .map(|(name, read, bytes)| (&**name, method(read), kind(read), bytes.len()))
            .collect();
        let expected = [
            ("denied.x", "", Some(K::Denied), 0),
            ("empty.x", other, None, 0),
            ("good.x", "exec", None, 7),
            ("large.x", other, None, (4 << 20) + 1),
        ];
        assert_eq!(told, expected, "{transport:?}");
        let listed = session.list(&at("*.x"), AMPLE).await.unwrap();
        let kinds: Vec<_> = listed
            .iter()
            .map(|entry| entry.kind)
            .filter(|kind| *kind != EntryKind::File)
            .collect();
        assert_eq!(kinds, [EntryKind::Directory, EntryKind::Special]);
        for (pattern, expected) in [
            ("gone.x", K::Missing),
            ("gone/*.x", K::Missing),
            ("shut/*.x", K::Denied),
            ("shut/a.x", K::Denied),
            ("listed/*.x", K::Denied),
            ("good.x/*.x", K::Missing),
        ] {
            let refused = set(&*session, &at(pattern), AMPLE.bytes).await;
            let same = session.list(&at(pattern), AMPLE).await.unwrap_err().kind;
            assert_eq!(refused.err(), Some(same), "{transport:?}: {pattern}");
            assert_eq!(same, expected, "{transport:?}: {pattern}");
        }
        assert_eq!(
            set(&*session, &at("*.none"), AMPLE.bytes)
                .await
                .unwrap()
                .len(),
            0
        );
        let (_, links, _) = &set(&*session, &at("links/*.x"), AMPLE.bytes).await.unwrap()[0];
        assert!(links.is_ok());
        // One byte too many for the cap.
        let capped = set(&*session, &at("good.x"), 6).await.unwrap();
        assert_eq!(kind(&capped[0].1), Some(K::TooLarge));
        // It is held for one read; the next reads anew.
        set(&*session, &at("good.x"), AMPLE.bytes).await.unwrap();
        lab.file("good.x", b"another");
        let (_, bytes) = super::lab::fetch(&*session, &at("good.x")).await.unwrap();
        assert_eq!(bytes, b"another");
        lab.file("good.x", b"content");
    }
}

/// A program of the account's own, first in its PATH.
fn plant(lab: &Lab, program: &str, does: &str) -> Login {
    use std::os::unix::fs::PermissionsExt as _;
    let bin = lab.dir.join("bin");
    let _ = fs::remove_dir_all(&bin);
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join(program), format!("#!/bin/sh\n{does}\n")).unwrap();
    fs::set_permissions(bin.join(program), fs::Permissions::from_mode(0o755)).unwrap();
    login(lab, OPS)
}

#[tokio::test]
pub(super) async fn what_is_cut_short_counts_for_nothing() {
    if !usable() {
        return;
    }
    let lab = Lab::with("SetEnv PATH={dir}/bin:/usr/bin:/bin");
    let content = b"some\ncontent\n";
    let (head, tar) = ("/usr/bin/head \"$@\"", "/usr/bin/tar \"$@\"");
    let flood = "/usr/bin/head -c 20000000 /dev/zero";
    let (one, all) = ("a.log", "*.log");
    for (program, does, what, by) in [
        ("head", head.to_owned(), one, "exec"),
        (
            "head",
            "/usr/bin/head -c 3 -- \"$4\"".to_owned(),
            one,
            "sftp",
        ),
        ("head", format!("{head}; exit 1"), one, "sftp"),
        ("head", flood.to_owned(), one, "sftp"),
        ("tar", tar.to_owned(), all, "exec"),
        ("tar", format!("{tar}; exit 1"), all, "sftp"),
        ("tar", format!("{tar} | /usr/bin/head -c 1000"), all, "sftp"),
        ("tar", format!("{tar}; echo odd >&2"), all, "sftp"),
        ("tar", "exit 64".to_owned(), all, "sftp"),
        ("tar", format!("{tar}; {flood}"), all, "sftp"),
        // It says what GNU tar says of a log that has grown.
        (
            "tar",
            format!("{tar}; echo 'tar: a.log: file changed as we read it' >&2; exit 1"),
            all,
            "exec",
        ),
        // Somebody kills the shell that runs the command, and all above it that is its own.
        ("head", "kill -9 $PPID".to_owned(), one, "sftp"),
        ("tar", "kill -9 $PPID".to_owned(), all, "sftp"),
    ] {
        lab.file("a.log", content);
        lab.file("b.log", content);
        let session = connect(&plant(&lab, program, &does)).await.unwrap();
        let path = lab.dir.join("files").join(what).display().to_string();
        let read = set(&*session, &path, AMPLE.bytes).await.unwrap();
        assert_eq!(read.len(), if what == all { 2 } else { 1 });
        for (_, read, bytes) in read {
            assert_eq!(method(&read), by, "{program}: {does}: {read:?}");
            assert_eq!(bytes, content, "{program}: {does}");
        }
    }
    // One that truncates what it has read: what is there then is what counts.
    let path = lab.file("a.log", content);
    sh("chown", &[OPS, &path]);
    let session = connect(&plant(&lab, "head", &format!("{head}; echo x >\"$4\"")))
        .await
        .unwrap();
    let read = set(&*session, &path, AMPLE.bytes).await.unwrap();
    assert_eq!((method(&read[0].1), &*read[0].2), ("sftp", &b"x\n"[..]));
    // A log that has grown by more than may come between look and reading is read for as long as it was by the other road.
    lab.file("a.log", content);
    let grows = format!("{flood} >>'{path}'; {tar}");
    let session = connect(&plant(&lab, "tar", &grows)).await.unwrap();
    let set_of = lab.dir.join("files/*.log").display().to_string();
    let read = set(&*session, &set_of, 1 << 30).await.unwrap();
    assert_eq!(method(&read[0].1), "sftp");
    assert_eq!(read[0].2.len(), 20_000_000 + content.len());
    // And so is one that has grown by less; the other one is held.
    lab.file("a.log", content);
    let grows = format!("echo more >>'{path}'; {tar}");
    let session = connect(&plant(&lab, "tar", &grows)).await.unwrap();
    let read = set(&*session, &set_of, AMPLE.bytes).await.unwrap();
    let more = [&content[..], b"more\n"].concat();
    assert_eq!((method(&read[0].1), &*read[0].2), ("sftp", &more[..]));
    assert_eq!((method(&read[1].1), &*read[1].2), ("exec", &content[..]));
    lab.file("a.log", content);
    // One that hangs costs the time that there is, and the session.
    let session = connect(&plant(&lab, "head", "exec sleep 600"))
        .await
        .unwrap();
    let what = Gathering::set(&path).unwrap();
    let late = session
        .gather(&what, within(Duration::from_secs(1)))
        .await
        .unwrap_err();
    assert_eq!(
        (late.kind, late.subject.as_deref()),
        (K::Timeout, Some(&*path))
    );
    assert!(session.is_dead() && !super::lab::still_runs("sleep 600", Duration::from_secs(10)));
    // One during which the connection goes.
    let session = connect(&plant(&lab, "head", "exec sleep 601"))
        .await
        .unwrap();
    let limits = Limits {
        time: Duration::from_secs(20),
        ..AMPLE
    };
    let kill = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        for pid in lab.children() {
            let _ = std::process::Command::new("kill")
                .args(["-9", &pid.to_string()])
                .output();
        }
    };
    let (cut, ()) = tokio::join!(session.gather(&what, limits), kill);
    assert!(
        cut.is_err() || session.list(&path, AMPLE).await.is_err(),
        "{cut:?}"
    );
}

#[tokio::test]
pub(super) async fn a_database_comes_in_the_order_of_its_proof() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let path = lab.file("stats.db", &[1; 5000]);
    let wal = lab.file("stats.db-wal", &[2; 3000]);
    let journal = format!("{path}-journal");
    let session = connect(&login(&lab, OPS)).await.unwrap();
    let what = Gathering::database(&path).unwrap();
    let in_turn = |order: &[(&String, Option<u64>)]| {
        let wanted = order.iter().map(|(path, most)| Reading {
            path: (*path).clone(),
            span: Span {
                from: 0,
                most: *most,
            },
            bytes: AMPLE.bytes,
            sink: Box::new(Kept::default()),
        });
        wanted.collect::<Vec<_>>()
    };
    let order = [
        (&wal, Some(32)),
        (&path, None),
        (&wal, None),
        (&wal, Some(32)),
    ];
    let methods = |read: Vec<(Result<Receipt, ReadError>, Duration)>| {
        read.iter()
            .map(|(read, _)| method(read))
            .collect::<Vec<_>>()
    };
    session.gather(&what, AMPLE).await.unwrap();
    let looked = session
        .look(&[path.clone(), wal.clone(), journal.clone()], AMPLE)
        .await;
    assert_eq!(looked[1].as_ref().unwrap().size, 3000);
    assert_eq!(looked[2].as_ref().unwrap_err().kind, K::Missing);
    let read = session.read_in_turn(in_turn(&order), AMPLE.time).await;
    assert_eq!(methods(read), ["exec"; 4]);
    // Half of it, or another order, is read anew as a whole.
    for order in [&order[1..], &[order[1], order[0]]] {
        session.gather(&what, AMPLE).await.unwrap();
        let read = session.read_in_turn(in_turn(order), AMPLE.time).await;
        assert_eq!(methods(read), vec!["sftp"; order.len()]);
    }
    // And nothing of it is taken for a read by itself.
    session.gather(&what, AMPLE).await.unwrap();
    let (receipt, _) = super::lab::fetch(&*session, &path).await.unwrap();
    assert_eq!(receipt.method, "sftp");
}
