//! Rules about hosts: each is the one that the inventory means, no two are one machine, and none is the
//! machine that gonogo runs on.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::words::list;
use super::{Facts, Host, Outcome};

/// What tells machines apart. A machine-id is the machine's own; a host key is copied by cloning, so
/// it speaks only where a machine-id is not known on both sides.
fn machine_id(host: &Host) -> Option<String> {
    let id = host.machine_id.as_deref()?.trim().to_ascii_lowercase();
    (!id.is_empty()).then_some(id)
}

fn host_key(host: &Host) -> Option<&str> {
    host.host_key.as_deref().filter(|key| !key.is_empty())
}

fn knowingly_one(hosts: &[&Host]) -> bool {
    let first = hosts.first().and_then(|host| host.machine.as_ref());
    first.is_some() && hosts.iter().all(|host| host.machine.as_ref() == first)
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
                 give each clone an id of its own (`systemd-machine-id-setup`), or {REMEDY}"
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
    for (host, others) in without_comparison(facts) {
        let name = host.hostname.as_deref().unwrap_or_default();
        let same = others.into_iter().filter(|other| same_name(host, other));
        let alike: Vec<_> = std::iter::once(host).chain(same).collect();
        if alike.len() > 1 {
            let names = names(&alike);
            reasons.push(format!(
                "hosts cannot be told apart: {names} (both call themselves {name}, show keys of different types, \
                 and not each stated its machine-id): {REMEDY}"
            ));
        }
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

fn same_name(one: &Host, other: &Host) -> bool {
    let names = one.hostname.as_deref().zip(other.hostname.as_deref());
    names.is_some_and(|(one, other)| same_hostname(one, other))
}

/// Each host without a machine-id, with those whose keys cannot be compared with its own because they
/// are of another type: one machine shows an RSA key to one login and an Ed25519 key to the next. A pair
/// without any machine-id stands here once.
fn without_comparison(facts: &Facts) -> Vec<(&Host, Vec<&Host>)> {
    let counted = counted(facts);
    let hosts: Vec<&Host> = facts.hosts.iter().collect();
    let shown = |host: &&Host| counted.contains(&*host.name) && host_key(host).is_some();
    let mut found = Vec::new();
    for (at, host) in hosts.iter().enumerate() {
        if !shown(host) || machine_id(host).is_some() {
            continue;
        }
        let others = hosts.iter().enumerate().filter(|(place, other)| {
            let types = host
                .host_key_type
                .as_ref()
                .zip(other.host_key_type.as_ref());
            let first_time = *place > at || machine_id(other).is_some();
            *place != at
                && first_time
                && shown(other)
                && types.is_some_and(|(one, other)| one != other)
                && !knowingly_one(&[host, other])
        });
        let others: Vec<&Host> = others.map(|(_, other)| *other).collect();
        if !others.is_empty() {
            found.push((*host, others));
        }
    }
    found
}

/// Hosts of which nothing says that they are two machines, and nothing says that they are one.
pub(super) fn untold_apart(facts: &Facts) -> Vec<String> {
    let mut reasons = Vec::new();
    for (host, others) in without_comparison(facts) {
        // Two names are two machines, the same name is judged elsewhere.
        let unnamed = |other: &&Host| host.hostname.is_none() || other.hostname.is_none();
        let others: Vec<_> = others.into_iter().filter(unnamed).collect();
        if !others.is_empty() {
            let (name, others) = (&host.name, names(&others));
            reasons.push(format!(
                "host {name} is not proven to be another machine than {others} (it stated no machine-id, and its \
                 key is of another type): let an account read /etc/machine-id there, or pin keys of one type"
            ));
        }
    }
    reasons
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
    let runner = &facts.runner;
    let own = runner.machine_id.as_deref().map(str::trim);
    let own = own.filter(|id| !id.is_empty());
    let mut reasons = Vec::new();
    for host in facts.hosts.iter().filter(|host| !host.is_runner) {
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
             give a clone an id of its own (`systemd-machine-id-setup`), or say `runner: true` there if it is meant"
        ));
    }
    reasons
}

/// A host that is not the one the inventory means, judged again from what was recorded.
pub(super) fn wrong_host(facts: &Facts) -> Vec<String> {
    let passed_on = passed_on(facts);
    let mut reasons = Vec::new();
    for host in &facts.hosts {
        let name = &host.name;
        // Demanded and not stated is a fault of the record only where something passed: a host that
        // was never reached has its failed checks to speak for it.
        let passed = passed_on.contains(&**name);
        let mut compare = |what, expected: &Option<String>, seen: Option<&str>, same: Same| {
            let Some(expected) = expected else {
                return;
            };
            match seen {
                Some(seen) if same(expected.trim(), seen.trim()) => {}
                Some(seen) => reasons.push(format!(
                    "host {name} is not the one that is meant: {what} {seen}, expected {expected}"
                )),
                None if passed => reasons.push(format!(
                    "host {name} passed without stating its {what}, expected {expected}"
                )),
                None => {}
            }
        };
        let exact: Same = |expected, seen| expected == seen;
        compare("host key", &host.expected_host_key, host_key(host), exact);
        let any_case: Same = |expected, seen| expected.eq_ignore_ascii_case(seen);
        let id = machine_id(host);
        compare(
            "machine-id",
            &host.expected_machine_id,
            id.as_deref(),
            any_case,
        );
        let hostname = host.hostname.as_deref().filter(|name| !name.is_empty());
        compare("hostname", &host.expected_hostname, hostname, same_hostname);
    }
    reasons
}

type Same = fn(&str, &str) -> bool;

/// `hostname` prints the short name on one system and the full one on the next (hostname(1)): a name
/// without a dot is compared with the first label.
pub fn same_hostname(expected: &str, seen: &str) -> bool {
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    match expected.contains('.') && seen.contains('.') {
        true => expected.eq_ignore_ascii_case(seen),
        false => short(expected).eq_ignore_ascii_case(&short(seen)),
    }
}

/// Something passed there, and the record does not say which key the host showed.
pub(super) fn without_key(facts: &Facts) -> Vec<String> {
    let passed_on = passed_on(facts);
    let without = facts.hosts.iter();
    let without =
        without.filter(|host| host_key(host).is_none() && passed_on.contains(&*host.name));
    let names: Vec<_> = without.map(|host| &*host.name).collect();
    match names.is_empty() {
        true => Vec::new(),
        false => vec![format!(
            "passed on a host whose key is not recorded: {}",
            list(names)
        )],
    }
}

/// Hosts that carry an instance or a check.
fn counted(facts: &Facts) -> HashSet<&str> {
    let instances = facts.instances.iter().map(|instance| &*instance.host);
    let checks = facts
        .checks
        .iter()
        .filter_map(|check| check.host.as_deref());
    instances.chain(checks).collect()
}

/// Hosts that a check logged in to and passed: its own, and its instance's. Checks of a vendor name
/// neither.
fn passed_on(facts: &Facts) -> HashSet<&str> {
    let instances = facts.instances.iter();
    let home: HashMap<&str, &str> = instances.map(|one| (&*one.name, &*one.host)).collect();
    let passed = facts
        .checks
        .iter()
        .filter(|check| matches!(check.outcome, Outcome::Passed | Outcome::Pending));
    passed
        .flat_map(|check| {
            let of_instance = check
                .instance
                .as_deref()
                .and_then(|name| home.get(name).copied());
            check.host.as_deref().into_iter().chain(of_instance)
        })
        .collect()
}
