//! Silences in a log: inside its files, and between one rotation and the next.

use std::time::Duration;

use jiff::Timestamp;

use super::{File, When, signed};
use crate::evidence::log_seen::LogSeen;
use crate::failure::{Failure, FailureKind};
use crate::time;

/// A stretch in which entries follow each other closely enough.
#[derive(Clone, Copy, Debug)]
struct Stretch<'a> {
    from: Timestamp,
    to: Timestamp,
    path: &'a str,
}

/// What stands at an end of a silence.
#[derive(Clone, Copy, Debug)]
enum End<'a> {
    Entry(Timestamp, &'a str),
    /// The span asked for begins.
    SpanBegins(Timestamp),
    Now(Timestamp),
}

/// Judges that no more than `most` passed between an entry and the next one, whichever files of the set
/// they stand in; within the last `last` up to now, or between the oldest entry and the newest.
pub(super) fn none(
    files: &[File<'_>],
    most: Duration,
    last: Option<Duration>,
    when: &When,
) -> Result<(), Failure> {
    let expected = match last {
        None => format!("no gap of more than {}", time::say(most)),
        Some(last) => format!(
            "no gap of more than {} in the last {}",
            time::say(most),
            time::say(last)
        ),
    };
    let mut stretches: Vec<Stretch<'_>> = Vec::new();
    for file in files {
        collect(file, most, when, &mut stretches);
    }
    stretches.sort_by_key(|stretch| stretch.from);
    let Some(first) = stretches.first() else {
        return Err(Failure::new(
            FailureKind::Gap,
            expected,
            "no entry with a time",
        ));
    };
    // A span of more than the calendar has is the whole log.
    let begins = last.and_then(|last| when.latest.checked_sub(signed(last)).ok());
    let mut before = match begins {
        Some(begins) => End::SpanBegins(begins),
        None => End::Entry(first.from, first.path),
    };
    for stretch in &stretches {
        let from = End::Entry(stretch.from, stretch.path);
        silence(before, from, begins, most, when).map_err(|found| found.failure(&expected))?;
        if matches!(before, End::SpanBegins(_)) || stretch.to >= before.time() {
            before = End::Entry(stretch.to, stretch.path);
        }
    }
    if last.is_some() {
        let now = End::Now(when.earliest);
        silence(before, now, begins, most, when).map_err(|found| found.failure(&expected))?;
    }
    Ok(())
}

/// The stretches of one file: its span, cut at its holes.
fn collect<'a>(file: &File<'a>, most: Duration, when: &When, stretches: &mut Vec<Stretch<'a>>) {
    let path = file.path;
    let (Some(oldest), Some(newest)) = (file.seen.oldest, file.seen.newest) else {
        return;
    };
    let allowed = signed(most).saturating_add(when.slack);
    let mut holes = file.seen.holes.clone();
    holes.retain(|hole| hole.to.duration_since(hole.from) > allowed);
    holes.sort_by_key(|hole| hole.from);
    // Holes that the reader had no room for may lie anywhere: only the ends of those it tells are known
    // to have an entry. What another file covers is still covered.
    if holes.len() >= LogSeen::MOST_HOLES {
        let ends = holes.iter().flat_map(|hole| [hole.from, hole.to]);
        let points = ends.chain([oldest, newest]);
        stretches.extend(points.map(|at| Stretch {
            from: at,
            to: at,
            path,
        }));
        return;
    }
    let mut from = oldest;
    for hole in holes {
        if hole.from >= from {
            stretches.push(Stretch {
                from,
                to: hole.from,
                path,
            });
        }
        from = from.max(hole.to);
    }
    let to = newest.max(from);
    stretches.push(Stretch { from, to, path });
}

struct Silence<'a>(End<'a>, End<'a>);

/// The silence between two ends, as far as it lies in the span asked for, is not too long.
fn silence<'a>(
    before: End<'a>,
    behind: End<'a>,
    begins: Option<Timestamp>,
    most: Duration,
    when: &When,
) -> Result<(), Silence<'a>> {
    let from = begins.map_or(before.time(), |begins| begins.max(before.time()));
    let allowed = signed(most).saturating_add(when.slack);
    match behind.time().duration_since(from) > allowed {
        true => Err(Silence(before, behind)),
        false => Ok(()),
    }
}

impl End<'_> {
    const fn time(&self) -> Timestamp {
        match self {
            Self::Entry(at, _) | Self::SpanBegins(at) | Self::Now(at) => *at,
        }
    }
}

impl Silence<'_> {
    fn failure(&self, expected: &str) -> Failure {
        let Self(before, behind) = *self;
        let span = super::say(behind.time().duration_since(before.time()));
        let (from, to) = (time::rfc3339(before.time()), time::rfc3339(behind.time()));
        let (actual, hint) = match (before, behind) {
            (End::Entry(_, one), End::Entry(_, other)) if one == other => (
                format!("no entry from {from} to {to} ({span}), both in {}", one),
                "the instance was down or silent then, or its disk was full: if that is known and well, allow a longer gap",
            ),
            (End::Entry(_, one), End::Entry(_, other)) => (
                format!(
                    "no entry from {from} (the last of {}) to {to} (the first of {}): {span}",
                    one, other
                ),
                "a file between these two was removed, or is not matched by the artifact's `path`; or the instance was down then",
            ),
            (End::Entry(_, one), _) => (
                format!(
                    "no entry from {from} (the last of {}) until now, {span}",
                    one
                ),
                "is the instance running, and does it still write to these files?",
            ),
            (_, End::Entry(_, other)) => (
                format!("no entry before {to}, the first of {}", other),
                super::age::YOUNG,
            ),
            _ => (format!("no entry from {from} to {to}"), super::age::YOUNG),
        };
        let failure = Failure::new(FailureKind::Gap, expected, actual).with_hint(hint);
        match (before, behind) {
            (_, End::Entry(_, path)) | (End::Entry(_, path), _) => failure.with_subject(path),
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::log_seen::Hole;

    const HOUR: Duration = Duration::from_secs(3600);
    const DAY: Duration = Duration::from_secs(86_400);

    fn at(clock: &str) -> Timestamp {
        format!("2026-11-{clock}:00Z").parse().unwrap()
    }

    fn seen(oldest: &str, newest: &str, holes: &[(&str, &str)]) -> LogSeen {
        let holes = holes.iter().map(|(from, to)| Hole {
            from: at(from),
            to: at(to),
        });
        LogSeen {
            entries: 9,
            oldest: Some(at(oldest)),
            newest: Some(at(newest)),
            holes: holes.collect(),
            ..LogSeen::default()
        }
    }

    fn judge(logs: &[LogSeen], last: Option<Duration>) -> Result<(), Failure> {
        let names = ["/a", "/b", "/c"];
        let files = logs
            .iter()
            .zip(names)
            .map(|(seen, path)| File { path, seen });
        let files: Vec<_> = files.collect();
        none(&files, HOUR, last, &When::at(at("21T12:00")))
    }

    #[test]
    fn a_hole_between_two_files_names_both_with_their_times() {
        let logs = [
            seen("21T08:01", "21T11:59", &[]),
            seen("20T11:00", "21T07:00", &[]),
        ];
        let failure = judge(&logs, None).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Gap);
        assert_eq!(
            failure.actual,
            "no entry from 2026-11-21T07:00:00Z (the last of /b) to 2026-11-21T08:01:00Z (the first of /a): 1h 1m"
        );
        // The edge is well.
        let logs = [
            seen("21T08:00", "21T11:59", &[]),
            seen("20T11:00", "21T07:00", &[]),
        ];
        assert_eq!(judge(&logs, None), Ok(()));
        assert_eq!(judge(&logs, Some(DAY)), Ok(()));
    }

    #[test]
    fn a_hole_inside_a_file_is_one_unless_another_file_covers_it() {
        let holed = seen("20T11:00", "21T11:59", &[("21T01:00", "21T04:00")]);
        let failure = judge(std::slice::from_ref(&holed), None).unwrap_err();
        assert!(failure.actual.contains("both in /a"), "{failure:?}");
        let filler = seen("21T00:30", "21T04:30", &[]);
        assert_eq!(judge(&[holed.clone(), filler], None), Ok(()));
        let half = seen("21T00:30", "21T02:30", &[]);
        let failure = judge(&[holed, half], None).unwrap_err();
        assert!(failure.actual.contains("the last of /b"), "{failure:?}");
    }

    #[test]
    fn overlapping_and_nested_files_are_well() {
        let logs = [
            seen("20T11:00", "21T11:59", &[]),
            seen("21T01:00", "21T02:00", &[]),
            seen("21T10:00", "21T12:00", &[]),
        ];
        assert_eq!(judge(&logs, None), Ok(()));
    }

    #[test]
    fn the_span_asked_for_has_a_beginning_and_ends_now() {
        // An old hole is none of the last day.
        let old = seen("10T00:00", "21T11:59", &[("11T00:00", "14T00:00")]);
        assert!(judge(std::slice::from_ref(&old), None).is_err());
        assert_eq!(judge(&[old], Some(DAY)), Ok(()));
        // A hole over its beginning counts as far as it lies inside.
        let over = |to: &str| seen("10T00:00", "21T11:59", &[("18T00:00", to)]);
        assert_eq!(judge(&[over("20T13:00")], Some(DAY)), Ok(()));
        let failure = judge(&[over("20T13:01")], Some(DAY)).unwrap_err();
        assert!(
            failure.actual.contains("2026-11-18T00:00:00Z"),
            "{failure:?}"
        );
        // It begins too late, it ended too early.
        let young = judge(&[seen("20T13:01", "21T11:59", &[])], Some(DAY)).unwrap_err();
        assert!(young.actual.contains("no entry before"), "{young:?}");
        let ended = judge(&[seen("20T11:00", "21T10:59", &[])], Some(DAY)).unwrap_err();
        assert!(ended.actual.contains("until now"), "{ended:?}");
        assert_eq!(judge(&[seen("20T11:00", "21T10:59", &[])], None), Ok(()));
        let long_ago = judge(&[seen("10T11:00", "11T10:59", &[])], Some(DAY)).unwrap_err();
        assert!(long_ago.actual.contains("until now"), "{long_ago:?}");
    }

    #[test]
    fn holes_that_were_not_told_are_not_taken_for_entries() {
        let start = at("10T00:00");
        let hole = |n: i64| {
            let from = start + jiff::SignedDuration::from_hours(3 * n);
            Hole {
                from,
                to: from + jiff::SignedDuration::from_hours(2),
            }
        };
        let sparse = LogSeen {
            entries: 99,
            oldest: Some(start),
            newest: Some(at("21T11:59")),
            holes: (0..LogSeen::MOST_HOLES as i64).map(hole).collect(),
            ..LogSeen::default()
        };
        assert!(judge(std::slice::from_ref(&sparse), None).is_err());
        let dense = seen("09T23:00", "21T11:59", &[]);
        assert_eq!(judge(&[sparse, dense], None), Ok(()));
    }

    #[test]
    fn nothing_is_no_proof() {
        assert!(judge(&[], None).is_err());
        assert!(judge(&[LogSeen::default()], Some(DAY)).is_err());
    }
}
