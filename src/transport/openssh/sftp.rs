//! Files by SFTP through a client of the control socket, by the same rules as over libssh2: looks before
//! it opens, opens nothing but regular files, reads as many bytes as the file had when it was opened.
//! Reads ahead in bounded memory; whatever breaks the conversation ends it.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use ssh2::FileStat;

use super::exec::{is_refused, no_channel};
use super::near::{FAR, Near};
use super::packet::{self, Answer, Broken, Line, Refused};
use crate::failure::{Failure, FailureKind};
use crate::text;
use crate::transport::actor::Deadline;
use crate::transport::files::{self, Asked};
use crate::transport::glob::{self, MOST_ENTRIES, Shelf};
use crate::transport::pour::Pour;
use crate::transport::sftp::{described, element_of, file_of};
use crate::transport::sftp_refused::{self, Said};
use crate::transport::{Element, Entry, EntryKind, ReadError, Receipt, Sink};

/// What every server grants in one answer.
const PIECE: u64 = 32 << 10;
/// Questions under way: two mebibytes fill a line of 40 MiB/s at 50 ms.
const AHEAD: usize = 64;

const EOF: u32 = 1;
const NO_SUCH_FILE: u32 = 2;
const DENIED: u32 = 3;

/// The server's SFTP subsystem.
#[derive(Default)]
pub(super) enum Subsystem {
    /// Not asked for yet, or given back.
    #[default]
    Unasked,
    /// Open.
    Open(Box<Line>),
    /// The server does not give it to this account.
    Refused(Box<Failure>),
}

impl Subsystem {
    /// Gives its channel back, for a command that needs one.
    pub(super) fn release(&mut self) {
        if let Self::Open(line) = self {
            line.child.stdin = None;
            line.child.end_within(Duration::from_millis(100));
            *self = Self::Unasked;
        }
    }
}

/// Opens the subsystem; the inner `Err` says why the server does not give it.
pub(super) fn open(
    near: &mut Near,
    deadline: &Deadline,
) -> Result<Result<(), Box<Failure>>, Failure> {
    match &near.sftp {
        Subsystem::Open(_) => return Ok(Ok(())),
        Subsystem::Refused(why) => return Ok(Err(why.clone())),
        Subsystem::Unasked => {}
    }
    let what = "opening SFTP";
    let mut pauses = [5, 20, 100].into_iter();
    loop {
        let child = near.client(&["-s", FAR, "sftp"])?;
        let Refused {
            mut child,
            why,
            came,
        } = match Line::open(child, &near.watch, deadline) {
            Ok(line) => {
                near.sftp = Subsystem::Open(Box::new(line));
                return Ok(Ok(()));
            }
            Err(refused) => refused,
        };
        if matches!(why, Broken::Late) {
            drop(child);
            near.end();
            return Err(sftp_refused::late(deadline));
        }
        child.stdin = None;
        let ended = child.end_within(Duration::from_millis(500));
        let code = ended.and_then(|end| end.code());
        child.listen();
        let stderr = child.said();
        drop(child);
        if let Some(failure) = near.lost(deadline, what) {
            return Err(failure);
        }
        let said = near.client_said();
        if is_refused(&said)
            && let Some(pause) = pauses.next()
        {
            std::thread::sleep(Duration::from_millis(pause));
            continue;
        }
        let failure = if is_refused(&said) {
            no_channel(&said)
        } else if came.is_empty() && stderr.is_empty() && code == Some(255) {
            // The channel was there, the request on it was not granted, and the client has no word for it.
            sftp_refused::none_said("the request was refused")
        } else {
            let said = Said {
                bytes: came,
                stderr: stderr.into_bytes(),
                // 255 is the client's own.
                status: code.filter(|code| *code != 255),
            };
            said.failure()
        };
        near.sftp = Subsystem::Refused(Box::new(failure.clone()));
        return Ok(Err(Box::new(failure)));
    }
}

/// A far file system seen through SFTP.
pub(super) struct Files<'a> {
    near: &'a mut Near,
    deadline: &'a Deadline,
    /// Regular files that a listing of this very moment has described already.
    listed: HashMap<String, Entry>,
}

/// Why a question has no good answer.
enum No {
    /// The server said so.
    Status(u32, String),
    /// The conversation is over.
    Broken(Failure),
}

impl<'a> Files<'a> {
    /// The open subsystem of `near`.
    pub(super) fn of(near: &'a mut Near, deadline: &'a Deadline) -> Option<Self> {
        matches!(near.sftp, Subsystem::Open(_)).then(|| Self {
            near,
            deadline,
            listed: HashMap::new(),
        })
    }

    fn call(&mut self, kind: u8, words: &[&[u8]], rest: &[u8], what: &str) -> Result<Answer, No> {
        let Near { sftp, watch, .. } = &mut *self.near;
        let Subsystem::Open(line) = sftp else {
            return Err(No::Broken(files::io("", "SFTP closed")));
        };
        match line.call(kind, words, rest, watch, self.deadline) {
            Ok(Answer::Status(code, said)) => Err(No::Status(code, said)),
            Ok(answer) => Ok(answer),
            Err(broken) => Err(No::Broken(self.broken(broken, what))),
        }
    }

    /// Ends the conversation: what is still under way in it would be taken for other answers.
    fn broken(&mut self, broken: Broken, what: &str) -> Failure {
        let actual = match broken {
            Broken::Late => return self.near.late(self.deadline, what),
            Broken::Ended => "the SFTP stream ended".to_owned(),
            Broken::Lying(came) => {
                format!("no answer in SFTP: \"{}\"", text::clip(&came, 100))
            }
        };
        self.near.sftp = Subsystem::Unasked;
        if let Some(failure) = self.near.lost(self.deadline, what) {
            return failure;
        }
        Failure::new(
            FailureKind::Io,
            format!("answers in SFTP until {what} is done"),
            actual,
        )
        .with_hint(
            "have the host's sftp-server looked at: no honest one does that, and a dying one may",
        )
    }

    fn failure(&mut self, no: No, path: &str) -> Failure {
        match no {
            No::Broken(failure) => failure,
            No::Status(NO_SUCH_FILE, _) => files::missing(path),
            No::Status(DENIED, _) => files::denied(path),
            No::Status(code, said) => {
                let said = text::clip(&said, 200);
                files::io(path, &format!("{said} (SFTP status {code})"))
            }
        }
    }

    /// One element of a path, itself and not what it leads to; `None` when it cannot be seen.
    pub(super) fn element(&mut self, path: &str) -> Option<Element> {
        let stat = self.stat(packet::LSTAT, path.as_bytes(), "looking at a path");
        element_of(path, &stat.ok()?)
    }

    /// The number of the account that owns the directory where SFTP begins.
    pub(super) fn owner_of_home(&mut self) -> Option<String> {
        let stat = self.stat(packet::STAT, b".", "looking at a path");
        stat.ok()?.uid.map(|uid| uid.to_string())
    }

    // Without `x` on the directory a listing leaves out everything: see the other client.
    fn may_enter(&mut self, directory: &str) -> Result<(), Failure> {
        let inside = format!("{}/.", directory.trim_end_matches('/'));
        match self.stat(packet::STAT, inside.as_bytes(), "looking at a path") {
            Ok(_) => Ok(()),
            Err(no) => Err(self.failure(no, directory)),
        }
    }

    // Nothing depends on it.
    fn close(&mut self, handle: &[u8]) {
        let _ = self.call(packet::CLOSE, &[handle], &[], "closing the file");
    }

    fn stat(&mut self, kind: u8, word: &[u8], what: &str) -> Result<FileStat, No> {
        match self.call(kind, &[word], &[], what)? {
            Answer::Attributes(stat) => Ok(stat),
            other => Err(No::Broken(self.broken(unasked(&other), what))),
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
        let what = "opening the file";
        // For reading, and no attributes.
        let mode = [0, 0, 0, 1, 0, 0, 0, 0];
        let handle = match self.call(packet::OPEN, &[path.as_bytes()], &mode, what) {
            Ok(Answer::Handle(handle)) => handle,
            Ok(other) => return Err(self.broken(unasked(&other), what).into()),
            Err(no) => return Err(self.failure(no, path).into()),
        };
        // Between the look and the opening it may have been replaced.
        let stat = self.stat(packet::FSTAT, &handle, what);
        let stat = stat.map_err(|no| self.failure(no, path))?;
        let checked = described(path, &stat).and_then(|entry| {
            files::must_be_file(&entry)?;
            let wanted = asked.wanted(entry.size)?;
            Ok((entry, wanted))
        });
        let (entry, wanted) = match checked {
            Ok(checked) => checked,
            Err(failure) => {
                self.close(&handle);
                return Err(failure.into());
            }
        };
        let from = asked.span.from;
        let mut pour = Pour::new(wanted, sink).map_err(ReadError::Sink)?;
        match self.stream(&handle, from, wanted, &mut pour) {
            Ok(()) => {
                self.close(&handle);
                Ok(Receipt {
                    path: path.clone(),
                    bytes: wanted,
                    size: entry.size,
                    sha256: pour.finish().map_err(ReadError::Sink)?,
                    modified: entry.modified,
                    method: "sftp",
                })
            }
            Err(error) => {
                // Answers may be under way.
                self.near.sftp.release();
                Err(files::broken(error, &entry, pour))
            }
        }
    }

    fn stream(
        &mut self,
        handle: &[u8],
        from: u64,
        wanted: u64,
        pour: &mut Pour,
    ) -> Result<(), ReadError> {
        let what = "reading the file";
        let mut pieces = VecDeque::<Piece>::new();
        // One byte even of an empty file: the read that finds its end is the proof.
        let last = wanted.max(1);
        let (mut asked, mut got) = (0, 0);
        while got < last {
            let Near { sftp, watch, .. } = &mut *self.near;
            let Subsystem::Open(line) = sftp else {
                return Err(files::io("", "SFTP closed").into());
            };
            while asked < last && pieces.len() < AHEAD {
                let size = (last - asked).min(PIECE);
                pieces.push_back(Piece::ask(line, handle, from + asked, size, Vec::new()));
                asked += size;
            }
            let (id, answer) = match line.answer(watch, self.deadline) {
                Ok(answer) => answer,
                Err(broken) => return Err(self.broken(broken, what).into()),
            };
            let Some(piece) = pieces.iter_mut().find(|piece| piece.id == id) else {
                let lie = Broken::Lying("an answer to another question".into());
                return Err(self.broken(lie, what).into());
            };
            match answer {
                Answer::Data(data) if !data.is_empty() && data.len() <= piece.left() => {
                    piece.bytes.extend_from_slice(&data);
                    if piece.left() > 0 {
                        let begun = std::mem::take(&mut piece.bytes);
                        *piece = Piece::ask(line, handle, piece.offset, piece.size, begun);
                    }
                }
                Answer::Status(EOF, _) if wanted == 0 => return Ok(()),
                Answer::Status(EOF, _) => {
                    let whole = pieces.iter().take_while(|piece| piece.left() == 0);
                    let got = got + whole.map(|piece| piece.size).sum::<u64>();
                    return Err(files::short(from + wanted, from + got).into());
                }
                Answer::Status(code, said) => {
                    return Err(broken_off(from + wanted, from + got, code, &said).into());
                }
                other => return Err(self.broken(unasked(&other), what).into()),
            }
            while pieces.front().is_some_and(|piece| piece.left() == 0) {
                let Some(piece) = pieces.pop_front() else {
                    break;
                };
                got += piece.size;
                // What has come into an empty file meanwhile was not there when it was opened.
                if wanted > 0
                    && let Err(error) = pour.take(&piece.bytes)
                {
                    return Err(ReadError::Sink(error));
                }
            }
        }
        Ok(())
    }
}

/// A part of a file that was asked for.
struct Piece {
    id: u32,
    offset: u64,
    size: u64,
    bytes: Vec<u8>,
}

impl Piece {
    /// Asks for what `bytes` does not hold of it yet.
    fn ask(line: &mut Line, handle: &[u8], offset: u64, size: u64, bytes: Vec<u8>) -> Self {
        let from = offset + bytes.len() as u64;
        let left = u32::try_from(size - bytes.len() as u64).unwrap_or(u32::MAX);
        let rest = [&from.to_be_bytes()[..], &left.to_be_bytes()].concat();
        Self {
            id: line.ask(packet::READ, &[handle], &rest),
            offset,
            size,
            bytes,
        }
    }

    fn left(&self) -> usize {
        usize::try_from(self.size)
            .unwrap_or(usize::MAX)
            .saturating_sub(self.bytes.len())
    }
}

fn unasked(answer: &Answer) -> Broken {
    let came = match answer {
        Answer::Status(code, _) => format!("status {code}"),
        Answer::Handle(_) => "a handle".to_owned(),
        Answer::Data(_) => "more bytes than were asked for, or none".to_owned(),
        Answer::Names(_) => "names".to_owned(),
        Answer::Attributes(_) => "attributes".to_owned(),
    };
    Broken::Lying(came)
}

fn broken_off(wanted: u64, got: u64, code: u32, said: &str) -> Failure {
    Failure::new(
        FailureKind::Io,
        format!("{wanted} bytes, as the file had when it was opened"),
        format!(
            "an error after {got} bytes: {} (SFTP status {code})",
            text::clip(said, 200)
        ),
    )
    .with_hint("look in the host's kernel log for errors of the disk or the network file system")
}

impl Shelf for Files<'_> {
    fn look(&mut self, path: &str) -> Result<Entry, Failure> {
        if let Some(entry) = self.listed.remove(path) {
            return Ok(entry);
        }
        let what = "looking at the file";
        let stat = self.stat(packet::LSTAT, path.as_bytes(), what);
        let stat = stat.map_err(|no| self.failure(no, path))?;
        let link = described(path, &stat)?;
        if link.kind != EntryKind::Dangling {
            return Ok(link);
        }
        match self.stat(packet::STAT, path.as_bytes(), what) {
            Ok(stat) => described(path, &stat),
            Err(No::Status(NO_SUCH_FILE, _)) => Ok(link),
            Err(no) => Err(self.failure(no, path)),
        }
    }

    fn names(&mut self, directory: &str) -> Result<Vec<Vec<u8>>, Failure> {
        let what = "listing the directory";
        let about = |failure: Failure| failure.with_subject(directory);
        let handle = match self.call(packet::OPENDIR, &[directory.as_bytes()], &[], what) {
            Ok(Answer::Handle(handle)) => handle,
            Ok(other) => return Err(about(self.broken(unasked(&other), what))),
            Err(no) => return Err(about(self.failure(no, directory))),
        };
        let (mut names, mut listed) = (Vec::new(), Vec::new());
        loop {
            match self.call(packet::READDIR, &[&handle], &[], what) {
                Ok(Answer::Names(more)) if !more.is_empty() => {
                    for (name, stat) in more {
                        listed.extend(file_of(directory, &name, &stat));
                        names.push(name);
                    }
                }
                Ok(other) => return Err(about(self.broken(unasked(&other), what))),
                Err(No::Status(EOF, _)) => {
                    self.close(&handle);
                    if names.is_empty() {
                        self.may_enter(directory)?;
                    }
                    self.listed.extend(listed);
                    return Ok(names);
                }
                Err(no) => return Err(about(self.failure(no, directory))),
            }
            // `.` and `..` come on top.
            if names.len() > MOST_ENTRIES + 2 {
                self.close(&handle);
                return Err(glob::crowded(directory));
            }
        }
    }
}
