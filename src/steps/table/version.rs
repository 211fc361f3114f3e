//! The version. No code here.

use super::{StepDef, step};
use crate::steps::{Call, version};

pub(super) const STEPS: &[StepDef] = &[step(
    "Then",
    "the version is the expected one",
    "Then the version is the expected one",
    |_| Ok(Call::Version(version::Ask::Expected)),
    "The version retrieved is `expect.version` of the inventory.",
)];
