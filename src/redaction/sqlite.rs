//! SQLite databases. UPDATE alone leaves old text in free pages (facts: artifacts.md 9), so that the file is
//! written anew by `VACUUM INTO`. A column whose name says what it holds is taken at its word; every other
//! text goes through the rules. What is no text and no number is emptied: nothing tells what it holds.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::engine::Engine;
use super::identifiers::is_user;
use super::map::Class;
use super::span::What;
use super::{Counts, Leak, Unfit};
use crate::evidence::redact::{MARK, names_secret};

/// Raw bytes that are looked at together, and how much two pieces share.
const PIECE: usize = 4 << 20;
const SHARED: usize = 4096;

impl From<rusqlite::Error> for Unfit {
    fn from(error: rusqlite::Error) -> Self {
        // SQLite quotes names of tables, never values.
        Self::Content(format!(
            "SQLite cannot work on it: {}",
            error.sqlite_error_code().map_or_else(
                || "it is not as the schema says".to_owned(),
                |code| format!("{code:?}"),
            )
        ))
    }
}

struct Column {
    table: String,
    name: String,
}

/// A private copy, with what lies beside the file and belongs to it, open.
fn copy(path: &Path) -> Result<(tempfile::TempDir, Connection), Unfit> {
    let directory = tempfile::tempdir()?;
    let own = directory.path().join("copy.db");
    fs::copy(path, &own)?;
    for end in ["-wal", "-journal"] {
        let beside = with_end(path, end);
        if beside.is_file() {
            fs::copy(&beside, with_end(&own, end))?;
        }
    }
    let connection = Connection::open_with_flags(&own, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    distrust(&connection)?;
    connection.pragma_update(None, "journal_mode", "DELETE")?;
    Ok((directory, connection))
}

/// The file is somebody else's: nothing in its schema may act.
fn distrust(connection: &Connection) -> Result<(), Unfit> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
    Ok(())
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn columns(connection: &Connection) -> Result<Vec<Column>, Unfit> {
    let mut tables = connection.prepare(
        "SELECT name, coalesce(sql, '') FROM sqlite_schema WHERE type = 'table' ORDER BY name",
    )?;
    let tables = tables.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut columns = Vec::new();
    for table in tables {
        let (table, sql) = table?;
        if sql
            .get(..14)
            .is_some_and(|head| head.eq_ignore_ascii_case("CREATE VIRTUAL"))
        {
            return Err(Unfit::Content(
                "it has a virtual table, whose content another program keeps".to_owned(),
            ));
        }
        let mut names = connection.prepare("SELECT name, hidden FROM pragma_table_xinfo(?1)")?;
        let names = names.query_map([&table], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        })?;
        for name in names {
            let (name, hidden) = name?;
            // What is computed follows from the others.
            if hidden == 0 {
                columns.push(Column {
                    table: table.clone(),
                    name,
                });
            }
        }
    }
    Ok(columns)
}

/// Each text and blob of a column once: its bytes as the database has them, as text, and whether it is a blob.
fn values(
    connection: &Connection,
    column: &Column,
    mut look: impl FnMut(Vec<u8>, String, Kind) -> Result<(), Unfit>,
) -> Result<(), Unfit> {
    let (table, name) = (quoted(&column.table), quoted(&column.name));
    let every = if names_secret(&column.name) {
        "NOT NULL"
    } else {
        "IN ('text', 'blob')"
    };
    let test = match every {
        "NOT NULL" => format!("{name} IS NOT NULL"),
        every => format!("typeof({name}) {every}"),
    };
    let query = format!(
        "SELECT DISTINCT CAST({name} AS BLOB), CAST({name} AS TEXT), typeof({name}) FROM {table} WHERE {test}"
    );
    let mut statement = connection.prepare(&query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let bytes = |at| match row.get_ref(at) {
            Ok(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => bytes.to_vec(),
            _ => Vec::new(),
        };
        let kind = match row.get_ref(2)? {
            ValueRef::Text(b"blob") if std::str::from_utf8(&bytes(0)).is_err() => Kind::Opaque,
            ValueRef::Text(b"blob") => Kind::Blob,
            ValueRef::Text(b"text") => Kind::Text,
            _ => Kind::Number,
        };
        let text = match kind {
            Kind::Blob => bytes(0),
            _ => bytes(1),
        };
        look(bytes(0), String::from_utf8_lossy(&text).into_owned(), kind)?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// Text that was stored as bytes.
    Blob,
    Opaque,
    Number,
}

pub(super) fn learn(engine: &mut Engine, path: &Path) -> Result<(), Unfit> {
    let (_directory, connection) = copy(path)?;
    for column in columns(&connection)? {
        let (secret, class) = (
            names_secret(&column.name),
            Engine::names_a_person(&column.name),
        );
        values(&connection, &column, |_, text, kind| {
            match class {
                _ if kind == Kind::Opaque => {}
                _ if secret => engine.learn_secret(&text),
                Some(class) => engine.learn_name(class, &text),
                None => engine.learn_text(&text),
            }
            Ok(())
        })?;
    }
    Ok(())
}

pub(super) fn redact(
    engine: &Engine,
    path: &Path,
    out: &Path,
    counts: &mut Counts,
) -> Result<(), Unfit> {
    let (_directory, connection) = copy(path)?;
    // Samples of what the indexes held.
    for statistics in ["sqlite_stat1", "sqlite_stat3", "sqlite_stat4"] {
        connection.execute_batch(&format!("DROP TABLE IF EXISTS {statistics}"))?;
    }
    if let Some(leak) = schema_leaks(engine, &connection)?.first() {
        let what = &leak.what;
        return Err(Unfit::Content(format!(
            "its schema itself holds a {what}, and a schema is not rewritten"
        )));
    }
    connection.execute_batch(
        "PRAGMA temp_store = MEMORY; CREATE TEMP TABLE swap(old BLOB PRIMARY KEY, kind TEXT, new) WITHOUT ROWID; BEGIN",
    )?;
    for column in columns(&connection)? {
        let mut swaps = Vec::new();
        values(&connection, &column, |bytes, text, kind| {
            if let Some((new, rule)) = instead(engine, &column.name, &text, kind, counts) {
                *counts.entry(rule).or_default() += 1;
                swaps.push((bytes, kind, new));
            }
            Ok(())
        })?;
        swap(&connection, &column, &swaps)?;
    }
    connection.execute_batch("COMMIT; DROP TABLE temp.swap")?;
    let target = out
        .to_str()
        .ok_or_else(|| Unfit::Content("the name of its copy is no text".to_owned()))?;
    connection.execute("VACUUM INTO ?1", [target])?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    Ok(fs::set_permissions(out, mode)?)
}

/// What stands instead of a value, and by which rule; the rules for text count themselves.
fn instead(
    engine: &Engine,
    column: &str,
    text: &str,
    kind: Kind,
    counts: &mut Counts,
) -> Option<(String, String)> {
    if kind == Kind::Opaque {
        return Some((String::new(), "blob emptied".to_owned()));
    }
    if names_secret(column) {
        return (!text.is_empty() && text != MARK)
            .then(|| (MARK.to_owned(), "secret column".to_owned()));
    }
    if let Some(class) = person(engine, column, text) {
        let token = engine.stand_in(&What::Name(class, text.trim().to_ascii_lowercase()));
        return Some((token, format!("{class} column")));
    }
    let mut bites = Counts::new();
    let new = engine.redact_text(text, &mut bites);
    let (last, _) = bites.pop_last()?;
    for (rule, count) in bites {
        *counts.entry(rule).or_default() += count;
    }
    Some((new, last))
}

/// The class of a whole value that is a name, by its column.
fn person(engine: &Engine, column: &str, text: &str) -> Option<Class> {
    let class = Engine::names_a_person(column)?;
    let word = text.trim();
    let is_name = !word.is_empty()
        && is_user(word)
        && !engine.is_kept(word)
        && engine
            .spans(word)
            .iter()
            .all(|span| matches!(&span.what, What::Name(..)) && span.range.len() == word.len());
    is_name.then_some(class)
}

fn swap(
    connection: &Connection,
    column: &Column,
    swaps: &[(Vec<u8>, Kind, String)],
) -> Result<(), Unfit> {
    if swaps.is_empty() {
        return Ok(());
    }
    connection.execute_batch("DELETE FROM temp.swap")?;
    let mut insert = connection.prepare("INSERT OR REPLACE INTO temp.swap VALUES (?1, ?2, ?3)")?;
    for (old, kind, new) in swaps {
        match kind {
            Kind::Text | Kind::Number => insert.execute((old, "text", new))?,
            Kind::Blob | Kind::Opaque => insert.execute((old, "blob", new.as_bytes()))?,
        };
    }
    let (table, name) = (quoted(&column.table), quoted(&column.name));
    // By its bytes: a collation may call two texts the same.
    let update = format!(
        "UPDATE {table} SET {name} = (SELECT new FROM temp.swap WHERE old = CAST({table}.{name} AS BLOB)) \
         WHERE CAST({name} AS BLOB) IN (SELECT old FROM temp.swap) AND {name} IS NOT NULL"
    );
    match connection.execute(&update, []) {
        Ok(_) => Ok(()),
        Err(error)
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) =>
        {
            Err(Unfit::Content(format!(
                "column `{}` of table `{}` allows no redacted values (a constraint): leave the database out",
                crate::text::escape(&column.name),
                crate::text::escape(&column.table),
            )))
        }
        Err(error) => Err(error.into()),
    }
}

fn schema_leaks(engine: &Engine, connection: &Connection) -> Result<Vec<Leak>, Unfit> {
    let mut statement = connection.prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut leaks = Vec::new();
    for row in rows {
        let (name, sql) = row?;
        for text in [name, sql] {
            let found = engine.leaks(&text, 1).into_iter();
            leaks.extend(found.map(|leak| Leak {
                place: "schema".to_owned(),
                ..leak
            }));
        }
    }
    Ok(leaks)
}

pub(super) fn prove(engine: &Engine, path: &Path) -> Result<Vec<Leak>, Unfit> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(path, flags)?;
    distrust(&connection)?;
    let mut leaks = schema_leaks(engine, &connection)?;
    for column in columns(&connection)? {
        let place = format!("table {}, column {}", column.table, column.name);
        let place = crate::text::escape(&place).into_owned();
        values(&connection, &column, |_, text, kind| {
            let mut leak = |what: String| {
                leaks.push(Leak {
                    what,
                    place: place.clone(),
                })
            };
            if kind == Kind::Opaque {
                leak("blob".to_owned());
            }
            if names_secret(&column.name) && text != MARK && !text.is_empty() {
                leak("secret column".to_owned());
            }
            if let Some(class) = person(engine, &column.name, &text) {
                leak(format!("{class} name"));
            }
            for found in engine.leaks(&text, 1) {
                leak(found.what);
            }
            Ok(())
        })?;
    }
    let mut file = fs::File::open(path)?;
    let mut piece = Vec::new();
    loop {
        let had = piece.len();
        let read = file.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
        if read == 0 {
            break;
        }
        leaks.extend(engine.leaks_in_bytes(&piece));
        let keep = piece.len().min(SHARED);
        piece.drain(..piece.len() - keep);
        debug_assert!(had <= SHARED);
    }
    leaks.sort();
    leaks.dedup();
    Ok(leaks)
}
