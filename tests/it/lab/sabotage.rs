//! What goes wrong on production servers, done to an instance on purpose. Each function proves, as
//! the account that will fetch the file, that the sabotage bites: a test that is green because
//! nothing was broken proves nothing.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use jiff::SignedDuration;

use super::account::OPERATIONS;
use super::amps::{Amps, config};
use super::statistics;

impl Amps {
    /// `chmod 000`: a file that may not be read, a directory that may not be entered.
    pub fn lock(&self, relative: &str) {
        let path = self.path(relative);
        let line = if path.is_dir() {
            "exec ls -- \"$1\""
        } else {
            "exec cat -- \"$1\""
        };
        assert!(
            OPERATIONS.sh(line, &path).status.success(),
            "{path:?}: readable before"
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        assert!(
            !OPERATIONS.sh(line, &path).status.success(),
            "{path:?}: still readable"
        );
    }

    /// Another mode than the service gives.
    pub fn mode(&self, relative: &str, mode: u32) {
        fs::set_permissions(self.path(relative), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The file is gone, or the directory with all it held.
    pub fn remove(&self, relative: &str) {
        let path = self.path(relative);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        assert!(!OPERATIONS.can_read(&path));
    }

    /// A FIFO without writer in the file's place: opening it never returns.
    pub fn fifo(&self, relative: &str) {
        let path = self.path(relative);
        self.remove(relative);
        let made = Command::new("mkfifo")
            .args(["-m", "644"])
            .arg(&path)
            .status();
        assert!(made.unwrap().success());
        let tried = OPERATIONS.sh("exec cat -- \"$1\"", &path);
        assert_eq!(tried.status.code(), Some(124), "{path:?}: reading returned");
    }

    /// A link that leads nowhere in the file's place.
    pub fn dangle(&self, relative: &str) {
        self.remove(relative);
        symlink("/nonexistent/gonogo", self.path(relative)).unwrap();
        assert!(!OPERATIONS.can_read(&self.path(relative)));
    }

    /// Nothing in it.
    pub fn empty(&self, relative: &str) {
        self.write(relative, b"");
        let cat = OPERATIONS.sh("exec cat -- \"$1\"", &self.path(relative));
        assert!(cat.status.success() && cat.stdout.is_empty());
    }

    /// Every log entry is three days older than it should be.
    pub fn age_logs(&self) {
        self.write_logs(SignedDuration::from_hours(72));
        let today = jiff::Timestamp::now().strftime("%Y-%m-%dT%H").to_string();
        let log = fs::read_to_string(self.path(&self.log())).unwrap();
        assert!(!log.is_empty() && !log.contains(&today));
    }

    /// Only the last hour of the log is left.
    pub fn drop_rotated_logs(&self) {
        for rotated in ["1", "2.gz"] {
            self.remove(&format!("{}.{rotated}", self.log()));
        }
    }

    /// The rotated log lost its second half on the way.
    pub fn cut_gzip(&self) {
        let rotated = format!("{}.2.gz", self.log());
        let bytes = fs::read(self.path(&rotated)).unwrap();
        self.write(&rotated, &bytes[..bytes.len() / 3]);
        let test = OPERATIONS.sh("exec gzip -t <\"$1\"", &self.path(&rotated));
        assert!(!test.status.success(), "gzip -t is content");
    }

    /// Opened, never closed.
    pub fn break_xml(&self, relative: &str) {
        let whole = fs::read_to_string(self.path(relative)).unwrap();
        assert!(roxmltree::Document::parse(&whole).is_ok());
        let broken = whole.replace("</AMPSConfig>", "");
        assert!(roxmltree::Document::parse(&broken).is_err());
        self.write(relative, broken.as_bytes());
    }

    /// The configuration of another instance.
    pub fn rename_config(&self, name: &str) {
        assert_ne!(name, self.name);
        self.write("config/config.xml", config(name).as_bytes());
    }

    /// No statistics, as AMPS keeps them by default: in memory alone.
    pub fn remove_statistics(&self) {
        self.stop_writer();
        let path = self.path("stats.db");
        for file in statistics::files(&path) {
            let _ = fs::remove_file(&file);
            assert!(!OPERATIONS.can_read(&file));
        }
    }

    /// The statistics were last written an hour ago.
    pub fn age_statistics(&self) {
        self.replace_database(|path| {
            let db = statistics::fill(path, 3600);
            let fresh: i64 = db
                .query_row(
                    "SELECT count(*) FROM IMEMORY_DYNAMIC \
                     WHERE timestamp / 1000 - 210866803200 > unixepoch() - 600",
                    [],
                    |row| row.get(0),
                )
                .unwrap();
            assert_eq!(fresh, 0);
        });
    }

    /// Tables, and not one sample.
    pub fn clear_statistics(&self) {
        self.replace_database(|path| {
            let db = statistics::fill(path, 0);
            db.execute_batch("DELETE FROM IMEMORY_DYNAMIC; DELETE FROM IGLOBALS_DYNAMIC;")
                .unwrap();
        });
    }

    /// The pages of the database are overwritten, its header is not.
    pub fn corrupt_statistics(&self) {
        self.replace_database(|path| {
            let db = statistics::fill(path, 0);
            db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;")
                .unwrap();
            drop(db);
            let mut bytes = fs::read(path).unwrap();
            assert!(bytes.len() > 8192);
            for byte in bytes[4096..].iter_mut().step_by(3) {
                *byte ^= 0x5a;
            }
            fs::write(path, bytes).unwrap();
            let db = rusqlite::Connection::open(path).unwrap();
            let check = db.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
            assert!(check.is_err() || check.unwrap() != "ok");
        });
    }

    /// The database may be read, its live `-wal` may not (facts: traps.md T6).
    pub fn lock_wal(&self) {
        let wal = self.path("stats.db-wal");
        assert!(fs::metadata(&wal).unwrap().len() > 0, "the -wal is alive");
        self.lock("stats.db-wal");
        assert!(OPERATIONS.can_read(&self.path("stats.db")));
    }

    /// The version command takes a minute.
    pub fn slow_version(&self) {
        self.write("bin/ampServer", b"#!/bin/sh\nsleep 60\n");
        self.executable();
        let tried = OPERATIONS.sh("exec \"$1\" --version", &self.path("bin/ampServer"));
        assert_eq!(tried.status.code(), Some(124), "it is not slow");
    }

    /// The version command says something else, and then ends with `status`.
    pub fn answer_version(&self, text: &str, status: i32) {
        let script = format!("#!/bin/sh\nprintf '%s' '{text}'\nexit {status}\n");
        self.write("bin/ampServer", script.as_bytes());
        self.executable();
        let tried = OPERATIONS.sh("exec \"$1\" --version", &self.path("bin/ampServer"));
        assert_eq!(tried.status.code(), Some(status));
        assert_eq!(tried.stdout, text.as_bytes());
    }

    fn executable(&self) {
        let path = self.path("bin/ampServer");
        fs::set_permissions(path, fs::Permissions::from_mode(0o750)).unwrap();
    }

    // SQLite gives -wal and -shm the owner and mode of the database, so the file comes first.
    fn replace_database(&self, make: impl FnOnce(&Path)) {
        self.remove_statistics();
        let path = self.path("stats.db");
        self.write("stats.db", b"");
        make(&path);
        assert!(OPERATIONS.can_read(&path));
    }
}
