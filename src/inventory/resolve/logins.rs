//! Whether every login can be made: an account, a way to authenticate, a host key to expect, and a
//! way through the hops. Looks at every host with every team, and makes no login.

use std::collections::{HashMap, HashSet};

use super::Known;
use crate::inventory::access::{Client, Elevate, Transport};
use crate::inventory::follow::MOST_HOPS;
use crate::inventory::grammar;
use crate::inventory::login::{self, Levels};
use crate::inventory::page::{Mark, Page, Spanned, Text};
use crate::inventory::raw::{Access, Raw, Team};

pub(super) fn check(page: &mut Page<'_>, raw: &Raw, known: &Known<'_>) {
    let teams = raw.teams.iter().map(|team| &team.access);
    let hosts = raw.hosts.iter().map(|host| &host.access);
    for level in std::iter::once(&raw.ssh).chain(teams).chain(hosts) {
        for hop in level.via.iter().flat_map(|via| &via.value) {
            if !known.hosts.contains_key(&hop.value) {
                let names = known.hosts.keys().map(String::as_str);
                super::dangling(page, hop, "host", "hosts", raw.unread.hosts, names);
            }
        }
    }
    check_ways(page, raw, known);
    check_pairs(page, raw, known);
}

fn check_pairs(page: &mut Page<'_>, raw: &Raw, known: &Known<'_>) {
    let nobody = Access::default();
    let mut said: HashSet<(Mark, &str)> = HashSet::new();
    let mut untrusted: Vec<&Text> = Vec::new();
    let mut companions = HashMap::new();
    let homes: HashSet<&str> = raw
        .instances
        .iter()
        .filter_map(|instance| instance.host.as_ref())
        .map(|host| host.value.as_str())
        .collect();
    for team in &raw.teams {
        // Without hosts a team must still be able to stand for itself.
        let hosts = raw.hosts.iter().map(|host| (Some(host), &host.access));
        let alone = raw.hosts.is_empty().then_some((None, &nobody));
        for (host, access) in hosts.chain(alone) {
            let levels: Levels<'_> = [access, &team.access, &raw.ssh];
            if levels.iter().any(|level| level.refused) {
                continue;
            }
            let config = login::last_word(&levels, |level| level.ssh_config.as_ref());
            let config = config.is_some_and(|config| config.value.is_some());
            if let Some(host) = host.filter(|host| host.address.is_none()) {
                refuse_no_address(page, &host.name, config, &mut said);
            }
            let host = host.map(|host| &host.name);
            if config {
                // What the inventory does not say an ssh_config may; asked when the login is made.
                note_companions(&levels, true, &mut companions);
                refuse_mixed_clients(page, &levels, raw, team, known, &mut said);
                if host.is_some_and(|host| homes.contains(host.value.as_str())) {
                    refuse_elevated_sftp(page, &levels, &mut said);
                }
                continue;
            }
            let name = &team.name;
            if login::last_word(&levels, |level| level.user.as_ref()).is_none()
                && said.insert((name.at, "user"))
            {
                let message = format!("team `{}` has no `user`", name.value);
                let hint = "write `user: NAME` below the team, or below `ssh:` for all";
                page.refuse(name.at, message, hint);
            }
            refuse_no_auth(page, &levels, name, &mut said);
            note_companions(&levels, false, &mut companions);
            refuse_unattended_answers(page, &levels, &mut said);
            refuse_mixed_clients(page, &levels, raw, team, known, &mut said);
            if let Some(host) = host {
                if !is_trusted(&levels) && said.insert((host.at, "trust")) {
                    untrusted.push(host);
                }
                if homes.contains(host.value.as_str()) {
                    refuse_elevated_sftp(page, &levels, &mut said);
                }
            }
        }
    }
    refuse_untrusted(page, raw, &untrusted);
    for (at, used) in companions {
        if !used {
            let hint = "write `key: FILE` beside it, or remove it";
            page.refuse(
                at,
                "this belongs to a `key`, and no login has one here",
                hint,
            );
        }
    }
}

/// Without an address a host is where an ssh_config knows it, under the name of its key.
fn refuse_no_address<'a>(
    page: &mut Page<'_>,
    name: &'a Text,
    config: bool,
    said: &mut HashSet<(Mark, &'a str)>,
) {
    let told = match (config, grammar::address(&name.value)) {
        (true, Ok(())) => return,
        (true, Err(_)) => format!(
            "host `{0}` has no `address`, and `ssh '{0}'` is nothing to type",
            name.value
        ),
        (false, _) => format!("host `{}` has no `address`", name.value),
    };
    if said.insert((name.at, "address")) {
        page.refuse(name.at, told, "write `address: 10.20.0.11`");
    }
}

fn refuse_no_auth<'a>(
    page: &mut Page<'_>,
    levels: &Levels<'a>,
    team: &'a Text,
    said: &mut HashSet<(Mark, &'a str)>,
) {
    // The installed `ssh` may have a ticket, a token or a control socket.
    if login::auth(levels).is_empty()
        && client(levels) == Client::Ssh2
        && said.insert((team.at, "auth"))
    {
        let message = format!("team `{}` has no way to authenticate", team.value);
        let hint = "write `key: FILE`, `agent: true`, `keyboard_interactive: [ … ]` or `password_env: NAME` below the team, or below `ssh:` for all";
        page.refuse(team.at, message, hint);
    }
}

/// The installed `ssh` asks nobody but a program that knows its questions, and these are the server's.
fn refuse_unattended_answers<'a>(
    page: &mut Page<'_>,
    levels: &Levels<'a>,
    said: &mut HashSet<(Mark, &'a str)>,
) {
    let level = login::auth_level(levels);
    let answers = level.and_then(|at| levels[at].keyboard_interactive.as_ref());
    if let Some(answers) = answers
        && client(levels) == Client::Openssh
        && said.insert((answers.at, "client"))
    {
        let message = "`keyboard_interactive` cannot be had with `client: openssh`";
        let hint =
            "write `client: ssh2`, or let a person open a control socket that `ssh_config` names";
        page.refuse(answers.at, message, hint);
    }
}

fn client(levels: &Levels<'_>) -> Client {
    let client = login::last_word(levels, |level| level.client.as_ref());
    client.map_or(Client::Ssh2, |client| client.value)
}

/// libssh2 cannot run through a connection of the installed `ssh`; the other way round it is the
/// installed `ssh` that makes the whole way.
fn refuse_mixed_clients<'a>(
    page: &mut Page<'_>,
    levels: &Levels<'a>,
    raw: &'a Raw,
    team: &'a Team,
    known: &Known<'_>,
    said: &mut HashSet<(Mark, &'a str)>,
) {
    if client(levels) == Client::Openssh {
        return;
    }
    let via = login::last_word(levels, |level| level.via.as_ref());
    for hop in via.iter().flat_map(|via| &via.value) {
        let Some(access) = known.hosts.get(&hop.value).map(|at| &raw.hosts[*at].access) else {
            continue;
        };
        let there: Levels<'_> = [access, &team.access, &raw.ssh];
        if client(&there) == Client::Openssh && said.insert((hop.at, "client")) {
            let message = format!(
                "hop `{}` takes `client: openssh`, and what lies behind it does not",
                hop.value
            );
            let hint = "write `client: openssh` below the hosts behind it, or below the team";
            page.refuse(hop.at, message, hint);
        }
    }
}

/// Notes which certificates and passphrases some login uses: those that stand at the key's level or
/// at a more specific one.
fn note_companions(levels: &Levels<'_>, config: bool, used: &mut HashMap<Mark, bool>) {
    let auth_at = login::auth_level(levels);
    // A key that an ssh_config names has every level's companions.
    let key_at = match auth_at {
        None => config.then_some(levels.len()),
        Some(at) => levels[at].key.is_some().then_some(at),
    };
    for (at, level) in levels.iter().enumerate() {
        let certificate = level.certificate.as_ref().map(|file| file.at);
        let passphrase = level.passphrase_env.as_ref().map(|name| name.at);
        for mark in certificate.into_iter().chain(passphrase) {
            *used.entry(mark).or_default() |= key_at.is_some_and(|key| at <= key);
        }
    }
}

fn is_trusted(levels: &Levels<'_>) -> bool {
    let level = levels
        .iter()
        .find(|level| level.known_hosts.is_some() || level.host_key.is_some());
    level.is_some_and(|level| {
        level.host_key.is_some()
            || level
                .known_hosts
                .as_ref()
                .is_some_and(|files| !files.value.is_empty())
    })
}

/// One problem when nobody says anything, one for each host when some do.
fn refuse_untrusted(page: &mut Page<'_>, raw: &Raw, untrusted: &[&Text]) {
    let Some(first) = untrusted.first() else {
        return;
    };
    let hint = "write `known_hosts: [known_hosts]` below `ssh:`, or `host_key: \"SHA256:…\"` below the host: checking cannot be turned off";
    if untrusted.len() == raw.hosts.len() && untrusted.len() > 1 {
        let at = raw.ssh_at.unwrap_or(first.at);
        page.refuse(at, "nothing says which host keys to trust", hint);
        return;
    }
    for host in untrusted {
        let message = format!("nothing says which key host `{}` must show", host.value);
        page.refuse(host.at, message, hint);
    }
}

/// sftp-server(8) runs as the login account; sudo never comes into it.
fn refuse_elevated_sftp<'a>(
    page: &mut Page<'_>,
    levels: &Levels<'a>,
    said: &mut HashSet<(Mark, &'a str)>,
) {
    let elevate = login::last_word(levels, |level| level.elevate.as_ref());
    let transport = login::last_word(levels, |level| level.transport.as_ref());
    let (Some(elevate), Some(transport)) = (elevate, transport) else {
        return;
    };
    if elevate.value != Elevate::None
        && transport.value == Transport::Sftp
        && said.insert((elevate.at, "elevate"))
    {
        let message = "`elevate` needs commands, and `transport: sftp` sends none";
        let hint = "write `transport: auto`, or `elevate: none`";
        page.refuse(elevate.at, message, hint);
    }
}

/// Hosts that are their own hop, cycles, and ways that are too long or pass a hop twice.
fn check_ways(page: &mut Page<'_>, raw: &Raw, known: &Known<'_>) {
    let ways: Vec<Vec<usize>> = raw
        .hosts
        .iter()
        .map(|host| hops(&host.access, known).map(|(at, _)| at).collect())
        .collect();
    if refuse_cycles(page, raw, known, &ways) {
        return;
    }
    let teams = raw.teams.iter().map(|team| &team.access);
    let hosts = raw.hosts.iter().map(|host| &host.access);
    for level in std::iter::once(&raw.ssh).chain(teams).chain(hosts) {
        let Some(via) = &level.via else { continue };
        let chain = hops(level, known).map(|(at, _)| at).collect();
        refuse_way(page, raw, via, chain, &ways);
    }
}

fn hops<'a>(level: &'a Access, known: &'a Known<'_>) -> impl Iterator<Item = (usize, &'a Text)> {
    let via = level.via.iter().flat_map(|via| &via.value);
    via.filter_map(|hop| known.hosts.get(&hop.value).map(|at| (*at, hop)))
}

fn refuse_way(
    page: &mut Page<'_>,
    raw: &Raw,
    via: &Spanned<Vec<Text>>,
    mut chain: Vec<usize>,
    ways: &[Vec<usize>],
) {
    while let Some(first) = chain.first()
        && !ways[*first].is_empty()
        && chain.len() <= MOST_HOPS
    {
        chain.splice(0..0, ways[*first].iter().copied());
    }
    if chain.len() > MOST_HOPS {
        let message = format!("this way leads over more than {MOST_HOPS} hops");
        page.refuse(via.at, message, "shorten the way");
        return;
    }
    let mut seen = HashSet::new();
    // A hop that stands twice in one list was refused when the list was read.
    let written: HashSet<&str> = via.value.iter().map(|hop| hop.value.as_str()).collect();
    if let Some(twice) = chain.iter().find(|hop| !seen.insert(**hop))
        && written.len() == via.value.len()
    {
        let names: Vec<&str> = chain
            .iter()
            .map(|hop| raw.hosts[*hop].name.value.as_str())
            .collect();
        let message = format!(
            "hop `{}` comes twice on the way {}",
            raw.hosts[*twice].name.value,
            names.join(" → ")
        );
        let hint = "leave out hops that the first hop's own `via` names already";
        page.refuse(via.at, message, hint);
    }
}

/// Depth-first over `via`, without recursion: a way through 10,000 hosts must not end the stack.
fn refuse_cycles(page: &mut Page<'_>, raw: &Raw, known: &Known<'_>, ways: &[Vec<usize>]) -> bool {
    const NEW: u8 = 0;
    const OPEN: u8 = 1;
    const DONE: u8 = 2;
    let mut state = vec![NEW; ways.len()];
    let mut found = false;
    for start in 0..ways.len() {
        if state[start] != NEW {
            continue;
        }
        let mut path = vec![(start, 0)];
        state[start] = OPEN;
        while let Some((host, next)) = path.last_mut() {
            let (from, step) = (*host, *next);
            let Some(&hop) = ways[from].get(step) else {
                state[from] = DONE;
                path.pop();
                continue;
            };
            *next += 1;
            match state[hop] {
                NEW => {
                    state[hop] = OPEN;
                    path.push((hop, 0));
                }
                OPEN => {
                    found = true;
                    let at = hops(&raw.hosts[from].access, known).nth(step);
                    let at = at.map_or(raw.hosts[from].name.at, |(_, text)| text.at);
                    let begin = path.iter().position(|(host, _)| *host == hop);
                    let circle = path[begin.unwrap_or(0)..].iter().map(|(host, _)| *host);
                    let names: Vec<&str> = circle
                        .chain([hop])
                        .map(|host| raw.hosts[host].name.value.as_str())
                        .collect();
                    let message = match hop == from {
                        true => format!("host `{}` is its own hop", names[0]),
                        false => format!("the hops lead in a circle: {}", names.join(" → ")),
                    };
                    page.refuse(at, message, "remove one `via` of the circle");
                }
                _ => {}
            }
        }
    }
    found
}
