//! From the bytes of an XML document to its characters (XML 1.0, 4.3.3 and appendix F): UTF-8,
//! UTF-16 with its byte order mark, and the single-byte encodings of western hosts. No markup.

use std::borrow::Cow;

/// Why a document's bytes are no characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotText {
    /// The bytes are not what the document says, or what XML takes for granted.
    Invalid {
        /// The encoding, such as `UTF-8`.
        encoding: &'static str,
        /// From 1; the line of the first byte that is wrong, when lines are known.
        line: Option<usize>,
    },
    /// The document declares an encoding that is not read here.
    Unknown(String),
}

/// Decodes a document.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, NotText> {
    match bytes {
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        _ => match declared(bytes) {
            None => utf8(bytes),
            Some(name) => match name.to_ascii_lowercase().as_str() {
                "utf-8" | "utf8" => utf8(bytes),
                // ASCII is the part of UTF-8 that has no high bytes.
                "us-ascii" | "ascii" if bytes.is_ascii() => utf8(bytes),
                "us-ascii" | "ascii" => Err(NotText::Invalid {
                    encoding: "US-ASCII",
                    line: Some(line_of(bytes, |byte| !byte.is_ascii())),
                }),
                "iso-8859-1" | "iso8859-1" | "latin1" | "latin-1" | "iso_8859-1" | "l1" => {
                    Ok(bytes.iter().map(|byte| char::from(*byte)).collect())
                }
                "windows-1252" | "cp1252" => windows_1252(bytes),
                _ => Err(NotText::Unknown(name)),
            },
        },
    }
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, NotText> {
    std::str::from_utf8(bytes)
        .map(Cow::Borrowed)
        .map_err(|error| NotText::Invalid {
            encoding: "UTF-8",
            line: Some(1 + feeds(&bytes[..error.valid_up_to()])),
        })
}

/// ISO-8859-1 but for 32 places, five of which are nothing.
fn windows_1252(bytes: &[u8]) -> Result<Cow<'_, str>, NotText> {
    const NOTHING: char = '\0';
    const PLACES: [char; 32] = [
        '€', NOTHING, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', NOTHING, 'Ž', NOTHING,
        NOTHING, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', NOTHING, 'ž', 'Ÿ',
    ];
    let place = |byte: &u8| match byte {
        0x80..=0x9f => PLACES[usize::from(byte - 0x80)],
        _ => char::from(*byte),
    };
    let is_nothing = |byte: &u8| *byte >= 0x80 && place(byte) == NOTHING;
    match bytes.iter().any(is_nothing) {
        true => Err(NotText::Invalid {
            encoding: "windows-1252",
            line: Some(line_of(bytes, is_nothing)),
        }),
        false => Ok(bytes.iter().map(place).collect()),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, NotText> {
    let invalid = NotText::Invalid {
        encoding: "UTF-16",
        line: None,
    };
    let (pairs, []) = bytes.as_chunks::<2>() else {
        return Err(invalid);
    };
    let units = pairs.iter().map(|pair| unit(*pair));
    char::decode_utf16(units)
        .collect::<Result<String, _>>()
        .map(Cow::Owned)
        .map_err(|_| invalid)
}

/// The encoding that the XML declaration names; every encoding read here has its ASCII in common.
fn declared(bytes: &[u8]) -> Option<String> {
    let declaration = bytes.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..declaration.len().min(256)];
    let end = declaration.windows(2).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(&declaration[..end]).ok()?;
    let value = declaration.split_once("encoding")?.1.trim_start();
    let value = value.strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let name = value[1..].split(quote).next()?;
    Some(name.to_owned())
}

fn line_of(bytes: &[u8], is_wrong: impl Fn(&u8) -> bool) -> usize {
    let end = bytes.iter().position(is_wrong).unwrap_or(bytes.len());
    1 + feeds(&bytes[..end])
}

fn feeds(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_encoding_it_names() {
        let text = "<a>Zürich</a>";
        let latin = |declaration: &str| {
            let mut bytes = format!("<?xml version='1.0' encoding='{declaration}'?>").into_bytes();
            bytes.extend_from_slice(b"<a>Z\xfcrich</a>");
            bytes
        };
        assert_eq!(decode(text.as_bytes()).unwrap(), text);
        assert_eq!(
            decode(&[b"\xef\xbb\xbf", text.as_bytes()].concat()).unwrap(),
            text
        );
        for name in ["ISO-8859-1", "latin1"] {
            assert!(decode(&latin(name)).unwrap().ends_with(text), "{name}");
        }
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&[b"\xff\xfe", &little[..]].concat()).unwrap(), text);
        assert_eq!(decode(&[b"\xfe\xff", &big[..]].concat()).unwrap(), text);
        assert!(decode(b"<?xml encoding = \"US-ASCII\"?><a/>").is_ok());
    }

    #[test]
    fn refuses_what_the_declaration_does_not_cover() {
        let invalid = |encoding, line| Err(NotText::Invalid { encoding, line });
        assert_eq!(decode(b"<a>\n\xff</a>"), invalid("UTF-8", Some(2)));
        assert_eq!(
            decode(b"<?xml encoding='us-ascii'?>\n\n\xfc"),
            invalid("US-ASCII", Some(3))
        );
        assert_eq!(decode(b"\xff\xfea"), invalid("UTF-16", None));
        assert_eq!(decode(b"\xff\xfe\x00\xd8"), invalid("UTF-16", None));
        assert_eq!(
            decode(b"<?xml version='1.0' encoding='EBCDIC'?>"),
            Err(NotText::Unknown("EBCDIC".to_owned()))
        );
    }
}
