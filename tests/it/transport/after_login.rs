//! Refusals that come after a good login: no channel, no subsystem, a stream that somebody else writes
//! into, a shell that waits, a machine that starts no process. Each beside a twin that works.

use std::time::{Duration, Instant};

use gonogo::failure::{Failure, FailureKind as K};
use gonogo::inventory::Transport;
use gonogo::transport::Span;

use super::lab::{AMPLE, Lab, OPS, connect, fetch, fetch_within, shell, usable, within};

const EXTERNAL: &str = "NOSFTP\nSubsystem sftp /usr/lib/openssh/sftp-server";

#[track_caller]
fn told(failure: &Failure, kind: K, actual: &[&str], hint: &[&str]) {
    assert_eq!(failure.kind, kind, "{failure}");
    for wanted in actual {
        assert!(failure.actual.contains(wanted), "{wanted}: {failure}");
    }
    for wanted in hint {
        assert!(failure.hint.contains(wanted), "{wanted}: {}", failure.hint);
    }
}

async fn by_sftp(lab: &Lab, user: &str, path: &str) -> Result<Vec<u8>, Failure> {
    let mut login = lab.login(user);
    login.transport = Transport::Sftp;
    let session = connect(&login).await.unwrap();
    let read = fetch_within(&*session, path, Span::WHOLE, within(Duration::from_secs(4))).await;
    read.map(|(receipt, bytes)| {
        assert_eq!(receipt.method, "sftp");
        bytes
    })
}

#[tokio::test]
pub(super) async fn no_session_at_all() {
    if !usable() {
        return;
    }
    for (sessions, works) in [(0, false), (1, true)] {
        let lab = Lab::with(&format!("MaxSessions {sessions}"));
        let path = lab.file("a", b"content");
        let session = connect(&lab.login(OPS)).await.unwrap();
        let ran = session.run(&shell("true"), AMPLE).await;
        let read = by_sftp(&lab, OPS, &path).await;
        if works {
            assert!(ran.is_ok() && read.is_ok(), "{ran:?} {read:?}");
            continue;
        }
        for failure in [ran.unwrap_err(), read.unwrap_err()] {
            told(&failure, K::Shell, &["refused"], &["MaxSessions"]);
        }
    }
}

#[tokio::test]
pub(super) async fn no_sftp_subsystem() {
    if !usable() {
        return;
    }
    let lab = Lab::with("NOSFTP");
    let path = lab.file("a", b"content");
    let failure = by_sftp(&lab, OPS, &path).await.unwrap_err();
    told(
        &failure,
        K::Shell,
        &["no subsystem `sftp`"],
        &["Subsystem sftp", "transport: exec"],
    );
    let session = connect(&lab.login(OPS)).await.unwrap();
    assert_eq!(fetch(&*session, &path).await.unwrap().0.method, "exec");
}

#[tokio::test]
pub(super) async fn an_sftp_stream_that_somebody_else_writes_into() {
    if !usable() {
        return;
    }
    let lab = Lab::with(EXTERNAL);
    let path = lab.file("a", b"content");
    assert_eq!(by_sftp(&lab, OPS, &path).await.unwrap(), b"content");
    for (user, actual, hint) in [
        ("gngt-loud", "\"Welcome to ny4", ".bashrc"),
        ("gngt-noisy", "\"noise", ".bashrc"),
        ("gngt-nologin", "currently not available", "internal-sftp"),
        ("gngt-false", "ended", "internal-sftp"),
        ("gngt-exit", "ended", ".bashrc"),
        ("gngt-rbash", "said nothing", "rbash"),
    ] {
        let begun = Instant::now();
        let failure = by_sftp(&lab, user, &path).await.unwrap_err();
        told(&failure, K::Shell, &[actual], &[hint]);
        assert!(begun.elapsed() < crate::lab::HANG, "{user}");
    }
    // Told to take either, it takes the other.
    let session = connect(&lab.login("gngt-loud")).await.unwrap();
    assert_eq!(fetch(&*session, &path).await.unwrap().0.method, "exec");
    // Inside sshd no shell is started, and nobody can print.
    let lab = Lab::new();
    let path = lab.file("a", b"content");
    for user in ["gngt-loud", "gngt-nologin", "gngt-false", "gngt-exit"] {
        assert_eq!(by_sftp(&lab, user, &path).await.unwrap(), b"content");
    }
}

#[tokio::test]
pub(super) async fn a_forced_command_speaks_in_place_of_sftp() {
    if !usable() {
        return;
    }
    let lab = Lab::with("ForceCommand echo all is well");
    let path = lab.file("a", b"content");
    let failure = by_sftp(&lab, OPS, &path).await.unwrap_err();
    told(&failure, K::Shell, &["\"all is well"], &["ForceCommand"]);
}

#[tokio::test]
pub(super) async fn a_shell_that_waits_is_told_from_a_command_that_is_slow() {
    if !usable() {
        return;
    }
    let lab = Lab::with(EXTERNAL);
    let path = lab.file("a", b"content");
    let brief = within(Duration::from_secs(2));
    let session = connect(&lab.login("gngt-waits")).await.unwrap();
    let waits = session.run(&shell("true"), brief).await.unwrap_err();
    told(
        &waits,
        K::Timeout,
        &["not begun", "\"Press enter:\""],
        &["waits", ".bashrc"],
    );
    let mut login = lab.login("gngt-waits");
    login.transport = Transport::Sftp;
    let session = connect(&login).await.unwrap();
    let read = fetch_within(&*session, &path, Span::WHOLE, brief).await;
    told(
        &read.unwrap_err(),
        K::Timeout,
        &["not begun"],
        &["waits", ".bashrc"],
    );
    let session = connect(&lab.login(OPS)).await.unwrap();
    let slow = session
        .run(&shell("sleep 61.4712"), brief)
        .await
        .unwrap_err();
    told(&slow, K::Timeout, &["had not ended"], &["deadline"]);
}

#[tokio::test]
pub(super) async fn an_account_that_may_start_no_process() {
    if !usable() {
        return;
    }
    let lab = Lab::with(EXTERNAL);
    let session = connect(&lab.login("gngt-full")).await.unwrap();
    let failure = session.run(&shell("true"), AMPLE).await.unwrap_err();
    told(&failure, K::Shell, &["fork"], &["ulimit -u", "nproc"]);
    let session = connect(&lab.login(OPS)).await.unwrap();
    assert!(session.run(&shell("true"), AMPLE).await.is_ok());
}
