//! What must be available beside when the vendor answers, from the run up to a year behind it, or behind go-live.

use jiff::SignedDuration;

use super::{Judged, Moment, Short, listed, place, proof, sketch, unsaid};
use crate::calendar::{Lean, Span, Spans, tzdb};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Application, Inventory, OutOfHours, Vendor};
use crate::text::count;

/// A leap year.
const HORIZON: SignedDuration = SignedDuration::from_hours(366 * 24);
/// Every night of a year of ten applications; the transcript says how many more there are.
const TOLD: usize = 4000;

pub(super) fn gaps_planned(
    vendor: &Vendor,
    inventory: &Inventory,
    moment: &Moment,
    days: u32,
) -> Judged {
    let mut judged = Judged::default();
    let Some(coverage) = &vendor.coverage else {
        let expected = "the hours in which the vendor answers";
        return judged.fail(unsaid(vendor, "coverage", expected, "coverage: 24x7"));
    };
    let from = moment.started;
    let horizon = Span {
        from,
        // The first year of what goes live is what is asked about.
        to: (moment.latest().checked_add(HORIZON)).unwrap_or(jiff::Timestamp::MAX),
    };
    let unknown = untold(vendor, inventory)
        .or_else(|| outdated(vendor, moment))
        .or_else(|| too_short(vendor, horizon));
    if let Some(failure) = unknown {
        return judged.fail(failure);
    }
    for file in &vendor.holiday_files {
        judged.tell(match file.end {
            Some(end) => format!("holidays of {}: up to {end}", file.file),
            None => format!("holidays of {}: the same each year", file.file),
        });
    }
    judged.tell(format!("zone database {}", tzdb()));
    let plans = Plans::of(vendor, horizon, moment, days);
    let (mut open, mut is_proven) = (Vec::new(), true);
    let mut open_for = SignedDuration::ZERO;
    for application in &vendor.applications {
        let required = application.hours.within(horizon, Lean::Wide);
        let covered = coverage.of(application.severity.as_deref());
        let covered = covered.map(|hours| hours.within(horizon, Lean::Narrow));
        let gaps = required.subtract(&covered.unwrap_or_default());
        let left = gaps.subtract(&plans.all);
        let zone = &application.hours.zone;
        judged.tell(format!("{}: {}", application.name, sketch::KEY));
        // Of today a part is over.
        let day = zone.day(from).tomorrow().unwrap_or_else(|_| zone.day(from));
        for line in sketch::picture(zone, day, &required, &gaps, &left) {
            judged.tell(line);
        }
        tell(&mut judged, application, &gaps);
        for gap in left.iter() {
            open.push(format!(
                "{}: {}",
                application.name,
                application.hours.say(gap)
            ));
            open_for += gap.length();
        }
        is_proven &= gaps
            .intersect(&plans.all)
            .subtract(&plans.proven)
            .is_empty();
    }
    if !open.is_empty() {
        let expected = "a plan with an owner for every hour in which the vendor does not answer";
        let hours = open_for.as_hours();
        let actual = format!(
            "{} without one within a year, {hours} hours in all: {}",
            count(open.len(), "gap"),
            listed(&open)
        );
        return judged.fail(
            Failure::new(FailureKind::Gap, expected, actual)
                .with_subject(place(vendor, "out_of_hours"))
                .with_hint("say under `out_of_hours:` who does what then, or buy coverage; the transcript of this check lists every gap"),
        );
    }
    let short = match is_proven {
        true => Vec::new(),
        false => plans.short,
    };
    judged.unless_short(
        format!("owners whom somebody reached within {days} days"),
        short,
        place(vendor, "contacts"),
        "call the owner at such an hour, and write `proven: {date: …, by: …}` of the contact",
    )
}

/// The vendor's own instances for which nobody says when they must be available.
fn untold(vendor: &Vendor, inventory: &Inventory) -> Option<Failure> {
    let is_told = |name: &str| vendor.applications.iter().any(|one| one.name == name);
    let own = inventory.instances.iter();
    let own = own.filter(|instance| instance.vendor.as_deref() == Some(vendor.name.as_str()));
    let left = own.filter(|instance| !is_told(&instance.name) && !is_told(&instance.product));
    let left: Vec<&str> = left.map(|instance| instance.name.as_str()).collect();
    let expected = "the hours in which each application must be available";
    let example =
        "applications: {orders: {hours: \"Mon-Fri 08:00-18:00\", timezone: America/New_York}}";
    if vendor.applications.is_empty() {
        return Some(unsaid(vendor, "applications", expected, example));
    }
    if left.is_empty() {
        return None;
    }
    Some(
        Failure::new(
            FailureKind::Missing,
            expected,
            format!("none for {}", listed(&left)),
        )
        .with_subject(place(vendor, "applications"))
        .with_hint(format!("name each instance or its product: `{example}`")),
    )
}

/// Holidays of the vendor that are all over: those to come are missing, and would be gaps.
fn outdated(vendor: &Vendor, moment: &Moment) -> Option<Failure> {
    let coverage = vendor.coverage.iter().flat_map(|coverage| &coverage.hours);
    let lists = coverage.filter_map(|(_, hours)| hours.holidays.last());
    let last = lists
        .min()
        .filter(|last| **last < vendor.day(moment.started))?;
    let expected = "holidays of the coming year";
    let failure = Failure::new(
        FailureKind::Stale,
        expected,
        format!("the last one is {last}"),
    );
    Some(
        failure
            .with_subject(place(vendor, "coverage: holidays"))
            .with_hint("add those to come: on such days the vendor does not answer either"),
    )
}

/// Files of holidays that say nothing of the end of the year that is looked at: it may have some.
fn too_short(vendor: &Vendor, horizon: Span) -> Option<Failure> {
    let last = vendor.day(horizon.to);
    let files = vendor.holiday_files.iter();
    let short = files.filter_map(|file| {
        let end = file.end.filter(|end| *end < last)?;
        Some(format!("{}: holidays end at {end}", file.file))
    });
    let short: Vec<String> = short.collect();
    if short.is_empty() {
        return None;
    }
    let expected = format!("holidays of the year that ends at {last}");
    Some(
        Failure::new(FailureKind::Stale, expected, listed(&short))
            .with_subject(place(vendor, "holidays"))
            .with_hint("get the file of the years to come; where it is complete although its last holiday is earlier, write `{file: …, until: DAY}`"),
    )
}

/// When somebody does something.
struct Plans {
    all: Spans,
    proven: Spans,
    /// Owners who were not reached lately.
    short: Vec<Short>,
}

impl Plans {
    fn of(vendor: &Vendor, horizon: Span, moment: &Moment, days: u32) -> Self {
        let mut plans = Self {
            all: Spans::default(),
            proven: Spans::default(),
            short: Vec::new(),
        };
        for OutOfHours { hours, owner, .. } in &vendor.out_of_hours {
            let when = hours.within(horizon, Lean::Narrow);
            plans.all = plans.all.union(&when);
            let proven = vendor
                .contact(owner)
                .and_then(|owner| owner.proven.as_ref());
            match proof::short(&format!("owner `{owner}`"), proven, days, moment) {
                None => plans.proven = plans.proven.union(&when),
                Some(short) => plans.short.push(short),
            }
        }
        plans
    }
}

fn tell(judged: &mut Judged, application: &Application, gaps: &Spans) {
    let name = &application.name;
    judged.tell(format!(
        "{name}: {} within a year",
        count(gaps.iter().len(), "gap")
    ));
    let room = TOLD.saturating_sub(judged.told.len());
    for gap in gaps.iter().take(room) {
        judged.tell(format!("{name}: {}", application.hours.say(gap)));
    }
    if gaps.iter().len() > room {
        let more = gaps.iter().len() - room;
        judged.tell(format!("{name}: and {more} more"));
    }
}
