//! Many sessions behind one bastion: one connection to it, and none of them in the way of another.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use gonogo::failure::FailureKind as K;
use gonogo::inventory::Login;
use gonogo::transport::{Sink, Span, Ways};

use super::lab::{AMPLE, Kept, Lab, OPS, OnFirst, TWO, connect_by, fetch, shell, usable, within};

fn hop(lab: &Lab, name: &str, user: &str) -> Login {
    let mut login = lab.login(user);
    login.host = name.into();
    login
}

fn behind(target: &Lab, via: &[Login]) -> Login {
    let mut login = target.login(OPS);
    login.via = via.to_vec();
    login
}

/// How many logins the sshd let in.
fn accepted(lab: &Lab) -> usize {
    lab.log().matches("Accepted publickey").count()
}

/// How many connections it saw. The lab's own look at the port says no word of SSH.
fn greeted(lab: &Lab) -> usize {
    lab.log().matches("Remote protocol version").count()
}

async fn within_seconds(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_targets_share_one_connection_within_its_limits() {
    if !usable() {
        return;
    }
    // Tight: one session channel, and one login at a time (the lab's own first look is another).
    let bastion = Lab::with("MaxSessions 1\nMaxStartups 2:100:2");
    let targets = [Lab::new(), Lab::new()];
    let via = [hop(&bastion, "bastion", TWO)];
    let ways = Ways::default();
    let content: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 251) as u8).collect();
    let paths = targets.each_ref().map(|target| target.file("f", &content));
    let sessions = join_all((0..12).map(|n| {
        let (ways, login) = (ways.clone(), behind(&targets[n % 2], &via));
        async move { connect_by(&ways, &login).await.unwrap() }
    }))
    .await;
    let fetched = join_all(sessions.iter().enumerate().map(|(n, session)| {
        let path = &paths[n % 2];
        async move { fetch(&**session, path).await.unwrap().1 }
    }))
    .await;
    assert!(fetched.iter().all(|bytes| *bytes == content));
    assert_eq!(accepted(&bastion), 1, "{}", bastion.log());
    let behind = targets.iter().map(accepted).sum::<usize>();
    assert_eq!(behind, 12, "and each target its own logins");
    // As long as one lives, the connection does; with the last it ends.
    let (last, others) = sessions.split_last().unwrap();
    for session in others {
        session.close().await;
    }
    last.run(&shell("true"), AMPLE).await.unwrap();
    assert!(!bastion.children().is_empty());
    drop(sessions);
    within_seconds("the bastion keeps a session", || {
        bastion.children().is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_chain_shares_every_hop_of_it() {
    if !usable() {
        return;
    }
    let (outer, inner, target) = (Lab::new(), Lab::new(), Lab::new());
    let chain = [
        hop(&outer, "outer", TWO),
        hop(&inner, "inner", "gngt-nologin"),
    ];
    let ways = Ways::default();
    let long = behind(&target, &chain);
    let short = behind(&target, &chain[..1]);
    let mut other = short.clone();
    other.via[0].user = "gngt-nologin".into();
    let logins = [&long, &short, &long, &other, &long];
    let sessions = join_all(logins.map(|login| connect_by(&ways, login))).await;
    for session in &sessions {
        let session = session
            .as_ref()
            .unwrap_or_else(|failure| panic!("{failure}"));
        let said = session.run(&shell("id -un"), AMPLE).await.unwrap();
        assert_eq!(said.stdout, b"gngt-ops\n");
    }
    let log = outer.log();
    for user in [TWO, "gngt-nologin"] {
        let line = format!("Accepted publickey for {user} ");
        assert_eq!(
            log.matches(&line).count(),
            1,
            "an account is a connection: {log}"
        );
    }
    assert_eq!((accepted(&inner), accepted(&target)), (1, 5));
    drop(sessions);
    within_seconds("a hop keeps a session", || {
        outer.children().is_empty() && inner.children().is_empty()
    })
    .await;
}

#[tokio::test]
async fn what_is_held_outlives_its_last_session() {
    if !usable() {
        return;
    }
    let (bastion, target) = (Lab::new(), Lab::new());
    let login = behind(&target, &[hop(&bastion, "bastion", TWO)]);
    let ways = Ways::default();
    let hold = ways.hold(&login);
    for _ in 0..3 {
        let session = connect_by(&ways, &login).await.unwrap();
        session.close().await;
    }
    assert_eq!((accepted(&bastion), accepted(&target)), (1, 3));
    drop(hold);
    within_seconds("the bastion keeps a session", || {
        bastion.children().is_empty()
    })
    .await;
    // The twin: unheld, every session that comes alone makes its own.
    for _ in 0..2 {
        let session = connect_by(&ways, &login).await.unwrap();
        session.close().await;
    }
    assert_eq!(accepted(&bastion), 3);
}

#[tokio::test]
async fn a_refused_login_to_a_bastion_is_tried_once_for_all_behind_it() {
    if !usable() {
        return;
    }
    let (bastion, target) = (Lab::new(), Lab::new());
    bastion.authorize(TWO, "");
    let login = behind(&target, &[hop(&bastion, "bastion", TWO)]);
    let ways = Ways::default();
    let before = greeted(&bastion);
    let together = join_all([&login; 5].map(|login| connect_by(&ways, login))).await;
    let later = connect_by(&ways, &login).await;
    for refused in together.into_iter().chain([later]) {
        let failure = refused.err().unwrap();
        assert_eq!(
            (failure.kind, failure.host.as_deref()),
            (K::Auth, Some("bastion"))
        );
        assert_eq!(failure.account.as_deref(), Some(TWO));
    }
    let log = bastion.log();
    assert_eq!(greeted(&bastion) - before, 1, "{log}");
    assert_eq!(log.matches("Failed publickey").count(), 1, "{log}");
    assert_eq!(greeted(&target), 0);
    // Another run asks again.
    bastion.authorize(TWO, &bastion.public("user"));
    assert!(connect_by(&ways, &login).await.is_err());
    assert!(connect_by(&Ways::default(), &login).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_stands_still_holds_up_no_other() {
    if !usable() {
        return;
    }
    let (bastion, target, frozen) = (Lab::new(), Lab::new(), Lab::new());
    let via = [hop(&bastion, "bastion", TWO)];
    let ways = Ways::default();
    let content = vec![3; 24 << 20];
    let path = target.file("f", &content);
    // One stops reading in the middle: more than any buffer holds is under way to it.
    let slow = connect_by(&ways, &behind(&target, &via)).await.unwrap();
    let (go, wait) = mpsc::channel::<()>();
    let (began, begins) = tokio::sync::oneshot::channel();
    let stop = OnFirst(Some(move || {
        let _ = began.send(());
        let _ = wait.recv_timeout(Duration::from_secs(30));
    }));
    let kept = Kept::default();
    let sink: Sink = Box::new(Both(stop, kept.clone()));
    let slow_path = path.clone();
    let reading =
        tokio::spawn(async move { slow.read(&slow_path, Span::WHOLE, AMPLE, sink).await });
    begins.await.unwrap();
    // One is behind a target that froze.
    let dead = connect_by(&ways, &behind(&frozen, &via)).await.unwrap();
    frozen.signal("STOP");
    let dead = tokio::spawn(async move {
        let failure = dead
            .run(&shell("true"), within(Duration::from_secs(2)))
            .await;
        failure.err().map(|failure| (failure.kind, failure.host))
    });
    let well = connect_by(&ways, &behind(&target, &via)).await.unwrap();
    let (_, bytes) = fetch(&*well, &path).await.unwrap();
    assert!(bytes == content);
    assert!(!reading.is_finished());
    let timed_out = (K::Timeout, Some("target".to_owned()));
    assert_eq!(dead.await.unwrap(), Some(timed_out));
    well.run(&shell("true"), AMPLE).await.unwrap();
    go.send(()).unwrap();
    assert_eq!(reading.await.unwrap().unwrap().bytes, 24 << 20);
    assert!(*kept.0.lock().unwrap() == content);
    assert_eq!(accepted(&bastion), 1);
}

/// Two sinks, one after the other.
struct Both<A, B>(A, B);

impl<A: std::io::Write, B: std::io::Write> std::io::Write for Both<A, B> {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(piece)?;
        self.1.write(piece)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A port that answers no SYN: its queue is full, and nobody accepts.
pub struct Silent {
    listener: TcpListener,
    _full: Vec<TcpStream>,
}

impl Silent {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let address = listener.local_addr().unwrap();
        let soon = Duration::from_millis(300);
        let mut full = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, soon) {
            full.push(stream);
            assert!(full.len() < 10, "a queue of none takes ten");
        }
        Self {
            listener,
            _full: full,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_target_holds_up_neither_bytes_nor_other_opens() {
    if !usable() {
        return;
    }
    let (bastion, target, silent) = (Lab::new(), Lab::new(), Silent::new());
    let via = [hop(&bastion, "bastion", TWO)];
    let ways = Ways::default();
    let well = connect_by(&ways, &behind(&target, &via)).await.unwrap();
    let mut login = behind(&target, &via);
    login.host = "silent".into();
    login.port = silent.address().port();
    login.connect_timeout = Duration::from_secs(15);
    let (own, begun) = (ways.clone(), Instant::now());
    let lost = tokio::spawn(async move { connect_by(&own, &login).await.err().unwrap() });
    // Bytes flow, and one who comes meanwhile goes over a second connection.
    let other = connect_by(&ways, &behind(&target, &via)).await.unwrap();
    well.run(&shell("true"), AMPLE).await.unwrap();
    other.run(&shell("true"), AMPLE).await.unwrap();
    let third = connect_by(&ways, &behind(&target, &via)).await.unwrap();
    let took = begun.elapsed();
    let failure = lost.await.unwrap();
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert_eq!(accepted(&bastion), 2);
    assert_eq!(
        (
            failure.kind,
            failure.host.as_deref(),
            failure.account.as_deref()
        ),
        (K::Unreachable, Some("bastion"), Some(TWO))
    );
    assert_eq!(failure.subject, Some(silent.address().to_string()));
    assert!(failure.actual.contains("no answer within 15s"), "{failure}");
    // What was given up holds nobody: the sessions beside it go on.
    for session in [well, other, third] {
        session.run(&shell("true"), AMPLE).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_second_connection_is_let_in_the_wait_is_said() {
    if !usable() {
        return;
    }
    let (bastion, target, silent) = (Lab::new(), Lab::new(), Silent::new());
    let via = [hop(&bastion, "bastion", TWO)];
    let ways = Ways::default();
    let well = connect_by(&ways, &behind(&target, &via)).await.unwrap();
    bastion.authorize(TWO, "");
    let mut login = behind(&target, &via);
    login.connect_timeout = Duration::from_secs(1);
    let mut unheard = login.clone();
    unheard.port = silent.address().port();
    let (lost, crowded) = tokio::join!(connect_by(&ways, &unheard), async {
        // After the other's open has begun.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let first = connect_by(&ways, &login).await;
        (first, connect_by(&ways, &login).await)
    });
    assert!(lost.err().unwrap().actual.contains("no answer"));
    for crowded in [crowded.0, crowded.1] {
        let failure = crowded.err().unwrap();
        assert_eq!(
            (failure.kind, failure.host.as_deref()),
            (K::Unreachable, Some("bastion"))
        );
        assert!(
            failure
                .actual
                .contains("no second connection was to be had"),
            "{failure}"
        );
    }
    assert_eq!(bastion.log().matches("Failed publickey").count(), 1);
    well.run(&shell("true"), AMPLE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bastion_may_change_keys_and_ask_for_signs_of_life() {
    if !usable() {
        return;
    }
    let bastion = Lab::with("RekeyLimit 1M\nClientAliveInterval 1\nClientAliveCountMax 2");
    let target = Lab::new();
    let login = behind(&target, &[hop(&bastion, "bastion", TWO)]);
    let ways = Ways::default();
    let content: Vec<u8> = (0..8 << 20).map(|n: u32| (n % 253) as u8).collect();
    let path = target.file("f", &content);
    let sessions = join_all([&login; 4].map(|login| connect_by(&ways, login))).await;
    let fetched = sessions.iter().map(|session| {
        let path = &path;
        async move { fetch(&**session.as_ref().unwrap(), path).await.unwrap().1 }
    });
    assert!(
        join_all(fetched)
            .await
            .iter()
            .all(|bytes| *bytes == content)
    );
    let log = bastion.log();
    assert!(log.matches("rekey").count() > 20, "{log}");
    // Nothing but sshd's questions comes over the wire meanwhile.
    let one = sessions[0].as_ref().unwrap();
    let output = one.run(&shell("sleep 5"), AMPLE).await.unwrap();
    assert_eq!(output.status, 0);
    assert_eq!(accepted(&bastion), 1);
}

#[tokio::test]
async fn a_bastion_lost_in_mid_run_is_named_and_connected_to_anew() {
    if !usable() {
        return;
    }
    let (bastion, inner, target) = (Lab::new(), Lab::new(), Lab::new());
    let ways = Ways::default();
    let via = [hop(&bastion, "bastion", TWO), hop(&inner, "inner", TWO)];
    let (near, far) = (behind(&target, &via[..1]), behind(&target, &via));
    let hold = (ways.hold(&near), ways.hold(&far));
    let one = connect_by(&ways, &near).await.unwrap();
    let two = connect_by(&ways, &far).await.unwrap();
    for pid in bastion.children() {
        super::lab::sh("kill", &["-KILL", &pid.to_string()]);
    }
    for session in [&one, &two] {
        let failure = session.run(&shell("true"), AMPLE).await.unwrap_err();
        assert_eq!(
            (
                failure.kind,
                failure.host.as_deref(),
                failure.account.as_deref()
            ),
            (K::Unreachable, Some("bastion"), Some(TWO)),
            "{failure}"
        );
        assert!(failure.expected.contains("hop `bastion`"), "{failure}");
        assert_eq!(failure.subject.as_deref(), Some("sh -c true"));
        assert!(session.is_dead());
    }
    let again = connect_by(&ways, &near).await.unwrap();
    again.run(&shell("true"), AMPLE).await.unwrap();
    assert_eq!(accepted(&bastion), 2);
    // The twin: when the target is what ends, the bastion is not named.
    for pid in target.children() {
        super::lab::sh("kill", &["-KILL", &pid.to_string()]);
    }
    let failure = again.run(&shell("true"), AMPLE).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.host.as_deref()),
        (K::Unreachable, Some("target"))
    );
    drop(hold);
}

/// A road to `port` that takes little at a time, and now and then nothing: what is sent there goes out
/// by halves.
fn narrow_road(port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::sockopt::set_socket_recv_buffer_size(&listener, 4096).unwrap();
    let narrow = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut near in listener.incoming().flatten() {
            let mut far = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut back, mut home) = (far.try_clone().unwrap(), near.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut back, &mut home));
            std::thread::spawn(move || {
                let (mut piece, mut since) = ([0; 2048], 0);
                while let Ok(many @ 1..) = near.read(&mut piece) {
                    since += many;
                    if since > 64 << 10 {
                        since = 0;
                        std::thread::sleep(Duration::from_millis(100));
                    }
                    if far.write_all(&piece[..many]).is_err() {
                        break;
                    }
                }
                let _ = far.shutdown(Shutdown::Both);
            });
        }
    });
    narrow
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bastion_that_takes_little_at_a_time_gets_everything_in_order() {
    if !usable() {
        return;
    }
    let (bastion, target) = (Lab::with("RekeyLimit 1M"), Lab::new());
    let mut hop = hop(&bastion, "bastion", TWO);
    hop.port = narrow_road(bastion.port);
    bastion.trust(&format!(
        "[127.0.0.1]:{} {}",
        hop.port,
        bastion.public("host")
    ));
    let login = behind(&target, &[hop]);
    let ways = Ways::default();
    let content: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 253) as u8).collect();
    let path = target.file("f", &content);
    let sessions = join_all([&login; 8].map(|login| connect_by(&ways, login))).await;
    let work = sessions.iter().enumerate().map(|(n, session)| {
        let (session, ways) = (session.as_ref().unwrap(), &ways);
        let (path, content, login) = (&path, &content, &login);
        async move {
            for round in 0..4 {
                match n % 4 {
                    0 => assert!(fetch(&**session, path).await.unwrap().1 == *content),
                    1 => {
                        let other = connect_by(ways, login).await.unwrap();
                        other.run(&shell("true"), AMPLE).await.unwrap();
                    }
                    _ => {
                        let long = format!("{n}{round}").repeat(10_000);
                        let command = shell(&format!("printf %s {long}"));
                        let output = session.run(&command, AMPLE).await.unwrap();
                        assert!(output.stdout == long.into_bytes());
                    }
                }
            }
        }
    });
    join_all(work).await;
    assert_eq!(accepted(&bastion), 1);
}
