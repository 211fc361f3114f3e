//! YAML, from the events of the parser that the inventory is read with. Aliases are followed and
//! counted like everything else, so that a "billion laughs" ends at the bound of settings; a key that a
//! mapping has twice is refused, as the products' own readers do. Tags are taken as they come.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle};

use super::Settings;
use super::gather::{DEEPEST, Gather, Wrong};

/// What stands between `&name` and its end: from, to, and the length of its path.
type Part = (usize, usize, usize);

/// An open mapping or sequence.
enum Open {
    /// The keys it has, and the one whose value comes next, with its line.
    Map(HashSet<String>, Option<(String, usize)>),
    List(String),
}

struct Reader {
    gather: Gather,
    open: Vec<(Open, usize, usize)>,
    /// Anchor → what it names; `None` while that is still being read.
    anchors: HashMap<usize, Option<Part>>,
}

pub(super) fn read(text: &str) -> Result<Settings, Wrong> {
    let mut options = granit_parser::options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader {
        gather: Gather::default(),
        open: Vec::new(),
        anchors: HashMap::new(),
    };
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, span)) => {
                reader.take(event, span.start.line(), span.start.col() + 1)?;
            }
            Err(error) => {
                use granit_parser::ErrorKind as Kind;
                if matches!(error.kind(), Kind::RecursionLimitExceeded) {
                    return Err(Wrong::TooLarge("containers more than 128 deep"));
                }
                let at = *error.marker();
                let why = error.info().to_string();
                return Err(Wrong::at(at.line(), at.col() + 1, why));
            }
        }
    }
    Ok(reader.gather.finish())
}

impl Reader {
    fn take(&mut self, event: Event<'_>, line: usize, column: usize) -> Result<(), Wrong> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                if self.takes_key() {
                    return self.key(&text, line, column);
                }
                let (key, _) = self.next(line);
                let is_null = style == ScalarStyle::Plain
                    && matches!(text.as_ref(), "~" | "null" | "Null" | "NULL");
                let from = self.gather.len();
                let value = if is_null { "" } else { text.as_ref() };
                self.gather.setting(&key, value, line)?;
                if anchor != 0 {
                    let stem = self.stem(&key);
                    self.anchors.insert(anchor, Some((from, from + 1, stem)));
                }
            }
            Event::MappingStart(_, anchor, _) | Event::SequenceStart(_, anchor, _) => {
                if self.takes_key() {
                    return Err(Wrong::at(line, column, "a key that is not text"));
                }
                let is_map = matches!(event, Event::MappingStart(..));
                // A block begins with its first key, on the line below its own.
                let (key, line) = self.next(line);
                let from = self.gather.len();
                if anchor != 0 {
                    self.anchors.insert(anchor, None);
                }
                if is_map {
                    self.gather.open(&key, "", line)?;
                    let open = Open::Map(HashSet::new(), None);
                    self.open.push((open, anchor, from));
                } else {
                    // Of a sequence each item is a setting of the sequence's own path.
                    self.gather.enter("")?;
                    self.open.push((Open::List(key), anchor, from));
                }
            }
            Event::MappingEnd | Event::SequenceEnd => {
                let stem = self.gather.path().len();
                let to = self.gather.len();
                self.gather.close();
                if let Some((open, anchor, from)) = self.open.pop()
                    && anchor != 0
                {
                    let stem = match open {
                        Open::Map(..) => stem,
                        Open::List(key) => self.stem(&key),
                    };
                    self.anchors.insert(anchor, Some((from, to, stem)));
                }
            }
            Event::Alias(id) => {
                if self.takes_key() {
                    return Err(Wrong::at(line, column, "an alias for a key"));
                }
                let (key, line) = self.next(line);
                match self.anchors.get(&id) {
                    Some(Some((from, to, stem))) => {
                        let (from, to, stem) = (*from, *to, *stem);
                        self.gather.enter(&key)?;
                        self.gather.again(from, to, stem)?;
                        self.gather.close();
                    }
                    Some(None) => {
                        let why = "an alias inside of what it repeats";
                        return Err(Wrong::at(line, column, why));
                    }
                    None => self.gather.setting(&key, "", line)?,
                }
            }
            Event::UnresolvedAlias(_) => {
                return Err(Wrong::at(
                    line,
                    column,
                    "an alias without an anchor above it",
                ));
            }
            _ => {}
        }
        Ok(())
    }

    fn takes_key(&self) -> bool {
        matches!(self.open.last(), Some((Open::Map(_, None), ..)))
    }

    fn key(&mut self, text: &str, line: usize, column: usize) -> Result<(), Wrong> {
        if let Some((Open::Map(seen, next), ..)) = self.open.last_mut() {
            if !seen.insert(text.to_owned()) {
                let why = "a key that the mapping has already";
                return Err(Wrong::at(line, column, why));
            }
            // What is merged stands in the mapping itself.
            let key = if text == "<<" { "" } else { text };
            *next = Some((key.to_owned(), line));
        }
        Ok(())
    }

    /// Where the value in `line` belongs, taking the key that announced it, with the key's line.
    fn next(&mut self, line: usize) -> (String, usize) {
        match self.open.last_mut() {
            Some((Open::Map(_, key), ..)) => key.take().unwrap_or((String::new(), line)),
            Some((Open::List(key), ..)) => (key.clone(), line),
            None => (String::new(), line),
        }
    }

    fn stem(&self, key: &str) -> usize {
        match (self.gather.path().len(), key.len()) {
            (0, key) => key,
            (path, 0) => path,
            (path, key) => path + 1 + key,
        }
    }
}
