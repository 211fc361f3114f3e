//! Go-live beside the vendor's release windows and what its releases need.

use jiff::{SignedDuration, Timestamp};

use super::{Judged, Moment, Short, go_live, place, proof, unsaid};
use crate::calendar::{Lean, Span};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Vendor, Windows};
use crate::time::rfc3339;

// A window of a week ends within two.
const AROUND: SignedDuration = SignedDuration::from_hours(16 * 24);

pub(super) fn outside_windows(vendor: &Vendor, moment: &Moment) -> Judged {
    let mut judged = Judged::default();
    let Some(windows) = &vendor.release_windows else {
        return judged.fail(unsaid(
            vendor,
            "release_windows",
            "the vendor's release windows",
            "release_windows: {hours: \"Wed-Fri 00:00-03:00\", timezone: America/Los_Angeles}",
        ));
    };
    let go_live = match go_live(moment) {
        Ok(go_live) => go_live,
        Err(failure) => return judged.fail(failure),
    };
    let hours = match windows {
        Windows::None => {
            judged.tell("the vendor has no release windows");
            return judged;
        }
        Windows::Weekly(hours) => hours,
    };
    let live = moment.live();
    let spans = hours.within(around(live), Lean::Wide);
    let zone = &hours.zone;
    let until = match live.to > live.from {
        true => format!(" to {}", zone.clock(live.to)),
        false => String::new(),
    };
    let said = format!(
        "{}{until} {} ({})",
        zone.clock(go_live),
        zone.name(),
        rfc3339(go_live)
    );
    judged.tell(format!("go-live at {said}"));
    if let Some(next) = spans.iter().find(|span| span.to > go_live) {
        judged.tell(format!("window {}", hours.say(next)));
    }
    let during = spans
        .iter()
        .find(|span| span.from < live.to && live.from < span.to);
    let Some(window) = spans.around(go_live).or(during) else {
        return judged;
    };
    judged.fail(
        Failure::new(
            FailureKind::Mismatch,
            "a go-live outside the vendor's release windows",
            format!("go-live at {said}, in the window {}", hours.say(window)),
        )
        .with_subject(place(vendor, "release_windows"))
        .with_hint("while the vendor changes its service nobody can tell whose change broke what: choose another time"),
    )
}

fn around(live: Span) -> Span {
    Span {
        from: live.from.checked_sub(AROUND).unwrap_or(Timestamp::MIN),
        to: live.to.checked_add(AROUND).unwrap_or(Timestamp::MAX),
    }
}

/// Judged at go-live where that is known; `demanded`: and only there.
pub(super) fn none_overdue(vendor: &Vendor, moment: &Moment, demanded: bool) -> Judged {
    let mut judged = Judged::default();
    let Some(announced) = &vendor.announced else {
        return judged.fail(unsaid(
            vendor,
            "announced",
            "the releases that the vendor has announced",
            "announced: []",
        ));
    };
    let by = match (moment.go_live, demanded) {
        (None, false) => moment.started,
        _ => match go_live(moment) {
            Ok(_) => moment.latest(),
            Err(failure) => return judged.fail(failure),
        },
    };
    let day = vendor.day(by);
    let mut short = Vec::new();
    for release in announced {
        let name = &release.release;
        let Some((action, due)) = &release.action else {
            judged.tell(format!("{name}: needs nothing"));
            continue;
        };
        match release.done {
            Some(done) if done <= proof::latest(moment) => {
                judged.tell(format!("{name}: {action}: done on {done}"));
            }
            Some(done) => short.push(Short {
                kind: FailureKind::Stale,
                what: format!("{name}: {action}: told as done on {done}, which is yet to come"),
            }),
            None if day > *due => short.push(Short {
                kind: FailureKind::Stale,
                what: format!("{name}: {action}: due by {due} and not done"),
            }),
            None => judged.tell(format!("{name}: {action}: due by {due}")),
        }
    }
    judged.unless_short(
        format!("nothing overdue on {day}"),
        short,
        place(vendor, "announced"),
        "do it, and write `done: DAY` beside it; or have go-live wait",
    )
}
