//! A way from the host to an address that it reaches, by a client of the control socket (`ssh -W`): its
//! stdin and stdout are the way. No port listens anywhere; dropping it ends the process.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use super::child::Child;
use super::classify::quoted;
use super::config::{self, chain};
use super::near::{FAR, Near};
use crate::failure::Failure;
use crate::transport::actor::Deadline;
use crate::transport::http::{self, Request, WHAT, Way, refusal};
use crate::transport::{ReadError, Receipt, Sink};

/// Sends the request over a channel of its own.
pub(super) fn get(
    near: &mut Near,
    request: &Request,
    most: u64,
    deadline: &Deadline,
    sink: Sink,
) -> Result<Receipt, ReadError> {
    // The one that stays tells why a channel is refused, and its client does not.
    let told = near.place.text(&log_of(near)).len();
    let child = near.client(&["-W", &request.url.endpoint(), FAR])?;
    let mut way = Forward {
        near,
        child,
        deadline,
        soon: None,
        why: None,
        came: false,
        ended: false,
    };
    let done = http::exchange(&mut way, request, most, deadline, sink);
    let Forward {
        mut child,
        came,
        ended,
        ..
    } = way;
    // The client ends alike when the server closes and when the connection is gone: an answer that only
    // its end delimits would look whole.
    if ended && let Some(lost) = near.lost(deadline, WHAT) {
        return Err(lost.into());
    }
    let Err(ReadError::Failure(failure)) = done else {
        return done;
    };
    if near.watch.left(deadline, WHAT).is_err() {
        drop(child);
        near.end();
        return Err(failure.into());
    }
    if came || !ended {
        return Err(failure.into());
    }
    let status = child.end_within(Duration::from_millis(500));
    drop(child);
    if status.and_then(|status| status.code()) != Some(255) {
        return Err(failure.into());
    }
    let log = near.place.text(&log_of(near));
    let log = log.get(told..).unwrap_or(&log);
    let reason = log.lines().rfind(|line| line.contains("open failed: "));
    let client = near.client_said();
    let said = match reason {
        Some(reason) => quoted(&[reason]),
        None => quoted(&client.lines().collect::<Vec<_>>()),
    };
    Err(refusal::worded(&near.login, &request.url, reason.unwrap_or_default(), said).into())
}

fn log_of(near: &Near) -> String {
    config::log(chain(&near.login).count() - 1)
}

struct Forward<'a> {
    near: &'a Near,
    child: Child,
    deadline: &'a Deadline,
    soon: Option<Instant>,
    why: Option<Failure>,
    /// Something came from there.
    came: bool,
    /// Nothing more will.
    ended: bool,
}

impl Forward<'_> {
    fn wait(&mut self, is_read: bool) -> io::Result<()> {
        let left = match self.soon {
            Some(soon) => soon.saturating_duration_since(Instant::now()),
            None => match self.near.watch.left(self.deadline, WHAT) {
                Ok(left) => left,
                Err(failure) => {
                    self.why = Some(failure);
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            },
        };
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let mut pipes: Vec<(&dyn AsFd, PollFlags)> = Vec::new();
        if let (Some(stdout), true) = (&self.child.stdout, is_read) {
            pipes.push((stdout, PollFlags::IN));
        }
        if let (Some(stdin), false) = (&self.child.stdin, is_read) {
            pipes.push((stdin, PollFlags::OUT));
        }
        self.near.watch.wait(&pipes, left);
        Ok(())
    }
}

impl Read for Forward<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            self.child.hear();
            let Some(stdout) = &mut self.child.stdout else {
                return Ok(0);
            };
            match stdout.read(room) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(true)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(got) => {
                    self.came |= got > 0;
                    self.ended |= got == 0;
                    return Ok(got);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Write for Forward<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        loop {
            let Some(stdin) = &mut self.child.stdin else {
                return Err(io::ErrorKind::BrokenPipe.into());
            };
            match stdin.write(piece) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(false)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
                sent => return sent,
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
