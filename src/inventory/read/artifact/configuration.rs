//! `includes`, `name`, `shipped`, `running` and `findings` of a configuration, as written.

use super::{pattern, template};
use crate::inventory::artifact::Finding;
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
        own.findings = found.map(|found| found.value);
    }
}

fn templates(page: &mut Page<'_>, node: &Node<'_>, key: &str) -> Option<Vec<Template>> {
    let read = |page: &mut Page<'_>, item: &Node<'_>| template(page, item, key);
    fields::list(page, node, key, read).map(|texts| texts.value)
}

/// `{setting: PATH, is: REGEX | absent: true, when: {setting: PATH, is: REGEX}, says: TEXT, hint: TEXT}`
fn finding(page: &mut Page<'_>, node: &Node<'_>) -> Option<Finding> {
    let mut keys = Keys::of(page, node, "a finding", node.at)?;
    let setting = keys.require("setting", "Admin/FileName");
    let (setting, is) = condition(page, &mut keys, setting);
    let when = match keys.entry("when") {
        None => None,
        Some(entry) => {
            let mut inner = Keys::of(page, &entry.value, "`when`", entry.at)?;
            let other = inner.require("setting", "Admin/FileName");
            let (other, is) = condition(page, &mut inner, other);
            inner.done(page);
            Some((other?, is?))
        }
    };
    let says = keys.require("says", "the statistics are in memory only");
    let says = says.and_then(|node| fields::checked(page, node, "says", grammar::printable));
    let hint = keys.require("hint", "name a file in `Admin/FileName`");
    let hint = hint.and_then(|node| fields::checked(page, node, "hint", grammar::printable));
    keys.done(page);
    Some(Finding {
        setting: setting?,
        is: is?,
        when,
        says: says?.value,
        hint: hint?.value,
    })
}

type Is = Option<crate::inventory::Pattern>;

fn condition(
    page: &mut Page<'_>,
    keys: &mut Keys<'_, '_>,
    setting: Option<&Node<'_>>,
) -> (Option<String>, Option<Is>) {
    let setting =
        setting.and_then(|node| fields::checked(page, node, "setting", grammar::printable));
    let (is, absent) = (keys.take("is"), keys.take("absent"));
    let is = match (is, absent) {
        (Some(node), None) => {
            let found = fields::parsed(page, node, "is", pattern);
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
    (setting.map(|setting| setting.value), is)
}
