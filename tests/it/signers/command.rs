//! `--sign-command`: stock ssh-keygen as the command, and commands that fail, hang or cheat, at the trial
//! and at the end of the run.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{as_verify_text_says, lab, run, verify};
use crate::lab::Lab;

const SSH_KEYGEN: &str = "ssh-keygen -q -Y sign -n {namespace} -f keys/signer";

/// A script of the operator's that stands for a tool of an HSM.
fn script(lab: &Lab, text: &str) {
    let path = lab.path("operator/tool");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
}

/// What lies in the operator's directory.
fn listed(lab: &Lab) -> Vec<String> {
    let entries = fs::read_dir(lab.operator()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn stock_ssh_keygen_signs_a_run() {
    let lab = lab();
    fs::copy(
        lab.path("operator/allowed_signers"),
        lab.path("operator/allowed"),
    )
    .unwrap();
    let signing = ["--key", "keys/signer.pub", "--sign-command", SSH_KEYGEN];
    let signed = run(&lab, &signing, None);
    signed.assert_go(4);
    verify(&lab, &signed, &["--identity", "lab@gonogo"], 0, &["GO"]);
    assert!(as_verify_text_says(&lab, &signed, "").status.success());
    // The attestation is there, signed by the same key: taken out or swapped, nothing is accepted.
    let attestation = signed.dir.join("report.intoto.jsonl");
    let line = fs::read_to_string(&attestation).unwrap();
    fs::remove_file(&attestation).unwrap();
    verify(&lab, &signed, &[], 4, &["report.intoto.jsonl"]);
    let again = run(&lab, &signing, None);
    let other = fs::read_to_string(again.dir.join("report.intoto.jsonl")).unwrap();
    fs::write(&attestation, other).unwrap();
    verify(&lab, &signed, &[], 4, &["report.intoto.jsonl"]);
    fs::write(&attestation, line).unwrap();
    verify(&lab, &signed, &[], 0, &["GO"]);
}

#[test]
fn a_command_that_cannot_sign_ends_the_run_before_anything_is_contacted() {
    let lab = lab();
    let stranger = lab.path("operator/stranger");
    crate::lab::keygen(&stranger, "stranger");
    for (command, code, words) in [
        ("false", 3, "failed (exit status: 1)"),
        ("/nowhere/tool", 3, "cannot start"),
        ("true", 3, "no armoured SSH signature"),
        (
            "ssh-keygen -q -Y sign -n {namespace} -f stranger",
            3,
            "signed, not SHA256:",
        ),
        (
            "ssh-keygen -q -Y sign -n gonogo-report@gonogo -f keys/signer",
            3,
            "for namespace",
        ),
        ("sleep 300", 3, "within 2s"),
        ("'", 2, "a quote is not closed"),
    ] {
        let before = listed(&lab);
        let timeout = ["--sign-timeout", "2s"];
        let signing = [
            &["--key", "keys/signer.pub", "--sign-command", command][..],
            &timeout,
        ];
        let refused = run(&lab, &signing.concat(), None);
        assert_eq!(refused.code(), code, "{command}: {}", refused.told());
        assert!(
            refused.told().contains(words),
            "{command}: {}",
            refused.told()
        );
        assert!(
            refused.told().contains("hint: "),
            "{command}: {}",
            refused.told()
        );
        assert_eq!(listed(&lab), before, "{command}");
    }
    // With a command, the private half is not ours to read.
    let signing = ["--key", "keys/signer", "--sign-command", SSH_KEYGEN];
    let refused = run(&lab, &signing, None);
    assert_eq!(refused.code(), 3, "{}", refused.told());
    assert!(refused.told().contains("public key"), "{}", refused.told());
}

#[test]
fn a_command_that_fails_at_the_end_leaves_nothing_behind() {
    let lab = lab();
    crate::lab::keygen(&lab.path("operator/stranger"), "stranger");
    let sign =
        |key: &str, namespace: &str| format!("exec ssh-keygen -q -Y sign -n {namespace} -f {key}");
    let good = sign("keys/signer", "\"$GONOGO_NAMESPACE\"");
    // The trial is signed as it should be; what follows, by turns, is not.
    for (at, bad, words) in [
        (
            "gonogo-report@gonogo",
            "exit 9".to_owned(),
            "exit status: 9",
        ),
        ("gonogo-report@gonogo", "sleep 300".to_owned(), "within 5s"),
        (
            "gonogo-report@gonogo",
            sign("stranger", "\"$GONOGO_NAMESPACE\""),
            "signed, not SHA256:",
        ),
        (
            "gonogo-report@gonogo",
            sign("keys/signer", "git"),
            "for namespace `git`",
        ),
        (
            "gonogo-report@gonogo",
            "head -c 10 | ".to_owned() + &good,
            "does not match",
        ),
        (
            "gonogo-attestation@gonogo",
            "exit 9".to_owned(),
            "exit status: 9",
        ),
    ] {
        script(
            &lab,
            &format!("case $GONOGO_NAMESPACE in {at}) {bad}; exit;; esac\n{good}"),
        );
        let before = listed(&lab);
        let signing = [
            "--key",
            "keys/signer.pub",
            "--sign-command",
            "./tool",
            "--sign-timeout",
            "5s",
        ];
        let failed = run(&lab, &signing, None);
        assert_eq!(failed.code(), 3, "{bad}: {}", failed.told());
        assert!(failed.told().contains(words), "{bad}: {}", failed.told());
        assert!(failed.told().contains("hint: "), "{bad}: {}", failed.told());
        assert!(!failed.dir.exists(), "{bad}");
        assert_eq!(listed(&lab), before, "{bad}");
        assert!(
            failed.last_line().is_empty(),
            "{bad}: a verdict: {}",
            failed.told()
        );
    }
    script(&lab, &good);
    let signing = ["--key", "keys/signer.pub", "--sign-command", "./tool"];
    run(&lab, &signing, None).assert_go(4);
}
