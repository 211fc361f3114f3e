//! Time and size. No code here.

use super::{StepDef, step};
use crate::steps::{Call, bind};

pub(super) const STEPS: &[StepDef] = &[
    step(
        "Then",
        "every artifact was retrieved within {duration}",
        "Then every artifact was retrieved within 5 minutes",
        |a| Ok(Call::AllWithin(bind::duration(a[0])?)),
        "The retrievals of this check together took no longer than that.",
    ),
    step(
        "Then",
        "{artifact} was retrieved within {duration}",
        "Then the event log was retrieved within 1 minute",
        |a| Ok(Call::Within(a[0].parse()?, bind::duration(a[1])?)),
        "The retrieval of all files of that artifact took no longer than that.",
    ),
];
