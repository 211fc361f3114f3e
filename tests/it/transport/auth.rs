//! Logging in: what lets in, and what each refusal says.

use std::process::Command;

use gonogo::failure::FailureKind as K;
use gonogo::inventory::{AgentKey, Auth, Client};
use gonogo::transport::{Keyring, Ways};

use super::lab::{AMPLE, Lab, OPS, connect, connect_by, keygen, sh, shell, usable};

// cargo sets both for every test: the only way to have a variable without `unsafe`.
const RIGHT: &str = "CARGO_PKG_NAME";
const WRONG: &str = "CARGO_PKG_VERSION";

fn key(lab: &Lab, name: &str, env: Option<&str>) -> Auth {
    Auth::Key {
        path: lab.dir.join(name),
        certificate: None,
        passphrase_env: env.map(str::to_owned),
    }
}

#[tokio::test]
async fn keys_of_every_kind_let_in_and_each_defect_is_named() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let mut authorized = lab.public("user");
    for (name, kind) in [
        ("rsa", "rsa"),
        ("ecdsa", "ecdsa"),
        ("locked", "ed25519"),
        ("lockedrsa", "rsa"),
        ("lockedgcm", "ed25519 -Z aes256-gcm@openssh.com"),
        ("lockedchacha", "ed25519 -Z chacha20-poly1305@openssh.com"),
        ("lockedctr", "ecdsa -Z aes128-ctr"),
    ] {
        let passphrase = if name.starts_with("locked") {
            "gonogo"
        } else {
            ""
        };
        let (kind, cipher) = kind.split_once(" -Z ").unwrap_or((kind, "aes256-ctr"));
        let path = lab.dir.join(name).display().to_string();
        let made = [
            "-q", "-t", kind, "-Z", cipher, "-N", passphrase, "-f", &path,
        ];
        sh("ssh-keygen", &made);
        authorized.push_str(&lab.public(name));
    }
    let pem = lab.dir.join("pem").display().to_string();
    sh(
        "ssh-keygen",
        &["-q", "-t", "rsa", "-m", "PEM", "-N", "gonogo", "-f", &pem],
    );
    authorized.push_str(&lab.public("pem"));
    keygen(&lab.dir.join("stranger"), "ed25519", "");
    std::fs::write(lab.dir.join("junk"), b"not a key").unwrap();
    std::fs::write(lab.dir.join("void"), b"").unwrap();
    std::fs::write(
        lab.dir.join("broken"),
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    )
    .unwrap();
    lab.authorize(OPS, &authorized);
    for (name, env, expected) in [
        ("user", None, Ok(())),
        ("rsa", None, Ok(())),
        ("ecdsa", None, Ok(())),
        ("locked", Some(RIGHT), Ok(())),
        ("lockedrsa", Some(RIGHT), Ok(())),
        ("lockedgcm", Some(RIGHT), Ok(())),
        ("lockedchacha", Some(RIGHT), Ok(())),
        ("lockedctr", Some(RIGHT), Ok(())),
        ("lockedgcm", Some(WRONG), Err("does not open")),
        ("lockedchacha", Some(WRONG), Err("does not open")),
        ("pem", Some(RIGHT), Ok(())),
        ("pem", Some(WRONG), Err("its passphrase is wrong")),
        ("user", Some("NO_SUCH_VARIABLE"), Ok(())),
        ("locked", Some(WRONG), Err("does not open")),
        (
            "locked",
            None,
            Err("is encrypted and no passphrase is given"),
        ),
        ("locked", Some("NO_SUCH_VARIABLE"), Err("is not set")),
        ("absent", None, Err("No such file")),
        ("user.pub", None, Err("is a public key")),
        ("junk", None, Err("junk holds no private key")),
        ("void", None, Err("the file is empty")),
        ("broken", None, Err("broken: ")),
        (
            "stranger",
            None,
            Err("): refused; the server offers publickey"),
        ),
    ] {
        let mut login = lab.login(OPS);
        login.auth = vec![key(&lab, name, env)];
        match (connect(&login).await, expected) {
            (Ok(session), Ok(())) => {
                assert_eq!(session.greeting().method, "publickey");
                assert!(session.run(&shell("true"), AMPLE).await.is_ok());
            }
            (Err(failure), Err(words)) => {
                assert_eq!(failure.kind, K::Auth, "{name} {env:?}: {failure}");
                assert!(failure.actual.contains(words), "{name} {env:?}: {failure}");
            }
            (Ok(_), Err(words)) => panic!("{name} {env:?} was let in, expected {words}"),
            (Err(failure), Ok(())) => panic!("{name} {env:?}: {failure} {}", failure.hint),
        }
    }
}

#[tokio::test]
async fn ways_are_tried_in_order_each_once() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    keygen(&lab.dir.join("stranger"), "ed25519", "");
    let mut login = lab.login(OPS);
    login.auth = vec![
        key(&lab, "absent", None),
        key(&lab, "stranger", None),
        Auth::Password { env: RIGHT.into() },
        key(&lab, "user", None),
    ];
    assert!(connect(&login).await.is_ok());
    login.auth.pop();
    let failure = connect(&login).await.err().unwrap();
    for words in [
        "No such file",
        "stranger (ssh-ed25519 SHA256:",
        "does not offer password",
    ] {
        assert!(failure.actual.contains(words), "{words}: {failure}");
    }
    assert!(
        failure.hint.contains("Failed publickey"),
        "{}",
        failure.hint
    );
    login.auth.clear();
    assert_eq!(connect(&login).await.err().unwrap().kind, K::Auth);
    login.auth = vec![key(&lab, "user", None)];
    login.user = "gonogo-no-such-account".into();
    assert_eq!(connect(&login).await.err().unwrap().kind, K::Auth);
}

#[tokio::test]
async fn a_server_that_hangs_up_after_few_tries_refused() {
    if !usable() {
        return;
    }
    for tries in 1..=3 {
        let lab = Lab::with(&format!("MaxAuthTries {tries}"));
        for stranger in ["s1", "s2", "s3"] {
            keygen(&lab.dir.join(stranger), "ed25519", "");
        }
        let mut login = lab.login(OPS);
        login.auth = ["s1", "s2", "s3"].map(|name| key(&lab, name, None)).into();
        let failure = connect(&login).await.err().unwrap();
        assert_eq!(failure.kind, K::Auth, "{tries}: {failure}");
        assert!(connect(&lab.login(OPS)).await.is_ok(), "{tries}");
        // The second way is within two tries.
        login.auth = vec![key(&lab, "s1", None), key(&lab, "user", None)];
        assert_eq!(connect(&login).await.is_ok(), tries > 1, "{tries}");
    }
}

#[tokio::test]
async fn a_second_factor_that_is_missing_is_told() {
    if !usable() {
        return;
    }
    let lab = Lab::with("PasswordAuthentication yes\nAuthenticationMethods publickey,password");
    let mut login = lab.login(OPS);
    let failure = connect(&login).await.err().unwrap();
    assert_eq!(failure.kind, K::Auth);
    assert!(
        failure.actual.contains("one of several factors"),
        "{failure}"
    );
    assert!(failure.hint.contains("password"), "{}", failure.hint);
    // A wrong second factor is refused.
    login.auth.push(Auth::Password { env: WRONG.into() });
    let failure = connect(&login).await.err().unwrap();
    assert!(
        failure
            .actual
            .contains("password of $CARGO_PKG_VERSION: refused"),
        "{failure}"
    );
    login.auth.pop();

    let password = Password::of(OPS);
    login.auth.push(Auth::Password { env: RIGHT.into() });
    let session = connect(&login)
        .await
        .unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(session.greeting().method, "password");
    // The second alone is not enough.
    login.auth.remove(0);
    let failure = connect(&login).await.err().unwrap();
    assert!(
        !failure.actual.contains("gonogo;"),
        "the secret itself is never told: {failure}"
    );

    let alone = Lab::with("PasswordAuthentication yes");
    let mut login = alone.login(OPS);
    login.auth = vec![Auth::Password { env: RIGHT.into() }];
    assert_eq!(connect(&login).await.unwrap().greeting().method, "password");
    drop(password);
    assert_eq!(connect(&login).await.err().unwrap().kind, K::Auth);
}

/// The value of `RIGHT` as an account's password, for as long as this lives.
struct Password(&'static str);

impl Password {
    fn of(user: &'static str) -> Self {
        let hash = sh("openssl", &["passwd", "-6", "gonogo"]);
        sh("usermod", &["-p", hash.trim(), user]);
        Self(user)
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        sh("usermod", &["-p", "*", self.0]);
    }
}

#[tokio::test]
async fn a_user_certificate_lets_in() {
    if !usable() {
        return;
    }
    let lab = Lab::with("TrustedUserCAKeys {dir}/ca.pub");
    // sshd reads the authority's file at each login.
    keygen(&lab.dir.join("ca"), "ed25519", "");
    keygen(&lab.dir.join("certified"), "ed25519", "");
    let at = |name: &str| lab.dir.join(name).display().to_string();
    let certified = |validity: &str| {
        sh(
            "ssh-keygen",
            &[
                "-q",
                "-s",
                &at("ca"),
                "-I",
                "x",
                "-n",
                OPS,
                "-V",
                validity,
                &at("certified.pub"),
            ],
        );
    };
    let mut login = lab.login(OPS);
    login.auth = vec![key(&lab, "certified", None)];
    assert_eq!(
        connect(&login).await.err().unwrap().kind,
        K::Auth,
        "the key alone does not"
    );
    login.auth = vec![Auth::Key {
        path: lab.dir.join("certified"),
        certificate: Some(lab.dir.join("certified-cert.pub")),
        passphrase_env: None,
    }];
    certified("+1h");
    connect(&login)
        .await
        .unwrap_or_else(|failure| panic!("{failure}"));
    certified("20200101:20200102");
    let failure = connect(&login).await.err().unwrap();
    assert!(failure.actual.contains("has expired"), "{failure}");
}

// Run again as a child by the test below, with SSH_AUTH_SOCK set or not.
#[tokio::test]
async fn agent_child() {
    let Ok(expected) = std::env::var("GONOGO_AGENT_EXPECTS") else {
        return;
    };
    let lab = Lab::with("TrustedUserCAKeys {dir}/ca.pub");
    let Ok(key) = std::env::var("GONOGO_AGENT_KEY") else {
        return;
    };
    let authority = std::path::Path::new(&key).with_file_name("ca.pub");
    if authority.exists() {
        std::fs::copy(authority, lab.dir.join("ca.pub")).unwrap();
    }
    let chosen = match std::env::var("GONOGO_AGENT_CHOSEN") {
        Err(_) => AgentKey::Any,
        Ok(pin) if pin.starts_with("SHA256:") => AgentKey::Fingerprint(pin),
        Ok(path) => AgentKey::File(path.into()),
    };
    let text = std::fs::read_to_string(format!("{key}.pub")).unwrap();
    lab.authorize(OPS, &text);
    let mut login = lab.login(OPS);
    login.auth = vec![Auth::Agent(chosen.clone())];
    match connect(&login).await {
        Ok(session) => {
            assert_eq!(expected, "in");
            assert_eq!(session.greeting().method, "agent");
            // A chosen key is the only one offered: once to ask, once to sign.
            let log = lab.log();
            let offers = log
                .matches("service ssh-connection method publickey")
                .count();
            assert!(chosen == AgentKey::Any || offers == 2, "{offers}: {log}");
        }
        Err(failure) => {
            assert_eq!(failure.kind, K::Auth);
            assert!(failure.actual.contains(&expected), "{failure}");
        }
    }
}

#[test]
fn an_agent_lets_in_or_is_told_to_be_missing() {
    if !usable() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let socket = at("agent");
    let mut agent = Command::new("ssh-agent")
        .args(["-D", "-a", &socket])
        .spawn()
        .unwrap();
    let started = std::time::Instant::now();
    while !std::path::Path::new(&socket).exists() {
        assert!(started.elapsed().as_secs() < 10);
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let choosing = |key: &str, chosen: Option<&str>, socket: Option<&str>, expected: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "transport::auth::agent_child", "--nocapture"]);
        command
            .env("GONOGO_AGENT_EXPECTS", expected)
            .env("GONOGO_AGENT_KEY", at(key));
        command.env_remove("SSH_AUTH_SOCK");
        if let Some(chosen) = chosen {
            command.env("GONOGO_AGENT_CHOSEN", chosen);
        }
        if let Some(socket) = socket {
            command.env("SSH_AUTH_SOCK", socket);
        }
        let out = command.output().unwrap();
        let said = String::from_utf8_lossy(&out.stdout);
        assert!(
            out.status.success() && said.contains("1 passed"),
            "{expected}: {said}"
        );
    };
    let child = |key: &str, socket: Option<&str>, expected: &str| {
        choosing(key, None, socket, expected);
    };
    let add = |key: &str| {
        let mut command = Command::new("ssh-add");
        assert!(
            command
                .args(["-q", &at(key)])
                .env("SSH_AUTH_SOCK", &socket)
                .status()
                .unwrap()
                .success()
        );
    };
    for n in 0..7 {
        keygen(&dir.path().join(format!("k{n}")), "ed25519", "");
    }
    child("k0", None, "SSH_AUTH_SOCK is not set");
    child("k0", Some(&at("nobody")), "does not answer");
    child("k0", Some(&socket), "holds no key");
    let _mute = std::os::unix::net::UnixListener::bind(at("mute")).unwrap();
    child("k0", Some(&at("mute")), "does not answer: timed out");
    add("k1");
    add("k0");
    // Not only the first key is offered.
    child("k0", Some(&socket), "in");
    child("k2", Some(&socket), "refused");
    for n in 2..7 {
        add(&format!("k{n}"));
    }
    child("k6", Some(&socket), "holds 7 keys, of which the first 5");

    let choose = |key: &str, chosen: &str, expected: &str| {
        choosing(key, Some(chosen), Some(&socket), expected);
    };
    let pin = |key: &str| {
        let listed = sh("ssh-keygen", &["-lf", &at(&format!("{key}.pub"))]);
        listed.split(' ').nth(1).unwrap().to_owned()
    };
    choose("k6", &pin("k6"), "in");
    choose("k6", &at("k6.pub"), "in");
    choose("k6", &pin("k5"), "refused");
    keygen(&dir.path().join("absent"), "ed25519", "");
    choose("absent", &pin("absent"), &format!("it holds {}", pin("k1")));
    choose("absent", &at("absent.pub"), &pin("k6"));
    choose("absent", &at("nowhere.pub"), "No such file");
    choose("absent", &at("k0"), "holds neither");

    // Certificates in the agent, under an authority that the server trusts; the key alone is not let in.
    keygen(&dir.path().join("ca"), "ed25519", "");
    for (name, validity) in [("certified", "+1h"), ("expired", "20200101:20200102")] {
        keygen(&dir.path().join(name), "ed25519", "");
        let public = at(&format!("{name}.pub"));
        let sign = [
            "-q",
            "-s",
            &at("ca"),
            "-I",
            "x",
            "-n",
            OPS,
            "-V",
            validity,
            &public,
        ];
        sh("ssh-keygen", &sign);
        add(name);
    }
    choose("absent", &at("certified-cert.pub"), "in");
    choose("absent", &pin("certified"), "refused");
    choose(
        "absent",
        &at("expired-cert.pub"),
        "the certificate has expired on 2020-01-0",
    );
    agent.kill().unwrap();
    agent.wait().unwrap();
}

#[tokio::test]
async fn a_key_is_read_and_opened_once_in_a_run_and_never_shown() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    keygen(&lab.dir.join("locked"), "ed25519", "gonogo");
    lab.authorize(OPS, &lab.public("locked"));
    let mut login = lab.login(OPS);
    login.auth = vec![key(&lab, "locked", None)];
    let path = lab.dir.join("locked");
    assert_eq!(
        Keyring::locked([&login, &login]),
        std::slice::from_ref(&path)
    );
    let keys = Keyring::default();
    let wrong = keys.unlock(&path, "wrong".to_owned().into()).unwrap_err();
    assert_eq!(wrong.kind, K::Auth);
    let told = "the passphrase given does not open";
    assert!(wrong.actual.contains(told), "{wrong}");
    keys.unlock(&path, "gonogo".to_owned().into()).unwrap();
    let ways = Ways::with(keys.clone());
    assert!(connect_by(&ways, &login).await.is_ok());
    // What is opened is open for every host: the file is not looked at again.
    std::fs::remove_file(&path).unwrap();
    assert!(connect_by(&ways, &login).await.is_ok());
    assert_eq!(format!("{keys:?}"), "Keyring");
    let failure = connect(&login).await.err().unwrap();
    assert!(failure.actual.contains("No such file"), "{failure}");
    // Who has a variable for it, or another client, is not asked.
    keygen(&path, "ed25519", "gonogo");
    let mut named = login.clone();
    named.auth = vec![key(&lab, "locked", Some(RIGHT))];
    let mut other = login.clone();
    other.client = Client::Openssh;
    assert!(Keyring::locked([&named, &other]).is_empty());
    let mut through = named;
    through.via = vec![login];
    assert_eq!(Keyring::locked([&through]), [path]);
}
