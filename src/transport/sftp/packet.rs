//! SFTP version 3 (draft-ietf-secsh-filexfer-02): packets out, packets in, each bounded, each answer to a
//! question that was asked. Only what reads is spoken; there is no word for writing. Believes no length, no
//! id and no count that a server states. Carries nothing: whoever has a stream takes bytes from the outbox
//! and puts bytes into the inbox.

use std::collections::HashSet;

use ssh2::FileStat;

/// OpenSSH sends no more than 256 KiB (sftp-common.h, SFTP_MAX_MSG_LENGTH).
const MOST: usize = 256 << 10;

pub(in crate::transport) const CLOSE: u8 = 4;
pub(in crate::transport) const OPEN: u8 = 3;
pub(in crate::transport) const READ: u8 = 5;
pub(in crate::transport) const LSTAT: u8 = 7;
pub(in crate::transport) const FSTAT: u8 = 8;
pub(in crate::transport) const OPENDIR: u8 = 11;
pub(in crate::transport) const READDIR: u8 = 12;
pub(in crate::transport) const STAT: u8 = 17;
pub(in crate::transport) const READLINK: u8 = 19;
const INIT: u8 = 1;
const VERSION: u8 = 2;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const DATA: u8 = 103;
const NAME: u8 = 104;
const ATTRS: u8 = 105;

/// Why a packet did not come.
#[derive(Debug)]
pub(in crate::transport) enum Broken {
    /// Not in time.
    Late,
    /// The stream ended.
    Ended,
    /// What came is not SFTP, in words.
    Lying(String),
}

/// One answer.
#[derive(Debug)]
pub(in crate::transport) enum Answer {
    /// SSH_FX_…, and the server's words.
    Status(u32, String),
    Handle(Vec<u8>),
    Data(Vec<u8>),
    Names(Vec<(Vec<u8>, FileStat)>),
    Attributes(FileStat),
}

/// Both sides of one conversation.
#[derive(Debug, Default)]
pub(in crate::transport) struct Dialogue {
    inbox: Vec<u8>,
    /// Where what was not read yet begins in it, and where it ends.
    at: usize,
    end: usize,
    outbox: Vec<u8>,
    waiting: HashSet<u32>,
    /// Of those, the ones whose answer nobody needs.
    forgotten: HashSet<u32>,
    /// What was asked together with the greeting, and is about to be asked.
    early: Vec<(u8, Vec<u8>, u32)>,
    next: u32,
}

impl Dialogue {
    /// One that begins with a greeting.
    pub(in crate::transport) fn new() -> Self {
        let mut new = Self::default();
        new.queue(INIT, &3_u32.to_be_bytes());
        new
    }

    /// Whether the other side has greeted, in SFTP.
    pub(in crate::transport) fn is_greeted(&mut self) -> Result<bool, Broken> {
        match self.whole()? {
            Some((VERSION, body)) if body.len() >= 4 => Ok(true),
            Some(_) => Err(Broken::Lying("no version came first".into())),
            None => Ok(false),
        }
    }

    /// What came and was not read.
    pub(in crate::transport) fn came(&self) -> &[u8] {
        &self.inbox[self.at..self.end]
    }

    /// What is to be sent; whoever sends some of it takes it out.
    pub(in crate::transport) const fn outbox(&mut self) -> &mut Vec<u8> {
        &mut self.outbox
    }

    /// Takes in what came.
    pub(in crate::transport) fn hear(&mut self, piece: &[u8]) {
        self.room(piece.len()).copy_from_slice(piece);
        self.heard(piece.len());
    }

    /// Room for `size` bytes behind what came: whoever has a stream reads into it, without a copy in between.
    pub(in crate::transport) fn room(&mut self, size: usize) -> &mut [u8] {
        if self.inbox.len() - self.end < size {
            self.inbox.copy_within(self.at..self.end, 0);
            (self.at, self.end) = (0, self.end - self.at);
            let needed = self.end + size;
            if self.inbox.len() < needed {
                self.inbox.resize(needed, 0);
            }
        }
        &mut self.inbox[self.end..self.end + size]
    }

    /// So many bytes of the room have come.
    pub(in crate::transport) fn heard(&mut self, bytes: usize) {
        self.end += bytes;
    }

    /// Asks; the id of the question comes back.
    pub(in crate::transport) fn ask(&mut self, kind: u8, words: &[&[u8]], rest: &[u8]) -> u32 {
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

    /// Asks what the first `calls` will ask, together with the greeting.
    pub(in crate::transport) fn ask_early(&mut self, kind: u8, word: &[u8]) {
        let id = self.ask(kind, &[word], &[]);
        self.early.push((kind, word.to_vec(), id));
    }

    /// Asks each of these, unless it was asked with the greeting; what else was asked so is forgotten.
    pub(in crate::transport) fn ask_each(&mut self, kind: u8, words: &[&[u8]]) -> Vec<u32> {
        let mut early = std::mem::take(&mut self.early);
        let mut ids = Vec::with_capacity(words.len());
        for word in words {
            let same = |(of, asked, _): &(u8, Vec<u8>, u32)| *of == kind && asked == word;
            ids.push(match early.iter().position(same) {
                Some(at) => early.swap_remove(at).2,
                None => self.ask(kind, &[word], &[]),
            });
        }
        early.into_iter().for_each(|(_, _, id)| self.forget(id));
        ids
    }

    /// The answer to that question is passed over when it comes.
    pub(in crate::transport) fn forget(&mut self, id: u32) {
        if self.waiting.contains(&id) {
            self.forgotten.insert(id);
        }
    }

    /// The next answer, when it has come whole.
    pub(in crate::transport) fn answer(&mut self) -> Result<Option<(u32, Answer)>, Broken> {
        loop {
            let Some((kind, body)) = self.whole()? else {
                return Ok(None);
            };
            let (id, answer) = parse(kind, body).ok_or_else(|| {
                Broken::Lying(format!("a packet of type {kind} that cannot be read"))
            })?;
            if !self.waiting.remove(&id) {
                return Err(Broken::Lying(format!(
                    "an answer to {id}, which was not asked"
                )));
            }
            if !self.forgotten.remove(&id) {
                return Ok(Some((id, answer)));
            }
        }
    }

    fn queue(&mut self, kind: u8, body: &[u8]) {
        // The type counts.
        let size = u32::try_from(body.len() + 1).unwrap_or(u32::MAX);
        self.outbox.extend_from_slice(&size.to_be_bytes());
        self.outbox.push(kind);
        self.outbox.extend_from_slice(body);
    }

    fn whole(&mut self) -> Result<Option<(u8, &[u8])>, Broken> {
        let Some(size) = self.came().first_chunk::<4>() else {
            return Ok(None);
        };
        let size = usize::try_from(u32::from_be_bytes(*size)).unwrap_or(usize::MAX);
        if !(1..=MOST).contains(&size) {
            let start = self.came().iter().copied().take(1024).collect::<Vec<_>>();
            return Err(Broken::Lying(String::from_utf8_lossy(&start).into_owned()));
        }
        if self.came().len() < 4 + size {
            return Ok(None);
        }
        let at = self.at;
        self.at += 4 + size;
        Ok(Some((
            self.inbox[at + 4],
            &self.inbox[at + 5..at + 4 + size],
        )))
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
    fn an_answer_counts_once_and_only_where_it_was_asked_for() {
        let mut dialogue = Dialogue::new();
        let answer = |id: u32| {
            let body = packet(&[&id.to_be_bytes(), &1_u32.to_be_bytes()]);
            packet(&[&word(&[&[STATUS][..], &body].concat())])
        };
        dialogue.hear(&word(&[VERSION, 0, 0, 0, 3])[..7]);
        assert!(!dialogue.is_greeted().unwrap());
        dialogue.hear(&[0, 3]);
        assert!(dialogue.is_greeted().unwrap());
        let (first, second) = (
            dialogue.ask(CLOSE, &[b"h"], &[]),
            dialogue.ask(CLOSE, &[b"i"], &[]),
        );
        dialogue.forget(first);
        let both = [answer(first), answer(second)].concat();
        for byte in &both[..both.len() - 1] {
            dialogue.hear(&[*byte]);
            assert!(dialogue.answer().unwrap().is_none());
        }
        dialogue.hear(&both[both.len() - 1..]);
        let (id, answered) = dialogue.answer().unwrap().unwrap();
        assert!(id == second && matches!(answered, Answer::Status(1, _)));
        for again in [first, second, 9] {
            let mut dialogue = Dialogue::default();
            dialogue.hear(&answer(again));
            assert!(matches!(dialogue.answer(), Err(Broken::Lying(_))));
        }
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
