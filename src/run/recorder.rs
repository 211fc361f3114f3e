//! cucumber's writer: follows the events, tells who watches, and at the end gives every planned check
//! its record. A check counts only if its slot is filled *and* its end was seen as an event.

use std::sync::Arc;

use cucumber::event::{Cucumber, Feature, RetryableScenario, Scenario};
use cucumber::{parser, writer};

use super::parser::slot;
use super::record::{self, Record, Slots};
use super::world;
use crate::failure::{Failure, FailureKind};
use crate::plan::{Check, Plan};

/// What a watcher is told.
pub enum Event<'a> {
    /// A check began.
    Started(&'a Check),
    /// A check ended.
    Finished(&'a Check, &'a Record),
}

/// Whoever shows progress. It cannot change what is recorded.
pub trait Watch {
    /// Takes one event; must not block for long.
    fn see(&mut self, event: Event<'_>);
}

pub(super) struct Recorder {
    plan: Arc<Plan>,
    slots: Arc<Slots>,
    ended: Vec<bool>,
    watch: Box<dyn Watch>,
}

impl Recorder {
    pub(super) fn new(plan: Arc<Plan>, slots: Arc<Slots>, watch: Box<dyn Watch>) -> Self {
        let ended = vec![false; plan.checks.len()];
        Self {
            plan,
            slots,
            ended,
            watch,
        }
    }

    fn scenario(&mut self, scenario: &gherkin::Scenario, event: &RetryableScenario<world::Check>) {
        let Some(index) = slot(scenario) else {
            return;
        };
        let Some(check) = self.plan.checks.get(index) else {
            return;
        };
        match event.event {
            Scenario::Started => self.watch.see(Event::Started(check)),
            Scenario::Finished => {
                self.ended[index] = true;
                if let Some(record) = self.slots.get(index) {
                    self.watch.see(Event::Finished(check, record));
                }
            }
            _ => {}
        }
    }

    /// One record for each planned check, and the first fault of ours.
    pub(super) fn finish(self, cancelled: bool) -> (Vec<Record>, Option<String>) {
        let kept = record::taken(self.slots);
        let records: Vec<Record> = (self.plan.checks.iter().zip(&self.ended).zip(kept))
            .map(|((check, ended), kept)| match kept {
                Some(record) if *ended => record,
                _ => Record::not_run(check.steps.len(), not_judged(check, cancelled)),
            })
            .collect();
        let fault = records.iter().find_map(|record| record.fault.clone());
        (records, fault)
    }
}

fn not_judged(check: &Check, cancelled: bool) -> Failure {
    let (actual, hint) = match cancelled {
        true => (
            "the run ended before this check did",
            "run again; nothing is known about this check",
        ),
        false => (
            "the check was lost",
            "this is a defect of gonogo: please report it",
        ),
    };
    let failure =
        Failure::new(FailureKind::Undefined, "the check to be judged", actual).with_hint(hint);
    Failure {
        host: check.subject.host.clone(),
        ..failure
    }
}

impl writer::Normalized for Recorder {}

impl cucumber::Writer<world::Check> for Recorder {
    type Cli = cucumber::cli::Empty;

    async fn handle_event(
        &mut self,
        event: parser::Result<cucumber::Event<Cucumber<world::Check>>>,
        _: &Self::Cli,
    ) {
        let event = event.map(cucumber::Event::into_inner);
        if let Ok(Cucumber::Feature(_, Feature::Scenario(scenario, event))) = event {
            self.scenario(&scenario, &event);
        }
    }
}
