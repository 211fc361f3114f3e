//! The runbook: the support process as one verified GO proves it, for the person who has to follow it at
//! night. One value, of which Markdown and HTML are functions; [`check`] holds an earlier one to it.
//! Judges nothing: whoever makes it has accepted the run before.

pub mod check;
mod fetch;
pub mod html;
mod line;
pub mod markdown;
mod proof;
mod route;
#[cfg(test)]
mod tests;
mod vendor;

use std::collections::BTreeMap;

use line::{Line, Piece, Slot};
use proof::Proofs;

use super::phrases;
use super::schema::{Check, Report};
use crate::inventory::Inventory;
use crate::support::Ask;

/// What is said first of a run that restates another one.
const RESTATES: &str =
    "Checks that had passed were not run again: each statement tells when its check was made.";

/// A verified run, and what its own inputs say of it.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The record, with what people answered.
    pub report: &'a Report,
    /// The inventory that the run itself keeps.
    pub inventory: &'a Inventory,
    /// Who signed it.
    pub signer: &'a str,
    /// What each check of the record does, in the same order.
    pub deeds: &'a [Deed],
}

/// What a check does, by its plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deed {
    /// What it asks about a vendor.
    pub asks: Vec<Ask>,
    /// Whether it logs in.
    pub logs_in: bool,
    /// What it fetches, by artifact.
    pub fetches: BTreeMap<String, Vec<Use>>,
}

/// What is used on a host for one artifact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// This command line, as it reaches the host.
    Command(String),
    /// Files that match this pattern are read.
    Read(String),
    /// Files that match this pattern are listed.
    List(String),
    /// This URL is asked for from the host.
    Get(String),
}

/// The process as a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runbook {
    title: String,
    sections: Vec<Section>,
}

/// One heading and what stands under it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Section {
    /// 2 to 4.
    level: u8,
    title: String,
    lines: Vec<Line>,
    /// Rows that another run may have, not shown.
    may: Vec<Line>,
}

impl Section {
    fn new(level: u8, title: impl Into<String>) -> Self {
        Self {
            level,
            title: title.into(),
            lines: Vec::new(),
            may: Vec::new(),
        }
    }
}

impl Runbook {
    /// The process that the run of `source` proves.
    #[must_use]
    pub fn of(source: &Source<'_>) -> Self {
        let proofs = Proofs::of(source);
        let mut sections = vec![head(source)];
        sections.extend(unproven(source));
        sections.extend(vendor::sections(source, &proofs));
        sections.extend(fetch::sections(source, &proofs));
        sections.extend(confirmed(source, &proofs));
        Self {
            title: format!("Runbook: {}", source.report.run.scope.environment),
            sections,
        }
    }
}

fn head(source: &Source<'_>) -> Section {
    let run = &source.report.run;
    let mut section = Section::new(2, "What this is");
    let lines = &mut section.lines;
    if run.kind == "demo" {
        lines.push(Line::note(
            "Practice estate: says nothing about a real one.",
        ));
    }
    if run.restates.is_some() {
        lines.push(Line::note(RESTATES));
    }
    lines.push(Line::plain(
        "How to fetch what a vendor's support asks for, and how to reach it, as one run proved it. Each statement names the check that proved it and when; what no check proves says so. Its links lead into report.html of that run: keep that file beside this one.",
    ));
    lines.push(
        Line::item("written from")
            .words("run ")
            .slot(Slot::Run(run.id.clone()))
            .words(", finished ")
            .slot(Slot::instant(&run.finished))
            // Of nothing else is one written: a run that was HOLD alone is GO with what people answered.
            .words(", verdict GO, signed by ")
            .slot(Slot::Signer(source.signer.to_owned())),
    );
    section
}

/// What the run did not prove although it is a GO: failures that somebody accepts.
fn unproven(source: &Source<'_>) -> Option<Section> {
    let mut section = Section::new(2, "Not proven");
    for (place, check) in source.report.checks.iter().enumerate() {
        if check.outcome != "waived" {
            continue;
        }
        let mut line = Line::item(&check.scenario).words("failed");
        if let Some(failure) = &check.failure {
            line = line
                .words(&format!(
                    " ({}): expected {}, got ",
                    failure.kind, failure.expected
                ))
                .code(&failure.actual);
        }
        if let Some(waiver) = &check.waiver {
            line = line
                .words("; accepted by waiver ")
                .code(&waiver.id)
                .words(&format!(" of {}, until ", waiver.approver))
                .slot(Slot::instant(&waiver.expires))
                .words(&format!(": {}", waiver.reason));
        }
        section.lines.push(line.with(Piece::Check {
            place,
            id: check.id.clone(),
            line: check.line,
        }));
    }
    (!section.lines.is_empty()).then_some(section)
}

/// What only people could answer, and did.
fn confirmed(source: &Source<'_>, proofs: &Proofs<'_>) -> Option<Section> {
    let mut section = Section::new(2, "What people confirmed");
    for (place, check) in source.report.checks.iter().enumerate() {
        if check.outcome != "passed" {
            continue;
        }
        for answer in check.answers.iter().filter(|answer| answer.passed) {
            section.lines.push(
                Line::item(&question(check))
                    .words(&format!("{}, ", answer.identity))
                    .slot(Slot::instant(&answer.at))
                    .words(": ")
                    .code(&answer.statement)
                    .proven(proofs.of_one(place)),
            );
        }
    }
    (!section.lines.is_empty()).then_some(section)
}

fn question(check: &Check) -> String {
    let asked = check.steps.iter().filter_map(|step| step.asks.as_ref());
    let asked: Vec<&str> = asked.map(|asks| asks.question.as_str()).collect();
    match phrases::about(check) {
        about if about.is_empty() => asked.join("; "),
        about => format!("{} ({about})", asked.join("; ")),
    }
}
