//! Files by SFTP, spoken by ourselves over whatever stream a client has: libssh2's own SFTP has one question
//! under way at a time. What is asked for is known here and nowhere below: only reading.

pub(super) mod far;
mod fetch;
mod files;
pub(super) mod packet;

pub(super) use fetch::{Fetched, Order, Wanted};
pub(super) use files::Files;

use jiff::Timestamp;
use ssh2::FileStat;

use self::packet::{Answer, Broken, Dialogue};
use super::{Element, Entry, EntryKind, files as rules, glob};
use crate::failure::Failure;

/// SSH_FX_…, as far as they mean something of their own.
const EOF: u32 = 1;
const NO_SUCH_FILE: u32 = 2;
const DENIED: u32 = 3;
/// Of later versions; some servers say them in this one.
const NO_SUCH_PATH: u32 = 10;
const NOT_A_DIRECTORY: u32 = 19;

/// An open subsystem, and who carries it.
pub(super) trait Conversation {
    /// What is asked and answered; a failure when it is over.
    fn dialogue(&mut self) -> Result<&mut Dialogue, Failure>;

    /// Sends what was asked, and waits for the next answer to any of it. A failure ends the conversation:
    /// what is still under way in it would be taken for other answers.
    fn answer(&mut self, what: &str) -> Result<(u32, Answer), Failure>;

    /// Sends what was asked, and waits for nothing.
    fn flush(&mut self);

    /// Ends it over what came, which is no answer to what was asked.
    fn refuse(&mut self, came: &Answer, what: &str) -> Failure;
}

pub(super) fn unasked(answer: &Answer) -> Broken {
    let came = match answer {
        Answer::Status(code, _) => format!("status {code}"),
        Answer::Handle(_) => "a handle".to_owned(),
        Answer::Data(_) => "more bytes than were asked for, or none".to_owned(),
        Answer::Names(_) => "names".to_owned(),
        Answer::Attributes(_) => "attributes".to_owned(),
    };
    Broken::Lying(came)
}

/// Why a question has no good answer.
enum No {
    /// The server said so.
    Status(u32, String),
    /// The conversation is over.
    Over(Failure),
}

impl No {
    fn about(self, path: &str) -> Failure {
        match self {
            Self::Over(failure) => failure,
            Self::Status(NO_SUCH_FILE | NO_SUCH_PATH | NOT_A_DIRECTORY, _) => rules::missing(path),
            Self::Status(DENIED, _) => rules::denied(path),
            Self::Status(code, said) => {
                let said = crate::text::clip(&said, 200);
                rules::io(path, &format!("{said} (SFTP status {code})"))
            }
        }
    }
}

/// One element of a path as the server states it.
fn element_of(path: &str, stat: &FileStat) -> Option<Element> {
    let mode = stat.perm?;
    let kind = match glob::kind_of(mode) {
        EntryKind::File => '-',
        EntryKind::Directory => 'd',
        EntryKind::Dangling => 'l',
        EntryKind::Special => '?',
    };
    Some(Element {
        path: path.to_owned(),
        kind,
        mode: mode & 0o7777,
        owner: stat.uid?.to_string(),
        group: stat.gid?.to_string(),
        mark: None,
        target: None,
    })
}

// A listing describes each entry as `lstat` would. A regular file needs no second question; anything
// else, and whatever is described incompletely, is looked at on its own.
fn file_of(directory: &str, name: &[u8], stat: &FileStat) -> Option<(String, Entry)> {
    let name = std::str::from_utf8(name).ok()?;
    let path = format!("{}/{name}", directory.trim_end_matches('/'));
    let entry = described(&path, stat).ok()?;
    (entry.kind == EntryKind::File).then_some((path, entry))
}

// A server that states no kind has stated nothing that could be opened. Of a directory or a FIFO
// the size does not matter.
fn described(path: &str, stat: &FileStat) -> Result<Entry, Failure> {
    let kind = stat.perm.map_or(EntryKind::Special, glob::kind_of);
    let size = match stat.size {
        None if kind == EntryKind::File => {
            return Err(rules::io(path, "the server states no size"));
        }
        size => size.unwrap_or(0),
    };
    let modified = stat.mtime.and_then(|seconds| i64::try_from(seconds).ok());
    Ok(Entry {
        path: path.to_owned(),
        kind,
        size,
        modified: modified.and_then(|seconds| Timestamp::from_second(seconds).ok()),
    })
}
