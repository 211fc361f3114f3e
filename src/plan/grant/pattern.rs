//! A planned pattern in the two languages that grants speak: POSIX extended regular expressions (sudoers)
//! and patterns of the shell. Both mean at most what the plan's pattern means; where one cannot say
//! that, there is none.

use std::collections::BTreeSet;

use crate::plan::planned::is_glob;

/// Any character of a name that sudo can tell from the end of an argument.
const NAMED: &str = "/[:space:]";

enum Token {
    Char(char),
    One,
    Any,
    Set { negated: bool, set: BTreeSet<char> },
}

/// The paths that `pattern` leads to and whose names hold no blank, as a regular expression without
/// anchors: no `/` from a `*`, no hidden name, no `..`.
pub(super) fn regex(pattern: &str) -> Option<String> {
    let parts: Option<Vec<String>> = pattern.split('/').map(component).collect();
    parts.map(|parts| parts.join("/"))
}

/// `text` as a regular expression that matches it alone.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        // `#` begins a comment in sudoers, even there.
        if r"\.[](){}*+?^$|#".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// One pattern of the shell for each component, joined by `/`; who compares goes component by component.
pub(super) fn shell(pattern: &str) -> Option<String> {
    let mut out = String::new();
    for token in tokens(pattern)? {
        match token {
            Token::Char(c) => {
                if r"*?[]\".contains(c) {
                    out.push('\\');
                }
                out.push(c);
            }
            Token::One => out.push('?'),
            Token::Any => out.push('*'),
            Token::Set { negated, set } => out.push_str(&bracket(negated, &set, "!", "")?),
        }
    }
    Some(out)
}

fn component(part: &str) -> Option<String> {
    let mut out = String::new();
    // What is certain of the name's beginning, while it may still become `.` or `..`.
    let mut lead = Some(String::new());
    let mut tokens = tokens(part)?.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_open = lead.as_deref().is_some_and(|lead| lead != "..");
        let (dot, rest) = (if is_open { "." } else { "" }, lead.is_some());
        match token {
            Token::Char(c) => {
                out.push_str(&literal(&c.to_string()));
                lead = lead.map(|lead| format!("{lead}{c}"));
                lead = lead.filter(|lead| lead == "." || lead == "..");
                continue;
            }
            Token::One => out.push_str(&format!("[^{dot}{NAMED}]")),
            Token::Any if !rest => out.push_str(&format!("[^{NAMED}]*")),
            // An empty `*` at the beginning must not leave a dot as the first character.
            Token::Any => {
                let plain = matches!(tokens.peek(), Some(Token::Char(c)) if *c != '.');
                let most = format!("[^{dot}{NAMED}][^{NAMED}]*");
                out.push_str(&if plain { format!("({most})?") } else { most });
            }
            Token::Set { negated: true, set } => {
                out.push_str(&bracket(true, &set, "^", &format!("{dot}{NAMED}"))?);
            }
            Token::Set { set, .. } => {
                let blank = |c: char| c == '/' || c.is_whitespace() || (is_open && c == '.');
                let set = set.into_iter().filter(|c| !blank(*c)).collect();
                out.push_str(&bracket(false, &set, "^", "")?);
            }
        }
        lead = None;
    }
    Some(out)
}

/// A bracket expression of exactly these characters. None where languages differ: a backslash, `#`
/// (a comment to sudoers) and what is not ASCII.
fn bracket(negated: bool, set: &BTreeSet<char>, not: &str, besides: &str) -> Option<String> {
    if set.is_empty()
        || set
            .iter()
            .any(|c| !c.is_ascii_graphic() || r"\#".contains(*c))
    {
        return None;
    }
    // Where a bracket expression takes these for themselves: `]` first, the others last.
    let has = |c: char| {
        if set.contains(&c) {
            c.to_string()
        } else {
            String::new()
        }
    };
    let plain: String = set.iter().filter(|c| !"][^!-".contains(**c)).collect();
    let tail = format!("{}{}{}{}", has('['), has('!'), has('^'), has('-'));
    let head = format!("{}{plain}", has(']'));
    // `[^…` and `[!…` would begin a negation.
    if !negated && head.is_empty() && tail.starts_with(['^', '!']) {
        return None;
    }
    let not = if negated { not } else { "" };
    Some(format!("[{not}{head}{besides}{tail}]"))
}

fn tokens(part: &str) -> Option<Vec<Token>> {
    if !is_glob(part) {
        return Some(part.chars().map(Token::Char).collect());
    }
    let mut tokens = Vec::new();
    let mut rest = part.chars().peekable();
    while let Some(c) = rest.next() {
        tokens.push(match c {
            '*' => Token::Any,
            '?' => Token::One,
            '[' => {
                let negated = rest.next_if(|c| "!^".contains(*c)).is_some();
                let mut set = BTreeSet::new();
                let mut first = true;
                loop {
                    let from = rest.next()?;
                    if from == ']' && !first {
                        break;
                    }
                    first = false;
                    let ahead: String = rest.clone().take(2).collect();
                    match ahead.chars().collect::<Vec<_>>()[..] {
                        ['-', to] if to != ']' => {
                            rest.nth(1);
                            set.extend(from..=to);
                        }
                        _ => drop(set.insert(from)),
                    }
                }
                Token::Set { negated, set }
            }
            c => Token::Char(c),
        });
    }
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regex_means_the_names_of_the_pattern_and_no_others() {
        for (pattern, yes, no) in [
            (
                "/l/*.log*",
                &["/l/a.log", "/l/a.b.log.1"][..],
                &[
                    "/l/.log",
                    "/l/..log",
                    "/l/a/b.log",
                    "/l/a log.log",
                    "/l/../x.log",
                    "/lxa.log",
                ][..],
            ),
            (
                "/l/*",
                &["/l/a", "/l/a..b"],
                &["/l/.", "/l/..", "/l/.a", "/l/", "/l/a/"],
            ),
            (
                "/l/.*",
                &["/l/.a", "/l/.ab"],
                &["/l/.", "/l/..", "/l/...", "/l/a"],
            ),
            ("/l/..*", &["/l/..a", "/l/..."], &["/l/..", "/l/."]),
            ("/l/?", &["/l/a"], &["/l/.", "/l/ab", "/l/ "]),
            ("/l/.?", &["/l/.a"], &["/l/.."]),
            ("/l/*x", &["/l/x", "/l/ax"], &["/l/.x", "/l/./x"]),
            (
                "/o/*/l/*.db",
                &["/o/a/l/b.db"],
                &["/o/../l/b.db", "/o/a/b/l/b.db"],
            ),
            (
                "/l/[a-c.]*",
                &["/l/b", "/l/c.x"],
                &["/l/.x", "/l/..", "/l/d"],
            ),
            ("/l/x[+-9]y", &["/l/x.y", "/l/x-y"], &["/l/x/y", "/l/x y"]),
            ("/l/[!a]b", &["/l/cb"], &["/l/ab", "/l/.b", "/l//b"]),
            ("/l/a[]x-]", &["/l/a]", "/l/a-", "/l/ax"], &["/l/ab"]),
            (
                "/l+(x)/a.b",
                &["/l+(x)/a.b"],
                &["/lll(x)/a.b", "/l+(x)/aXb"],
            ),
        ] {
            let regex = regex(pattern).unwrap();
            let meant = regex::Regex::new(&format!("^{regex}$")).unwrap();
            for (paths, is) in [(yes, true), (no, false)] {
                for path in paths {
                    assert_eq!(meant.is_match(path), is, "{pattern} as {regex}: {path}");
                }
            }
        }
        for none in ["/l/[^]", "/l/[\\]", "/l/[#]", "/l/[a", "/l/[é]", "/l/[.]"] {
            assert_eq!(regex(none), None, "{none}");
        }
    }

    #[test]
    fn a_shell_pattern_keeps_literal_characters_literal() {
        assert_eq!(shell("/l/a\\b").unwrap(), "/l/a\\\\b");
        assert_eq!(shell("/l/*.log?[!a-c]").unwrap(), "/l/*.log?[!abc]");
    }
}
