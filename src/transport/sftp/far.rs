//! The SFTP subsystem over one channel of libssh2: how it is opened, how bytes get to it and from it, and what
//! its end means. What is asked is its siblings' business.

use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use ssh2::{Channel, Error, ExtendedData};

use super::packet::{Answer, Broken, Dialogue, LSTAT};
use super::{Conversation, Files};
use crate::failure::{Failure, FailureKind};
use crate::text;
use crate::transport::actor::Deadline;
use crate::transport::far::{self, Far};
use crate::transport::sftp_refused::{self, Said};
use crate::transport::{classify, files};

const PIECE: usize = 64 << 10;
/// Most that is kept of what came in place of a greeting.
const MOST_SAID: usize = 512;

/// The server's SFTP subsystem.
#[derive(Default)]
pub(in crate::transport) enum Subsystem {
    /// Not asked for yet, or given back.
    #[default]
    Unasked,
    /// Open.
    Open(Box<Line>),
    /// The server does not give it to this account.
    Refused(Box<Failure>),
}

/// An open subsystem.
pub(in crate::transport) struct Line {
    channel: Channel,
    dialogue: Dialogue,
    /// For what is no SFTP.
    buffer: Vec<u8>,
}

impl Subsystem {
    /// Gives its channel back, for a command that needs one.
    pub(in crate::transport) fn release(&mut self) {
        if matches!(self, Self::Open(_)) {
            *self = Self::Unasked;
        }
    }
}

/// Why a step did not come about.
enum Stopped {
    /// The channel, or the connection below it.
    Error(Error),
    Broken(Broken),
}

/// Opens the subsystem, and asks together with the greeting what lies at the paths that will be looked at next; the
/// inner `Err` says why the server does not give it.
pub(in crate::transport) fn open(
    far: &mut Far,
    soon: &[&str],
    deadline: &Deadline,
) -> Result<Result<(), Box<Failure>>, Failure> {
    match &far.sftp {
        Subsystem::Open(_) => return Ok(Ok(())),
        Subsystem::Refused(why) => return Ok(Err(why.clone())),
        Subsystem::Unasked => {}
    }
    if let Err(failure) = far.settle_spare(deadline, "opening SFTP") {
        return Err(match deadline.left() {
            None => sftp_refused::late(deadline),
            Some(_) => failure,
        });
    }
    let mut pauses = [5, 20, 100].into_iter();
    loop {
        if far.arm(deadline, "opening SFTP").is_err() {
            return Err(sftp_refused::late(deadline));
        }
        let channel = match far.spare.take() {
            Some(channel) => Ok(channel),
            None => far.session.channel_session(),
        };
        let error = match channel {
            Ok(channel) => return start(far, channel, soon, deadline),
            Err(error) => error,
        };
        if is_over(&error, deadline) {
            far.kill();
            return Err(sftp_refused::late(deadline));
        }
        // The server may still be freeing the last channel (facts: ssh.md 3.10).
        match pauses.next().filter(|_| classify::is_refused(&error)) {
            Some(pause) => std::thread::sleep(Duration::from_millis(pause)),
            None => return refused(far, far::no_channel(&error)),
        }
    }
}

fn is_over(error: &Error, deadline: &Deadline) -> bool {
    classify::is_late(error) || deadline.left().is_none()
}

fn refused(far: &mut Far, failure: Failure) -> Result<Result<(), Box<Failure>>, Failure> {
    far.sftp = Subsystem::Refused(Box::new(failure.clone()));
    Ok(Err(Box::new(failure)))
}

/// Asks for the subsystem and greets it without waiting in between: where it is refused, nobody hears the greeting.
fn start(
    far: &mut Far,
    channel: Channel,
    soon: &[&str],
    deadline: &Deadline,
) -> Result<Result<(), Box<Failure>>, Failure> {
    let mut line = Line {
        channel,
        dialogue: Dialogue::new(),
        buffer: vec![0; MOST_SAID],
    };
    for path in soon {
        line.dialogue.ask_early(LSTAT, path.as_bytes());
    }
    far.session.set_blocking(false);
    let (mut is_granted, mut is_greeted) = (false, false);
    let mut stderr = Vec::new();
    let began = loop {
        if !is_granted {
            match line.channel.subsystem("sftp") {
                Ok(()) => is_granted = true,
                Err(error) if classify::would_block(&error) => {}
                Err(error) if is_over(&error, deadline) => {
                    break Err(Stopped::Broken(Broken::Late));
                }
                Err(error) if classify::is_refused(&error) => {
                    break Err(Stopped::Error(error));
                }
                Err(error) => break Err(Stopped::Error(error)),
            }
        }
        // A request that is only half sent has to be finished before anything else is.
        let is_sent = is_granted || !far.is_sending();
        if is_sent {
            far.open_spare();
        }
        let moved = match is_sent.then(|| line.exchange(far)).transpose() {
            Ok(moved) => moved.unwrap_or(false),
            Err(stopped) => break Err(stopped),
        };
        let heard = read(&mut line.channel, 1, &mut line.buffer);
        let room = MOST_SAID - stderr.len().min(MOST_SAID);
        if let Ok(Some(n)) = heard {
            stderr.extend_from_slice(&line.buffer[..n.min(room)]);
        }
        // Both may come with one look at the socket, in either order.
        if !is_greeted {
            match line.dialogue.is_greeted() {
                Ok(greeted) => is_greeted = greeted,
                Err(broken) => break Err(Stopped::Broken(broken)),
            }
        }
        if is_granted && is_greeted {
            break Ok(());
        }
        if line.channel.eof() {
            break Err(Stopped::Broken(Broken::Ended));
        }
        if deadline.left().is_none() {
            break Err(Stopped::Broken(Broken::Late));
        }
        if !moved && !matches!(heard, Ok(Some(_))) {
            match is_granted {
                true => line.rest(far, deadline),
                // A read may have taken in the grant, and nothing more need come.
                false => far.rest(Duration::from_millis(20)),
            }
        }
    };
    match began {
        Ok(()) => {
            // What it complains of later is read by nobody, and must not fill the window.
            let _ = line.channel.handle_extended_data(ExtendedData::Ignore);
            far.sftp = Subsystem::Open(Box::new(line));
            Ok(Ok(()))
        }
        Err(Stopped::Broken(Broken::Late)) => {
            far.kill();
            Err(sftp_refused::late(deadline))
        }
        Err(Stopped::Error(error)) => match far.connection(&error, deadline, "opening SFTP") {
            Some(failure) => Err(failure),
            None => {
                // Closed in earnest, or it would count against MaxSessions.
                far.arm_briefly(Duration::from_secs(1));
                drop(line);
                refused(far, sftp_refused::none_said(&classify::said(&error)))
            }
        },
        Err(Stopped::Broken(_)) => {
            let failure = line.said(far, stderr, deadline).failure();
            refused(far, failure)
        }
    }
}

/// What there is of a stream; `None` when nothing is.
fn read(channel: &mut Channel, id: i32, room: &mut [u8]) -> Result<Option<usize>, ()> {
    match channel.stream(id).read(room) {
        Ok(0) => Ok(None),
        Ok(n) => Ok(Some(n)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(_) => Err(()),
    }
}

impl Line {
    /// Sends and takes in what goes without waiting; whether anything did.
    fn exchange(&mut self, far: &Far) -> Result<bool, Stopped> {
        let moved = match self.send() {
            Ok(moved) => moved,
            // libssh2 takes nothing else before this has gone out.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(_) => return Err(Stopped::Error(far.last_error())),
        };
        match read(&mut self.channel, 0, self.dialogue.room(PIECE)) {
            Ok(Some(n)) => {
                far.took(n);
                self.dialogue.heard(n);
                Ok(true)
            }
            Ok(None) => Ok(moved),
            Err(()) => Err(Stopped::Error(far.last_error())),
        }
    }

    /// Sends what goes out without waiting; whether anything did.
    fn send(&mut self) -> io::Result<bool> {
        if self.dialogue.outbox().is_empty() {
            return Ok(false);
        }
        let sent = self.channel.write(self.dialogue.outbox())?;
        self.dialogue.outbox().drain(..sent);
        Ok(sent > 0)
    }

    /// Waits until there may be more.
    fn rest(&self, far: &Far, deadline: &Deadline) {
        if let Some(left) = deadline.left() {
            match self.channel.read_window().available > 0 {
                // Another stream's read took it in (facts: ssh.md 3.2).
                true => std::thread::sleep(Duration::from_millis(1)),
                false => far.rest(left),
            }
        }
    }

    /// The next answer.
    fn answer(&mut self, far: &Far, deadline: &Deadline) -> Result<(u32, Answer), Stopped> {
        far.session.set_blocking(false);
        loop {
            if let Some(answer) = self.dialogue.answer().map_err(Stopped::Broken)? {
                return Ok(answer);
            }
            if deadline.left().is_none() || far.is_dead() {
                return Err(Stopped::Broken(Broken::Late));
            }
            if self.exchange(far)? {
                continue;
            }
            // The end may have been taken in by the very read that found nothing.
            if self.channel.eof() {
                return Err(Stopped::Broken(Broken::Ended));
            }
            self.rest(far, deadline);
        }
    }

    /// What came in place of SFTP.
    fn said(mut self, far: &Far, stderr: Vec<u8>, deadline: &Deadline) -> Said {
        let patience = deadline
            .left()
            .unwrap_or_default()
            .min(Duration::from_secs(2));
        let patience = Deadline::after(patience);
        let mut said = Said {
            bytes: self.dialogue.came().to_vec(),
            stderr,
            status: None,
        };
        // A person's text may take a moment.
        let mut broken = false;
        while !broken && !self.channel.eof() && said.bytes.len() + said.stderr.len() < MOST_SAID {
            let mut moved = false;
            for (id, kept) in [(0, &mut said.bytes), (1, &mut said.stderr)] {
                match read(&mut self.channel, id, &mut self.buffer) {
                    Ok(Some(n)) => {
                        moved = true;
                        kept.extend_from_slice(&self.buffer[..n]);
                    }
                    Ok(None) => {}
                    Err(()) => broken = true,
                }
            }
            let Some(left) = patience.left() else { break };
            if !moved && !broken {
                far.rest(left.min(Duration::from_millis(50)));
            }
        }
        let ended = self.channel.eof();
        far.arm_briefly(Duration::from_secs(1));
        let closed = self.channel.close().and_then(|()| match ended {
            true => self.channel.wait_close(),
            false => Ok(()),
        });
        if ended && closed.is_ok() {
            said.status = self.channel.exit_status().ok();
        }
        said
    }
}

/// The open subsystem of one connection, for as long as one operation may take.
pub(in crate::transport) struct Talk<'a> {
    far: &'a mut Far,
    deadline: &'a Deadline,
}

/// The files of `far`, whose subsystem is open.
pub(in crate::transport) fn files<'a>(far: &'a mut Far, deadline: &'a Deadline) -> Files<Talk<'a>> {
    Files::over(Talk { far, deadline })
}

impl Talk<'_> {
    fn ended(&mut self, stopped: Stopped, what: &str) -> Failure {
        let error = match stopped {
            Stopped::Broken(Broken::Late) => return self.far.late(self.deadline, what),
            Stopped::Broken(Broken::Lying(came)) => {
                self.far.kill();
                return Failure::new(
                    FailureKind::Io,
                    format!("answers in SFTP until {what} is done"),
                    format!("no answer in SFTP: \"{}\"", text::clip(&came, 100)),
                )
                .with_hint(
                    "the SFTP server does not keep to its protocol: have the host and its sshd looked at, \
                     or set `transport: exec`",
                );
            }
            Stopped::Broken(Broken::Ended) => None,
            Stopped::Error(error) => Some(error),
        };
        // Of the end of the channel, and of the connection: the socket tells them apart.
        let lost = match &error {
            Some(error) => self.far.connection(error, self.deadline, what),
            None if self.far.is_closed() => {
                let error = Error::from_errno(ssh2::ErrorCode::Session(
                    libssh2_sys::LIBSSH2_ERROR_SOCKET_DISCONNECT,
                ));
                self.far.connection(&error, self.deadline, what)
            }
            None => None,
        };
        if let Some(failure) = lost {
            return failure;
        }
        self.far.kill();
        let actual = match error {
            Some(error) => format!("the SFTP server ended: {}", classify::said(&error)),
            None => "the SFTP server ended".to_owned(),
        };
        Failure::new(
            FailureKind::Io,
            format!("an SFTP server that lasts until {what} is done"),
            actual,
        )
        .with_hint(
            "look on the host who ended it (the OOM killer, a limit of the account, somebody's kill), \
             and in sshd's log",
        )
    }
}

impl Conversation for Talk<'_> {
    fn dialogue(&mut self) -> Result<&mut Dialogue, Failure> {
        match &mut self.far.sftp {
            Subsystem::Open(line) => Ok(&mut line.dialogue),
            _ => Err(files::io("", "SFTP closed")),
        }
    }

    fn answer(&mut self, what: &str) -> Result<(u32, Answer), Failure> {
        // Taken out while it works, for both are needed.
        let Subsystem::Open(mut line) = std::mem::take(&mut self.far.sftp) else {
            return Err(files::io("", "SFTP closed"));
        };
        let answer = line.answer(self.far, self.deadline);
        match answer {
            Ok(answer) => {
                self.far.sftp = Subsystem::Open(line);
                Ok(answer)
            }
            Err(stopped) => {
                let failure = self.ended(stopped, what);
                drop(line);
                Err(failure)
            }
        }
    }

    fn flush(&mut self) {
        self.far.session.set_blocking(false);
        if let Subsystem::Open(line) = &mut self.far.sftp {
            // Whoever asks next finds out.
            let _ = line.send();
        }
    }

    fn refuse(&mut self, came: &Answer, what: &str) -> Failure {
        let failure = self.ended(Stopped::Broken(super::unasked(came)), what);
        self.far.sftp.release();
        failure
    }
}
