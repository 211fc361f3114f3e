//! Made-up AMPS statistics (facts: artifacts.md 2.4): an SQLite database in WAL mode, tables by the
//! vendor's naming, time by its formula. Knows neither which instance it belongs to nor any break.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

/// `unix_seconds = timestamp / 1000 − 210866803200`, so this many milliseconds lie between the two.
const JULIAN_MS: i64 = 210_866_803_200_000;

/// How far back the history goes, and how far apart its samples are.
const HISTORY: SignedDuration = SignedDuration::from_hours(26);
const INTERVAL: SignedDuration = SignedDuration::from_secs(60);

const TABLES: &str = "
CREATE TABLE ICPUS_STATIC (static_id INTEGER PRIMARY KEY, cpu TEXT);
CREATE TABLE ICPUS_DYNAMIC (timestamp INTEGER, static_id INTEGER, system_percent REAL, user_percent REAL, PRIMARY KEY (timestamp, static_id));
CREATE TABLE IMEMORY_STATIC (static_id INTEGER PRIMARY KEY, memory TEXT);
CREATE TABLE IMEMORY_DYNAMIC (timestamp INTEGER, static_id INTEGER, rss_kb INTEGER, vmsize_kb INTEGER, PRIMARY KEY (timestamp, static_id));
CREATE TABLE HCPUS_STATIC (static_id INTEGER PRIMARY KEY, cpu TEXT);
CREATE TABLE HCPUS_DYNAMIC (timestamp INTEGER, static_id INTEGER, system_percent REAL, user_percent REAL, iowait_percent REAL, PRIMARY KEY (timestamp, static_id));
CREATE TABLE HMEMORY_STATIC (static_id INTEGER PRIMARY KEY, memory TEXT);
CREATE TABLE HMEMORY_DYNAMIC (timestamp INTEGER, static_id INTEGER, free_kb INTEGER, total_kb INTEGER, PRIMARY KEY (timestamp, static_id));
CREATE TABLE ILIFETIMES_STATIC (static_id INTEGER PRIMARY KEY, event TEXT, version TEXT);
CREATE TABLE ILIFETIMES_DYNAMIC (timestamp INTEGER, static_id INTEGER, PRIMARY KEY (timestamp, static_id));
INSERT INTO ICPUS_STATIC VALUES (1, 'all');
INSERT INTO IMEMORY_STATIC VALUES (1, 'all');
INSERT INTO HCPUS_STATIC VALUES (1, 'all');
INSERT INTO HMEMORY_STATIC VALUES (1, 'all');
";

/// Makes a database whose newest sample is at `newest`, and leaves it as a running AMPS would: the
/// history in the file, the newest sample in the `-wal` beside it.
pub(super) fn create(
    path: &Path,
    version: &str,
    newest: Timestamp,
) -> rusqlite::Result<Connection> {
    let mut database = Connection::open(path)?;
    database.pragma_update(None, "journal_mode", "wal")?;
    // Rarely: a copy taken while pages move from `-wal` to file would have to be taken again.
    database.pragma_update(None, "wal_autocheckpoint", 4000)?;
    let making = database.transaction()?;
    making.execute_batch(TABLES)?;
    making.execute(
        "INSERT INTO ILIFETIMES_STATIC VALUES (1, 'started', ?1)",
        [version],
    )?;
    let mut at = newest - HISTORY;
    making.execute(
        "INSERT INTO ILIFETIMES_DYNAMIC VALUES (?1, 1)",
        [amps_time(at)],
    )?;
    while at < newest {
        insert(&making, at)?;
        at += INTERVAL;
    }
    making.commit()?;
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    sample(&mut database, newest)?;
    Ok(database)
}

/// Adds one sample of every kind, in one transaction.
pub(super) fn sample(database: &mut Connection, at: Timestamp) -> rusqlite::Result<()> {
    let sampling = database.transaction()?;
    insert(&sampling, at)?;
    sampling.commit()
}

fn insert(database: &Connection, at: Timestamp) -> rusqlite::Result<()> {
    let time = amps_time(at);
    // A slow wave is all the likeness that figures nobody judges need.
    let wave = time / 1000 % 600;
    let percent = wave as f64 / 20.0;
    let add = |statement: &str, values: &[&dyn rusqlite::ToSql]| {
        database.prepare_cached(statement)?.execute(values)
    };
    add(
        "INSERT OR IGNORE INTO ICPUS_DYNAMIC VALUES (?1, 1, ?2, ?3)",
        params![time, percent / 3.0, percent],
    )?;
    add(
        "INSERT OR IGNORE INTO IMEMORY_DYNAMIC VALUES (?1, 1, ?2, ?3)",
        params![time, 4_000_000 + wave * 100, 9_000_000],
    )?;
    add(
        "INSERT OR IGNORE INTO HCPUS_DYNAMIC VALUES (?1, 1, ?2, ?3, 0.1)",
        params![time, percent / 2.0, percent],
    )?;
    add(
        "INSERT OR IGNORE INTO HMEMORY_DYNAMIC VALUES (?1, 1, ?2, ?3)",
        params![time, 90_000_000 - wave * 100, 131_072_000],
    )?;
    Ok(())
}

fn amps_time(at: Timestamp) -> i64 {
    at.as_millisecond() + JULIAN_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_in_the_file_and_the_newest_sample_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stats.db");
        let newest: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        let mut database = create(&path, "5.3.4.12", newest).unwrap();

        // The file alone, as an incomplete retrieval would bring it.
        let alone = directory.path().join("alone.db");
        std::fs::copy(&path, &alone).unwrap();
        let alone = Connection::open(alone).unwrap();
        let query = "SELECT max(timestamp) / 1000 - 210866803200 FROM IMEMORY_DYNAMIC";
        let second = |database: &Connection| {
            database
                .query_row(query, [], |row| row.get::<_, i64>(0))
                .unwrap()
        };
        assert!(second(&alone) < newest.as_second());
        assert_eq!(second(&database), newest.as_second());

        let later = newest + SignedDuration::from_secs(10);
        sample(&mut database, later).unwrap();
        assert_eq!(second(&database), later.as_second());
        let check: String = database
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(check, "ok");
        assert!(
            directory
                .path()
                .join("stats.db-wal")
                .metadata()
                .unwrap()
                .len()
                > 0
        );
    }
}
