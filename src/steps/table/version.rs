//! The version. No code here.

use super::{StepDef, step};
use crate::steps::{Call, version};

pub(super) const STEPS: &[StepDef] = &[
    step(
        "Then",
        "the version is the expected one",
        "Then the version is the expected one",
        |_| Ok(Call::Version(version::Ask::Expected)),
        "The version retrieved is `expect.version` of the inventory.",
    ),
    step(
        "Then",
        "the installed, running and logged version are the same",
        "Then the installed, running and logged version are the same",
        |_| Ok(Call::Version(version::Ask::AllSame)),
        "Every artifact of kind version, such as `version` and `running version`, and what each log with `match:` stated last, tell the same version; there are at least two such sources.",
    ),
    step(
        "Then",
        "{artifact} is the same version as {artifact}",
        "Then artifact \"running version\" is the same version as the version",
        |a| {
            let names = [a[0].parse()?, a[1].parse()?];
            Ok(Call::Version(version::Ask::Same(names)))
        },
        "Two artifacts, each of kind version or a log with `match:`, tell the same version.",
    ),
];
