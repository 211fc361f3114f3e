//! Rules about hosts: each is the one that the inventory means. Whether two are one machine is
//! `machines.rs`.

use std::collections::{HashMap, HashSet};

use super::words::list;
use super::{Facts, Host, Outcome};

/// What tells machines apart. A machine-id is the machine's own; a host key is copied by cloning, so
/// it speaks only where a machine-id is not known on both sides.
pub(super) fn machine_id(host: &Host) -> Option<String> {
    let id = host.machine_id.as_deref()?.trim().to_ascii_lowercase();
    (!id.is_empty()).then_some(id)
}

pub(super) fn host_key(host: &Host) -> Option<&str> {
    host.host_key.as_deref().filter(|key| !key.is_empty())
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
    match expected.contains('.') && seen.contains('.') {
        true => expected.eq_ignore_ascii_case(seen),
        false => short(expected) == short(seen),
    }
}

pub(super) fn short(name: &str) -> String {
    let first = name.split('.').next().unwrap_or_default();
    first.trim().to_ascii_lowercase()
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
pub(super) fn counted(facts: &Facts) -> HashSet<&str> {
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
