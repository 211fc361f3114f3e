//! File names as a product writes them: strftime(3) conversions and `%n`, AMPS' rotation counter (facts:
//! artifacts.md 2.3). From a mask to the pattern that lists, and to the expression that says which of the
//! listed names are really of it. Lists nothing.

use regex::Regex;

/// A compressed rotation has one of these behind its name.
const COMPRESSED: &str = r"(?:\.(?:gz|zst|xz|bz2))?";

/// What a conversion stands for: as a pattern and as an expression. `None`: none that a file name has.
///
/// `%n` is digits, however many: the vendor's pages disagree on its width.
const fn conversion(letter: char) -> Option<(&'static str, &'static str)> {
    Some(match letter {
        'n' => ("[0-9]*", "[0-9]+"),
        's' => ("[0-9]*", "[0-9]+"),
        'Y' | 'G' => ("[0-9][0-9][0-9][0-9]", "[0-9]{4}"),
        'j' => ("[0-9][0-9][0-9]", "[0-9]{3}"),
        'm' | 'd' | 'H' | 'I' | 'M' | 'S' | 'y' | 'g' | 'C' | 'U' | 'W' | 'V' => {
            ("[0-9][0-9]", "[0-9]{2}")
        }
        'e' | 'k' | 'l' => ("?[0-9]", "[ 0-9][0-9]"),
        'u' | 'w' => ("[0-9]", "[0-9]"),
        'b' | 'h' | 'a' => ("[A-Z][a-z][a-z]", "[A-Z][a-z]{2}"),
        'B' | 'A' => ("[A-Z]*", "[A-Z][a-z]+"),
        'p' => ("[AP]M", "[AP]M"),
        'F' => (
            "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]",
            "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        ),
        'T' => (
            "[0-9][0-9]:[0-9][0-9]:[0-9][0-9]",
            "[0-9]{2}:[0-9]{2}:[0-9]{2}",
        ),
        'R' => ("[0-9][0-9]:[0-9][0-9]", "[0-9]{2}:[0-9]{2}"),
        'z' => ("[+-][0-9][0-9][0-9][0-9]", "[+-][0-9]{4}"),
        'Z' => ("[A-Z]*", "[A-Z]+"),
        '%' => ("%", "%"),
        _ => return None,
    })
}

/// What a mask gets wrong, whatever is filled in: message and hint.
pub(super) fn object_to(literal: &str) -> Option<(String, &'static str)> {
    if literal.contains(['*', '?', '[', ']']) {
        return Some((
            "a mask is a name as the product writes it, and this one holds a character of patterns"
                .to_owned(),
            "write a pattern as `path:`; in a mask `%n` stands for the rotation's number, `%Y` for the year",
        ));
    }
    let mut letters = literal.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            continue;
        }
        let known = letters.next();
        if known.and_then(conversion).is_none() {
            let what = known.map_or("a lone `%`".to_owned(), |letter| format!("`%{letter}`"));
            return Some((
                format!("{what} is no conversion of a file name"),
                "known are %n and, as in strftime(3), %Y %m %d %H %M %S %y %j %F %T %R %b %B %a %A %e %I %p %U %V %W %G %u %w %s %z %Z; write %% for a percent sign",
            ));
        }
    }
    None
}

/// The pattern that lists what the mask may mean, compressed or not, and perhaps more.
#[must_use]
pub fn pattern(mask: &str) -> String {
    let mut pattern = convert(mask, |literal| literal.to_string(), |(pattern, _)| pattern);
    if !pattern.ends_with('*') {
        pattern.push('*');
    }
    pattern
}

/// Whether `path` is a file that the product named by the mask.
#[must_use]
pub fn matches(mask: &str, path: &str) -> bool {
    let literal = |letter: char| regex::escape(letter.encode_utf8(&mut [0; 4]));
    let expression = convert(mask, literal, |(_, expression)| expression);
    let built = Regex::new(&format!("^{expression}{COMPRESSED}$"));
    built.is_ok_and(|expression| expression.is_match(path))
}

fn convert(
    mask: &str,
    literal: impl Fn(char) -> String,
    side: impl Fn((&'static str, &'static str)) -> &'static str,
) -> String {
    let mut text = String::new();
    let mut letters = mask.chars();
    while let Some(letter) = letters.next() {
        let known = match letter {
            // Unknown ones were refused when the inventory was read.
            '%' => letters.next().and_then(conversion),
            letter => {
                text.push_str(&literal(letter));
                continue;
            }
        };
        text.push_str(known.map_or("", &side));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_lists_its_files_and_takes_no_others() {
        let mask = "/logs/orders-%Y%m%dT%H%M%S-%n.log";
        assert_eq!(
            pattern(mask),
            "/logs/orders-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]-[0-9]*.log*"
        );
        let base = "/logs/orders-20261121T093000-";
        for good in [
            "0.log",
            "00001.log",
            "7.log.gz",
            "7.log.zst",
            "7.log.xz",
            "7.log.bz2",
        ] {
            assert!(matches(mask, &format!("{base}{good}")), "{good}");
        }
        for bad in [
            ".log",
            "1.logs",
            "1x.log",
            "1.log.old",
            "1.log.gz.gz",
            "1/2.log",
        ] {
            assert!(!matches(mask, &format!("{base}{bad}")), "{bad}");
        }
        assert!(!matches(mask, "/logs/quotes-20261121T093000-1.log"));
        assert!(!matches("/logs/a.log", "/logs/axlog"));
        assert!(matches("/logs/100%%.log", "/logs/100%.log"));
    }

    #[test]
    fn what_lists_finds_whatever_matches() {
        for (mask, path) in [
            ("/l/%F-%T.log", "/l/2026-11-21-09:30:00.log.gz"),
            ("/l/%b%e.log", "/l/Nov 3.log"),
            ("/l/%B-%A.log", "/l/November-Friday.log.xz"),
            ("/l/%s%z%Z%p.log", "/l/1795285031+0100CETAM.log"),
            ("/%Y/%j.log", "/2026/325.log"),
        ] {
            assert!(matches(mask, path), "{mask}");
            let glob = globset::GlobBuilder::new(&pattern(mask))
                .literal_separator(true)
                .build();
            assert!(glob.unwrap().compile_matcher().is_match(path), "{mask}");
        }
    }

    #[test]
    fn unknown_conversions_and_patterns_are_refused() {
        for bad in [
            "/l/%q.log",
            "/l/%",
            "/l/%D.log",
            "/l/*-%n.log",
            "/l/[0]%n",
            "/l/?",
        ] {
            assert!(object_to(bad).is_some(), "{bad}");
        }
        assert_eq!(object_to("/l/%n-%Y.log"), None);
    }
}
