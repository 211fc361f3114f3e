//! The DTD of an XML document: where it stands, and whether it can build nothing. Reads no further than the prolog.

use std::ops::Range;

pub(super) const BEGIN: &str = "<!DOCTYPE";

/// Where `<!DOCTYPE … >` stands (XML 1.0, 2.8); `None` where there is none, or nothing tells where it ends.
pub(super) fn of(text: &str) -> Option<Range<usize>> {
    let mut at = text.len() - text.trim_start_matches('\u{feff}').len();
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start().len();
        let rest = &text[at..];
        if rest.starts_with(BEGIN) {
            return Some(at..end(text, at + BEGIN.len())?);
        }
        let close = match () {
            () if rest.starts_with("<?") => "?>",
            () if rest.starts_with("<!--") => "-->",
            () => return None,
        };
        at += rest.find(close)? + close.len();
    }
}

fn end(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    let mut is_inside = false;
    loop {
        let rest = text.get(at..)?;
        let skipped = match rest.as_bytes().first()? {
            quote @ (b'"' | b'\'') => 2 + rest[1..].find(char::from(*quote))?,
            b'<' if rest.starts_with("<!--") => rest.find("-->")? + 3,
            b'<' if rest.starts_with("<?") => rest.find("?>")? + 2,
            // As the parser reads it: whatever stands in it, it ends there.
            b'<' if rest.starts_with("<!") => rest.find('>')? + 1,
            b'[' => {
                is_inside = true;
                1
            }
            b']' => {
                is_inside = false;
                1
            }
            b'>' if !is_inside => return Some(at + 1),
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        at += skipped;
    }
}

/// Whether the document has one that declares elements at most: no entity, no attribute with a value of its own, and
/// nothing by reference. Nowhere else in the text either: where a DTD ends, two readers may see in two ways.
pub(super) fn is_plain(text: &str) -> bool {
    let Some(range) = of(text) else {
        return false;
    };
    let doctype = &text[range];
    let builds = ["<!ENTITY", "<!ATTLIST", "<!NOTATION"];
    let declared = doctype[BEGIN.len()..].match_indices("<!").map(|(at, _)| {
        let rest = &doctype[BEGIN.len() + at..];
        rest.starts_with("<!ELEMENT") || rest.starts_with("<!--")
    });
    declared.into_iter().all(|is_plain| is_plain)
        && !doctype.contains(['%', '&'])
        && !builds.iter().any(|declaration| text.contains(declaration))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_one_is_told_from_one_that_builds() {
        for (text, plain) in [
            ("<!DOCTYPE a><a/>", true),
            (
                "<?xml version='1.0'?>\n<!-- > -->\n<!DOCTYPE a SYSTEM \"x>y\"><a/>",
                true,
            ),
            (
                "<!DOCTYPE a [<!ELEMENT a (#PCDATA)><!-- ' ]> -->]><a/>",
                true,
            ),
            ("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", false),
            ("<!DOCTYPE a [<!ENTITY % p SYSTEM 'x'> %p;]><a/>", false),
            ("<!DOCTYPE a [<!ATTLIST a pw CDATA 'x'>]><a/>", false),
            ("<!DOCTYPE a [<!entity e 'x'>]><a/>", false),
            ("<!DOCTYPE a [%p;]><a/>", false),
        ] {
            let range = of(text).unwrap();
            assert!(text[range.end..].starts_with("<a"), "{text}");
            assert_eq!(is_plain(text), plain, "{text}");
        }
        for text in [
            "<a/>",
            "<!DOCTYPE a [",
            "<!DOCTYPE a 'x>",
            "",
            "<a><!DOCTYPE a></a>",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
        assert!(!is_plain(
            "<!DOCTYPE a [<!ELEMENT a ]> <!ENTITY e 'x'>]><a>&e;</a>"
        ));
        let range = of("<!DOCTYPE a [<!ELEMENT a ]> <!ELEMENT b (c)>]><a/>");
        assert_eq!(range, Some(0..46));
    }
}
