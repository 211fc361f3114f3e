//! XML: says whether a document is well-formed, and gives its elements and attributes as settings.
//! Expands no entity and follows no `Include`: that an AMPS configuration asks for a file is told to
//! whoever fetches it.

use roxmltree::{Document, Error, Node, ParsingOptions};

use super::Settings;
use super::gather::{Gather, Wrong};
use super::reader::{expected, too_large};
use crate::evidence::redact::Capture;
use crate::evidence::xml_encoding::{NotText, decode};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Format;
use crate::text;

/// Most nodes of a document; the largest configurations have some ten thousand.
const NODES: u32 = 1_000_000;
/// Most attributes of one element and namespaces of one document. The parser compares each with
/// each, so that without a bound 16 MiB could keep it busy for hours.
const ATTRIBUTES: usize = 4096;
const NAMESPACES: usize = 256;

pub(super) fn read(bytes: &[u8]) -> Result<Settings, Failure> {
    let text = decode(bytes).map_err(not_text)?;
    judge(&text)
}

fn judge(text: &str) -> Result<Settings, Failure> {
    if let Some(what) = excess(text) {
        return Err(too_large(Format::Xml, what));
    }
    let options = ParsingOptions {
        nodes_limit: NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|e| refusal(text, &e))?;
    let root = document.root_element();
    let mut settings = settings(root, text).map_err(|wrong| match wrong {
        Wrong::TooLarge(what) => too_large(Format::Xml, what),
        Wrong::At { why, .. } => Failure::new(FailureKind::Corrupt, expected(Format::Xml), why),
    })?;
    let name = text::clip(&text::escape(root.tag_name().name()), 200).into_owned();
    settings.root = Some(name);
    Ok(settings)
}

/// Elements in the order of the document, each followed by its attributes and what it holds. Without
/// recursion: the nesting is the file's.
fn settings(root: Node<'_, '_>, text: &str) -> Result<Settings, Wrong> {
    let mut gather = Gather::default();
    let mut lines = Lines {
        text,
        at: 0,
        line: 1,
    };
    for node in root.descendants().filter(Node::is_element) {
        let depth = node.ancestors().take(super::gather::DEEPEST + 2).count() - 2;
        while gather.depth() > depth {
            gather.close();
        }
        let line = lines.of(node.range().start);
        let name = node.tag_name().name();
        let value = own_text(node);
        // AMPS Configuration Guide, "Including Files".
        let is_leaf = !node.children().any(|child| child.is_element());
        if name == "Include" && is_leaf && !value.is_empty() && node != root {
            gather.include(&value, line, false, false)?;
            continue;
        }
        gather.open(name, &value, line)?;
        for attribute in node.attributes() {
            let key = format!("@{}", attribute.name());
            gather.setting(&key, attribute.value(), line)?;
        }
    }
    Ok(gather.finish())
}

fn own_text(node: Node<'_, '_>) -> String {
    let texts = node.children().filter(Node::is_text);
    let text: String = texts.filter_map(|node| node.text()).collect();
    text.trim().to_owned()
}

/// Lines of places that only go forward.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn of(&mut self, place: usize) -> usize {
        let passed = self.text.get(self.at..place).unwrap_or_default();
        self.line += passed.matches('\n').count();
        self.at = place.max(self.at);
        self.line
    }
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
    Failure::new(FailureKind::Corrupt, expected(Format::Xml), actual).with_hint(hint)
}

fn refusal(text: &str, error: &Error) -> Failure {
    if matches!(error, Error::NodesLimitReached) {
        return too_large(Format::Xml, "more than a million nodes");
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
    Failure::new(FailureKind::Corrupt, expected(Format::Xml), actual)
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
    use std::io::Write as _;

    use super::super::reader::{CAP, Parsed};
    use super::*;
    use crate::evidence::Content;
    use crate::evidence::reader::Reader as _;

    type Found = (String, Option<String>);

    fn read(bytes: &[u8]) -> Result<Found, Failure> {
        let mut reader = Parsed::new(Format::Xml);
        for piece in bytes.chunks(1000) {
            reader.write_all(piece).unwrap();
        }
        match Box::new(reader).finish()? {
            Content::Settings(found) => Ok((found.root.unwrap(), found.name)),
            other => panic!("{other:?}"),
        }
    }

    fn found(root: &str, name: Option<&str>) -> Result<Found, Failure> {
        Ok((root.to_owned(), name.map(str::to_owned)))
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
        assert_eq!(
            read(closed.as_bytes()).unwrap_err().kind,
            FailureKind::TooLarge
        );
        let nodes = format!("<a>{}</a>", "<b/>".repeat(NODES as usize));
        assert_eq!(
            read(nodes.as_bytes()).unwrap_err().kind,
            FailureKind::TooLarge
        );
    }
}
