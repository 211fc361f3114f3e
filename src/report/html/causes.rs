//! What failed and what to do: each cause once, with the checks that failed for it. Then what waits for a
//! person, and what was accepted.

use std::collections::HashMap;

use maud::{Markup, html};

use super::words::{t, told};
use super::{Detail, State, check, of};
use crate::report::causes::{self, Cause};
use crate::report::phrases;
use crate::report::schema::{Check, Failure, Report};
use crate::text::count;

/// Most causes named under the verdict.
const MOST_CAUSES: usize = 5;
/// Most checks of a cause that stand open; the others are one step further.
const MOST_OPEN: usize = 8;

/// The causes of what failed, worst kind first, as everywhere.
fn failed(report: &Report) -> Vec<Cause<'_>> {
    let failed = phrases::worst_first(of(report, State::Failed).into_iter().map(|(_, one)| one));
    causes::of(failed)
}

/// The causes in short, for the head of the page.
pub(super) fn first(report: &Report) -> Markup {
    let causes = failed(report);
    html! {
        @if !causes.is_empty() {
            ol.first aria-label="what failed, worst first" {
                @for (number, cause) in causes.iter().enumerate().take(MOST_CAUSES) {
                    li {
                        a href=(format!("#cause-{}", number + 1)) { (name(cause)) }
                        span.soft { " " (count(cause.checks.len(), "check")) }
                        @if let Some(failure) = cause.failure {
                            div.actual { (t(&crate::text::clip(&failure.actual, 200))) }
                        }
                    }
                }
            }
            @if causes.len() > MOST_CAUSES {
                p.more { a href="#failed" { "All " (causes.len()) " causes" } }
            }
        }
    }
}

fn name(cause: &Cause<'_>) -> Markup {
    html! {
        @match cause.failure {
            Some(failure) => b { (t(&failure.kind)) },
            None => b { "no cause is recorded" },
        }
        @if let Some(place) = cause.place() { ": " (t(&place)) }
    }
}

pub(super) fn section(report: &Report) -> Markup {
    let causes = failed(report);
    let checks = of(report, State::Failed);
    let places = checks
        .iter()
        .map(|(place, one)| (std::ptr::from_ref(*one), *place));
    let places: HashMap<_, _> = places.collect();
    html! {
        @if !causes.is_empty() {
            section aria-labelledby="failed" {
                h2 #failed { "What failed, and what to do" }
                p.soft { (count(checks.len(), "check")) " failed for " (count(causes.len(), "cause")) ", the worst kind first. Each cause is told once." }
                @for (number, cause) in causes.iter().enumerate() {
                    article.cause #(format!("cause-{}", number + 1)) aria-labelledby=(format!("why-{}", number + 1)) {
                        h3 #(format!("why-{}", number + 1)) {
                            span.sign aria-hidden="true" { (State::Failed.sign()) } " " (name(cause))
                        }
                        @if let Some(failure) = cause.failure { (told_of(failure, cause.subject().as_deref())) }
                        (checks_of(&places, cause, number, Detail::of(report)))
                    }
                }
            }
        }
    }
}

/// What was asked, what came, what to do.
pub(super) fn failure_told(failure: &Failure) -> Markup {
    told_of(failure, failure.subject.as_deref())
}

fn told_of(failure: &Failure, subject: Option<&str>) -> Markup {
    html! {
        dl.failure {
            @if let Some(subject) = subject {
                div { dt { "What" } dd { code { (t(subject)) } } }
            }
            div { dt { "Expected" } dd { (told("expected", &failure.expected)) } }
            div { dt { "Actual" } dd.actual { (told("actual", &failure.actual)) } }
            @if !failure.hint.is_empty() {
                div.hint { dt { "To do" } dd { (told("to do", &failure.hint)) } }
            }
        }
    }
}

fn checks_of(
    places: &HashMap<*const Check, usize>,
    cause: &Cause<'_>,
    number: usize,
    detail: Detail,
) -> Markup {
    let first = detail.first_of_cause(number);
    let place = |check: &Check| places.get(&std::ptr::from_ref(check)).copied();
    let placed = (cause.checks.iter()).filter_map(|check| Some((place(check)?, *check)));
    let checks: Vec<_> = placed.collect();
    let open = checks.len().min(MOST_OPEN);
    // One more line says no less than "1 more".
    let open = if checks.len() == open + 1 {
        checks.len()
    } else {
        open
    };
    html! {
        p.label {
            "Fails " (count(checks.len(), "check"))
            @if let Some(hosts) = cause.behind() { " on " (t(&hosts)) }
        }
        @for (place, one) in &checks[..open] { (first.render(*place, one, false)) }
        @if open < checks.len() {
            details.more {
                summary { (checks.len() - open) " more checks fail for this cause" }
                @for (place, one) in &checks[open..] { (detail.render(*place, one, false)) }
            }
        }
    }
}

/// What waits for a person.
pub(super) fn pending(report: &Report) -> Markup {
    rest(
        report,
        State::Pending,
        "Waiting for a person",
        "Nothing failed here: somebody has to answer, and to sign for it.",
    )
}

/// What failed and was accepted.
pub(super) fn waived(report: &Report) -> Markup {
    rest(
        report,
        State::Waived,
        "Waived",
        "These failed all the same; somebody accepts it until the day that is named.",
    )
}

fn rest(report: &Report, state: State, name: &str, means: &str) -> Markup {
    let checks = of(report, state);
    html! {
        @if !checks.is_empty() {
            section aria-labelledby=(state.class()) {
                h2 #(state.class()) { (name) " (" (checks.len()) ")" }
                p.soft { (means) }
                @for (place, one) in checks { (check::render(place, one, true)) }
            }
        }
    }
}
