//! The host under a product. No code here.

use super::{StepDef, step};
use crate::steps::{Call, host};

pub(super) const STEPS: &[StepDef] = &[
    step(
        "Then",
        "the operating system, kernel, limits and disk space of the host are known",
        "Then the operating system, kernel, limits and disk space of the host are known",
        |_| Ok(Call::Host(host::Ask::Known)),
        "`/etc/os-release`, `uname -srm`, `/proc/self/limits`, `/proc/meminfo` and `df -Pk` tell each of them to the team's account, without sudo; they stand in the report for the support request.",
    ),
    step(
        "Then",
        "the file system of {artifact} has at least {int} % free",
        "Then the file system of the event log has at least 10 % free",
        |a| {
            let percent = a[1].parse::<u64>();
            let percent = percent.map_err(|_| format!("`{}` is no percentage", a[1]))?;
            Ok(Call::Host(host::Ask::Free(a[0].parse()?, percent)))
        },
        "`df -Pk` of the directory that the artifact lies in shows at least so much of what an ordinary account may use as free.",
    ),
];
