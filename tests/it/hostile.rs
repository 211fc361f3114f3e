//! Peers that are no SSH server at all. Each costs its own checks and nobody else's, and the run
//! ends in time.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::lab::{FOUR, Lab, OPERATIONS};

/// Accepts for ever and does `serve` with each connection, on a thread each.
struct Peer {
    address: SocketAddr,
    connections: Arc<AtomicU32>,
    over: Arc<AtomicBool>,
}

impl Peer {
    fn new(serve: fn(TcpStream, &AtomicBool)) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicU32::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let (count, done) = (Arc::clone(&connections), Arc::clone(&over));
        std::thread::spawn(move || {
            for peer in listener.incoming() {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                count.fetch_add(1, Ordering::Relaxed);
                let done = Arc::clone(&done);
                std::thread::spawn(move || serve(peer.unwrap(), &done));
            }
        });
        Self {
            address,
            connections,
            over,
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

/// Says nothing, and never hangs up.
fn silent(peer: TcpStream, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(peer);
}

/// Never ends and never makes sense.
fn garbage(mut peer: TcpStream, over: &AtomicBool) {
    let noise: Vec<u8> = (0..=255).cycle().take(8192).collect();
    while !over.load(Ordering::Relaxed) && peer.write_all(&noise).is_ok() {}
}

/// One byte at a time: an idle timeout alone never ends this (facts: traps.md T9).
fn trickle(mut peer: TcpStream, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) && peer.write_all(b"x").is_ok() {
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// Greets, and then never says another word.
fn greets_only(mut peer: TcpStream, over: &AtomicBool) {
    let _ = peer.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
    silent(peer, over);
}

/// Gone at once.
fn hangs_up(peer: TcpStream, _: &AtomicBool) {
    drop(peer);
}

#[track_caller]
fn costs_only_itself(serve: fn(TcpStream, &AtomicBool), kinds: &[&str]) {
    let peer = Peer::new(serve);
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    lab.amps("quotes", &host);
    let begun = Instant::now();
    let run = lab.judge_with(|inventory| {
        inventory["ssh"]["connect_timeout"] = "3s".into();
        inventory["hosts"]["ld5-1"] = serde_json::json!({
            "address": peer.address.ip().to_string(), "port": peer.address.port(),
            "host_key": format!("SHA256:{}", "A".repeat(43)),
        });
        inventory["instances"]["orders"]["host"] = "ld5-1".into();
    });
    // Four checks of one login, a generous number of attempts each, and the good host besides.
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "took {:?}",
        begun.elapsed()
    );
    assert!(
        peer.connections.load(Ordering::Relaxed) > 0,
        "the peer was never asked"
    );
    assert_eq!(run.code(), 1, "{}", run.told());
    for scenario in FOUR {
        let good = run.check("quotes", OPERATIONS.team, scenario);
        assert_eq!(good["outcome"], "passed", "{good:#}");
        let bad = run.check("orders", OPERATIONS.team, scenario);
        assert_eq!(bad["outcome"], "failed", "{bad:#}");
        let kind = bad["failure"]["kind"].as_str().unwrap();
        assert!(kinds.contains(&kind), "{}", bad["failure"]);
    }
}

#[test]
fn a_silent_peer() {
    costs_only_itself(silent, &["unreachable"]);
}

#[test]
fn a_peer_that_trickles() {
    costs_only_itself(trickle, &["unreachable"]);
}

#[test]
fn a_peer_that_only_greets() {
    costs_only_itself(greets_only, &["unreachable"]);
}

#[test]
fn a_peer_that_talks_garbage_for_ever() {
    costs_only_itself(garbage, &["unreachable"]);
}

#[test]
fn a_peer_that_hangs_up() {
    costs_only_itself(hangs_up, &["unreachable"]);
}
