//! Databases as a live writer leaves them, copied well and copied badly.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::evidence::mark::WalMark;
use crate::inventory::SampleUnit;

fn inspect(
    database: &std::path::Path,
    tables: &[String],
    sample: Option<&Sample>,
    within: Duration,
) -> Result<Content, Failure> {
    let wanted = Wanted {
        tables: tables.to_vec(),
        sample: sample.cloned(),
        ..Wanted::default()
    };
    super::inspect(database, &wanted, within).map(|seen| Content::Database(Box::new(seen)))
}

const MINUTE: Duration = Duration::from_secs(60);

/// A server's directory with a live database, and a scratch directory of ours.
struct Estate {
    server: TempDir,
    scratch: TempDir,
}

impl Estate {
    /// A database with 50 samples, its writer still connected.
    fn new(mode: &str) -> (Self, Connection) {
        let estate = Self {
            server: tempfile::tempdir().unwrap(),
            scratch: tempfile::tempdir().unwrap(),
        };
        let writer = Connection::open(estate.live("")).unwrap();
        let setup = format!(
            "PRAGMA journal_mode = {mode}; PRAGMA wal_autocheckpoint = 0; \
             CREATE TABLE IMEMORY_DYNAMIC(timestamp INTEGER, static_id INTEGER, v TEXT); \
             CREATE TABLE IMEMORY_STATIC(static_id INTEGER PRIMARY KEY, client_name TEXT); \
             CREATE INDEX by_time ON IMEMORY_DYNAMIC(timestamp);"
        );
        writer.execute_batch(&setup).unwrap();
        for n in 0..50 {
            insert(&writer, n);
        }
        (estate, writer)
    }

    fn live(&self, suffix: &str) -> PathBuf {
        self.server.path().join(format!("stats.db{suffix}"))
    }

    fn copy(&self, suffix: &str) -> PathBuf {
        self.scratch.path().join(format!("stats.db{suffix}"))
    }

    /// Copies the database and those of `suffixes` that exist.
    fn fetch(&self, suffixes: &[&str]) {
        for suffix in ["", "-wal", "-journal"] {
            let _ = fs::remove_file(self.copy(suffix));
        }
        fs::copy(self.live(""), self.copy("")).unwrap();
        for suffix in suffixes {
            if self.live(suffix).exists() {
                fs::copy(self.live(suffix), self.copy(suffix)).unwrap();
            }
        }
    }

    fn inspect(&self) -> Result<Content, Failure> {
        let tables = ["IMEMORY_STATIC".to_owned()];
        inspect(&self.copy(""), &tables, Some(&sample()), MINUTE)
    }

    fn rows(&self) -> u64 {
        match self.inspect() {
            Ok(Content::Database(seen)) => seen.samples,
            other => panic!("{other:?}"),
        }
    }

    fn kind(&self) -> FailureKind {
        self.inspect().unwrap_err().kind
    }
}

fn sample() -> Sample {
    Sample {
        table: "IMEMORY_DYNAMIC".to_owned(),
        column: "timestamp".to_owned(),
        unit: SampleUnit::Amps,
    }
}

/// The nth sample, in AMPS' time; the 50th is of 2026-11-21T09:30:49Z.
fn insert(writer: &Connection, n: i64) {
    let at = 212_662_056_600_000 + n * 1000;
    writer
        .execute(
            "INSERT INTO IMEMORY_DYNAMIC VALUES (?1, ?2, ?3)",
            (at, n, "x".repeat(500)),
        )
        .unwrap();
}

#[test]
fn a_copy_is_judged_and_the_newest_sample_found() {
    let (estate, writer) = Estate::new("DELETE");
    drop(writer);
    estate.fetch(&[]);
    let newest: Timestamp = "2026-11-21T09:30:49Z".parse().unwrap();
    let Ok(Content::Database(seen)) = estate.inspect() else {
        panic!("no database")
    };
    assert_eq!(
        (seen.tables, seen.samples, seen.newest),
        (2, 50, Some(newest))
    );
    assert_eq!(seen.oldest, Some(newest - Duration::from_secs(49)));
    assert_eq!((seen.journal_mode, seen.page_size), ("rollback", 4096));
    assert_eq!(seen.widest.unwrap().width().as_secs(), 1);
    let without = inspect(&estate.copy(""), &[], None, MINUTE).unwrap();
    assert_eq!(without.newest(), None);
}

#[test]
fn without_its_wal_a_live_database_is_stale() {
    let (estate, writer) = Estate::new("WAL");
    writer
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    for n in 50..80 {
        insert(&writer, n);
    }
    estate.fetch(&[]);
    assert_eq!(
        estate.rows(),
        50,
        "the trap must bite: integrity_check is content"
    );
    estate.fetch(&["-wal"]);
    assert_eq!(estate.rows(), 80);
    // The writer never noticed.
    insert(&writer, 80);
    estate.fetch(&["-wal"]);
    assert_eq!(estate.rows(), 81);
}

#[test]
fn a_torn_tail_of_the_wal_is_left_out_and_a_torn_head_is_corrupt() {
    let (estate, writer) = Estate::new("WAL");
    writer
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    insert(&writer, 50);
    let one = fs::metadata(estate.live("-wal")).unwrap().len();
    insert(&writer, 51);
    estate.fetch(&["-wal"]);
    let wal = fs::read(estate.copy("-wal")).unwrap();
    fs::write(estate.copy("-wal"), &wal[..one as usize + 100]).unwrap();
    assert_eq!(estate.rows(), 51);
    for damage in [1, 13, 25] {
        let mut wal = wal.clone();
        wal[damage] ^= 0x40;
        estate.fetch(&[]);
        fs::write(estate.copy("-wal"), &wal).unwrap();
        assert_eq!(estate.kind(), FailureKind::Corrupt, "byte {damage}");
    }
    estate.fetch(&[]);
    fs::write(estate.copy("-wal"), &wal[..20]).unwrap();
    assert_eq!(estate.kind(), FailureKind::Corrupt);
}

#[test]
fn a_transaction_caught_half_way_is_rolled_back_by_its_journal() {
    let (estate, writer) = Estate::new("DELETE");
    // A cache of one page makes the writer spill into the database before it commits.
    writer
        .execute_batch("PRAGMA cache_size = 1; BEGIN; UPDATE IMEMORY_DYNAMIC SET v = v || 'y';")
        .unwrap();
    for n in 50..200 {
        insert(&writer, n);
    }
    estate.fetch(&["-journal"]);
    assert!(estate.copy("-journal").exists());
    assert_eq!(estate.rows(), 50);
    let committed = estate.inspect();
    estate.fetch(&[]);
    // Without it the copy is damaged or, worse, sound and full of what was never committed.
    assert_ne!(estate.inspect(), committed, "the trap must bite");
}

#[test]
fn a_journal_over_several_databases_is_refused() {
    let (estate, writer) = Estate::new("DELETE");
    drop(writer);
    estate.fetch(&[]);
    let name = b"/elsewhere-mj00000009AB";
    let mut journal = vec![0; 512];
    journal.extend_from_slice(name);
    journal.extend_from_slice(&(name.len() as u32).to_be_bytes());
    journal.extend_from_slice(&[0; 4]);
    journal.extend_from_slice(&[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);
    fs::write(estate.copy("-journal"), &journal).unwrap();
    let failure = estate.inspect().unwrap_err();
    assert!(failure.actual.contains("several databases"), "{failure}");
    // Left behind by a finished transaction: harmless.
    fs::write(estate.copy("-journal"), vec![0; 512]).unwrap();
    assert_eq!(estate.rows(), 50);
}

#[test]
fn what_is_no_whole_database_is_refused() {
    let (estate, writer) = Estate::new("DELETE");
    drop(writer);
    let whole = fs::read(estate.live("")).unwrap();
    let put = |bytes: &[u8]| fs::write(estate.copy(""), bytes).unwrap();
    put(b"");
    assert_eq!(estate.kind(), FailureKind::Empty);
    let mut wrong_page = whole.clone();
    wrong_page[16] = 0x13;
    let cases: [&[u8]; 6] = [
        b"x",
        &[0; 8192],
        &[b"no database at all".as_slice(), &[1; 5000]].concat(),
        &whole[..50],
        &whole[..whole.len() - 4096],
        &wrong_page,
    ];
    for bytes in cases {
        put(bytes);
        assert_eq!(estate.kind(), FailureKind::Corrupt);
    }
    put(&whole[..whole.len() - 1]);
    let failure = estate.inspect().unwrap_err();
    assert!(failure.actual.contains("truncated"), "{failure}");
    // Half old, half new: what a slow copy of a busy database looks like.
    let mut torn = whole.clone();
    let half = torn.len() / 2 / 4096 * 4096;
    torn[half..half + 4096].fill(0);
    put(&torn);
    assert_eq!(estate.kind(), FailureKind::Corrupt);
    put(&whole);
    assert_eq!(estate.rows(), 50);
}

#[test]
fn missing_tables_are_a_mismatch_and_missing_rows_are_empty() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("a.db");
    let judge = |sql: &str, tables: &[&str], sample: Option<&Sample>| {
        let _ = fs::remove_file(&path);
        let writer = Connection::open(&path).unwrap();
        writer.execute_batch(sql).unwrap();
        drop(writer);
        let tables: Vec<String> = tables.iter().map(|&table| table.to_owned()).collect();
        inspect(&path, &tables, sample, MINUTE)
    };
    let sample = sample();
    let kind = |judged: Result<Content, Failure>| judged.unwrap_err().kind;
    let no_table = judge("PRAGMA user_version = 1; VACUUM;", &[], None);
    assert_eq!(kind(no_table), FailureKind::Empty);
    assert_eq!(
        kind(judge("CREATE TABLE t(x)", &[], None)),
        FailureKind::Empty
    );
    let rows =
        "CREATE TABLE empty(x); CREATE TABLE \"a \"\"b\"(x); INSERT INTO \"a \"\"b\" VALUES (1);";
    assert!(judge(rows, &["EMPTY"], None).is_ok());
    let missing = judge(rows, &["nowhere", "empty"], Some(&sample)).unwrap_err();
    assert_eq!(missing.kind, FailureKind::Mismatch);
    assert_eq!(
        missing.expected,
        "a database with `nowhere`, `IMEMORY_DYNAMIC`"
    );
    let view = "CREATE TABLE t(x); INSERT INTO t VALUES (1); \
                CREATE VIEW IMEMORY_DYNAMIC AS SELECT 1 AS timestamp;";
    assert_eq!(kind(judge(view, &[], Some(&sample))), FailureKind::Mismatch);
    let other = "CREATE TABLE IMEMORY_DYNAMIC(time); INSERT INTO IMEMORY_DYNAMIC VALUES (1);";
    assert_eq!(
        kind(judge(other, &[], Some(&sample))),
        FailureKind::Mismatch
    );
    let no_row = "CREATE TABLE IMEMORY_DYNAMIC(timestamp);";
    assert_eq!(kind(judge(no_row, &[], Some(&sample))), FailureKind::Empty);
}

#[test]
fn the_deadline_holds_for_any_database() {
    let (estate, writer) = Estate::new("DELETE");
    writer
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) \
             INSERT INTO IMEMORY_DYNAMIC SELECT 212662056600000, i, 'x' FROM n;",
        )
        .unwrap();
    drop(writer);
    estate.fetch(&[]);
    let judged = inspect(&estate.copy(""), &[], Some(&sample()), Duration::ZERO);
    assert_eq!(judged.unwrap_err().kind, FailureKind::Timeout);
    assert_eq!(estate.rows(), 20_050);
    let nowhere = inspect(&estate.server.path().join("nowhere"), &[], None, MINUTE);
    assert_eq!(nowhere.unwrap_err().kind, FailureKind::Undefined);
}

/// The protocol in the head of `mark.rs`, against a writer that never pauses: a copy with equal marks
/// is always well.
#[test]
fn copies_between_equal_marks_are_consistent() {
    let (estate, writer) = Estate::new("WAL");
    let stop = Arc::new(AtomicBool::new(false));
    let (started, ready) = mpsc::channel();
    let busy = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        let mut n = 50;
        while !busy.load(Ordering::Relaxed) {
            insert(&writer, n);
            n += 1;
            writer
                .execute("DELETE FROM IMEMORY_DYNAMIC WHERE static_id = ?1", [n - 50])
                .unwrap();
            match n % 40 {
                0 => writer
                    .execute_batch("PRAGMA wal_checkpoint(RESTART)")
                    .unwrap(),
                20 => writer
                    .execute_batch("PRAGMA wal_checkpoint(PASSIVE)")
                    .unwrap(),
                _ => {}
            }
            let _ = started.send(());
        }
    });
    ready.recv().unwrap();
    let mark = || WalMark::read(&fs::read(estate.live("-wal")).unwrap());
    let mut consistent = 0;
    let limit = Instant::now() + MINUTE;
    while consistent < 20 && Instant::now() < limit {
        let before = mark();
        estate.fetch(&["-wal"]);
        if before.is_some() && mark() == before {
            assert!((49..=51).contains(&estate.rows()));
            consistent += 1;
        }
    }
    stop.store(true, Ordering::Relaxed);
    thread.join().unwrap();
    assert_eq!(consistent, 20, "too few undisturbed copies");
}
