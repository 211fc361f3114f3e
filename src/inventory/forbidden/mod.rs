//! Commands that are never run, whatever an inventory or a feature says: those of the profiles, and those of
//! every product. It guards against mistakes: whoever writes an inventory decides what programs do, but no
//! signal, no stop and no removal slips in, and no wrapper hides one. Runs nothing; URLs are `never.rs`'s.

mod seen;
mod shell;
mod wrappers;

use std::collections::HashSet;
use std::sync::Arc;

use regex::Regex;

use seen::Seen;

use super::expression::Expression;
use super::never::path_leads_below;

/// One rule of a `never:`.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// Names of programs, the last character perhaps `*`; with a `/`, whole paths.
    pub programs: Vec<String>,
    /// Only where the arguments, joined by blanks, match.
    pub with: Option<Expression>,
    /// Except where they match.
    pub unless: Option<Expression>,
    /// What it would do.
    pub why: String,
}

/// A way to ask a server that is never used.
#[derive(Clone, Debug)]
pub(super) struct Path {
    /// The path that it begins with.
    pub path: String,
    /// What it would do.
    pub why: String,
}

/// `never:` of a profile.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// What each signal does to this product: said where one would be sent.
    pub signals: Vec<(String, String)>,
    pub commands: Vec<Rule>,
    pub urls: Vec<Path>,
}

/// Everything that an inventory's hosts are never asked to do.
#[derive(Clone, Debug, Default)]
pub struct Never(Arc<Vec<(String, Rules)>>, Arc<Named>);

/// Every name of a program in the rules, so that a command of none of them is known to be forbidden by none: an
/// inventory has tens of thousands of commands, and the rules a thousand names.
#[derive(Debug, Default)]
struct Named {
    whole: HashSet<String>,
    beginnings: Vec<String>,
    /// Those with a `/`.
    paths: Vec<String>,
}

impl Named {
    fn of(rules: &[(String, Rules)]) -> Self {
        let mut named = Self::default();
        let rules = rules.iter().flat_map(|(_, rules)| &rules.commands);
        for name in rules.flat_map(|rule| &rule.programs) {
            match name.strip_suffix('*') {
                _ if name.contains('/') => named.paths.push(name.clone()),
                Some(beginning) => named.beginnings.push(beginning.to_owned()),
                None => _ = named.whole.insert(name.clone()),
            }
        }
        named
    }

    /// Whether some rule names that program.
    fn has(&self, program: &str) -> bool {
        let base = base(program);
        let (mut beginnings, mut paths) = (self.beginnings.iter(), self.paths.iter());
        self.whole.contains(base)
            || beginnings.any(|beginning| base.starts_with(beginning))
            || paths.any(|name| is_named(name, program))
    }
}

/// Whether `name` of a rule means that program.
fn is_named(name: &str, program: &str) -> bool {
    let said = if name.contains('/') {
        program
    } else {
        base(program)
    };
    match name.strip_suffix('*') {
        Some(beginning) => said.starts_with(beginning),
        None => said == name,
    }
}

fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// Why a command is never run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Profile that says so; `all` speaks for every product.
    pub profile: String,
    /// The program that is meant, wrappers taken off.
    pub program: String,
    /// What it would do.
    pub why: String,
}

impl Refusal {
    /// What is wrong, in a phrase.
    #[must_use]
    pub fn message(&self) -> String {
        format!("`{}` is never run like this: {}", self.program, self.why)
    }

    /// Where that is written.
    #[must_use]
    pub fn hint(&self) -> String {
        format!(
            "gonogo only looks: take what is needed by another command; `gonogo profiles show {}` lists what is never run",
            self.profile
        )
    }
}

impl Never {
    pub(super) fn new(rules: Vec<(String, Rules)>) -> Self {
        let named = Arc::new(Named::of(&rules));
        Self(Arc::new(rules), named)
    }

    /// Nothing is: the inventory is that of a run on record.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every path that no server is asked for, with what it would do.
    pub fn urls(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter().flat_map(|(_, rules)| &rules.urls);
        all.map(|never| (never.path.as_str(), never.why.as_str()))
    }

    /// Why these words are never run; `None` when they may be.
    #[must_use]
    pub fn command(&self, words: &[String]) -> Option<Refusal> {
        let all = seen::through(words);
        (all.iter().find_map(|seen| self.judge(seen)))
            .or_else(|| all.iter().find_map(|seen| self.asks(seen)))
    }

    /// A command that asks a server for what no server is asked for, however the URL is spelt.
    fn asks(&self, seen: &Seen) -> Option<Refusal> {
        let text = seen.text();
        let program = text.split(' ').next().unwrap_or_default();
        let base = program.rsplit('/').next().unwrap_or(program);
        let is_client = ["curl", "wget", "http", "https", "xh"].contains(&base);
        let parts = text.split([' ', '"', '\'', '\t', '\n']).skip(1);
        parts.into_iter().find_map(|part| {
            let rest = match part.split_once("://") {
                Some((_, rest)) => rest,
                None if is_client && !part.starts_with(['-', '/']) => part,
                None => return None,
            };
            let path = &rest[rest.find('/')?..];
            let path = path.split(['?', '#']).next().unwrap_or_default();
            self.0.iter().find_map(|(profile, rules)| {
                let mut never = rules.urls.iter();
                let never = never.find(|never| path_leads_below(path, &never.path))?;
                Some(Refusal {
                    profile: profile.clone(),
                    program: program.to_owned(),
                    why: never.why.clone(),
                })
            })
        })
    }

    fn judge(&self, seen: &Seen) -> Option<Refusal> {
        if let Seen::Command(words) = seen
            && !words.first().is_some_and(|program| self.1.has(program))
        {
            return None;
        }
        self.0.iter().find_map(|(profile, rules)| {
            rules.commands.iter().find_map(|rule| {
                let program = rule.forbids(seen)?;
                Some(Refusal {
                    profile: profile.clone(),
                    why: self.why(rule, seen),
                    program,
                })
            })
        })
    }

    /// What it would do; for a signal that some product takes for more than its end, that too.
    fn why(&self, rule: &Rule, seen: &Seen) -> String {
        let text = seen.text();
        let sent = |name: &str| {
            let name = regex::escape(name);
            let before = r"\s-(?:s\s*|-signal[= ]\s*)?(?:SIG)?|\bSIG";
            let spelt = format!(r"(?i)(?:{before}){name}(?:$|[^a-z0-9])");
            Regex::new(&spelt).is_ok_and(|spelt| spelt.is_match(&text))
        };
        let signals = self.0.iter().flat_map(|(profile, rules)| {
            let told = rules.signals.iter();
            told.map(move |(name, does)| (profile, name, does))
        });
        let told: Vec<String> = match rule.why.contains("signal") {
            true => signals
                .filter(|(_, name, _)| sent(name))
                .map(|(profile, name, does)| format!("; to {profile}, SIG{name} {does}"))
                .collect(),
            false => Vec::new(),
        };
        format!("{}{}", rule.why, told.concat())
    }
}

impl Rule {
    /// The program that it forbids in `seen`.
    fn forbids(&self, seen: &Seen) -> Option<String> {
        match seen {
            Seen::Command(words) => {
                let (program, arguments) = words.split_first()?;
                let forbidden = self.names(program) && self.is_met(&arguments.join(" "));
                forbidden.then(|| program.clone())
            }
            Seen::Blurred(text) => {
                let is_word = |c: char| c.is_alphanumeric() || "_-/+".contains(c);
                let mut from = 0;
                while let Some(begin) = text[from..].find(is_word) {
                    let begin = from + begin;
                    let end = text[begin..]
                        .find(|c| !is_word(c))
                        .map_or(text.len(), |length| begin + length);
                    let program = &text[begin..end];
                    if self.names(program) && self.is_met(text[end..].trim_start()) {
                        return Some(program.to_owned());
                    }
                    from = end;
                }
                None
            }
        }
    }

    fn names(&self, program: &str) -> bool {
        self.programs.iter().any(|name| is_named(name, program))
    }

    fn is_met(&self, arguments: &str) -> bool {
        // What cannot be asked forbids.
        let says = |expression: &Expression, otherwise: bool| {
            let regex = expression.regex();
            regex.map_or(otherwise, |regex| regex.is_match(arguments))
        };
        let (with, unless) = (self.with.as_ref(), self.unless.as_ref());
        with.is_none_or(|with| says(with, true))
            && !unless.is_some_and(|unless| says(unless, false))
    }
}

#[cfg(test)]
mod tests;
