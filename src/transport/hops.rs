//! Through a hop to the next host: one forwarded channel, carried to a socket pair whose near end is
//! the inner connection's socket (facts: ssh.md, ProxyJump (a)). The hop's own login and host key are
//! as strict as any; nothing is executed on a hop.
//!
//! Today each session has its hops to itself. Sharing one connection to a bastion means to keep the
//! [`Actor`] of a hop in a map by login and to bridge several channels in one loop here.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::{Channel, ExtendedData};
use tokio::sync::oneshot;

use super::actor::{Actor, Deadline, Socket};
use super::classify;
use super::far::Far;
use crate::failure::{Failure, FailureKind};
use crate::inventory::Login;
use crate::text;

/// Opens a way through `hop` to `next` and keeps carrying bytes until one side ends.
pub(super) async fn open(
    actor: &Actor,
    hop: &Login,
    next: &Login,
    deadline: Deadline,
) -> Result<Socket, Failure> {
    let (told, hears) = oneshot::channel();
    let (address, port) = (next.address.clone(), next.port);
    let target = text::endpoint(&address, port);
    let job = {
        let target = target.clone();
        move |far: &mut Far| match channel(far, &address, port, &target, &deadline) {
            Ok((channel, near, far_end)) => {
                if told.send(Ok(near)).is_ok() {
                    // Whatever ends the bridge, the inner session sees its socket end.
                    let _ = carry(far, channel, far_end);
                }
                far.kill();
            }
            Err(failure) => drop(told.send(Err(failure))),
        }
    };
    let opened = match actor.send(Box::new(job)) {
        Err(failure) => Err(failure),
        Ok(()) => {
            let left = deadline.left().unwrap_or_default() + Duration::from_millis(250);
            match tokio::time::timeout(left, hears).await {
                Ok(Ok(opened)) => opened,
                _ => Err(no_way(&hop.host, &target, "no answer in time", SLOW)),
            }
        }
    };
    opened.map(Socket::Tunnel).map_err(|failure| {
        failure
            .with_subject(target)
            .with_login(&hop.host, &hop.user)
    })
}

const SLOW: &str = "raise `connect_timeout` if the target is merely slow; else look for a firewall \
                    between hop and target that drops instead of refusing";

fn no_way(hop: &str, target: &str, actual: &str, hint: &str) -> Failure {
    let expected = format!("a way through hop `{hop}` to {target}");
    Failure::new(FailureKind::Unreachable, expected, actual).with_hint(hint)
}

fn channel(
    far: &Far,
    address: &str,
    port: u16,
    target: &str,
    deadline: &Deadline,
) -> Result<(Channel, UnixStream, UnixStream), Failure> {
    let what = format!("opening the way to {target}");
    far.arm(deadline, &what)?;
    let hop = &far.login.host;
    let channel = far.session.channel_direct_tcpip(address, port, None);
    let channel = channel.map_err(|error| {
        let said = classify::said(&error);
        if classify::is_late(&error) {
            far.kill();
            return no_way(hop, target, &said, SLOW);
        }
        if let Some(failure) = far.connection(&error, deadline, &what) {
            return failure;
        }
        let hint = match error.message() {
            message if message.contains("prohibited") => {
                "the hop refuses to forward: look at AllowTcpForwarding and PermitOpen in its \
                 sshd_config, and at `restrict`, `no-port-forwarding` and `permitopen=` in authorized_keys"
            }
            message if message.contains("connect failed") => {
                "the hop forwards, but cannot connect to the target: look whether the target's name \
                 resolves on the hop, whether sshd runs there, and at firewalls between the two"
            }
            _ => "look at the hop's sshd log",
        };
        no_way(hop, target, &said, hint)
    })?;
    let pair = UnixStream::pair().and_then(|(near, far_end)| {
        far_end.set_nonblocking(true)?;
        Ok((near, far_end))
    });
    let (near, far_end) = pair.map_err(|error| no_way(hop, target, &error.to_string(), ""))?;
    Ok((channel, near, far_end))
}

/// Bytes on their way in one direction.
struct Lane {
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    ended: bool,
}

impl Lane {
    fn new() -> Self {
        Self {
            buffer: vec![0; 64 << 10],
            from: 0,
            to: 0,
            ended: false,
        }
    }

    fn is_empty(&self) -> bool {
        self.from == self.to
    }

    /// Moves what can be moved; true when something was.
    fn step(&mut self, source: &mut impl Read, drain: &mut impl Write) -> io::Result<bool> {
        let mut moved = false;
        if self.is_empty() && !self.ended {
            match source.read(&mut self.buffer) {
                Ok(0) => {
                    self.ended = true;
                    moved = true;
                }
                Ok(n) => {
                    (self.from, self.to) = (0, n);
                    moved = true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => moved = true,
                Err(error) => return Err(error),
            }
        }
        if !self.is_empty() {
            match drain.write(&self.buffer[self.from..self.to]) {
                Ok(n) => {
                    self.from += n;
                    moved |= n > 0;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => moved = true,
                Err(error) => return Err(error),
            }
        }
        Ok(moved)
    }
}

fn carry(far: &Far, mut channel: Channel, mut inner: UnixStream) -> io::Result<()> {
    channel.handle_extended_data(ExtendedData::Ignore)?;
    far.session.set_blocking(false);
    let (mut up, mut down) = (Lane::new(), Lane::new());
    loop {
        let moved = up.step(&mut inner, &mut channel)? | down.step(&mut channel, &mut inner)?;
        // The inner session ended, or the target hung up: an SSH connection has no half.
        if up.ended && up.is_empty() || down.ended && down.is_empty() {
            break;
        }
        // Each call takes in whatever came: data while writing, a wider window while reading.
        let readable = down.is_empty() && channel.read_window().available > 0;
        let writable = !up.is_empty()
            && channel.write_window().remaining > 0
            && !far.directions().contains(PollFlags::OUT);
        if moved || readable || writable {
            continue;
        }
        let mut wants = PollFlags::empty();
        if up.is_empty() {
            wants |= PollFlags::IN;
        }
        if !down.is_empty() {
            wants |= PollFlags::OUT;
        }
        // Nobody would take what comes in while the inner side is full: not to be woken by it.
        let outer = match up.is_empty() && !down.is_empty() {
            true => PollFlags::empty(),
            false => far.directions() | PollFlags::IN,
        };
        let mut ready = [PollFd::new(far.socket(), outer), PollFd::new(&inner, wants)];
        // The second is a net below the wake-ups, not the clock of the bridge.
        let _ = poll(
            &mut ready,
            Some(&Timespec {
                tv_sec: 1,
                tv_nsec: 0,
            }),
        );
    }
    let _ = inner.shutdown(Shutdown::Both);
    far.arm_briefly(Duration::from_millis(300));
    // The hop's connection ends right after: the channel's own farewell is a courtesy.
    let _ = channel.close();
    Ok(())
}
