//! A login that follows the operators' own ssh_config: what the inventory says wins, the config fills the
//! gaps, and each hop of its `ProxyJump` is looked up in the same config again, as ssh(1) does. Without
//! a config a login is what the inventory says.

use std::path::Path;

use super::Host;
use super::access::{Client, Login, SshConfig};
use super::login::{self, Logins, PORT};
use super::offer::{offers, ways};
use super::raw::Access;
use super::resolve::Index;
use super::ssh_config::{At, Configs, Jump, Query, Resolved, Topic};
use crate::problem::{Place, Problem};

/// More hops than any estate has, few enough to stay quick.
pub(super) const MOST_HOPS: usize = 8;
/// Most keys of one login; sshd's default MaxAuthTries is 6.
const MOST_KEYS: usize = 5;

/// What the installed ssh does follow: sockets that a person has opened, and algorithms.
const OF_SSH: [&str; 7] = [
    "controlpath",
    "ciphers",
    "macs",
    "kexalgorithms",
    "hostkeyalgorithms",
    "casignaturealgorithms",
    "pubkeyacceptedalgorithms",
];

const LEFT: &str =
    "the installed ssh reads the file itself, and may follow more of it than is shown here";

/// One team on its way.
pub(super) struct Follow<'a> {
    pub logins: &'a Logins,
    pub hosts: &'a [Host],
    pub index: &'a Index,
    pub team: usize,
    pub team_name: &'a str,
    /// Of the host at the end of the way.
    pub client: Client,
}

/// A host on the way, or the end of it.
struct Stop {
    login: Login,
    /// How it is reached when it is the first.
    before: Vec<Next>,
    /// What is wrong with that.
    wrong_before: Vec<Problem>,
}

/// Where a stop is described.
#[derive(Clone)]
enum Next {
    /// In the inventory.
    Host(usize),
    /// In a `ProxyJump` of that source.
    Jump(Jump, usize, At),
}

/// Levels whose word comes before the config's, and after it.
struct Levels<'a> {
    over: Vec<&'a Access>,
    under: Vec<&'a Access>,
}

impl<'a> Follow<'a> {
    /// The login of the team on that host, with its hops.
    ///
    /// # Errors
    /// Everything that stands in its way; nothing only if the inventory should have been refused.
    pub fn make(&self, host: usize) -> Result<Login, Vec<Problem>> {
        let mut problems = Vec::new();
        let end = self.host(host, &mut problems).ok_or_else(Vec::new)?;
        let mut login = end.login;
        let mut ahead = match self.logins.says_via(host, self.team) {
            true => {
                let chain = self.logins.chain(host, self.team, self.index);
                chain
                    .ok_or_else(Vec::new)?
                    .into_iter()
                    .map(Next::Host)
                    .collect()
            }
            false => {
                problems.extend(end.wrong_before);
                end.before
            }
        };
        while !ahead.is_empty() {
            let mut stops = Vec::with_capacity(ahead.len());
            for next in &ahead {
                stops.push(self.next(next, &mut problems).ok_or_else(Vec::new)?);
            }
            // By name: the same address behind another hop may be another machine.
            let circle = stops.iter().find(|stop| {
                let is = |other: &Login| other.host == stop.login.host;
                is(&login) || login.via.iter().any(is)
            });
            if circle.is_some() || login.via.len() + stops.len() > MOST_HOPS {
                problems.push(self.endless(&ahead, circle));
                break;
            }
            let first = &mut stops[0];
            ahead = std::mem::take(&mut first.before);
            problems.append(&mut first.wrong_before);
            login
                .via
                .splice(0..0, stops.into_iter().map(|stop| stop.login));
        }
        match problems.is_empty() {
            true => Ok(login),
            false => Err(problems),
        }
    }

    fn endless(&self, ahead: &[Next], circle: Option<&Stop>) -> Problem {
        let (message, hint) = match circle {
            Some(stop) => {
                let name = &stop.login.host;
                (
                    format!("`ProxyJump` leads in a circle over `{name}`"),
                    format!("write `Host {name}` with `ProxyJump none` before it"),
                )
            }
            None => (
                format!("this way leads over more than {MOST_HOPS} hops"),
                "shorten the way".to_owned(),
            ),
        };
        let said = ahead.iter().find_map(|next| match next {
            Next::Jump(_, _, at) => Some(at),
            Next::Host(_) => None,
        });
        let whole = || {
            let file = self
                .configs()
                .source(0)
                .map_or(Path::new(""), |source| &source.path);
            Problem::new(Place::whole(file), &*message).with_hint(&*hint)
        };
        said.map_or_else(whole, |at| at.problem(&*message, &*hint))
    }

    fn next(&self, next: &Next, problems: &mut Vec<Problem>) -> Option<Stop> {
        match next {
            Next::Host(at) => self.host(*at, problems),
            Next::Jump(jump, source, at) => self.jump(jump, *source, at, problems),
        }
    }

    /// A host that the inventory itself leads to.
    fn host(&self, at: usize, problems: &mut Vec<Problem>) -> Option<Stop> {
        let levels = Levels {
            over: self.logins.levels(at, self.team).to_vec(),
            under: Vec::new(),
        };
        let host = &self.hosts[at];
        let said = login::last_word(&levels.over, |level| level.ssh_config.as_ref());
        let source = said.and_then(|said| said.value.as_ref());
        let source = source.and_then(|source| self.configs().position(&source.written));
        let mut stop = self.stop(&levels, &host.name, &host.address, None, source, problems)?;
        self.own_way(at, &mut stop);
        Some(stop)
    }

    /// A host that a `ProxyJump` leads to: the inventory's, where it names it.
    fn jump(
        &self,
        jump: &Jump,
        source: usize,
        at: &At,
        problems: &mut Vec<Problem>,
    ) -> Option<Stop> {
        let by_name = self.index.get(&jump.host).copied();
        let host = by_name.or_else(|| self.logins.by_address(&jump.host, self.hosts));
        let levels = Levels {
            over: host.iter().map(|at| self.logins.of_host(*at)).collect(),
            under: self.logins.of_team(self.team).to_vec(),
        };
        let name = host.map_or(jump.host.as_str(), |at| &self.hosts[at].name);
        let mut stop = self.stop(
            &levels,
            name,
            &jump.host,
            Some(jump),
            Some(source),
            problems,
        )?;
        if let Some(at_host) = host {
            let known = &self.hosts[at_host].address;
            let meant = self
                .ask(source, known, &levels, Some(jump))
                .1
                .address
                .clone();
            if *known != jump.host && meant != stop.login.address {
                let message = format!(
                    "`ProxyJump {}` leads to {}, and host `{name}` of the inventory is {meant}",
                    jump.host, stop.login.address
                );
                problems.push(at.problem(message, "correct one of them, or give one another name"));
            }
            self.own_way(at_host, &mut stop);
        }
        Some(stop)
    }

    /// A host's own `via` says more than any config.
    fn own_way(&self, at: usize, stop: &mut Stop) {
        if let Some(via) = &self.logins.of_host(at).via {
            let hops = via
                .value
                .iter()
                .filter_map(|hop| self.index.get(&hop.value));
            stop.before = hops.map(|hop| Next::Host(*hop)).collect();
            stop.wrong_before.clear();
        }
    }

    fn stop(
        &self,
        levels: &Levels<'a>,
        name: &str,
        alias: &str,
        jump: Option<&Jump>,
        source: Option<usize>,
        problems: &mut Vec<Problem>,
    ) -> Option<Stop> {
        let all: Vec<&Access> = levels.over.iter().chain(&levels.under).copied().collect();
        let mut login = Logins::alone(&all, name, alias, self.team_name);
        if jump.is_some() {
            // One client goes the whole way.
            login.client = self.client;
        }
        let is_ours = login.client == Client::Ssh2;
        let Some((source, named)) = source.and_then(|at| Some((at, self.configs().source(at)?)))
        else {
            // Without a config the inventory was refused where nobody is named.
            let known = !login.user.is_empty();
            return known.then(|| Stop {
                login,
                before: Vec::new(),
                wrong_before: Vec::new(),
            });
        };
        let (query, said) = self.ask(source, alias, levels, jump);
        let gaps = Gaps::of(levels, &said);
        login.address.clone_from(&said.address);
        login.port = query.port.or(said.port).unwrap_or(PORT);
        let under = login::last_word(&levels.under, |level| level.user.as_ref());
        login.user = (query.user.clone())
            .or_else(|| said.user.clone())
            .or_else(|| under.map(|user| user.value.clone()))
            .unwrap_or_else(|| self.configs().local_user().to_owned());
        // The installed ssh reads the file itself, and follows all of it.
        if gaps.auth {
            login.auth = if is_ours {
                ways(&said, &all)
            } else {
                Vec::new()
            };
        } else {
            let auth = login::auth(&levels.over);
            login.auth = if auth.is_empty() {
                login::auth(&levels.under)
            } else {
                auth
            };
        }
        let (files, pin) = login::trust(&levels.over);
        (login.known_hosts, login.host_key) = match gaps.trust {
            true if is_ours => (said.known_hosts.clone(), None),
            true => (Vec::new(), None),
            false if files.is_empty() && pin.is_none() => (login::trust(&levels.under).0, None),
            false => (files, pin),
        };
        let own = login::last_word(&levels.over, |level| level.connect_timeout.as_ref());
        if let (None, Some(timeout)) = (own, said.timeout) {
            login.connect_timeout = timeout;
        }
        let mut config = SshConfig {
            path: named.path.clone(),
            written: named.written.clone(),
            alias: alias.to_owned(),
            host_key_alias: said.host_key_alias.clone(),
            family: said.family,
            offers: match gaps.auth && is_ours {
                true => offers(&said),
                false => Vec::new(),
            },
            notes: said
                .notes
                .iter()
                .filter(|(name, _, _)| is_ours || !OF_SSH.contains(name))
                .map(|(_, _, phrase)| phrase.clone())
                .collect(),
        };
        let mut wrong_before = Vec::new();
        for (topic, problem) in &said.problems {
            let matters = match topic {
                Topic::Always | Topic::Way => true,
                Topic::User => query.user.is_none(),
                Topic::Auth => gaps.auth,
                Topic::Trust => gaps.trust,
            };
            match topic {
                // Also the installed ssh is told the account.
                _ if !matters || !(is_ours || *topic == Topic::User) => {}
                Topic::Way => wrong_before.push(problem.clone()),
                _ => problems.push(problem.clone()),
            }
        }
        if is_ours {
            self.refuse_gaps(&login, &named.path, problems);
        } else {
            config.notes.push(LEFT.to_owned());
        }
        if gaps.auth && is_ours && said.keys.len() > MOST_KEYS {
            let many = said.keys.len();
            config.notes.push(format!(
                "{many} keys are named: sshd hangs up after six tries by default"
            ));
        }
        login.ssh_config = Some(config);
        let at = said.jumps_at.clone();
        let before = said.jumps.iter().zip(std::iter::repeat(at));
        let before = before
            .filter_map(|(jump, at)| Some(Next::Jump(jump.clone(), source, at?)))
            .collect();
        Some(Stop {
            login,
            before,
            wrong_before,
        })
    }

    /// What neither the inventory nor the config says.
    fn refuse_gaps(&self, login: &Login, path: &Path, problems: &mut Vec<Problem>) {
        let mut refuse = |message: String, hint: &str| {
            problems.push(Problem::new(Place::whole(path), message).with_hint(hint));
        };
        if login.auth.is_empty() {
            let message = format!(
                "nothing says how team `{}` logs in to `{}`: no key is named or there, and no agent",
                login.team, login.host
            );
            refuse(
                message,
                "write `IdentityFile` for it, or `key` or `agent` in the inventory",
            );
        }
        if login.known_hosts.is_empty() && login.host_key.is_none() {
            let message = format!(
                "nothing says which key host `{}` must show: no known_hosts file is there",
                login.host
            );
            refuse(
                message,
                "log in once with ssh to write one, or write `known_hosts` or `host_key` in the inventory",
            );
        }
    }

    fn ask(
        &self,
        source: usize,
        alias: &str,
        levels: &Levels<'_>,
        jump: Option<&Jump>,
    ) -> (Query, std::sync::Arc<Resolved>) {
        let user = login::last_word(&levels.over, |level| level.user.as_ref());
        let port = login::last_word(&levels.over, |level| level.port.as_ref());
        let query = Query {
            team: self.team,
            source,
            alias: alias.to_owned(),
            user: (user.map(|user| user.value.clone()))
                .or_else(|| jump.and_then(|jump| jump.user.clone())),
            port: (port.map(|port| port.value)).or_else(|| jump.and_then(|jump| jump.port)),
        };
        let said = self.configs().ask(&query);
        (query, said)
    }

    fn configs(&self) -> &'a Configs {
        self.logins.configs()
    }
}

/// What is left to the config.
struct Gaps {
    auth: bool,
    trust: bool,
}

impl Gaps {
    fn of(levels: &Levels<'_>, said: &Resolved) -> Self {
        let auth = |levels: &[&Access]| login::auth_level(levels).is_some();
        let (files, pin) = login::trust(&levels.over);
        let under = !login::trust(&levels.under).0.is_empty();
        Self {
            auth: !auth(&levels.over) && (said.keys_named || !auth(&levels.under)),
            trust: files.is_empty() && pin.is_none() && (said.known_hosts_named || !under),
        }
    }
}
