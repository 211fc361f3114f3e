//! What a check left behind, and the slots that hold it.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use crate::evidence::Evidence;
use crate::evidence::host_facts::{Disk, HostFacts};
use crate::failure::Failure;
use crate::probe::Probe;
use crate::verdict::StepOutcome;

/// What became of one check.
#[derive(Clone, Debug)]
pub struct Record {
    /// When it began; `None` when it never did.
    pub started: Option<Timestamp>,
    /// Wall time in milliseconds, queueing not counted.
    pub duration_ms: u64,
    /// One for each step of the plan, performed or not.
    pub steps: Vec<StepRecord>,
    /// What was retrieved.
    pub evidence: Vec<Evidence>,
    /// What a step learnt of the host.
    pub facts: Option<HostFacts>,
    /// File systems whose free space a step judged.
    pub disks: Vec<Disk>,
    /// What was asked of the network.
    pub probes: Vec<Probe>,
    /// The redacted transcript; empty when the check never began.
    pub transcript: String,
    /// Why it failed; `None` means that every step was performed and passed, but for a person's.
    pub failure: Option<Failure>,
    /// It failed before there was a session with the machine that is meant.
    pub at_login: bool,
    /// A fault of ours that stopped it. Such a check is failed, and ends the run.
    pub fault: Option<String>,
}

/// What became of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepRecord {
    /// Passed, failed or not run.
    pub outcome: StepOutcome,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
}

impl Record {
    /// A check of `steps` steps of which none was performed.
    pub(super) fn not_run(steps: usize, failure: Failure) -> Self {
        Self {
            started: None,
            duration_ms: 0,
            steps: vec![
                StepRecord {
                    outcome: StepOutcome::NotRun,
                    duration_ms: 0
                };
                steps
            ],
            evidence: Vec::new(),
            facts: None,
            disks: Vec::new(),
            probes: Vec::new(),
            transcript: String::new(),
            failure: Some(failure),
            at_login: false,
            fault: None,
        }
    }

    /// True when every step was performed and passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        let all = self
            .steps
            .iter()
            .all(|step| step.outcome == StepOutcome::Passed);
        all && !self.steps.is_empty() && self.failure.is_none() && self.fault.is_none()
    }

    /// True when all that could be performed passed, and a person's word is due.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        let mut steps = self.steps.iter();
        let all =
            steps.all(|step| matches!(step.outcome, StepOutcome::Passed | StepOutcome::Pending));
        all && !self.passed()
            && self.failure.is_none()
            && self.fault.is_none()
            && !self.steps.is_empty()
    }
}

/// One slot for each planned check, each filled at most once.
pub(super) struct Slots(Vec<OnceLock<Record>>);

impl Slots {
    pub(super) fn new(checks: usize) -> Self {
        Self((0..checks).map(|_| OnceLock::new()).collect())
    }

    /// The first record stays: a slot is never judged twice.
    pub(super) fn fill(&self, index: usize, record: Record) {
        if let Some(slot) = self.0.get(index) {
            let _ = slot.set(record);
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<&Record> {
        self.0.get(index)?.get()
    }
}

/// What every slot holds. Copied only where somebody else still looks: transcripts of many checks are most of what a
/// run remembers.
pub(super) fn taken(slots: Arc<Slots>) -> Vec<Option<Record>> {
    match Arc::try_unwrap(slots) {
        Ok(slots) => slots.0.into_iter().map(OnceLock::into_inner).collect(),
        Err(shared) => shared.0.iter().map(|slot| slot.get().cloned()).collect(),
    }
}
