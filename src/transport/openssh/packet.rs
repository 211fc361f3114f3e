//! SFTP version 3 (draft-ietf-secsh-filexfer-02) over the pipes of a client: packets out, packets in, each
//! bounded, each answer to a question that was asked. Only what reads is spoken; there is no word for
//! writing. Believes no length, no id and no count that a server states.

use std::collections::HashSet;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd;

use rustix::event::PollFlags;
use ssh2::FileStat;

use super::child::{Child, Watch};
use crate::transport::actor::Deadline;

/// OpenSSH sends no more than 256 KiB (sftp-common.h, SFTP_MAX_MSG_LENGTH).
const MOST: usize = 256 << 10;
const PIECE: usize = 64 << 10;

pub(super) const CLOSE: u8 = 4;
pub(super) const OPEN: u8 = 3;
pub(super) const READ: u8 = 5;
pub(super) const LSTAT: u8 = 7;
pub(super) const FSTAT: u8 = 8;
pub(super) const OPENDIR: u8 = 11;
pub(super) const READDIR: u8 = 12;
pub(super) const STAT: u8 = 17;
const INIT: u8 = 1;
const VERSION: u8 = 2;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const DATA: u8 = 103;
const NAME: u8 = 104;
const ATTRS: u8 = 105;

/// Why a packet did not come.
#[derive(Debug)]
pub(super) enum Broken {
    /// Not in time; the session is dead.
    Late,
    /// The stream ended.
    Ended,
    /// What came is not SFTP, in words.
    Lying(String),
}

/// A conversation that did not begin.
pub(super) struct Refused {
    pub(super) child: Child,
    pub(super) why: Broken,
    /// What came in place of a greeting.
    pub(super) came: Vec<u8>,
}

/// One answer.
#[derive(Debug)]
pub(super) enum Answer {
    /// SSH_FX_…, and the server's words.
    Status(u32, String),
    Handle(Vec<u8>),
    Data(Vec<u8>),
    Names(Vec<(Vec<u8>, FileStat)>),
    Attributes(FileStat),
}

/// One conversation.
pub(super) struct Line {
    pub(super) child: Child,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    waiting: HashSet<u32>,
    next: u32,
}

impl Line {
    /// Says hello, and hears that the other side speaks SFTP.
    pub(super) fn open(child: Child, watch: &Watch, deadline: &Deadline) -> Result<Self, Refused> {
        let mut line = Self {
            child,
            inbox: Vec::new(),
            outbox: Vec::new(),
            waiting: HashSet::new(),
            next: 0,
        };
        line.queue(INIT, &3_u32.to_be_bytes());
        match line.packet(watch, deadline) {
            Ok((VERSION, body)) if body.len() >= 4 => Ok(line),
            Ok(_) => Err(line.refused(Broken::Lying("no version came first".into()))),
            Err(broken) => Err(line.refused(broken)),
        }
    }

    fn refused(self, why: Broken) -> Refused {
        Refused {
            child: self.child,
            why,
            came: self.inbox,
        }
    }

    /// Sends a request; its id comes back.
    pub(super) fn ask(&mut self, kind: u8, words: &[&[u8]], rest: &[u8]) -> u32 {
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        self.waiting.insert(id);
        let mut body = id.to_be_bytes().to_vec();
        for word in words {
            body.extend_from_slice(&length(word));
            body.extend_from_slice(word);
        }
        body.extend_from_slice(rest);
        self.queue(kind, &body);
        id
    }

    /// Asks, and waits for the answer to that.
    pub(super) fn call(
        &mut self,
        kind: u8,
        words: &[&[u8]],
        rest: &[u8],
        watch: &Watch,
        deadline: &Deadline,
    ) -> Result<Answer, Broken> {
        let asked = self.ask(kind, words, rest);
        match self.answer(watch, deadline)? {
            (id, answer) if id == asked => Ok(answer),
            (id, _) => Err(Broken::Lying(format!(
                "an answer to {id} and not to {asked}"
            ))),
        }
    }

    /// The next answer, to whichever question.
    pub(super) fn answer(
        &mut self,
        watch: &Watch,
        deadline: &Deadline,
    ) -> Result<(u32, Answer), Broken> {
        let (kind, body) = self.packet(watch, deadline)?;
        let (id, answer) = parse(kind, &body)
            .ok_or_else(|| Broken::Lying(format!("a packet of type {kind} that cannot be read")))?;
        match self.waiting.remove(&id) {
            true => Ok((id, answer)),
            false => Err(Broken::Lying(format!(
                "an answer to {id}, which was not asked"
            ))),
        }
    }

    fn queue(&mut self, kind: u8, body: &[u8]) {
        // The type counts.
        let size = u32::try_from(body.len() + 1).unwrap_or(u32::MAX);
        self.outbox.extend_from_slice(&size.to_be_bytes());
        self.outbox.push(kind);
        self.outbox.extend_from_slice(body);
    }

    fn packet(&mut self, watch: &Watch, deadline: &Deadline) -> Result<(u8, Vec<u8>), Broken> {
        let mut piece = vec![0; PIECE];
        loop {
            if let Some(packet) = self.whole()? {
                return Ok(packet);
            }
            let left = watch.left(deadline, "SFTP").map_err(|_| Broken::Late)?;
            let mut moved = self.send();
            self.child.hear();
            let Some(stdout) = &mut self.child.stdout else {
                return Err(Broken::Ended);
            };
            match stdout.read(&mut piece) {
                Ok(0) => return Err(Broken::Ended),
                Ok(n) => {
                    self.inbox.extend_from_slice(&piece[..n]);
                    moved = true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Err(Broken::Ended),
            }
            if moved {
                continue;
            }
            let mut pipes: Vec<(&dyn AsFd, PollFlags)> = Vec::new();
            pipes.extend(
                self.child
                    .stdout
                    .as_ref()
                    .map(|p| (p as &dyn AsFd, PollFlags::IN)),
            );
            if !self.outbox.is_empty() {
                pipes.extend(
                    self.child
                        .stdin
                        .as_ref()
                        .map(|p| (p as &dyn AsFd, PollFlags::OUT)),
                );
            }
            watch.wait(&pipes, left);
        }
    }

    // An error is not told here: the other pipe ends then, too.
    fn send(&mut self) -> bool {
        let Some(stdin) = &mut self.child.stdin else {
            return false;
        };
        match self.outbox.is_empty() {
            true => false,
            false => match stdin.write(&self.outbox) {
                Ok(n) => {
                    self.outbox.drain(..n);
                    n > 0
                }
                Err(_) => false,
            },
        }
    }

    fn whole(&mut self) -> Result<Option<(u8, Vec<u8>)>, Broken> {
        let Some(size) = self.inbox.first_chunk::<4>() else {
            return Ok(None);
        };
        let size = usize::try_from(u32::from_be_bytes(*size)).unwrap_or(usize::MAX);
        if !(1..=MOST).contains(&size) {
            let start = String::from_utf8_lossy(&self.inbox).into_owned();
            return Err(Broken::Lying(start));
        }
        if self.inbox.len() < 4 + size {
            return Ok(None);
        }
        let kind = self.inbox[4];
        let body = self.inbox[5..4 + size].to_vec();
        self.inbox.drain(..4 + size);
        Ok(Some((kind, body)))
    }
}

fn length(word: &[u8]) -> [u8; 4] {
    u32::try_from(word.len()).unwrap_or(u32::MAX).to_be_bytes()
}

fn parse(kind: u8, body: &[u8]) -> Option<(u32, Answer)> {
    let mut body = Body(body);
    let id = body.number()?;
    let answer = match kind {
        STATUS => {
            let code = body.number()?;
            // Words and language came with version 3; some servers leave them out.
            let words = body.bytes().unwrap_or_default();
            return Some((
                id,
                Answer::Status(code, String::from_utf8_lossy(words).into_owned()),
            ));
        }
        HANDLE => Answer::Handle(body.bytes().filter(|handle| handle.len() <= 256)?.to_vec()),
        DATA => Answer::Data(body.bytes()?.to_vec()),
        NAME => {
            let count = body.number()?;
            let mut names = Vec::new();
            for _ in 0..count {
                let name = body.bytes()?.to_vec();
                body.bytes()?;
                names.push((name, body.attributes()?));
            }
            Answer::Names(names)
        }
        ATTRS => Answer::Attributes(body.attributes()?),
        _ => return None,
    };
    body.0.is_empty().then_some((id, answer))
}

struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn attributes(&mut self) -> Option<FileStat> {
        let flags = self.number()?;
        let mut stat = FileStat {
            size: None,
            uid: None,
            gid: None,
            perm: None,
            atime: None,
            mtime: None,
        };
        if flags & 1 != 0 {
            let (high, low) = (self.number()?, self.number()?);
            stat.size = Some(u64::from(high) << 32 | u64::from(low));
        }
        if flags & 2 != 0 {
            (stat.uid, stat.gid) = (Some(self.number()?), Some(self.number()?));
        }
        if flags & 4 != 0 {
            stat.perm = Some(self.number()?);
        }
        if flags & 8 != 0 {
            let (atime, mtime) = (self.number()?, self.number()?);
            (stat.atime, stat.mtime) = (Some(u64::from(atime)), Some(u64::from(mtime)));
        }
        if flags & 0x8000_0000 != 0 {
            for _ in 0..self.number()? {
                self.bytes()?;
                self.bytes()?;
            }
        }
        Some(stat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(parts: &[&[u8]]) -> Vec<u8> {
        parts.concat()
    }

    fn word(text: &[u8]) -> Vec<u8> {
        [&length(text), text].concat()
    }

    #[test]
    fn reads_each_answer() {
        let id = 7_u32.to_be_bytes();
        let two = 2_u32.to_be_bytes();
        let status = packet(&[&id, &two, &word(b"No such file"), &word(b"")]);
        assert!(
            matches!(parse(STATUS, &status), Some((7, Answer::Status(2, said))) if said == "No such file")
        );
        assert!(
            matches!(parse(STATUS, &status[..8]), Some((7, Answer::Status(2, said))) if said.is_empty())
        );
        let data = packet(&[&id, &word(b"abc")]);
        assert!(matches!(parse(DATA, &data), Some((7, Answer::Data(bytes))) if bytes == b"abc"));
        let all = packet(&[
            &id,
            &0x8000_000f_u32.to_be_bytes(),
            &[0, 0, 0, 1, 0, 0, 0, 2],
            &[0, 0, 0, 3, 0, 0, 0, 4],
            &0o100_644_u32.to_be_bytes(),
            &[0, 0, 0, 5, 0, 0, 0, 6],
            &1_u32.to_be_bytes(),
            &word(b"x"),
            &word(b"y"),
        ]);
        let Some((7, Answer::Attributes(stat))) = parse(ATTRS, &all) else {
            panic!("attributes");
        };
        assert_eq!((stat.size, stat.mtime), (Some((1 << 32) + 2), Some(6)));
        assert_eq!((stat.perm, stat.uid), (Some(0o100_644), Some(3)));
        let one = 1_u32.to_be_bytes();
        let names = packet(&[&id, &one, &word(b"a\xff"), &word(b"-rw"), &[0; 4]]);
        let Some((7, Answer::Names(names))) = parse(NAME, &names) else {
            panic!("names");
        };
        assert_eq!(names[0].0, b"a\xff");
    }

    // Cut anywhere, or stating more than there is, a packet is no answer; nothing is allocated for it.
    #[test]
    fn a_packet_that_lies_is_none() {
        let id = 7_u32.to_be_bytes();
        let most = u32::MAX.to_be_bytes();
        let names = packet(&[&id, &1_u32.to_be_bytes(), &word(b"a"), &word(b"l"), &[0; 4]]);
        for cut in 0..names.len() {
            assert!(parse(NAME, &names[..cut]).is_none(), "{cut}");
        }
        for (kind, body) in [
            (DATA, packet(&[&id, &most, b"x"])),
            (DATA, packet(&[&id, &word(b"x"), b"more"])),
            (HANDLE, packet(&[&id, &word(&[0; 257])])),
            (NAME, packet(&[&id, &most])),
            (ATTRS, packet(&[&id, &0x8000_0000_u32.to_be_bytes(), &most])),
            (200, packet(&[&id])),
        ] {
            assert!(parse(kind, &body).is_none(), "{kind}");
        }
    }
}
