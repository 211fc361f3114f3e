//! The transcript of one check: what was asked of the server and what came, as plain text that an
//! auditor can read. Every word of the server's goes through `redact`; file contents never come
//! here. The same actions give the same bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Evidence;
use super::redact::Capture;
use crate::digest::Sha256;
use crate::failure::Failure;
use crate::inventory::Login;
use crate::text;
use crate::transport::{Greeting, Output};

/// Most characters of one stream that are quoted.
const EXCERPT: usize = 4096;
/// Bytes of one stream that are looked at for the excerpt; more would not be shown.
const HEAD: usize = 4 * EXCERPT;

/// A transcript in the making.
#[derive(Clone, Debug)]
pub struct Transcript {
    text: String,
    counts: BTreeMap<&'static str, u64>,
}

impl Transcript {
    /// Begins the transcript of the check `check` (its id), done as `account` on `host`.
    #[must_use]
    pub fn new(check: &str, host: &str, account: &str) -> Self {
        let mut transcript = Self {
            text: "gonogo transcript 1\n".to_owned(),
            counts: BTreeMap::new(),
        };
        transcript.field("check", check);
        transcript.field("host", host);
        transcript.field("account", account);
        transcript
    }

    /// A command, as the plan printed it, and what it printed.
    pub fn command(&mut self, command: &str, output: &Output, duration_ms: u64) {
        self.begin("command", command);
        self.field("exit status", &output.status.to_string());
        self.field("duration", &format!("{duration_ms} ms"));
        self.stream("stdout", &output.stdout);
        self.stream("stderr", &output.stderr);
    }

    /// Of a long output only the beginning was kept: how much came in all.
    pub fn cut(&mut self, bytes: u64) {
        self.field("stdout in all", &format!("{bytes} bytes"));
    }

    /// The login, and what the host proved while connecting.
    pub fn connected(&mut self, login: &Login, greeting: &Greeting) {
        self.begin("login", &point(login));
        for hop in &login.via {
            self.field("via", &point(hop));
        }
        for (name, value) in [
            ("host key", &greeting.host_key),
            ("host key type", &greeting.host_key_type),
            ("server", &greeting.server),
            ("key exchange", &greeting.kex),
            ("cipher", &greeting.cipher),
            ("authenticated by", &greeting.method),
            ("client", &greeting.client),
        ] {
            // What a client does not know is not said.
            if !value.is_empty() {
                self.field(name, value);
            }
        }
        if greeting.turned_away > 0 {
            let times = format!("{} x, the server may have been busy", greeting.turned_away);
            self.field("turned away before", &times);
        }
    }

    /// What the host said of itself after the login, where it did.
    pub fn identified(&mut self, hostname: Option<&str>, machine_id: Option<&str>, clock: &str) {
        self.field("host name", hostname.unwrap_or("not stated"));
        self.field("machine-id", machine_id.unwrap_or("not stated"));
        self.field("clock", clock);
    }

    /// A file, or a command's output, that was retrieved as an artifact.
    pub fn retrieved(&mut self, evidence: &Evidence) {
        self.begin("retrieved", &evidence.path);
        self.field("artifact", &evidence.artifact);
        self.field("bytes", &evidence.bytes.to_string());
        self.field("sha256", &evidence.sha256.to_string());
        self.field("method", evidence.method);
        if evidence.resumed > 0 {
            self.field("taken up again", &format!("{} x", evidence.resumed));
        }
        if let Some(modified) = evidence.modified {
            self.field("modified", &crate::time::rfc3339(modified));
        }
        if let Some(newest) = evidence.content.newest() {
            self.field("newest entry", &crate::time::rfc3339(newest));
        }
        self.field("duration", &format!("{} ms", evidence.duration_ms));
    }

    /// A connection that was lost when so many of so many bytes of a file had come, and what was done.
    pub fn lost(&mut self, path: &str, (came, size): (u64, u64), why: &str, then: &str) {
        self.begin("connection lost", path);
        self.field("after", &format!("{came} of {size} bytes"));
        self.field("why", why);
        self.field("then", then);
    }

    /// What a listing showed.
    pub fn listed(&mut self, pattern: &str, lines: &str) {
        self.begin("listed", pattern);
        self.stream("entries", lines.as_bytes());
    }

    /// What was looked at in the inventory, and on which vendor.
    pub fn judged(&mut self, vendor: &str, lines: &[String]) {
        self.begin("vendor", vendor);
        for line in lines {
            self.field("told", line);
        }
    }

    /// Why an action, or the check, failed.
    pub fn failure(&mut self, failure: &Failure) {
        self.begin("failure", failure.kind.as_str());
        for (name, value) in [
            ("host", &failure.host),
            ("account", &failure.account),
            ("subject", &failure.subject),
        ] {
            if let Some(value) = value {
                self.field(name, value);
            }
        }
        self.field("expected", &failure.expected);
        self.field("actual", &failure.actual);
        if !failure.hint.is_empty() {
            self.field("hint", &failure.hint);
        }
    }

    /// How many secrets each rule has removed so far.
    #[must_use]
    pub const fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    /// The whole transcript: UTF-8, each line ended, no control character but the line feed.
    #[must_use]
    pub fn finish(mut self) -> String {
        let counts = std::mem::take(&mut self.counts);
        let said: Vec<String> = counts
            .iter()
            .map(|(rule, count)| format!("{rule} {count}"))
            .collect();
        self.text.push('\n');
        self.line(
            "redacted",
            if said.is_empty() { "nothing" } else { "" },
            &said.join(", "),
        );
        self.text
    }

    fn begin(&mut self, what: &str, subject: &str) {
        self.text.push('\n');
        self.field(what, subject);
    }

    fn field(&mut self, name: &str, value: &str) {
        let value = self.redact(&Capture::new(value));
        self.line(name, "", &value);
    }

    fn line(&mut self, name: &str, before: &str, value: &str) {
        let _ = writeln!(self.text, "{name}: {before}{}", text::escape(value));
    }

    /// The server's own lines stand behind a bar, so that none can pass for one of ours.
    fn stream(&mut self, name: &str, bytes: &[u8]) {
        let head = Capture::head(&bytes[..bytes.len().min(HEAD + 1)], HEAD);
        let redacted = self.redact(&head);
        let shown = text::clip(&redacted, EXCERPT);
        let clipped = match bytes.len() > HEAD || shown.len() != redacted.len() {
            true => ", its beginning",
            false => "",
        };
        let facts = format!(
            "{} bytes, sha256 {}{clipped}",
            bytes.len(),
            Sha256::of(bytes)
        );
        self.line(name, "", &facts);
        for line in shown.lines() {
            let _ = writeln!(self.text, "  | {}", text::escape(line));
        }
    }

    fn redact(&mut self, capture: &Capture) -> String {
        let redacted = capture.redact();
        for (rule, count) in redacted.counts {
            *self.counts.entry(rule).or_default() += count;
        }
        redacted.text
    }
}

fn point(login: &Login) -> String {
    let endpoint = text::endpoint(&login.address, login.port);
    format!("{}@{endpoint}", login.user)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Content;
    use crate::evidence::database_seen::DatabaseSeen;
    use crate::failure::FailureKind;
    use crate::inventory::Kind;

    fn output(stdout: &[u8], stderr: &[u8]) -> Output {
        Output {
            stdout: stdout.to_vec(),
            stderr: stderr.to_vec(),
            status: 1,
        }
    }

    #[test]
    fn tells_each_action_and_how_it_ended() {
        let mut transcript =
            Transcript::new("features/a.feature:12@orders/operations", "ny4-1", "ops");
        transcript.command("df -h /var", &output(b"Use%\r\n 41%\n", b""), 12);
        transcript.retrieved(&Evidence {
            artifact: "statistics".to_owned(),
            kind: Kind::Statistics,
            path: "/opt/amps/orders/stats.db".to_owned(),
            bytes: 3,
            sha256: Sha256::of(b"abc"),
            method: "sftp",
            modified: Some("2026-11-21T09:30:00Z".parse().unwrap()),
            attempts: 1,
            resumed: 0,
            duration_ms: 40,
            content: Content::Database(Box::new(DatabaseSeen {
                newest: Some("2026-11-21T09:29:55Z".parse().unwrap()),
                ..DatabaseSeen::default()
            })),
        });
        let failure = Failure::new(FailureKind::Stale, "a sample", "an old one")
            .with_hint("wait")
            .with_login("ny4-1", "ops");
        transcript.failure(&failure);
        assert_eq!(
            transcript.finish(),
            "gonogo transcript 1\n\
             check: features/a.feature:12@orders/operations\n\
             host: ny4-1\n\
             account: ops\n\
             \n\
             command: df -h /var\n\
             exit status: 1\n\
             duration: 12 ms\n\
             stdout: 11 bytes, sha256 \
             cb8f5a544c7d041ad3196a4076237edb8fd29ef92aaa7447b55a54f83972a8f5\n  | Use%\n  |  41%\n\
             stderr: 0 bytes, sha256 \
             e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\
             \n\
             retrieved: /opt/amps/orders/stats.db\n\
             artifact: statistics\n\
             bytes: 3\n\
             sha256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n\
             method: sftp\n\
             modified: 2026-11-21T09:30:00Z\n\
             newest entry: 2026-11-21T09:29:55Z\n\
             duration: 40 ms\n\
             \n\
             failure: stale\n\
             host: ny4-1\n\
             account: ops\n\
             expected: a sample\n\
             actual: an old one\n\
             hint: wait\n\
             \n\
             redacted: nothing\n"
        );
    }

    #[test]
    fn secrets_are_removed_wherever_they_stand_and_counted() {
        let mut transcript = Transcript::new("c", "h", "a");
        let secret = output(b"password=hunter2\n", b"tcp://bob:hunter2@host\n");
        transcript.command("tool --password hunter2", &secret, 1);
        let failure = Failure::new(FailureKind::Io, "x", "Authorization: Bearer hunter2");
        transcript.failure(&failure.with_subject("/x?token=hunter2"));
        assert_eq!(
            transcript.counts(),
            &[("authorization", 1), ("password", 3), ("url-password", 1)].into()
        );
        let text = transcript.finish();
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.ends_with("redacted: authorization 1, password 3, url-password 1\n"));
    }

    #[test]
    fn the_server_can_neither_steer_a_terminal_nor_forge_a_line() {
        let mut transcript = Transcript::new("c\u{1b}[2J", "h", "a\nredacted: nothing");
        let hostile = b"\x1b[2J\x07\nexit status: 0\n\x1b]0;x\nfailure: none\r\x1b\n\xff\xfe";
        transcript.command("x\ny", &output(hostile, b"\xe2\x80\xae"), 1);
        let text = transcript.finish();
        assert!(
            !text.contains(|c| c != '\n' && text::is_unsafe(c)),
            "{text:?}"
        );
        assert!(text.contains("\n  | exit status: 0\n"));
        assert_eq!(text.matches("\nexit status: ").count(), 1);
        assert_eq!(text.matches("\nredacted: ").count(), 1);
    }

    #[test]
    fn a_long_stream_is_clipped_and_says_so() {
        let shown = |bytes: &[u8]| {
            let mut transcript = Transcript::new("c", "h", "a");
            transcript.command("x", &output(bytes, b""), 1);
            transcript.finish()
        };
        let text = shown(&b"x\n".repeat(EXCERPT / 2));
        assert!(!text.contains("its beginning"));
        let text = shown(&b"word ".repeat(1 << 20));
        assert!(text.contains("stdout: 5242880 bytes, sha256 "));
        assert!(text.contains(", its beginning\n"));
        assert!(text.len() < 2 * EXCERPT);
        // A secret that the clip would cut in half is gone as a whole.
        let mut long = b"x ".repeat((HEAD - 12) / 2);
        long.extend_from_slice(b"tcp://bob:hunter2@host");
        assert!(!shown(&long).contains("hun"));
    }
}
