//! `columns`, `interval` and `take` of statistics, as written.

use std::collections::BTreeMap;

use super::template;
use crate::inventory::artifact::Take;
use crate::inventory::fields::{self, Keys};
use crate::inventory::grammar;
use crate::inventory::page::{Mark, Page};
use crate::inventory::placeholder::Template;
use crate::inventory::raw::{Artifact, Theme};
use crate::inventory::yaml::{Node, Value};

/// Takes the keys of statistics, `tables` and `sample` apart.
pub(super) fn take(page: &mut Page<'_>, keys: &mut Keys<'_, '_>, artifact: &mut Artifact) {
    if let Some(entry) = keys.entry("columns") {
        artifact
            .themed
            .push((Theme::Statistics, "columns", entry.at));
        artifact.statistics.columns = columns(page, &entry.value);
    }
    if let Some(entry) = keys.entry("interval") {
        artifact
            .themed
            .push((Theme::Statistics, "interval", entry.at));
        let span = fields::parsed(
            page,
            &entry.value,
            "interval",
            super::super::access::duration,
        );
        artifact.statistics.interval = span.map(|span| span.value);
    }
    if let Some(entry) = keys.entry("take") {
        artifact.themed.push((Theme::Statistics, "take", entry.at));
        artifact.statistics.take = road(page, &entry.value, entry.at);
    }
}

fn columns(page: &mut Page<'_>, node: &Node<'_>) -> Option<BTreeMap<String, Vec<String>>> {
    let mut columns = BTreeMap::new();
    for entry in fields::entries(page, node, "`columns`")? {
        if let Err(hint) = grammar::identifier(&entry.key) {
            let message = format!("`{}` cannot be a table's name", entry.key);
            page.refuse(entry.at, message, hint);
            return None;
        }
        let names = fields::names(page, &entry.value, "columns", grammar::identifier)?;
        let names = names.value.into_iter().map(|name| name.value).collect();
        columns.insert(entry.key.as_ref().to_owned(), names);
    }
    Some(columns)
}

/// `stream`, `{copy: DIRECTORY}` or `{vacuum-into: DIRECTORY}`.
fn road(page: &mut Page<'_>, node: &Node<'_>, at: Mark) -> Option<Take<Template>> {
    const HINT: &str = "write `stream`, `{copy: /var/tmp}` or `{vacuum-into: /var/tmp}`; the last two write a copy below that directory of the host, and remove it again";
    match &node.value {
        Value::Scalar { text, .. } if text == "stream" => Some(Take::Stream),
        Value::Map(_) => {
            let mut keys = Keys::of(page, node, "`take`", at)?;
            let (copy, vacuum) = (keys.take("copy"), keys.take("vacuum-into"));
            let road = match (copy, vacuum) {
                (Some(node), None) => template(page, node, "copy").map(Take::Copy),
                (None, Some(node)) => template(page, node, "vacuum-into").map(Take::VacuumInto),
                _ => {
                    page.refuse(at, "`take` does not say how the copy is taken", HINT);
                    None
                }
            };
            keys.done(page);
            road
        }
        _ => {
            fields::expected(page, node, "take", "how the copy is taken", HINT);
            None
        }
    }
}
