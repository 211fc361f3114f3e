//! The step summary: the answer, its reasons, and a table of each outcome that is not plainly passed.

use super::super::{Finding, Gate, Outcome};
use crate::report::markdown::{code, words};
use crate::report::phrases;
use crate::text::count;

/// GitHub drops a summary above 1 MiB as a whole (facts: traps.md 2).
pub const MAX_SUMMARY: usize = 1_000_000;

/// Kept free for the line that says what was cut.
const RESERVE: usize = 200;
const MOST_REASONS: usize = 50;

/// GitHub-flavoured Markdown of at most `room` bytes, cut at a whole line; nothing when not even the
/// answer fits.
#[must_use]
pub fn summary(gate: &Gate, room: usize) -> String {
    let mut page = Page {
        text: String::new(),
        room: room.min(MAX_SUMMARY),
        left_out: 0,
    };
    page.line(&title(gate));
    if page.text.is_empty() {
        return String::new();
    }
    head(&mut page, gate);
    table(
        &mut page,
        gate,
        Outcome::Failed,
        "kind | check | where | expected | actual | hint",
    );
    table(
        &mut page,
        gate,
        Outcome::Pending,
        "check | waits for | hint",
    );
    table(
        &mut page,
        gate,
        Outcome::Waived,
        "kind | check | where | expected | actual | waiver",
    );
    match page.left_out {
        0 => {}
        left => {
            page.text += &format!(
                "\n{} left out: see the report of the run\n",
                count(left, "line")
            )
        }
    }
    page.text
}

struct Page {
    text: String,
    room: usize,
    left_out: usize,
}

impl Page {
    /// Adds one line, or counts it. After one that did not fit none is added: a table has no holes.
    fn line(&mut self, line: &str) {
        if self.left_out > 0 || self.text.len() + line.len() + 1 + RESERVE > self.room {
            self.left_out += 1;
            return;
        }
        self.text.push_str(line);
        self.text.push('\n');
    }
}

fn title(gate: &Gate) -> String {
    let about = gate
        .run
        .as_ref()
        .map(|run| format!(": {}", words(&run.environment)));
    format!("# {}{}", gate.answer.as_str(), about.unwrap_or_default())
}

fn head(page: &mut Page, gate: &Gate) {
    page.line("");
    for warning in gate.warnings.iter().chain(&gate.notes) {
        page.line(&format!("**{}**", words(warning)));
        page.line("");
    }
    for reason in gate.reasons.iter().take(MOST_REASONS) {
        page.line(&format!("- {}", words(reason)));
    }
    match gate.reasons.len().saturating_sub(MOST_REASONS) {
        0 => {}
        more => page.line(&format!("- {more} more")),
    }
    if let Some(hint) = &gate.hint {
        page.line("");
        page.line(&format!("Hint: {}", words(hint)));
    }
    if let Some(run) = &gate.run {
        page.line("");
        page.line(&phrases::sum(&run.counts));
        page.line("");
        page.line(&format!(
            "Run {}, finished {}, signed by {} ({}).",
            code(&run.id),
            words(&phrases::instant(&run.finished)),
            code(&run.signer),
            code(&run.fingerprint)
        ));
    }
    for fact in &gate.facts {
        page.line("");
        page.line(&format!("{}: {}", words(fact.label), words(&fact.value)));
    }
}

fn table(page: &mut Page, gate: &Gate, outcome: Outcome, columns: &str) {
    let all = gate.of(outcome).count();
    if all == 0 {
        return;
    }
    page.line("");
    page.line(&format!("## {} {}", count(all, "check"), outcome.as_str()));
    page.line("");
    page.line(&format!("| {columns} |"));
    page.line(&format!("|{}", "---|".repeat(columns.split('|').count())));
    for finding in gate.of(outcome) {
        if page.left_out > 0 {
            // Only counted: an estate may have a hundred thousand of them.
            page.left_out += 1;
            continue;
        }
        page.line(&format!("| {} |", row(finding).join(" | ")));
    }
}

fn row(finding: &Finding) -> Vec<String> {
    let check = format!("{}<br>{}", words(&finding.scenario), code(&finding.check));
    if finding.outcome == Outcome::Pending {
        return vec![
            check,
            words(finding.waits_for.as_deref().unwrap_or_default()),
            words(&finding.hint),
        ];
    }
    let place = match (&finding.host, &finding.account) {
        (Some(host), Some(account)) => Some(format!("{host} as {account}")),
        (host, account) => host.clone().or_else(|| account.clone()),
    };
    let place: Vec<_> = place
        .iter()
        .chain(&finding.subject)
        .map(|one| code(one))
        .collect();
    let last = match &finding.waiver {
        Some(waiver) => words(waiver),
        None => words(&finding.hint),
    };
    vec![
        words(finding.kind.as_deref().unwrap_or_default()),
        check,
        place.join("<br>"),
        words(&finding.expected),
        code(&finding.actual),
        last,
    ]
}
