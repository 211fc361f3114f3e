//! A document as a tree, whatever it was written in: names, values and lists with the places where they stand.
//! Says of each value by its name, the names around it and its neighbours what may stay of it.

use std::ops::Range;

use super::Counts;
use super::cues::{self, Cue};
use super::engine::Engine;
use super::line::Mood;
use super::text::whole_name;
use super::value::is_nothing;
use super::{numbers, shape};
use crate::evidence::redact::MARK;

/// A piece of a document.
#[derive(Debug)]
pub(super) enum Node {
    /// A value: where it stands, as its reader gets it, and what the format wants to know of it.
    Scalar(Range<usize>, String, u8),
    /// Names and their values.
    Map(Vec<(Node, Node)>),
    List(Vec<Node>),
    /// Something that stands elsewhere.
    Alias(usize),
    /// The same, with the name by which others mean it.
    Anchored(usize, Box<Node>),
}

impl Node {
    fn scalar(&self) -> Option<&str> {
        match self {
            Self::Scalar(_, plain, _) => Some(plain),
            Self::Anchored(_, node) => node.scalar(),
            _ => None,
        }
    }

    /// The same names, lists and numbers of values: what must not change.
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scalar(..), Self::Scalar(..)) => true,
            (Self::Alias(_), Self::Alias(_)) => true,
            (Self::Anchored(_, one), Self::Anchored(_, two)) => one.is_like(two),
            (Self::List(one), Self::List(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.is_like(two))
            }
            (Self::Map(one), Self::Map(two)) => {
                one.len() == two.len()
                    && one
                        .iter()
                        .zip(two)
                        .all(|(one, two)| one.0.is_like(&two.0) && one.1.is_like(&two.1))
            }
            _ => false,
        }
    }
}

/// What may stay of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trust {
    /// Words.
    #[default]
    Open,
    /// Numbers and a few words.
    Strict,
    /// Nothing.
    Secret,
}

/// A value that is written anew.
pub(super) struct Edit {
    pub range: Range<usize>,
    pub new: String,
    pub hint: u8,
    pub is_strict: bool,
}

/// Goes through a tree.
pub(super) struct Walk<'e> {
    pub engine: &'e Engine,
    pub counts: &'e mut Counts,
    pub edits: Vec<Edit>,
    /// Anchors that a secret's name means.
    pub secret_anchors: Vec<usize>,
}

impl Walk<'_> {
    pub fn node(&mut self, node: &Node, trust: Trust, cue: Cue, is_unknown: bool) {
        match node {
            Node::Scalar(range, plain, hint) => {
                let new = value(self.engine, plain, trust, cue, is_unknown, self.counts);
                if new != *plain {
                    self.edits.push(Edit {
                        range: range.clone(),
                        new,
                        hint: *hint,
                        is_strict: trust >= Trust::Strict,
                    });
                }
            }
            Node::Anchored(anchor, node) => {
                let trust = match self.secret_anchors.contains(anchor) {
                    true => Trust::Secret,
                    false => trust,
                };
                self.node(node, trust, cue, is_unknown);
            }
            Node::Alias(anchor) => {
                if trust == Trust::Secret || cue.is_secret() {
                    self.secret_anchors.push(*anchor);
                }
            }
            Node::List(items) => self.list(items, within(trust, cue), cue),
            Node::Map(pairs) => self.map(pairs, within(trust, cue)),
        }
    }

    fn list(&mut self, items: &[Node], trust: Trust, cue: Cue) {
        let inherited = match cue {
            Cue::Person(_) | Cue::Number => cue,
            _ => Cue::None,
        };
        let mut before: Option<&str> = None;
        let mut is_rest = false;
        for item in items {
            let behind = before.is_some_and(is_option_of_secret);
            is_rest |= before
                .is_some_and(|name| cues::is_name_of_secret(name) && cues::of(name) == Cue::Rest);
            let own = match behind || is_rest {
                true => Trust::Secret,
                false => trust,
            };
            self.node(item, own, inherited, false);
            before = item.scalar();
        }
    }

    fn map(&mut self, pairs: &[(Node, Node)], trust: Trust) {
        let has_values = pairs
            .iter()
            .any(|(key, _)| key.scalar().is_some_and(is_value));
        let naming: Vec<&str> = pairs
            .iter()
            .filter(|(key, _)| key.scalar().is_some_and(cues::names_another))
            .filter_map(|(_, value)| value.scalar())
            .collect();
        let named = naming
            .iter()
            .copied()
            .filter(|value| cues::is_name_of_secret(value))
            .map(cues::of)
            .max()
            .unwrap_or(Cue::None);
        let person = naming.iter().find_map(|value| match cues::of(value) {
            cue @ Cue::Person(_) => Some(cue),
            _ => None,
        });
        let says = |name: &str, value: &str| {
            pairs.iter().any(|(key, node)| {
                key.scalar()
                    .is_some_and(|key| key.eq_ignore_ascii_case(name))
                    && (value.is_empty()
                        || node
                            .scalar()
                            .is_some_and(|one| one.eq_ignore_ascii_case(value)))
            })
        };
        let is_true = |node: &Node| {
            node.scalar()
                .is_some_and(|one| one.eq_ignore_ascii_case("true"))
        };
        // Terraform and others say so themselves.
        let is_sensitive = pairs.iter().any(|(_, node)| is_true(node))
            && [
                "sensitive",
                "is_secret",
                "isSecret",
                "secure",
                "encrypted",
                "masked",
                "is_sensitive",
                "isSensitive",
            ]
            .iter()
            .any(|name| says(name, "true"));
        let asks = ["question", "challenge", "prompt"]
            .iter()
            .any(|name| says(name, ""));
        let columns = columns(pairs);
        for (key, value) in pairs {
            let name = key.scalar().unwrap_or_default();
            self.name(key);
            let names = cues::names_another(name);
            let mut cue = self.engine.words.tell(name).cue;
            if names && (has_values || named != Cue::None) {
                cue = Cue::None;
            }
            let trust = match named {
                _ if names => trust,
                Cue::None => trust,
                _ if is_value(name) => Trust::Secret,
                Cue::Strong | Cue::Rest => trust.max(Trust::Strict),
                _ => trust,
            };
            if let (Some(person), true) = (person, is_value(name)) {
                cue = cue.max(person);
            }
            let is_unknown = !name.is_empty() && !is_plain_name(self.engine, name);
            let trust = match is_value(name) && is_sensitive || asks && is_answer(name) {
                true => Trust::Secret,
                false => trust,
            };
            if let Some(columns) = columns.as_ref().filter(|_| is_rows(name)) {
                self.rows(value, columns, trust);
                continue;
            }
            let is_number = value
                .scalar()
                .is_some_and(|value| numbers::is_unexplained(value, name, ""));
            if is_number && cue == Cue::None && trust == Trust::Open {
                cue = Cue::Number;
            }
            self.node(value, trust, cue, is_unknown);
        }
    }

    /// Rows below the names of their columns.
    fn rows(&mut self, node: &Node, columns: &[Cue], trust: Trust) {
        match node {
            Node::List(items) if items.iter().any(|item| matches!(item, Node::List(_))) => {
                for item in items {
                    self.rows(item, columns, trust);
                }
            }
            Node::List(items) if items.len() == columns.len() => {
                for (item, cue) in items.iter().zip(columns) {
                    self.node(item, within(trust, *cue), *cue, false);
                }
            }
            Node::Anchored(_, node) => self.rows(node, columns, trust),
            other => self.node(other, trust, Cue::None, false),
        }
    }

    /// A name stays, unless it is somebody's.
    fn name(&mut self, key: &Node) {
        match key {
            Node::Scalar(range, plain, hint) => {
                let new = name(self.engine, plain, self.counts);
                if new != *plain {
                    self.edits.push(Edit {
                        range: range.clone(),
                        new,
                        hint: *hint,
                        is_strict: true,
                    });
                }
            }
            Node::Anchored(_, node) => self.name(node),
            other => self.node(other, Trust::Strict, Cue::None, false),
        }
    }
}

fn is_answer(name: &str) -> bool {
    ["answer", "response", "reply", "a"]
        .iter()
        .any(|one| name.eq_ignore_ascii_case(one))
}

fn is_rows(name: &str) -> bool {
    [
        "rows", "row", "values", "records", "data", "tuples", "result", "results", "datarows",
    ]
    .iter()
    .any(|one| name.eq_ignore_ascii_case(one))
}

/// What the columns of a table hold, where the map names them: `"columns": ["login", "password"]`.
fn columns(pairs: &[(Node, Node)]) -> Option<Vec<Cue>> {
    const NAMES: &[&str] = &[
        "columns",
        "cols",
        "header",
        "headers",
        "fields",
        "columnnames",
        "column_names",
        "schema",
    ];
    // Most maps hold neither a list nor another map.
    pairs
        .iter()
        .find(|(_, value)| matches!(value, Node::List(_) | Node::Map(_)))?;
    let named = |pairs: &[(Node, Node)]| -> Option<Vec<Cue>> {
        pairs
            .iter()
            .filter(|(key, _)| {
                key.scalar()
                    .is_some_and(|key| NAMES.contains(&key.to_ascii_lowercase().as_str()))
            })
            .find_map(|(_, value)| match value {
                Node::List(items) => items.iter().map(column).collect(),
                _ => None,
            })
    };
    let below = |(key, value): &(Node, Node)| match value {
        Node::Map(inner)
            if key
                .scalar()
                .is_some_and(|key| NAMES.contains(&key.to_ascii_lowercase().as_str())) =>
        {
            named(inner)
        }
        _ => None,
    };
    let cues = named(pairs).or_else(|| pairs.iter().find_map(below))?;
    cues.iter().any(|cue| *cue != Cue::None).then_some(cues)
}

/// `"login"`, `{"name": "login"}`.
fn column(node: &Node) -> Option<Cue> {
    match node {
        Node::Map(pairs) => pairs
            .iter()
            .find(|(key, _)| key.scalar().is_some_and(cues::names_another))
            .and_then(|(_, value)| value.scalar())
            .map(cues::of),
        node => node.scalar().map(cues::of),
    }
}

/// What a name means for all below it.
fn within(trust: Trust, cue: Cue) -> Trust {
    match cue {
        Cue::Strong | Cue::Rest => Trust::Secret,
        Cue::Weak => trust.max(Trust::Strict),
        _ => trust,
    }
}

fn is_plain_name(engine: &Engine, name: &str) -> bool {
    name.split([' ', '/', ':', '@'])
        .all(|part| engine.words.is_harmless(part))
}

/// The name of a value, such as it may leave.
pub(super) fn name(engine: &Engine, plain: &str, counts: &mut Counts) -> String {
    if is_plain_name(engine, plain) && !engine.holds_name(plain) {
        return plain.to_owned();
    }
    let found = cues::of(plain);
    // `myAppPassword`: that it is a secret's is worth to be known.
    if found.is_secret()
        && plain.len() <= 40
        && plain
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || b"_.-".contains(&byte))
        && !engine.holds_name(plain)
    {
        let parts: Vec<&str> = plain.split(['_', '.', '-']).collect();
        if parts
            .iter()
            .all(|part| engine.words.is_harmless(part) || cues::of(part).is_secret())
        {
            return plain.to_owned();
        }
    }
    let mut own = Counts::new();
    let new = engine.text(plain, Mood::default(), &mut own);
    for (rule, count) in own {
        *counts.entry(rule).or_default() += count;
    }
    new
}

pub(super) fn is_value(key: &str) -> bool {
    const VALUES: &[&str] = &[
        "value",
        "val",
        "values",
        "content",
        "contents",
        "default",
        "data",
        "stringdata",
        "string",
        "text",
        "v",
        "v2",
        "current",
        "setting",
    ];
    let ends = key.len().checked_sub("value".len());
    VALUES.iter().any(|one| key.eq_ignore_ascii_case(one))
        || ends
            .and_then(|at| key.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case("value"))
}

/// `--password`, `-a`, `Authorization`: what follows in a list is a secret.
pub(super) fn is_option_of_secret(word: &str) -> bool {
    let is_flag = word.len() == 2 && word.starts_with('-') && "apwukPUWKA".contains(&word[1..]);
    is_flag || !word.contains('=') && cues::is_name_of_secret(word) && cues::of(word) != Cue::None
}

/// A value, such as it may leave.
pub(super) fn value(
    engine: &Engine,
    plain: &str,
    trust: Trust,
    cue: Cue,
    is_unknown: bool,
    counts: &mut Counts,
) -> String {
    if is_nothing(plain) {
        return plain.to_owned();
    }
    // `/etc/ssl/server.pem`, or the `/order_id` by which AMPS tells messages apart.
    let is_path = cue == Cue::Weak
        && trust != Trust::Secret
        && plain.starts_with('/')
        && (plain.matches('/').count() > 1
            || plain.split('/').all(|name| engine.words.is_harmless(name)))
        && !plain.contains(char::is_whitespace);
    if trust == Trust::Secret || cue.is_secret() && !is_path {
        engine.saw(plain);
        *counts.entry("secret".to_owned()).or_default() += 1;
        return MARK.to_owned();
    }
    match cue {
        Cue::Person(class) => return whole_name(engine, class, plain, counts),
        Cue::Number
            if plain.bytes().filter(u8::is_ascii_digit).count() >= 4 && !plain.contains('@') =>
        {
            *counts.entry("phone".to_owned()).or_default() += 1;
            return engine.token("phone", plain);
        }
        _ => {}
    }
    // What a number is, its name tells.
    if shape::is_harmless(plain) && plain.parse::<f64>().is_ok() {
        return plain.to_owned();
    }
    // A word where nothing says what it is.
    if (is_unknown || trust == Trust::Strict)
        && !plain.contains(char::is_whitespace)
        && !shape::is_harmless(plain)
    {
        let mood = Mood {
            is_strict: true,
            ..Mood::default()
        };
        return engine.text(plain, mood, counts);
    }
    let mood = Mood {
        is_strict: trust == Trust::Strict,
        ..Mood::default()
    };
    engine.text(plain, mood, counts)
}
