//! The only way out for raw text: `Capture` (raw, neither printed nor serialised) → `Redacted`.
//!
//! Secrets are removed; identifiers (hosts, users, addresses) are not, because an auditor needs
//! them. What was removed is counted by rule (`rules.rs`). Nothing is escaped for a terminal here,
//! line breaks stay: renderers escape.
//!
//! What no rule can see, and what therefore must not be asked for: a secret without any name or
//! form, and a name that is broken in the middle by a line break.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

use super::hints::may_hold_a_secret;
use super::rules;
use crate::text;

pub use super::hints::HINTS;
pub use super::rules::{MARK, Secret, compile, names_secret, secrets};

/// Raw bytes of a production server. They can only be redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct Capture(Vec<u8>);

/// Text without secrets, and how many each rule removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redacted {
    /// The text, terminal colours and invisible characters taken out, invalid UTF-8 as U+FFFD.
    pub text: String,
    /// Rule name → secrets removed.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Capture {
    /// Takes the whole of `bytes`.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Takes the first `limit` bytes of `bytes`. When that clips them, the last word goes as well:
    /// of half a secret the rules may not know that it is one.
    #[must_use]
    pub fn head(bytes: impl Into<Vec<u8>>, limit: usize) -> Self {
        let mut bytes = bytes.into();
        if bytes.len() > limit {
            bytes.truncate(limit);
            let blank = bytes.iter().rposition(u8::is_ascii_whitespace);
            bytes.truncate(blank.unwrap_or(0));
        }
        Self(bytes)
    }

    /// Number of raw bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text without secrets.
    #[must_use]
    pub fn redact(&self) -> Redacted {
        let mut redacted = Redacted {
            text: self.plain(),
            counts: BTreeMap::new(),
        };
        if !may_hold_a_secret(&redacted.text) {
            return redacted;
        }
        // A second pass must find nothing (facts: artifacts.md 9, advice 5). Taking a secret out can
        // bring another form to light once; more rounds than this would be a rule fighting itself.
        for _ in 0..4 {
            let found = rules::apply(&mut redacted.text, &mut redacted.counts);
            if !found {
                break;
            }
        }
        redacted
    }

    /// At most `most` characters of the text without secrets, on one line, safe to show: for the
    /// `actual` of a failure.
    #[must_use]
    pub fn excerpt(&self, most: usize) -> String {
        let redacted = self.redact();
        let text = redacted.text.trim();
        text::clip(&text::escape(text), most).into_owned()
    }

    /// The text as a person would see it: without terminal colours, overstrikes, NUL and invisible
    /// characters, behind which a secret could hide from the rules. Raw: only `redaction` takes it, to redact it.
    #[must_use]
    pub fn plain(&self) -> String {
        static DRESSING: LazyLock<Regex> = LazyLock::new(|| {
            rules::compile(concat!(
                // CSI, OSC with its end, other escapes (ECMA-48, 5.4), in 7 and 8 bits.
                r"(?:\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]",
                r"|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)",
                r"|\x1b[ -/]*[0-Z\\^-~]",
                r"|[^\x08\n]\x08",
                r"|[\x00\u{ad}\u{61c}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{206f}\u{feff}]",
            ))
        });
        let mut text = String::from_utf8_lossy(&self.0).into_owned();
        // Taking one out can join the halves of another; hostile text may nest them deeper than
        // this, and then keeps some escapes, which renderers make harmless.
        for _ in 0..8 {
            match DRESSING.replace_all(&text, "") {
                Cow::Borrowed(_) => break,
                Cow::Owned(plainer) => text = plainer,
            }
        }
        text
    }
}

// Raw bytes of a production server stay out of logs and panics.
impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Capture({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redact(text: &str) -> Redacted {
        let once = Capture::new(text).redact();
        let twice = Capture::new(once.text.as_str()).redact();
        assert_eq!(twice.text, once.text, "not idempotent on {text:?}");
        assert_eq!(
            twice.counts,
            BTreeMap::new(),
            "found again in {:?}",
            once.text
        );
        once
    }

    const PEM: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\nhunter2\n\
                       -----END OPENSSH PRIVATE KEY-----";

    const FORMS: &[(&str, &str)] = &[
        ("password", "password=hunter2"),
        ("password", "user=bob password=hunter2 host=x"),
        ("password", "password = correct hunter2 staple"),
        ("password", "Passwd: hunter2"),
        (
            "password",
            "  db.password: correct horse: hunter2; x=hunter2",
        ),
        ("password", "{\"db_password\" : \"hunter2 \\\" hunter2\"}"),
        ("password", "{\"password\":\n  \"hunter2\"}"),
        ("password", "\"{\\\"password\\\":\\\"hunter2\\\"}\""),
        ("password", "ssl.key.password='hunter2 hunter2'"),
        ("password", "SECRET_KEY: hunter2"),
        ("password", "aws_secret_access_key=hunter2"),
        ("password", "https://h/x?a=1&api_key=hunter2&b=2"),
        ("password", "api-key: hunter2"),
        ("password", "ApiKey=hunter2;Server=x"),
        ("password", "password=hunter2;hunter2"),
        ("password", "password=a,hunter2 x"),
        ("password", "passphrase := hunter2"),
        ("password", "client_token => 'hunter2'"),
        ("password", "X-Auth-Token: hunter2"),
        ("password", "password%3Dhunter2"),
        ("password", "password=\\\n    hunter2"),
        ("password", "password: |\n  hunter2\n  hunter2\nnext: 1"),
        ("password", "password:\n  hunter2"),
        ("password", "requirepass hunter2"),
        ("password", "1) \"requirepass\"\n2) \"hunter2\""),
        ("password", "requirepass\nhunter2"),
        ("password", "user default on ~* +@all >hunter2"),
        ("password", "machine h login bob password hunter2"),
        ("password", "stats auth admin:hunter2"),
        ("password", "ALTER USER bob IDENTIFIED BY 'hunter2'"),
        ("password", "CREATE ROLE r LOGIN PASSWORD 'hunter2'"),
        ("password", "curl --password hunter2 -v"),
        ("password", "tool --api-key \"hunter2 hunter2\" --x"),
        ("password", "MYSQL_PWD=hunter2"),
        ("password", "Server=x;Uid=bob;Pwd=hunter2;"),
        ("password", "url?user=bob&pass=hunter2"),
        ("password", "{\"pass\": \"hunter2\"}"),
        ("password", "mysql -u root -phunter2 -h x"),
        ("password", "sshpass -p hunter2 ssh x"),
        ("password", "curl -s -u bob:hunter2 http://h"),
        ("password", "<Password>hunter2</Password>"),
        ("password", "<Password>\n  hunter2\n</Password>"),
        ("password", "<Password><![CDATA[a</b>hunter2]]></Password>"),
        ("password", "<a:ClientSecret x='1'>hunter2</a:ClientSecret>"),
        ("password", "&lt;Password&gt;hunter2&lt;/Password&gt;"),
        ("password", "<Password>hunter2 and then the text ends"),
        ("password", "<Option Password=\"hunter2\" Port='1'/>"),
        ("password", "<Option name=\"password\" value=\"hunter2\"/>"),
        (
            "password",
            "{\"name\": \"DB_PASSWORD\", \"value\": \"hunter2\"}",
        ),
        ("url-password", "tcp://bob:hunter2@host:9007/amps/json"),
        ("url-password", "redis://:hunter2@host"),
        ("url-password", "amqp://bob:hunter2@hunter2@host/v"),
        ("url-password", "tcp://bob:hunter2/x@host"),
        ("authorization", "Authorization: Bearer hunter2"),
        ("authorization", "proxy-authorization: Basic hunter2=="),
        ("authorization", "-H 'Authorization: hunter2hunter2hunter2'"),
        ("authorization", "sent bearer hunter2.hunter2.hunter2 to x"),
        // bob:hunter2
        ("authorization", "Basic Ym9iOmh1bnRlcjI="),
        ("cookie", "Set-Cookie: session=hunter2; Path=/"),
        (
            "jwt",
            "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IifQ.hunter2hunter2",
        ),
        ("aws-key", "id AKIAIOSFODNN7EXAMPLE used"),
        (
            "access-token",
            "ghp_hunter2hunter2hunter2hunter2hunter2hunter2",
        ),
        ("access-token", "xoxb-hunter2-hunter2"),
        ("password-hash", "bob:$6$hunter2$hunter2hunter2:19000:0"),
        ("private-key", PEM),
        (
            "private-key",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\nhunter2\n-",
        ),
        (
            "private-key",
            "key: b3BlbnNzaC1rZXktdjEAAAAAhunter2\nhunter2hunter2hunter2\n",
        ),
        (
            "private-key",
            "Private-Lines: 1\nhunter2\nPrivate-MAC: hunter2",
        ),
        // Dressed up.
        ("password", "pass\u{1b}[31mword=\u{1b}[1mhunter2\u{1b}[0m"),
        ("password", "pass\u{200b}word=hun\u{200b}ter2"),
        (
            "password",
            "p\u{8}pa\u{8}as\u{8}ss\u{8}sw\u{8}wo\u{8}or\u{8}rd\u{8}d=hunter2",
        ),
        (
            "password",
            "p\0a\0s\0s\0w\0o\0r\0d\0=\0h\0u\0n\0t\0e\0r\x002\0",
        ),
        ("password", "pass\u{1b}\u{1b}[0m[0mword=hunter2"),
    ];

    /// Every form, with `hunter2…` as the secret: none of it may be left.
    #[test]
    fn every_canary_is_gone() {
        for (_, form) in FORMS {
            let capture = Capture::new(*form).plain().to_ascii_lowercase();
            let is_hinted = HINTS.iter().any(|hint| capture.contains(hint));
            assert!(is_hinted, "no hint leads to {form:?}");
        }
        let forms = FORMS;
        for (rule, form) in forms {
            for framed in [(*form).to_owned(), format!("before\r\n{form}\r\nafter\r\n")] {
                let Redacted { text, counts } = redact(&framed);
                for canary in ["hunter2", "Ym9iO", "AKIA", "eyJ", "b3Bl"] {
                    assert!(!text.contains(canary), "{framed:?} left {text:?}");
                }
                assert!(text.contains("[redacted]"), "{framed:?} left {text:?}");
                assert!(counts.contains_key(rule), "{framed:?} counted {counts:?}");
            }
        }
    }

    /// What looks like one and is none, or is what support asks for: not a byte may change.
    #[test]
    fn every_benign_twin_is_untouched() {
        for benign in [
            "AMPS 5.3.4.12.973814.e1a57f7 - Copyright (c)",
            "2021-11-23T14:49:38.3442510-08:00 [1] info: 00-0015 AMPS initialization completed.",
            "10.20.0.11:9007 connected",
            "<PasswordFileName>/etc/amps/pw</PasswordFileName>",
            "password_file=/etc/amps/pw",
            "passwordExpiry: 30",
            "token_count=5 max_tokens: 512",
            "secretary: Bob",
            "the token bucket: full",
            "Access denied for user 'bob'@'h' (using password: YES)",
            "PasswordAuthentication no",
            "password authentication failed for user \"bob\"",
            "<Password>${DB_PASSWORD}</Password>",
            "<Password></Password><Password/>",
            "password=",
            "http://host:8080/path?mail=a@b.c",
            "tcp://[::1]:9007/amps/json",
            "ssh://git@host/x",
            "basic authentication required",
            "WWW-Authenticate: Basic realm=\"AMPS\"",
            "authorization: denied",
            "bearer authentication is off",
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA ops@host",
            "sha256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "PWD=/home/ops PATH=/usr/bin\nOLDPWD=/",
            "docker run -u 1000:1000 x; mysql -P 3306",
            "pass: 5, fail: 0",
            "Zürich → 東京\tüber\r\n\r\n",
        ] {
            let redacted = redact(benign);
            assert_eq!(redacted.text, benign);
            assert_eq!(redacted.counts, BTreeMap::new(), "{benign}");
        }
    }

    #[test]
    fn what_stands_beside_a_secret_stays() {
        for (raw, left) in [
            (
                "user=bob password=hunter2 host=x",
                "user=bob password=[redacted] host=x",
            ),
            (
                "tcp://bob:hunter2@host:9007/amps",
                "tcp://bob:[redacted]@host:9007/amps",
            ),
            (
                "<A><Password>x</Password><Port>1</Port></A>",
                "<A><Password>[redacted]</Password><Port>1</Port></A>",
            ),
            (
                "Password=a;Server=b, token=c&d=e",
                "Password=[redacted];Server=b, token=[redacted]&d=e",
            ),
            (
                "{\"token\": \"x\", \"port\": 1}",
                "{\"token\": \"[redacted]\", \"port\": 1}",
            ),
        ] {
            assert_eq!(redact(raw).text, left);
        }
        let twice = redact("token=a\nsecret=b\ntcp://u:p@h\n");
        assert_eq!(twice.counts, [("password", 2), ("url-password", 1)].into());
    }

    /// Wherever a colour is put into an assignment, the secret is gone.
    #[test]
    fn no_colour_hides_a_secret() {
        let plain = "password=hunter2";
        for first in 0..=plain.len() {
            for second in first..=plain.len() {
                let (a, b, c) = (&plain[..first], &plain[first..second], &plain[second..]);
                let text = redact(&format!("{a}\u{1b}[1;31m{b}\u{1b}[0m{c}")).text;
                assert_eq!(text, "password=[redacted]");
            }
        }
    }

    /// Arbitrary text made of the rules' own vocabulary settles after one redaction.
    #[test]
    fn redaction_settles_on_any_mixture() {
        const WORDS: [&str; 20] = [
            "password",
            "=",
            ":",
            " ",
            "\n",
            "<Password>",
            "</Password>",
            "tcp://",
            "@",
            "\"",
            "token",
            "[redacted]",
            "Authorization",
            "Bearer ",
            "hunter2",
            ";",
            "\\",
            "  ",
            "'",
            "|",
        ];
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..4000 {
            let mut text = String::new();
            for _ in 0..12 {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                text.push_str(WORDS[(seed % WORDS.len() as u64) as usize]);
            }
            redact(&text);
        }
    }

    #[test]
    fn a_capture_shows_nothing_of_itself() {
        let capture = Capture::new("hunter2");
        assert_eq!(format!("{capture:?}"), "Capture(7 bytes)");
    }

    #[test]
    fn a_clipped_capture_ends_with_a_whole_word() {
        let raw = "see tcp://bob:hunter2@host";
        let clipped = Capture::head(raw, raw.len() - 5);
        assert_eq!(clipped.redact().text, "see");
        assert_eq!(Capture::head(raw, raw.len()).len(), raw.len());
        assert!(Capture::head("hunter2hunter2", 7).is_empty());
    }
}
