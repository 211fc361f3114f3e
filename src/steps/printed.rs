//! An artifact that a command prints: the same proofs as for one that lies in a file.

use std::io::Write as _;
use std::time::Instant;

use super::retrieve::{Fetched, kept, reader_of};
use super::{Stop, World, command, reject, statistics};
use crate::digest::Sha256;
use crate::evidence::unpack::Tail;
use crate::evidence::{Content, Evidence, version};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Format, Kind, Stream};
use crate::transport::Output;

/// Fetches a command's output: it must end by itself with status 0 and print something.
pub(super) async fn fetch(
    world: &mut World,
    artifact: &Artifact,
    words: &[String],
) -> Result<Fetched, Stop> {
    let started = Instant::now();
    let output = command::execute(world, words).await?;
    let line = command::line(words);
    if output.status != 0 {
        return Err(command::status_failure(&output, words).into());
    }
    reject::output(&artifact.reject, &output).map_err(|failure| failure.with_subject(&*line))?;
    let bytes = wanted(&output, artifact.stream);
    if bytes.trim_ascii().is_empty() {
        return Err(nothing(&output, artifact.stream).with_subject(line).into());
    }
    if let Some((mut file, _)) = kept(world, artifact, "output.txt")? {
        let written = file.write_all(&bytes);
        written.map_err(|error| Stop::Fault(format!("cannot keep a command's output: {error}")))?;
    }
    let content = look(world, artifact, &output, &bytes)
        .await?
        .map_err(|failure| failure.with_subject_if_none(&line));
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

/// What the format's reader finds in it. Nothing a command printed is taken on trust.
async fn look(
    world: &World,
    artifact: &Artifact,
    output: &Output,
    bytes: &[u8],
) -> Result<Result<Content, Failure>, Stop> {
    Ok(match (artifact.kind, artifact.format) {
        (Kind::Version, _) => {
            version::in_output(output, artifact.stream, artifact.pattern.as_ref())
        }
        (_, Some(Format::Sqlite)) => statistics::printed(world, artifact, bytes).await?,
        _ => {
            let mut reader = reader_of(world, artifact, Tail::Closed);
            match reader.write_all(bytes) {
                Ok(()) => reader.finish(),
                Err(error) => {
                    return Err(Stop::Fault(format!(
                        "cannot look at what a command printed: {error}"
                    )));
                }
            }
        }
    })
}

/// The refusal of an output that is blank where it is wanted.
fn nothing(output: &Output, stream: Stream) -> Failure {
    let is_blank = |bytes: &[u8]| bytes.trim_ascii().is_empty();
    let hint = match stream {
        Stream::Stdout if !is_blank(&output.stderr) => {
            "it printed to stderr: write `stream: stderr` for the artifact, if that is what is wanted"
        }
        Stream::Stderr if !is_blank(&output.stdout) => {
            "it printed to stdout: write `stream: stdout` for the artifact, if that is what is wanted"
        }
        _ => {
            "run the command by hand as this account: it may not be the program that it seems to be"
        }
    };
    let expected = match stream {
        Stream::Stdout => "some output on stdout",
        Stream::Stderr => "some output on stderr",
        Stream::Both => "some output",
    };
    Failure::new(FailureKind::Empty, expected, "none, with exit status 0").with_hint(hint)
}

fn wanted(output: &Output, stream: Stream) -> Vec<u8> {
    match stream {
        Stream::Stdout => output.stdout.clone(),
        Stream::Stderr => output.stderr.clone(),
        Stream::Both => [output.stdout.as_slice(), &output.stderr].concat(),
    }
}
