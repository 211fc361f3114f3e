//! One lane through a hop: bytes between a forwarded channel and the socket of the connection inside.
//! What a lane holds is bounded by its two buffers here and by the channel's window in libssh2: a lane
//! that nobody empties fills up, and no other lane notices. Knows no session and opens nothing.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use rustix::event::PollFlags;

/// As much as libssh2 puts into one packet, twice.
const ROOM: usize = 64 << 10;

/// The far end of a lane.
pub(super) trait Way: Read + Write {
    /// True when bytes are here already.
    fn has_bytes(&self) -> bool;

    /// True when all bytes were read, and no more will come.
    fn has_ended(&self) -> bool;

    /// True when the other side would take bytes.
    fn has_room(&self) -> bool;

    /// Says goodbye; `WouldBlock` until the other side has done so, too.
    fn leave(&mut self) -> io::Result<()>;
}

impl Way for ssh2::Channel {
    fn has_bytes(&self) -> bool {
        self.read_window().available > 0
    }

    fn has_ended(&self) -> bool {
        self.eof()
    }

    fn has_room(&self) -> bool {
        self.write_window().remaining > 0
    }

    fn leave(&mut self) -> io::Result<()> {
        self.close().map_err(io::Error::from)
    }
}

/// Bytes on their way in one direction.
struct Flow {
    buffer: Box<[u8]>,
    from: usize,
    to: usize,
    ended: bool,
}

impl Flow {
    fn new() -> Self {
        Self {
            buffer: vec![0; ROOM].into(),
            from: 0,
            to: 0,
            ended: false,
        }
    }

    const fn is_empty(&self) -> bool {
        self.from == self.to
    }

    const fn takes(&self) -> bool {
        self.is_empty() && !self.ended
    }

    const fn is_over(&self) -> bool {
        self.is_empty() && self.ended
    }

    fn fill(&mut self, source: &mut impl Read) -> io::Result<()> {
        let read = source.read(&mut self.buffer)?;
        (self.from, self.to) = (0, read);
        self.ended = read == 0;
        Ok(())
    }

    fn pour(&mut self, drain: &mut impl Write) -> io::Result<()> {
        self.from += drain.write(&self.buffer[self.from..self.to])?;
        Ok(())
    }
}

/// A lane, and how far it is.
pub(super) struct Lane<W> {
    way: W,
    inner: UnixStream,
    /// From the inner connection to the target.
    up: Flow,
    /// From the target to the inner connection.
    down: Flow,
    /// The inner side may have something to read.
    hot: bool,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Bytes flow.
    Open,
    /// One side has ended; goodbye is being said to the other.
    Leaving,
    /// Nothing is left to do.
    Gone,
}

impl<W: Way> Lane<W> {
    /// A lane between `way` and `inner`, which must not block.
    pub(super) fn new(way: W, inner: UnixStream) -> Self {
        Self {
            way,
            inner,
            up: Flow::new(),
            down: Flow::new(),
            hot: true,
            stage: Stage::Open,
        }
    }

    /// Moves what the inner side has and takes; true when something moved.
    pub(super) fn inside(&mut self) -> bool {
        if self.stage != Stage::Open {
            return false;
        }
        let mut moved = false;
        if self.hot && self.up.takes() {
            match self.up.fill(&mut self.inner) {
                Ok(()) => moved = true,
                Err(error) if is_later(&error) => self.hot = false,
                Err(_) => self.up.ended = true,
            }
        }
        if !self.down.is_empty() {
            match self.down.pour(&mut self.inner) {
                Ok(()) => moved = true,
                Err(error) if is_later(&error) => {}
                Err(_) => self.end(),
            }
        }
        // An SSH connection has no half: when either side ends, both do.
        if self.up.is_over() || self.down.is_over() {
            self.end();
        }
        moved || self.stage != Stage::Open
    }

    /// Ends the lane: the inner connection sees it at once.
    pub(super) fn end(&mut self) {
        if self.stage == Stage::Open {
            self.stage = Stage::Leaving;
            let _ = self.inner.shutdown(Shutdown::Both);
        }
    }

    /// Ends it without a farewell.
    pub(super) fn forget(&mut self) {
        self.end();
        self.stage = Stage::Gone;
    }

    /// True when bytes for the target could be sent.
    pub(super) fn can_send(&self) -> bool {
        self.stage == Stage::Open && !self.up.is_empty() && self.way.has_room()
    }

    /// True when bytes of the target, or their end, are here and could be taken.
    pub(super) fn can_take(&self) -> bool {
        let here = || self.way.has_bytes() || self.way.has_ended();
        self.stage == Stage::Open && self.down.takes() && here()
    }

    /// True while a farewell is being said.
    pub(super) fn is_leaving(&self) -> bool {
        self.stage == Stage::Leaving
    }

    /// True when the lane may be dropped.
    pub(super) fn is_gone(&self) -> bool {
        self.stage == Stage::Gone
    }

    /// Sends to the target.
    pub(super) fn send(&mut self) -> io::Result<()> {
        self.up.pour(&mut self.way)
    }

    /// Takes from the target.
    pub(super) fn take(&mut self) -> io::Result<()> {
        self.down.fill(&mut self.way)
    }

    /// Goes on with the farewell.
    pub(super) fn leave(&mut self) -> io::Result<()> {
        self.way.leave()?;
        self.stage = Stage::Gone;
        Ok(())
    }

    /// Makes libssh2 take in whatever the wire has, for every lane: a read of nothing.
    pub(super) fn pump(&mut self) -> io::Result<()> {
        self.way.read(&mut []).map(drop)
    }

    /// True when [`Self::pump`] would ask the wire.
    pub(super) fn pumps(&self) -> bool {
        self.stage == Stage::Open && !self.way.has_ended()
    }

    /// The inner side, and what to wait for there; `None` when it is of no more interest.
    pub(super) fn wants(&self) -> Option<(&UnixStream, PollFlags)> {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, self.up.takes());
        flags.set(PollFlags::OUT, !self.down.is_empty());
        (self.stage == Stage::Open).then_some((&self.inner, flags))
    }

    /// The inner side woke the poll.
    pub(super) fn woke(&mut self, why: PollFlags) {
        self.hot = true;
        // Its owner is gone while the target takes nothing: a poll would only wake again.
        if why.contains(PollFlags::HUP) && !self.up.takes() {
            self.end();
        }
    }
}

/// True when the call may be made again later.
pub(super) fn is_later(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
#[path = "lane_tests.rs"]
mod tests;
