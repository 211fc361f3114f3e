//! Weekly hours at a place: on its wall clock, without its holidays.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, date};
use jiff::{Span as Step, Timestamp};

use super::weekly::{DAY, WEEK, Weekly, joined};
use super::{Span, Spans, Zone};

/// Which way to lean where clocks are set back and show a time twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lean {
    /// From the first showing of the begin to the last of the end: for what is demanded or forbidden.
    Wide,
    /// From the last showing of the begin to the first of the end: for what is promised.
    Narrow,
}

/// Hours that come again each week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Where the clock hangs.
    pub zone: Zone,
    /// What it shows.
    pub weekly: Weekly,
    /// Days without any hours, from midnight to midnight.
    pub holidays: BTreeSet<Date>,
}

impl Hours {
    /// Every instant of them within `horizon`.
    #[must_use]
    pub fn within(&self, horizon: Span, lean: Lean) -> Spans {
        // A day more on either side: no zone is further from UTC.
        let first = minute_of(self.zone.wall_day(horizon.from)) - DAY;
        let last = minute_of(self.zone.wall_day(horizon.to)) + 2 * DAY;
        let weeks = first.div_euclid(WEEK)..=last.div_euclid(WEEK);
        let shown = weeks.flat_map(|week| {
            let minutes = self.weekly.minutes();
            minutes.map(move |(from, to)| (week * WEEK + from, week * WEEK + to))
        });
        // On the wall clock first: where days touch there is no instant between them, whatever the
        // clock does at midnight.
        let shown = joined(shown.collect());
        let holidays = self.holidays.iter().map(|day| minute_of(*day));
        let shown = without(shown, &holidays.collect::<Vec<_>>());
        let spans = shown.into_iter().filter_map(|(from, to)| {
            let (first_from, last_from) = self.zone.instants(shown_at(from)?)?;
            let (first_to, last_to) = self.zone.instants(shown_at(to)?)?;
            Some(match lean {
                Lean::Wide => Span {
                    from: first_from,
                    to: last_to,
                },
                Lean::Narrow => Span {
                    from: last_from,
                    to: first_to,
                },
            })
        });
        Spans::of(spans).intersect(&horizon.into())
    }

    /// A span of them in words, on the clocks there and in UTC.
    #[must_use]
    pub fn say(&self, span: Span) -> String {
        say(&self.zone, span)
    }
}

/// `Fri 2026-11-27 17:00 to Mon 2026-11-30 08:00 America/New_York (2026-11-27T22:00:00Z to …)`.
fn say(zone: &Zone, Span { from, to }: Span) -> String {
    format!(
        "{} to {} {} ({} to {})",
        zone.clock(from),
        zone.clock(to),
        zone.name(),
        utc(from),
        utc(to)
    )
}

fn utc(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%MZ").to_string()
}

impl Zone {
    fn wall_day(&self, instant: Timestamp) -> Date {
        self.day(instant)
    }
}

/// A Monday.
const EPOCH: Date = date(1970, 1, 5);

fn minute_of(day: Date) -> i64 {
    super::days_between(EPOCH, day) * DAY
}

fn shown_at(minute: i64) -> Option<DateTime> {
    let days = Step::new().try_days(minute.div_euclid(DAY)).ok()?;
    let day = EPOCH.checked_add(days).ok()?;
    let minutes = minute.rem_euclid(DAY);
    let time = jiff::civil::Time::new(
        i8::try_from(minutes / 60).ok()?,
        i8::try_from(minutes % 60).ok()?,
        0,
        0,
    );
    Some(day.to_datetime(time.ok()?))
}

/// Sorted spans without the days that begin at `days`, which are sorted.
fn without(spans: Vec<(i64, i64)>, days: &[i64]) -> Vec<(i64, i64)> {
    let mut left = Vec::with_capacity(spans.len());
    for (mut from, to) in spans {
        let at = days.partition_point(|day| day + DAY <= from);
        for day in &days[at..] {
            if *day >= to {
                break;
            }
            if from < *day {
                left.push((from, *day));
            }
            from = day + DAY;
        }
        if from < to {
            left.push((from, to));
        }
    }
    left
}
