//! The configuration. No code here.

use super::{StepDef, step};
use crate::steps::{Call, configuration};

pub(super) const STEPS: &[StepDef] = &[
    step(
        "Then",
        "{artifact} is well-formed",
        "Then the configuration is well-formed",
        |a| {
            Ok(Call::Configuration(
                a[0].parse()?,
                configuration::Ask::WellFormed,
            ))
        },
        "Every file of the artifact parses as its `format` says.",
    ),
    step(
        "Then",
        "{artifact} belongs to this instance",
        "Then the configuration belongs to this instance",
        |a| {
            Ok(Call::Configuration(
                a[0].parse()?,
                configuration::Ask::BelongsToInstance,
            ))
        },
        "The name that the configuration gives itself is `expect.name` of the inventory. Of a log: the only name that its entries give the instance, found by `names:`, is that.",
    ),
    step(
        "Then",
        "{artifact} is complete with everything it includes",
        "Then the configuration is complete with everything it includes",
        |a| {
            Ok(Call::Configuration(
                a[0].parse()?,
                configuration::Ask::Complete,
            ))
        },
        "Every file that its include directives name, and theirs, was retrieved too; `includes:` of the artifact says which files these may be.",
    ),
    step(
        "Then",
        "{artifact} is not the shipped sample",
        "Then the configuration is not the shipped sample",
        |a| {
            Ok(Call::Configuration(
                a[0].parse()?,
                configuration::Ask::NotShipped,
            ))
        },
        "Its settings are not those of a file that the product ships, comments left aside; `shipped:` says where these lie on the host.",
    ),
    step(
        "Then",
        "{artifact} is the one that is running",
        "Then the configuration is the one that is running",
        |a| {
            Ok(Call::Configuration(
                a[0].parse()?,
                configuration::Ask::Running,
            ))
        },
        "Its settings are those that the product itself tells by the artifact that `running:` names.",
    ),
    step(
        "Then",
        "{artifact} keeps the evidence that support will ask for",
        "Then the configuration keeps the evidence that support will ask for",
        |a| {
            Ok(Call::Configuration(
                a[0].parse()?,
                configuration::Ask::KeepsEvidence,
            ))
        },
        "None of the settings that the artifact's `findings:` name stands in it: no log, statistics in memory only, a log that truncates itself.",
    ),
];
