//! What configs said of the hosts of a run, as a small ssh_config of its own: whole paths, no tokens, no
//! secret, and no host that nobody asked about. A run keeps it, and `verify` makes the plan from it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::Query;
use super::resolve::{Agent, Resolved};
use crate::inventory::access::Family;

/// What the inventory says by itself for every host of a team: what it says is not recorded, so that it
/// counts again when the plan is made again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given {
    pub user: bool,
    pub auth: bool,
    pub trust: bool,
}

/// The file for what one team asked of one source; `local` is the account that gonogo runs as.
pub(super) fn text(
    written: &str,
    said: &[(&Query, &Resolved)],
    given: Given,
    local: &str,
) -> String {
    let mut said = said.to_vec();
    // Whoever has no account named comes last, see below.
    said.sort_by_key(|(query, _)| (query.alias.clone(), query.user.is_none()));
    let mut text = format!(
        "# What the ssh_config `{}` said of the hosts of this run, and nothing else of it.\n",
        one_line(written)
    );
    let mut aliases: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (query, _) in &said {
        let users = aliases.entry(&query.alias).or_default();
        users.extend(query.user.as_deref());
    }
    let mut told: Vec<(&str, Option<&str>)> = Vec::new();
    for (query, resolved) in &said {
        let (alias, user) = (query.alias.as_str(), query.user.as_deref());
        if told.contains(&(alias, user)) {
            continue;
        }
        let alone = !said
            .iter()
            .any(|(other, _)| other.alias == alias && other.user.as_deref() != user);
        told.push((alias, user));
        let _ = match (alone, user) {
            (true, _) => writeln!(text, "\nHost {alias}"),
            (false, Some(user)) => writeln!(text, "\nMatch originalhost {alias} user {user}"),
            (false, None) => {
                let others = aliases
                    .get(alias)
                    .map_or(String::new(), |users| users.join(","));
                writeln!(text, "\nMatch originalhost {alias} !user {others}")
            }
        };
        block(&mut text, resolved, given, user.is_none().then_some(local));
    }
    text
}

fn block(text: &mut String, resolved: &Resolved, given: Given, local: Option<&str>) {
    let mut line = |keyword: &str, value: &str| {
        let _ = writeln!(text, "  {keyword} {value}");
    };
    line("HostName", &resolved.address);
    if let Some(port) = resolved.port {
        line("Port", &port.to_string());
    }
    let local = local.filter(|local| !given.user && !local.is_empty());
    if let Some(user) = resolved.user.as_deref().or(local) {
        line("User", user);
    }
    if resolved.keys_named || !given.auth {
        for key in &resolved.keys {
            line("IdentityFile", &quoted(key));
        }
        if resolved.keys.is_empty() {
            line("IdentityFile", "none");
        }
    }
    for certificate in &resolved.certificates {
        line("CertificateFile", &quoted(certificate));
    }
    line(
        "IdentitiesOnly",
        if resolved.agent == Agent::Any {
            "no"
        } else {
            "yes"
        },
    );
    let agent = if resolved.agent == Agent::Absent {
        "none"
    } else {
        "SSH_AUTH_SOCK"
    };
    line("IdentityAgent", agent);
    if resolved.jumps.is_empty() {
        line("ProxyJump", "none");
    } else {
        let jumps: Vec<String> = resolved.jumps.iter().map(super::jump::text).collect();
        line("ProxyJump", &jumps.join(","));
    }
    if resolved.known_hosts_named || !given.trust {
        let files = resolved.known_hosts.iter().map(|path| quoted(path));
        let files: Vec<String> = files.collect();
        let files = if files.is_empty() {
            "none".to_owned()
        } else {
            files.join(" ")
        };
        line("UserKnownHostsFile", &files);
        line("GlobalKnownHostsFile", "none");
    }
    if let Some(alias) = &resolved.host_key_alias {
        line("HostKeyAlias", alias);
    }
    match resolved.family {
        Family::Any => {}
        Family::Inet => line("AddressFamily", "inet"),
        Family::Inet6 => line("AddressFamily", "inet6"),
    }
    if let Some(timeout) = resolved.timeout {
        line("ConnectTimeout", &timeout.as_secs().to_string());
    }
    for (name, value, _) in &resolved.notes {
        line(name, &in_quotes(value));
    }
}

/// A path in quotes, percent signs as tokens want them.
fn quoted(path: &Path) -> String {
    in_quotes(&path.to_string_lossy().replace('%', "%%"))
}

/// In quotes, as `argv_split` of OpenSSH reads it again.
fn in_quotes(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", one_line(&text))
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
