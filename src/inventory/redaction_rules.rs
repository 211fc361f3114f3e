//! `rules.yaml` of `case build`: forms of secrets and names that only the house knows, and words that give
//! nobody away there. Read as strictly as an inventory, all problems at once. Redacts nothing itself.

use std::path::Path;

use regex::{Regex, RegexBuilder};

use super::fields::{self, Keys};
use super::page::{Page, Text};
use super::waivers::matches;
use super::yaml::{self, Node};
use crate::problem::{Place, Problem, Problems};

/// No file of rules that people read comes near it.
const MOST_BYTES: u64 = 1 << 20;
const MOST_RULES: usize = 200;
const MOST_WORDS: usize = 5_000;
/// Of one expression: as written, and compiled.
const LONGEST: usize = 1_000;
const COMPILED: usize = 1 << 20;

/// What the group of a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// It goes.
    Secret,
    /// It becomes a token.
    Identifier,
}

/// A form that is looked for in every line.
#[derive(Clone, Debug)]
pub struct RedactionRule {
    /// As it is counted in the report.
    pub name: String,
    /// What becomes of what it finds.
    pub kind: RuleKind,
    /// Its one group is what goes.
    pub regex: Regex,
    /// Patterns of paths of files; everywhere when empty.
    pub files: Vec<String>,
}

impl RedactionRule {
    /// Whether it is meant for that file.
    #[must_use]
    pub fn means(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.files.is_empty()
            || self
                .files
                .iter()
                .any(|pattern| matches(pattern, path) || matches(pattern, name))
    }
}

/// A word that stays.
#[derive(Clone, Debug)]
pub struct KeptWord {
    /// In small letters.
    pub word: String,
    place: Problem,
}

impl KeptWord {
    /// A problem where it stands.
    #[must_use]
    pub fn refused(&self, message: &str, hint: &str) -> Problem {
        let mut problem = self.place.clone().with_hint(hint);
        message.clone_into(&mut problem.message);
        problem
    }
}

/// A whole file of rules.
#[derive(Clone, Debug, Default)]
pub struct RedactionRules {
    /// In the order of the file.
    pub rules: Vec<RedactionRule>,
    /// Words that stay.
    pub keep: Vec<KeptWord>,
}

impl RedactionRules {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// Every problem at once; that it cannot be read is one too.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let whole = |message: String| {
            let hint = "name a file of rules with `--rules`";
            Problems::from(Problem::new(Place::whole(path), message).with_hint(hint))
        };
        match std::fs::metadata(path) {
            Ok(found) if !found.is_file() => Err(whole("this is no file of rules".to_owned())),
            Ok(found) if found.len() > MOST_BYTES => {
                Err(whole("this is too large to be a file of rules".to_owned()))
            }
            _ => match std::fs::read(path) {
                Ok(bytes) => Self::parse(path, &bytes),
                Err(error) => Err(whole(format!("cannot read the rules: {error}"))),
            },
        }
    }

    /// Reads rules from `bytes`; `path` names them in problems.
    ///
    /// # Errors
    /// Every problem at once, in the order of the file.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Problems> {
        let text = super::utf8(path, bytes)?;
        let mut page = Page::new(path, text);
        let read = yaml::read(text, &mut page).map(|root| file(&mut page, &root));
        let read = read.unwrap_or_default();
        if page.refusals() == 0 && read.rules.is_empty() && read.keep.is_empty() {
            let problem = Problem::new(Place::whole(path), "the file holds no rule and no word");
            let hint = "begin with `rules:` or `keep:` and a list, or build without `--rules`";
            return Err(problem.with_hint(hint).into());
        }
        Problems::unless_none(page.into_problems(), read)
    }
}

fn file(page: &mut Page<'_>, root: &Node<'_>) -> RedactionRules {
    let Some(mut keys) = Keys::of(page, root, "the file of rules", root.at) else {
        return RedactionRules::default();
    };
    let rules = keys.take("rules");
    let rules = rules.and_then(|list| fields::list(page, list, "rules", rule));
    let keep = keys.take("keep");
    let keep = keep.and_then(|list| {
        fields::list(page, list, "keep", |page, item| {
            fields::checked(page, item, "keep", word)
        })
    });
    keys.done(page);
    let rules = rules.map_or_else(Vec::new, |list| list.value);
    let keep = keep.map_or_else(Vec::new, |list| list.value);
    let names = rules.iter().map(|(name, _)| (name.value.as_str(), name.at));
    for (name, at) in yaml::repeated(names.collect::<Vec<_>>()) {
        let message = format!("two rules are called `{name}`");
        page.refuse(
            at,
            message,
            "give each its own name: the report counts by it",
        );
    }
    if rules.len() > MOST_RULES || keep.len() > MOST_WORDS {
        let message = format!("more than {MOST_RULES} rules or {MOST_WORDS} words");
        page.refuse(root.at, message, "keep those that your own files need");
    }
    let keep = keep.into_iter().map(|word| {
        let mut place = Problem::new(page.place(word.at), "");
        place.line = page.line(word.at);
        KeptWord {
            word: word.value.to_ascii_lowercase(),
            place,
        }
    });
    RedactionRules {
        keep: keep.collect(),
        rules: rules.into_iter().filter_map(|(_, rule)| rule).collect(),
    }
}

fn rule(page: &mut Page<'_>, item: &Node<'_>) -> Option<(Text, Option<RedactionRule>)> {
    let mut keys = Keys::of(page, item, "a rule", item.at)?;
    let name = keys
        .require("name", "payroll number")
        .and_then(|node| fields::checked(page, node, "name", called));
    let kind = keys.require("kind", "secret").and_then(|node| {
        let kinds = [
            ("secret", RuleKind::Secret),
            ("identifier", RuleKind::Identifier),
        ];
        fields::word(page, node, "kind", &kinds)
    });
    let regex = keys
        .require("regex", "'PN-(\\d{6})'")
        .and_then(|node| fields::parsed(page, node, "regex", compiled));
    let files = keys.take("files").map(|node| match &node.value {
        yaml::Value::List(_) => fields::list(page, node, "files", |page, item| {
            fields::checked(page, item, "files", pattern)
        })
        .map(|list| {
            list.value
                .into_iter()
                .map(|text| text.value)
                .collect::<Vec<_>>()
        }),
        _ => fields::checked(page, node, "files", pattern).map(|text| vec![text.value]),
    });
    keys.done(page);
    let name = name?;
    let is_broken = matches!(files, Some(None));
    let rule = match (kind, regex) {
        (Some(kind), Some(regex)) if !is_broken => Some(RedactionRule {
            name: name.value.clone(),
            kind: kind.value,
            regex: regex.value,
            files: files.flatten().unwrap_or_default(),
        }),
        _ => None,
    };
    Some((name, rule))
}

/// It stands in a table of the report, which leaves.
fn called(name: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " -_.".contains(c);
    match !name.trim().is_empty() && name.len() <= 40 && name.chars().all(is_plain) {
        true => Ok(()),
        false => Err(
            "up to 40 letters, digits, blanks, `-`, `_` and `.`: it stands in the report"
                .to_owned(),
        ),
    }
}

fn compiled(text: &str) -> Result<Regex, String> {
    if text.len() > LONGEST {
        return Err(format!("an expression has at most {LONGEST} characters"));
    }
    let regex = RegexBuilder::new(text)
        .size_limit(COMPILED)
        .dfa_size_limit(COMPILED)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                "compiled it is too large: make its repetitions smaller".to_owned()
            }
            other => {
                let told = other.to_string();
                let last = told.lines().last().unwrap_or_default().trim().to_owned();
                format!(
                    "{}; look-around and back references are not known",
                    last.trim_start_matches("error: ")
                )
            }
        })?;
    if regex.captures_len() != 2 {
        return Err(
            "write exactly one group, ( ), around what goes; (?: ) groups without being one"
                .to_owned(),
        );
    }
    if regex.is_match("") {
        return Err("it matches where nothing stands, and so everywhere".to_owned());
    }
    Ok(regex)
}

fn pattern(text: &str) -> Result<(), String> {
    let is_everything = text.chars().all(|c| matches!(c, '*' | '?' | '/'));
    match !text.trim().is_empty() && text.len() <= 400 && !is_everything {
        true => Ok(()),
        false => Err("a path or a name of a file, in which `*` and `?` may stand; leave the key out for every file".to_owned()),
    }
}

/// One word, so that nothing else slips through with it.
fn word(text: &str) -> Result<(), String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let is_word = (3..=40).contains(&text.len()) && text.chars().all(is_part);
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    match is_word && begins && digits <= 3 {
        true => Ok(()),
        false => Err("a word of 3 to 40 letters, `-` and `_`, with at most three digits: more could be a secret or an address".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RedactionRules, String> {
        RedactionRules::parse(Path::new("r.yaml"), text.as_bytes()).map_err(|problems| {
            let told = problems
                .iter()
                .map(|one| format!("{}: {}", one.place, one.message));
            told.collect::<Vec<_>>().join("\n")
        })
    }

    #[test]
    fn rules_are_read_with_their_kind_and_their_files() {
        let rules = read(
            "rules:\n  - {name: payroll number, kind: identifier, regex: 'PN-(\\d{6})', files: [\"*.log\", /etc/x.conf]}\n  - {name: desk code, kind: secret, regex: 'desk=(\\w+)'}\nkeep: [Zurload, blotter]\n",
        )
        .unwrap();
        let [first, second] = &rules.rules[..] else {
            panic!("{rules:?}");
        };
        assert!(
            first.means("/var/log/a.log")
                && first.means("/etc/x.conf")
                && !first.means("/etc/y.conf")
        );
        assert!(second.means("/etc/y.conf") && second.kind == RuleKind::Secret);
        let words: Vec<&str> = rules.keep.iter().map(|kept| kept.word.as_str()).collect();
        assert_eq!(words, ["zurload", "blotter"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_all_at_once() {
        let told = read(
            "rules:\n  - {name: a, kind: token, regex: 'x(y)'}\n  - {name: b, kind: secret, regex: 'x(y'}\n  - {name: c, kind: secret, regex: 'x'}\n  - {name: d, kind: secret, regex: '(x*)'}\n  - {name: e, kind: secret, regex: '(x{1000}{1000})'}\n  - {name: a, kind: secret, regx: 'x(y)'}\n  - {name: f, kind: secret, regex: '(x)', files: '*'}\nkeep: [ab, 10.1.2.3, s3cr3t-99, 'two words']\n",
        )
        .unwrap_err();
        for place in [
            "r.yaml:2:21: unknown kind `token`",
            "r.yaml:3:36: `regex`: cannot read",
            "r.yaml:4:36: `regex`",
            "r.yaml:5:36: `regex`",
            "r.yaml:6:36: `regex`",
            "r.yaml:7:29: unknown key `regx`",
            "r.yaml:7:12: two rules are called `a`",
            "r.yaml:8:50: `files`",
            "r.yaml:9:8: `keep`: `ab`",
            "r.yaml:9:12: `keep`: `10.1.2.3`",
            "r.yaml:9:22: `keep`: `s3cr3t-99`",
            "r.yaml:9:33: `keep`: `two words`",
        ] {
            assert!(told.contains(place), "{place} is not told:\n{told}");
        }
        assert!(read("rules: []\n").unwrap_err().contains("holds no rule"));
        assert!(read("").unwrap_err().contains("r.yaml"));
    }
}
