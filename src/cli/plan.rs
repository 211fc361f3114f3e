//! `gonogo plan`: everything a run would do, and every reason not to.

use std::sync::Arc;

use super::args::{Plan as Args, PlanFormat, What};
use super::fault::{Exit, Fault};
use super::term;
use crate::inventory::Inventory;
use crate::plan::{self, Filters, Plan};

pub(super) fn plan(args: &Args) -> Result<Exit, Fault> {
    let plan = make(&args.what)?;
    term::out(&match args.format {
        PlanFormat::Text => format!(
            "{}\nplan {}\nnothing was contacted\n",
            plan::text(&plan),
            plan.digest
        ),
        PlanFormat::Json => format!("{:#}\n", plan::json(&plan)),
    });
    Ok(Exit::Go)
}

/// From the command line to a plan; problems of inventory and filters are told together.
pub(super) fn make(what: &What) -> Result<Plan, Fault> {
    let filters = Filters::new(what.tags.as_deref(), &what.instance, &what.host, &what.team);
    let (inventory, filters) = match (Inventory::load(&what.inventory), filters) {
        (Ok(inventory), Ok(filters)) => (Arc::new(inventory), filters),
        (Err(problems), Ok(_)) => return Err(problems.into()),
        (Ok(_), Err(problems)) => return Err(problems.into()),
        (Err(problems), Err(more)) => return Err([problems.into_vec(), more].concat().into()),
    };
    Ok(plan::make(&inventory, &what.features, &filters)?)
}
