//! Files that are only listed. No code here.

use super::{StepDef, step};
use crate::steps::{Call, bind, listing};

pub(super) const STEPS: &[StepDef] = &[
    step(
        "Then",
        "{artifact} can be listed",
        "Then artifact \"minidumps\" can be listed",
        |a| Ok(Call::Listing(a[0].parse()?, listing::Ask::CanBeListed)),
        "The directories of a `listing: true` artifact can be read; each file is recorded with size and time, none is opened. No file at all is fine, too.",
    ),
    step(
        "Then",
        "{artifact} lists no file newer than {duration}",
        "Then artifact \"minidumps\" lists no file newer than 7 days",
        |a| {
            Ok(Call::Listing(
                a[0].parse()?,
                listing::Ask::NothingNewerThan(bind::duration(a[1])?),
            ))
        },
        "No file of a `listing: true` artifact was changed within that span: a fresh core dump is a finding.",
    ),
];
