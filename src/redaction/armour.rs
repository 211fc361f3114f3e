//! Keys as text (PEM, RFC 7468; SSH2; PuTTY): where one begins, and what of the lines below belongs to it, whatever a
//! log, a quote or a comment writes before each of them. Opens none.

use super::text::is_entry;

/// Lines that a key goes on for.
pub(super) const LONGEST: usize = 400;
/// Lines of others that stand among those of a key.
const STRAYS: usize = 8;

/// What stands in the head of a key.
const HEADERS: &[&str] = &[
    "Proc-Type:",
    "DEK-Info:",
    "Version:",
    "Comment:",
    "Subject:",
    "Encryption:",
    "Public-Lines:",
    "Private-Lines:",
    "Private-MAC:",
    "Private-Hash:",
    "Key-Derivation:",
    "Argon2-",
];

/// A key that has begun and not ended.
#[derive(Clone)]
pub(super) struct Armour {
    /// Words before it on its first line, as before every line of it in a log.
    lead: usize,
    /// It began in an entry of a log.
    is_logged: bool,
    lines: usize,
    strays: usize,
}

/// What a line below the first is.
pub(super) enum Below {
    /// Of the key, from there on.
    Key(usize),
    /// The last of the key, from there on.
    Last(usize),
    /// Somebody else's, in between.
    Stray,
    /// Nothing of it comes any more.
    Over,
}

/// Where a key begins on the line, and where it ends if it does so there.
pub(super) fn begin(body: &str) -> Option<(usize, Option<usize>)> {
    let start = match body.find("PuTTY-User-Key-File") {
        Some(at) => at,
        None => marked(body, "BEGIN ")?,
    };
    let end = marked(&body[start..], "END ").map(|at| {
        let rest = &body[start + at..];
        let label = rest.trim_start_matches(['-', ' ']);
        let behind = label.trim_start_matches(is_of_label);
        body.len() - behind.trim_start_matches('-').len()
    });
    Some((start, end))
}

const fn is_of_label(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit() || c == ' '
}

/// `-----BEGIN X`, `---- BEGIN X`, and without lines before it where it says itself that it is a private key.
fn marked(body: &str, word: &str) -> Option<usize> {
    body.match_indices(word).find_map(|(at, _)| {
        let label = &body[at + word.len()..];
        let label = &label[..label.find(|c| !is_of_label(c)).unwrap_or(label.len())];
        let before = body[..at].trim_end_matches(' ');
        let start = before.trim_end_matches('-').len();
        let is_lined = before.len() >= start + 4 && !label.trim().is_empty();
        match is_lined {
            true => Some(start),
            false => label.contains("PRIVATE KEY").then_some(at),
        }
    })
}

impl Armour {
    /// A key begins behind `head`.
    pub fn new(head: &str) -> Self {
        Self {
            lead: head.split_whitespace().count(),
            is_logged: is_entry(head),
            lines: 0,
            strays: 0,
        }
    }

    /// What the next line is.
    pub fn below(&mut self, body: &str) -> Below {
        self.lines += 1;
        let is_next = !self.is_logged && is_entry(body);
        if self.lines > LONGEST || self.strays > STRAYS || is_next {
            return Below::Over;
        }
        let indent = body.len() - body.trim_start().len();
        let from = self.of_key(body);
        if let Some(end) = marked(body, "END ") {
            return Below::Last(from.unwrap_or(end).min(end));
        }
        if let Some(from) = from {
            self.strays = 0;
            return Below::Key(from);
        }
        self.strays += 1;
        match is_entry(body) {
            true => Below::Stray,
            false => Below::Key(indent),
        }
    }

    /// Where a line of the key begins, behind what stands before each of them.
    fn of_key(&self, body: &str) -> Option<usize> {
        if let Some(header) = HEADERS.iter().filter_map(|one| body.find(one)).min() {
            return Some(header);
        }
        // `"V\n" +`: what joins the lines of a program.
        let body = body.trim_end_matches(|c: char| c.is_whitespace() || "\"'`+,;\\".contains(c));
        let words: Vec<&str> = body.split_whitespace().collect();
        let Some((last, before)) = words.split_last() else {
            return Some(body.len());
        };
        let at = body.len() - last.len();
        // A line of a log without a text: the empty line below the head of a key.
        if before.len() + 1 == self.lead && is_entry(body) {
            return Some(body.len());
        }
        let is_of_it = last
            .trim_matches(|c: char| "\"'`+,;\\".contains(c))
            .trim_end_matches("\\n")
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte));
        (before.len() <= self.lead && is_of_it).then_some(at)
    }
}

/// Where a key that does not end begins last, if that is not long ago: no text is cut below it.
pub(super) fn open_at(text: &str) -> Option<usize> {
    let at = text.rfind("BEGIN ")?;
    let line = text[..at].rfind('\n').map_or(0, |feed| feed + 1);
    let (start, end) = begin(text[line..].lines().next()?)?;
    let below = &text[line + start..];
    let is_short = below.lines().take(LONGEST + 1).count() <= LONGEST;
    (end.is_none() && is_short && marked(below, "END ").is_none()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_begin_and_end_where_they_say() {
        for (line, start, end) in [
            ("-----BEGIN RSA PRIVATE KEY-----", 0, None),
            ("k: ---- BEGIN SSH2 PRIVATE KEY ----", 3, None),
            ("x BEGIN PRIVATE KEY", 2, None),
            (
                "\"-----BEGIN EC PRIVATE KEY-----\\nx\\n-----END EC PRIVATE KEY-----\\n\", 5",
                1,
                Some(64),
            ),
        ] {
            assert_eq!(begin(line), Some((start, end)), "{line}");
        }
        for line in [
            "-----BEGIN of it-----",
            "BEGIN TRANSACTION",
            "BEGIN",
            "-- BEGIN x",
            "- BEGIN X",
        ] {
            assert_eq!(begin(line), None, "{line}");
        }
    }

    #[test]
    fn a_text_is_not_cut_within_a_key() {
        let key = "a\nb -----BEGIN PRIVATE KEY-----\nb x\n";
        assert_eq!(open_at(key), Some(2));
        assert_eq!(
            open_at(&format!("{key}b -----END PRIVATE KEY-----\nb x\n")),
            None
        );
        assert_eq!(open_at(&format!("{key}{}", "b y\n".repeat(LONGEST))), None);
        assert_eq!(open_at("a\nBEGIN TRANSACTION\n"), None);
    }
}
