//! Files: by SFTP and by commands, each case on both roads.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::Arc;
use std::time::Duration;

use gonogo::digest::Sha256;
use gonogo::failure::FailureKind as K;
use gonogo::inventory::Transport;
use gonogo::transport::{EntryKind, Limits, ReadError, Session, Span};

use super::lab::{AMPLE, Lab, OPS, OnFirst, connect, fetch, fetch_within, sh, usable, within};

async fn both(lab: &Lab) -> [(Arc<dyn Session>, &'static str); 2] {
    let mut login = lab.login(OPS);
    let sftp = connect(&login).await.unwrap();
    login.transport = Transport::Exec;
    [(sftp, "sftp"), (connect(&login).await.unwrap(), "exec")]
}

// facts: traps.md T16. Root would read everything.
pub(super) fn bites(path: &str) {
    let test = std::process::Command::new("su")
        .args([OPS, "-s", "/bin/sh", "-c", &format!("test -r '{path}'")])
        .status()
        .unwrap();
    assert!(!test.success(), "the sabotage of {path} does not bite");
}

#[tokio::test]
pub(super) async fn every_byte_comes_and_is_hashed() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let big: Vec<u8> = (0..64_u32 << 20)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let path = lab.file("big", &big);
    let small = lab.file("small $(id) 'x", b"\x1eGNG- small\n");
    let empty = lab.file("empty", b"");
    for (session, method) in both(&lab).await {
        let (receipt, bytes) = fetch(&*session, &path).await.unwrap();
        assert_eq!(receipt.sha256, Sha256::of(&big), "{method}");
        assert_eq!((receipt.bytes, receipt.method), (64 << 20, method));
        assert!(bytes == big && receipt.modified.is_some());
        let (receipt, bytes) = fetch(&*session, &small).await.unwrap();
        assert_eq!(bytes, b"\x1eGNG- small\n");
        assert_eq!(receipt.sha256, Sha256::of(&bytes));
        let (receipt, bytes) = fetch(&*session, &empty).await.unwrap();
        assert_eq!((receipt.bytes, bytes.len()), (0, 0));
        let (receipt, bytes) = fetch_within(&*session, &path, Span::head(1000), AMPLE)
            .await
            .unwrap();
        assert_eq!((receipt.bytes, &*bytes), (1000, &big[..1000]));
        assert_eq!(receipt.sha256, Sha256::of(&big[..1000]));
    }
}

#[tokio::test]
pub(super) async fn what_cannot_be_read_is_told_apart() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let good = lab.file("good", b"content");
    let dir = lab.dir.join("files");
    let at = |name: &str| dir.join(name).display().to_string();
    sh("mkfifo", &[&at("fifo")]);
    symlink(&good, at("link")).unwrap();
    symlink("/no/such/target", at("dangling")).unwrap();
    symlink("loop", at("loop")).unwrap();
    symlink("fifo", at("link to fifo")).unwrap();
    let denied = lab.file("denied", b"x");
    lab.mode(&denied, 0o600);
    bites(&denied);
    let inside = lab.file("shut/file", b"x");
    lab.mode(&at("shut"), 0o700);
    bites(&inside);
    let empty_denied = lab.file("empty denied", b"");
    lab.mode(&empty_denied, 0o600);
    bites(&empty_denied);
    for (session, method) in both(&lab).await {
        assert_eq!(fetch(&*session, &good).await.unwrap().1, b"content");
        assert_eq!(fetch(&*session, &at("link")).await.unwrap().1, b"content");
        for (path, kind) in [
            (at("fifo"), K::NotRegular),
            (at("link to fifo"), K::NotRegular),
            (dir.display().to_string(), K::NotRegular),
            ("/dev/zero".to_owned(), K::NotRegular),
            (at("dangling"), K::Missing),
            (at("missing"), K::Missing),
            (at("good/below"), K::Missing),
            (denied.clone(), K::Denied),
            (empty_denied.clone(), K::Denied),
            (inside.clone(), K::Denied),
        ] {
            let failure = fetch(&*session, &path).await.unwrap_err();
            assert_eq!(failure.kind, kind, "{method} {path}: {failure}");
            assert_eq!(failure.subject.as_deref(), Some(&*path));
        }
        assert!(fetch(&*session, &at("loop")).await.is_err());
        // What denies is seen by the trail of the path: the directory or the file itself.
        for (path, element) in [(&denied, denied.clone()), (&inside, at("shut"))] {
            let trail = session.trail(path, AMPLE).await.unwrap();
            assert_eq!(trail.elements.last().unwrap().path, element, "{method}");
            assert_eq!(trail.whole, *path == element, "{method}");
        }
        assert!(!session.is_dead(), "{method}");
    }
}

#[tokio::test]
pub(super) async fn the_cap_holds_before_a_byte_is_read() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let path = lab.file("f", &[1; 1000]);
    for (session, method) in both(&lab).await {
        let at = |bytes| Limits { bytes, ..AMPLE };
        let failure = fetch_within(&*session, &path, Span::WHOLE, at(999))
            .await
            .unwrap_err();
        assert_eq!(failure.kind, K::TooLarge, "{method}");
        assert!(
            fetch_within(&*session, &path, Span::WHOLE, at(1000))
                .await
                .is_ok()
        );
        assert!(
            fetch_within(&*session, &path, Span::head(10), at(10))
                .await
                .is_ok()
        );
    }
}

#[tokio::test]
pub(super) async fn a_growing_file_is_taken_as_it_was_when_opened() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let content = vec![b'a'; 16 << 20];
    let path = lab.file("log", &content);
    for (session, method) in both(&lab).await {
        fs::write(&path, &content).unwrap();
        let target = path.clone();
        let grow = move || {
            use std::io::Write as _;
            let mut file = fs::OpenOptions::new().append(true).open(target).unwrap();
            file.write_all(&vec![b'b'; 1 << 20]).unwrap();
        };
        let receipt = session
            .read(&path, Span::WHOLE, AMPLE, Box::new(OnFirst(Some(grow))))
            .await
            .unwrap();
        assert_eq!(receipt.bytes, 16 << 20, "{method}");
        assert_eq!(receipt.sha256, Sha256::of(&content), "{method}");
        assert_eq!(fs::metadata(&path).unwrap().len(), 17 << 20, "it did grow");
    }
}

#[tokio::test]
pub(super) async fn a_file_that_shrinks_while_it_is_read_is_short() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let path = lab.file("log", b"");
    for (session, method) in both(&lab).await {
        fs::write(&path, vec![b'a'; 96 << 20]).unwrap();
        let target = path.clone();
        let shrink = move || fs::File::create(target).map(drop).unwrap();
        let read = session
            .read(&path, Span::WHOLE, AMPLE, Box::new(OnFirst(Some(shrink))))
            .await;
        match read {
            Err(ReadError::Failure(failure)) => {
                assert_eq!(failure.kind, K::Short, "{method}: {failure}");
            }
            other => panic!("{method}: {other:?}"),
        }
        assert!(!session.is_dead());
    }
}

#[tokio::test]
pub(super) async fn a_full_disk_of_ours_is_no_failure_of_the_host() {
    if !usable() {
        return;
    }
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk full"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lab = Lab::new();
    let path = lab.file("f", &[1; 1 << 20]);
    for (session, method) in both(&lab).await {
        let read = session
            .read(&path, Span::WHOLE, AMPLE, Box::new(Full))
            .await;
        assert!(
            matches!(read, Err(ReadError::Sink(_))),
            "{method}: {read:?}"
        );
        assert!(
            fetch(&*session, &path).await.is_ok(),
            "{method}: the session lives on"
        );
    }
}

#[tokio::test]
pub(super) async fn a_listing_finds_every_kind_and_denies_nothing_silently() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    for name in [
        "a/logs/1.log",
        "a/logs/2.log",
        "b/logs/3.log",
        "a/logs/.h.log",
        "a/logs/o dd\n.log",
    ] {
        lab.file(name, b"12345");
    }
    let root = lab.dir.join("files").display().to_string();
    sh("mkfifo", &[&format!("{root}/a/logs/pipe.log")]);
    symlink("/gone", format!("{root}/a/logs/gone.log")).unwrap();
    symlink("1.log", format!("{root}/a/logs/link.log")).unwrap();
    fs::create_dir(format!("{root}/c")).unwrap();
    for (session, method) in both(&lab).await {
        fs::set_permissions(format!("{root}/c"), fs::Permissions::from_mode(0o755)).unwrap();
        let found = session
            .list(&format!("{root}/*/logs/*.log"), AMPLE)
            .await
            .unwrap();
        let told: Vec<(String, EntryKind, u64)> = found
            .into_iter()
            .map(|entry| (entry.path[root.len()..].to_owned(), entry.kind, entry.size))
            .collect();
        let named = |name: &str| told.iter().find(|(path, ..)| path == name);
        assert_eq!(told.len(), 7, "{method}: {told:?}");
        assert!(told.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(named("/a/logs/1.log").unwrap().2, 5);
        assert_eq!(named("/a/logs/link.log").unwrap().1, EntryKind::File);
        assert_eq!(named("/a/logs/pipe.log").unwrap().1, EntryKind::Special);
        assert_eq!(named("/a/logs/gone.log").unwrap().1, EntryKind::Dangling);
        assert!(named("/a/logs/o dd\n.log").is_some());
        let one = session
            .list(&format!("{root}/a/logs/1.log"), AMPLE)
            .await
            .unwrap();
        assert_eq!(one.len(), 1);
        assert!(
            session
                .list(&format!("{root}/a/logs/*.txt"), AMPLE)
                .await
                .unwrap()
                .is_empty()
        );
        for (pattern, kind) in [
            ("/none/*", K::Missing),
            ("/none", K::Missing),
            ("/a/logs/1.log/*", K::Missing),
        ] {
            let failure = session
                .list(&format!("{root}{pattern}"), AMPLE)
                .await
                .unwrap_err();
            assert_eq!(failure.kind, kind, "{method} {pattern}: {failure}");
        }
        fs::set_permissions(format!("{root}/c"), fs::Permissions::from_mode(0o700)).unwrap();
        bites(&format!("{root}/c"));
        for pattern in ["/c/*", "/*/logs/*.log"] {
            let failure = session
                .list(&format!("{root}{pattern}"), AMPLE)
                .await
                .unwrap_err();
            assert_eq!(failure.kind, K::Denied, "{method} {pattern}: {failure}");
        }
    }
}

#[tokio::test]
pub(super) async fn a_crowded_directory_is_refused_on_both_roads() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let path = lab.file("crowd/0", b"");
    let dir = path.trim_end_matches("/0").to_owned();
    for n in 1..10_003 {
        fs::File::create(format!("{dir}/{n}")).unwrap();
    }
    for (session, method) in both(&lab).await {
        let failure = session.list(&format!("{dir}/*"), AMPLE).await.unwrap_err();
        assert_eq!(failure.kind, K::TooLarge, "{method}: {failure}");
    }
    for n in 1..4 {
        fs::remove_file(format!("{dir}/{n}")).unwrap();
    }
    let session = connect(&lab.login(OPS)).await.unwrap();
    let found = session.list(&format!("{dir}/99*"), AMPLE).await.unwrap();
    assert_eq!(found.len(), 111);
}

#[tokio::test]
pub(super) async fn a_path_that_hangs_ends_at_the_deadline() {
    if !usable() {
        return;
    }
    // The reader is slower than the deadline: an endless trickle, whole blocks at a time.
    struct Slow;
    impl std::io::Write for Slow {
        fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
            std::thread::sleep(Duration::from_millis(100));
            Ok(piece.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lab = Lab::new();
    let path = lab.file("big", &vec![1; 64 << 20]);
    for (session, method) in both(&lab).await {
        let started = std::time::Instant::now();
        let read = session
            .read(
                &path,
                Span::WHOLE,
                within(Duration::from_secs(1)),
                Box::new(Slow),
            )
            .await;
        let Err(ReadError::Failure(failure)) = read else {
            panic!("{method}");
        };
        assert_eq!(failure.kind, K::Timeout, "{method}: {failure}");
        assert!(started.elapsed() < crate::lab::HANG, "{method}");
        assert!(session.is_dead());
    }
}

#[tokio::test]
pub(super) async fn without_sftp_commands_take_over_and_say_so() {
    if !usable() {
        return;
    }
    for config in [
        "NOSFTP",
        "NOSFTP\nSubsystem sftp /bin/false",
        "NOSFTP\nMaxSessions 1",
    ] {
        let lab = Lab::with(config);
        let path = lab.file("f", b"content");
        let session = connect(&lab.login(OPS)).await.unwrap();
        let (receipt, bytes) = fetch(&*session, &path).await.unwrap();
        assert_eq!(
            (receipt.method, &*bytes),
            ("exec", &b"content"[..]),
            "{config}"
        );
        let mut login = lab.login(OPS);
        login.transport = Transport::Sftp;
        let session = connect(&login).await.unwrap();
        let failure = fetch(&*session, &path).await.unwrap_err();
        assert_eq!(failure.kind, K::Shell, "{config}: {failure}");
    }
    // Neither road: both are told.
    let lab = Lab::with("NOSFTP");
    let path = lab.file("f", b"content");
    let session = connect(&lab.login("gngt-nologin")).await.unwrap();
    let failure = fetch(&*session, &path).await.unwrap_err();
    assert_eq!(failure.kind, K::Shell);
    assert!(failure.actual.contains("SFTP was tried first"), "{failure}");
}

#[tokio::test]
pub(super) async fn a_chrooted_sftp_account_gives_files_and_no_shell() {
    if !usable() {
        return;
    }
    // sshd wants every directory above to be root's and no one else's to write.
    let jail = tempfile::tempdir_in("/srv").unwrap();
    let jail = jail.path();
    fs::set_permissions(jail, fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir_all(jail.join("data")).unwrap();
    let config = format!(
        "ChrootDirectory {}\nForceCommand internal-sftp",
        jail.display()
    );
    let lab = Lab::with(&config);
    fs::write(jail.join("data/x.log"), b"jailed").unwrap();
    for transport in [Transport::Sftp, Transport::Auto] {
        let mut login = lab.login(OPS);
        login.transport = transport;
        let Ok(session) = connect(&login).await else {
            panic!("{}", lab.log());
        };
        let found = session
            .list("/data/*.log", AMPLE)
            .await
            .unwrap_or_else(|failure| {
                panic!("{failure} {}", lab.log());
            });
        assert_eq!(found[0].path, "/data/x.log");
        assert_eq!(fetch(&*session, "/data/x.log").await.unwrap().1, b"jailed");
        assert_eq!(
            fetch(&*session, "/etc/passwd").await.unwrap_err().kind,
            K::Missing
        );
    }
}

#[tokio::test]
pub(super) async fn a_noisy_shell_does_not_spoil_files() {
    if !usable() {
        return;
    }
    let lab = Lab::with("NOSFTP\nSubsystem sftp /usr/lib/openssh/sftp-server");
    let path = lab.file("f", b"content");
    let session = connect(&lab.login("gngt-noisy")).await.unwrap();
    let (receipt, bytes) = fetch(&*session, &path).await.unwrap();
    assert_eq!((receipt.method, &*bytes), ("exec", &b"content"[..]));
}
