//! Why a program did not do what it was started for, told apart by what the shell, the loader and the
//! program itself say under LC_ALL=C. Runs nothing and looks at no file: whoever may look further
//! (`steps/denied.rs`) does.
//!
//! Wordings were measured with dash 0.5.12, bash 5.2, glibc 2.36 and BusyBox 1.35; those of musl are of
//! its ldso/dynlink.c.

use super::redact::Capture;
use crate::failure::{Failure, FailureKind};
use crate::text;
use crate::transport::Output;

/// Most bytes of each stream that are looked at.
const HEAD: usize = 256 * 1024;

/// What to do when the program is there and its interpreter is not.
pub const NO_INTERPRETER: &str = "the program is there, and what is to run it is not: see the first line of the script (`head -n 1`), or the loader that the binary names (`readelf -l`), and have that installed on the host";

/// What is expected where a shell says of an absolute path no more than that it is not found.
pub const A_PROGRAM: &str = "a program at this path";

const LICENSED: &str = "a product with a valid licence";
const LICENCE_HINT: &str = "have the licence renewed, or its file or licence server reached from this host; support will ask for it first";

/// The failure that an exit status other than 0 means, `line` being the command as the plan prints it.
#[must_use]
pub fn refused(output: &Output, words: &[String], line: &str) -> Failure {
    let said = Said::of(output);
    let why = linking(&said)
        .or_else(|| executing(&said))
        .or_else(|| sudo(&said, words))
        .or_else(|| licence(&said))
        .or_else(|| killed(output.status))
        .unwrap_or_else(|| by_status(output.status, &said));
    let quoted = match why.line.or_else(|| said.last()) {
        None => ", and nothing printed".to_owned(),
        Some(line) => format!(", and `{}`", quote(line)),
    };
    let actual = format!("exit status {}{}{quoted}", output.status, why.signal);
    Failure::new(why.kind, why.expected, actual)
        .with_subject(line)
        .with_hint(why.hint)
}

/// The failure when what was printed speaks of a licence that is missing or no longer good, whatever
/// the exit status: some products end with 0.
#[must_use]
pub fn unlicensed(text: &str) -> Option<Failure> {
    let line = text.lines().find(|line| is_unlicensed(line))?;
    let actual = format!("`{}`", quote(line));
    Some(Failure::new(FailureKind::Mismatch, LICENSED, actual).with_hint(LICENCE_HINT))
}

/// Whether a line says that the licence is missing or no longer good. A licence that will expire has
/// not.
#[must_use]
pub fn is_unlicensed(line: &str) -> bool {
    const WRONG: [&str; 13] = [
        "expired",
        "invalid",
        "not valid",
        "not found",
        "no valid",
        "no such file",
        "cannot open",
        "could not",
        "missing",
        "denied",
        "revoked",
        "exceeded",
        "no licen",
    ];
    let line = line.to_lowercase();
    let names = line.contains("license") || line.contains("licence");
    names && WRONG.iter().any(|wrong| line.contains(wrong))
}

struct Why<'s> {
    kind: FailureKind,
    expected: String,
    /// The line that tells it; the last one when none does.
    line: Option<&'s str>,
    /// What the exit status says beside being one.
    signal: String,
    hint: String,
}

impl<'s> Why<'s> {
    fn new(kind: FailureKind, expected: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            kind,
            expected: expected.into(),
            line: None,
            signal: String::new(),
            hint: hint.into(),
        }
    }

    fn told_by(self, line: &'s str) -> Self {
        Self {
            line: Some(line),
            ..self
        }
    }
}

/// What was said, stdout and then stderr.
struct Said(String);

impl Said {
    fn of(output: &Output) -> Self {
        let head = |bytes: &[u8]| {
            let bytes = &bytes[..bytes.len().min(HEAD)];
            String::from_utf8_lossy(bytes).into_owned()
        };
        Self(format!(
            "{}\n{}",
            head(&output.stdout),
            head(&output.stderr)
        ))
    }

    fn lines(&self) -> impl DoubleEndedIterator<Item = &str> {
        let lines = self.0.lines().map(str::trim);
        lines.filter(|line| !line.is_empty())
    }

    fn last(&self) -> Option<&str> {
        self.lines().next_back()
    }
}

fn quote(line: &str) -> String {
    let redacted = Capture::new(line).redact().text;
    text::clip(&text::escape(redacted.trim()), 160).into_owned()
}

/// What stands between `before` and the next `after`.
fn between<'l>(line: &'l str, before: &str, after: char) -> Option<&'l str> {
    let (_, rest) = line.split_once(before)?;
    let found = rest.split(after).next()?.trim();
    (!found.is_empty()).then_some(found)
}

/// The dynamic linker could not put the program together.
fn linking(said: &Said) -> Option<Why<'_>> {
    const HINT: &str = "install the library on this host, or set the environment that the product's own start script sets (`command: [env, \"LD_LIBRARY_PATH=…\", PROGRAM]`): `ldd PROGRAM` as this account shows what it finds";
    said.lines().find_map(|line| {
        let library = between(line, "error while loading shared libraries: ", ':')
            .or_else(|| between(line, "Error loading shared library ", ':'));
        if let Some(library) = library {
            let expected = format!("shared library {}", quote(library));
            // The loader says more than that it is not there, such as `wrong ELF class`.
            let is_there = line.contains("wrong ELF class") || line.contains("invalid ELF header");
            let kind = match (is_there, line.contains("Permission denied")) {
                (true, _) => FailureKind::Mismatch,
                (_, true) => FailureKind::Denied,
                _ => FailureKind::Missing,
            };
            return Some(Why::new(kind, expected, HINT).told_by(line));
        }
        let other_release = line.contains("symbol lookup error: ")
            || line.contains("Error relocating ") && line.ends_with("symbol not found")
            || line.contains(": version `") && line.contains("not found (required by");
        other_release.then(|| {
            let hint = "a library of this host is of another release than the program was built with: see which one `ldd PROGRAM` finds as this account, and what the product's own start script sets (LD_LIBRARY_PATH)";
            let expected = "shared libraries of the release that the program was built with";
            Why::new(FailureKind::Mismatch, expected, hint).told_by(line)
        })
    })
}

/// The kernel could not execute it.
fn executing(said: &Said) -> Option<Why<'_>> {
    said.lines().find_map(|line| {
        if line.ends_with("Exec format error") || line.contains("cannot execute binary file") {
            let hint = "the program was built for another processor or is damaged: compare `file PROGRAM` with `uname -m` on this host, and install the product's build for it";
            let expected = "a program for this host's processor";
            return Some(Why::new(FailureKind::Mismatch, expected, hint).told_by(line));
        }
        let by_bash = line.contains(": bad interpreter: ") || line.ends_with("required file not found");
        // A script that begins with `#!/usr/bin/env NAME`.
        let by_env = line.contains("/env: ") && line.ends_with("No such file or directory");
        (by_bash || by_env).then(|| {
            let expected = "the interpreter that the program names in its first line";
            let hint = match by_env {
                true => "the interpreter is not in the PATH of a shell that is no login shell: have it installed, or name it first in `command:` with its absolute path",
                false => NO_INTERPRETER,
            };
            Why::new(FailureKind::Missing, expected, hint).told_by(line)
        })
    })
}

/// A `sudo` that the inventory's own command begins with.
fn sudo<'s>(said: &'s Said, words: &[String]) -> Option<Why<'s>> {
    let program = words.first()?.rsplit('/').next()?;
    let line = (program == "sudo")
        .then(|| said.lines().rev().find(|line| line.starts_with("sudo: ")))??;
    let asks = ["password is required", "terminal is required", "a password"];
    asks.iter().any(|words| line.contains(words)).then(|| {
        let hint = "gonogo has no password for sudo: take `sudo` out of `command:`, set `elevate` for the team or host, and have the rules of `gonogo plan --sudoers TEAM` installed";
        let expected = "sudo to run the command without a password";
        Why::new(FailureKind::Elevate, expected, hint).told_by(line)
    })
}

fn licence(said: &Said) -> Option<Why<'_>> {
    let line = said.lines().find(|line| is_unlicensed(line))?;
    Some(Why::new(FailureKind::Mismatch, LICENSED, LICENCE_HINT).told_by(line))
}

/// A shell tells a signal as 128 more than its number (POSIX.1-2017, XCU 2.8.2). A program may also end
/// so by itself; numbers are those of Linux on x86 and ARM.
fn killed(status: i32) -> Option<Why<'static>> {
    let (signal, hint) = match status - 128 {
        4 => (
            "SIGILL",
            "the processor of this host lacks an instruction that the program needs: install the build for older processors, when the product has one (AMPS: `ampServer-compat`)",
        ),
        6 => (
            "SIGABRT",
            "the program gave up: see what it printed, and run it by hand as this account",
        ),
        7 => (
            "SIGBUS",
            "a file that the program maps was cut or the disk failed: look in the kernel's log",
        ),
        9 => (
            "SIGKILL",
            "somebody or the kernel killed it: look in the kernel's log for the OOM killer, and at the account's limits (`ulimit -a`)",
        ),
        11 => (
            "SIGSEGV",
            "the program crashed: run it by hand as this account, and look for a core dump",
        ),
        15 => (
            "SIGTERM",
            "somebody ended it: look for a watchdog on the host",
        ),
        24 => (
            "SIGXCPU",
            "the account's limit of processor time is too small: see `ulimit -t`",
        ),
        25 => (
            "SIGXFSZ",
            "the account's limit of file size is too small: see `ulimit -f`",
        ),
        31 => (
            "SIGSYS",
            "a seccomp filter forbids what the program does: look at the unit or container that sshd runs in",
        ),
        _ => return None,
    };
    let why = Why::new(FailureKind::Io, "a program that ends by itself", hint);
    Some(Why {
        signal: format!(" (killed by {signal})"),
        ..why
    })
}

/// POSIX sh: 126 not executable, 127 not found.
fn by_status(status: i32, said: &Said) -> Why<'_> {
    match status {
        126 => Why::new(
            FailureKind::Denied,
            "exit status 0",
            "the program exists and this account may not execute it: check its mode and the directories above it",
        ),
        127 => not_found(said),
        _ => Why::new(
            FailureKind::Mismatch,
            "exit status 0",
            "run the command by hand with this account to see why it fails",
        ),
    }
}

fn not_found(said: &Said) -> Why<'_> {
    // `sh: 1: NAME: not found`, `bash: line 1: NAME: command not found`, `env: 'NAME': No such file …`
    let name = said.lines().rev().find_map(|line| {
        let ends = [
            ": command not found",
            ": not found",
            ": No such file or directory",
        ];
        let before = ends.iter().find_map(|end| line.strip_suffix(end))?;
        let name = before.rsplit(": ").next()?.trim_matches(['\'', '‘', '’']);
        Some((name, line))
    });
    match name {
        Some((name, line)) if !name.contains('/') => {
            let expected = format!(
                "`{}` in the PATH of a shell that is no login shell",
                quote(name)
            );
            let hint = "give its absolute path in `command:` (`command -v` as this account, after a login, tells it): what /etc/profile and the account's .profile or .bash_profile add to PATH counts for logins only";
            Why::new(FailureKind::Missing, expected, hint).told_by(line)
        }
        _ => Why::new(
            FailureKind::Missing,
            A_PROGRAM,
            "there is none on this host: check the path in `command:` and the instance's `vars`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(status: i32, stderr: &str) -> Failure {
        let output = Output {
            stdout: Vec::new(),
            stderr: stderr.into(),
            status,
        };
        refused(&output, &["ampServer".to_owned()], "ampServer --version")
    }

    #[test]
    fn each_refusal_has_its_own_kind_and_words() {
        use FailureKind::{Denied, Io, Mismatch, Missing};
        let lib = "error while loading shared libraries: libamps.so.5: cannot open shared object file: No such file or directory";
        for (status, stderr, kind, expected) in [
            (
                127,
                "sh: 1: ampServer: not found",
                Missing,
                "`ampServer` in the PATH",
            ),
            (
                127,
                "bash: line 1: ampServer: command not found",
                Missing,
                "`ampServer` in the PATH",
            ),
            (
                127,
                "env: 'ampServer': No such file or directory",
                Missing,
                "`ampServer` in the PATH",
            ),
            (
                127,
                "sh: 1: /opt/amps/bin/ampServer: not found",
                Missing,
                "a program at this path",
            ),
            (
                127,
                "bash: /opt/x/ampServer: No such file or directory",
                Missing,
                "a program at this path",
            ),
            (
                127,
                &format!("/opt/x/ampServer: {lib}"),
                Missing,
                "shared library libamps.so.5",
            ),
            (
                127,
                "Error loading shared library libamps.so.5: No such file or directory (needed by /opt/x)",
                Missing,
                "shared library libamps.so.5",
            ),
            (
                127,
                "Error relocating /opt/x: amps_open: symbol not found",
                Mismatch,
                "shared libraries of the release",
            ),
            (
                127,
                "/opt/x: symbol lookup error: /opt/x: undefined symbol: amps_open",
                Mismatch,
                "shared libraries of the release",
            ),
            (
                1,
                "/opt/x: /lib/libc.so.6: version `GLIBC_2.38' not found (required by /opt/x)",
                Mismatch,
                "shared libraries of the release",
            ),
            (
                127,
                "/opt/x: error while loading shared libraries: liba.so: wrong ELF class: ELFCLASS32",
                Mismatch,
                "shared library liba.so",
            ),
            (
                126,
                "sh: 1: /opt/x: Exec format error",
                Mismatch,
                "a program for this host's processor",
            ),
            (
                126,
                "bash: /opt/x: cannot execute binary file: Exec format error",
                Mismatch,
                "a program for this host's processor",
            ),
            (
                126,
                "bash: /opt/x: /opt/none/python: bad interpreter: No such file or directory",
                Missing,
                "the interpreter",
            ),
            (
                127,
                "bash: /opt/x: cannot execute: required file not found",
                Missing,
                "the interpreter",
            ),
            (
                127,
                "/usr/bin/env: 'python': No such file or directory",
                Missing,
                "the interpreter",
            ),
            (
                126,
                "sh: 1: /opt/x: Permission denied",
                Denied,
                "exit status 0",
            ),
            (
                1,
                "FATAL: license /opt/amps/amps.lic has expired",
                Mismatch,
                LICENSED,
            ),
            (3, "no valid licence was found", Mismatch, LICENSED),
            (137, "", Io, "a program that ends by itself"),
            (132, "", Io, "a program that ends by itself"),
            (1, "bad option", Mismatch, "exit status 0"),
        ] {
            let failure = judge(status, stderr);
            assert_eq!(failure.kind, kind, "{stderr}");
            assert!(
                failure.expected.starts_with(expected),
                "{stderr}: {}",
                failure.expected
            );
            let status = format!("exit status {status}");
            assert!(failure.actual.starts_with(&status), "{}", failure.actual);
            assert!(!failure.hint.is_empty());
        }
        let actual = judge(137, "").actual;
        assert_eq!(
            actual,
            "exit status 137 (killed by SIGKILL), and nothing printed"
        );
    }

    #[test]
    fn sudo_in_the_command_itself_is_told() {
        let lecture = "We trust you have received the usual lecture from the local System\n\nsudo: a password is required\n";
        let output = Output {
            stdout: Vec::new(),
            stderr: lecture.into(),
            status: 1,
        };
        let words = ["sudo", "-n", "ampServer"].map(str::to_owned);
        assert_eq!(refused(&output, &words, "x").kind, FailureKind::Elevate);
        let words = ["ampServer"].map(str::to_owned);
        assert_eq!(refused(&output, &words, "x").kind, FailureKind::Mismatch);
    }

    #[test]
    fn a_licence_that_is_good_is_no_refusal() {
        for fine in [
            "Licensed under the Apache License, Version 2.0",
            "License expires on 2027-01-01",
            "licence valid until 2027",
            "connection expired",
        ] {
            assert!(unlicensed(fine).is_none(), "{fine}");
        }
        let failure = unlicensed("AMPS\nLicense expired on 2025-01-01 token=hunter2\n").unwrap();
        assert_eq!(
            failure.actual,
            "`License expired on 2025-01-01 token=[redacted]`"
        );
    }
}
