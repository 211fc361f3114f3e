//! Whether evidence could have come of the check that tells it.

use super::globs::Globs;
use super::resumed;
use crate::inventory::{Artifact, Inventory, Kind};
use crate::plan::Check;
use crate::report::schema;
use crate::steps::{Call, Touch, command_line, log};
use crate::text::escape;

/// Each piece of evidence is of an artifact that the check asks for, from where the plan looks for it.
pub(super) fn gathered(
    planned: &Check,
    told: &schema::Check,
    inventory: &Inventory,
    globs: &Globs,
) -> Result<(), String> {
    let subject = &planned.subject;
    let instance = subject.instance.as_deref();
    let instance = instance.and_then(|name| inventory.instance(name));
    let team = subject.team.as_deref();
    for evidence in &told.evidence {
        let artifacts = instance.map(|instance| match team {
            Some(team) => instance.artifacts_for(team),
            None => &instance.artifacts,
        });
        resumed::believable(evidence, artifacts.unwrap_or_default())?;
        let comes_from = |call: &Call| {
            let about = instance.map(|instance| call.about(instance, team));
            let about = about.unwrap_or_default();
            let is_told = |found: &&Artifact| match call {
                Call::Log(_, log::Ask::KeptFor(_))
                    if log::promise_name(&found.name) == evidence.artifact =>
                {
                    evidence.kind == Kind::Other.as_str()
                }
                _ => found.name == evidence.artifact && found.kind.as_str() == evidence.kind,
            };
            about.iter().any(is_told)
                && call
                    .touches(subject, inventory)
                    .iter()
                    .any(|touch| match touch {
                        Touch::Execute(words) => command_line(words) == evidence.path,
                        Touch::Get(url) => *url == evidence.path,
                        Touch::List(pattern) => {
                            *pattern == evidence.path && evidence.method == "listing"
                        }
                        Touch::Write(_) => false,
                        Touch::Read(pattern) => {
                            *pattern == evidence.path || globs.leads(pattern, &evidence.path)
                        }
                    })
        };
        if !planned.steps.iter().any(|step| comes_from(&step.call)) {
            let (artifact, path) = (escape(&evidence.artifact), escape(&evidence.path));
            return Err(format!(
                "evidence `{artifact}` from `{path}` was not planned"
            ));
        }
    }
    Ok(())
}
