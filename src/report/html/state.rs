//! How an outcome looks: a sign and a word, always both; the colour of its class only repeats them.

use maud::{Markup, html};

use crate::report::schema::{Check, Step};

/// From good to bad, so that the worst of several is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Passed,
    Waived,
    Pending,
    NotPlanned,
    NotRun,
    Failed,
}

impl State {
    /// A word that is not known to be good looks failed.
    pub(super) fn of_check(check: &Check) -> Self {
        match &*check.outcome {
            "passed" => Self::Passed,
            "waived" => Self::Waived,
            "pending" => Self::Pending,
            _ => Self::Failed,
        }
    }

    pub(super) fn of_step(step: &Step) -> Self {
        match &*step.outcome {
            "passed" => Self::Passed,
            "not-run" => Self::NotRun,
            "pending" => Self::Pending,
            _ => Self::Failed,
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Waived => "waived",
            Self::Pending => "pending",
            Self::NotPlanned => "not planned",
            Self::NotRun => "not run",
            Self::Failed => "failed",
        }
    }

    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::NotPlanned => "not-planned",
            Self::NotRun => "not-run",
            other => other.word(),
        }
    }

    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Passed => "✓",
            Self::Waived => "≈",
            Self::Pending => "…",
            Self::NotPlanned => "∅",
            Self::NotRun => "–",
            Self::Failed => "✗",
        }
    }

    pub(super) fn sign_and_word(self) -> Markup {
        html! { span.sign aria-hidden="true" { (self.sign()) } " " (self.word()) }
    }
}
