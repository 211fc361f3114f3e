//! YAML and JSON: every value by its name, the names around it and its neighbours, whatever the quoting, the
//! escapes, the folding or the anchor; comments as lines. Only what may not stay is rewritten.

use granit_parser::{Event, Parser, ScalarStyle};

use super::cues::Cue;
use super::engine::Engine;
use super::line::Mood;
use super::node::{Edit, Node, Trust, Walk};
use super::text::Text;
use super::{Counts, Unfit, json};
use crate::evidence::redact::MARK;

/// A value that stands in a block below its name.
const BLOCK: u8 = 2;

enum Open {
    Map(Vec<(Node, Node)>, Option<Node>, usize),
    List(Vec<Node>, usize),
}

/// Every document of a YAML stream, as one list; `None` when it is not well-formed.
fn yaml(text: &str) -> Option<Node> {
    let mut options = granit_parser::options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: 128,
        block_nesting_limit: 128,
    };
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut open: Vec<Open> = vec![Open::List(Vec::new(), 0)];
    while let Some(event) = parser.next_event() {
        let (event, span) = event.ok()?;
        match event {
            Event::Scalar(plain, style, anchor, _) => {
                let range = span.byte_range()?;
                text.get(range.clone())?;
                let hint = match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => BLOCK,
                    ScalarStyle::Plain => 0,
                    _ => 1,
                };
                put(
                    &mut open,
                    anchor,
                    Node::Scalar(range, plain.into_owned(), hint),
                );
            }
            Event::MappingStart(_, anchor, _) => open.push(Open::Map(Vec::new(), None, anchor)),
            Event::SequenceStart(_, anchor, _) => open.push(Open::List(Vec::new(), anchor)),
            Event::MappingEnd | Event::SequenceEnd => {
                let (node, anchor) = match open.pop()? {
                    Open::Map(pairs, _, anchor) => (Node::Map(pairs), anchor),
                    Open::List(items, anchor) => (Node::List(items), anchor),
                };
                put(&mut open, anchor, node);
            }
            Event::Alias(anchor) => put(&mut open, 0, Node::Alias(anchor)),
            Event::UnresolvedAlias(_) => return None,
            _ => {}
        }
    }
    match open.pop()? {
        Open::List(documents, _) if open.is_empty() => Some(Node::List(documents)),
        _ => None,
    }
}

fn put(open: &mut [Open], anchor: usize, node: Node) {
    let node = match anchor {
        0 => node,
        anchor => Node::Anchored(anchor, Box::new(node)),
    };
    match open.last_mut() {
        Some(Open::List(items, _)) => items.push(node),
        Some(Open::Map(pairs, key, _)) => match key.take() {
            Some(key) => pairs.push((key, node)),
            None => *key = Some(node),
        },
        None => {}
    }
}

fn read(text: &str, is_json: bool) -> Option<Node> {
    match is_json {
        true => json::read(text),
        false => yaml(text),
    }
}

/// Everything that is written anew, sorted.
fn edits(engine: &Engine, node: &Node, counts: &mut Counts) -> Vec<Edit> {
    let mut anchors = Vec::new();
    loop {
        let had = anchors.len();
        let mut own = Counts::new();
        let mut walk = Walk {
            engine,
            counts: &mut own,
            edits: Vec::new(),
            secret_anchors: anchors,
        };
        walk.node(node, Trust::Open, Cue::None, false);
        let mut edits = walk.edits;
        anchors = walk.secret_anchors;
        anchors.sort_unstable();
        anchors.dedup();
        // What an alias repeats below a secret's name is the secret, and stood before it.
        if anchors.len() == had {
            for (rule, count) in own {
                *counts.entry(rule).or_default() += count;
            }
            edits.sort_by_key(|edit| edit.range.start);
            return edits;
        }
    }
}

/// One line that is a JSON object; `None` when it is none.
pub(super) fn redact_line(engine: &Engine, line: &str, counts: &mut Counts) -> Option<String> {
    let node = json::read(line)?;
    let mut clean = String::with_capacity(line.len());
    let mut at = 0;
    for edit in edits(engine, &node, counts) {
        clean.push_str(line.get(at..edit.range.start)?);
        clean.push_str(&serde_json::to_string(&edit.new).ok()?);
        at = edit.range.end;
    }
    clean.push_str(&line[at..]);
    Some(clean)
}

/// The whole document without what must not leave, and whether it has its form still; `None` when it is not
/// well-formed.
pub(super) fn redact(
    engine: &Engine,
    text: &str,
    is_json: bool,
    counts: &mut Counts,
) -> Result<Option<(String, bool)>, Unfit> {
    let Some(node) = read(text, is_json) else {
        return Ok(None);
    };
    let meant = edits(engine, &node, &mut Counts::new());
    let like = |clean: &str| read(clean, is_json).filter(|after| after.is_like(&node));
    let mut own = Counts::new();
    let mut clean = written(engine, text, is_json, &node, true, &mut own)?;
    if !like(&clean).is_some_and(|after| is_held(&node, &after, &meant)) {
        own = Counts::new();
        clean = written(engine, text, is_json, &node, false, &mut own)?;
    }
    for (rule, count) in own {
        *counts.entry(rule).or_default() += count;
    }
    let Some(after) = like(&clean) else {
        return Ok(Some((clean, false)));
    };
    // Lines would not find again what has no form of its own, such as `4711`.
    if !is_held(&node, &after, &meant) {
        return Err(Unfit::misplaced());
    }
    Ok(Some((clean, true)))
}

/// Whether every value that was taken out is its mark, and what nobody touched is as it was, when what was written is
/// read anew: a place that was reckoned wrongly leaves a secret beside its mark.
fn is_held(before: &Node, after: &Node, edits: &[Edit]) -> bool {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    scalars(before, &mut old);
    scalars(after, &mut new);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    old.len() == new.len()
        && old.iter().zip(&new).all(|((range, was), (_, is))| {
            let at = edits.partition_point(|edit| edit.range.start < range.start);
            let edit = edits[at..]
                .iter()
                .take_while(|edit| edit.range.start == range.start)
                .find(|edit| edit.range == *range);
            match edit {
                None => words(was) == words(is),
                // The lines of a block are rewritten as they stand.
                Some(edit) if edit.hint == BLOCK && edit.new != MARK => {
                    is.contains(MARK) || !edit.new.contains(MARK)
                }
                Some(edit) => words(&edit.new) == words(is),
            }
        })
}

fn scalars<'n>(node: &'n Node, found: &mut Vec<(std::ops::Range<usize>, &'n str)>) {
    match node {
        Node::Scalar(range, plain, _) => found.push((range.clone(), plain)),
        Node::Anchored(_, node) => scalars(node, found),
        Node::List(items) => items.iter().for_each(|item| scalars(item, found)),
        Node::Map(pairs) => pairs.iter().for_each(|(key, value)| {
            scalars(key, found);
            scalars(value, found);
        }),
        Node::Alias(_) => {}
    }
}

/// `as_blocks`: what stands in lines below its name stays so.
fn written(
    engine: &Engine,
    text: &str,
    is_json: bool,
    node: &Node,
    as_blocks: bool,
    counts: &mut Counts,
) -> Result<String, Unfit> {
    let mut clean = String::with_capacity(text.len());
    let mut at = 0;
    for (range, edit) in gaps(node, edits(engine, node, counts)) {
        if range.start < at {
            continue;
        }
        comments(engine, &text[at..range.start], is_json, &mut clean, counts);
        at = range.end;
        match edit {
            None => clean.push_str(&text[range]),
            Some(edit) if edit.hint == BLOCK => {
                // The blanks before the next name are its own.
                let raw = &text[range.clone()];
                let raw = match raw.rfind('\n') {
                    Some(feed) if raw[feed..].trim().is_empty() => &raw[..=feed],
                    _ => raw,
                };
                match as_blocks
                    .then(|| block(engine, raw, &edit, counts))
                    .flatten()
                {
                    Some(block) => clean.push_str(&block),
                    None => {
                        let header = clean
                            .trim_end()
                            .trim_end_matches(|c: char| "+-".contains(c) || c.is_ascii_digit());
                        if let (false, Some(bare)) =
                            (raw.starts_with(['|', '>']), header.strip_suffix(['|', '>']))
                        {
                            let length = bare.len();
                            clean.truncate(length);
                        }
                        clean.push_str(&quoted(&edit.new)?);
                        clean.push_str(if raw.ends_with('\n') { "\n" } else { "" });
                    }
                }
                clean.push_str(&text[range.start + raw.len()..range.end]);
            }
            Some(edit) => clean.push_str(&quoted(&edit.new)?),
        }
    }
    comments(engine, &text[at..], is_json, &mut clean, counts);
    Ok(clean)
}

/// JSON's strings are YAML's in double quotes (YAML 1.2.2, 5.1).
fn quoted(text: &str) -> Result<String, Unfit> {
    Ok(serde_json::to_string(text).map_err(std::io::Error::other)?)
}

/// The lines of a block, each rewritten in its place; `None` where nothing of it stays.
fn block(engine: &Engine, raw: &str, edit: &Edit, counts: &mut Counts) -> Option<String> {
    if edit.new == MARK {
        return None;
    }
    let (head, body) = match raw.starts_with(['|', '>']) {
        true => raw.split_at(raw.find('\n')? + 1),
        false => ("", raw),
    };
    let mood = Mood {
        is_strict: edit.is_strict,
        ..Mood::default()
    };
    let clean = engine.text(body, mood, counts);
    // Of what is folded a name and its value may stand on two lines, which are one text to the reader.
    let marks = |text: &str| text.matches(MARK).count();
    let is_parted = marks(&clean) < marks(&edit.new) && body.lines().any(ends_with_name);
    (clean.lines().count() == body.lines().count() && !is_parted).then(|| format!("{head}{clean}"))
}

/// `--password`, and its value on the next line.
fn ends_with_name(line: &str) -> bool {
    let last = line.split_whitespace().next_back().unwrap_or_default();
    super::cues::of(last.trim_matches(|c: char| !c.is_alphanumeric())).is_secret()
}

/// Every value and name with its place, and what it becomes.
fn gaps(node: &Node, edits: Vec<Edit>) -> Vec<(std::ops::Range<usize>, Option<Edit>)> {
    fn places(node: &Node, found: &mut Vec<std::ops::Range<usize>>) {
        match node {
            Node::Scalar(range, ..) => found.push(range.clone()),
            Node::Anchored(_, node) => places(node, found),
            Node::List(items) => items.iter().for_each(|item| places(item, found)),
            Node::Map(pairs) => pairs.iter().for_each(|(key, value)| {
                places(key, found);
                places(value, found);
            }),
            Node::Alias(_) => {}
        }
    }
    let mut all = Vec::new();
    places(node, &mut all);
    all.sort_by_key(|range| range.start);
    let mut edits = edits.into_iter().peekable();
    all.into_iter()
        .map(|range| {
            let edit = edits.next_if(|edit| edit.range == range);
            (range, edit)
        })
        .collect()
}

/// What stands between values: its comments are lines like any other.
fn comments(engine: &Engine, gap: &str, is_json: bool, clean: &mut String, counts: &mut Counts) {
    if is_json || !gap.contains(['#', '&', '!', '%']) {
        clean.push_str(gap);
        return;
    }
    let mut lines = Text::new(engine, Mood::default());
    for line in gap.split_inclusive('\n') {
        let begins = line.match_indices('#').map(|(at, _)| at).find(|at| {
            line[..*at]
                .chars()
                .next_back()
                .is_none_or(char::is_whitespace)
        });
        match begins {
            Some(at) => {
                clean.push_str(&line[..at]);
                let body = line[at + 1..].trim_end_matches(['\r', '\n']);
                clean.push('#');
                lines.line(&super::undress::visible(body), clean, counts);
                clean.push_str(&line[at + 1 + body.len()..]);
            }
            None => clean.push_str(line),
        }
    }
}
