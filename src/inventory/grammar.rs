//! What names, accounts, addresses and the like may look like. Strict on purpose: these words reach
//! login requests, argument lists, file names and reports (facts: traps.md 8, CVE-2023-51385 and
//! its kin). Each check answers with what to write instead.

use std::net::{IpAddr, Ipv4Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A rule: `Err` carries the hint.
pub(super) type Rule = fn(&str) -> Result<(), String>;

/// A key of hosts, teams, products, instances, vendors, artifacts, groups; the environment.
pub(super) fn name(text: &str) -> Result<(), String> {
    let inner = |c: char| c.is_alphanumeric() || " ._-+@#".contains(c);
    let good = text.chars().next().is_some_and(char::is_alphanumeric)
        && text.chars().all(inner)
        && !text.ends_with(' ')
        && text.chars().count() <= 100;
    refuse_unless(
        good,
        "a name begins with a letter or digit and holds letters, digits, blanks and `._-+@#`, at most 100 of them",
    )
}

/// A remote account.
pub(super) fn user(text: &str) -> Result<(), String> {
    let first = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let good = text.chars().next().is_some_and(first)
        && text.chars().all(|c| first(c) || ".-+@".contains(c))
        && text.len() <= 100;
    refuse_unless(
        good,
        "an account begins with a letter, digit or `_` and holds letters, digits and `._-+@`",
    )
}

/// An IP address or a host name (RFC 1123 2.1, and `_`, which internal zones do use).
pub(super) fn address(text: &str) -> Result<(), String> {
    if text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    if text.contains("://") || text.contains('/') {
        return Err("write the bare name or address, without scheme and path".into());
    }
    if text.contains('@') {
        return Err("the account goes into `user` of a team or of this host".into());
    }
    if text.starts_with('[') {
        return Err("write an IPv6 address without brackets".into());
    }
    if let Some((before, after)) = text.split_once(':') {
        return Err(match after.parse::<u16>() {
            Ok(port) => format!("write `address: {before}` and `port: {port}`"),
            Err(_) => "this is neither an IPv6 address nor a name".into(),
        });
    }
    let label = |label: &str| {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        edge(label.chars().next())
            && edge(label.chars().next_back())
            && label.len() <= 63
            && label
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    let labels = text.strip_suffix('.').unwrap_or(text);
    let named = text.len() <= 253 && labels.split('.').all(label);
    // `10.20.0.256` is a well-formed name to some resolvers and an octal address to others.
    let last = labels.rsplit('.').next().unwrap_or_default();
    if named && last.chars().all(|c| c.is_ascii_digit()) {
        let hint = format!(
            "an IPv4 address looks like {}",
            Ipv4Addr::new(10, 20, 0, 11)
        );
        return Err(hint);
    }
    refuse_unless(
        named,
        "write an IP address or a host name: letters, digits, `-` and `.`",
    )
}

/// What `hostname` prints.
pub(super) fn hostname(text: &str) -> Result<(), String> {
    let good = address(text).is_ok() && text.parse::<IpAddr>().is_err();
    refuse_unless(good, "write what `hostname` prints on that host")
}

/// machine-id(5): 32 lower-case hexadecimal digits.
pub(super) fn machine_id(text: &str) -> Result<(), String> {
    let good = text.len() == 32 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    refuse_unless(
        good,
        "write the content of /etc/machine-id: 32 lower-case hexadecimal digits",
    )
}

/// `SHA256:` and 43 digits of base64, as `ssh-keygen -l` prints it.
pub(super) fn pin(text: &str) -> Result<(), String> {
    let hint = "write the fingerprint as `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints it: `SHA256:` and 43 characters";
    let Some(digits) = text.strip_prefix("SHA256:") else {
        return Err(hint.into());
    };
    if digits.ends_with('=') {
        return Err("leave out the `=` at the end".into());
    }
    let bytes = STANDARD_NO_PAD.decode(digits);
    refuse_unless(bytes.is_ok_and(|bytes| bytes.len() == 32), hint)
}

/// A directory of a server, below which an account is shut in.
pub(super) fn directory(text: &str) -> Result<(), String> {
    let names = text.trim_end_matches('/').split('/').skip(1);
    let good = text.starts_with('/')
        && text.trim_end_matches('/').len() > 1
        && names.clone().all(|name| !matches!(name, "" | "." | ".."))
        && !text.contains(['*', '?', '[', ']', '{', '}', '\\'])
        && !text.chars().any(char::is_control);
    refuse_unless(
        good,
        "write the directory's whole path on the host, such as /srv/sftp/ops, without patterns and `..`",
    )
}

/// A placeholder, a table, a column: `[A-Za-z_][A-Za-z0-9_]*`.
pub(super) fn identifier(text: &str) -> Result<(), String> {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let good = text.chars().next().is_some_and(first)
        && text.chars().all(|c| first(c) || c.is_ascii_digit())
        && text.len() <= 100;
    refuse_unless(
        good,
        "write letters, digits and `_`, beginning with no digit",
    )
}

/// Text that reaches a command, a path or a comparison: anything but control characters.
pub(super) fn printable(text: &str) -> Result<(), String> {
    let good = !text.contains(crate::text::is_unsafe);
    refuse_unless(
        good,
        "remove control, zero-width and text-direction characters",
    )
}

/// What something is compared with: printable, and something at all.
pub(super) fn stated(text: &str) -> Result<(), String> {
    printable(text)?;
    refuse_unless(
        !text.trim().is_empty(),
        "write what is expected, or leave the key out",
    )
}

/// A time zone of the IANA database.
pub(super) fn timezone(text: &str) -> Result<(), String> {
    refuse_unless(
        jiff::tz::TimeZone::get(text).is_ok() && !text.is_empty(),
        "write a name of the IANA database, such as Europe/Berlin or UTC; abbreviations such as CET or PST are ambiguous",
    )
}

fn refuse_unless(good: bool, hint: &str) -> Result<(), String> {
    if good { Ok(()) } else { Err(hint.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: Rule, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(rule(text), Ok(()), "{text:?} is well");
        }
        for text in bad {
            assert!(rule(text).is_err(), "{text:?} must be refused");
        }
    }

    #[test]
    fn nothing_that_steers_a_shell_or_an_option_parser_passes() {
        let hostile = [
            "",
            "-oProxyCommand=x",
            "a b;c",
            "a;b",
            "$(x)",
            "`x`",
            "a\nb",
            "a\0",
            "a\u{1b}[m",
            "a|b",
            "a&b",
            "a>b",
            "..",
            "../a",
            "a'b",
            "a\"b",
            "a\\b",
            "a*",
            "a\u{202e}b",
        ];
        check(
            user,
            &["ops", "svc_amps-1", "j.doe@corp.example", "1000"],
            &hostile,
        );
        check(
            address,
            &[
                "ny4-1",
                "10.20.0.11",
                "::1",
                "fe80::1",
                "a.b.example.",
                "db_1",
            ],
            &hostile,
        );
        check(
            name,
            &["ny4-1", "event log", "60east", "Zürich 2", "a#1"],
            &hostile,
        );
        check(hostname, &["ny4-amps-1", "h.example"], &hostile);
        check(identifier, &["home", "_x1", "IMEMORY_DYNAMIC"], &hostile);
    }

    #[test]
    fn near_misses_are_refused_too() {
        check(user, &[], &["a b", "ops:x", " ops", "żaneta"]);
        check(
            address,
            &[],
            &[
                "10.20.0.256",
                "1.2.3",
                "a..b",
                "a-.b",
                "h:22",
                "[::1]",
                "u@h",
                "ssh://h",
                "a b",
            ],
        );
        check(name, &[], &[" a", "a ", ".a", "a/b", "<a>", "{a}"]);
        check(identifier, &[], &["1a", "a-b", "a b"]);
        check(hostname, &[], &["10.0.0.1"]);
        check(
            machine_id,
            &["9f0c2b7e5d1a4c3f8e6b0a9d7c5e3f12"],
            &["9F0C2B7E5D1A4C3F8E6B0A9D7C5E3F12", "9f0c", ""],
        );
    }

    #[test]
    fn a_pin_is_sha256_in_43_digits() {
        check(
            pin,
            &["SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"],
            &[
                "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF",
                "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
                "MD5:16:27:ac:a5",
                "SHA256:",
            ],
        );
        assert_eq!(
            address("h:2222").unwrap_err(),
            "write `address: h` and `port: 2222`"
        );
    }
}
