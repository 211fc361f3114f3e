//! Reaching the host, and proving that it is the one that is meant.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use gonogo::failure::{Failure, FailureKind as K};
use gonogo::inventory::Login;
use gonogo::transport::{Ways, libssh2_version};
use tokio_util::sync::CancellationToken;

use super::lab::{Lab, OPS, connect, free_port, keygen, sh, usable};

pub(super) fn anywhere(address: &str, port: u16) -> Login {
    Login {
        host: "h".into(),
        team: "t".into(),
        address: address.into(),
        port,
        user: "nobody".into(),
        auth: vec![],
        known_hosts: vec![],
        host_key: Some("SHA256:x".into()),
        connect_timeout: Duration::from_secs(1),
        deadline: Duration::from_secs(1),
        clock_tolerance: Duration::from_secs(60),
        max_bytes: 1,
        elevate: gonogo::inventory::Elevate::None,
        transport: gonogo::inventory::Transport::Auto,
        gather: gonogo::inventory::Gather::Each,
        client: super::lab::client(),
        ssh_config: None,
        chroot: None,
        via: vec![],
    }
}

async fn refused(login: &Login) -> Failure {
    let started = Instant::now();
    let failure = connect(login).await.err().unwrap();
    let most = login.connect_timeout * 2 + crate::lab::HANG;
    assert!(
        started.elapsed() < most,
        "{failure}: {:?}",
        started.elapsed()
    );
    failure
}

/// A listener that treats each caller as told, in a thread that ends with the test.
fn listener(behave: fn(std::net::TcpStream)) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || behave(stream));
        }
    });
    port
}

#[tokio::test]
pub(super) async fn what_does_not_answer_is_told_in_time() {
    let failure = refused(&anywhere("no-such-host.invalid", 22)).await;
    assert_eq!(failure.kind, K::Unreachable);
    assert!(failure.actual.contains("does not resolve"), "{failure}");

    let port = free_port();
    let failure = refused(&anywhere("127.0.0.1", port)).await;
    assert_eq!(failure.kind, K::Unreachable);
    assert!(failure.actual.contains("refused"), "{failure}");
    assert!(
        failure.expected.contains(&format!("127.0.0.1:{port}")),
        "{failure}"
    );

    let silent = listener(|stream| {
        std::thread::sleep(Duration::from_secs(20));
        drop(stream);
    });
    let failure = refused(&anywhere("127.0.0.1", silent)).await;
    assert_eq!(failure.kind, K::Unreachable);

    let garbage = listener(|mut stream| while stream.write_all(&[b'x'; 4096]).is_ok() {});
    let failure = refused(&anywhere("127.0.0.1", garbage)).await;
    assert_eq!(failure.kind, K::Unreachable, "{failure}");

    let lines = listener(|mut stream| while stream.write_all(b"not ssh\r\n").is_ok() {});
    let failure = refused(&anywhere("127.0.0.1", lines)).await;
    assert_eq!(failure.kind, K::Unreachable, "{failure}");

    let banner = listener(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-tarpit\r\n");
        while stream.write_all(b"\0").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let failure = refused(&anywhere("127.0.0.1", banner)).await;
    assert_eq!(failure.kind, K::Unreachable, "{failure}");

    let hangs_up = listener(drop);
    let failure = refused(&anywhere("127.0.0.1", hangs_up)).await;
    assert_eq!(failure.kind, K::Unreachable);
    assert!(failure.hint.contains("MaxStartups"), "{}", failure.hint);
}

#[tokio::test]
pub(super) async fn cancelling_ends_at_once() {
    let silent = listener(|stream| {
        std::thread::sleep(Duration::from_secs(20));
        drop(stream);
    });
    let mut login = anywhere("127.0.0.1", silent);
    login.connect_timeout = Duration::from_secs(20);
    let cancel = CancellationToken::new();
    let later = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        later.cancel();
    });
    let started = Instant::now();
    let failure = Ways::default()
        .connect(&login, &cancel)
        .await
        .err()
        .unwrap();
    assert_eq!(
        (failure.kind, failure.host.as_deref()),
        (K::Undefined, Some("h"))
    );
    assert!(started.elapsed() < crate::lab::HANG);
}

// facts: traps.md T12. What the linked library says of itself on the wire, not what a header says.
#[tokio::test]
pub(super) async fn the_libssh2_that_runs_is_the_one_that_is_pinned() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"SSH-2.0-listener\r\n");
        let mut bytes = [0; 64];
        let n = stream.read(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..n]).into_owned()
    });
    let _ = connect(&anywhere("127.0.0.1", port)).await;
    let heard = heard.join().unwrap();
    assert!(
        heard.starts_with(&format!("SSH-2.0-libssh2_{}\r\n", libssh2_version())),
        "{heard}"
    );
    assert_eq!(libssh2_version(), "1.11.2_DEV");
}

#[tokio::test]
pub(super) async fn a_server_that_was_busy_gets_a_second_try() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let inner = lab.port;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        drop(listener.accept().unwrap());
        let (mut up, _) = listener.accept().unwrap();
        let mut down = std::net::TcpStream::connect(("127.0.0.1", inner)).unwrap();
        let (mut up2, mut down2) = (up.try_clone().unwrap(), down.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut up2, &mut down2));
        let _ = std::io::copy(&mut down, &mut up);
    });
    let mut login = lab.login(OPS);
    login.port = port;
    lab.trust(&format!("127.0.0.1 {}", lab.public("host")));
    connect(&login)
        .await
        .unwrap_or_else(|failure| panic!("{failure}"));
}

fn says(failure: &Failure, words: &str) {
    assert_eq!(failure.kind, K::HostKey, "{failure}");
    let whole = format!("{} {} {}", failure.expected, failure.actual, failure.hint);
    assert!(whole.contains(words), "{words}: {whole}");
}

#[tokio::test]
pub(super) async fn only_the_host_that_is_meant_is_asked_to_let_in() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let login = lab.login(OPS);
    keygen(&lab.dir.join("other"), "ed25519", "");
    keygen(&lab.dir.join("rsa"), "rsa", "");
    let (host, other, rsa) = (lab.public("host"), lab.public("other"), lab.public("rsa"));
    let name = format!("[127.0.0.1]:{}", lab.port);
    let hashed = |text: &str| {
        let path = lab.dir.join("known_hosts");
        std::fs::write(&path, text).unwrap();
        sh(
            "ssh-keygen",
            &["-q", "-H", "-f", &path.display().to_string()],
        );
        std::fs::read_to_string(path).unwrap()
    };
    let table: Vec<(String, Result<(), &str>)> = vec![
        (format!("{name} {host}"), Ok(())),
        (format!("127.0.0.1 {host}"), Ok(())),
        (format!("127.0.0.* {host}"), Ok(())),
        (format!("[127.0.0.?]:* {host}"), Ok(())),
        (format!("x,{name},y {host}"), Ok(())),
        (
            format!("x {other}garbage\n\u{1}\n{name} ssh-rsa AAAA\n{name} {host}"),
            Ok(()),
        ),
        (format!("{name} {other}{name} {host}"), Ok(())),
        (format!("{name} {}\r\n", host.trim()), Ok(())),
        (hashed(&format!("{name} {host}")), Ok(())),
        (hashed(&format!("{name} {other}")), Err("SHA256:")),
        (String::new(), Err("no line for it")),
        (
            format!("[127.0.0.2]:{} {host}", lab.port),
            Err("no line for it"),
        ),
        (format!("*,!{name} {host}"), Ok(())),
        (
            format!("*,!{name},!127.0.0.1 {host}"),
            Err("no line for it"),
        ),
        (format!("{name} {other}"), Err("really given a new key")),
        (format!("{name} {rsa}"), Err("really given a new key")),
        (format!("127.0.0.1 {other}"), Err("no line for it")),
        (
            format!("@revoked {name} {host}{name} {host}"),
            Err("@revoked"),
        ),
        (format!("{name} {host}@revoked * {host}"), Err("@revoked")),
        (
            format!("@cert-authority {name} {host}"),
            Err("no certificate"),
        ),
        (format!("{name} {rsa}{name} {host}"), Ok(())),
    ];
    for (text, expected) in table {
        lab.trust(&text);
        let before = lab.log().matches("userauth-request").count();
        let ours = connect(&login).await;
        match (&ours, expected) {
            (Ok(_), Ok(())) => {}
            (Err(failure), Err(words)) => {
                says(failure, words);
                let after = lab.log().matches("userauth-request").count();
                assert_eq!(before, after, "authentication was begun: {text}");
            }
            (Ok(_), Err(words)) => panic!("accepted, expected `{words}`: {text}"),
            (Err(failure), Ok(())) => panic!("{failure}: {text}"),
        }
        // OpenSSH's own word on the same file.
        let theirs = Command::new("ssh")
            .args([
                "-F",
                "none",
                "-o",
                "BatchMode=yes",
                "-o",
                "StrictHostKeyChecking=yes",
            ])
            .args([
                "-o",
                "GlobalKnownHostsFile=none",
                "-o",
                "IdentitiesOnly=yes",
            ])
            .arg("-o")
            .arg(format!(
                "UserKnownHostsFile={}",
                lab.dir.join("known_hosts").display()
            ))
            .arg("-i")
            .arg(lab.dir.join("user"))
            .args([
                "-p",
                &lab.port.to_string(),
                &format!("{OPS}@127.0.0.1"),
                "true",
            ])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&theirs.stderr).into_owned();
        assert_eq!(
            theirs.status.success(),
            ours.is_ok(),
            "OpenSSH disagrees on {text}: {said}"
        );
    }
    let mut absent = login.clone();
    absent.known_hosts.push(lab.dir.join("absent"));
    says(&refused(&absent).await, "absent");
}

#[tokio::test]
pub(super) async fn a_known_type_is_asked_for_and_a_pin_finds_its_key() {
    if !usable() {
        return;
    }
    // The keys have to be there when sshd starts.
    let keys = tempfile::tempdir().unwrap();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        keygen(&keys.path().join(kind), kind, "");
    }
    let at = |name: &str| keys.path().join(name).display().to_string();
    let lab = Lab::with(&format!(
        "HostKey {}\nHostKey {}\nHostKey {}",
        at("ed25519"),
        at("ecdsa"),
        at("rsa")
    ));
    let name = format!("[127.0.0.1]:{}", lab.port);
    let public = |kind: &str| {
        let text = std::fs::read_to_string(format!("{}.pub", at(kind))).unwrap();
        let words: Vec<&str> = text.split(' ').take(2).collect();
        words.join(" ").trim().to_owned()
    };
    for (kind, word) in [
        ("ed25519", "ssh-ed25519"),
        ("ecdsa", "ecdsa-sha2-nistp256"),
        ("rsa", "ssh-rsa"),
    ] {
        lab.trust(&format!("{name} {}\n", public(kind)));
        let mut login = lab.login(OPS);
        let session = connect(&login)
            .await
            .unwrap_or_else(|failure| panic!("{kind}: {failure}"));
        assert_eq!(session.greeting().host_key_type, word);
        let fingerprint = session.greeting().host_key.clone();
        // The pin alone, whatever key the server prefers to show.
        lab.trust("");
        login.host_key = Some(fingerprint.clone());
        let session = connect(&login)
            .await
            .unwrap_or_else(|failure| panic!("pin {kind}: {failure}"));
        assert_eq!(session.greeting().host_key, fingerprint);
    }
    let mut login = lab.login(OPS);
    login.host_key = Some("SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into());
    let failure = refused(&login).await;
    says(&failure, "pinned host key SHA256:AAAA");
    assert_eq!(
        failure.actual.matches("SHA256:").count(),
        3,
        "all keys are told: {failure}"
    );
}

#[tokio::test]
pub(super) async fn a_host_certificate_is_checked_and_does_not_spoil_plain_lines() {
    if !usable() {
        return;
    }
    let keys = tempfile::tempdir().unwrap();
    let at = |name: &str| keys.path().join(name).display().to_string();
    for name in ["hk", "ca", "rogue"] {
        keygen(&keys.path().join(name), "ed25519", "");
    }
    let certify = |ca: &str, principal: &str, validity: &str| {
        let arguments = [
            "-q",
            "-h",
            "-s",
            &at(ca),
            "-I",
            "x",
            "-n",
            principal,
            "-V",
            validity,
        ];
        sh("ssh-keygen", &[&arguments[..], &[&at("hk.pub")]].concat());
    };
    let public = |name: &str| {
        let text = std::fs::read_to_string(format!("{}.pub", at(name))).unwrap();
        text.split(' ')
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
            .trim()
            .to_owned()
    };
    for (ca, principal, validity, expected) in [
        ("ca", "127.0.0.1", "always:forever", Ok(())),
        ("ca", "elsewhere", "always:forever", Err("is for elsewhere")),
        (
            "ca",
            "127.0.0.1",
            "20200101:20200102",
            Err("is valid from 2020"),
        ),
        (
            "rogue",
            "127.0.0.1",
            "always:forever",
            Err("no @cert-authority line"),
        ),
    ] {
        certify(ca, principal, validity);
        let lab = Lab::with(&format!(
            "HostKey {}\nHostCertificate {}",
            at("hk"),
            at("hk-cert.pub")
        ));
        lab.trust(&format!("@cert-authority * {}\n", public("ca")));
        match (connect(&lab.login(OPS)).await, expected) {
            (Ok(session), Ok(())) => assert_eq!(session.greeting().host_key_type, "ssh-ed25519"),
            (Err(failure), Err(words)) => says(&failure, words),
            (Ok(_), Err(words)) => panic!("accepted, expected {words}"),
            (Err(failure), Ok(())) => panic!("{failure}"),
        }
        // A plain line is enough whatever the certificate says: it is not even asked for.
        lab.trust(&format!("[127.0.0.1]:{} {}\n", lab.port, public("hk")));
        connect(&lab.login(OPS))
            .await
            .unwrap_or_else(|failure| panic!("plain: {failure}"));
        lab.trust(&format!(
            "@cert-authority * {}\n@revoked * {}\n",
            public("ca"),
            public("hk")
        ));
        says(&connect(&lab.login(OPS)).await.err().unwrap(), "");
    }
}

#[tokio::test]
pub(super) async fn a_server_of_old_algorithms_is_told_as_such() {
    if !usable() {
        return;
    }
    let lab = Lab::with("KexAlgorithms diffie-hellman-group14-sha1");
    let failure = refused(&lab.login(OPS)).await;
    assert_eq!(failure.kind, K::Unreachable, "{failure}");
    assert!(
        failure.hint.contains("client: openssh"),
        "{failure} {}",
        failure.hint
    );
}

/// known_hosts brackets an IPv6 address with a port of its own like any other name (sshd(8)).
#[tokio::test]
pub(super) async fn an_ipv6_address_is_reached_and_trusted_by_its_own_line() {
    if !usable() {
        return;
    }
    let lab = Lab::with("ListenAddress ::1");
    let mut login = lab.login(OPS);
    login.address = "::1".into();
    // The line of 127.0.0.1 says nothing about ::1.
    let failure = refused(&login).await;
    assert_eq!(failure.kind, K::HostKey, "{failure:?}");
    assert!(
        failure.expected.contains(&format!("[::1]:{}", lab.port)),
        "{failure:?}"
    );
    lab.trust(&lab.host_line("host").replace("127.0.0.1", "::1"));
    let session = connect(&login).await.unwrap();
    let said = session
        .run(&super::lab::shell("echo here"), super::lab::AMPLE)
        .await
        .unwrap();
    assert_eq!(said.stdout, b"here\n");
    login.port = free_port();
    let failure = refused(&login).await;
    assert_eq!(failure.kind, K::Unreachable);
    assert_eq!(failure.subject.unwrap(), format!("[::1]:{}", login.port));
}
