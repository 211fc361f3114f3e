//! The statistics database: copied as one set with its write-ahead log or journal, checked on the
//! local copy, and fetched again when the product changed it meanwhile. A bad copy is not yet a bad
//! database (facts: artifacts.md 2.4, perf.md).

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::call::unfit;
use super::retrieve::{Fetched, Tee, evidence, kept, nothing_matches, read, regular, set};
use super::{ArtifactName, Stop, World, log};
use crate::evidence::Content;
use crate::evidence::database::inspect;
use crate::evidence::mark::{DatabaseMark, WalMark};
use crate::evidence::tap::Tap;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Format, Instance};
use crate::text;
use crate::transport::{Entry, Session};

// At 30 transactions a second 4 to 7 of 20 plain copies are torn (facts/perf.md): five tries leave
// less than one set in a hundred.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(150);

const HEADER: u64 = 100;
const WAL_HEADER: u64 = 32;
const SIDECARS: [&str; 3] = ["-wal", "-shm", "-journal"];

type Files = Vec<Fetched>;

/// What a step asks about statistics.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// The database is whole, and holds what it must.
    Consistent,
    /// Its newest sample is at most so old.
    SampleWithin(Duration),
}

impl Ask {
    /// Refuses what can be known to be impossible before connecting.
    pub(super) fn validate(&self, instance: &Instance, artifact: &Artifact) -> Result<(), String> {
        if artifact.format != Some(Format::Sqlite) {
            return unfit(instance, artifact, "a database (`format: sqlite`)");
        }
        match self {
            Self::SampleWithin(_) if artifact.sample.is_none() => unfit(
                instance,
                artifact,
                "told where its samples are (`sample: {table: …, column: …, unit: …}`)",
            ),
            _ => Ok(()),
        }
    }

    pub(super) async fn perform(&self, world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
        match self {
            Self::Consistent => consistent(world, name).await,
            Self::SampleWithin(span) => sample_within(world, name, *span).await,
        }
    }
}

/// Fetches every database that `pattern` names.
pub(super) async fn fetch(
    world: &World,
    artifact: &Artifact,
    pattern: &str,
) -> Result<Files, Stop> {
    let session = world.session().await?;
    let found = session
        .list(pattern, world.limits()?)
        .await
        .map_err(|f| f.with_subject_if_none(pattern))?;
    let databases: Vec<&Entry> = found
        .iter()
        .filter(|entry| !SIDECARS.iter().any(|suffix| entry.path.ends_with(suffix)))
        .collect();
    if databases.is_empty() {
        return Err(nothing_matches(pattern).into());
    }
    let mut files = Vec::new();
    for database in databases {
        files.extend(one(world, &*session, artifact, &database.path).await?);
    }
    Ok(files)
}

async fn one(
    world: &World,
    session: &dyn Session,
    artifact: &Artifact,
    path: &str,
) -> Result<Files, Stop> {
    let (started, mut attempt) = (Instant::now(), 1);
    loop {
        let mut kept = Vec::new();
        let (mut files, sound) =
            match copy(world, session, artifact, path, attempt, &mut kept).await {
                // The product closed the database or rotated its journal in between.
                Err(Stop::Failure(failure))
                    if failure.kind == FailureKind::Missing && attempt < ATTEMPTS =>
                {
                    (Vec::new(), false)
                }
                done => done?,
            };
        if sound || attempt == ATTEMPTS {
            // The whole retrieval, attempts and pauses included; the sidecars have their own share.
            let others: u64 = files.iter().skip(1).map(|(file, _)| file.duration_ms).sum();
            let all = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            files[0].0.duration_ms = all.saturating_sub(others);
            return Ok(files);
        }
        // A copy that is not the one reported is not kept either.
        for path in kept {
            std::fs::remove_file(path).map_err(|error| fault(&error))?;
        }
        attempt += 1;
        tokio::time::sleep(PAUSE * attempt).await;
    }
}

/// One copy of the set, and whether it is sound: unchanged while it was copied, and well inside.
async fn copy(
    world: &World,
    session: &dyn Session,
    artifact: &Artifact,
    path: &str,
    attempt: u32,
    kept: &mut Vec<PathBuf>,
) -> Result<(Files, bool), Stop> {
    let scratch = tempfile::tempdir().map_err(|error| fault(&error))?;
    let copy = scratch.path().join("copy.db");
    let before = Marks::take(world, session, path).await?;
    let journal = match &before.main {
        Some(main) => main.journal,
        None => journal(world, session, path).await?,
    };
    let mut files = Vec::new();
    for (suffix, present) in [
        ("", true),
        ("-wal", before.wal.is_some()),
        ("-journal", journal),
    ] {
        if present {
            let remote = format!("{path}{suffix}");
            let local = scratch.path().join(format!("copy.db{suffix}"));
            files.push(part(world, session, artifact, &remote, &local, attempt, kept).await?);
        }
    }
    if files[0].0.bytes == 0 {
        return Err(Failure::new(FailureKind::Empty, "a database", "0 bytes")
            .with_subject(path)
            .with_hint(
                "SQLite would call this file sound: the product has written no statistics into it",
            )
            .into());
    }
    let after = Marks::take(world, session, path).await?;
    let content = match before == after {
        true => check(world, artifact, copy)
            .await
            .map_err(|failure| failure.with_subject_if_none(path)),
        false => Err(changed(path, attempt)),
    };
    drop_scratch(scratch)?;
    let sound = content.is_ok();
    if let Ok(content) = &content {
        files[0].0.content = content.clone();
    }
    files[0].1 = content;
    Ok((files, sound))
}

async fn part(
    world: &World,
    session: &dyn Session,
    artifact: &Artifact,
    remote: &str,
    local: &Path,
    attempt: u32,
    kept_as: &mut Vec<PathBuf>,
) -> Result<Fetched, Stop> {
    let started = Instant::now();
    let file = File::create_new(local).map_err(|error| fault(&error))?;
    let keep = kept(world, artifact, remote)?.map(|(file, path)| {
        kept_as.push(path);
        file
    });
    let receipt = read(
        session,
        remote,
        None,
        world.limits()?,
        Tee::sink(Box::new(file), keep),
    )
    .await?;
    let content = Ok(Content::Opaque);
    Ok((
        evidence(artifact, receipt, &content, started, attempt),
        content,
    ))
}

/// Judges a database that a command printed: there is no set to compare, only the copy itself.
pub(super) async fn printed(
    world: &World,
    artifact: &Artifact,
    bytes: &[u8],
) -> Result<Result<Content, Failure>, Stop> {
    let scratch = tempfile::tempdir().map_err(|error| fault(&error))?;
    let copy = scratch.path().join("copy.db");
    std::fs::write(&copy, bytes).map_err(|error| fault(&error))?;
    let content = check(world, artifact, copy).await;
    drop_scratch(scratch)?;
    Ok(content)
}

/// Integrity, tables and samples cost CPU, not network: off the async threads, within the deadline.
async fn check(world: &World, artifact: &Artifact, copy: PathBuf) -> Result<Content, Failure> {
    let (tables, sample) = (artifact.tables.clone(), artifact.sample.clone());
    let left = world.deadline.saturating_duration_since(Instant::now());
    let work = tokio::task::spawn_blocking(move || inspect(&copy, &tables, sample.as_ref(), left));
    work.await.unwrap_or_else(|error| {
        Err(Failure::new(
            FailureKind::Undefined,
            "the database to be checked",
            error.to_string(),
        )
        .with_hint("this is a defect of gonogo: please report it"))
    })
}

/// What tells whether the set changed while it was copied.
///
/// With entries in the `-wal`, the main file may be checkpointed while it is copied: every page so
/// moved is still in the log that is copied after it, as long as the log was not restarted (same
/// salts). What is written to the log meanwhile is merely newer. So the log's mark decides alone, and
/// the main file is not asked for what nobody compares: each question is a round trip. Without a log,
/// or with an empty one, the main file and its journal must stay as they are.
#[derive(PartialEq)]
struct Marks {
    /// Outer: the `-wal` exists. Inner: it has a header (an empty one has none).
    wal: Option<Option<WalMark>>,
    /// `None` when the log decides.
    main: Option<Main>,
}

/// The main file, and whether a journal lies beside it.
#[derive(PartialEq)]
struct Main {
    database: Option<DatabaseMark>,
    entry: Entry,
    journal: bool,
}

impl Marks {
    async fn take(world: &World, session: &dyn Session, path: &str) -> Result<Self, Stop> {
        let wal_path = format!("{path}-wal");
        let wal = match look(world, session, &wal_path).await? {
            Some(found) => {
                regular(&found)?;
                let head = head(world, session, &wal_path, WAL_HEADER).await?;
                Some(WalMark::read(&head))
            }
            None => None,
        };
        let main = match wal {
            Some(Some(_)) => None,
            Some(None) | None => Some(Main::take(world, session, path).await?),
        };
        Ok(Self { wal, main })
    }
}

impl Main {
    async fn take(world: &World, session: &dyn Session, path: &str) -> Result<Self, Stop> {
        let entry = look(world, session, path)
            .await?
            .ok_or_else(|| nothing_matches(path))?;
        regular(&entry)?;
        Ok(Self {
            journal: journal(world, session, path).await?,
            database: DatabaseMark::read(&head(world, session, path, HEADER).await?),
            entry,
        })
    }
}

/// Whether a rollback journal lies beside the database: a `-wal` does not rule it out.
async fn journal(world: &World, session: &dyn Session, path: &str) -> Result<bool, Stop> {
    let found = look(world, session, &format!("{path}-journal")).await?;
    Ok(found.is_some_and(|entry| entry.size > 0))
}

async fn look(world: &World, session: &dyn Session, path: &str) -> Result<Option<Entry>, Stop> {
    let found = session.list(path, world.limits()?).await;
    match found {
        Ok(entries) => Ok(entries.into_iter().next()),
        Err(failure) if failure.kind == FailureKind::Missing => Ok(None),
        Err(failure) => Err(failure.with_subject_if_none(path).into()),
    }
}

async fn head(
    world: &World,
    session: &dyn Session,
    path: &str,
    bytes: u64,
) -> Result<Vec<u8>, Stop> {
    let tap = Tap::new(Vec::new());
    read(session, path, Some(bytes), world.limits()?, tap.sink()).await?;
    Ok(tap.take())
}

fn changed(path: &str, attempts: u32) -> Failure {
    Failure::new(
        FailureKind::Corrupt,
        "a copy that did not change while it was taken",
        format!("the product changed the database during each of {}", text::count(attempts as usize, "copy").replace("copys", "copies")),
    )
    .with_subject(path)
    .with_hint("the database is written faster than this connection can copy it: retrieve it at a quieter time, or have a copy made on the host by `sqlite3 … \"VACUUM INTO …\"` and name that copy as the artifact's `path`")
}

fn fault(error: &std::io::Error) -> Stop {
    Stop::Fault(format!(
        "cannot store a copy of the statistics database in the temporary directory: {error}"
    ))
}

fn drop_scratch(scratch: TempDir) -> Result<(), Stop> {
    scratch.close().map_err(|error| fault(&error))
}

async fn consistent(world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
    for (_, content) in &set(world, name).await?.files {
        if let Err(failure) = content {
            return Err(failure.clone().into());
        }
    }
    Ok(())
}

async fn sample_within(world: &mut World, name: &ArtifactName, span: Duration) -> Result<(), Stop> {
    consistent(world, name).await?;
    let found = set(world, name).await?;
    let newest = found
        .files
        .iter()
        .filter_map(|(file, _)| file.content.newest())
        .max();
    log::fresh(newest, span, "sample", crate::time::now())
        .map_err(|failure| failure.with_subject_if_none(&found.files[0].0.path).into())
}
