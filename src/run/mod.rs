//! Doing what the plan says: `cucumber` drives the plan through a parser, a runner and a writer of our
//! own, because the stock runner reports success where nothing ran (facts: cucumber.md 1).
//!
//! One check, one slot. Whatever happens (a hung peer, a panic, Ctrl-C), every planned check ends with
//! a record, and none of them is `passed` unless all of its steps were performed and passed.

mod by_host;
mod check;
mod discover;
mod door;
mod estimate;
mod guard;
mod hung;
mod lane;
mod merge;
mod met;
mod parser;
mod record;
mod recorder;
mod replay;
mod report;
mod restate;
mod runner;
#[cfg(test)]
mod tests;
mod told;
mod weeks;
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;

use cucumber::Cucumber;
use tokio_util::sync::CancellationToken;

pub use discover::{Discovered, discover, discovery};
pub use estimate::{Found, Share, estimate};
pub use merge::{Given, Terms, Whole, merge, unlike, waiver_file};
pub use record::{Record, StepRecord};
pub use recorder::{Event, Watch};
pub use replay::{Unlike, again, recorded_inventory, replay};
pub use report::{Circumstances, Files, moment, report};
pub use restate::{Before, differences, restate, to_run_again};

use crate::plan::Plan;
use crate::steps::Keep;
use crate::support::Moment;
use crate::transport::Keyring;
use door::Registry;

/// How a run is done.
#[derive(Clone)]
pub struct Options {
    /// Sessions at once, in all.
    pub jobs: usize,
    /// Sessions at once on one host.
    pub per_host: usize,
    /// Sessions at once through one hop. They share one login to it, so that this bounds what it carries
    /// and how many targets it opens, not how often it is knocked at.
    pub per_hop: usize,
    /// Bytes a second from one host, when they are limited.
    pub limit_rate: Option<u64>,
    /// The run's key files, with the passphrases that a person gave.
    pub keys: Keyring,
    /// Where raw artifacts are kept, when they are.
    pub keep: Option<Arc<Keep>>,
    /// Cancelled to end the run early; what was judged by then stays judged.
    pub cancel: CancellationToken,
    /// The times that the support process is judged by.
    pub moment: Moment,
    /// The places in the plan of the checks to run, when the others are carried over from an earlier run.
    pub only: Option<Arc<BTreeSet<usize>>>,
}

/// What a run left.
pub struct Ran {
    /// One record for each check of the plan, in its order.
    pub records: Vec<Record>,
    /// What each reached host proved and said.
    pub hosts: Registry,
    /// A fault of ours that ended the run.
    pub fault: Option<String>,
}

/// Runs the plan. `watch` is told of every check as it starts and ends.
pub async fn run(plan: Arc<Plan>, options: Options, watch: Box<dyn Watch>) -> Ran {
    let hosts = Registry::default();
    let slots = Arc::new(record::Slots::new(plan.checks.len()));
    let runner = runner::Runner::new(plan.clone(), options.clone(), hosts.clone(), slots.clone());
    let recorder = recorder::Recorder::new(plan.clone(), slots, watch);
    // `with_default_cli` keeps cucumber from reading our command line (facts: cucumber.md 1).
    let recorder = Cucumber::<world::Check, _, _, _, _>::custom(parser::Parser, runner, recorder)
        .with_default_cli()
        .run(plan)
        .await;
    let (records, fault) = recorder.finish(options.cancel.is_cancelled());
    Ran {
        records,
        hosts,
        fault,
    }
}
