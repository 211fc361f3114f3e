//! Text that is safe to show and kind to read: escaping, clipping, plurals, did-you-mean.
//! Knows no format: HTML, XML and Markdown escape in their own renderers.

use std::borrow::Cow;

use unicode_security::skeleton;

/// What a form has where something is to be written by hand, and where it begins: one list for templates, requests
/// and answers.
#[must_use]
pub fn hand_mark(line: &str) -> Option<(usize, &str)> {
    let is_mark = |word: &str| {
        ["TODO", "TBD", "FIXME"].contains(&word)
            || (word.len() > 2 && word.chars().all(|c| c == 'X'))
    };
    let rule = line.match_indices("___").next();
    let rule = rule.map(|(at, _)| {
        let rest = &line[at..];
        (at, &rest[..rest.len() - rest.trim_start_matches('_').len()])
    });
    let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
    let word = words.find(|word| is_mark(word));
    // Where it stands: both are pieces of the line.
    let word = word.map(|word| (word.as_ptr() as usize - line.as_ptr() as usize, word));
    rule.into_iter().chain(word).min_by_key(|(at, _)| *at)
}

/// Whether an answer says nothing, however it is written: `T.B.D.`, `n/a`, `???`, `<impact>`, `[fill in]`.
#[must_use]
pub fn says_nothing(answer: &str) -> bool {
    const NOTHING: [&str; 34] = [
        "tbd",
        "tba",
        "tbc",
        "tbf",
        "todo",
        "to do",
        "fixme",
        "fix me",
        "xxx",
        "wip",
        "n a",
        "na",
        "nil",
        "null",
        "unknown",
        "not known",
        "pending",
        "later",
        "soon",
        "placeholder",
        "dummy",
        "to be determined",
        "to be done",
        "to be confirmed",
        "to be announced",
        "to be defined",
        "to be filled in",
        "fill in",
        "fill me in",
        "see above",
        "see below",
        "as above",
        "ditto",
        "not applicable",
    ];
    let answer = answer.trim();
    // Dots of an abbreviation part no words.
    let plain: String = (answer.to_lowercase().chars())
        .filter(|c| !['.', '\'', '’'].contains(c))
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_framed = [('<', '>'), ('[', ']'), ('{', '}')]
        .iter()
        .any(|(open, close)| {
            let inner = answer
                .strip_prefix(*open)
                .and_then(|rest| rest.strip_suffix(*close));
            inner.is_some_and(|inner| {
                inner.chars().count() <= 60 && !inner.contains([*open, *close, '\n'])
            })
        });
    plain.is_empty()
        || is_framed
        || NOTHING.contains(&&*plain)
        || plain.starts_with("lorem ipsum")
        || (plain.len() > 2 && plain.chars().all(|c| c == 'x'))
}

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
    fn an_answer_that_says_nothing_is_told_from_a_short_one() {
        for nothing in [
            "tbd",
            "TBD",
            "T.B.D.",
            "(tbc)",
            "n/a",
            "N.A.",
            "???",
            "-",
            "…",
            "pending",
            "Unknown",
            "<impact>",
            "[fill in]",
            "{impact}",
            "to be determined",
            "Lorem ipsum dolor",
            "see above",
            "xxxx",
            "\u{201c}tbd\u{201d}",
            "",
        ] {
            assert!(says_nothing(nothing), "{nothing}");
        }
        for something in [
            "none",
            "none, a drill",
            "orders are late",
            "S2",
            "no",
            "0",
            "a pending order is lost",
            "[1] error: disk",
            "see above 40 ms of lag since noon",
            "unknown to us; the log ends at 10:41",
            "<a/> is refused by <b/>",
        ] {
            assert!(!says_nothing(something), "{something}");
        }
        for (line, at, mark) in [
            ("Seen: TODO", 6, "TODO"),
            ("é: ____ TBD", 4, "____"),
            ("a XXXX", 2, "XXXX"),
        ] {
            assert_eq!(hand_mark(line), Some((at, mark)));
        }
        for line in ["__init__", "TODOS", "XX", "mastodon", "tbd"] {
            assert_eq!(hand_mark(line), None, "{line}");
        }
    }

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
