//! What the URL of a planned GET may look like: a strict part of RFC 3986, so that it means the same to
//! whoever reads the plan, to the guard, to [`super::never`] and to the server. Nothing is normalised:
//! what would have to be is refused. Sends nothing.

use std::net::{IpAddr, Ipv6Addr};

use super::grammar;
use crate::text::endpoint;

/// Longer ones are cut or refused by servers.
const MOST: usize = 2000;

/// `http://127.0.0.1:8085/amps/instance.json`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// `https`.
    pub is_tls: bool,
    /// Name or address, IPv6 without brackets.
    pub host: String,
    /// As written, or that of the scheme.
    pub port: u16,
    /// Path and query, as they are sent.
    pub target: String,
}

impl Url {
    /// Takes `text` apart.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (is_tls, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err("begin it with `http://` or `https://`, in small letters".into()),
        };
        if text.len() > MOST {
            return Err(format!("write at most {MOST} characters"));
        }
        if let Some(odd) = text.chars().find(|c| !is_known(*c)) {
            return Err(format!(
                "`{}` does not stand in a URL: write it as `%` and two hexadecimal digits, or leave it out",
                odd.escape_default()
            ));
        }
        if text.contains('#') {
            return Err("leave out the `#` and what follows: it is never sent".into());
        }
        let begin = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(begin);
        let (host, port) = place(authority, if is_tls { 443 } else { 80 })?;
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        if !path.starts_with('/') {
            return Err("write the path, too, if it is only `/`".into());
        }
        judge_path(path)?;
        for part in [Some(path), query].into_iter().flatten() {
            judge_escapes(part, part == path)?;
        }
        let target = target.to_owned();
        Ok(Self {
            is_tls,
            host,
            port,
            target,
        })
    }

    /// `127.0.0.1:8085`, as it is asked of sshd and allowed by its `PermitOpen`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        endpoint(&self.host, self.port)
    }

    /// What stands in `Host:`: without the port, where it is the one of its scheme (RFC 9110 7.2).
    #[must_use]
    pub fn authority(&self) -> String {
        match (self.is_tls, self.port) {
            (false, 80) | (true, 443) if self.host.contains(':') => format!("[{}]", self.host),
            (false, 80) | (true, 443) => self.host.clone(),
            _ => self.endpoint(),
        }
    }

    /// The path, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Why it is never asked for, whoever leads there.
    #[must_use]
    pub fn never(&self) -> Option<&'static str> {
        super::never::refuses(self)
    }

    /// True when it stays on the host that opens the connection.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            // RFC 6761 6.3: resolvers answer with the loopback address, and ask nobody.
            Err(_) => self.host == "localhost",
        }
    }
}

// RFC 3986 2.2 to 2.3; `'` is left out, since nothing needs it and much is quoted with it.
fn is_known(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&()*+,;=%".contains(c)
}

fn place(authority: &str, default: u16) -> Result<(String, u16), String> {
    if authority.contains('@') {
        return Err(
            "write the account as `user:` and the name of a variable as `password_env:`".into(),
        );
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or("a `[` has no `]`")?;
            host.parse::<Ipv6Addr>()
                .map_err(|_| "between the brackets stands an IPv6 address, without zone")?;
            (host, port)
        }
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let (host, port) = authority.split_at(end);
            grammar::address(host)?;
            (host, port)
        }
    };
    if host.ends_with('.') || host.chars().any(|c| c.is_ascii_uppercase()) {
        return Err("write the host in small letters, and without a dot at its end".into());
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => default,
        None => return Err("after the `]` comes `:` and the port, or the path".into()),
        Some(digits) => {
            let plain =
                digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
            let port = digits.parse::<u16>().ok().filter(|_| plain);
            port.ok_or("a port is a whole number from 1 to 65535")?
        }
    };
    Ok((host.to_owned(), port))
}

fn judge_path(path: &str) -> Result<(), String> {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let name = segment.split(';').next().unwrap_or_default();
        if matches!(name, "." | "..") {
            return Err("write the path that it leads to, without `.` and `..`".into());
        }
        if name.is_empty() && segments.peek().is_some() {
            return Err("write one `/` between two names".into());
        }
        if segment.contains(['[', ']']) {
            return Err("`[` and `]` stand around an IPv6 address only".into());
        }
    }
    Ok(())
}

/// Servers differ in when they decode what. So nothing is encoded that need not be, and in a path nothing
/// that would then part it, climb in it, or be decoded again.
fn judge_escapes(part: &str, is_path: bool) -> Result<(), String> {
    for (at, _) in part.match_indices('%') {
        let digits = part
            .get(at + 1..at + 3)
            .filter(|two| two.bytes().all(|c| c.is_ascii_hexdigit()));
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        let Some(byte) = byte else {
            return Err("after `%` come two hexadecimal digits".into());
        };
        if byte.is_ascii_control() {
            return Err("leave out the encoded control character".into());
        }
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            return Err(format!(
                "write `{}` as it is, not encoded",
                char::from(byte)
            ));
        }
        if is_path && b"/\\%;?#".contains(&byte) {
            return Err(format!(
                "an encoded `{}` means one thing to some servers and another to others: ask for another path",
                char::from(byte)
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_apart_what_is_well_formed() {
        let cases = [
            (
                "http://127.0.0.1:8085/amps/instance.json",
                false,
                "127.0.0.1",
                8085,
                "/amps/instance.json",
            ),
            (
                "http://localhost/haproxy?stats;csv",
                false,
                "localhost",
                80,
                "/haproxy?stats;csv",
            ),
            (
                "http://localhost:8404/stats;csv;norefresh",
                false,
                "localhost",
                8404,
                "/stats;csv;norefresh",
            ),
            (
                "https://[::1]:15672/api/overview",
                true,
                "::1",
                15672,
                "/api/overview",
            ),
            ("https://es.example/", true, "es.example", 443, "/"),
            (
                "http://h:9200/_nodes/stats/jvm,os?human=false&x=%2F",
                false,
                "h",
                9200,
                "/_nodes/stats/jvm,os?human=false&x=%2F",
            ),
            ("http://h/a%20b/~c/", false, "h", 80, "/a%20b/~c/"),
        ];
        for (text, is_tls, host, port, target) in cases {
            let url = Url::parse(text).unwrap();
            let same = Url {
                is_tls,
                host: host.into(),
                port,
                target: target.into(),
            };
            assert_eq!(url, same, "{text}");
        }
        assert_eq!(Url::parse("http://[::1]:1/").unwrap().endpoint(), "[::1]:1");
        assert_eq!(Url::parse("http://h/a?b?c").unwrap().path(), "/a");
    }

    #[test]
    fn refuses_what_two_readers_could_take_for_two_things() {
        for text in [
            "",
            "127.0.0.1:8085/x",
            "ftp://h/",
            "HTTP://h/",
            "http:/h/",
            "http:///x",
            "http://h",
            "http://h?x",
            "http://u@h/",
            "http://u:p@h/",
            "http://h:/",
            "http://h:0/",
            "http://h:080/",
            "http://h:65536/",
            "http://h:8o/",
            "http://h:+80/",
            "http://[::1/",
            "http://[::1]x/",
            "http://[1.2.3.4]/",
            "http://[fe80::1%eth0]/",
            "http://::1/",
            "http://10.0.0.256/",
            "http://0x7f.1/",
            "http://127.1/",
            "http://H/",
            "http://h./",
            "http://h/#x",
            "http://h/a#",
            "http://h/ a",
            "http://h/a\r\nX: y",
            "http://h/\0",
            "http://h/ä",
            "http://h/a\\b",
            "http://h/a'b",
            "http://h/\"",
            "http://h/<a>",
            "http://h/`x`",
            "http://h/a|b",
            "http://h/{a}",
            "http://h/..",
            "http://h/a/../b",
            "http://h/./a",
            "http://h//a",
            "http://h/a//b",
            "http://h/..;/a",
            "http://h/;x/a",
            "http://h/%",
            "http://h/%2",
            "http://h/%zz",
            "http://h/%2e%2e/a",
            "http://h/%2E./a",
            "http://h/%61mps",
            "http://h/a%2fb",
            "http://h/a%5Cb",
            "http://h/%252e",
            "http://h/%3Bx",
            "http://h/%00",
            "http://h/?%0d%0a",
            "http://h/%7f",
            "http://h/a[1]",
        ] {
            assert!(Url::parse(text).is_err(), "{text:?}");
        }
        let long = format!("http://h/{}", "a".repeat(MOST));
        assert!(Url::parse(&long).is_err());
    }

    #[test]
    fn knows_what_stays_on_the_host() {
        for (text, is_loopback) in [
            ("http://127.0.0.1/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]/", true),
            ("http://localhost/", true),
            ("http://localhost.example/", false),
            ("http://10.0.0.1/", false),
            ("http://[::]/", false),
            ("http://0.0.0.0/", false),
        ] {
            assert_eq!(
                Url::parse(text).unwrap().is_loopback(),
                is_loopback,
                "{text}"
            );
        }
    }
}
