//! What a form, a request or an answer has where nothing was filled in: one list for templates, requests and
//! answers.

/// What a form has where something is to be written by hand, and where it begins.
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

/// What a form has where a value belongs, and where it begins: `<your name>`, `@@NAME@@`, `%NAME%`.
#[must_use]
pub fn placeholder(line: &str) -> Option<(usize, &str)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_name = |inner: &str| {
        let is_apart = inner.starts_with(' ') || inner.ends_with(' ');
        inner.starts_with(|c: char| c.is_ascii_alphabetic())
            && !is_apart
            && inner.chars().all(|c| is_word(c) || c == ' ')
            && inner.len() <= 40
    };
    // In small letters, `%d%` and `a@@b@@` are no form's.
    let is_loud = |inner: &str| {
        let has_small = inner.contains(|c: char| c.is_ascii_lowercase() || c == ' ');
        inner.len() > 1 && !has_small && is_name(inner)
    };
    let between = |open: &str, close: &str, is: &dyn Fn(&str) -> bool| {
        line.match_indices(open).find_map(|(at, _)| {
            let inner = &line[at + open.len()..];
            let (inner, _) = inner.split_once(close)?;
            is(inner).then(|| (at, &line[at..at + open.len() + inner.len() + close.len()]))
        })
    };
    let all = [
        between("<", ">", &is_name),
        between("@@", "@@", &is_loud),
        between("%", "%", &is_loud),
    ];
    all.into_iter().flatten().min_by_key(|(at, _)| *at)
}

/// Whether an answer says nothing, however it is written: `T.B.D.`, `n/a`, `???`, `<impact>`, `[fill in]`.
#[must_use]
pub fn says_nothing(answer: &str) -> bool {
    const NOTHING: [&str; 43] = [
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
        "to come",
        "to follow",
        "see attached",
        "see attachment",
        "see attachments",
        "test",
        "asdf",
        "qwerty",
        "foo",
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
    let is_mark = || placeholder(answer).is_some_and(|(_, mark)| mark == answer);
    plain.is_empty()
        || is_framed
        || is_mark()
        || NOTHING.contains(&&*plain)
        || plain.starts_with("lorem ipsum")
        || (plain.len() > 2 && plain.chars().all(|c| c == 'x'))
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
            "to come",
            "See attachment.",
            "asdf",
            "@@IMPACT@@",
            "%IMPACT%",
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
            "the test of the standby",
            "see attachment 2, line 40",
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
    fn what_stands_for_a_value_is_told_from_text() {
        for (line, at, mark) in [
            ("Name: <your name>", 6, "<your name>"),
            ("a < b, <HOST>", 7, "<HOST>"),
            ("é @@NAME@@", 3, "@@NAME@@"),
            ("on %HOST_1%.", 3, "%HOST_1%"),
        ] {
            assert_eq!(placeholder(line), Some((at, mark)));
        }
        for line in [
            "Ana <ana@ops.example>",
            "a < b and b > c",
            "<1>",
            "90% UP, 10% DOWN",
            "%d%",
            "a@@b@@",
            "<a/> is refused by <b/>",
            "[INFO] started",
        ] {
            assert_eq!(placeholder(line), None, "{line}");
        }
    }
}
