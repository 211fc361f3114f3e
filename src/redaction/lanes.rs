//! Pieces of a long text side by side, one a core, written in their order. Where an entry of a log begins, nothing
//! goes on from the lines above but a few names of values: a piece begins there, and reads those lines first.
//! Where no entry begins, a piece waits for the one before it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::engine::Engine;
use super::line::Mood;
use super::map::Class;
use super::packed::Packer;
use super::text::{NAMED, Text, is_entry};
use super::{Counts, Unfit, armour, deferred};

/// Text that one core takes at a time.
const PIECE: usize = 1 << 20;
/// More cores than that wait for the disk.
const MOST_CORES: usize = 16;

/// Lines that are rewritten together.
struct Piece {
    /// The lines above, read and not written.
    before: String,
    text: String,
    /// Nothing tells where an entry begins: the state of the piece before it goes on.
    goes_on: bool,
}

/// What became of a row of pieces.
struct Done<'e> {
    clean: String,
    counts: Counts,
    names: Vec<(Class, String)>,
    state: Text<'e>,
}

/// Pieces that wait to be rewritten.
pub(super) struct Lanes<'e> {
    engine: &'e Engine,
    mood: Mood,
    cores: usize,
    pieces: Vec<Piece>,
    /// Text whose end is not known to be the end of an entry.
    rest: String,
    /// The last lines of the last piece.
    tail: String,
    state: Option<Text<'e>>,
}

impl<'e> Lanes<'e> {
    pub fn new(engine: &'e Engine, mood: Mood) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            engine,
            mood,
            cores: cores.min(MOST_CORES),
            pieces: Vec::new(),
            rest: String::new(),
            tail: String::new(),
            state: None,
        }
    }

    /// More whole lines.
    pub fn take(&mut self, text: &str) {
        self.rest.push_str(text);
        if self.rest.len() < PIECE {
            return;
        }
        // A key whose lines are entries of their own stays whole.
        let cut = last_entry(&self.rest).map(|cut| {
            let open = armour::open_at(&self.rest[..cut]);
            open.filter(|at| *at > 0).unwrap_or(cut)
        });
        let rest = match cut {
            Some(cut) => self.rest.split_off(cut),
            None => String::new(),
        };
        let text = std::mem::replace(&mut self.rest, rest);
        self.push(text);
    }

    fn push(&mut self, text: String) {
        let goes_on = !text.lines().next().is_some_and(is_entry);
        let before = std::mem::take(&mut self.tail);
        self.tail = last_lines(&text).to_owned();
        self.pieces.push(Piece {
            before,
            text,
            goes_on,
        });
    }

    pub fn is_full(&self) -> bool {
        self.pieces.len() >= 2 * self.cores
    }

    /// Rewrites what is left, at the end of the text.
    pub fn finish(
        &mut self,
        out: Option<&mut Packer<'_>>,
        counts: &mut Counts,
    ) -> Result<(), Unfit> {
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            self.push(rest);
        }
        self.drain(out, counts)
    }

    /// Rewrites what waits.
    pub fn drain(
        &mut self,
        out: Option<&mut Packer<'_>>,
        counts: &mut Counts,
    ) -> Result<(), Unfit> {
        let pieces = std::mem::take(&mut self.pieces);
        let mut rows: Vec<&[Piece]> = Vec::new();
        let mut from = 0;
        for at in 1..=pieces.len() {
            if pieces.get(at).is_none_or(|piece| !piece.goes_on) {
                rows.push(&pieces[from..at]);
                from = at;
            }
        }
        rows.retain(|row| !row.is_empty());
        let first = self.state.take();
        let mut done = self.side_by_side(&rows, first.clone())?;
        let names = done
            .iter_mut()
            .flat_map(|one| std::mem::take(&mut one.names));
        // Two new names that share their digits: the one that came later has other ones.
        if !self.engine.give(names.collect()) && out.is_some() {
            done = self.side_by_side(&rows, first)?;
        }
        let mut out = out;
        for one in done {
            for (rule, count) in one.counts {
                *counts.entry(rule).or_default() += count;
            }
            if let Some(out) = out.as_deref_mut() {
                out.write(one.clean.as_bytes())?;
            }
            self.state = Some(one.state);
        }
        Ok(())
    }

    fn side_by_side(
        &self,
        rows: &[&[Piece]],
        first: Option<Text<'e>>,
    ) -> Result<Vec<Done<'e>>, Unfit> {
        let next = AtomicUsize::new(0);
        let first = Mutex::new(first);
        let slots: Vec<Mutex<Option<Done<'e>>>> = rows.iter().map(|_| Mutex::new(None)).collect();
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let (Some(row), Some(slot)) = (rows.get(at), slots.get(at)) else {
                    return;
                };
                let state = match at {
                    0 => first.lock().ok().and_then(|mut state| state.take()),
                    _ => None,
                };
                let done = self.row(row, state);
                if let Ok(mut slot) = slot.lock() {
                    *slot = Some(done);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.cores.min(rows.len()) {
                scope.spawn(work);
            }
            work();
        });
        let lost = || Unfit::Content("a part of it could not be worked on".to_owned());
        slots
            .into_iter()
            .map(|slot| slot.into_inner().ok().flatten().ok_or_else(lost))
            .collect()
    }

    fn row(&self, row: &[Piece], state: Option<Text<'e>>) -> Done<'e> {
        let ((state, clean, counts), names) = deferred::during(|| {
            let goes_on = row.first().is_some_and(|piece| piece.goes_on);
            let mut text = match state {
                Some(state) if goes_on => state,
                _ => Text::new(self.engine, self.mood),
            };
            let mut clean = String::with_capacity(
                row.iter().map(|piece| piece.text.len()).sum::<usize>() * 5 / 4,
            );
            if let (false, Some(piece)) = (goes_on, row.first()) {
                for line in piece.before.split_inclusive('\n') {
                    text.line(line, &mut clean, &mut Counts::new());
                }
                clean.clear();
            }
            let mut counts = Counts::new();
            for line in row
                .iter()
                .flat_map(|piece| piece.text.split_inclusive('\n'))
            {
                text.line(line, &mut clean, &mut counts);
            }
            (text, clean, counts)
        });
        Done {
            clean,
            counts,
            names,
            state,
        }
    }
}

/// Where the last entry of the text begins, if not at its begin.
fn last_entry(text: &str) -> Option<usize> {
    let mut end = text.len();
    while let Some(feed) = text.get(..end.checked_sub(1)?)?.rfind('\n') {
        let line = text[feed + 1..].lines().next().unwrap_or_default();
        if is_entry(line) {
            return Some(feed + 1);
        }
        end = feed + 1;
    }
    None
}

/// As many lines as a name of a value is remembered for.
fn last_lines(text: &str) -> &str {
    let mut at = text.len();
    for _ in 0..=NAMED {
        let Some(end) = at.checked_sub(1) else {
            return text;
        };
        match text[..end].rfind('\n') {
            Some(feed) => at = feed + 1,
            None => return text,
        }
    }
    &text[at..]
}
