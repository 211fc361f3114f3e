//! A vendor's SFTP drop: reached, its host key compared with the pin, and with a key logged in and the
//! directory looked at. Nothing is written, opened or sent.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::evidence::redact::Capture;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{AgentKey, Auth, Client, Elevate, Gather, Login, Transport};
use crate::probe::{Drop, DropLogin, Inbox, Lack};
use crate::transport::{EntryKind, Limits, Ways};

const SLOW: &str =
    "ask the vendor whether its drop box is well: it took the connection and did not go on";

/// No listing is asked for that could be larger.
const MOST: u64 = 1 << 20;

pub(super) async fn ask(drop: &Drop, time: Duration) -> Inbox {
    let mut inbox = Inbox {
        host_key: None,
        login: false,
        directory: None,
        lack: None,
    };
    if let Err(failure) = look(drop, time, &mut inbox).await {
        let actual = Capture::new(failure.actual.clone()).excerpt(500);
        inbox.lack = Some(Lack::of(Failure { actual, ..failure }));
    }
    inbox
}

async fn look(drop: &Drop, time: Duration, inbox: &mut Inbox) -> Result<(), Failure> {
    let Some(pin) = &drop.host_key else {
        return Err(Failure::new(
            FailureKind::HostKey,
            "a pin of the drop box's host key",
            "the inventory says none",
        )
        .with_hint("ask the vendor for the fingerprint and write it as `host_key: \"SHA256:…\"`: without it anybody could take what is handed over"));
    };
    let ways = Ways::default();
    let login = login(drop, pin, time);
    let Some(_) = &drop.login else {
        // The host key comes before any account does: whoever is turned away has seen it proven.
        return match ways.connect(&login, &CancellationToken::new()).await {
            Err(failure) if failure.kind != FailureKind::Auth => Err(failure),
            _ => {
                inbox.host_key = Some(pin.clone());
                Ok(())
            }
        };
    };
    let session = ways.connect(&login, &CancellationToken::new()).await;
    let session = session.map_err(theirs)?;
    inbox.host_key = Some(session.greeting().host_key.clone());
    inbox.login = true;
    let directory = drop.directory.as_deref().unwrap_or("/");
    let path = format!("/{}", directory.trim_start_matches('/'));
    let limits = Limits { time, bytes: MOST };
    let found = session.list(&path, limits).await;
    session.close().await;
    match found.map_err(|failure| inside(failure, &path))?.first() {
        Some(entry) if entry.kind == EntryKind::Directory => {
            inbox.directory = Some(path);
            Ok(())
        }
        Some(_) => Err(Failure::new(
            FailureKind::NotRegular,
            "a directory",
            format!("{path} is none"),
        )
        .with_hint("correct `directory`; it is taken from the root of what the account sees")),
        None => Err(absent(&path)),
    }
}

fn absent(path: &str) -> Failure {
    let actual = format!("{path} is not there");
    Failure::new(FailureKind::Missing, "a directory", actual)
        .with_hint("correct `directory`; it is taken from the root of what the account sees")
}

/// Who is turned away by a vendor's server cannot look into its log.
fn theirs(failure: Failure) -> Failure {
    match failure.kind {
        FailureKind::Auth => {
            let hint = format!(
                "look at the key here, then ask the vendor, whose server it is: {}",
                failure.hint
            );
            failure.with_hint(hint)
        }
        FailureKind::Timeout => failure.with_hint(SLOW),
        _ => failure,
    }
}

/// What was found of the directory, in the words of the intake.
fn inside(failure: Failure, path: &str) -> Failure {
    match failure.kind {
        FailureKind::Missing => absent(path),
        FailureKind::Denied => {
            let actual = format!("{path}: {}", failure.actual);
            Failure { actual, ..failure }
                .with_hint("ask the vendor to let this account into `directory`, or correct it")
        }
        _ => theirs(failure),
    }
}

fn login(drop: &Drop, pin: &str, time: Duration) -> Login {
    let way = drop.login.iter().map(|login| match login {
        DropLogin::Key {
            path,
            passphrase_env,
        } => Auth::Key {
            path: path.clone(),
            certificate: None,
            passphrase_env: passphrase_env.clone(),
        },
        DropLogin::Agent => Auth::Agent(AgentKey::Any),
        DropLogin::Password { env } => Auth::Password { env: env.clone() },
    });
    Login {
        host: drop.host.clone(),
        team: "intake".to_owned(),
        address: drop.host.clone(),
        port: drop.port,
        user: drop.user.clone(),
        auth: way.collect(),
        known_hosts: Vec::new(),
        host_key: Some(pin.to_owned()),
        connect_timeout: time,
        deadline: time,
        clock_tolerance: time,
        max_bytes: MOST,
        elevate: Elevate::None,
        transport: Transport::Sftp,
        gather: Gather::Each,
        client: Client::Ssh2,
        ssh_config: None,
        chroot: None,
        via: Vec::new(),
    }
}
