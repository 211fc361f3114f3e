//! Bytes from and to the web server, with or without TLS, and what it means when they stop. Knows no HTTP.

use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use rustls::ClientConnection;

use super::{SLOW, WHAT, Way, tls};
use crate::failure::{Failure, FailureKind};
use crate::transport::actor::Deadline;
use crate::transport::classify;

const PIECE: usize = 64 << 10;
/// How long a server may take to close after its last byte, before that is taken for granted.
const FAREWELL: Duration = Duration::from_millis(300);

pub(super) struct Peer<'a> {
    way: &'a mut dyn Way,
    tls: Option<Box<ClientConnection>>,
    deadline: &'a Deadline,
    buffer: Vec<u8>,
    /// What of the buffer was taken already.
    taken: usize,
}

/// What another read brought.
pub(super) enum More {
    Bytes,
    /// The server said that this is all.
    End,
    /// It stopped without saying so, as TLS would have it said.
    Cut,
}

impl<'a> Peer<'a> {
    pub(super) fn new(
        way: &'a mut dyn Way,
        tls: Option<ClientConnection>,
        deadline: &'a Deadline,
    ) -> Self {
        Self {
            way,
            tls: tls.map(Box::new),
            deadline,
            buffer: Vec::new(),
            taken: 0,
        }
    }

    /// Sends all of `bytes`.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let sent = match &mut self.tls {
            Some(tls) => {
                let mut stream = rustls::Stream::new(&mut **tls, &mut self.way);
                stream.write_all(bytes).and_then(|()| stream.flush())
            }
            None => self.way.write_all(bytes).and_then(|()| self.way.flush()),
        };
        sent.map_err(|error| self.failure(&error))
    }

    /// What has come and was not taken.
    pub(super) fn held(&self) -> &[u8] {
        &self.buffer[self.taken..]
    }

    /// Takes `count` of what is held.
    pub(super) fn take(&mut self, count: usize) {
        self.taken = (self.taken + count).min(self.buffer.len());
    }

    /// Waits for more, behind what is held.
    pub(super) fn more(&mut self) -> Result<More, Failure> {
        match self.read() {
            Ok(0) => Ok(More::End),
            Ok(_) => Ok(More::Bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(More::Cut),
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// Whether something comes behind the last byte, as far as a moment tells.
    pub(super) fn says_more(&mut self) -> bool {
        if !self.held().is_empty() {
            return true;
        }
        self.way.hasten(FAREWELL);
        matches!(self.read(), Ok(1..))
    }

    fn read(&mut self) -> io::Result<usize> {
        // A peer that never pauses is late, too.
        if self.deadline.left().is_none() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.buffer.drain(..self.taken);
        self.taken = 0;
        let begin = self.buffer.len();
        self.buffer.resize(begin + PIECE, 0);
        let room = &mut self.buffer[begin..];
        let read = match &mut self.tls {
            Some(tls) => rustls::Stream::new(&mut **tls, &mut self.way).read(room),
            None => self.way.read(room),
        };
        let got = *read.as_ref().unwrap_or(&0);
        self.buffer.truncate(begin + got);
        read
    }

    fn failure(&mut self, error: &io::Error) -> Failure {
        if let Some(why) = self.way.why() {
            return why;
        }
        if let Some(failure) = tls::refused(error) {
            return failure;
        }
        if error.kind() == io::ErrorKind::TimedOut || self.deadline.left().is_none() {
            return classify::late(WHAT, self.deadline).with_hint(SLOW);
        }
        let actual = match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => {
                "it closed the connection instead".to_owned()
            }
            _ => error.to_string(),
        };
        Failure::new(FailureKind::Io, "a web server that answers", actual)
            .with_hint("look at the server's own log on the host; `http://` and `https://` are not the same port")
    }
}
