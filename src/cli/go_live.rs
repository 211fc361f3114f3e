//! The time at which the estate goes live. `run` takes it, and contacts nobody where it lies in a release window that
//! no check asks about; `verify --go-live TIME` binds the run to it (`report/verify/demands.rs`) and holds it to the
//! same windows.

use jiff::{SignedDuration, Timestamp};

use super::args::{Run, Verify};
use super::fault::{Exit, Fault};
use crate::plan::Plan;
use crate::report::verify::{Ruling, Verified};
use crate::run::{again, moment};
use crate::steps::Call;
use crate::support::{Ask, Heard, Moment};
use crate::text::escape;
use crate::time;

/// Nobody goes live for longer.
const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// From when to when, as far as it was said.
#[derive(Clone, Copy, Default)]
pub(super) struct GoLive {
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

impl GoLive {
    /// One that nobody gave a length.
    pub(super) const fn at(from: Timestamp) -> Self {
        Self {
            from: Some(from),
            until: None,
        }
    }
}

/// What the arguments of a run say of it.
///
/// # Errors
/// When it ends before it begins, or lies in a window of a vendor whom no check of `plan` asks.
pub(super) fn told(args: &Run, plan: &Plan) -> Result<GoLive, Fault> {
    let refused = |why: String, hint: &str| Err(Fault::new(Exit::Refused, why, hint));
    let told = GoLive {
        from: args.go_live,
        until: args.go_live_until,
    };
    if let (Some(from), Some(until)) = (told.from, told.until) {
        let said = format!("{} to {}", time::rfc3339(from), time::rfc3339(until));
        if until <= from {
            let why = format!("go-live ends before it begins: {said}");
            return refused(why, "see the day and the offset of `--go-live-until`");
        }
        if until.duration_since(from) > LONGEST {
            let why = format!("go-live takes longer than a week: {said}");
            return refused(why, "see the day of `--go-live-until`");
        }
    }
    let moment = Moment {
        started: time::now(),
        go_live: told.from,
        go_live_until: told.until,
    };
    let inside = match told.from {
        Some(_) => unasked(plan, &moment),
        None => Vec::new(),
    };
    if inside.is_empty() {
        return Ok(told);
    }
    refused(
        inside.join("\nerror: "),
        "no check of this run asks about it: choose another time, or add `Then go-live lies outside the release windows`, whose failure can be waived",
    )
}

/// Holds the go-live to what the run's inventory says; nothing where none was named.
pub(super) fn hold(args: &Verify, verified: &Verified) -> Ruling {
    let mut ruling = Ruling::default();
    if args.made_for.go_live.is_none() {
        return ruling;
    }
    let report = verified.report();
    let Some(moment) = moment(&report.run) else {
        let why = "go-live: the run does not tell its times";
        ruling.reasons.push(why.to_owned());
        return ruling;
    };
    match again(report, &args.run) {
        Ok(plan) => ruling.reasons = unasked(&plan, &moment),
        Err(why) => {
            let why = format!("go-live: the vendors' release windows are not known: {why}");
            ruling.reasons.push(why);
        }
    }
    ruling
}

/// The vendors in whose release windows go-live lies, and whom no check asks.
fn unasked(plan: &Plan, moment: &Moment) -> Vec<String> {
    let mut inside = Vec::new();
    for vendor in &plan.inventory.vendors {
        // What a check judged stands in the verdict, and may be waived there.
        if vendor.release_windows.is_none() || is_asked(plan, &vendor.name) {
            continue;
        }
        let heard = Heard::default();
        let judged = Ask::OutsideWindows.judge(vendor, &plan.inventory, moment, &heard);
        if let Some(failure) = judged.failure {
            inside.push(format!(
                "go-live: vendor `{}`: {}",
                escape(&vendor.name),
                escape(&failure.actual)
            ));
        }
    }
    inside
}

/// Whether a check of the run asked that of the vendor.
fn is_asked(plan: &Plan, vendor: &str) -> bool {
    let of_vendor = plan.checks.iter();
    let mut of_vendor = of_vendor.filter(|check| check.subject.vendor.as_deref() == Some(vendor));
    of_vendor.any(|check| {
        let mut calls = check.steps.iter().map(|step| &*step.call);
        calls.any(|call| matches!(call, Call::Vendor(Ask::OutsideWindows)))
    })
}
