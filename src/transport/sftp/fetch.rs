//! Many files in few round trips: all are opened before one is waited for, each is judged by what was opened,
//! and as many reads are under way as the line bears. Each counts on its own: the bytes that the file had when it
//! was opened, or a failure, whatever became of the others.

mod turn;

pub(in crate::transport) use turn::Order;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::packet::{self, Answer};
use super::{Conversation, EOF, Files, No, described};
use crate::failure::{Failure, FailureKind};
use crate::text;
use crate::transport::actor::{Deadline, gone};
use crate::transport::files::{self as rules, Asked};
use crate::transport::pour::Pour;
use crate::transport::rate::Rate;
use crate::transport::{Entry, ReadError, Receipt, Sink};

/// What every server grants in one answer.
const PIECE: u64 = 32 << 10;
/// Reads under way at first, and at most: four mebibytes fill a line of 80 MiB/s at 50 ms. Each answer allows one
/// more, so that the files of many hosts do not wait in memory together; a database of a mebibyte comes at once.
const AHEAD: usize = 48;
const MOST_AHEAD: usize = 128;
/// Files open at once.
const MOST_OPEN: usize = 16;

const OPENING: &str = "opening the file";
const READING: &str = "reading the file";

/// One file that is wanted.
pub(in crate::transport) struct Wanted {
    /// Which, and how much of it.
    pub(in crate::transport) asked: Asked,
    /// What it was a moment ago, when that is known, and when that was.
    pub(in crate::transport) looked: Option<(Entry, Instant)>,
    /// Where it goes.
    pub(in crate::transport) sink: Sink,
}

/// What came of one, and how long after the beginning.
pub(in crate::transport) type Fetched = (Result<Receipt, ReadError>, Duration);

/// What a question was about.
#[derive(Clone, Copy)]
enum Role {
    Open,
    Stat,
    Piece,
}

/// A part of a file that was asked for.
struct Piece {
    id: u32,
    offset: u64,
    size: u64,
    bytes: Vec<u8>,
}

impl Piece {
    fn left(&self) -> usize {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        size.saturating_sub(self.bytes.len())
    }
}

struct Transfer {
    asked: Asked,
    /// As it was looked at, then as it was opened.
    entry: Entry,
    sink: Option<Sink>,
    pour: Option<Pour>,
    handle: Vec<u8>,
    state: State,
    looked: Instant,
    /// How many bytes have to come.
    wanted: u64,
    /// How many of them were asked for, and given on.
    sent_for: u64,
    got: u64,
    pieces: VecDeque<Piece>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Looked,
    Opening,
    /// Open, and not asked what it is now.
    Open,
    /// Asked.
    Asked,
    /// It is a file as it was opened, and `wanted` is of that.
    Judged,
}

impl Transfer {
    /// One byte even of an empty file: the read that finds its end is the proof.
    fn last(&self) -> u64 {
        self.wanted.max(1)
    }

    /// Whether it may be opened by the last look.
    fn is_fresh(&self) -> bool {
        self.looked.elapsed() < rules::Looks::FRESH
    }

    /// Bytes that came without a gap.
    fn came(&self) -> u64 {
        let mut came = self.got;
        for piece in &self.pieces {
            came += piece.bytes.len() as u64;
            if piece.left() > 0 {
                break;
            }
        }
        self.asked.span.from + came
    }
}

/// Files under way.
struct Set<'a, C> {
    files: &'a mut Files<C>,
    order: Order,
    rate: Option<(&'a Rate, &'a Deadline)>,
    transfers: Vec<Option<Transfer>>,
    done: Vec<Option<Fetched>>,
    /// By their ids, which is the order in which they were asked.
    questions: BTreeMap<u32, (usize, Role)>,
    reads: usize,
    ahead: usize,
    began: Instant,
}

impl<C: Conversation> Files<C> {
    /// Streams regular files into their sinks; one answer for each, in their order.
    pub(in crate::transport) fn read_all(
        &mut self,
        wanted: Vec<Wanted>,
        order: Order,
        rate: Option<(&Rate, &Deadline)>,
    ) -> Vec<Fetched> {
        let began = Instant::now();
        let unknown = |wanted: &&Wanted| wanted.looked.is_none();
        let paths: Vec<String> = (wanted.iter().filter(unknown))
            .map(|wanted| wanted.asked.path.clone())
            .collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let mut looked = match paths.is_empty() {
            true => Vec::new(),
            false => match self.look_all(&paths) {
                Ok(looked) => looked,
                Err(failure) => vec![Err(failure)],
            },
        }
        .into_iter();
        let mut set = Set {
            files: self,
            order,
            rate,
            done: wanted.iter().map(|_| None).collect(),
            transfers: Vec::with_capacity(wanted.len()),
            questions: BTreeMap::new(),
            reads: 0,
            ahead: AHEAD,
            began,
        };
        for (at, wanted) in wanted.into_iter().enumerate() {
            let found = match wanted.looked {
                Some(looked) => Ok(looked),
                None => (looked.next().unwrap_or_else(|| Err(gone()))).map(|entry| (entry, began)),
            };
            let checked = found.and_then(|(entry, looked)| {
                rules::must_be_file(&entry)?;
                Ok((wanted.asked.wanted(entry.size)?, entry, looked))
            });
            let transfer = match checked {
                Ok((bytes, entry, looked)) => Some(Transfer {
                    looked,
                    asked: wanted.asked,
                    entry,
                    sink: Some(wanted.sink),
                    pour: None,
                    handle: Vec::new(),
                    state: State::Looked,
                    wanted: bytes,
                    sent_for: 0,
                    got: 0,
                    pieces: VecDeque::new(),
                }),
                Err(failure) => {
                    set.end(at, Err(failure.into()));
                    None
                }
            };
            set.transfers.push(transfer);
        }
        if order == Order::InTurn
            && let Some(failed) = set.done.iter().position(Option::is_some)
        {
            set.stop_behind(failed);
        }
        set.bear();
        set.run();
        // Or what was closed last stays open over there until something else is asked.
        set.files.far.flush();
        let never = || (Err(gone().into()), began.elapsed());
        let done = set.done.into_iter();
        done.map(|done| done.unwrap_or_else(never)).collect()
    }
}

impl<C: Conversation> Set<'_, C> {
    fn end(&mut self, at: usize, result: Result<Receipt, ReadError>) {
        self.done[at] = Some((result, self.began.elapsed()));
    }

    /// Opens none of them when they cannot all come at the rate that there is.
    fn bear(&mut self) {
        let Some((rate, deadline)) = self.rate else {
            return;
        };
        let all = self.transfers.iter().flatten();
        let bytes = all.fold(0_u64, |sum, one| sum.saturating_add(one.wanted));
        if let Err(failure) = rate.bears(bytes, deadline) {
            for at in 0..self.transfers.len() {
                if self.transfers[at].take().is_some() {
                    self.end(at, Err(failure.clone().into()));
                }
            }
        }
    }

    /// Until each is done, or the conversation is over.
    fn run(&mut self) {
        while self.done.iter().any(Option::is_none) || self.is_opening() {
            if self.order == Order::InTurn && self.questions.is_empty() {
                if let Err((failure, at)) = self.look_again() {
                    return self.over(&failure, Some(at));
                }
                if self.done.iter().all(Option::is_some) {
                    continue;
                }
            }
            let asked = self.ask();
            let what = match self.questions.first_key_value() {
                Some((_, (_, Role::Piece))) => READING,
                _ => OPENING,
            };
            // What was asked first and not answered is what it ends over: servers answer in order.
            let first = self.questions.first_key_value().map(|(_, (at, _))| *at);
            let answer = asked.and_then(|()| self.files.far.answer(what));
            let (heard, about) = match answer {
                Err(failure) => (Err(failure), first),
                Ok((id, answer)) => match self.questions.remove(&id) {
                    Some((at, role)) => (self.hear(at, role, id, answer), Some(at)),
                    None => (Err(self.files.far.refuse(&answer, what)), first),
                },
            };
            if let Err(failure) = heard {
                return self.over(&failure, about);
            }
        }
    }

    /// The conversation ended over one file. Those before it were under way as well; those behind it have nothing
    /// to say for themselves.
    fn over(&mut self, failure: &Failure, about: Option<usize>) {
        let undone = self.done.iter().position(Option::is_none);
        let last = about.max(undone).unwrap_or_default();
        for at in 0..=last.min(self.done.len().saturating_sub(1)) {
            if self.done[at].is_some() {
                continue;
            }
            let error = match self.transfers[at].take() {
                Some(Transfer {
                    pour: Some(pour),
                    entry,
                    ..
                }) => rules::broken(failure.clone().into(), &entry, pour),
                _ => failure.clone().into(),
            };
            self.end(at, Err(error));
        }
    }

    /// Asks whatever may be asked by now.
    fn ask(&mut self) -> Result<(), Failure> {
        let dialogue = self.files.far.dialogue()?;
        let in_turn = self.order == Order::InTurn;
        let (mut open, mut is_first_open) = (0, false);
        for (at, transfer) in self.transfers.iter_mut().enumerate() {
            let Some(transfer) = transfer else { continue };
            open += 1;
            let is_next = in_turn && open > 1;
            if open > MOST_OPEN || is_next && (open > 2 || !is_first_open || !transfer.is_fresh()) {
                break;
            }
            is_first_open = transfer.state >= State::Open;
            if transfer.state == State::Looked {
                // For reading, and no attributes.
                let mode = [0, 0, 0, 1, 0, 0, 0, 0];
                let path = transfer.asked.path.as_bytes();
                let id = dialogue.ask(packet::OPEN, &[path], &mode);
                self.questions.insert(id, (at, Role::Open));
                transfer.state = State::Opening;
            }
            if is_next {
                break;
            }
            if transfer.state == State::Open {
                // Between the look and the opening it may have been replaced.
                let id = dialogue.ask(packet::FSTAT, &[&transfer.handle], &[]);
                self.questions.insert(id, (at, Role::Stat));
                transfer.state = State::Asked;
            }
            // Reads do not wait for that answer. What they bring waits for it.
            while transfer.state >= State::Asked
                && transfer.sent_for < transfer.last()
                && self.reads < self.ahead
            {
                let size = (transfer.last() - transfer.sent_for).min(PIECE);
                if let Some((rate, deadline)) = self.rate {
                    // What was asked for before goes out first.
                    if self.reads > 0 && rate.is_busy() {
                        return Ok(());
                    }
                    rate.wait(size, deadline);
                }
                let offset = transfer.asked.span.from + transfer.sent_for;
                let rest = read_of(offset, size);
                let id = dialogue.ask(packet::READ, &[&transfer.handle], &rest);
                self.questions.insert(id, (at, Role::Piece));
                self.reads += 1;
                transfer.sent_for += size;
                transfer.pieces.push_back(Piece {
                    id,
                    offset,
                    size,
                    bytes: Vec::new(),
                });
            }
        }
        Ok(())
    }

    /// Takes one answer; a failure ends the conversation.
    fn hear(&mut self, at: usize, role: Role, id: u32, answer: Answer) -> Result<(), Failure> {
        if matches!(role, Role::Piece) {
            self.reads -= 1;
            self.ahead = (self.ahead + 1).min(MOST_AHEAD);
        }
        // Questions about a file that is done were forgotten, but that for a handle.
        let Some(transfer) = &mut self.transfers[at] else {
            if let (Role::Open, Answer::Handle(handle)) = (role, answer) {
                self.files.close(&handle);
            }
            return Ok(());
        };
        let path = transfer.asked.path.clone();
        match (role, answer) {
            (Role::Open, Answer::Handle(handle)) => {
                transfer.handle = handle;
                transfer.state = State::Open;
            }
            (Role::Open | Role::Stat, Answer::Status(code, said)) => {
                self.fail(at, No::Status(code, said).about(&path).into());
            }
            (Role::Stat, Answer::Attributes(stat)) => {
                let judged = described(&path, &stat).and_then(|entry| {
                    rules::must_be_file(&entry)?;
                    Ok((transfer.asked.wanted(entry.size)?, entry))
                });
                match judged {
                    Ok((wanted, entry)) => self.judged(at, wanted, entry),
                    Err(failure) => self.fail(at, failure.into()),
                }
                self.pour(at);
            }
            (Role::Piece, answer) => return self.piece(at, id, answer),
            (Role::Open, other) => return Err(self.files.far.refuse(&other, OPENING)),
            (Role::Stat, other) => return Err(self.files.far.refuse(&other, OPENING)),
        }
        Ok(())
    }

    /// It is a file as it was opened, of which `wanted` bytes have to come.
    fn judged(&mut self, at: usize, wanted: u64, entry: Entry) {
        let Some(transfer) = &mut self.transfers[at] else {
            return;
        };
        // What was asked for by the size that it had a moment ago is of no use.
        let is_less = wanted < transfer.wanted || transfer.wanted == 0 && wanted > 0;
        let old = match is_less {
            true => std::mem::take(&mut transfer.pieces),
            false => VecDeque::new(),
        };
        if is_less {
            transfer.sent_for = 0;
        }
        transfer.wanted = wanted;
        transfer.entry = entry;
        transfer.state = State::Judged;
        let pour = transfer.sink.take().map(|sink| Pour::new(wanted, sink));
        self.forget(old);
        match pour.transpose() {
            Ok(pour) => {
                if let Some(transfer) = &mut self.transfers[at] {
                    transfer.pour = pour;
                }
            }
            Err(error) => self.fail(at, ReadError::Sink(error)),
        }
    }

    /// Takes the answer to one read.
    fn piece(&mut self, at: usize, id: u32, answer: Answer) -> Result<(), Failure> {
        let Some(transfer) = &mut self.transfers[at] else {
            return Ok(());
        };
        let (from, wanted) = (transfer.asked.span.from, transfer.wanted);
        let Some(piece) = transfer.pieces.iter_mut().find(|piece| piece.id == id) else {
            return Ok(());
        };
        match answer {
            Answer::Data(data) if !data.is_empty() && data.len() <= piece.left() => {
                match piece.bytes.is_empty() {
                    true => piece.bytes = data,
                    false => piece.bytes.extend_from_slice(&data),
                }
                if piece.left() > 0 {
                    let got = piece.bytes.len() as u64;
                    let rest = read_of(piece.offset + got, piece.size - got);
                    let dialogue = self.files.far.dialogue()?;
                    piece.id = dialogue.ask(packet::READ, &[&transfer.handle], &rest);
                    self.questions.insert(piece.id, (at, Role::Piece));
                    self.reads += 1;
                }
                self.pour(at);
            }
            // Of an empty file the end is what was asked for.
            Answer::Status(EOF, _) if wanted == 0 => {
                piece.bytes = vec![0; piece.left()];
                self.pour(at);
            }
            Answer::Status(EOF, _) => {
                let came = transfer.came();
                self.fail(at, rules::short(from + wanted, came).into());
            }
            Answer::Status(code, said) => {
                let came = transfer.came();
                self.fail(at, broken_off(from + wanted, came, code, &said).into());
            }
            other => return Err(self.files.far.refuse(&other, READING)),
        }
        Ok(())
    }

    /// Gives on what came whole and in its order, once it is known to be of a file.
    fn pour(&mut self, at: usize) {
        let Some(transfer) = &mut self.transfers[at] else {
            return;
        };
        if transfer.state != State::Judged {
            return;
        }
        while transfer
            .pieces
            .front()
            .is_some_and(|piece| piece.left() == 0)
        {
            let Some(piece) = transfer.pieces.pop_front() else {
                break;
            };
            transfer.got += piece.size;
            // What has come into an empty file meanwhile was not there when it was opened.
            if transfer.wanted == 0 {
                break;
            }
            let poured = match &mut transfer.pour {
                Some(pour) => pour.take(piece.bytes),
                None => Ok(()),
            };
            if let Err(error) = poured {
                let error = match transfer.pour.take() {
                    Some(pour) => pour.error(error),
                    None => error,
                };
                return self.fail(at, ReadError::Sink(error));
            }
        }
        if transfer.got < transfer.last() {
            return;
        }
        if let Some(Transfer {
            asked,
            entry,
            pour: Some(pour),
            handle,
            wanted,
            ..
        }) = self.transfers[at].take()
        {
            self.files.close(&handle);
            let receipt = pour.finish().map(|sha256| Receipt {
                path: asked.path,
                bytes: wanted,
                size: entry.size,
                sha256,
                modified: entry.modified,
                method: "sftp",
            });
            self.end(at, receipt.map_err(ReadError::Sink));
        }
    }

    /// Ends one file; the others go on.
    fn fail(&mut self, at: usize, error: ReadError) {
        if let Some(transfer) = self.transfers[at].take() {
            self.forget(transfer.pieces);
            let about: Vec<u32> = (self.questions.iter())
                .filter(|(_, (of, _))| *of == at)
                .map(|(id, _)| *id)
                .collect();
            for id in about {
                self.questions.remove(&id);
                if let Ok(dialogue) = self.files.far.dialogue() {
                    dialogue.forget(id);
                }
            }
            if !transfer.handle.is_empty() {
                self.files.close(&transfer.handle);
            }
        }
        self.end(at, Err(error));
        if self.order == Order::InTurn {
            self.stop_behind(at);
        }
    }

    /// Their answers are of no use any more.
    fn forget(&mut self, pieces: VecDeque<Piece>) {
        for piece in pieces {
            if self.questions.remove(&piece.id).is_some() {
                self.reads -= 1;
                if let Ok(dialogue) = self.files.far.dialogue() {
                    dialogue.forget(piece.id);
                }
            }
        }
    }
}

fn read_of(offset: u64, size: u64) -> Vec<u8> {
    let size = u32::try_from(size).unwrap_or(u32::MAX);
    [&offset.to_be_bytes()[..], &size.to_be_bytes()].concat()
}

fn broken_off(wanted: u64, got: u64, code: u32, said: &str) -> Failure {
    let said = text::clip(said, 200);
    Failure::new(
        FailureKind::Io,
        format!("{wanted} bytes, as the file had when it was opened"),
        format!("an error after {got} bytes: {said} (SFTP status {code})"),
    )
    .with_hint("look in the host's kernel log for errors of the disk or the network file system")
}
