//! What a grammar of log entries is. One file a grammar: `amps.rs`, `pattern.rs`, `json.rs`.

use std::borrow::Cow;

use jiff::Timestamp;

/// The beginning of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start<'l> {
    /// When it was written.
    pub at: Timestamp,
    /// Rank of its level, from low to high.
    pub level: Option<usize>,
    /// The word that stands for its level, where that is none of those known.
    pub odd: Option<Cow<'l, [u8]>>,
    /// What names the message.
    pub id: Option<Cow<'l, [u8]>>,
}

/// The beginning of an entry whose time cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untimed<'l> {
    /// The time as it stands there.
    pub time: Cow<'l, [u8]>,
    /// As of [`Start`].
    pub level: Option<usize>,
    /// As of [`Start`].
    pub odd: Option<Cow<'l, [u8]>>,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'l> {
    /// An entry begins here.
    Entry(Start<'l>),
    /// It looks like the beginning of an entry, but its time does not read as it should.
    Untimed(Untimed<'l>),
    /// It continues an entry, or is none.
    Other,
}

impl Line<'_> {
    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Line<'static> {
        let own = |text: Cow<'_, [u8]>| Cow::Owned(text.into_owned());
        match self {
            Self::Entry(start) => Line::Entry(Start {
                at: start.at,
                level: start.level,
                odd: start.odd.map(own),
                id: start.id.map(own),
            }),
            Self::Untimed(untimed) => Line::Untimed(Untimed {
                time: own(untimed.time),
                level: untimed.level,
                odd: untimed.odd.map(own),
            }),
            Self::Other => Line::Other,
        }
    }
}

/// Tells where entries begin.
pub trait Grammar: Send {
    /// Bytes of a line that are looked at. The rest of a longer line is skipped, so that a line costs
    /// bounded time and memory.
    const HEAD: usize;

    /// What the line is; without its line end, and clipped to [`Grammar::HEAD`].
    fn line<'l>(&mut self, line: &'l [u8]) -> Line<'l>;

    /// Names of all levels, from low to high.
    fn levels(&self) -> Vec<String>;

    /// What an entry looks like, for the `expected` of a failure.
    fn expected(&self) -> String;

    /// How a time should read, for the `expected` of a failure.
    fn time(&self) -> String;

    /// What to do when no line is an entry.
    fn hint(&self) -> &'static str;
}
