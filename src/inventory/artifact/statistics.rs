//! What an inventory says of statistics beyond their path: what must be inside, how often a sample
//! comes, and by which road a consistent copy is taken. Opens no database.

use std::collections::BTreeMap;
use std::time::Duration;

/// The keys of statistics, `tables` and `sample` apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatisticsKeys<T = String> {
    /// `columns:`: columns that each of these tables must have.
    pub columns: Option<BTreeMap<String, Vec<String>>>,
    /// `interval:`: how often the product is configured to write a sample.
    pub interval: Option<Duration>,
    /// `take:`: how a copy is taken; `None`: read as it lies.
    pub take: Option<Take<T>>,
}

/// How a consistent copy of a live database is taken. All but the first write to the host, in a
/// directory that the inventory names: naming it is the consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Take<T = String> {
    /// Read where it lies, again until nothing changed meanwhile. Touches nothing.
    Stream,
    /// `cp` into a new directory below this one, then read, then removed.
    Copy(T),
    /// `sqlite3 … "VACUUM INTO …"` into a new directory below this one: holds a read lock meanwhile,
    /// so that a writer in rollback mode may miss a sample (facts: artifacts.md 2.4).
    VacuumInto(T),
}

impl<T> StatisticsKeys<T> {
    /// Nothing said.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            columns: None,
            interval: None,
            take: None,
        }
    }

    /// What `self` leaves open is taken from `base`.
    #[must_use]
    pub fn over(self, base: &Self) -> Self
    where
        T: Clone,
    {
        Self {
            columns: self.columns.or_else(|| base.columns.clone()),
            interval: self.interval.or(base.interval),
            take: self.take.or_else(|| base.take.clone()),
        }
    }

    /// Every text that has placeholders.
    pub fn texts(&self) -> impl Iterator<Item = &T> {
        self.take.iter().filter_map(|take| match take {
            Take::Stream => None,
            Take::Copy(directory) | Take::VacuumInto(directory) => Some(directory),
        })
    }

    /// The same with each text filled; `None` when one could not be.
    pub fn fill<U>(&self, mut fill: impl FnMut(&T) -> Option<U>) -> Option<StatisticsKeys<U>> {
        Some(StatisticsKeys {
            columns: self.columns.clone(),
            interval: self.interval,
            take: match &self.take {
                None => None,
                Some(Take::Stream) => Some(Take::Stream),
                Some(Take::Copy(directory)) => Some(Take::Copy(fill(directory)?)),
                Some(Take::VacuumInto(directory)) => Some(Take::VacuumInto(fill(directory)?)),
            },
        })
    }
}
