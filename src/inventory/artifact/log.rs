//! What an inventory says of a log beyond its path: how an entry begins, how its time reads, how long
//! it must be kept. Reads no log.

use super::Pattern;

/// The keys of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogKeys<T = String> {
    /// `entry:`: how an entry of `format: log` or `format: json-log` begins.
    pub entry: Option<Entry>,
    /// `encoding:`; `None`: told by the byte order mark, else UTF-8.
    pub encoding: Option<Encoding>,
    /// `names:`: finds the name of the instance in an entry (first group, else whole match).
    pub names: Option<Pattern>,
    /// `retention:`: what promises how long the log is kept.
    pub retention: Option<Retention<T>>,
    /// `shared:`: logs of this name may be one file, of whichever instances.
    pub shared: Option<T>,
}

/// How an entry of a log begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where its parts are.
    pub form: EntryForm,
    /// How its time is written.
    pub time: TimeForm,
    /// Which zone a time without one is in.
    pub zone: Zone,
    /// Words for levels, from low to high; words of one level share a rank.
    pub levels: Vec<Vec<String>>,
}

/// Where the parts of an entry are.
#[derive(Clone, Debug, PartialEq)]
pub enum EntryForm {
    /// A line that matches begins an entry. Named groups: `time` (always there), `level`, `id`.
    Line(Pattern),
    /// Each line is one JSON object; each part a path of keys joined by `.`.
    Json {
        /// Of the time.
        time: String,
        /// Of the level.
        level: Option<String>,
        /// Of the id.
        id: Option<String>,
    },
}

/// How a time is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeForm {
    /// RFC 3339, a blank in place of the `T` included; without offset it is in the entry's zone.
    Rfc3339,
    /// Seconds since 1970-01-01 UTC, a fraction perhaps.
    Unix,
    /// Milliseconds since 1970-01-01 UTC.
    UnixMs,
    /// strptime(3), as `jiff::fmt::strtime` reads it.
    Strptime(String),
}

/// Which zone a time without one is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// The host's `timezone:`, UTC where it has none.
    #[default]
    Host,
    /// A name of the IANA database.
    Named(String),
}

/// How characters are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, what is not being passed over.
    Utf8,
    /// UTF-16, little-endian without a byte order mark.
    Utf16,
    /// ISO 8859-1.
    Latin1,
}

/// What promises how long a log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retention<T = String> {
    /// The product's own configuration, as far as gonogo knows the product's rules.
    Configuration,
    /// A logrotate(8) file.
    Logrotate(T),
}

impl<T> LogKeys<T> {
    /// Nothing said.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            entry: None,
            encoding: None,
            names: None,
            retention: None,
            shared: None,
        }
    }

    /// What `self` leaves open is taken from `base`.
    #[must_use]
    pub fn over(self, base: &Self) -> Self
    where
        T: Clone,
    {
        Self {
            entry: self.entry.or_else(|| base.entry.clone()),
            encoding: self.encoding.or(base.encoding),
            names: self.names.or_else(|| base.names.clone()),
            retention: self.retention.or_else(|| base.retention.clone()),
            shared: self.shared.or_else(|| base.shared.clone()),
        }
    }

    /// Every text that has placeholders.
    pub fn texts(&self) -> impl Iterator<Item = &T> {
        let promised = self.retention.iter();
        let promised = promised.filter_map(|retention| match retention {
            Retention::Configuration => None,
            Retention::Logrotate(path) => Some(path),
        });
        promised.chain(&self.shared)
    }

    /// The same with each text filled; `None` when one could not be.
    pub fn fill<U>(&self, mut fill: impl FnMut(&T) -> Option<U>) -> Option<LogKeys<U>> {
        Some(LogKeys {
            entry: self.entry.clone(),
            encoding: self.encoding,
            names: self.names.clone(),
            retention: match &self.retention {
                None => None,
                Some(Retention::Configuration) => Some(Retention::Configuration),
                Some(Retention::Logrotate(path)) => Some(Retention::Logrotate(fill(path)?)),
            },
            shared: match &self.shared {
                None => None,
                Some(name) => Some(fill(name)?),
            },
        })
    }
}
