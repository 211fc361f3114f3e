//! A way from the host to an address that it reaches, over libssh2: one direct-tcpip channel of the session
//! itself. No port listens anywhere, and nothing is left when it is dropped.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use ssh2::{Channel, ExtendedData};

use super::actor::Deadline;
use super::classify;
use super::far::Far;
use super::http::{self, Request, WHAT, Way, refusal};
use super::{ReadError, Receipt, Sink};
use crate::failure::Failure;

/// Sends the request over a channel of its own.
pub(super) fn get(
    far: &mut Far,
    request: &Request,
    most: u64,
    deadline: &Deadline,
    sink: Sink,
) -> Result<Receipt, ReadError> {
    far.settle_spare(deadline, WHAT)?;
    let far = &*far;
    let channel = open(far, request, deadline)?;
    let mut way = Forward {
        far,
        channel,
        deadline,
        soon: None,
        why: None,
    };
    let done = http::exchange(&mut way, request, most, deadline, sink);
    if !far.is_dead() {
        far.abandon(way.channel);
    }
    done
}

fn open(far: &Far, request: &Request, deadline: &Deadline) -> Result<Channel, Failure> {
    let url = &request.url;
    // libssh2 cannot take an open back: one that is not answered costs the session.
    let patience = Deadline::after(
        deadline
            .left()
            .unwrap_or_default()
            .min(far.login.connect_timeout),
    );
    far.arm(&patience, WHAT)?;
    match far.session.channel_direct_tcpip(&url.host, url.port, None) {
        Ok(mut channel) => {
            // sshd sends none on such a channel; what is sent all the same would fill the window.
            let _ = channel.handle_extended_data(ExtendedData::Ignore);
            far.session.set_blocking(false);
            Ok(channel)
        }
        Err(error) => Err(match far.connection(&error, &patience, WHAT) {
            Some(failure) => failure,
            None => refusal::worded(&far.login, url, error.message(), classify::said(&error)),
        }),
    }
}

struct Forward<'a> {
    far: &'a Far,
    channel: Channel,
    deadline: &'a Deadline,
    soon: Option<Instant>,
    why: Option<Failure>,
}

impl Forward<'_> {
    /// Waits for the connection; `Err` when there is no use in it.
    fn wait(&mut self, idle: &mut u32) -> io::Result<()> {
        if let Some(soon) = self.soon {
            let left = soon.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.far.rest(left);
            return Ok(());
        }
        *idle += 1;
        let waited = match self.channel.read_window().available > 0 {
            // Writing may have queued what is to be read (facts: ssh.md 3.2).
            true if *idle < 3 => Ok(()),
            true => {
                std::thread::sleep(Duration::from_millis(5));
                Ok(())
            }
            false => self.far.wait(self.deadline, WHAT),
        };
        let waited = waited.and_then(|()| match self.deadline.left() {
            Some(_) => Ok(()),
            None => Err(self.far.late(self.deadline, WHAT)),
        });
        waited.map_err(|failure| self.fail(failure))
    }

    fn fail(&mut self, failure: Failure) -> io::Error {
        self.why = Some(failure);
        io::ErrorKind::ConnectionAborted.into()
    }

    /// What an error of libssh2 means; its `io::Error`s carry no code.
    fn broken(&mut self) -> io::Error {
        let error = self.far.last_error();
        match self.far.connection(&error, self.deadline, WHAT) {
            Some(failure) => self.fail(failure),
            // The channel alone is gone: the web server closed it.
            None => io::ErrorKind::BrokenPipe.into(),
        }
    }
}

impl Read for Forward<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut idle = 0;
        loop {
            match self.channel.read(room) {
                Ok(0) if self.channel.eof() || room.is_empty() => return Ok(0),
                Ok(0) => {}
                Ok(got) => {
                    self.far.took(got);
                    return Ok(got);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Err(self.broken()),
            }
            // The end may have been taken in by the very read that found nothing.
            if self.channel.eof() {
                continue;
            }
            self.wait(&mut idle)?;
        }
    }
}

impl Write for Forward<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut idle = 3;
        loop {
            match self.channel.write(piece) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(&mut idle)?,
                Ok(0) if !piece.is_empty() => self.wait(&mut idle)?,
                Ok(sent) => return Ok(sent),
                Err(_) => return Err(self.broken()),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Way for Forward<'_> {
    fn why(&mut self) -> Option<Failure> {
        self.why.take()
    }

    fn hasten(&mut self, time: Duration) {
        self.soon = Some(Instant::now() + time);
    }
}
