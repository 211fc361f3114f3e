//! What was seen in one statistics database, and how its copy was taken. Facts only: what they must be
//! is for the step that asks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::amps_interval::Configured;

/// What was seen in one statistics database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DatabaseSeen {
    /// Number of tables.
    pub tables: u64,
    /// The tables that the inventory names and the database has, each with those of the named columns
    /// that it has.
    pub found: BTreeMap<String, Vec<String>>,
    /// `rollback` or `wal`.
    pub journal_mode: &'static str,
    /// Bytes of a page.
    pub page_size: u32,
    /// Rows of the sample table.
    pub samples: u64,
    /// Time of the oldest sample.
    pub oldest: Option<Timestamp>,
    /// Time of the newest sample.
    pub newest: Option<Timestamp>,
    /// The widest stretch between two samples that follow each other.
    pub widest: Option<Stretch>,
    /// When samples were taken.
    pub moments: Moments,
    /// How often samples came, where a step asked.
    pub interval: Option<Duration>,
    /// How often the product's own configuration says that they come, where a step asked it.
    pub configured: Option<Configured>,
    /// What steps asked about spans, and what was seen.
    pub spans: Vec<Span>,
    /// How the copy was taken.
    pub taken: Taken,
}

impl DatabaseSeen {
    /// What the report needs, without the time of every sample.
    #[must_use]
    pub fn summary(&self) -> Self {
        Self {
            moments: Moments::default(),
            ..self.clone()
        }
    }
}

/// How a copy was taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// Why it was taken so.
    pub reason: String,
    /// Version of the host's `sqlite3`, when it was used.
    pub sqlite: Option<String>,
    /// What became of each attempt, the first one first: `ok`, `changed`, `torn` or `busy`.
    pub attempts: Vec<&'static str>,
    /// The last attempt, by the runner's clock.
    pub during: Option<Stretch>,
}

/// A stretch without a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Where it begins.
    pub from: Timestamp,
    /// Where it ends.
    pub to: Timestamp,
}

impl Stretch {
    /// How wide it is.
    #[must_use]
    pub fn width(&self) -> SignedDuration {
        self.to.duration_since(self.from)
    }
}

/// What a step asked about a span, and what was seen in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The whole span, by the host's clock.
    pub whole: Stretch,
    /// The widest stretch without a sample that touches it, cut to it.
    pub widest: Stretch,
}

/// When samples were taken: milliseconds since 1970, sorted, each once.
#[derive(Clone, Default, PartialEq)]
pub struct Moments {
    // Millions, of which a check passes copies on.
    all: Arc<Vec<i64>>,
    /// How many of `all` are sorted, each once.
    sorted: usize,
    /// Older ones were given up.
    is_cut: bool,
}

/// Most moments that are kept, the newest: a sample a second for six weeks, 32 MiB.
const MOST: usize = 4 << 20;

impl Moments {
    /// Takes one more, in any order.
    pub(super) fn add(&mut self, at: Timestamp) {
        if self.all.len() >= 2 * MOST {
            self.settle();
        }
        let at = at.as_millisecond();
        if self.all.last() != Some(&at) {
            Arc::make_mut(&mut self.all).push(at);
        }
    }

    /// Sorts what was taken; to be called once all are.
    pub(super) fn settle(&mut self) {
        let all = Arc::make_mut(&mut self.all);
        all.sort_unstable();
        all.dedup();
        if all.len() > MOST {
            all.drain(..all.len() - MOST);
            self.is_cut = true;
        }
        all.shrink_to_fit();
        self.sorted = all.len();
    }

    fn sorted(&self) -> &[i64] {
        self.all.get(..self.sorted).unwrap_or_default()
    }

    /// From when on every moment is known, when older ones were given up.
    #[must_use]
    pub fn known_from(&self) -> Option<Timestamp> {
        let first = self.sorted().first().filter(|_| self.is_cut);
        first.and_then(|at| time(*at))
    }

    /// The widest stretch between two of them.
    #[must_use]
    pub fn widest(&self) -> Option<Stretch> {
        let pairs = self.sorted().windows(2);
        let widest = pairs.max_by_key(|pair| pair[1] - pair[0])?;
        Some(Stretch {
            from: time(widest[0])?,
            to: time(widest[1])?,
        })
    }

    /// The widest stretch without a sample that touches `whole`, cut to it. What is later than its end
    /// fills nothing.
    #[must_use]
    pub fn widest_in(&self, whole: Stretch) -> Stretch {
        let (from, to) = (whole.from.as_millisecond(), whole.to.as_millisecond());
        let all = self.sorted();
        let begin = all.partition_point(|at| *at < from);
        let end = all.partition_point(|at| *at <= to);
        let inner = all.get(begin..end).unwrap_or_default();
        let (mut before, mut widest) = (from, (from, from));
        for at in inner.iter().copied().chain([to]) {
            if at - before > widest.1 - widest.0 {
                widest = (before, at);
            }
            before = at;
        }
        Stretch {
            from: time(widest.0).unwrap_or(whole.from),
            to: time(widest.1).unwrap_or(whole.to),
        }
    }

    /// How often samples came, by the middle one of the newest distances up to `until`; `None` when
    /// fewer than [`Self::TELLING`] tell. Moments closer than a tenth of `expected` are one sample,
    /// written row by row.
    #[must_use]
    pub fn interval(&self, until: Timestamp, expected: Duration) -> Option<Duration> {
        let close = i64::try_from(expected.as_millis() / 10).unwrap_or(i64::MAX);
        let all = self.sorted();
        let end = all.partition_point(|at| *at <= until.as_millisecond());
        let mut ticks: Vec<i64> = Vec::new();
        for at in all.get(..end).unwrap_or_default().iter().rev().copied() {
            match ticks.last() {
                Some(later) if later - at < close.max(1) => {}
                _ => ticks.push(at),
            }
            if ticks.len() > NEWEST {
                break;
            }
        }
        let mut distances: Vec<i64> = ticks.windows(2).map(|pair| pair[0] - pair[1]).collect();
        if distances.len() < Self::TELLING {
            return None;
        }
        distances.sort_unstable();
        let middle = distances[distances.len() / 2];
        u64::try_from(middle).ok().map(Duration::from_millis)
    }

    /// Distances without which an interval is a guess.
    pub const TELLING: usize = 3;
}

/// Distances that are looked at.
const NEWEST: usize = 120;

fn time(ms: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(ms).ok()
}

// Millions of numbers say nothing to whoever reads a panic.
impl std::fmt::Debug for Moments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Moments({})", self.all.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn moments(seconds: impl IntoIterator<Item = i64>) -> Moments {
        let mut moments = Moments::default();
        seconds
            .into_iter()
            .for_each(|second| moments.add(at(second)));
        moments.settle();
        moments
    }

    fn stretch(from: i64, to: i64) -> Stretch {
        Stretch {
            from: at(from),
            to: at(to),
        }
    }

    #[test]
    fn the_widest_stretch_is_found_in_any_order() {
        let moments = moments([100, 10, 20, 20, 70, 60, 10]);
        assert_eq!(moments.widest(), Some(stretch(20, 60)));
        for (whole, widest) in [
            ((0, 100), (20, 60)),
            ((65, 100), (70, 100)),
            ((30, 50), (30, 50)),
            ((0, 25), (0, 10)),
            ((65, 200), (100, 200)),
            ((100, 105), (100, 105)),
        ] {
            let found = moments.widest_in(stretch(whole.0, whole.1));
            assert_eq!(found, stretch(widest.0, widest.1), "{whole:?}");
        }
        assert_eq!(Moments::default().widest(), None);
        let nothing = Moments::default().widest_in(stretch(0, 9));
        assert_eq!(nothing, stretch(0, 9));
    }

    #[test]
    fn an_interval_needs_enough_and_bears_a_missed_sample() {
        let ten = Duration::from_secs(10);
        let regular = moments((0..50).map(|n| n * 10));
        assert_eq!(regular.interval(at(1000), ten), Some(ten));
        let missed = moments((0..50).filter(|n| n % 10 != 5).map(|n| n * 10));
        assert_eq!(missed.interval(at(1000), ten), Some(ten));
        assert_eq!(moments([0, 10, 20]).interval(at(1000), ten), None);
        // What lies in the future tells nothing.
        assert_eq!(regular.interval(at(20), ten), None);
        let slow = moments((0..9).map(|n| n * 60));
        assert_eq!(slow.interval(at(1000), ten), Some(Duration::from_secs(60)));
    }

    #[test]
    fn no_number_of_samples_fills_the_memory() {
        let mut moments = Moments::default();
        let most = i64::try_from(MOST).unwrap();
        (0..2 * most + 9).for_each(|second| moments.add(at(second)));
        moments.settle();
        assert_eq!(moments.sorted().len(), MOST);
        assert_eq!(moments.known_from(), Some(at(most + 9)));
        assert!(moments.all.capacity() <= 4 * MOST);
    }
}
