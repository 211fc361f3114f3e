//! Other spellings of a text, in which a secret hides from every rule: percent signs (RFC 3986, 2.1),
//! XML and HTML references, `\u0041` and `\x41`, base64. Undoes one layer.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use regex::{Captures, Regex};

use crate::evidence::redact::compile;

/// Layers that are undone, one inside of the other.
pub(super) const LAYERS: usize = 4;

static SPELLED: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r"(?P<percent>(?:%[0-9A-Fa-f]{2})+)",
        r"|&#x(?P<hex>[0-9A-Fa-f]{1,6});|&#(?P<dec>[0-9]{1,7});",
        r"|&(?P<name>amp|lt|gt|quot|apos|colon|commat|sol|equals);",
        r"|(?P<units>(?:\\u[0-9A-Fa-f]{4})+)|\\x(?P<byte>[0-9A-Fa-f]{2})",
    ))
});

static PACKED: LazyLock<Regex> = LazyLock::new(|| compile(r"[A-Za-z0-9+/_\-]{16,}={0,2}"));

/// Whether anything in `text` may be spelled otherwise.
pub(super) fn is_spelled(text: &str) -> bool {
    SPELLED.is_match(text)
}

/// The text with one layer undone; `None` when there is none.
pub(super) fn undo(text: &str) -> Option<String> {
    let undone = SPELLED.replace_all(text, one);
    (undone != text).then(|| undone.into_owned())
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
            _ => "=",
        };
        Some(c.to_owned())
    } else {
        let c = number("hex", 16).or_else(|| number("dec", 10));
        c.or_else(|| number("byte", 16)).map(String::from)
    };
    plain.unwrap_or_else(|| whole.to_owned())
}

/// Each piece of `text` that is other text in base64, with that text.
pub(super) fn packed(text: &str) -> Vec<(std::ops::Range<usize>, String)> {
    PACKED
        .find_iter(text)
        .filter_map(|piece| Some((piece.range(), unpacked(piece.as_str())?)))
        .collect()
}

fn unpacked(piece: &str) -> Option<String> {
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, CONFIG);
    let piece = piece
        .trim_end_matches('=')
        .replace('-', "+")
        .replace('_', "/");
    // Of a piece of a length that none has, what comes before its last digit.
    let piece = match piece.len() % 4 {
        1 => &piece[..piece.len() - 1],
        _ => &piece,
    };
    let bytes = STANDARD.decode(piece).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let is_text = text
        .chars()
        .all(|c| !c.is_control() || "\t\r\n".contains(c));
    is_text.then_some(text)
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
        ] {
            assert_eq!(undo(text).as_deref(), Some(plain));
        }
        for plain in ["100% of x", "a & b", "C:\\users", ""] {
            assert_eq!(undo(plain), None, "{plain}");
        }
    }

    #[test]
    fn base64_of_text_is_read_and_digests_are_not() {
        // password=hunter2, with and without padding, and of the alphabet of URLs.
        for text in ["x cGFzc3dvcmQ9aHVudGVyMg== y", "x=cGFzc3dvcmQ9aHVudGVyMg;"] {
            let found = packed(text);
            assert_eq!(found[0].1, "password=hunter2", "{text}");
        }
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(packed(digest), vec![]);
    }
}
