//! One check as `<details>`: what failed and what to do first, then steps, evidence, earlier attempts.

use std::time::Duration;

use maud::{Markup, html};

use super::State;
use super::causes::failure_told;
use super::words::t;
use crate::report::phrases;
use crate::report::schema::{
    Attempt, Check, Database, Evidence, LogFound, PromiseFound, Settings, Step,
};
use crate::{text, time};

/// `place` is the check's place in the report: what the matrix links to. Its failure is told here only where no
/// cause tells it for several.
pub(super) fn render(place: usize, check: &Check, with_failure: bool) -> Markup {
    let state = State::of_check(check);
    let is_open = matches!(state, State::Pending | State::Waived);
    html! {
        details.check.(state.class()) #(format!("c{place}")) open[is_open] {
            summary {
                span.tag.(state.class()) { (state.sign_and_word()) }
                span.name {
                    (t(&check.scenario))
                    span.about { (t(&phrases::about(check))) }
                }
                span.time { (phrases::span(check.duration_ms)) }
            }
            div.body {
                @if let Some(failure) = check.failure.as_ref().filter(|_| with_failure) {
                    p.label { "Failure: " b { (t(&failure.kind)) } @if let Some(place) = phrases::place(failure) { ", " (t(&place)) } }
                    (failure_told(failure))
                }
                @if let Some(waiver) = &check.waiver {
                    p { b { "Waived: " } (t(&phrases::waiver(waiver))) }
                }
                @if state == State::Pending {
                    @if let Some(step) = phrases::waits_for(check) {
                        p { b { "Waits for a person: " } (t(&step)) }
                    }
                    @if let Some(command) = phrases::how_to_answer(check) {
                        p { "They answer, as passed or failed, by " code { (t(&command)) } }
                    }
                }
                (steps(&check.steps))
                @if !check.evidence.is_empty() { (evidence(place, &check.evidence)) }
                @if !check.probes.is_empty() { (super::probes::table(place, &check.probes)) }
                @for (number, attempt) in check.earlier.iter().enumerate() {
                    (earlier(number + 1, attempt))
                }
                (facts(check))
            }
        }
    }
}

fn steps(steps: &[Step]) -> Markup {
    html! {
        p.label { "Steps" }
        ol.steps {
            @for step in steps {
                @let state = State::of_step(step);
                li class=(state.class()) {
                    span.sign role="img" aria-label=(state.word()) { (state.sign()) }
                    span {
                        span.soft { (t(&step.keyword)) } " " (t(&step.text))
                    }
                    span.time {
                        @if matches!(state, State::NotRun | State::Pending) { (state.word()) } @else { (phrases::span(step.duration_ms)) }
                    }
                }
            }
        }
    }
}

fn evidence(place: usize, evidence: &[Evidence]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby=(format!("e{place}")) {
            table.cards {
                caption #(format!("e{place}")) { "Evidence" }
                thead { tr {
                    th scope="col" { "Artifact" }
                    th scope="col" { "Path or command, SHA-256" }
                    th.number scope="col" { "Bytes" }
                    th scope="col" { "Newest entry" }
                    th scope="col" { "Found" }
                    th scope="col" { "Method" }
                } }
                tbody {
                    @for one in evidence {
                        tr {
                            th scope="row" {
                                (t(&one.artifact))
                                @if one.artifact != one.kind { div.soft { (t(&one.kind)) } }
                            }
                            td.path data-label="Path or command, SHA-256" {
                                code { (t(&one.path)) }
                                div.soft { code { (t(&one.sha256)) } }
                            }
                            td.number data-label="Bytes" { (one.bytes) div.soft { (text::size(one.bytes)) } }
                            td data-label="Newest entry" { (newest(one)) }
                            td data-label="Found" { (found(one)) }
                            td data-label="Method" {
                                (t(&one.method)) ", " (phrases::span(one.duration_ms))
                                @if let Some(rate) = phrases::rate(one.bytes, one.duration_ms) {
                                    div.soft { (t(&rate)) }
                                }
                                @if one.attempts > 1 { div.soft { "fetched " (one.attempts) " times" } }
                                @if one.resumed > 0 { div.soft { "connection lost, resumed " (one.resumed) "×" } }
                                @if let Some(database) = &one.database { (taken(database)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// How the copy of a database was taken.
fn taken(database: &Database) -> Markup {
    html! {
        @if !database.reason.is_empty() { div.soft { (t(&database.reason)) } }
        @if database.attempts.len() > 1 { div.soft { (t(&database.attempts.join(", "))) } }
        @if let Some(version) = &database.sqlite { div.soft { "sqlite3 " (t(version)) } }
    }
}

/// What was seen in a database.
fn database(database: &Database) -> Vec<String> {
    if database.tables == 0 {
        return Vec::new();
    }
    let tables = usize::try_from(database.tables).unwrap_or(usize::MAX);
    let mut said = vec![text::count(tables, "table")];
    if let Some(mode) = &database.journal_mode {
        said.push(format!("{mode} journal"));
    }
    if let Some(page) = database.page_size {
        said.push(format!("pages of {page}"));
    }
    if let Some(gap) = &database.widest_gap {
        said.push(format!(
            "widest gap {} from {}",
            phrases::span(gap.ms),
            gap.from
        ));
    }
    if let Some(ms) = database.interval_ms {
        said.push(format!("a sample every {}", phrases::span(ms)));
    }
    said
}

fn newest(evidence: &Evidence) -> Markup {
    html! {
        @match (&evidence.newest_entry, &evidence.modified) {
            (Some(newest), _) => (t(&phrases::instant(newest))),
            (None, Some(modified)) => { span.soft { "file changed " } (t(&phrases::instant(modified))) }
            (None, None) => { span.soft { "not dated" } }
        }
    }
}

fn found(evidence: &Evidence) -> Markup {
    html! {
        @if let Some(version) = &evidence.version { div { "version " (t(version)) } }
        @if let Some(name) = &evidence.instance_name { div { "named " (t(name)) } }
        @if let Some(settings) = &evidence.settings { div { (t(&say(settings))) } }
        @if let Some(bytes) = evidence.listed_bytes {
            div { (evidence.entries.unwrap_or(0)) " files, " (text::size(bytes)) ", listed only" }
        } @else if let Some(entries) = evidence.entries { div { (entries) " entries" } }
        @if let Some(oldest) = &evidence.oldest_entry {
            div.soft { "since " (t(&phrases::instant(oldest))) }
        }
        @if let Some(found) = &evidence.log {
            @for said in log(found) { div.soft { (t(&said)) } }
        }
        @if let Some(promise) = &evidence.promise { div { (t(&kept(promise))) } }
        @if let Some(seen) = &evidence.database {
            @for said in database(seen) { div.soft { (t(&said)) } }
        }
    }
}

/// What was found in a log, a line each.
fn log(found: &LogFound) -> Vec<String> {
    let mut said = Vec::new();
    let levels = found.levels.iter();
    let levels = levels.map(|level| format!("{} {}", level.entries, level.name));
    let levels: Vec<String> = levels.collect();
    if !levels.is_empty() {
        said.push(levels.join(", "));
    }
    for (id, entries) in &found.ids {
        said.push(format!("id {id}: {entries}"));
    }
    if let Some(widest) = found.holes.first() {
        let (from, to) = (phrases::instant(&widest.from), phrases::instant(&widest.to));
        said.push(format!("longest silence from {from} to {to}"));
    }
    if !found.names.is_empty() {
        said.push(format!("names {}", found.names.join(", ")));
    }
    said
}

/// What a file promises of a log.
fn kept(promise: &PromiseFound) -> String {
    let kept = match promise.kept_s {
        None => "kept until somebody removes it".to_owned(),
        Some(0) => "no time is promised".to_owned(),
        Some(seconds) => format!("kept for {}", time::say(Duration::from_secs(seconds))),
    };
    format!("{kept}: {} (line {})", promise.rule, promise.line)
}

fn earlier(number: usize, attempt: &Attempt) -> Markup {
    html! {
        p.label {
            "Attempt " (number) ", tried again"
            @if let Some(run) = &attempt.run { " (run " (t(run)) ")" }
        }
        p { b { (t(&attempt.failure.kind)) } @if let Some(place) = phrases::place(&attempt.failure) { ", " (t(&place)) } }
        (failure_told(&attempt.failure))
        (steps(&attempt.steps))
    }
}

fn facts(check: &Check) -> Markup {
    html! {
        p.label { "Record" }
        dl.record {
            div { dt { "Check" } dd { code { (t(&check.id)) } } }
            div { dt { "Feature" } dd { code { (t(&check.feature)) ":" (check.line) } } }
            @if !check.tags.is_empty() {
                div { dt { "Tags" } dd { (t(&check.tags.join(" "))) } }
            }
            div {
                dt { "Started" }
                dd {
                    @match &check.started {
                        Some(started) => (t(&phrases::instant(started))),
                        None => "never",
                    }
                }
            }
            @if let Some(carried) = phrases::carried(check) {
                div { dt { "Carried over from" } dd { (t(&carried)) } }
            }
            @if check.attempts != 1 { div { dt { "Attempts" } dd { (check.attempts) } } }
            @if let Some(transcript) = &check.transcript {
                div { dt { "Transcript" } dd { code { (t(transcript)) } } }
            }
        }
    }
}

/// What was read of a configuration, in a line.
fn say(settings: &Settings) -> String {
    let count =
        |number: u64, word| text::count(usize::try_from(number).unwrap_or(usize::MAX), word);
    let mut words = vec![count(settings.settings, "setting")];
    if settings.includes > 0 {
        let all = if settings.complete {
            ", all followed"
        } else {
            ""
        };
        words.push(format!("{}{all}", count(settings.includes, "include")));
    }
    if let Some(rules) = settings.rules {
        words.push(format!("nothing found by {}", count(rules, "rule")));
    }
    if let [sample, ..] = settings.shipped.as_slice() {
        words.push(format!("not the shipped {sample}"));
    }
    if let Some(running) = &settings.running {
        let compared = count(running.compared, "setting");
        words.push(format!("{compared} as in {}", running.artifact));
    }
    words.join("; ")
}
