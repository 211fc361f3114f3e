//! One line of an ssh_config, cut as OpenSSH cuts it (readconf.c, misc.c): a keyword up to blank or `=`,
//! then words with quotes, escapes and a comment at the end. Knows no keyword.

const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

/// A line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cut<'a> {
    /// As written.
    pub keyword: String,
    /// From 1, in characters.
    pub column: usize,
    /// What follows the keyword, for those that take the rest of the line as it is.
    pub rest: &'a str,
    /// Where `rest` begins, from 1, in characters.
    pub rest_column: usize,
    /// The same in words; `None` when a quote is not closed.
    pub words: Option<Vec<String>>,
}

/// `None` for an empty line and a comment.
///
/// # Errors
/// When the keyword itself has an open quote.
pub(super) fn cut(line: &str) -> Result<Option<Cut<'_>>, &'static str> {
    let line = line.trim_end_matches([' ', '\t', '\r', '\n', '\u{c}']);
    let start = line.trim_start_matches(BLANK);
    let indent = line.len() - start.len();
    if start.is_empty() || start.starts_with('#') {
        return Ok(None);
    }
    let mut rest = start;
    let Some(keyword) = delimited(&mut rest) else {
        return Err("a quote is not closed");
    };
    if keyword.is_empty() {
        return Ok(None);
    }
    let rest = rest.trim_start_matches(BLANK);
    let column = |bytes: usize| line[..bytes].chars().count() + 1;
    Ok(Some(Cut {
        keyword,
        column: column(indent),
        rest,
        rest_column: column(line.len() - rest.len()),
        words: words(rest),
    }))
}

/// `strdelim` of OpenSSH: the next word up to blank or one `=`; quotes hold it together. `None` when a
/// quote is not closed.
pub(super) fn delimited(text: &mut &str) -> Option<String> {
    let Some(end) = text.find(|c: char| BLANK.contains(&c) || c == '"' || c == '=') else {
        return Some(std::mem::take(text).to_owned());
    };
    let (before, after) = text.split_at(end);
    let skipped = |after: &str| after.len() - after.trim_start_matches(BLANK).len();
    if let Some(quoted) = after.strip_prefix('"') {
        let close = quoted.find('"')?;
        let after = &quoted[close + 1..];
        *text = &after[skipped(after)..];
        return Some(format!("{before}{}", &quoted[..close]));
    }
    let was_equals = after.starts_with('=');
    let mut after = &after[1..];
    after = &after[skipped(after)..];
    if !was_equals && let Some(past) = after.strip_prefix('=') {
        after = &past[skipped(past)..];
    }
    *text = after;
    Some(before.to_owned())
}

/// `argv_split` of OpenSSH, ending at a comment. `None` when a quote is not closed.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = text.chars().peekable();
    loop {
        while rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        if matches!(rest.peek(), None | Some('#')) {
            return Some(words);
        }
        let (mut word, mut quote) = (String::new(), None);
        while let Some(c) = rest.next_if(|c| quote.is_some() || !matches!(c, ' ' | '\t')) {
            match (c, quote) {
                ('\\', _) => {
                    let escaped = rest.next_if(|c| {
                        matches!(c, '\'' | '"' | '\\') || quote.is_none() && *c == ' '
                    });
                    word.push(escaped.unwrap_or('\\'));
                }
                ('"' | '\'', None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                (c, _) => word.push(c),
            }
        }
        if quote.is_some() {
            return None;
        }
        words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_as_openssh_cuts_them() {
        let cases: [(&str, Option<&[&str]>); 9] = [
            ("a b", Some(&["a", "b"])),
            (r#""a b"c 'd"e' "#, Some(&["a bc", "d\"e"])),
            (r"a\ b \x \\", Some(&["a b", r"\x", r"\"])),
            ("a # b", Some(&["a"])),
            ("a#b", Some(&["a#b"])),
            ("\"\"", Some(&[""])),
            ("\"a", None),
            ("", Some(&[])),
            (r#""a\"b\ c""#, Some(&[r#"a"b\ c"#])),
        ];
        for (text, expected) in cases {
            let cut = words(text);
            let cut: Option<Vec<&str>> =
                cut.as_ref().map(|w| w.iter().map(String::as_str).collect());
            assert_eq!(cut.as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_keyword_ends_at_a_blank_or_one_equals_sign() {
        for line in [
            "Port 22",
            " Port=22",
            "\tPort = 22 # c",
            "\"Port\" 22",
            "Port  =22\r",
        ] {
            let found = cut(line).unwrap().unwrap();
            assert_eq!(found.keyword, "Port", "{line:?}");
            assert_eq!(found.words.unwrap()[0], "22", "{line:?}");
        }
        assert_eq!(cut("  Port  22").unwrap().unwrap().column, 3);
        assert_eq!(cut("  Port  22").unwrap().unwrap().rest_column, 9);
        for nothing in ["", "   ", "# x", "  # x"] {
            assert_eq!(cut(nothing), Ok(None), "{nothing:?}");
        }
        assert!(cut("\"Port 22").is_err());
    }
}
