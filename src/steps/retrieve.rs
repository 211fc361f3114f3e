//! `… can be retrieved`: fetches every byte of an artifact, once in a check, hashed and looked at
//! while it streams. The other steps ask what was found.

use std::fs::File;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::keep::Kept;
use super::reject::{Both, Lines};
use super::resume::{Flow, Losses, Transfer};
use super::world::Retrieved;
use super::{
    ArtifactName, Stop, World, configuration, http, journal, listing, live, printed, statistics,
    version,
};
use crate::evidence::reader::{Circumstances, Reader, for_artifact};
use crate::evidence::tap::Tap;
use crate::evidence::unpack::Tail;
use crate::evidence::{Content, Evidence};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Format, Kind, Source, mask};
use crate::text;
use crate::transport::{
    Entry, EntryKind, Gathering, Limits, ReadError, Reading, Receipt, Session, Sink, Span,
};

// A rotation between listing and reading moves names: look again this often before believing it.
const LISTINGS: u32 = 3;
/// Files of a set that are asked for together; their readers are in memory together, too.
const TOGETHER: usize = 16;

/// One file or output, and what its reader found or why it could make nothing of it.
pub(super) type Fetched = (Evidence, Result<Content, Failure>);

/// Fetches the artifact unless this check already has, and returns its position in the world.
pub(super) async fn retrieve(world: &mut World, name: &ArtifactName) -> Result<usize, Stop> {
    let artifact = match name.find(world.instance()?, world.subject.team.as_deref()) {
        Ok(artifact) => artifact.clone(),
        Err(reason) => {
            return Err(Failure::new(
                FailureKind::Undefined,
                "an artifact of the inventory",
                reason,
            )
            .into());
        }
    };
    if let Some(found) = world
        .retrieved
        .iter()
        .position(|set| set.artifact.name == artifact.name)
    {
        return Ok(found);
    }
    let mut losses = Losses::default();
    let fetched = by_its_source(world, &artifact, &mut losses).await;
    // Also where it failed: the failure tells the first of them only.
    losses.write(&mut world.transcript);
    let (files, links) = fetched.map_err(|stop| losses.told(stop))?;
    for (file, _) in &files {
        world.transcript.retrieved(file);
    }
    if artifact.kind == Kind::Version {
        // What holds no version is no retrieved version, whatever its bytes.
        files
            .iter()
            .try_for_each(|(_, content)| content.as_ref().map(drop).map_err(Failure::clone))?;
    }
    world.retrieved.push(Retrieved {
        artifact,
        files,
        links,
    });
    Ok(world.retrieved.len() - 1)
}

async fn by_its_source(
    world: &mut World,
    artifact: &Artifact,
    losses: &mut Losses,
) -> Result<(Vec<Fetched>, configuration::Links), Stop> {
    let mut files = match (&artifact.source, artifact.format) {
        (Source::Path(path), _) if artifact.listing => {
            vec![listing::fetch(world, artifact, path).await?]
        }
        (Source::Command(words), _) => vec![printed::fetch(world, artifact, words).await?],
        (Source::Path(path), Some(Format::Sqlite)) => {
            statistics::fetch(world, artifact, path).await?
        }
        (Source::Path(path), _) => fetch(world, artifact, path, losses).await?,
        (Source::Mask(mask), _) => fetch(world, artifact, &mask::pattern(mask), losses).await?,
        (Source::Journal(unit), _) => vec![journal::fetch(world, artifact, unit).await?],
        (Source::Http(get), _) => vec![http::fetch(world, artifact, get).await?],
    };
    let mut links = configuration::Links::default();
    if artifact.configuration.includes.is_some() {
        links = configuration::includes::follow(world, artifact, &mut files, losses).await?;
    }
    Ok((files, links))
}

/// The set that `name` means, fetched if need be.
pub(super) async fn set<'w>(
    world: &'w mut World,
    name: &ArtifactName,
) -> Result<&'w Retrieved, Stop> {
    let index = retrieve(world, name).await?;
    Ok(&world.retrieved[index])
}

async fn fetch(
    world: &World,
    artifact: &Artifact,
    pattern: &str,
    losses: &mut Losses,
) -> Result<Vec<Fetched>, Stop> {
    let mut attempt = 1;
    loop {
        match fetch_once(world, artifact, pattern, losses).await {
            Err(Stop::Failure(failure))
                if failure.kind == FailureKind::Missing && attempt < LISTINGS =>
            {
                attempt += 1
            }
            done => return done,
        }
    }
}

async fn fetch_once(
    world: &World,
    artifact: &Artifact,
    pattern: &str,
    losses: &mut Losses,
) -> Result<Vec<Fetched>, Stop> {
    let session = world.session().await?;
    // A mask means fewer files than its pattern: what it does not mean is not opened.
    if let (Source::Path(_), Some(together)) = (&artifact.source, Gathering::set(pattern)) {
        let gathered = session.gather(&together, world.limits()?).await;
        gathered.map_err(|f| f.with_subject_if_none(pattern))?;
    }
    let entries = session
        .list(pattern, world.limits()?)
        .await
        .map_err(|f| f.with_subject_if_none(pattern))?;
    if entries.is_empty() {
        return Err(nothing_matches(pattern).into());
    }
    let entries = named(artifact, entries)?;
    entries.iter().try_for_each(regular)?;
    let most = world.limits()?.bytes;
    let mut left = most;
    let mut files = Vec::with_capacity(entries.len());
    for together in entries.chunks(TOGETHER) {
        for (evidence, content) in
            several(world, artifact, together, &entries, left, losses).await?
        {
            left = left
                .checked_sub(evidence.bytes)
                .ok_or_else(|| too_large(&evidence.path, most))?;
            files.push((evidence, content));
        }
    }
    refuse_empty(artifact, pattern, &files)?;
    live::one_tail(&mut files);
    Ok(files)
}

/// A mask is listed by a pattern that finds more: only what the product itself can have named is its log.
fn named(artifact: &Artifact, mut entries: Vec<Entry>) -> Result<Vec<Entry>, Failure> {
    let Source::Mask(mask) = &artifact.source else {
        return Ok(entries);
    };
    let listed = entries.len();
    entries.retain(|entry| mask::matches(mask, &entry.path));
    match entries.is_empty() {
        false => Ok(entries),
        true => Err(Failure::new(
            FailureKind::Missing,
            "at least one file that is named as the mask says",
            format!("none among {} with similar names", text::count(listed, "file")),
        )
        .with_subject(mask)
        .with_hint("compare the mask with the names on the host: `%n` is digits only, `%Y` four of them; behind it may stand .gz, .zst, .xz or .bz2")),
    }
}

fn too_large(path: &str, most: u64) -> Failure {
    Failure::new(
        FailureKind::TooLarge,
        format!("at most {} ({most} bytes) in all", text::size(most)),
        "more: files grew while they were read",
    )
    .with_subject(path)
    .with_hint("raise `max_bytes` for the host or team, or have the file rotated earlier")
}

/// Some files of a set, of at most so many bytes in all, by the sizes that they were listed with.
async fn several(
    world: &World,
    artifact: &Artifact,
    entries: &[Entry],
    set: &[Entry],
    bytes: u64,
    losses: &mut Losses,
) -> Result<Vec<Fetched>, Stop> {
    let mut left = bytes;
    let (mut begun, mut wanted, mut lefts) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let tail = live::tail(entry, set);
        let one = Begun::new(world, artifact, &entry.path, tail)?;
        wanted.push(Reading {
            path: entry.path.clone(),
            span: Span::WHOLE,
            bytes: left,
            sink: one.flow.sink(),
        });
        lefts.push(left);
        begun.push(one);
        left -= entry.size.min(left);
    }
    let session = world.session().await?;
    let read = session.read_all(wanted, world.limits()?.time).await;
    let mut files = Vec::with_capacity(entries.len());
    let mut before = Duration::ZERO;
    let lost = losses.many();
    for (((entry, begun), (read, at)), left) in entries.iter().zip(begun).zip(read).zip(lefts) {
        let took = at.saturating_sub(before);
        before = before.max(at);
        let tail = live::tail(entry, set);
        let transfer = Transfer {
            world,
            path: &entry.path,
            grows: artifact.kind == Kind::Log,
            bytes: left,
        };
        let clock = Instant::now();
        let resumed = losses.resumed();
        // The session that was to read it was lost with one before it, which went on over another.
        let is_unread = losses.many() > lost
            && matches!(&read, Err(ReadError::Failure(failure)) if failure.kind == FailureKind::Unreachable);
        if is_unread {
            drop(begun);
            files.push(one(world, artifact, &entry.path, tail, left, losses).await?);
            continue;
        }
        let Begun {
            tap,
            lines,
            kept,
            flow,
        } = begun;
        let file = match transfer.go_on(read, flow, losses).await? {
            Some(receipt) => {
                if let Some(kept) = kept {
                    kept.whole();
                }
                finished(world, artifact, &entry.path, (receipt, tap, lines), clock)?
            }
            // What was begun is of no use: readers and kept file have seen a file that is gone.
            None => {
                drop(kept);
                one(world, artifact, &entry.path, tail, left, losses).await?
            }
        };
        let (evidence, content) = file;
        let took = took + clock.elapsed();
        let evidence = Evidence {
            resumed: losses.resumed() - resumed,
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            ..evidence
        };
        files.push((evidence, content));
    }
    Ok(files)
}

/// Where one file goes, before it is asked for.
struct Begun {
    tap: Tap<Box<dyn Reader>>,
    lines: Tap<Lines>,
    kept: Option<Kept>,
    flow: Tap<Flow>,
}

impl Begun {
    fn new(world: &World, artifact: &Artifact, path: &str, tail: Tail) -> Result<Self, Stop> {
        let tap = Tap::new(reader_of(world, artifact, tail));
        let lines = Tap::new(Lines::new(&artifact.reject));
        let (file, kept) = kept(world, artifact, path)?.unzip();
        let sink = match artifact.reject.is_empty() {
            true => tap.sink(),
            false => Box::new(Both(tap.sink(), lines.sink())),
        };
        let flow = Flow::tapped(Tee::sink(sink, file));
        Ok(Self {
            tap,
            lines,
            kept,
            flow,
        })
    }
}

/// One file, of at most so many bytes.
pub(super) async fn one(
    world: &World,
    artifact: &Artifact,
    path: &str,
    tail: Tail,
    bytes: u64,
    losses: &mut Losses,
) -> Result<Fetched, Stop> {
    let started = Instant::now();
    let before = losses.resumed();
    let transfer = Transfer {
        world,
        path,
        grows: artifact.kind == Kind::Log,
        bytes,
    };
    let came = loop {
        let Begun {
            tap,
            lines,
            kept,
            flow,
        } = Begun::new(world, artifact, path, tail)?;
        // What was begun is of no use: readers and kept file have seen a file that is gone.
        let Some(receipt) = transfer.read(flow, losses).await? else {
            continue;
        };
        if let Some(kept) = kept {
            kept.whole();
        }
        break (receipt, tap, lines);
    };
    let (evidence, content) = finished(world, artifact, path, came, started)?;
    let evidence = Evidence {
        resumed: losses.resumed() - before,
        ..evidence
    };
    Ok((evidence, content))
}

/// What a file that came whole says.
fn finished(
    world: &World,
    artifact: &Artifact,
    path: &str,
    (receipt, tap, lines): (Receipt, Tap<Box<dyn Reader>>, Tap<Lines>),
    started: Instant,
) -> Result<Fetched, Stop> {
    lines
        .take()
        .finish()
        .map_err(|failure| failure.with_subject(path))?;
    let reader: Box<dyn Reader> = tap.take();
    let content = match receipt.bytes {
        // An empty member of a rotated set says nothing: the set as a whole is judged.
        0 => Ok(Content::Opaque),
        _ => reader.finish().and_then(|content| {
            let host = world.subject.host.as_deref().unwrap_or_default();
            live::believable(artifact, host, world.timezone(), receipt.modified, &content)?;
            Ok(content)
        }),
    };
    let content = content.map_err(|failure| failure.with_subject(path));
    let evidence = evidence(artifact, receipt, &content, started, 1);
    Ok((evidence, content))
}

/// What looks at the artifact while it streams by.
pub(super) fn reader_of(world: &World, artifact: &Artifact, tail: Tail) -> Box<dyn Reader> {
    let circumstances = Circumstances {
        tail,
        timezone: world.timezone(),
    };
    version::reader(artifact)
        .or_else(|| configuration::reader(artifact))
        .unwrap_or_else(|| for_artifact(artifact, circumstances))
}

/// Reads one file, or a part, over this session alone.
pub(super) async fn read(
    session: &dyn Session,
    path: &str,
    span: Span,
    limits: Limits,
    sink: Sink,
) -> Result<Receipt, Stop> {
    let read = session.read(path, span, limits, sink).await;
    read.map_err(|error| stopped(error, path))
}

/// What stops a check that read `path`: a failure names the file, a full disk of ours is a fault.
pub(super) fn stopped(error: ReadError, path: &str) -> Stop {
    match error.told() {
        Ok(failure) => Stop::Failure(failure.with_subject_if_none(path)),
        Err(error) => Stop::Fault(format!(
            "cannot store what was read of {}: {error}",
            text::escape(path)
        )),
    }
}

pub(super) fn evidence(
    artifact: &Artifact,
    receipt: Receipt,
    content: &Result<Content, Failure>,
    started: Instant,
    attempts: u32,
) -> Evidence {
    Evidence {
        artifact: artifact.name.clone(),
        kind: artifact.kind,
        path: receipt.path,
        bytes: receipt.bytes,
        sha256: receipt.sha256,
        method: receipt.method,
        modified: receipt.modified,
        attempts,
        resumed: 0,
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        content: content.as_ref().ok().cloned().unwrap_or_default(),
    }
}

/// Where the raw bytes are kept, when they are; it is gone again unless they came whole.
pub(super) fn kept(
    world: &World,
    artifact: &Artifact,
    path: &str,
) -> Result<Option<(File, Kept)>, Stop> {
    let (Some(keep), Some(instance), Some(team)) =
        (&world.keep, &world.subject.instance, &world.subject.team)
    else {
        return Ok(None);
    };
    match keep.file(instance, team, &artifact.name, path) {
        Ok((file, path)) => Ok(Some((file, Kept::begun(path)))),
        Err(error) => Err(Stop::Fault(format!(
            "cannot keep {}: {error}",
            text::escape(path)
        ))),
    }
}

pub(super) fn nothing_matches(pattern: &str) -> Failure {
    Failure::new(FailureKind::Missing, "at least one file", "nothing matches")
        .with_subject(pattern)
        .with_hint("check the artifact's `path` and the instance's `vars`; on the host, the product may not write this artifact at all (AMPS logs and keeps statistics only when its configuration says so)")
}

pub(super) fn regular(entry: &Entry) -> Result<(), Failure> {
    let (kind, actual, hint) = match entry.kind {
        EntryKind::File => return Ok(()),
        EntryKind::Directory => (
            FailureKind::NotRegular,
            "a directory",
            "narrow the artifact's `path` so that it names files only",
        ),
        EntryKind::Special => (
            FailureKind::NotRegular,
            "a FIFO, socket or device",
            "it was not opened, since reading it could hang or disturb the product; remove it, or narrow the artifact's `path`",
        ),
        EntryKind::Dangling => (
            FailureKind::Missing,
            "a symbolic link whose target is gone",
            "mend or remove the link on the host",
        ),
    };
    Err(Failure::new(kind, "a regular file", actual)
        .with_subject(&entry.path)
        .with_hint(hint))
}

// A log that has just been rotated is empty beside full ones; a configuration file never is.
fn refuse_empty(artifact: &Artifact, pattern: &str, files: &[Fetched]) -> Result<(), Failure> {
    let empty = |(file, _): &&(Evidence, _)| file.bytes == 0;
    let subject = match artifact.kind {
        Kind::Log if files.iter().all(|file| empty(&file)) => Some(pattern),
        Kind::Log => None,
        _ => files.iter().find(empty).map(|(file, _)| file.path.as_str()),
    };
    match subject {
        None => Ok(()),
        Some(subject) => Err(Failure::new(FailureKind::Empty, "content", "0 bytes")
            .with_subject(subject)
            .with_hint("an empty file is no evidence that support could use: find out why the product writes nothing there")),
    }
}

/// Writes to the reader and, when asked to, to a local file.
pub(super) struct Tee {
    first: Sink,
    second: Option<File>,
}

impl Tee {
    pub(super) fn sink(first: Sink, second: Option<File>) -> Sink {
        match second {
            None => first,
            Some(_) => Box::new(Self { first, second }),
        }
    }
}

impl Write for Tee {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.first.write_all(piece)?;
        if let Some(file) = &mut self.second {
            file.write_all(piece)?;
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.first.flush()
    }
}
