//! One command as one client of the control socket: framed and tethered, both streams read at once.
//! Exit status 255 may be anybody's; only the frame decides.

use std::io::{self, Read as _};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::PollFlags;

use super::child::Child;
use super::near::{FAR, Near};
use crate::failure::{Failure, FailureKind};
use crate::text;
use crate::transport::ReadError;
use crate::transport::actor::Deadline;
use crate::transport::exec::{self, Talk};

const PIECE: usize = 64 << 10;
const WHAT: &str = "the command";

/// Runs `argv` inside a frame; stdout streams to `out`, stderr comes back with the exit status.
pub(super) fn framed(
    near: &mut Near,
    argv: &[String],
    most: u64,
    deadline: &Deadline,
    out: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<(i32, Vec<u8>), ReadError> {
    for pause in [5, 20, 100, 0] {
        let (line, mut talk) = exec::begin(&near.login, argv, most)?;
        let mut child = near.client(&[FAR, &line])?;
        if let Err(error) = listen(near, &mut child, &mut talk, deadline, out) {
            drop(child);
            if let ReadError::Failure(failure) = &error
                && failure.kind == FailureKind::Timeout
            {
                near.end();
            }
            return Err(talk.why(error, deadline));
        }
        let status = child
            .end_within(
                deadline
                    .left()
                    .unwrap_or_default()
                    .min(Duration::from_secs(2)),
            )
            .and_then(|status| status.code());
        drop(child);
        if talk.is_told() {
            return Ok(talk.end(status, None)?);
        }
        let said = near.client_said();
        if status == Some(255) || status.is_none() {
            if let Some(failure) = near.lost(deadline, WHAT) {
                return Err(failure.into());
            }
            // The server may still be freeing the last channel, or allow only one (MaxSessions 1).
            if is_refused(&said) {
                if pause == 0 {
                    return Err(no_channel(&said).into());
                }
                near.sftp.release();
                std::thread::sleep(Duration::from_millis(pause));
                continue;
            }
        }
        return Ok(talk.end(status, None)?);
    }
    Err(no_channel("").into())
}

/// True when the server refused a channel: then nothing was asked of it.
pub(super) fn is_refused(said: &str) -> bool {
    said.contains("Session open refused") || said.contains("session request failed")
}

/// The failure of an account that gets no channel.
pub(super) fn no_channel(said: &str) -> Failure {
    let line = said.lines().find(|line| is_refused(line)).unwrap_or(said);
    let said = text::clip(line.trim(), 200);
    Failure::new(
        FailureKind::Shell,
        "a session channel",
        format!("the server refused one: \"{said}\""),
    )
    .with_hint("look at `MaxSessions` in the server's sshd_config; it must be 1 or more")
}

fn listen(
    near: &Near,
    child: &mut Child,
    talk: &mut Talk,
    deadline: &Deadline,
    out: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), ReadError> {
    let mut buffer = vec![0; PIECE];
    loop {
        let left = near.watch.left(deadline, WHAT)?;
        let mut moved = false;
        if let Some(stdout) = &mut child.stdout {
            match stdout.read(&mut buffer) {
                Ok(n @ 1..) => {
                    moved = true;
                    talk.take(true, &buffer[..n], out)?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => child.stdout = None,
            }
        }
        if let Some(stderr) = &mut child.stderr {
            match stderr.read(&mut buffer) {
                Ok(n @ 1..) => {
                    moved = true;
                    talk.take(false, &buffer[..n], out)?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => child.stderr = None,
            }
        }
        // The tether holds until both trailers are in; then nothing keeps the channel open.
        if talk.is_told() {
            child.stdin = None;
        }
        let pipes: Vec<(&dyn AsFd, PollFlags)> = [
            child.stdout.as_ref().map(|pipe| pipe as &dyn AsFd),
            child.stderr.as_ref().map(|pipe| pipe as &dyn AsFd),
        ]
        .into_iter()
        .flatten()
        .map(|pipe| (pipe, PollFlags::IN))
        .collect();
        if pipes.is_empty() {
            return Ok(());
        }
        if !moved {
            near.watch.wait(&pipes, left);
        }
    }
}
