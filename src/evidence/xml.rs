//! The reader for XML: keeps the whole document, up to 16 MiB, and says whether it is well-formed,
//! what its root is and which name an AMPS configuration gives its instance. Expands no entity and
//! follows no `Include`: of a configuration in several files, one names the instance.

use std::io::{self, Write};

use roxmltree::{Document, Error, ParsingOptions};

use super::Content;
use super::opaque;
use super::reader::Reader;
use super::redact::Capture;
use super::xml_encoding::{NotText, decode};
use crate::failure::{Failure, FailureKind};
use crate::text;

/// Largest document that is read.
pub const CAP: usize = 16 << 20;
/// Most nodes of a document; the largest configurations have some ten thousand.
const NODES: u32 = 1_000_000;
/// Most attributes of one element and namespaces of one document. The parser compares each with
/// each, so that without a bound 16 MiB could keep it busy for hours.
const ATTRIBUTES: usize = 4096;
const NAMESPACES: usize = 256;

const EXPECTED: &str = "a well-formed XML document";

/// Keeps a document until its end.
#[derive(Debug, Default)]
pub struct Xml {
    bytes: Vec<u8>,
    is_over: bool,
}

impl Write for Xml {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + piece.len() > CAP {
            self.is_over = true;
            self.bytes = Vec::new();
        }
        if !self.is_over {
            self.bytes.extend_from_slice(piece);
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader for Xml {
    fn finish(self: Box<Self>) -> Result<Content, Failure> {
        if self.is_over {
            return Err(too_large("more than 16 MiB"));
        }
        if self.bytes.is_empty() {
            return Err(opaque::empty(EXPECTED));
        }
        if self.bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(Failure {
                actual: "white space only".to_owned(),
                ..opaque::empty(EXPECTED)
            });
        }
        let text = decode(&self.bytes).map_err(not_text)?;
        judge(&text)
    }
}

fn judge(text: &str) -> Result<Content, Failure> {
    if let Some(what) = excess(text) {
        return Err(too_large(what));
    }
    let options = ParsingOptions {
        nodes_limit: NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|e| refusal(text, &e))?;
    let root = document.root_element();
    let name = (root.tag_name().name() == "AMPSConfig")
        .then(|| root.children().find(|child| child.has_tag_name("Name")))
        .flatten()
        .map(|name| {
            let text: String = name
                .children()
                .filter(|n| n.is_text())
                .filter_map(|n| n.text())
                .collect();
            Capture::new(text).excerpt(200)
        })
        .filter(|name| !name.is_empty());
    Ok(Content::Xml {
        root: text::clip(&text::escape(root.tag_name().name()), 200).into_owned(),
        name,
    })
}

/// What there is too much of. Counted from above: text between tags counts as if it were a tag's.
fn excess(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    let values = |tag: &[u8]| {
        let sign = |pair: &&[u8]| pair[0] != b'=' && pair[1] == b'=';
        match tag {
            // Comments draw rulers of `=`, and have no attributes.
            [b'!' | b'?' | b'/', ..] => 0,
            _ => tag.windows(2).filter(sign).count(),
        }
    };
    // A value holds no `<` (XML 1.0, rule 10), so no element spans two of these pieces.
    let mut tags = bytes.split(|byte| *byte == b'<');
    if tags.any(|tag| values(tag) > ATTRIBUTES) {
        return Some("an element with thousands of attributes");
    }
    (text.matches("xmlns").count() > NAMESPACES).then_some("hundreds of namespaces")
}

fn too_large(actual: &str) -> Failure {
    Failure::new(
        FailureKind::TooLarge,
        "an XML document of a configuration's size (at most 16 MiB, a million nodes)",
        actual,
    )
    .with_hint("check that the path names a configuration; other files need no `format: xml`")
}

fn not_text(why: NotText) -> Failure {
    let (actual, hint) = match why {
        NotText::Invalid { encoding, line } => {
            let place = line.map_or_else(String::new, |line| format!(" in line {line}"));
            (
                format!("bytes that are not {encoding}{place}"),
                "the file is damaged, or its XML declaration names the wrong encoding",
            )
        }
        NotText::Unknown(name) => (
            format!(
                "the declared encoding `{}`, which gonogo does not read",
                Capture::new(name).excerpt(40)
            ),
            "save the file as UTF-8, UTF-16 or ISO-8859-1, or take `format: xml` from the inventory",
        ),
    };
    Failure::new(FailureKind::Corrupt, EXPECTED, actual).with_hint(hint)
}

fn refusal(text: &str, error: &Error) -> Failure {
    if matches!(error, Error::NodesLimitReached) {
        return too_large("more than a million nodes");
    }
    if matches!(error, Error::DtdDetected) {
        let line = text
            .find("<!DOCTYPE")
            .map_or(1, |at| 1 + text[..at].matches('\n').count());
        return Failure::new(
            FailureKind::Corrupt,
            "an XML document without a DTD",
            format!("line {line} begins a DTD, which gonogo does not expand"),
        )
        .with_hint("take the DOCTYPE out of the file, or `format: xml` from the inventory");
    }
    let actual = match position(text, error) {
        Some((line, column)) => format!("line {line}, column {column}: {}", say(error)),
        None => say(error),
    };
    Failure::new(FailureKind::Corrupt, EXPECTED, actual)
        .with_hint("compare with `xmllint --noout` on the host: the product may not start from it")
}

/// The parser points at 1:1 when it means the end.
fn position(text: &str, error: &Error) -> Option<(usize, usize)> {
    match error {
        Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
            let text = text.trim_end();
            let line = 1 + text.matches('\n').count();
            let last = text.rsplit('\n').next().unwrap_or_default();
            Some((line, last.chars().count() + 1))
        }
        Error::NoRootNode => None,
        _ => Some((error.pos().row as usize, error.pos().col as usize)),
    }
}

/// The parser's words, without its place and without the file's own text: what it takes for the name
/// of an entity may be the middle of a password with an ampersand.
fn say(error: &Error) -> String {
    match error {
        Error::UnknownEntityReference(..) => {
            "a reference to an unknown entity (`&` is written `&amp;`)".to_owned()
        }
        Error::UnexpectedEntityCloseTag(_) => "a closing tag out of place".to_owned(),
        Error::UnexpectedCloseTag(expected, actual, _) => {
            let shown = |tag: &str| text::clip(&text::escape(tag), 60).into_owned();
            format!(
                "expected the closing tag of `{}`, not of `{}`",
                shown(expected),
                shown(actual)
            )
        }
        Error::UnclosedRootNode => "the document ends before its root element does".to_owned(),
        Error::UnexpectedEndOfStream => "the document ends in the middle of its markup".to_owned(),
        Error::NoRootNode => "no root element".to_owned(),
        Error::DuplicatedAttribute(..) => "an attribute that the element has already".to_owned(),
        Error::DuplicatedNamespace(..) => "a namespace that the element has already".to_owned(),
        Error::UnknownNamespace(..) => "an unknown namespace prefix".to_owned(),
        Error::EntityResolver(..) => "an entity that cannot be resolved".to_owned(),
        other => {
            let words = other.to_string();
            let place = format!(" at {}", other.pos());
            text::escape(&words.replace(&place, "")).into_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Content, Failure> {
        let mut reader = Xml::default();
        for piece in bytes.chunks(1000) {
            reader.write_all(piece).unwrap();
        }
        Box::new(reader).finish()
    }

    fn found(root: &str, name: Option<&str>) -> Result<Content, Failure> {
        Ok(Content::Xml {
            root: root.to_owned(),
            name: name.map(str::to_owned),
        })
    }

    #[test]
    fn finds_root_and_the_instances_own_name() {
        for (bytes, expected) in [
            (
                &b"<?xml version='1.0'?>\n<AMPSConfig>\n <!-- x --><Name> orders </Name></AMPSConfig>"[..],
                found("AMPSConfig", Some("orders")),
            ),
            (
                b"<AMPSConfig><Name><![CDATA[or]]>de<!-- - -->rs</Name></AMPSConfig>",
                found("AMPSConfig", Some("orders")),
            ),
            (b"<AMPSConfig><Name/></AMPSConfig>", found("AMPSConfig", None)),
            (
                b"<AMPSConfig><Admin><Name>no</Name></Admin></AMPSConfig>",
                found("AMPSConfig", None),
            ),
            (b"<Transports><Name>no</Name></Transports>", found("Transports", None)),
        ] {
            assert_eq!(read(bytes), expected);
        }
        let utf16: Vec<u8> = "\u{feff}<AMPSConfig><Name>żółw</Name></AMPSConfig>"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(read(&utf16), found("AMPSConfig", Some("żółw")));
        let latin = b"<?xml version='1.0' encoding='latin1'?><AMPSConfig><Name>Z\xfcrich</Name></AMPSConfig>";
        assert_eq!(read(latin), found("AMPSConfig", Some("Zürich")));
    }

    #[test]
    fn says_where_and_why_it_is_not_well_formed() {
        for (bytes, actual) in [
            (
                &b"<a>\n  <b></c>\n</a>"[..],
                "line 2, column 6: expected the closing tag of `b`, not of `c`",
            ),
            (
                b"<a>\n  <b>1</b>\n",
                "line 2, column 11: the document ends before its root element does",
            ),
            (
                b"<a>\n<Password>hun&ter2;x</Password></a>",
                "line 2, column 14: a reference to an unknown entity (`&` is written `&amp;`)",
            ),
            (b"plain text", "line 1, column 1: unknown token"),
            (b"<a>\n\xff</a>", "bytes that are not UTF-8 in line 2"),
            (
                b"<!DOCTYPE a [<!ENTITY x 'y'>]>\n<a>&x;</a>",
                "line 1 begins a DTD, which gonogo does not expand",
            ),
        ] {
            let failure = read(bytes).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Corrupt);
            assert_eq!(failure.actual, actual);
            assert!(!failure.hint.is_empty());
        }
        let nul = read(&[0; 4096]).unwrap_err();
        assert_eq!(nul.kind, FailureKind::Corrupt);
        assert!(!nul.actual.contains('\0'), "{}", nul.actual);
    }

    #[test]
    fn white_space_is_empty() {
        for bytes in [&b""[..], b" \r\n\t\n"] {
            assert_eq!(read(bytes).unwrap_err().kind, FailureKind::Empty);
        }
    }

    #[test]
    fn the_cap_is_a_byte_sharp() {
        let document = |size: usize| {
            let mut bytes = b"<a>".to_vec();
            bytes.resize(size - 4, b'x');
            bytes.extend_from_slice(b"</a>");
            bytes
        };
        assert_eq!(read(&document(CAP)), found("a", None));
        let failure = read(&document(CAP + 1)).unwrap_err();
        assert_eq!(failure.kind, FailureKind::TooLarge);
    }

    #[test]
    fn documents_made_to_hang_the_parser_are_refused() {
        use std::fmt::Write as _;
        let mut attributes = String::from("<a");
        let mut namespaces = String::new();
        for n in 0..20_000 {
            write!(attributes, " a{n}='x'").unwrap();
            write!(namespaces, "<a xmlns:n{n}='u{n}'>").unwrap();
        }
        let deep = "<a>".repeat(200_000);
        attributes.push_str("/>");
        for hostile in [attributes, namespaces] {
            assert_eq!(
                read(hostile.as_bytes()).unwrap_err().kind,
                FailureKind::TooLarge
            );
        }
        assert_eq!(
            read(deep.as_bytes()).unwrap_err().kind,
            FailureKind::Corrupt
        );
        let closed = format!("{deep}{}", "</a>".repeat(200_000));
        assert_eq!(read(closed.as_bytes()), found("a", None));
        let nodes = format!("<a>{}</a>", "<b/>".repeat(NODES as usize));
        assert_eq!(
            read(nodes.as_bytes()).unwrap_err().kind,
            FailureKind::TooLarge
        );
    }
}
