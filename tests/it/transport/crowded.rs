//! A real sshd that takes no more logins: whoever comes back in time is let in, and told to have waited; whoever
//! cannot be let in ends in time.

use std::io::Read as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use futures::future::join_all;
use gonogo::failure::FailureKind as K;

use super::lab::{AMPLE, Lab, OPS, connect, shell, usable};
use crate::lab::until;

const ONE_AT_A_TIME: &str = "MaxStartups 1:100:1\nLoginGraceTime 60";

/// Takes the only place of those who have not logged in yet.
fn idle(lab: &Lab) -> TcpStream {
    let mut idle = None;
    // The lab's own first look may still be in it.
    until("the only place is taken", Duration::from_secs(20), || {
        let mut stream = TcpStream::connect(("127.0.0.1", lab.port)).unwrap();
        let mut greeting = [0; 4];
        let greeted = stream.read_exact(&mut greeting).is_ok() && &greeting == b"SSH-";
        idle = greeted.then_some(stream);
        greeted
    });
    idle.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_in_time_is_let_in() {
    if !usable() {
        return;
    }
    let lab = Lab::with(ONE_AT_A_TIME);
    let place = idle(&lab);
    let leaves = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(1500));
        drop(place);
    });
    let mut login = lab.login(OPS);
    login.connect_timeout = Duration::from_secs(30);
    let session = connect(&login).await.unwrap();
    leaves.join().unwrap();
    let turned_away = session.greeting().turned_away;
    assert!((1..=8).contains(&turned_away), "{turned_away}");
    assert_eq!(
        session.run(&shell("exit 3"), AMPLE).await.unwrap().status,
        3
    );
    // The twin: nobody is in the way.
    drop(session);
    let free = Lab::new();
    let session = connect(&free.login(OPS)).await.unwrap();
    assert_eq!(session.greeting().turned_away, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_at_once_are_let_in_one_after_the_other() {
    if !usable() {
        return;
    }
    let lab = Lab::with(ONE_AT_A_TIME);
    let mut login = lab.login(OPS);
    login.connect_timeout = Duration::from_secs(60);
    let sessions = join_all((0..4).map(|_| connect(&login))).await;
    for session in sessions {
        session.unwrap_or_else(|failure| panic!("{failure}: {}", lab.log()));
    }
}

#[tokio::test]
async fn who_is_never_let_in_ends_in_time() {
    if !usable() {
        return;
    }
    let lab = Lab::with(ONE_AT_A_TIME);
    let _place = idle(&lab);
    let mut login = lab.login(OPS);
    login.connect_timeout = Duration::from_secs(6);
    let begun = Instant::now();
    let failure = connect(&login).await.err().unwrap();
    let took = begun.elapsed();
    assert!(took < login.connect_timeout + crate::lab::HANG, "{took:?}");
    assert_eq!(failure.kind, K::Unreachable, "{failure}");
    assert!(failure.hint.contains("MaxStartups"), "{failure:?}");
    assert!(failure.actual.contains("so it went"), "{failure:?}");
    let tries = lab.log().matches("past MaxStartups").count();
    assert!((2..=9).contains(&tries), "{tries}: {}", lab.log());
}
