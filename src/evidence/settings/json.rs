//! JSON (RFC 8259). serde_json says whether it is well-formed, comments and depths included; the walk
//! behind it finds lines, and keys that an object has twice: of those each product takes the one it
//! likes.

use std::collections::HashSet;

use super::Settings;
use super::gather::{DEEPEST, Gather, Wrong};

pub(super) fn read(text: &str) -> Result<Settings, Wrong> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let sound = serde::Deserialize::deserialize(&mut parser)
        .and_then(|_: serde::de::IgnoredAny| parser.end());
    if let Err(error) = sound {
        // Beyond its place serde_json quotes nothing of a value that it only skips.
        let words = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        if words.starts_with("recursion limit") {
            return Err(Wrong::TooLarge("containers more than 128 deep"));
        }
        let why = words.replace(&place, "");
        return Err(Wrong::at(error.line(), error.column(), why));
    }
    Walk {
        text,
        at: 0,
        line: 1,
        gather: Gather::default(),
    }
    .whole()
}

/// Walks a text that is known to be JSON.
struct Walk<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    gather: Gather,
}

/// An open object or array.
enum Open {
    /// The keys it has, and the one whose value comes next.
    Object(HashSet<String>, Option<String>),
    Array(String),
}

impl Walk<'_> {
    fn whole(mut self) -> Result<Settings, Wrong> {
        let mut open: Vec<Open> = Vec::new();
        while let Some(byte) = self.text.as_bytes().get(self.at).copied() {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.at += 1;
                }
                b'{' | b'[' => {
                    if open.len() >= DEEPEST {
                        return Err(Wrong::TooLarge("containers more than 128 deep"));
                    }
                    let key = key(&mut open);
                    // Of an array each item is a setting of the array's own path.
                    if byte == b'{' {
                        self.gather.open(&key, "", self.line)?;
                        open.push(Open::Object(HashSet::new(), None));
                    } else {
                        self.gather.enter("")?;
                        open.push(Open::Array(key));
                    }
                    self.at += 1;
                }
                b'}' | b']' => {
                    open.pop();
                    self.gather.close();
                    self.at += 1;
                }
                b',' | b':' | b' ' | b'\t' | b'\r' => self.at += 1,
                b'"' => {
                    let begin = self.at;
                    let word = self.string();
                    if let Some(Open::Object(seen, next @ None)) = open.last_mut() {
                        if !seen.insert(word.clone()) {
                            let column = self.column(begin);
                            let why = "a key that the object has already";
                            return Err(Wrong::at(self.line, column, why));
                        }
                        *next = Some(word);
                    } else {
                        let key = key(&mut open);
                        self.gather.setting(&key, &word, self.line)?;
                    }
                }
                _ => {
                    let rest = &self.text[self.at..];
                    let end = rest.find([',', '}', ']', ' ', '\t', '\r', '\n']);
                    let word = &rest[..end.unwrap_or(rest.len())];
                    let key = key(&mut open);
                    self.gather.setting(&key, word, self.line)?;
                    self.at += word.len();
                }
            }
        }
        Ok(self.gather.finish())
    }

    fn string(&mut self) -> String {
        let rest = &self.text[self.at..];
        let mut escaped = true;
        let end = rest.bytes().position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let whole = &rest[..end.map_or(rest.len(), |end| end + 1)];
        self.at += whole.len();
        serde_json::from_str(whole).unwrap_or_default()
    }

    fn column(&self, at: usize) -> usize {
        let line = self.text[..at].rsplit('\n').next().unwrap_or_default();
        line.chars().count() + 1
    }
}

/// Where the next value belongs, taking the key that announced it.
fn key(open: &mut [Open]) -> String {
    match open.last_mut() {
        Some(Open::Object(_, key)) => key.take().unwrap_or_default(),
        Some(Open::Array(key)) => key.clone(),
        None => String::new(),
    }
}
