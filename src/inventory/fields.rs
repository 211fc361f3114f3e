//! Reading the keys and values of one mapping: what is missing, unknown or of the wrong type is
//! refused on the page, and reading goes on. Knows no particular key.

use super::grammar::Rule;
use super::page::{Mark, Page, Spanned, Text};
use super::yaml::{self, Entry, Node, Value};
use crate::text;

/// The keys of one mapping, taken one by one. What was never asked for is unknown.
pub(super) struct Keys<'n, 's> {
    owner: String,
    at: Mark,
    entries: &'n [Entry<'s>],
    asked: Vec<&'static str>,
    missing: Vec<(&'static str, &'static str)>,
}

impl<'n, 's> Keys<'n, 's> {
    /// The keys of `node`; nothing at all counts as no keys. `owner` names it in messages (``host
    /// `a` ``), `at` is where its own key stands.
    pub fn of(
        page: &mut Page<'_>,
        node: &'n Node<'s>,
        owner: impl Into<String>,
        at: Mark,
    ) -> Option<Self> {
        let owner = owner.into();
        let entries = entries(page, node, &owner)?;
        Some(Self {
            owner,
            at,
            entries,
            asked: Vec::new(),
            missing: Vec::new(),
        })
    }

    /// The value of that key, when it is written.
    pub fn take(&mut self, key: &'static str) -> Option<&'n Node<'s>> {
        self.asked.push(key);
        let found = self.entries.iter().find(|entry| entry.key == key);
        found.map(|entry| &entry.value)
    }

    /// The value of that key, and where the key stands.
    pub fn entry(&mut self, key: &'static str) -> Option<&'n Entry<'s>> {
        self.asked.push(key);
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of a key that must be written; `example` shows how.
    pub fn require(&mut self, key: &'static str, example: &'static str) -> Option<&'n Node<'s>> {
        let found = self.take(key);
        if found.is_none() {
            self.missing.push((key, example));
        }
        found
    }

    /// Refuses what nobody asked for, and what is missing. A misspelt key is one problem, not two.
    pub fn done(mut self, page: &mut Page<'_>) {
        for entry in self.entries {
            let key = entry.key.as_ref();
            if self.asked.contains(&key) {
                continue;
            }
            let message = format!("unknown key `{key}` of {}", self.owner);
            if matches!(key, "password" | "passphrase") && self.asked.contains(&"password_env") {
                let hint = format!(
                    "no secret stands in an inventory: write `{key}_env: NAME` for the environment variable that holds it"
                );
                page.refuse_unseen(entry.at, message, hint);
                continue;
            }
            let mut hint = text::did_you_mean(key, self.asked.iter().copied());
            self.missing.retain(|(missing, _)| {
                hint != text::did_you_mean(key, [*missing]) || hint.is_empty()
            });
            if hint.is_empty() {
                hint = format!("known keys: {}", self.asked.join(", "));
            }
            page.refuse(entry.at, message, hint);
        }
        for (key, example) in self.missing {
            let message = format!("{} has no `{key}`", self.owner);
            page.refuse(self.at, message, format!("write `{key}: {example}`"));
        }
    }
}

/// The entries of a mapping with free keys.
pub(super) fn entries<'n, 's>(
    page: &mut Page<'_>,
    node: &'n Node<'s>,
    owner: &str,
) -> Option<&'n [Entry<'s>]> {
    match &node.value {
        Value::Map(entries) => Some(entries),
        Value::Broken => None,
        _ if node.is_null() => Some(&[]),
        _ => {
            let message = format!("{owner}: expected a mapping, found {}", node.noun());
            page.refuse(
                node.at,
                message,
                "write `key: value` lines, indented below it",
            );
            None
        }
    }
}

/// Text as written. `5.3` and `1000` are text here; `no` and an empty value are refused.
pub(super) fn text(page: &mut Page<'_>, node: &Node<'_>, key: &str) -> Option<Text> {
    let Value::Scalar { text, plain } = &node.value else {
        expected(page, node, key, "text", "");
        return None;
    };
    if node.is_null() {
        expected(
            page,
            node,
            key,
            "text",
            "remove the key, or give it a value",
        );
        return None;
    }
    if *plain && yaml::is_ambiguous(text) {
        let message = format!("`{key}`: `{text}` could be text or a yes-or-no");
        page.refuse(node.at, message, format!("quote it: \"{text}\""));
        return None;
    }
    Some(Spanned {
        at: node.at,
        value: text.as_ref().to_owned(),
    })
}

/// Text that keeps a rule of `grammar.rs`.
pub(super) fn checked(page: &mut Page<'_>, node: &Node<'_>, key: &str, rule: Rule) -> Option<Text> {
    let text = text(page, node, key)?;
    match rule(&text.value) {
        Ok(()) => Some(text),
        Err(hint) => {
            let message = format!("`{key}`: `{}` is not acceptable", text.value);
            page.refuse(text.at, message, hint);
            None
        }
    }
}

/// A value that `parse` understands.
pub(super) fn parsed<T>(
    page: &mut Page<'_>,
    node: &Node<'_>,
    key: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Option<Spanned<T>> {
    let text = text(page, node, key)?;
    match parse(&text.value) {
        Ok(value) => Some(Spanned { at: text.at, value }),
        Err(hint) => {
            let message = format!("`{key}`: cannot read `{}`", text::clip(&text.value, 60));
            page.refuse(text.at, message, hint);
            None
        }
    }
}

/// One of the words of `table`.
pub(super) fn word<T: Copy>(
    page: &mut Page<'_>,
    node: &Node<'_>,
    key: &str,
    table: &[(&'static str, T)],
) -> Option<Spanned<T>> {
    let text = text(page, node, key)?;
    if let Some((_, value)) = table.iter().find(|(word, _)| *word == text.value) {
        return Some(Spanned {
            at: text.at,
            value: *value,
        });
    }
    let words = || table.iter().map(|(word, _)| *word);
    let mut hint = text::did_you_mean(&text.value, words());
    if hint.is_empty() {
        hint = format!("write one of: {}", words().collect::<Vec<_>>().join(", "));
    }
    let message = format!("unknown {key} `{}`", text::clip(&text.value, 60));
    page.refuse(text.at, message, hint);
    None
}

/// `true` or `false`.
pub(super) fn flag(page: &mut Page<'_>, node: &Node<'_>, key: &str) -> Option<Spanned<bool>> {
    let value = match &node.value {
        Value::Scalar { text, plain: true } if text == "true" => true,
        Value::Scalar { text, plain: true } if text == "false" => false,
        _ => {
            expected(page, node, key, "true or false", "");
            return None;
        }
    };
    Some(Spanned { at: node.at, value })
}

/// A list, each item read by `read`; broken items are left out, having been refused.
pub(super) fn list<T>(
    page: &mut Page<'_>,
    node: &Node<'_>,
    key: &str,
    mut read: impl FnMut(&mut Page<'_>, &Node<'_>) -> Option<T>,
) -> Option<Spanned<Vec<T>>> {
    let Value::List(items) = &node.value else {
        let hint = match &node.value {
            Value::Scalar { text, .. } if ["none", "nothing", "no"].contains(&&**text) => {
                format!("write `{key}: []` where there is none")
            }
            Value::Scalar { text, .. } if !node.is_null() => format!("write `{key}: [{text}]`"),
            _ => format!("write `{key}: [ … ]`"),
        };
        expected(page, node, key, "a list", &hint);
        return None;
    };
    let value = items.iter().filter_map(|item| read(page, item)).collect();
    Some(Spanned { at: node.at, value })
}

/// A list of distinct texts, each keeping `rule`.
pub(super) fn names(
    page: &mut Page<'_>,
    node: &Node<'_>,
    key: &str,
    rule: Rule,
) -> Option<Spanned<Vec<Text>>> {
    let names = list(page, node, key, |page, item| checked(page, item, key, rule))?;
    let marked = names
        .value
        .iter()
        .map(|name| (name.value.as_str(), name.at));
    for (name, at) in yaml::repeated(marked) {
        let message = format!("`{key}` names `{name}` twice");
        page.refuse(at, message, "keep one of them");
    }
    Some(names)
}

/// "expected …, found …".
pub(super) fn expected(page: &mut Page<'_>, node: &Node<'_>, key: &str, what: &str, hint: &str) {
    if !matches!(node.value, Value::Broken) {
        let message = format!("`{key}`: expected {what}, found {}", node.noun());
        page.refuse(node.at, message, hint);
    }
}
