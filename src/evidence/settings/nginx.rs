//! nginx' directives and blocks, with the quoting of its own tokenizer (ngx_conf_read_token): a
//! directive ends in `;` or opens a block. Knows no directive's meaning, but some forty names by which
//! it notices the `;` that is missing on the line before.

use super::Settings;
use super::gather::{Gather, Wrong};

/// At the beginning of a line, unquoted, these are no argument of the directive above.
const BEGIN: [&str; 42] = [
    "access_log",
    "add_header",
    "alias",
    "client_max_body_size",
    "default_type",
    "error_log",
    "error_page",
    "events",
    "expires",
    "fastcgi_pass",
    "gzip",
    "http",
    "if",
    "include",
    "keepalive_timeout",
    "listen",
    "load_module",
    "location",
    "log_format",
    "map",
    "pid",
    "proxy_pass",
    "proxy_set_header",
    "resolver",
    "return",
    "rewrite",
    "root",
    "sendfile",
    "server",
    "server_name",
    "server_tokens",
    "set",
    "ssl_certificate",
    "ssl_certificate_key",
    "ssl_protocols",
    "stream",
    "tcp_nopush",
    "try_files",
    "upstream",
    "user",
    "worker_connections",
    "worker_processes",
];

/// Directives that take no more than so many arguments, whatever block they stand in (nginx' own
/// command tables). Others take what follows for one more argument, and nginx says nothing of it.
const FIXED: [(&str, usize); 27] = [
    ("alias", 1),
    ("client_max_body_size", 1),
    ("default_type", 1),
    ("expires", 2),
    ("fastcgi_pass", 1),
    ("gzip", 1),
    ("include", 1),
    ("keepalive_timeout", 2),
    ("load_module", 1),
    ("pid", 1),
    ("proxy_http_version", 1),
    ("proxy_pass", 1),
    ("proxy_read_timeout", 1),
    ("proxy_set_header", 2),
    ("return", 2),
    ("rewrite", 3),
    ("root", 1),
    ("sendfile", 1),
    ("server_tokens", 1),
    ("set", 2),
    ("ssl_certificate", 1),
    ("ssl_certificate_key", 1),
    ("ssl_prefer_server_ciphers", 1),
    ("tcp_nopush", 1),
    ("user", 2),
    ("worker_connections", 1),
    ("worker_processes", 1),
];

/// Whether these words, with one more behind them, are too many for their directive.
fn is_full(words: &[Word]) -> bool {
    let name = &words[0].text;
    let most = FIXED.iter().find(|(fixed, _)| fixed == name);
    most.is_some_and(|(_, most)| words.len() > *most)
}

struct Reader<'t> {
    rest: std::iter::Peekable<std::str::Chars<'t>>,
    line: usize,
    column: usize,
    gather: Gather,
}

/// A word, and whether it was quoted.
struct Word {
    text: String,
    is_quoted: bool,
    line: usize,
    column: usize,
}

pub(super) fn read(text: &str) -> Result<Settings, Wrong> {
    let mut reader = Reader {
        rest: text.chars().peekable(),
        line: 1,
        column: 1,
        gather: Gather::default(),
    };
    reader.whole()?;
    Ok(reader.gather.finish())
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if c == '\n' {
            (self.line, self.column) = (self.line + 1, 1);
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn wrong<T>(&self, why: impl Into<String>) -> Result<T, Wrong> {
        Err(Wrong::at(self.line, self.column, why))
    }

    fn whole(&mut self) -> Result<(), Wrong> {
        let mut words: Vec<Word> = Vec::new();
        let mut opened = Vec::new();
        while let Some(c) = self.rest.peek().copied() {
            match c {
                c if c.is_whitespace() => drop(self.next()),
                '#' => while self.next().is_some_and(|c| c != '\n') {},
                ';' if words.is_empty() => return self.wrong("unexpected `;`"),
                ';' => {
                    self.next();
                    self.directive(&words)?;
                    words.clear();
                }
                '{' if words.is_empty() => return self.wrong("unexpected `{`"),
                '{' => {
                    self.next();
                    let line = words[0].line;
                    self.gather
                        .open(&words[0].text, &joined(&words[1..]), line)?;
                    opened.push(line);
                    // Lua's braces and quotes are its own.
                    if words[0].text.ends_with("_by_lua_block") {
                        self.skip_lua()?;
                        self.gather.close();
                        opened.pop();
                    }
                    words.clear();
                }
                '}' if !words.is_empty() => {
                    let line = words.last().map_or(self.line, |word| word.line);
                    let why = format!("unexpected `}}`: a `;` is missing in line {line}");
                    return self.wrong(why);
                }
                '}' if !self.gather.close() => return self.wrong("unexpected `}`"),
                '}' => {
                    self.next();
                    opened.pop();
                }
                _ => {
                    let word = self.word()?;
                    if let Some(last) = words.last()
                        && last.line < word.line
                        && !word.is_quoted
                        && BEGIN.contains(&word.text.as_str())
                        && is_full(&words)
                    {
                        let why = format!(
                            "`{}` begins inside of the directive above: a `;` is missing in line {}",
                            word.text, last.line
                        );
                        return Err(Wrong::at(word.line, word.column, why));
                    }
                    words.push(word);
                }
            }
        }
        if let Some(word) = words.last() {
            let why = format!("the file ends before the `;` of line {}", word.line);
            return self.wrong(why);
        }
        match opened.last() {
            Some(line) => self.wrong(format!("the file ends before the `}}` of line {line}")),
            None => Ok(()),
        }
    }

    fn directive(&mut self, words: &[Word]) -> Result<(), Wrong> {
        let [name, values @ ..] = words else {
            return Ok(());
        };
        match (name.text.as_str(), values) {
            ("include", [path]) => {
                // A pattern that matches nothing is fine (ngx_conf_include).
                let is_pattern = path.text.contains(['*', '?', '[']);
                self.gather
                    .include(&path.text, name.line, false, is_pattern)
            }
            ("include", _) => Err(Wrong::at(
                name.line,
                name.column,
                "`include` takes one path",
            )),
            (text, values) => self.gather.setting(text, &joined(values), name.line),
        }
    }

    fn word(&mut self) -> Result<Word, Wrong> {
        let (line, column) = (self.line, self.column);
        let quote = self
            .rest
            .peek()
            .copied()
            .filter(|c| matches!(c, '"' | '\''));
        let mut text = String::new();
        if quote.is_some() {
            self.next();
        }
        loop {
            let Some(c) = self.rest.peek().copied() else {
                if quote.is_some() {
                    let why = "the file ends before this quote is closed";
                    return Err(Wrong::at(line, column, why));
                }
                break;
            };
            if quote == Some(c) {
                self.next();
                let next = self.rest.peek().copied();
                let parted = |c: char| c.is_whitespace() || ";{)".contains(c);
                if next.is_some_and(|c| !parted(c)) {
                    return self.wrong("text right behind a closing quote");
                }
                break;
            }
            if quote.is_none() {
                // `${name}` is part of a word.
                let is_variable = c == '{' && text.ends_with('$');
                if c.is_whitespace() || c == ';' || (c == '{' && !is_variable) {
                    break;
                }
            }
            self.next();
            match (c, quote.is_some()) {
                ('\\', _) => match self.next() {
                    Some(c @ ('"' | '\'' | '\\')) => text.push(c),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some('n') => text.push('\n'),
                    // A regular expression's own.
                    Some(c) => text.extend(['\\', c]),
                    None => {}
                },
                (c, _) => text.push(c),
            }
        }
        Ok(Word {
            text,
            is_quoted: quote.is_some(),
            line,
            column,
        })
    }

    fn skip_lua(&mut self) -> Result<(), Wrong> {
        let (mut depth, mut quote) = (1, None);
        let begun = self.line;
        while let Some(c) = self.next() {
            match (quote, c) {
                (Some(_), '\\') => drop(self.next()),
                (Some(open), c) if c == open || c == '\n' => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(c),
                (None, '-') if self.rest.peek() == Some(&'-') => {
                    while self.next().is_some_and(|c| c != '\n') {}
                }
                (None, '{') => depth += 1,
                (None, '}') if depth == 1 => return Ok(()),
                (None, '}') => depth -= 1,
                (None, _) => {}
            }
        }
        self.wrong(format!("the file ends before the `}}` of line {begun}"))
    }
}

fn joined(words: &[Word]) -> String {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    texts.join(" ")
}
