//! A check that did not simply pass, as a gate tells it.

use crate::report::phrases;
use crate::report::schema::{Check, Report};

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It failed.
    Failed,
    /// It waits for a person's word.
    Pending,
    /// It failed, and a waiver covers that.
    Waived,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Failed, Self::Pending, Self::Waived];

    /// The published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Waived => "waived",
        }
    }
}

/// One check, with all that a reader needs to act on it. What does not apply is empty or `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What became of it.
    pub outcome: Outcome,
    /// Id of the check.
    pub check: String,
    /// Name of the scenario.
    pub scenario: String,
    /// Path of the feature, as the run was given it.
    pub feature: String,
    /// Line of the scenario.
    pub line: u64,
    /// The instance.
    pub instance: Option<String>,
    /// The host: that of the failure, else that of the check.
    pub host: Option<String>,
    /// The team.
    pub team: Option<String>,
    /// The vendor.
    pub vendor: Option<String>,
    /// The account on that host.
    pub account: Option<String>,
    /// The kind of failure; `undefined` when a failed check states none.
    pub kind: Option<String>,
    /// The path, pattern or command concerned.
    pub subject: Option<String>,
    /// What would have passed.
    pub expected: String,
    /// What came.
    pub actual: String,
    /// What to do about it.
    pub hint: String,
    /// The step that a pending check waits for.
    pub waits_for: Option<String>,
    /// The waiver, in one line.
    pub waiver: Option<String>,
}

impl Finding {
    /// What makes two failures one.
    pub(super) fn failure(&self) -> [Option<&str>; 6] {
        let (expected, actual) = (Some(self.expected.as_str()), Some(self.actual.as_str()));
        let (kind, host) = (self.kind.as_deref(), self.host.as_deref());
        let (account, subject) = (self.account.as_deref(), self.subject.as_deref());
        [kind, host, account, subject, expected, actual]
    }

    /// `denied: expected …, got …`, or what it waits for.
    #[must_use]
    pub fn say(&self) -> String {
        if let Some(step) = &self.waits_for {
            return format!("waits for {step}");
        }
        let kind = self.kind.as_deref().unwrap_or("undefined");
        let subject = self.subject.as_ref().map(|subject| format!(" {subject}:"));
        let subject = subject.unwrap_or_default();
        match (self.expected.is_empty(), self.actual.is_empty()) {
            (true, true) => format!("{kind}:{subject} no failure is stated"),
            _ => format!(
                "{kind}:{subject} expected {}, got {}",
                self.expected, self.actual
            ),
        }
    }
}

/// The checks of a report that did not simply pass, worst first.
pub(super) fn of(report: &Report) -> Vec<Finding> {
    let all = Outcome::ALL.into_iter().flat_map(|outcome| {
        let checks = phrases::of(report, outcome.as_str());
        checks.into_iter().map(move |check| one(check, outcome))
    });
    all.collect()
}

fn one(check: &Check, outcome: Outcome) -> Finding {
    let failure = check.failure.as_ref();
    let kind = match outcome {
        Outcome::Pending => None,
        _ => Some(failure.map_or("undefined", |failure| failure.kind.as_str())),
    };
    let words = |of: fn(&crate::report::schema::Failure) -> &String| {
        failure
            .map(|failure| of(failure).clone())
            .unwrap_or_default()
    };
    Finding {
        outcome,
        check: check.id.clone(),
        scenario: check.scenario.clone(),
        feature: check.feature.clone(),
        line: check.line,
        instance: check.instance.clone(),
        host: failure
            .and_then(|failure| failure.host.clone())
            .or_else(|| check.host.clone()),
        team: check.team.clone(),
        vendor: check.vendor.clone(),
        account: failure.and_then(|failure| failure.account.clone()),
        kind: kind.map(str::to_owned),
        subject: failure.and_then(|failure| failure.subject.clone()),
        expected: words(|failure| &failure.expected),
        actual: words(|failure| &failure.actual),
        hint: match outcome {
            Outcome::Pending => phrases::how_to_answer(check)
                .map(|command| format!("they answer by {command}"))
                .unwrap_or_default(),
            _ => words(|failure| &failure.hint),
        },
        waits_for: match outcome {
            Outcome::Pending => phrases::waits_for(check),
            _ => None,
        },
        waiver: check.waiver.as_ref().map(phrases::waiver),
    }
}
