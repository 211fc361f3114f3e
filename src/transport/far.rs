//! What a session's thread owns: the libssh2 session, how it is established, and how each call into it
//! is bounded. Which commands and files are asked for is its siblings' business.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use ssh2::{BlockDirections, Channel, Error, MethodType};

use super::actor::{Deadline, Kill, Socket};
use super::host_key::{Ask, Trust};
use super::{Greeting, Keyring, auth, classify, files, handshake, sftp};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Login, Transport};
use crate::{text, time};

/// How often it is tried to send the rest of a request.
const MOST_LOOKS: u32 = 100;

/// What the session's thread owns, and nobody else touches.
pub(super) struct Far {
    // Both dropped before the session they came from.
    pub(super) sftp: sftp::far::Subsystem,
    pub(super) spare: Spare,
    pub(super) session: ssh2::Session,
    pub(super) login: Login,
    /// What the last listings showed, for the reads that follow at once.
    pub(super) looks: files::Looks,
    pub(super) socket: Socket,
    kill: Arc<Kill>,
}

// Without this every drop on a dead peer waits a whole timeout (facts: ssh.md 3.5).
impl Drop for Far {
    fn drop(&mut self) {
        self.kill.pull();
    }
}

/// A channel that is opened ahead of the command that it is for: one round trip less for each.
#[derive(Default)]
pub(super) enum Spare {
    /// There is none.
    #[default]
    None,
    /// Asked for.
    Asked,
    /// There is one.
    Open(Channel),
    /// The account runs no command, or the server has none to spare.
    Never,
}

impl Spare {
    fn of(login: &Login) -> Self {
        match login.transport {
            Transport::Sftp => Self::Never,
            Transport::Auto | Transport::Exec => Self::None,
        }
    }

    /// The channel, if there is one.
    pub(super) fn take(&mut self) -> Option<Channel> {
        match std::mem::take(self) {
            Self::Open(channel) => Some(channel),
            other => {
                *self = other;
                None
            }
        }
    }
}

/// Why a connection was not established, and whether another try could tell more.
pub(super) struct Refused {
    /// The reason.
    pub(super) failure: Failure,
    /// What to try instead, once.
    pub(super) again: Option<Again>,
}

/// Another try at connecting.
pub(super) enum Again {
    /// The server hung up before the handshake: it may have been busy. True when it said so.
    Busy(bool),
    /// With other host key types.
    Asking(Ask),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            again: None,
        }
    }
}

impl Far {
    /// Handshake, host key, authentication: in this order, on the session's own thread.
    /// `proven` is set once the host key was accepted.
    pub(super) fn establish(
        login: Login,
        keys: &Keyring,
        ask: &Ask,
        deadline: Deadline,
        proven: &AtomicBool,
        socket: Socket,
        kill: Arc<Kill>,
    ) -> Result<(Self, Greeting), Refused> {
        let trust = Trust::of(&login)?;
        let ours = |error: &dyn std::fmt::Display| {
            Failure::new(
                FailureKind::Undefined,
                "a libssh2 session",
                error.to_string(),
            )
            .with_hint("this is a fault of the runner; see whether it is out of memory or files")
        };
        let session = ssh2::Session::new().map_err(|error| ours(&error))?;
        let order = trust.order(ask);
        session
            .method_pref(MethodType::HostKey, &order)
            .map_err(|error| ours(&error))?;
        let wire = socket.try_clone().map_err(|error| ours(&error))?;
        let mut far = Self {
            sftp: sftp::far::Subsystem::default(),
            spare: Spare::of(&login),
            looks: files::Looks::default(),
            session,
            login,
            socket,
            kill,
        };
        far.session.set_tcp_stream(wire);
        let address = text::endpoint(&far.login.address, far.login.port);
        handshake::shake(&mut far, &deadline, ask, &order, &address)?;
        let blob = far.session.host_key().map(|(blob, _)| blob.to_vec());
        let blob = blob.unwrap_or_default();
        let now = u64::try_from(time::now().as_second()).unwrap_or(0);
        let named = far.login.host_key_alias().unwrap_or(&far.login.address);
        let key = match trust.check(named, &blob, now) {
            Ok(key) => key,
            Err(failure) => {
                // A pin names no type: the host's other keys have to be looked at, too.
                let seen = super::known_hosts::Key::from_blob(&blob);
                let again = match (&trust, seen) {
                    (Trust::Pin(_), Some(seen)) => next_types(ask, seen.kind),
                    _ => None,
                };
                return Err(Refused {
                    failure: failure.with_subject(address),
                    again,
                });
            }
        };
        proven.store(true, Ordering::Release);
        let method = auth::log_in(&far, keys, &deadline)?;
        let said = |which| far.session.methods(which).unwrap_or_default().to_owned();
        let greeting = Greeting {
            host_key: key.fingerprint(),
            host_key_type: key.kind,
            kex: said(MethodType::Kex),
            cipher: said(MethodType::CryptCs),
            server: far.session.banner().unwrap_or_default().to_owned(),
            method: method.to_owned(),
            client: format!("libssh2 {}", super::libssh2_version()),
            crossed: Vec::new(),
            turned_away: 0,
        };
        Ok((far, greeting))
    }

    /// Makes blocking calls end at the deadline; `Err` when it has passed.
    pub(super) fn arm(&self, deadline: &Deadline, what: &str) -> Result<(), Failure> {
        let Some(left) = deadline.left() else {
            return Err(self.late(deadline, what));
        };
        self.session.set_blocking(true);
        self.session.set_timeout(milliseconds(left));
        Ok(())
    }

    /// Makes blocking calls end soon: for tidying up.
    pub(super) fn arm_briefly(&self, time: Duration) {
        self.session.set_blocking(true);
        self.session.set_timeout(milliseconds(time));
    }

    /// Waits until libssh2 can go on, in non-blocking mode, no longer than the deadline.
    pub(super) fn wait(&self, deadline: &Deadline, what: &str) -> Result<(), Failure> {
        let Some(left) = deadline.left() else {
            return Err(self.late(deadline, what));
        };
        let mut ready = [PollFd::new(&self.socket, self.directions())];
        // An interrupted poll is only an early look.
        let _ = poll(&mut ready, Timespec::try_from(left).ok().as_ref());
        Ok(())
    }

    /// Waits a moment for the peer, and calls nobody late.
    pub(super) fn rest(&self, time: Duration) {
        let mut ready = [PollFd::new(&self.socket, self.directions())];
        let _ = poll(&mut ready, Timespec::try_from(time).ok().as_ref());
    }

    /// Whether the peer has ended the connection, or is about to.
    pub(super) fn is_closed(&self) -> bool {
        self.rest(Duration::from_millis(300));
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        match recv(&self.socket, &mut [0_u8; 1][..], flags) {
            Ok((count, _)) => count == 0,
            Err(error) => error != Errno::AGAIN && error != Errno::INTR,
        }
    }

    /// What libssh2 waits for on the socket.
    pub(super) fn directions(&self) -> PollFlags {
        match self.session.block_directions() {
            BlockDirections::None | BlockDirections::Inbound => PollFlags::IN,
            BlockDirections::Outbound => PollFlags::OUT,
            BlockDirections::Both => PollFlags::IN | PollFlags::OUT,
        }
    }

    /// Whether libssh2 has begun to send what did not go out yet.
    pub(super) fn is_sending(&self) -> bool {
        self.directions().contains(PollFlags::OUT)
    }

    /// The socket, to be polled.
    pub(super) const fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Ends the session: a peer that was late once has unread bytes under way.
    pub(super) fn kill(&self) {
        self.kill.pull();
    }

    /// True once ended, by whomever.
    pub(super) fn is_dead(&self) -> bool {
        self.kill.is_pulled()
    }

    /// Counts bytes that came out of libssh2.
    pub(super) fn took(&self, bytes: usize) {
        self.kill.took(bytes);
    }

    /// The failure of a missed deadline; the session is dead.
    pub(super) fn late(&self, deadline: &Deadline, what: &str) -> Failure {
        self.kill();
        classify::late(what, deadline)
    }

    /// The failure for an error of libssh2 that is about the connection, or `None`. The session is
    /// dead then.
    pub(super) fn connection(
        &self,
        error: &Error,
        deadline: &Deadline,
        what: &str,
    ) -> Option<Failure> {
        if classify::is_late(error) || deadline.left().is_none() {
            return Some(self.late(deadline, what));
        }
        if classify::is_lost(error) {
            self.kill();
            return Some(classify::lost(what, error));
        }
        None
    }

    /// What libssh2 last complained of: its `io::Error`s carry no code.
    pub(super) fn last_error(&self) -> Error {
        Error::last_session_error(&self.session).unwrap_or_else(Error::unknown)
    }

    /// Opens a channel for one command. The server may still be freeing the last one, or allow only
    /// one at a time (MaxSessions 1, facts: ssh.md 3.10).
    pub(super) fn channel(&mut self, deadline: &Deadline, what: &str) -> Result<Channel, Failure> {
        self.settle_spare(deadline, what)?;
        if let Some(channel) = self.spare.take() {
            return Ok(channel);
        }
        for pause in [5, 20, 100, 0] {
            self.arm(deadline, what)?;
            match self.session.channel_session() {
                Ok(channel) => return Ok(channel),
                Err(error) => {
                    if let Some(failure) = self.connection(&error, deadline, what) {
                        return Err(failure);
                    }
                    if pause == 0 || !classify::is_refused(&error) {
                        return Err(no_channel(&error));
                    }
                }
            }
            self.sftp.release();
            std::thread::sleep(Duration::from_millis(pause));
        }
        Err(no_channel(&self.last_error()))
    }

    /// Opens a channel for the next command, without waiting: whoever waits for something else takes its
    /// confirmation in.
    pub(super) fn open_spare(&mut self) {
        let mut looks = 0;
        while matches!(self.spare, Spare::None | Spare::Asked) && !self.is_dead() {
            self.session.set_blocking(false);
            self.spare = match self.session.channel_session() {
                Ok(channel) => Spare::Open(channel),
                Err(error) if classify::would_block(&error) => Spare::Asked,
                // The server allows no more at once: it is not asked again.
                Err(_) => Spare::Never,
            };
            // What is only half sent has to be finished before anything else is.
            looks += 1;
            if !self.is_sending() || looks > MOST_LOOKS {
                break;
            }
            self.rest(Duration::from_millis(20));
        }
    }

    /// Hears the end of an opening that is under way: libssh2 has one at a time, and would hand this channel to
    /// whoever opens another.
    pub(super) fn settle_spare(&mut self, deadline: &Deadline, what: &str) -> Result<(), Failure> {
        if matches!(self.spare, Spare::Asked) {
            self.arm(deadline, what)?;
            self.spare = match self.session.channel_session() {
                Ok(channel) => Spare::Open(channel),
                Err(error) => match self.connection(&error, deadline, what) {
                    Some(failure) => return Err(failure),
                    None => Spare::Never,
                },
            };
        }
        Ok(())
    }

    /// Closes a channel whose output is no longer wanted; the session dies if that takes long.
    pub(super) fn abandon(&self, mut channel: Channel) {
        self.arm_briefly(Duration::from_secs(1));
        // The end of its stdin makes the tether kill the command.
        if channel.send_eof().and_then(|()| channel.close()).is_err() {
            self.kill();
        }
    }
}

pub(super) fn no_channel(error: &Error) -> Failure {
    Failure::new(
        FailureKind::Shell,
        "a session channel",
        format!("the server refused one: {}", classify::said(error)),
    )
    .with_hint("look at `MaxSessions` in the server's sshd_config; it must be 1 or more")
}

fn next_types(ask: &Ask, seen: String) -> Option<Again> {
    let mut types = match ask {
        Ask::Except(types) => types.clone(),
        _ => Vec::new(),
    };
    // Ed25519, three curves, RSA: a host that shows more is playing.
    (types.len() < 5 && !types.contains(&seen)).then(|| {
        types.push(seen);
        Again::Asking(Ask::Except(types))
    })
}

fn milliseconds(time: Duration) -> u32 {
    // Zero would mean for ever.
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX).max(1)
}
