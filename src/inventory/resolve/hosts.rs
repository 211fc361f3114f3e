//! Hosts as meant, and two hosts that can only be one machine.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::inventory::login::PORT;
use crate::inventory::page::{Page, Spanned};
use crate::inventory::raw::Raw;
use crate::inventory::{Host, Identity};

pub(super) fn resolve(page: &mut Page<'_>, raw: &Raw) -> Vec<Host> {
    let hops = hops(raw);
    let homes: HashSet<&str> = raw
        .instances
        .iter()
        .filter_map(|instance| instance.host.as_ref())
        .map(|host| host.value.as_str())
        .collect();
    let default_port = raw.ssh.port.as_ref().map_or(PORT, |port| port.value);
    let of = |text: &Spanned<String>| text.value.clone();
    let mut hosts = Vec::with_capacity(raw.hosts.len());
    for host in &raw.hosts {
        let name = host.name.value.as_str();
        hosts.push(Host {
            name: name.to_owned(),
            // Without an address an ssh_config knows the host by its name.
            address: host.address.as_ref().map_or_else(|| name.to_owned(), of),
            port: host
                .access
                .port
                .as_ref()
                .map_or(default_port, |port| port.value),
            groups: host.groups.iter().map(of).collect(),
            hop_only: hops.contains(name) && !homes.contains(name),
            identity: Identity {
                hostname: host.hostname.as_ref().map(of),
                machine_id: host.machine_id.as_ref().map(of),
            },
            machine: host.machine.as_ref().map(of),
            runner: host.runner.as_ref().is_some_and(|runner| runner.value),
            timezone: host.timezone.as_ref().map(|zone| zone.value.clone()),
        });
    }
    refuse_twins(page, raw, &hosts);
    hosts
}

fn hops(raw: &Raw) -> HashSet<&str> {
    let teams = raw.teams.iter().map(|team| &team.access);
    let hosts = raw.hosts.iter().map(|host| &host.access);
    let levels = std::iter::once(&raw.ssh).chain(teams).chain(hosts);
    levels
        .flat_map(|level| level.via.iter().flat_map(|via| &via.value))
        .map(|hop| hop.value.as_str())
        .collect()
}

/// `::1` and `0:0:0:0:0:0:0:1` are one address, as are `::ffff:10.0.0.1` and `10.0.0.1`.
fn one_spelling(address: &str) -> String {
    address.parse::<IpAddr>().map_or_else(
        |_not_an_ip| address.trim_end_matches('.').to_ascii_lowercase(),
        |ip| ip.to_canonical().to_string(),
    )
}

/// Contract 5: two hosts that turn out to be one machine are never GO. Here it shows before
/// connecting: same address and port, reached the same way. Behind different hops the same private
/// address is another machine.
fn refuse_twins(page: &mut Page<'_>, raw: &Raw, hosts: &[Host]) {
    let mut seen: HashMap<(String, u16, Vec<&str>), usize> = HashMap::new();
    for (at, (host, written)) in hosts.iter().zip(&raw.hosts).enumerate() {
        let Some(address) = &written.address else {
            continue;
        };
        let via = written.access.via.iter().flat_map(|via| &via.value);
        let via = via.map(|hop| hop.value.as_str()).collect();
        let way = (one_spelling(&host.address), host.port, via);
        let Some(first) = seen.get(&way) else {
            seen.insert(way, at);
            continue;
        };
        let first = &hosts[*first];
        if host.machine.is_some() && host.machine == first.machine {
            continue;
        }
        let message = format!(
            "hosts `{}` and `{}` have the same address and port",
            first.name, host.name
        );
        let hint = "correct one of them, or give both the same `machine: NAME` if they are meant to be one machine";
        page.refuse(address.at, message, hint);
    }
}
