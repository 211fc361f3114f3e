//! Sets of time as half-open spans: sorted, apart from each other, none of them empty.

use jiff::{SignedDuration, Timestamp};

/// From an instant up to, and without, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant behind it.
    pub to: Timestamp,
}

impl Span {
    /// How long it is.
    #[must_use]
    pub fn length(self) -> SignedDuration {
        self.to.duration_since(self.from)
    }
}

/// A set of instants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans(Vec<Span>);

impl Spans {
    /// All instants of `spans`, which may overlap, touch and be empty.
    pub fn of(spans: impl IntoIterator<Item = Span>) -> Self {
        let mut sorted: Vec<Span> = (spans.into_iter())
            .filter(|span| span.from < span.to)
            .collect();
        sorted.sort_unstable();
        let mut joined: Vec<Span> = Vec::with_capacity(sorted.len());
        for span in sorted {
            match joined.last_mut() {
                Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
                _ => joined.push(span),
            }
        }
        Self(joined)
    }

    /// The spans, earliest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Span> + '_ {
        self.0.iter().copied()
    }

    /// Whether there is no instant in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The span that holds `instant`.
    #[must_use]
    pub fn around(&self, instant: Timestamp) -> Option<Span> {
        let behind = self.0.partition_point(|span| span.from <= instant);
        let span = self.0.get(behind.checked_sub(1)?)?;
        (instant < span.to).then_some(*span)
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::of(self.iter().chain(other.iter()))
    }

    /// What is in this and not in the other.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        let mut cuts = other.iter().peekable();
        for Span { mut from, to } in self.iter() {
            while let Some(cut) = cuts.peek().copied() {
                if cut.to <= from {
                    cuts.next();
                    continue;
                }
                if cut.from >= to {
                    break;
                }
                if from < cut.from {
                    left.push(Span { from, to: cut.from });
                }
                from = cut.to;
                // It may reach into the next span as well, so it stays.
                if from >= to {
                    break;
                }
            }
            if from < to {
                left.push(Span { from, to });
            }
        }
        Self(left)
    }

    /// What is in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        self.subtract(&self.subtract(other))
    }
}

impl From<Span> for Spans {
    fn from(span: Span) -> Self {
        Self::of([span])
    }
}
