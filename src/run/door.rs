//! The way in: connects a lane's session once, proves that the host is the one meant, and remembers
//! what each host said.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::guard::Guard;
use super::hung::{Hung, Wary};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Identity, Inventory, Login};
use crate::plan::Visit;
use crate::steps::{Door, Seen, identify};
use crate::time;
use crate::transport::{Greeting, Limits, Session, Ways};

/// What each reached host proved and said, by name.
#[derive(Clone, Default)]
pub struct Registry(Arc<Mutex<BTreeMap<String, (Greeting, Seen)>>>);

impl Registry {
    /// What the host of that name proved and said; `None` when no login got so far.
    #[must_use]
    pub fn get(&self, host: &str) -> Option<(Greeting, Seen)> {
        self.lock().get(host).cloned()
    }

    /// Two logins to one host must meet one machine: a name that leads to two is a load balancer.
    fn enter(&self, host: &str, greeting: &Greeting, seen: &Seen) -> Result<(), Failure> {
        let mut known = self.lock();
        let Some((met, first)) = known.get_mut(host) else {
            known.insert(host.to_owned(), (greeting.clone(), seen.clone()));
            return Ok(());
        };
        let other_key =
            met.host_key_type == greeting.host_key_type && met.host_key != greeting.host_key;
        match (&first.machine_id, &seen.machine_id) {
            // Without a machine-id on both sides the host key is all that tells machines apart.
            (None, _) | (_, None) if other_key => Err(Failure::new(
                FailureKind::Mismatch,
                format!("the machine that an earlier login met (host key `{}`)", met.host_key),
                format!("host key `{}`", greeting.host_key),
            )
            .with_hint("the address leads to more than one machine: name each machine by its own address, not by a virtual one")),
            (Some(one), Some(other)) if one != other => Err(Failure::new(
                FailureKind::Mismatch,
                format!("the machine that an earlier login met (machine-id `{one}`)"),
                format!("machine-id `{other}`"),
            )
            .with_hint("the address leads to more than one machine: name each machine by its own address, not by a virtual one")),
            // An account that may see more completes what another could not.
            _ => {
                first.machine_id = first.machine_id.take().or_else(|| seen.machine_id.clone());
                first.hostname = first.hostname.take().or_else(|| seen.hostname.clone());
                Ok(())
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, (Greeting, Seen)>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

enum State {
    Closed,
    Open(Arc<dyn Session>),
    /// One attempt for each login: a second one could trip a lock-out, and would fail alike.
    Refused(Failure),
}

/// The door of one lane.
pub(super) struct LaneDoor {
    visit: Visit,
    identity: Identity,
    hosts: Registry,
    ways: Ways,
    cancel: CancellationToken,
    hung: Hung,
    state: tokio::sync::Mutex<State>,
}

impl LaneDoor {
    pub(super) fn new(
        visit: Visit,
        inventory: &Inventory,
        hosts: Registry,
        ways: Ways,
        cancel: CancellationToken,
    ) -> Self {
        let identity = inventory
            .host(&visit.host)
            .map(|host| host.identity.clone())
            .unwrap_or_default();
        Self {
            visit,
            identity,
            hosts,
            ways,
            cancel,
            hung: Hung::default(),
            state: tokio::sync::Mutex::new(State::Closed),
        }
    }

    pub(super) async fn close(&self) {
        if let State::Open(session) = &*self.state.lock().await {
            session.close().await;
        }
    }

    async fn open(&self) -> Result<Arc<dyn Session>, Failure> {
        let login = &self.visit.login;
        let session = self.ways.connect(login, &self.cancel).await?;
        let wary = Arc::new(Wary::new(session, self.hung.clone(), login.deadline));
        let guarded: Arc<dyn Session> = Arc::new(Guard::new(wary, &self.visit.touches));
        let limits = Limits {
            time: login.connect_timeout,
            bytes: login.max_bytes,
        };
        let proven = async {
            let seen = identify(&*guarded, login, &self.identity, limits).await?;
            self.hosts.enter(&login.host, guarded.greeting(), &seen)
        };
        match proven.await {
            Ok(()) => Ok(guarded),
            Err(failure) => {
                guarded.close().await;
                Err(failure)
            }
        }
    }
}

impl Door for LaneDoor {
    fn session(&self) -> BoxFuture<'_, Result<Arc<dyn Session>, Failure>> {
        Box::pin(async {
            let login = &self.visit.login;
            let mut state = self.state.lock().await;
            match &*state {
                State::Open(session) if !session.is_dead() => return Ok(session.clone()),
                State::Refused(failure) => return Err(failure.clone()),
                State::Open(_) | State::Closed => {}
            }
            // If the check's deadline drops this future half-way, the next check does not try again.
            *state = State::Refused(interrupted(login));
            match self.open().await {
                Ok(session) => {
                    *state = State::Open(session.clone());
                    Ok(session)
                }
                Err(failure) => {
                    let failure = failure.with_login(&login.host, &login.user);
                    *state = State::Refused(failure.clone());
                    Err(failure)
                }
            }
        })
    }

    fn login(&self) -> &Login {
        &self.visit.login
    }
}

fn interrupted(login: &Login) -> Failure {
    Failure::new(
        FailureKind::Timeout,
        format!(
            "a login within the check's deadline of {}",
            time::say(login.deadline)
        ),
        "the deadline passed while connecting",
    )
    .with_hint("`deadline` must leave room for `connect_timeout` on the host and on each hop")
    .with_login(&login.host, &login.user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_logins_to_one_host_meet_one_machine() {
        let met = |kind: &str, key: &str, id: Option<&str>| {
            let greeting = Greeting {
                host_key: key.into(),
                host_key_type: kind.into(),
                ..Greeting::default()
            };
            let seen = Seen {
                machine_id: id.map(str::to_owned),
                ..Seen::default()
            };
            (greeting, seen)
        };
        let second = |first: (Greeting, Seen), second: (Greeting, Seen)| {
            let hosts = Registry::default();
            hosts.enter("a", &first.0, &first.1).unwrap();
            hosts.enter("a", &second.0, &second.1)
        };
        let first = || met("ed25519", "one", None);
        assert!(second(first(), first()).is_ok());
        assert!(second(first(), met("rsa", "two", None)).is_ok());
        assert!(second(met("rsa", "one", Some("x")), met("rsa", "two", Some("x"))).is_ok());
        for other in [
            met("ed25519", "two", None),
            met("ed25519", "two", Some("x")),
        ] {
            let kind = second(first(), other).unwrap_err().kind;
            assert_eq!(kind, FailureKind::Mismatch);
        }
        let ids = second(met("rsa", "one", Some("x")), met("rsa", "one", Some("y")));
        assert_eq!(ids.unwrap_err().kind, FailureKind::Mismatch);
    }
}
