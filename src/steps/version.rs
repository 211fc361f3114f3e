//! The version: taken from what a command prints or a file holds, and compared.

use std::io::{self, Write};
use std::time::Instant;

use super::retrieve::{kept, set};
use super::{ArtifactName, Stop, World, command};
use crate::digest::Sha256;
use crate::evidence::reader::Reader;
use crate::evidence::text::Text;
use crate::evidence::{Content, Evidence, version};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Kind, Pattern, Stream};
use crate::transport::Output;

/// Fetches a command's output as an artifact: it must end by itself with status 0 and print something.
pub(super) async fn by_command(
    world: &mut World,
    artifact: &Artifact,
    words: &[String],
) -> Result<(Evidence, Result<Content, Failure>), Stop> {
    let started = Instant::now();
    let output = command::execute(world, words).await?;
    let line = command::line(words);
    if output.status != 0 {
        return Err(command::status_failure(&output, words).into());
    }
    let bytes = wanted(&output, artifact.stream);
    if bytes.trim_ascii().is_empty() {
        return Err(Failure::new(FailureKind::Empty, "some output", "none, with exit status 0")
            .with_subject(line)
            .with_hint("the command may print to the other stream (`stream: stdout|stderr|both`), or is not the program it seems to be")
            .into());
    }
    if let Some(mut file) = kept(world, artifact, "output.txt")? {
        file.write_all(&bytes)
            .map_err(|error| Stop::Fault(format!("cannot keep a command's output: {error}")))?;
    }
    // Opaque commands (`kind: statistics` by a command, say) carry no version.
    let content = match artifact.kind {
        Kind::Version => version::in_output(&output, artifact.stream, artifact.pattern.as_ref())
            .map_err(|failure| failure.with_subject(&line)),
        _ => Ok(Content::Opaque),
    };
    // What holds no version is no retrieved version, whatever its bytes.
    content.as_ref().map_err(Failure::clone)?;
    let evidence = Evidence {
        artifact: artifact.name.clone(),
        kind: artifact.kind,
        path: line,
        bytes: bytes.len() as u64,
        sha256: Sha256::of(&bytes),
        method: "command",
        modified: None,
        attempts: 1,
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        content: content.as_ref().ok().cloned().unwrap_or_default(),
    };
    Ok((evidence, content))
}

fn wanted(output: &Output, stream: Stream) -> Vec<u8> {
    match stream {
        Stream::Stdout => output.stdout.clone(),
        Stream::Stderr => output.stderr.clone(),
        Stream::Both => [output.stdout.as_slice(), &output.stderr].concat(),
    }
}

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

pub(super) async fn expected(world: &mut World) -> Result<(), Stop> {
    let expected = world.instance()?.expect_version.clone();
    let found = set(world, &ArtifactName::OfKind(Kind::Version)).await?;
    let mut version = None;
    let mut path = String::new();
    for (file, content) in &found.files {
        path.clone_from(&file.path);
        if let Content::Version(seen) = content.as_ref().map_err(Failure::clone)? {
            version = Some(seen.clone());
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
