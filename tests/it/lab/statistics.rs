//! A statistics database like AMPS', in WAL mode, with a writer that never rests: the newest samples
//! are only ever in the `-wal` (facts: traps.md T6).

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;

/// The thread that keeps the database open; ends when dropped.
pub struct Writer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the writer died");
        }
    }
}

/// `unix = t / 1000 − 210866803200` (facts: artifacts.md 2.4).
fn amps_time(at: Timestamp) -> i64 {
    at.as_millisecond() + 210_866_803_200_000
}

/// Fills the (empty) database with an hour of samples, then adds one every 200 ms.
pub fn start(path: &Path) -> Writer {
    start_in(path, "WAL")
}

/// The same in another journal mode.
pub fn start_in(path: &Path, mode: &str) -> Writer {
    let db = fill_in(path, 0, mode);
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint = 0;")
        .unwrap();
    // Back only when there is a fresh sample, and so a -wal and a -shm.
    insert(&db, Timestamp::now());
    let (stop, stopped) = channel();
    // Whoever writes more often than it can be copied has no copy by reading alone.
    let pace = Duration::from_millis(if mode == "WAL" { 200 } else { 3000 });
    let thread = std::thread::spawn(move || write_until(&stopped, &db, pace));
    Writer {
        stop: Some(stop),
        thread: Some(thread),
    }
}

/// Creates the tables with one hour of samples that ended `age_s` seconds ago.
pub fn fill(path: &Path, age_s: i64) -> Connection {
    fill_in(path, age_s, "WAL")
}

/// The same in another journal mode.
pub fn fill_in(path: &Path, age_s: i64, mode: &str) -> Connection {
    let db = Connection::open(path).unwrap();
    db.busy_timeout(Duration::from_secs(5)).unwrap();
    db.execute_batch(&format!(
        "PRAGMA journal_mode = {mode};
         CREATE TABLE IMEMORY_STATIC (static_id INTEGER PRIMARY KEY, name TEXT);
         CREATE TABLE IMEMORY_DYNAMIC (timestamp INTEGER, static_id INTEGER, rss INTEGER);
         CREATE TABLE IGLOBALS_STATIC (static_id INTEGER PRIMARY KEY, name TEXT);
         CREATE TABLE IGLOBALS_DYNAMIC (timestamp INTEGER, static_id INTEGER, clients INTEGER);
         INSERT INTO IMEMORY_STATIC VALUES (1, 'memory');
         INSERT INTO IGLOBALS_STATIC VALUES (1, 'globals');
         BEGIN;",
    ))
    .unwrap();
    let newest = amps_time(Timestamp::now()) - age_s * 1000;
    for sample in 0..360 {
        insert_at(&db, newest - (360 - sample) * 10_000);
    }
    db.execute_batch("COMMIT;").unwrap();
    db
}

fn insert(db: &Connection, at: Timestamp) {
    insert_at(db, amps_time(at));
}

fn insert_at(db: &Connection, timestamp: i64) {
    for table in ["IMEMORY_DYNAMIC", "IGLOBALS_DYNAMIC"] {
        let line = format!("INSERT INTO {table} VALUES (?1, 1, ?1 % 1000)");
        db.execute(&line, [timestamp]).unwrap();
    }
}

fn write_until(stopped: &Receiver<()>, db: &Connection, pace: Duration) {
    while stopped.recv_timeout(pace) == Err(RecvTimeoutError::Timeout) {
        insert(db, Timestamp::now());
    }
}

/// The files that belong to the database at `path`, itself first.
pub fn files(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    })
}
