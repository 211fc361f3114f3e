//! The configuration: well-formed, of this instance, complete with what it includes, no sample, the one
//! that is running, and without settings that destroy evidence.

mod findings;
pub(super) mod includes;
mod rows;
mod running;
mod shipped;

pub use rows::Links;

use super::call::{lacks, touched, unfit};
use super::resume::Losses;
use super::retrieve::{retrieve, set};
use super::{ArtifactName, Stop, Subject, Touch, World};
use crate::evidence::Content;
use crate::evidence::reader::Reader;
use crate::evidence::settings::Settings;
use crate::evidence::settings::reader::Parsed;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Format, Instance, Source};

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
    /// Everything that it includes came too.
    Complete,
    /// It is none of `shipped:`.
    NotShipped,
    /// The artifact of `running:` has the same settings.
    Running,
    /// None of `findings:` is found.
    KeepsEvidence,
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
        let keys = &artifact.configuration;
        let needs = |key: &str, example: &str| {
            Err(format!(
                "artifact `{}` of instance `{}` has no `{key}: {example}`",
                artifact.name, instance.name
            ))
        };
        match self {
            Self::BelongsToInstance if instance.expect_name.is_none() => lacks(instance, "name"),
            Self::BelongsToInstance
                if keys.name.is_none() && artifact.format != Some(Format::Xml) =>
            {
                needs(
                    "name",
                    "SETTING` that names the instance; write `name: cluster_name",
                )
            }
            Self::Complete if !matches!(artifact.source, Source::Path(_)) => {
                unfit(instance, artifact, "a file, and only files include files")
            }
            Self::NotShipped if keys.shipped.is_none() => needs("shipped", "[PATH]"),
            Self::Running => match &keys.running {
                None => needs("running", "ARTIFACT"),
                Some(name) => running_of(name, instance, artifact),
            },
            Self::KeepsEvidence if keys.findings.as_ref().is_none_or(|all| all.is_empty()) => {
                needs("findings", "[{setting: …}]")
            }
            _ => Ok(()),
        }
    }

    /// What it uses on the host beside the configuration itself.
    pub(super) fn touches(
        &self,
        instance: &Instance,
        artifact: &Artifact,
        subject: &Subject,
    ) -> Vec<Touch> {
        match self {
            Self::NotShipped => {
                let patterns = artifact.configuration.shipped.iter().flatten();
                patterns.cloned().map(Touch::Read).collect()
            }
            Self::Running => {
                let found = self.also(artifact);
                let found =
                    found.and_then(|name| name.find(instance, subject.team.as_deref()).ok());
                found
                    .map(|artifact| touched(instance, artifact))
                    .unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// The other artifact that it fetches.
    #[must_use]
    pub fn also(&self, artifact: &Artifact) -> Option<ArtifactName> {
        let running = artifact.configuration.running.as_ref();
        let running = running.filter(|_| *self == Self::Running);
        running.map(|name| ArtifactName::Named(name.clone()))
    }

    pub(super) async fn perform(&self, world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
        match self {
            Self::WellFormed => well_formed(world, name).await,
            Self::BelongsToInstance => belongs_to_instance(world, name).await,
            Self::Complete => complete(world, name).await,
            Self::NotShipped => shipped::is_not(world, name).await,
            Self::Running => running::is_running(world, name).await,
            Self::KeepsEvidence => keeps_evidence(world, name).await,
        }
    }
}

fn running_of(name: &str, instance: &Instance, artifact: &Artifact) -> Result<(), String> {
    let running = ArtifactName::Named(name.to_owned()).find(instance, None)?;
    if running.source == artifact.source {
        return Err(format!(
            "`running: {name}` of artifact `{}` comes from where that comes from, and would always be the same: write what the running product tells (`command:`, `http:`)",
            artifact.name
        ));
    }
    let is_other = running.name != artifact.name;
    match is_other && running.format.is_some_and(Format::is_settings) {
        true => Ok(()),
        false => Err(format!(
            "`running: {name}` of artifact `{}` must name another artifact, with a `format` that can be parsed",
            artifact.name
        )),
    }
}

/// Every file parses, and one of them at least says something.
async fn well_formed(world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
    let found = set(world, name).await?;
    let files = rows::parsed(found)?;
    let says_nothing = files
        .iter()
        .all(|(_, settings)| settings.list.is_empty() && settings.includes.is_empty());
    match (says_nothing, found.files.first()) {
        (true, Some((file, _))) => Err(Failure::new(
            FailureKind::Empty,
            "a configuration with at least one setting",
            "comments and blanks only",
        )
        .with_subject(&file.path)
        .with_hint(
            "the product runs on its defaults, or from another file: correct the artifact's `path`",
        )
        .into()),
        _ => Ok(()),
    }
}

/// Fetches what is included, unless `includes:` has already made the retrieval do so.
async fn complete(world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
    let at = retrieve(world, name).await?;
    if world.retrieved[at]
        .artifact
        .configuration
        .includes
        .is_some()
    {
        return Ok(());
    }
    let artifact = world.retrieved[at].artifact.clone();
    let mut files = std::mem::take(&mut world.retrieved[at].files);
    let before = files.len();
    let mut losses = Losses::default();
    let links = includes::follow(world, &artifact, &mut files, &mut losses).await;
    losses.write(&mut world.transcript);
    let links = links.map_err(|stop| losses.told(stop));
    for (file, _) in &files[before..] {
        world.transcript.retrieved(file);
    }
    world.retrieved[at].files = files;
    world.retrieved[at].links = links?;
    Ok(())
}

async fn keeps_evidence(world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
    let found = set(world, name).await?;
    let rules = found.artifact.configuration.findings.clone();
    let rules = rules.unwrap_or_default();
    let rows = rows::rows(found)?;
    let findings = findings::judge(&rules, &rows, found.artifact.format);
    if let Some(failure) = findings::failure(&findings) {
        return Err(failure.into());
    }
    let rules = rules.len() as u64;
    tell(world, name, |settings| settings.told.rules = Some(rules)).await
}

/// Writes down what a step concluded, with the first file of the set.
async fn tell(
    world: &mut World,
    name: &ArtifactName,
    write: impl FnOnce(&mut Settings),
) -> Result<(), Stop> {
    let at = retrieve(world, name).await?;
    if let Some((_, Ok(Content::Settings(found)))) = world.retrieved[at].files.first_mut() {
        write(found);
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
