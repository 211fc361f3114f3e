//! The second client: the installed `ssh`, for what libssh2 lacks (ProxyCommand, GSSAPI, FIDO keys,
//! a control socket that a person opened, algorithms that libssh2 has given up). One login is one
//! `ssh` that stays, and every command and SFTP a client of its control socket, so that each login
//! authenticates once. Same frames, same rules for files, same failures.
//!
//! What `ssh` is told stands in files of its own (`config.rs`); what it says is believed only where
//! nobody else can write: its own log, never the streams that a server reaches.

mod askpass;
mod auth;
mod child;
mod classify;
mod config;
mod exec;
mod forward;
mod line;
mod log;
mod master;
mod near;
mod person;
mod place;
mod sftp;
mod version;

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use super::Session;
use super::actor::{Actor, Deadline, Socket};
use super::rate::Rate;
use super::ssh::Ssh;
use crate::failure::{Failure, FailureKind};
use crate::inventory::Login;
use near::Near;
pub use version::openssh_version;

/// Opens a session for `login` by the installed `ssh`, through its hops.
pub(super) async fn connect(
    login: &Login,
    rate: Option<Arc<Rate>>,
) -> Result<Arc<dyn Session>, Failure> {
    let whole: Duration = config::chain(login).map(|hop| hop.connect_timeout).sum();
    let deadline = Deadline::after(whole);
    // Nothing travels here: shutting it wakes the thread, which then ends its processes.
    let (near, far) = UnixStream::pair().map_err(|error| ours(&error))?;
    let own = login.clone();
    let begin = move |socket: Socket, kill| {
        let watch = child::Watch::new(socket, far, kill);
        Near::establish(own, deadline, watch)
    };
    let late = |_: &Socket| super::classify::late("connecting", &deadline);
    let started = Actor::start(
        &login.host,
        Socket::Tunnel(near),
        None,
        deadline,
        begin,
        late,
    );
    let (actor, greeting) = started.await?;
    Ok(Arc::new(Ssh::new(actor, greeting, login, rate)))
}

fn ours(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        FailureKind::Undefined,
        "an `ssh` process of ours",
        error.to_string(),
    )
    .with_hint("this is a fault of the runner; see whether it is out of memory, processes or files")
}
