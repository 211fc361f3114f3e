//! How long a log is promised to be kept, by whom, and where that stands. Reads nothing: `logrotate.rs`
//! and `amps_keeps.rs` do.

use std::time::Duration;

use crate::time;

/// A promise to keep a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// For how long.
    pub kept: Kept,
    /// The rule in short, such as `daily, rotate 14`.
    pub rule: String,
    /// The file that states it.
    pub source: String,
    /// Its line, from 1.
    pub line: usize,
}

/// How long something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// Nothing is promised in terms of time.
    NotByTime,
    /// At least so long.
    For(Duration),
    /// Nothing ever removes it.
    Forever,
}

impl Kept {
    /// Whether it is enough for a look-back over `span`.
    #[must_use]
    pub fn reaches(self, span: Duration) -> bool {
        self >= Self::For(span)
    }

    /// As a person says it.
    #[must_use]
    pub fn say(self) -> String {
        match self {
            Self::NotByTime => "no time".to_owned(),
            Self::For(span) if span.is_zero() => "no time".to_owned(),
            Self::For(span) => time::say(span),
            Self::Forever => "until somebody removes it".to_owned(),
        }
    }
}
