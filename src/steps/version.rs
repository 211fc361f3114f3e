//! The version: taken from what a command prints or a file holds, and compared.

use std::io::{self, Write};

use super::call::lacks;
use super::retrieve::set;
use super::{ArtifactName, Stop, Subject, Touch, World};
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
}

impl Ask {
    /// Refuses what can be known to be impossible before connecting.
    pub(super) fn validate(&self, instance: &Instance) -> Result<(), String> {
        match self {
            Self::Expected if instance.expect_version.is_none() => lacks(instance, "version"),
            Self::Expected => Ok(()),
        }
    }

    /// What it uses on the host beside the version itself.
    pub(super) fn touches(&self, _: &Instance, _: &Subject) -> Vec<Touch> {
        Vec::new()
    }

    pub(super) async fn perform(&self, world: &mut World) -> Result<(), Stop> {
        match self {
            Self::Expected => expected(world).await,
        }
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
