//! The way in: connects a lane's session once, proves that the host is the one meant, and remembers
//! what each host said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::guard::Guard;
use super::hung::{Hung, Wary};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Identity, Inventory, Login, Never};
use crate::plan::Visit;
use crate::steps::statistics::{Debts, left_behind, settle};
use crate::steps::{Door, Seen, identify, is_meant, measure, on_time};
use crate::time;
use crate::transport::{Crossed, Greeting, Limits, Session, Ways};
use crate::verdict::{Clock, same_hostname};

const MANY: &str = "the address leads to more than one machine (a virtual address, a load balancer, a name with \
    several addresses): name each machine by its own address. An account in a chroot with an /etc of its own \
    shows the same: remove the machine-id and hostname there";

/// What a host proved and said.
#[derive(Clone, Debug)]
pub struct Met {
    /// Of the first login.
    pub greeting: Greeting,
    /// Of all logins together: an account that may see more completes what another could not.
    pub seen: Seen,
    /// How many sessions met it.
    pub sessions: u64,
    port: u16,
    /// Not the machine that the inventory pins.
    is_stranger: bool,
}

/// What each reached host proved and said, by name.
#[derive(Clone, Default)]
pub struct Registry(
    Arc<Mutex<BTreeMap<String, Met>>>,
    Arc<Mutex<BTreeMap<String, BTreeMap<String, String>>>>,
    Arc<Mutex<BTreeSet<Crossed>>>,
);

impl Registry {
    /// What the host of that name proved and said; `None` when no login got so far.
    #[must_use]
    pub fn get(&self, host: &str) -> Option<Met> {
        self.lock().get(host).cloned()
    }

    /// Which SSH client each team's login to that host used.
    #[must_use]
    pub fn clients(&self, host: &str) -> BTreeMap<String, String> {
        let clients = self.1.lock();
        let clients = clients.unwrap_or_else(std::sync::PoisonError::into_inner);
        clients.get(host).cloned().unwrap_or_default()
    }

    fn note(&self, login: &Login, greeting: &Greeting) {
        let clients = self.1.lock();
        let mut clients = clients.unwrap_or_else(std::sync::PoisonError::into_inner);
        let teams = clients.entry(login.host.clone()).or_default();
        teams.insert(login.team.clone(), greeting.client.clone());
        let crossed = self.2.lock();
        let mut crossed = crossed.unwrap_or_else(std::sync::PoisonError::into_inner);
        crossed.extend(greeting.crossed.iter().cloned());
    }

    /// The keys that the host of that name showed to whoever went through it, each once.
    #[must_use]
    pub fn crossed(&self, host: &str) -> Vec<Crossed> {
        let crossed = self.2.lock();
        let crossed = crossed.unwrap_or_else(std::sync::PoisonError::into_inner);
        let own = crossed.iter().filter(|one| one.host == host);
        own.cloned().collect()
    }

    /// Two sessions with one host must meet one machine: a name that leads to two is a load balancer.
    fn enter(&self, login: &Login, greeting: &Greeting, seen: &Seen) -> Result<(), Failure> {
        let now = Met::first(login, greeting, seen);
        let mut known = self.lock();
        let Some(met) = (known.get_mut(&login.host)).filter(|met| !met.is_stranger) else {
            known.insert(login.host.clone(), now);
            return Ok(());
        };
        if met.is_another(&now) {
            let expected = format!("the machine that an earlier session met ({})", met.say());
            return Err(Failure::new(FailureKind::Mismatch, expected, now.say()).with_hint(MANY));
        }
        met.sessions += 1;
        // A client that uses another's connection cannot tell which key was shown.
        if met.greeting.host_key.is_empty() {
            met.greeting = now.greeting;
        }
        let first = &mut met.seen;
        first.machine_id = first.machine_id.take().or(now.seen.machine_id);
        if first.hostname.is_none() {
            first.hostname = now.seen.hostname;
            first.is_name_of_file = now.seen.is_name_of_file;
        }
        Ok(())
    }

    /// Keeps what a machine said that is not the one meant, so that the report tells whose it is. It
    /// counts for nothing once the right one is met.
    fn note_stranger(&self, login: &Login, greeting: &Greeting, seen: &Seen) {
        let stranger = Met {
            is_stranger: true,
            ..Met::first(login, greeting, seen)
        };
        self.lock().entry(login.host.clone()).or_insert(stranger);
    }

    /// Of two measurements at once the sharper one stays.
    fn time(&self, host: &str, clock: Clock) {
        if let Some(met) = self.lock().get_mut(host) {
            let known = met.seen.clock.into_iter().chain([clock]);
            met.seen.clock = known.min_by_key(|clock| clock.uncertainty_ms);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Met>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Met {
    fn first(login: &Login, greeting: &Greeting, seen: &Seen) -> Self {
        Self {
            greeting: greeting.clone(),
            seen: seen.clone(),
            sessions: 1,
            port: login.port,
            is_stranger: false,
        }
    }

    /// Whether `other`, met under the same name, is another machine, as far as both say who they are.
    fn is_another(&self, other: &Self) -> bool {
        let other_key = !self.greeting.host_key.is_empty()
            && self.greeting.host_key_type == other.greeting.host_key_type
            && self.greeting.host_key != other.greeting.host_key;
        let (one, two) = (&self.seen, &other.seen);
        // All that tells clones apart which share key and machine-id.
        let names = one.hostname.as_deref().zip(two.hostname.as_deref());
        let other_name = one.is_name_of_file == two.is_name_of_file
            && names.is_some_and(|(one, two)| !same_hostname(one, two));
        match (&one.machine_id, &two.machine_id) {
            (Some(one), Some(two)) if !one.eq_ignore_ascii_case(two) => true,
            // Behind another port another sshd of the same machine may listen.
            (Some(_), Some(_)) => other_name || other_key && self.port == other.port,
            _ => other_name || other_key,
        }
    }

    fn say(&self) -> String {
        let said = [
            ("host name", self.seen.hostname.as_deref()),
            ("machine-id", self.seen.machine_id.as_deref()),
            ("host key", Some(self.greeting.host_key.as_str())),
        ];
        let said = said
            .iter()
            .filter_map(|(what, said)| Some((what, said.filter(|said| !said.is_empty())?)))
            .map(|(what, said)| format!("{what} `{said}`"));
        said.collect::<Vec<_>>().join(", ")
    }
}

/// Longest time for removing what is left once a lane ends.
const TIDYING: Duration = Duration::from_secs(8);

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
    never: Never,
    hosts: Registry,
    ways: Ways,
    cancel: CancellationToken,
    hung: Hung,
    state: tokio::sync::Mutex<State>,
    debts: Debts,
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
            never: inventory.never().clone(),
            hosts,
            ways,
            cancel,
            hung: Hung::default(),
            state: tokio::sync::Mutex::new(State::Closed),
            debts: Debts::default(),
        }
    }

    pub(super) async fn close(&self) {
        if let State::Open(session) = &*self.state.lock().await {
            session.close().await;
        }
    }

    /// Removes what a check has left, also after the run was told to stop, which kills the session that
    /// something ran on.
    ///
    /// # Errors
    /// The failure that names what may still be there.
    pub(super) async fn settle(&self) -> Result<(), Failure> {
        let owed = self.debts.take();
        let Some(first) = owed.first() else {
            return Ok(());
        };
        let left = |why: &str| {
            left_behind(first, why).with_login(&self.visit.login.host, &self.visit.login.user)
        };
        let work = async {
            let open = match &*self.state.lock().await {
                State::Open(session) if !session.is_dead() => Some(session.clone()),
                _ => None,
            };
            let session = match open {
                Some(session) => session,
                None => self.open(&CancellationToken::new()).await?,
            };
            let limits = Limits {
                time: TIDYING,
                bytes: 1 << 16,
            };
            for scratch in &owed {
                settle(&*session, scratch, limits)
                    .await
                    .map_err(|why| left_behind(scratch, &why))?;
            }
            session.close().await;
            Ok(())
        };
        match tokio::time::timeout(TIDYING, work).await {
            Ok(done) => done.map_err(|failure: Failure| left(&failure.to_string())),
            Err(_elapsed) => Err(left("no answer in time")),
        }
    }

    async fn open(&self, cancel: &CancellationToken) -> Result<Arc<dyn Session>, Failure> {
        let login = &*self.visit.login;
        let session = self.ways.connect(login, cancel).await?;
        self.hosts.note(login, session.greeting());
        let wary = Arc::new(Wary::new(session, self.hung.clone(), login.deadline));
        let (touches, identity) = (&self.visit.touches, &self.visit.identity);
        let guard = Guard::new(wary, touches, identity).without(&self.never);
        let guarded: Arc<dyn Session> = Arc::new(guard);
        let limits = Limits {
            time: login.connect_timeout,
            bytes: login.max_bytes,
        };
        let proven = async {
            let own = guarded.unelevated();
            let seen = identify(&*own, login, &self.identity, limits).await?;
            if let Err(failure) = is_meant(&seen, &self.identity) {
                self.hosts.note_stranger(login, own.greeting(), &seen);
                return Err(failure);
            }
            self.hosts.enter(login, own.greeting(), &seen)?;
            self.look_at_the_clock(&*own, limits).await
        };
        match proven.await {
            Ok(()) => Ok(guarded),
            Err(failure) => {
                guarded.close().await;
                Err(failure)
            }
        }
    }

    /// A machine has one clock: it is asked for once, and every login judges by its own tolerance.
    async fn look_at_the_clock(
        &self,
        session: &dyn Session,
        limits: Limits,
    ) -> Result<(), Failure> {
        let login = &*self.visit.login;
        let clock = match self.seen().clock {
            Some(known) => Some(known),
            None => measure(session, login, limits).await?,
        };
        let Some(clock) = clock else {
            return Ok(());
        };
        self.hosts.time(&login.host, clock);
        on_time(clock, login)
    }
}

impl Door for LaneDoor {
    fn session(&self) -> BoxFuture<'_, Result<Arc<dyn Session>, Failure>> {
        Box::pin(async {
            let login = &*self.visit.login;
            let mut state = self.state.lock().await;
            match &*state {
                State::Open(session) if !session.is_dead() => return Ok(session.clone()),
                State::Refused(failure) => return Err(failure.clone()),
                State::Open(_) | State::Closed => {}
            }
            // If the check's deadline drops this future half-way, the next check does not try again.
            *state = State::Refused(interrupted(login));
            match self.open(&self.cancel).await {
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

    fn is_shut(&self) -> bool {
        // Held only while a session is being opened: then there is none.
        (self.state.try_lock()).map_or(true, |state| matches!(*state, State::Refused(_)))
    }

    fn debts(&self) -> Option<&Debts> {
        Some(&self.debts)
    }

    fn seen(&self) -> Seen {
        let met = self.hosts.get(&self.visit.host);
        met.map(|met| met.seen).unwrap_or_default()
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

    /// What a session meets: type and key, machine-id, host name (with `!` when it is of the file).
    type Facts = (
        &'static str,
        &'static str,
        Option<&'static str>,
        Option<&'static str>,
    );

    fn login(port: u16) -> Login {
        const INVENTORY: &str = "environment: test\nssh: {host_key: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', key: k, port: PORT}\nhosts: {a: {address: a.example}}\nteams: {ops: {user: ops}}\n";
        let text = INVENTORY.replace("PORT", &port.to_string());
        let inventory = Inventory::parse("i.yaml".as_ref(), text.into_bytes()).unwrap();
        inventory.login("a", "ops").unwrap().clone()
    }

    fn enter(hosts: &Registry, port: u16, (kind, key, id, name): Facts) -> Result<(), Failure> {
        let greeting = Greeting {
            host_key: key.into(),
            host_key_type: kind.into(),
            ..Greeting::default()
        };
        let seen = Seen {
            machine_id: id.map(str::to_owned),
            hostname: name.map(|name| name.trim_end_matches('!').to_owned()),
            is_name_of_file: name.is_some_and(|name| name.ends_with('!')),
            clock: None,
        };
        hosts.enter(&login(port), &greeting, &seen)
    }

    #[test]
    fn two_sessions_with_one_host_meet_one_machine() {
        let (ed, rsa) = ("ed25519", "rsa");
        let (n, m) = (Some("n"), Some("m"));
        let (x, y) = (Some("x"), Some("y"));
        let cases: [(Facts, Facts, bool); 15] = [
            ((ed, "1", None, None), (ed, "1", None, None), true),
            ((ed, "1", x, n), (ed, "1", Some("X"), n), true),
            ((ed, "1", None, None), (rsa, "2", None, None), true),
            ((ed, "1", x, None), (rsa, "2", x, None), true),
            // The name in a file need not be the one that the system goes by.
            ((ed, "1", x, n), (ed, "1", x, Some("m!")), true),
            ((ed, "1", None, n), (ed, "1", x, Some("n.example")), true),
            (("", "", None, None), (ed, "1", None, None), true),
            ((ed, "1", x, None), ("", "", x, None), true),
            ((ed, "1", None, None), (ed, "2", None, None), false),
            ((ed, "1", None, None), (ed, "2", x, None), false),
            ((ed, "1", x, None), (ed, "1", y, None), false),
            ((ed, "1", x, None), (rsa, "2", y, None), false),
            // Clones: of the machine-id, of the key, of both.
            ((ed, "1", x, n), (ed, "1", x, m), false),
            ((ed, "1", x, n), (ed, "2", x, n), false),
            ((ed, "1", None, n), (ed, "1", x, m), false),
        ];
        for (first, second, one) in cases {
            let hosts = Registry::default();
            enter(&hosts, 22, first).unwrap();
            let second_time = enter(&hosts, 22, second);
            assert_eq!(second_time.is_ok(), one, "{first:?} {second:?}");
            let sessions = hosts.get("a").unwrap().sessions;
            assert_eq!(sessions, 1 + u64::from(one));
            assert!(!hosts.get("a").unwrap().greeting.host_key.is_empty());
            if let Err(failure) = second_time {
                assert_eq!(failure.kind, FailureKind::Mismatch);
                let told = format!("{} {}", failure.expected, failure.actual);
                for (_, key, id, name) in [first, second] {
                    for said in [Some(key), id, name].into_iter().flatten() {
                        assert!(told.contains(&format!("`{said}`")), "{told}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_stranger_is_told_until_the_right_machine_is_met() {
        let hosts = Registry::default();
        let said = |id: &str| Seen {
            machine_id: Some(id.to_owned()),
            ..Seen::default()
        };
        let id = || hosts.get("a").unwrap().seen.machine_id.unwrap();
        hosts.note_stranger(&login(22), &Greeting::default(), &said("x"));
        assert_eq!(id(), "x");
        hosts
            .enter(&login(22), &Greeting::default(), &said("y"))
            .unwrap();
        hosts.note_stranger(&login(22), &Greeting::default(), &said("x"));
        assert_eq!((id().as_str(), hosts.get("a").unwrap().sessions), ("y", 1));
        let again = hosts.enter(&login(22), &Greeting::default(), &said("x"));
        assert!(again.is_err());
    }

    #[test]
    fn behind_another_port_another_sshd_of_the_machine_may_listen() {
        let hosts = Registry::default();
        enter(&hosts, 22, ("ed25519", "1", Some("x"), None)).unwrap();
        enter(&hosts, 2222, ("ed25519", "2", Some("x"), None)).unwrap();
        assert!(enter(&hosts, 22, ("ed25519", "2", Some("x"), None)).is_err());
    }
}
