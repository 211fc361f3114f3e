//! What the entries of a log must say about time. Pure rules over what the readers found.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::call::unfit;
use super::world::Retrieved;
use super::{ArtifactName, Stop, Subject, Touch, World, retrieve};
use crate::evidence::Content;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Instance};
use crate::time;

// Clocks of well-run hosts agree within seconds; an entry later than this is from a wrong clock, and
// would make a dead log look alive.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What a step asks about a log.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Its newest entry is at most so old.
    EntryWithin(Duration),
    /// Its entries reach so far back, and up to now.
    Covers(Duration),
}

impl Ask {
    /// Refuses what can be known to be impossible before connecting.
    pub(super) fn validate(&self, instance: &Instance, artifact: &Artifact) -> Result<(), String> {
        match artifact.format {
            Some(format) if format.is_log() => Ok(()),
            _ => unfit(
                instance,
                artifact,
                "a log whose entries carry a time (`format: amps-log`)",
            ),
        }
    }

    /// What it uses on the host beside the log itself.
    pub(super) fn touches(&self, _: &Instance, _: &Artifact, _: &Subject) -> Vec<Touch> {
        Vec::new()
    }

    pub(super) async fn perform(&self, world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
        match self {
            Self::EntryWithin(span) => entry_within(world, name, *span).await,
            Self::Covers(span) => covers(world, name, *span).await,
        }
    }
}

async fn entry_within(world: &mut World, name: &ArtifactName, span: Duration) -> Result<(), Stop> {
    let (newest, _, path) = times(retrieve::set(world, name).await?)?;
    fresh(newest, span, "entry", time::now())
        .map_err(|failure| failure.with_subject_if_none(&path).into())
}

async fn covers(world: &mut World, name: &ArtifactName, span: Duration) -> Result<(), Stop> {
    let (newest, oldest, path) = times(retrieve::set(world, name).await?)?;
    covered(oldest, newest, span, time::now())
        .map_err(|failure| failure.with_subject_if_none(&path).into())
}

type Times = (Option<Timestamp>, Option<Timestamp>, String);

/// Newest and oldest over the whole rotated set; a member that cannot be read fails the set.
fn times(set: &Retrieved) -> Result<Times, Failure> {
    let (mut newest, mut oldest, mut path) = (None, None, String::new());
    for (file, content) in &set.files {
        let content = content.as_ref().map_err(Failure::clone)?;
        if let Content::Log(seen) = content {
            if seen.newest.is_some() && seen.newest >= newest {
                (newest, path) = (seen.newest, file.path.clone());
            }
            oldest = [oldest, seen.oldest].into_iter().flatten().min();
        }
    }
    Ok((newest, oldest, path))
}

/// Judges the newest `thing` (entry, sample) against a span that ends now.
pub(super) fn fresh(
    newest: Option<Timestamp>,
    span: Duration,
    thing: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let expected = format!("one {thing} from the last {}", time::say(span));
    let Some(newest) = newest else {
        return Err(Failure::new(
            FailureKind::Stale,
            expected,
            format!("no {thing} with a time"),
        ));
    };
    not_from_the_future(newest, thing, now)?;
    let age = now.duration_since(newest);
    if age <= SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX) {
        return Ok(());
    }
    Err(Failure::new(FailureKind::Stale, expected, format!("the newest is from {}, {} ago", time::rfc3339(newest), say(age)))
        .with_hint(format!("is the instance running, and does it still write to these files? A path of an old rotation or of another instance also shows as an old {thing}")))
}

fn covered(
    oldest: Option<Timestamp>,
    newest: Option<Timestamp>,
    span: Duration,
    now: Timestamp,
) -> Result<(), Failure> {
    let expected = format!("entries that cover the last {}", time::say(span));
    let (Some(oldest), Some(newest)) = (oldest, newest) else {
        return Err(Failure::new(
            FailureKind::Gap,
            expected,
            "no entry with a time",
        ));
    };
    not_from_the_future(newest, "entry", now)?;
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    let held = format!(
        "entries from {} to {}",
        time::rfc3339(oldest),
        time::rfc3339(newest)
    );
    if now.duration_since(oldest) < span {
        return Err(Failure::new(FailureKind::Gap, expected, held)
            .with_hint("older files were removed, are not matched by the artifact's `path`, or the instance is younger than that: compare rotation and removal rules with what the vendor needs"));
    }
    if now.duration_since(newest) > span {
        return Err(Failure::new(FailureKind::Gap, expected, held)
            .with_hint("the log ends before the span begins: is the instance running, and does it still write to these files?"));
    }
    Ok(())
}

fn not_from_the_future(newest: Timestamp, thing: &str, now: Timestamp) -> Result<(), Failure> {
    let ahead = newest.duration_since(now);
    if ahead <= SKEW {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Stale,
        format!("no {thing} later than the runner's clock"),
        format!("one from {}, {} ahead of {}", time::rfc3339(newest), say(ahead), time::rfc3339(now)),
    )
    .with_hint("a clock is wrong, on the host or on the runner: compare both with NTP; freshness cannot be judged by it"))
}

fn say(span: SignedDuration) -> String {
    time::say(span.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn now() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    fn at(text: &str) -> Option<Timestamp> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn freshness_includes_its_edge_and_refuses_past_future_and_nothing() {
        assert!(fresh(at("2026-11-21T11:00:00Z"), HOUR, "entry", now()).is_ok());
        assert!(fresh(at("2026-11-21T12:04:59Z"), HOUR, "entry", now()).is_ok());
        for stale in [
            None,
            at("2026-11-21T10:59:59Z"),
            at("2026-11-21T12:05:01Z"),
            at("2026-10-21T12:00:00Z"),
        ] {
            assert_eq!(
                fresh(stale, HOUR, "entry", now()).unwrap_err().kind,
                FailureKind::Stale,
                "{stale:?}"
            );
        }
    }

    #[test]
    fn coverage_needs_an_old_beginning_and_an_end_inside() {
        let ok = |oldest, newest| covered(at(oldest), at(newest), HOUR, now());
        assert!(ok("2026-11-21T11:00:00Z", "2026-11-21T11:30:00Z").is_ok());
        let short = ok("2026-11-21T11:00:01Z", "2026-11-21T11:30:00Z").unwrap_err();
        let ended = ok("2026-11-20T11:00:00Z", "2026-11-21T10:59:59Z").unwrap_err();
        assert_eq!(
            (short.kind, ended.kind),
            (FailureKind::Gap, FailureKind::Gap)
        );
        assert_ne!(short.hint, ended.hint);
        assert_eq!(
            covered(None, None, HOUR, now()).unwrap_err().kind,
            FailureKind::Gap
        );
        let future = ok("2026-11-20T11:00:00Z", "2026-11-21T13:00:00Z").unwrap_err();
        assert_eq!(future.kind, FailureKind::Stale);
    }
}
