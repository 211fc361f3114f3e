//! Judges a statistics database: a private copy, whole, with its `-wal` or `-journal` beside it
//! (facts: artifacts.md 2.4, traps.md T6). Fetches nothing and knows no age limit.
//!
//! The copy came from a server that may be hostile: SQLite gets no extension, no schema function, no
//! trigger, bounded sizes and a deadline. Checking rewrites the copy (facts: perf.md): hash it first.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::database_seen::DatabaseSeen;
use super::mark::{DATABASE_HEADER, DatabaseMark, MAGIC};
use super::reader::Reader;
use super::redact::Capture;
use super::samples::{self, NoSamples};
use super::{Content, journal, opaque};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Sample;
use crate::{text, time};

const EXPECTED: &str = "a consistent SQLite database";
/// Largest row that is read.
const ROW: i32 = 64 << 20;
/// Most memory of all checks together; beyond, SQLite says that it has none.
const HEAP: u32 = 1 << 30;
/// Longest pattern of LIKE and GLOB: their time is a power of it.
const LIKE: i32 = 50;
/// Steps of SQLite's virtual machine between two looks at the clock: some microseconds.
const STEPS: i32 = 1000;

/// Judges the database at `database`, with what lies beside it as `-wal` or `-journal`, within
/// `within` of wall time. A database in WAL mode without its `-wal` is taken as it is: whether the
/// server had one is for the caller to know.
///
/// Passes when it is an SQLite 3 database, complete, `integrity_check` finds nothing, each of
/// `tables` is there, and the sample table (without one: any table) has a row. Blocks its thread.
///
/// # Errors
/// `empty` for zero bytes, no table or no row; `corrupt` when it is no database or a damaged one;
/// `mismatch` for a table or column that is not there; `too-large` and `timeout` beyond the limits;
/// `undefined` when our own copy cannot be read.
pub fn inspect(
    database: &Path,
    wanted: &Wanted,
    within: Duration,
) -> Result<DatabaseSeen, Failure> {
    let limit = Instant::now() + within;
    let mark = file(database)?;
    let sample = wanted.sample.as_ref();
    let connection = open(database, limit).map_err(|error| refusal(&error, within))?;
    schema::harmless(&connection, within)?;
    sound(&connection, within)?;
    let found = schema::tables(&connection).map_err(|error| refusal(&error, within))?;
    schema::complete(&connection, &found, &wanted.tables, sample, within)?;
    let columns = schema::columns(&connection, &found, wanted);
    let columns = columns.map_err(|error| refusal(&error, within))?;
    let counted = match sample {
        Some(sample) => Some(samples::read(&connection, sample).map_err(|why| match why {
            NoSamples::Failure(failure) => failure,
            NoSamples::Sqlite(error) => refusal(&error, within),
        })?),
        None => {
            some_row(&connection, &found, within)?;
            None
        }
    };
    Ok(DatabaseSeen {
        tables: found.len() as u64,
        found: columns,
        journal_mode: if mark.is_wal() { "wal" } else { "rollback" },
        page_size: mark.page_size,
        samples: counted.as_ref().map_or(0, |samples| samples.rows),
        oldest: counted.as_ref().map(|samples| samples.oldest),
        newest: counted.as_ref().map(|samples| samples.newest),
        widest: counted
            .as_ref()
            .and_then(|samples| samples.moments.widest()),
        moments: counted.map(|samples| samples.moments).unwrap_or_default(),
        ..DatabaseSeen::default()
    })
}

/// What a database must hold, as the inventory says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Tables without which it is not this product's.
    pub tables: Vec<String>,
    /// Columns that are looked for, by table; whether they must be there is for the step that asks.
    pub columns: BTreeMap<String, Vec<String>>,
    /// Where its samples are.
    pub sample: Option<Sample>,
}

/// What the bytes say before SQLite is asked.
fn file(database: &Path) -> Result<DatabaseMark, Failure> {
    let mut head = Vec::new();
    let mut size = 0;
    File::open(database)
        .and_then(|file| {
            size = file.metadata()?.len();
            file.take(DATABASE_HEADER).read_to_end(&mut head)
        })
        .map_err(|error| scratch(&error))?;
    let mark = header(&head)?;
    let has_beside = journal::check(database, &mark).map_err(|error| scratch(&error))??;
    // A log or a journal may bring what is missing; then `integrity_check` decides.
    let page = u64::from(mark.page_size);
    let pages = match mark.has_page_count() {
        true => u64::from(mark.pages),
        false => 1,
    };
    if !has_beside && (size % page != 0 || size < pages * page) {
        return Err(corrupt(format!(
            "it is truncated: {size} bytes, but its header tells of {} of {page}",
            text::count(pages as usize, "page"),
        )));
    }
    Ok(mark)
}

fn header(head: &[u8]) -> Result<DatabaseMark, Failure> {
    if head.is_empty() {
        return Err(opaque::empty(EXPECTED));
    }
    DatabaseMark::read(head).ok_or_else(|| match head.starts_with(MAGIC) {
        true => corrupt("its header is damaged or cut off"),
        false => foreign::refusal(head),
    })
}

fn open(database: &Path, limit: Instant) -> rusqlite::Result<Connection> {
    // No URI, no creation: the path is a path, and what is missing stays missing.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(database, flags)?;
    connection.progress_handler(STEPS, Some(move || Instant::now() >= limit))?;
    connection.busy_timeout(Duration::ZERO)?;
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_LENGTH, ROW),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 0),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, LIKE),
    ] {
        connection.set_limit(limit, most)?;
    }
    for (switch, is_on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        // The copy is thrown away: tidying it up would cost a write of the whole log.
        (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
    ] {
        connection.set_db_config(switch, is_on)?;
    }
    // Exclusive: the index of the log then lives in memory and no `-shm` is made or believed.
    // The constraints are the product's business, and would run functions of the server's choice.
    connection.execute_batch(&format!(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY; \
         PRAGMA hard_heap_limit = {HEAP}; PRAGMA ignore_check_constraints = ON; \
         PRAGMA cell_size_check = ON; PRAGMA query_only = ON;",
    ))?;
    Ok(connection)
}

fn sound(connection: &Connection, within: Duration) -> Result<(), Failure> {
    let check = || {
        let mut statement = connection.prepare("PRAGMA integrity_check(10)")?;
        let rows = statement.query_map((), |row| row.get::<_, String>(0))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    let found = check().map_err(|error| refusal(&error, within))?;
    if found == ["ok"] {
        return Ok(());
    }
    let shown = found.first().map_or("nothing", String::as_str);
    let more = match found.len() {
        0 | 1 => String::new(),
        10.. => ", and at least 9 more".to_owned(),
        several => format!(", and {} more", several - 1),
    };
    Err(corrupt(format!(
        "integrity_check says: {}{more}",
        Capture::new(shown).excerpt(160)
    )))
}

fn some_row(connection: &Connection, tables: &[String], within: Duration) -> Result<(), Failure> {
    for table in tables {
        let sql = format!("SELECT 1 FROM {} LIMIT 1", samples::quote(table));
        let exists = connection
            .prepare(&sql)
            .and_then(|mut statement| statement.exists(()));
        if exists.map_err(|error| refusal(&error, within))? {
            return Ok(());
        }
    }
    let actual = format!("0 rows in {}", text::count(tables.len(), "table"));
    Err(Failure::new(
        FailureKind::Empty,
        "a database with at least one row",
        actual,
    )
    .with_hint("the product has written nothing: check that it is running"))
}

/// What SQLite's refusal says of the database, or of us.
fn refusal(error: &rusqlite::Error, within: Duration) -> Failure {
    let words = Capture::new(error.to_string()).excerpt(200);
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => Failure::new(
            FailureKind::Timeout,
            format!(
                "a database that can be checked within {}",
                time::say(within)
            ),
            "the check was still running",
        )
        .with_hint("raise `deadline:` for this host; the check reads the whole database"),
        Some(ErrorCode::TooBig | ErrorCode::OutOfMemory) => Failure::new(
            FailureKind::TooLarge,
            format!("rows of at most {}", text::size(ROW as u64)),
            words,
        )
        .with_hint("this is no statistics database, or a damaged one"),
        Some(
            ErrorCode::SystemIoFailure
            | ErrorCode::DiskFull
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked,
        ) => scratch(&words),
        _ => corrupt(words),
    }
}

fn corrupt(actual: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Corrupt, EXPECTED, actual).with_hint(
        "a copy of a live database can be torn: fetch again; if it stays so, run `PRAGMA \
         integrity_check` on the host",
    )
}

fn scratch(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        FailureKind::Undefined,
        "the fetched copy, to be checked",
        format!("the copy on the runner cannot be read: {error}"),
    )
    .with_hint("check the runner's temporary directory: its space and its permissions")
}

/// Looks at the header of a database while it streams by; the rest is for [`inspect`].
#[derive(Debug, Default)]
pub struct Header(Vec<u8>);

impl Write for Header {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let room = DATABASE_HEADER as usize - self.0.len();
        self.0.extend_from_slice(&piece[..room.min(piece.len())]);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader for Header {
    fn finish(self: Box<Self>) -> Result<Content, Failure> {
        header(&self.0).map(|_| Content::Opaque)
    }
}

mod foreign;
#[cfg(test)]
mod hostile;
mod schema;
#[cfg(test)]
mod tests;
