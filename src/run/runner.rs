//! cucumber's runner: starts the lanes and turns what they say into cucumber's events.
//!
//! `event::Cucumber` is not `Send`, so lanes send a plain [`Said`] and the events are made here, on the
//! stream's side (facts: cucumber.md 3).

use std::sync::Arc;

use cucumber::Event;
use cucumber::event::{self, Cucumber, Scenario, Source, StepError};
use futures::stream::{self, LocalBoxStream, StreamExt as _};
use tokio::sync::mpsc;

use super::door::Registry;
use super::lane;
use super::parser::slot;
use super::record::Slots;
use super::{Options, world};
use crate::failure::Failure;
use crate::plan::Plan;

/// What a lane says of a check: index of the check, then of the step.
pub(super) enum Said {
    Started(usize),
    StepStarted(usize, usize),
    StepPassed(usize, usize),
    StepFailed(usize, usize, Failure),
    StepSkipped(usize, usize),
    Finished(usize),
}

pub(super) struct Runner {
    plan: Arc<Plan>,
    options: Options,
    hosts: Registry,
    slots: Arc<Slots>,
}

impl Runner {
    pub(super) fn new(
        plan: Arc<Plan>,
        options: Options,
        hosts: Registry,
        slots: Arc<Slots>,
    ) -> Self {
        Self {
            plan,
            options,
            hosts,
            slots,
        }
    }
}

type Happened = cucumber::parser::Result<Event<Cucumber<world::Check>>>;

/// A planned scenario as cucumber knows it: by pointer.
#[derive(Clone)]
struct Known {
    feature: Source<gherkin::Feature>,
    scenario: Source<gherkin::Scenario>,
    steps: Vec<Source<gherkin::Step>>,
}

impl cucumber::Runner<world::Check> for Runner {
    type Cli = cucumber::cli::Empty;
    type EventStream = LocalBoxStream<'static, Happened>;

    fn run<S>(self, features: S, _: Self::Cli) -> Self::EventStream
    where
        S: futures::Stream<Item = cucumber::parser::Result<gherkin::Feature>> + 'static,
    {
        let events = async move {
            let features: Vec<_> = features
                .filter_map(|feature| async { feature.ok() })
                .collect()
                .await;
            let known = know(features, self.plan.checks.len());
            let (said, hear) = mpsc::unbounded_channel();
            tokio::spawn(lane::run_all(
                self.plan,
                self.options,
                self.hosts,
                self.slots,
                said,
            ));
            let heard = stream::unfold(hear, |mut hear| async {
                hear.recv().await.map(|said| (said, hear))
            });
            let happened = heard.filter_map(move |said| {
                let event = translate(&known, said);
                async { event.map(|event| Ok(Event::new(event))) }
            });
            let first = stream::iter([Ok(Event::new(Cucumber::Started))]);
            first
                .chain(happened)
                .chain(stream::iter([Ok(Event::new(Cucumber::Finished))]))
        };
        stream::once(events).flatten().boxed_local()
    }
}

fn know(features: Vec<gherkin::Feature>, checks: usize) -> Vec<Option<Known>> {
    let mut known = vec![None; checks];
    for mut feature in features {
        let scenarios = std::mem::take(&mut feature.scenarios);
        let feature = Source::new(feature);
        for scenario in scenarios {
            if let Some(place) = slot(&scenario).and_then(|index| known.get_mut(index)) {
                let steps = scenario.steps.iter().cloned().map(Source::new).collect();
                *place = Some(Known {
                    feature: feature.clone(),
                    scenario: Source::new(scenario),
                    steps,
                });
            }
        }
    }
    known
}

fn translate(known: &[Option<Known>], said: Said) -> Option<Cucumber<world::Check>> {
    let index = match said {
        Said::Started(index) | Said::Finished(index) => index,
        Said::StepStarted(index, _)
        | Said::StepPassed(index, _)
        | Said::StepSkipped(index, _)
        | Said::StepFailed(index, ..) => index,
    };
    let Known {
        feature,
        scenario,
        steps,
    } = known.get(index)?.clone()?;
    let step = |at: usize| steps.get(at).cloned();
    let event = match said {
        Said::Started(_) => Scenario::Started,
        Said::Finished(_) => Scenario::Finished,
        Said::StepStarted(_, at) => Scenario::step_started(step(at)?),
        Said::StepSkipped(_, at) => Scenario::step_skipped(step(at)?),
        Said::StepPassed(_, at) => Scenario::step_passed(step(at)?, nothing_captured()?, None),
        Said::StepFailed(_, at, failure) => {
            let info: event::Info = Arc::new(failure);
            Scenario::step_failed(step(at)?, None, None, None, StepError::Panic(info))
        }
    };
    Some(Cucumber::scenario(
        feature,
        None::<Source<gherkin::Rule>>,
        scenario,
        event.with_retries(None),
    ))
}

// Matching was done by the plan; the event still wants capture locations.
fn nothing_captured() -> Option<regex::CaptureLocations> {
    static NOTHING: std::sync::LazyLock<Option<regex::Regex>> =
        std::sync::LazyLock::new(|| regex::Regex::new("").ok());
    NOTHING.as_ref().map(regex::Regex::capture_locations)
}
