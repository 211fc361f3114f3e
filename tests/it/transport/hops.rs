//! Through one hop, two and three, and what each refusal on the way is called.

use std::time::{Duration, Instant};

use gonogo::failure::FailureKind as K;
use gonogo::inventory::Login;

use super::lab::{AMPLE, Lab, OPS, TWO, connect, fetch, free_port, sh, shell, usable};

fn hop(lab: &Lab, name: &str, user: &str) -> Login {
    let mut login = lab.login(user);
    login.host = name.into();
    login
}

#[tokio::test]
pub(super) async fn up_to_three_hops_with_accounts_keys_and_pins_of_their_own() {
    if !usable() {
        return;
    }
    let hops = [Lab::new(), Lab::new(), Lab::new()];
    let accounts = [TWO, "gngt-nologin", "gngt-false"];
    let target = Lab::new();
    let content = vec![9; 24 << 20];
    let path = target.file("f", &content);
    let mut login = target.login(OPS);
    let pinned = |lab: &Lab, name: &str, user: &str| {
        let mut hop = hop(lab, name, user);
        let public = lab.dir.join("host.pub").display().to_string();
        let line = sh("ssh-keygen", &["-l", "-f", &public]);
        hop.host_key = line.split(' ').nth(1).map(str::to_owned);
        hop.known_hosts.clear();
        hop
    };
    for many in 1..=3 {
        // Each lab has its own key pair, and so its own host key and its own user's key.
        let named = hops.iter().zip(["one", "two", "three"]).zip(accounts);
        let via = named.map(|((lab, name), user)| pinned(lab, name, user));
        login.via = via.take(many).collect();
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
    for (lab, account) in hops.iter().zip(accounts) {
        let log = lab.log();
        assert!(!log.contains(" req exec"), "nothing is executed on a hop");
        assert!(
            log.contains(&format!("Accepted publickey for {account} ")),
            "{log}"
        );
    }
    // Nothing is left: neither connection nor process.
    let started = Instant::now();
    while !hops.iter().all(|hop| hop.children().is_empty()) {
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "a hop keeps a session"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
pub(super) async fn a_refusal_names_the_hop_that_made_it() {
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
pub(super) async fn a_hop_that_freezes_ends_the_session_in_time() {
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
    assert!(session.is_dead() && started.elapsed() < crate::lab::HANG);
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
        started.elapsed() < crate::lab::HANG,
        "{:?}",
        started.elapsed()
    );
}
