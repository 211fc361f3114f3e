//! `gonogo drill due`: by when the next drill with each vendor is, for the calendar and for a nightly job.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Due, refuse, shown};
use crate::case::rehearsed;
use crate::cli::fault::{Exit, Fault};
use crate::cli::{people, signers, term};
use crate::inventory::{Inventory, Vendor};
use crate::report::drill::{Folder, Sealed};
use crate::support::ics::{Day, calendar};
use crate::support::{Moment, drill_after, next_drill};
use crate::text::escape;
use crate::time;

pub(super) fn due(args: &Due) -> Result<Exit, Fault> {
    let inventory = Inventory::load(&args.inventory)?;
    if inventory.vendors.is_empty() {
        return Err(refuse(
            "the inventory has no vendors",
            "a drill is with a vendor: write `vendors:` (docs/vendors.md)",
        ));
    }
    let now = time::now();
    let who = match (&args.drills, &args.allowed_signers, &args.people) {
        (Some(path), Some(allowed), Some(who)) => {
            let revoked = args.revoked.as_deref().map(signers::revoked).transpose()?;
            let allowed = signers::read(allowed, args.revoked.as_deref())?;
            let people = people::people(who)?.without(revoked.unwrap_or_default());
            Some((path, allowed, people))
        }
        _ => None,
    };
    let proven = match &who {
        Some((path, allowed, people)) => Some(Sealed {
            path,
            folder: Folder::read(path).map_err(|why| {
                refuse(
                    why,
                    "--drills names the folder in which all sealed drills are kept",
                )
            })?,
            allowed,
            people,
            opened: &rehearsed::held,
        }),
        None => None,
    };
    let today = TimeZone::UTC.to_datetime(now).date();
    let (mut out, mut days, mut is_overdue) = (String::new(), Vec::new(), false);
    for vendor in &inventory.vendors {
        let last = match &proven {
            Some(proven) => sealed(proven, vendor, &inventory.environment, now),
            None => {
                let moment = Moment {
                    started: now,
                    go_live: None,
                    go_live_until: None,
                };
                next_drill(vendor, &moment)
                    .map(|(last, _)| last)
                    .map_err(|failure| failure.actual)
            }
        };
        let name = escape(&vendor.name);
        let (line, day) = match last {
            Ok(last) => {
                let next = drill_after(vendor, last);
                let late = match today > next {
                    true => ", OVERDUE",
                    false => "",
                };
                is_overdue |= today > next;
                (
                    format!("{name}  due by {next}, last on {last}{late}"),
                    (next, last),
                )
            }
            Err(why) => {
                is_overdue = true;
                let why = escape(&why);
                (
                    format!("{name}  due by {today}, OVERDUE: {why}"),
                    (today, today),
                )
            }
        };
        out += &line;
        out.push('\n');
        days.push(event(vendor, &inventory.environment, day));
    }
    if let Some(path) = &args.ics {
        std::fs::write(path, calendar(&days)).map_err(|cause| {
            Fault::new(
                Exit::Fault,
                format!("cannot write `{}`: {cause}", shown(path)),
                "",
            )
        })?;
    }
    term::deliver(&out).map_err(|cause| {
        Fault::new(Exit::Fault, format!("cannot write the answer: {cause}"), "")
    })?;
    Ok(match is_overdue {
        true => Exit::NoGo,
        false => Exit::Go,
    })
}

fn event(vendor: &Vendor, environment: &str, (day, last): (Date, Date)) -> Day {
    Day {
        uid: format!("drill-{}-{environment}@gonogo", vendor.name),
        day,
        known: last,
        summary: format!("Support drill with {} is due ({environment})", vendor.name),
        description: format!(
            "Rehearse the support process from retrieval to the vendor's answer: gonogo drill begin -i INVENTORY --vendor {} …",
            vendor.name
        ),
    }
}

/// The day on which the newest drill began that counts; why others do not is told.
fn sealed(
    proven: &Sealed<'_>,
    vendor: &Vendor,
    environment: &str,
    now: Timestamp,
) -> Result<Date, String> {
    let (counted, against) = proven.newest(&vendor.name, environment, now);
    for why in against {
        term::say(&escape(&why));
    }
    for why in counted.iter().flat_map(|counted| &counted.unproven) {
        term::say(&format!("warning: {}", escape(why)));
    }
    counted
        .map(|counted| counted.day())
        .ok_or_else(|| "no drill of it is sealed, passed and signed off".to_owned())
}
