//! The configuration: well-formed, and of this instance.

use super::retrieve::set;
use super::{ArtifactName, Stop, World};
use crate::evidence::Content;
use crate::failure::{Failure, FailureKind};

pub(super) async fn well_formed(world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
    for (_, content) in &set(world, name).await?.files {
        content.as_ref().map_err(Failure::clone)?;
    }
    Ok(())
}

/// A configuration may be spread over files of which only one names the instance; none may name
/// another.
pub(super) async fn belongs_to_instance(
    world: &mut World,
    name: &ArtifactName,
) -> Result<(), Stop> {
    let expected = world.instance()?.expect_name.clone().unwrap_or_default();
    let files = &set(world, name).await?.files;
    let mut named = false;
    for (file, content) in files {
        if let Content::Xml {
            name: Some(seen), ..
        } = content.as_ref().map_err(Failure::clone)?
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
