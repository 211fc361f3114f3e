//! XML: every text and attribute by the names around it, references resolved, CDATA and comments taken
//! together. Only what may not stay is rewritten; the rest of the document stays to the byte. A document whose
//! DTD declares more than elements is refused (`doctype`): it may build a secret out of pieces.

use std::collections::BTreeMap;
use std::ops::Range;

use roxmltree::{Document, Node, NodeType, ParsingOptions};

use super::cues::{self, Cue};
use super::engine::Engine;
use super::line::Mood;
use super::node::{Trust, is_option_of_secret, is_value, value};
use super::{Counts, Unfit, doctype};

const NODES: u32 = 1_000_000;

/// Namespaces of the world's, not of the house's.
const WORLD: &[&str] = &[
    "http://www.w3.org/",
    "http://schemas.",
    "http://java.sun.com/",
    "http://xmlns.jcp.org/",
    "http://www.springframework.org/",
    "http://maven.apache.org/",
    "http://activemq.apache.org/",
    "http://www.liquibase.org/",
    "http://docbook.org/",
    "urn:activemq",
    "urn:hibernate",
    "urn:ietf:",
    "urn:infinispan:",
    "urn:jboss:",
    "urn:jgroups",
    "urn:oasis:",
    "urn:org:jgroups",
    "urn:schemas-microsoft-com:",
    "urn:wildfly:",
];

/// The document; `None` when it is not well-formed.
fn parse(text: &str) -> Result<Option<Document<'_>>, Unfit> {
    let options = ParsingOptions {
        nodes_limit: NODES,
        allow_dtd: doctype::is_plain(text),
        ..ParsingOptions::default()
    };
    match Document::parse_with_options(text, options) {
        Ok(document) => Ok(Some(document)),
        Err(roxmltree::Error::DtdDetected) => Err(Unfit::Content(
            "it has a DTD that declares entities, attributes or notations, which may build anything: take the \
             declarations out of a copy and send that by hand"
                .to_owned(),
        )),
        Err(_) => Ok(None),
    }
}

/// Whether a namespace says where something of ours is.
fn names_places(document: &Document<'_>) -> bool {
    let is_ours = |uri: &str| {
        uri.contains("//") && !WORLD.iter().any(|world| uri.starts_with(world)) || uri.contains('@')
    };
    let mut spaces = document.descendants().flat_map(|node| node.namespaces());
    spaces.any(|space| is_ours(space.uri()))
}

/// The names that the document uses: they are its product's.
pub(super) fn learn(engine: &mut Engine, text: &str) -> Result<(), Unfit> {
    if let Some(document) = parse(text)?.filter(|document| !names_places(document)) {
        for node in document.descendants().filter(Node::is_element) {
            engine.learn_schema(node.tag_name().name());
            for attribute in node.attributes() {
                engine.learn_schema(attribute.name());
            }
            for prefix in node.namespaces().filter_map(|space| space.name()) {
                engine.learn_schema(prefix);
            }
        }
    }
    Ok(())
}

/// A text by the place where its element begins: the run of texts after so many elements in it, or so many-th
/// attribute.
type Told = BTreeMap<(usize, bool, usize), String>;

struct Walk<'e> {
    engine: &'e Engine,
    counts: &'e mut Counts,
    edits: Vec<(Range<usize>, String)>,
    /// What must stand where something was taken out.
    told: Told,
}

impl Walk<'_> {
    fn element(&mut self, node: Node<'_, '_>, trust: Trust, hint: Cue) {
        let tag = node.tag_name().name();
        let named = node
            .attributes()
            .filter(|attribute| cues::names_another(attribute.name()))
            .map(|attribute| cues::of(attribute.value()))
            .max()
            .unwrap_or(Cue::None);
        let own = cues::of(tag).max(hint);
        for (number, attribute) in node.attributes().enumerate() {
            let name = attribute.name();
            let cue = match () {
                () if cues::names_another(name) => match cues::of(name) {
                    cue @ Cue::Person(_) => cue,
                    _ => Cue::None,
                },
                () if is_value(name) => own.max(named),
                () => cues::of(name).max(if named >= Cue::Strong {
                    Cue::Weak
                } else {
                    Cue::None
                }),
            };
            let trust = match own {
                Cue::Strong | Cue::Rest if !cues::names_another(name) => Trust::Secret,
                Cue::Weak => trust.max(Trust::Strict),
                _ => trust,
            };
            let new = value(
                self.engine,
                attribute.value(),
                trust,
                cue,
                false,
                self.counts,
            );
            self.attribute(node, number, attribute, new);
        }
        let cue = own.max(named);
        let is_leaf = !node.children().any(|child| child.is_element());
        let below = match cue {
            Cue::Strong | Cue::Rest => Trust::Secret,
            Cue::Weak if !is_leaf => trust.max(Trust::Strict),
            _ => trust,
        };
        if is_leaf {
            self.leaf(node, below, cue);
        } else {
            self.children(node, below, cue);
        }
        for child in node.children() {
            match child.node_type() {
                NodeType::Comment => self.comment(child),
                NodeType::PI => self.instruction(child),
                _ => {}
            }
        }
    }

    fn attribute(
        &mut self,
        node: Node<'_, '_>,
        number: usize,
        attribute: roxmltree::Attribute<'_, '_>,
        new: String,
    ) {
        if new == attribute.value() {
            return;
        }
        // The parser's own range of the value is wrong behind many blanks.
        let source = node.document().input_text();
        let end = attribute.range().end.saturating_sub(1);
        let quote = source[end..].chars().next().unwrap_or('"');
        let start = source[..end].rfind(quote).map_or(end, |at| at + 1);
        self.edits.push((start..end, escaped(&new)));
        self.told.insert((node.range().start, true, number), new);
    }

    fn leaf(&mut self, node: Node<'_, '_>, trust: Trust, cue: Cue) {
        if let Some(first) = node.children().find(Node::is_text) {
            let (plain, range) = run(first);
            self.text((first, 0), &plain, range, trust, cue);
        }
    }

    fn text(
        &mut self,
        (first, number): (Node<'_, '_>, usize),
        plain: &str,
        range: Range<usize>,
        trust: Trust,
        cue: Cue,
    ) {
        let trimmed = plain.trim();
        if trimmed.is_empty() {
            return;
        }
        let new = value(self.engine, trimmed, trust, cue, false, self.counts);
        if new != trimmed {
            let raw = &first.document().input_text()[range.clone()];
            let lead = &raw[..raw.len() - raw.trim_start().len()];
            let tail = &raw[raw.trim_end().len()..];
            self.edits
                .push((range, format!("{lead}{}{tail}", escaped(&new))));
            let parent = first.parent().map_or(0, |parent| parent.range().start);
            self.told.insert((parent, false, number), new);
        }
    }

    fn children(&mut self, node: Node<'_, '_>, trust: Trust, cue: Cue) {
        let has_values = node
            .children()
            .any(|child| child.is_element() && is_value(child.tag_name().name()));
        let named = node
            .children()
            .filter(|child| is_naming(child))
            .filter_map(|child| child.text())
            .filter(|text| cues::is_name_of_secret(text))
            .map(cues::of)
            .max()
            // `<key>`, its value, `<key>`: each for its own.
            .filter(|_| node.children().filter(is_naming).count() == 1)
            .unwrap_or(Cue::None);
        // The name of a secret stood right before.
        let mut after = false;
        let mut elements = 0;
        for child in node.children() {
            if child.is_text() {
                if is_within_run(child) {
                    continue;
                }
                let (text, range) = run(child);
                let text = text.as_str();
                let was = std::mem::replace(&mut after, ends_with_name(text));
                let trust = if was && !text.trim().is_empty() {
                    Trust::Secret
                } else {
                    trust
                };
                after |= was && text.trim().is_empty();
                let inherited = match cue {
                    Cue::Person(_) => cue,
                    cue if cue.is_secret() => cue,
                    _ => Cue::None,
                };
                self.text((child, elements), text, range, trust, inherited);
            } else if child.is_element() {
                elements += 1;
                let tag = child.tag_name().name();
                let names = is_naming(&child);
                let secret =
                    after && !names || (named != Cue::None || cue.is_secret()) && is_value(tag);
                let child_trust = match named {
                    _ if secret => Trust::Secret,
                    Cue::Strong | Cue::Rest if !names => trust.max(Trust::Strict),
                    _ => trust,
                };
                let text: String = child
                    .descendants()
                    .filter(Node::is_text)
                    .filter_map(|text| text.text())
                    .collect();
                match names && (has_values || named != Cue::None) {
                    // `<key>` beside `<value>` is no key.
                    true => self.naming(child, child_trust),
                    false => self.element(child, child_trust, Cue::None),
                }
                let option = text.trim();
                after = names && cues::is_name_of_secret(&text)
                    || ends_with_name(&text)
                    || option.starts_with('-') && is_option_of_secret(option);
            }
        }
    }

    fn naming(&mut self, node: Node<'_, '_>, trust: Trust) {
        for (number, attribute) in node.attributes().enumerate() {
            let new = value(
                self.engine,
                attribute.value(),
                trust,
                Cue::None,
                false,
                self.counts,
            );
            self.attribute(node, number, attribute, new);
        }
        match node.children().any(|child| child.is_element()) {
            true => self.children(node, trust, Cue::None),
            false => self.leaf(node, trust, Cue::None),
        }
    }

    fn comment(&mut self, node: Node<'_, '_>) {
        let range = node.range();
        let inner = range.start + 4..range.end.saturating_sub(3);
        let Some(plain) = node.document().input_text().get(inner.clone()) else {
            return;
        };
        let new = self.engine.text(plain, Mood::default(), self.counts);
        if new != plain {
            self.edits
                .push((inner, new.replace("--", "- -").replace("->", "- >")));
        }
    }

    fn instruction(&mut self, node: Node<'_, '_>) {
        let Some(pi) = node.pi() else {
            return;
        };
        let Some(plain) = pi.value else {
            return;
        };
        let new = self.engine.text(plain, Mood::default(), self.counts);
        if new != plain {
            let target = pi.target;
            self.edits.push((
                node.range(),
                format!("<?{target} {}?>", new.replace("?>", "? >")),
            ));
        }
    }
}

/// The texts from `first` up to the next element, whatever stands between them, and where they stand: the parser
/// makes one of text and CDATA, and says of it only where its first piece stands.
fn run(first: Node<'_, '_>) -> (String, Range<usize>) {
    let (start, mut end) = (first.range().start, first.range().end);
    let mut plain = String::new();
    for node in first.next_siblings().take_while(|node| !node.is_element()) {
        if let Some(text) = node.text().filter(|_| node.is_text()) {
            plain.push_str(text);
            end = end_of_text(node);
        }
    }
    (plain, start..end.max(start))
}

/// Where a text ends: where the next node begins, or the tag that ends its element.
fn end_of_text(node: Node<'_, '_>) -> usize {
    let tag = || {
        let end = node.parent()?.range().end;
        node.document().input_text()[..end].rfind("</")
    };
    let next = node.next_sibling().map(|next| next.range().start);
    next.or_else(tag).unwrap_or(node.range().end)
}

/// Whether another text stands before it, with no element between.
fn is_within_run(text: Node<'_, '_>) -> bool {
    text.prev_siblings()
        .filter(|one| *one != text)
        .take_while(|one| !one.is_element())
        .any(|one| one.is_text())
}

/// `<name>`, `<key>`: what stands in it names its neighbours.
fn is_naming(node: &Node<'_, '_>) -> bool {
    let tag = node.tag_name().name().to_ascii_lowercase();
    let names = [
        "name",
        "key",
        "k",
        "property",
        "parameter",
        "param-name",
        "variable",
        "option",
        "field",
        "header",
    ];
    node.is_element()
        && node.attributes().len() == 0
        && !node.children().any(|child| child.is_element())
        && (names.contains(&tag.as_str()) || tag.ends_with("name"))
}

/// `password=`: the value comes next.
fn ends_with_name(text: &str) -> bool {
    let text = text.trim();
    let Some(name) = text.strip_suffix(['=', ':']) else {
        return false;
    };
    let name = name
        .trim_end()
        .rsplit(|c: char| c.is_whitespace() || ",;&".contains(c))
        .next()
        .unwrap_or_default();
    cues::is_name_of_secret(name)
}

/// The document without what must not leave, and whether it may leave so: it has its form still, and calls no element
/// and no namespace like somebody. `None` when it is not well-formed.
pub(super) fn redact(
    engine: &Engine,
    text: &str,
    counts: &mut Counts,
) -> Result<Option<(String, bool)>, Unfit> {
    let Some(document) = parse(text)? else {
        return Ok(None);
    };
    let mut names = document.descendants().filter(Node::is_element);
    let is_ours = |name: &str| engine.holds_name(name);
    // Such a document goes as lines, and what is known by its place is taken out before.
    let names_somebody = names.any(|node| {
        is_ours(node.tag_name().name())
            || node.attributes().any(|attribute| is_ours(attribute.name()))
            || node.namespaces().any(|space| {
                space.name().is_some_and(is_ours) || is_of_somebody(engine, space.uri())
            })
    }) || names_places(&document);
    let mut walk = Walk {
        engine,
        counts,
        edits: Vec::new(),
        told: Told::new(),
    };
    walk.element(document.root_element(), Trust::Open, Cue::None);
    for node in document.root().children() {
        match node.node_type() {
            NodeType::Comment => walk.comment(node),
            NodeType::PI => walk.instruction(node),
            _ => {}
        }
    }
    if let Some(range) = doctype::of(text) {
        let inner = range.start + doctype::BEGIN.len()..range.end - 1;
        let new = engine.text(&text[inner.clone()], Mood::default(), walk.counts);
        walk.edits.push((inner, new));
    }
    let (mut edits, told) = (walk.edits, walk.told);
    edits.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut clean = String::with_capacity(text.len());
    let mut at = 0;
    for (range, new) in edits {
        // A comment inside of a text that is rewritten goes with it.
        if range.start < at {
            continue;
        }
        clean.push_str(&text[at..range.start]);
        clean.push_str(&new);
        at = range.end;
    }
    clean.push_str(&text[at..]);
    let is_kept = match parse(&clean)? {
        Some(after) if is_like(document.root_element(), after.root_element()) => {
            match is_held(document.root_element(), after.root_element(), &told) {
                true => true,
                // Lines would not find again what has no form of its own, such as `4711`.
                false => return Err(Unfit::misplaced()),
            }
        }
        _ => false,
    };
    Ok(Some((clean, is_kept && !names_somebody)))
}

/// Whether every text is what was told to stand there, or as it was: read anew, so that no place that was reckoned
/// wrongly leaves a secret beside its mark.
fn is_held(one: Node<'_, '_>, two: Node<'_, '_>, told: &Told) -> bool {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let nodes = one.descendants().filter(Node::is_element);
    let others = two.descendants().filter(Node::is_element);
    nodes.zip(others).all(|(node, other)| {
        let at = node.range().start;
        let is_held = |is_attribute, number, before: &str, after: &str| {
            let told = told.get(&(at, is_attribute, number));
            words(told.map_or(before, String::as_str)) == words(after)
        };
        let (texts, after) = (texts(node), texts(other));
        let attributes = node.attributes().zip(other.attributes());
        texts.len() == after.len()
            && texts
                .iter()
                .zip(&after)
                .enumerate()
                .all(|(number, (one, two))| is_held(false, number, one, two))
            && attributes
                .enumerate()
                .all(|(number, (one, two))| is_held(true, number, one.value(), two.value()))
    })
}

/// The texts of an element, parted by the elements in it.
fn texts(node: Node<'_, '_>) -> Vec<String> {
    let mut texts = vec![String::new()];
    for child in node.children() {
        match (child.is_element(), child.text(), texts.last_mut()) {
            (true, ..) => texts.push(String::new()),
            (false, Some(text), Some(last)) if child.is_text() => last.push_str(text),
            _ => {}
        }
    }
    texts
}

/// Every text of a document but the names of its elements and attributes; none when it is not well-formed.
pub(super) fn said(text: &str) -> Vec<String> {
    let Ok(Some(document)) = parse(text) else {
        return Vec::new();
    };
    let mut said = Vec::new();
    for node in document.descendants() {
        match node.is_element() {
            true => said.extend(node.attributes().map(|one| one.value().to_owned())),
            false => said.extend(node.text().map(str::to_owned)),
        }
        said.extend(node.pi().and_then(|pi| pi.value).map(str::to_owned));
    }
    said
}

/// `urn:secretbank:orders`: a namespace is rewritten nowhere, and leaves as it is or not at all.
fn is_of_somebody(engine: &Engine, uri: &str) -> bool {
    let mut words = uri.split(|c: char| !(c.is_alphanumeric() || "_-".contains(c)));
    let is_worlds = WORLD.iter().any(|world| uri.starts_with(world));
    let is_word = |word: &str| word.is_empty() || word == "urn" || engine.words.is_harmless(word);
    !is_worlds && (engine.holds_name(uri) || !words.all(is_word))
}

/// The same elements and attributes, in the same order.
fn is_like(one: Node<'_, '_>, two: Node<'_, '_>) -> bool {
    let names = |node: Node<'_, '_>| -> Vec<String> {
        let own = std::iter::once(node.tag_name().name().to_owned());
        own.chain(
            node.attributes()
                .map(|attribute| attribute.name().to_owned()),
        )
        .collect()
    };
    let mut nodes = one.descendants().filter(Node::is_element);
    let mut others = two.descendants().filter(Node::is_element);
    loop {
        match (nodes.next(), others.next()) {
            (None, None) => return true,
            (Some(node), Some(other))
                if names(node) == names(other)
                    && node.ancestors().count() == other.ancestors().count() => {}
            _ => return false,
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&apos;")
}
