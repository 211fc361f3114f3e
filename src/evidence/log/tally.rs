//! Counts entries: how many, from when to when, of which levels, with which ids. Constant memory,
//! whatever the log says.

use std::collections::{BTreeMap, HashMap};

use super::grammar::{Start, Untimed};
use super::holes::Holes;
use crate::evidence::log_seen::{LevelSeen, LogSeen, Met};
use crate::evidence::redact::Capture;

/// Bytes of a word for a level that is none of those known.
const LONGEST_WORD: usize = 32;
/// Bytes of an id; what is longer is text and no id.
const LONGEST_ID: usize = 64;

/// What was counted so far.
#[derive(Debug, Default)]
pub struct Tally {
    entries: u64,
    holes: Holes,
    /// By rank, as far as an entry of that rank was met.
    levels: Vec<Option<Met>>,
    /// Entries whose level is none of those known, and the word of the newest of them.
    odd: Option<(Vec<u8>, Met)>,
    /// By rank: entries of which nobody can say how old they are.
    untimed: Vec<u64>,
    /// The same of those whose level is none of those known, and the word of the first.
    odd_untimed: Option<(Vec<u8>, u64)>,
    // An id for every entry: foldhash takes a quarter of what the standard hasher does, and is seeded.
    ids: HashMap<Box<[u8]>, Met, foldhash::fast::RandomState>,
    has_more_ids: bool,
}

impl Tally {
    /// Entries so far.
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// One more entry.
    pub fn entry(&mut self, start: &Start<'_>) {
        self.entries += 1;
        self.holes.entry(start.at);
        let met = Met {
            entries: 0,
            newest: start.at,
        };
        if let Some(level) = start.level {
            if self.levels.len() <= level {
                self.levels.resize(level + 1, None);
            }
            again(self.levels[level].get_or_insert(met), start);
        }
        if let Some(word) = &start.odd {
            let (known, met) = self.odd.get_or_insert_with(|| (word.to_vec(), met));
            if start.at > met.newest {
                *known = word.to_vec();
            }
            again(met, start);
        }
        if let Some(id) = &start.id {
            if let Some(met) = self.ids.get_mut(id.as_ref()) {
                again(met, start);
            } else if self.ids.len() < LogSeen::MOST_IDS && id.len() <= LONGEST_ID {
                let met = Met { entries: 1, ..met };
                self.ids.insert(id.as_ref().into(), met);
            } else {
                self.has_more_ids = true;
            }
        }
    }

    /// One more whose time cannot be read: no entry, yet what it says of its level is not lost.
    pub fn untimed(&mut self, entry: &Untimed<'_>) {
        if let Some(level) = entry.level {
            if self.untimed.len() <= level {
                self.untimed.resize(level + 1, 0);
            }
            self.untimed[level] += 1;
        }
        if let Some(word) = &entry.odd {
            let (_, entries) = (self.odd_untimed).get_or_insert_with(|| (word.to_vec(), 0));
            *entries += 1;
        }
    }

    /// The facts; `levels` are the names of all ranks, from low to high.
    pub fn finish(self, levels: Vec<String>) -> LogSeen {
        let span = self.holes.span();
        let mut others = Vec::new();
        for (name, entries) in levels.iter().zip(&self.untimed) {
            if *entries > 0 {
                others.push(LevelSeen {
                    name: name.clone(),
                    entries: *entries,
                    newest: None,
                });
            }
        }
        let odd = self
            .odd
            .map(|(word, met)| (word, met.entries, Some(met.newest)));
        let odd_untimed = self
            .odd_untimed
            .map(|(word, entries)| (word, entries, None));
        for (word, entries, newest) in odd.into_iter().chain(odd_untimed) {
            others.push(LevelSeen {
                name: Capture::new(word).excerpt(LONGEST_WORD),
                entries,
                newest,
            });
        }
        let mut met = self.levels.into_iter();
        let level = |name| {
            let met = met.next().flatten();
            LevelSeen {
                name,
                entries: met.map_or(0, |met| met.entries),
                newest: met.map(|met| met.newest),
            }
        };
        let mut ids: BTreeMap<String, Met> = BTreeMap::new();
        for (id, met) in self.ids {
            // A pattern that is too generous catches text, and text may hold a secret.
            let id = Capture::new(id).excerpt(LONGEST_ID);
            let known = ids.entry(id).or_insert(Met { entries: 0, ..met });
            known.entries += met.entries;
            known.newest = known.newest.max(met.newest);
        }
        LogSeen {
            entries: self.entries,
            oldest: span.map(|(oldest, _)| oldest),
            newest: span.map(|(_, newest)| newest),
            levels: levels.into_iter().map(level).chain(others).collect(),
            ids,
            has_more_ids: self.has_more_ids,
            holes: self.holes.finish(),
            ..LogSeen::default()
        }
    }
}

fn again(met: &mut Met, start: &Start<'_>) {
    met.entries += 1;
    met.newest = met.newest.max(start.at);
}
