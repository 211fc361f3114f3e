//! A password leaves for the host that it is meant for, and for none on the way there.

use std::fs;

use gonogo::failure::FailureKind as K;
use gonogo::inventory::{Auth, Client};

use super::gate::{self, Plans, SECRET, Visitor, visitor};
use super::lab::{self, Lab, connect, sh, usable};
use super::openssh::configured;
use super::refused::PAM;

// cargo sets both for every test: the only way to have a variable without `unsafe`.
const RIGHT: &str = "CARGO_PKG_NAME";
const WRONG: &str = "CARGO_PKG_VERSION";
/// No other test gives them a password.
const ACCOUNT: &str = "gngt-ash";
const OTHER: &str = "gngt-dash";

/// An account with a password, as long as it lives.
struct Password(&'static str);

impl Password {
    fn of(account: &'static str) -> Self {
        let hash = sh("openssl", &["passwd", "-6", "gonogo"]);
        sh("usermod", &["-p", hash.trim(), account]);
        Self(account)
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        sh("usermod", &["-p", "*", self.0]);
    }
}

fn tries(lab: &Lab, account: &str) -> (usize, usize) {
    let log = lab.log();
    let many = |word: &str| {
        log.matches(&format!("{word} password for {account}"))
            .count()
    };
    (many("Accepted"), many("Failed"))
}

const BY_PASSWORD: &str = "PasswordAuthentication yes\nAuthenticationMethods password";

#[tokio::test]
async fn each_host_of_a_chain_gets_its_own_password() {
    if !usable() {
        return;
    }
    let _password = Password::of(ACCOUNT);
    for client in [Client::Openssh, Client::Ssh2] {
        lab::use_client(client);
        let password = |env: &str| Auth::Password { env: env.into() };
        // The hop is content with a key: its password is never asked for.
        let (hop, lab) = (Lab::new(), Lab::with(BY_PASSWORD));
        let mut via = hop.login(ACCOUNT);
        via.host = "bastion".into();
        via.auth.push(password(WRONG));
        let mut login = lab.login(ACCOUNT);
        login.auth = vec![password(RIGHT)];
        login.via = vec![via];
        let met = connect(&login).await;
        assert_eq!(tries(&lab, ACCOUNT), (1, 0), "{}", lab.log());
        drop(met.unwrap());
        // Both want theirs.
        let hop = Lab::with(BY_PASSWORD);
        let mut via = hop.login(ACCOUNT);
        via.host = "bastion".into();
        via.auth = vec![password(RIGHT)];
        login.via = vec![via];
        let met = connect(&login).await;
        assert_eq!(
            (tries(&hop, ACCOUNT), tries(&lab, ACCOUNT)),
            ((1, 0), (2, 0)),
            "{}",
            lab.log()
        );
        drop(met.unwrap());
    }
}

#[tokio::test]
async fn an_ssh_that_the_operators_file_starts_gets_no_password() {
    lab::use_client(Client::Openssh);
    if !usable() {
        return;
    }
    let _password = Password::of(OTHER);
    let (bastion, lab) = (Lab::with(BY_PASSWORD), Lab::with(BY_PASSWORD));
    let known = bastion.dir.join("known_hosts");
    let (known, port) = (known.display(), bastion.port);
    let proxy = format!(
        "  ProxyCommand ssh -F none -o UserKnownHostsFile={known} -p {port} -W %h:%p {OTHER}@127.0.0.1\n"
    );
    let jump = format!(
        "  ProxyJump jump\nHost jump\n  HostName 127.0.0.1\n  Port {port}\n  User {OTHER}\n  \
         UserKnownHostsFile {known}\n"
    );
    let mut login = lab.login(OTHER);
    login.auth = vec![Auth::Password { env: RIGHT.into() }];
    for lines in [proxy, jump] {
        let there = configured(&lab, &login, &lines);
        let met = connect(&there).await;
        assert_eq!(tries(&bastion, OTHER), (0, 0), "{lines}{}", bastion.log());
        assert!(met.is_err());
    }
    let straight = configured(&lab, &login, "");
    connect(&straight).await.unwrap();
    assert_eq!(tries(&lab, OTHER), (1, 0), "{}", lab.log());
}

#[tokio::test]
async fn a_question_that_the_password_does_not_answer_ends_the_login() {
    lab::use_client(Client::Openssh);
    if !usable() {
        return;
    }
    let lab = crate::lab::Lab::new();
    let known = |name| Visitor {
        password: "PASSWORD",
        ..visitor(name)
    };
    let aged = Visitor {
        aging: "0:0:99999:7:::",
        ..known("gng-aged")
    };
    let gate = Plans::new(
        &lab,
        "gate",
        &[known("gng-ok"), known("gng-both"), aged],
        Some(PAM),
    )
    .option("KbdInteractiveAuthentication yes")
    .option("Match User gng-both\n  PasswordAuthentication yes")
    .open();
    let login = |user: &str, env: &str| {
        let mut login = gate.login(user);
        login.client = Client::Openssh;
        login.auth = vec![Auth::Password { env: env.into() }];
        login
    };
    drop(connect(&login("gng-ok", SECRET)).await.unwrap());
    let before = fs::read_to_string(gate.host.path("etc/shadow")).unwrap();
    for (user, env, told, failed) in [
        ("gng-ok", gate::WRONG, "Permission denied", 1),
        // Wrong once by each method would be two refusals for one wrong password.
        ("gng-both", gate::WRONG, "Password:\"", 1),
        ("gng-aged", SECRET, "urrent password:\"", 0),
    ] {
        let begun = gate.host.log().len();
        let failure = connect(&login(user, env)).await.err().unwrap();
        let log = gate.log_since(begun);
        assert_eq!(failure.kind, K::Auth, "{failure}");
        assert!(failure.actual.contains(told), "{failure}\n{log}");
        let tries = ["keyboard-interactive/pam", "password"];
        let tries = tries.map(|way| log.matches(&format!("Failed {way} for {user}")).count());
        assert_eq!(tries.iter().sum::<usize>(), failed, "{log}");
    }
    let after = fs::read_to_string(gate.host.path("etc/shadow")).unwrap();
    assert_eq!(after, before);
}
