//! What a run will use on each host with each login: the list that `gonogo plan` prints and that the
//! run's guard enforces.

use std::collections::{BTreeMap, BTreeSet};

use super::Check;
use crate::inventory::{Elevate, Inventory, Login, Transport};
use crate::steps::{HOSTNAME_COMMAND, HOSTNAME_FILE, MACHINE_ID_FILE, Touch, command_line};
use crate::transport::{Command, elevated, link_command, list_command, read_command, stat_command};

/// One login on one host.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    /// Key of the host.
    pub host: String,
    /// Key of the team.
    pub team: String,
    /// How it gets there.
    pub login: Login,
    /// What it uses there, sorted; nothing else will be.
    pub touches: BTreeSet<Touch>,
}

impl Visit {
    /// Every command line as it reaches the host: elevated where the login is, and with those that read
    /// files where SFTP cannot (`stat`, `find`, `head`). A pattern stands for each file that it matches,
    /// `SIZE` for the size that the file has when it is read.
    #[must_use]
    pub fn commands(&self) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        for touch in &self.touches {
            let commands = match touch {
                Touch::Execute(words) => vec![Command(words.clone())],
                Touch::Read(pattern) if self.reads_by_command() => reading(pattern),
                Touch::Read(_) => Vec::new(),
            };
            lines.extend(
                commands
                    .iter()
                    .map(|command| command_line(&elevated(&self.login.elevate, command).0)),
            );
        }
        lines
    }

    /// Whether files are read by commands: without SFTP, or with `sudo`.
    #[must_use]
    pub fn reads_by_command(&self) -> bool {
        self.login.transport == Transport::Exec || self.login.elevate != Elevate::None
    }
}

fn reading(pattern: &str) -> Vec<Command> {
    let mut head = read_command(pattern, 0);
    for word in head.0.iter_mut().filter(|word| *word == "0") {
        "SIZE".clone_into(word);
    }
    let mut commands = vec![stat_command(pattern), link_command(pattern), head];
    let is_glob = |part: &str| part.contains(['*', '?', '[']);
    let parts: Vec<&str> = pattern.split('/').collect();
    for (depth, _) in parts.iter().enumerate().filter(|(_, part)| is_glob(part)) {
        commands.push(list_command(&parts[..depth].join("/")));
    }
    commands
}

pub(super) fn visits(inventory: &Inventory, checks: &[Check]) -> Vec<Visit> {
    let mut order = Vec::new();
    let mut touched: BTreeMap<(String, String), BTreeSet<Touch>> = BTreeMap::new();
    for check in checks {
        let (Some(host), Some(team)) = (&check.subject.host, &check.subject.team) else {
            continue;
        };
        if !check.steps.iter().any(|step| step.call.needs_session()) {
            continue;
        }
        let key = (host.clone(), team.clone());
        let touches = touched.entry(key.clone()).or_insert_with(|| {
            order.push(key);
            BTreeSet::new()
        });
        touches.extend(
            check
                .steps
                .iter()
                .flat_map(|step| step.call.touches(&check.subject, inventory)),
        );
    }
    let visit = |key: (String, String)| {
        let login = inventory.login(&key.0, &key.1)?.clone();
        let mut touches = touched.remove(&key)?;
        touches.extend(identity(&login));
        Some(Visit {
            host: key.0,
            team: key.1,
            login,
            touches,
        })
    };
    order.into_iter().filter_map(visit).collect()
}

/// Every host is asked who it is.
fn identity(login: &Login) -> Vec<Touch> {
    let mut touches = vec![
        // A shut-in account has files of these names only if somebody put copies there.
        Touch::Read(login.on_host(MACHINE_ID_FILE)),
        Touch::Read(login.on_host(HOSTNAME_FILE)),
    ];
    if login.transport != Transport::Sftp {
        touches.push(Touch::Execute(
            HOSTNAME_COMMAND
                .iter()
                .map(|&word| word.to_owned())
                .collect(),
        ));
    }
    touches
}
