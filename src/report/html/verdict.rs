//! The head of the page: the verdict, why, what was asked, by whom, when, and the sums.

use maud::{Markup, html};

use super::{causes, t};
use crate::report::phrases;
use crate::report::schema::{Counts, Report};
use crate::text;

pub(super) fn render(report: &Report) -> Markup {
    let run = &report.run;
    let class = match &*report.verdict.decision {
        "GO" => "go",
        "HOLD" => "wait",
        _ => "stop",
    };
    let is_aborted = run.aborted.is_some() || run.kind == "aborted";
    html! {
        section.verdict #verdict aria-label="verdict" {
            div.head {
                h1.stamp.(class) {
                    span.hidden { "Verdict: " } (t(&report.verdict.decision))
                    span.hidden { " for " (t(&run.scope.environment)) }
                }
                div.lead {
                    div.environment { (t(&run.scope.environment)) }
                    p { (phrases::meaning(report)) }
                    p.soft { "Judged " (t(&phrases::instant(&run.finished))) " · run " code { (t(&run.id)) } }
                }
            }
            @for warning in phrases::warnings(report) {
                @let class = if is_aborted { "warning stop" } else { "warning" };
                p class=(class) { (t(&warning)) }
            }
            (causes::first(report))
            @if !report.verdict.reasons.is_empty() {
                ol.reasons aria-label="reasons, worst first" {
                    @for reason in &report.verdict.reasons { li { (t(reason)) } }
                }
            }
            (sum(&report.counts))
            (bar(&report.counts))
            dl.record {
                div { dt { "Started" } dd { (t(&phrases::instant(&run.started))) } }
                div { dt { "Finished" } dd { (t(&phrases::instant(&run.finished))) } }
                @if let Some(live) = phrases::go_live(run) { div { dt { "Go-live" } dd { (t(&live)) } } }
                div { dt { "Operator" } dd { (t(&run.operator)) " on " (t(&run.runner)) } }
                div { dt { "Made by" } dd { (t(&run.tool.name)) " " (t(&run.tool.version)) } }
                div {
                    dt { "Estate" }
                    dd {
                        (text::count(report.hosts.len(), "host")) ", "
                        (text::count(report.instances.len(), "instance"))
                    }
                }
                div {
                    dt { "Scope" }
                    dd {
                        @if run.scope.partial || !run.scope.filters.is_empty() {
                            b { "partial: " } code { (t(&run.scope.filters.join(" "))) }
                        } @else if let Some(shard) = &run.scope.shard {
                            b { "shard " (t(&shard.name())) } ": " (t(&shard.hosts.join(", ")))
                        } @else {
                            "everything in the inventory"
                        }
                    }
                }
            }
        }
    }
}

/// `108 planned = 92 passed + …`: in words for who hears it, too.
fn sum(counts: &Counts) -> Markup {
    let parts = [
        ("=", counts.passed, "passed", "go-text"),
        ("+", counts.failed, "failed", "stop-text"),
        ("+", counts.waived, "waived", "wait-text"),
        ("+", counts.pending, "pending", "wait-text"),
    ];
    html! {
        p.sum {
            span.part { b { (counts.planned) } " planned" }
            @for (sign, number, word, color) in parts {
                " "
                span.part.none[number == 0] { span.sign { (sign) } " " b.(color) { (number) } " " (word) }
            }
        }
    }
}

/// The sums as a strip. Lengths are attributes: the page's policy admits no inline style.
fn bar(counts: &Counts) -> Markup {
    let parts = [
        ("failed", counts.failed),
        ("pending", counts.pending),
        ("waived", counts.waived),
        ("passed", counts.passed),
    ];
    let all = parts
        .iter()
        .fold(0_u64, |all, (_, n)| all.saturating_add(*n));
    let mut x = 0_u64;
    let mut strips = Vec::new();
    for (class, number) in parts.into_iter().filter(|(_, number)| *number > 0) {
        // One failed check in a thousand must still be seen: nothing is narrower than 4 of 1000.
        let width = (u128::from(number) * 1000 / u128::from(all)).max(4) as u64;
        strips.push((class, x, width));
        x += width;
    }
    html! {
        svg.bar viewBox=(format!("0 0 {} 8", x.max(1))) preserveAspectRatio="none" aria-hidden="true" {
            rect.none width="100%" height="8" {}
            @for (class, x, width) in strips {
                rect class=(class) x=(x) width=(width) height="8" {}
            }
        }
    }
}
