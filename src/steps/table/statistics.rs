//! Statistics. No code here.

use super::{StepDef, step};
use crate::steps::{Call, bind, statistics};

pub(super) const STEPS: &[StepDef] = &[
    step(
        "Then",
        "{artifact} is consistent",
        "Then the statistics database is consistent",
        |a| Ok(Call::Statistics(a[0].parse()?, statistics::Ask::Consistent)),
        "The database and its write-ahead log were copied as one set; the copy opens, passes SQLite's integrity check, and holds the expected tables and at least one sample.",
    ),
    step(
        "Then",
        "{artifact} has a sample from the last {duration}",
        "Then the statistics database has a sample from the last 5 minutes",
        |a| {
            Ok(Call::Statistics(
                a[0].parse()?,
                statistics::Ask::SampleWithin(bind::duration(a[1])?),
            ))
        },
        "The newest sample in the retrieved copy is no older than that, and does not lie in the future.",
    ),
];
