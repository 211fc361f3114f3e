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
];
