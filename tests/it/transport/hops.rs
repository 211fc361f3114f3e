//! Through one hop and through two, and what each refusal on the way is called.

use std::time::{Duration, Instant};

use gonogo::failure::FailureKind as K;
use gonogo::inventory::Login;

use super::lab::{AMPLE, Lab, OPS, TWO, connect, fetch, free_port, shell, usable};

fn hop(lab: &Lab, name: &str, user: &str) -> Login {
    let mut login = lab.login(user);
    login.host = name.into();
    login
}

#[tokio::test]
async fn one_hop_and_two_with_accounts_and_keys_of_their_own() {
    if !usable() {
        return;
    }
    let (first, second, target) = (Lab::new(), Lab::new(), Lab::new());
    let content = vec![9; 24 << 20];
    let path = target.file("f", &content);
    let mut login = target.login(OPS);
    for via in [
        vec![hop(&first, "bastion", TWO)],
        vec![
            hop(&first, "bastion", TWO),
            hop(&second, "inner", "gngt-nologin"),
        ],
    ] {
        login.via = via;
        let session = connect(&login)
            .await
            .unwrap_or_else(|failure| panic!("{failure}"));
        let output = session.run(&shell("id -un"), AMPLE).await.unwrap();
        assert_eq!(output.stdout, b"gngt-ops\n");
        let (receipt, bytes) = fetch(&*session, &path).await.unwrap();
        assert!(receipt.bytes == 24 << 20 && bytes == content);
        let script = "head -c 4194304 /dev/zero & head -c 4194304 /dev/zero >&2; wait";
        let output = session.run(&shell(script), AMPLE).await.unwrap();
        assert_eq!(
            (output.stdout.len(), output.stderr.len()),
            (4 << 20, 4 << 20)
        );
        session.close().await;
    }
    assert!(
        !first.log().contains(" req exec"),
        "nothing is executed on a hop"
    );
    // Nothing is left: neither connection nor process.
    let started = Instant::now();
    while !(first.children().is_empty() && second.children().is_empty()) {
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "a hop keeps a session"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn a_refusal_names_the_hop_that_made_it() {
    if !usable() {
        return;
    }
    let target = Lab::new();
    let mut login = target.login(OPS);

    let closed = Lab::with("AllowTcpForwarding no");
    login.via = vec![hop(&closed, "bastion", TWO)];
    let failure = connect(&login).await.err().unwrap();
    assert_eq!(
        (failure.kind, failure.host.as_deref()),
        (K::Unreachable, Some("bastion"))
    );
    assert_eq!(failure.account.as_deref(), Some(TWO));
    assert!(
        failure.hint.contains("AllowTcpForwarding"),
        "{failure} {}",
        failure.hint
    );
    assert!(
        failure
            .expected
            .contains(&format!("127.0.0.1:{}", target.port)),
        "{failure}"
    );

    let open = Lab::new();
    login.via = vec![hop(&open, "bastion", TWO)];
    login.port = free_port();
    let failure = connect(&login).await.err().unwrap();
    assert_eq!(
        (failure.kind, failure.host.as_deref()),
        (K::Unreachable, Some("bastion"))
    );
    assert!(
        failure.hint.contains("cannot connect to the target"),
        "{failure} {}",
        failure.hint
    );
    login.port = target.port;

    open.trust("");
    let failure = connect(&login).await.err().unwrap();
    assert_eq!(
        (failure.kind, failure.host.as_deref()),
        (K::HostKey, Some("bastion"))
    );
    open.trust(&open.host_line("host"));

    target.trust(&target.host_line("user"));
    let failure = connect(&login).await.err().unwrap();
    assert_eq!(
        (failure.kind, failure.host.as_deref()),
        (K::HostKey, Some("target"))
    );
    target.trust(&target.host_line("host"));

    open.authorize(TWO, "");
    let failure = connect(&login).await.err().unwrap();
    assert_eq!(
        (failure.kind, failure.host.as_deref()),
        (K::Auth, Some("bastion"))
    );
    open.authorize(TWO, &open.public("user"));

    target.authorize(OPS, "");
    let failure = connect(&login).await.err().unwrap();
    assert_eq!(
        (failure.kind, failure.host.as_deref()),
        (K::Auth, Some("target"))
    );
    target.authorize(OPS, &target.public("user"));

    assert!(
        connect(&login).await.is_ok(),
        "and without any of it it works"
    );
}

#[tokio::test]
async fn a_hop_that_freezes_ends_the_session_in_time() {
    if !usable() {
        return;
    }
    let (bastion, target) = (Lab::new(), Lab::new());
    let mut login = target.login(OPS);
    login.via = vec![hop(&bastion, "bastion", TWO)];
    let session = connect(&login).await.unwrap();
    bastion.signal("STOP");
    let started = Instant::now();
    let limits = super::lab::within(Duration::from_secs(1));
    let failure = session.run(&shell("true"), limits).await.unwrap_err();
    assert_eq!(failure.kind, K::Timeout);
    assert!(session.is_dead() && started.elapsed() < Duration::from_millis(1700));
    drop(session);
    for via in &mut login.via {
        via.connect_timeout = Duration::from_secs(1);
    }
    login.connect_timeout = Duration::from_secs(1);
    let started = Instant::now();
    let failure = connect(&login).await.err().unwrap();
    assert_eq!(
        (failure.kind, failure.host.as_deref()),
        (K::Unreachable, Some("bastion"))
    );
    assert!(
        started.elapsed() < Duration::from_millis(2700),
        "{:?}",
        started.elapsed()
    );
}
