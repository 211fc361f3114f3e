//! What a database's schema holds: the tables that are asked for, and whether a check of it would run
//! what the server chose. Reads no row but the schema's.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
use rusqlite::Connection;

use super::{Wanted, refusal};
use crate::evidence::redact::Capture;
use crate::failure::{Failure, FailureKind};
use crate::inventory::Sample;
use crate::text;

/// Functions whose time grows with the product of two arguments, both of the server's choice: one call
/// can outlast every deadline, since SQLite looks at none within a function
/// (<https://www.sqlite.org/lang_corefunc.html>).
static SLOW: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)\b(?:instr|ltrim|rtrim|trim|unhex|replace)\b\s*(?:/\*|--|["'`\]]|\()"#).ok()
});
/// What makes a table compute: a generated column, however it is spelt.
static GENERATED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\bgenerated\b|\bas\b\s*(?:/\*|--|\()").ok());

/// Refuses a schema of which a check would compute what has no bound: columns that are generated, and
/// indices over expressions. CHECK constraints are not run at all.
pub(super) fn harmless(connection: &Connection, within: Duration) -> Result<(), Failure> {
    let look = || {
        let mut statement = connection.prepare(
            "SELECT name, sql, type FROM sqlite_schema WHERE type IN ('table', 'index') AND sql IS NOT NULL",
        )?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            let sql: String = row.get(1)?;
            let is = |what: &Option<Regex>| what.as_ref().is_none_or(|what| what.is_match(&sql));
            let computes = row.get::<_, String>(2)? == "index" || is(&GENERATED);
            if computes && is(&SLOW) {
                return Ok(Some(row.get::<_, String>(0)?));
            }
        }
        Ok(None)
    };
    match look().map_err(|error| refusal(&error, within))? {
        None => Ok(()),
        Some(name) => Err(Failure::new(
            FailureKind::Mismatch,
            "a schema that can be checked in bounded time",
            format!(
                "`{}` computes by a function of text whose time has no bound",
                Capture::new(name).excerpt(80)
            ),
        )
        .with_hint("statistics need none of `instr`, `replace`, `trim` and `unhex` in a generated column or an index: take this file as `format: plain`, and find out who wrote it")),
    }
}

/// Every table that has pages of its own: no view, no virtual table, none of SQLite's.
pub(super) fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 \
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        )?
        .query_map((), |row| row.get(0))?
        .collect()
}

/// Whether each of `tables`, and the sample's, is there.
pub(super) fn complete(
    connection: &Connection,
    found: &[String],
    tables: &[String],
    sample: Option<&Sample>,
    within: Duration,
) -> Result<(), Failure> {
    if found.is_empty() {
        return Err(Failure::new(
            FailureKind::Empty,
            "a database with at least one table",
            "no table",
        )
        .with_hint(
            "the product has written nothing yet, or this is not its file: AMPS keeps statistics in \
             memory unless `Admin/FileName` names a file",
        ));
    }
    let wanted = tables.iter().chain(sample.map(|sample| &sample.table));
    let mut missing: Vec<&str> = wanted
        .filter(|table| !has(found, table))
        .map(String::as_str)
        .collect();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    let mut others = Vec::new();
    for table in &missing {
        if let Some(kind) = kind(connection, table).map_err(|error| refusal(&error, within))? {
            others.push(format!("`{table}` is {kind}"));
        }
    }
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    let mut actual = format!(
        "not there; it has {}",
        Capture::new(list(&found)).excerpt(300)
    );
    if !others.is_empty() {
        actual = format!(
            "{}, which is no proof of stored rows; {actual}",
            others.join(", ")
        );
    }
    Err(Failure::new(
        FailureKind::Mismatch,
        format!("a database with {}", list(&missing)),
        actual,
    )
    .with_hint(
        "check that the path is this product's statistics database, and `tables:` and `sample:` of \
         the artifact: versions of a product differ in their tables",
    ))
}

/// What else bears that name.
fn kind(connection: &Connection, name: &str) -> rusqlite::Result<Option<&'static str>> {
    let mut statement = connection
        .prepare("SELECT type FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE LIMIT 1")?;
    let mut rows = statement.query([name])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(match row.get::<_, String>(0)?.as_str() {
        "view" => Some("a view"),
        "table" => Some("a virtual table"),
        _ => None,
    })
}

/// The tables that the inventory names and the database has, each with those of its named columns that
/// are there.
pub(super) fn columns(
    connection: &Connection,
    found: &[String],
    wanted: &Wanted,
) -> rusqlite::Result<BTreeMap<String, Vec<String>>> {
    let none = Vec::new();
    let named = wanted.tables.iter().map(|table| (table, &none));
    let mut columns = BTreeMap::new();
    for (table, names) in named.chain(&wanted.columns) {
        if !has(found, table) {
            continue;
        }
        let mut there = Vec::new();
        for column in names {
            let sql = "SELECT 1 FROM pragma_table_xinfo(?1) WHERE name = ?2 COLLATE NOCASE";
            if connection.prepare_cached(sql)?.exists((table, column))? {
                there.push(column.clone());
            }
        }
        columns.insert(table.clone(), there);
    }
    Ok(columns)
}

fn has(found: &[String], table: &str) -> bool {
    found.iter().any(|name| name.eq_ignore_ascii_case(table))
}

/// The first few names, and how many more there are.
fn list(names: &[&str]) -> String {
    let shown = names
        .iter()
        .take(8)
        .map(|name| format!("`{}`", text::clip(name, 60)));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len() {
        0..=8 => shown,
        many => format!("{shown} and {} more", many - 8),
    }
}
