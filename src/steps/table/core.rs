//! Connecting and retrieving. No code here.

use super::{StepDef, Takes, step, with};
use crate::steps::{ArtifactName, Call};

pub(super) const STEPS: &[StepDef] = &[
    step(
        "When",
        "the team connects",
        "When the team connects",
        |_| Ok(Call::Connect),
        "The route leads to the host, the host proves to be the one the inventory means, and the team's login is accepted.",
    ),
    step(
        "Then",
        "{artifact} can be retrieved",
        "Then the event log can be retrieved",
        |a| Ok(Call::Retrieve(vec![a[0].parse()?])),
        "All bytes come, as many as each file had when it was opened, within cap and deadline, from regular files, under the team's own login; their SHA-256 is recorded. An empty artifact is no proof.",
    ),
    with(
        Takes::Table,
        step(
            "Then",
            "these artifacts can be retrieved:",
            "Then these artifacts can be retrieved:",
            |a| {
                Ok(Call::Retrieve(
                    a.iter()
                        .map(|&name| ArtifactName::Named(name.to_owned()))
                        .collect(),
                ))
            },
            "The same for each artifact whose name stands in the one-column table below.",
        ),
    ),
];
