//! Selecting what a scenario is crossed with. No code here.

use super::{StepDef, step};
use crate::steps::{Call, Selector};

pub(super) const STEPS: &[StepDef] = &[
    step(
        "Given",
        "each instance",
        "Given each instance",
        |_| Ok(Call::Select(Selector::instances(None, None))),
        "One check for each instance of the inventory, as the first team of its list.",
    ),
    step(
        "Given",
        "each {string} instance",
        "Given each \"amps\" instance",
        |a| Ok(Call::Select(Selector::instances(Some(a[0]), None))),
        "One check for each instance of that product, as the first team of its list.",
    ),
    step(
        "Given",
        "each instance on group {string}",
        "Given each instance on group \"ny4\"",
        |a| Ok(Call::Select(Selector::instances(None, Some(a[0])))),
        "One check for each instance on a host of that group, as the first team of its list.",
    ),
    step(
        "Given",
        "each {string} instance on group {string}",
        "Given each \"amps\" instance on group \"ny4\"",
        |a| Ok(Call::Select(Selector::instances(Some(a[0]), Some(a[1])))),
        "One check for each instance of that product on a host of that group.",
    ),
    step(
        "Given",
        "each team responsible for it",
        "And each team responsible for it",
        |_| Ok(Call::Select(Selector::ResponsibleTeams)),
        "One check for each team in the instance's list, each with its own login.",
    ),
    step(
        "Given",
        "the {string} team",
        "And the \"operations\" team",
        |a| Ok(Call::Select(Selector::Team(a[0].to_owned()))),
        "The check is done with that team's login.",
    ),
    step(
        "Given",
        "each host",
        "Given each host",
        |_| Ok(Call::Select(Selector::Hosts(None))),
        "One check for each host that is not merely a hop.",
    ),
    step(
        "Given",
        "each host on group {string}",
        "Given each host on group \"ny4\"",
        |a| Ok(Call::Select(Selector::Hosts(Some(a[0].to_owned())))),
        "One check for each host of that group.",
    ),
    step(
        "Given",
        "each team",
        "Given each team",
        |_| Ok(Call::Select(Selector::Teams)),
        "One check for each team of the inventory.",
    ),
    step(
        "Given",
        "each host that it is monitored from",
        "And each host that it is monitored from",
        |_| Ok(Call::Select(Selector::MonitoredFrom)),
        "One check for each host that `from:` of the vendor's `monitoring` names.",
    ),
    step(
        "Given",
        "each vendor",
        "Given each vendor",
        |_| Ok(Call::Select(Selector::Vendors)),
        "One check for each vendor of the inventory.",
    ),
    step(
        "Given",
        "the {string} vendor",
        "Given the \"60east\" vendor",
        |a| Ok(Call::Select(Selector::Vendor(a[0].to_owned()))),
        "The check is about that vendor.",
    ),
];
