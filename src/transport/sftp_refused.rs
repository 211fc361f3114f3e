//! Why SFTP did not start: by what came in its place. Reads nothing of the host's files.

use super::actor::Deadline;
use super::classify;
use crate::failure::{Failure, FailureKind};
use crate::text;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_in_its_place_says_why() {
        let said = |bytes: &[u8], stderr: &str, status| Said {
            bytes: bytes.to_vec(),
            stderr: stderr.into(),
            status,
        };
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
            let failure = said.failure();
            assert!(failure.actual.contains(actual), "{failure}");
            assert!(failure.hint.contains(hint), "{}", failure.hint);
        }
    }
}
