//! One check: its steps in order, until the first that does not pass, within its deadline.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use tokio::sync::mpsc::UnboundedSender;

use super::Options;
use super::record::{Record, StepRecord};
use super::runner::Said;
use crate::evidence::transcript::Transcript;
use crate::failure::{Failure, FailureKind};
use crate::inventory::Inventory;
use crate::plan::Check;
use crate::steps::{Call, Door, Stop, World, deadline_passed, perform};
use crate::time;
use crate::verdict::StepOutcome;

// Every operation ends by the deadline itself and then knows what hung: this one only catches what
// does not.
const GRACE: Duration = Duration::from_secs(1);
// A check without a login opens nothing and waits for nobody.
const WITHOUT_LOGIN: Duration = Duration::from_secs(120);

pub(super) async fn judge(
    check: &Check,
    index: usize,
    inventory: &Arc<Inventory>,
    door: Option<Arc<dyn Door>>,
    options: &Options,
    said: &UnboundedSender<Said>,
) -> Record {
    let (started, clock) = (time::now(), Instant::now());
    let deadline = clock
        + door
            .as_ref()
            .map_or(WITHOUT_LOGIN, |door| door.login().deadline);
    let (host, account) = door.as_ref().map_or(("none", "none"), |door| {
        (door.login().host.as_str(), door.login().user.as_str())
    });
    let transcript = Transcript::new(&check.id, host, account);
    let mut world = World::new(
        check.subject.clone(),
        inventory.clone(),
        door.clone(),
        deadline,
        options.keep.clone(),
        transcript,
    )
    .at(options.moment);
    let mut steps = Vec::with_capacity(check.steps.len());
    let (mut failure, mut at_login, mut fault) = (None, false, None);
    for (at, step) in check.steps.iter().enumerate() {
        if failure.is_some() {
            steps.push(StepRecord {
                outcome: StepOutcome::NotRun,
                duration_ms: 0,
            });
            continue;
        }
        if matches!(*step.call, Call::Person(_)) {
            // What comes after it is performed all the same: a failure is known before anybody is asked.
            steps.push(StepRecord {
                outcome: StepOutcome::Pending,
                duration_ms: 0,
            });
            let _ = said.send(Said::StepSkipped(index, at));
            continue;
        }
        let _ = said.send(Said::StepStarted(index, at));
        let clock = Instant::now();
        let stopped = step_within(&step.call, &mut world, deadline, door.as_deref()).await;
        let duration_ms = millis(clock);
        match stopped {
            Ok(()) => {
                steps.push(StepRecord {
                    outcome: StepOutcome::Passed,
                    duration_ms,
                });
                let _ = said.send(Said::StepPassed(index, at));
            }
            Err(stop) => {
                let why = explain(stop, &mut fault);
                world.transcript.failure(&why);
                steps.push(StepRecord {
                    outcome: StepOutcome::Failed,
                    duration_ms,
                });
                let _ = said.send(Said::StepFailed(index, at, why.clone()));
                at_login = door.as_ref().is_some_and(|door| door.is_shut());
                failure = Some(why);
            }
        }
    }
    let evidence = world.evidence();
    let (facts, disks) = (world.facts.take(), std::mem::take(&mut world.disks));
    let probes = std::mem::take(&mut world.probes);
    let transcript = world.transcript.finish();
    Record {
        started: Some(started),
        duration_ms: millis(clock),
        steps,
        evidence,
        facts,
        disks,
        probes,
        transcript,
        failure,
        at_login,
        fault,
    }
}

async fn step_within(
    call: &Call,
    world: &mut World,
    deadline: Instant,
    door: Option<&dyn Door>,
) -> Result<(), Stop> {
    let performed = AssertUnwindSafe(perform(call, world)).catch_unwind();
    match tokio::time::timeout_at((deadline + GRACE).into(), performed).await {
        Ok(Ok(done)) => done,
        Ok(Err(_panic)) => Err(Failure::new(
            FailureKind::Undefined,
            "the step to be judged",
            "gonogo itself failed (a panic, told on stderr)",
        )
        .with_hint("this is a defect of gonogo: please report it with what stderr says")
        .into()),
        Err(_elapsed) => Err(match door {
            Some(door) => deadline_passed(door.login()).into(),
            None => Failure::new(
                FailureKind::Timeout,
                "the check to end",
                "the deadline passed",
            )
            .into(),
        }),
    }
}

fn explain(stop: Stop, fault: &mut Option<String>) -> Failure {
    match stop {
        Stop::Failure(failure) => failure,
        Stop::Fault(reason) => {
            let failure = Failure::new(FailureKind::Undefined, "the check to be judged", reason.clone())
                .with_hint("mend the machine that gonogo runs on, and run again; nothing is known about this check");
            *fault = Some(reason);
            failure
        }
    }
}

fn millis(clock: Instant) -> u64 {
    u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX)
}
