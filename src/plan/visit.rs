//! What a run will use on each host with each login: the list that `gonogo plan` prints and that the
//! run's guard enforces.

use std::collections::{BTreeMap, BTreeSet};

use super::Check;
use crate::inventory::{Inventory, Login, Transport};
use crate::steps::{HOSTNAME_COMMAND, HOSTNAME_FILE, MACHINE_ID_FILE, Touch};

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
        Touch::Read(MACHINE_ID_FILE.to_owned()),
        Touch::Read(HOSTNAME_FILE.to_owned()),
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
