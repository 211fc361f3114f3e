//! The version: taken from what a command prints or a file holds, and compared.

use std::io::{self, Write};

use super::call::{lacks, unfit};
use super::retrieve::set;
use super::world::Retrieved;
use super::{ArtifactName, Stop, World};
use crate::evidence::reader::Reader;
use crate::evidence::text::Text;
use crate::evidence::{Content, version};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Instance, Kind, Pattern};

/// The reader for a version that is kept in a file; `None` for every other artifact.
pub(super) fn reader(artifact: &Artifact) -> Option<Box<dyn Reader>> {
    let file = || VersionFile {
        text: Text::new(MOST_TEXT),
        pattern: artifact.pattern.clone(),
    };
    (artifact.kind == Kind::Version).then(|| Box::new(file()) as Box<dyn Reader>)
}

// A version file is a line or a few; a marker deep inside a large file is not a version.
const MOST_TEXT: usize = 64 << 10;

struct VersionFile {
    text: Text,
    pattern: Option<Pattern>,
}

impl Write for VersionFile {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.text.write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader for VersionFile {
    fn finish(self: Box<Self>) -> Result<Content, Failure> {
        version::in_file(&self.text.into_capture(), self.pattern.as_ref())
    }
}

/// What a step asks about the version.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// It is `expect.version`.
    Expected,
    /// Every artifact that tells a version tells the same: those of kind version, and logs with `match:`.
    AllSame,
    /// These two tell the same.
    Same([ArtifactName; 2]),
}

impl Ask {
    /// The artifacts that the step names.
    pub(super) fn names(&self) -> &[ArtifactName] {
        match self {
            Self::Expected => &[ArtifactName::OfKind(Kind::Version)],
            Self::AllSame => &[],
            Self::Same(names) => names,
        }
    }

    /// The artifacts that it is about.
    #[must_use]
    pub fn sources<'a>(&self, instance: &'a Instance, team: Option<&str>) -> Vec<&'a Artifact> {
        match self {
            Self::AllSame => {
                let artifacts = team.map_or(instance.artifacts.as_slice(), |team| {
                    instance.artifacts_for(team)
                });
                artifacts.iter().filter(|one| tells_version(one)).collect()
            }
            Self::Expected | Self::Same(_) => (self.names().iter())
                .filter_map(|name| name.find(instance, team).ok())
                .collect(),
        }
    }

    /// Refuses what can be known to be impossible before connecting.
    pub(super) fn validate(&self, instance: &Instance, team: Option<&str>) -> Result<(), String> {
        match self {
            Self::Expected if instance.expect_version.is_none() => lacks(instance, "version"),
            Self::Expected => Ok(()),
            Self::AllSame => match self.sources(instance, team).as_slice() {
                [_, _, ..] => Ok(()),
                few => {
                    let known: Vec<&str> = few.iter().map(|one| one.name.as_str()).collect();
                    let known = match known.as_slice() {
                        [] => "nothing".to_owned(),
                        names => format!("only `{}`", names.join("`, `")),
                    };
                    Err(format!(
                        "{known} tells a version of instance `{}`: add an artifact such as `running version: {{kind: version, command: [...]}}`, or `match:` to its log",
                        instance.name
                    ))
                }
            },
            Self::Same(names) => names.iter().try_for_each(|name| {
                let artifact = name.find(instance, team)?;
                match tells_version(artifact) {
                    true => Ok(()),
                    false => unfit(
                        instance,
                        artifact,
                        "of kind version, nor a log with `match:`",
                    ),
                }
            }),
        }
    }

    pub(super) async fn perform(&self, world: &mut World) -> Result<(), Stop> {
        match self {
            Self::Expected => expected(world).await,
            Self::AllSame | Self::Same(_) => same(self, world).await,
        }
    }
}

/// Whether a version can be learnt from it.
fn tells_version(artifact: &Artifact) -> bool {
    match artifact.kind {
        Kind::Version => true,
        Kind::Log => artifact.pattern.is_some(),
        _ => false,
    }
}

async fn expected(world: &mut World) -> Result<(), Stop> {
    let expected = world.instance()?.expect_version.clone();
    let found = set(world, &ArtifactName::OfKind(Kind::Version)).await?;
    let mut version = None;
    let mut path = String::new();
    for (file, content) in &found.files {
        if let Content::Version(seen) = content.as_ref().map_err(Failure::clone)? {
            path.clone_from(&file.path);
            version = Some(seen.clone());
            // Several files may hold a version: one that disagrees is the one to be told.
            if version != expected {
                break;
            }
        }
    }
    match (expected, version) {
        (Some(expected), Some(seen)) if expected == seen => Ok(()),
        (expected, seen) => Err(Failure::new(
            FailureKind::Mismatch,
            format!("version {}", expected.as_deref().unwrap_or("(none in the inventory)")),
            seen.map_or_else(|| "no version".to_owned(), |seen| format!("version {seen}")),
        )
        .with_subject(path)
        .with_hint("either the host runs another release than planned, or `expect.version` in the inventory is out of date: settle which before go-live")
        .into()),
    }
}

/// Fetches every source, and compares what each one tells, letter by letter.
async fn same(ask: &Ask, world: &mut World) -> Result<(), Stop> {
    let instance = world.instance()?;
    let sources = ask.sources(instance, world.subject.team.as_deref());
    let sources: Vec<String> = sources.iter().map(|one| one.name.clone()).collect();
    let mut told: Vec<(String, String)> = Vec::new();
    for name in sources {
        let found = set(world, &ArtifactName::Named(name.clone())).await?;
        for version in versions(found)? {
            told.push((name.clone(), version));
        }
    }
    let is_one = told.windows(2).all(|pair| pair[0].1 == pair[1].1);
    if is_one && told.len() >= 2 {
        return Ok(());
    }
    let each: Vec<String> = (told.iter())
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    Err(Failure::new(
        FailureKind::Mismatch,
        "the same version from each of them",
        each.join(", "),
    )
    .with_hint("a process that was not restarted after an installation runs the old release: restart the product, or settle which version is meant; when they mean the same, make each `match:` take the same part of it")
    .into())
}

/// What one source tells: each file of a version, the last word of a log.
fn versions(found: &Retrieved) -> Result<Vec<String>, Failure> {
    let mut versions = Vec::new();
    let mut last: Option<(Option<jiff::Timestamp>, &String)> = None;
    for (_, content) in &found.files {
        match content.as_ref().map_err(Failure::clone)? {
            Content::Version(version) => versions.push(version.clone()),
            Content::Log(seen) => {
                if let Some(version) = &seen.version
                    && last.is_none_or(|(newest, _)| newest <= seen.newest)
                {
                    last = Some((seen.newest, version));
                }
            }
            _ => {}
        }
    }
    versions.extend(last.map(|(_, version)| version.clone()));
    if versions.is_empty() {
        let artifact = &found.artifact;
        let expected = format!("a version in `{}`", artifact.name);
        let path = found.files.first().map_or("", |(file, _)| &file.path);
        return Err(Failure::new(FailureKind::Missing, expected, "none that `match:` finds")
            .with_subject(path)
            .with_hint("the log that the product wrote when it started may be rotated away: keep that one, or correct `match:` of this artifact"));
    }
    Ok(versions)
}
