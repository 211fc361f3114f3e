//! Hours: of coverage, of applications, of who is there when the vendor is not.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{Reading, holidays};
use crate::calendar::{Hours, Weekly, Zone};
use crate::inventory::fields::{self, Keys};
use crate::inventory::grammar;
use crate::inventory::page::{Mark, Page};
use crate::inventory::raw::Refers;
use crate::inventory::vendor::{Application, Coverage, OutOfHours};
use crate::inventory::yaml::{Node, Value};

pub(super) fn zone(page: &mut Page<'_>, node: &Node<'_>) -> Option<Zone> {
    fields::parsed(page, node, "timezone", Zone::parse).map(|zone| zone.value)
}

/// `hours:` with the `timezone:` and `holidays:` beside it. `at` is where its owner stands.
pub(super) fn hours(
    page: &mut Page<'_>,
    keys: &mut Keys<'_, '_>,
    at: Mark,
    reading: &mut Reading<'_>,
) -> Option<Hours> {
    let place = Place::read(page, keys, reading);
    let node = keys.require("hours", "\"Mon-Fri 08:00-18:00\"")?;
    let weekly = weekly(page, node)?;
    place.hang(page, weekly, at)
}

/// Where a clock hangs, and the days that it does not count.
struct Place {
    zone: Option<Zone>,
    holidays: BTreeSet<Date>,
    refused: bool,
}

impl Place {
    fn of_vendor(reading: &Reading<'_>) -> Self {
        Self {
            zone: reading.zone.cloned(),
            holidays: BTreeSet::new(),
            refused: reading.zone_refused,
        }
    }

    fn read(page: &mut Page<'_>, keys: &mut Keys<'_, '_>, reading: &mut Reading<'_>) -> Self {
        let before = page.refusals();
        let zone = keys.take("timezone").and_then(|node| zone(page, node));
        let zone = zone.or_else(|| reading.zone.cloned());
        let holidays = keys.take("holidays");
        let holidays = holidays.map_or_else(BTreeSet::new, |node| {
            holidays::holidays(page, node, reading)
        });
        Self {
            zone,
            holidays,
            refused: reading.zone_refused || page.refusals() > before,
        }
    }

    fn hang(&self, page: &mut Page<'_>, weekly: Weekly, at: Mark) -> Option<Hours> {
        // Every minute of every week is the same everywhere.
        let always = weekly.is_always() && self.holidays.is_empty();
        let zone = match (&self.zone, always) {
            (Some(zone), _) => Some(zone.clone()),
            (None, true) => Zone::parse("UTC").ok(),
            (None, false) => None,
        };
        if zone.is_none() && !self.refused {
            page.refuse(
                at,
                "these hours have no time zone",
                "write `timezone: America/New_York` beside them, or once for the vendor",
            );
        }
        Some(Hours {
            zone: zone?,
            weekly,
            holidays: self.holidays.clone(),
        })
    }
}

/// One line of hours, or a list of them.
fn weekly(page: &mut Page<'_>, node: &Node<'_>) -> Option<Weekly> {
    let line = |page: &mut Page<'_>, node: &Node<'_>| {
        fields::parsed(page, node, "hours", Weekly::parse).map(|weekly| weekly.value)
    };
    let Value::List(_) = &node.value else {
        return line(page, node);
    };
    let lines = fields::list(page, node, "hours", line)?;
    let all = lines.value.into_iter();
    let all = all.reduce(|all, more| all.union(&more));
    if all.is_none() {
        page.refuse(
            node.at,
            "`hours` is empty",
            "write at least one line, or leave the key out",
        );
    }
    all
}

pub(super) fn coverage(
    page: &mut Page<'_>,
    node: &Node<'_>,
    at: Mark,
    reading: &mut Reading<'_>,
) -> Option<Coverage> {
    if let Value::Scalar { .. } = &node.value
        && !node.is_null()
    {
        let place = Place::of_vendor(reading);
        let weekly = weekly(page, node)?;
        let hours = place.hang(page, weekly, at)?;
        return Some(Coverage {
            hours: vec![(None, hours)],
        });
    }
    let mut keys = Keys::of(page, node, "`coverage`", at)?;
    let place = Place::read(page, &mut keys, reading);
    let written = keys.require("hours", "\"Mon-Fri 08:00-18:00\"");
    let mut hours = Vec::new();
    match written.map(|node| (node, &node.value)) {
        Some((_, Value::Map(entries))) => {
            for entry in entries {
                let severity = super::super::key_name(page, entry);
                reading.refers(Refers::Severity, &severity);
                if let Some(weekly) = weekly(page, &entry.value)
                    && let Some(of) = place.hang(page, weekly, entry.at)
                {
                    hours.push((Some(severity.value), of));
                }
            }
        }
        Some((node, _)) => {
            if let Some(weekly) = weekly(page, node)
                && let Some(of) = place.hang(page, weekly, at)
            {
                hours.push((None, of));
            }
        }
        None => {}
    }
    keys.done(page);
    (!hours.is_empty()).then_some(Coverage { hours })
}

pub(super) fn applications(
    page: &mut Page<'_>,
    node: &Node<'_>,
    reading: &mut Reading<'_>,
) -> Vec<Application> {
    let entries = fields::entries(page, node, "`applications`").unwrap_or_default();
    let mut applications = Vec::new();
    for entry in entries {
        let name = super::super::key_name(page, entry);
        reading.refers(Refers::Application, &name);
        let owner = format!("application `{}`", name.value);
        if let Value::Scalar { .. } = &entry.value.value
            && !entry.value.is_null()
        {
            let place = Place::of_vendor(reading);
            let hours = weekly(page, &entry.value);
            if let Some(hours) = hours.and_then(|weekly| place.hang(page, weekly, entry.at)) {
                applications.push(Application {
                    name: name.value,
                    hours,
                    severity: None,
                });
            }
            continue;
        }
        let Some(mut keys) = Keys::of(page, &entry.value, owner, entry.at) else {
            continue;
        };
        let hours = hours(page, &mut keys, entry.at, reading);
        let severity = keys.take("severity");
        let severity =
            severity.and_then(|node| fields::checked(page, node, "severity", grammar::name));
        if let Some(severity) = &severity {
            reading.refers(Refers::Severity, severity);
        }
        keys.done(page);
        if let Some(hours) = hours {
            applications.push(Application {
                name: name.value,
                hours,
                severity: severity.map(|severity| severity.value),
            });
        }
    }
    applications
}

pub(super) fn out_of_hours(
    page: &mut Page<'_>,
    node: &Node<'_>,
    reading: &mut Reading<'_>,
) -> Vec<OutOfHours> {
    let read = |page: &mut Page<'_>, item: &Node<'_>| {
        let mut keys = Keys::of(page, item, "a plan of `out_of_hours`", item.at)?;
        let hours = hours(page, &mut keys, item.at, reading);
        let owner = keys.require("owner", "ops-lead");
        let owner = owner.and_then(|node| fields::checked(page, node, "owner", grammar::name));
        let plan = keys.require("plan", "\"call the on-call engineer; runbook OPS-7\"");
        let plan = plan.and_then(|node| fields::checked(page, node, "plan", grammar::stated));
        keys.done(page);
        if let Some(owner) = &owner {
            reading.refers(Refers::Contact, owner);
        }
        Some(OutOfHours {
            hours: hours?,
            owner: owner?.value,
            plan: plan?.value,
        })
    };
    let plans = fields::list(page, node, "out_of_hours", read);
    plans.map(|plans| plans.value).unwrap_or_default()
}
