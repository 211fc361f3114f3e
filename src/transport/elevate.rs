//! `sudo -n`: how a command is elevated, and how sudo's refusal is told from the command's own end.
//! Never asks for a password and never opens a terminal.

use super::Command;
use crate::failure::{Failure, FailureKind};
use crate::inventory::Elevate;
use crate::text;

/// `command` as it reaches the host under `elevate`, for a plan to print: a sudoers rule has to allow
/// exactly what follows `--`.
///
/// An elevated command belongs to another account, so the tether cannot kill it when the client
/// goes: it ends by itself, or at its next write.
#[must_use]
pub fn elevated(elevate: &Elevate, command: &Command) -> Command {
    Command(wrap(elevate, &command.0))
}

/// The words of [`elevated`].
pub(super) fn wrap(elevate: &Elevate, argv: &[String]) -> Vec<String> {
    let mut whole: Vec<String> = match elevate {
        Elevate::None => Vec::new(),
        Elevate::Root => vec!["sudo".into(), "-n".into(), "--".into()],
        Elevate::User(user) => ["sudo", "-n", "-u", user, "--"].map(str::to_owned).into(),
    };
    whole.extend_from_slice(argv);
    whole
}

/// The failure when sudo, and not the command, ended with `status`.
///
/// sudo ends with 1 whenever it refuses (sudo(8), EXIT VALUE) and prints nothing on stdout; its
/// messages are fixed under LC_ALL=C. It may also warn and then run the command all the same, so only
/// the last word counts: after a refusal no command is left that could say anything.
pub(super) fn refusal(
    elevate: &Elevate,
    status: i32,
    stdout: &[u8],
    stderr: &[u8],
) -> Option<Failure> {
    if *elevate == Elevate::None || !stdout.is_empty() {
        return None;
    }
    let stderr = String::from_utf8_lossy(stderr);
    let said = |needle: &str| stderr.lines().find(|line| line.contains(needle));
    let fail = |line: &str, hint: &str| {
        let actual = format!("\"{}\"", text::clip(line.trim(), 200));
        let target = target(elevate);
        let expected = format!("sudo to run the command as {target}, without a password");
        Failure::new(FailureKind::Elevate, expected, actual).with_hint(hint)
    };
    // dash ends with 127 for both, bash with 126 for the second.
    if let (126 | 127, Some(line)) = (status, said("sudo: Permission denied")) {
        return Some(fail(
            line,
            "this account may not execute sudo itself: look at owner, group and mode of /usr/bin/sudo, \
             which some hosts keep for one group",
        ));
    }
    if status == 127 {
        let line = said("sudo").filter(|line| line.contains("not found"))?;
        return Some(fail(
            line,
            "install sudo on the host, or set `elevate: none`",
        ));
    }
    if status != 1 {
        return None;
    }
    let is_own = |line: &&str| {
        line.starts_with("sudo: ")
            || line.starts_with("Sorry, user ")
            || line.contains("is not in the sudoers file")
    };
    stderr
        .lines()
        .rfind(|line| !line.trim().is_empty() && !is_aside(line))
        .filter(is_own)?;
    // The last word tells that it was sudo; the first tells why.
    let line = stderr
        .lines()
        .find(|line| is_own(line) && !is_aside(line))?;
    if line.starts_with("sudo: ") && line.ends_with(": command not found") {
        let hint = match line.contains('/') {
            true => {
                "it is not there, or no one may execute it: sudo tells no difference; correct the command in the inventory, or have it made executable"
            }
            false => {
                "sudo looks in its own `secure_path`: write the program's whole path in the inventory"
            }
        };
        let actual = text::clip(line, 200).into_owned();
        let missing = Failure::new(FailureKind::Missing, "a command that exists", actual);
        return Some(missing.with_hint(hint));
    }
    if line.starts_with("sudo: unable to execute ") {
        let actual = text::clip(line, 200).into_owned();
        let denied = FailureKind::Denied;
        let denied = Failure::new(denied, "a program that may be executed", actual);
        return Some(denied.with_hint("look at owner, group and mode of the program and of every directory above it, and for a mount with `noexec`"));
    }
    let mut failure = fail(line, hint(line));
    if let Some(syntax) = said(": syntax error") {
        failure.actual = format!(
            "{}, after \"{}\"",
            failure.actual,
            text::clip(syntax.trim(), 200)
        );
        failure.hint = format!(
            "have sudoers repaired, so that the rules behind the error count (`visudo -c` shows it); {}",
            failure.hint
        );
    }
    Some(failure)
}

/// Whose rights the command is to have.
fn target(elevate: &Elevate) -> &str {
    match elevate {
        Elevate::User(user) => user,
        Elevate::None | Elevate::Root => "root",
    }
}

const RULES: &str = "have sudoers allow exactly this command with NOPASSWD: `gonogo plan --sudoers TEAM` prints the rules, `sudo -n -l` \
                     as that account tells which are there; gonogo has no password for sudo";

/// What to do about sudo's own `line`.
fn hint(line: &str) -> &'static str {
    let says = |words: &[&str]| words.iter().any(|word| line.contains(word));
    if says(&[
        "password is required",
        "terminal is required",
        "authentication is required",
    ]) {
        return RULES;
    }
    if says(&["must have a tty"]) {
        "set `Defaults:USER !requiretty` in sudoers for this account"
    } else if says(&["unknown user", "unknown uid"]) {
        "this host has no such account: correct `elevate` in the inventory, for this host or team"
    } else if says(&["invalid shell"]) {
        "the target account's shell is not in /etc/shells: remove `runas_check_shell` from sudoers for this account, or change that shell"
    } else if says(&["nosuid", "setuid bit", "no new privileges"]) {
        "sudo itself cannot become root there: look at its mode (4755 root), at a mount with `nosuid`, and at a container's `no_new_privileges`"
    } else if says(&["expired"]) {
        "an account is expired for PAM: `chage -l` shows it for the login account and the target"
    } else if says(&["not allowed", "not in the sudoers"]) {
        RULES
    } else if says(&["sudoers", "writable", "owned by"]) {
        "sudo refuses its own rules: `visudo -c` shows what is wrong with sudoers, its owner or its mode"
    } else {
        "see `sudo -n -l` as that account on the host"
    }
}

/// What sudo says and goes on: its resolver and its limits are no matter of the rules.
fn is_aside(line: &str) -> bool {
    line.starts_with("sudo: unable to resolve host")
        || line.starts_with("sudo: setrlimit")
        || line.starts_with("This incident ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_only_what_is_elevated() {
        let argv = ["cat".to_owned(), "/x".to_owned()];
        assert_eq!(wrap(&Elevate::None, &argv), argv);
        assert_eq!(wrap(&Elevate::Root, &argv).join(" "), "sudo -n -- cat /x");
        let user = wrap(&Elevate::User("amps".into()), &argv);
        assert_eq!(user.join(" "), "sudo -n -u amps -- cat /x");
    }

    #[test]
    fn tells_sudo_from_the_command() {
        use FailureKind::{Denied as D, Elevate as E, Missing as M};
        for (status, stdout, stderr, kind) in [
            (1, "", "sudo: a password is required\n", Some(E)),
            (
                1,
                "",
                "sudo: sorry, you must have a tty to run sudo\n",
                Some(E),
            ),
            (
                1,
                "",
                "Sorry, user ops is not allowed to execute '/bin/cat /x' as root on h.\n",
                Some(E),
            ),
            (1, "", "ops is not in the sudoers file.\n", Some(E)),
            (
                1,
                "",
                "\nlecture\nsudo: a terminal is required to read the password\n",
                Some(E),
            ),
            (1, "", "sudo: unknown user: amps\n", Some(E)),
            (
                1,
                "",
                "sudo: unable to execute /x: Permission denied\n",
                Some(D),
            ),
            (
                1,
                "",
                "ops is not in the sudoers file.\nThis incident has been reported to the administrator.\n",
                Some(E),
            ),
            (
                1,
                "",
                "sudo: unable to resolve host h: Name or service not known\nsudo: a password is required\n",
                Some(E),
            ),
            (
                1,
                "",
                "sudo: unable to resolve host h: Name or service not known\nstat: cannot statx '/x': No such file or directory\n",
                None,
            ),
            (
                1,
                "",
                "sudo: unable to resolve host h: Name or service not known\n",
                None,
            ),
            (127, "", "sh: 1: sudo: not found\n", Some(E)),
            (1, "", "sudo: nope: command not found\n", Some(M)),
            (1, "", "cat: /x: No such file or directory\n", None),
            (127, "", "sh: 1: cat: not found\n", None),
            (0, "", "sudo: a password is required\n", None),
            (1, "x", "sudo: a password is required\n", None),
        ] {
            let got = refusal(&Elevate::Root, status, stdout.as_bytes(), stderr.as_bytes());
            assert_eq!(got.map(|failure| failure.kind), kind, "{stderr}");
        }
        let not = refusal(&Elevate::None, 1, b"", b"sudo: a password is required\n");
        assert_eq!(not, None);
    }
}
