//! The files beside a database, checked before SQLite sees them: what it would silently ignore would
//! leave a stale database that looks well. Opens no database.
//!
//! Sources: <https://www.sqlite.org/fileformat2.html> 3 (rollback journal) and 4 (write-ahead log).

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::mark::{DatabaseMark, WAL_HEADER, WalMark};
use crate::failure::{Failure, FailureKind};

/// The first 8 bytes of a rollback journal, and the last 8 of one that names a super-journal.
const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// Checks the `-wal` and the `-journal` beside `database`; true when one of them has content, which
/// may complete or roll back what stands in the database.
///
/// # Errors
/// The failure when SQLite would ignore the file; the inner error when our own scratch copy cannot be
/// read.
pub fn check(database: &Path, mark: &DatabaseMark) -> io::Result<Result<bool, Failure>> {
    let wal = match content(&beside(database, "-wal"))? {
        Some(mut file) => match wal(&mut file, mark)? {
            Ok(()) => true,
            Err(failure) => return Ok(Err(failure)),
        },
        None => false,
    };
    let journal = match content(&beside(database, "-journal"))? {
        Some(mut file) => match journal(&mut file)? {
            Ok(()) => true,
            Err(failure) => return Ok(Err(failure)),
        },
        None => false,
    };
    Ok(Ok(wal || journal))
}

/// `stats.db` → `stats.db-wal`.
fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn content(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok((file.metadata()?.len() > 0).then_some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// SQLite ignores a log whose header is wrong, and with it every transaction since the checkpoint.
fn wal(file: &mut File, database: &DatabaseMark) -> io::Result<Result<(), Failure>> {
    let mut head = Vec::new();
    file.take(WAL_HEADER).read_to_end(&mut head)?;
    let actual = match WalMark::read(&head) {
        None => "no header of a write-ahead log in it",
        Some(mark) if !mark.is_sound => "a damaged header in it",
        Some(mark) if mark.page_size != database.page_size => "the log of another database in it",
        Some(_) => return Ok(Ok(())),
    };
    Ok(Err(refusal("the database's `-wal`", actual)))
}

/// SQLite ignores a journal that names a super-journal which is not there: the copy would keep half
/// a transaction, or SQLite would go and look at a path of the server's choice.
fn journal(file: &mut File) -> io::Result<Result<(), Failure>> {
    let length = file.metadata()?.len();
    let mut tail = [0; 8];
    if length >= 16 {
        file.seek(SeekFrom::End(-8))?;
        file.read_exact(&mut tail)?;
    }
    Ok(match tail == JOURNAL_MAGIC {
        true => Err(refusal(
            "a `-journal` of this database alone",
            "a transaction over several databases, of which the others are not here",
        )),
        false => Ok(()),
    })
}

fn refusal(expected: &str, actual: &str) -> Failure {
    Failure::new(FailureKind::Corrupt, expected, actual).with_hint(
        "the copy was torn by the writer, or the file is damaged: fetch again, and if it stays so \
         take the copy on the host with `sqlite3 … 'VACUUM INTO'`",
    )
}
