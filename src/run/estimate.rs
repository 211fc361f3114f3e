//! `gonogo plan --estimate`: how much a run would fetch, as the hosts' own listings tell it now. Through the same
//! door and the same guard as a run; lists what the plan would read, and reads nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::door::{LaneDoor, Registry};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Format, Source, mask};
use crate::plan::{Plan, Visit};
use crate::steps::Door as _;
use crate::transport::{EntryKind, Keyring, Limits, Session, Ways};

/// Hosts looked at side by side; the logins of one host come one after the other.
const HOSTS: usize = 16;

/// One artifact of one instance, as one team would fetch it.
#[derive(Debug)]
pub struct Share {
    /// Key of the instance.
    pub instance: String,
    /// Key of its host.
    pub host: String,
    /// Key of the team.
    pub team: String,
    /// Name of the artifact.
    pub artifact: String,
    /// What is there, or why that cannot be told.
    pub found: Result<Found, Failure>,
}

/// What an artifact would weigh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Files, and their bytes together.
    Files {
        /// Number of files.
        files: u64,
        /// Their sizes together.
        bytes: u64,
    },
    /// A command or an HTTP request: nobody knows before it is made.
    Unknown,
}

/// Whose artifact it is, in the plan's order.
type Wanted = (String, Artifact);

/// Looks at every host of the plan. Shares come in the order of the plan's logins.
pub async fn estimate(plan: &Arc<Plan>, keys: Keyring, cancel: CancellationToken) -> Vec<Share> {
    let ways = Ways::with(keys);
    let mut by_host: BTreeMap<&str, Vec<(usize, &Visit)>> = BTreeMap::new();
    for (at, visit) in plan.visits.iter().enumerate() {
        by_host.entry(&visit.host).or_default().push((at, visit));
    }
    let looks = by_host.into_values().map(|visits| {
        let (ways, cancel) = (ways.clone(), cancel.clone());
        async move {
            let mut shares = Vec::new();
            for (at, visit) in visits {
                let found = login(plan, visit, ways.clone(), cancel.clone()).await;
                shares.push((at, found));
            }
            shares
        }
    });
    let mut shares: Vec<(usize, Vec<Share>)> =
        stream::iter(looks).buffer_unordered(HOSTS).concat().await;
    shares.sort_by_key(|(at, _)| *at);
    shares.into_iter().flat_map(|(_, shares)| shares).collect()
}

/// What one login would fetch.
async fn login(plan: &Plan, visit: &Visit, ways: Ways, cancel: CancellationToken) -> Vec<Share> {
    let wanted = wanted(plan, visit);
    let hold = ways.hold(&visit.login);
    let (registry, inventory) = (Registry::default(), &plan.inventory);
    let door = LaneDoor::new(visit.clone(), inventory, registry, ways.clone(), cancel);
    let mut shares = Vec::new();
    for (instance, artifact) in wanted {
        // A session that a deadline has ended is opened anew; a refused login is not tried again.
        let found = match door.session().await {
            Ok(session) => weigh(visit, &*session, &artifact).await,
            Err(failure) => Err(failure),
        };
        shares.push(Share {
            instance,
            host: visit.host.clone(),
            team: visit.team.clone(),
            artifact: artifact.name,
            found: found.map_err(|one| one.with_login(&visit.login.host, &visit.login.user)),
        });
    }
    door.close().await;
    drop(hold);
    shares
}

/// Each artifact that the login's checks fetch, once.
fn wanted(plan: &Plan, visit: &Visit) -> Vec<Wanted> {
    let mut seen = BTreeSet::new();
    let mut wanted = Vec::new();
    for check in &plan.checks {
        let subject = &check.subject;
        let is_here = subject.host.as_ref() == Some(&visit.host)
            && subject.team.as_ref() == Some(&visit.team);
        let instance = subject.instance.as_deref().filter(|_| is_here);
        let Some(instance) = instance.and_then(|name| plan.inventory.instance(name)) else {
            continue;
        };
        let steps = check.steps.iter();
        for artifact in steps.flat_map(|step| step.call.about(instance, Some(&visit.team))) {
            if !artifact.listing && seen.insert((&instance.name, &artifact.name)) {
                wanted.push((instance.name.clone(), artifact.clone()));
            }
        }
    }
    wanted
}

async fn weigh(
    visit: &Visit,
    session: &dyn Session,
    artifact: &Artifact,
) -> Result<Found, Failure> {
    let pattern = match &artifact.source {
        Source::Path(path) => path.clone(),
        Source::Mask(mask) => mask::pattern(mask),
        Source::Command(_) | Source::Journal(_) | Source::Http(_) => return Ok(Found::Unknown),
    };
    let mut patterns = vec![pattern.clone()];
    if artifact.format == Some(Format::Sqlite) {
        patterns.extend(["-wal", "-journal"].map(|end| format!("{pattern}{end}")));
    }
    let (mut files, mut bytes) = (0, 0_u64);
    for (at, pattern) in patterns.iter().enumerate() {
        let limits = Limits {
            time: visit.login.deadline,
            bytes: visit.login.max_bytes,
        };
        let entries = match session.list(pattern, limits).await {
            // What lies beside a database need not be there.
            Err(failure) if at > 0 && failure.kind == FailureKind::Missing => Vec::new(),
            listed => listed?,
        };
        for entry in entries.iter().filter(|one| one.kind == EntryKind::File) {
            files += 1;
            bytes = bytes.saturating_add(entry.size);
        }
    }
    match files {
        0 => Err(
            Failure::new(FailureKind::Missing, "at least one file", "nothing matches")
                .with_subject(&pattern)
                .with_hint("check the artifact's `path` and the instance's `vars`"),
        ),
        _ => Ok(Found::Files { files, bytes }),
    }
}
