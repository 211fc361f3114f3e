//! When the drill of the support process is due.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::{Judged, Moment, place, proof, unsaid};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Drill, Vendor};

/// The last drill and the day by which the next one is due.
///
/// # Errors
/// When nothing is said of it, or what is said is yet to come.
pub(super) fn due(vendor: &Vendor, moment: &Moment) -> Result<(Date, Date), Failure> {
    let expected = "the day of the last drill";
    let example = "drill: {last: 2026-10-01}";
    let Some(Drill { last, .. }) = &vendor.drill else {
        return Err(unsaid(vendor, "drill", expected, example));
    };
    let last = last.ok_or_else(|| unsaid(vendor, "drill: last", expected, example))?;
    if last > proof::latest(moment) {
        let actual = format!("{last}, which is yet to come");
        return Err(Failure::new(FailureKind::Stale, "a drill that was done", actual)
            .with_subject(place(vendor, "drill"))
            .with_hint("`last` is the day on which the drill was done, not the one for which it is planned"));
    }
    Ok((last, after(vendor, last)))
}

/// The day by which the next one is due.
pub(super) fn after(vendor: &Vendor, last: Date) -> Date {
    let interval = vendor
        .drill
        .as_ref()
        .map_or(Drill::INTERVAL, |drill| drill.interval);
    let next = last.checked_add(i64::from(interval).days());
    next.unwrap_or(Date::MAX)
}

pub(super) fn not_overdue(vendor: &Vendor, moment: &Moment) -> Judged {
    let mut judged = Judged::default();
    let (last, next) = match due(vendor, moment) {
        Ok(days) => days,
        Err(failure) => return judged.fail(failure),
    };
    judged.tell(format!("last drill on {last}, the next is due by {next}"));
    if proof::today(moment) <= next {
        return judged;
    }
    let expected = format!("a drill by {next}");
    let actual = format!(
        "the last one was on {last}, and it is {}",
        proof::today(moment)
    );
    judged.fail(
        Failure::new(FailureKind::Stale, expected, actual)
            .with_subject(place(vendor, "drill"))
            .with_hint("rehearse the support process from retrieval to the vendor's answer, and write its day into `drill: {last: …}`"),
    )
}
