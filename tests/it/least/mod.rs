//! Least privilege as `gonogo plan` prints it: installed on real servers the plan is GO, and nothing else
//! is allowed. Each test first shows that it was not so before.

mod forced_command;
mod gets;
mod golden;
mod keys_and_match;
mod sudoers;

use std::process::Output;

use crate::lab::{Account, Host, Lab, OPERATIONS};

/// What `gonogo plan FLAG TEAM` prints.
fn printed(lab: &Lab, flag: &str) -> String {
    let printed = asked(lab, &[flag, OPERATIONS.team]);
    assert_eq!(printed.status.code(), Some(0), "{printed:?}");
    let text = String::from_utf8(printed.stdout).unwrap();
    assert!(
        text.contains("# gonogo: ") && text.contains(", plan "),
        "{text}"
    );
    text
}

fn asked(lab: &Lab, args: &[&str]) -> Output {
    lab.run(&[&["plan", "-i", "inventory.yaml", "features"][..], args].concat())
}

/// The part of a printed text that is for `host`.
fn part<'a>(text: &'a str, host: &str) -> &'a str {
    let begin = format!("\n# on {host}\n");
    let at = text
        .find(&begin)
        .unwrap_or_else(|| panic!("{host}: {text}"));
    let rest = &text[at + begin.len()..];
    &rest[..rest.find("\n# on ").map_or(rest.len(), |end| end + 1)]
}

/// Installs the script of `--forced-command` where the rules say that it is, in a /usr/local of the host's own.
fn install_script(lab: &Lab, host: &Host) {
    use std::os::unix::fs::PermissionsExt as _;
    let script = host
        .path("local/libexec")
        .join(format!("gonogo-{}", OPERATIONS.team));
    std::fs::write(&script, printed(lab, "--forced-command")).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn authorize(host: &Host, account: Account, lines: &str) {
    std::fs::write(host.path("keys").join(account.login()), lines).unwrap();
}
