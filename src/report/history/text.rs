//! A history as plain text: a line for each run, then where the chain is broken. Every word is escaped.

use std::fmt::Write as _;

use super::{Entry, History, Signed};
use crate::text::{count, escape};
use crate::time::say;

/// The runs, the oldest first, and whether they are one chain.
#[must_use]
pub fn render(history: &History) -> String {
    let mut out = String::new();
    let rows: Vec<_> = history.runs.iter().map(row).collect();
    let head = [
        "no",
        "finished",
        "verdict",
        "checks",
        "took",
        "run",
        "signed by",
    ]
    .map(str::to_owned);
    if !rows.is_empty() {
        let widths: Vec<_> = (0..head.len())
            .map(|column| {
                let cells = rows
                    .iter()
                    .chain([&head])
                    .map(|row| row[column].chars().count());
                cells.max().unwrap_or(0)
            })
            .collect();
        for row in [&head].into_iter().chain(&rows) {
            let cells = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}"));
            let line: Vec<_> = cells.collect();
            let _ = writeln!(out, "{}", line.join("  ").trim_end());
        }
        out.push('\n');
    }
    for stranger in &history.strangers {
        let _ = writeln!(
            out,
            "note: `{}` is no run and was left out",
            escape(stranger)
        );
    }
    for broken in &history.breaks {
        let _ = writeln!(out, "broken: {broken}\n  hint: {}", broken.hint());
    }
    let _ = writeln!(out, "{}", summary(history));
    out
}

/// One sentence: whether the chain holds, and where it ends.
pub(super) fn summary(history: &History) -> String {
    let runs = count(history.runs.len(), "run");
    match (history.breaks.len(), history.runs.last()) {
        (0, None) => "no run here".to_owned(),
        (0, Some(newest)) => format!(
            "one unbroken chain of {runs}; the newest is `{}`, {}, SHA-256 of its SHA256SUMS {}",
            escape(&newest.name),
            newest.decision,
            newest.digest
        ),
        (breaks, _) => format!(
            "{runs}, and the chain is broken in {}",
            count(breaks, "place")
        ),
    }
}

/// `passed/planned`, and what else there was.
pub(super) fn checks(run: &Entry) -> String {
    let counts = run.counts;
    let mut told = format!("{}/{} passed", counts.passed, counts.planned);
    for (number, word) in [
        (counts.failed, "failed"),
        (counts.waived, "waived"),
        (counts.pending, "pending"),
    ] {
        if number > 0 {
            let _ = write!(told, ", {number} {word}");
        }
    }
    if let Some(merged) = &run.run.merged {
        let shards = count(merged.shards.len(), "shard");
        let _ = write!(told, ", of {shards}");
    }
    if run.answers > 0 {
        let _ = write!(told, ", {}", count(run.answers, "answer"));
    }
    if !run.break_glass.is_empty() {
        told += ", BREAK-GLASS";
    }
    told
}

/// How long the run took.
pub(super) fn took(run: &Entry) -> String {
    run.took
        .map_or_else(String::new, |took| say(took.unsigned_abs()))
}

/// Who signed, and since when that no longer proves a run of today.
pub(super) fn signed(run: &Entry) -> String {
    match &run.signed {
        Signed::NotAsked => "not looked at".to_owned(),
        Signed::Valid(signer) => signer.identity.clone(),
        Signed::ThenValid(signer) => format!("{} (key valid then, not now)", signer.identity),
    }
}

fn row(run: &Entry) -> [String; 7] {
    let number = run
        .run
        .number
        .map_or_else(|| "-".to_owned(), |number| number.to_string());
    let row = [
        number,
        run.run.finished.clone(),
        run.decision.to_owned(),
        checks(run),
        took(run),
        run.name.clone(),
        signed(run),
    ];
    row.map(|cell| escape(&cell).into_owned())
}
