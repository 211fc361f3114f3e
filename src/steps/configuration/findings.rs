//! Which settings destroy evidence: the rules of the inventory, held against a configuration. Knows no
//! product and no rule.

use super::rows::{Row, matches};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Condition, Finding, Format};
use crate::text;

/// Most findings that are told; the worst are the first.
const MOST_TOLD: usize = 12;

/// One place that a rule found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found<'r> {
    pub file: Option<&'r str>,
    pub line: Option<usize>,
    pub setting: String,
    pub says: &'r str,
    pub hint: &'r str,
}

/// Everything that `rules` find, in their order.
pub(super) fn judge<'r>(
    rules: &'r [Finding],
    rows: &'r [Row<'r>],
    format: Option<Format>,
) -> Vec<Found<'r>> {
    let mut found = Vec::new();
    for rule in rules {
        let Some(each) = &rule.each else {
            found.extend(one(rule, None, rows, format));
            continue;
        };
        let each = canonical(each, format);
        for (at, row) in rows.iter().enumerate() {
            if matches(&each, &row.path) {
                let inner = format!("{}/", row.path);
                let held = &rows[at + 1..];
                let end = held.iter().position(|row| !row.path.starts_with(&inner));
                let held = &held[..end.unwrap_or(held.len())];
                found.extend(one(rule, Some(row), held, format));
            }
        }
    }
    found
}

fn one<'r>(
    rule: &'r Finding,
    container: Option<&'r Row<'r>>,
    rows: &'r [Row<'r>],
    format: Option<Format>,
) -> Vec<Found<'r>> {
    let holds = |condition: &Option<Condition>| {
        condition
            .as_ref()
            .map(|condition| hits(condition, rows, format).0)
    };
    if holds(&rule.when) == Some(false) || holds(&rule.unless) == Some(true) {
        return Vec::new();
    }
    let (is_found, places) = hits(&rule.what, rows, format);
    let place = |row: Option<&'r Row<'r>>| Found {
        file: row.or(rows.first()).map(|row| row.file),
        line: row.map(|row| row.line),
        setting: match (row, container) {
            (Some(row), _) if rule.what.is.is_some() => row.path.clone(),
            (_, Some(container)) => format!("{}/{}", container.path, rule.what.setting),
            _ => rule.what.setting.clone(),
        },
        says: &rule.says,
        hint: &rule.hint,
    };
    match (is_found, places.is_empty()) {
        (false, _) => Vec::new(),
        (true, true) => vec![place(container)],
        (true, false) => places.into_iter().map(|row| place(Some(row))).collect(),
    }
}

/// Whether it holds, and where.
fn hits<'r>(
    condition: &Condition,
    rows: &'r [Row<'r>],
    format: Option<Format>,
) -> (bool, Vec<&'r Row<'r>>) {
    let setting = canonical(&condition.setting, format);
    let mut there = rows.iter().filter(|row| matches(&setting, &row.path));
    match &condition.is {
        None => (there.next().is_none(), Vec::new()),
        Some(pattern) => {
            let hits: Vec<_> = there.filter(|row| pattern.0.is_match(row.value)).collect();
            (!hits.is_empty(), hits)
        }
    }
}

/// As the readers of these formats write a path.
fn canonical(path: &str, format: Option<Format>) -> String {
    match format {
        Some(Format::Ini) => path.replace('-', "_"),
        Some(Format::Conf) => path.to_ascii_lowercase(),
        _ => path.to_owned(),
    }
}

/// All of them in one failure, the worst first.
pub(super) fn failure(found: &[Found<'_>]) -> Option<Failure> {
    let first = found.first()?;
    let say = |one: &Found<'_>| {
        let place = match (one.file, one.line) {
            (Some(file), Some(line)) => format!(" ({file}:{line})"),
            (Some(file), None) => format!(" (not in {file})"),
            _ => String::new(),
        };
        format!("`{}`{place}: {}", one.setting, one.says)
    };
    let mut told: Vec<String> = found.iter().take(MOST_TOLD).map(say).collect();
    if found.len() > MOST_TOLD {
        told.push(format!("and {} more", found.len() - MOST_TOLD));
    }
    let mut hints: Vec<&str> = Vec::new();
    for one in found.iter().take(MOST_TOLD) {
        if !hints.contains(&one.hint) {
            hints.push(one.hint);
        }
    }
    let actual = format!(
        "{}: {}",
        text::count(found.len(), "finding"),
        told.join("; ")
    );
    let expected = "settings that keep the evidence that support will ask for";
    let failure = Failure::new(FailureKind::Gap, expected, actual).with_hint(hints.join("; "));
    Some(match first.file {
        Some(file) => failure.with_subject(file),
        None => failure,
    })
}

#[cfg(test)]
#[path = "findings_tests.rs"]
mod tests;
