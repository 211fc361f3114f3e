//! Tests over whole runs without a network: what becomes of checks that cannot be judged.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::record::{Record, Slots, StepRecord, taken};
use super::recorder::Recorder;
use super::*;
use crate::failure::FailureKind;
use crate::inventory::Inventory;
use crate::plan::{self, Filters};
use crate::verdict::StepOutcome;

struct Count(Arc<AtomicUsize>);

impl Watch for Count {
    fn see(&mut self, event: Event<'_>) {
        if matches!(event, Event::Finished(..)) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Two instances on two hosts that nobody listens on, each behind the same hop.
fn plan() -> Arc<Plan> {
    let inventory = "\
environment: test
ssh: {host_key: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', password_env: GONOGO_TEST_UNSET, connect_timeout: 2s, via: [hop]}
hosts:
  a: {address: 127.0.0.1, port: 1}
  b: {address: 127.0.0.2, port: 1}
  hop: {address: 127.0.0.3, port: 1, via: []}
teams: {ops: {user: ops}}
instances:
  one: {product: amps, host: a, teams: [ops], vars: {home: /o}}
  two: {product: amps, host: b, teams: [ops], vars: {home: /o}}
";
    let inventory = Inventory::parse(Path::new("i.yaml"), inventory.as_bytes().to_vec()).unwrap();
    let root = tempfile::tempdir().unwrap();
    let feature = "Feature: f\n  Scenario: s\n    Given each instance\n    When the team connects\n    Then these artifacts can be retrieved:\n      | version |\n      | configuration |\n      | event log |\n      | statistics |\n";
    fs::write(root.path().join("a.feature"), feature).unwrap();
    let written = plan::read(&[root.path().to_owned()]).unwrap();
    Arc::new(plan::make(&Arc::new(inventory), written, &Filters::default()).unwrap())
}

fn options() -> Options {
    Options {
        jobs: 4,
        per_host: 2,
        per_hop: 1,
        limit_rate: None,
        keys: crate::transport::Keyring::default(),
        keep: None,
        cancel: CancellationToken::new(),
        moment: crate::support::Moment {
            started: crate::time::now(),
            go_live: None,
            go_live_until: None,
        },
        only: None,
    }
}

#[tokio::test]
async fn every_planned_check_gets_a_record_when_nobody_can_be_reached() {
    let (plan, seen) = (plan(), Arc::new(AtomicUsize::new(0)));
    let ran = run(plan.clone(), options(), Box::new(Count(seen.clone()))).await;
    assert_eq!((ran.records.len(), seen.load(Ordering::Relaxed)), (2, 2));
    for record in &ran.records {
        assert!(!record.passed());
        let failure = record.failure.as_ref().unwrap();
        assert_eq!(
            (failure.kind, failure.host.as_deref()),
            (FailureKind::Unreachable, Some("hop"))
        );
        let outcomes: Vec<_> = record.steps.iter().map(|step| step.outcome).collect();
        assert_eq!(
            outcomes,
            [
                StepOutcome::Passed,
                StepOutcome::Failed,
                StepOutcome::NotRun
            ]
        );
    }
}

#[tokio::test]
async fn a_cancelled_run_still_records_every_check_and_none_as_passed() {
    let options = options();
    options.cancel.cancel();
    let ran = run(plan(), options, Box::new(Count(Arc::default()))).await;
    assert_eq!(ran.records.len(), 2);
    for record in &ran.records {
        assert!(!record.passed() && record.started.is_none());
        assert!(
            record
                .failure
                .as_ref()
                .unwrap()
                .actual
                .contains("the run ended")
        );
    }
}

fn passed() -> Record {
    let step = StepRecord {
        outcome: StepOutcome::Passed,
        duration_ms: 1,
    };
    let started = Some(crate::time::now());
    Record {
        started,
        duration_ms: 3,
        steps: vec![step; 3],
        evidence: Vec::new(),
        facts: None,
        disks: Vec::new(),
        probes: Vec::new(),
        transcript: String::new(),
        failure: None,
        at_login: false,
        fault: None,
    }
}

#[test]
fn a_record_without_its_end_and_an_end_without_a_record_are_both_lost() {
    let plan = plan();
    let slots = Arc::new(Slots::new(2));
    // Filled, yet cucumber never told of its end.
    slots.fill(0, passed());
    let recorder = Recorder::new(plan, slots, Box::new(Count(Arc::default())));
    let (records, fault) = recorder.finish(false);
    assert_eq!((records.len(), fault), (2, None));
    assert!(records.iter().all(|record| !record.passed()
        && record.failure.as_ref().unwrap().kind == FailureKind::Undefined));
}

#[test]
fn a_slot_is_judged_once() {
    let slots = Slots::new(1);
    let why = crate::failure::Failure::new(FailureKind::Io, "a", "b");
    slots.fill(0, Record::not_run(3, why));
    slots.fill(0, passed());
    slots.fill(7, passed());
    assert!(!slots.get(0).unwrap().passed());
}

#[test]
fn a_record_comes_out_of_its_slot_whoever_still_looks() {
    let slots = Arc::new(Slots::new(2));
    slots.fill(1, passed());
    let looking = slots.clone();
    for slots in [slots, looking] {
        let kept = taken(slots);
        let passed: Vec<_> = kept
            .iter()
            .map(|kept| kept.as_ref().map(Record::passed))
            .collect();
        assert_eq!(passed, [None, Some(true)]);
    }
}

#[test]
fn passed_means_every_step_and_at_least_one() {
    assert!(passed().passed());
    assert!(
        !Record {
            steps: Vec::new(),
            ..passed()
        }
        .passed()
    );
    assert!(
        !Record {
            fault: Some("disk".to_owned()),
            ..passed()
        }
        .passed()
    );
    for outcome in [StepOutcome::Failed, StepOutcome::NotRun] {
        let mut record = passed();
        record.steps[1].outcome = outcome;
        assert!(!record.passed());
    }
}
