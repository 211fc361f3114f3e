//! Files by SFTP: looks before it opens, opens nothing but regular files, reads as many bytes as the
//! file had when it was opened (facts: ssh.md 3.11, traps.md T7, T9, T11). Opens for reading only.

use std::collections::HashMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use ssh2::{Error, FileStat, Sftp};

use super::actor::Deadline;
use super::far::Far;
use super::files::{self, Asked};
use super::glob::{self, MOST_ENTRIES, Shelf};
use super::pour::Pour;
use super::{Element, Entry, EntryKind, ReadError, Receipt, Sink, classify, sftp_refused};
use crate::failure::{Failure, FailureKind};

/// libssh2 asks for four times the bytes of a read (sftp.c, `max_read_ahead`). A read for a quarter of
/// what is left thus asks for everything at once, and for nothing behind the end.
const AHEAD: u64 = 4;
/// Most bytes of one read: four of them under way fill a line of 80 MiB/s at 50 ms (facts: ssh.md 3.11).
const PIECE: usize = 1 << 20;

const LOOK: &str = "looking at the file";

/// The server's SFTP subsystem.
#[derive(Default)]
pub(super) enum Subsystem {
    /// Not asked for yet, or given back.
    #[default]
    Unasked,
    /// Open.
    Open(Sftp),
    /// The server does not give it to this account.
    Refused(Box<Failure>),
}

impl Subsystem {
    /// Gives its channel back, for a command that needs one.
    pub(super) fn release(&mut self) {
        if matches!(self, Self::Open(_)) {
            *self = Self::Unasked;
        }
    }
}

/// Opens the subsystem; `Ok(false)` when the server does not give it, with the reason kept.
pub(super) fn open(far: &mut Far, deadline: &Deadline) -> Result<bool, Failure> {
    match far.sftp {
        Subsystem::Open(_) => return Ok(true),
        Subsystem::Refused(_) => return Ok(false),
        Subsystem::Unasked => {}
    }
    let what = "opening SFTP";
    let mut pauses = [5, 20, 100].into_iter();
    loop {
        far.arm(deadline, what)?;
        let error = match far.session.sftp() {
            Ok(sftp) => {
                far.sftp = Subsystem::Open(sftp);
                return Ok(true);
            }
            Err(error) => error,
        };
        if classify::is_late(&error) || deadline.left().is_none() {
            far.kill();
            return Err(sftp_refused::late(deadline));
        }
        // A refused channel may be the last one being freed (3.10); a refused subsystem is final.
        let is_busy = classify::is_refused(&error) && !error.message().contains("subsystem");
        if !is_busy {
            // libssh2 closes the channel of a failed start only when it is asked to start again.
            far.arm_briefly(Duration::from_secs(1));
            drop(far.session.sftp());
        }
        match pauses.next().filter(|_| is_busy) {
            Some(pause) => std::thread::sleep(Duration::from_millis(pause)),
            None => {
                let failure = sftp_refused::why(far, &error, deadline);
                far.sftp = Subsystem::Refused(Box::new(failure));
                return Ok(false);
            }
        }
    }
}

/// A far file system seen through SFTP.
pub(super) struct Files<'a> {
    far: &'a Far,
    sftp: &'a Sftp,
    deadline: &'a Deadline,
    /// Regular files that a listing of this very moment has described already.
    listed: HashMap<String, Entry>,
}

impl<'a> Files<'a> {
    /// The open subsystem of `far`.
    pub(super) fn of(far: &'a Far, deadline: &'a Deadline) -> Option<Self> {
        match &far.sftp {
            Subsystem::Open(sftp) => Some(Self {
                far,
                sftp,
                deadline,
                listed: HashMap::new(),
            }),
            _ => None,
        }
    }

    /// Streams one regular file into `sink`; `looked` is what it was a moment ago, when that is known.
    pub(super) fn read(
        &mut self,
        asked: &Asked,
        looked: Option<Entry>,
        sink: Sink,
    ) -> Result<Receipt, ReadError> {
        let path = &asked.path;
        let entry = match looked {
            Some(entry) => entry,
            None => self.look(path)?,
        };
        files::must_be_file(&entry)?;
        asked.wanted(entry.size)?;
        self.far.arm(self.deadline, "opening the file")?;
        let mut file = self
            .sftp
            .open(Path::new(path))
            .map_err(|error| self.failure(&error, path, "opening the file"))?;
        // Between the look and the opening it may have been replaced.
        let stat = file
            .stat()
            .map_err(|error| self.failure(&error, path, "opening the file"))?;
        let entry = described(path, &stat)?;
        files::must_be_file(&entry)?;
        let wanted = asked.wanted(entry.size)?;
        let from = asked.span.from;
        if from > 0 {
            // Asks nobody: each read says where it begins.
            let sought = file.seek(SeekFrom::Start(from));
            sought.map_err(|error| files::io(path, &error.to_string()))?;
        }
        // Never more than a piece, whatever size the server claims.
        let piece = usize::try_from(wanted.div_ceil(AHEAD)).unwrap_or(PIECE);
        let mut buffer = vec![0; piece.clamp(1, PIECE)];
        let mut got = 0_u64;
        let mut pour = Pour::new(wanted, sink).map_err(ReadError::Sink)?;
        while got < wanted {
            self.far.arm(self.deadline, "reading the file")?;
            let ahead = (wanted - got).div_ceil(AHEAD);
            let room = usize::try_from(ahead).map_or(buffer.len(), |ahead| ahead.min(buffer.len()));
            match file.read(&mut buffer[..room]) {
                Ok(0) => return Err(files::short(from + wanted, from + got).into()),
                Ok(n) => {
                    self.far.took(n);
                    if let Err(error) = pour.take(&buffer[..n]) {
                        return Err(ReadError::Sink(pour.error(error)));
                    }
                    got += n as u64;
                }
                Err(_) => {
                    let error = self.far.last_error();
                    let failure = self.broken_off(&error, from + wanted, from + got);
                    return Err(files::broken(failure.into(), &entry, pour));
                }
            }
        }
        // An empty file has to be readable, too: the read that finds its end is the proof.
        if wanted == 0 && file.read(&mut buffer[..1]).is_err() {
            let error = self.far.last_error();
            return Err(self.broken_off(&error, wanted, got).into());
        }
        let sha256 = pour.finish().map_err(ReadError::Sink)?;
        self.far.arm_briefly(Duration::from_secs(1));
        Ok(Receipt {
            path: path.clone(),
            bytes: got,
            size: entry.size,
            sha256,
            modified: entry.modified,
            method: "sftp",
        })
    }

    /// One element of a path, itself and not what it leads to; `None` when it cannot be seen.
    pub(super) fn element(&self, path: &str) -> Option<Element> {
        self.far.arm(self.deadline, LOOK).ok()?;
        let stat = self.stat(path, false).ok()?;
        let element = element_of(path, &stat)?;
        let target = (element.kind == 'l').then(|| self.sftp.readlink(Path::new(path)).ok());
        Some(Element {
            target: target
                .flatten()
                .map(|target| target.to_string_lossy().into_owned()),
            ..element
        })
    }

    /// The number of the account that owns the directory where SFTP begins.
    pub(super) fn owner_of_home(&self) -> Option<String> {
        self.far.arm(self.deadline, LOOK).ok()?;
        let stat = self.stat(".", true).ok()?;
        stat.uid.map(|uid| uid.to_string())
    }

    // sftp-server(8) leaves out of a listing whatever it cannot look at: without `x` on the directory
    // that is everything, `.` and `..` as well, and it looks empty.
    fn may_enter(&self, directory: &str) -> Result<(), Failure> {
        self.far.arm(self.deadline, LOOK)?;
        let inside = format!("{}/.", directory.trim_end_matches('/'));
        match self.stat(&inside, true) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.failure(&error, directory, LOOK)),
        }
    }

    fn broken_off(&self, error: &Error, wanted: u64, got: u64) -> Failure {
        self.over(error, "reading the file").unwrap_or_else(|| {
            let hint = match classify::sftp(error) {
                Some(_) => {
                    "look in the host's kernel log for errors of the disk or the network file system"
                }
                None => {
                    "the SFTP server does not keep to its protocol: have the host and its sshd looked at, \
                     or set `transport: exec`"
                }
            };
            Failure::new(
                FailureKind::Io,
                format!("{wanted} bytes, as the file had when it was opened"),
                format!("an error after {got} bytes: {}", classify::said(error)),
            )
            .with_hint(hint)
        })
    }

    /// The failure when nothing more can come: of the connection, or of its SFTP alone. The session is
    /// dead then.
    fn over(&self, error: &Error, what: &str) -> Option<Failure> {
        // Of the end of the channel, and of the connection: the socket tells them apart.
        if classify::code(error) == Some(libssh2_sys::LIBSSH2_ERROR_SOCKET_RECV)
            && self.deadline.left().is_some()
            && !self.far.is_closed()
        {
            self.far.kill();
            let actual = format!("the SFTP server ended: {}", classify::said(error));
            let failure = Failure::new(
                FailureKind::Io,
                format!("an SFTP server that lasts until {what} is done"),
                actual,
            );
            return Some(failure.with_hint(
                "look on the host who ended it (the OOM killer, a limit of the account, somebody's kill), \
                 and in sshd's log",
            ));
        }
        self.far.connection(error, self.deadline, what)
    }

    fn stat(&self, path: &str, follow: bool) -> Result<FileStat, Error> {
        match follow {
            true => self.sftp.stat(Path::new(path)),
            false => self.sftp.lstat(Path::new(path)),
        }
    }

    fn failure(&self, error: &Error, path: &str, what: &str) -> Failure {
        if let Some(failure) = self.over(error, what) {
            return failure;
        }
        use libssh2_sys as raw;
        match classify::sftp(error) {
            Some(
                raw::LIBSSH2_FX_NO_SUCH_FILE
                | raw::LIBSSH2_FX_NO_SUCH_PATH
                | raw::LIBSSH2_FX_NOT_A_DIRECTORY,
            ) => files::missing(path),
            Some(raw::LIBSSH2_FX_PERMISSION_DENIED) => files::denied(path),
            _ => files::io(path, &classify::said(error)),
        }
    }
}

impl Shelf for Files<'_> {
    fn look(&mut self, path: &str) -> Result<Entry, Failure> {
        if let Some(entry) = self.listed.remove(path) {
            return Ok(entry);
        }
        self.far.arm(self.deadline, LOOK)?;
        let stat = self
            .stat(path, false)
            .map_err(|error| self.failure(&error, path, LOOK))?;
        let link = described(path, &stat)?;
        if link.kind != EntryKind::Dangling {
            return Ok(link);
        }
        self.far.arm(self.deadline, LOOK)?;
        match self.stat(path, true) {
            Ok(stat) => described(path, &stat),
            Err(error) => match self.failure(&error, path, LOOK) {
                failure if failure.kind == FailureKind::Missing => Ok(link),
                failure => Err(failure),
            },
        }
    }

    fn names(&mut self, directory: &str) -> Result<Vec<Vec<u8>>, Failure> {
        let what = "listing the directory";
        self.far.arm(self.deadline, what)?;
        let failure = |error: &Error| {
            let failure = self.failure(error, directory, what);
            failure.with_subject(directory)
        };
        let opened = self.sftp.opendir(Path::new(directory));
        let mut handle = opened.map_err(|error| failure(&error))?;
        let (mut names, mut listed) = (Vec::new(), Vec::new());
        loop {
            self.far.arm(self.deadline, what)?;
            match handle.readdir() {
                Ok((name, stat)) => {
                    let name = name.into_os_string().into_vec();
                    listed.extend(file_of(directory, &name, &stat));
                    names.push(name);
                }
                Err(error) if classify::code(&error) == Some(libssh2_sys::LIBSSH2_ERROR_FILE) => {
                    if names.is_empty() {
                        self.may_enter(directory)?;
                    }
                    self.listed.extend(listed);
                    return Ok(names);
                }
                Err(error) => return Err(failure(&error)),
            }
            // `.` and `..` come on top.
            if names.len() > MOST_ENTRIES + 2 {
                return Err(glob::crowded(directory));
            }
        }
    }
}

/// One element of a path as the server states it.
pub(super) fn element_of(path: &str, stat: &FileStat) -> Option<Element> {
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
pub(super) fn file_of(directory: &str, name: &[u8], stat: &FileStat) -> Option<(String, Entry)> {
    let name = std::str::from_utf8(name).ok()?;
    let path = format!("{}/{name}", directory.trim_end_matches('/'));
    let entry = described(&path, stat).ok()?;
    (entry.kind == EntryKind::File).then_some((path, entry))
}

// A server that states no kind has stated nothing that could be opened. Of a directory or a FIFO
// the size does not matter.
pub(super) fn described(path: &str, stat: &FileStat) -> Result<Entry, Failure> {
    let kind = stat.perm.map_or(EntryKind::Special, glob::kind_of);
    let size = match stat.size {
        None if kind == EntryKind::File => {
            return Err(files::io(path, "the server states no size"));
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
