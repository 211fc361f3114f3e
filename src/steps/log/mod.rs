//! What a step asks about a log: refused where the inventory cannot answer it, fetched, and judged. The
//! rules are pure, over what the readers found; `verify` applies the same rules to what was recorded.

mod age;
mod gaps;
mod levels;
mod names;
mod promise;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub(super) use age::fresh;

use super::call::{lacks, unfit};
use super::world::Retrieved;
use super::{ArtifactName, Stop, Subject, Touch, World, retrieve};
use crate::evidence::Content;
use crate::evidence::log_seen::LogSeen;
use crate::failure::Failure;
use crate::inventory::{Artifact, Format, Instance, Source};
use crate::time;

pub use levels::ranks;
pub use promise::name_of as promise_name;

/// What a step asks about a log.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Its newest entry is at most so old.
    EntryWithin(Duration),
    /// Its entries reach so far back, and up to now.
    Covers(Duration),
    /// Between entries that follow each other no more time passed.
    NoGap {
        /// The longest silence that is well.
        most: Duration,
        /// Only this far back; `None`: as far as the log goes.
        last: Option<Duration>,
    },
    /// No entry is later than the runner's clock.
    NoneFromFuture,
    /// The name that it gives its instance is `expect.name`.
    BelongsToInstance,
    /// An entry of this level or a worse one stands in it.
    HasLevel(String),
    /// No entry of this level or a worse one is so young.
    NoLevelWithin(String, Duration),
    /// An entry with this id stands in it.
    HasId(String),
    /// So many entries stand in it.
    AtLeast(u64),
    /// What rotates and removes its files promises to keep them so long.
    KeptFor(Duration),
}

/// When a log is judged: at one moment while it runs, and some time within a check when only the record
/// is left.
#[derive(Clone, Copy, Debug)]
pub struct When {
    /// Not before.
    pub earliest: Timestamp,
    /// Not after.
    pub latest: Timestamp,
    /// How far off a recorded time may be.
    pub slack: SignedDuration,
}

impl When {
    /// Now, exactly.
    fn now() -> Self {
        Self::at(time::now())
    }

    const fn at(now: Timestamp) -> Self {
        Self {
            earliest: now,
            latest: now,
            slack: SignedDuration::ZERO,
        }
    }
}

/// One file of a log that has content, and what was seen in it.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Where it lies.
    pub path: &'a str,
    /// What was seen.
    pub seen: &'a LogSeen,
}

impl Ask {
    /// Refuses what can be known to be impossible before connecting.
    pub(super) fn validate(&self, instance: &Instance, artifact: &Artifact) -> Result<(), String> {
        let in_journal = matches!(artifact.source, Source::Journal(_));
        if !in_journal && !artifact.format.is_some_and(Format::is_log) {
            return unfit(
                instance,
                artifact,
                "a log whose entries carry a time (`format: amps-log`, `format: log` or `json-log` with `entry:`, or `journal:`)",
            );
        }
        match self {
            Self::BelongsToInstance => names::validate(instance, artifact),
            Self::HasLevel(word) | Self::NoLevelWithin(word, _) => {
                levels::validate(instance, artifact, word)
            }
            Self::HasId(_) => levels::validate_id(instance, artifact),
            Self::KeptFor(_) => promise::validate(instance, artifact),
            // Silence alone would do for it.
            Self::NoGap {
                most,
                last: Some(last),
            } if most >= last => Err(format!(
                "a gap of more than {} cannot lie in the last {}: ask for a longer span",
                time::say(*most),
                time::say(*last)
            )),
            _ => Ok(()),
        }?;
        match self.reaches_back() {
            Some(span) if in_journal && span > super::journal::ASKED => Err(format!(
                "the journal is asked for the last {} only: ask no more of it",
                time::say(super::journal::ASKED)
            )),
            _ => Ok(()),
        }
    }

    /// How far back the entries must be known for this.
    fn reaches_back(&self) -> Option<Duration> {
        match self {
            Self::EntryWithin(span) | Self::Covers(span) | Self::NoLevelWithin(_, span) => {
                Some(*span)
            }
            Self::NoGap { last, .. } => *last,
            _ => None,
        }
    }

    /// What it uses on the host beside the log itself.
    pub(super) fn touches(
        &self,
        instance: &Instance,
        artifact: &Artifact,
        subject: &Subject,
    ) -> Vec<Touch> {
        match self {
            Self::KeptFor(_) => promise::touches(instance, artifact, subject),
            _ => Vec::new(),
        }
    }

    /// Another artifact that it reads to judge this one.
    pub(super) fn beside<'a>(
        &self,
        instance: &'a Instance,
        artifact: &Artifact,
        team: Option<&str>,
    ) -> Option<&'a Artifact> {
        match self {
            Self::KeptFor(_) => promise::beside(instance, artifact, team),
            _ => None,
        }
    }

    pub(super) async fn perform(&self, world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
        if let Self::KeptFor(span) = self {
            return promise::kept_for(world, name, *span).await;
        }
        let expected = world.instance()?.expect_name.clone();
        let set = retrieve::set(world, name).await?;
        let files = files(set)?;
        let judged = self.judge(&set.artifact, expected.as_deref(), &files, &When::now());
        Ok(judged?)
    }

    /// Judges what was seen of the whole rotated set. What only the promise of a rotation can answer is
    /// not judged here.
    ///
    /// # Errors
    /// The failure.
    pub fn judge(
        &self,
        artifact: &Artifact,
        expected_name: Option<&str>,
        files: &[File<'_>],
        when: &When,
    ) -> Result<(), Failure> {
        let times = age::times(files);
        let judged = match self {
            Self::EntryWithin(span) => age::fresh_when(times.newest, *span, "entry", when),
            Self::Covers(span) => age::covered(&times, *span, when),
            Self::NoneFromFuture => age::none_from_future(times.newest, when),
            Self::NoGap { most, last } => return gaps::none(files, *most, *last, when),
            Self::BelongsToInstance => return names::belong(files, expected_name),
            Self::HasLevel(word) => levels::has(files, artifact, word),
            Self::NoLevelWithin(word, span) => {
                return levels::has_none_within(files, artifact, word, *span, when);
            }
            Self::HasId(id) => levels::has_id(files, id),
            Self::AtLeast(most) => levels::at_least(files, *most),
            Self::KeptFor(_) => Ok(()),
        };
        judged.map_err(|failure| failure.with_subject_if_none(times.path))
    }
}

/// The files that have content; one that cannot be read fails the set.
fn files(set: &Retrieved) -> Result<Vec<File<'_>>, Failure> {
    let mut files = Vec::with_capacity(set.files.len());
    for (file, content) in &set.files {
        if let Content::Log(seen) = content.as_ref().map_err(Failure::clone)? {
            files.push(File {
                path: &file.path,
                seen,
            });
        }
    }
    Ok(files)
}

fn signed(span: Duration) -> SignedDuration {
    SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX)
}

fn say(span: SignedDuration) -> String {
    time::say(span.unsigned_abs())
}
