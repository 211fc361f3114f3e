//! Statistics: the database taken by the road that the inventory permits, checked on the local copy, and
//! what steps ask of it. A bad copy is not yet a bad database (facts: artifacts.md 2.4, perf.md).

mod copied;
mod debts;
mod interval;
mod judged;
mod refusal;
mod road;
mod stream;

pub use debts::{Debts, left as left_behind, settle};
pub use judged::{beats, missing};
pub use road::{Piece, Road, Scratch, Writes, fresh, leads_to};

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::call::{unfit, written};
use super::retrieve::Fetched;
use super::{ArtifactName, Stop, World};
use crate::evidence::Content;
use crate::evidence::database::{Wanted, inspect};
use crate::evidence::database_seen::{DatabaseSeen, Taken};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Format, Instance};

// At 30 transactions a second 4 to 7 of 20 plain copies are torn (facts/perf.md): five tries leave
// less than one set in a hundred.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(150);
const SIDECARS: [&str; 3] = ["-wal", "-shm", "-journal"];

// What became of an attempt.
const SOUND: &str = "ok";
const CHANGED: &str = "changed";
const TORN: &str = "torn";
const BUSY: &str = "busy";
const REFUSED: &str = "refused";

type Files = Vec<Fetched>;
/// One attempt: its files, and what became of it.
type Once = (Files, &'static str);

/// What a step asks about statistics.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// The database is whole, and holds what it must.
    Consistent,
    /// Its newest sample is at most so old.
    SampleWithin(Duration),
    /// It has the tables and columns that the inventory names.
    Expected,
    /// No stretch without a sample is longer than the first, over the last of the second.
    SampleEvery(Duration, Duration),
    /// Samples come as often as the product is configured to take them.
    AtInterval,
    /// No sample is later than the host's clock.
    NotAhead,
}

impl Ask {
    /// Refuses what can be known to be impossible before connecting.
    pub(super) fn validate(&self, instance: &Instance, artifact: &Artifact) -> Result<(), String> {
        if artifact.format != Some(Format::Sqlite) {
            return unfit(instance, artifact, "a database (`format: sqlite`)");
        }
        let needs_sample = !matches!(self, Self::Consistent | Self::Expected);
        if needs_sample && artifact.sample.is_none() {
            return unfit(
                instance,
                artifact,
                "told where its samples are (`sample: {table: …, column: …, unit: …}`)",
            );
        }
        match self {
            Self::Expected
                if artifact.tables.is_empty() && artifact.statistics.columns.is_none() =>
            {
                unfit(
                    instance,
                    artifact,
                    "told what it must hold (`tables: […]`, `columns: {TABLE: […]}`)",
                )
            }
            Self::AtInterval
                if artifact.statistics.interval.is_none()
                    && interval::beside(instance, artifact, None).is_none() =>
            {
                unfit(
                    instance,
                    artifact,
                    "told how often the product takes a sample (`interval: 10s`)",
                )
            }
            Self::SampleEvery(every, last) if every >= last => Err(format!(
                "a sample every {} cannot be missed in the last {}: ask for a longer span",
                crate::time::say(*every),
                crate::time::say(*last)
            )),
            _ => Ok(()),
        }
    }

    /// The other artifact that the answer needs.
    pub(super) fn beside<'a>(
        &self,
        instance: &'a Instance,
        artifact: &Artifact,
        team: Option<&str>,
    ) -> Option<&'a Artifact> {
        match self {
            Self::AtInterval => interval::beside(instance, artifact, team),
            _ => None,
        }
    }

    pub(super) async fn perform(&self, world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
        judged::perform(self, world, name).await
    }
}

/// Fetches every database that `pattern` names, by the road that the inventory permits.
pub(super) async fn fetch(
    world: &mut World,
    artifact: &Artifact,
    pattern: &str,
) -> Result<Files, Stop> {
    match written(world.instance()?, artifact, pattern) {
        Some(writes) => copied::fetch(world, artifact, &writes).await,
        None => stream::fetch(world, artifact, pattern).await,
    }
}

/// What a database that a command printed is called in its scratch directory.
pub(super) const PRINTED: &str = "copy.db";

/// Judges a database that a command printed: there is no set to compare, only the copy itself.
pub(super) async fn printed(
    world: &World,
    artifact: &Artifact,
    scratch: TempDir,
) -> Result<Result<Content, Failure>, Stop> {
    let copy = scratch.path().join(PRINTED);
    let content = check(world, artifact, copy).await;
    drop_scratch(scratch)?;
    Ok(content)
}

/// Integrity, tables and samples cost CPU, not network: off the async threads, within the deadline.
async fn check(world: &World, artifact: &Artifact, copy: PathBuf) -> Result<Content, Failure> {
    let wanted = Wanted {
        tables: artifact.tables.clone(),
        columns: artifact.statistics.columns.clone().unwrap_or_default(),
        sample: artifact.sample.clone(),
    };
    let left = world.deadline.saturating_duration_since(Instant::now());
    let work = tokio::task::spawn_blocking(move || inspect(&copy, &wanted, left));
    let seen = work.await.unwrap_or_else(|error| {
        Err(Failure::new(
            FailureKind::Undefined,
            "the database to be checked",
            error.to_string(),
        )
        .with_hint("this is a defect of gonogo: please report it"))
    });
    seen.map(|seen| Content::Database(Box::new(seen)))
}

fn outcome(is_unchanged: bool, content: &Result<Content, Failure>) -> &'static str {
    match content {
        Ok(_) => SOUND,
        Err(_) if !is_unchanged => CHANGED,
        Err(failure) if failure.kind == FailureKind::Corrupt => TORN,
        Err(_) => REFUSED,
    }
}

/// The set as the report tells it: the whole time with the database, attempts and pauses included, and
/// how it was taken, also of one that is none.
fn told(mut files: Files, taken: Taken, started: Instant) -> Files {
    let others: u64 = files.iter().skip(1).map(|(file, _)| file.duration_ms).sum();
    let all = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    if let Some((file, content)) = files.first_mut() {
        file.duration_ms = all.saturating_sub(others);
        file.attempts = u32::try_from(taken.attempts.len()).unwrap_or(u32::MAX);
        let mut seen = match content {
            Ok(Content::Database(seen)) => seen.clone(),
            _ => Box::new(DatabaseSeen::default()),
        };
        seen.taken = taken;
        file.content = Content::Database(seen);
    }
    files
}

async fn waited(attempt: u32) {
    tokio::time::sleep(PAUSE * (attempt + 1)).await;
}

fn fault(error: &std::io::Error) -> Stop {
    Stop::Fault(format!(
        "cannot store a copy of the statistics database in the temporary directory: {error}"
    ))
}

fn drop_scratch(scratch: TempDir) -> Result<(), Stop> {
    scratch.close().map_err(|error| fault(&error))
}
