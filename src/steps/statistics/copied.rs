//! A copy that the host itself makes, in a directory that nobody else may enter, below the one that the
//! inventory names. Everything is removed again on every way out that leaves a session; what could not
//! be removed is named (`debts.rs`).

use std::time::{Duration, Instant};

use super::road::{Road, Scratch, Writes};
use super::stream::{self, Marks, Part};
use super::{
    ATTEMPTS, BUSY, CHANGED, Files, Once, TORN, check, debts, drop_scratch, fault, outcome,
    refusal, told, waited,
};
use crate::evidence::Content;
use crate::evidence::database_seen::{Stretch, Taken};
use crate::evidence::mark::{DATABASE_HEADER, DatabaseMark};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Artifact;
use crate::steps::keep::Kept;
use crate::steps::retrieve::{nothing_matches, regular};
use crate::steps::{Stop, World, command};
use crate::{text, time};

/// Kept of the deadline for removing the copy.
const RESERVE: Duration = Duration::from_secs(10);

/// The set on the host, before anything is written.
struct Source {
    size: u64,
    mark: DatabaseMark,
    modified: Option<jiff::Timestamp>,
}

pub(super) async fn fetch(
    world: &mut World,
    artifact: &Artifact,
    writes: &Writes,
) -> Result<Files, Stop> {
    let started = Instant::now();
    let source = match look(world, writes).await? {
        Ok(source) => source,
        Err(reason) => {
            let look = stream::Look::Beside;
            return stream::one(world, artifact, &writes.database, reason, look).await;
        }
    };
    room(world, writes, source.size).await?;
    let whole = world.deadline;
    let left = whole.saturating_duration_since(Instant::now());
    // A check that is cut off before it has tidied up leaves the copy behind.
    world.deadline = whole - RESERVE.min(left / 3);
    let made = make(world, writes).await;
    let done = match &made {
        Err(_) => None,
        Ok(scratch) => Some(attempts(world, artifact, writes, &source, scratch, started).await),
    };
    world.deadline = whole;
    let scratch = made?;
    let tidied = tidy(world, &scratch).await;
    match (done.unwrap_or_else(|| Ok(Vec::new())), tidied) {
        (done, Ok(())) => done,
        (Ok(_), Err(why)) => Err(debts::left(&scratch, &why).into()),
        (Err(Stop::Failure(failure)), Err(_)) => {
            let hint = format!("{}; {}", failure.hint, debts::remedy(&scratch));
            Err(failure.with_hint(hint).into())
        }
        (Err(Stop::Fault(reason)), Err(_)) => Err(Stop::Fault(format!(
            "{reason}; {}",
            debts::remedy(&scratch)
        ))),
    }
}

/// What lies there; the inner error is why it is better read as it lies.
async fn look(world: &World, writes: &Writes) -> Result<Result<Source, &'static str>, Stop> {
    let session = world.session().await?;
    let path = &writes.database;
    let main = stream::look(world, &*session, path).await?;
    let main = main.ok_or_else(|| nothing_matches(path))?;
    regular(&main)?;
    stream::not_empty(path, main.size)?;
    let head = stream::head(world, &*session, path, DATABASE_HEADER).await?;
    let Some(mark) = DatabaseMark::read(&head) else {
        return Ok(Err(
            "read where it lies, since it does not begin as a database and no copy of it is worth a write",
        ));
    };
    let mut size = main.size;
    let mut has = [false; 3];
    for (suffix, has) in ["-wal", "-journal", "-shm"].iter().zip(&mut has) {
        if *suffix == "-shm" && writes.road == Road::Copy {
            continue;
        }
        if let Some(found) = stream::look(world, &*session, &format!("{path}{suffix}")).await? {
            *has = true;
            size += if *suffix == "-shm" { 0 } else { found.size };
        }
    }
    let [wal, _, shm] = has;
    // SQLite makes both when they are missing, even where it is told not to write, and leaves them.
    if writes.road == Road::VacuumInto && mark.is_wal() && !(wal && shm) {
        return Ok(Err(
            "read where it lies, since nobody has it open: sqlite3 would make the `-wal` and `-shm` that are not there",
        ));
    }
    Ok(Ok(Source {
        size,
        mark,
        modified: main.modified,
    }))
}

/// Refuses to fill the directory: the product may need the room itself.
async fn room(world: &mut World, writes: &Writes, size: u64) -> Result<(), Stop> {
    let output = command::execute(world, &writes.room()).await?;
    let Some(free) = free(&String::from_utf8_lossy(&output.stdout)) else {
        // No such tool or directory: the next command says so.
        return Ok(());
    };
    // A tenth and a little more, so that nobody meets a file system with nothing left.
    let needed = size + size / 10 + (1 << 20);
    match free >= needed {
        true => Ok(()),
        false => Err(refusal::full(
            writes,
            size,
            format!("{} free, and nothing was written", text::size(free)),
        )
        .into()),
    }
}

/// Free bytes, as `df -P` says in the field before the one with the `%` (POSIX df).
fn free(printed: &str) -> Option<u64> {
    let line = printed.lines().nth(1)?;
    let fields: Vec<&str> = line.split_whitespace().collect();
    let percent = fields.iter().position(|field| {
        let digits = field.strip_suffix('%');
        digits
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    })?;
    let kibibytes: u64 = fields.get(percent.checked_sub(1)?)?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

async fn make(world: &mut World, writes: &Writes) -> Result<Scratch, Stop> {
    let output = command::execute(world, &writes.make()).await?;
    if output.status != 0 {
        return Err(refusal::of_mktemp(writes, &output).into());
    }
    let Some(scratch) = Scratch::made(writes, &output.stdout) else {
        return Err(Failure::new(
            FailureKind::Io,
            "the name of the directory that mktemp made",
            format!("{} bytes that are none", output.stdout.len()),
        )
        .with_subject(&writes.directory)
        .with_hint("look on the host for a directory gonogo-…, which may be left, and at what runs in place of `mktemp`")
        .into());
    };
    if let Some(debts) = world.door.as_ref().and_then(|door| door.debts()) {
        debts.owe(&scratch);
    }
    Ok(scratch)
}

async fn tidy(world: &World, scratch: &Scratch) -> Result<(), String> {
    let said = |stop: Stop| match stop {
        Stop::Failure(failure) => failure.to_string(),
        Stop::Fault(reason) => reason,
    };
    let session = world.session().await.map_err(said)?;
    let limits = world.limits().map_err(said)?;
    debts::settle(&*session, scratch, limits).await?;
    if let Some(debts) = world.door.as_ref().and_then(|door| door.debts()) {
        debts.paid(scratch);
    }
    Ok(())
}

async fn attempts(
    world: &mut World,
    artifact: &Artifact,
    writes: &Writes,
    source: &Source,
    scratch: &Scratch,
    started: Instant,
) -> Result<Files, Stop> {
    let mut taken = Taken {
        reason: format!("a private copy on the host, {}", writes.permission()),
        ..Taken::default()
    };
    loop {
        let (mut kept, from) = (Vec::new(), time::now());
        let attempt = u32::try_from(taken.attempts.len() + 1).unwrap_or(u32::MAX);
        let mut once = Attempt {
            artifact,
            writes,
            source,
            scratch,
            number: attempt,
            kept: &mut kept,
            sqlite: None,
        };
        let (mut files, outcome) = match writes.road {
            Road::Copy => once.copy(world).await?,
            Road::VacuumInto => once.vacuum(world).await?,
        };
        taken.sqlite = once.sqlite.or(taken.sqlite);
        taken.attempts.push(outcome);
        taken.during = Some(Stretch {
            from,
            to: time::now(),
        });
        if attempt == ATTEMPTS || ![CHANGED, TORN, BUSY].contains(&outcome) {
            for (file, content) in &mut files {
                file.method = writes.road.as_str();
                if let Ok(Content::Database(seen)) = content {
                    // What the copy is says nothing about the original.
                    seen.journal_mode = if source.mark.is_wal() {
                        "wal"
                    } else {
                        "rollback"
                    };
                    file.modified = source.modified;
                }
            }
            kept.into_iter().for_each(Kept::whole);
            return Ok(told(files, taken, started));
        }
        for kept in kept {
            kept.remove().map_err(|error| fault(&error))?;
        }
        // `VACUUM INTO` refuses a file that is there, and an old `-wal` would be read as the new one's.
        let cleared = command::execute(world, &scratch.clear()).await?;
        if cleared.status != 0 {
            return Err(command::status_failure(&cleared, &scratch.clear()).into());
        }
        waited(attempt).await;
    }
}

struct Attempt<'a> {
    artifact: &'a Artifact,
    writes: &'a Writes,
    source: &'a Source,
    scratch: &'a Scratch,
    number: u32,
    kept: &'a mut Vec<Kept>,
    sqlite: Option<String>,
}

impl Attempt<'_> {
    async fn copy(&mut self, world: &mut World) -> Result<Once, Stop> {
        let path = &self.writes.database;
        let session = world.session().await?;
        let before = Marks::first(world, &*session, path).await?;
        let set = before.set();
        for suffix in &set {
            let output = command::execute(world, &self.scratch.copy(suffix)).await?;
            if output.status != 0 {
                let path = format!("{path}{suffix}");
                let failure = refusal::of_cp(self.writes, &path, self.source.size, &output);
                return match failure.kind {
                    FailureKind::Missing if output.status != 127 && self.number < ATTEMPTS => {
                        Ok((Vec::new(), CHANGED))
                    }
                    _ => Err(failure.into()),
                };
            }
        }
        let after = match set.as_slice() == [""] && !self.source.mark.is_wal() {
            true => stream::is_settled(world, &*session, path, &self.scratch.file("")).await,
            false => (Marks::again(world, &*session, path).await).map(|after| before == after),
        };
        let is_unchanged = match after {
            Ok(is_unchanged) => is_unchanged,
            Err(Stop::Failure(failure)) if failure.kind == FailureKind::Missing => false,
            Err(stop) => return Err(stop),
        };
        if !is_unchanged && self.number < ATTEMPTS {
            return Ok((Vec::new(), CHANGED));
        }
        self.read(world, &set, is_unchanged).await
    }

    async fn vacuum(&mut self, world: &mut World) -> Result<Once, Stop> {
        let output = command::execute(world, &self.scratch.vacuum()).await?;
        self.sqlite = refusal::version(&output);
        if output.status == 0 {
            return self.read(world, &[""], true).await;
        }
        if refusal::is_busy(&output) && self.number < ATTEMPTS {
            return Ok((Vec::new(), BUSY));
        }
        let failure = refusal::of_sqlite(self.writes, self.source.size, &output);
        if failure.kind == FailureKind::Denied && !refusal::is_busy(&output) {
            self.readable(world, &failure).await?;
        }
        Err(failure.into())
    }

    /// SQLite does not say which file it may not read: asking for a byte of each does.
    async fn readable(&self, world: &World, why: &Failure) -> Result<(), Stop> {
        let session = world.session().await?;
        for suffix in ["", "-wal", "-shm"] {
            let path = format!("{}{suffix}", self.writes.database);
            match stream::head(world, &*session, &path, 1).await {
                Err(Stop::Failure(failure)) if failure.kind == FailureKind::Denied => {
                    let failure = Failure {
                        expected: why.expected.clone(),
                        ..failure
                    };
                    return Err(failure.with_subject_if_none(&path).into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Fetches the copy by the ordinary road, and judges it.
    async fn read(
        &mut self,
        world: &World,
        set: &[&'static str],
        is_unchanged: bool,
    ) -> Result<Once, Stop> {
        let path = &self.writes.database;
        let session = world.session().await?;
        let scratch = tempfile::tempdir().map_err(|error| fault(&error))?;
        let mut files = Vec::new();
        for suffix in set {
            let part = Part {
                artifact: self.artifact,
                remote: self.scratch.file(suffix),
                name: format!("{path}{suffix}"),
                attempt: self.number,
            };
            let local = scratch.path().join(format!("copy.db{suffix}"));
            files.push(part.fetch(world, &*session, &local, self.kept).await?);
        }
        let copy = scratch.path().join("copy.db");
        let content = match is_unchanged {
            true => check(world, self.artifact, copy)
                .await
                .map_err(|failure| failure.with_subject_if_none(path)),
            false => Err(stream::changed(path, self.number)),
        };
        drop_scratch(scratch)?;
        let outcome = outcome(is_unchanged, &content);
        if let Some((_, first)) = files.first_mut() {
            *first = content;
        }
        Ok((files, outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::free;

    #[test]
    fn the_free_room_is_read_from_every_df() {
        let head = "Filesystem 1024-blocks Used Available Capacity Mounted on\n";
        for (line, bytes) in [
            ("/dev/sda1 1000 400 600 40% /var/tmp\n", Some(600 * 1024)),
            (
                "//nas/a share 1000 400 600 40% /mnt/my files\n",
                Some(600 * 1024),
            ),
            ("tmpfs 64 64 0 100% /x\n", Some(0)),
            ("overlay - - - - /\n", None),
            ("", None),
        ] {
            assert_eq!(free(&format!("{head}{line}")), bytes, "{line}");
        }
        assert_eq!(free(""), None);
    }
}
