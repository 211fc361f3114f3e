//! YAML and JSON: every scalar below a key that names a secret, and every other one as its reader gets it,
//! whatever the quoting, the escapes, the folding or the anchor. Only what holds something is rewritten.

use std::collections::HashSet;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::engine::Engine;
use super::{Counts, Leak, Unfit};
use crate::evidence::redact::{MARK, names_secret};

struct Scalar {
    range: Range<usize>,
    line: usize,
    plain: String,
    /// The key that it is the value of.
    key: String,
    is_key: bool,
    is_secret: bool,
    is_block: bool,
}

enum Open {
    /// The key whose value comes next; none where a key comes next.
    Map(Option<String>),
    List(String),
}

struct Reader<'t> {
    text: &'t str,
    /// Byte offset of each character, where that differs.
    open: Vec<(Open, bool)>,
    scalars: Vec<Scalar>,
    anchors: Vec<(usize, usize, usize)>,
    secret_anchors: HashSet<usize>,
}

/// The scalars of every document; `None` when it is not well-formed.
fn scalars(text: &str) -> Option<Vec<Scalar>> {
    let mut options = granit_parser::options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: 128,
        block_nesting_limit: 128,
    };
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader {
        text,
        open: Vec::new(),
        scalars: Vec::new(),
        anchors: Vec::new(),
        secret_anchors: HashSet::new(),
    };
    let mut open_anchors: Vec<(usize, usize)> = Vec::new();
    while let Some(event) = parser.next_event() {
        let (event, span) = event.ok()?;
        reader.take(event, &span, &mut open_anchors)?;
    }
    // What an alias repeats below a secret's key is the secret.
    for (anchor, from, to) in &reader.anchors {
        if reader.secret_anchors.contains(anchor) {
            for scalar in &mut reader.scalars[*from..*to] {
                scalar.is_secret |= !scalar.is_key;
            }
        }
    }
    Some(reader.scalars)
}

impl Reader<'_> {
    fn take(
        &mut self,
        event: Event<'_>,
        span: &Span,
        open: &mut Vec<(usize, usize)>,
    ) -> Option<()> {
        match event {
            Event::Scalar(plain, style, anchor, _) => {
                let is_key = matches!(self.open.last(), Some((Open::Map(None), _)));
                let (key, is_secret) = self.key_of(is_key, &plain);
                let range = span.byte_range()?;
                self.text.get(range.clone())?;
                let from = self.scalars.len();
                self.scalars.push(Scalar {
                    range,
                    line: span.start.line(),
                    plain: plain.into_owned(),
                    key,
                    is_key,
                    is_secret: is_secret && !is_key,
                    is_block: matches!(style, ScalarStyle::Literal | ScalarStyle::Folded),
                });
                if anchor != 0 {
                    self.anchors.push((anchor, from, from + 1));
                }
            }
            Event::MappingStart(_, anchor, _) | Event::SequenceStart(_, anchor, _) => {
                let is_map = matches!(event, Event::MappingStart(..));
                let is_key = matches!(self.open.last(), Some((Open::Map(None), _)));
                let (key, is_secret) = self.key_of(is_key, "");
                let kind = match is_map {
                    true => Open::Map(None),
                    false => Open::List(key),
                };
                self.open.push((kind, is_secret));
                open.push((anchor, self.scalars.len()));
            }
            Event::MappingEnd | Event::SequenceEnd => {
                self.open.pop();
                if let Some((anchor, from)) = open.pop()
                    && anchor != 0
                {
                    self.anchors.push((anchor, from, self.scalars.len()));
                }
            }
            Event::Alias(id) => {
                let is_key = matches!(self.open.last(), Some((Open::Map(None), _)));
                let (_, is_secret) = self.key_of(is_key, "");
                if is_secret && !is_key {
                    self.secret_anchors.insert(id);
                }
            }
            Event::UnresolvedAlias(_) => return None,
            _ => {}
        }
        Some(())
    }

    /// The key that what comes now belongs to, and whether that is a secret's.
    fn key_of(&mut self, is_key: bool, plain: &str) -> (String, bool) {
        match self.open.last_mut() {
            Some((Open::Map(next), is_secret)) if is_key => {
                *next = Some(plain.to_owned());
                (String::new(), *is_secret)
            }
            Some((Open::Map(next), is_secret)) => {
                let key = next.take().unwrap_or_default();
                let secret = *is_secret || names_secret(&key);
                (key, secret)
            }
            Some((Open::List(key), is_secret)) => (key.clone(), *is_secret),
            None => (String::new(), false),
        }
    }
}

fn holds_secret(scalar: &Scalar) -> bool {
    let value = scalar.plain.trim();
    let is_word = [
        "", "~", "null", "true", "false", "yes", "no", MARK, "redacted",
    ]
    .contains(&value.to_ascii_lowercase().as_str());
    let is_reference = value.starts_with("${") && value.ends_with('}') && !value[2..].contains('$');
    scalar.is_secret && !is_word && !is_reference
}

pub(super) fn learn(engine: &mut Engine, text: &str) -> Result<(), Unfit> {
    for scalar in scalars(text).unwrap_or_default() {
        if holds_secret(&scalar) {
            engine.learn_secret(&scalar.plain);
        } else if let Some(class) = Engine::names_a_person(&scalar.key) {
            engine.learn_name(class, &scalar.plain);
        }
        engine.learn_text(&scalar.plain);
    }
    Ok(())
}

pub(super) fn redact(engine: &Engine, text: &str, counts: &mut Counts) -> Result<String, Unfit> {
    // A broken file may be the reason for the case: the rules for text still hold.
    let Some(scalars) = scalars(text) else {
        return Ok(text.to_owned());
    };
    let mut clean = String::with_capacity(text.len());
    let mut at = 0;
    for scalar in scalars {
        if scalar.range.start < at {
            continue;
        }
        let new = match holds_secret(&scalar) {
            true => {
                *counts.entry("key".to_owned()).or_default() += 1;
                MARK.to_owned()
            }
            false => {
                let mut bites = Counts::new();
                let new = engine.redact_text(&scalar.plain, &mut bites);
                if bites.is_empty() {
                    continue;
                }
                for (rule, count) in bites {
                    *counts.entry(rule).or_default() += count;
                }
                new
            }
        };
        clean.push_str(&text[at..scalar.range.start]);
        // JSON's strings are YAML's in double quotes (YAML 1.2.2, 5.1).
        let quoted = serde_json::to_string(&new).map_err(std::io::Error::other)?;
        clean.push_str(&quoted);
        if scalar.is_block && text[..scalar.range.end].ends_with('\n') {
            clean.push('\n');
        }
        at = scalar.range.end;
    }
    clean.push_str(&text[at..]);
    match self::scalars(&clean) {
        Some(_) => Ok(clean),
        None => Err(Unfit::Content(
            "its redacted form is not well-formed: this is a defect of gonogo".to_owned(),
        )),
    }
}

pub(super) fn prove(engine: &Engine, text: &str, leaks: &mut Vec<Leak>) -> Result<(), Unfit> {
    for scalar in scalars(text).unwrap_or_default() {
        if holds_secret(&scalar) {
            let place = format!("line {}", scalar.line);
            leaks.push(Leak {
                what: "key".to_owned(),
                place,
            });
        }
        leaks.extend(engine.leaks(&scalar.plain, scalar.line as u64));
    }
    Ok(())
}
