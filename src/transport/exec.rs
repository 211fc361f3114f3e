//! Running one command: framed, tethered, both streams read at once, judged by bytes and never by an
//! exit status alone (facts: ssh.md 3.1–3.3, traps.md T1, T2, T8, T9).

use std::io::{self, Read as _};
use std::time::Duration;

use ssh2::Channel;

use super::actor::Deadline;
use super::far::Far;
use super::frame::{Frame, MOST_NOISE, Nonce};
use super::wire::Wire;
use super::{Command, Limits, MOST_STDERR, Output, ReadError, Sink, classify, elevate, quote};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Login;
use crate::text;

const PIECE: usize = 64 << 10;

/// The refusal of an account that has files only.
pub(super) fn never_sent() -> Failure {
    Failure::new(
        FailureKind::Shell,
        "an account with a shell",
        "this login is declared `transport: sftp`, so no command is ever sent",
    )
    .with_hint("take the artifact from a file (`path` in place of `command`), or let another team's account run the command")
}

/// Runs `command` as the inventory elevates it.
pub(super) fn run(
    far: &mut impl Wire,
    command: &Command,
    limits: Limits,
    deadline: &Deadline,
) -> Result<Output, Failure> {
    let mut stdout = Vec::new();
    let mut keep = |piece: &[u8]| {
        stdout.extend_from_slice(piece);
        Ok(())
    };
    let (status, stderr) = match far.framed(&command.0, limits.bytes, deadline, &mut keep) {
        Ok(ended) => ended,
        // Memory is the sink here, and it takes everything.
        Err(error) => {
            return Err(error
                .told()
                .unwrap_or_else(|error| ours(&error.to_string())));
        }
    };
    if let Some(failure) = elevate::refusal(&far.login().elevate, status, &stdout, &stderr) {
        return Err(failure);
    }
    Ok(Output {
        stdout,
        stderr,
        status,
    })
}

/// As [`run`], stdout going to `sink`; that of the answer is empty.
pub(super) fn stream(
    far: &mut impl Wire,
    command: &Command,
    limits: Limits,
    deadline: &Deadline,
    mut sink: Sink,
) -> Result<Output, ReadError> {
    // What sudo says by way of refusal counts only where the command has said nothing.
    let mut has_spoken = false;
    let mut pass = |piece: &[u8]| {
        has_spoken |= !piece.is_empty();
        sink.write_all(piece)
    };
    let (status, stderr) = far.framed(&command.0, limits.bytes, deadline, &mut pass)?;
    let spoken: &[u8] = if has_spoken { b"." } else { b"" };
    if let Some(failure) = elevate::refusal(&far.login().elevate, status, spoken, &stderr) {
        return Err(failure.into());
    }
    sink.flush().map_err(ReadError::Sink)?;
    Ok(Output {
        stdout: Vec::new(),
        stderr,
        status,
    })
}

fn ours(error: &str) -> Failure {
    Failure::new(FailureKind::Undefined, "a command that can be sent", error)
        .with_hint("this is a fault on gonogo's side; correct the command in the inventory")
}

/// Runs `argv` inside a frame; stdout streams to `out`, stderr comes back with the exit status. Both
/// together at most `most` bytes. No exit status is ever judged here.
pub(super) fn framed(
    far: &mut Far,
    argv: &[String],
    most: u64,
    deadline: &Deadline,
    out: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<(i32, Vec<u8>), ReadError> {
    let (line, mut talk) = begin(&far.login, argv, most)?;
    let mut channel = far.channel(deadline, "the command")?;
    far.arm(deadline, "the command")?;
    if let Err(error) = channel.exec(&line) {
        let failure = far.connection(&error, deadline, "the command");
        return Err(failure.unwrap_or_else(|| no_exec(&error)).into());
    }
    far.open_spare();
    match listen(&mut talk, far, &mut channel, deadline, out) {
        Ok(()) => judge(talk, far, channel, deadline).map_err(Into::into),
        Err(error) => {
            far.abandon(channel);
            Err(talk.why(error, deadline))
        }
    }
}

/// The line for the far side's login shell, and the ear for what it says.
pub(super) fn begin(login: &Login, argv: &[String], most: u64) -> Result<(String, Talk), Failure> {
    if argv.is_empty() || argv.iter().any(|word| word.contains('\0')) {
        return Err(ours("an empty command, or a NUL byte in it"));
    }
    let nonce = Nonce::new().map_err(|error| ours(&error.to_string()))?;
    let argv = elevate::wrap(&login.elevate, argv);
    let line = quote::login_line(&nonce.script(&quote::words(&argv)));
    let talk = Talk {
        frames: [nonce.frame(), nonce.frame()],
        stderr: Vec::new(),
        bytes: 0,
        most,
    };
    Ok((line, talk))
}

fn not_begun(noise: &str, deadline: &Deadline) -> Failure {
    let said = match noise {
        "" => String::new(),
        noise => format!(
            ", but something before it said \"{}\"",
            text::clip(noise, 200)
        ),
    };
    Failure::new(
        FailureKind::Timeout,
        format!("a shell that begins the command within {}", deadline.said()),
        format!("the command had not begun by then{said}; the connection was closed"),
    )
    .with_hint(
        "something waits before it: a `read`, a menu or `ssh-add` in the account's .bashrc, .zshenv or \
         .cshrc, a `ForceCommand` or `command=` that asks, or a home directory that hangs",
    )
}

fn no_exec(error: &ssh2::Error) -> Failure {
    Failure::new(
        FailureKind::Shell,
        "a server that runs commands",
        format!("it refused the request: {}", classify::said(error)),
    )
    .with_hint("if the account is for files only, set `transport: sftp` for the team")
}

/// What one command says, taken in by frames.
pub(super) struct Talk {
    /// stdout and stderr.
    frames: [Frame; 2],
    stderr: Vec<u8>,
    bytes: u64,
    most: u64,
}

/// Reads both streams until the server says that nothing more comes.
fn listen(
    talk: &mut Talk,
    far: &Far,
    channel: &mut Channel,
    deadline: &Deadline,
    out: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), ReadError> {
    far.session.set_blocking(false);
    let mut buffer = vec![0; PIECE];
    let mut stdin_open = true;
    let mut idle = 0_u32;
    while !channel.eof() {
        let mut moved = false;
        for id in [0, 1] {
            match channel.stream(id).read(&mut buffer) {
                Ok(0) => {}
                Ok(n) => {
                    moved = true;
                    far.took(n);
                    talk.take(id == 0, &buffer[..n], out)?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => {
                    let error = far.last_error();
                    let failure = far.connection(&error, deadline, "the command");
                    return Err(failure.unwrap_or_else(|| broken_off(&error)).into());
                }
            }
        }
        // The tether holds until both trailers are in; then nothing keeps the channel open.
        if stdin_open && talk.is_told() {
            match channel.send_eof() {
                Err(error) if classify::would_block(&error) => {}
                _ => stdin_open = false,
            }
        }
        if moved {
            idle = 0;
            if deadline.left().is_none() {
                return Err(far.late(deadline, "the command").into());
            }
            continue;
        }
        // The end may have been taken in by the very reads that found nothing.
        if channel.eof() {
            break;
        }
        idle += 1;
        match channel.read_window().available > 0 {
            // Reading one stream queued data of the other (facts: ssh.md 3.2).
            true if idle < 3 => {}
            // Bytes of a stream that nobody asked for must not make a busy loop.
            true => std::thread::sleep(Duration::from_millis(5)),
            false => far.wait(deadline, "the command")?,
        }
        if deadline.left().is_none() {
            return Err(far.late(deadline, "the command").into());
        }
    }
    Ok(())
}

impl Talk {
    /// True once both trailers are in.
    pub(super) fn is_told(&self) -> bool {
        self.frames.iter().all(|frame| frame.status().is_some())
    }

    /// Takes the next piece of a stream.
    pub(super) fn take(
        &mut self,
        is_stdout: bool,
        piece: &[u8],
        out: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), ReadError> {
        let Self {
            frames: [stdout, stderr],
            stderr: kept,
            bytes,
            most,
        } = self;
        let room = *most - *bytes;
        let mut over = false;
        let mut count = |part: &[u8]| {
            over |= part.len() as u64 > room;
            if !over {
                *bytes += part.len() as u64;
            }
            !over
        };
        let frame = match is_stdout {
            true => {
                let mut pass = |part: &[u8]| if count(part) { out(part) } else { Ok(()) };
                stdout.push(piece, &mut pass).map_err(ReadError::Sink)?;
                stdout
            }
            false => {
                let mut flood = false;
                let mut pass = |part: &[u8]| {
                    // It is kept in memory, whatever the cap of what is asked for.
                    flood |= (kept.len() + part.len()) as u64 > MOST_STDERR;
                    if count(part) && !flood {
                        kept.extend_from_slice(part);
                    }
                    Ok(())
                };
                stderr.push(piece, &mut pass).map_err(ReadError::Sink)?;
                if flood {
                    return Err(too_much(MOST_STDERR).into());
                }
                stderr
            }
        };
        if over {
            return Err(too_much(self.most).into());
        }
        match frame.noise_bytes() > MOST_NOISE {
            true => Err(no_frame(&frame.noise(), None, None).into()),
            false => Ok(()),
        }
    }

    /// `error`, or what it means when nothing has begun by then.
    pub(super) fn why(&self, error: ReadError, deadline: &Deadline) -> ReadError {
        match error {
            ReadError::Failure(failure) if self.never_began(&failure) => {
                not_begun(&self.noise(), deadline).into()
            }
            error => error,
        }
    }

    fn never_began(&self, failure: &Failure) -> bool {
        failure.kind == FailureKind::Timeout && !self.frames.iter().any(Frame::started)
    }

    /// What somebody else said before the frame: an rc file, or whatever stands in for the shell.
    fn noise(&self) -> String {
        let noise = self.frames.each_ref().map(Frame::noise);
        let said = noise.iter().map(|noise| noise.trim());
        let said: Vec<&str> = said.filter(|noise| !noise.is_empty()).collect();
        said.join("; ")
    }

    /// What it came to; `status` and `signal` are the client's word, which decides nothing.
    pub(super) fn end(
        self,
        status: Option<i32>,
        signal: Option<String>,
    ) -> Result<(i32, Vec<u8>), Failure> {
        let [stdout, stderr] = &self.frames;
        if !stdout.started() {
            return Err(no_frame(&self.noise(), status, signal));
        }
        match (stdout.status(), stderr.status(), signal) {
            (Some(status), Some(same), None) if status == same => Ok((status, self.stderr)),
            (Some(_), _, None) => Err(Failure::new(
                FailureKind::Shell,
                "stdout and stderr, each framed",
                "stderr came incomplete",
            )
            .with_hint("see whether a wrapper around the account's shell swallows stderr")),
            (_, _, Some(signal)) => Err(cut(&format!(
                "the shell was killed by SIG{}",
                text::clip(&signal, 20)
            ))),
            (None, ..) if cannot_fork(&String::from_utf8_lossy(&self.stderr)) => {
                Err(no_process(String::from_utf8_lossy(&self.stderr).trim()))
            }
            (None, ..) => Err(cut(
                "the shell ended before the command's own end was reported",
            )),
        }
    }
}

fn judge(
    talk: Talk,
    far: &Far,
    mut channel: Channel,
    deadline: &Deadline,
) -> Result<(i32, Vec<u8>), Failure> {
    let closed = far.arm(deadline, "the command").and_then(|()| {
        let closed = channel.close().and_then(|()| channel.wait_close());
        closed.map_err(|error| {
            let failure = far.connection(&error, deadline, "the command");
            failure.unwrap_or_else(|| broken_off(&error))
        })
    });
    if let Err(failure) = closed {
        far.kill();
        return Err(failure);
    }
    let signal = channel.exit_signal().ok().and_then(|end| end.exit_signal);
    talk.end(channel.exit_status().ok(), signal)
}

// dash: "Cannot fork"; bash: "fork: Resource temporarily unavailable"; BusyBox: "can't fork".
fn cannot_fork(said: &str) -> bool {
    said.to_lowercase().contains("fork")
}

fn no_process(said: &str) -> Failure {
    Failure::new(
        FailureKind::Shell,
        "a host that starts the command",
        format!("\"{}\"", text::clip(said, 200)),
    )
    .with_hint(
        "the account may start no more processes: look at `ulimit -u` and `nproc` in \
         /etc/security/limits.conf, at its rc files, at TasksMax of its slice, and at what it already runs",
    )
}

fn cut(actual: &str) -> Failure {
    Failure::new(FailureKind::Io, "output that comes to its end", actual).with_hint(
        "look on the host for the OOM killer, a process limit (ulimit -t, -f) or somebody's kill",
    )
}

fn broken_off(error: &ssh2::Error) -> Failure {
    cut(&classify::said(error))
}

fn too_much(most: u64) -> Failure {
    Failure::new(
        FailureKind::TooLarge,
        format!("at most {} of output", text::size(most)),
        "more came; the command was ended",
    )
    .with_hint("raise `max_bytes`, or ask the command for less")
}

/// No start marker: what came instead says what sits between us and a shell.
fn no_frame(noise: &str, status: Option<i32>, signal: Option<String>) -> Failure {
    let came = noise.trim();
    if cannot_fork(came) {
        return no_process(came);
    }
    let low = came.to_lowercase();
    let end = match (signal, status) {
        (Some(signal), _) => format!("killed by SIG{}", text::clip(&signal, 20)),
        (None, Some(status)) => format!("exit status {status}"),
        (None, None) => "more and more of it".to_owned(),
    };
    let actual = match came {
        "" => format!("nothing at all ({end})"),
        came => format!("\"{}\" ({end})", text::clip(came, 200)),
    };
    let hint = if classify::has_expired(&low) {
        classify::EXPIRED
    } else if classify::is_closed(status) && !came.is_empty() {
        classify::CLOSED
    } else if low.contains("gonogo: this was not planned") {
        "the account's forced command is of another plan or another gonogo: print it again with \
         `gonogo plan --forced-command TEAM` and install it"
    } else if low.contains("sftp connections only") {
        "the account is for SFTP only: set `transport: sftp` for the team"
    } else if low.contains("not available") || low.contains("nologin") {
        "the account's shell is nologin: have it given a shell, or set `transport: sftp`"
    } else if low.contains("unmatched") {
        "the account's shell is csh or tcsh, which takes no argument with a line break: rename that \
         file, or use an account with another shell"
    } else if low.contains("restricted") {
        "the account has a restricted shell that does not run `sh`: have it allowed, or use `transport: sftp`"
    } else if low.contains("not found") || status == Some(127) {
        "the account's shell finds no `sh`: look at PATH and at a chroot"
    } else if came.is_empty() && status == Some(1) {
        "the account's shell may be /bin/false: have it given a shell, or set `transport: sftp`"
    } else {
        "something else runs in place of the command: `ForceCommand` in sshd_config, `command=` in \
         authorized_keys, or an `exit` or `exec` in the account's .bashrc, .zshrc or .cshrc"
    };
    Failure::new(
        FailureKind::Shell,
        "a shell that runs the command",
        format!("the frame around it never came, but {actual}"),
    )
    .with_hint(hint)
}
