//! An artifact that a command prints: the same proofs as for one that lies in a file.

use std::fs::File;
use std::io::{self, Write};
use std::time::Instant;

use super::retrieve::{Fetched, kept, reader_of};
use super::{Stop, World, command, reject, statistics};
use crate::digest::Stream;
use crate::evidence::reader::Reader;
use crate::evidence::tap::Tap;
use crate::evidence::unpack::Tail;
use crate::evidence::{Content, Evidence, version};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Format, Kind, Pattern, Stream as Wanted};
use crate::transport::{Command, Output};

/// How much of stdout is kept in memory: as much as a version is looked for in, and a transcript quotes.
const HEAD: usize = 256 << 10;

/// Fetches a command's output: it must end by itself with status 0 and print something. What it prints is
/// hashed and looked at while it comes, in constant memory.
pub(super) async fn fetch(
    world: &mut World,
    artifact: &Artifact,
    words: &[String],
) -> Result<Fetched, Stop> {
    let line = command::line(words);
    let scratch = match artifact.format {
        Some(Format::Sqlite) => Some(Scratch::new()?),
        _ => None,
    };
    let into = match (artifact.kind, &scratch) {
        (Kind::Version, _) => Onlooker::Nothing,
        (_, Some(scratch)) => Onlooker::Copy(scratch.create()?),
        (_, None) => Onlooker::Reader(reader_of(world, artifact, Tail::Closed)),
    };
    let (file, kept) = kept(world, artifact, "output.txt")?.unzip();
    let is_wanted = artifact.stream != Wanted::Stderr;
    let taking = Printed::new(&artifact.reject, is_wanted, into, file);
    let (mut printed, output, took) = taken(world, words, taking).await?;
    if output.status != 0 {
        let failure = command::status_failure(&output, words);
        return Err(needing(artifact, failure).into());
    }
    printed.refuse(artifact, &output.stderr, &line)?;
    printed.is_wanted = true;
    if artifact.stream != Wanted::Stdout {
        let written = printed.write_all(&output.stderr);
        written.map_err(|error| fault(&error))?;
    }
    if printed.is_blank {
        return Err(nothing(&output, artifact.stream).with_subject(line).into());
    }
    printed.flush().map_err(|error| fault(&error))?;
    if let Some(kept) = kept {
        kept.whole();
    }
    let (bytes, sha256) = (printed.bytes, printed.hash.finish());
    let content = match printed.into {
        Onlooker::Nothing => {
            version::in_output(&output, artifact.stream, artifact.pattern.as_ref())
        }
        Onlooker::Reader(reader) => reader.finish(),
        Onlooker::Copy(copy) => {
            drop(copy);
            match scratch {
                Some(scratch) => statistics::printed(world, artifact, scratch.0).await?,
                None => Ok(Content::Opaque),
            }
        }
    };
    let content = content.map_err(|failure| failure.with_subject_if_none(&line));
    let evidence = Evidence {
        artifact: artifact.name.clone(),
        kind: artifact.kind,
        path: line,
        bytes,
        sha256,
        method: "command",
        modified: None,
        attempts: 1,
        resumed: 0,
        duration_ms: took,
        content: content.as_ref().ok().cloned().unwrap_or_default(),
    };
    Ok((evidence, content))
}

/// Runs the command and takes what it prints on stdout; the output holds the head of it. Any exit status is
/// an output. How long it took in milliseconds comes last.
pub(super) async fn taken(
    world: &mut World,
    words: &[String],
    taking: Printed,
) -> Result<(Printed, Output, u64), Stop> {
    let line = command::line(words);
    let session = world.session().await?;
    let limits = world.limits()?;
    let tap = Tap::new(taking);
    let started = Instant::now();
    let asked = Command(words.to_vec());
    let ran = session.stream(&asked, limits, tap.sink());
    let ran = ran.await.map_err(|error| match error.told() {
        Ok(failure) => Stop::Failure(failure.with_subject_if_none(&line)),
        Err(error) => fault(&error),
    });
    let mut printed = tap.take();
    let mut output = ran?;
    output.stdout = std::mem::take(&mut printed.head);
    let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    world.transcript.command(&line, &output, took);
    if printed.came > output.stdout.len() as u64 {
        world.transcript.cut(printed.came);
    }
    Ok((printed, output, took))
}

/// The failure of a command, with what its account needs in the hint.
fn needing(artifact: &Artifact, failure: Failure) -> Failure {
    match &artifact.about.needs {
        Some(needs) => {
            let hint = format!("{}; it needs: {needs}", failure.hint);
            failure.with_hint(hint)
        }
        None => failure,
    }
}

fn fault(error: &io::Error) -> Stop {
    Stop::Fault(format!("cannot store what a command printed: {error}"))
}

/// Where a database that a command prints is put together.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Result<Self, Stop> {
        tempfile::tempdir().map(Self).map_err(|error| fault(&error))
    }

    fn create(&self) -> Result<File, Stop> {
        File::create(self.0.path().join(statistics::PRINTED)).map_err(|error| fault(&error))
    }
}

/// Takes what a command prints while it comes.
pub(super) struct Printed {
    /// The first of stdout, wanted or not.
    head: Vec<u8>,
    /// Bytes of either stream that came, wanted or not.
    came: u64,
    /// Bytes that were wanted.
    pub bytes: u64,
    /// Lines of either stream that are no artifact.
    reject: reject::Lines,
    pub hash: Stream,
    pub is_blank: bool,
    /// Whether what comes now is of the stream that the inventory names.
    is_wanted: bool,
    pub into: Onlooker,
    kept: Option<File>,
}

impl Printed {
    pub(super) fn new(
        reject: &[Pattern],
        is_wanted: bool,
        into: Onlooker,
        kept: Option<File>,
    ) -> Self {
        Self {
            head: Vec::new(),
            came: 0,
            bytes: 0,
            reject: reject::Lines::new(reject),
            hash: Stream::default(),
            is_blank: true,
            is_wanted,
            into,
            kept,
        }
    }

    /// The refusal of what `reject:` finds in either stream.
    pub(super) fn refuse(
        &mut self,
        artifact: &Artifact,
        stderr: &[u8],
        line: &str,
    ) -> Result<(), Failure> {
        let rejected = std::mem::replace(&mut self.reject, reject::Lines::new(&[]));
        reject::printed(rejected, &artifact.reject, stderr)
            .map_err(|failure| needing(artifact, failure).with_subject(line))
    }
}

/// Who looks at it.
pub(super) enum Onlooker {
    /// A reader of its format. Nothing a command printed is taken on trust.
    Reader(Box<dyn Reader>),
    /// A file that SQLite will open.
    Copy(File),
    /// Nobody: the version is found in the head.
    Nothing,
}

impl Write for Printed {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let room = (HEAD + 1).saturating_sub(self.head.len()).min(piece.len());
        self.head.extend_from_slice(&piece[..room]);
        self.came += piece.len() as u64;
        self.reject.write_all(piece)?;
        if self.is_wanted {
            self.bytes += piece.len() as u64;
            self.is_blank &= piece.trim_ascii().is_empty();
            self.hash.update(piece);
            match &mut self.into {
                Onlooker::Reader(reader) => reader.write_all(piece)?,
                Onlooker::Copy(file) => file.write_all(piece)?,
                Onlooker::Nothing => {}
            }
            if let Some(file) = &mut self.kept {
                file.write_all(piece)?;
            }
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.into {
            Onlooker::Reader(reader) => reader.flush(),
            Onlooker::Copy(file) => file.flush(),
            Onlooker::Nothing => Ok(()),
        }
    }
}

/// The refusal of an output that is blank where it is wanted.
fn nothing(output: &Output, stream: Wanted) -> Failure {
    let is_blank = |bytes: &[u8]| bytes.trim_ascii().is_empty();
    let hint = match stream {
        Wanted::Stdout if !is_blank(&output.stderr) => {
            "it printed to stderr: write `stream: stderr` for the artifact, if that is what is wanted"
        }
        Wanted::Stderr if !is_blank(&output.stdout) => {
            "it printed to stdout: write `stream: stdout` for the artifact, if that is what is wanted"
        }
        _ => {
            "run the command by hand as this account: it may not be the program that it seems to be"
        }
    };
    let expected = match stream {
        Wanted::Stdout => "some output on stdout",
        Wanted::Stderr => "some output on stderr",
        Wanted::Both => "some output",
    };
    Failure::new(FailureKind::Empty, expected, "none, with exit status 0").with_hint(hint)
}
