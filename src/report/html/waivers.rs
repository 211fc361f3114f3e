//! The waivers of a run: who accepted what, why, until when, and what each came to.

use maud::{Markup, html};

use super::t;
use crate::report::phrases;
use crate::report::schema::{Granted, Report};
use crate::text::count;

/// Most ids shown for one waiver; the checks themselves say by which they are waived.
const MOST_IDS: usize = 20;

/// Nothing without any.
pub(super) fn waivers(report: &Report) -> Markup {
    html! {
        @if !report.waivers.is_empty() {
            h2 #waivers { "Waivers" }
            p { "Failures that somebody accepted. Each check ran all the same, and its failure stays told. The file and its signatures stand in " code { "inputs/" } "." }
            div.scroll tabindex="0" role="region" aria-labelledby="waivers" {
                table.cards {
                    caption { (count(report.waivers.len(), "waiver")) " in the file of the run" }
                    thead { tr {
                        th scope="col" { "Waiver" } th scope="col" { "Means" } th scope="col" { "Why" }
                        th scope="col" { "Approved by" } th scope="col" { "Valid" } th scope="col" { "Came to" }
                    } }
                    tbody { @for waiver in &report.waivers { (row(waiver)) } }
                }
            }
        }
    }
}

fn row(waiver: &Granted) -> Markup {
    html! {
        tr {
            th scope="row" { (t(&waiver.id)) }
            td data-label="Means" { (t(&waiver.selects)) }
            td data-label="Why" { (t(&waiver.reason)) " (" (t(&waiver.ticket)) ")" }
            td data-label="Approved by" { (t(&waiver.approver)) " for " (t(&waiver.requester)) div.digest { code { (t(&waiver.key)) } } }
            td data-label="Valid" { (t(&phrases::instant(&waiver.from))) " until " (t(&phrases::instant(&waiver.expires))) }
            td data-label="Came to" {
                @if waiver.covered.is_empty() { "covers nothing" }
                (ids("covers", &waiver.covered))
                (ids("not needed by", &waiver.passed))
                (ids("does not cover", &waiver.failed))
            }
        }
    }
}

fn ids(word: &str, ids: &[String]) -> Markup {
    html! {
        @if !ids.is_empty() {
            div { (word) " " (count(ids.len(), "check")) ":" }
            @for id in ids.iter().take(MOST_IDS) { div { code { (t(id)) } } }
            @if ids.len() > MOST_IDS { div { (ids.len() - MOST_IDS) " more" } }
        }
    }
}
