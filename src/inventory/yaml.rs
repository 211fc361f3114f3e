//! YAML as a tree whose every node knows its place. Duplicate keys, unknown aliases, tags and merge
//! keys are refused here, all at once; a syntax error ends the reading. Knows no key of ours.
//!
//! Built on the events of granit-parser, because a serde deserializer stops at the first error.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Marker, Parser, ScalarStyle, StrInput};

use super::page::{Mark, Page};

/// Most nodes that aliases may add to a file: enough for a team list shared by 100,000 instances,
/// far too few for a "billion laughs".
const MOST_ALIASED: usize = 1_000_000;

/// Keys of a mapping that are looked through one by one.
const FEW: usize = 12;

/// Deepest nesting; the inventory itself needs seven.
const DEEPEST: usize = 64;

/// One node of the tree.
#[derive(Clone, Debug)]
pub(super) struct Node<'s> {
    pub at: Mark,
    pub value: Value<'s>,
}

#[derive(Clone, Debug)]
pub(super) enum Value<'s> {
    /// Text as written; `plain` when neither quoted nor a block.
    Scalar {
        text: Cow<'s, str>,
        plain: bool,
    },
    List(Vec<Node<'s>>),
    Map(Vec<Entry<'s>>),
    /// Refused already: whoever meets it says nothing more.
    Broken,
}

/// One `key: value` of a mapping.
#[derive(Clone, Debug)]
pub(super) struct Entry<'s> {
    pub at: Mark,
    pub key: Cow<'s, str>,
    pub value: Node<'s>,
}

impl Node<'_> {
    /// `~`, `null` or nothing at all (YAML 1.2.2, 10.2.1.1).
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true }
            if matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// What it is, for "expected …, found …".
    pub fn noun(&self) -> &'static str {
        match self.value {
            Value::Scalar { .. } if self.is_null() => "nothing",
            Value::Scalar { .. } => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
            Value::Broken => "something refused",
        }
    }

    fn size(&self) -> usize {
        match &self.value {
            Value::Scalar { .. } | Value::Broken => 1,
            Value::List(items) => 1 + items.iter().map(Node::size).sum::<usize>(),
            Value::Map(entries) => {
                1 + entries
                    .iter()
                    .map(|entry| 1 + entry.value.size())
                    .sum::<usize>()
            }
        }
    }
}

/// Reads `text`'s only document. `None` when nothing usable came of it; what is wrong is on the page.
pub(super) fn read<'s>(text: &'s str, page: &mut Page<'_>) -> Option<Node<'s>> {
    let mut options = granit_parser::options! {
        disallow_directives: true,
        emit_unresolved_aliases: true,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    options.set_emit_comments(false);
    let mut reader = Reader {
        parser: Parser::new_from_str_with_options(text, options),
        page,
        anchors: HashMap::new(),
        aliased: 0,
        failed: false,
    };
    let root = reader.document();
    if reader.failed { None } else { root }
}

struct Reader<'s, 'p, 'q> {
    parser: Parser<'s, StrInput<'s>>,
    page: &'p mut Page<'q>,
    /// Anchor → its finished node; `None` while it is still being read.
    anchors: HashMap<usize, Option<Node<'s>>>,
    aliased: usize,
    /// A syntax error: nothing more will come.
    failed: bool,
}

impl<'s> Reader<'s, '_, '_> {
    fn next(&mut self) -> Option<(Event<'s>, Mark)> {
        match self.parser.next_event()? {
            Ok((event, span)) => Some((event, self.mark(span.start))),
            Err(error) => {
                let at = self.mark(*error.marker());
                let message = format!("not well-formed YAML: {}", error.info());
                self.page.refuse(at, message, syntax_hint(error.kind()));
                self.failed = true;
                None
            }
        }
    }

    fn mark(&self, marker: Marker) -> Mark {
        self.page.mark(marker.line(), marker.col() + 1)
    }

    fn document(&mut self) -> Option<Node<'s>> {
        let mut root = None;
        while let Some((event, at)) = self.next() {
            match event {
                Event::StreamStart | Event::DocumentEnd | Event::StreamEnd => {}
                Event::DocumentStart(..) if root.is_none() => {
                    let first = self.next()?;
                    root = Some(self.node(first)?);
                }
                Event::DocumentStart(..) => {
                    let hint = "remove the `---`: one file is one inventory";
                    self.page
                        .refuse(at, "a second YAML document begins here", hint);
                    break;
                }
                _ => {}
            }
        }
        root
    }

    fn node(&mut self, (event, at): (Event<'s>, Mark)) -> Option<Node<'s>> {
        let (anchor, tagged) = match &event {
            Event::Scalar(_, _, anchor, tag)
            | Event::SequenceStart(_, anchor, tag)
            | Event::MappingStart(_, anchor, tag) => (*anchor, tag.is_some()),
            _ => (0, false),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, None);
        }
        let mut value = match event {
            Event::Scalar(text, style, ..) => Value::Scalar {
                text,
                plain: style == ScalarStyle::Plain,
            },
            Event::SequenceStart(..) => self.list()?,
            Event::MappingStart(..) => self.map()?,
            Event::Alias(id) => return Some(self.alias(id, at)),
            Event::UnresolvedAlias(name) => {
                let message = format!("nothing above is named `&{name}`");
                self.page.refuse(
                    at,
                    message,
                    "an alias repeats an anchor that stands above it",
                );
                Value::Broken
            }
            _ => Value::Broken,
        };
        if tagged {
            let hint = "remove the tag; quote a value to make it text";
            self.page.refuse(at, "YAML tags are not used here", hint);
            value = Value::Broken;
        }
        let node = Node { at, value };
        if anchor != 0 {
            self.anchors.insert(anchor, Some(node.clone()));
        }
        Some(node)
    }

    fn list(&mut self) -> Option<Value<'s>> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Some(Value::List(items)),
                first => items.push(self.node(first)?),
            }
        }
    }

    fn map(&mut self) -> Option<Value<'s>> {
        let mut entries: Vec<Entry<'s>> = Vec::new();
        // Most mappings are small, and a large inventory has a hundred thousand: those are looked through.
        let mut seen: HashMap<Cow<'s, str>, u32> = HashMap::new();
        loop {
            let (at, key) = match self.next()? {
                (Event::MappingEnd, _) => return Some(Value::Map(entries)),
                first => {
                    let key = self.node(first)?;
                    (key.at, self.key(key))
                }
            };
            let first = self.next()?;
            let value = self.node(first)?;
            let Some(key) = key else { continue };
            let line = match entries.len() {
                0..=FEW => {
                    let mut known = entries.iter();
                    known
                        .find(|entry| entry.key == key)
                        .map(|entry| entry.at.line)
                }
                _ => seen.get(&key).copied(),
            };
            match line {
                Some(line) => {
                    let message = format!("`{key}` is written twice");
                    let hint = format!("it stands on line {line} already: keep one of them");
                    self.page.refuse(at, message, hint);
                }
                None => {
                    entries.push(Entry { at, key, value });
                    if entries.len() > FEW {
                        let unseen = entries.iter().skip(seen.len());
                        let unseen = unseen.map(|entry| (entry.key.clone(), entry.at.line));
                        seen.extend(unseen.collect::<Vec<_>>());
                    }
                }
            }
        }
    }

    /// The key's text; `None` when it was refused.
    fn key(&mut self, key: Node<'s>) -> Option<Cow<'s, str>> {
        let null = key.is_null();
        match key.value {
            Value::Scalar { text, plain: true } if text == "<<" => {
                let hint = "write the keys out, or put what all share under `ssh:`";
                self.page
                    .refuse(key.at, "merge keys (`<<`) are not used here", hint);
                None
            }
            Value::Scalar { text, plain } if null || (plain && is_ambiguous(&text)) => {
                let message = format!("the key `{text}` is not plainly text");
                let hint = format!("quote it: \"{text}\"");
                self.page.refuse(key.at, message, hint);
                None
            }
            Value::Scalar { text, .. } => Some(text),
            Value::Broken => None,
            Value::List(_) | Value::Map(_) => {
                let message = format!("a key must be text, found {}", key.noun());
                self.page
                    .refuse(key.at, message, "quote text that begins with `{` or `[`");
                None
            }
        }
    }

    fn alias(&mut self, id: usize, at: Mark) -> Node<'s> {
        let broken = Node {
            at,
            value: Value::Broken,
        };
        match self.anchors.get(&id) {
            // Said once already; counting on would itself take for ever.
            _ if self.aliased > MOST_ALIASED => broken,
            Some(Some(node)) => {
                self.aliased += node.size();
                if self.aliased <= MOST_ALIASED {
                    return node.clone();
                }
                let message = format!("aliases add more than {MOST_ALIASED} nodes to this file");
                let hint = "write out what is meant instead of nesting aliases";
                self.page.refuse(at, message, hint);
                broken
            }
            _ => {
                let hint = "an alias cannot stand inside the anchor that it repeats";
                self.page.refuse(at, "this alias contains itself", hint);
                broken
            }
        }
    }
}

/// Words that YAML 1.1 or 1.2 readers take for a boolean, so that the text meant is anyone's guess.
pub(super) fn is_ambiguous(word: &str) -> bool {
    const WORDS: [&str; 6] = ["true", "false", "yes", "no", "on", "off"];
    word.len() <= 5 && WORDS.iter().any(|one| word.eq_ignore_ascii_case(one))
}

fn syntax_hint(kind: &granit_parser::ErrorKind) -> &'static str {
    use granit_parser::ErrorKind as Kind;
    match kind {
        Kind::TabNotAllowed | Kind::TabInBlockIndentation => "indent with blanks, never with tabs",
        Kind::RecursionLimitExceeded => "an inventory is never nested that deeply",
        Kind::DirectiveDisallowed => "remove the line that begins with `%`",
        _ => {
            "check indentation, colons and quotes here and on the line above; quote text that holds `: `, ` #`, `{` or `[`"
        }
    }
}

/// Keys seen twice in a list of names: the first place of each repetition.
pub(super) fn repeated<'t>(
    names: impl IntoIterator<Item = (&'t str, Mark)>,
) -> Vec<(&'t str, Mark)> {
    let mut seen = HashSet::new();
    names
        .into_iter()
        .filter(|(name, _)| !seen.insert(*name))
        .collect()
}
