//! Who logs in where, and how: `ssh:`, then the team, then the host, the last word wins. Made when
//! asked for, because an estate of 10,000 hosts has far more pairs than a run needs.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::Host;
use super::access::{Auth, Client, Elevate, Login, Transport};
use super::follow::Follow;
use super::gather::Gather;
use super::page::Spanned;
use super::raw::Access;
use super::resolve::Index;
use super::ssh_config::{Configs, Given};
use crate::problem::Problem;

/// SSH's port (RFC 4253, 4).
pub(super) const PORT: u16 = 22;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const DEADLINE: Duration = Duration::from_secs(120);
// A clock that NTP keeps is right to milliseconds, and the shortest span that steps judge is minutes: a
// minute is far from both.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);
const MAX_BYTES: u64 = 1 << 30;

/// The three levels of one login, the most specific first.
pub(super) type Levels<'a> = [&'a Access; 3];

/// The levels of every login, and the logins made so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Logins {
    ssh: Access,
    /// By team, in file order.
    teams: Vec<Access>,
    /// By host, in file order.
    hosts: Vec<Access>,
    /// Host × team, row by row.
    made: Vec<OnceLock<Made>>,
    configs: Configs,
    /// Address → position of the host, for hops that a config names.
    by_address: OnceLock<HashMap<String, usize>>,
}

type Made = Result<Arc<Login>, Vec<Problem>>;

impl Logins {
    pub fn new(ssh: Access, teams: Vec<Access>, hosts: Vec<Access>, configs: Configs) -> Self {
        let made = (0..hosts.len() * teams.len())
            .map(|_| OnceLock::new())
            .collect();
        Self {
            ssh,
            teams,
            hosts,
            made,
            configs,
            by_address: OnceLock::new(),
        }
    }

    /// The operators' own ssh_configs.
    pub fn configs(&self) -> &Configs {
        &self.configs
    }

    /// What `ssh:` and the team say for every host.
    pub fn given(&self, team: usize) -> Given {
        let levels = self.of_team(team);
        Given {
            user: last_word(&levels, |level| level.user.as_ref()).is_some(),
            auth: auth_level(&levels).is_some(),
            trust: !trust(&levels).0.is_empty(),
        }
    }

    /// The levels that say something for every host.
    pub fn of_team(&self, team: usize) -> [&Access; 2] {
        [&self.teams[team], &self.ssh]
    }

    /// What the host itself says.
    pub fn of_host(&self, host: usize) -> &Access {
        &self.hosts[host]
    }

    /// The first host of that address.
    pub fn by_address(&self, address: &str, hosts: &[Host]) -> Option<usize> {
        let index = self.by_address.get_or_init(|| {
            let all = hosts.iter().enumerate().rev();
            all.map(|(at, host)| (host.address.clone(), at)).collect()
        });
        index.get(address).copied()
    }

    /// Whether the inventory says by which hops.
    pub fn says_via(&self, host: usize, team: usize) -> bool {
        self.levels(host, team)
            .iter()
            .any(|level| level.via.is_some())
    }

    /// The logins made so far.
    pub fn made(&self) -> impl Iterator<Item = &Login> {
        let made = self.made.iter().filter_map(OnceLock::get);
        made.filter_map(|made| made.as_ref().ok()).map(Arc::as_ref)
    }

    /// Everything written about that login.
    pub fn levels(&self, host: usize, team: usize) -> Levels<'_> {
        [&self.hosts[host], &self.teams[team], &self.ssh]
    }

    /// The login itself.
    ///
    /// # Errors
    /// Everything that stands in its way; nothing only if the inventory should have been refused.
    pub fn login(
        &self,
        host: usize,
        team: usize,
        hosts: &[Host],
        index: &Index,
        team_name: &str,
    ) -> Result<&Arc<Login>, &[Problem]> {
        let made = self
            .made
            .get(host * self.teams.len() + team)
            .ok_or(&[][..])?;
        let made = made.get_or_init(|| {
            let follow = Follow {
                logins: self,
                hosts,
                index,
                team,
                team_name,
                client: last_word(&self.levels(host, team), |level| level.client.as_ref())
                    .map_or(Client::Ssh2, value),
            };
            follow.make(host).map(Arc::new)
        });
        made.as_ref().map_err(Vec::as_slice)
    }

    /// A login by what `levels` say, without its hops; nobody's where they name no user.
    pub fn alone(levels: &[&Access], host: &str, address: &str, team_name: &str) -> Login {
        let (known_hosts, host_key) = trust(levels);
        Login {
            host: host.to_owned(),
            team: team_name.to_owned(),
            address: address.to_owned(),
            port: last_word(levels, |level| level.port.as_ref()).map_or(PORT, value),
            user: last_word(levels, |level| level.user.as_ref())
                .map_or_else(String::new, |user| user.value.clone()),
            auth: auth(levels),
            known_hosts,
            host_key,
            connect_timeout: last_word(levels, |level| level.connect_timeout.as_ref())
                .map_or(CONNECT_TIMEOUT, value),
            deadline: last_word(levels, |level| level.deadline.as_ref()).map_or(DEADLINE, value),
            clock_tolerance: last_word(levels, |level| level.clock_tolerance.as_ref())
                .map_or(CLOCK_TOLERANCE, value),
            max_bytes: last_word(levels, |level| level.max_bytes.as_ref()).map_or(MAX_BYTES, value),
            elevate: last_word(levels, |level| level.elevate.as_ref())
                .map_or(Elevate::None, |elevate| elevate.value.clone()),
            transport: last_word(levels, |level| level.transport.as_ref())
                .map_or(Transport::Auto, value),
            gather: last_word(levels, |level| level.gather.as_ref()).map_or(Gather::Each, value),
            client: last_word(levels, |level| level.client.as_ref()).map_or(Client::Ssh2, value),
            ssh_config: None,
            chroot: last_word(levels, |level| level.chroot.as_ref())
                .map(|chroot| chroot.value.trim_end_matches('/').to_owned()),
            via: Vec::new(),
        }
    }

    /// The hops to that host, nearest first: its own `via`, else the team's, else that of `ssh:`.
    /// Of a hop only its own `via` counts, and only that of the first, since the others are reached
    /// through the one before them.
    pub fn chain(&self, host: usize, team: usize, index: &Index) -> Option<Vec<usize>> {
        let own = self.hosts[host].via.as_ref();
        let inherited = || self.teams[team].via.as_ref().or(self.ssh.via.as_ref());
        let Some(via) = own.or_else(inherited) else {
            return Some(Vec::new());
        };
        let names: Option<Vec<usize>> = via
            .value
            .iter()
            .map(|hop| index.get(&hop.value).copied())
            .collect();
        let mut chain = names?;
        // A hop of the shared way is itself reached by the part of the way that leads to it.
        if own.is_none()
            && let Some(end) = chain.iter().position(|hop| *hop == host)
        {
            chain.truncate(end);
        }
        // `resolve` refuses cycles and endless ways; the bound is for whoever forgets to.
        for _ in 0..=self.hosts.len() {
            let first = chain.first().and_then(|hop| self.hosts[*hop].via.as_ref());
            let Some(before) = first.filter(|via| !via.value.is_empty()) else {
                return Some(chain);
            };
            let before: Option<Vec<usize>> = before
                .value
                .iter()
                .map(|hop| index.get(&hop.value).copied())
                .collect();
            chain.splice(0..0, before?);
            if let Some(end) = chain.iter().position(|hop| *hop == host) {
                chain.truncate(end);
            }
        }
        None
    }
}

fn value<T: Copy>(spanned: &Spanned<T>) -> T {
    spanned.value
}

/// What the most specific level says.
pub(super) fn last_word<'a, T>(
    levels: &[&'a Access],
    get: impl Fn(&'a Access) -> Option<&'a T>,
) -> Option<&'a T> {
    levels.iter().find_map(|level| get(level))
}

/// Which level's way of authenticating counts: the most specific that says any.
pub(super) fn auth_level(levels: &[&Access]) -> Option<usize> {
    levels.iter().position(|level| {
        level.key.is_some()
            || level.agent.is_some()
            || level.keyboard_interactive.is_some()
            || level.password_env.is_some()
    })
}

/// Methods in the order key, agent, keyboard-interactive, password. A certificate or passphrase belongs to the key of
/// its own or of a less specific level, never to a key that overrode the one it was written for.
pub(super) fn auth(levels: &[&Access]) -> Vec<Auth> {
    let Some(at) = auth_level(levels) else {
        return Vec::new();
    };
    let (level, about_key) = (levels[at], &levels[..=at]);
    let mut methods = Vec::new();
    if let Some(key) = &level.key {
        let certificate = about_key.iter().find_map(|up| up.certificate.as_ref());
        let passphrase = about_key.iter().find_map(|up| up.passphrase_env.as_ref());
        methods.push(Auth::Key {
            path: key.value.clone(),
            certificate: certificate.map(|file| file.value.clone()),
            passphrase_env: passphrase.map(|name| name.value.clone()),
        });
    }
    if let Some(chosen) = level.agent.as_ref().and_then(|agent| agent.value.as_ref()) {
        methods.push(Auth::Agent(chosen.clone()));
    }
    if let Some(answers) = &level.keyboard_interactive {
        let answers = answers.value.clone();
        methods.push(Auth::KeyboardInteractive { answers });
    }
    if let Some(name) = &level.password_env {
        let env = name.value.clone();
        methods.push(Auth::Password { env });
    }
    methods
}

/// known_hosts files and pin of the most specific level that says either.
pub(super) fn trust(levels: &[&Access]) -> (Vec<PathBuf>, Option<String>) {
    let level = levels
        .iter()
        .find(|level| level.known_hosts.is_some() || level.host_key.is_some());
    let Some(level) = level else {
        return (Vec::new(), None);
    };
    let files = level.known_hosts.iter().flat_map(|files| &files.value);
    let files = files.map(|file| file.value.clone()).collect();
    let pin = level.host_key.as_ref().map(|pin| pin.value.clone());
    (files, pin)
}
