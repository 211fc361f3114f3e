//! `verify --go-live TIME`: that the run was made for it is a binding (`report/verify/demands.rs`); here it is held to
//! the release windows of those vendors of which the run's features did not ask them.

use super::args::Verify;
use crate::plan::Plan;
use crate::report::verify::{Ruling, Verified};
use crate::run::{again, moment};
use crate::steps::Call;
use crate::support::{Ask, Heard};
use crate::text::escape;

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
    let plan = match again(report, &args.run) {
        Ok(plan) => plan,
        Err(why) => {
            let why = format!("go-live: the vendors' release windows are not known: {why}");
            ruling.reasons.push(why);
            return ruling;
        }
    };
    for vendor in &plan.inventory.vendors {
        // What a check judged stands in the verdict, and may be waived there.
        if vendor.release_windows.is_none() || is_asked(&plan, &vendor.name) {
            continue;
        }
        let heard = Heard::default();
        let judged = Ask::OutsideWindows.judge(vendor, &plan.inventory, &moment, &heard);
        if let Some(failure) = judged.failure {
            ruling.reasons.push(format!(
                "go-live: vendor `{}`: {}",
                escape(&vendor.name),
                escape(&failure.actual)
            ));
        }
    }
    ruling
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
