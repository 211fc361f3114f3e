//! `includes`, `name`, `shipped`, `running` and `findings` of a configuration, as written.

use super::{pattern, template};
use crate::inventory::artifact::{Condition, Finding};
use crate::inventory::fields::{self, Keys};
use crate::inventory::grammar;
use crate::inventory::page::Page;
use crate::inventory::placeholder::Template;
use crate::inventory::raw::{Artifact, Theme};
use crate::inventory::yaml::Node;

/// Takes the keys of a configuration.
pub(super) fn take(page: &mut Page<'_>, keys: &mut Keys<'_, '_>, artifact: &mut Artifact) {
    let mut note = |key, at| artifact.themed.push((Theme::Configuration, key, at));
    let own = &mut artifact.configuration;
    if let Some(entry) = keys.entry("includes") {
        note("includes", entry.at);
        own.includes = templates(page, &entry.value, "includes");
    }
    if let Some(entry) = keys.entry("shipped") {
        note("shipped", entry.at);
        own.shipped = templates(page, &entry.value, "shipped");
    }
    if let Some(entry) = keys.entry("name") {
        note("name", entry.at);
        let name = fields::checked(page, &entry.value, "name", grammar::printable);
        own.name = name.map(|name| name.value);
    }
    if let Some(entry) = keys.entry("running") {
        note("running", entry.at);
        let name = fields::checked(page, &entry.value, "running", grammar::name);
        own.running = name.map(|name| name.value);
    }
    if let Some(entry) = keys.entry("findings") {
        note("findings", entry.at);
        let found = fields::list(page, &entry.value, "findings", finding);
        own.findings = found.map(|found| found.value.into());
    }
}

fn templates(page: &mut Page<'_>, node: &Node<'_>, key: &str) -> Option<Vec<Template>> {
    let read = |page: &mut Page<'_>, item: &Node<'_>| template(page, item, key);
    fields::list(page, node, key, read).map(|texts| texts.value)
}

/// `{each: PATH, setting: PATH, is: REGEX | absent: true, when: {setting: PATH, is: REGEX}, unless: {…},
/// says: TEXT, hint: TEXT}`
fn finding(page: &mut Page<'_>, node: &Node<'_>) -> Option<Finding> {
    let mut keys = Keys::of(page, node, "a finding", node.at)?;
    let each = keys.take("each");
    let each = each.and_then(|node| fields::checked(page, node, "each", grammar::printable));
    let what = condition(page, &mut keys);
    let when = other(page, &mut keys, "when");
    let unless = other(page, &mut keys, "unless");
    let says = keys.require("says", "the statistics are in memory only");
    let says = says.and_then(|node| fields::checked(page, node, "says", grammar::printable));
    let hint = keys.require("hint", "name a file in `Admin/FileName`");
    let hint = hint.and_then(|node| fields::checked(page, node, "hint", grammar::printable));
    keys.done(page);
    Some(Finding {
        each: each.map(|each| each.value),
        what: what?,
        when: when?,
        unless: unless?,
        says: says?.value,
        hint: hint?.value,
    })
}

/// A condition beside the finding's own; `None` when it is refused.
fn other(
    page: &mut Page<'_>,
    keys: &mut Keys<'_, '_>,
    key: &'static str,
) -> Option<Option<Condition>> {
    let Some(entry) = keys.entry(key) else {
        return Some(None);
    };
    let mut inner = Keys::of(page, &entry.value, format!("`{key}`"), entry.at)?;
    let found = condition(page, &mut inner);
    inner.done(page);
    found.map(Some)
}

fn condition(page: &mut Page<'_>, keys: &mut Keys<'_, '_>) -> Option<Condition> {
    let setting = keys.require("setting", "Admin/FileName");
    let setting =
        setting.and_then(|node| fields::checked(page, node, "setting", grammar::printable));
    let (is, absent) = (keys.take("is"), keys.take("absent"));
    let is = match (is, absent) {
        (Some(node), None) => {
            let found = fields::parsed(page, node, "is", expression);
            found.map(|found| Some(found.value))
        }
        (None, Some(node)) => {
            let flag = fields::flag(page, node, "absent");
            flag.filter(|flag| flag.value).map(|_| None)
        }
        _ => {
            let at = setting.as_ref().map(|setting| setting.at);
            let hint = "write `is: REGEX`, or `absent: true`: one of them";
            page.refuse(
                at.unwrap_or_default(),
                "this does not say which value is meant",
                hint,
            );
            None
        }
    };
    Some(Condition {
        setting: setting?.value,
        is: is?,
    })
}

/// Unlike other patterns this one may match no text at all: `logfile ""` is a finding.
fn expression(text: &str) -> Result<crate::inventory::Pattern, String> {
    match text {
        "^$" => regex::Regex::new(text)
            .map(crate::inventory::artifact::Pattern)
            .map_err(|error| error.to_string()),
        text => pattern(text),
    }
}
