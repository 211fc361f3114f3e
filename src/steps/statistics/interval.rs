//! How often samples are meant to come: as the artifact says, else as the AMPS configuration does that is
//! fetched with it. Measures nothing.

use std::time::Duration;

use crate::evidence::Content;
use crate::evidence::amps_interval::{self, Configured};
use crate::failure::Failure;
use crate::inventory::{Artifact, Format, Instance, Kind, SampleUnit};
use crate::steps::retrieve::set;
use crate::steps::{ArtifactName, Stop, World};

const CONFIGURATION: ArtifactName = ArtifactName::OfKind(Kind::Configuration);

/// The configuration that says it where the artifact does not: that of a product that counts as AMPS does.
pub(super) fn beside<'a>(
    instance: &'a Instance,
    artifact: &Artifact,
    team: Option<&str>,
) -> Option<&'a Artifact> {
    let counts_so = |sample: &crate::inventory::Sample| sample.unit == SampleUnit::Amps;
    let is_asked =
        artifact.statistics.interval.is_none() && artifact.sample.as_ref().is_some_and(counts_so);
    let found = CONFIGURATION.find(instance, team).ok();
    found.filter(|found| is_asked && found.format == Some(Format::Xml) && !found.listing)
}

/// The interval, and what the configuration said where it was asked.
pub(super) async fn configured(
    world: &mut World,
    artifact: &Artifact,
) -> Result<(Duration, Option<Configured>), Stop> {
    if let Some(interval) = artifact.statistics.interval {
        return Ok((interval, None));
    }
    let set = set(world, &CONFIGURATION).await?;
    let mut files = Vec::new();
    for (file, content) in &set.files {
        if let Content::Settings(seen) = content.as_ref().map_err(Failure::clone)? {
            files.push((file.path.as_str(), &**seen));
        }
    }
    let found = amps_interval::interval(&files)?;
    Ok((found.every, Some(found)))
}
