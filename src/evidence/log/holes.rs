//! The widest stretches of a log without an entry, found in one pass over entries that are nearly in
//! order. What a hole means is for the step that asks.

use jiff::Timestamp;

use crate::evidence::log_seen::{Hole, LogSeen};

/// Kept while reading: an entry that comes late splits a hole, and the halves must not have pushed
/// out what is wider than they are.
const KEPT: usize = 2 * LogSeen::MOST_HOLES;

/// Span and holes of the entries so far.
#[derive(Debug, Default)]
pub struct Holes {
    span: Option<(Timestamp, Timestamp)>,
    /// By their beginnings; none overlaps another.
    kept: Vec<Hole>,
    /// Narrowest of `kept` once it is full, in nanoseconds: what is no wider is not looked at.
    narrowest: i128,
}

impl Holes {
    /// One more entry. Threads write a little out of order: an entry from inside a hole splits it, so
    /// what is told at the end has truly no entry in it.
    pub fn entry(&mut self, at: Timestamp) {
        let Some((oldest, newest)) = self.span else {
            self.span = Some((at, at));
            return;
        };
        if at > newest {
            self.span = Some((oldest, at));
            self.keep(Hole {
                from: newest,
                to: at,
            });
        } else if at < oldest {
            self.span = Some((at, newest));
            self.keep(Hole {
                from: at,
                to: oldest,
            });
        } else if at < newest {
            self.split(at);
        }
    }

    fn split(&mut self, at: Timestamp) {
        let behind = self.kept.partition_point(|hole| hole.from < at);
        if let Some(place) = behind.checked_sub(1)
            && at < self.kept[place].to
        {
            let hole = self.kept.remove(place);
            self.narrowest = 0;
            self.keep(Hole { to: at, ..hole });
            self.keep(Hole { from: at, ..hole });
        }
    }

    fn keep(&mut self, hole: Hole) {
        let width = width(&hole);
        if self.kept.len() < KEPT {
            self.insert(hole);
        } else if width > self.narrowest {
            let narrowest = |kept: &[Hole]| {
                let kept = kept.iter().enumerate();
                kept.map(|(place, hole)| (self::width(hole), place)).min()
            };
            if let Some((least, place)) = narrowest(&self.kept) {
                self.narrowest = least;
                if width > least {
                    self.kept.remove(place);
                    self.insert(hole);
                }
            }
        }
    }

    fn insert(&mut self, hole: Hole) {
        let place = self.kept.partition_point(|kept| kept.from < hole.from);
        self.kept.insert(place, hole);
    }

    /// Times of the oldest and the newest entry.
    pub const fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.span
    }

    /// The widest first.
    pub fn finish(mut self) -> Vec<Hole> {
        self.kept
            .sort_by_key(|hole| (std::cmp::Reverse(width(hole)), hole.from));
        self.kept.truncate(LogSeen::MOST_HOLES);
        self.kept
    }
}

fn width(hole: &Hole) -> i128 {
    hole.to.as_nanosecond() - hole.from.as_nanosecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holes(seconds: &[i64]) -> Vec<(i64, i64)> {
        let mut holes = Holes::default();
        for second in seconds {
            holes.entry(Timestamp::from_second(*second).unwrap());
        }
        let found = holes.finish().into_iter();
        found
            .map(|hole| (hole.from.as_second(), hole.to.as_second()))
            .collect()
    }

    #[test]
    fn the_widest_come_first_and_repeated_times_are_none() {
        assert_eq!(holes(&[]), []);
        assert_eq!(holes(&[7, 7, 7]), []);
        assert_eq!(holes(&[1, 2, 2, 12, 15]), [(2, 12), (12, 15), (1, 2)]);
    }

    #[test]
    fn entries_out_of_order_leave_the_holes_that_sorting_would_leave() {
        // A small generator: every order must give what the sorted entries give.
        let mut state = 1_u64;
        let mut random = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as usize
        };
        for _ in 0..200 {
            let mut times: Vec<i64> = (0..40).map(|_| (random() % 1000) as i64).collect();
            let mixed = holes(&times);
            times.sort_unstable();
            assert_eq!(mixed, holes(&times));
        }
    }

    #[test]
    fn only_the_widest_are_kept() {
        let mut times = vec![0];
        for step in 1..=1000 {
            times.push(times[times.len() - 1] + step);
        }
        let found = holes(&times);
        assert_eq!(found.len(), LogSeen::MOST_HOLES);
        assert_eq!(found[0], (499_500, 500_500));
        assert!(found.windows(2).all(|pair| pair[0].1 > pair[1].1));
        times.reverse();
        assert_eq!(holes(&times), found);
    }
}
