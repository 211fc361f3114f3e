//! `the team connects`, and what a host is asked about itself right after login.

use crate::evidence::tap::Tap;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Identity, Login, Transport};
use crate::text;
use crate::time;
use crate::transport::{Command, Gathering, Limits, ReadError, Reading, Receipt, Session, Span};
use crate::verdict::{Clock, same_hostname};

use super::clock::read_clock;
use super::{Stop, World};

/// Run on every host of the plan whose accounts may run commands.
pub const HOSTNAME_COMMAND: &[&str] = &["hostname"];
/// Read where no command may be sent or `hostname` gives nothing.
pub const HOSTNAME_FILE: &str = "/etc/hostname";
/// Read on every host of the plan (machine-id(5)): tells two names of one machine apart.
pub const MACHINE_ID_FILE: &str = "/etc/machine-id";

// hostname(7) allows 253 characters, machine-id(5) 32: more is not an identity.
const MOST: u64 = 4096;

/// What a host said of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Its host name.
    pub hostname: Option<String>,
    /// True when the name is what [`HOSTNAME_FILE`] says. The running system may go by another name
    /// (hostnamectl(1)), so that only names of one source tell machines apart.
    pub is_name_of_file: bool,
    /// Its machine-id.
    pub machine_id: Option<String>,
    /// Its clock beside the runner's.
    pub clock: Option<Clock>,
}

pub(super) async fn connect(world: &mut World) -> Result<(), Stop> {
    let session = world.session().await?;
    let login = world.login()?.clone();
    world.transcript.connected(&login, session.greeting());
    let seen = world.door.as_ref().map(|door| door.seen());
    let seen = seen.unwrap_or_default();
    let clock = seen.clock.map(|clock| clock.say());
    world.transcript.identified(
        seen.hostname.as_deref(),
        seen.machine_id.as_deref(),
        clock.as_deref().unwrap_or("not measured"),
    );
    Ok(())
}

/// Asks the host who it is: what is pinned must be had, the rest is recorded when it can be had.
///
/// # Errors
/// The reader's own failure when a pinned fact cannot be read.
pub async fn identify(
    session: &dyn Session,
    login: &Login,
    expected: &Identity,
    limits: Limits,
) -> Result<Seen, Failure> {
    let limits = Limits {
        bytes: MOST,
        ..limits
    };
    // A name that the inventory pins is the running system's own word, by command. One that is only
    // recorded comes from the file where that is one short read: a command costs the server a shell.
    let is_one_read = login.transport != Transport::Exec || login.gathers();
    let from_file = is_one_read && expected.hostname.is_none();
    let mut paths = vec![login.on_host(MACHINE_ID_FILE)];
    if from_file {
        paths.push(login.on_host(HOSTNAME_FILE));
    }
    let before = time::now();
    let shown = session.gather(&at_the_door(login), limits).await?;
    let clock = shown.and_then(|shown| read_clock(&shown, before, time::now(), login));
    let mut said = read_all(session, &paths, limits).await.into_iter();
    let machine_id = said.next().unwrap_or_else(|| Err(nothing_said()));
    let machine_id = fact(machine_id, expected.machine_id.is_some())?;
    let named = fact(
        hostname(session, login, said.next(), limits).await,
        expected.hostname.is_some(),
    )?;
    let is_name_of_file = named.as_ref().is_some_and(|(_, of_file)| *of_file);
    let hostname = named.map(|(name, _)| name);
    Ok(Seen {
        hostname,
        is_name_of_file,
        machine_id,
        clock,
    })
}

/// What says which machine it is, and what time it has, by one command where the login consents to that.
#[must_use]
pub fn at_the_door(login: &Login) -> Gathering {
    Gathering::Door(
        [MACHINE_ID_FILE, HOSTNAME_FILE]
            .map(|file| login.on_host(file))
            .into(),
    )
}

/// Compares what a host said with what the inventory pins.
///
/// # Errors
/// `mismatch` when the host is another.
pub fn is_meant(seen: &Seen, expected: &Identity) -> Result<(), Failure> {
    let (id, name) = (expected.machine_id.as_deref(), expected.hostname.as_deref());
    compare(
        "machine-id",
        id,
        seen.machine_id.as_deref(),
        str::eq_ignore_ascii_case,
    )?;
    compare("host name", name, seen.hostname.as_deref(), same_hostname)
}

/// The host's name: what its file says, where that was asked for, else what the command does.
async fn hostname(
    session: &dyn Session,
    login: &Login,
    of_the_file: Option<Result<String, Failure>>,
    limits: Limits,
) -> Result<(String, bool), Failure> {
    let of_file = |name| (name, true);
    match of_the_file {
        None => {}
        Some(Err(failure)) if !is_final(failure.kind) => {}
        Some(told) => return told.map(of_file),
    }
    if login.transport != Transport::Sftp {
        let words = HOSTNAME_COMMAND
            .iter()
            .map(|&word| word.to_owned())
            .collect();
        match session.run(&Command(words), limits).await {
            Ok(output) if output.status == 0 => {
                return one_line(&output.stdout, "`hostname`").map(|name| (name, false));
            }
            Err(failure) if is_final(failure.kind) => return Err(failure),
            _ => {}
        }
    }
    let name = read_all(session, &[login.on_host(HOSTNAME_FILE)], limits).await;
    let name = name.into_iter().next();
    name.unwrap_or_else(|| Err(nothing_said())).map(of_file)
}

async fn read_all(
    session: &dyn Session,
    paths: &[String],
    limits: Limits,
) -> Vec<Result<String, Failure>> {
    let taps: Vec<Tap<Vec<u8>>> = paths.iter().map(|_| Tap::new(Vec::new())).collect();
    let wanted = paths.iter().zip(&taps).map(|(path, tap)| Reading {
        path: path.clone(),
        span: Span::WHOLE,
        bytes: limits.bytes,
        sink: tap.sink(),
    });
    let read = session.read_all(wanted.collect(), limits.time).await;
    let lines = read.into_iter().zip(paths).zip(taps);
    let line = |(((read, _), path), tap): ((_, &String), Tap<Vec<u8>>)| {
        let read: Result<Receipt, ReadError> = read;
        match read.map_err(ReadError::told) {
            Ok(_) => one_line(&tap.take(), path),
            Err(Ok(failure)) => Err(failure),
            Err(Err(error)) => Err(Failure::new(
                FailureKind::Undefined,
                "to hold a short file in memory",
                error.to_string(),
            )),
        }
    };
    lines.map(line).collect()
}

fn nothing_said() -> Failure {
    Failure::new(FailureKind::Undefined, "an answer to each question", "none")
        .with_hint("this is a defect of gonogo: please report it")
}

fn one_line(bytes: &[u8], source: &str) -> Result<String, Failure> {
    let said = String::from_utf8_lossy(bytes);
    let line = said.trim();
    let clean = !line.is_empty() && line.len() <= 253 && !line.contains(text::is_unsafe);
    clean.then(|| line.to_owned()).ok_or_else(|| {
        Failure::new(
            FailureKind::Mismatch,
            "one line that names the host",
            text::clip(line, 80),
        )
        .with_subject(source)
    })
}

// A dead session must not look like a host without a machine-id.
pub(super) const fn is_final(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Timeout | FailureKind::Unreachable)
}

fn fact<T>(found: Result<T, Failure>, pinned: bool) -> Result<Option<T>, Failure> {
    match found {
        Ok(value) => Ok(Some(value)),
        Err(failure) if is_final(failure.kind) => Err(failure),
        Err(failure) if pinned => {
            let hint = format!(
                "the inventory pins this under `identity:` of the host, so it must be readable. {}",
                failure.hint
            );
            Err(failure.with_hint(hint))
        }
        Err(_) => Ok(None),
    }
}

fn compare(
    what: &str,
    expected: Option<&str>,
    seen: Option<&str>,
    same: impl Fn(&str, &str) -> bool,
) -> Result<(), Failure> {
    match (expected, seen) {
        (Some(expected), seen) if !seen.is_some_and(|seen| same(expected, seen)) => Err(Failure::new(
            FailureKind::Mismatch,
            format!("{what} `{expected}`"),
            seen.map_or_else(|| "none".to_owned(), |seen| format!("{what} `{seen}`")),
        )
        .with_hint("this is not the machine that the inventory means: check `address`, DNS and load balancers; if the machine was replaced, change `identity` in the inventory")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_pinned_must_match() {
        let name = |expected, seen| compare("host name", expected, seen, same_hostname);
        for (expected, seen) in [
            (None, Some("x")),
            (None, None),
            (Some("x"), Some("x")),
            (Some("x"), Some("x.example.com")),
        ] {
            assert!(name(expected, seen).is_ok(), "{expected:?} {seen:?}");
        }
        for seen in [None, Some("y"), Some("xx"), Some("y.x")] {
            assert_eq!(
                name(Some("x"), seen).unwrap_err().kind,
                FailureKind::Mismatch
            );
        }
        assert!(name(Some("x.a"), Some("x.b")).is_err());
    }

    #[test]
    fn a_pinned_fact_that_cannot_be_read_fails_and_an_unpinned_one_is_left_out() {
        let denied = || Err(Failure::new(FailureKind::Denied, "a", "b"));
        assert_eq!(fact::<()>(denied(), false).unwrap(), None);
        assert_eq!(
            fact::<()>(denied(), true).unwrap_err().kind,
            FailureKind::Denied
        );
        let dead = || Err(Failure::new(FailureKind::Timeout, "a", "b"));
        assert_eq!(
            fact::<()>(dead(), false).unwrap_err().kind,
            FailureKind::Timeout
        );
    }

    #[test]
    fn an_identity_is_one_clean_line() {
        assert_eq!(one_line(b"ny4-amps-1\n", "x").unwrap(), "ny4-amps-1");
        for bad in [&b""[..], b"\n", b"a\nb", b"a\x1b[2J"] {
            assert!(one_line(bad, "x").is_err(), "{bad:?}");
        }
    }
}
