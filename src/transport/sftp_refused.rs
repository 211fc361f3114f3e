//! Why SFTP did not start. libssh2 has one misleading word for a stream that holds something else
//! ("Timeout waiting for response"), so the subsystem is asked for once more, and what comes is quoted.
//! Reads nothing of the host's files.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use ssh2::Error;

use super::actor::Deadline;
use super::classify;
use super::far::{self, Far};
use crate::failure::{Failure, FailureKind};
use crate::text;

/// `SSH_FXP_INIT`, version 3 (draft-ietf-secsh-filexfer-02, 4).
const INIT: [u8; 9] = [0, 0, 0, 5, 1, 0, 0, 0, 3];
/// The type byte of `SSH_FXP_VERSION`, behind the length.
const VERSION: (usize, u8) = (4, 2);
const MOST: usize = 512;
const PATIENCE: Duration = Duration::from_secs(2);

/// The failure for an `error` of starting SFTP; the session lives on, for commands.
pub(super) fn why(far: &mut Far, error: &Error, deadline: &Deadline) -> Failure {
    if classify::is_refused(error) {
        return match error.message().contains("subsystem") {
            true => none(error),
            false => far::no_channel(error),
        };
    }
    match first_bytes(far, deadline) {
        Some(said) if !said.speaks_sftp() => said.failure(),
        _ => failure(
            &format!("the server gives none: {}", classify::said(error)),
            "look at `Subsystem sftp` in the server's sshd_config and at sshd's log, or set `transport: exec`",
        ),
    }
}

/// The failure of a start that took longer than there was time.
pub(super) fn late(deadline: &Deadline) -> Failure {
    Failure::new(
        FailureKind::Timeout,
        format!("SFTP to begin within {}", deadline.said()),
        "it had not begun by then; the connection was closed",
    )
    .with_hint(
        "an external sftp-server is started by the account's login shell: look whether its .bashrc, \
         .zshenv or .cshrc waits for input, or its home directory hangs; `Subsystem sftp internal-sftp` \
         in sshd_config starts no shell",
    )
}

fn failure(actual: &str, hint: &str) -> Failure {
    Failure::new(FailureKind::Shell, "an SFTP subsystem", actual).with_hint(hint)
}

fn none(error: &Error) -> Failure {
    none_said(&classify::said(error))
}

/// There is none, by the words of either client.
pub(super) fn none_said(said: &str) -> Failure {
    let actual = format!("the server has no subsystem `sftp` for this account: {said}");
    failure(
        &actual,
        "have `Subsystem sftp internal-sftp` set in the server's sshd_config, or set `transport: exec`",
    )
}

/// What came on the subsystem's channel.
pub(super) struct Said {
    pub(super) bytes: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    pub(super) status: Option<i32>,
}

impl Said {
    fn speaks_sftp(&self) -> bool {
        self.bytes.first() == Some(&0) && self.bytes.get(VERSION.0) == Some(&VERSION.1)
    }

    /// What that means.
    pub(super) fn failure(&self) -> Failure {
        let said = [self.bytes.as_slice(), &self.stderr].map(|bytes| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            text.trim().to_owned()
        });
        let low = said.join(" ").to_lowercase();
        let end = match self.status {
            Some(status) => format!(" (exit status {status})"),
            None => String::new(),
        };
        let actual = match &said {
            [bytes, stderr] if bytes.is_empty() && stderr.is_empty() => {
                format!("it ended before it began, and said nothing{end}")
            }
            [bytes, stderr] if bytes.is_empty() => {
                format!("it ended with \"{}\"{end}", text::clip(stderr, 200))
            }
            [bytes, _] => format!(
                "something else spoke on its stream: \"{}\"{end}",
                text::clip(bytes, 200)
            ),
        };
        let hint = if classify::is_closed(self.status) {
            "sshd ends so what an /etc/nologin on the server forbids; its log says `not allowed because \
             /etc/nologin exists`"
        } else if low.contains("not available") || low.contains("nologin") {
            "the account's shell is nologin, and an external sftp-server needs a shell: have \
             `Subsystem sftp internal-sftp` set in sshd_config"
        } else if low.contains("restricted") {
            "the account's restricted shell does not start the external sftp-server: have \
             `Subsystem sftp internal-sftp` set in sshd_config, or set `transport: exec`"
        } else if self.bytes.is_empty() {
            "the account's shell (/bin/false, rbash), an `exit` in its .bashrc or .cshrc or an expired password \
             (`chage -l` on the server) ends it, or sshd_config names no sftp-server that exists: `Subsystem sftp internal-sftp` needs neither"
        } else {
            "the account's .bashrc, .zshenv or .cshrc prints (let it print to terminals only: \
             `[ -t 1 ]`), or a `ForceCommand` or `command=` runs in place of SFTP; \
             `Subsystem sftp internal-sftp` starts no shell, `transport: exec` uses no SFTP"
        };
        failure(&actual, hint)
    }
}

// A peer that plays for time gets none: every wait in here ends with the patience.
fn first_bytes(far: &Far, deadline: &Deadline) -> Option<Said> {
    let patience = Deadline::after(deadline.left()?.min(PATIENCE));
    far.arm_briefly(patience.left()?);
    let mut channel = far.session.channel_session().ok()?;
    channel.subsystem("sftp").ok()?;
    // Whoever is gone already has had his say.
    let _ = channel.write_all(&INIT);
    let (mut bytes, mut stderr) = (Vec::new(), Vec::new());
    far.session.set_blocking(false);
    let mut piece = [0; MOST];
    while !channel.eof() && bytes.len() + stderr.len() < MOST {
        let mut moved = false;
        for (id, kept) in [(0, &mut bytes), (1, &mut stderr)] {
            match channel.stream(id).read(&mut piece) {
                Ok(n) => {
                    moved |= n > 0;
                    kept.extend_from_slice(&piece[..n]);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return None,
            }
        }
        // A greeting is whole with its first piece; a person's text may take a moment.
        if bytes.len() > VERSION.0 && bytes[0] == 0 {
            break;
        }
        let Some(left) = patience.left() else { break };
        if !moved {
            far.rest(left.min(Duration::from_millis(50)));
        }
    }
    let ended = channel.eof();
    far.arm_briefly(Duration::from_secs(1));
    let closed = channel.close().and_then(|()| match ended {
        true => channel.wait_close(),
        false => Ok(()),
    });
    let status = (ended && closed.is_ok()).then(|| channel.exit_status().ok());
    Some(Said {
        bytes,
        stderr,
        status: status.flatten(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_is_told_from_a_text() {
        let said = |bytes: &[u8], stderr: &str, status| Said {
            bytes: bytes.to_vec(),
            stderr: stderr.into(),
            status,
        };
        assert!(said(&[0, 0, 0, 5, 2, 0, 0, 0, 3], "", None).speaks_sftp());
        for (bytes, stderr, actual, hint) in [
            (&b"Welcome\n"[..], "", "\"Welcome\"", "[ -t 1 ]"),
            (b"", "", "said nothing (exit status 1)", "/bin/false"),
            (
                b"This account is currently not available.\n",
                "",
                "not available",
                "nologin",
            ),
            (
                b"",
                "rbash: /x: restricted\n",
                "\"rbash: /x: restricted\"",
                "restricted shell",
            ),
        ] {
            let said = said(bytes, stderr, Some(1));
            assert!(!said.speaks_sftp());
            let failure = said.failure();
            assert!(failure.actual.contains(actual), "{failure}");
            assert!(failure.hint.contains(hint), "{}", failure.hint);
        }
    }
}
