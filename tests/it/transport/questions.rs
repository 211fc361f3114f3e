//! keyboard-interactive and several factors against a real sshd with PAM: answers from the environment and
//! from commands, each given once, and none to a question that nothing fits.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use gonogo::failure::FailureKind as K;
use gonogo::inventory::{Answer, AnswerFrom, Auth, Login, Pattern};

use super::gate::{Gate, Plans, SECRET, Visitor, WRONG, key, visitor};
use super::lab::{connect, usable};
use super::refused::{PAM, enters};
use crate::lab::Lab;

fn env(name: &str, prompt: Option<&str>) -> Answer {
    answer(AnswerFrom::Env(name.into()), prompt)
}

fn command(words: &[&str], prompt: Option<&str>) -> Answer {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    answer(AnswerFrom::Command(words), prompt)
}

fn answer(from: AnswerFrom, prompt: Option<&str>) -> Answer {
    let prompt = prompt.map(|prompt| Pattern(prompt.parse().unwrap()));
    Answer { from, prompt }
}

fn asked(gate: &Gate, user: &str, answers: &[Answer]) -> Login {
    let mut login = gate.login(user);
    login.auth = vec![Auth::KeyboardInteractive {
        answers: answers.to_vec(),
    }];
    login
}

fn known(name: &'static str) -> Visitor {
    Visitor {
        password: "PASSWORD",
        ..visitor(name)
    }
}

/// A program of the operator; what it did is written beside it.
fn program(lab: &Lab, name: &str, script: &str) -> String {
    let path = lab.path(name);
    let text = format!(
        "#!/bin/sh\necho run >>'{}.runs'\n{script}\n",
        path.display()
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

fn runs(lab: &Lab, name: &str) -> usize {
    let runs = fs::read_to_string(lab.path(&format!("{name}.runs")));
    runs.map_or(0, |text| text.lines().count())
}

#[tokio::test]
async fn answers_come_from_the_environment_and_from_commands() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let accounts = [
        known("gng-ok"),
        Visitor {
            aging: "0:0:99999:7:::",
            ..known("gng-aged")
        },
    ];
    let gate = Plans::new(&lab, "gate", &accounts, Some(PAM))
        .option("KbdInteractiveAuthentication yes")
        .open();
    let otp = program(&lab, "otp", "echo gonogo; echo second line");
    let login = |answers: &[Answer]| asked(&gate, "gng-ok", answers);
    for answers in [
        vec![env(SECRET, None)],
        vec![env(SECRET, Some("(?i)^password"))],
        // The one whose pattern fits, wherever it stands.
        vec![
            env(WRONG, Some("code")),
            env(WRONG, None),
            env(SECRET, Some("Password: ")),
        ],
        vec![command(&[&otp], None)],
        vec![command(&["printf", "%s\\n", "gonogo"], None)],
    ] {
        let login = login(&answers);
        assert_eq!(enters(&login).await, "keyboard-interactive", "{answers:?}");
    }
    // A server that takes passwords by questions only; a wrong one is given once.
    let mut by_password = gate.login("gng-ok");
    by_password.auth = vec![Auth::Password { env: SECRET.into() }];
    assert_eq!(enters(&by_password).await, "password");
    let before = gate.host.log().len();
    by_password.auth = vec![Auth::Password { env: WRONG.into() }];
    let failure = connect(&by_password).await.err().unwrap();
    assert!(failure.actual.contains("refused"), "{failure}");
    let failed = gate
        .log_since(before)
        .matches("Failed keyboard-interactive")
        .count();
    assert!(failed <= 1, "{}", gate.log_since(before));
    // A code is asked for once for each login, and not before the server asks.
    assert_eq!(runs(&lab, "otp"), 1);
    let mut twice = login(&[command(&[&otp], None)]);
    enters(&twice).await;
    enters(&twice).await;
    assert_eq!(runs(&lab, "otp"), 3);
    twice.auth.insert(0, key(&gate.id));
    assert_eq!(enters(&twice).await, "publickey");
    assert_eq!(runs(&lab, "otp"), 3);

    let fails = program(&lab, "fails", "echo gonogo; exit 3");
    let silent = program(&lab, "silent", "cat");
    let slow = program(&lab, "slow", "sleep 600 & echo $! >&2; sleep 600");
    let huge = program(&lab, "huge", "head -c 100000 /dev/zero; sleep 600");
    for (answers, expected) in [
        (
            vec![env("NO_SUCH_VARIABLE", None)],
            "$NO_SUCH_VARIABLE, which should hold the answer",
        ),
        (
            vec![env(SECRET, Some("Code"))],
            "no answer is left that fits the question \"Password:\"",
        ),
        (vec![command(&[&fails], None)], "ended with exit status: 3"),
        (
            vec![command(&[&silent], None)],
            "printed nothing on its first line",
        ),
        (
            vec![command(&["/no/such/program"], None)],
            "cannot be run: No such file",
        ),
        (vec![command(&[&huge], None)], "was not done within"),
        (vec![env(WRONG, None)], "keyboard-interactive: refused"),
    ] {
        let mut login = login(&answers);
        login.connect_timeout = std::time::Duration::from_secs(8);
        let failure = connect(&login).await.err().unwrap();
        assert_eq!(failure.kind, K::Auth, "{failure}");
        assert!(failure.actual.contains(expected), "{expected}: {failure}");
    }
    let begun = std::time::Instant::now();
    let mut hangs = login(&[command(&[&slow], None)]);
    hangs.connect_timeout = std::time::Duration::from_secs(3);
    assert!(connect(&hangs).await.is_err());
    assert!(begun.elapsed() < crate::lab::HANG, "{:?}", begun.elapsed());

    // An expired password: never is a new one set, however many answers there are.
    let before = fs::read_to_string(gate.host.path("etc/shadow")).unwrap();
    for answers in [
        vec![env(SECRET, None); 5],
        vec![env(SECRET, Some("(?i)password")); 5],
    ] {
        let failure = connect(&asked(&gate, "gng-aged", &answers))
            .await
            .err()
            .unwrap();
        assert!(
            failure.actual.contains("the password has expired"),
            "{failure}"
        );
        assert!(failure.hint.contains("nothing changed"), "{}", failure.hint);
    }
    assert_eq!(
        fs::read_to_string(gate.host.path("etc/shadow")).unwrap(),
        before
    );
    let log = gate.host.log();
    assert!(
        !log.contains("hanged password") && !log.contains("hanging password"),
        "{log}"
    );
}

#[tokio::test]
async fn several_factors_in_the_order_that_the_server_wants() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let accounts = [
        "gng-key-answer",
        "gng-answer-key",
        "gng-key-password",
        "gng-any",
    ]
    .map(known);
    // A one-time code as a second question of the same conversation.
    let gate = Plans::new(&lab, "gate", &accounts, Some(PAM))
        .option("KbdInteractiveAuthentication yes")
        .option("PasswordAuthentication yes")
        .option("MaxAuthTries 2")
        .option(
            "Match User gng-key-answer\n  AuthenticationMethods publickey,keyboard-interactive\n  MaxAuthTries 1\n\
             Match User gng-answer-key\n  AuthenticationMethods keyboard-interactive,publickey\n\
             Match User gng-key-password\n  AuthenticationMethods publickey,password",
        )
        .open();
    let key = || key(&gate.id);
    let questions = |name: &str| Auth::KeyboardInteractive {
        answers: vec![env(name, None)],
    };
    let password = |name: &str| Auth::Password { env: name.into() };
    let login = |user: &str, ways: Vec<Auth>| {
        let mut login = gate.login(user);
        login.auth = ways;
        login
    };
    for (user, ways, last) in [
        (
            "gng-key-answer",
            vec![key(), questions(SECRET)],
            "keyboard-interactive",
        ),
        (
            "gng-key-answer",
            vec![questions(SECRET), key()],
            "keyboard-interactive",
        ),
        (
            "gng-answer-key",
            vec![key(), questions(SECRET)],
            "publickey",
        ),
        (
            "gng-answer-key",
            vec![questions(SECRET), key()],
            "publickey",
        ),
        (
            "gng-key-password",
            vec![key(), password(SECRET)],
            "password",
        ),
        (
            "gng-key-password",
            vec![password(SECRET), key()],
            "password",
        ),
        (
            "gng-any",
            vec![questions(SECRET), key()],
            "keyboard-interactive",
        ),
    ] {
        assert_eq!(
            enters(&login(user, ways.clone())).await,
            last,
            "{user} {ways:?}"
        );
    }
    for (user, ways, expected) in [
        (
            "gng-key-password",
            vec![key()],
            "accepted as one of several factors; the server offers password",
        ),
        (
            "gng-answer-key",
            vec![questions(SECRET)],
            "accepted as one of several factors; the server offers publickey",
        ),
        (
            "gng-key-password",
            vec![key(), password(WRONG)],
            "password of $CARGO_PKG_VERSION: the server hung up",
        ),
        (
            "gng-key-password",
            vec![password(SECRET)],
            "the server does not offer password",
        ),
        (
            "gng-key-answer",
            vec![key(), questions(WRONG)],
            "keyboard-interactive: ",
        ),
    ] {
        let failure = connect(&login(user, ways)).await.err().unwrap();
        assert_eq!(failure.kind, K::Auth);
        assert!(
            failure.actual.contains(expected),
            "{user} {expected}: {failure}"
        );
        assert!(!failure.hint.is_empty());
    }
    // A remedy that is there already is none.
    for (user, ways, hint) in [
        (
            "gng-key-answer",
            vec![questions(SECRET)],
            "add `key` or `agent`",
        ),
        (
            "gng-key-password",
            vec![password(SECRET)],
            "add `key` or `agent`",
        ),
        (
            "gng-key-answer",
            vec![key(), questions(WRONG)],
            "a wrong answer",
        ),
    ] {
        let failure = connect(&login(user, ways)).await.err().unwrap();
        assert!(failure.hint.contains(hint), "{user} {hint}: {failure}");
    }
}
