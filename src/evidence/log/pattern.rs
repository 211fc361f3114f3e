//! Entries that begin with a line of text, as `entry: {pattern: …}` describes it.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use regex::{CaptureLocations, Regex};

use super::grammar::{Grammar, Line, Start, Untimed};
use super::ranks::Ranks;
use crate::inventory::TimeForm;

/// Lines of text.
#[derive(Debug)]
pub struct Lines {
    pattern: Regex,
    places: CaptureLocations,
    time: usize,
    level: Option<usize>,
    id: Option<usize>,
    form: TimeForm,
    zone: TimeZone,
    ranks: Ranks,
}

impl Lines {
    /// A line that `pattern` matches begins an entry; `None` when it has no group `time`.
    pub fn new(pattern: &Regex, form: TimeForm, zone: TimeZone, ranks: Ranks) -> Option<Self> {
        let group = |name| {
            let mut names = pattern.capture_names();
            names.position(|group| group == Some(name))
        };
        Some(Self {
            places: pattern.capture_locations(),
            time: group("time")?,
            level: group("level"),
            id: group("id"),
            pattern: pattern.clone(),
            form,
            zone,
            ranks,
        })
    }

    fn read<'l>(&mut self, line: &'l str) -> Line<'l> {
        let places = &mut self.places;
        if self.pattern.captures_read(places, line).is_none() {
            return Line::Other;
        }
        let group = |index: Option<usize>| {
            let (from, to) = places.get(index?)?;
            Some(&line[from..to])
        };
        let Some(time) = group(Some(self.time)) else {
            return Line::Other;
        };
        let word = group(self.level).filter(|word| !word.trim().is_empty());
        let level = word.and_then(|word| self.ranks.of(word));
        let odd = word.filter(|_| level.is_none());
        let odd = odd.map(|word| Cow::Borrowed(word.as_bytes()));
        match self.form.instant(time, &self.zone) {
            None => Line::Untimed(Untimed {
                time: Cow::Borrowed(time.as_bytes()),
                level,
                odd,
            }),
            Some(at) => Line::Entry(Start {
                at,
                level,
                odd,
                id: (group(self.id).filter(|id| !id.is_empty()))
                    .map(|id| Cow::Borrowed(id.as_bytes())),
            }),
        }
    }
}

impl Grammar for Lines {
    // What tells an entry stands at its front; a regular expression costs time for every byte.
    const HEAD: usize = 2048;

    fn line<'l>(&mut self, line: &'l [u8]) -> Line<'l> {
        if line.is_empty() {
            return Line::Other;
        }
        match std::str::from_utf8(line) {
            Ok(text) => self.read(text),
            Err(_) => self.read(&String::from_utf8_lossy(line)).into_owned(),
        }
    }

    fn levels(&self) -> Vec<String> {
        self.ranks.names()
    }

    fn expected(&self) -> String {
        format!("entries of a log that match `{}`", self.pattern.as_str())
    }

    fn time(&self) -> String {
        format!("times written as `{}`", self.form.as_str())
    }

    fn hint(&self) -> &'static str {
        "check that this path is the log of this product, and `pattern:` of the artifact's `entry:` \
         in the inventory"
    }
}
