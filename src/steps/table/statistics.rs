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
    step(
        "Then",
        "{artifact} has the expected tables and columns",
        "Then the statistics database has the expected tables and columns",
        |a| Ok(Call::Statistics(a[0].parse()?, statistics::Ask::Expected)),
        "Each table of the artifact's `tables:` and each column of its `columns:` is in the retrieved copy, as a table with rows of its own: no view and no virtual table.",
    ),
    step(
        "Then",
        "{artifact} has a sample at least every {duration} in the last {duration}",
        "Then the statistics database has a sample at least every 1 minute in the last 24 hours",
        |a| {
            Ok(Call::Statistics(
                a[0].parse()?,
                statistics::Ask::SampleEvery(bind::duration(a[1])?, bind::duration(a[2])?),
            ))
        },
        "Over that span, by the host's clock, no stretch without a sample is longer than that, from its beginning to the moment of the copy. Allow more than the product's interval: samples come a little late.",
    ),
    step(
        "Then",
        "{artifact} is sampled at the configured interval",
        "Then the statistics database is sampled at the configured interval",
        |a| Ok(Call::Statistics(a[0].parse()?, statistics::Ask::AtInterval)),
        "The middle one of the newest 120 distances between samples is the artifact's `interval:`, within a fifth of it. Where AMPS' statistics have none, it is `Admin/Interval` of the instance's configuration, which is fetched for it.",
    ),
    step(
        "Then",
        "{artifact} has no sample from the future",
        "Then the statistics database has no sample from the future",
        |a| Ok(Call::Statistics(a[0].parse()?, statistics::Ask::NotAhead)),
        "No sample in the retrieved copy is later than the host's clock, or than the runner's by `clock_tolerance` where the host's was not measured.",
    ),
];
