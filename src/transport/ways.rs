//! What the sessions of one run share on the road: one connection to each hop login, made by whoever
//! comes first and used by all behind it. How bytes go through a hop is `hops/`; how a login is made is
//! `connect.rs`.
//!
//! One attempt for each hop login: a refusal is remembered, and handed to every session behind.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::task::JoinHandle;

use super::actor::Socket;
use super::attempts::Attempts;
use super::auth::Keyring;
use super::connect;
use super::hops::{Hop, Way};
use super::rate::Rate;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Auth, Elevate, Gather, Login, Transport};

/// How many other connections are tried before a session waits where it is.
const DETOURS: u32 = 3;

/// The ways of one run to its hosts: what its sessions share on the road. Clones are the same ways.
#[derive(Clone, Default)]
pub struct Ways {
    places: Arc<Mutex<Vec<Arc<Place>>>>,
    keys: Keyring,
    attempts: Attempts,
    /// Bytes a second from one host, when they are limited.
    limit: Option<u64>,
    rates: Arc<Mutex<HashMap<String, Arc<Rate>>>>,
}

/// One hop login: all sessions whose chain begins alike meet here.
struct Place {
    /// The hops up to this one, nearest first.
    chain: Vec<Login>,
    // Held while a connection is made: who comes meanwhile waits for that one.
    state: tokio::sync::Mutex<State>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct State {
    /// Each lives as long as a session, or `Kept`, holds it.
    live: Vec<Weak<Hop>>,
    /// Survives whoever began it, so that nobody begins it twice.
    under_way: Option<JoinHandle<Result<Arc<Hop>, Failure>>>,
    /// The login was refused within that `connect_timeout`, and is not tried again in this run but by who
    /// has more time.
    refused: Option<(Failure, Duration)>,
    /// A connection beside the living one was refused.
    crowded: bool,
}

/// Lanes to come that will want the hop, and the connection that waits for them.
#[derive(Default)]
struct Kept {
    holds: usize,
    hop: Option<Arc<Hop>>,
}

/// As long as it lives, the connections to the hops of a login outlive their last session.
pub struct Hold {
    places: Vec<Arc<Place>>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        for place in &self.places {
            let mut kept = place.kept();
            kept.holds = kept.holds.saturating_sub(1);
            let hop = if kept.holds == 0 {
                kept.hop.take()
            } else {
                None
            };
            drop(kept);
            drop(hop);
        }
    }
}

impl Ways {
    /// The ways of a run that has these keys.
    #[must_use]
    pub fn with(keys: Keyring) -> Self {
        Self {
            keys,
            ..Self::default()
        }
    }

    /// The same, each host being asked for at most so many bytes a second, by all sessions with it together.
    #[must_use]
    pub fn limited(self, bytes_a_second: Option<u64>) -> Self {
        Self {
            limit: bytes_a_second,
            ..self
        }
    }

    /// The limit of one host.
    pub(super) fn rate(&self, host: &str) -> Option<Arc<Rate>> {
        let limit = self.limit?;
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let rate = rates.entry(host.to_owned());
        Some(Arc::clone(
            rate.or_insert_with(|| Arc::new(Rate::new(limit))),
        ))
    }

    /// The logins that were tried.
    pub(super) const fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    /// The run's key files.
    pub(super) const fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// Says that a session for `login` will be asked for: what it shares is kept for it meanwhile.
    #[must_use]
    pub fn hold(&self, login: &Login) -> Hold {
        let chain = &login.via;
        let places = (1..=chain.len()).map(|many| self.place(&chain[..many]));
        let places: Vec<Arc<Place>> = places.collect();
        for place in &places {
            place.kept().holds += 1;
        }
        Hold { places }
    }

    /// A socket to `next` through `chain`, with the hop that carries it, and how long the open took.
    ///
    /// # Errors
    /// In the name of the hop that refused.
    pub(super) async fn through(
        &self,
        chain: &[Login],
        next: &Login,
        time: Duration,
    ) -> Result<(Arc<Hop>, Socket, Duration), Failure> {
        let mut not: Option<Arc<Hop>> = None;
        let mut reconnected = false;
        let mut detours = 0;
        loop {
            let (hop, alone) = self.hop(chain, not.as_ref()).await?;
            let began = Instant::now();
            match hop.open(next, time, alone || detours >= DETOURS).await? {
                Way::Open(socket) => return Ok((hop, socket, began.elapsed())),
                Way::Busy => {
                    detours += 1;
                    not = Some(hop);
                }
                // It may have ended while nobody used it: once more, over a new connection.
                Way::Lost(_) if !reconnected => {
                    reconnected = true;
                    not = Some(hop);
                }
                Way::Lost(failure) => return Err(failure),
            }
        }
    }

    /// A living connection to the last hop of `chain`, other than `not`; true when there is none but
    /// that and no further one is let in.
    fn hop<'a>(
        &'a self,
        chain: &'a [Login],
        not: Option<&'a Arc<Hop>>,
    ) -> BoxFuture<'a, Result<(Arc<Hop>, bool), Failure>> {
        async move {
            let place = self.place(chain);
            let mut state = place.state.lock().await;
            if state.under_way.is_none() {
                state.live.retain(|hop| hop.strong_count() > 0);
                let live: Vec<Arc<Hop>> = state.live.iter().filter_map(Weak::upgrade).collect();
                let other = |hop: &&Arc<Hop>| not.is_none_or(|not| !Arc::ptr_eq(hop, not));
                let well = |hop: &&Arc<Hop>| !hop.is_dead() && !hop.is_busy();
                if let Some(hop) = live.iter().filter(other).find(well) {
                    return Ok((hop.clone(), false));
                }
                if let Some((refused, within)) = &state.refused
                    && !(is_late(refused) && *within < patience(chain))
                {
                    return Err(refused.clone());
                }
                let alone = state.crowded || !is_repeatable(&place.chain);
                if alone && let Some(hop) = live.into_iter().find(|hop| !hop.is_dead()) {
                    return Ok((hop, true));
                }
                let login = connect::to_hop(self.clone(), chain.to_vec());
                state.under_way = Some(tokio::spawn(login));
            }
            let Some(login) = &mut state.under_way else {
                return Err(vanished());
            };
            let made = login.await.unwrap_or_else(|_| Err(vanished()));
            state.under_way = None;
            match made {
                Ok(hop) => {
                    state.crowded = false;
                    state.live.push(Arc::downgrade(&hop));
                    place.keep(&hop);
                    Ok((hop, false))
                }
                Err(failure) => {
                    let live = state.live.iter().filter_map(Weak::upgrade);
                    match live.into_iter().find(|hop| !hop.is_dead()) {
                        Some(hop) => {
                            state.crowded = true;
                            Ok((hop, true))
                        }
                        None => {
                            state.refused = Some((failure.clone(), patience(chain)));
                            Err(failure)
                        }
                    }
                }
            }
        }
        .boxed()
    }

    fn place(&self, chain: &[Login]) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let alike = |place: &&Arc<Place>| is_same_chain(&place.chain, chain);
        if let Some(place) = places.iter().find(alike) {
            return Arc::clone(place);
        }
        let place = Arc::new(Place {
            chain: chain.to_vec(),
            state: tokio::sync::Mutex::default(),
            kept: Mutex::default(),
        });
        places.push(Arc::clone(&place));
        place
    }
}

impl Place {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, hop: &Arc<Hop>) {
        let mut kept = self.kept();
        let old = match kept.holds {
            0 => None,
            _ => kept.hop.replace(Arc::clone(hop)),
        };
        drop(kept);
        drop(old);
    }
}

/// Whether two logins come to one connection: all that decides who is let in, and whom we trust.
pub(super) fn is_same(one: &Login, other: &Login) -> bool {
    // Named is what does not matter, so that a key of the inventory that is new does.
    let alike = |login: &Login| Login {
        team: String::new(),
        connect_timeout: Duration::ZERO,
        deadline: Duration::ZERO,
        max_bytes: 0,
        clock_tolerance: Duration::ZERO,
        elevate: Elevate::None,
        transport: Transport::Auto,
        gather: Gather::Each,
        via: Vec::new(),
        ..login.clone()
    };
    (&one.host, &one.user) == (&other.host, &other.user) && alike(one) == alike(other)
}

/// What the way to the last of a chain may take; teams may differ in that.
fn patience(chain: &[Login]) -> Duration {
    chain.iter().map(|hop| hop.connect_timeout).sum()
}

/// Whether more time might have helped, and nobody was asked to let in.
const fn is_late(failure: &Failure) -> bool {
    matches!(
        failure.kind,
        FailureKind::Timeout | FailureKind::Unreachable
    )
}

fn is_same_chain(one: &[Login], other: &[Login]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(one, other)| is_same(one, other))
}

/// Whether two logins are one login that is reached by one way.
pub(super) fn is_same_way(one: &Login, other: &Login) -> bool {
    is_same(one, other) && is_same_chain(&one.via, &other.via)
}

/// Whether a second login beside a living one is harmless: a one-time code would be refused, and
/// refusals are what lock-outs count.
fn is_repeatable(chain: &[Login]) -> bool {
    let ways = chain.last().map(|hop| &hop.auth[..]);
    let once = |way: &Auth| matches!(way, Auth::KeyboardInteractive { .. });
    !ways.unwrap_or_default().iter().any(once)
}

fn vanished() -> Failure {
    Failure::new(
        FailureKind::Undefined,
        "an answer of the task that logs in to a hop",
        "the task ended without one",
    )
    .with_hint("this is a defect of gonogo; please report it with the command line used")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Client;

    fn hop(host: &str) -> Login {
        Login {
            host: host.into(),
            team: "operations".into(),
            address: "10.0.0.1".into(),
            port: 22,
            user: "jump".into(),
            auth: vec![Auth::Agent(crate::inventory::AgentKey::Any)],
            known_hosts: vec!["known_hosts".into()],
            host_key: None,
            connect_timeout: Duration::from_secs(1),
            deadline: Duration::from_secs(1),
            max_bytes: 1,
            clock_tolerance: Duration::from_secs(1),
            ssh_config: None,
            chroot: None,
            elevate: Elevate::None,
            transport: Transport::Auto,
            gather: Gather::Each,
            client: Client::Ssh2,
            via: vec![],
        }
    }

    #[test]
    fn shares_what_is_let_in_alike_and_nothing_else() {
        let one = hop("a");
        let mut other = one.clone();
        other.team = "market data".into();
        other.deadline = Duration::from_secs(9);
        other.via = vec![hop("b")];
        assert!(is_same(&one, &other));
        let differs: [fn(&mut Login); 6] = [
            |login| login.user = "root".into(),
            |login| login.auth = vec![],
            |login| login.host_key = Some("SHA256:x".into()),
            |login| login.known_hosts = vec![],
            |login| login.port = 23,
            |login| login.address = "10.0.0.2".into(),
        ];
        for change in differs {
            let mut other = one.clone();
            change(&mut other);
            assert!(!is_same(&one, &other));
        }
    }

    #[test]
    fn a_login_by_another_way_is_another_login() {
        let mut one = hop("a");
        let mut other = one.clone();
        one.via = vec![hop("b")];
        other.via = vec![hop("b")];
        other.via[0].team = "market data".into();
        assert!(is_same_way(&one, &other));
        for via in [vec![], vec![hop("c")], vec![hop("b"), hop("c")]] {
            other.via = via;
            assert!(is_same(&one, &other) && !is_same_way(&one, &other));
        }
    }

    #[test]
    fn a_code_that_is_good_for_once_is_given_once() {
        let mut hop = hop("a");
        assert!(is_repeatable(std::slice::from_ref(&hop)));
        let answers = vec![];
        hop.auth.push(Auth::KeyboardInteractive { answers });
        assert!(!is_repeatable(std::slice::from_ref(&hop)));
    }

    #[test]
    fn chains_that_begin_alike_meet() {
        let ways = Ways::default();
        let chain = |names: &[&str]| names.iter().map(|name| hop(name)).collect::<Vec<_>>();
        let place = |names: &[&str]| ways.place(&chain(names));
        assert!(Arc::ptr_eq(&place(&["a"]), &place(&["a"])));
        assert!(Arc::ptr_eq(&place(&["a", "b"]), &place(&["a", "b"])));
        assert!(!Arc::ptr_eq(&place(&["a", "b"]), &place(&["b"])));
        assert!(!Arc::ptr_eq(&place(&["a", "b"]), &place(&["a"])));
    }

    #[test]
    fn holds_are_counted_for_every_hop_of_a_chain() {
        let ways = Ways::default();
        let mut login = hop("target");
        login.via = vec![hop("a"), hop("b")];
        let first = ways.place(&login.via[..1]);
        let holds = (ways.hold(&login), ways.hold(&login));
        assert_eq!(first.kept().holds, 2);
        drop(holds.0);
        assert_eq!(
            (first.kept().holds, ways.place(&login.via).kept().holds),
            (1, 1)
        );
        drop(holds.1);
        assert_eq!(first.kept().holds, 0);
    }
}
