//! `never:` of a profile, as written.

use crate::inventory::expression::Expression;
use crate::inventory::fields::{self, Keys};
use crate::inventory::forbidden::{Path, Rule, Rules};
use crate::inventory::grammar;
use crate::inventory::page::{Mark, Page};
use crate::inventory::yaml::{Node, Value};

/// `{signals: {NAME: TEXT}, commands: […], urls: […]}`
pub(super) fn never(page: &mut Page<'_>, node: &Node<'_>, at: Mark) -> Option<Rules> {
    let mut keys = Keys::of(page, node, "`never`", at)?;
    let mut rules = Rules::default();
    if let Some(node) = keys.take("signals") {
        for entry in fields::entries(page, node, "`signals`").unwrap_or_default() {
            let does = fields::checked(page, &entry.value, &entry.key, grammar::printable);
            let name = entry.key.strip_prefix("SIG").unwrap_or(&entry.key);
            if let Some(does) = does {
                rules.signals.push((name.to_owned(), does.value));
            }
        }
    }
    if let Some(node) = keys.take("commands") {
        let found = fields::list(page, node, "commands", command);
        rules.commands = found.map(|found| found.value).unwrap_or_default();
    }
    if let Some(node) = keys.take("urls") {
        let found = fields::list(page, node, "urls", url);
        rules.urls = found.map(|found| found.value).unwrap_or_default();
    }
    keys.done(page);
    Some(rules)
}

/// `{program: NAME | [NAME], with: REGEX, unless: REGEX, why: TEXT}`
fn command(page: &mut Page<'_>, node: &Node<'_>) -> Option<Rule> {
    let mut keys = Keys::of(page, node, "a command", node.at)?;
    let programs = keys.require("program", "[redis-cli, valkey-cli]");
    let programs = programs.and_then(|node| match &node.value {
        Value::List(_) => fields::names(page, node, "program", program).map(|names| {
            let names = names.value.into_iter();
            names.map(|name| name.value).collect::<Vec<_>>()
        }),
        _ => {
            let name = fields::checked(page, node, "program", program)?;
            Some(vec![name.value])
        }
    });
    let with = keys.take("with");
    let with = with.map(|node| expression(page, node, "with"));
    let unless = keys.take("unless");
    let unless = unless.map(|node| expression(page, node, "unless"));
    let why = why(page, &mut keys);
    keys.done(page);
    Some(Rule {
        programs: programs?,
        with: match with {
            Some(with) => Some(with?),
            None => None,
        },
        unless: match unless {
            Some(unless) => Some(unless?),
            None => None,
        },
        why: why?,
    })
}

/// `{path: /PATH, why: TEXT}`
fn url(page: &mut Page<'_>, node: &Node<'_>) -> Option<Path> {
    let mut keys = Keys::of(page, node, "a URL", node.at)?;
    let path = keys.require("path", "/amps/administrator");
    let path = path.and_then(|node| fields::checked(page, node, "path", slashed));
    let why = why(page, &mut keys);
    keys.done(page);
    Some(Path {
        path: path?.value,
        why: why?,
    })
}

fn why(page: &mut Page<'_>, keys: &mut Keys<'_, '_>) -> Option<String> {
    let node = keys.require("why", "it stops the server")?;
    fields::checked(page, node, "why", grammar::printable).map(|text| text.value)
}

/// A program's name or path; a `*` only at its end.
pub(super) fn program(text: &str) -> Result<(), String> {
    let bare = text.strip_suffix('*').unwrap_or(text);
    match bare.is_empty() || bare.contains([' ', '*', '?', '[']) {
        true => Err("write a program's name, with a `*` at its end perhaps".into()),
        false => grammar::printable(text),
    }
}

fn slashed(text: &str) -> Result<(), String> {
    match text.len() > 1 && text.starts_with('/') {
        true => grammar::printable(text),
        false => Err("write a path that begins with `/`".into()),
    }
}

/// Unlike that of an artifact, it may match nothing at all: `unless: '^$'`.
pub(super) fn expression(page: &mut Page<'_>, node: &Node<'_>, key: &str) -> Option<Expression> {
    let is_tested = page.is_shipped();
    let found = fields::parsed(page, node, key, |text| match is_tested {
        true => Ok(Expression::tested(text)),
        false => Expression::new(text),
    });
    found.map(|found| found.value)
}
