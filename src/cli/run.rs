//! `gonogo run`, from arguments to a signed verdict. [`carry_out`] reads like the road in ARCHITECTURE.md;
//! `gonogo demo` takes the same road.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::args::Run;
use super::circumstances;
use super::fault::{Exit, Fault};
use super::follows::{self, Follows};
use super::go_live::{self, GoLive};
use super::signals::Ended;
use super::signing::Signing;
use super::{passphrase, people, plan, progress, rerun, signals, term};
use crate::plan::Plan;
use crate::report::directory::Draft;
use crate::report::schema::{Report, Subject};
use crate::report::sealed::Sealed;
use crate::report::{self, Style};
use crate::steps::Keep;
use crate::transport::Keyring;
use crate::{run, text, time};

pub(super) fn run(args: &Run) -> Result<Exit, Fault> {
    let mut plan = plan::make(&args.what)?;
    people::waive(&args.waive, &mut plan)?;
    let go_live = go_live::told(args, &plan)?;
    args.split.cut(&mut plan)?;
    let keep = match &args.keep {
        Some(directory) => Some(Keep::new(directory).map_err(|error| {
            let directory = directory.to_string_lossy();
            Fault::new(
                Exit::Fault,
                format!(
                    "cannot keep artifacts in `{}`: {error}",
                    text::escape(&directory)
                ),
                "name a directory that you may write",
            )
        })?),
        None => None,
    };
    let order = Order {
        plan,
        kind: "run",
        out: args.out.clone(),
        signing: args.signing.clone(),
        rerun: args.rerun_failed.clone(),
        follows: match (&args.history, &args.previous) {
            (Some(folder), _) => Follows::Newest(folder.clone()),
            (None, Some(run)) => Follows::Run(run.clone()),
            (None, None) => Follows::Nothing,
        },
        subject: args.subject.told()?,
        challenge: args.challenge.clone(),
        go_live,
        keep: keep.map(Arc::new),
        jobs: args.jobs,
        per_host: args.per_host,
        per_hop: args.per_hop,
        limit_rate: args.limit_rate,
        deadline: args.deadline,
        quiet: args.quiet,
    };
    carry_out(order, &runtime()?, |_| {})
}

/// What a run needs to know.
pub(super) struct Order {
    pub plan: Plan,
    pub kind: &'static str,
    pub out: PathBuf,
    pub signing: Signing,
    pub rerun: Option<PathBuf>,
    pub follows: Follows,
    pub subject: Option<Subject>,
    pub challenge: Option<String>,
    pub go_live: GoLive,
    pub keep: Option<Arc<Keep>>,
    pub jobs: usize,
    pub per_host: usize,
    pub per_hop: usize,
    pub limit_rate: Option<u64>,
    pub deadline: Option<Duration>,
    pub quiet: bool,
}

/// The threads that a run needs.
pub(super) fn runtime() -> Result<Runtime, Fault> {
    Runtime::new()
        .map_err(|error| Fault::new(Exit::Fault, format!("cannot start threads: {error}"), ""))
}

/// Plan → run → evidence → verdict → report → sign. Whatever would stop the writing of the run at its
/// end (files, key, place) is asked before anything is contacted. `sealed` is told of the run before the
/// verdict is printed, which stays the last line.
pub(super) fn carry_out(
    order: Order,
    runtime: &Runtime,
    sealed: impl FnOnce(&Sealed),
) -> Result<Exit, Fault> {
    let missing = order.plan.inventory.check_files();
    if !missing.is_empty() {
        return Err(missing.into());
    }
    let openssh = circumstances::openssh(&order.plan)?;
    let key = order.signing.open()?;
    Signing::outlasts(&key, order.deadline)?;
    people::not_the_runner(&order.plan, &key)?;
    let place = follows::place(
        &order.follows,
        &order.out,
        &order.plan.inventory.environment,
    )?;
    let previous = place.previous.as_ref();
    let rerun = order.rerun.as_deref();
    let rerun = rerun
        .map(|run| rerun::open(run, &order.plan, order.subject.as_ref(), &key))
        .transpose()?;
    let restated = rerun.as_ref().map(|(before, _)| before);
    if let (Some(before), Some(previous)) = (restated, previous)
        && previous.digest.to_string() != before.digest
    {
        return Err(Fault::new(
            Exit::Refused,
            format!(
                "run {} is not the newest: `{}` came after it",
                text::escape(&before.report.run.id),
                text::escape(&previous.name)
            ),
            "what was found meanwhile would be passed over: restate the newest run, or run everything, without --rerun-failed",
        ));
    }
    // Before there is a draft: from here on Ctrl-C leaves an aborted run, never half a directory.
    let cancel = CancellationToken::new();
    let ended = runtime.block_on(async { signals::watch(&cancel, order.deadline) })?;
    let keys = Keyring::default();
    if !passphrase::ask(&keys, &order.plan, &cancel)? {
        let ended = ended.get().copied().unwrap_or(Ended::Interrupted);
        return Err(Fault::new(
            ended.exit(),
            ended.reason(),
            "nothing was contacted",
        ));
    }
    let draft = Draft::create(&order.out)?;
    let mut circumstances = circumstances::begin(order.kind, previous);
    circumstances.run.tool.openssh = openssh;
    circumstances.run.subject = order.subject;
    if order.plan.part.is_some() {
        // A shard has no place in the chain of runs: what it is merged into has.
        circumstances.run.number = None;
    }
    circumstances.run.challenge = order.challenge;
    circumstances.run.go_live = order.go_live.from.map(time::rfc3339);
    circumstances.run.go_live_until = order.go_live.until.map(time::rfc3339);

    let plan = Arc::new(order.plan);
    let options = run::Options {
        jobs: order.jobs,
        per_host: order.per_host,
        per_hop: order.per_hop,
        limit_rate: order.limit_rate,
        keys,
        keep: order.keep,
        cancel,
        moment: circumstances::moment(&circumstances)?,
        only: rerun.as_ref().map(|(_, again)| Arc::new(again.clone())),
    };
    let to_run = (rerun.as_ref()).map_or(plan.checks.len(), |(_, again)| again.len());
    let watch = progress::watcher(to_run, order.quiet);
    let started = Instant::now();
    let ran = runtime.block_on(run::run(plan.clone(), options, watch));
    let took = started.elapsed();
    let ended = ended.get().copied();

    let (key, unproven) = order.signing.renewed(key);
    let fault = ran.fault.clone().or(unproven);
    circumstances::end(&mut circumstances, ended, fault.as_deref());
    let (mut report, mut files) = run::report(&plan, &ran, circumstances);
    if let Some((before, again)) = &rerun {
        let waivers = plan.waivers.as_ref();
        run::restate(&mut report, &mut files, before, again, waivers);
    }
    let run = report::seal(draft, &key, &report, files, previous)?;

    show(&report);
    term::say(&format!("took {}", time::say(took)));
    term::say(&format!(
        "signed by {} ({}) in {}",
        text::escape(key.identity()),
        key.fingerprint(),
        text::escape(&run.dir.to_string_lossy())
    ));
    // A shard is HOLD for want of the others, too.
    if report.verdict.decision == "HOLD" && report.counts.pending > 0 {
        // What is answered of a shard is lost in the merge.
        let dir = match report.run.scope.shard {
            None => run.dir.to_string_lossy(),
            Some(_) => "MERGED-RUN".into(),
        };
        term::say(&format!(
            "people are asked: `gonogo attest {} --list` tells what is due, and how it is answered",
            text::escape(&text::shell_word(&dir))
        ));
    }
    sealed(&run);
    term::out(&format!("{}\n", report.verdict.decision));
    Ok(match (ended, &fault) {
        (Some(ended), _) => {
            term::say(&format!("the run was ended early: {}", ended.reason()));
            ended.exit()
        }
        (None, Some(fault)) => {
            return Err(Fault::new(
                Exit::Fault,
                text::escape(fault),
                "the run was sealed as aborted; mend this machine or its key, and run again",
            ));
        }
        (None, None) => exit_of(&report),
    })
}

/// Failures and sums to stderr; the verdict itself is the last line of stdout.
pub(super) fn show(report: &Report) {
    let style = Style {
        color: term::colour_err(),
        width: term::live().then(term::width),
    };
    let shown = report::text::render(report, style);
    let without_verdict = shown
        .trim_end()
        .rsplit_once('\n')
        .map_or("", |(before, _)| before);
    term::say(without_verdict.trim_end());
}

pub(super) fn exit_of(report: &Report) -> Exit {
    match report.verdict.decision.as_str() {
        "GO" => Exit::Go,
        "HOLD" => Exit::Hold,
        _ => Exit::NoGo,
    }
}
