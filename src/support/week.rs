//! One week of an application beside its vendor's hours, to be drawn: what must be there, when the vendor answers,
//! and what of the rest somebody here has a plan for. The week holds go-live, where that is told, else the run's
//! start; it begins on a Monday on the application's clock. Draws and judges nothing.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use super::Moment;
use crate::calendar::{Lean, Span, Spans, Zone};
use crate::inventory::{Application, Vendor};

/// A week as it is, on two clocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Week {
    /// From Monday's midnight to the next.
    pub span: Span,
    /// The application's clock.
    pub zone: Zone,
    /// The vendor's clock, where it has hours for this.
    pub vendor_zone: Option<Zone>,
    /// When the application must be available.
    pub required: Spans,
    /// When the vendor answers, needed or not.
    pub covered: Spans,
    /// Required, not covered, and somebody here has a plan.
    pub planned: Spans,
    /// Required, not covered, and nobody has one.
    pub open: Spans,
}

impl Week {
    /// The week of `application`; nothing where the calendar ends.
    #[must_use]
    pub fn of(vendor: &Vendor, application: &Application, moment: &Moment) -> Option<Self> {
        let zone = &application.hours.zone;
        let within = moment.go_live.unwrap_or(moment.started);
        let day = zone.day(within);
        let back = i64::from(day.weekday().to_monday_zero_offset());
        let monday = day.checked_sub(back.days()).ok()?;
        let span = Span {
            from: zone.midnight(monday)?,
            to: zone.midnight(monday.checked_add(7.days()).ok()?)?,
        };
        let required = application.hours.within(span, Lean::Wide);
        let answers = vendor.coverage.as_ref();
        let answers = answers.and_then(|coverage| coverage.of(application.severity.as_deref()));
        let covered = answers.map(|hours| hours.within(span, Lean::Narrow));
        let covered = covered.unwrap_or_default();
        let gaps = required.subtract(&covered);
        let plans = vendor.out_of_hours.iter();
        let plans = plans.fold(Spans::default(), |all, plan| {
            all.union(&plan.hours.within(span, Lean::Narrow))
        });
        Some(Self {
            span,
            zone: zone.clone(),
            vendor_zone: answers.map(|hours| hours.zone.clone()),
            planned: gaps.intersect(&plans),
            open: gaps.subtract(&plans),
            required,
            covered,
        })
    }

    /// Each midnight within it on that clock.
    #[must_use]
    pub fn days(&self, zone: &Zone) -> Vec<(Timestamp, Date)> {
        let first = zone.day(self.span.from);
        let days = (0..9).filter_map(|after: i64| {
            let day = first.checked_add(after.days()).ok()?;
            Some((zone.midnight(day)?, day))
        });
        days.filter(|(at, _)| self.span.from <= *at && *at < self.span.to)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::calendar::{Hours, Weekly};
    use crate::inventory::{Coverage, OutOfHours};

    fn hours(zone: &str, weekly: &str) -> Hours {
        Hours {
            zone: Zone::parse(zone).unwrap(),
            weekly: Weekly::parse(weekly).unwrap(),
            holidays: BTreeSet::new(),
        }
    }

    fn drawn(started: &str, zone: &str, required: &str, answers: &str, plans: &[&str]) -> Week {
        let application = Application {
            name: "orders".to_owned(),
            hours: hours(zone, required),
            severity: None,
        };
        let vendor = Vendor {
            coverage: Some(Coverage {
                hours: vec![(None, hours("America/New_York", answers))],
            }),
            out_of_hours: (plans.iter())
                .map(|plan| OutOfHours {
                    hours: hours(zone, plan),
                    owner: "ana".to_owned(),
                    plan: "fail over".to_owned(),
                })
                .collect(),
            ..Vendor::default()
        };
        let moment = Moment {
            started: started.parse().unwrap(),
            go_live: None,
            go_live_until: None,
        };
        Week::of(&vendor, &application, &moment).unwrap()
    }

    fn length(spans: &Spans) -> i64 {
        spans.iter().map(|span| span.length().as_mins()).sum()
    }

    #[test]
    fn a_week_of_changed_clocks_has_its_own_length_and_adds_up() {
        for (started, zone, hours) in [
            ("2026-11-22T12:00:00Z", "America/New_York", 168),
            // Clocks go back on Sunday 2026-11-01, forward on Sunday 2027-03-14; in London a week later and earlier.
            ("2026-10-28T12:00:00Z", "America/New_York", 169),
            ("2027-03-10T12:00:00Z", "America/New_York", 167),
            ("2026-10-28T12:00:00Z", "Europe/London", 168),
            ("2026-10-21T12:00:00Z", "Europe/London", 169),
            ("2027-03-10T12:00:00Z", "UTC", 168),
        ] {
            let week = drawn(
                started,
                zone,
                "24x7",
                "Mon-Fri 09:00-17:00",
                &["Sat,Sun 00:00-24:00"],
            );
            assert_eq!(length(&week.required), hours * 60, "{started} {zone}");
            assert_eq!(length(&week.covered), 40 * 60, "{started} {zone}");
            let all = length(&week.covered) + length(&week.planned) + length(&week.open);
            assert_eq!(all, hours * 60, "{started} {zone}");
            assert_eq!(week.days(&week.zone).len(), 7);
            assert_eq!(week.zone.clock(week.span.from)[..3], *"Mon");
        }
    }

    #[test]
    fn two_clocks_an_hour_apart_for_a_week_move_the_gap() {
        let gaps = |started| {
            let week = drawn(
                started,
                "Europe/London",
                "Mon-Fri 13:00-22:00",
                "Mon-Fri 09:00-17:00",
                &[],
            );
            (
                length(&week.open),
                week.zone.clock(week.open.iter().next().unwrap().from)[15..].to_owned(),
            )
        };
        // New York is five hours behind London, and four between the two changes.
        assert_eq!(gaps("2026-11-22T12:00:00Z"), (5 * 60, "13:00".to_owned()));
        assert_eq!(gaps("2026-10-28T12:00:00Z"), (5 * 60, "21:00".to_owned()));
    }

    #[test]
    fn go_live_says_which_week_and_days_are_those_of_each_clock() {
        let mut week = drawn("2026-11-22T12:00:00Z", "Asia/Tokyo", "24x7", "24x7", &[]);
        assert_eq!(week.zone.clock(week.span.from), "Mon 2026-11-16 00:00");
        assert!(week.planned.is_empty() && week.open.is_empty());
        let theirs = week.vendor_zone.take().unwrap();
        let first = week.days(&theirs)[0];
        assert_eq!(theirs.clock(first.0), "Mon 2026-11-16 00:00");
        // On a Sunday evening in New York it is Monday in Tokyo: the next week.
        let week = drawn("2026-11-22T23:00:00Z", "Asia/Tokyo", "24x7", "24x7", &[]);
        assert_eq!(week.zone.clock(week.span.from), "Mon 2026-11-23 00:00");
    }
}
