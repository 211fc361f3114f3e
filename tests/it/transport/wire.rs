//! A wire that is cut, bent or slowed at any byte: nothing that comes over it may pass for a success.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gonogo::digest::Sha256;
use gonogo::failure::FailureKind as K;
use gonogo::inventory::{Login, Transport};
use gonogo::transport::Span;

use super::lab::{AMPLE, Lab, OPS, connect, fetch, fetch_within, shell, usable, within};

/// What happens to the bytes from server to client.
#[derive(Clone)]
enum Wire {
    /// The connection ends after so many bytes.
    Cut(usize),
    /// One bit of the byte at this place is flipped.
    Bend(usize),
    /// From the moment the switch is on, one byte each 50 ms.
    Trickle(Arc<AtomicBool>),
}

/// A proxy before `lab`; the login is changed to go through it.
fn through(lab: &Lab, login: &mut Login, wire: Wire) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    login.port = listener.local_addr().unwrap().port();
    let inner = lab.port;
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(("127.0.0.1", inner)) else {
                return;
            };
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
            let wire = wire.clone();
            std::thread::spawn(move || spoil(server, client, &wire));
        }
    });
}

fn spoil(mut server: TcpStream, mut client: TcpStream, wire: &Wire) {
    let mut passed = 0;
    let mut buffer = vec![0; 4096];
    while let Ok(n @ 1..) = server.read(&mut buffer) {
        let piece = &mut buffer[..n];
        let sent = match wire {
            Wire::Cut(at) if passed + n > *at => {
                let _ = client.write_all(&piece[..at - passed]);
                break;
            }
            Wire::Bend(at) if (passed..passed + n).contains(at) => {
                piece[at - passed] ^= 1;
                client.write_all(piece)
            }
            Wire::Trickle(on) if on.load(Ordering::Relaxed) => piece.iter().try_for_each(|byte| {
                std::thread::sleep(Duration::from_millis(50));
                client.write_all(&[*byte])
            }),
            _ => client.write_all(piece),
        };
        passed += n;
        if sent.is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
}

/// How far one got: connect, run, read.
async fn attempt(login: &Login, path: &str, content: &[u8]) -> usize {
    let Ok(session) = connect(login).await else {
        return 0;
    };
    let limits = within(Duration::from_millis(1200));
    match session
        .run(&shell("printf whole; printf too >&2; exit 5"), limits)
        .await
    {
        Ok(output) => {
            assert_eq!(
                (&*output.stdout, &*output.stderr),
                (&b"whole"[..], &b"too"[..])
            );
            assert_eq!(output.status, 5);
        }
        Err(_) => return 1,
    }
    match fetch_within(&*session, path, Span::WHOLE, limits).await {
        Ok((receipt, bytes)) => {
            assert!(bytes == content, "wrong bytes passed");
            assert_eq!(receipt.sha256, Sha256::of(content));
            3
        }
        Err(_) => 2,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_place_to_cut_or_bend_the_wire_gives_a_false_success() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let content: Vec<u8> = (0..9000_u32).map(|i| (i % 251) as u8).collect();
    let path = lab.file("f", &content);
    for transport in [Transport::Auto, Transport::Exec] {
        let mut reached = [0; 4];
        for at in (0..16_000).step_by(503) {
            for wire in [Wire::Cut(at), Wire::Bend(at)] {
                let mut login = lab.login(OPS);
                login.transport = transport;
                login.connect_timeout = Duration::from_secs(1);
                login.address = "127.0.0.1".into();
                through(&lab, &mut login, wire);
                lab.trust(&format!("127.0.0.1 {}", lab.public("host")));
                reached[attempt(&login, &path, &content).await] += 1;
            }
        }
        // The cuts fell before, between and behind all of it.
        assert!(
            reached.iter().all(|times| *times > 0),
            "{transport:?}: {reached:?}"
        );
    }
}

#[tokio::test]
async fn a_trickle_does_not_keep_a_check_alive() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let path = lab.file("f", &[1; 100_000]);
    lab.trust(&format!("127.0.0.1 {}", lab.public("host")));
    for what in ["run", "list", "read"] {
        let slow = Arc::new(AtomicBool::new(false));
        let mut login = lab.login(OPS);
        through(&lab, &mut login, Wire::Trickle(slow.clone()));
        let session = connect(&login).await.unwrap();
        fetch(&*session, &path).await.unwrap();
        slow.store(true, Ordering::Relaxed);
        let limits = within(Duration::from_secs(1));
        let started = Instant::now();
        let failure = match what {
            "run" => session
                .run(&shell("yes"), limits)
                .await
                .map(drop)
                .unwrap_err(),
            "list" => session.list(&path, limits).await.map(drop).unwrap_err(),
            _ => fetch_within(&*session, &path, Span::WHOLE, limits)
                .await
                .map(drop)
                .unwrap_err(),
        };
        assert_eq!(failure.kind, K::Timeout, "{what}: {failure}");
        assert!(started.elapsed() < crate::lab::HANG, "{what}");
        drop(session);
    }
    // Slow from the first byte on: no handshake in time.
    let mut login = lab.login(OPS);
    login.connect_timeout = Duration::from_secs(1);
    through(
        &lab,
        &mut login,
        Wire::Trickle(Arc::new(AtomicBool::new(true))),
    );
    let started = Instant::now();
    assert_eq!(connect(&login).await.err().unwrap().kind, K::Unreachable);
    assert!(started.elapsed() < crate::lab::HANG);
    assert!(
        connect(&lab.login(OPS)).await.is_ok(),
        "{AMPLE:?} is enough without it"
    );
}
