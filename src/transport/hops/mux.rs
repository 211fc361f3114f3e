//! The loop on a hop's thread: opens one channel after the other, as libssh2 holds the state of one
//! open only, and carries the bytes of all lanes meanwhile. Nothing in it waits for one of them.
//!
//! A packet that went out half has to be finished by the call that began it (libssh2's
//! `transport_send_existing`): until then that call alone is made again.

use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::{Channel, Error, ErrorCode, ExtendedData};

use super::Shared;
use super::lane::{Lane, is_later};
use super::order::{Answer, Order, Orders};
use crate::transport::classify;
use crate::transport::far::Far;

/// A net below the wake-ups, not the clock of the loop.
const NET: Duration = Duration::from_secs(1);

/// A call of libssh2 that may go out half.
#[derive(Clone, Copy)]
enum Act {
    Open,
    Send(usize),
    Take(usize),
    Leave(usize),
    /// Take in what the wire has, by way of that lane.
    Pump(usize),
}

/// The loop and what it turns over.
struct Mux<'a> {
    far: &'a Far,
    shared: &'a Shared,
    inbox: Receiver<Order>,
    orders: Orders,
    lanes: Vec<Lane<Channel>>,
    /// The call whose packet went out half.
    stuck: Option<Act>,
    /// How often the wire was asked.
    turns: usize,
    /// libssh2 holds no bytes of the wire that it has not looked at: else a poll would wait for what is
    /// here already. An open, a farewell or a key exchange stops at the packet that it wants.
    drained: bool,
    over: bool,
}

/// Carries until the last user is gone or the connection is; the error that ended it comes back.
pub(super) fn carry(far: &Far, shared: &Shared, inbox: Receiver<Order>) {
    far.session.set_blocking(false);
    let mut mux = Mux {
        far,
        shared,
        inbox,
        orders: Orders::default(),
        lanes: Vec::new(),
        stuck: None,
        turns: 0,
        drained: true,
        over: false,
    };
    let ended = mux.turn();
    if let Err(error) = ended
        && !far.is_dead()
    {
        // Before any inner session sees its socket end.
        shared.lose(&error);
    }
    far.kill();
}

impl Mux<'_> {
    fn turn(&mut self) -> Result<(), Error> {
        let mut again = false;
        loop {
            self.hear();
            if self.over || self.far.is_dead() {
                return Ok(());
            }
            if self.round()? {
                again = false;
                continue;
            }
            if !self.drained
                && let Some(at) = self.pumping()
            {
                self.pump(at)?;
            }
            // A second round without any progress means that libssh2 waits for the wire (a key
            // exchange): then so does the loop.
            if !again && self.is_ready() {
                again = true;
                continue;
            }
            again = false;
            self.wait()?;
        }
    }

    /// Takes in what was ordered meanwhile.
    fn hear(&mut self) {
        loop {
            match self.inbox.try_recv() {
                Ok(order) => self.orders.take(order),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.over = true;
                    break;
                }
            }
        }
        self.orders.watch(self.shared.is_retired());
        self.shared.set_slow(self.orders.is_slow());
    }

    /// Every lane once, in turn, then the open: its answer may have come in with any of them.
    fn round(&mut self) -> Result<bool, Error> {
        let mut moved = false;
        if let Some(act) = self.stuck {
            moved |= self.act(act)?;
            if self.stuck.is_some() {
                return Ok(moved);
            }
        }
        for at in 0..self.lanes.len() {
            moved |= self.lanes[at].inside();
            if self.lanes[at].can_take() {
                moved |= self.act(Act::Take(at))?;
                moved |= self.lanes[at].inside();
            }
            if self.stuck.is_none() && self.lanes[at].can_send() {
                moved |= self.act(Act::Send(at))?;
            }
            if self.stuck.is_none() && self.lanes[at].is_leaving() {
                moved |= self.act(Act::Leave(at))?;
            }
            if self.stuck.is_some() {
                return Ok(moved);
            }
        }
        self.lanes.retain(|lane| !lane.is_gone());
        if self.orders.opening().is_some() {
            moved |= self.act(Act::Open)?;
        }
        Ok(moved)
    }

    fn act(&mut self, act: Act) -> Result<bool, Error> {
        let done = match act {
            Act::Open => return self.open(),
            Act::Send(at) => self.lanes[at].send(),
            Act::Take(at) => self.lanes[at].take(),
            Act::Leave(at) => self.lanes[at].leave(),
            Act::Pump(at) => self.lanes[at].pump(),
        };
        self.stuck = None;
        self.drained = matches!(act, Act::Take(_) | Act::Pump(_));
        match done {
            Ok(()) => Ok(true),
            Err(error) if is_later(&error) => {
                self.note(act);
                Ok(false)
            }
            // libssh2's `io::Error`s carry no code.
            Err(_) => {
                self.check(self.far.last_error())?;
                match act {
                    Act::Leave(at) => self.lanes[at].forget(),
                    Act::Send(at) | Act::Take(at) | Act::Pump(at) => self.lanes[at].end(),
                    Act::Open => {}
                }
                Ok(true)
            }
        }
    }

    /// The call could not end: because its packet went out half, or because the wire has no more.
    fn note(&mut self, act: Act) {
        let half = self.far.directions().contains(PollFlags::OUT);
        self.stuck = half.then_some(act);
        self.drained = !half;
    }

    /// `Err` when the error is about the connection, not about one channel.
    fn check(&self, error: Error) -> Result<Error, Error> {
        match classify::is_lost(&error) || self.far.is_dead() {
            true => Err(error),
            false => Ok(error),
        }
    }

    fn open(&mut self) -> Result<bool, Error> {
        let Some((address, port)) = self.orders.opening() else {
            return Ok(false);
        };
        let session = &self.far.session;
        let tried = session.channel_direct_tcpip(address, port, None);
        self.stuck = None;
        self.drained = false;
        let error = match tried {
            Ok(channel) => {
                self.enter(channel);
                return Ok(true);
            }
            Err(error) => error,
        };
        if classify::would_block(&error) {
            self.note(Act::Open);
            return Ok(false);
        }
        let error = self.check(error)?;
        if classify::is_late(&error) {
            // libssh2 gave up, after a minute. An answer that comes yet would be taken for that to the
            // next open.
            self.shared.retire();
            self.orders.give_up();
        } else {
            self.orders.reply(Answer::Refused(error));
        }
        Ok(true)
    }

    fn enter(&mut self, mut channel: Channel) {
        // sshd sends none on such a channel; what is sent all the same would fill the window.
        let _ = channel.handle_extended_data(ExtendedData::Ignore);
        let pair = UnixStream::pair().and_then(|(near, inner)| {
            inner.set_nonblocking(true)?;
            Ok((near, inner))
        });
        match pair {
            // If nobody waits any more, the near end goes, and the lane ends by itself.
            Ok((near, inner)) => {
                self.orders.reply(Answer::Open(near));
                self.lanes.push(Lane::new(channel, inner));
            }
            Err(error) => self.orders.reply(Answer::Ours(error)),
        }
    }

    /// True when a lane could go on without waiting: bytes or a window came in with another's call.
    fn is_ready(&self) -> bool {
        let able = |lane: &Lane<Channel>| lane.can_take() || lane.can_send();
        self.stuck.is_none() && self.lanes.iter().any(able)
    }

    fn wait(&mut self) -> Result<(), Error> {
        // Another lane each time: one may itself have to send before it reads.
        let (begun, ended) = self.lanes.split_at(self.turns % self.lanes.len().max(1));
        let pump = ended
            .iter()
            .position(Lane::pumps)
            .map(|at| begun.len() + at);
        let pump = pump.or_else(|| begun.iter().position(Lane::pumps));
        let asks = pump.is_some() || self.orders.opening().is_some() || self.stuck.is_some();
        let asks = asks || self.lanes.iter().any(Lane::is_leaving);
        // An idle connection has no channel to read from: only its end is of interest.
        let mut outer = if asks {
            PollFlags::IN
        } else {
            PollFlags::RDHUP
        };
        outer.set(PollFlags::OUT, self.stuck.is_some());
        let mut ready = Vec::with_capacity(self.lanes.len() + 2);
        ready.push(PollFd::new(self.far.socket(), outer));
        ready.push(PollFd::new(&self.shared.bell, PollFlags::IN));
        let mut polled = Vec::with_capacity(self.lanes.len());
        if self.stuck.is_none() {
            for (at, lane) in self.lanes.iter().enumerate() {
                if let Some((inner, wants)) = lane.wants() {
                    polled.push(at);
                    ready.push(PollFd::new(inner, wants));
                }
            }
        }
        // An interrupted poll is only an early look.
        let _ = poll(
            &mut ready,
            Timespec::try_from(self.orders.patience().min(NET))
                .ok()
                .as_ref(),
        );
        let woken: Vec<PollFlags> = ready.iter().map(PollFd::revents).collect();
        drop(ready);
        for (at, why) in polled.into_iter().zip(&woken[2..]) {
            if !why.is_empty() {
                self.lanes[at].woke(*why);
            }
        }
        if !woken[1].is_empty() {
            self.shared.hush();
        }
        match pump {
            _ if woken[0].is_empty() => Ok(()),
            Some(at) => self.pump(at),
            // Who opens or leaves meets the error by itself.
            None if asks => Ok(()),
            None => Err(Error::from_errno(ErrorCode::Session(
                libssh2_sys::LIBSSH2_ERROR_SOCKET_DISCONNECT,
            ))),
        }
    }

    /// A lane to ask the wire by; another each time, as one may itself have to send before it reads.
    fn pumping(&mut self) -> Option<usize> {
        self.turns = self.turns.wrapping_add(1);
        let many = self.lanes.len();
        let mut places = (0..many).map(|at| (at + self.turns) % many);
        places.find(|at| self.lanes[*at].pumps())
    }

    fn pump(&mut self, at: usize) -> Result<(), Error> {
        let stuck = self.stuck;
        self.act(Act::Pump(at))?;
        // What went out half stays the one to be finished.
        self.stuck = stuck.or(self.stuck);
        Ok(())
    }
}
