//! The verdict: a pure function of recorded facts. No clock, no file, no network; the same facts give
//! the same verdict today, in `verify`, and in ten years.

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Every step passed.
    Passed,
    /// A step failed, or no statement could be made.
    Failed,
    /// Failed, and a valid waiver covers it.
    Waived,
    /// Waits for a person's signed word.
    Pending,
}

impl Outcome {
    /// The published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Waived => "waived",
            Self::Pending => "pending",
        }
    }
}
