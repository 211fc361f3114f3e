//! The login shells that accounts have, noisy ones among them: a command, a file and nasty arguments
//! through each that can run `sh`, and the reason through each that cannot.

use gonogo::failure::FailureKind as K;
use gonogo::inventory::Transport;
use gonogo::transport::Command;

use super::lab::{AMPLE, APPLETS, Lab, OPS, TWO, connect, fetch, shell, usable};

const NASTY: [&str; 11] = [
    "it's",
    "a b",
    "$HOME",
    "*",
    "!x",
    "!!",
    "\\",
    "",
    "`id`",
    "~;#",
    "żółw 東京",
];

/// Accounts whose shells all run what is sent to them.
pub(super) const SHELLS: [&str; 13] = [
    OPS,
    TWO,
    "gngt-noisy",
    "gngt-rbash",
    "gngt-dash",
    "gngt-zsh",
    "gngt-fish",
    "gngt-tcsh",
    "gngt-csh",
    "gngt-ksh",
    "gngt-mksh",
    "gngt-ash",
    "gngt-homeless",
];

#[tokio::test]
pub(super) async fn every_shell_that_runs_sh_is_as_good_as_another() {
    if !usable() {
        return;
    }
    let lab = Lab::with(&format!(
        "Match User gngt-ash\n  SetEnv PATH={APPLETS}\nMatch all"
    ));
    let long = format!("{}/x", "d".repeat(200));
    for name in ["a.log", "it's !b$.log", &long] {
        lab.file(
            &format!("logs/{name}"),
            format!("content of {name}\n").as_bytes(),
        );
    }
    let logs = lab.dir.join("files/logs").display().to_string();
    for user in SHELLS {
        let mut login = lab.login(user);
        login.transport = Transport::Exec;
        let session = connect(&login).await.unwrap();
        let script = "echo out; echo err >&2; exit 3";
        let output = session.run(&shell(script), AMPLE).await;
        let output = output.unwrap_or_else(|failure| panic!("{user}: {failure}"));
        let told = (&*output.stdout, &*output.stderr, output.status);
        assert_eq!(told, (&b"out\n"[..], &b"err\n"[..], 3), "{user}");
        let mut nasty = vec!["printf", "%s|"];
        nasty.extend(NASTY);
        let nasty = Command(nasty.into_iter().map(str::to_owned).collect());
        let output = session.run(&nasty, AMPLE).await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(said, format!("{}|", NASTY.join("|")), "{user}");
        let found = session.list(&format!("{logs}/*.log"), AMPLE).await;
        let found = found.unwrap_or_else(|failure| panic!("{user}: {failure}"));
        let paths: Vec<_> = found.iter().map(|entry| entry.path.as_str()).collect();
        let wanted = [format!("{logs}/a.log"), format!("{logs}/it's !b$.log")];
        assert_eq!(paths, wanted, "{user}");
        for path in [paths[0], paths[1], &format!("{logs}/{long}")] {
            let (receipt, bytes) = fetch(&*session, path).await.unwrap();
            assert!(bytes.starts_with(b"content of "), "{user}: {path}");
            assert_eq!(receipt.method, "exec", "{user}");
        }
        session.close().await;
    }
}

#[tokio::test]
pub(super) async fn a_shell_that_cannot_run_sh_says_why() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    for (user, quoted, hint) in [
        ("gngt-nologin", "not available", "nologin"),
        ("gngt-false", "nothing at all (exit status 1)", "/bin/false"),
        ("gngt-jail", "sh: command not found", "finds no `sh`"),
        ("gngt-exit", "nothing at all (exit status 0)", ".bashrc"),
        ("gngt-exec", "\"gone\"", ".bashrc"),
    ] {
        let mut login = lab.login(user);
        login.transport = Transport::Exec;
        let session = connect(&login).await.unwrap();
        let failure = session.run(&shell("true"), AMPLE).await.unwrap_err();
        assert_eq!(failure.kind, K::Shell, "{user}: {failure}");
        assert!(failure.actual.contains(quoted), "{user}: {failure}");
        assert!(failure.hint.contains(hint), "{user}: {}", failure.hint);
    }
    // An argument with a line break is more than csh can take, and it says so.
    let session = connect(&lab.login("gngt-tcsh")).await.unwrap();
    let broken = Command(["printf", "%s", "a\nb"].map(str::to_owned).into());
    let failure = session.run(&broken, AMPLE).await.unwrap_err();
    assert_eq!(failure.kind, K::Shell, "{failure}");
    assert!(failure.actual.contains("Unmatched"), "{failure}");
    assert!(failure.hint.contains("csh"), "{}", failure.hint);
    assert!(session.run(&shell("true"), AMPLE).await.is_ok());
}
