//! JSON as a tree (RFC 8259), so strictly that whoever reads it gets the same.

use super::node::Node;

const DEEPEST: usize = 100;

/// The document; `None` when it is none.
pub(super) fn read(text: &str) -> Option<Node> {
    // What is no JSON to others is none here.
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let mut reader = Reader { text, at: 0 };
    let node = reader.node(0)?;
    reader.blank();
    (reader.at == text.len()).then_some(node)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn blank(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest
            .iter()
            .position(|byte| !b" \t\r\n".contains(byte))
            .unwrap_or(rest.len());
    }

    fn next(&mut self) -> Option<u8> {
        self.blank();
        self.text.as_bytes().get(self.at).copied()
    }

    fn node(&mut self, depth: usize) -> Option<Node> {
        if depth > DEEPEST {
            return None;
        }
        match self.next()? {
            b'{' => self.map(depth),
            b'[' => self.list(depth),
            b'"' => self.string(),
            _ => {
                let rest = &self.text[self.at..];
                let end = rest
                    .find(|c: char| ",]} \t\r\n".contains(c))
                    .unwrap_or(rest.len());
                let node = Node::Scalar(self.at..self.at + end, rest[..end].to_owned(), 0);
                self.at += end;
                Some(node)
            }
        }
    }

    fn string(&mut self) -> Option<Node> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut end = start + 1;
        while *bytes.get(end)? != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        self.at = end + 1;
        let raw = &self.text[start..self.at];
        let plain = match raw.contains('\\') {
            true => serde_json::from_str(raw).ok()?,
            false => raw[1..raw.len() - 1].to_owned(),
        };
        Some(Node::Scalar(start..self.at, plain, 1))
    }

    fn map(&mut self, depth: usize) -> Option<Node> {
        self.at += 1;
        let mut pairs = Vec::new();
        if self.next()? == b'}' {
            self.at += 1;
            return Some(Node::Map(pairs));
        }
        loop {
            (self.next()? == b'"').then_some(())?;
            let key = self.string()?;
            (self.next()? == b':').then_some(())?;
            self.at += 1;
            pairs.push((key, self.node(depth + 1)?));
            let end = self.next()?;
            self.at += 1;
            match end {
                b',' => {}
                b'}' => return Some(Node::Map(pairs)),
                _ => return None,
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Node> {
        self.at += 1;
        let mut items = Vec::new();
        if self.next()? == b']' {
            self.at += 1;
            return Some(Node::List(items));
        }
        loop {
            items.push(self.node(depth + 1)?);
            let end = self.next()?;
            self.at += 1;
            match end {
                b',' => {}
                b']' => return Some(Node::List(items)),
                _ => return None,
            }
        }
    }
}
