//! A one-time code from a command of ours: no shell, nothing on its stdin, ten seconds. What it prints on
//! its first line is the answer; nothing it prints is ever shown.

use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process_group};
use zeroize::Zeroizing;

use super::own;
use crate::failure::Failure;
use crate::text;
use crate::time::say;
use crate::transport::actor::Deadline;

const MOST_TIME: Duration = Duration::from_secs(10);
/// One line of an answer is far shorter.
const MOST_BYTES: usize = 4096;

/// Runs `words` and takes the first line.
pub(super) fn run(words: &[String], deadline: &Deadline) -> Result<Zeroizing<String>, Failure> {
    let (program, arguments) = words
        .split_first()
        .map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let shown = text::clip(program, 120);
    let wrong = |why: String| {
        own(
            "a command that prints an answer",
            format!("`{shown}` {why}"),
            "run it by hand as the account that runs gonogo: its first line must be the answer, its exit \
             status 0, within 10 seconds and without a terminal",
        )
    };
    let time = deadline.left().unwrap_or_default().min(MOST_TIME);
    let started = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // So that what it starts ends with it.
        .process_group(0)
        .spawn();
    let mut group = Group(started.map_err(|error| wrong(format!("cannot be run: {error}")))?);
    let until = Instant::now() + time;
    let late = || wrong(format!("was not done within {}", say(time)));
    let printed = group.listen(until).map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => late(),
        _ => wrong(format!("cannot be read: {error}")),
    })?;
    let status = loop {
        match group.0.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) => return Err(late()),
            Err(error) => return Err(wrong(format!("cannot be waited for: {error}"))),
        }
    };
    if !status.success() {
        return Err(wrong(format!("ended with {status}")));
    }
    let text = std::str::from_utf8(&printed).map_err(|_| wrong("printed no UTF-8".to_owned()))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Zeroizing::new(line.to_owned())),
        _ => Err(wrong("printed nothing on its first line".to_owned())),
    }
}

/// A command and everything that it started.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

impl Group {
    fn listen(&mut self, until: Instant) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut printed = Zeroizing::new(Vec::with_capacity(MOST_BYTES));
        let Some(stdout) = &mut self.0.stdout else {
            return Ok(printed);
        };
        let mut piece = Zeroizing::new([0; MOST_BYTES]);
        while printed.len() < MOST_BYTES && !printed.contains(&b'\n') {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let mut ready = [PollFd::new(&*stdout, PollFlags::IN)];
            let _ = poll(&mut ready, Timespec::try_from(left).ok().as_ref());
            let is_ready = !ready[0].revents().is_empty();
            if !is_ready {
                continue;
            }
            match stdout.read(&mut *piece)? {
                0 => break,
                n => printed.extend_from_slice(&piece[..n]),
            }
        }
        Ok(printed)
    }
}
