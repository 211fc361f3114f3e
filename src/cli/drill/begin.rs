//! `gonogo drill begin`.

use super::{Begin, refuse, shown, who};
use crate::cli::fault::{Exit, Fault};
use crate::cli::{circumstances, term};
use crate::inventory::Inventory;
use crate::problem::Problems;
use crate::report::drill::{self, Coverage, Journal, Role, agreed};
use crate::text::{did_you_mean, escape};
use crate::time;

pub(super) fn begin(args: &Begin) -> Result<Exit, Fault> {
    let inventory = Inventory::load(&args.inventory)?;
    let vendor = inventory
        .vendors
        .iter()
        .find(|vendor| vendor.name == args.vendor);
    let vendor = vendor.ok_or_else(|| {
        let names = inventory.vendors.iter().map(|vendor| &*vendor.name);
        let meant = did_you_mean(&args.vendor, names);
        let message = format!(
            "the inventory has no vendor `{}` {meant}",
            escape(&args.vendor)
        );
        refuse(message.trim_end(), "name a key of `vendors:`")
    })?;
    let now = time::now();
    let agreed = agreed(&inventory, vendor, args.severity.as_deref(), now).map_err(|unsaid| {
        refuse(
            format!(
                "the inventory does not say of vendor `{}`:\n    {}",
                escape(&vendor.name),
                unsaid.join("\n    ")
            ),
            "a drill is judged by what is agreed: write it below the vendor (docs/vendors.md)",
        )
    })?;
    if let Some(template) = &vendor.request_template {
        // Told now, before anybody's time is spent.
        template.pieces(&vendor.asked).map_err(Problems::new)?;
    }
    if args.kind == super::GivenKind::OutOfHours {
        out_of_hours(agreed.coverage.as_ref())?;
    }
    let mut roles = Vec::new();
    for role in &args.role {
        let (role, person) = role.split_once('=').ok_or_else(|| {
            refuse(
                format!("`{}` is no ROLE=PERSON", escape(role)),
                "such as --role operator=ben",
            )
        })?;
        roles.push(Role {
            role: role.to_owned(),
            person: person.to_owned(),
        });
    }
    let begin = drill::Begin {
        id: circumstances::run_id(now),
        environment: inventory.environment.clone(),
        vendor: vendor.name.clone(),
        kind: args.kind.into(),
        roles,
        inventory: inventory.digest.to_string(),
        agreed,
    };
    let by = who(args.by.as_ref());
    let journal = Journal::create(&args.dir, &inventory.bytes, begin, &by, now)?;
    let levels = journal
        .begin()
        .map_or(0, |begin| begin.agreed.escalation.len());
    term::say(&format!(
        "the drill began at {}; {} to try; `gonogo drill status {}` tells what is missing",
        time::rfc3339(now),
        crate::text::count(levels, "escalation level"),
        shown(&args.dir)
    ));
    term::out(&format!("{}\n", shown(&args.dir)));
    Ok(Exit::Go)
}

/// Out of hours is what the contract says, not what the clock on the wall does.
fn out_of_hours(coverage: Option<&Coverage>) -> Result<(), Fault> {
    match coverage {
        Some(coverage) if !coverage.answers => Ok(()),
        Some(_) => Err(refuse(
            "the vendor has to answer now: this would be no drill out of hours",
            "begin when its contracted hours are over, or with --kind planned; where they differ by severity, name it with --severity",
        )),
        None => Err(refuse(
            "nobody knows whether the vendor has to answer now",
            "write `coverage:` of the vendor; where its hours differ by severity, name it with --severity",
        )),
    }
}
