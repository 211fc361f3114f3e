//! Which lines of a config count for a host, by ssh_config(5): from the top, the first value of each
//! keyword wins, and `Host` and `Match` say which lines are about the host.

use std::collections::BTreeMap;

use super::blocks::Blocks;
use super::criteria::{Asks, Criterion};
use super::file::{At, Config, Says};
use super::here::Here;
use super::keywords::{self, Sort};
use super::resolve::Topic;
use super::{pattern, tokens};
use crate::problem::Problem;

/// What is asked of a config: `ssh -F FILE -l USER ALIAS`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub alias: &'a str,
    pub user: Option<&'a str>,
}

/// A value that counts, and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub words: Vec<String>,
    pub at: At,
}

impl Value {
    /// The only word of most values.
    pub fn word(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }
}

/// Everything that counts for one host.
#[derive(Clone, Debug, Default)]
pub(super) struct Weighed {
    values: BTreeMap<&'static str, Vec<Value>>,
    /// `Match` lines that might count and cannot be decided without asking the world, and keywords
    /// that no `IgnoreUnknown` excuses here.
    pub undecided: Vec<(Topic, Problem)>,
}

impl Weighed {
    /// The value of a keyword of which the first counts.
    pub fn first(&self, name: &str) -> Option<&Value> {
        self.values.get(name)?.first()
    }

    /// Every value of a keyword of which all count.
    pub fn all(&self, name: &str) -> &[Value] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Weighs the whole config for one host; a second time where some `Match final` asks for it.
pub(super) fn weigh(config: &Config, asked: Asked<'_>, here: &Here) -> Weighed {
    let mut scale = Scale {
        asked,
        here,
        host: asked.alias.to_owned(),
        again: false,
        wants_again: false,
        weighed: Weighed::default(),
        ignored: None,
    };
    scale.lines(&config.lines, &Counts::Yes);
    if scale.wants_again {
        // The second reading matches `Host` against the name that the first one found.
        scale.host = hostname(&scale.weighed, asked.alias);
        scale.again = true;
        let at = At {
            file: std::path::Path::new("").into(),
            line: 0,
            column: 0,
            text: "".into(),
        };
        let found = scale.weighed.values.entry("hostname").or_default();
        if found.is_empty() {
            let words = vec![scale.host.clone()];
            found.push(Value { words, at });
        }
        scale.lines(&config.lines, &Counts::Yes);
    }
    scale.weighed
}

/// The name to connect to: `HostName` with its tokens filled, else the alias; in small letters.
pub(super) fn hostname(weighed: &Weighed, alias: &str) -> String {
    let Some(value) = weighed.first("hostname") else {
        return alias.to_ascii_lowercase();
    };
    // What cannot be filled is told by `resolve.rs`.
    let filled = tokens::fill(value.word(), &[('h', alias)]);
    filled.map_or_else(
        |_| value.word().to_owned(),
        |name| name.to_ascii_lowercase(),
    )
}

/// Whether lines count.
#[derive(Clone)]
enum Counts {
    Yes,
    No,
    /// Only the world knows: the `Match` line, and what it asks.
    Perhaps(At, String),
}

struct Scale<'a> {
    asked: Asked<'a>,
    here: &'a Here,
    host: String,
    /// The second reading.
    again: bool,
    wants_again: bool,
    weighed: Weighed,
    ignored: Option<String>,
}

impl Scale<'_> {
    /// The lines of one file. Where the file itself counts for nothing, so does all that it says.
    fn lines(&mut self, lines: &Blocks, whole: &Counts) {
        let mut counts = whole.clone();
        let host = self.host.clone();
        for line in lines.about(&host) {
            match &line.says {
                Says::Host(patterns) => {
                    counts = match self.is_host(patterns) {
                        true => whole.clone(),
                        false => Counts::No,
                    };
                }
                Says::Match(criteria) => {
                    counts = match (whole, self.holds(criteria)) {
                        (Counts::No, _) | (_, Holds::No) => Counts::No,
                        (_, Holds::Yes) => whole.clone(),
                        (_, Holds::Perhaps(asks)) => Counts::Perhaps(line.at.clone(), asks),
                    };
                }
                Says::Include(files) => {
                    for file in files {
                        self.lines(file, &counts);
                    }
                }
                Says::IgnoreUnknown(list) => {
                    if matches!(counts, Counts::Yes) {
                        self.ignored.get_or_insert_with(|| list.clone());
                    }
                }
                Says::Unknown(name) => {
                    let excused = self.ignored.as_ref();
                    if !excused.is_some_and(|list| pattern::list(name, list)) {
                        let message = format!("unknown keyword `{name}`");
                        let hint =
                            "let an `IgnoreUnknown` that counts for this host stand before it";
                        self.tell(Topic::Always, line.at.problem(message, hint));
                    }
                }
                Says::Set(name, words) => self.set(name, words, &line.at, &counts),
            }
        }
    }

    fn set(&mut self, name: &'static str, words: &[String], at: &At, counts: &Counts) {
        if matches!(counts, Counts::No) {
            return;
        }
        let sort = keywords::find(name).map(|(_, sort)| sort);
        let gathers = sort == Some(Sort::Gathered);
        if sort == Some(Sort::Harmless) {
            return;
        }
        // `ProxyCommand` and `ProxyJump` are two words for one thing: the first of either wins.
        let rival = match name {
            "proxyjump" => "proxycommand",
            "proxycommand" => "proxyjump",
            name => name,
        };
        let values = &self.weighed.values;
        let has = |name| {
            values
                .get(name)
                .is_some_and(|found: &Vec<Value>| !found.is_empty())
        };
        if !gathers && (has(name) || has(rival)) {
            return;
        }
        if let Counts::Perhaps(at, asks) = counts {
            let message = format!(
                "`Match {asks}` decides about `{name}` for {}, and cannot be decided without asking the world",
                self.asked.alias
            );
            let hint = "`client: openssh` follows it, or write what it decides in the inventory";
            self.tell(Topic::of(name), at.problem(message, hint));
            return;
        }
        let values = self.weighed.values.entry(name).or_default();
        if !values.iter().any(|value| value.words == words) {
            let (words, at) = (words.to_vec(), at.clone());
            values.push(Value { words, at });
        }
    }

    /// Once for each line and topic: a block has many keywords.
    fn tell(&mut self, topic: Topic, problem: Problem) {
        let told = &mut self.weighed.undecided;
        let again =
            |before: &(Topic, Problem)| before.0 == topic && before.1.place == problem.place;
        if !told.iter().any(again) {
            told.push((topic, problem));
        }
    }

    fn is_host(&self, patterns: &[String]) -> bool {
        let mut found = false;
        for pattern in patterns {
            match pattern.strip_prefix('!') {
                Some(negated) if pattern::matches(&self.host, negated) => return false,
                Some(_) => {}
                None => found |= pattern::matches(&self.host, pattern),
            }
        }
        found
    }

    fn holds(&mut self, criteria: &[Criterion]) -> Holds {
        let mut holds = Holds::Yes;
        for criterion in criteria {
            let is = match &criterion.asks {
                Asks::All => true,
                Asks::Again(wanted) => {
                    self.wants_again |= wanted;
                    self.again
                }
                Asks::Host(list) => {
                    let name = match self.weighed.first("hostname") {
                        Some(_) => hostname(&self.weighed, self.asked.alias),
                        None => self.host.clone(),
                    };
                    pattern::hosts(&name, list)
                }
                Asks::OriginalHost(list) => pattern::hosts(self.asked.alias, list),
                Asks::User(list) => {
                    let named = self.weighed.first("user").map(Value::word);
                    let user = self.asked.user.or(named).unwrap_or(&self.here.user);
                    pattern::list(user, list)
                }
                Asks::LocalUser(list) => pattern::list(&self.here.user, list),
                Asks::World(name) => {
                    if matches!(holds, Holds::Yes) {
                        holds = Holds::Perhaps(name.clone());
                    }
                    continue;
                }
            };
            if is == criterion.negated {
                holds = Holds::No;
            }
        }
        holds
    }
}

enum Holds {
    Yes,
    No,
    Perhaps(String),
}
