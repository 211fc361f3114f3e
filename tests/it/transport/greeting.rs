//! What answers before any login, and is no SSH server that can be used: each says what it said, in time,
//! and over one connection. The benign twin is always a server that differs in that one thing.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use gonogo::failure::{Failure, FailureKind as K};
use gonogo::inventory::Login;

use super::lab::{Lab, OPS, connect, free_port, keygen, usable};
use crate::lab::until;

/// Called as often as a server is that may be busy.
const BUSY: u32 = 0;

/// A listener that does `behave` with each caller, and counts them.
fn listener(behave: impl Fn(TcpStream) + Send + Sync + 'static) -> (u16, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let calls = Arc::new(AtomicU32::new(0));
    let (count, behave) = (Arc::clone(&calls), Arc::new(behave));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::Relaxed);
            let behave = Arc::clone(&behave);
            std::thread::spawn(move || behave(stream));
        }
    });
    (port, calls)
}

/// Says `words`, waits for the client to speak, and hangs up.
fn says(words: &'static [u8]) -> impl Fn(TcpStream) + Send + Sync + 'static {
    move |mut stream| {
        let _ = stream.write_all(words);
        let _ = stream.read(&mut [0; 64]);
    }
}

fn login(lab: &Lab, port: u16) -> Login {
    let mut login = lab.login(OPS);
    login.port = port;
    login.host_key = Some("SHA256:x".into());
    login.connect_timeout = Duration::from_secs(2);
    login
}

async fn refused(login: &Login) -> Failure {
    let begun = Instant::now();
    let failure = connect(login).await.err().unwrap();
    let most = login.connect_timeout + crate::lab::HANG;
    assert!(begun.elapsed() < most, "{failure}: {:?}", begun.elapsed());
    assert_eq!(failure.kind, K::Unreachable, "{failure}");
    let subject = failure.subject.as_deref().unwrap();
    assert_eq!(subject, format!("127.0.0.1:{}", login.port));
    failure
}

#[tokio::test]
async fn what_is_no_ssh_server_is_quoted() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    for (words, quoted, hinted, calls) in [
        (
            &b"220 mail.example ESMTP\r\n"[..],
            "\"220 mail.example ESMTP\"",
            "mail or FTP",
            1,
        ),
        (
            b"\r\n\r\nhello \x1b[2Jyou\r\n",
            "\"hello \u{1b}[2Jyou\"",
            "no SSH server",
            1,
        ),
        (b"no end of line", "\"no end of line\"", "no SSH server", 1),
        (b"\x15\x03\x01\0\x02\x02\x46", "a TLS record", "TLS", 1),
        (
            b"Not allowed at this time\r\n",
            "Not allowed",
            "PerSourcePenalties",
            1,
        ),
        // That one may be over in a moment.
        (b"Exceeded MaxStartups\r\n", "Exceeded", "MaxStartups", BUSY),
        (
            b"SSH-1.5-OpenSSH_3.4\r\n",
            "SSH-1.5-OpenSSH_3.4",
            "protocol 1",
            1,
        ),
        (
            b"SSH-2.0-dropped\r\n",
            "greeted as \"SSH-2.0-dropped\"",
            "hosts.deny",
            BUSY,
        ),
        (b"", "without a word", "MaxStartups", BUSY),
    ] {
        // libssh2 may be quicker than our look: then the words are lost, and it is asked once more.
        let mut tries = 0;
        loop {
            tries += 1;
            let (port, called) = listener(says(words));
            let mut login = login(&lab, port);
            // Time for a few more tries, and not for many.
            login.connect_timeout = Duration::from_secs(5);
            let failure = refused(&login).await;
            let hint = format!("{} {}", failure.actual, failure.hint);
            let told = failure.actual.contains(quoted) && hint.contains(hinted);
            let called_times = called.load(Ordering::Relaxed);
            if told && (called_times == calls || calls == BUSY && (2..=5).contains(&called_times)) {
                break;
            }
            assert!(
                tries < 3,
                "{quoted:?}, {hinted}: {failure:?}, called {called:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_never_comes_to_the_point_is_quoted_in_time() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let lines = |mut stream: TcpStream| while stream.write_all(b"please wait\r\n").is_ok() {};
    let one_line = |mut stream: TcpStream| while stream.write_all(&[b'x'; 4096]).is_ok() {};
    let slow = |mut stream: TcpStream| {
        while stream.write_all(b"one\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let greets = |mut stream: TcpStream| {
        let _ = stream.write_all(b"SSH-2.0-sleepy\r\n");
        std::thread::sleep(Duration::from_secs(20));
    };
    let silent = |stream: TcpStream| {
        std::thread::sleep(Duration::from_secs(20));
        drop(stream);
    };
    for (port, told) in [
        (
            listener(lines).0,
            "without end, beginning with \"please wait\"",
        ),
        (listener(one_line).0, "without end"),
        (listener(slow).0, "it said: \"one\""),
        (
            listener(greets).0,
            "greeted as \"SSH-2.0-sleepy\" and then said no more",
        ),
        (listener(silent).0, "not a word"),
    ] {
        let failure = refused(&login(&lab, port)).await;
        assert!(failure.actual.contains(told), "{told}: {failure:?}");
        assert!(failure.actual.len() < 400, "{failure}");
    }
}

/// A process that serves on `port`, killed when dropped.
struct Served(std::process::Child);

impl Served {
    fn start(program: &str, arguments: &[&str], port: u16) -> Self {
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let served = Self(child);
        until("it listens", Duration::from_secs(20), || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        served
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_real_web_server_and_a_real_tls_server_are_told_apart() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let port = free_port();
    let script = "import http.server,sys\nhttp.server.BaseHTTPRequestHandler.default_request_version='HTTP/1.1'\n\
                  http.server.HTTPServer(('127.0.0.1',int(sys.argv[1])),http.server.BaseHTTPRequestHandler).serve_forever()";
    let _web = Served::start("python3", &["-c", script, &port.to_string()], port);
    let failure = refused(&login(&lab, port)).await;
    assert!(failure.hint.contains("web server"), "{failure:?}");
    // One that answers at once is not quicker than the look at its answer.
    let (at_once, _) = listener(|mut stream| {
        let _ = stream.read(&mut [0; 64]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    for _ in 0..20 {
        let failure = refused(&login(&lab, at_once)).await;
        assert!(failure.actual.contains("HTTP/1.1 400"), "{failure:?}");
    }

    let (key, cert) = (lab.dir.join("tls.key"), lab.dir.join("tls.crt"));
    let (key, cert) = (key.display().to_string(), cert.display().to_string());
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x",
        ])
        .args(["-keyout", &key, "-out", &cert])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let port = free_port();
    let accept = format!("127.0.0.1:{port}");
    let _tls = Served::start(
        "openssl",
        &[
            "s_server", "-quiet", "-accept", &accept, "-cert", &cert, "-key", &key,
        ],
        port,
    );
    let failure = refused(&login(&lab, port)).await;
    assert!(failure.hint.contains("TLS"), "{failure:?}");
}

#[tokio::test]
async fn no_common_algorithm_shows_both_lists() {
    if !usable() {
        return;
    }
    for (line, twin, what, theirs, ours, option) in [
        (
            "KexAlgorithms diffie-hellman-group14-sha1,diffie-hellman-group1-sha1",
            "KexAlgorithms diffie-hellman-group14-sha1,curve25519-sha256",
            "key exchange",
            "diffie-hellman-group14-sha1, diffie-hellman-group1-sha1",
            "curve25519-sha256",
            "KexAlgorithms",
        ),
        (
            "Ciphers 3des-cbc",
            "Ciphers 3des-cbc,aes128-ctr",
            "cipher",
            "3des-cbc",
            "aes256-ctr",
            "Ciphers",
        ),
        (
            "Ciphers aes128-ctr\nMACs umac-64@openssh.com",
            "Ciphers aes128-ctr\nMACs umac-64@openssh.com,hmac-sha2-256",
            "MAC",
            "umac-64@openssh.com",
            "hmac-sha2-256",
            "MACs",
        ),
    ] {
        let lab = Lab::with(line);
        let failure = connect(&lab.login(OPS)).await.err().unwrap();
        assert_eq!(failure.kind, K::Unreachable, "{failure}");
        assert_eq!(failure.host.as_deref(), Some("target"));
        assert!(
            failure.expected.contains(&format!("a {what} of ours: ")),
            "{failure}"
        );
        assert!(failure.expected.contains(ours), "{failure}");
        let told = format!("it offers {what}: {theirs}");
        assert!(failure.actual.contains(&told), "{failure}");
        assert!(failure.actual.contains("SSH-2.0-OpenSSH"), "{failure}");
        assert!(failure.hint.contains("client: openssh"), "{failure:?}");
        assert!(
            failure.hint.contains(&format!("`{option} +")),
            "{failure:?}"
        );
        let calls = lab.log().matches("Remote protocol version").count();
        assert!(calls <= 1, "one connection tells it all: {}", lab.log());

        let lab = Lab::with(twin);
        connect(&lab.login(OPS))
            .await
            .unwrap_or_else(|failure| panic!("{twin}: {failure}"));
    }
}

#[tokio::test]
async fn a_host_key_type_that_nobody_speaks_shows_both_lists() {
    if !usable() {
        return;
    }
    let keys = tempfile::tempdir().unwrap();
    keygen(&keys.path().join("rsa"), "rsa", "");
    let rsa = keys.path().join("rsa").display().to_string();
    let lab = Lab::with(&format!("HostKey {rsa}\nHostKeyAlgorithms ssh-rsa"));
    let failure = connect(&lab.login(OPS)).await.err().unwrap();
    assert_eq!(failure.kind, K::Unreachable, "{failure}");
    assert!(
        failure.actual.contains("host key type: ssh-rsa"),
        "{failure}"
    );
    assert!(failure.expected.contains("rsa-sha2-512"), "{failure}");
    // The same key, by an algorithm of today.
    let lab = Lab::with(&format!(
        "HostKey {rsa}\nHostKeyAlgorithms ssh-rsa,rsa-sha2-256"
    ));
    let public = std::fs::read_to_string(format!("{rsa}.pub")).unwrap();
    lab.trust(&format!("[127.0.0.1]:{} {public}", lab.port));
    connect(&lab.login(OPS))
        .await
        .unwrap_or_else(|failure| panic!("{failure}"));
}

#[tokio::test]
async fn a_server_that_takes_no_more_logins_says_so() {
    if !usable() {
        return;
    }
    let lab = Lab::with("MaxStartups 1\nLoginGraceTime 60");
    // sshd counts who has not logged in yet.
    let mut idle = None;
    until(
        "the lab's own look is forgotten",
        Duration::from_secs(20),
        || {
            let mut stream = TcpStream::connect(("127.0.0.1", lab.port)).unwrap();
            let mut greeting = [0; 4];
            let greeted = stream.read_exact(&mut greeting).is_ok() && &greeting == b"SSH-";
            idle = greeted.then_some(stream);
            greeted
        },
    );
    let refused = connect(&lab.login(OPS)).await.err();
    let failure = refused.unwrap_or_else(|| panic!("let in: {}", lab.log()));
    assert_eq!(failure.kind, K::Unreachable, "{failure}");
    assert!(failure.hint.contains("MaxStartups"), "{failure:?}");
    drop(idle);
    let begun = Instant::now();
    while let Err(failure) = connect(&lab.login(OPS)).await {
        assert!(begun.elapsed() < Duration::from_secs(20), "{failure}");
    }
}
