//! What steps ask of the databases that were fetched. Opens none; what it judged stays in the evidence.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;

use super::{Ask, Fetched, interval};
use crate::evidence::Content;
use crate::evidence::database_seen::{DatabaseSeen, Moments, Span, Stretch};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Artifact;
use crate::steps::retrieve::{retrieve, set};
use crate::steps::{ArtifactName, Stop, World, log};
use crate::{text, time};

/// Products that count whole seconds round by up to one.
const ROUNDING: SignedDuration = SignedDuration::from_secs(1);

pub(super) async fn perform(ask: &Ask, world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
    for (_, content) in &set(world, name).await?.files {
        content.as_ref().map_err(Failure::clone)?;
    }
    match ask {
        Ask::Consistent => return Ok(()),
        Ask::SampleWithin(span) => return sample_within(world, name, *span).await,
        Ask::Expected | Ask::SampleEvery(..) | Ask::AtInterval | Ask::NotAhead => {}
    }
    let clock = Clock::of(world)?;
    let index = retrieve(world, name).await?;
    let artifact = world.retrieved[index].artifact.clone();
    let configured = match ask {
        Ask::AtInterval => Some(interval::configured(world, &artifact).await?),
        _ => None,
    };
    let retrieved = &mut world.retrieved[index];
    for (file, content) in &mut retrieved.files {
        let Content::Database(seen) = &mut file.content else {
            continue;
        };
        // What lies beside a database is none itself, and so is one that nothing was found in.
        if seen.tables == 0 {
            continue;
        }
        let judged = match (ask, &configured) {
            (Ask::Expected, _) => expected(&artifact, seen),
            (Ask::SampleEvery(every, last), _) => sample_every(seen, *every, *last, &clock),
            (Ask::AtInterval, Some((every, by))) => {
                seen.configured.clone_from(by);
                at_interval(*every, seen, &clock)
            }
            _ => not_ahead(seen, &clock),
        };
        judged.map_err(|failure| failure.with_subject_if_none(&file.path))?;
        debug_assert!(content.is_ok());
    }
    Ok(())
}

async fn sample_within(world: &mut World, name: &ArtifactName, span: Duration) -> Result<(), Stop> {
    let found = set(world, name).await?;
    let newest = |(file, _): &Fetched| file.content.newest();
    let newest = found.files.iter().filter_map(newest).max();
    log::fresh(newest, span, "sample", time::now())
        .map_err(|failure| failure.with_subject_if_none(&found.files[0].0.path).into())
}

/// The host's clock by the runner's, as far as it is known.
struct Clock {
    /// Host minus runner.
    skew: SignedDuration,
    /// How far that may be wrong, rounding included.
    slack: SignedDuration,
}

impl Clock {
    fn of(world: &World) -> Result<Self, Stop> {
        let measured = world.door.as_ref().and_then(|door| door.seen().clock);
        let ms = |ms: u64| SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX / 4));
        Ok(match measured {
            Some(clock) => Self {
                skew: SignedDuration::from_millis(clock.skew_ms),
                slack: ms(clock.uncertainty_ms) + ROUNDING,
            },
            None => Self {
                skew: SignedDuration::ZERO,
                slack: signed(world.login()?.clock_tolerance) + ROUNDING,
            },
        })
    }

    /// By the host's clock, when the copy was begun and when it was done.
    fn during(&self, seen: &DatabaseSeen) -> Stretch {
        let now = time::now();
        let during = seen.taken.during.unwrap_or(Stretch { from: now, to: now });
        Stretch {
            from: during.from + self.skew,
            to: during.to + self.skew,
        }
    }
}

fn expected(artifact: &Artifact, seen: &DatabaseSeen) -> Result<(), Failure> {
    let none = BTreeMap::new();
    let columns = artifact.statistics.columns.as_ref().unwrap_or(&none);
    let missing = missing(&artifact.tables, columns, &seen.found);
    if missing.is_empty() {
        return Ok(());
    }
    let shown = missing
        .iter()
        .take(8)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    let more = match missing.len() {
        0..=8 => String::new(),
        many => format!(" and {} more", many - 8),
    };
    Err(Failure::new(
        FailureKind::Mismatch,
        "a database with the expected tables and columns",
        format!("it lacks {shown}{more}, of {}", text::count(seen.tables as usize, "table")),
    )
    .with_hint("versions of a product differ in their tables: correct `tables:` and `columns:` of the artifact for this version, or find out which version writes this file"))
}

/// What of these tables and columns was not found.
#[must_use]
pub fn missing(
    tables: &[String],
    columns: &BTreeMap<String, Vec<String>>,
    found: &BTreeMap<String, Vec<String>>,
) -> Vec<String> {
    let mut missing = Vec::new();
    for table in tables.iter().filter(|table| !columns.contains_key(*table)) {
        if !found.contains_key(table) {
            missing.push(format!("table `{table}`"));
        }
    }
    for (table, names) in columns {
        match found.get(table) {
            None => missing.push(format!("table `{table}`")),
            Some(there) => missing.extend(
                (names.iter().filter(|name| !there.contains(name)))
                    .map(|name| format!("column `{table}.{name}`")),
            ),
        }
    }
    missing
}

fn sample_every(
    seen: &mut DatabaseSeen,
    every: Duration,
    last: Duration,
    clock: &Clock,
) -> Result<(), Failure> {
    let expected = format!(
        "a sample at least every {} in the last {}",
        time::say(every),
        time::say(last)
    );
    // What was written while the copy was taken need not be in it.
    let now = clock.during(seen).from;
    let from = now - signed(last);
    let whole = Stretch {
        from,
        to: (now - clock.slack).max(from),
    };
    if let Some(known) = seen
        .moments
        .known_from()
        .filter(|known| *known > whole.from)
    {
        return Err(Failure::new(
            FailureKind::TooLarge,
            expected,
            format!(
                "more samples than are kept in memory: all are known from {} on",
                time::rfc3339(known)
            ),
        )
        .with_hint("ask for a shorter span: the newest four million samples are looked at"));
    }
    // What is left of the span may be too short to hold such a stretch: then nothing was seen.
    if whole.width() <= signed(every) {
        return Err(Failure::new(
            FailureKind::Gap,
            expected,
            format!(
                "only {} of that span can be looked at, since the host's clock is known to {} only",
                say(whole.width()),
                say(clock.slack)
            ),
        )
        .with_hint("ask for a longer span; a smaller `clock_tolerance`, or an account that may run `date`, tells the host's clock better"));
    }
    let widest = seen.moments.widest_in(whole);
    seen.spans.push(Span { whole, widest });
    if widest.width() <= signed(every) {
        return Ok(());
    }
    let hint = if seen.oldest.is_none_or(|oldest| oldest >= widest.to) {
        "the samples do not reach so far back: the product removes them earlier (AMPS: amps-action-do-truncate-statistics and its `Age`), the instance is younger than that, or the file was replaced"
    } else if seen.newest.is_none_or(|newest| newest <= widest.from) {
        "the newest samples are missing: is the instance running, and does it write to this file?"
    } else {
        "the product took no sample for so long: it stood still or was stopped, or something kept its database locked (`VACUUM INTO` and `.backup` do in rollback mode)"
    };
    let actual = format!(
        "none for {}, from {} to {}",
        say(widest.width()),
        time::rfc3339(widest.from),
        time::rfc3339(widest.to)
    );
    Err(Failure::new(FailureKind::Gap, expected, actual).with_hint(hint))
}

fn at_interval(
    configured: Duration,
    seen: &mut DatabaseSeen,
    clock: &Clock,
) -> Result<(), Failure> {
    let expected = format!("a sample every {}, as configured", time::say(configured));
    let until = clock.during(seen).to + clock.slack;
    let Some(measured) = seen.moments.interval(until, configured) else {
        return Err(Failure::new(
            FailureKind::Gap,
            expected,
            format!(
                "fewer than {} samples at different times",
                Moments::TELLING + 1
            ),
        )
        .with_hint(
            "too few tell how often they come: wait until the product has taken some more",
        ));
    };
    seen.interval = Some(measured);
    if beats(measured, configured) {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Mismatch,
        expected,
        format!("one every {} (the middle one of the newest distances)", time::say(measured)),
    )
    .with_hint("compare the product's configuration (AMPS: `Admin/Interval`) with `interval:` of the artifact, if it has one; a running product keeps the configuration that it was started with"))
}

/// Whether a measured interval is the configured one: within a fifth, and half a second.
#[must_use]
pub fn beats(measured: Duration, configured: Duration) -> bool {
    let most = (configured / 5).max(Duration::from_millis(500).min(configured / 2));
    measured.abs_diff(configured) <= most
}

fn not_ahead(seen: &DatabaseSeen, clock: &Clock) -> Result<(), Failure> {
    let now = clock.during(seen).to + clock.slack;
    match seen.newest {
        Some(newest) if newest > now => Err(Failure::new(
            FailureKind::Stale,
            "no sample later than the host's clock",
            format!("one from {}, {} ahead", time::rfc3339(newest), say(newest.duration_since(now))),
        )
        .with_hint("the clock was set back after the product wrote, the product counts in another zone or unit (`unit:` of `sample:`), or the file is of another host")),
        _ => Ok(()),
    }
}

fn signed(span: Duration) -> SignedDuration {
    SignedDuration::try_from(span).unwrap_or(SignedDuration::from_hours(1 << 20))
}

fn say(span: SignedDuration) -> String {
    // Whole seconds from a minute on.
    let span = span.unsigned_abs();
    match span.as_secs() {
        60.. => time::say(Duration::from_secs(span.as_secs())),
        _ => time::say(span),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    const CLOCK: Clock = Clock {
        skew: SignedDuration::ZERO,
        slack: SignedDuration::from_secs(2),
    };

    fn at(text: &str) -> Timestamp {
        format!("2026-11-21T{text}Z").parse().unwrap()
    }

    /// A database copied at noon, with samples at these seconds before it.
    fn seen(before: impl IntoIterator<Item = i64>) -> DatabaseSeen {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE s(t)").unwrap();
        let noon = at("12:00:00").as_second();
        for second in before {
            connection
                .execute("INSERT INTO s VALUES (?1)", [noon - second])
                .unwrap();
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        connection
            .execute("VACUUM INTO ?1", [path.to_str().unwrap()])
            .unwrap();
        let wanted = crate::evidence::database::Wanted {
            sample: Some(crate::inventory::Sample {
                table: "s".into(),
                column: "t".into(),
                unit: crate::inventory::SampleUnit::Unix,
            }),
            ..Default::default()
        };
        let mut seen =
            crate::evidence::database::inspect(&path, &wanted, Duration::from_secs(60)).unwrap();
        seen.taken.during = Some(Stretch {
            from: at("12:00:00"),
            to: at("12:00:01"),
        });
        seen
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_gap_is_found_wherever_it_lies() {
        let regular = || (0..60).map(|n| n * 10);
        let judge = |mut seen: DatabaseSeen, every, last| {
            let judged = sample_every(&mut seen, secs(every), secs(last), &CLOCK);
            assert_eq!(seen.spans.len(), 1);
            judged
        };
        assert_eq!(judge(seen(regular()), 10, 300), Ok(()));
        let inner = judge(seen(regular().filter(|n| *n != 100)), 10, 300).unwrap_err();
        assert_eq!(inner.kind, FailureKind::Gap);
        assert!(inner.actual.contains("none for 20s"), "{}", inner.actual);
        // Outside of what is asked for.
        assert_eq!(
            judge(seen(regular().filter(|n| *n != 400)), 10, 300),
            Ok(())
        );
        let young = judge(seen((0..20).map(|n| n * 10)), 10, 300).unwrap_err();
        let dead = judge(seen(regular().filter(|n| *n > 60)), 10, 300).unwrap_err();
        assert!(young.hint.contains("reach so far back") && dead.hint.contains("running"));
        assert_eq!(
            (young.kind, dead.kind),
            (FailureKind::Gap, FailureKind::Gap)
        );
        // A sample from the future fills nothing.
        let ahead = seen(regular().filter(|n| *n > 60).chain([-3600]));
        assert_eq!(judge(ahead, 10, 300).unwrap_err().kind, FailureKind::Gap);
        // The host's clock is not told to the second.
        assert_eq!(judge(seen(regular().map(|n| n + 11)), 10, 300), Ok(()));
    }

    #[test]
    fn a_span_that_the_clock_hides_shows_nothing() {
        let slow = Clock {
            skew: SignedDuration::ZERO,
            slack: SignedDuration::from_secs(61),
        };
        let dead = || seen((0..60).map(|n| n * 10 + 86_400));
        for last in [60, 70] {
            let judged = sample_every(&mut dead(), secs(10), secs(last), &slow).unwrap_err();
            assert!(
                judged.actual.contains("known to 1m 1s"),
                "{}",
                judged.actual
            );
        }
        let judged = sample_every(&mut dead(), secs(10), secs(300), &slow).unwrap_err();
        assert!(judged.hint.contains("running"), "{}", judged.hint);
        let alive = (0..60).map(|n| n * 10);
        let mut alive = seen(alive);
        assert_eq!(sample_every(&mut alive, secs(10), secs(300), &slow), Ok(()));
    }

    #[test]
    fn the_interval_is_compared_with_the_configured_one() {
        for (measured, configured, holds) in [
            (10_000, 10_000, true),
            (10_200, 10_000, true),
            (11_900, 10_000, true),
            (12_100, 10_000, false),
            (60_000, 10_000, false),
            (1_000, 10_000, false),
            (1_400, 1_000, true),
            (1_600, 1_000, false),
            (0, 1_000, false),
        ] {
            let (measured, configured) = (
                Duration::from_millis(measured),
                Duration::from_millis(configured),
            );
            assert_eq!(beats(measured, configured), holds, "{measured:?}");
        }
    }

    #[test]
    fn a_sample_ahead_of_the_host_is_told() {
        assert_eq!(not_ahead(&seen([0, 10]), &CLOCK), Ok(()));
        assert_eq!(not_ahead(&seen([-3, 10]), &CLOCK), Ok(()));
        let ahead = not_ahead(&seen([-60, 10]), &CLOCK).unwrap_err();
        assert_eq!(ahead.kind, FailureKind::Stale);
        // A host whose clock is ahead writes samples that are.
        let fast = Clock {
            skew: SignedDuration::from_secs(90),
            ..CLOCK
        };
        assert_eq!(not_ahead(&seen([-60, 10]), &fast), Ok(()));
    }

    #[test]
    fn each_missing_table_and_column_is_named() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let found = BTreeMap::from([
            ("A".to_owned(), names(&["x"])),
            ("B".to_owned(), Vec::new()),
        ]);
        let columns = BTreeMap::from([
            ("A".to_owned(), names(&["x", "y"])),
            ("D".to_owned(), names(&["z"])),
        ]);
        assert_eq!(
            missing(&names(&["B", "C", "D"]), &columns, &found),
            ["table `C`", "column `A.y`", "table `D`"]
        );
        assert!(missing(&names(&["A", "B"]), &BTreeMap::new(), &found).is_empty());
    }
}
