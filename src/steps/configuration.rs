//! The configuration: well-formed, and of this instance.

use super::call::{lacks, unfit};
use super::retrieve::set;
use super::{ArtifactName, Stop, Subject, Touch, World};
use crate::evidence::Content;
use crate::evidence::reader::Reader;
use crate::evidence::settings::reader::Parsed;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Format, Instance};

/// The reader for an artifact that can be parsed; `None` for every other.
pub(super) fn reader(artifact: &Artifact) -> Option<Box<dyn Reader>> {
    Parsed::of(artifact).map(|parsed| Box::new(parsed) as Box<dyn Reader>)
}

/// What a step asks about a configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Every file parses.
    WellFormed,
    /// Its own name is `expect.name`.
    BelongsToInstance,
}

impl Ask {
    /// Refuses what can be known to be impossible before connecting.
    pub(super) fn validate(&self, instance: &Instance, artifact: &Artifact) -> Result<(), String> {
        if !artifact.format.is_some_and(Format::is_settings) {
            return unfit(
                instance,
                artifact,
                "of a format that can be parsed (`format: xml`)",
            );
        }
        match self {
            Self::BelongsToInstance if instance.expect_name.is_none() => lacks(instance, "name"),
            _ => Ok(()),
        }
    }

    /// What it uses on the host beside the configuration itself.
    pub(super) fn touches(&self, _: &Instance, _: &Artifact, _: &Subject) -> Vec<Touch> {
        Vec::new()
    }

    pub(super) async fn perform(&self, world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
        match self {
            Self::WellFormed => well_formed(world, name).await,
            Self::BelongsToInstance => belongs_to_instance(world, name).await,
        }
    }
}

async fn well_formed(world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
    for (_, content) in &set(world, name).await?.files {
        content.as_ref().map_err(Failure::clone)?;
    }
    Ok(())
}

/// A configuration may be spread over files of which only one names the instance; none may name
/// another.
async fn belongs_to_instance(world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
    let expected = world.instance()?.expect_name.clone().unwrap_or_default();
    let files = &set(world, name).await?.files;
    let mut named = false;
    for (file, content) in files {
        if let Content::Settings(found) = content.as_ref().map_err(Failure::clone)?
            && let Some(seen) = &found.name
        {
            if *seen != expected {
                return Err(mismatch(&expected, &format!("name `{seen}`"))
                    .with_subject(&file.path)
                    .into());
            }
            named = true;
        }
    }
    match (named, files.first()) {
        (false, Some((file, _))) => Err(mismatch(&expected, "no name in any file")
            .with_subject_if_none(&file.path)
            .into()),
        _ => Ok(()),
    }
}

fn mismatch(expected: &str, actual: &str) -> Failure {
    Failure::new(FailureKind::Mismatch, format!("the configuration of `{expected}`"), actual).with_hint(
        "the artifact's `path` leads to another instance's files, or `expect.name` in the inventory is out of date",
    )
}
