//! HTTP GETs that a host sends for itself: what a web server answers or does not, what sshd lets through,
//! and what each refusal is called.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gonogo::digest::Sha256;
use gonogo::failure::{Failure, FailureKind as K};
use gonogo::inventory::{Elevate, Get, Transport};
use gonogo::transport::{Limits, ReadError, Receipt, Session};

use super::lab::{AMPLE, Kept, Lab, OPS, connect, fetch, free_port, shell, usable, within};

/// A server that says one thing to whoever comes, on a thread for each.
pub(super) struct Web {
    pub(super) address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Web {
    /// Hears the request, and leaves the rest to `say`.
    fn new(say: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (say, hear) = (Arc::new(say), Arc::clone(&heard));
        std::thread::spawn(move || {
            for peer in listener.incoming() {
                let (say, heard) = (Arc::clone(&say), Arc::clone(&hear));
                std::thread::spawn(move || {
                    let mut peer = peer.unwrap();
                    let patience = Some(Duration::from_secs(20));
                    peer.set_read_timeout(patience).unwrap();
                    peer.set_write_timeout(patience).unwrap();
                    let mut request = Vec::new();
                    let mut byte = [0];
                    while !request.ends_with(b"\r\n\r\n") && matches!(peer.read(&mut byte), Ok(1)) {
                        request.push(byte[0]);
                        // What begins a TLS handshake is no line that ends.
                        if request.len() == 5 && request[0] == 0x16 {
                            break;
                        }
                    }
                    heard
                        .lock()
                        .unwrap()
                        .push(String::from_utf8_lossy(&request).into_owned());
                    // Whoever has heard enough hangs up.
                    let _ = say(&mut peer);
                });
            }
        });
        Self { address, heard }
    }

    pub(super) fn says(answer: &str) -> Self {
        let answer = answer.to_owned();
        Self::new(move |peer| peer.write_all(answer.as_bytes()))
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

pub(super) fn plain(url: &str) -> Get {
    Get {
        url: url.to_owned(),
        user: None,
        password_env: None,
        ca: None,
    }
}

pub(super) async fn ask_within(
    session: &dyn Session,
    get: &Get,
    limits: Limits,
) -> Result<(Receipt, Vec<u8>), Failure> {
    let kept = Kept::default();
    match session.get(get, limits, Box::new(kept.clone())).await {
        Ok(receipt) => Ok((receipt, kept.0.lock().unwrap().clone())),
        Err(ReadError::Failure(failure)) => {
            assert!(
                failure.host.is_some() && !failure.hint.is_empty(),
                "{failure}"
            );
            assert!(failure.subject.is_some(), "{failure}");
            Err(failure)
        }
        Err(other) => panic!("{other:?}"),
    }
}

pub(super) async fn ask(session: &dyn Session, url: &str) -> Result<(Receipt, Vec<u8>), Failure> {
    ask_within(session, &plain(url), AMPLE).await
}

/// It still does what a session does.
pub(super) async fn lives(session: &dyn Session) {
    assert!(!session.is_dead());
    let output = session.run(&shell("id -un"), AMPLE).await.unwrap();
    assert_eq!(output.stdout, b"gngt-ops\n");
}

/// Python's web server in `dir`, which ends with the test.
pub(super) struct Python(Child);

impl Python {
    pub(super) fn serve(dir: &Path, port: u16, tls: &str) -> Self {
        let script = format!(
            "import http.server, ssl\n\
             class Quiet(http.server.SimpleHTTPRequestHandler):\n    \
                 def log_message(self, *a): pass\n\
             server = http.server.ThreadingHTTPServer(('127.0.0.1', {port}), Quiet)\n\
             {tls}\nserver.serve_forever()\n"
        );
        let child = Command::new("python3")
            .args(["-c", &script])
            .current_dir(dir)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "no web server");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self(child)
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
pub(super) async fn what_listens_on_the_hosts_loopback_answers_through_ssh() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let big: Vec<u8> = (0..9_u32 << 20)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    lab.file("web/big", &big);
    lab.file("web/amps/instance.json", b"{\"amps\": {}}\n");
    let port = free_port();
    let _server = Python::serve(&lab.dir.join("files/web"), port, "");
    let hop = Lab::new();
    let mut behind = lab.login(OPS);
    let mut via = hop.login(OPS);
    via.host = "hop".into();
    behind.via = vec![via];
    let mut sftp_only = lab.login(OPS);
    sftp_only.transport = Transport::Sftp;
    let mut elevated = lab.login(OPS);
    elevated.elevate = Elevate::Root;
    for login in [lab.login(OPS), sftp_only, elevated, behind] {
        let session = connect(&login)
            .await
            .unwrap_or_else(|failure| panic!("{failure}"));
        let path = lab.file("f", b"a file");
        if login.elevate == Elevate::None {
            // An SFTP channel that is open is in nobody's way.
            fetch(&*session, &path).await.unwrap();
        }
        let url = format!("http://127.0.0.1:{port}/amps/instance.json");
        for _ in 0..3 {
            let (receipt, bytes) = ask(&*session, &url).await.unwrap();
            assert_eq!(bytes, b"{\"amps\": {}}\n");
            assert_eq!((receipt.bytes, receipt.method), (13, "http"));
            assert_eq!(
                (receipt.path, receipt.sha256),
                (url.clone(), Sha256::of(&bytes))
            );
        }
        let (receipt, bytes) = ask(&*session, &format!("http://127.0.0.1:{port}/big"))
            .await
            .unwrap();
        assert!(bytes == big && receipt.sha256 == Sha256::of(&big));
        let gone = ask(&*session, &format!("http://localhost:{port}/gone?x"))
            .await
            .unwrap_err();
        assert_eq!(gone.kind, K::Missing, "{gone}");
        assert!(gone.actual.contains("404"), "{gone}");
        if login.elevate == Elevate::None {
            fetch(&*session, &path).await.unwrap();
        }
        assert!(!session.is_dead());
        session.close().await;
    }
    let log = lab.log();
    assert!(log.contains("direct-tcpip"), "{log}");
    assert!(
        !hop.log().contains(" req exec"),
        "nothing is executed on a hop"
    );
}

#[tokio::test]
pub(super) async fn an_answer_that_is_none_is_told_and_the_session_lives() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let session = connect(&lab.login(OPS)).await.unwrap();
    for (answer, kind, told) in [
        (
            "HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/x\r\nContent-Length: 0\r\n\r\n",
            K::Mismatch,
            "a redirect to \"http://10.0.0.1/x\"",
        ),
        (
            "HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate\r\n\r\n",
            K::Denied,
            "asks for \"Negotiate\"",
        ),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", K::Denied, "403"),
        ("HTTP/1.1 404 Not Found\r\n\r\n", K::Missing, "404"),
        ("HTTP/1.1 500 Oops\r\n\r\nstack trace", K::Io, "500"),
        ("HTTP/1.1 418 I'm a teapot\r\n\r\n", K::Mismatch, "418"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
            K::Short,
            "5 bytes",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nlonger",
            K::Corrupt,
            "behind it",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nx",
            K::Short,
            "1 bytes",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n",
            K::Corrupt,
            "chunk",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\u{1f}",
            K::Mismatch,
            "gzip",
        ),
        ("<h1>It works!</h1>\n", K::Corrupt, "It works!"),
        ("", K::Io, "without one"),
        ("HTTP/1.1 200 OK\r\nX", K::Short, "headers"),
    ] {
        let web = Web::says(answer);
        let failure = ask(&*session, &web.url("/x")).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{answer:?}: {failure}");
        assert!(failure.actual.contains(told), "{answer:?}: {failure}");
        assert_eq!(failure.subject, Some(web.url("/x")));
        assert_eq!(web.heard.lock().unwrap().len(), 1, "asked once");
    }
    let web = Web::says("HTTP/1.0 200 OK\r\n\r\nno length");
    assert_eq!(
        ask(&*session, &web.url("/x")).await.unwrap().1,
        b"no length"
    );
    lives(&*session).await;
}

#[tokio::test]
pub(super) async fn a_server_that_never_ends_is_cut_and_one_that_drips_is_left_in_time() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let session = connect(&lab.login(OPS)).await.unwrap();
    let limits = Limits {
        bytes: 1 << 20,
        ..AMPLE
    };
    let endless: [(&str, &str); 4] = [
        ("", "X-Endless: yes\r\n"),
        ("HTTP/1.1 200 OK\r\n", "X-Endless: yes\r\n"),
        ("HTTP/1.1 200 OK\r\n\r\n", "0123456789abcdef"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "10\r\n0123456789abcdef\r\n",
        ),
    ];
    for (begin, more) in endless {
        let web = Web::new(move |peer| {
            peer.write_all(begin.as_bytes())?;
            loop {
                peer.write_all(more.repeat(1000).as_bytes())?;
            }
        });
        let begun = Instant::now();
        let failure = ask_within(&*session, &plain(&web.url("/")), limits)
            .await
            .unwrap_err();
        let kind = if begin.is_empty() {
            K::Corrupt
        } else {
            K::TooLarge
        };
        assert_eq!(failure.kind, kind, "{begin:?}: {failure}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{begin:?}");
        lives(&*session).await;
    }
    let stated = Web::says("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\nx");
    let failure = ask_within(&*session, &plain(&stated.url("/")), limits)
        .await
        .unwrap_err();
    assert_eq!(failure.kind, K::TooLarge, "{failure}");
    lives(&*session).await;

    let drips: [&str; 3] = [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
    ];
    for begin in drips {
        let web = Web::new(move |peer| {
            peer.write_all(begin.as_bytes())?;
            for _ in 0..200 {
                peer.write_all(if begin.is_empty() { b"H" } else { b"x" })?;
                if begin.is_empty() {
                    std::thread::sleep(Duration::from_secs(19));
                }
                std::thread::sleep(Duration::from_millis(100));
            }
            Ok(())
        });
        let session = connect(&lab.login(OPS)).await.unwrap();
        let begun = Instant::now();
        let get = plain(&web.url("/"));
        let late = ask_within(&*session, &get, within(Duration::from_secs(2)));
        let failure = late.await.unwrap_err();
        assert_eq!(failure.kind, K::Timeout, "{begin:?}: {failure}");
        assert!(begun.elapsed() < crate::lab::HANG, "{:?}", begun.elapsed());
        assert!(session.is_dead());
    }
}

async fn refused(lab: &Lab, url: &str) -> (Failure, Arc<dyn Session>) {
    let session = connect(&lab.login(OPS)).await.unwrap();
    let failure = ask(&*session, url).await.unwrap_err();
    (failure, session)
}

#[tokio::test]
pub(super) async fn a_way_that_sshd_does_not_open_is_told_with_the_line_that_opens_it() {
    if !usable() {
        return;
    }
    let web = Web::says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let (url, port) = (web.url("/x"), web.address.port());
    for (more, line) in [
        ("AllowTcpForwarding no", ""),
        ("AllowTcpForwarding remote", ""),
        ("DisableForwarding yes", ""),
        ("PermitOpen 127.0.0.1:1", ""),
        ("PermitOpen none", ""),
        ("", "restrict "),
        ("", "no-port-forwarding "),
        ("", "restrict,port-forwarding,permitopen=\"127.0.0.1:1\" "),
    ] {
        let lab = Lab::with(more);
        if !line.is_empty() {
            lab.authorize(OPS, &format!("{line}{}", lab.public("user")));
        }
        let (failure, session) = refused(&lab, &url).await;
        assert_eq!(
            failure.kind,
            K::Denied,
            "{more}{line}: {failure}\n{}",
            lab.log()
        );
        for told in [
            format!("PermitOpen 127.0.0.1:{port}"),
            format!("permitopen=\"127.0.0.1:{port}\""),
            "AllowTcpForwarding local".to_owned(),
        ] {
            assert!(failure.hint.contains(&told), "{}", failure.hint);
        }
        lives(&*session).await;
    }
    assert!(web.heard.lock().unwrap().is_empty());
    // The benign twins, by the lines of the hint.
    let lab = Lab::with(&format!(
        "AllowTcpForwarding local\nPermitOpen 127.0.0.1:{port}"
    ));
    let line = format!("restrict,port-forwarding,permitopen=\"127.0.0.1:{port}\" ");
    lab.authorize(OPS, &format!("{line}{}", lab.public("user")));
    let session = connect(&lab.login(OPS)).await.unwrap();
    assert_eq!(ask(&*session, &url).await.unwrap().1, b"ok");
    // The same server by another name is another way.
    let other = ask(&*session, &format!("http://localhost:{port}/x"))
        .await
        .unwrap_err();
    assert_eq!(other.kind, K::Denied, "{other}");

    let lab = Lab::new();
    for (url, told) in [
        (
            format!("http://127.0.0.1:{}/", free_port()),
            "nothing listens",
        ),
        (
            "http://no-such-name.invalid:80/".to_owned(),
            "does not resolve on the host",
        ),
    ] {
        let (failure, session) = refused(&lab, &url).await;
        assert_eq!(
            failure.kind,
            K::Unreachable,
            "{url}: {failure}\n{}",
            lab.log()
        );
        assert!(failure.hint.contains(told), "{failure}: {}", failure.hint);
        assert!(
            failure.actual.to_lowercase().contains("connect"),
            "{failure}"
        );
        lives(&*session).await;
    }
}

#[tokio::test]
pub(super) async fn an_account_for_files_only_may_ask_where_forwarding_is_allowed() {
    if !usable() {
        return;
    }
    let web = Web::says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let lab = Lab::with("ForceCommand internal-sftp -R\nMaxSessions 1");
    let mut login = lab.login(OPS);
    login.transport = Transport::Sftp;
    let session = connect(&login).await.unwrap();
    let path = lab.file("f", b"a file");
    fetch(&*session, &path).await.unwrap();
    assert_eq!(ask(&*session, &web.url("/x")).await.unwrap().1, b"ok");
    fetch(&*session, &path).await.unwrap();
}

#[tokio::test]
pub(super) async fn a_password_is_sent_once_and_told_to_nobody_else() {
    if !usable() {
        return;
    }
    let web = Web::says("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
    let lab = Lab::new();
    let session = connect(&lab.login(OPS)).await.unwrap();
    // A variable that every process has.
    let secret = std::env::var("PATH").unwrap();
    let get = Get {
        user: Some("monitor".into()),
        password_env: Some("PATH".into()),
        ..plain(&web.url("/x"))
    };
    let failure = ask_within(&*session, &get, AMPLE).await.unwrap_err();
    assert_eq!(failure.kind, K::Denied);
    assert!(
        failure.hint.contains("does not take this `user`"),
        "{}",
        failure.hint
    );
    assert!(!format!("{failure:?}").contains(&secret));
    let heard = web.heard.lock().unwrap().clone();
    let [request] = &heard[..] else {
        panic!("{heard:?}")
    };
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("monitor:{secret}"));
    assert!(
        request.contains(&format!("\r\nAuthorization: Basic {pair}\r\n")),
        "{request}"
    );
    let unset = Get {
        password_env: Some("GONOGO_NOT_SET".into()),
        ..get
    };
    let failure = ask_within(&*session, &unset, AMPLE).await.unwrap_err();
    assert_eq!(failure.kind, K::Auth, "{failure}");
    assert_eq!(web.heard.lock().unwrap().len(), 1, "nothing was sent");
    lives(&*session).await;
}

#[tokio::test]
pub(super) async fn a_session_that_is_lost_meanwhile_is_told_as_such() {
    if !usable() {
        return;
    }
    // By its end alone is the second one delimited: half of it must not pass for the whole.
    for (signal, head) in [
        ("KILL", "Content-Length: 100\r\n"),
        ("KILL", ""),
        ("TERM", "Content-Length: 100\r\n"),
        ("TERM", ""),
    ] {
        let lab = Arc::new(Lab::new());
        let session = connect(&lab.login(OPS)).await.unwrap();
        // The server outlives the test, and must not keep the lab.
        let killed = Arc::downgrade(&lab);
        let web = Web::new(move |peer| {
            peer.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\nbegin").as_bytes())?;
            std::thread::sleep(Duration::from_millis(300));
            for pid in killed.upgrade().unwrap().children() {
                // One of them may be gone with the other.
                let _ = Command::new("kill")
                    .args([&format!("-{signal}"), &pid.to_string()])
                    .output();
            }
            std::thread::sleep(Duration::from_secs(5));
            Ok(())
        });
        let failure = ask(&*session, &web.url("/x")).await.unwrap_err();
        assert_eq!(failure.kind, K::Unreachable, "{signal} {head}: {failure}");
        assert!(session.is_dead());
    }
}
