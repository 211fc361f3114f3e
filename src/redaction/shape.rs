//! What can be told by its form alone: numbers, sizes, durations, times, versions, ids of messages, which may
//! stay; addresses and hardware, which are names. What looks like both is told by what stands before it (an
//! AMPS version is a well-formed IPv4 address; facts: artifacts.md 0.6).

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;

use super::map::Class;
use crate::evidence::redact::compile;

/// Most digits of a number: more are no count, no size and no time.
const DIGITS: usize = 20;

static HARMLESS: LazyLock<Regex> = LazyLock::new(|| {
    const MONTH: &str = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)";
    const UNIT: &str = "(?:[kmgtp]?i?b(?:ytes|/s)?|kbps|mbps|gbps|[kmgt]|ns|us|µs|ms|s|sec|secs|min|mins|h|hz|khz|mhz|ghz|d|w|x|%|st|nd|rd|th)";
    let forms = [
        format!(r"[+\-]?\d{{1,20}}(?:\.\d{{1,12}})?(?:e[+\-]?\d{{1,3}})?{UNIT}?"),
        format!(r"[+\-]?\.\d{{1,12}}{UNIT}?"),
        // A day, and a time of it.
        r"\d{4}[\-/.]\d\d?[\-/.]\d\d?(?:[t_]?\d\d:?\d\d(?::?\d\d(?:[.,]\d{1,9})?)?)?(?:z|[+\-]\d\d:?\d\d)?".to_owned(),
        format!(r"\d{{1,2}}[\-/](?:{MONTH}|\d\d?)[\-/]\d{{4}}(?::\d\d:\d\d:\d\d(?:\.\d{{1,6}})?)?"),
        format!(r"\d{{1,2}}{MONTH}\d{{4}}"),
        r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:z|[+\-]\d\d:?\d\d)?".to_owned(),
        r"\d{8}t\d{6}(?:\.\d{1,6})?z?".to_owned(),
        r"[+\-]\d{4}".to_owned(),
        // Ids of messages: AMPS, MySQL.
        r"[0-9a-f]{2}-[0-9a-f]{4}".to_owned(),
        r"my-\d{6}".to_owned(),
        r"(?:\d{1,6}(?:\.\d{1,6})?(?:ns|us|ms|h|m|s|d|w)){1,5}".to_owned(),
        r"\d{1,6}x\d{1,6}".to_owned(),
        r"[+\-]?\d{1,12}(?:/[+\-]?\d{1,12}){1,6}".to_owned(),
        r"\d{1,10}(?:\.\.|-)\d{1,10}".to_owned(),
        r"\d{1,12}#\d{1,12}".to_owned(),
        // Versions of two and three numbers.
        r"v?\d{1,6}\.\d{1,6}(?:\.\d{1,8})?(?:[\-.+~](?:rc|beta|alpha|snapshot|release|final|ga|el|deb|ubuntu|p|b|build|cloud|generic|amd64|ce|ee|log|mariadb)\d{0,4}(?:u\d)?|[\-+~]\d{1,4}){0,5}".to_owned(),
        r"0x[0-9a-f]{1,4}".to_owned(),
        r"0o?[0-7]{3,4}".to_owned(),
    ];
    compile(&format!("^(?i:{})$", forms.join("|")))
});

static MAC: LazyLock<Regex> = LazyLock::new(|| {
    compile(r"^(?i:(?:[0-9a-f]{2}[:\-]){5,7}[0-9a-f]{2}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})$")
});

static HEX_GROUPS: LazyLock<Regex> =
    LazyLock::new(|| compile(r"^(?i:\[?[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){3,9}\]?(?:%[a-z0-9]+)?)$"));

/// A number, size, duration, time, version or id of a message.
pub(super) fn is_harmless(text: &str) -> bool {
    let Some(first) = text.bytes().next() else {
        return true;
    };
    let begins = first.is_ascii_digit() || b"+-.vVmM".contains(&first) || first.is_ascii_hexdigit();
    if !begins || text.len() > 48 {
        return false;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits == text.len() && digits <= DIGITS {
        return digits <= 5 || !is_more_than_a_number(text);
    }
    // No form is without a digit, but for the id of a message: `ff-abcd`.
    if digits == 0 && text.is_ascii() && text.as_bytes().get(2) != Some(&b'-') {
        return false;
    }
    HARMLESS.is_match(text) && !is_more_than_a_number(text)
}

/// A card, or letters written as hexadecimal digits that happen to be decimal.
fn is_more_than_a_number(text: &str) -> bool {
    let digits = text.as_bytes();
    if text.len() > DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return text.bytes().filter(u8::is_ascii_digit).count() > DIGITS + 12;
    }
    let is_text = text.len() >= 8
        && text.len().is_multiple_of(2)
        && digits.chunks_exact(2).all(|pair| {
            let byte = (pair[0] - b'0') * 16 + (pair[1] - b'0');
            byte.is_ascii_alphanumeric()
        })
        && !digits.iter().all(|digit| *digit == digits[0]);
    let is_card = (14..=16).contains(&text.len()) && b"3456".contains(&digits[0]) && luhn(digits);
    is_text || is_card
}

pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(digit - b'0');
            match at % 2 {
                0 => digit,
                _ if digit > 4 => 2 * digit - 9,
                _ => 2 * digit,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// What an address is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// This very machine, nobody or everybody, a netmask, or a version after all.
    Harmless,
    /// A name of that class in the spelling that all its spellings share; then what follows it and stays.
    Named(Class, String, String),
}

/// `text` as an address, with a port or a mask behind it. `says_version`: what stands before says so.
pub(super) fn address(
    text: &str,
    says_version: impl Fn() -> bool,
    is_known: impl Fn(&str) -> bool,
) -> Option<Address> {
    let first = text.bytes().next()?;
    if !(first.is_ascii_hexdigit() || b"[:".contains(&first)) || text.len() > 64 {
        return None;
    }
    // The shortest is `0123.4567.89ab`.
    if text.len() >= 14 && MAC.is_match(text) {
        let plain = text.replace([':', '-', '.'], "").to_ascii_lowercase();
        let is_none =
            plain.bytes().all(|byte| byte == b'f') || plain.bytes().all(|byte| byte == b'0');
        return Some(match is_none {
            true => Address::Harmless,
            false => Address::Named("mac", plain, String::new()),
        });
    }
    if first.is_ascii_digit()
        && let Some(found) = v4(text, &says_version, &is_known)
    {
        return Some(found);
    }
    text.contains(':').then(|| v6(text)).flatten()
}

fn v4(
    text: &str,
    says_version: &impl Fn() -> bool,
    is_known: &impl Fn(&str) -> bool,
) -> Option<Address> {
    let mut octets = [0; 4];
    let mut rest = text;
    for (at, octet) in octets.iter_mut().enumerate() {
        let end = rest
            .bytes()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(rest.len());
        let value: u16 = rest
            .get(..end)
            .filter(|part| (1..=3).contains(&part.len()))?
            .parse()
            .ok()?;
        *octet = u8::try_from(value).ok()?;
        rest = &rest[end..];
        if at < 3 {
            rest = rest.strip_prefix('.')?;
        }
    }
    let written = &text[..text.len() - rest.len()];
    let digits = |text: &str| {
        !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_build = rest.is_empty()
        || rest
            .strip_prefix('.')
            .and_then(|rest| rest.split_once('.'))
            .is_some_and(|(stamp, tag)| {
                digits(stamp) && tag.len() <= 12 && tag.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
        || rest
            .strip_prefix('-')
            .is_some_and(|rest| super::vocabulary::parts(rest).all(super::vocabulary::is_word));
    if is_known(written) && (is_build || rest.strip_prefix('.').is_some_and(digits)) {
        return Some(Address::Harmless);
    }
    let address = Ipv4Addr::from(octets);
    // A version in so many words; nobody's network begins with so little but the examples of books.
    if is_build && octets[0] < 10 && octets[0] > 0 && says_version() {
        return Some(Address::Harmless);
    }
    let is_tail = rest.is_empty()
        || rest
            .strip_prefix([':', '/', '.', '#'])
            .is_some_and(|tail| tail.is_empty() || tail.split(['-', ':', '/']).all(digits));
    if !is_tail {
        return None;
    }
    let is_mask = octets[0] == 255;
    if address.is_loopback() || address.is_unspecified() || is_mask {
        return Some(Address::Harmless);
    }
    Some(Address::Named("ipv4", address.to_string(), rest.to_owned()))
}

fn v6(text: &str) -> Option<Address> {
    let (bare, tail) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inner, tail)) => (inner, tail),
        None => (text, ""),
    };
    let (bare, tail) = match bare.split_once('/') {
        Some((bare, mask)) if mask.bytes().all(|byte| byte.is_ascii_digit()) => {
            (bare, format!("/{mask}{tail}"))
        }
        _ => (bare, tail.to_owned()),
    };
    let bare = bare.split_once('%').map_or(bare, |(bare, _)| bare);
    if let Ok(address) = bare.parse::<Ipv6Addr>() {
        if address.is_loopback() || address.is_unspecified() {
            return Some(Address::Harmless);
        }
        if let Some(four) = address.to_ipv4_mapped() {
            return Some(Address::Named("ipv4", four.to_string(), tail));
        }
        return Some(Address::Named("ipv6", address.to_string(), tail));
    }
    // With a port and without brackets, or broken: still nothing but an address.
    (HEX_GROUPS.is_match(text) && !HARMLESS.is_match(text))
        .then(|| Address::Named("ipv6", text.to_ascii_lowercase(), String::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_support_asks_for_is_harmless() {
        for text in [
            "2021-11-23T14:49:38.3442510-08:00",
            "2026-11-21",
            "09:18:00",
            "9:18:00.123",
            "2021/11/23",
            "21/Nov/2026:09:18:00",
            "20261121T091800Z",
            "00-0015",
            "FF-0001",
            "MY-010116",
            "9007",
            "-1",
            "+0200",
            "3.5MB",
            "10ms",
            "1h30m",
            "64KiB",
            "95%",
            "1.24.0",
            "5.3",
            "v1.2.3-rc1",
            "0x1f",
            "0644",
            "12/0/3/40/55",
            "1763785469",
            "1763785469123",
            "1763785469123456",
            "2026-11-21_09:18",
            "10.11.19-MariaDB",
            "6.1.0-44-amd64",
            "1..5",
            "1024x768",
            "1.5e9",
            "212360000000000000",
        ] {
            assert!(is_harmless(text), "{text}");
        }
        for text in [
            "123-45-6789",
            "4111111111111111",
            "7469676572",
            "a1b2c3",
            "0x0A4D0109",
            "10.77.1.9",
            "1a2b3c4d5e",
            "01-23-45-67-89-ab",
            "123456789012345678901234",
            "abc",
            "5-tiger",
            "1.2.3-tiger",
            "2026-tiger",
        ] {
            assert!(!is_harmless(text), "{text}");
        }
    }

    #[test]
    fn addresses_are_told_from_versions() {
        let known = |text: &str| text == "5.3.4.12" || text == "10.2.0.1";
        let found = |text: &str, says: bool| address(text, || says, known);
        for (text, class, plain, tail) in [
            ("10.20.0.11:9007", "ipv4", "10.20.0.11", ":9007"),
            ("203.0.113.7.5060", "ipv4", "203.0.113.7", ".5060"),
            ("10.0.0.0/8", "ipv4", "10.0.0.0", "/8"),
            ("010.020.000.011", "ipv4", "10.20.0.11", ""),
            ("[2001:db8::1]:9007", "ipv6", "2001:db8::1", ":9007"),
            ("2001:DB8:0::1", "ipv6", "2001:db8::1", ""),
            (
                "fe80::1ff:fe23:4567:890a%eth0",
                "ipv6",
                "fe80::1ff:fe23:4567:890a",
                "",
            ),
            ("::ffff:a4d:109", "ipv4", "10.77.1.9", ""),
            ("52:54:00:AB:cd:01", "mac", "525400abcd01", ""),
            ("52:54:00:12:34:56", "mac", "525400123456", ""),
            ("01-23-45-67-89-ab", "mac", "0123456789ab", ""),
        ] {
            let named = Address::Named(class, plain.to_owned(), tail.to_owned());
            assert_eq!(found(text, false), Some(named), "{text}");
        }
        for text in [
            "127.0.0.1:9007",
            "0.0.0.0:8085",
            "::1",
            "[::1]:22",
            "255.255.255.0",
            "5.3.4.12",
            "5.3.4.12.973814.e1a57f7",
            "10.2.0.1",
        ] {
            assert_eq!(found(text, false), Some(Address::Harmless), "{text}");
        }
        assert_eq!(found("6.1.2.3", true), Some(Address::Harmless));
        assert!(matches!(found("6.1.2.3", false), Some(Address::Named(..))));
        assert!(matches!(found("10.1.2.3", true), Some(Address::Named(..))));
        for text in ["12:30:45", "1.2.3", "face", "300.1.2.3", "1:2:3"] {
            assert_eq!(found(text, false), None, "{text}");
        }
    }
}
