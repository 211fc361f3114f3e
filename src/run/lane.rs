//! Lanes: all checks of one login on one host, one after the other over one session. Lanes run side by
//! side, bounded in all, on each host and through each hop.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

use super::Options;
use super::check;
use super::door::{LaneDoor, Registry};
use super::record::{Record, Slots};
use super::runner::Said;
use crate::inventory::Login;
use crate::plan::{Plan, Visit};
use crate::steps::Door;
use crate::transport::{Hold, Ways};

/// One lane: whose session, and which checks.
struct Lane {
    visit: Option<Visit>,
    checks: Vec<usize>,
}

/// Runs every check of the plan; returns when all lanes have ended.
pub(super) async fn run_all(
    plan: Arc<Plan>,
    options: Options,
    hosts: Registry,
    slots: Arc<Slots>,
    said: mpsc::UnboundedSender<Said>,
) {
    let limits = Arc::new(Limits::new(&plan, &options));
    let ways = Ways::with(options.keys.clone()).limited(options.limit_rate);
    let mut lanes = lanes(&plan);
    if let Some(only) = &options.only {
        for lane in &mut lanes {
            lane.checks.retain(|index| only.contains(index));
        }
        // Nobody is contacted for what is carried over.
        lanes.retain(|lane| !lane.checks.is_empty());
    }
    // All before the first begins: a hop stays connected until the last lane through it has ended.
    let held = |lane: &Lane| lane.visit.as_ref().map(|visit| ways.hold(&visit.login));
    let holds: Vec<Option<Hold>> = lanes.iter().map(held).collect();
    let mut running = JoinSet::new();
    for (lane, hold) in lanes.into_iter().zip(holds) {
        let shared = Shared {
            plan: plan.clone(),
            options: options.clone(),
            hosts: hosts.clone(),
            ways: ways.clone(),
            slots: slots.clone(),
            said: said.clone(),
        };
        let limits = limits.clone();
        running.spawn(async move {
            drive(lane, shared, &limits).await;
            drop(hold);
        });
    }
    // A lane that panicked leaves empty slots, which the recorder reports as failed.
    while running.join_next().await.is_some() {}
}

/// What every lane needs.
struct Shared {
    plan: Arc<Plan>,
    options: Options,
    hosts: Registry,
    ways: Ways,
    slots: Arc<Slots>,
    said: mpsc::UnboundedSender<Said>,
}

async fn drive(lane: Lane, shared: Shared, limits: &Limits) {
    let cancel = shared.options.cancel.clone();
    let _permits = tokio::select! {
        biased;
        () = cancel.cancelled() => return,
        permits = limits.enter(lane.visit.as_ref().map(|visit| &*visit.login)) => permits,
    };
    let door = lane.visit.map(|visit| {
        Arc::new(LaneDoor::new(
            visit,
            &shared.plan.inventory,
            shared.hosts,
            shared.ways,
            cancel.clone(),
        ))
    });
    let mut cut_off = None;
    for index in lane.checks {
        let Some(planned) = shared.plan.checks.get(index) else {
            continue;
        };
        // A receiver that is gone means that nobody records any more: there is nothing left to do.
        if cancel.is_cancelled() || shared.said.send(Said::Started(index)).is_err() {
            break;
        }
        let way = door.clone().map(|door| door as Arc<dyn Door>);
        let judged = check::judge(
            planned,
            index,
            &shared.plan.inventory,
            way,
            &shared.options,
            &shared.said,
        );
        let record = tokio::select! {
            biased;
            () = cancel.cancelled() => {
                cut_off = Some((index, planned.steps.len()));
                break;
            }
            record = judged => record,
        };
        if record.fault.is_some() {
            cancel.cancel();
        }
        shared.slots.fill(index, record);
        let _ = shared.said.send(Said::Finished(index));
    }
    if let Some(door) = door {
        if let (Err(failure), Some((index, steps))) = (door.settle().await, cut_off) {
            shared.slots.fill(index, Record::not_run(steps, failure));
        }
        door.close().await;
    }
}

fn lanes(plan: &Plan) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = plan
        .visits
        .iter()
        .map(|visit| Lane {
            visit: Some(visit.clone()),
            checks: Vec::new(),
        })
        .collect();
    let at: HashMap<(&str, &str), usize> = plan
        .visits
        .iter()
        .enumerate()
        .map(|(index, visit)| ((visit.host.as_str(), visit.team.as_str()), index))
        .collect();
    let mut elsewhere = Lane {
        visit: None,
        checks: Vec::new(),
    };
    for (index, check) in plan.checks.iter().enumerate() {
        let login = check
            .subject
            .host
            .as_deref()
            .zip(check.subject.team.as_deref());
        match login.and_then(|login| at.get(&login)) {
            Some(&lane) => lanes[lane].checks.push(index),
            None => elsewhere.checks.push(index),
        }
    }
    lanes.push(elsewhere);
    lanes
}

/// How many sessions may be open at once.
struct Limits {
    all: Arc<Semaphore>,
    hosts: HashMap<String, Arc<Semaphore>>,
    hops: HashMap<String, Arc<Semaphore>>,
}

impl Limits {
    fn new(plan: &Plan, options: &Options) -> Self {
        let bounded = |number: usize| Arc::new(Semaphore::new(number.max(1)));
        let hosts = plan
            .visits
            .iter()
            .map(|visit| (visit.host.clone(), bounded(options.per_host)))
            .collect();
        let hops = plan
            .visits
            .iter()
            .flat_map(|visit| &visit.login.via)
            .map(|hop| (hop.host.clone(), bounded(options.per_hop)))
            .collect();
        Self {
            all: bounded(options.jobs),
            hosts,
            hops,
        }
    }

    /// Waits for a place on the host, on each hop, then in all. Every lane asks in this order, hops by
    /// name, so that no two wait for each other.
    async fn enter(&self, login: Option<&Login>) -> Vec<OwnedSemaphorePermit> {
        let mut doors = Vec::new();
        if let Some(login) = login {
            doors.extend(self.hosts.get(&login.host));
            let mut hops: Vec<&str> = login.via.iter().map(|hop| hop.host.as_str()).collect();
            hops.sort_unstable();
            hops.dedup();
            doors.extend(hops.into_iter().filter_map(|hop| self.hops.get(hop)));
        }
        doors.push(&self.all);
        let mut permits = Vec::with_capacity(doors.len());
        for door in doors {
            // The semaphores are never closed.
            permits.extend(door.clone().acquire_owned().await);
        }
        permits
    }
}
