//! The control socket that a person has opened beforehand, perhaps with a token that no job has: used
//! when the operator's `ssh_config` names one that is alive and that can only be of this login. It is
//! never closed by us. Such a connection does not show its host key, so the same route is taken once
//! more, as far as the host key and no further.

use std::time::Duration;

use super::child::{Child, Watch};
use super::classify;
use super::config::{self, chain, typed};
use super::log::Log;
use super::ours;
use super::place::Place;
use super::version::Version;
use crate::failure::{Failure, FailureKind};
use crate::inventory::Login;
use crate::transport::Greeting;
use crate::transport::actor::Deadline;

/// Name under which it appears in our own directory.
pub(super) const SOCKET: &str = "person";
const WHAT: &str = "asking for a control socket";

/// Puts a person's living control socket into `place`; what was proven of its host comes back.
///
/// # Errors
/// When the socket lives and the host cannot be proven; the caller has none then.
pub(super) fn adopt(
    place: &mut Place,
    login: &Login,
    version: &Version,
    watch: &Watch,
    deadline: &Deadline,
) -> Result<Option<Greeting>, Failure> {
    if login.ssh_config.is_none() {
        return Ok(None);
    }
    let asks = vec![Default::default(); chain(login).count()];
    let environment = config::write(place, login, version, &asks)?;
    let config = place.path(&config::name(chain(login).count() - 1));
    let said = |more: &[&str]| {
        let arguments = [&["-F", &config], more, &["-G", typed(login)]].concat();
        let mut child = Child::ssh(&arguments, &environment).map_err(|error| ours(&error))?;
        child.stdin = None;
        let (_, said) = child.finish(watch, deadline, WHAT)?;
        let path = said
            .lines()
            .find_map(|line| line.strip_prefix("controlpath "));
        Ok::<_, Failure>(path.filter(|path| *path != "none").map(str::to_owned))
    };
    let Some(path) = said(&[])? else {
        return Ok(None);
    };
    if !is_alive(&config, login, &environment, watch, deadline)? {
        return Ok(None);
    }
    // ssh_config(5) asks for %h, %p and %r in it, or %C: otherwise it may be another's connection.
    for other in ["User=gonogo-other", "HostName=gonogo.invalid", "Port=65534"] {
        if said(&["-o", other])?.as_deref() == Some(&path) {
            return Err(Failure::new(
                FailureKind::Auth,
                "a ControlPath that tells accounts, hosts and ports apart",
                format!("`{path}`, which is the same with {other}"),
            )
            .with_hint(
                "write `ControlPath ~/.ssh/%C` (or `%r@%h:%p`) in the file that `ssh_config` names, and \
                 open the connection again",
            ));
        }
    }
    let linked = place.link(SOCKET, std::path::Path::new(&path));
    linked.map_err(|error| ours(&error))?;
    prove(place, login, &config, &environment, watch, deadline).map(Some)
}

fn is_alive(
    config: &str,
    login: &Login,
    environment: &[(String, String)],
    watch: &Watch,
    deadline: &Deadline,
) -> Result<bool, Failure> {
    let arguments = ["-F", config, "-O", "check", typed(login)];
    let mut child = Child::ssh(&arguments, environment).map_err(|error| ours(&error))?;
    child.stdin = None;
    let (status, _) = child.finish(watch, deadline, WHAT)?;
    Ok(status.success())
}

/// A handshake on the same route, which offers no way to log in and so ends there.
fn prove(
    place: &Place,
    login: &Login,
    config: &str,
    environment: &[(String, String)],
    watch: &Watch,
    deadline: &Deadline,
) -> Result<Greeting, Failure> {
    let last = chain(login).count() - 1;
    let log = place.path(&config::log(last));
    // There is no such key: `ssh` names it once the keys are exchanged, and a server cannot.
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(|error| ours(&error))?;
    let proof = place.path(&format!("proof_{:032x}", u128::from_be_bytes(random)));
    let identity = format!("IdentityFile={proof}");
    let arguments = [
        "-F",
        config,
        "-E",
        &log,
        "-o",
        "ControlPath=none",
        "-o",
        "PreferredAuthentications=none",
        "-o",
        "PubkeyAuthentication=yes",
        "-o",
        // An agent that hangs would be asked before that.
        "IdentityAgent=none",
        "-o",
        "LogLevel=DEBUG2",
        "-o",
        &identity,
        "-N",
        "-T",
        typed(login),
    ];
    let mut child = Child::tethered(&arguments, environment).map_err(|error| ours(&error))?;
    let ended = child.finish(watch, deadline, "proving the host of the control socket");
    child.end_within(Duration::from_millis(100));
    let text = place.text(&config::log(last));
    let log = Log::read(&text);
    let is_proven = log.is_proven() && Log::lists(&text, &proof);
    let greeting = log.greeting;
    if is_proven && greeting.host_key.starts_with("SHA256:") {
        return Ok(Greeting {
            // What another connection negotiated is not what this one did.
            kex: String::new(),
            cipher: String::new(),
            method: "control socket".to_owned(),
            ..greeting
        });
    }
    ended?;
    let failure = classify::refused(place, login, &child.said(), None).failure;
    let hint = format!(
        "a person's control socket is there, and it does not show the host key; a second handshake on the \
         same route has to, and did not: {}",
        failure.hint
    );
    Err(failure.with_hint(hint))
}
