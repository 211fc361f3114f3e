//! What a check asked of the network: a row a question, a card each on a narrow screen.

use maud::{Markup, html};

use super::words::t;
use crate::probe::Probe;
use crate::report::{phrases, probed};

pub(super) fn table(place: usize, probes: &[Probe]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby=(format!("n{place}")) {
            table.cards {
                caption #(format!("n{place}")) { "Asked of the network" }
                thead { tr {
                    th scope="col" { "Asked" }
                    th scope="col" { "By" }
                    th scope="col" { "Answer" }
                    th scope="col" { "Times" }
                } }
                tbody {
                    @for probe in probes { (row(probe)) }
                }
            }
        }
    }
}

fn row(probe: &Probe) -> Markup {
    html! {
        tr {
            th.path scope="row" {
                (t(&probe.how)) " " code { (t(&probe.target)) }
                @if let Some(more) = how(probe) { div.soft { (t(more)) } }
            }
            td data-label="By" { (t(probed::asker(probe))) div.soft { (t(&phrases::instant(&probe.at))) } }
            td data-label="Answer" {
                @for said in probed::answer(probe) { div { (t(&said)) } }
                @if let Some(said) = probed::certificate(probe) { div { (t(&said)) } }
                @if let Some(document) = &probe.document { div.soft { "SHA-256 " code { (t(&document.sha256)) } } }
            }
            td data-label="Times" {
                @match probed::times(probe) {
                    Some((total, parts)) => {
                        b { (t(&total)) }
                        @for part in parts { div.soft { (t(&part)) } }
                    }
                    None => { span.soft { "not measured" } }
                }
            }
        }
    }
}

/// What the plan says in brackets behind the question.
fn how(probe: &Probe) -> Option<&str> {
    let (_, more) = probe.asked.split_once("  (")?;
    more.strip_suffix(')')
}
