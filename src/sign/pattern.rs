//! Patterns as OpenSSH matches them (`match.c`; ssh_config(5), PATTERNS): `*`, `?`, and lists with
//! `!`. Not globset: there, `/`, `[` and `{` mean something that they do not mean here.

/// Sub-patterns of this many bytes or more match nothing in OpenSSH (`match_pattern_list`).
const SUBPATTERN_LIMIT: usize = 1023;

/// True when `text` matches a positive pattern of the comma-separated `list` and no negated one.
#[must_use]
pub fn matches_list(text: &str, list: &str) -> bool {
    let mut positive = false;
    // As in C: a comma at the end opens no further, empty pattern.
    for pattern in list.strip_suffix(',').unwrap_or(list).split(',') {
        let (negated, pattern) = match pattern.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        if pattern.len() >= SUBPATTERN_LIMIT {
            return false;
        }
        if matches(text.as_bytes(), pattern.as_bytes()) {
            if negated {
                return false;
            }
            positive = true;
        }
    }
    positive && !list.is_empty()
}

/// True when `pattern` stands for itself alone.
#[must_use]
pub fn is_plain(pattern: &str) -> bool {
    !pattern.is_empty() && !pattern.contains(['*', '?']) && !pattern.starts_with('!')
}

// Bytes, not characters, as in C. Two cursors and one place to return to: no pattern is slow.
fn matches(text: &[u8], pattern: &[u8]) -> bool {
    let (mut t, mut p) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after, from)) => {
                    retry = Some((after, from + 1));
                    p = after;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_openssh_does() {
        for (text, list, expected) in [
            ("a@x", "a@x", true),
            ("a@x", "A@x", false),
            ("a@x", "*@x", true),
            ("a@x", "?@x", true),
            ("ab@x", "?@x", false),
            ("a@x", "*", true),
            ("a@x", "b@x,a@x", true),
            ("a@x", "*,!a@x", false),
            ("a@x", "!a@x,*", false),
            ("b@x", "*,!a@x", true),
            ("a@x", "!b@x", false),
            ("a@x", "", false),
            ("", "*", true),
            ("a[b]", "a[b]", true),
            ("mississippi", "m*iss*ip*i", true),
            ("mississippi", "m*iss*ip*x", false),
            ("a", "a,", true),
        ] {
            assert_eq!(matches_list(text, list), expected, "{text} in {list}");
        }
    }

    #[test]
    fn no_pattern_is_slow_and_none_too_long() {
        let text = "a".repeat(4000);
        assert!(!matches_list(&text, &format!("{}b", "a*".repeat(400))));
        assert!(!matches_list(&text, &format!("{}*", "a".repeat(1023))));
    }

    #[test]
    fn tells_names_from_patterns() {
        assert!(is_plain("a@x"));
        for pattern in ["*", "a?x", "!a", ""] {
            assert!(!is_plain(pattern), "{pattern}");
        }
    }
}
