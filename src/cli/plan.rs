//! `gonogo plan`: everything a run would do, and every reason not to.

use std::sync::Arc;

use super::args::{Grants, Plan as Args, PlanFormat, What};
use super::fault::{Exit, Fault};
use super::{people, term};
use crate::inventory::Inventory;
use crate::plan::{self, Filters, Grant, Plan};
use crate::text::escape;

pub(super) fn plan(args: &Args) -> Result<Exit, Fault> {
    let (mut plan, whole) = make_printed(&args.what)?;
    people::waive(&args.waive, &mut plan)?;
    args.split.cut(&mut plan)?;
    if let Some((team, what)) = asked(&args.grants) {
        let granted = plan::grant(&plan, team, what)?;
        for note in &granted.notes {
            term::say(&format!("note: {}", escape(note)));
        }
        term::out(&granted.text);
        return Ok(Exit::Go);
    }
    if args.estimate {
        return super::estimate::estimate(plan, args.rate, args.format);
    }
    term::out(&match args.format {
        PlanFormat::Text => {
            let mut text = match plan.part {
                None => whole,
                Some(_) => plan::text(&plan),
            };
            text += &plan.waivers_text();
            text += &plan::load::text(&plan);
            text += &format!("\nplan {}\nnothing was contacted\n", plan.digest);
            text
        }
        PlanFormat::Json => {
            let mut told = plan::json(&plan);
            told["load"] = plan::load::json(&plan);
            if plan.waivers.is_some() {
                told["waivers"] = plan.waivers_json();
            }
            format!("{told:#}\n")
        }
    });
    // The process ends, and a large plan has millions of pieces to give back one by one.
    std::mem::forget(plan);
    Ok(Exit::Go)
}

fn asked(grants: &Grants) -> Option<(&str, Grant)> {
    let asked = [
        (&grants.sudoers, Grant::Sudoers),
        (&grants.authorized_keys, Grant::AuthorizedKeys),
        (&grants.sshd_match, Grant::SshdMatch),
        (&grants.forced_command, Grant::ForcedCommand),
    ];
    let mut asked = asked.into_iter();
    asked.find_map(|(team, what)| Some((team.as_deref()?, what)))
}

/// From the command line to a plan.
pub(super) fn make(what: &What) -> Result<Plan, Fault> {
    Ok(make_printed(what)?.0)
}

/// The plan, and what is printed of the whole. What is wrong with filters, inventory and features is told together.
fn make_printed(what: &What) -> Result<(Plan, String), Fault> {
    let mut problems = Vec::new();
    let filters = Filters::new(what.tags.as_deref(), &what.instance, &what.host, &what.team);
    let filters = filters.map_err(|found| problems.extend(found));
    let inventory = Inventory::load(&what.inventory).map_err(|found| problems.extend(found));
    let written = plan::read(&what.features).map_err(|found| problems.extend(found));
    match (filters, inventory, written) {
        (Ok(filters), Ok(inventory), Ok(written)) => {
            Ok(plan::make_printed(&Arc::new(inventory), written, &filters)?)
        }
        _ => Err(problems.into()),
    }
}
