//! The one `ssh` of a session that logs in and stays: through the hops, its control socket in our own
//! directory. Tries again only what was no answer yet, as the other client does: a hang-up before the
//! handshake, or a host key of a type that a pin did not mean.

use std::time::Duration;

use rustix::event::PollFlags;

use super::child::{Child, Watch};
use super::classify::{self, Refused};
use super::config::{self, chain, typed};
use super::log::Log;
use super::ours;
use super::place::Place;
use super::version::Version;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Auth, Login};
use crate::transport::actor::Deadline;
use crate::transport::host_key::Ask;
use crate::transport::{Crossed, Greeting};

/// Name of our own control socket.
pub(super) const SOCKET: &str = "ctl";
const WHAT: &str = "connecting";

/// Logs in; what was proven on the way comes back.
pub(super) fn start(
    place: &mut Place,
    login: &Login,
    version: &Version,
    watch: &Watch,
    deadline: &Deadline,
) -> Result<(Child, Greeting), Failure> {
    let length = chain(login).count();
    let mut asks = vec![Ask::default(); length];
    let (mut waited, mut seen) = (false, None::<Failure>);
    loop {
        let environment = config::write(place, login, version, &asks)?;
        let refused = match attempt(place, login, &environment, watch, deadline) {
            Ok(begun) => return Ok(begun),
            Err(refused) => refused,
        };
        let failure = join(seen.take(), refused.failure);
        if watch.left(deadline, WHAT).is_err() {
            return Err(failure);
        }
        if let Some(ask) = other_types(place, login, &failure, refused.at, &asks) {
            asks[refused.at] = ask;
            seen = Some(failure);
        } else if refused.is_busy && !waited {
            waited = true;
            // Spread out, so that a fleet of sessions does not come back as one.
            let mut random = [0_u8; 1];
            let _ = getrandom::fill(&mut random);
            let pause = Duration::from_millis(300 + 3 * u64::from(random[0]));
            if deadline.left().is_none_or(|left| left < pause * 2) {
                return Err(failure);
            }
            watch.wait(&[], pause);
        } else {
            return Err(failure);
        }
    }
}

fn attempt(
    place: &Place,
    login: &Login,
    environment: &[(String, String)],
    watch: &Watch,
    deadline: &Deadline,
) -> Result<(Child, Greeting), Refused> {
    let own = |failure: Failure| Refused {
        failure: failure.with_login(&login.host, &login.user),
        at: chain(login).count() - 1,
        is_busy: false,
    };
    let last = chain(login).count() - 1;
    for at in 0..=last {
        let empty = place.write(&config::log(at), "", 0o600);
        let unseen = place.write(&config::seen(at), "", 0o600);
        empty.and(unseen).map_err(|error| own(ours(&error)))?;
    }
    let (config, log) = (
        place.path(&config::name(last)),
        place.path(&config::log(last)),
    );
    let socket = place.path(SOCKET);
    let arguments = [
        "-F",
        &config,
        "-E",
        &log,
        "-M",
        "-S",
        &socket,
        "-N",
        "-T",
        typed(login),
    ];
    let started = Child::tethered(&arguments, environment);
    let mut master = started.map_err(|error| own(ours(&error)))?;
    loop {
        master.listen();
        // `ssh` makes it once it is let in.
        if place.has(SOCKET) {
            break;
        }
        if master.ended().is_some() {
            master.listen();
            return Err(classify::refused(place, login, &master.said(), None));
        }
        let Ok(left) = watch.left(deadline, WHAT) else {
            let said = master.said();
            drop(master);
            return Err(classify::refused(place, login, &said, Some(deadline)));
        };
        let pause = left.min(Duration::from_millis(10));
        match &master.stderr {
            Some(stderr) => {
                watch.wait(&[(stderr, PollFlags::empty())], pause);
            }
            None => watch.wait(&[], pause),
        }
    }
    let log = Log::read(&place.text(&config::log(last)));
    let greeting = proven(login, place, log).map_err(own)?;
    let crossed = crossed(login, place);
    Ok((
        master,
        Greeting {
            crossed,
            ..greeting
        },
    ))
}

/// What each hop's own `ssh` logged; one that tells no key is not told.
fn crossed(login: &Login, place: &Place) -> Vec<Crossed> {
    let hops = login.via.iter().enumerate();
    let told = hops.filter_map(|(at, hop)| {
        let log = Log::read(&place.text(&config::log(at)));
        log.is_proven().then(|| Crossed::new(hop, &log.greeting))
    });
    told.collect()
}

/// What `ssh` proved, held against what the inventory demands once more.
fn proven(login: &Login, place: &Place, log: Log) -> Result<Greeting, Failure> {
    let is_proven = log.is_proven();
    let mut greeting = log.greeting;
    let is_pinned = login
        .host_key
        .as_ref()
        .is_none_or(|pin| pin.trim_end_matches('=') == greeting.host_key);
    if !is_proven || !is_pinned || !greeting.host_key.starts_with("SHA256:") {
        return Err(Failure::new(
            FailureKind::HostKey,
            "a host key that `ssh` proved and logged",
            format!("host key \"{}\"", greeting.host_key),
        )
        .with_hint("the installed `ssh` logs other words than OpenSSH 7.6 to 10 do: please report its version"));
    }
    let accepted = log.accepted.unwrap_or_default();
    let is_agents = accepted.ends_with(" agent");
    let has_agent = login.auth.iter().any(|way| matches!(way, Auth::Agent(_)));
    if greeting.method == "publickey" {
        // An IdentityFile of the operator's own file comes on top of the inventory's.
        let ours = accepted.starts_with(&place.path("key_"));
        if !login.auth.is_empty() && !has_agent && !ours {
            let actual = format!("another one was accepted: {}", place.said(&accepted));
            return Err(Failure::new(FailureKind::Auth, "the key of the inventory", actual)
                .with_hint("the key of the inventory is refused, and one of ssh_config is not: name that one as `key`, or none"));
        }
        if is_agents {
            "agent".clone_into(&mut greeting.method);
        }
    }
    Ok(greeting)
}

// A later try for other key types may only fail to find any: then the first refusal stands.
fn join(seen: Option<Failure>, failure: Failure) -> Failure {
    match seen {
        Some(mut seen) => {
            if failure.kind == FailureKind::HostKey && failure.host == seen.host {
                seen.actual = format!("{}, {}", seen.actual, failure.actual);
            }
            seen
        }
        None => failure,
    }
}

/// A pin names no type, and a host has several keys: which types are left to ask for.
fn other_types(
    place: &Place,
    login: &Login,
    failure: &Failure,
    at: usize,
    asks: &[Ask],
) -> Option<Ask> {
    let here = chain(login).nth(at)?;
    if failure.kind != FailureKind::HostKey || here.host_key.is_none() {
        return None;
    }
    let mut types: Vec<String> = match asks.get(at) {
        Some(Ask::Except(types)) => types.clone(),
        _ => Vec::new(),
    };
    let before = types.len();
    let noted = place.text(&config::seen(at));
    types.extend(
        noted
            .lines()
            .filter_map(|line| line.split(' ').next())
            .map(|kind| kind.replace("-cert-v01@openssh.com", "")),
    );
    types.sort_unstable();
    types.dedup();
    // Ed25519, three curves, RSA: a host that shows more is playing.
    (before < types.len() && types.len() < 5).then_some(Ask::Except(types))
}
