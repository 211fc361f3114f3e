//! XML: elements and attributes whose name says that they hold a secret, and every text as its reader gets
//! it: references resolved, CDATA and comments taken together. Only what holds something is rewritten; the
//! rest of the document stays to the byte. A document with a DTD is refused: it may build a secret out of
//! pieces.

use std::ops::Range;

use roxmltree::{Document, Node, NodeType, ParsingOptions};

use super::engine::Engine;
use super::{Counts, Leak, Unfit};
use crate::evidence::redact::{MARK, names_secret};

const NODES: u32 = 1_000_000;

/// A text of the document.
struct Text {
    /// Where it stands, without its quotes or tags.
    range: Range<usize>,
    /// As its reader gets it.
    plain: String,
    /// Name of its element or attribute.
    key: String,
    is_comment: bool,
}

fn parse(text: &str) -> Result<Option<Document<'_>>, Unfit> {
    let options = ParsingOptions {
        nodes_limit: NODES,
        ..ParsingOptions::default()
    };
    match Document::parse_with_options(text, options) {
        Ok(document) => Ok(Some(document)),
        Err(roxmltree::Error::DtdDetected) => Err(Unfit::Content(
            "it has a DTD, whose entities may build anything: take the `<!DOCTYPE` out of a copy and send \
             that by hand"
                .to_owned(),
        )),
        // The broken document may be the very reason for the case: the rules for text still hold.
        Err(_) => Ok(None),
    }
}

fn texts(document: &Document<'_>) -> Vec<Text> {
    let source = document.input_text();
    let mut texts = Vec::new();
    for node in document.descendants() {
        match node.node_type() {
            NodeType::Element => {
                let key = node.tag_name().name().to_owned();
                for attribute in node.attributes() {
                    texts.push(Text {
                        range: attribute.range_value(),
                        plain: attribute.value().to_owned(),
                        key: attribute_key(node, attribute.name()),
                        is_comment: false,
                    });
                }
                let is_leaf = !node.children().any(|child| child.is_element());
                if is_leaf && node.children().any(|child| child.is_text()) {
                    let plain = node
                        .children()
                        .filter(Node::is_text)
                        .filter_map(|child| child.text());
                    let ends = node.first_child().zip(node.last_child());
                    if let Some((first, last)) = ends {
                        texts.push(Text {
                            range: first.range().start..last.range().end,
                            plain: plain.collect(),
                            key,
                            is_comment: false,
                        });
                    }
                } else {
                    for child in node.children().filter(Node::is_text) {
                        texts.push(Text {
                            range: child.range(),
                            plain: child.text().unwrap_or_default().to_owned(),
                            key: key.clone(),
                            is_comment: false,
                        });
                    }
                }
            }
            NodeType::Comment => {
                let range = node.range();
                let inner = range.start + 4..range.end.saturating_sub(3);
                if let Some(plain) = source.get(inner.clone()) {
                    texts.push(Text {
                        range: inner,
                        plain: plain.to_owned(),
                        key: String::new(),
                        is_comment: true,
                    });
                }
            }
            _ => {}
        }
    }
    texts
}

/// `<Option name="password" value="x"/>`: the value goes by what stands in `name`.
fn attribute_key(node: Node<'_, '_>, name: &str) -> String {
    let names = ["name", "key", "Name", "Key"];
    let by = names.iter().find_map(|other| node.attribute(*other));
    match by {
        Some(by) if name.eq_ignore_ascii_case("value") => by.to_owned(),
        _ => name.to_owned(),
    }
}

fn is_secret(text: &Text) -> bool {
    let value = text.plain.trim();
    let is_reference = value.starts_with("${") && value.ends_with('}') && !value[2..].contains('$');
    !text.is_comment
        && names_secret(&text.key)
        && !value.is_empty()
        && value != MARK
        && !is_reference
}

pub(super) fn learn(engine: &mut Engine, text: &str) -> Result<(), Unfit> {
    let Some(document) = parse(text)? else {
        return Ok(());
    };
    for found in texts(&document) {
        if is_secret(&found) {
            engine.learn_secret(&found.plain);
        } else if let Some(class) = Engine::names_a_person(&found.key) {
            engine.learn_name(class, &found.plain);
        }
        engine.learn_text(&found.plain);
    }
    Ok(())
}

pub(super) fn redact(engine: &Engine, text: &str, counts: &mut Counts) -> Result<String, Unfit> {
    let Some(document) = parse(text)? else {
        return Ok(text.to_owned());
    };
    let mut texts = texts(&document);
    texts.sort_by_key(|text| text.range.start);
    let mut clean = String::with_capacity(text.len());
    let mut at = 0;
    for found in texts {
        // A comment inside of a text that is rewritten goes with it.
        if found.range.start < at {
            continue;
        }
        let new = match is_secret(&found) {
            true => {
                *counts.entry("xml element".to_owned()).or_default() += 1;
                MARK.to_owned()
            }
            false => {
                let mut bites = Counts::new();
                let new = engine.redact_text(&found.plain, &mut bites);
                if bites.is_empty() {
                    continue;
                }
                for (rule, count) in bites {
                    *counts.entry(rule).or_default() += count;
                }
                new
            }
        };
        clean.push_str(&text[at..found.range.start]);
        match found.is_comment {
            true => clean.push_str(&new.replace("--", "- -")),
            false => clean.push_str(&escaped(&new)),
        }
        at = found.range.end;
    }
    clean.push_str(&text[at..]);
    match parse(&clean)? {
        Some(_) => Ok(clean),
        None => Err(Unfit::Content(
            "its redacted form is not well-formed: this is a defect of gonogo".to_owned(),
        )),
    }
}

pub(super) fn prove(engine: &Engine, text: &str, leaks: &mut Vec<Leak>) -> Result<(), Unfit> {
    let Some(document) = parse(text)? else {
        return Ok(());
    };
    for found in texts(&document) {
        let line = document.text_pos_at(found.range.start).row;
        if is_secret(&found) {
            let place = format!("line {line}");
            leaks.push(Leak {
                what: "xml element".to_owned(),
                place,
            });
        }
        leaks.extend(engine.leaks(&found.plain, u64::from(line)));
    }
    Ok(())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&apos;")
}
