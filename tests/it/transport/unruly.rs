//! Servers that know the key and then break the rules: of the channel, after a proper login (`russh` in
//! this process), and of the key exchange, before one. Nothing they do is a success that was not proven,
//! and nothing outlasts its limits.

use std::future::Future;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gonogo::failure::{Failure, FailureKind as K};
use gonogo::inventory::Login;
use gonogo::transport::Output;
use russh::server::{Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, Server, Session};
use russh::server::{PublicKeyOffer, VerifiedPublicKey};
use russh::{Channel, ChannelId};

use super::lab::{Lab, OPS, connect, shell, usable, within};

/// What the server does with a command.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    /// Everything as it should be: exit status 5, `whole` and `too`.
    Honest,
    NeverAnswers,
    Refuses,
    ClosesAtOnce,
    StatusAlone,
    HalfAnOutput,
    TwoStatuses,
    RestAfterEof,
    NoStderr,
    AnotherNonce,
    NeverCloses,
    HangsUp,
    Killed,
    Firehose,
    UnknownStream,
}

#[derive(Clone)]
struct Unruly(Deed);

impl Server for Unruly {
    type Handler = Self;

    fn new_client(&mut self, _: Option<std::net::SocketAddr>) -> Self {
        self.clone()
    }
}

/// The nonce in the framed command: 32 hexadecimal digits.
fn nonce(command: &[u8]) -> String {
    let line = String::from_utf8_lossy(command);
    let at = line.find("GNG-").unwrap() + 4;
    line[at..at + 32].to_owned()
}

impl Handler for Unruly {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        _: &str,
        _: PublicKeyOffer<'_>,
    ) -> Result<Auth, russh::Error> {
        Ok(Auth::Accept)
    }

    async fn auth_publickey(
        &mut self,
        _: &str,
        _: VerifiedPublicKey<'_>,
    ) -> Result<Auth, russh::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        match self.0 {
            Deed::NeverAnswers => return Ok(()),
            Deed::Refuses => return session.channel_failure(id),
            _ => session.channel_success(id)?,
        }
        tokio::spawn(serve(self.0, session.handle(), id, nonce(command)));
        Ok(())
    }
}

async fn serve(deed: Deed, handle: Handle, id: ChannelId, nonce: String) {
    // The client may be gone at any time: then there is nobody to be unruly to.
    let out = |text: String| {
        let handle = handle.clone();
        async move { handle.data(id, text.into_bytes()).await.is_ok() }
    };
    let err = |stream: u32, text: String| {
        let handle = handle.clone();
        async move {
            handle
                .extended_data(id, stream, text.into_bytes())
                .await
                .is_ok()
        }
    };
    let start = format!("\x1eGNG-{nonce}\x1e");
    let end = format!("\x1eGNG-{nonce} 5\x1e");
    match deed {
        Deed::NeverAnswers | Deed::Refuses => {}
        Deed::ClosesAtOnce => drop(handle.close(id).await),
        Deed::StatusAlone => {
            let _ = handle.exit_status_request(id, 0).await;
            let _ = handle.eof(id).await;
            let _ = handle.close(id).await;
        }
        Deed::HalfAnOutput | Deed::Killed => {
            out(format!("{start}who")).await;
            err(1, format!("{start}too{end}")).await;
            match deed {
                Deed::Killed => {
                    let killed = handle.exit_signal_request(
                        id,
                        russh::Sig::KILL,
                        false,
                        String::new(),
                        String::new(),
                    );
                    let _ = killed.await;
                }
                _ => drop(handle.exit_status_request(id, 0).await),
            }
            let _ = handle.eof(id).await;
            let _ = handle.close(id).await;
        }
        Deed::HangsUp => {
            out(format!("{start}who")).await;
            let gone =
                handle.disconnect(russh::Disconnect::ByApplication, "bye".into(), "en".into());
            let _ = gone.await;
        }
        Deed::Firehose => while out("x".repeat(10_000)).await {},
        Deed::UnknownStream => while err(7, "x".repeat(10_000)).await {},
        Deed::RestAfterEof => {
            out(format!("{start}who")).await;
            err(1, format!("{start}too{end}")).await;
            let _ = handle.eof(id).await;
            out(format!("le{end}")).await;
            let _ = handle.exit_status_request(id, 5).await;
            let _ = handle.close(id).await;
        }
        Deed::Honest
        | Deed::TwoStatuses
        | Deed::NoStderr
        | Deed::AnotherNonce
        | Deed::NeverCloses => {
            let (start, end) = match deed {
                Deed::AnotherNonce => (start.replace(&nonce[..8], "00000000"), end),
                _ => (start, end),
            };
            out(format!("{start}whole{end}")).await;
            if deed != Deed::NoStderr {
                err(1, format!("{start}too{end}")).await;
            }
            if deed == Deed::TwoStatuses {
                let _ = handle.exit_status_request(id, 0).await;
            }
            let _ = handle.exit_status_request(id, 5).await;
            let _ = handle.eof(id).await;
            if deed != Deed::NeverCloses {
                let _ = handle.close(id).await;
            }
        }
    }
}

/// Serves for as long as the test's runtime lives; a login that trusts it comes back.
async fn serves(lab: &Lab, deed: Deed, keepalive: Option<Duration>) -> Login {
    let key = ssh_key::PrivateKey::read_openssh_file(lab.dir.join("host")).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut login = lab.login(OPS);
    login.port = listener.local_addr().unwrap().port();
    lab.trust(&format!("127.0.0.1 {}", lab.public("host")));
    let config = Config {
        keys: vec![key],
        keepalive_interval: keepalive,
        // Never answered is never missed: it goes on for ever.
        keepalive_max: 0,
        auth_rejection_time: Duration::from_millis(1),
        ..Config::default()
    };
    tokio::spawn(async move {
        let mut doors = Unruly(deed);
        let _ = doors.run_on_socket(Arc::new(config), &listener).await;
    });
    login
}

async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = work.await;
    assert!(
        begun.elapsed() < crate::lab::HANG,
        "{what}: {:?}",
        begun.elapsed()
    );
    done
}

async fn run(login: &Login, what: &str) -> Result<Output, Failure> {
    let session = connect(login)
        .await
        .unwrap_or_else(|failure| panic!("{what}: {failure}"));
    let limits = within(Duration::from_secs(2));
    let command = shell("whatever");
    let done = in_time(what, session.run(&command, limits)).await;
    in_time(what, session.close()).await;
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_disorder_on_a_channel_is_a_success() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    for (deed, expected) in [
        (Deed::Honest, None),
        // The trailer speaks, whatever the channel says of exit statuses.
        (Deed::TwoStatuses, None),
        (Deed::NeverAnswers, Some(&[K::Timeout][..])),
        (Deed::Refuses, Some(&[K::Shell])),
        (Deed::ClosesAtOnce, Some(&[K::Shell])),
        (Deed::StatusAlone, Some(&[K::Shell])),
        (Deed::HalfAnOutput, Some(&[K::Io])),
        (Deed::Killed, Some(&[K::Io])),
        // Late and whole: nothing is missing.
        (Deed::RestAfterEof, None),
        (Deed::NeverCloses, None),
        (Deed::NoStderr, Some(&[K::Shell])),
        (Deed::AnotherNonce, Some(&[K::Shell])),
        (Deed::HangsUp, Some(&[K::Unreachable])),
        (Deed::Firehose, Some(&[K::Shell])),
        (Deed::UnknownStream, Some(&[K::Timeout])),
    ] {
        let login = serves(&lab, deed, None).await;
        let what = format!("{deed:?}");
        match (run(&login, &what).await, expected) {
            (Ok(output), None) => {
                let said = (&*output.stdout, &*output.stderr, output.status);
                assert_eq!(said, (&b"whole"[..], &b"too"[..], 5), "{what}");
            }
            (Err(failure), Some(kinds)) => {
                assert!(kinds.contains(&failure.kind), "{what}: {failure}");
                assert!(!failure.hint.is_empty(), "{what}: {failure}");
            }
            (Ok(_), Some(_)) => panic!("{what} passed"),
            (Err(failure), None) => panic!("{what}: {failure}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keepalives_for_ever_are_no_answer() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let each = Some(Duration::from_millis(1));
    let login = serves(&lab, Deed::NeverAnswers, each).await;
    let failure = run(&login, "keepalives").await.unwrap_err();
    assert_eq!(failure.kind, K::Timeout, "{failure}");
    // They do no harm where there is an answer beside them.
    let login = serves(&lab, Deed::Honest, each).await;
    assert_eq!(run(&login, "keepalives").await.unwrap().status, 5);
}

/// Greets, agrees on everything, and then sends `packet` for ever instead of a key.
fn flood(packet: Vec<u8>, times: usize) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let lists = [
        "curve25519-sha256",
        "ssh-ed25519",
        "aes128-ctr",
        "aes128-ctr",
        "hmac-sha2-256",
        "hmac-sha2-256",
        "none",
        "none",
        "",
        "",
    ];
    let mut content = vec![0; 16];
    for list in lists {
        content.extend(u32::try_from(list.len()).unwrap().to_be_bytes());
        content.extend(list.as_bytes());
    }
    content.extend([0; 5]);
    let hello = [b"SSH-2.0-flood\r\n".to_vec(), plain(20, &content)].concat();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (hello, packets) = (hello.clone(), packet.repeat(64));
            std::thread::spawn(move || {
                let mut stream: TcpStream = stream;
                let mut sent = stream.write_all(&hello);
                for _ in 0..times {
                    sent = sent.and_then(|()| stream.write_all(&packets));
                }
                // Whoever was flooded enough is left to wait.
                let _ = stream.read(&mut [0; 4096]);
                std::thread::sleep(Duration::from_secs(10));
            });
        }
    });
    port
}

/// An unencrypted packet (RFC 4253 6).
fn plain(kind: u8, content: &[u8]) -> Vec<u8> {
    let padding = 8 - (content.len() + 6) % 8 + 8;
    let length = u32::try_from(2 + content.len() + padding).unwrap();
    let head = [
        &length.to_be_bytes()[..],
        &[u8::try_from(padding).unwrap(), kind],
    ]
    .concat();
    [&head[..], content, &vec![0; padding]].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_instead_of_a_key_ends_in_time() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let text = [&u32::to_be_bytes(8000)[..], &[b'x'; 8000]].concat();
    let debug = [&[1][..], &text, &[0; 4]].concat();
    for (what, packet, times) in [
        ("ignore", plain(2, &text), usize::MAX),
        ("debug", plain(4, &debug), usize::MAX),
        (
            "banner",
            plain(53, &[&text[..], &[0; 4]].concat()),
            usize::MAX,
        ),
        ("unknown", plain(192, &text), usize::MAX),
        ("key exchange again", plain(20, &text), usize::MAX),
        (
            "2^31 bytes",
            [&(1_u32 << 31).to_be_bytes()[..], &[8, 31]].concat(),
            1,
        ),
        ("no bytes", vec![0; 16], 1),
        ("then silence", plain(2, &text), 1),
    ] {
        let mut login = lab.login(OPS);
        login.port = flood(packet, times);
        login.connect_timeout = Duration::from_secs(2);
        let refused = in_time(what, connect(&login)).await;
        let failure = refused.err().unwrap_or_else(|| panic!("{what} passed"));
        assert_eq!(failure.kind, K::Unreachable, "{what}: {failure}");
    }
}
