//! Files that a config names: keys, certificates, known_hosts and the agent's socket, with `~`, tokens and
//! variables filled and paths made whole.

use std::path::PathBuf;

use super::here::Here;
use super::resolve::{Agent, Told, Topic};
use super::weigh::{Value, Weighed};
use super::{tokens, values};

/// What ssh(1) tries when no `IdentityFile` is given.
const DEFAULT_KEYS: [&str; 7] = [
    "~/.ssh/id_rsa",
    "~/.ssh/id_ecdsa",
    "~/.ssh/id_ecdsa_sk",
    "~/.ssh/id_ed25519",
    "~/.ssh/id_ed25519_sk",
    "~/.ssh/id_xmss",
    "~/.ssh/id_dsa",
];
const DEFAULT_KNOWN_HOSTS: [&str; 2] = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"];
const DEFAULT_GLOBAL: [&str; 2] = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];

/// What tokens stand for.
pub(super) struct Words {
    pub address: String,
    pub alias: String,
    pub known_as: String,
    pub port: String,
    pub remote: String,
    pub uid: String,
    pub home: String,
}

impl Words {
    pub fn table<'a>(&'a self, here: &'a Here) -> [(char, &'a str); 10] {
        let short = here.hostname.split('.').next().unwrap_or_default();
        [
            ('d', &self.home),
            ('h', &self.address),
            ('i', &self.uid),
            ('k', &self.known_as),
            ('L', short),
            ('l', &here.hostname),
            ('n', &self.alias),
            ('p', &self.port),
            ('r', &self.remote),
            ('u', &here.user),
        ]
    }
}

impl Told {
    /// A file of this machine: `~`, tokens and variables filled, made whole.
    pub fn path(
        &mut self,
        topic: Topic,
        value: &Value,
        word: &str,
        words: &Words,
        here: &Here,
    ) -> Option<PathBuf> {
        let Some(path) = here.tilde(word) else {
            let message = format!("`{word}`: only `~/` is understood");
            self.refuse(
                topic,
                value,
                message,
                "write the whole path of another's home",
            );
            return None;
        };
        // A recorded path is whole: nothing in it is filled in but the percent sign.
        let table = words.table(here);
        let table = if here.recorded { &[] } else { &table[..] };
        let variable = |name: &str| std::env::var(name).ok();
        match tokens::fill_all(&path.to_string_lossy(), table, variable) {
            Ok(filled) => std::path::absolute(filled).ok(),
            Err(token) => {
                let message = format!("`{word}`: `{token}` cannot be filled in");
                self.refuse(
                    topic,
                    value,
                    message,
                    "write the path itself, or give the variable a value",
                );
                None
            }
        }
    }
}

pub(super) fn is_named(value: &&Value) -> bool {
    !value.word().eq_ignore_ascii_case("none")
}

pub(super) fn keys(
    weighed: &Weighed,
    words: &Words,
    here: &Here,
    told: &mut Told,
) -> (Vec<PathBuf>, bool) {
    let named = weighed.all("identityfile");
    if named.is_empty() {
        let defaults = DEFAULT_KEYS.iter().filter_map(|path| here.tilde(path));
        let there = defaults.filter(|path| !here.recorded && (here.has)(path));
        return (there.collect(), false);
    }
    let mut keys: Vec<PathBuf> = Vec::new();
    for value in named.iter().filter(is_named) {
        if let Some(path) = told.path(Topic::Auth, value, value.word(), words, here)
            && !keys.contains(&path)
        {
            keys.push(path);
        }
    }
    (keys, true)
}

pub(super) fn known_hosts(
    weighed: &Weighed,
    words: &Words,
    here: &Here,
    told: &mut Told,
) -> (Vec<PathBuf>, bool) {
    let (user, global) = (
        weighed.first("userknownhostsfile"),
        weighed.first("globalknownhostsfile"),
    );
    let mut files: Vec<PathBuf> = Vec::new();
    match user {
        Some(value) => {
            let named = value
                .words
                .iter()
                .filter(|word| !word.eq_ignore_ascii_case("none"));
            let paths = named.filter_map(|word| told.path(Topic::Trust, value, word, words, here));
            files.extend(paths);
        }
        None if here.recorded => {}
        None => files.extend(
            DEFAULT_KNOWN_HOSTS
                .iter()
                .filter_map(|path| here.tilde(path)),
        ),
    }
    match global {
        // ssh(1) fills nothing in there.
        Some(value) => {
            let named = value
                .words
                .iter()
                .filter(|word| !word.eq_ignore_ascii_case("none"));
            files.extend(named.filter_map(|word| std::path::absolute(word).ok()));
        }
        None if here.recorded => {}
        None => files.extend(DEFAULT_GLOBAL.map(PathBuf::from)),
    }
    files.retain(|path| (here.has)(path));
    (files, user.is_some() || global.is_some())
}

pub(super) fn agent(weighed: &Weighed, words: &Words, here: &Here, told: &mut Told) -> Agent {
    let only = weighed.first("identitiesonly");
    let only = only.is_some_and(|value| values::is_yes(value.word()));
    let named = weighed.first("identityagent");
    let socket = std::env::var_os("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty());
    let there = match named.map(Value::word) {
        Some("none") => false,
        Some("SSH_AUTH_SOCK") if here.recorded => true,
        None | Some("SSH_AUTH_SOCK") => !here.recorded && socket.is_some(),
        Some(word) => {
            let variable = word.strip_prefix('$').filter(|name| !name.starts_with('{'));
            let path = match (named, variable) {
                (_, Some(name)) => std::env::var_os(name).map(PathBuf::from),
                (Some(value), None) => told.path(Topic::Auth, value, word, words, here),
                (None, None) => None,
            };
            if let (Some(value), true) = (named, path.map(PathBuf::into_os_string) != socket) {
                let message = format!("`IdentityAgent {word}` is another agent than SSH_AUTH_SOCK");
                let hint =
                    "start gonogo with SSH_AUTH_SOCK set to it; or `client: openssh` follows it";
                told.refuse(Topic::Auth, value, message, hint);
            }
            true
        }
    };
    let any_named =
        !weighed.all("identityfile").is_empty() || !weighed.all("certificatefile").is_empty();
    match there {
        false => Agent::Absent,
        true if only || (any_named && !here.recorded) => Agent::Named,
        true => Agent::Any,
    }
}
