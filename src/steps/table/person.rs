//! What only a person can answer. No code here.

use super::{StepDef, step};
use crate::steps::{Call, person::Ask};

pub(super) const STEPS: &[StepDef] = &[
    step(
        "Then",
        "a person confirms {string}",
        "Then a person confirms \"the pager of the team on call rang\"",
        |a| Ok(Call::Person(Ask::new(None, a[0])?)),
        "Nothing that gonogo could see: the check is pending, and the run is HOLD, until somebody who may answer signs for it with `gonogo attest`. The steps around it are performed all the same, and one that fails makes the check failed. One question a scenario.",
    ),
    step(
        "Then",
        "the {string} confirms {string}",
        "Then the \"release manager\" confirms \"the rollback was rehearsed\"",
        |a| Ok(Call::Person(Ask::new(Some(a[0]), a[1])?)),
        "The same, and only somebody answers whom the answerers' file gives that role: `role:release-manager` beside the name, on the line of the key.",
    ),
];
