//! Marks by which a copy of a live SQLite database is told from a torn one. Nothing here opens a
//! database; the fields are those of the file format (<https://www.sqlite.org/fileformat2.html>,
//! 1.3 "the database header" and 4.1 "WAL file format"; <https://www.sqlite.org/walformat.html>).
//!
//! # The caller's protocol
//! A database in WAL mode ([`DatabaseMark::is_wal`]): read the [`WalMark`] of the `-wal`, copy the
//! database, *then* copy the `-wal`, then read the mark again. The copy is consistent when both
//! marks are equal and the `-wal` still exists: a checkpoint may have moved pages into the database
//! meanwhile, but as long as the salts stay, the `-wal` still holds every one of them, and SQLite
//! takes the page from there. New salts mean that the `-wal` was begun anew: copy again. No `-wal`,
//! or an empty one, both before and after: nobody has written lately, and the [`DatabaseMark`]
//! decides as follows.
//!
//! A database in rollback mode: read the [`DatabaseMark`], copy the database and the `-journal` if
//! there is one, read the mark again. The copy may be consistent when both marks are equal. They can
//! be equal in the middle of a transaction as well, so that only `database::inspect` has the last
//! word; a torn copy is a reason to copy again before it is a failure (facts: perf.md).

/// Length of the header that a [`DatabaseMark`] is read from.
pub const DATABASE_HEADER: u64 = 100;
/// Length of the header that a [`WalMark`] is read from.
pub const WAL_HEADER: u64 = 32;

/// The first 16 bytes of every SQLite 3 database.
pub const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// What a database's header says of its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseMark {
    /// Bytes of a page: a power of two from 512 to 65536 (offset 16).
    pub page_size: u32,
    /// Counts transactions in rollback mode; need not move in WAL mode (offset 24).
    pub change_counter: u32,
    /// Pages of the database; holds when [`Self::has_page_count`] (offset 28).
    pub pages: u32,
    /// The change counter for which `pages` holds (offset 92).
    pub valid_for: u32,
    /// Version that must be understood to write, and to read: 1 rollback, 2 WAL (offsets 18, 19).
    pub versions: (u8, u8),
}

impl DatabaseMark {
    /// Reads the first 100 bytes of a file; `None` when they are not a database's.
    #[must_use]
    pub fn read(head: &[u8]) -> Option<Self> {
        let head = head.first_chunk::<100>()?;
        let page_size = match u16::from_be_bytes([head[16], head[17]]) {
            1 => 65_536,
            size => u32::from(size),
        };
        let is_well = head.starts_with(MAGIC) && page_size >= 512 && page_size.is_power_of_two();
        is_well.then(|| Self {
            page_size,
            change_counter: number(head, 24),
            pages: number(head, 28),
            valid_for: number(head, 92),
            versions: (head[18], head[19]),
        })
    }

    /// True for a database in WAL mode, which is stale without its `-wal`.
    #[must_use]
    pub const fn is_wal(&self) -> bool {
        self.versions.0 == 2 || self.versions.1 == 2
    }

    /// True when `pages` is kept by the writer: writers before SQLite 3.7.0 leave it alone.
    #[must_use]
    pub const fn has_page_count(&self) -> bool {
        self.pages > 0 && self.valid_for == self.change_counter
    }
}

/// What a write-ahead log's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalMark {
    /// `0x377f0682` or `0x377f0683`: the byte order of its checksums.
    pub magic: u32,
    /// Bytes of a page.
    pub page_size: u32,
    /// Counts checkpoints.
    pub checkpoint: u32,
    /// Chosen anew each time that the log begins again from its start.
    pub salts: (u32, u32),
    /// True when the header's own checksum is right; SQLite ignores the whole log when it is not.
    pub is_sound: bool,
}

impl WalMark {
    /// Reads the first 32 bytes of a `-wal`; `None` when they are no write-ahead log's.
    #[must_use]
    pub fn read(head: &[u8]) -> Option<Self> {
        let head = head.first_chunk::<32>()?;
        let magic = number(head, 0);
        matches!(magic, 0x377f_0682 | 0x377f_0683).then(|| Self {
            magic,
            page_size: number(head, 8),
            checkpoint: number(head, 12),
            salts: (number(head, 16), number(head, 20)),
            is_sound: checksum(&head[..24], magic & 1 == 1) == (number(head, 24), number(head, 28)),
        })
    }
}

/// The checksum of the WAL format, 4.2, over whole pairs of words.
fn checksum(bytes: &[u8], is_big_endian: bool) -> (u32, u32) {
    let (words, _) = bytes.as_chunks::<4>();
    let mut words = words.iter().map(|word| match is_big_endian {
        true => u32::from_be_bytes(*word),
        false => u32::from_le_bytes(*word),
    });
    let (mut s0, mut s1) = (0_u32, 0_u32);
    while let (Some(even), Some(odd)) = (words.next(), words.next()) {
        s0 = s0.wrapping_add(even).wrapping_add(s1);
        s1 = s1.wrapping_add(odd).wrapping_add(s0);
    }
    (s0, s1)
}

const fn number(head: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;
    use std::fs;
    use std::path::Path;

    fn database(path: &Path) -> DatabaseMark {
        DatabaseMark::read(&fs::read(path).unwrap()).unwrap()
    }

    fn wal(path: &Path) -> WalMark {
        WalMark::read(&fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn a_rollback_database_is_marked_by_each_transaction() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a.db");
        let writer = Connection::open(&path).unwrap();
        writer
            .execute_batch("PRAGMA page_size = 1024; CREATE TABLE t(x);")
            .unwrap();
        let first = database(&path);
        assert!(!first.is_wal() && first.has_page_count());
        assert_eq!((first.page_size, first.pages), (1024, 2));
        assert_eq!(database(&path), first);
        writer.execute("INSERT INTO t VALUES (1)", ()).unwrap();
        assert_ne!(database(&path), first);
    }

    #[test]
    fn a_write_ahead_log_keeps_its_mark_until_it_begins_anew() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a.db");
        let log = scratch.path().join("a.db-wal");
        let writer = Connection::open(&path).unwrap();
        writer
            .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t(x);")
            .unwrap();
        let first = wal(&log);
        assert!(first.is_sound && database(&path).is_wal());
        assert_eq!(first.page_size, database(&path).page_size);
        writer.execute("INSERT INTO t VALUES (1)", ()).unwrap();
        assert_eq!(wal(&log), first);
        writer
            .execute_batch("PRAGMA wal_checkpoint(RESTART); INSERT INTO t VALUES (2);")
            .unwrap();
        assert_ne!(wal(&log).salts, first.salts);
    }

    #[test]
    fn what_is_no_header_has_no_mark() {
        let mut head = [0; 100];
        head[..16].copy_from_slice(MAGIC);
        for (size, is_well) in [
            (0, false),
            (1, true),
            (256, false),
            (4096, true),
            (5000, false),
        ] {
            head[16..18].copy_from_slice(&u16::to_be_bytes(size));
            assert_eq!(DatabaseMark::read(&head).is_some(), is_well, "{size}");
        }
        assert!(DatabaseMark::read(&head[..99]).is_none());
        assert!(DatabaseMark::read(&[0; 100]).is_none());
        assert!(WalMark::read(&[0; 32]).is_none());
        let mut log = [0; 32];
        log[..4].copy_from_slice(&0x377f_0682_u32.to_be_bytes());
        assert!(!WalMark::read(&log).unwrap().is_sound);
    }
}
