//! Text that is safe to show and kind to read: escaping, clipping, plurals, did-you-mean.
//! Knows no format: HTML, XML and Markdown escape in their own renderers.

mod unfilled;

use std::borrow::Cow;

use unicode_security::skeleton;

pub use unfilled::{hand_mark, placeholder, says_nothing};

/// Makes remote or user text safe for a terminal and for plain-text files: C0, DEL, C1, bidirectional
/// controls, zero-width and line-separator characters become `\u{…}`; CR, LF and TAB become `\r`,
/// `\n`, `\t`. What is safe stays as it was. (facts: traps.md 8, CWE-150)
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    // Nearly all that is printed is plain ASCII, and a large plan has a million lines of it.
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_plain || !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if is_unsafe(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// Breaks the marks by which CI servers take a command from the middle of a line of the log: `##[` (GitHub
/// Actions), `##vso[` (Azure Pipelines), `##teamcity[`. What holds none stays as it was.
#[must_use]
pub fn defuse(line: &str) -> Cow<'_, str> {
    match line.contains("##") {
        false => Cow::Borrowed(line),
        true => Cow::Owned(line.replace("##", "# #").replace("##", "# #")),
    }
}

/// True for characters that steer a terminal or reorder, hide or break what a person reads.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// A word as a POSIX shell takes it, quoted where it must be.
#[must_use]
pub fn shell_word(word: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@%+=:,./_-".contains(&byte);
    match !word.is_empty() && word.bytes().all(plain) {
        true => Cow::Borrowed(word),
        false => Cow::Owned(format!("'{}'", word.replace('\'', r"'\''"))),
    }
}

/// At most `most` characters, an ellipsis telling that there was more.
#[must_use]
pub fn clip(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

/// `host:22`, and `[::1]:22` for an IPv6 address, as URIs write it (RFC 3986, 3.2.2).
#[must_use]
pub fn endpoint(address: &str, port: u16) -> String {
    match address.contains(':') {
        true => format!("[{address}]:{port}"),
        false => format!("{address}:{port}"),
    }
}

/// `1 host`, `2 hosts`: for words whose plural is an `s`.
#[must_use]
pub fn count(number: usize, word: &str) -> String {
    match number {
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    }
}

/// A size in bytes as a person says it: `0 B`, `1.5 KiB`, `1 GiB` (IEC 80000-13 units).
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut scale = 1_u64;
    while unit + 1 < UNITS.len() && bytes / scale >= 1024 {
        scale *= 1024;
        unit += 1;
    }
    let (whole, rest) = (bytes / scale, bytes % scale);
    match (rest * 10) / scale {
        0 => format!("{whole} {}", UNITS[unit]),
        tenth => format!("{whole}.{tenth} {}", UNITS[unit]),
    }
}

/// `did you mean …?` for the closest of `known`, or an empty string when nothing is close.
#[must_use]
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let lower = word.to_lowercase();
    let best = known
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .min_by_key(|(distance, _)| *distance);
    match best {
        Some((distance, candidate)) if distance <= 1 + word.chars().count() / 4 => {
            format!("did you mean `{candidate}`?")
        }
        _ => String::new(),
    }
}

/// The words of a name as an eye compares them, in no order: whatever letters and accents it is written with,
/// `Okafor, Ben` is `Ben Okafor`.
#[must_use]
pub fn looks(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in skeleton(&name.to_lowercase()) {
        if c.is_alphanumeric() {
            words.last_mut().into_iter().for_each(|word| word.push(c));
        } else if c.is_whitespace() || c.is_ascii_punctuation() {
            words.push(String::new());
        }
        // Accents, soft hyphens and what else nobody sees tell nobody apart.
    }
    words.retain(|word| !word.is_empty());
    words.sort_unstable();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_look_alike_whatever_they_are_written_with() {
        let ben = looks("Ben Okafor");
        for same in [
            "Okafor, Ben",
            " BEN\u{a0}okafor",
            "B\u{435}n Okafor",
            "Bén Oka\u{ad}for",
            "ben.okafor",
        ] {
            assert_eq!(looks(same), ben, "{same}");
        }
        for other in ["Ben Ofori", "Ben", "Ben Okafor jun."] {
            assert_ne!(looks(other), ben, "{other}");
        }
        assert!(looks(" ?-").is_empty());
    }

    #[test]
    fn escapes_what_steers_a_terminal_and_keeps_the_rest() {
        assert_eq!(
            escape("a\u{1b}[31m\u{9b}b\u{202e}c\u{7f}\0"),
            "a\\u{1b}[31m\\u{9b}b\\u{202e}c\\u{7f}\\u{0}"
        );
        assert_eq!(escape("one\r\ntwo\t"), "one\\r\\ntwo\\t");
        assert!(matches!(escape("Zürich → 東京"), Cow::Borrowed(_)));
    }

    #[test]
    fn no_mark_of_a_ci_server_is_left() {
        for line in [
            "a ##[error]x",
            "###[x",
            "##vso[task.x]",
            "##teamcity[x]",
            "####",
            "#####[",
        ] {
            assert!(!defuse(line).contains("##"), "{line}");
            assert_eq!(defuse(line).replace(' ', ""), line.replace(' ', ""));
        }
        assert!(matches!(defuse("# one [x]"), Cow::Borrowed(_)));
    }

    #[test]
    fn an_ipv6_address_keeps_apart_from_its_port() {
        assert_eq!(endpoint("ny4-1.example", 22), "ny4-1.example:22");
        assert_eq!(endpoint("10.20.0.11", 2222), "10.20.0.11:2222");
        assert_eq!(endpoint("fd00::11", 22), "[fd00::11]:22");
    }

    #[test]
    fn clips_on_characters() {
        assert_eq!(clip("żółw", 2), "żó…");
        assert_eq!(clip("żółw", 4), "żółw");
    }

    #[test]
    fn says_sizes_as_people_do() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(1 << 30), "1 GiB");
        assert_eq!(size(u64::MAX), "16777215.9 TiB");
    }

    #[test]
    fn means_only_what_is_close() {
        assert_eq!(
            did_you_mean("prot", ["port", "user"]),
            "did you mean `port`?"
        );
        assert_eq!(did_you_mean("Given", ["given"]), "did you mean `given`?");
        assert_eq!(did_you_mean("zebra", ["port", "user"]), "");
    }
}
