//! From a login to a session: name, TCP, hop by hop, each step bounded by `connect_timeout`. Retries
//! only what was no answer yet: a hang-up before the handshake, or a host key type not asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::actor::{Actor, Deadline, Socket};
use super::back_off::BackOff;
use super::dial::dial;
use super::far::{Again, Far, Refused};
use super::hello::Hello;
use super::hops::Hop;
use super::host_key::Ask;
use super::ssh::Ssh;
use super::ways::Ways;
use super::{Greeting, Keyring, Session, classify, handshake, openssh};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Client, Login};
use crate::text;
use crate::time::say;

impl Ways {
    /// Opens a session for `login`, through its hops.
    ///
    /// # Errors
    /// `unreachable`, `host-key`, `auth` or `timeout`, with the host that refused: the hop, when it
    /// was one. `undefined` when cancelled.
    pub async fn connect(
        &self,
        login: &Login,
        cancel: &CancellationToken,
    ) -> Result<Arc<dyn Session>, Failure> {
        let session = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Failure::new(
                FailureKind::Undefined,
                "a run that goes on",
                "the run was cancelled",
            )
            .with_hint("run it again; nothing was judged here")),
            session = self.attempts().once(login, reach(self, login)) => session,
        };
        session.map_err(|failure| failure.with_login(&login.host, &login.user))
    }
}

/// Version of the libssh2 that is built in, such as `1.11.2_DEV` (facts: traps.md T12).
#[must_use]
pub fn libssh2_version() -> String {
    env!("GONOGO_LIBSSH2").to_owned()
}

/// What earlier tries taught.
#[derive(Default)]
struct Lessons {
    /// The host key types to ask for.
    ask: Ask,
    /// How a server is asked again that may have been busy.
    crowd: BackOff,
    /// The refusal of a host key seen so far.
    seen: Option<Failure>,
    /// What is used up of the host's `connect_timeout`.
    spent: Duration,
}

async fn reach(ways: &Ways, login: &Login) -> Result<Arc<dyn Session>, Failure> {
    if login.client == Client::Openssh {
        return openssh::connect(login, ways.rate(&login.host)).await;
    }
    let (actor, greeting) = log_in(ways, &login.via, login).await?;
    let rate = ways.rate(&login.host);
    Ok(Arc::new(Ssh::new(actor, greeting, login, rate)))
}

/// Logs in to the last hop of `chain`, through those before it.
///
/// # Errors
/// In the name of the hop that refused.
pub(super) async fn to_hop(ways: Ways, chain: Vec<Login>) -> Result<Arc<Hop>, Failure> {
    let nobody = || Failure::new(FailureKind::Undefined, "a hop", "an empty chain of hops");
    let (last, below) = chain.split_last().ok_or_else(nobody)?;
    let (actor, greeting) = log_in(&ways, below, last).await?;
    Hop::new(actor, last, greeting)
}

/// Logs in to one host, through `below`; its own part of the way is bounded by its `connect_timeout`.
async fn log_in(
    ways: &Ways,
    below: &[Login],
    here: &Login,
) -> Result<(Arc<Actor>, Greeting), Failure> {
    let mut lessons = Lessons::default();
    loop {
        let refused = match attempt(ways, below, here, &mut lessons).await {
            Ok((actor, greeting)) => {
                let turned_away = lessons.crowd.tries();
                let greeting = Greeting {
                    turned_away,
                    ..greeting
                };
                return Ok((actor, greeting));
            }
            Err(refused) => refused,
        };
        let failure = refused.failure.with_login(&here.host, &here.user);
        let failure = lessons.join(failure);
        let left = here.connect_timeout.saturating_sub(lessons.spent);
        match refused.again {
            Some(Again::Busy(said_so)) => match lessons.crowd.pause(said_so, left) {
                Some(pause) => {
                    tokio::time::sleep(pause).await;
                    lessons.spent += pause;
                }
                None => return Err(lessons.crowd.told(failure)),
            },
            Some(Again::Asking(ask)) if !left.is_zero() => {
                lessons.ask = ask;
                lessons.seen = Some(failure);
            }
            _ => return Err(failure),
        }
    }
}

impl Lessons {
    // A later try for other key types may only fail to find any: then the first refusal stands.
    fn join(&mut self, failure: Failure) -> Failure {
        match self.seen.take() {
            Some(mut seen) if seen.kind == FailureKind::HostKey => {
                if failure.kind == FailureKind::HostKey && failure.host == seen.host {
                    seen.actual = format!("{}, {}", seen.actual, failure.actual);
                }
                seen
            }
            _ => failure,
        }
    }
}

/// One try. Waiting for a hop that others may be using counts as the hop's time, not as this host's.
async fn attempt(
    ways: &Ways,
    below: &[Login],
    here: &Login,
    lessons: &mut Lessons,
) -> Result<(Arc<Actor>, Greeting), Refused> {
    let left = here.connect_timeout.saturating_sub(lessons.spent);
    let (socket, via, deadline) = match below {
        [] => {
            let deadline = Deadline::after(left);
            (dial(here, deadline).await?, None, deadline)
        }
        _ => {
            let (hop, socket, took) = ways.through(below, here, left).await?;
            (socket, Some(hop), Deadline::after(left).less(took))
        }
    };
    let told = establish(
        here,
        ways.keys(),
        &lessons.ask,
        socket,
        via.clone(),
        deadline,
    )
    .await;
    lessons.spent += left.saturating_sub(deadline.left().unwrap_or_default());
    let crossed = via.as_ref().map(|hop| hop.crossed()).unwrap_or_default();
    let told = told.map(|(actor, greeting)| {
        (
            actor,
            Greeting {
                crossed,
                ..greeting
            },
        )
    });
    told.map_err(|mut refused| {
        // What was lost with its hop says so.
        if let Some(broken) = via.and_then(|hop| hop.broken()) {
            refused.failure = broken;
        }
        refused
    })
}

async fn establish(
    login: &Login,
    keys: &Keyring,
    ask: &Ask,
    socket: Socket,
    via: Option<Arc<Hop>>,
    deadline: Deadline,
) -> Result<(Arc<Actor>, Greeting), Refused> {
    let proven = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&proven);
    let (own, keys, ask) = (login.clone(), keys.clone(), ask.clone());
    let begin = move |socket, kill| Far::establish(own, &keys, &ask, deadline, &seen, socket, kill);
    let late = |socket: &Socket| match proven.load(Ordering::Acquire) {
        true => classify::late("authentication", &deadline).into(),
        false => captive(login.connect_timeout, &Hello::left_in(socket))
            .with_subject(text::endpoint(&login.address, login.port))
            .into(),
    };
    Actor::start(&login.host, socket, via, deadline, begin, late).await
}

/// libssh2 was still reading when its time was over: it reads on for as long as lines come, should they
/// begin between our look and its own.
fn captive(time: Duration, left: &Hello) -> Failure {
    let expected = format!("an SSH handshake within {}", say(time));
    let (expected, actual, hint) = handshake::never(left).unwrap_or((
        &expected,
        "the port is open, but no handshake came about".to_owned(),
        "look whether sshd hangs there, or whether something else listens on the port",
    ));
    Failure::new(FailureKind::Unreachable, expected, actual).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libssh2_drowned_in_is_quoted() {
        let time = Duration::from_secs(2);
        let drowned = captive(time, &Hello::of(&b"please wait\r\n".repeat(5_000)));
        assert!(
            drowned
                .actual
                .contains("without end, beginning with \"please wait\""),
            "{drowned}"
        );
        let silent = captive(time, &Hello::of(b""));
        assert!(
            silent.actual.contains("no handshake came about"),
            "{silent}"
        );
        assert!(silent.expected.contains("handshake within"), "{silent}");
    }
}
