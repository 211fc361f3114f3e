//! Logs. No code here.

use super::{StepDef, step};
use crate::steps::{Call, bind, log};

pub(super) const STEPS: &[StepDef] = &[
    step(
        "Then",
        "{artifact} has an entry from the last {duration}",
        "Then the event log has an entry from the last 1 hour",
        |a| {
            Ok(Call::Log(
                a[0].parse()?,
                log::Ask::EntryWithin(bind::duration(a[1])?),
            ))
        },
        "The newest entry read from the log itself, over all rotated and compressed files, is no older than that, and does not lie in the future.",
    ),
    step(
        "Then",
        "{artifact} covers the last {duration}",
        "Then the event log covers the last 24 hours",
        |a| {
            Ok(Call::Log(
                a[0].parse()?,
                log::Ask::Covers(bind::duration(a[1])?),
            ))
        },
        "The oldest entry is at least that old, and the newest lies within the span.",
    ),
];
