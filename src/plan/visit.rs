//! What a run will use on each host with each login: the list that `gonogo plan` prints and that the
//! run's guard enforces.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Planned};
use crate::inventory::{Elevate, Inventory, Login, Transport};
use crate::steps::{HOSTNAME_COMMAND, HOSTNAME_FILE, MACHINE_ID_FILE, Touch};
use crate::transport::{Command, elevated};

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
        self.planned().iter().map(Planned::line).collect()
    }

    /// The same commands, word by word.
    #[must_use]
    pub fn planned(&self) -> BTreeSet<Planned> {
        let sudo = elevated(&self.login.elevate, &Command(Vec::new())).0;
        let planned = self.touches.iter().flat_map(|touch| match touch {
            Touch::Execute(words) => vec![Planned::exact(&Command(words.clone()))],
            Touch::Read(pattern) if self.reads_by_command() => Planned::reading(pattern),
            Touch::Read(_) => Vec::new(),
        });
        let elevate = |planned| Planned {
            sudo: sudo.clone(),
            ..planned
        };
        planned.map(elevate).collect()
    }

    /// Whether files are read by commands: without SFTP, or with `sudo`.
    #[must_use]
    pub fn reads_by_command(&self) -> bool {
        self.login.transport == Transport::Exec || self.login.elevate != Elevate::None
    }
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
