//! Databases that a hostile server made: each is refused, or harmless, in bounded time and memory.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;

use super::{Wanted, inspect};
use crate::evidence::database_seen::DatabaseSeen;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Sample, SampleUnit};

const PATIENCE: Duration = Duration::from_secs(60);

struct Made(TempDir);

impl Made {
    fn file(&self) -> PathBuf {
        self.0.path().join("copy.db")
    }

    fn bytes(bytes: &[u8]) -> Self {
        let made = Self(tempfile::tempdir().unwrap());
        fs::write(made.file(), bytes).unwrap();
        made
    }

    fn sql(sql: &str) -> Self {
        let made = Self(tempfile::tempdir().unwrap());
        let db = Connection::open(made.file()).unwrap();
        db.execute_batch(sql).unwrap();
        made
    }

    fn judge(&self) -> Result<DatabaseSeen, Failure> {
        self.judge_by("t", "x", SampleUnit::Unix)
    }

    fn judge_by(
        &self,
        table: &str,
        column: &str,
        unit: SampleUnit,
    ) -> Result<DatabaseSeen, Failure> {
        let begun = Instant::now();
        let wanted = Wanted {
            tables: vec![table.to_owned()],
            sample: Some(Sample {
                table: table.to_owned(),
                column: column.to_owned(),
                unit,
            }),
            ..Wanted::default()
        };
        let judged = inspect(&self.file(), &wanted, PATIENCE);
        assert!(begun.elapsed() < PATIENCE, "{judged:?}");
        judged
    }

    #[track_caller]
    fn refused(&self, kind: FailureKind, words: &str) {
        let failure = self.judge().unwrap_err();
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(failure.actual.contains(words), "{failure}");
        assert!(!failure.hint.is_empty() && failure.actual.len() < 600);
    }
}

const SOUND: &str = "CREATE TABLE t(x); INSERT INTO t VALUES (1795253400);";

#[test]
fn what_is_another_kind_of_file_is_told_with_the_remedy() {
    use std::io::Write as _;
    let sound = Made::sql(SOUND);
    let whole = fs::read(sound.file()).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&whole).unwrap();
    let gzip = gzip.finish().unwrap();
    let random: Vec<u8> = (0..4096_u64)
        .map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) >> 32) as u8)
        .collect();
    let journal = [
        &[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7][..],
        &[0; 600],
    ]
    .concat();
    for (bytes, words, hint) in [
        (&gzip[..], "gzip", "format: plain"),
        (b"\x28\xb5\x2f\xfd rest of it", "zstd", "format: plain"),
        (b"\xfd7zXZ\0 rest of it", "xz", "format: plain"),
        (b"BZh91AY rest of it", "bzip2", "format: plain"),
        (
            b"** This file contains an SQLite 2.1 database **",
            "SQLite 2",
            "names",
        ),
        (b"<!DOCTYPE html><html>503</html>", "HTML", "path"),
        (&random, "encrypted", "key"),
        (&journal, "rollback journal", "database itself"),
        (
            b"\x37\x7f\x06\x82 a write-ahead log",
            "write-ahead log",
            "database itself",
        ),
    ] {
        let made = Made::bytes(bytes);
        let failure = made.judge().unwrap_err();
        assert_eq!(failure.kind, FailureKind::Corrupt);
        assert!(failure.actual.contains(words), "{words}: {failure}");
        assert!(
            failure.hint.contains(hint) || words == "SQLite 2",
            "{}",
            failure.hint
        );
    }
    Made::bytes(b"").refused(FailureKind::Empty, "0 bytes");
    assert!(sound.judge().is_ok());
}

#[test]
fn a_view_or_virtual_table_is_no_table() {
    for (sql, words) in [
        (
            "CREATE TABLE o(x); INSERT INTO o VALUES (1); CREATE VIEW t AS SELECT 1795253400 AS x;",
            "`t` is a view",
        ),
        (
            "CREATE TABLE o(x); CREATE VIEW t AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n;",
            "`t` is a view",
        ),
        (
            "CREATE TABLE o(x); CREATE VIRTUAL TABLE t USING rtree(id, x, y);",
            "`t` is a virtual table",
        ),
        (
            "CREATE TABLE o(x); CREATE VIRTUAL TABLE t USING fts5(x);",
            "`t` is a virtual table",
        ),
        (
            "CREATE TABLE o(x); CREATE VIRTUAL TABLE t USING dbstat;",
            "`t` is a virtual table",
        ),
    ] {
        Made::sql(sql).refused(FailureKind::Mismatch, words);
    }
    // Beside what is asked for they do no harm.
    for more in [
        "CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES ('a');",
        "CREATE VIRTUAL TABLE r USING rtree(id, x, y); INSERT INTO r VALUES (1, 0, 1);",
        "CREATE VIRTUAL TABLE s USING dbstat;",
        "CREATE VIEW v AS SELECT * FROM v2; CREATE VIEW v2 AS SELECT * FROM v;",
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t; END;",
        "CREATE TABLE a(i INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO a VALUES (1); UPDATE sqlite_sequence SET seq = 9223372036854775807;",
    ] {
        let seen = Made::sql(&format!("{SOUND}{more}")).judge();
        assert_eq!(seen.unwrap().samples, 1, "{more}");
    }
}

#[test]
fn a_schema_that_computes_without_bound_is_refused() {
    // Each would keep one call of a function busy for hours, where no deadline is looked at.
    let big = "CAST(zeroblob(60000000) AS TEXT)";
    let half = "CAST(zeroblob(30000000) || 'x' AS TEXT)";
    for column in [
        format!("y AS (instr({big}, {half}))"),
        format!("y GENERATED ALWAYS AS (replace({big}, {half}, ''))"),
        format!("y AS/**/(instr/**/({big}, {half}))"),
        format!("y AS (\"trim\"({big}, {half}))"),
    ] {
        // Without a row: to insert one computes it.
        let sql = format!("CREATE TABLE t(x, {column});");
        Made::sql(&sql).refused(FailureKind::Mismatch, "time has no bound");
    }
    let index = "CREATE INDEX i ON t(unhex(x, 'ab'));";
    Made::sql(&format!("{SOUND}{index}")).refused(FailureKind::Mismatch, "`i` computes");
    // What a product may well have.
    for fine in [
        "CREATE TABLE u(x TEXT CHECK (trim(x) <> ''), y UNIQUE ON CONFLICT REPLACE);",
        "CREATE TABLE u(x, y AS (x / 1000) STORED); CREATE INDEX j ON u(y) WHERE x LIKE 'a%';",
        "CREATE INDEX j ON t(date(x, 'unixepoch'));",
        "CREATE TABLE replacements(x, trimmed);",
    ] {
        let judged = Made::sql(&format!("{SOUND}{fine}")).judge();
        // `date` is not deterministic, says SQLite of some of its uses, when the schema was made.
        assert!(judged.is_ok(), "{fine}: {judged:?}");
    }
    // A constraint that lies is the product's business, and is not run.
    let never = "CREATE TABLE c(x CHECK (length(randomblob(60000000)) > x)); PRAGMA ignore_check_constraints = 1; INSERT INTO c VALUES (99999999);";
    assert!(Made::sql(&format!("{SOUND}{never}")).judge().is_ok());
}

#[test]
fn sizes_have_their_limits() {
    // 10,000 tables, and names that would fill a page.
    let mut many = String::from("BEGIN;");
    for n in 0..10_000 {
        many += &format!("CREATE TABLE \"table {n} {}\"(x);", "n".repeat(50));
    }
    let made = Made::sql(&format!("{many}COMMIT;"));
    made.refused(FailureKind::Mismatch, "not there");
    // A cell beyond what any statistics hold, behind the sample's column and before it.
    let blob =
        Made::sql("CREATE TABLE t(y, x); INSERT INTO t VALUES (zeroblob(68000000), 1795253400);");
    match blob.judge() {
        Ok(seen) => assert_eq!(seen.samples, 1),
        Err(failure) => assert_eq!(failure.kind, FailureKind::TooLarge, "{failure}"),
    }
    Made::sql("CREATE TABLE t(x); INSERT INTO t VALUES (zeroblob(68000000));")
        .refused(FailureKind::TooLarge, "");
    // A header that tells of four billion pages.
    let mut bytes = fs::read(Made::sql(SOUND).file()).unwrap();
    bytes[28..32].fill(0xff);
    Made::bytes(&bytes).refused(FailureKind::Corrupt, "4294967295 pages");
    bytes[92] ^= 1;
    assert!(
        Made::bytes(&bytes).judge().is_ok(),
        "a count that does not hold is not looked at"
    );
}

#[test]
fn times_that_are_none_are_no_samples() {
    let t = |value: &str| {
        Made::sql(&format!(
            "CREATE TABLE t(x); INSERT INTO t VALUES ({value});"
        ))
    };
    for value in [
        "'soon'",
        "9e999",
        "-9e999",
        "NULL",
        "x'00'",
        "9223372036854775807",
    ] {
        t(value).refused(FailureKind::Mismatch, "none of them such a time");
    }
    // One good among them is one sample that counts.
    let mixed = t("9e999), ('2026'), (1795253400");
    let seen = mixed.judge().unwrap();
    assert_eq!((seen.samples, seen.oldest), (3, seen.newest));
    let text = t("'2026-11-21T09:30:00Z'");
    assert!(text.judge_by("t", "x", SampleUnit::Rfc3339).is_ok());
    assert_eq!(text.judge().unwrap_err().kind, FailureKind::Mismatch);
}

#[test]
fn the_log_of_another_database_is_never_sound() {
    let made =
        Made::sql("CREATE TABLE t(x); CREATE INDEX i ON t(x); INSERT INTO t VALUES (1795253400);");
    let other = Made(tempfile::tempdir().unwrap());
    let db = Connection::open(other.file()).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE o(a, b); \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000) INSERT INTO o SELECT i, i FROM n;",
    )
    .unwrap();
    let wal = other.0.path().join("copy.db-wal");
    fs::copy(&wal, made.0.path().join("copy.db-wal")).unwrap();
    // To SQLite a log counts only beside a database in WAL mode.
    let mut bytes = fs::read(made.file()).unwrap();
    bytes[18..20].fill(2);
    fs::write(made.file(), bytes).unwrap();
    let failure = made.judge().unwrap_err();
    assert!(
        matches!(failure.kind, FailureKind::Corrupt | FailureKind::Mismatch),
        "{failure}"
    );
}

/// Debian's own tool makes the same files as the library that is built in.
#[test]
fn what_the_installed_sqlite3_writes_is_read() {
    let made = Made(tempfile::tempdir().unwrap());
    let ran = Command::new("sqlite3")
        .arg(made.file())
        .arg(SOUND)
        .status()
        .unwrap();
    assert!(ran.success());
    assert_eq!(made.judge().unwrap().samples, 1);
}
