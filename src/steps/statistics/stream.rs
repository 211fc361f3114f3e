//! A database read where it lies: copied as one set with its write-ahead log or journal, checked on the
//! local copy, and fetched again when the product changed it meanwhile. A bad copy is not yet a bad
//! database (facts: artifacts.md 2.4, perf.md). Writes nothing on the host.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{
    ATTEMPTS, CHANGED, Files, Once, SIDECARS, TORN, check, drop_scratch, fault, told, waited,
};
use crate::evidence::Content;
use crate::evidence::database_seen::{Stretch, Taken};
use crate::evidence::mark::{DATABASE_HEADER, DatabaseMark, WAL_HEADER, WalMark};
use crate::evidence::tap::Tap;
use crate::failure::{Failure, FailureKind};
use crate::inventory::Artifact;
use crate::steps::keep::Kept;
use crate::steps::retrieve::{
    Fetched, Tee, evidence, kept, nothing_matches, read, regular, stopped,
};
use crate::steps::{Stop, World};
use crate::text;
use crate::time;
use crate::transport::{Entry, EntryKind, Gathering, Reading, Receipt, Session, Sink, Span};

/// Why it is read as it lies, when nothing else is asked for.
const REASON: &str = "read where it lies, which touches nothing";

/// Fetches every database that `pattern` names.
pub(super) async fn fetch(
    world: &World,
    artifact: &Artifact,
    pattern: &str,
) -> Result<Files, Stop> {
    let is_sidecar = |path: &str| SIDECARS.iter().any(|suffix| path.ends_with(suffix));
    // A path without a glob is looked up together with what lies beside it.
    if !pattern.contains(['*', '?', '[']) && !is_sidecar(pattern) {
        return one(world, artifact, pattern, REASON, Look::AtAll).await;
    }
    let session = world.session().await?;
    let found = session
        .list(pattern, world.limits()?)
        .await
        .map_err(|f| f.with_subject_if_none(pattern))?;
    let databases = found.iter().filter(|entry| !is_sidecar(&entry.path));
    let databases: Vec<&Entry> = databases.collect();
    if databases.is_empty() {
        return Err(nothing_matches(pattern).into());
    }
    let mut files = Vec::new();
    for database in databases {
        files.extend(one(world, artifact, &database.path, REASON, Look::Beside).await?);
    }
    Ok(files)
}

/// What of a set was not looked at yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// The database itself, too.
    AtAll,
    /// What lies beside it.
    Beside,
}

/// Fetches one database, for this reason.
pub(super) async fn one(
    world: &World,
    artifact: &Artifact,
    path: &str,
    reason: &str,
    mut look: Look,
) -> Result<Files, Stop> {
    let session = world.session().await?;
    let started = Instant::now();
    let mut taken = Taken {
        reason: reason.to_owned(),
        ..Taken::default()
    };
    loop {
        let (mut kept, from) = (Vec::new(), time::now());
        let attempt = u32::try_from(taken.attempts.len() + 1).unwrap_or(u32::MAX);
        if let (Look::AtAll, Some(together)) = (look, Gathering::database(path)) {
            let gathered = session.gather(&together, world.limits()?).await;
            gathered.map_err(|f| f.with_subject_if_none(path))?;
        }
        let beside = Beside::look(world, &*session, path, look).await?;
        look = Look::Beside;
        let copied = copy(world, &*session, artifact, path, beside, attempt, &mut kept).await;
        let (files, outcome) = match copied {
            // The product closed the database or rotated its journal in between.
            Err(Stop::Failure(failure))
                if failure.kind == FailureKind::Missing && attempt < ATTEMPTS =>
            {
                (Vec::new(), CHANGED)
            }
            done => done?,
        };
        taken.attempts.push(outcome);
        taken.during = Some(Stretch {
            from,
            to: time::now(),
        });
        if attempt == ATTEMPTS || ![CHANGED, TORN].contains(&outcome) {
            kept.into_iter().for_each(Kept::whole);
            return Ok(told(files, taken, started));
        }
        // A copy that is not the one reported is not kept either.
        for kept in kept {
            kept.remove().map_err(|error| fault(&error))?;
        }
        waited(attempt).await;
    }
}

/// One copy of the set, and what became of it: unchanged while it was copied, and well inside.
async fn copy(
    world: &World,
    session: &dyn Session,
    artifact: &Artifact,
    path: &str,
    beside: Beside,
    attempt: u32,
    kept: &mut Vec<Kept>,
) -> Result<Once, Stop> {
    let part = |suffix: &'static str| Part {
        artifact,
        remote: format!("{path}{suffix}"),
        name: format!("{path}{suffix}"),
        attempt,
    };
    let mut scratch = tempfile::tempdir().map_err(|error| fault(&error))?;
    let mut copied = None;
    if beside.is_logged() {
        let parts = [part(""), part("-wal")];
        copied = logged(world, session, parts, scratch.path(), kept).await?;
        if copied.is_none() {
            for kept in kept.drain(..) {
                kept.remove().map_err(|error| fault(&error))?;
            }
            drop_scratch(scratch)?;
            scratch = tempfile::tempdir().map_err(|error| fault(&error))?;
        }
    }
    let (mut files, is_unchanged) = match copied {
        Some(copied) => copied,
        None => {
            let before = Marks::take(world, session, path, Some(beside)).await?;
            let mut files = Vec::new();
            for suffix in before.set() {
                let local = scratch.path().join(format!("copy.db{suffix}"));
                files.push(part(suffix).fetch(world, session, &local, kept).await?);
            }
            not_empty(path, files[0].0.bytes)?;
            (files, before == Marks::again(world, session, path).await?)
        }
    };
    let content = match is_unchanged {
        true => check(world, artifact, scratch.path().join("copy.db"))
            .await
            .map_err(|failure| failure.with_subject_if_none(path)),
        false => Err(changed(path, attempt)),
    };
    drop_scratch(scratch)?;
    let outcome = super::outcome(is_unchanged, &content);
    files[0].1 = content;
    Ok((files, outcome))
}

/// A database whose log has entries, in as few round trips as its proof allows: the log's mark, the database, the log
/// and its mark again are read in turn, each opened anew by its name. `None` where that log has no mark, and the
/// database decides.
///
/// While one is read, only the opening of the next is under way. So the log that was marked first was open before
/// the database was, and the one that is marked last was opened after all of the database had come: same salts mean
/// that it was one log all the while, of one database, and that it was not begun anew.
async fn logged(
    world: &World,
    session: &dyn Session,
    [main, wal]: [Part<'_>; 2],
    scratch: &Path,
    kept_as: &mut Vec<Kept>,
) -> Result<Option<(Files, bool)>, Stop> {
    let started = Instant::now();
    let (before, after) = (Tap::new(Vec::new()), Tap::new(Vec::new()));
    let limits = world.limits()?;
    let reading = |part: &Part<'_>, span, sink| Reading {
        path: part.remote.clone(),
        span,
        bytes: limits.bytes,
        sink,
    };
    let head = Span::head(WAL_HEADER);
    let wanted = vec![
        reading(&wal, head, before.sink()),
        reading(
            &main,
            Span::WHOLE,
            main.sink(world, &scratch.join("copy.db"), kept_as)?,
        ),
        reading(
            &wal,
            Span::WHOLE,
            wal.sink(world, &scratch.join("copy.db-wal"), kept_as)?,
        ),
        reading(&wal, head, after.sink()),
    ];
    let mut read = session.read_in_turn(wanted, limits.time).await.into_iter();
    let mut next = |part: &Part<'_>| match read.next() {
        Some((read, at)) => (read.map_err(|error| stopped(error, &part.remote)), at),
        None => (Err(nothing_matches(&part.remote).into()), Duration::ZERO),
    };
    next(&wal).0?;
    let Some(before) = WalMark::read(&before.take()) else {
        return Ok(None);
    };
    let (mut files, mut since) = (Vec::new(), Duration::ZERO);
    for part in [&main, &wal] {
        let (receipt, at) = next(part);
        let (mut found, content) = part.found(receipt?, started);
        found.duration_ms = u64::try_from((at - since.min(at)).as_millis()).unwrap_or(u64::MAX);
        since = at;
        files.push((found, content));
    }
    not_empty(&main.remote, files[0].0.bytes)?;
    let after = match next(&wal).0 {
        Ok(_) => WalMark::read(&after.take()),
        // The product closed the database meanwhile.
        Err(Stop::Failure(failure)) if failure.kind == FailureKind::Missing => None,
        Err(stop) => return Err(stop),
    };
    Ok(Some((files, after == Some(before))))
}

/// Whether the copy at `copy` holds what the database at `path` still holds, in rollback mode: every
/// commit writes the change counter of its first page, which is copied first, and what is not yet
/// committed has a journal (<https://www.sqlite.org/fileformat2.html>, 1.3.7). This asks for less than
/// marks before and after: the window is the copy itself and one question.
pub(super) async fn is_settled(
    world: &World,
    session: &dyn Session,
    path: &str,
    copy: &str,
) -> Result<bool, Stop> {
    let now = DatabaseMark::read(&head(world, session, path, DATABASE_HEADER).await?);
    if journal(world, session, path).await? {
        return Ok(false);
    }
    let copied = DatabaseMark::read(&head(world, session, copy, DATABASE_HEADER).await?);
    Ok(copied.is_some() && copied == now)
}

/// Zero bytes are no database, though SQLite would call them one.
pub(super) fn not_empty(path: &str, bytes: u64) -> Result<(), Failure> {
    match bytes {
        0 => Err(Failure::new(FailureKind::Empty, "a database", "0 bytes")
            .with_subject(path)
            .with_hint(
                "SQLite would call this file sound: the product has written no statistics into it",
            )),
        _ => Ok(()),
    }
}

/// One file of a set.
pub(super) struct Part<'a> {
    pub artifact: &'a Artifact,
    /// Where it is read.
    pub remote: String,
    /// What it is a copy of.
    pub name: String,
    pub attempt: u32,
}

impl Part<'_> {
    pub(super) async fn fetch(
        &self,
        world: &World,
        session: &dyn Session,
        local: &Path,
        kept_as: &mut Vec<Kept>,
    ) -> Result<Fetched, Stop> {
        let started = Instant::now();
        let sink = self.sink(world, local, kept_as)?;
        let limits = world.limits()?;
        let receipt = read(session, &self.remote, Span::WHOLE, limits, sink).await?;
        Ok(self.found(receipt, started))
    }

    /// Where it goes.
    fn sink(&self, world: &World, local: &Path, kept_as: &mut Vec<Kept>) -> Result<Sink, Stop> {
        let file = File::create_new(local).map_err(|error| fault(&error))?;
        let keep = kept(world, self.artifact, &self.name)?.map(|(file, kept)| {
            kept_as.push(kept);
            file
        });
        Ok(Tee::sink(Box::new(file), keep))
    }

    fn found(&self, receipt: Receipt, started: Instant) -> Fetched {
        let content = Ok(Content::Opaque);
        let mut found = evidence(self.artifact, receipt, &content, started, self.attempt);
        self.name.clone_into(&mut found.path);
        (found, content)
    }
}

/// What lies beside a database.
pub(super) struct Beside {
    wal: Option<Entry>,
    journal: Option<Entry>,
}

impl Beside {
    async fn look(
        world: &World,
        session: &dyn Session,
        path: &str,
        look: Look,
    ) -> Result<Self, Stop> {
        let mut paths: Vec<String> = ["-wal", "-journal"]
            .map(|end| format!("{path}{end}"))
            .into();
        if look == Look::AtAll {
            paths.insert(0, path.to_owned());
        }
        let found = session.look(&paths, world.limits()?).await;
        let mut found = found.into_iter().zip(&paths);
        if look == Look::AtAll
            && let Some((main, path)) = found.next()
        {
            main.map_err(|failure| failure.with_subject_if_none(path))?;
        }
        let mut next = || match found.next() {
            Some((found, path)) => there(found, path),
            None => Ok(None),
        };
        Ok(Self {
            wal: next()?,
            journal: next()?,
        })
    }

    /// Whether a log with entries seems to decide, and nothing else belongs to the set.
    fn is_logged(&self) -> bool {
        let wal = self.wal.as_ref();
        wal.is_some_and(|wal| wal.kind == EntryKind::File && wal.size >= WAL_HEADER)
            && !is_hot(self.journal.as_ref())
    }
}

/// What tells whether the set changed while it was copied.
///
/// With entries in the `-wal`, the main file may be checkpointed while it is copied: every page so
/// moved is still in the log that is copied after it, as long as the log was not restarted (same
/// salts). What is written to the log meanwhile is merely newer. So the log's mark decides alone, and
/// the main file is not asked for what nobody compares: each question is a round trip. Without a log,
/// or with an empty one, the main file and its journal must stay as they are.
pub(super) struct Marks {
    /// Outer: the `-wal` exists. Inner: it has a header (an empty one has none).
    wal: Option<Option<WalMark>>,
    /// `None` when the log decides.
    main: Option<Main>,
    /// Whether a rollback journal lies beside the database: a `-wal` does not rule it out.
    journal: bool,
}

// Where the log decides, a journal does not.
impl PartialEq for Marks {
    fn eq(&self, other: &Self) -> bool {
        (&self.wal, &self.main) == (&other.wal, &other.main)
    }
}

/// The main file, and whether a journal lies beside it.
#[derive(PartialEq)]
struct Main {
    database: Option<DatabaseMark>,
    entry: Entry,
    journal: bool,
}

impl Marks {
    /// Before a copy, with what belongs to it.
    pub(super) async fn first(
        world: &World,
        session: &dyn Session,
        path: &str,
    ) -> Result<Self, Stop> {
        let beside = Beside::look(world, session, path, Look::Beside).await?;
        Self::take(world, session, path, Some(beside)).await
    }

    /// After it: what is compared.
    pub(super) async fn again(
        world: &World,
        session: &dyn Session,
        path: &str,
    ) -> Result<Self, Stop> {
        Self::take(world, session, path, None).await
    }

    async fn take(
        world: &World,
        session: &dyn Session,
        path: &str,
        beside: Option<Beside>,
    ) -> Result<Self, Stop> {
        let file = |suffix: &str| format!("{path}{suffix}");
        let beside = match beside {
            Some(beside) => beside,
            None => Beside {
                wal: look(world, session, &file("-wal")).await?,
                journal: None,
            },
        };
        let mut journal = beside.journal;
        let wal = match beside.wal {
            Some(found) => {
                regular(&found)?;
                let head = head(world, session, &file("-wal"), WAL_HEADER).await?;
                Some(WalMark::read(&head))
            }
            None => None,
        };
        let mut main = None;
        if !matches!(wal, Some(Some(_))) {
            let entry;
            [entry, journal] = looks(world, session, &[file(""), file("-journal")]).await?;
            let entry = entry.ok_or_else(|| nothing_matches(path))?;
            regular(&entry)?;
            let head = head(world, session, path, DATABASE_HEADER).await?;
            main = Some(Main {
                journal: is_hot(journal.as_ref()),
                database: DatabaseMark::read(&head),
                entry,
            });
        }
        let journal = is_hot(journal.as_ref());
        Ok(Self { wal, main, journal })
    }

    /// What belongs to the set besides the database, by its suffix.
    pub(super) fn set(&self) -> Vec<&'static str> {
        let all = [
            ("", true),
            ("-wal", self.wal.is_some()),
            ("-journal", self.journal),
        ];
        let present = all.into_iter().filter(|(_, present)| *present);
        present.map(|(suffix, _)| suffix).collect()
    }
}

/// Whether a rollback journal lies beside the database: a `-wal` does not rule it out.
async fn journal(world: &World, session: &dyn Session, path: &str) -> Result<bool, Stop> {
    let found = look(world, session, &format!("{path}-journal")).await?;
    Ok(is_hot(found.as_ref()))
}

pub(super) async fn look(
    world: &World,
    session: &dyn Session,
    path: &str,
) -> Result<Option<Entry>, Stop> {
    let paths = [path.to_owned()];
    let found = session.look(&paths, world.limits()?).await;
    match found.into_iter().next() {
        Some(found) => there(found, path),
        None => Ok(None),
    }
}

/// Two at most, in one round trip; `None` for what is not there, or was not asked about.
async fn looks(
    world: &World,
    session: &dyn Session,
    paths: &[String],
) -> Result<[Option<Entry>; 2], Stop> {
    let found = session.look(paths, world.limits()?).await;
    let mut seen = [None, None];
    for ((found, path), seen) in found.into_iter().zip(paths).zip(&mut seen) {
        *seen = there(found, path)?;
    }
    Ok(seen)
}

/// A rollback journal with something in it.
fn is_hot(journal: Option<&Entry>) -> bool {
    journal.is_some_and(|entry| entry.size > 0)
}

fn there(found: Result<Entry, Failure>, path: &str) -> Result<Option<Entry>, Stop> {
    match found {
        Ok(entry) => Ok(Some(entry)),
        Err(failure) if failure.kind == FailureKind::Missing => Ok(None),
        Err(failure) => Err(failure.with_subject_if_none(path).into()),
    }
}

pub(super) async fn head(
    world: &World,
    session: &dyn Session,
    path: &str,
    bytes: u64,
) -> Result<Vec<u8>, Stop> {
    let tap = Tap::new(Vec::new());
    read(
        session,
        path,
        Span::head(bytes),
        world.limits()?,
        tap.sink(),
    )
    .await?;
    Ok(tap.take())
}

pub(super) fn changed(path: &str, attempts: u32) -> Failure {
    Failure::new(
        FailureKind::Corrupt,
        "a copy that did not change while it was taken",
        format!("the product changed the database during each of {}", text::count(attempts as usize, "copy").replace("copys", "copies")),
    )
    .with_subject(path)
    .with_hint("the database is written faster than this connection can copy it: retrieve it at a quieter time, or permit a copy on the host: `take: {copy: DIRECTORY}` or `take: {vacuum-into: DIRECTORY}`")
}
