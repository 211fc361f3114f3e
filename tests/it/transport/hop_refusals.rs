//! What each refusal on the way through a hop is called: produced for real, with a twin that passes.

use std::time::Duration;

use gonogo::failure::{Failure, FailureKind as K};
use gonogo::inventory::Login;

use super::lab::{Lab, OPS, TWO, connect, free_port, usable};
use super::sharing::Silent;

fn behind(target: &Lab, bastion: &Lab) -> Login {
    let mut login = target.login(OPS);
    let mut hop = bastion.login(TWO);
    hop.host = "bastion".into();
    login.via = vec![hop];
    login
}

/// In the name of the hop, for the target as subject.
fn by_the_hop(failure: &Failure, login: &Login) {
    let named = (failure.host.as_deref(), failure.account.as_deref());
    assert_eq!(named, (Some("bastion"), Some(TWO)), "{failure}");
    assert_eq!(failure.kind, K::Unreachable, "{failure}");
    let target = format!("{}:{}", login.address, login.port);
    assert_eq!(failure.subject.as_deref(), Some(&*target), "{failure}");
    assert!(failure.expected.contains(&target), "{failure}");
}

#[tokio::test]
pub(super) async fn a_hop_that_forbids_forwarding_is_told_from_one_that_cannot_connect() {
    if !usable() {
        return;
    }
    let target = Lab::new();
    let elsewhere = free_port();
    let permitted = format!("127.0.0.1:{}", target.port);
    // sshd_config, options of the key; whether it forwards; what its log says at the default level.
    let off = "refused local port forward";
    let denied = "the request was denied";
    let quiet = |line: &str| format!("LogLevel INFO\n{line}");
    for (line, options, says) in [
        (String::new(), String::new(), None),
        ("AllowTcpForwarding no".into(), String::new(), Some(off)),
        ("AllowTcpForwarding remote".into(), String::new(), Some(off)),
        ("AllowTcpForwarding local".into(), String::new(), None),
        ("DisableForwarding yes".into(), String::new(), Some(off)),
        ("PermitOpen none".into(), String::new(), Some(denied)),
        (
            format!("PermitOpen 127.0.0.1:{elsewhere}"),
            String::new(),
            Some(denied),
        ),
        (format!("PermitOpen {permitted}"), String::new(), None),
        (String::new(), "restrict ".into(), Some(off)),
        (String::new(), "restrict,port-forwarding ".into(), None),
        (String::new(), "no-port-forwarding ".into(), Some(off)),
        (
            String::new(),
            format!("permitopen=\"127.0.0.1:{elsewhere}\" "),
            Some(denied),
        ),
        (String::new(), format!("permitopen=\"{permitted}\" "), None),
        // What an account may execute there is of no concern.
        (
            "ForceCommand /bin/false\nPermitTTY no\nMaxSessions 0".into(),
            String::new(),
            None,
        ),
    ] {
        let bastion = Lab::with(&quiet(&line));
        bastion.authorize(TWO, &format!("{options}{}", bastion.public("user")));
        let login = behind(&target, &bastion);
        let (told, case) = (connect(&login).await, format!("{line} {options}"));
        let Some(says) = says else {
            assert!(told.is_ok(), "{case}: {}", told.err().unwrap());
            continue;
        };
        let failure = told.err().expect(&case);
        by_the_hop(&failure, &login);
        assert!(failure.actual.contains("prohibited"), "{case}: {failure}");
        let candidates = ["AllowTcpForwarding", "DisableForwarding", "PermitOpen"];
        for candidate in candidates.iter().chain(&["restrict", "permitopen=", says]) {
            assert!(failure.hint.contains(candidate), "{case}: {}", failure.hint);
        }
        assert!(bastion.log().contains(says), "{case}: {}", bastion.log());
    }
}

#[tokio::test]
pub(super) async fn a_bastion_that_permits_one_address_passes_for_it_alone() {
    if !usable() {
        return;
    }
    let (target, other) = (Lab::new(), Lab::new());
    let bastion = Lab::with(&format!("PermitOpen 127.0.0.1:{}", target.port));
    let login = behind(&target, &bastion);
    let failure = connect(&behind(&other, &bastion)).await.err().unwrap();
    assert!(failure.hint.contains("PermitOpen"), "{}", failure.hint);
    by_the_hop(&failure, &behind(&other, &bastion));
    assert!(connect(&login).await.is_ok());
    // By another name for the same place it is another address: sshd compares what is written.
    let mut named = login.clone();
    named.address = "localhost".into();
    let failure = connect(&named).await.err().unwrap();
    by_the_hop(&failure, &named);
}

#[tokio::test]
pub(super) async fn a_target_that_cannot_be_reached_from_the_hop_is_not_blamed_on_forwarding() {
    if !usable() {
        return;
    }
    let (target, bastion) = (Lab::with("LogLevel INFO"), Lab::with("LogLevel INFO"));
    let login = behind(&target, &bastion);
    assert!(connect(&login).await.is_ok());

    let mut refused = login.clone();
    refused.port = free_port();
    let mut unknown = login.clone();
    unknown.address = "no-such-host.invalid".into();
    let lines = [
        format!("connect_to 127.0.0.1 port {}: failed", refused.port),
        "connect_to no-such-host.invalid: unknown host".to_owned(),
    ];
    for (login, line) in [refused, unknown].iter().zip(&lines) {
        let failure = connect(login).await.err().unwrap();
        by_the_hop(&failure, login);
        assert!(failure.actual.contains("connect failed"), "{failure}");
        // libssh2 keeps sshd's text to itself: both causes are listed, none is claimed.
        for candidate in [
            "does not resolve",
            "nothing listens",
            "firewall",
            "unknown host",
        ] {
            assert!(failure.hint.contains(candidate), "{}", failure.hint);
        }
        assert!(
            !failure.hint.contains("AllowTcpForwarding"),
            "{}",
            failure.hint
        );
        assert!(bastion.log().contains(line), "{}", bastion.log());
    }

    let silent = Silent::new();
    let mut login = login.clone();
    login.port = silent.address().port();
    login.connect_timeout = Duration::from_secs(1);
    let failure = connect(&login).await.err().unwrap();
    by_the_hop(&failure, &login);
    assert_eq!(failure.actual, "no answer within 1s");
    assert!(
        failure.hint.contains("drops instead of refusing"),
        "{}",
        failure.hint
    );
}

#[tokio::test]
pub(super) async fn the_hop_in_the_middle_is_the_one_that_is_named() {
    if !usable() {
        return;
    }
    let (outer, inner, target) = (Lab::new(), Lab::new(), Lab::new());
    let mut login = target.login(OPS);
    let mut hops = [outer.login("gngt-nologin"), inner.login(TWO)];
    hops[0].host = "outer".into();
    hops[1].host = "inner".into();
    login.via = hops.into();
    let fails = async |login: &Login, kind, account: &str, host: &str| {
        let failure = connect(login).await.err().unwrap();
        let named = (failure.host.as_deref(), failure.account.as_deref());
        assert_eq!(
            (failure.kind, named),
            (kind, (Some(host), Some(account))),
            "{failure}"
        );
        failure
    };
    // Its key: another than known, revoked, another than pinned.
    inner.trust(&inner.host_line("user"));
    fails(&login, K::HostKey, TWO, "inner").await;
    inner.trust(&format!("@revoked {0}{0}", inner.host_line("host")));
    let failure = fails(&login, K::HostKey, TWO, "inner").await;
    assert!(failure.actual.contains("revoked"), "{failure}");
    inner.trust(&inner.host_line("host"));
    login.via[1].host_key = Some("SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into());
    fails(&login, K::HostKey, TWO, "inner").await;
    login.via[1].host_key = None;
    // Its login.
    inner.authorize(TWO, "");
    fails(&login, K::Auth, TWO, "inner").await;
    inner.authorize(TWO, &inner.public("user"));
    // It is not there: the one before it says so.
    let port = std::mem::replace(&mut login.via[1].port, free_port());
    let failure = fails(&login, K::Unreachable, "gngt-nologin", "outer").await;
    let place = format!("127.0.0.1:{}", login.via[1].port);
    assert_eq!(failure.subject.as_deref(), Some(&*place));
    login.via[1].port = port;
    // It forwards nowhere.
    inner.authorize(TWO, &format!("restrict {}", inner.public("user")));
    let failure = fails(&login, K::Unreachable, TWO, "inner").await;
    assert!(failure.actual.contains("prohibited"), "{failure}");
    inner.authorize(TWO, &inner.public("user"));
    assert!(
        connect(&login).await.is_ok(),
        "and without any of it it works"
    );
}
