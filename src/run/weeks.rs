//! The weeks of applications beside their vendors' hours, as they are published: made from the inventory and the
//! run's times alone, so that `verify` makes them again.

use super::report::moment;
use crate::calendar::{Spans, Zone, tzdb};
use crate::inventory::Inventory;
use crate::plan::Plan;
use crate::report::schema;
use crate::support::{Moment, Week};
use crate::time::rfc3339;

/// A page is to be read: whoever has more applications than that finds all of it in the transcripts.
const MOST: usize = 24;

/// The week of each application of each vendor, in the inventory's order.
pub(super) fn weeks(inventory: &Inventory, moment: &Moment) -> Vec<schema::Week> {
    let vendors = inventory.vendors.iter();
    let all = vendors.flat_map(|vendor| {
        let applications = vendor.applications.iter();
        applications.filter_map(move |application| {
            let week = Week::of(vendor, application, moment)?;
            let stretches = |spans: &Spans| stretches(spans, &week);
            Some(schema::Week {
                vendor: vendor.name.clone(),
                application: application.name.clone(),
                severity: application.severity.clone(),
                zone: week.zone.name().to_owned(),
                vendor_zone: week.vendor_zone.as_ref().map(|zone| zone.name().to_owned()),
                from: rfc3339(week.span.from),
                to: rfc3339(week.span.to),
                days: days(&week, &week.zone),
                vendor_days: (week.vendor_zone.as_ref())
                    .map(|zone| days(&week, zone))
                    .unwrap_or_default(),
                required: stretches(&week.required),
                covered: stretches(&week.covered),
                planned: stretches(&week.planned),
                open: stretches(&week.open),
            })
        })
    });
    all.take(MOST).collect()
}

/// Whether weeks that are drawn are the inventory's, as far as this zone database is the run's.
///
/// # Errors
/// That they are not, in a phrase.
pub(super) fn held(report: &schema::Report, plan: &Plan) -> Result<(), String> {
    let is_comparable = report.run.tool.tzdb.as_deref() == Some(tzdb());
    if report.weeks.is_empty() || !is_comparable {
        return Ok(());
    }
    let made = moment(&report.run).map(|moment| weeks(&plan.inventory, &moment));
    match made.as_ref() == Some(&report.weeks) {
        true => Ok(()),
        false => Err("a week of an application is not the inventory's".to_owned()),
    }
}

fn days(week: &Week, zone: &Zone) -> Vec<schema::Midnight> {
    let days = week.days(zone).into_iter();
    days.map(|(at, day)| schema::Midnight {
        at: rfc3339(at),
        day: day.strftime("%a %Y-%m-%d").to_string(),
    })
    .collect()
}

fn stretches(spans: &Spans, week: &Week) -> Vec<schema::HoursOfWeek> {
    let said = |zone: &Zone, span: crate::calendar::Span| {
        format!("{} to {}", zone.clock(span.from), zone.clock(span.to))
    };
    let stretches = spans.iter().map(|span| schema::HoursOfWeek {
        from: rfc3339(span.from),
        to: rfc3339(span.to),
        said: said(&week.zone, span),
        vendor_said: week.vendor_zone.as_ref().map(|zone| said(zone, span)),
    });
    stretches.collect()
}
