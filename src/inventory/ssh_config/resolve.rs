//! From the lines that count for a host to what a login needs: tokens filled, paths whole, and what
//! cannot be followed sorted by what it is about.

use std::path::PathBuf;
use std::time::Duration;

use super::Query;
use super::file::{At, Config};
use super::here::Here;
use super::judge;
use super::jump::{self, Jump};
use super::paths::{self, Words};
use super::tokens;
use super::values;
use super::weigh::{self, Asked, Value, Weighed};
use crate::inventory::access::Family;
use crate::inventory::grammar;
use crate::problem::Problem;

/// What a problem is about: it matters only where the inventory itself does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Whatever the inventory says.
    Always,
    /// The account.
    User,
    /// The hops.
    Way,
    /// Keys, certificates, agent.
    Auth,
    /// known_hosts.
    Trust,
}

impl Topic {
    /// What a keyword is about.
    pub(super) fn of(keyword: &str) -> Self {
        match keyword {
            "user" => Self::User,
            "proxyjump" | "proxycommand" | "proxyusefdpass" => Self::Way,
            "identityfile"
            | "certificatefile"
            | "identitiesonly"
            | "identityagent"
            | "gssapiauthentication"
            | "hostbasedauthentication"
            | "pkcs11provider"
            | "securitykeyprovider"
            | "preferredauthentications"
            | "pubkeyauthentication" => Self::Auth,
            "userknownhostsfile"
            | "globalknownhostsfile"
            | "hostkeyalias"
            | "knownhostscommand"
            | "revokedhostkeys" => Self::Trust,
            _ => Self::Always,
        }
    }
}

/// Whether keys of the agent may be offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// No agent, or `IdentityAgent none`.
    Absent,
    /// For the keys that are named.
    Named,
    /// For whatever it holds.
    Any,
}

/// What a config says of one host.
#[derive(Clone, Debug)]
pub struct Resolved {
    pub address: String,
    pub port: Option<u16>,
    pub user: Option<String>,
    /// The files, whole; those that nobody named are only listed when they are there.
    pub keys: Vec<PathBuf>,
    /// True when `IdentityFile` names them.
    pub keys_named: bool,
    pub certificates: Vec<PathBuf>,
    pub agent: Agent,
    /// Nearest first; empty for `none` and when nothing is said.
    pub jumps: Vec<Jump>,
    /// Where that stands.
    pub jumps_at: Option<At>,
    /// Those that are there.
    pub known_hosts: Vec<PathBuf>,
    /// True when `UserKnownHostsFile` or `GlobalKnownHostsFile` names some.
    pub known_hosts_named: bool,
    pub host_key_alias: Option<String>,
    pub family: Family,
    pub timeout: Option<Duration>,
    /// Keywords whose values are told and not followed, with the phrase for it.
    pub notes: Vec<(&'static str, String, String)>,
    pub problems: Vec<(Topic, Problem)>,
}

/// Asks `config`.
pub(super) fn resolve(config: &Config, query: &Query, here: &Here) -> Resolved {
    let asked = Asked {
        alias: &query.alias,
        user: query.user.as_deref(),
    };
    let weighed = weigh::weigh(config, asked, here);
    let mut told = Told::default();
    told.problems.extend(weighed.undecided.iter().cloned());
    let address = address(&weighed, &query.alias, &mut told);
    let named_user = weighed.first("user");
    let user = named_user.map(|value| value.word().to_owned());
    if let (Some(value), Some(user)) = (named_user, &user)
        && let Err(hint) = grammar::user(user)
    {
        let message = format!("`User {user}` is not acceptable");
        told.refuse(Topic::User, value, message, hint);
    }
    let own_port = weighed
        .first("port")
        .and_then(|value| values::port(value.word()));
    let alias = weighed
        .first("hostkeyalias")
        .map(|value| value.word().to_ascii_lowercase());
    if let (Some(value), Some(alias)) = (weighed.first("hostkeyalias"), &alias)
        && let Err(hint) = grammar::address(alias)
    {
        let message = format!("`HostKeyAlias {alias}` is not acceptable");
        told.refuse(Topic::Trust, value, message, hint);
    }
    let words = Words {
        address: address.clone(),
        alias: query.alias.clone(),
        known_as: alias.clone().unwrap_or_else(|| query.alias.clone()),
        port: query.port.or(own_port).unwrap_or(22).to_string(),
        remote: (query.user.clone().or_else(|| user.clone())).unwrap_or_else(|| here.user.clone()),
        uid: here.uid.to_string(),
        home: here.home.to_string_lossy().into_owned(),
    };
    let (jumps, jumps_at) = jumps(&weighed, &words, here, &mut told);
    let (keys, keys_named) = paths::keys(&weighed, &words, here, &mut told);
    let certificates = weighed
        .all("certificatefile")
        .iter()
        .filter(paths::is_named);
    let certificates = certificates
        .filter_map(|value| told.path(Topic::Auth, value, value.word(), &words, here))
        .collect();
    let (known_hosts, known_hosts_named) = paths::known_hosts(&weighed, &words, here, &mut told);
    let agent = paths::agent(&weighed, &words, here, &mut told);
    judge::judge(&weighed, &mut told);
    Resolved {
        address,
        port: own_port,
        user,
        keys,
        keys_named,
        certificates,
        agent,
        jumps,
        jumps_at,
        known_hosts,
        known_hosts_named,
        host_key_alias: alias,
        family: match weighed.first("addressfamily").map(Value::word) {
            Some(word) if word.eq_ignore_ascii_case("inet") => Family::Inet,
            Some(word) if word.eq_ignore_ascii_case("inet6") => Family::Inet6,
            _ => Family::Any,
        },
        timeout: weighed
            .first("connecttimeout")
            .and_then(|value| values::timeout(value.word()).flatten()),
        notes: told.notes,
        problems: told.problems,
    }
}

/// What is told beside the values.
#[derive(Default)]
pub(super) struct Told {
    pub notes: Vec<(&'static str, String, String)>,
    pub problems: Vec<(Topic, Problem)>,
}

impl Told {
    pub fn refuse(
        &mut self,
        topic: Topic,
        value: &Value,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.problems.push((topic, value.at.problem(message, hint)));
    }
}

fn address(weighed: &Weighed, alias: &str, told: &mut Told) -> String {
    let address = weigh::hostname(weighed, alias);
    if let Some(value) = weighed.first("hostname") {
        if let Err(token) = tokens::fill(value.word(), &[('h', alias)]) {
            let message = format!("`HostName {}`: `{token}` is no token of it", value.word());
            told.refuse(Topic::Always, value, message, "only `%h` and `%%` are");
        } else if let Err(hint) = grammar::address(&address) {
            let message = format!("`HostName {}` is not acceptable", value.word());
            told.refuse(Topic::Always, value, message, hint);
        }
    }
    address
}

fn jumps(
    weighed: &Weighed,
    words: &Words,
    here: &Here,
    told: &mut Told,
) -> (Vec<Jump>, Option<At>) {
    let Some(value) = weighed.first("proxyjump") else {
        return (Vec::new(), None);
    };
    let table = words.table(here);
    let known: Vec<(char, &str)> = table
        .into_iter()
        .filter(|(c, _)| "hnpr".contains(*c))
        .collect();
    let filled = tokens::fill(value.word(), &known);
    let parsed = filled.map_err(|token| format!("`{token}` is no token of it"));
    let jumps = parsed
        .and_then(|text| jump::parse(&text))
        .and_then(|jumps| {
            for jump in &jumps {
                grammar::address(&jump.host)?;
                jump.user.as_deref().map_or(Ok(()), grammar::user)?;
            }
            Ok(jumps)
        });
    match jumps {
        Ok(jumps) => (jumps, Some(value.at.clone())),
        Err(hint) => {
            let message = format!("`ProxyJump {}` cannot be followed", value.word());
            told.refuse(Topic::Way, value, message, hint);
            (Vec::new(), None)
        }
    }
}
