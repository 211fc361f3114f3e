//! What the entries of a log must say about their age.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{File, When, say, signed};
use crate::failure::{Failure, FailureKind};
use crate::time;

// Clocks of well-run hosts agree within seconds; an entry later than this is from a wrong clock, and
// would make a dead log look alive.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Oldest and newest over the whole rotated set.
pub(super) struct Times<'a> {
    pub oldest: Option<Timestamp>,
    pub newest: Option<Timestamp>,
    /// The file with the newest.
    pub path: &'a str,
}

pub(super) fn times<'a>(files: &[File<'a>]) -> Times<'a> {
    let mut times = Times {
        oldest: None,
        newest: None,
        path: files.first().map_or("", |file| file.path),
    };
    for file in files {
        let seen = file.seen;
        if seen.newest.is_some() && seen.newest >= times.newest {
            (times.newest, times.path) = (seen.newest, file.path);
        }
        times.oldest = [times.oldest, seen.oldest].into_iter().flatten().min();
    }
    times
}

/// Judges the newest `thing` (entry, sample) against a span that ends now.
pub(in crate::steps) fn fresh(
    newest: Option<Timestamp>,
    span: Duration,
    thing: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    fresh_when(newest, span, thing, &When::at(now))
}

pub(super) fn fresh_when(
    newest: Option<Timestamp>,
    span: Duration,
    thing: &str,
    when: &When,
) -> Result<(), Failure> {
    let expected = format!("one {thing} from the last {}", time::say(span));
    let Some(newest) = newest else {
        return Err(Failure::new(
            FailureKind::Stale,
            expected,
            format!("no {thing} with a time"),
        ));
    };
    not_from_the_future(newest, thing, when)?;
    let age = when.earliest.duration_since(newest);
    if age <= signed(span).saturating_add(when.slack) {
        return Ok(());
    }
    Err(Failure::new(FailureKind::Stale, expected, format!("the newest is from {}, {} ago", time::rfc3339(newest), say(age)))
        .with_hint(format!("is the instance running, and does it still write to these files? A path of an old rotation or of another instance also shows as an old {thing}")))
}

pub(super) fn covered(times: &Times<'_>, span: Duration, when: &When) -> Result<(), Failure> {
    let expected = format!("entries that cover the last {}", time::say(span));
    let (Some(oldest), Some(newest)) = (times.oldest, times.newest) else {
        return Err(Failure::new(
            FailureKind::Gap,
            expected,
            "no entry with a time",
        ));
    };
    not_from_the_future(newest, "entry", when)?;
    let held = format!(
        "entries from {} to {}",
        time::rfc3339(oldest),
        time::rfc3339(newest)
    );
    if !reaches(oldest, span, when) {
        return Err(Failure::new(FailureKind::Gap, expected, held).with_hint(YOUNG));
    }
    if when.earliest.duration_since(newest) > signed(span).saturating_add(when.slack) {
        return Err(Failure::new(FailureKind::Gap, expected, held)
            .with_hint("the log ends before the span begins: is the instance running, and does it still write to these files?"));
    }
    Ok(())
}

/// Why a log may not go back as far as it must.
pub(super) const YOUNG: &str = "older files were removed, are not matched by the artifact's `path`, or the instance is younger than that: compare rotation and removal rules with what the vendor needs";

/// Whether a log that begins with `oldest` knows the whole span up to now.
pub(super) fn reaches(oldest: Timestamp, span: Duration, when: &When) -> bool {
    when.latest
        .duration_since(oldest)
        .saturating_add(when.slack)
        >= signed(span)
}

pub(super) fn none_from_future(newest: Option<Timestamp>, when: &When) -> Result<(), Failure> {
    match newest {
        Some(newest) => not_from_the_future(newest, "entry", when),
        None => Err(Failure::new(
            FailureKind::Stale,
            "entries, and none later than the runner's clock",
            "no entry with a time",
        )),
    }
}

fn not_from_the_future(newest: Timestamp, thing: &str, when: &When) -> Result<(), Failure> {
    let ahead = newest.duration_since(when.latest);
    if ahead <= SKEW + when.slack {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Stale,
        format!("no {thing} later than the runner's clock"),
        format!("one from {}, {} ahead of {}", time::rfc3339(newest), say(ahead), time::rfc3339(when.latest)),
    )
    .with_hint("a clock is wrong, on the host or on the runner: compare both with NTP; or its times are read in a wrong zone (`timezone:` of the host, `zone:` of the entry). Freshness cannot be judged by it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn now() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    fn at(text: &str) -> Option<Timestamp> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn freshness_includes_its_edge_and_refuses_past_future_and_nothing() {
        assert!(fresh(at("2026-11-21T11:00:00Z"), HOUR, "entry", now()).is_ok());
        assert!(fresh(at("2026-11-21T12:04:59Z"), HOUR, "entry", now()).is_ok());
        for stale in [
            None,
            at("2026-11-21T10:59:59Z"),
            at("2026-11-21T12:05:01Z"),
            at("2026-10-21T12:00:00Z"),
        ] {
            assert_eq!(
                fresh(stale, HOUR, "entry", now()).unwrap_err().kind,
                FailureKind::Stale,
                "{stale:?}"
            );
        }
    }

    #[test]
    fn coverage_needs_an_old_beginning_and_an_end_inside() {
        let covered = |oldest, newest| {
            let path = "";
            let times = Times {
                oldest,
                newest,
                path,
            };
            super::covered(&times, HOUR, &When::at(now()))
        };
        let ok = |oldest, newest| covered(at(oldest), at(newest));
        assert!(ok("2026-11-21T11:00:00Z", "2026-11-21T11:30:00Z").is_ok());
        let short = ok("2026-11-21T11:00:01Z", "2026-11-21T11:30:00Z").unwrap_err();
        let ended = ok("2026-11-20T11:00:00Z", "2026-11-21T10:59:59Z").unwrap_err();
        assert_eq!(
            (short.kind, ended.kind),
            (FailureKind::Gap, FailureKind::Gap)
        );
        assert_ne!(short.hint, ended.hint);
        assert_eq!(covered(None, None).unwrap_err().kind, FailureKind::Gap);
        let future = ok("2026-11-20T11:00:00Z", "2026-11-21T13:00:00Z").unwrap_err();
        assert_eq!(future.kind, FailureKind::Stale);
    }

    #[test]
    fn the_future_begins_where_clocks_no_longer_agree() {
        let when = When::at(now());
        for (newest, well) in [
            ("2026-11-21T12:05:00Z", true),
            ("2020-01-01T00:00:00Z", true),
            ("2026-11-21T12:05:01Z", false),
        ] {
            assert_eq!(
                none_from_future(at(newest), &when).is_ok(),
                well,
                "{newest}"
            );
        }
        assert!(none_from_future(None, &when).is_err());
    }
}
