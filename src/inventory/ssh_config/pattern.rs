//! Patterns of ssh_config(5): `*`, `?`, and lists of them with `!`.

/// One pattern against the whole text, letter case as written.
pub(super) fn matches(text: &str, pattern: &str) -> bool {
    if !pattern.contains(['*', '?']) {
        return text == pattern;
    }
    // The last `*` is the only place worth going back to, which keeps it linear in practice.
    let (text, pattern): (Vec<char>, Vec<char>) =
        (text.chars().collect(), pattern.chars().collect());
    let (mut t, mut p) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                t += 1;
                p += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (t, p) = (from + 1, at + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// A pattern list (comma-separated): some pattern matches and no negated one does.
pub(super) fn list(text: &str, patterns: &str) -> bool {
    let mut found = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(negated) if matches(text, negated) => return false,
            Some(_) => {}
            None => found |= matches(text, pattern),
        }
    }
    found
}

/// The same for host names, whose letter case does not count.
pub(super) fn hosts(name: &str, patterns: &str) -> bool {
    list(&name.to_ascii_lowercase(), &patterns.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_question_marks_and_negation() {
        for (text, patterns, expected) in [
            ("ny4-1", "ny4-*", true),
            ("ny4-1", "ny4-?", true),
            ("ny4-10", "ny4-?", false),
            ("ny4-1", "*-*1", true),
            ("", "*", true),
            ("a", "", false),
            ("ny4-1", "*,!ny4-1", false),
            ("ny4-1", "!ny4-1,*", false),
            ("ny4-2", "!ny4-1", false),
            ("ny4-2", "!ny4-1,ny4-*", true),
            ("[x", "[x", true),
        ] {
            assert_eq!(list(text, patterns), expected, "{text} {patterns}");
        }
        assert!(hosts("NY4-1", "ny4-*") && !matches("NY4-1", "ny4-*"));
        assert!(!matches(
            &"a".repeat(4000),
            &"*a".repeat(40).replace("*a*a", "*aa*b")
        ));
    }
}
