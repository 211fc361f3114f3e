//! Whether a configuration is still the product's own sample: compared by settings, so that comments,
//! blanks and order say nothing.

use crate::digest::Sha256;
use crate::evidence::reader::Reader as _;
use crate::evidence::settings::Settings;
use crate::evidence::settings::reader::Parsed;
use crate::evidence::tap::Tap;
use crate::evidence::{Content, Evidence};
use crate::failure::{Failure, FailureKind};
use crate::steps::retrieve::{read, regular, set};
use crate::steps::{ArtifactName, Stop, World};
use crate::transport::Span;

use super::rows::parsed;

struct Sample {
    path: String,
    sha256: Sha256,
    settings: Option<Settings>,
}

pub(super) async fn is_not(world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
    let artifact = set(world, name).await?.artifact.clone();
    let patterns = artifact.configuration.shipped.clone().unwrap_or_default();
    let mut samples = Vec::new();
    let session = world.session().await?;
    for pattern in &patterns {
        let entries = match session.list(pattern, world.limits()?).await {
            Err(failure) if failure.kind == FailureKind::Missing => Vec::new(),
            found => found.map_err(|failure| failure.with_subject_if_none(pattern))?,
        };
        for entry in &entries {
            regular(entry)?;
            let Some(parsed) = Parsed::of(&artifact) else {
                continue;
            };
            let tap = Tap::new(parsed);
            let limits = world.limits()?;
            let receipt = read(&*session, &entry.path, Span::WHOLE, limits, tap.sink()).await?;
            // A sample that is no configuration is still the same bytes or not.
            let settings = match Box::new(tap.take()).finish() {
                Ok(Content::Settings(found)) => Some(*found),
                _ => None,
            };
            samples.push(Sample {
                path: receipt.path,
                sha256: receipt.sha256,
                settings,
            });
        }
    }
    if samples.is_empty() {
        return Err(Failure::new(
            FailureKind::Missing,
            "a shipped sample to compare with",
            "none of them on the host",
        )
        .with_subject(patterns.join(", "))
        .with_hint("correct `shipped:` of the artifact: where the package puts its sample, or a copy of it; without one, leave this step out")
        .into());
    }
    let found = set(world, name).await?;
    let files = parsed(found)?;
    let same = |(file, settings): &(&Evidence, &Settings)| {
        samples
            .iter()
            .find(|sample| is_same(sample, file, settings))
    };
    let like: Vec<Option<&Sample>> = files.iter().map(same).collect();
    let all_are = like.iter().all(Option::is_some);
    let first = like.first().copied().flatten().zip(files.first());
    if let (true, Some((sample, (file, _)))) = (all_are, first) {
        return Err(Failure::new(
            FailureKind::Mismatch,
            "a configuration of this site",
            format!("the settings of the shipped sample {} and no other", sample.path),
        )
        .with_subject(&file.path)
        .with_hint("the product runs from another file, or was never configured: compare with the command line of its process, and correct the artifact's `path` or the file")
        .into());
    }
    let told: Vec<String> = samples.into_iter().map(|sample| sample.path).collect();
    super::tell(world, name, |settings| {
        settings.told.shipped.clone_from(&told)
    })
    .await
}

fn is_same(sample: &Sample, file: &Evidence, settings: &Settings) -> bool {
    let list = |settings: &Settings| {
        let list = settings.list.iter();
        let mut list: Vec<_> = list
            .map(|one| (one.path.clone(), one.value.clone()))
            .collect();
        list.sort();
        list
    };
    sample.sha256 == file.sha256
        || (sample.settings.as_ref()).is_some_and(|sample| list(sample) == list(settings))
}
