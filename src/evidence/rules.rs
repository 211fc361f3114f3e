//! The forms that a secret takes, one rule a form; facts/artifacts.md 9 names the products that print
//! them. Only secrets: versions, times, addresses and names are what support asks for.
//!
//! A rule is a regular expression that finds the place and a function that says how far the secret
//! reaches, because quoting, nesting and line ends are beyond an expression.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::text;

/// Stands where a secret stood.
pub const MARK: &str = "[redacted]";

/// The names a secret goes by. What may follow one is in [`NAME_END`]: `PasswordFileName` and
/// `token_count` name no secret.
const NAME: &str = concat!(
    r"(?:pass(?:word|wd|phrase|code)|passwort|secret|token|api[_\-. ]?key|credentials?",
    r"|(?:account|shared[_\-]?access|storage|encryption)[_\-]?key",
    r"|(?:require|master|default_|bind_?|user_?|db_?|root_?|admin_?|ldap_?)pass|masterauth",
    r"|(?:bind|root|user|db|admin)_?pw|pwd)",
);
const NAME_END: &str =
    r"(?:[_\-.]?(?:value|access[_\-]?key|key|hash|text|plain|string|new|old|\d{1,4}))?";

struct Rule {
    name: &'static str,
    place: Regex,
    reach: Reach,
}

/// How far the secret reaches, from a place that the expression found.
type Reach = fn(&str, &Captures<'_>) -> Option<Range<usize>>;

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let rule = |name, place: &str, reach| Rule {
        name,
        place: compile(&place.replace("NAME_END", NAME_END).replace("NAME", NAME)),
        reach,
    };
    vec![
        // The end may be missing when the text was clipped.
        rule(
            "private-key",
            r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?P<secret>.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
            group,
        ),
        // `openssh-key-v1` in base64: a key whose header is gone.
        rule(
            "private-key",
            r"(?P<secret>b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/=]*(?:\s+[A-Za-z0-9+/=]{16,})*)",
            group,
        ),
        // PuTTY.
        rule(
            "private-key",
            r"(?is)Private-Lines:\s*\d+(?P<secret>.*?(?:Private-MAC:[^\r\n]*|\z))",
            group,
        ),
        rule(
            "password",
            r"(?i)(?:<|&lt;)(?P<name>(?:[\w.\-]+:)?[\w.\-]*NAMENAME_END)(?:\s[^<>]*?)?(?P<empty>/)?(?:>|&gt;)",
            element,
        ),
        rule(
            "password",
            r#"(?i)\b(?:name|key)["']?\s*[:=]\s*["'][\w.\-]*NAMENAME_END["']\s*,?\s*["']?value["']?\s*[:=]\s*(?P<value>["'])"#,
            quoted,
        ),
        rule(
            "password",
            r#"(?i)NAMENAME_END\\*["'`]?[ \t]*(?P<sep>=>|:=|%3D|[:=])"#,
            assignment,
        ),
        // `pass: 5, fail: 0` is a count.
        rule(
            "password",
            r#"(?i)(?:["']pass["'][ \t]*(?P<sep>:)|\bpass\\*["']?[ \t]*(?P<sign>=>|:=|%3D|=))"#,
            assignment,
        ),
        rule(
            "password",
            r"(?i)(?:^|\s)--?[\w\-]*NAMENAME_END(?P<sep>[ \t])",
            assignment,
        ),
        rule(
            "password",
            r"(?im)^[ \t]*(?:requirepass|masterauth|(?:bind|root)pw)[ \t]+(?P<secret>[^\s=:][^\r\n]*)",
            group,
        ),
        // `CONFIG GET requirepass`, on a terminal and off.
        rule(
            "password",
            r#"(?i)\b(?:requirepass|masterauth)"?[ \t]*\r?\n\s*(?:\d+\)\s*)?"?(?P<secret>[^\s"]+)"#,
            group,
        ),
        rule(
            "password",
            r"(?im)^[ \t]*user[ \t]+\S+[ \t][^\r\n]*?[ \t]>(?P<secret>\S+)",
            group,
        ),
        rule(
            "password",
            r"(?i)\b(?:login|user)\s+\S+\s+(?:insecure-)?password\s+(?P<secret>\S+)",
            group,
        ),
        // Command lines, as `ps` shows them.
        rule("password", r"\bsshpass\s+-p\s*(?P<secret>\S+)", group),
        rule(
            "password",
            r"\b(?:mysql|mariadb)[\w\-]*[ \t][^\r\n]*?-p(?P<secret>[^\s\-]\S*)",
            group,
        ),
        rule(
            "password",
            r#"\bcurl[ \t][^\r\n]*?(?:-u|--user)[ =]?["']?[^\s:"']+:(?P<secret>[^\s"']+)"#,
            group,
        ),
        rule(
            "password",
            r"(?i)\bstats\s+auth\s+[^\s:]+:(?P<secret>\S+)",
            group,
        ),
        rule(
            "password",
            r#"(?i)\bidentified\s+(?:with\s+\S+\s+)?(?:by|as)\s+(?:password\s+)?["']?(?P<secret>[^\s"';]+)"#,
            group,
        ),
        rule("password", r"(?i)\bpassword\s+'(?P<secret>[^']+)", group),
        // RFC 3986, 3.2.1; the second takes a password with a raw slash, which a port cannot have.
        rule(
            "url-password",
            r#"(?i)\b[a-z][a-z0-9+.\-]*://[^\s/?#@:"'<>]*:(?P<secret>[^\s/?#"'<>]+)@"#,
            group,
        ),
        rule(
            "url-password",
            r#"(?i)\b[a-z][a-z0-9+.\-]*://[^\s/?#@:"'<>]*:(?P<secret>[^\s/?#@"'<>]*[^\d\s/?#@"'<>\]][^\s/?#@"'<>]*[/?#][^\s@"'<>]*)@"#,
            group,
        ),
        rule(
            "authorization",
            r#"(?i)authorization\\*["']?\s*[:=]\s*\\*["']?(?:(?:bearer|basic|digest|negotiate|ntlm|token|apikey|aws4-hmac-sha256)[ \t]+(?P<secret>[^\r\n"'\\]+)|(?P<bare>[^\s"'\\]{16,}))"#,
            group,
        ),
        rule(
            "authorization",
            r"(?i)\bbearer\s+(?P<secret>[A-Za-z0-9\-._~+/]{16,}=*)",
            with_digit,
        ),
        rule(
            "authorization",
            r"(?i)\bbasic\s+(?P<secret>[A-Za-z0-9+/]{8,}={0,2})",
            credentials,
        ),
        rule(
            "cookie",
            r#"(?i)\b(?:set-)?cookie["']?\s*:\s*["']?(?P<secret>[^\r\n"']+)"#,
            group,
        ),
        rule(
            "jwt",
            r"\b(?P<secret>eyJ[A-Za-z0-9_\-]{5,}\.[A-Za-z0-9_\-]{5,}(?:\.[A-Za-z0-9_\-]*)?)",
            group,
        ),
        rule(
            "aws-key",
            r"\b(?P<secret>(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ANVA|A3T[A-Z0-9])[A-Z0-9]{16})\b",
            group,
        ),
        rule(
            "access-token",
            r"\b(?P<secret>gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,}|glpat-[\w\-]{20,}|xox[abeoprs]-[\w\-]{10,}|AIza[\w\-]{35})",
            group,
        ),
        // crypt(5)
        rule(
            "password-hash",
            r"\$(?:[156y]|2[abxy]?|apr1|argon2(?:id|i|d)|gy|7)\$(?P<secret>[./A-Za-z0-9$=,+]{8,})",
            group,
        ),
    ]
});

/// Compiles an expression that is part of this room.
#[expect(
    clippy::expect_used,
    reason = "every expression is a constant here and compiled by the tests; without its rule a \
              secret would leak, so there is no going on"
)]
pub fn compile(expression: &str) -> Regex {
    Regex::new(expression).expect("a constant expression compiles")
}

/// A secret and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Name of the rule.
    pub rule: &'static str,
    /// From the place that gives it away to its end.
    pub place: Range<usize>,
    /// The secret itself.
    pub secret: Range<usize>,
}

/// Takes every secret out of `text`, counting by rule; true when there was one.
pub fn apply(text: &mut String, counts: &mut BTreeMap<&'static str, u64>) -> bool {
    let mut found = false;
    for rule in RULES.iter() {
        let secrets = secrets_by(rule, text);
        let mut copied = 0;
        let mut clean = String::new();
        for secret in secrets.iter().map(|found| &found.secret) {
            *counts.entry(rule.name).or_default() += 1;
            clean.push_str(&text[copied..secret.start]);
            clean.push_str(MARK);
            copied = secret.end;
        }
        if copied > 0 {
            clean.push_str(&text[copied..]);
            *text = clean;
            found = true;
        }
    }
    found
}

/// Every secret in `text`, as each rule alone sees it: they may overlap.
pub fn secrets(text: &str) -> Vec<Secret> {
    let found = RULES.iter().flat_map(|rule| secrets_by(rule, text));
    found.collect()
}

/// Whether what goes by that name is a secret.
pub fn names_secret(name: &str) -> bool {
    static WHOLE: LazyLock<Regex> = LazyLock::new(|| {
        let whole = r"(?i)(?:^|[^a-z])pass$|NAMENAME_END$";
        compile(&whole.replace("NAME_END", NAME_END).replace("NAME", NAME))
    });
    WHOLE.is_match(name)
}

fn secrets_by(rule: &Rule, text: &str) -> Vec<Secret> {
    let mut secrets = Vec::new();
    let mut at = 0;
    while let Some(place) = rule.place.captures_at(text, at) {
        let (start, end) = place
            .get(0)
            .map_or((at, at), |all| (all.start(), all.end()));
        let secret = (rule.reach)(text, &place).filter(|secret| is_secret(&text[secret.clone()]));
        match secret {
            Some(secret) => {
                at = secret.end.max(start + 1);
                secrets.push(Secret {
                    rule: rule.name,
                    place: start..secret.end.max(end),
                    secret,
                });
            }
            None => at = end.max(start + 1),
        }
        // Offsets of a match are on characters, `start + 1` need not be.
        while !text.is_char_boundary(at) && at < text.len() {
            at += 1;
        }
        if at > text.len() {
            break;
        }
    }
    secrets
}

/// False for what only stands in a secret's place: nothing, a mask, an answer, a reference.
fn is_secret(value: &str) -> bool {
    let value = value.trim();
    let lower = value.trim_end_matches([')', ']', '}', '.', ',', ';']);
    let lower = lower.to_ascii_lowercase();
    let reference = value
        .strip_prefix("${")
        .and_then(|name| name.strip_suffix('}'))
        .is_some_and(|name| {
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
        });
    let answer = ["yes", "no", "true", "false", "null", "none"].contains(&lower.as_str());
    let mask = value.bytes().all(|byte| byte == b'*');
    !(mask || answer || reference || value == MARK)
}

fn group(_: &str, place: &Captures<'_>) -> Option<Range<usize>> {
    let secret = place.name("secret").or_else(|| place.name("bare"))?;
    Some(secret.range())
}

fn with_digit(text: &str, place: &Captures<'_>) -> Option<Range<usize>> {
    group(text, place).filter(|secret| text[secret.clone()].bytes().any(|b| b.is_ascii_digit()))
}

/// RFC 7617: `user:password` in base64; `basic authentication` is none.
fn credentials(text: &str, place: &Captures<'_>) -> Option<Range<usize>> {
    use base64::Engine as _;
    let secret = group(text, place)?;
    let raw = text[secret.clone()].trim_end_matches('=');
    let decoded = base64::engine::general_purpose::STANDARD_NO_PAD.decode(raw);
    let is_pair = decoded.is_ok_and(|pair| {
        pair.contains(&b':')
            && std::str::from_utf8(&pair).is_ok_and(|pair| !pair.contains(text::is_unsafe))
    });
    is_pair.then_some(secret)
}

/// The content of an XML element, to its own closing tag.
fn element(text: &str, place: &Captures<'_>) -> Option<Range<usize>> {
    if place.name("empty").is_some() {
        return None;
    }
    let name = place.name("name")?.as_str();
    let start = place.get(0)?.end();
    let content = &text[start..];
    let closes = |rest: &str| {
        let rest = rest
            .strip_prefix("</")
            .or_else(|| rest.strip_prefix("&lt;/"));
        rest.and_then(|rest| rest.get(..name.len()))
            .is_some_and(|closing| closing.eq_ignore_ascii_case(name))
    };
    let close = content
        .match_indices(['<', '&'])
        .find_map(|(offset, _)| closes(&content[offset..]).then_some(offset));
    let content = &content[..close.unwrap_or(content.len())];
    // White space around the value is layout.
    let lead = content.len() - content.trim_start().len();
    Some(start + lead..start + lead + content.trim().len())
}

/// The value behind an opening quote.
fn quoted(text: &str, place: &Captures<'_>) -> Option<Range<usize>> {
    let opening = place.name("value")?;
    let start = opening.end();
    Some(start..start + closing(&text[start..], opening.as_str()))
}

/// Where `quote` closes, counted from behind the opening one; else the end of the line.
fn closing(rest: &str, quote: &str) -> usize {
    let mut from = 0;
    while let Some(found) = rest[from..].find(quote) {
        let at = from + found;
        let backslashes = rest[..at].bytes().rev().take_while(|b| *b == b'\\').count();
        // A quote that is itself written escaped (`\"` inside a JSON string) closes as it opened.
        if quote.len() > 1 || backslashes % 2 == 0 {
            return at;
        }
        from = at + quote.len();
    }
    rest.find(['\r', '\n']).unwrap_or(rest.len())
}

/// The value of `name = value`, `name: value` or `--name value`.
fn assignment(text: &str, place: &Captures<'_>) -> Option<Range<usize>> {
    let sep = place.name("sep").or_else(|| place.name("sign"))?;
    let is_flag = sep.as_str().trim().is_empty();
    let mut start = sep.end() + blanks(&text[sep.end()..]);
    let rest = &text[start..];
    // `--password --user` has no value; `token::Kind` is a path.
    if is_flag && rest.starts_with("--") || sep.as_str() == ":" && rest.starts_with(':') {
        return None;
    }
    // The working directory of a shell, in its environment.
    let before = place.get(0)?.start();
    if text[before..sep.start()].eq_ignore_ascii_case("pwd") && rest.starts_with(['/', '~']) {
        return None;
    }
    let lead = rest.trim_start_matches(['\\', '|', '>', '-', '+']);
    if lead.starts_with(['\r', '\n']) && !is_flag {
        match continued(text, start, lead)? {
            Continued::Word(at) => start = at,
            Continued::Block(block) => return Some(block),
        }
    }
    let rest = &text[start..];
    let slashes = rest.bytes().take_while(|byte| *byte == b'\\').count();
    if let Some(quote) = rest.get(slashes..=slashes)
        && ["\"", "'", "`"].contains(&quote)
    {
        let value = start + slashes + 1;
        return Some(value..value + closing(&text[value..], &rest[..=slashes]));
    }
    let reach = match (opens_line(&text[..before]), sep.as_str()) {
        (true, ":") => Bare::Line,
        (true, _) if !is_flag => Bare::Pairs,
        _ => Bare::Word,
    };
    Some(start..start + bare(rest, reach))
}

/// A value that begins on a later line.
enum Continued {
    Word(usize),
    Block(Range<usize>),
}

/// The value behind a name that ends its line: quoted, behind a shell's `\`, in YAML's `|` or `>`
/// block, or merely indented. `lead` is the text at `start` from its line end on.
fn continued(text: &str, start: usize, lead: &str) -> Option<Continued> {
    let next = lead.trim_start();
    let at = text.len() - next.len();
    let indent = at - text[..at].rfind('\n').map_or(0, |feed| feed + 1);
    if indent > 0 && text[start..].starts_with(['|', '>']) {
        return Some(Continued::Block(at..at + indented(next, indent)));
    }
    // A name of its own, such as the next key of a YAML mapping, is no value.
    let is_name = next.split_whitespace().next()?.ends_with(':');
    let is_value = next.starts_with(['"', '\'']) || indent > 0;
    (is_value && !is_name).then_some(Continued::Word(at))
}

/// True when nothing but the front part of the name stands on the line before it.
fn opens_line(before: &str) -> bool {
    let line = &before[before.rfind('\n').map_or(0, |feed| feed + 1)..];
    line.trim_start()
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_.-\"'".contains(&byte))
}

fn blanks(rest: &str) -> usize {
    rest.len() - rest.trim_start_matches([' ', '\t']).len()
}

/// What may belong to a value without quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bare {
    /// No blank.
    Word,
    /// Blanks, until the next `name=` (`password=a b host=c`).
    Pairs,
    /// The rest of the line.
    Line,
}

fn bare(rest: &str, reach: Bare) -> usize {
    for (at, c) in rest.char_indices() {
        let behind = &rest[at + c.len_utf8()..];
        let ends = match c {
            '\r' | '\n' => true,
            '<' => behind.starts_with('/'),
            _ if reach == Bare::Line => false,
            ' ' | '\t' => reach == Bare::Word || names(behind),
            ';' | ',' | '&' => {
                behind.is_empty() || behind.starts_with(['\r', '\n', ' ']) || names(behind)
            }
            _ => false,
        };
        if ends {
            return at;
        }
    }
    rest.len()
}

/// True when the text goes on with `name=` or `name:`.
fn names(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '\t', '"', '\'']);
    let name = rest
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte))
        .count();
    let rest = rest[name..].trim_start_matches(['"', '\'', ' ']);
    (1..=64).contains(&name) && rest.starts_with(['=', ':'])
}

/// Length of the lines that are indented as the first one is.
fn indented(rest: &str, indent: usize) -> usize {
    let mut length = 0;
    for line in rest.split_inclusive('\n') {
        let lead = line
            .bytes()
            .take_while(|byte| b" \t".contains(byte))
            .count();
        let blank = line.trim().is_empty();
        if length > 0 && lead < indent && !blank {
            break;
        }
        length += line.len();
    }
    rest[..length].trim_end().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_secret_is_told_from_what_names_its_file() {
        for name in [
            "Password",
            "db.password",
            "ssl.key.password",
            "ClientSecret",
            "requirepass",
            "db_pass",
            "PASS",
        ] {
            assert!(names_secret(name), "{name}");
        }
        for name in [
            "PasswordFileName",
            "token_count",
            "Port",
            "compass",
            "bypass",
            "passes",
        ] {
            assert!(!names_secret(name), "{name}");
        }
    }

    #[test]
    fn every_expression_compiles() {
        assert!(RULES.len() > 20);
    }

    #[test]
    fn a_name_that_is_longer_than_any_text_costs_no_more_than_its_length() {
        let mut text = "password=".repeat(20_000);
        let mut counts = BTreeMap::new();
        assert!(apply(&mut text, &mut counts));
        let mut tags = "<Password>".repeat(5_000);
        assert!(apply(&mut tags, &mut counts));
        assert!(!tags.contains("<Password><"));
    }
}
