//! SQLite databases. UPDATE alone leaves old text in free pages (facts: artifacts.md 9), so that the file is
//! written anew by `VACUUM INTO`. Every text by the name of its column, and by its neighbours: in a row that
//! holds the name of a secret, the rest is the secret. What is no text and no number is emptied.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::cues::{self, Cue};
use super::engine::Engine;
use super::node::{Trust, value};
use super::proof::Proof;
use super::value::is_nothing;
use super::{Counts, Leak, Unfit};
use crate::evidence::redact::MARK;

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
    let every = if cues::of(&column.name).is_secret() {
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

/// The names that the database uses: they are its product's.
pub(super) fn learn(engine: &mut Engine, path: &Path) -> Result<(), Unfit> {
    let (_directory, connection) = copy(path)?;
    for column in columns(&connection)? {
        engine.learn_schema(&column.table);
        engine.learn_schema(&column.name);
    }
    // Indexes, triggers and views, and what a view calls its columns.
    let mut others = connection.prepare(
        "SELECT name, coalesce(sql, '') FROM sqlite_schema WHERE type <> 'table' ORDER BY name",
    )?;
    let others = others.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    for other in others {
        let (name, sql) = other?;
        engine.learn_schema(&name);
        for word in words(&sql) {
            engine.learn_schema(word);
        }
    }
    Ok(())
}

/// The words of a statement that stand in no text and no comment.
fn words(sql: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut words = Vec::new();
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let end = match c {
            '\'' => rest[1..].find('\'').map(|at| at + 2),
            '-' if rest.starts_with("--") => rest.find('\n'),
            '/' if rest.starts_with("/*") => rest.find("*/").map(|at| at + 2),
            c if is_word(c) => {
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                words.push(&rest[..end]);
                Some(end)
            }
            c => Some(c.len_utf8()),
        };
        rest = &rest[end.unwrap_or(rest.len())..];
    }
    words
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
    schema(engine, &connection, counts)?;
    connection.execute_batch(
        "PRAGMA temp_store = MEMORY; CREATE TEMP TABLE swap(old BLOB PRIMARY KEY, kind TEXT, new) WITHOUT ROWID; BEGIN",
    )?;
    let columns = columns(&connection)?;
    for column in &columns {
        neighbours(engine, &connection, column, &columns, counts)?;
    }
    for column in &columns {
        let mut swaps = Vec::new();
        values(&connection, column, |bytes, text, kind| {
            if let Some(new) = instead(engine, &column.name, &text, kind, counts) {
                swaps.push((bytes, kind, new));
            }
            Ok(())
        })?;
        swap(&connection, column, &mut swaps)?;
    }
    for column in &columns {
        held(&connection, column)?;
    }
    connection.execute_batch("COMMIT; DROP TABLE temp.swap")?;
    let target = out
        .to_str()
        .ok_or_else(|| Unfit::Content("the name of its copy is no text".to_owned()))?;
    connection.execute("VACUUM INTO ?1", [target])?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    Ok(fs::set_permissions(out, mode)?)
}

/// Whether every value of a column of secrets is a mark, read anew: no form tells `4711` afterwards.
fn held(connection: &Connection, column: &Column) -> Result<(), Unfit> {
    if cues::of(&column.name) < Cue::Strong || cues::names_another(&column.name) {
        return Ok(());
    }
    values(connection, column, |_, text, _| {
        match is_nothing(&text) || text.starts_with(MARK) {
            true => Ok(()),
            false => Err(Unfit::misplaced()),
        }
    })
}

/// What the schema itself says: views, triggers and indexes that hold more than names are dropped, a table is not.
fn schema(engine: &Engine, connection: &Connection, counts: &mut Counts) -> Result<(), Unfit> {
    let mut statement = connection
        .prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_schema ORDER BY name")?;
    let rows = statement.query_map([], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
        ))
    })?;
    let mut drops = Vec::new();
    for row in rows {
        let (kind, name, sql) = row?;
        if is_plain(engine, &sql, kind == "table")
            && !engine.holds_name(&name)
            && !engine.holds_name(&sql)
        {
            continue;
        }
        if kind == "table" {
            return Err(Unfit::Content(
                "its schema itself holds more than names of tables and columns, and a schema is not rewritten".to_owned(),
            ));
        }
        drops.push(format!("DROP {kind} IF EXISTS {}", quoted(&name)));
    }
    for drop in drops {
        *counts
            .entry("view, trigger or index dropped".to_owned())
            .or_default() += 1;
        connection.execute_batch(&drop)?;
    }
    Ok(())
}

/// A comment with `column` for what the database calls its own, but where the word before says whose name it is.
fn referred(engine: &Engine, text: &str) -> String {
    let mut before = Cue::None;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut told = String::with_capacity(text.len());
    for part in text.split_inclusive(|c: char| !is_word(c)) {
        let word = part.trim_end_matches(|c: char| !is_word(c));
        let is_own = before == Cue::None && engine.is_schema(word);
        told.push_str(if is_own { "column" } else { word });
        told.push_str(&part[word.len()..]);
        if !word.is_empty() {
            before = cues::of(word);
        }
    }
    told
}

/// Whether the texts and comments of a statement are words.
fn is_plain(engine: &Engine, sql: &str, is_table: bool) -> bool {
    let mut rest = sql;
    while let Some(at) = rest.find(['\'', '-', '/']) {
        let (kind, behind) = rest.split_at(at);
        let (body, end) = match behind.as_bytes() {
            [b'\'', ..] => (&behind[1..], "'"),
            [b'-', b'-', ..] => (&behind[2..], "\n"),
            [b'/', b'*', ..] => (&behind[2..], "*/"),
            _ => {
                rest = &behind[1..];
                continue;
            }
        };
        let length = body.find(end).unwrap_or(body.len());
        let text = &body[..length];
        // `'name'` is a name to SQLite where one stands.
        let text = match end == "'" && engine.is_schema(text) {
            true => "column",
            false => text,
        };
        let referred = match end == "'" {
            true => text.to_owned(),
            false => referred(engine, text),
        };
        let text = referred.as_str();
        let is_secret = kind
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .any(|word| cues::of(word).is_secret())
            && !is_nothing(text);
        let mut found = Counts::new();
        let clean = engine.redact_text(text, &mut found);
        let is_odd = !is_table && super::literals::is_odd(text.trim());
        if clean != text || (is_secret || is_odd) && end == "'" {
            return false;
        }
        rest = &body[(length + end.len()).min(body.len())..];
    }
    true
}

/// In a row that holds the name of a secret, the rest is the secret.
fn neighbours(
    engine: &Engine,
    connection: &Connection,
    column: &Column,
    all: &[Column],
    counts: &mut Counts,
) -> Result<(), Unfit> {
    let mut names = Vec::new();
    values(connection, column, |bytes, text, kind| {
        let names_it = cues::names_another(&column.name);
        let tells = kind != Kind::Opaque
            && (cues::is_name_of_secret(&text) && (names_it || cues::of(&text) >= Cue::Strong)
                || names_it && cues::names_a_number(&text));
        if tells {
            names.push(bytes);
        }
        Ok(())
    })?;
    if names.is_empty() || cues::of(&column.name).is_secret() && !cues::names_another(&column.name)
    {
        return Ok(());
    }
    let (table, naming) = (quoted(&column.table), quoted(&column.name));
    for other in all
        .iter()
        .filter(|other| other.table == column.table && other.name != column.name)
    {
        let name = quoted(&other.name);
        let of = if super::node::is_value(&other.name) {
            "'text', 'blob', 'integer', 'real'"
        } else {
            "'text', 'blob'"
        };
        for secret in &names {
            let test = format!("CAST({naming} AS BLOB) = ?1 AND typeof({name}) IN ({of})");
            let mut statement = connection.prepare(&format!(
                "SELECT CAST({name} AS TEXT) FROM {table} WHERE {test}"
            ))?;
            let mut rows = statement.query([secret])?;
            while let Some(row) = rows.next()? {
                if let Ok(ValueRef::Text(text)) = row.get_ref(0) {
                    engine.saw(&String::from_utf8_lossy(text));
                }
                *counts.entry("secret".to_owned()).or_default() += 1;
            }
            drop(rows);
            drop(statement);
            let update = format!("UPDATE {table} SET {name} = '{MARK}' WHERE {test}");
            if connection.execute(&update, [secret]).is_err() {
                let numbered =
                    format!("UPDATE {table} SET {name} = '{MARK} ' || rowid WHERE {test}");
                connection
                    .execute(&numbered, [secret])
                    .map_err(|_| constraint(other))?;
            }
        }
    }
    Ok(())
}

/// What stands instead of a value.
fn instead(
    engine: &Engine,
    column: &str,
    text: &str,
    kind: Kind,
    counts: &mut Counts,
) -> Option<String> {
    if kind == Kind::Opaque {
        *counts.entry("blob emptied".to_owned()).or_default() += 1;
        return (!text.is_empty()).then(String::new);
    }
    if text.starts_with(MARK)
        && text[MARK.len()..]
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b' ')
    {
        return None;
    }
    let cue = match cues::of(column) {
        // `key` of a table of names and values.
        Cue::Weak if cues::names_another(column) => Cue::None,
        Cue::Person(_) if column.to_ascii_lowercase().ends_with("address") => Cue::None,
        cue => cue,
    };
    let new = value(engine, text, Trust::Open, cue, false, counts);
    (new != text).then_some(new)
}

fn constraint(column: &Column) -> Unfit {
    Unfit::Content(format!(
        "column `{}` of table `{}` allows no redacted values (a constraint): leave the database out",
        crate::text::escape(&column.name),
        crate::text::escape(&column.table),
    ))
}

fn swap(
    connection: &Connection,
    column: &Column,
    swaps: &mut [(Vec<u8>, Kind, String)],
) -> Result<(), Unfit> {
    match swapped(connection, column, swaps) {
        Err(None) => {
            // Each secret a mark of its own, where they must differ.
            for (number, (_, _, new)) in swaps
                .iter_mut()
                .filter(|(_, _, new)| new == MARK)
                .enumerate()
            {
                *new = format!("{MARK} {}", number + 1);
            }
            swapped(connection, column, swaps)
                .map_err(|unfit| unfit.unwrap_or_else(|| constraint(column)))
        }
        Err(Some(unfit)) => Err(unfit),
        Ok(()) => Ok(()),
    }
}

/// `None` for a constraint that speaks against it.
fn swapped(
    connection: &Connection,
    column: &Column,
    swaps: &[(Vec<u8>, Kind, String)],
) -> Result<(), Option<Unfit>> {
    let fault = |error: rusqlite::Error| Some(Unfit::from(error));
    if swaps.is_empty() {
        return Ok(());
    }
    connection
        .execute_batch("DELETE FROM temp.swap")
        .map_err(fault)?;
    let mut insert = connection
        .prepare("INSERT OR REPLACE INTO temp.swap VALUES (?1, ?2, ?3)")
        .map_err(fault)?;
    for (old, kind, new) in swaps {
        match kind {
            Kind::Text | Kind::Number => insert.execute((old, "text", new)).map_err(fault)?,
            Kind::Blob | Kind::Opaque => insert
                .execute((old, "blob", new.as_bytes()))
                .map_err(fault)?,
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
            Err(None)
        }
        Err(error) => Err(fault(error)),
    }
}

pub(super) fn prove(proof: &Proof, path: &Path) -> Result<Vec<Leak>, Unfit> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(path, flags)?;
    distrust(&connection)?;
    let mut leaks = Vec::new();
    for column in columns(&connection)? {
        let place = format!("table {}, column {}", column.table, column.name);
        let place = crate::text::escape(&place).into_owned();
        values(&connection, &column, |bytes, text, kind| {
            let mut found: Vec<String> = proof
                .text(&text, 1)
                .into_iter()
                .map(|leak| leak.what)
                .collect();
            if kind == Kind::Opaque && !bytes.is_empty() {
                found.push("blob".to_owned());
            }
            leaks.extend(found.into_iter().map(|what| Leak {
                what,
                place: place.clone(),
            }));
            Ok(())
        })?;
    }
    let mut file = fs::File::open(path)?;
    let mut piece = Vec::new();
    loop {
        let read = file.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
        if read == 0 {
            break;
        }
        leaks.extend(proof.bytes(&piece));
        let keep = piece.len().min(SHARED);
        piece.drain(..piece.len() - keep);
    }
    leaks.sort();
    leaks.dedup();
    Ok(leaks)
}
