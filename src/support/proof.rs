//! Whether something was proven lately enough. Proofs are days without a time, written in any zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Moment, Short};
use crate::calendar::days_between;
use crate::failure::FailureKind;
use crate::inventory::Proven;

/// The day in UTC.
pub(super) fn today(moment: &Moment) -> Date {
    day(moment.started)
}

fn day(instant: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(instant).date()
}

/// The latest day that it is anywhere: a day behind it is yet to come.
pub(super) fn latest(moment: &Moment) -> Date {
    let ahead = moment.started.checked_add(SignedDuration::from_hours(14));
    ahead.map_or_else(|_| today(moment), day)
}

/// Why `what` does not count as proven within so many days; nothing when it does.
pub(super) fn short(
    what: &str,
    proven: Option<&Proven>,
    within: u32,
    moment: &Moment,
) -> Option<Short> {
    let short = |kind, why: String| {
        Some(Short {
            kind,
            what: format!("{what} {why}"),
        })
    };
    let Some(Proven { date, by }) = proven else {
        return short(FailureKind::Missing, "was never proven".to_owned());
    };
    if *date > latest(moment) {
        let why = format!("is told as proven on {date}, which is yet to come");
        return short(FailureKind::Stale, why);
    }
    let age = days_between(*date, today(moment));
    if age > i64::from(within) {
        let why = format!("was last proven on {date} by {by}, {age} days ago");
        return short(FailureKind::Stale, why);
    }
    None
}

/// The same as a line of a transcript.
pub(super) fn told(what: &str, proven: Option<&Proven>) -> String {
    match proven {
        Some(Proven { date, by }) => format!("{what}: proven on {date} by {by}"),
        None => format!("{what}: never proven"),
    }
}
