//! Which machine each shard met under a name: what they learnt of each host together, and where two of them disagree
//! on which machine a host, or a hop, is.

use std::collections::{HashMap, HashSet};

use super::merge::Given;
use super::restate::{also_as_hop, same_machine};
use crate::report::schema;
use crate::report::schema::HopKey;

/// What the shards learnt of each host, its own shard first; and where they disagree on which machine it is.
pub(super) fn hosts(report: &mut schema::Report, given: &[Given]) -> Vec<String> {
    let mut by_name: HashMap<&str, Vec<(bool, String, &schema::Host)>> = HashMap::new();
    for one in given {
        let Some(shard) = &one.report.run.scope.shard else {
            continue;
        };
        let own: HashSet<&String> = shard.hosts.iter().collect();
        let reached = one.report.hosts.iter();
        for host in reached.filter(|host| host.host_key.is_some()) {
            let is_other = !own.contains(&host.name);
            let met = by_name.entry(&host.name).or_default();
            met.push((is_other, shard.name(), host));
        }
    }
    let mut differs = Vec::new();
    let told: Vec<Told<'_>> = given.iter().filter_map(Told::of).collect();
    for host in &mut report.hosts {
        differs.extend(as_hop(host, &told));
    }
    for host in &mut report.hosts {
        let mut met = by_name.remove(&*host.name).unwrap_or_default();
        met.sort_by_key(|(is_other, ..)| *is_other);
        let Some(((_, first, main), others)) = met.split_first() else {
            continue;
        };
        let meant = host.clone();
        *host = schema::Host {
            name: meant.name,
            address: meant.address,
            machine: meant.machine,
            runner: meant.runner,
            expected: meant.expected,
            as_hop: meant.as_hop,
            ..(*main).clone()
        };
        for (_, name, other) in others {
            match other_machine(main, other) {
                Some(what) => differs.push(format!(
                    "{what} of host {} is not the same in shards {first} and {name}",
                    host.name
                )),
                None => same_machine(host, other),
            }
        }
    }
    differs
}

/// The hosts that one shard tells of.
struct Told<'g> {
    shard: String,
    hosts: HashMap<&'g str, &'g schema::Host>,
}

impl<'g> Told<'g> {
    fn of(given: &'g Given) -> Option<Self> {
        let shard = given.report.run.scope.shard.as_ref()?.name();
        // Of two of one name the first.
        let hosts = given.report.hosts.iter().rev();
        let hosts = hosts.map(|host| (host.name.as_str(), host)).collect();
        Some(Self { shard, hosts })
    }
}

/// All keys that the host showed as a hop; and where it showed another one in another shard, as a hop or as a host
/// that is checked itself. Nothing is asked on a hop: its key is all that tells which machine it is.
fn as_hop(host: &mut schema::Host, told: &[Told<'_>]) -> Vec<String> {
    let told: Vec<(&str, &schema::Host)> = told
        .iter()
        .filter_map(|one| Some((one.shard.as_str(), *one.hosts.get(host.name.as_str())?)))
        .collect();
    also_as_hop(host, told.iter().map(|(_, other)| *other));
    let mut differs = Vec::new();
    for (at, (name, other)) in told.iter().enumerate() {
        let mut before = told[..at].iter();
        let first = before.find(|(_, one)| {
            let is_other = |one: &[HopKey], other: &[HopKey]| {
                let mut pairs = one
                    .iter()
                    .flat_map(|one| other.iter().map(move |two| (one, two)));
                pairs.any(|(one, two)| one.is_other(two))
            };
            let (own, others) = (shown(one), shown(other));
            is_other(&one.as_hop, &other.as_hop)
                || is_other(&own, &other.as_hop)
                || is_other(&one.as_hop, &others)
        });
        if let Some((first, _)) = first {
            let host = &host.name;
            differs.push(format!(
                "the host key of hop {host} is not the same in shards {first} and {name}"
            ));
        }
    }
    differs
}

/// The key that it showed to who checked it.
fn shown(host: &schema::Host) -> Vec<HopKey> {
    let key = host.host_key.clone().zip(host.host_key_type.clone());
    let key = key.map(|(host_key, host_key_type)| HopKey {
        address: host.address.clone(),
        host_key,
        host_key_type,
    });
    key.into_iter().collect()
}

fn other_machine(one: &schema::Host, other: &schema::Host) -> Option<&'static str> {
    let types = (&one.host_key_type, &other.host_key_type);
    // Two types are two keys of one machine.
    let is_comparable = !matches!(types, (Some(one), Some(other)) if one != other);
    let said = [
        (
            "the machine-id",
            &one.identity.machine_id,
            &other.identity.machine_id,
        ),
        (
            "the hostname",
            &one.identity.hostname,
            &other.identity.hostname,
        ),
        ("the host key", &one.host_key, &other.host_key),
    ];
    let mut said = said.into_iter();
    let differs = said.find(|(what, one, other)| {
        let is_told = one.is_some() && other.is_some() && one != other;
        is_told && (*what != "the host key" || is_comparable)
    });
    differs.map(|(what, ..)| what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::report::schema::Shard;

    fn key(address: &str, kind: &str, key: &str) -> HopKey {
        HopKey {
            address: address.to_owned(),
            host_key: format!("SHA256:{key}"),
            host_key_type: kind.to_owned(),
        }
    }

    /// What the first host of the sample was to each shard: keys that it showed as a hop, and the one that it showed itself.
    fn met(shards: &[(&[&HopKey], Option<&HopKey>)]) -> (Vec<String>, Vec<HopKey>) {
        let mut whole = sample::go();
        let given: Vec<Given> = (1..)
            .zip(shards)
            .map(|(number, (as_hop, own))| {
                let mut report = sample::go();
                report.run.scope.shard = Some(Shard {
                    number,
                    of: shards.len() as u64,
                    ..Shard::default()
                });
                report.hosts.truncate(1);
                let host = &mut report.hosts[0];
                host.as_hop = as_hop.iter().copied().cloned().collect();
                host.host_key = own.map(|own| own.host_key.clone());
                host.host_key_type = own.map(|own| own.host_key_type.clone());
                host.address = own.map_or("10.0.0.1:22", |own| &own.address).to_owned();
                Given {
                    report,
                    manifest: String::new(),
                    key: String::new(),
                }
            })
            .collect();
        whole.hosts.truncate(1);
        let differs = hosts(&mut whole, &given);
        (differs, whole.hosts.remove(0).as_hop)
    }

    #[test]
    fn a_hop_is_one_machine_to_all_shards() {
        let one = &key("10.0.0.1:22", "ssh-ed25519", "a");
        let other = &key("10.0.0.1:22", "ssh-ed25519", "b");
        let name = sample::go().hosts[0].name.clone();
        let says = format!("the host key of hop {name} is not the same in shards 1/2 and 2/2");
        let two = |first: &[&HopKey], second: &[&HopKey]| {
            let (differs, keys) = met(&[(first, None), (second, None)]);
            (differs.join("; "), keys.len())
        };
        assert_eq!(two(&[one], &[one]), (String::new(), 1));
        assert_eq!(two(&[one], &[other]), (says.clone(), 2));
        // One that led to both is no way around it.
        assert_eq!(two(&[one, other], &[one]), (says.clone(), 2));
        // The twins: a key of another type, behind another port, or not told.
        for twin in [
            key("10.0.0.1:22", "ssh-rsa", "b"),
            key("10.0.0.1:2222", "ssh-ed25519", "b"),
        ] {
            assert_eq!(two(&[one], &[&twin]), (String::new(), 2));
        }
        assert_eq!(two(&[one], &[]), (String::new(), 1));
        // Checked itself in one shard, and a hop in the other.
        let mixed = |shards: &[(&[&HopKey], Option<&HopKey>)]| met(shards).0.join("; ");
        assert_eq!(mixed(&[(&[], Some(one)), (&[other], None)]), says);
        assert_eq!(mixed(&[(&[other], None), (&[], Some(one))]), says);
        assert_eq!(mixed(&[(&[], Some(one)), (&[one], None)]), "");
    }
}
