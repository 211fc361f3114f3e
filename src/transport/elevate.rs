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
        Failure::new(
            FailureKind::Elevate,
            "sudo to run the command unasked",
            actual,
        )
        .with_hint(hint)
    };
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
    let line = stderr
        .lines()
        .rfind(|line| !line.trim().is_empty() && !is_aside(line))
        .filter(is_own)?;
    if line.starts_with("sudo: ") && line.ends_with(": command not found") {
        let hint = "correct the command in the inventory; sudo looks in its own secure_path";
        let actual = text::clip(line, 200).into_owned();
        let missing = Failure::new(FailureKind::Missing, "a command that exists", actual);
        return Some(missing.with_hint(hint));
    }
    Some(match line {
        line if line.contains("password is required") || line.contains("terminal is required") => {
            fail(
                line,
                "allow exactly this command with NOPASSWD in sudoers; gonogo has no password for sudo",
            )
        }
        line if line.contains("must have a tty") => fail(
            line,
            "set `Defaults:USER !requiretty` in sudoers for this account",
        ),
        line if line.contains("not allowed") || line.contains("sudoers") => fail(
            line,
            "allow exactly this command for the account in sudoers, with NOPASSWD",
        ),
        line => fail(line, "see `sudo -n -l` as that account on the host"),
    })
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
        use FailureKind::{Elevate as E, Missing as M};
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
