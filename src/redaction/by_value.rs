//! Names and secrets that are known to the letter, found anywhere in one walk: also where no rule would
//! look, and a secret in base64 and hexadecimal, at any alignment.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::map::Class;

/// Compiled; see [`ByValue::new`].
pub(super) struct ByValue {
    names: Option<AhoCorasick>,
    meant: Vec<(Class, String)>,
    secrets: Option<AhoCorasick>,
    /// Of each spelling of a secret, whether it must stand alone.
    alone: Vec<bool>,
}

impl ByValue {
    /// `names`: in small letters → class; `secrets`: as written.
    pub fn new(names: &BTreeMap<String, Class>, secrets: &BTreeSet<String>) -> Self {
        let meant: Vec<(Class, String)> = names
            .iter()
            .map(|(name, class)| (*class, name.clone()))
            .collect();
        let mut spelled = Vec::new();
        for secret in secrets {
            // A word of letters may stand inside of another by chance.
            let is_word = secret.bytes().all(|byte| byte.is_ascii_alphabetic())
                || secret.bytes().all(|byte| byte.is_ascii_digit());
            spelled.push((secret.clone(), is_word));
            spelled.extend(spellings(secret).into_iter().map(|text| (text, false)));
        }
        let built = |patterns: Vec<&str>, is_case_free| match patterns.is_empty() {
            true => None,
            false => AhoCorasickBuilder::new()
                .match_kind(MatchKind::LeftmostLongest)
                .ascii_case_insensitive(is_case_free)
                .build(patterns)
                .ok(),
        };
        Self {
            names: built(meant.iter().map(|(_, name)| name.as_str()).collect(), true),
            secrets: built(
                spelled.iter().map(|(text, _)| text.as_str()).collect(),
                false,
            ),
            alone: spelled.iter().map(|(_, alone)| *alone).collect(),
            meant,
        }
    }

    /// Known names that stand alone.
    pub fn names(&self, text: &str) -> Vec<(Range<usize>, Class, &str)> {
        let Some(names) = &self.names else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(place) = names.find(aho_corasick::Input::new(text).range(at..)) {
            let range = place.range();
            if stands_alone(text, &range) {
                let (class, name) = &self.meant[place.pattern().as_usize()];
                found.push((range.clone(), *class, name.as_str()));
                at = range.end;
            } else {
                // A shorter name may begin inside of a longer one that does not stand alone.
                at = next(text, range.start);
            }
        }
        found
    }

    /// Known secrets, with the whole run of base64 or hexadecimal digits that an encoded one stands in.
    pub fn secrets(&self, text: &str) -> Vec<Range<usize>> {
        let Some(secrets) = &self.secrets else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for place in secrets.find_iter(text) {
            let range = place.range();
            if !self.alone[place.pattern().as_usize()] || stands_alone(text, &range) {
                found.push(range);
            }
        }
        found
    }
}

fn next(text: &str, at: usize) -> usize {
    let mut next = at + 1;
    while !text.is_char_boundary(next) {
        next += 1;
    }
    next
}

fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    !(text[..range.start].ends_with(is_word) || text[range.end..].starts_with(is_word))
}

/// What is left of `secret` in base64, wherever it stands in what was encoded, and in hexadecimal.
fn spellings(secret: &str) -> Vec<String> {
    let mut spelled = Vec::new();
    for lead in 0..3 {
        let mut bytes = vec![b'x'; lead];
        bytes.extend_from_slice(secret.as_bytes());
        // The first digits are made of what stands before as well, the last of what follows.
        let first = (lead * 8).div_ceil(6);
        let last = bytes.len() * 8 / 6;
        for text in [
            STANDARD_NO_PAD.encode(&bytes),
            URL_SAFE_NO_PAD.encode(&bytes),
        ] {
            if let Some(inner) = text.get(first..last)
                && inner.len() >= 6
            {
                spelled.push(inner.to_owned());
            }
        }
    }
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    spelled.push(hex.to_ascii_uppercase());
    spelled.push(hex);
    spelled.sort();
    spelled.dedup();
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn a_secret_is_found_in_base64_at_any_alignment_and_in_hexadecimal() {
        let secret = "hunter2!?";
        let words = ByValue::new(&BTreeMap::new(), &BTreeSet::from([secret.to_owned()]));
        for lead in ["", "b", "bo", "bob", "bob:"] {
            for tail in ["", "x", "xy", "xyz"] {
                let text = STANDARD.encode(format!("{lead}{secret}{tail}"));
                assert_eq!(words.secrets(&text).len(), 1, "{text}");
            }
        }
        assert_eq!(words.secrets("x68756E74657232213Fy").len(), 1);
        assert_eq!(words.secrets(&STANDARD.encode("hunter3!?")).len(), 0);
    }

    #[test]
    fn a_name_stands_alone_in_any_case() {
        let names = BTreeMap::from([("ny4-1".to_owned(), "host"), ("ops".to_owned(), "user")]);
        let words = ByValue::new(&names, &BTreeSet::new());
        let found = |text| words.names(text).len();
        assert_eq!(found("NY4-1.example ops@ny4-1 /home/ops/"), 4);
        assert_eq!(found("oops opsx ny4-10 ops_1"), 0);
        let word = ByValue::new(&BTreeMap::new(), &BTreeSet::from(["production".to_owned()]));
        assert_eq!(word.secrets("production reproductions").len(), 1);
    }
}
