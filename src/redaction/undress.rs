//! Text as a person would read it: without what hides a word from every rule. Invisible characters, wide
//! letters and blanks of other kinds first; then other spellings, one layer at a time: percent signs
//! (RFC 3986, 2.1), XML and HTML references, `\u0041`, `\x41`, `\101`, `\/`.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::evidence::redact::{Capture, compile};

/// Layers that are undone, one inside of the other.
pub(super) const LAYERS: usize = 4;

/// Stands for what was found by value; text from outside holds none of these.
pub(super) const FIRST: u32 = 0xf_0000;
/// How many.
pub(super) const MOST: u32 = 0xfffe;

/// Without what is not seen, blanks as blanks, wide letters as letters.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| (0x20..0x7f).contains(&byte) || matches!(byte, b'\n' | b'\t' | b'\r');
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut seen = String::with_capacity(text.len());
    // Nothing that hides goes over the end of a line.
    for line in text.split_inclusive('\n') {
        match line.bytes().all(is_plain) {
            true => seen.push_str(line),
            false => undressed(line, &mut seen),
        }
    }
    Cow::Owned(seen)
}

fn undressed(line: &str, seen: &mut String) {
    for c in Capture::new(line.as_bytes()).plain().chars() {
        match c {
            '\n' | '\t' | '\r' => seen.push(c),
            '\u{b}' | '\u{c}' => seen.push(' '),
            // What divides the fields of FIX.
            '\u{1}' => seen.push('|'),
            // Replies to terminals, joiners, selectors, fillers, tags, and private characters.
            '\u{34f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{3164}' => {}
            '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{e000}'..='\u{f8ff}' => {}
            '\u{e0000}'.. => {}
            c if c.is_control() => {}
            '\u{ff01}'..='\u{ff5e}' => seen.extend(char::from_u32(c as u32 - 0xfee0)),
            c if c.is_whitespace() => seen.push(' '),
            c => seen.push(c),
        }
    }
}

static SPELLED: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r"(?P<percent>(?:%[0-9A-Fa-f]{2})+)",
        r"|&#[xX](?P<hex>[0-9A-Fa-f]{1,6});|&#(?P<dec>[0-9]{1,7});",
        r"|&(?P<name>amp|lt|gt|quot|apos|colon|commat|sol|equals|nbsp|NewLine|Tab|period|lowbar|hyphen);",
        r"|(?P<units>(?:\\u[0-9A-Fa-f]{4})+)|\\x(?P<byte>[0-9A-Fa-f]{2})|\\[uU]\{?(?P<point>[0-9A-Fa-f]{1,8})\}?",
        r#"|\\(?P<octal>[0-3][0-7]{2})|\\(?P<plain>[/"'=:@])"#,
    ))
});

/// The text with one layer undone; `None` when there is none.
pub(super) fn decoded(text: &str) -> Option<String> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'&' | b'\\')) {
        return None;
    }
    match SPELLED.replace_all(text, one) {
        Cow::Borrowed(_) => None,
        // A line stays a line.
        Cow::Owned(undone) if undone != text => Some(visible(&undone).replace(['\n', '\r'], " ")),
        Cow::Owned(_) => None,
    }
}

fn one(spelled: &Captures<'_>) -> String {
    let whole = &spelled[0];
    let number = |name, radix| {
        let digits = spelled.name(name)?.as_str();
        char::from_u32(u32::from_str_radix(digits, radix).ok()?)
    };
    let plain = if spelled.name("percent").is_some() {
        let bytes = whole.split('%').skip(1);
        let bytes: Option<Vec<u8>> = bytes.map(|hex| u8::from_str_radix(hex, 16).ok()).collect();
        bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    } else if let Some(units) = spelled.name("units") {
        let units = units.as_str().split("\\u").skip(1);
        let units: Option<Vec<u16>> = units.map(|hex| u16::from_str_radix(hex, 16).ok()).collect();
        units.map(|units| String::from_utf16_lossy(&units))
    } else if let Some(name) = spelled.name("name") {
        let c = match name.as_str() {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            "apos" => "'",
            "colon" => ":",
            "commat" => "@",
            "sol" => "/",
            "period" => ".",
            "lowbar" => "_",
            "hyphen" => "-",
            "equals" => "=",
            _ => " ",
        };
        Some(c.to_owned())
    } else if let Some(plain) = spelled.name("plain") {
        Some(plain.as_str().to_owned())
    } else {
        let c = number("hex", 16).or_else(|| number("dec", 10));
        let c = c
            .or_else(|| number("byte", 16))
            .or_else(|| number("point", 16));
        c.or_else(|| number("octal", 8)).map(String::from)
    };
    plain.unwrap_or_else(|| whole.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_is_undone_once() {
        for (text, plain) in [
            ("tcp%3A%2f%2fbob", "tcp://bob"),
            ("Z%C3%BCrich", "Zürich"),
            ("a%253Ab", "a%3Ab"),
            ("a&#64;b&#x40;c&amp;d&commat;", "a@b@c&d@"),
            ("\\u0070ass\\x77ord\\ud83d\\ude00", "password😀"),
            ("pass\\167ord\\075x", "password=x"),
            ("pass\\u{77}ord", "password"),
            ("tcp:\\/\\/bob", "tcp://bob"),
            ("password&nbsp;=", "password ="),
        ] {
            assert_eq!(decoded(text).as_deref(), Some(plain), "{text}");
        }
        for text in ["100% of it", "a & b", "C:\\new", "\\n", "plain"] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_seen_is_gone() {
        for text in [
            "pass\u{200b}word",
            "pass\u{2060}word",
            "pass\u{180e}word",
            "pass\u{fe0f}word",
            "pass\u{34f}word",
            "pass\u{1b}[31mword",
            "pass\0word",
            "ｐａｓｓｗｏｒｄ",
            "pass\u{e0041}word",
            "pass\u{f0000}word",
            "pass\u{7f}word",
        ] {
            assert_eq!(visible(text), "password", "{text:?}");
        }
        assert_eq!(visible("a\u{a0}=\u{3000}b"), "a = b");
        assert_eq!(visible("Zürich → 東京\tx\r\n"), "Zürich → 東京\tx\r\n");
    }
}
