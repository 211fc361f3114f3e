//! What became of each check since the old run.

use std::collections::HashMap;

use super::pairs::Pair;
use super::{Change, Diff, Kind};
use crate::report::phrases;
use crate::report::schema::{Check, Step};

pub(super) fn compare(diff: &mut Diff, pairs: &[Pair<'_>]) {
    for pair in pairs {
        match pair {
            Pair::Both(old, new) => both(diff, old, new),
            Pair::Vanished(old) => {
                let change = Change::new(Kind::VanishedChecks, named(old)).from(outcome(old));
                diff.changes.push(change.worse());
            }
            Pair::New(new) => {
                let change = Change::new(Kind::NewChecks, named(new)).to(outcome(new));
                diff.changes.push(change);
                if is_failed(new) {
                    let change = Change::new(Kind::NewlyFailing, named(new)).to(outcome(new));
                    diff.changes.push(with_hint(change, new).worse());
                }
            }
        }
    }
}

fn both(diff: &mut Diff, old: &Check, new: &Check) {
    let changed = |kind| {
        Change::new(kind, named(new))
            .from(outcome(old))
            .to(outcome(new))
    };
    let kind_of = |check: &Check| check.failure.as_ref().map(|failure| failure.kind.clone());
    let change = match (&*old.outcome, &*new.outcome) {
        (_, "failed") if !is_failed(old) => {
            Some(with_hint(changed(Kind::NewlyFailing), new).worse())
        }
        ("failed", "failed") if kind_of(old) != kind_of(new) => {
            Some(with_hint(changed(Kind::FailingOtherwise), new))
        }
        ("passed", is) if is != "passed" => Some(changed(Kind::NoLongerPassing).worse()),
        (was, "passed") if was != "passed" => Some(changed(Kind::NewlyPassing)),
        ("failed", "waived" | "pending") | ("waived", "pending") | ("pending", "waived") => {
            Some(changed(Kind::FailingOtherwise))
        }
        _ => None,
    };
    match change {
        Some(change) => diff.changes.push(change),
        None => {
            diff.unchanged += 1;
            diff.still_failing += usize::from(is_failed(new));
        }
    }
    steps(diff, old, new);
}

/// A check that asks for less than it did is the quiet way to a GO.
fn steps(diff: &mut Diff, old: &Check, new: &Check) {
    let missing = |from: &[Step], of: &[Step]| -> Vec<String> {
        let mut left: HashMap<&str, usize> = HashMap::new();
        for step in from {
            *left.entry(&step.text).or_default() += 1;
        }
        let mut missing = Vec::new();
        for step in of {
            match left.get_mut(step.text.as_str()) {
                Some(times) if *times > 0 => *times -= 1,
                _ => missing.push(format!("{} {}", step.keyword, step.text)),
            }
        }
        missing
    };
    for step in missing(&new.steps, &old.steps) {
        let change = Change::new(Kind::VanishedChecks, format!("step of {}", named(new)));
        diff.changes.push(change.from(step).worse());
    }
    for step in missing(&old.steps, &new.steps) {
        let change = Change::new(Kind::NewChecks, format!("step of {}", named(new)));
        diff.changes.push(change.to(step));
    }
}

pub(super) fn is_failed(check: &Check) -> bool {
    check.outcome == "failed"
}

fn with_hint(mut change: Change, check: &Check) -> Change {
    let failure = check.failure.as_ref();
    change.hint = failure.map_or(String::new(), |failure| failure.hint.clone());
    change
}

fn named(check: &Check) -> String {
    format!("{} ({})", check.id, check.scenario)
}

/// `passed`, `failed: denied: expected …, got …`, `waived: …`.
pub(super) fn outcome(check: &Check) -> String {
    let failure = check.failure.as_ref().map(|failure| {
        let (kind, expected, actual) = (&failure.kind, &failure.expected, &failure.actual);
        let place = phrases::place(failure).map(|place| format!(" on {place}"));
        format!(
            ": {kind}{}: expected {expected}, got {actual}",
            place.unwrap_or_default()
        )
    });
    let waiver = check
        .waiver
        .as_ref()
        .map(|waiver| format!(" (waiver {})", waiver.id));
    let (failure, waiver) = (failure.unwrap_or_default(), waiver.unwrap_or_default());
    format!("{}{waiver}{failure}", check.outcome)
}
