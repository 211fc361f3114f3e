//! What is known of secrets and names, and what stands in their place. Knows words; lines, formats and files
//! know it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use regex::Regex;

use super::Counts;
use super::by_value::ByValue;
use super::deferred;
use super::forms::{self, Span};
use super::house::House;
use super::line::Mood;
use super::map::{Class, Map};
use super::text::Text;
use super::undress::{FIRST, MOST, visible};
use super::vocabulary;
use super::word::Vocabulary;
use crate::evidence::redact::{MARK, compile};

/// Of a secret, so many bytes make it worth to be looked for everywhere.
const WORTH: usize = 6;
/// Most secrets that are remembered, and the longest.
const MOST_SECRETS: usize = 50_000;
const LONGEST_SECRET: usize = 512;

/// What is known before anything was read.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Names and addresses of hosts.
    pub hosts: BTreeSet<String>,
    /// Accounts.
    pub users: BTreeSet<String>,
    /// People and firms, their addresses and numbers.
    pub contacts: BTreeSet<String>,
    /// Words that stay, because the request is about them: the instance, its product.
    pub protected: BTreeSet<String>,
    /// Versions that the run has found.
    pub versions: BTreeSet<String>,
    /// Texts that were planted to be removed by the rules: one that is left stops the bundle.
    pub canaries: Vec<String>,
}

/// Takes out what is not proven harmless.
pub struct Engine {
    pub(super) known: Known,
    pub(super) words: Vocabulary,
    map: RwLock<Map>,
    names: BTreeMap<String, Class>,
    secrets: BTreeSet<String>,
    /// Every secret that was taken out.
    seen: RwLock<BTreeSet<String>>,
    /// Of `names`, those that the run does not know.
    met: BTreeSet<String>,
    /// Names of elements, attributes, tables and columns.
    schema: BTreeSet<String>,
    by_value: ByValue,
    pub(super) house: House,
}

/// Accounts and hosts that are called like half of all logs: where they stand as a name they are replaced, as
/// words they stay.
const COMMON: &[&str] = &[
    "localhost",
    "root",
    "nobody",
    "admin",
    "user",
    "users",
    "client",
    "server",
    "service",
    "daemon",
    "system",
    "amps",
    "postgres",
    "mysql",
    "redis",
    "nginx",
    "haproxy",
    "kafka",
    "rabbitmq",
    "elasticsearch",
    "opensearch",
    "mongodb",
    "mongod",
    "host",
    "test",
    "none",
    "unknown",
    "any",
    "all",
    "default",
    "name",
    "sshd",
    "mail",
    "log",
];

/// A writer that panicked left whole values behind.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a text is nothing but words, whatever stands around them.
pub(super) fn is_words(words: &Vocabulary, text: &str) -> bool {
    text.split_whitespace()
        .all(|word| words.is_harmless(word.trim_matches(|c: char| !c.is_alphanumeric())))
}

impl Engine {
    /// Looks for what is `known`, and for all that is not known to be harmless.
    #[must_use]
    pub fn new(known: Known, map: Map) -> Self {
        let words = Vocabulary {
            protected: known.protected.clone(),
            versions: known.versions.clone(),
            ..Vocabulary::default()
        };
        let mut engine = Self {
            words,
            map: RwLock::new(map),
            names: BTreeMap::new(),
            secrets: BTreeSet::new(),
            seen: RwLock::default(),
            met: BTreeSet::new(),
            schema: BTreeSet::new(),
            by_value: ByValue::new(&BTreeMap::new(), &BTreeSet::new()),
            house: House::default(),
            known,
        };
        let all = [
            ("user", engine.known.users.clone()),
            ("host", engine.known.hosts.clone()),
            ("contact", engine.known.contacts.clone()),
        ];
        for (class, names) in all {
            for name in names {
                engine.know(class, &name);
            }
        }
        engine.settle();
        engine.by_value = ByValue::new(&engine.names, &engine.secrets);
        engine
    }

    fn know(&mut self, class: Class, name: &str) {
        let name = name.trim().to_ascii_lowercase();
        let is_number = name
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"._- ".contains(&byte));
        let is_address = name.parse::<std::net::IpAddr>().is_ok();
        // `x`, `in`, `db`: as words they stay, and go where they stand as somebody's name.
        let is_short = name.len() < 2 || name.len() < 4 && vocabulary::is_word(&name);
        let fits = name.len() <= 128 && !is_short && !is_number && !is_address;
        if fits && !self.words.is_protected(&name) && !COMMON.contains(&name.as_str()) {
            self.names.entry(name).or_insert(class);
        }
    }

    /// Makes ready for what was learnt.
    pub fn settle(&mut self) {
        let before = (self.names.len(), self.secrets.len());
        for secret in read(&self.seen).iter() {
            let trimmed = secret.trim();
            let is_number = trimmed
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
            let is_worth = trimmed.len() >= WORTH
                && (is_number && trimmed.len() >= 8
                    || !is_number && !is_words(&self.words, trimmed))
                && !self.words.is_protected(trimmed)
                && !trimmed.contains(MARK)
                && !self.is_schema(trimmed)
                && trimmed.chars().any(char::is_alphanumeric);
            if is_worth && self.secrets.len() < MOST_SECRETS {
                self.secrets.insert(trimmed.to_owned());
            }
        }
        // What was a name somewhere is one everywhere.
        let met: Vec<(String, String)> = self.replaced();
        for (class, name) in met {
            let class = ["user", "host", "client", "contact", "phone", "mail"]
                .into_iter()
                .find(|one| *one == class);
            if let Some(class) = class
                && name.len() >= 4
                && !is_words(&self.words, &name)
                && (class == "phone" || name.bytes().any(|byte| byte.is_ascii_alphabetic()))
                && !self.words.is_protected(&name)
                && !self.is_schema(&name)
                && !self.names.contains_key(&name)
            {
                self.met.insert(name.clone());
                self.names.insert(name, class);
            }
        }
        if before != (self.names.len(), self.secrets.len()) {
            self.by_value = ByValue::new(&self.names, &self.secrets);
        }
        self.words.forget();
    }

    /// The map, with every name that was met.
    pub fn into_map(self) -> Map {
        self.map
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// How many names of each kind were met.
    #[must_use]
    pub fn sums(&self) -> BTreeMap<String, u64> {
        read(&self.map).sums()
    }

    /// What a document calls its elements and attributes, a database its tables and columns. It stays where it stands
    /// as such, and nowhere else: an account may be called like a column.
    pub(super) fn learn_schema(&mut self, name: &str) {
        let lower = name.to_ascii_lowercase();
        let is_plain = lower.len() > 2
            && lower.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && lower
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if !is_plain {
            return;
        }
        // A map of before knows it as somebody's name that was met; the inventory would know it for certain.
        let is_met = self.met.remove(&lower) && self.names.remove(&lower).is_some();
        if is_met {
            self.by_value = ByValue::new(&self.names, &self.secrets);
        }
        if !self.names.contains_key(&lower) {
            self.schema.insert(lower);
        }
    }

    /// Whether a document or a database calls something of its own so.
    pub(super) fn is_schema(&self, name: &str) -> bool {
        self.schema.contains(&name.trim().to_ascii_lowercase())
    }

    /// What stands alone within the name of an element or a column, as the proof would find it there.
    pub(super) fn in_schema(&self) -> BTreeSet<&str> {
        let parts = self.schema.iter().flat_map(|name| name.split('-'));
        self.schema
            .iter()
            .map(String::as_str)
            .chain(parts)
            .collect()
    }

    /// Whether somebody that the run knows is called so.
    pub(super) fn is_name(&self, word: &str) -> bool {
        let all = [&self.known.hosts, &self.known.users, &self.known.contacts];
        let parts = |name: &String| {
            name.to_ascii_lowercase()
                .split(|c: char| !(c.is_alphanumeric() || "_-".contains(c)))
                .any(|part| part == word)
        };
        self.names.contains_key(word) || all.into_iter().flatten().any(parts)
    }

    /// Whether the name of an element or a column holds a name of ours.
    pub(super) fn holds_name(&self, name: &str) -> bool {
        !self.by_value.names(name).is_empty() || !self.by_value.secrets(name).is_empty()
    }

    /// What stands for `name`.
    pub(super) fn token(&self, class: Class, name: &str) -> String {
        let lower;
        let name = match class {
            "id" => name,
            _ => {
                lower = name.to_ascii_lowercase();
                &lower
            }
        };
        if let Some(token) = read(&self.map).known(name) {
            return token.to_owned();
        }
        deferred::note(class, name, || read(&self.map).first(class, name))
            .unwrap_or_else(|| write(&self.map).token(class, name))
    }

    /// Gives tokens to names that were met aside, in that order; whether each got the one that was foreseen.
    pub(super) fn give(&self, names: Vec<(Class, String)>) -> bool {
        let mut map = write(&self.map);
        let mut is_same = true;
        for (class, name) in names {
            let foreseen = map.first(class, &name);
            is_same &= map.token(class, &name) == foreseen;
        }
        is_same
    }

    /// How many names have a token.
    #[must_use]
    pub fn names_met(&self) -> usize {
        read(&self.map).size()
    }

    /// How much is known: what only ever grows, so that nothing is new while this stays the same.
    #[must_use]
    pub fn knows(&self) -> [usize; 4] {
        [
            self.names_met(),
            self.names.len(),
            self.secrets.len(),
            self.schema.len(),
        ]
    }

    /// Remembers what was taken out.
    pub(super) fn saw(&self, secret: &str) {
        let secret = secret.trim();
        if !(4..=LONGEST_SECRET).contains(&secret.len()) || read(&self.seen).contains(secret) {
            return;
        }
        let mut seen = write(&self.seen);
        if seen.len() < MOST_SECRETS {
            seen.insert(secret.to_owned());
        }
    }

    /// Every secret that was taken out.
    pub(super) fn seen(&self) -> Vec<String> {
        read(&self.seen)
            .iter()
            .chain(&self.secrets)
            .cloned()
            .collect()
    }

    /// Every name that a token stands for.
    pub(super) fn replaced(&self) -> Vec<(String, String)> {
        let map = read(&self.map);
        map.names()
            .map(|(class, name)| (class.to_owned(), name.to_owned()))
            .collect()
    }

    /// The line with one character for each thing that is known by value or told by a form, and what stands for it.
    pub(super) fn known_in(
        &self,
        line: &str,
        counts: &mut Counts,
    ) -> Option<(String, Vec<(String, String)>)> {
        let mut found: Vec<Span> = forms::spans(line);
        for (span, rule) in self.house.spans(line) {
            *counts.entry(format!("rule {rule}")).or_default() += 1;
            found.push(span);
        }
        found.extend(
            self.by_value
                .secrets(line)
                .into_iter()
                .map(|range| (range, None)),
        );
        found.extend(
            self.by_value
                .names(line)
                .into_iter()
                .map(|(range, class, _)| (range, Some(class))),
        );
        if found.is_empty() {
            return None;
        }
        // A secret before a name that stands in it.
        found.sort_by_key(|(range, class)| {
            (range.start, class.is_some(), std::cmp::Reverse(range.end))
        });
        let (mut text, mut known) = (String::with_capacity(line.len()), Vec::new());
        let mut at = 0;
        for (range, class) in found {
            if range.start < at {
                // Overlaps: what is left of it goes with the one before.
                if range.end > at && class.is_none() {
                    at = range.end;
                }
                continue;
            }
            let Some(stands) =
                char::from_u32(FIRST + known.len() as u32).filter(|_| known.len() < MOST as usize)
            else {
                break;
            };
            let written = &line[range.clone()];
            let token = match class {
                Some(class) => self.token(class, written),
                None => {
                    self.saw(written);
                    MARK.to_owned()
                }
            };
            text.push_str(&line[at..range.start]);
            text.push(stands);
            known.push((written.to_owned(), token));
            at = range.end;
        }
        text.push_str(&line[at..]);
        Some((text, known))
    }

    /// Where the machine stands that syslog names at the beginning of a line.
    pub(super) fn stamped_host(&self, line: &str) -> Option<Range<usize>> {
        static STAMPED: LazyLock<Regex> = LazyLock::new(|| {
            compile(
                r"^(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*) ([A-Za-z0-9._\-]+) [A-Za-z][\w./\-]*(?:\[\d+\])?: ",
            )
        });
        let found = STAMPED.captures(line)?.get(1)?.range();
        let name = &line[found.clone()];
        let is_level = [
            "trace", "debug", "info", "warn", "warning", "error", "fatal", "log", "notice",
            "stats", "critical",
        ];
        (!is_level.contains(&name.to_ascii_lowercase().as_str())).then_some(found)
    }

    /// A whole text, as lines of a log, or as the value of something.
    pub(super) fn text(&self, text: &str, mood: Mood, counts: &mut Counts) -> String {
        let text = visible(text);
        let mut out = String::with_capacity(text.len() + text.len() / 8);
        let mut lines = Text::new(self, mood);
        for line in text.split_inclusive('\n') {
            lines.line(line, &mut out, counts);
        }
        out
    }

    /// A text of ours that leaves.
    pub fn redact_text(&self, text: &str, counts: &mut Counts) -> String {
        self.text(text, Mood::default(), counts)
    }
}
