//! The SFTP subsystem through a client of the control socket: how it is opened, and what its end means.
//! What is asked is `transport/sftp/`, as over libssh2; whatever breaks the conversation ends it.

use std::time::Duration;

use super::exec::{is_refused, no_channel};
use super::line::{Line, Refused};
use super::near::{FAR, Near};
use crate::failure::{Failure, FailureKind};
use crate::text;
use crate::transport::actor::Deadline;
use crate::transport::files;
use crate::transport::sftp::packet::{Answer, Broken, Dialogue};
use crate::transport::sftp::{Conversation, Files, unasked};
use crate::transport::sftp_refused::{self, Said};

/// The server's SFTP subsystem.
#[derive(Default)]
pub(super) enum Subsystem {
    /// Not asked for yet, or given back.
    #[default]
    Unasked,
    /// Open.
    Open(Box<Line>),
    /// The server does not give it to this account.
    Refused(Box<Failure>),
}

impl Subsystem {
    /// Gives its channel back, for a command that needs one.
    pub(super) fn release(&mut self) {
        if let Self::Open(line) = self {
            line.child.stdin = None;
            line.child.end_within(Duration::from_millis(100));
            *self = Self::Unasked;
        }
    }
}

/// Opens the subsystem; the inner `Err` says why the server does not give it.
pub(super) fn open(
    near: &mut Near,
    soon: &[&str],
    deadline: &Deadline,
) -> Result<Result<(), Box<Failure>>, Failure> {
    match &near.sftp {
        Subsystem::Open(_) => return Ok(Ok(())),
        Subsystem::Refused(why) => return Ok(Err(why.clone())),
        Subsystem::Unasked => {}
    }
    let what = "opening SFTP";
    let mut pauses = [5, 20, 100].into_iter();
    loop {
        let child = near.client(&["-s", FAR, "sftp"])?;
        let Refused {
            mut child,
            why,
            came,
        } = match Line::open(child, soon, &near.watch, deadline) {
            Ok(line) => {
                near.sftp = Subsystem::Open(Box::new(line));
                return Ok(Ok(()));
            }
            Err(refused) => refused,
        };
        if matches!(why, Broken::Late) {
            drop(child);
            near.end();
            return Err(sftp_refused::late(deadline));
        }
        child.stdin = None;
        let ended = child.end_within(Duration::from_millis(500));
        let code = ended.and_then(|end| end.code());
        child.listen();
        let stderr = child.said();
        drop(child);
        if let Some(failure) = near.lost(deadline, what) {
            return Err(failure);
        }
        let said = near.client_said();
        if is_refused(&said)
            && let Some(pause) = pauses.next()
        {
            std::thread::sleep(Duration::from_millis(pause));
            continue;
        }
        let failure = if is_refused(&said) {
            no_channel(&said)
        } else if came.is_empty() && stderr.is_empty() && code == Some(255) {
            // The channel was there, the request on it was not granted, and the client has no word for it.
            sftp_refused::none_said("the request was refused")
        } else {
            let said = Said {
                bytes: came,
                stderr: stderr.into_bytes(),
                // 255 is the client's own.
                status: code.filter(|code| *code != 255),
            };
            said.failure()
        };
        near.sftp = Subsystem::Refused(Box::new(failure.clone()));
        return Ok(Err(Box::new(failure)));
    }
}

/// The open subsystem of one connection, for as long as one operation may take.
pub(super) struct Talk<'a> {
    near: &'a mut Near,
    deadline: &'a Deadline,
}

/// The files of `near`, whose subsystem is open.
pub(super) fn files<'a>(near: &'a mut Near, deadline: &'a Deadline) -> Files<Talk<'a>> {
    Files::over(Talk { near, deadline })
}

impl Talk<'_> {
    /// Ends the conversation: what is still under way in it would be taken for other answers.
    fn broken(&mut self, broken: Broken, what: &str) -> Failure {
        let actual = match broken {
            Broken::Late => return self.near.late(self.deadline, what),
            Broken::Ended => "the SFTP stream ended".to_owned(),
            Broken::Lying(came) => {
                format!("no answer in SFTP: \"{}\"", text::clip(&came, 100))
            }
        };
        self.near.sftp = Subsystem::Unasked;
        if let Some(failure) = self.near.lost(self.deadline, what) {
            return failure;
        }
        Failure::new(
            FailureKind::Io,
            format!("answers in SFTP until {what} is done"),
            actual,
        )
        .with_hint(
            "have the host's sftp-server looked at: no honest one does that, and a dying one may",
        )
    }
}

impl Conversation for Talk<'_> {
    fn dialogue(&mut self) -> Result<&mut Dialogue, Failure> {
        match &mut self.near.sftp {
            Subsystem::Open(line) => Ok(&mut line.dialogue),
            _ => Err(files::io("", "SFTP closed")),
        }
    }

    fn answer(&mut self, what: &str) -> Result<(u32, Answer), Failure> {
        let Near { sftp, watch, .. } = &mut *self.near;
        let Subsystem::Open(line) = sftp else {
            return Err(files::io("", "SFTP closed"));
        };
        let answer = line.answer(watch, self.deadline);
        answer.map_err(|broken| self.broken(broken, what))
    }

    fn flush(&mut self) {
        if let Subsystem::Open(line) = &mut self.near.sftp {
            line.send();
        }
    }

    fn refuse(&mut self, came: &Answer, what: &str) -> Failure {
        self.broken(unasked(came), what)
    }
}
