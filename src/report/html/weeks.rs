//! The week of each application beside its vendor's hours: a picture without script, and the same in words below it.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::words::t;
use crate::report::phrases;
use crate::report::schema::{HoursOfWeek, Midnight, Report, Week};

/// What lasts less is drawn as long: a pixel on paper.
const LEAST: i64 = 15;
/// What the name of a day needs.
const ROOM: i64 = 18 * 60;
/// Height of a row of the picture: its name, and its bar below.
const ROW: i64 = 30;
const BAR: i64 = 12;
/// Room for the days above.
const TOP: i64 = 18;

pub(super) fn section(report: &Report) -> Markup {
    html! {
        @if !report.weeks.is_empty() {
            section aria-labelledby="weeks" {
                h2 #weeks { "When vendors answer" }
                p {
                    @match phrases::go_live(&report.run) {
                        Some(live) => { "The week of go-live, " (t(&live)) }
                        None => { "The week of the run, " (t(&phrases::instant(&report.run.started))) }
                    }
                    ": when each application must be available, when its vendor answers, and what is done in between."
                }
                @for (number, week) in report.weeks.iter().enumerate() { (one(number, week)) }
            }
        }
    }
}

fn one(number: usize, week: &Week) -> Markup {
    let id = format!("week-{number}");
    html! {
        h3 #(id) {
            (t(&week.application)) " with " (t(&week.vendor))
            @if let Some(severity) = &week.severity { ", " (t(severity)) }
        }
        p { (t(&phrases::of_week(week))) }
        @if let Some(scale) = Scale::of(week) { (picture(&id, week, &scale)) }
        details.more {
            summary { "The same in words" span.hidden { ": " (t(&week.application)) " with " (t(&week.vendor)) } }
            (in_words(&id, week))
        }
    }
}

/// Where an instant stands in the picture.
struct Scale {
    from: Timestamp,
    minutes: i64,
}

impl Scale {
    fn of(week: &Week) -> Option<Self> {
        let (from, to): (Timestamp, Timestamp) = (week.from.parse().ok()?, week.to.parse().ok()?);
        let minutes = to.duration_since(from).as_mins();
        // A day more or less at the most: what is no week is not drawn.
        (24 * 60..=9 * 24 * 60)
            .contains(&minutes)
            .then_some(Self { from, minutes })
    }

    fn minute(&self, at: &str) -> Option<i64> {
        let at: Timestamp = at.parse().ok()?;
        let after: SignedDuration = at.duration_since(self.from);
        Some(after.as_mins().clamp(0, self.minutes))
    }

    /// As a share of the whole week: the picture is as wide as its place, and a telephone shows Sunday, too.
    fn share(&self, minutes: i64) -> String {
        let thousandths = minutes * 100_000 / self.minutes;
        format!("{}.{:03}%", thousandths / 1000, thousandths % 1000)
    }

    fn x(&self, at: &str) -> Option<String> {
        Some(self.share(self.minute(at)?))
    }

    /// Whether the name of a day that begins then is not cut off at the end of the picture.
    fn has_room(&self, at: &str) -> bool {
        self.minute(at)
            .is_some_and(|minute| minute + ROOM <= self.minutes)
    }

    /// Left edge and width; what is there at all is seen.
    fn bar(&self, hours: &HoursOfWeek) -> Option<(String, String)> {
        let (from, to) = (self.minute(&hours.from)?, self.minute(&hours.to)?);
        let width = (to - from).max(LEAST);
        let from = from.min(self.minutes - width);
        Some((self.share(from), self.share(width)))
    }
}

fn picture(id: &str, week: &Week, scale: &Scale) -> Markup {
    let rows = [
        ("must be available", "five", &week.required),
        ("the vendor answers", "passed", &week.covered),
        ("not answered, with a plan", "pending", &week.planned),
        ("not answered, without a plan", "failed", &week.open),
    ];
    let bottom = TOP + ROW * 4 + 4;
    html! {
        div.plot.week {
            svg width="100%" height=(bottom + 20) role="img" aria-labelledby=(format!("{id}-title")) aria-describedby=(format!("{id}-desc")) {
                title #(format!("{id}-title")) { (t(&week.application)) " with " (t(&week.vendor)) }
                desc #(format!("{id}-desc")) { (t(&phrases::of_week(week))) }
                (days(&week.days, scale, 13, (TOP, bottom)))
                @for (row, (name, class, all)) in (0_i64..).zip(rows) {
                    @let top = TOP + row * ROW;
                    text.scale x="0" dx="4" y=(top + 12) { (name) @if all.is_empty() { ": never" } }
                    @for hours in all {
                        @if let Some((x, width)) = scale.bar(hours) {
                            g {
                                title { (name) ": " (t(&hours.said)) }
                                rect class=(class) x=(x) y=(top + 16) width=(width) height=(BAR) {}
                            }
                        }
                    }
                }
                (days(&week.vendor_days, scale, bottom + 15, (bottom, bottom + 4)))
            }
        }
        p.soft {
            "Above the days of " (t(&week.zone))
            @match &week.vendor_zone {
                Some(zone) => { ", below those of " (t(zone)) "." }
                None => { "; the vendor has no hours for this." }
            }
        }
    }
}

/// The days of a clock at its own midnights, with a line for each.
fn days(days: &[Midnight], scale: &Scale, y: i64, (from, to): (i64, i64)) -> Markup {
    html! {
        @for midnight in days {
            @if let Some(x) = scale.x(&midnight.at) {
                line.grid x1=(x) x2=(x) y1=(from) y2=(to) {}
                @if scale.has_room(&midnight.at) {
                    @let (name, number) = short(&midnight.day);
                    text.scale x=(x) dx="4" y=(y) { (t(name)) tspan.date { " " (t(number)) } }
                }
            }
        }
    }
}

/// `Mon` and `23` of `Mon 2026-11-23`.
fn short(day: &str) -> (&str, &str) {
    let name = day.split(' ').next().unwrap_or_default();
    (name, day.rsplit('-').next().unwrap_or_default())
}

fn in_words(id: &str, week: &Week) -> Markup {
    let kinds = [
        ("must be available", &week.required),
        ("the vendor answers", &week.covered),
        ("not answered, with a plan", &week.planned),
        ("not answered, without a plan", &week.open),
    ];
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby=(format!("{id}-words")) {
            table.cards {
                caption #(format!("{id}-words")) { (t(&week.application)) " with " (t(&week.vendor)) " in words" }
                thead { tr {
                    th scope="col" { "What" }
                    th scope="col" { (t(&week.zone)) }
                    th scope="col" { (t(week.vendor_zone.as_deref().unwrap_or("the vendor's clock"))) }
                    th scope="col" { "UTC" }
                } }
                tbody {
                    @for (name, all) in kinds {
                        @if all.is_empty() {
                            tr {
                                th scope="row" { (name) }
                                td data-label=(t(&week.zone)) { "never" }
                                td data-label="The vendor's clock" { "never" }
                                td data-label="UTC" { "never" }
                            }
                        }
                        @for hours in all {
                            tr {
                                th scope="row" { (name) }
                                td data-label=(t(&week.zone)) { (t(&hours.said)) }
                                td data-label="The vendor's clock" { (t(hours.vendor_said.as_deref().unwrap_or("no hours"))) }
                                td data-label="UTC" { (t(&hours.from)) " to " (t(&hours.to)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_picture_is_to_scale_in_a_week_of_changed_clocks() {
        let week = sample::week();
        let scale = Scale::of(&week).unwrap();
        // The week in which New York sets its clocks back.
        assert_eq!(scale.minutes, 169 * 60);
        let days: Vec<_> = week
            .days
            .iter()
            .map(|day| scale.minute(&day.at).unwrap() / 60)
            .collect();
        assert_eq!(days, [0, 24, 48, 72, 96, 120, 144]);
        let page = one(0, &week).into_string();
        for (class, from, hours) in [
            ("five", 0, 169),
            ("passed", 9, 8),
            ("failed", 0, 9),
            ("pending", 144, 25),
        ] {
            let [x, width] = [from, hours].map(|hours| scale.share(hours * 60));
            let bar = format!("<rect class=\"{class}\" x=\"{x}\" y=\"");
            assert!(page.contains(&bar), "{bar}: {page}");
            let behind = page.split(&bar).nth(1).unwrap();
            assert!(
                behind.contains(&format!("width=\"{width}\"")),
                "{class}: {behind}"
            );
        }
        assert_eq!(
            (scale.share(0), scale.share(169 * 60)),
            ("0.000%".into(), "100.000%".into())
        );
        assert!(page.contains("Above the days of America/New_York, below those of Europe/London."));
        assert!(
            page.contains("Mon<tspan class=\"date\"> 26<")
                && page.contains("Sun<tspan class=\"date\"> 01<")
        );
    }

    #[test]
    fn the_last_minute_of_the_week_is_in_the_picture() {
        let mut week = sample::week();
        let scale = Scale::of(&week).unwrap();
        let last = week.required.last_mut().unwrap();
        last.from.clone_from(&week.to);
        last.to.clone_from(&week.to);
        let (x, width) = scale.bar(last).unwrap();
        let number = |text: &str| text.trim_end_matches('%').parse::<f64>().unwrap();
        assert!(
            number(&width) > 0.1 && number(&x) + number(&width) <= 100.0,
            "{x} {width}"
        );
    }

    #[test]
    fn what_is_no_week_is_told_and_not_drawn() {
        let mut week = sample::week();
        week.to = "tomorrow".to_owned();
        assert!(!one(0, &week).into_string().contains("<svg"));
        week.to = "2027-10-26T04:00:00Z".to_owned();
        let page = one(0, &week).into_string();
        assert!(!page.contains("<svg") && page.contains("<table"));
        week.open.clear();
        assert!(one(0, &week).into_string().contains("never"));
    }

    #[test]
    fn words_stay_words() {
        let mut week = sample::week();
        week.application = "<script>alert(1)</script>".to_owned();
        week.covered[0].said = "\" onload=\"alert(1)".to_owned();
        let page = one(0, &week).into_string();
        assert!(
            !page.contains("<script") && !page.contains("\" onload=\""),
            "{page}"
        );
    }
}
