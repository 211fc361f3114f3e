//! A large file over a connection that breaks: another session is opened through the same door, and
//! reading goes on where it broke off, if the file still is the one that it was; if not, it begins again.
//! All of that within the check's deadline, and a few times only.
//!
//! Only files that are read where they lie come here. What a command prints, a journal and the answer of
//! a web server cannot be asked for from the middle, and a database is one set, of which halves of two
//! moments are torn: of those a lost connection fails the check.

use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;

use super::retrieve::stopped;
use super::{Stop, World};
use crate::digest::Stream;
use crate::evidence::tap::Tap;
use crate::evidence::transcript::Transcript;
use crate::failure::Failure;
use crate::inventory::Login;
use crate::transport::{Limits, Lost, ReadError, Receipt, Sink, Span};

/// Most often for one artifact of a check. Each time is a login on a production server, and what breaks
/// a fourth time does not carry the file.
pub const MOST: u32 = 3;
/// So much must have come. A connection that does not last for a mebibyte is what the check has to tell,
/// and not in the way of it.
const LEAST: u64 = 1 << 20;
/// Read again, and compared, of each end of what had come: several screens of any log, a moment on any line.
const AGAIN: usize = 64 << 10;
/// Before another login: what cut the connection, such as a failover, may not be over.
const PAUSE: Duration = Duration::from_secs(1);

/// The connections that were lost while one artifact was retrieved, oldest first.
#[derive(Default)]
pub(super) struct Losses(Vec<Loss>);

struct Loss {
    path: String,
    came: u64,
    size: u64,
    why: String,
    /// What was done about it.
    then: String,
    is_resumed: bool,
}

impl Losses {
    /// How often a transfer was taken up again.
    pub(super) fn resumed(&self) -> u32 {
        let resumed = self.0.iter().filter(|loss| loss.is_resumed).count();
        u32::try_from(resumed).unwrap_or(u32::MAX)
    }

    /// How many there were.
    pub(super) const fn many(&self) -> usize {
        self.0.len()
    }

    /// Tells each of them.
    pub(super) fn write(&self, transcript: &mut Transcript) {
        for loss in &self.0 {
            transcript.lost(&loss.path, (loss.came, loss.size), &loss.why, &loss.then);
        }
    }

    /// The failure or fault in which it ended, with what went before.
    pub(super) fn told(&self, stop: Stop) -> Stop {
        match (stop, self.0.iter().find(|loss| loss.is_resumed)) {
            (Stop::Failure(failure), Some(first)) => Stop::Failure(Failure {
                actual: format!(
                    "{}; the transfer had been taken up again {}, the first time at {} of {} bytes of {} ({})",
                    failure.actual,
                    times(self.resumed()),
                    first.came,
                    first.size,
                    first.path,
                    first.why
                ),
                ..failure
            }),
            (stop, _) => stop,
        }
    }

    fn changed(&mut self, why: &str) {
        if let Some(loss) = self.0.last_mut() {
            loss.then = format!("read again from the beginning: {why}");
        }
    }
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

/// One file that is read as it lies.
pub(super) struct Transfer<'a> {
    pub world: &'a World,
    pub path: &'a str,
    /// Whether it may grow while it is read and still be the same: a log.
    pub grows: bool,
    /// Most bytes.
    pub bytes: u64,
}

/// A file as it was when it was first opened, and a connection was lost since.
struct First {
    size: u64,
    modified: Option<Timestamp>,
}

/// What became of the rest of a file.
enum Rest {
    /// It came, and all of it is of one file.
    Whole(Box<Receipt>),
    /// The connection was lost again.
    Lost(Failure),
    /// The file is not the one that it was.
    Other(&'static str),
}

impl Transfer<'_> {
    /// Reads the file into `flow`; `None` when it has to be read again from the beginning, into another
    /// sink: the file is not the one that it was when the connection was lost.
    pub(super) async fn read(
        &self,
        flow: Tap<Flow>,
        losses: &mut Losses,
    ) -> Result<Option<Receipt>, Stop> {
        let session = self.world.session().await?;
        let limits = self.limits()?;
        let read = session
            .read(self.path, Span::WHOLE, limits, flow.sink())
            .await;
        self.go_on(read, flow, losses).await
    }

    /// As [`Self::read`], of a file that was read into `flow` already, or not whole.
    pub(super) async fn go_on(
        &self,
        read: Result<Receipt, ReadError>,
        flow: Tap<Flow>,
        losses: &mut Losses,
    ) -> Result<Option<Receipt>, Stop> {
        let lost = match read {
            Ok(receipt) => return Ok(Some(receipt)),
            Err(ReadError::Lost(lost)) => *lost,
            Err(error) => return Err(stopped(error, self.path)),
        };
        let mut flow = flow.take();
        let Lost {
            mut failure,
            size,
            modified,
            hash,
        } = lost;
        let first = First { size, modified };
        flow.hash = Some(hash);
        loop {
            self.lost(failure, flow.came, size, losses)?;
            tokio::time::sleep(PAUSE).await;
            let (back, rest) = self.rest(&first, flow).await?;
            match rest {
                Rest::Whole(receipt) => return Ok(Some(*receipt)),
                Rest::Lost(again) => (flow, failure) = (back, again),
                Rest::Other(why) => {
                    losses.changed(why);
                    return Ok(None);
                }
            }
        }
    }

    /// Goes on after what `flow` has taken. The file is looked at before, so that not much is read in
    /// vain, and what was opened is judged again after.
    async fn rest(&self, first: &First, mut flow: Flow) -> Result<(Flow, Rest), Stop> {
        let session = self.world.session().await?;
        let head = Tap::new(Vec::new());
        let span = Span::head(flow.head.len() as u64);
        let limits = self.limits()?;
        match session.read(self.path, span, limits, head.sink()).await {
            Ok(now) if !self.is_same(first, &now) => {
                return Ok((flow, Rest::Other("its size or time is another")));
            }
            Ok(_) if head.take() != flow.head => {
                return Ok((flow, Rest::Other("it begins otherwise")));
            }
            Ok(_) => {}
            Err(ReadError::Lost(lost)) => return Ok((flow, Rest::Lost(lost.failure))),
            Err(error) => return Err(stopped(error, self.path)),
        }
        let from = flow.go_back();
        let span = Span {
            from,
            most: first.size.checked_sub(from),
        };
        let flow = Tap::new(flow);
        let limits = self.limits()?;
        let read = session.read(self.path, span, limits, flow.sink()).await;
        let mut flow = flow.take();
        let rest = match read {
            _ if flow.is_other => Rest::Other("what had come last is otherwise now"),
            Ok(now) if !self.is_same(first, &now) || flow.came != first.size => {
                Rest::Other("it changed meanwhile")
            }
            Ok(now) => Rest::Whole(Box::new(Receipt {
                bytes: flow.came,
                size: first.size,
                sha256: flow.hash.take().unwrap_or_default().finish(),
                modified: first.modified,
                ..now
            })),
            Err(ReadError::Lost(lost)) => Rest::Lost(lost.failure),
            Err(error) => return Err(stopped(error, self.path)),
        };
        Ok((flow, rest))
    }

    /// Whether it can be the same file, by what the server states of it. A time that is not stated proves
    /// nothing.
    fn is_same(&self, first: &First, now: &Receipt) -> bool {
        let (Some(then), Some(time)) = (first.modified, now.modified) else {
            return false;
        };
        match self.grows {
            true => now.size >= first.size && time >= then,
            false => now.size == first.size && time == then,
        }
    }

    /// What is left of the deadline, and the cap.
    fn limits(&self) -> Result<Limits, Stop> {
        let limits = self.world.limits()?;
        Ok(Limits {
            bytes: self.bytes,
            ..limits
        })
    }

    /// Notes a lost connection; the failure when it is not worth another.
    fn lost(
        &self,
        failure: Failure,
        came: u64,
        size: u64,
        losses: &mut Losses,
    ) -> Result<(), Stop> {
        let needed = time_to_connect(self.world.login()?) + PAUSE;
        let left = self.world.limits().map(|limits| limits.time);
        let given_up = if came < LEAST {
            Some("too little had come to go on with")
        } else if losses.resumed() >= MOST {
            Some("it was taken up as often as it may be")
        } else if left.is_ok_and(|left| left < needed) {
            Some("too little of the deadline was left to connect again")
        } else {
            None
        };
        let failure = failure.with_subject_if_none(self.path);
        losses.0.push(Loss {
            path: self.path.to_owned(),
            came,
            size,
            why: failure.actual.clone(),
            then: given_up
                .unwrap_or("read on over another connection")
                .to_owned(),
            is_resumed: given_up.is_none(),
        });
        let Some(why) = given_up else {
            return Ok(());
        };
        if came < LEAST && losses.resumed() == 0 {
            return Err(failure.into());
        }
        let actual = format!(
            "{}; {came} of {size} bytes had come, and {why}",
            failure.actual
        );
        let failure = Failure { actual, ..failure };
        let failure = failure.with_hint(
            "this connection does not last for a file of this size: look at sshd's log on the host, and at \
             firewalls, proxies and VPNs that cut long connections; raise `deadline` if it is short, or have \
             the file rotated earlier",
        );
        Err(failure.into())
    }
}

/// What connecting may take, and proving what was met. A login that the deadline interrupts is not tried
/// again for the checks that follow, which would pay for this one.
fn time_to_connect(login: &Login) -> Duration {
    let hops = login.via.iter().map(|hop| hop.connect_timeout);
    login.connect_timeout * 2 + hops.sum::<Duration>()
}

/// Passes on what comes, and remembers enough to tell whether it goes on.
pub(super) struct Flow {
    into: Sink,
    came: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Of all that came, once the session that began no longer hashes it.
    hash: Option<Stream>,
    /// So much of the end of `tail` is to come again.
    again: usize,
    /// It came again otherwise.
    is_other: bool,
}

impl Flow {
    /// One that passes on to `sink`, and can be taken back.
    pub(super) fn tapped(sink: Sink) -> Tap<Self> {
        Tap::new(Self::into(sink))
    }

    fn into(sink: Sink) -> Self {
        Self {
            into: sink,
            came: 0,
            head: Vec::new(),
            tail: Vec::new(),
            hash: None,
            again: 0,
            is_other: false,
        }
    }

    /// Expects the last bytes again, and tells where they begin.
    fn go_back(&mut self) -> u64 {
        self.again = self.tail.len().min(AGAIN);
        self.came - self.again as u64
    }

    fn remember(&mut self, piece: &[u8]) {
        let room = AGAIN.saturating_sub(self.head.len()).min(piece.len());
        self.head.extend_from_slice(&piece[..room]);
        let last = &piece[piece.len().saturating_sub(AGAIN)..];
        // Moved together now and then, not for each piece.
        if self.tail.len() + last.len() > 3 * AGAIN {
            let old = self.tail.len().saturating_sub(AGAIN);
            self.tail.drain(..old);
        }
        self.tail.extend_from_slice(last);
        self.came += piece.len() as u64;
    }
}

impl Write for Flow {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let known = self.again.min(piece.len());
        let at = self.tail.len() - self.again;
        let (again, new) = piece.split_at(known);
        if self.tail[at..at + known] != *again {
            self.is_other = true;
            return Err(io::Error::other("another file"));
        }
        self.again -= known;
        if !new.is_empty() {
            self.into.write_all(new)?;
            if let Some(hash) = &mut self.hash {
                hash.update(new);
            }
            self.remember(new);
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

#[cfg(test)]
#[path = "resume_tests.rs"]
mod tests;
