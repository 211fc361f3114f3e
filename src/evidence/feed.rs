//! RSS and Atom: how many entries, and which is the newest. Titles and dates only; what a feed says is for
//! people. A date that cannot be read is refused: an entry that is left out could be the newest.

use std::borrow::Cow;

use jiff::{Timestamp, fmt::rfc2822};
use roxmltree::{Document, Node};

use super::redact::Capture;
use super::xml_encoding::{NotText, decode};
use crate::failure::{Failure, FailureKind};
use crate::probe::{Entry, Feed};
use crate::time::rfc3339;

/// Elements that tell when an entry came; an Atom entry that was changed later counts as changed.
const DATES: [&str; 4] = ["updated", "published", "pubDate", "date"];

/// Reads a feed whole.
///
/// # Errors
/// `corrupt` when it is none.
pub fn feed(bytes: &[u8]) -> Result<Feed, Failure> {
    let text = characters(bytes)?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    // No DTD, and so no entity that could grow.
    let document = Document::parse(text).map_err(|error| corrupt(&error.to_string()))?;
    let root = document.root_element();
    let name = |node: &Node<'_, '_>| node.tag_name().name().to_owned();
    let entries: Vec<Node<'_, '_>> = match root.tag_name().name() {
        "feed" => children(root, "entry"),
        "rss" => (children(root, "channel").into_iter())
            .flat_map(|channel| children(channel, "item"))
            .collect(),
        // RSS 1.0.
        "RDF" => children(root, "item"),
        other => {
            let other = Capture::new(other).excerpt(60);
            return Err(corrupt(&format!("an XML document `{other}`")));
        }
    };
    let mut newest: Option<(Timestamp, String)> = None;
    for entry in &entries {
        let title = children(*entry, "title").first().map(|title| words(*title));
        let title = title.unwrap_or_default();
        let dates = entry
            .children()
            .filter(|child| DATES.contains(&&*name(child)));
        let mut latest: Option<Timestamp> = None;
        for date in dates {
            let said = words(date);
            let read = instant(&said)
                .ok_or_else(|| corrupt(&format!("entry \"{title}\": `{said}` is no date")))?;
            latest = latest.max(Some(read));
        }
        let Some(latest) = latest else {
            return Err(corrupt(&format!("entry \"{title}\" without a date")));
        };
        if newest.as_ref().is_none_or(|(newest, _)| latest > *newest) {
            newest = Some((latest, title));
        }
    }
    Ok(Feed {
        entries: entries.len() as u64,
        newest: newest.map(|(at, title)| Entry {
            title,
            at: rfc3339(at),
        }),
    })
}

/// By the encoding that it declares; many a feed declares another than it has, and is UTF-8.
fn characters(bytes: &[u8]) -> Result<Cow<'_, str>, Failure> {
    decode(bytes).or_else(|why| match (why, std::str::from_utf8(bytes)) {
        (NotText::Unknown(_), Ok(text)) => Ok(Cow::Borrowed(text)),
        (NotText::Unknown(name), Err(_)) => {
            let name = Capture::new(name).excerpt(40);
            Err(corrupt(&format!(
                "an encoding `{name}` that is not read here"
            )))
        }
        (NotText::Invalid { encoding, .. }, _) => {
            Err(corrupt(&format!("bytes that are no {encoding}")))
        }
    })
}

fn children<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Vec<Node<'a, 'input>> {
    let all = node.children();
    all.filter(|child| child.tag_name().name() == name)
        .collect()
}

fn words(node: Node<'_, '_>) -> String {
    let text: String = node
        .descendants()
        .filter(Node::is_text)
        .filter_map(|part| part.text())
        .collect();
    Capture::new(text.trim()).excerpt(200)
}

/// RFC 3339 of Atom, RFC 822 of RSS.
fn instant(text: &str) -> Option<Timestamp> {
    let atom = text.parse::<Timestamp>().ok();
    atom.or_else(|| rfc2822::DateTimeParser::new().parse_timestamp(text).ok())
}

fn corrupt(actual: &str) -> Failure {
    Failure::new(FailureKind::Corrupt, "a feed (RSS or Atom)", actual)
        .with_hint("see with curl what the URL answers: a page for people, another format, or a feed that is broken")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATOM: &str = r#"<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Releases</title><updated>2030-01-01T00:00:00Z</updated>
      <entry><title>5.3.4</title><updated>2026-10-01T00:00:00Z</updated></entry>
      <entry><title type="html">5.3.5 &amp; more</title><published>2026-11-01T08:00:00+01:00</published><updated>2026-11-02T00:00:00Z</updated></entry></feed>"#;
    const RSS: &str = "<rss version=\"2.0\"><channel><title>t</title><pubDate>Fri, 01 Jan 2100 00:00:00 GMT</pubDate>\
      <item><title>old</title><pubDate>Wed, 02 Sep 2026 10:00:00 +0200</pubDate></item>\
      <item><title><![CDATA[new]]></title><pubDate>Sun, 01 Nov 2026 10:00:00 GMT</pubDate></item></channel></rss>";

    #[test]
    fn the_newest_entry_is_found_wherever_it_stands() {
        let newest = |text: &str| {
            let feed = feed(text.as_bytes()).unwrap();
            let newest = feed.newest.unwrap();
            (feed.entries, newest.title, newest.at)
        };
        let (two, title, at) = newest(ATOM);
        assert_eq!(
            (two, &*title, &*at),
            (2, "5.3.5 & more", "2026-11-02T00:00:00Z")
        );
        let (two, title, at) = newest(RSS);
        assert_eq!((two, &*title, &*at), (2, "new", "2026-11-01T10:00:00Z"));
        let rdf = r#"<rdf:RDF xmlns:rdf="r" xmlns:dc="d" xmlns="s"><channel/><item><title>x</title><dc:date>2026-11-03T00:00:00Z</dc:date></item></rdf:RDF>"#;
        assert_eq!(newest(rdf).2, "2026-11-03T00:00:00Z");
        let none = feed(b"<feed xmlns='http://www.w3.org/2005/Atom'></feed>").unwrap();
        assert_eq!((none.entries, none.newest), (0, None));
    }

    #[test]
    fn a_feed_is_read_by_the_encoding_that_it_declares() {
        let title = |bytes: &[u8]| feed(bytes).map(|feed| feed.newest.unwrap().title);
        let declared = |name: &str, place: &[u8]| {
            let text = ATOM
                .replace("\"1.0\"", &format!("\"1.0\" encoding=\"{name}\""))
                .replace("5.3.5", "PLACE");
            let (before, after) = text.split_once("PLACE").unwrap();
            [before.as_bytes(), place, after.as_bytes()].concat()
        };
        let zurich = "Z\u{fc}rich \u{20ac} &amp; more";
        let said = zurich.replace("&amp;", "&");
        let plain = "Z\u{fc}rich & more";
        assert_eq!(title(&declared("ISO-8859-1", b"Z\xfcrich")).unwrap(), plain);
        let windows = declared("windows-1252", b"Z\xfcrich \x80");
        assert_eq!(title(&windows).unwrap(), said);
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            let text = String::from_utf8(declared("utf-16", "Z\u{fc}rich".as_bytes())).unwrap();
            let text = format!("\u{feff}{text}");
            let bytes: Vec<u8> = text.encode_utf16().flat_map(order).collect();
            assert_eq!(title(&bytes).unwrap(), plain);
        }
        // Declared otherwise, and UTF-8 all the same.
        assert_eq!(
            title(&declared("utf-16", "Z\u{fc}rich".as_bytes())).unwrap(),
            plain
        );
        for broken in [
            declared("utf-8", b"Z\xfcrich"),
            declared("windows-1252", b"Z\x81rich"),
            declared("EBCDIC", b"Z\xfcrich"),
        ] {
            assert_eq!(feed(&broken).unwrap_err().kind, FailureKind::Corrupt);
        }
    }

    #[test]
    fn what_is_no_feed_or_hides_a_date_is_refused() {
        for bad in [
            "<html><body>entry</body></html>".to_owned(),
            String::new(),
            "{}".to_owned(),
            ATOM.replace("2026-11-02T00:00:00Z", "yesterday"),
            ATOM.replace("<updated>2026-10-01T00:00:00Z</updated>", ""),
            ATOM.replace("</feed>", ""),
            RSS.replace("Sun, 01 Nov 2026 10:00:00 GMT", "1.11.2026"),
            format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{RSS}"),
        ] {
            let failure = feed(bad.as_bytes()).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Corrupt, "{bad}");
        }
        assert!(feed(&[0xff, 0xfe, 0]).is_err());
    }
}
