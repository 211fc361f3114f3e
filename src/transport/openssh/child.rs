//! Processes of ours on this machine, and how each wait for them is bounded: by the deadline, and by a
//! switch that any thread may pull. What they say is the siblings' business.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{self, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::failure::Failure;
use crate::transport::actor::{Deadline, Kill, Socket};
use crate::transport::classify;

/// Keeps `ssh` on a leash: a pipe that only gonogo holds. When gonogo goes, even by `kill -9`, the pipe
/// ends and `ssh` is told to. A log of more than 16 MiB ends it, too: no server may fill our disk.
const TETHER: &str = "ulimit -f 32768; exec 3<&0; \"$@\" </dev/null 3<&- & p=$!; \
    { read x <&3; kill $p; } >/dev/null 2>&1 & w=$!; exec 3<&-; wait $p; r=$?; \
    kill $w 2>/dev/null; exit $r";

/// Most bytes of a process's stderr that are kept.
const MOST_SAID: usize = 16 << 10;

/// The switch, as the thread sees it.
pub(super) struct Watch {
    switch: Socket,
    kill: Arc<Kill>,
    // Without its other end the switch would look pulled.
    _peer: UnixStream,
}

impl Watch {
    pub(super) fn new(switch: Socket, peer: UnixStream, kill: Arc<Kill>) -> Self {
        Self {
            switch,
            kill,
            _peer: peer,
        }
    }

    /// Waits for any of `ready`, for the switch, or for `most`.
    pub(super) fn wait(&self, ready: &[(&dyn AsFd, PollFlags)], most: Duration) {
        let mut all: Vec<PollFd<'_>> = ready
            .iter()
            .map(|(fd, events)| PollFd::from_borrowed_fd(fd.as_fd(), *events))
            .collect();
        all.push(PollFd::new(&self.switch, PollFlags::IN));
        // An interrupted poll is only an early look.
        let _ = poll(&mut all, Timespec::try_from(most).ok().as_ref());
    }

    /// What is left of `deadline`, or the failure when it has passed or the switch was pulled.
    pub(super) fn left(&self, deadline: &Deadline, what: &str) -> Result<Duration, Failure> {
        match deadline.left() {
            Some(left) if !self.kill.is_pulled() => Ok(left),
            _ => {
                self.kill.pull();
                Err(classify::late(what, deadline))
            }
        }
    }

    /// Ends the session for good.
    pub(super) fn pull(&self) {
        self.kill.pull();
    }
}

/// One process with its pipes, in a group of its own. Dropping it ends the group.
pub(super) struct Child {
    process: process::Child,
    /// Its end ends a tethered process.
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: Option<ChildStdout>,
    pub(super) stderr: Option<ChildStderr>,
    said: Vec<u8>,
    ended: Option<ExitStatus>,
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.ended.is_some() {
            return;
        }
        // Not reaped yet, so that the number is still its own.
        if let Some(group) = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw)
        {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Child {
    /// `ssh` with these arguments; stdin, stdout and stderr are pipes that do not block.
    pub(super) fn ssh(arguments: &[&str], environment: &[(String, String)]) -> io::Result<Self> {
        let mut command = Command::new("ssh");
        command.args(arguments);
        Self::start(command, environment)
    }

    /// As [`Self::ssh`], tethered: its stdin is the leash, and its own is empty.
    pub(super) fn tethered(
        arguments: &[&str],
        environment: &[(String, String)],
    ) -> io::Result<Self> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", TETHER, "sh", "ssh"]).args(arguments);
        Self::start(command, environment)
    }

    fn start(mut command: Command, environment: &[(String, String)]) -> io::Result<Self> {
        // Messages are read; and Ctrl-C in a terminal is for gonogo, which then seals what it has.
        let mut process = command
            .env("LC_ALL", "C")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let child = Self {
            stdin: process.stdin.take(),
            stdout: process.stdout.take(),
            stderr: process.stderr.take(),
            process,
            said: Vec::new(),
            ended: None,
        };
        for pipe in [
            child.stdin.as_ref().map(AsFd::as_fd),
            child.stdout.as_ref().map(AsFd::as_fd),
            child.stderr.as_ref().map(AsFd::as_fd),
        ] {
            let pipe = pipe.ok_or(io::ErrorKind::BrokenPipe)?;
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(child)
    }

    /// How it ended, when it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.process.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Waits for its end, no longer than `time`.
    pub(super) fn end_within(&mut self, time: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + time;
        loop {
            match self.ended() {
                None if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
                ended => return ended,
            }
        }
    }

    /// Takes in what it says on stderr, and drops what it says on stdout.
    pub(super) fn listen(&mut self) {
        let mut piece = [0; 4096];
        if let Some(stdout) = &mut self.stdout {
            while matches!(stdout.read(&mut piece), Ok(1..)) {}
        }
        self.hear();
    }

    /// Takes in what it says on stderr.
    pub(super) fn hear(&mut self) {
        let mut piece = [0; 4096];
        while let Some(stderr) = &mut self.stderr {
            match stderr.read(&mut piece) {
                Ok(0) => self.stderr = None,
                Ok(n) => self.keep(&piece[..n]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.stderr = None,
            }
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = MOST_SAID.saturating_sub(self.said.len()).min(piece.len());
        self.said.extend_from_slice(&piece[..room]);
    }

    /// What it said on stderr so far.
    pub(super) fn said(&self) -> String {
        String::from_utf8_lossy(&self.said).into_owned()
    }

    /// Runs it to its end; its exit status and stdout come back, stderr is kept.
    pub(super) fn finish(
        &mut self,
        watch: &Watch,
        deadline: &Deadline,
        what: &str,
    ) -> Result<(ExitStatus, String), Failure> {
        let mut stdout = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let left = watch.left(deadline, what)?;
            if let Some(pipe) = &mut self.stdout {
                match pipe.read(&mut piece) {
                    Ok(0) => self.stdout = None,
                    Ok(n) if stdout.len() < 1 << 20 => stdout.extend_from_slice(&piece[..n]),
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => self.stdout = None,
                }
            }
            self.hear();
            if self.stdout.is_none()
                && self.stderr.is_none()
                && let Some(status) = self.ended()
            {
                return Ok((status, String::from_utf8_lossy(&stdout).into_owned()));
            }
            let pipes: Vec<(&dyn AsFd, PollFlags)> = [
                self.stdout.as_ref().map(|pipe| pipe as &dyn AsFd),
                self.stderr.as_ref().map(|pipe| pipe as &dyn AsFd),
            ]
            .into_iter()
            .flatten()
            .map(|pipe| (pipe, PollFlags::IN))
            .collect();
            let most = match pipes.is_empty() {
                true => Duration::from_millis(5),
                false => Duration::from_millis(200),
            };
            watch.wait(&pipes, left.min(most));
        }
    }
}
