//! Rules about which host is which machine: no two are one, none is the machine that gonogo runs on, and
//! what cannot be told apart is named. Whether a host is the one meant is `hosts.rs`.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::hosts::{counted, host_key, machine_id, same_hostname, short};
use super::words::list;
use super::{Facts, Host, Runner};

fn knowingly_one(hosts: &[&Host]) -> bool {
    let first = hosts.first().and_then(|host| host.machine.as_ref());
    first.is_some() && hosts.iter().all(|host| host.machine.as_ref() == first)
}

/// What it calls itself, unless that says nothing.
fn own_name(host: &Host) -> Option<&str> {
    let name = host.hostname.as_deref()?.trim();
    (!name.is_empty() && short(name) != "localhost").then_some(name)
}

fn names(hosts: &[&Host]) -> String {
    list(hosts.iter().map(|host| &*host.name))
}

/// Both show a key of the same type, as far as is known, and it is not the same key.
fn keys_differ(one: &Host, other: &Host) -> bool {
    let types = (&one.host_key_type, &other.host_key_type);
    let comparable = !matches!(types, (Some(one), Some(other)) if one != other);
    let keys = host_key(one).zip(host_key(other));
    comparable && keys.is_some_and(|(one, other)| one != other)
}

/// Two hosts that turn out to be one machine, and were not declared to be (contract 5).
pub(super) fn one_machine(facts: &Facts) -> Vec<String> {
    const REMEDY: &str = "leave out all but one, or give them the same `machine: NAME`";
    let mut by_id: BTreeMap<String, Vec<&Host>> = BTreeMap::new();
    for host in &facts.hosts {
        if let Some(id) = machine_id(host) {
            by_id.entry(id).or_default().push(host);
        }
    }
    let mut reasons = Vec::new();
    for (id, hosts) in &by_id {
        if hosts.len() == 1 || knowingly_one(hosts) {
            continue;
        }
        let (names, first) = (names(hosts), hosts[0]);
        reasons.push(match hosts.iter().any(|host| keys_differ(first, host)) {
            false => format!("hosts are one machine: {names} (machine-id {id}): {REMEDY}"),
            true => format!(
                "hosts are one machine, or clones of one: {names} (machine-id {id}, host keys differ): \
                 give each clone an id of its own (remove /etc/machine-id and /var/lib/dbus/machine-id, then `systemd-machine-id-setup`), or {REMEDY}"
            ),
        });
    }
    for (key, hosts) in by_key(facts) {
        let unknown = hosts.iter().any(|host| machine_id(host).is_none());
        if hosts.len() > 1 && unknown && !knowingly_one(&hosts) {
            let names = names(&hosts);
            reasons.push(format!(
                "hosts cannot be told apart: {names} (host key {key}, and not each stated its machine-id): {REMEDY}"
            ));
        }
    }
    for hosts in same_names(facts) {
        let name = own_name(hosts[0]).unwrap_or_default();
        let names = names(&hosts);
        reasons.push(format!(
            "hosts cannot be told apart: {names} (each calls itself {name}, their keys are of different types, \
             and not each stated its machine-id): {REMEDY}"
        ));
    }
    reasons
}

/// Hosts by the key that they show. A mere hop may share the key of what lies behind it: nothing is
/// counted there.
fn by_key(facts: &Facts) -> BTreeMap<&str, Vec<&Host>> {
    let counted = counted(facts);
    let mut by_key: BTreeMap<&str, Vec<&Host>> = BTreeMap::new();
    for host in &facts.hosts {
        if let Some(key) = host_key(host).filter(|_| counted.contains(&*host.name)) {
            by_key.entry(key).or_default().push(host);
        }
    }
    by_key
}

/// Counted hosts with the type of the key that they showed.
fn typed(facts: &Facts) -> Vec<(&Host, &str)> {
    let counted = counted(facts);
    let hosts = facts
        .hosts
        .iter()
        .filter(|host| counted.contains(&*host.name));
    let typed = hosts.filter_map(|host| {
        host_key(host).and(host.host_key_type.as_deref().map(|kind| (host, kind)))
    });
    typed.collect()
}

/// Hosts that go by one name, while nothing else can tell them apart: not each stated its machine-id, and
/// keys of two types cannot be compared, since one machine shows an RSA key to one login and an Ed25519
/// key to the next. One list for each name.
fn same_names(facts: &Facts) -> Vec<Vec<&Host>> {
    let mut named: BTreeMap<String, Vec<(&Host, &str)>> = BTreeMap::new();
    for (host, kind) in typed(facts) {
        if let Some(name) = own_name(host) {
            named.entry(short(name)).or_default().push((host, kind));
        }
    }
    let mut found = Vec::new();
    for hosts in named.into_values() {
        // Who stands for the others of the name: against each one of them it would be said again.
        let Some((host, kind)) = hosts.iter().find(|(host, _)| machine_id(host).is_none()) else {
            continue;
        };
        let alike = hosts.iter().filter(|(other, other_kind)| {
            let names = own_name(host).zip(own_name(other));
            let same_name = names.is_some_and(|(one, two)| same_hostname(one, two));
            other_kind != kind && same_name && !knowingly_one(&[host, other])
        });
        let alike: Vec<&Host> = std::iter::once(*host)
            .chain(alike.map(|(other, _)| *other))
            .collect();
        if alike.len() > 1 {
            found.push(alike);
        }
    }
    found
}

/// Hosts of which nothing says that they are different machines, and nothing says that they are one.
pub(super) fn untold_apart(facts: &Facts) -> Vec<String> {
    let hosts = typed(facts);
    // Two names are two machines, the same name is judged elsewhere: of interest is a pair of which one
    // at least is without. Counted, not compared, since an estate may have 10,000 hosts.
    let mut by_kind: HashMap<(Option<&str>, bool, &str), usize> = HashMap::new();
    for (host, kind) in &hosts {
        for machine in [None, host.machine.as_deref()] {
            for unnamed in [false, true] {
                if !unnamed || own_name(host).is_none() {
                    *by_kind.entry((machine, unnamed, kind)).or_default() += 1;
                }
            }
            if host.machine.is_none() {
                break;
            }
        }
    }
    let kinds: HashSet<&str> = hosts.iter().map(|(_, kind)| *kind).collect();
    let others = |host: &Host, kind: &str| -> usize {
        // Who has a name is of interest only beside those without.
        let unnamed = own_name(host).is_some();
        let of_kind = |other: &str| {
            let all = by_kind.get(&(None, unnamed, other));
            let own = host.machine.as_deref();
            let own = own.and_then(|name| by_kind.get(&(Some(name), unnamed, other)));
            all.unwrap_or(&0) - own.unwrap_or(&0)
        };
        let others = kinds.iter().filter(|other| **other != kind);
        others.map(|other| of_kind(other)).sum()
    };
    let untold: Vec<_> = hosts
        .iter()
        .filter(|(host, kind)| machine_id(host).is_none() && others(host, kind) > 0)
        .collect();
    let Some((first, kind)) = untold.first() else {
        return Vec::new();
    };
    let is_counterpart = |(other, other_kind): &&(&Host, &str)| {
        let unnamed = own_name(first).is_none() || own_name(other).is_none();
        other_kind != kind && unnamed && !knowingly_one(&[first, other])
    };
    let counterpart = hosts.iter().find(is_counterpart);
    let told: HashSet<&str> = untold
        .iter()
        .copied()
        .chain(counterpart)
        .map(|(host, _)| &*host.name)
        .collect();
    let names = hosts.iter().filter(|(host, _)| told.contains(&*host.name));
    let names = list(names.map(|(host, _)| &*host.name));
    vec![format!(
        "hosts are not proven to be different machines: {names} (not each stated its machine-id, and their keys are \
         of different types): let an account read /etc/machine-id there, or pin keys of one type"
    )]
}

/// Machines that share a host key: each can pass for the other, so the key proves neither.
pub(super) fn shared_key(facts: &Facts) -> Vec<String> {
    let mut reasons = Vec::new();
    for (key, hosts) in by_key(facts) {
        let ids: Option<HashSet<String>> = hosts.iter().map(|host| machine_id(host)).collect();
        if ids.is_some_and(|ids| ids.len() > 1) {
            let names = names(&hosts);
            reasons.push(format!(
                "hosts share a host key, each can pass for the other: {names} (host key {key}, machine-ids differ): \
                 clones of one image? Give each its own (remove /etc/ssh/ssh_host_*, then `ssh-keygen -A`)"
            ));
        }
    }
    reasons
}

/// A host that is the machine that gonogo ran on: what a team can fetch without a network proves
/// nothing about reaching a server.
pub(super) fn runner(facts: &Facts) -> Vec<String> {
    match &facts.merged {
        None => is_runner(&facts.runner, facts.hosts.iter()),
        // Each host was met from the machine that ran its shard.
        Some(merged) => merged
            .pieces
            .iter()
            .flat_map(|piece| {
                let own: HashSet<&String> = piece.shard.hosts.iter().collect();
                let is_own = |host: &&Host| own.contains(&host.name);
                is_runner(&piece.runner, facts.hosts.iter().filter(is_own))
            })
            .collect(),
    }
}

fn is_runner<'f>(runner: &Runner, hosts: impl Iterator<Item = &'f Host>) -> Vec<String> {
    let own = runner.machine_id.as_deref().map(str::trim);
    let own = own.filter(|id| !id.is_empty());
    let mut reasons = Vec::new();
    for host in hosts.filter(|host| !host.is_runner) {
        let by = match (machine_id(host), own) {
            (Some(id), Some(own)) if id.eq_ignore_ascii_case(own) => format!("machine-id {id}"),
            (Some(_), Some(_)) => continue,
            // As with two hosts: a key speaks where a machine-id is not known on both sides.
            _ => match host_key(host) {
                Some(key) if runner.host_keys.iter().any(|own| own == key) => {
                    format!("host key {key}")
                }
                _ => continue,
            },
        };
        let name = &host.name;
        reasons.push(format!(
            "host {name} is the machine that gonogo runs on, or a clone of it ({by}): correct its `address`, \
             give a clone an id of its own (remove /etc/machine-id and /var/lib/dbus/machine-id, then `systemd-machine-id-setup`), or say `runner: true` there if it is meant"
        ));
    }
    reasons
}
