//! Names that can be told by their form: addresses, mail, hardware, and who stands where a user stands.
//! What only looks like one is left, because support asks for it: versions (an AMPS version is a
//! well-formed IPv4 address; facts: artifacts.md 0.6), times, log ids, ports, loopback, netmasks.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::map::Class;
use crate::evidence::redact::compile;

/// A name, and the spelling that all of its spellings share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub range: Range<usize>,
    pub class: Class,
    pub name: String,
}

static IPV4: LazyLock<Regex> = LazyLock::new(|| compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"));
static IPV6: LazyLock<Regex> =
    LazyLock::new(|| compile(r"[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]*"));
static MAC: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}",
    )
});
static MAIL: LazyLock<Regex> =
    LazyLock::new(|| compile(r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+"));
static USER: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r#"(?i)\b(?:auth[_\- ]?id|(?:client|connection)[_\-]?name|user(?:[_\-]?(?:name|id))?|login|principal|account|uid)"#,
        r#"(?:["']\s*:\s*|\s*=\s*)["']?(?P<a>[A-Za-z0-9][A-Za-z0-9._@\\\-]{0,63})"#,
        r#"|(?i)\buser(?:name)?\s*:?\s*(?:'(?P<b>[^'\s]{1,64})'|"(?P<c>[^"\s]{1,64})"|\[(?P<d>[^\]\s]{1,64})\])"#,
        r#"|(?i)\bfor (?:invalid )?user (?P<e>[A-Za-z0-9][A-Za-z0-9._\-]{0,63})"#,
        r#"|(?i)\b[a-z][a-z0-9+.\-]*://(?P<f>[^\s/?#@:"'<>]{1,64})(?::[^\s/?#"'<>]*)?@"#,
    ))
});

/// Every name in `text` that its form gives away. `versions` are those that the run has found.
pub(super) fn find(text: &str, versions: &BTreeSet<String>) -> Vec<Name> {
    let mut names = Vec::new();
    names.extend(
        IPV4.find_iter(text)
            .filter_map(|m| ipv4(text, m.range(), versions)),
    );
    // As one walk, a piece of six digits and colons is an address of none and hardware of another.
    names.extend(IPV6.find_iter(text).filter_map(|m| ipv6(text, m.range())));
    for found in MAC.find_iter(text).map(|m| m.range()) {
        if stands_alone(text, &found) {
            let plain = text[found.clone()]
                .replace([':', '-', '.'], "")
                .to_ascii_lowercase();
            // Broadcast and nothing: no machine's.
            if plain != "ffffffffffff" && plain != "000000000000" {
                names.push(Name {
                    range: found,
                    class: "mac",
                    name: plain,
                });
            }
        }
    }
    for found in MAIL.find_iter(text) {
        let name = found.as_str().to_ascii_lowercase();
        names.push(Name {
            range: found.range(),
            class: "mail",
            name,
        });
    }
    for found in USER.captures_iter(text) {
        let groups = ["a", "b", "c", "d", "e", "f"];
        if let Some(user) = groups.iter().find_map(|group| found.name(group))
            && is_user(user.as_str())
        {
            names.push(Name {
                range: user.range(),
                class: "user",
                name: user.as_str().to_ascii_lowercase(),
            });
        }
    }
    names
}

/// False for what stands where a user stands and is none.
pub(super) fn is_user(word: &str) -> bool {
    const NOBODY: [&str; 17] = [
        "unknown",
        "root",
        "none",
        "null",
        "anonymous",
        "true",
        "false",
        "nobody",
        "system",
        "guest",
        "any",
        "all",
        "yes",
        "no",
        "default",
        "redacted",
        "name",
    ];
    let lower = word.to_ascii_lowercase();
    !(NOBODY.contains(&lower.as_str())
        || word
            .bytes()
            .all(|b| b.is_ascii_digit() || b"._-".contains(&b)))
}

fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    !(text[..range.start].ends_with(is_word) || text[range.end..].starts_with(is_word))
}

fn ipv4(text: &str, range: Range<usize>, versions: &BTreeSet<String>) -> Option<Name> {
    let written = &text[range.clone()];
    let mut octets = [0; 4];
    for (octet, part) in octets.iter_mut().zip(written.split('.')) {
        *octet = part
            .parse::<u16>()
            .ok()
            .and_then(|part| u8::try_from(part).ok())?;
    }
    let address = Ipv4Addr::from(octets);
    let (before, behind) = (&text[..range.start], &text[range.end..]);
    let digit = |c: char| c.is_ascii_digit();
    if before.ends_with(digit) || behind.starts_with(digit) {
        return None;
    }
    let is_inner = address.is_private()
        || address.is_link_local()
        || octets[0] == 100 && (64..128).contains(&octets[1]);
    let is_plain = address.is_loopback()
        || address.is_unspecified()
        || octets[0] == 255
        || address.is_broadcast();
    if is_plain {
        return None;
    }
    // A longer row of numbers is a version with its build, unless it is tcpdump's `host.port`.
    let goes_on = behind
        .strip_prefix('.')
        .is_some_and(|rest| rest.starts_with(digit))
        || before
            .strip_suffix('.')
            .is_some_and(|rest| rest.ends_with(digit));
    let is_version = versions.contains(written) || goes_on || says_version(before);
    if is_version && !is_inner {
        return None;
    }
    if versions.contains(written) {
        return None;
    }
    Some(Name {
        range,
        class: "ipv4",
        name: address.to_string(),
    })
}

/// Whether the text right before says that a version follows.
fn says_version(before: &str) -> bool {
    static SAYS: LazyLock<Regex> = LazyLock::new(|| {
        compile(r#"(?i)(?:version|\bver\.?|\bAMPS|ampsserver|\bv)["'>=:\s(/_\-]*$"#)
    });
    let mut from = before.len().saturating_sub(24);
    while !before.is_char_boundary(from) {
        from += 1;
    }
    SAYS.is_match(&before[from..])
}

fn ipv6(text: &str, range: Range<usize>) -> Option<Name> {
    let mut written = &text[range.clone()];
    let mut start = range.start;
    if text[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
        // `peer=x:fe80::1`: the word before ends with what could begin an address.
        let colon = written.find(':')?;
        // `std::face`: a path of some language.
        if written[colon..].starts_with("::") {
            return None;
        }
        start += colon;
        written = &written[colon..];
    }
    if written.starts_with(':') && !written.starts_with("::") {
        start += 1;
        written = &written[1..];
    }
    written = written.trim_end_matches('.');
    if written.ends_with(':') && !written.ends_with("::") {
        written = written.trim_end_matches(':');
    }
    let parsed = |text: &str| text.parse::<Ipv6Addr>().ok();
    let (address, length) = parsed(written).map(|a| (a, written.len())).or_else(|| {
        // `address:port` without brackets.
        let eighth = written.match_indices(':').nth(7)?.0;
        Some((parsed(&written[..eighth])?, eighth))
    })?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if length == written.len() && text[start + length..].starts_with(is_word) {
        return None;
    }
    if address.is_loopback() || address.is_unspecified() {
        return None;
    }
    Some(Name {
        range: start..start + length,
        class: "ipv6",
        name: address.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let versions = BTreeSet::from(["5.3.4.12".to_owned(), "10.2.0.1".to_owned()]);
        let found = find(text, &versions).into_iter();
        found
            .map(|name| format!("{} {}", name.class, name.name))
            .collect()
    }

    #[test]
    fn names_are_told_by_their_form() {
        for (text, name) in [
            ("10.20.0.11:9007 connected", "ipv4 10.20.0.11"),
            ("tcp://8.8.8.8/", "ipv4 8.8.8.8"),
            ("from 10.0.0.1.", "ipv4 10.0.0.1"),
            ("IP 10.0.0.1.5060 > x", "ipv4 10.0.0.1"),
            ("version 10.0.0.7", "ipv4 10.0.0.7"),
            ("010.020.000.011", "ipv4 10.20.0.11"),
            ("[2001:db8::1]:9007", "ipv6 2001:db8::1"),
            ("peer:2001:DB8:0::1,", "ipv6 2001:db8::1"),
            ("2001:db8:1:2:3:4:5:6:9007", "ipv6 2001:db8:1:2:3:4:5:6"),
            ("fe80::1%eth0", "ipv6 fe80::1"),
            ("::ffff:10.0.0.1", "ipv4 10.0.0.1"),
            ("ether 52:54:00:AB:cd:01 up", "mac 525400abcd01"),
            ("5254.00ab.cd01", "mac 525400abcd01"),
            (
                "mail Bob.Smith@Bank.example now",
                "mail bob.smith@bank.example",
            ),
            ("user=bob,", "user bob"),
            ("{\"user\": \"bob\"}", "user bob"),
            ("for invalid user bob from", "user bob"),
            ("denied for user 'bob'@'h'", "user bob"),
            ("tcp://bob:[redacted]@h/", "user bob"),
            ("client_name = feed-7", "user feed-7"),
        ] {
            assert!(
                names(text).contains(&name.to_owned()),
                "{text}: {:?}",
                names(text)
            );
        }
    }

    #[test]
    fn what_support_asks_for_is_left() {
        for text in [
            "AMPS 5.3.4.12.973814.e1a57f7 - Copyright",
            "version 5.3.4.12 and 5.3.4.12",
            "it is 10.2.0.1",
            "<Version>6.1.2.3</Version>",
            "/opt/AMPS-6.1.2.3-Release-Linux/bin",
            "2021-11-23T14:49:38.3442510-08:00 [1] info: 00-0015 AMPS initialization completed",
            "127.0.0.1:9007 0.0.0.0:8085 [::1]:22 255.255.255.0",
            "std::deque::face a::z 12:30:45 1:2:3",
            "300.1.2.3 1.2.3 1.2.3.4.5",
            "ff:ff:ff:ff:ff:ff",
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "uid=1000 user=root user: connection closed",
        ] {
            assert_eq!(names(text), Vec::<String>::new(), "{text}");
        }
    }
}
