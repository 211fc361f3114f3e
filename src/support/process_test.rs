//! The case that tries the whole process: opened, and answered by a person in time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Judged, Moment, place, unsaid};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Vendor;
use crate::time::{rfc3339, say};

/// Clocks of two companies need not agree to the minute.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

pub(super) fn in_time(vendor: &Vendor, moment: &Moment, days: Option<u32>) -> Judged {
    let mut judged = Judged::default();
    let example = "process_test: {case: \"00012345\", opened: 2026-10-01T09:30:00-04:00, acknowledged: 2026-10-01T10:02:00-04:00, within: 4h}";
    let Some(test) = &vendor.process_test else {
        return judged.fail(unsaid(
            vendor,
            "process_test",
            "a case that tried the process",
            example,
        ));
    };
    let (case, opened, within) = match (&test.case, test.opened, test.within) {
        (Some(case), Some(opened), Some(within)) => (case, opened, within),
        (case, opened, _) => {
            let key = match (case, opened) {
                (None, _) => "case",
                (_, None) => "opened",
                _ => "within",
            };
            return judged.fail(unsaid(
                vendor,
                &format!("process_test: {key}"),
                "a case with its number, when it was opened, and within which time it is answered",
                example,
            ));
        }
    };
    judged.tell(format!("case {case}: opened at {}", rfc3339(opened)));
    judged.tell(format!("to be acknowledged within {}", say(within)));
    let fail = |judged: Judged, kind, expected: String, actual: String, hint: &str| {
        let failure = Failure::new(kind, expected, actual).with_hint(hint);
        judged.fail(failure.with_subject(place(vendor, "process_test")))
    };
    let ahead = |time: Timestamp| time.duration_since(moment.started) > AHEAD;
    let told = [Some(opened), test.acknowledged];
    if let Some(time) = told.into_iter().flatten().find(|time| ahead(*time)) {
        let actual = format!("case {case} tells {}, which is yet to come", rfc3339(time));
        let hint = "see the day and the offset from UTC";
        return fail(
            judged,
            FailureKind::Stale,
            "times that are past".into(),
            actual,
            hint,
        );
    }
    let Some(acknowledged) = test.acknowledged else {
        let waited = since(opened, moment.started);
        let kind = match waited > within {
            true => FailureKind::Stale,
            false => FailureKind::Missing,
        };
        let actual = format!(
            "case {case} is not acknowledged, {} after it was opened",
            say(waited)
        );
        let hint = "wait for a person at the vendor's, write `acknowledged: TIME`; if nobody answers, escalate";
        let expected = format!("an acknowledgement within {}", say(within));
        return fail(judged, kind, expected, actual, hint);
    };
    let took = since(opened, acknowledged);
    judged.tell(format!(
        "acknowledged at {}, after {}",
        rfc3339(acknowledged),
        say(took)
    ));
    if took > within {
        let actual = format!("case {case} was acknowledged after {}", say(took));
        let hint = "talk to the vendor about it before it matters, and open another test case";
        let expected = format!("an acknowledgement within {}", say(within));
        return fail(judged, FailureKind::Stale, expected, actual, hint);
    }
    let Some(days) = days else {
        return judged;
    };
    let age = since(opened, moment.started);
    if age > Duration::from_secs(u64::from(days) * 86_400) {
        let actual = format!("case {case} was opened {} ago", say(age));
        let hint =
            "open a test case again, announced as a test, and write down when it was answered";
        let expected = format!("a test case of the last {days} days");
        return fail(judged, FailureKind::Stale, expected, actual, hint);
    }
    judged
}

fn since(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
