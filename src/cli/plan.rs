//! `gonogo plan`: everything a run would do, and every reason not to.

use std::sync::Arc;

use super::args::{Grants, Plan as Args, PlanFormat, What};
use super::fault::{Exit, Fault};
use super::{people, term};
use crate::inventory::Inventory;
use crate::plan::{self, Filters, Grant, Plan};
use crate::text::escape;

pub(super) fn plan(args: &Args) -> Result<Exit, Fault> {
    let (mut plan, whole) = make_printed(&args.what, false)?;
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
    warn(&plan.inventory);
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

/// What a run would refuse, and a plan does not: whoever reviews one has no keys.
fn warn(inventory: &Inventory) {
    const MOST: usize = 10;
    let wrong = inventory.check_files();
    for one in wrong.iter().take(MOST) {
        let told = one.to_string();
        let told = told.strip_prefix("error: ").unwrap_or(&told);
        term::say(&format!("warning: {told}\n"));
    }
    let more = match wrong.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!("{more} more like it; "),
    };
    if !wrong.is_empty() {
        term::say(&format!(
            "warning: {more}a plan needs no such file; `gonogo run` from here refuses before anything is contacted (exit 2)"
        ));
    }
}

/// From the command line to the plan of a run: the files that the inventory names must be there.
pub(super) fn make(what: &What) -> Result<Plan, Fault> {
    Ok(make_printed(what, true)?.0)
}

/// The plan, and what is printed of the whole. What is wrong with filters, inventory and features is told together;
/// where somebody is about to connect, with what is wrong with the files that the inventory names.
fn make_printed(what: &What, to_connect: bool) -> Result<(Plan, String), Fault> {
    let mut problems = Vec::new();
    let filters = Filters::new(what.tags.as_deref(), &what.instance, &what.host, &what.team);
    let filters = filters.map_err(|found| problems.extend(found));
    let inventory = match to_connect {
        true => Inventory::load_to_connect(&what.inventory),
        false => Inventory::load(&what.inventory),
    };
    let inventory = inventory.map_err(|found| problems.extend(found));
    if let (Ok(inventory), true) = (&inventory, to_connect) {
        problems.extend(inventory.check_files());
    }
    let written = plan::read(&what.features).map_err(|found| problems.extend(found));
    match (filters, inventory, written) {
        (Ok(filters), Ok(inventory), Ok(written)) => {
            let made = plan::make_printed(&Arc::new(inventory), written, &filters);
            let made = made.map_err(|found| problems.extend(found));
            match made {
                Ok(made) if problems.is_empty() => Ok(made),
                _ => Err(problems.into()),
            }
        }
        _ => Err(problems.into()),
    }
}
