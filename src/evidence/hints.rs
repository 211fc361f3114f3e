//! What gives a secret away at first sight: a log is searched by `rules` only around these words, and a text without
//! any of them not at all.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// What a text must hold, in capitals or not, before any rule finds a secret in it: so a log of gigabytes is
/// searched where something may stand, by one walk. A test holds the rules to it.
pub const HINTS: [&str; 71] = [
    "private key",
    "b3blbnnzac1rzxk",
    "private-lines",
    "pass",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "api.key",
    "api key",
    "credential",
    "accountkey",
    "account_key",
    "account-key",
    "accesskey",
    "access_key",
    "access-key",
    "storagekey",
    "storage_key",
    "storage-key",
    "encryptionkey",
    "encryption_key",
    "encryption-key",
    "masterauth",
    "bindpw",
    "bind_pw",
    "rootpw",
    "root_pw",
    "userpw",
    "user_pw",
    "dbpw",
    "db_pw",
    "adminpw",
    "admin_pw",
    "pwd",
    "user ",
    "user\t",
    "mysql",
    "mariadb",
    "curl",
    "stats",
    "identified",
    "://",
    "authorization",
    "bearer",
    "basic",
    "cookie",
    "eyj",
    "akia",
    "asia",
    "agpa",
    "aida",
    "aroa",
    "anpa",
    "anva",
    "a3t",
    "gh",
    "github_pat_",
    "glpat-",
    "xox",
    "aiza",
    "$1$",
    "$5$",
    "$6$",
    "$7$",
    "$y$",
    "$2",
    "$apr1$",
    "$argon2",
    "$g",
];

/// False only where no rule can find anything in `text`: then they need not even be compiled.
///
/// Rules fold case as Unicode does (`ſ` is an `s`, the Kelvin sign a `k`), hints as ASCII does: of a text that is
/// not ASCII nothing is known.
pub fn may_hold_a_secret(text: &str) -> bool {
    static FOUND: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let mut builder = AhoCorasick::builder();
        builder.ascii_case_insensitive(true).build(HINTS).ok()
    });
    let is_hinted = |hints: &AhoCorasick| hints.is_match(text);
    !text.is_ascii() || FOUND.as_ref().is_none_or(is_hinted)
}

#[cfg(test)]
mod tests {
    use super::may_hold_a_secret;
    use crate::evidence::redact::{Capture, secrets};

    /// Every way in which each rule can begin, spelt out.
    fn forms() -> Vec<String> {
        let mut forms: Vec<String> = Vec::new();
        let names = [
            "password",
            "passwd",
            "passphrase",
            "passcode",
            "passwort",
            "secret",
            "token",
            "apikey",
            "api_key",
            "api-key",
            "api.key",
            "api key",
            "credential",
            "credentials",
            "accountkey",
            "account_key",
            "account-key",
            "sharedaccesskey",
            "shared_accesskey",
            "shared-access_key",
            "sharedaccess-key",
            "storagekey",
            "storage_key",
            "storage-key",
            "encryptionkey",
            "encryption_key",
            "encryption-key",
            "requirepass",
            "masterpass",
            "default_pass",
            "bindpass",
            "bind_pass",
            "userpass",
            "user_pass",
            "dbpass",
            "db_pass",
            "rootpass",
            "root_pass",
            "adminpass",
            "admin_pass",
            "ldappass",
            "ldap_pass",
            "masterauth",
            "bindpw",
            "bind_pw",
            "rootpw",
            "root_pw",
            "userpw",
            "user_pw",
            "dbpw",
            "db_pw",
            "adminpw",
            "admin_pw",
            "pwd",
        ];
        for name in names {
            let upper = name.to_uppercase();
            for name in [name, &upper] {
                forms.push(format!("{name}=hunter2"));
                forms.push(format!("<a:x{name}>hunter2</a:x{name}>"));
                forms.push(format!("name=\"{name}\" value=\"hunter2\""));
                if !name.contains([' ', '.']) {
                    forms.push(format!(" --{name} hunter2"));
                }
            }
        }
        for name in ["pass", "PASS"] {
            forms.extend([format!("'{name}': hunter2"), format!("{name}=hunter2")]);
        }
        for name in ["requirepass", "masterauth", "bindpw", "rootpw"] {
            forms.push(format!("{name} hunter2"));
        }
        for name in ["requirepass", "masterauth"] {
            forms.push(format!("{name}\nhunter2"));
        }
        for kind in ["", "RSA ", "OPENSSH ", "ENCRYPTED "] {
            forms.push(format!("-----BEGIN {kind}PRIVATE KEY-----\nhunter2"));
        }
        for (kind, from) in [("gh", "pousr"), ("xox", "abeoprs")] {
            let end = if kind == "gh" { "_" } else { "-" };
            let key = "a1".repeat(20);
            forms.extend(
                from.chars()
                    .map(|letter| format!("{kind}{letter}{end}{key}")),
            );
        }
        for kind in [
            "AKIA", "ASIA", "AGPA", "AIDA", "AROA", "ANPA", "ANVA", "A3TX",
        ] {
            forms.push(format!("{kind}IOSFODNN7EXAMPLE"));
        }
        for kind in [
            "1", "5", "6", "y", "2", "2a", "2b", "2x", "2y", "apr1", "argon2id", "argon2i",
            "argon2d", "gy", "7",
        ] {
            forms.push(format!("bob:${kind}$hunter2hunter2"));
        }
        for scheme in [
            "Bearer",
            "Basic",
            "Digest",
            "Negotiate",
            "NTLM",
            "Token",
            "ApiKey",
            "AWS4-HMAC-SHA256",
        ] {
            forms.push(format!("Authorization: {scheme} hunter2hunter2"));
        }
        forms.extend(
            [
                "key b3BlbnNzaC1rZXktdjEAAAAAhunter2",
                "Private-Lines: 1\nhunter2\nPrivate-MAC: x",
                "user bob on >hunter2",
                "user\tbob\ton\t>hunter2",
                "login bob password hunter2",
                "user bob insecure-password hunter2",
                "sshpass -p hunter2",
                "mysql -u root -phunter2",
                "mariadb-dump -phunter2",
                "curl -u bob:hunter2 x",
                "curl --user=bob:hunter2 x",
                "stats auth admin:hunter2",
                "identified by 'hunter2'",
                "IDENTIFIED WITH x AS hunter2",
                "password 'hunter2'",
                "x://bob:hunter2@host",
                "x://bob:hunter2/x@host",
                "authorization: hunter2hunter2hunter2",
                "bearer hunter2hunter2hunter2",
                "basic Ym9iOmh1bnRlcjI=",
                "cookie: session=hunter2",
                "Set-Cookie: session=hunter2",
                "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IifQ.hunter2",
                "github_pat_hunter2hunter2hunter2hunter2",
                "glpat-hunter2hunter2hunter2",
                "AIzahunter2hunter2hunter2hunter2hunter2abcd",
            ]
            .map(str::to_owned),
        );
        forms
    }

    #[test]
    fn whatever_a_rule_finds_is_hinted_at() {
        for form in forms() {
            assert!(!secrets(&form).is_empty(), "no rule finds {form:?}");
            assert!(may_hold_a_secret(&form), "no hint leads to {form:?}");
        }
    }

    /// The hints alone decide nothing about what folds to ASCII.
    #[test]
    fn a_letter_that_folds_to_ascii_is_no_way_around() {
        for form in ["pa\u{17f}\u{17f}word=hunter2", "to\u{212a}en=hunter2"] {
            let redacted = Capture::new(form).redact();
            assert!(!redacted.text.contains("hunter2"), "{redacted:?}");
        }
    }

    #[test]
    fn a_text_without_any_hint_is_left_alone() {
        for plain in [
            "",
            "orders",
            "2026-11-21T00:00:03Z [1] info: 00-0015 started",
            "127.0.0.1:22",
        ] {
            assert!(!may_hold_a_secret(plain), "{plain}");
            assert!(secrets(plain).is_empty());
        }
    }
}
