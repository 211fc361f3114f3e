//! A whole run of a team whose second factor is a one-time code: key, then a code from a command of the
//! operator's, on hosts that take no code twice (PAM with a check of their own). No code and no secret is
//! found in what the run leaves.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::lab::{FOUR, Lab, OPERATIONS, needs_root};

/// Takes each code once.
const CHECK: &str = "#!/bin/sh
code=$(tr -d '\\000')
case $code in code-of-today-*) ;; *) exit 1 ;; esac
mkdir \"$0.used.$code\"
";

/// Prints the next code; two that ask at once get two.
const NEXT: &str = "#!/bin/sh
echo x >>\"$0.asked\"
code=1
until mkdir \"$0.given.$code\" 2>/dev/null; do code=$((code + 1)); done
echo \"code-of-today-$code\"
";

/// Prints the first one for ever.
const OLD: &str = "#!/bin/sh
echo x >>\"$0.asked\"
echo code-of-today-1
";

fn program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn lab() -> Lab {
    let lab = Lab::new();
    for (name, instance) in [("one", "orders"), ("two", "trades")] {
        let check = lab.path(&format!("check-{name}"));
        program(&check, CHECK);
        let pam = format!(
            "auth required pam_exec.so expose_authtok quiet {}\nauth required pam_permit.so\naccount required pam_unix.so\n\
             session required pam_permit.so",
            check.display()
        );
        let host = lab
            .host(name)
            .option("UsePAM yes")
            .option("KbdInteractiveAuthentication yes")
            .option("AuthenticationMethods publickey,keyboard-interactive")
            .etc("pam.d/sshd", &pam)
            .start();
        lab.amps(instance, &host);
    }
    program(&lab.path("operator/next"), NEXT);
    lab
}

fn asked(lab: &Lab) -> usize {
    let asked = fs::read_to_string(lab.path("operator/next.asked"));
    asked.map_or(0, |text| text.lines().count())
}

fn answers(inventory: &mut Value, answers: Value) {
    inventory["teams"][OPERATIONS.team]["keyboard_interactive"] = answers;
}

fn tree_holds(dir: &Path, word: &str) -> bool {
    fs::read_dir(dir).unwrap().flatten().any(|entry| {
        let path = entry.path();
        match path.is_dir() {
            true => tree_holds(&path, word),
            false => String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(word),
        }
    })
}

#[test]
fn each_login_has_a_code_of_its_own_and_none_is_left_behind() {
    if needs_root("one_time_codes") {
        return;
    }
    let lab = lab();
    let code = json!([{"command": ["./next"], "prompt": "(?i)password"}]);
    let run = lab.judge_with(|inventory| answers(inventory, code.clone()));
    run.assert_go(2 * FOUR.len());
    // One login on each of two hosts.
    assert_eq!(asked(&lab), 2);
    assert!(!tree_holds(&run.dir, "code-of-today"));
    assert!(!run.told().contains("code-of-today"));

    // A command that gives an old code again: refused, once for each host, and not tried again.
    program(&lab.path("operator/next"), OLD);
    let again = lab.judge_with(|inventory| answers(inventory, code.clone()));
    assert!(again.code() == 1, "{}", again.told());
    for check in again.checks() {
        if check["outcome"] == "failed" {
            assert_eq!(check["failure"]["kind"], "auth", "{check:#}");
        }
    }
    assert_eq!(asked(&lab), 4);

    // A question that no answer fits is quoted, and nothing is sent.
    let other = json!([{"command": ["./next"], "prompt": "Verification code"}]);
    let run = lab.judge_with(|inventory| answers(inventory, other));
    assert_eq!(run.code(), 1);
    let failure = &run.checks()[0]["failure"];
    let actual = failure["actual"].as_str().unwrap();
    assert!(actual.contains("the question \"Password:\""), "{actual}");
    assert_eq!(asked(&lab), 4);

    // Without the second factor the first is told to have been accepted.
    let run = lab.judge();
    assert_eq!(run.code(), 1);
    let failure = &run.checks()[0]["failure"];
    let actual = failure["actual"].as_str().unwrap();
    assert!(
        actual.contains("accepted as one of several factors"),
        "{actual}"
    );
    assert!(
        failure["hint"]
            .as_str()
            .unwrap()
            .contains("keyboard_interactive")
    );
}
