//! `summary.md`: the verdict and what failed, for a CI job's summary page. Every word from outside
//! stands in a code span or is escaped, so that it forms no markup, link, mention or HTML.

use std::collections::HashSet;

use super::causes::{self, Cause};
use super::schema::{Check, Report};
use super::{phrases, probed};
use crate::probe::Probe;
use crate::text;

/// Hard cap in bytes: GitHub drops a step summary above 1 MiB as a whole (facts: traps.md 2).
pub const MAX_BYTES: usize = 1_000_000;

/// Kept free for the closing lines.
const RESERVE: usize = 1_000;
/// Most characters of one cell: a cell is to be read, `report.json` holds the rest.
const CELL: usize = 400;
/// Most characters of what a failure says: its hint is to be followed, not guessed at.
const WHOLE: usize = 4_000;
/// Most checks that are named for one cause.
const MOST_CHECKS: usize = 20;
const MOST_REASONS: usize = 50;
/// Most questions to the network that are told.
const MOST_ASKED: usize = 50;

/// The report as GitHub-flavoured Markdown, never longer than [`MAX_BYTES`].
#[must_use]
pub fn render(report: &Report) -> String {
    let run = &report.run;
    let mut out = format!(
        "# {}: {}\n\n{}\n\n",
        words(&report.verdict.decision),
        words(&run.scope.environment),
        phrases::meaning(report)
    );
    for warning in phrases::warnings(report) {
        out += &format!("**{}**\n\n", words(&warning));
    }
    let reasons = &report.verdict.reasons;
    for reason in reasons.iter().take(MOST_REASONS) {
        out += &format!("- {}\n", words(reason));
    }
    if let Some(more) = reasons.len().checked_sub(MOST_REASONS).filter(|n| *n > 0) {
        out += &format!("- {more} more\n");
    }
    out += &format!("\n{}\n\n", phrases::sum(&report.counts));
    if let Some(clocks) = phrases::clocks(report) {
        out += &format!("{}\n\n", words(&clocks));
    }
    out += &format!(
        "Run {}, {} to {}, by {} on {}, {} {}.\n",
        code(&run.id),
        words(&phrases::instant(&run.started)),
        words(&phrases::instant(&run.finished)),
        code(&run.operator),
        code(&run.runner),
        words(&run.tool.name),
        words(&run.tool.version),
    );
    if let Some(subject) = phrases::subject(run) {
        out += &format!("\nFor {}.\n", words(&subject));
    }
    if let Some(live) = phrases::go_live(run) {
        out += &format!("\nGo-live: {}.\n", words(&live));
    }
    let retrievals = phrases::retrievals(report);
    if !retrievals.is_empty() {
        out += "\nRetrieved:\n\n";
    }
    for line in retrievals {
        out += &format!("- {}\n", words(&line));
    }
    failed(&mut out, report);
    weeks(&mut out, report);
    asked(&mut out, report);
    table(
        &mut out,
        report,
        "pending",
        &["check", "waits for", "answered by"],
        |check| {
            let step = phrases::waits_for(check).unwrap_or_default();
            let command = phrases::how_to_answer(check).unwrap_or_default();
            vec![title(check), words(&step), code(&command)]
        },
    );
    let waived = ["kind", "check", "where", "expected", "actual", "waiver"];
    table(&mut out, report, "waived", &waived, |check| {
        let mut cells = failure(check);
        let waiver = check.waiver.as_ref().map(phrases::waiver);
        cells.push(words(&waiver.unwrap_or_default()));
        cells
    });
    out += "\nThe signed record is `report.json`; this page is a rendering of it.\n";
    out
}

fn title(check: &Check) -> String {
    format!("{}<br>{}", words(&check.scenario), code(&check.id))
}

/// The week of each application beside its vendor's hours.
fn weeks(out: &mut String, report: &Report) {
    if report.weeks.is_empty() {
        return;
    }
    *out += "\n## When vendors answer\n\n";
    for week in &report.weeks {
        let line = format!(
            "- {} with {}: {}\n",
            code(&week.application),
            code(&week.vendor),
            words(&phrases::of_week(week))
        );
        if out.len() + line.len() + RESERVE > MAX_BYTES {
            return;
        }
        *out += &line;
    }
}

/// What was asked of the network, each question once: who asked, what came, how long it took.
fn asked(out: &mut String, report: &Report) {
    let mut known = HashSet::new();
    let probes = report.checks.iter().flat_map(|check| &check.probes);
    let probes: Vec<&Probe> = probes
        .filter(|probe| known.insert((&probe.asked, &probe.from)))
        .collect();
    if probes.is_empty() {
        return;
    }
    *out += "\n## Asked of the network\n\n| asked | by | answer | time |\n|---|---|---|---|\n";
    for (shown, probe) in probes.iter().enumerate() {
        let mut answer = probed::answer(probe);
        answer.extend(probed::certificate(probe));
        let time = probed::times(probe).map(|(total, _)| total);
        let row = format!(
            "| {} {} | {} | {} | {} |\n",
            words(&probe.how),
            code(&probe.target),
            words(probed::asker(probe)),
            words(&answer.join("; ")),
            words(&time.unwrap_or_default()),
        );
        if shown == MOST_ASKED || out.len() + row.len() + RESERVE > MAX_BYTES {
            *out += &format!("\n{} more in `report.html`\n", probes.len() - shown);
            return;
        }
        *out += &row;
    }
}

/// Each cause once, with what to do and the checks that failed for it; causes that would not fit are counted
/// instead.
fn failed(out: &mut String, report: &Report) {
    let checks = phrases::of(report, "failed");
    if checks.is_empty() {
        return;
    }
    let all = text::count(checks.len(), "check");
    let causes = causes::of(checks);
    let why = text::count(causes.len(), "cause");
    *out += &format!("\n## {all} failed, {why}\n");
    for (shown, cause) in causes.iter().enumerate() {
        let told = told(cause);
        if out.len() + told.len() + RESERVE > MAX_BYTES {
            let more = text::count(causes.len() - shown, "more cause");
            *out += &format!("\n{more} in `report.html`\n");
            return;
        }
        *out += &told;
    }
}

fn told(cause: &Cause<'_>) -> String {
    let kind = match cause.failure {
        Some(failure) => words(&failure.kind),
        None => "no cause is recorded".to_owned(),
    };
    let place = cause.place().map(|place| format!(": {}", words(&place)));
    let mut out = format!("\n### {kind}{}\n\n", place.unwrap_or_default());
    if let Some(subject) = cause.subject() {
        out += &format!("- what: {}\n", code_of(&subject, WHOLE));
    }
    if let Some(failure) = cause.failure {
        out += &format!("- expected: {}\n", words_of(&failure.expected, WHOLE));
        out += &format!("- actual: {}\n", code_of(&failure.actual, WHOLE));
        if !failure.hint.is_empty() {
            out += &format!("- **to do: {}**\n", words_of(&failure.hint, WHOLE));
        }
    }
    let behind = cause.behind();
    let behind = behind.map(|hosts| format!(" on {}", words(&hosts)));
    let all = text::count(cause.checks.len(), "check");
    out += &format!("- fails {all}{}:\n", behind.unwrap_or_default());
    for check in cause.checks.iter().take(MOST_CHECKS) {
        out += &format!("  - {} {}\n", words(&check.scenario), code(&check.id));
    }
    if let Some(more) = cause
        .checks
        .len()
        .checked_sub(MOST_CHECKS)
        .filter(|n| *n > 0)
    {
        out += &format!("  - {more} more\n");
    }
    out
}

fn failure(check: &Check) -> Vec<String> {
    let Some(failure) = &check.failure else {
        let blank = String::new;
        return vec![blank(), title(check), blank(), blank(), blank()];
    };
    let place = phrases::place(failure).map(|place| code(&place));
    let subject = failure.subject.as_ref().map(|subject| code(subject));
    let place: Vec<_> = [place, subject].into_iter().flatten().collect();
    vec![
        words(&failure.kind),
        title(check),
        place.join("<br>"),
        words(&failure.expected),
        code(&failure.actual),
    ]
}

/// A section of one row a check; rows that would not fit are counted instead.
fn table(
    out: &mut String,
    report: &Report,
    outcome: &str,
    columns: &[&str],
    row: impl Fn(&Check) -> Vec<String>,
) {
    let checks = phrases::of(report, outcome);
    if checks.is_empty() {
        return;
    }
    *out += &format!("\n## {} {outcome}\n\n", text::count(checks.len(), "check"));
    *out += &format!(
        "| {} |\n|{}\n",
        columns.join(" | "),
        "---|".repeat(columns.len())
    );
    for (shown, check) in checks.iter().enumerate() {
        let row = format!("| {} |\n", row(check).join(" | "));
        if out.len() + row.len() + RESERVE > MAX_BYTES {
            *out += &format!("\n{} more in `report.html`\n", checks.len() - shown);
            return;
        }
        *out += &row;
    }
}

/// Plain words: every character that could begin markup, a link, a mention or HTML is escaped.
pub(super) fn words(plain: &str) -> String {
    words_of(plain, CELL)
}

pub(super) fn words_of(plain: &str, most: usize) -> String {
    let safe = text::escape(plain);
    let clipped = text::clip(&safe, most);
    let mut out = String::with_capacity(clipped.len() + 8);
    for c in clipped.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A mention is looked for after Markdown is parsed, so that an escape does not stop it;
            // U+FE6B is the small form of the same sign.
            '@' => out.push('\u{fe6b}'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' | '~' | '$' | ':' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.replace("www.", "www\\.")
}

/// A code span, its fence longer than any run of backticks inside (CommonMark 6.1); `|` would end a
/// table's cell even there.
pub(super) fn code(plain: &str) -> String {
    code_of(plain, CELL)
}

fn code_of(plain: &str, most: usize) -> String {
    let safe = text::escape(plain);
    let inside = text::clip(&safe, most).replace('|', "\\|");
    let runs = inside.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or_default() + 1);
    match (inside.is_empty(), inside.contains('`')) {
        (true, _) => inside,
        (_, true) => format!("{fence} {inside} {fence}"),
        (_, false) => format!("{fence}{inside}{fence}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn what_was_asked_stands_once_and_a_week_in_a_line() {
        let mut report = sample::go();
        let lines = |report: &Report, of: &str| render(report).matches(of).count();
        assert_eq!(lines(&report, "## Asked of the network"), 0);
        let probe = |target: &str, from: Option<&str>| Probe {
            how: "mx".to_owned(),
            target: target.to_owned(),
            from: from.map(str::to_owned),
            asked: format!("mx       {target}"),
            at: "2026-11-21T09:30:00Z".to_owned(),
            samples: Vec::new(),
            document: None,
            mail: None,
            inbox: None,
            reception: None,
            acceptance: None,
        };
        for check in &mut report.checks[..2] {
            check.probes = vec![
                probe("bank.example", None),
                probe("bank.example", Some("ny4-1")),
            ];
        }
        assert_eq!(
            lines(
                &report,
                "| mx `bank.example` | the runner | no answer was recorded |"
            ),
            1
        );
        assert_eq!(lines(&report, "| mx `bank.example` | ny4-1 |"), 1);
        report.checks[0].probes = (0..60)
            .map(|number| probe(&format!("{number}.example`|<script>"), None))
            .collect();
        let page = render(&report);
        assert!(page.contains("\n12 more in `report.html`\n"), "{page}");
        let rows = page.lines().filter(|line| line.starts_with("| mx "));
        assert!(
            rows.clone().count() == 50 && rows.clone().all(|row| row.ends_with('|')),
            "{page}"
        );
        report.weeks = vec![sample::week()];
        let page = render(&report);
        assert!(
            page.contains("- `orders` with `60east`: required 169 h\\: answered 135 h, not answered with a plan 25 h, without a plan 9 h; the week from Mon 2026-10-26"),
            "{page}"
        );
    }

    #[test]
    fn leads_with_the_verdict_and_tables_what_failed() {
        let page = render(&sample::no_go());
        assert!(page.starts_with("# NO-GO: production\n\nDo not go live on this run.\n"));
        assert!(page.contains("\n## 2 checks failed, 2 causes\n"), "{page}");
        assert!(page.contains("\n### denied: ny4-amps-1 as support\n"));
        assert!(page.contains("\n  - support retrieves the event log of orders `features/"));
        assert!(page.contains("`permission denied (-rw-r----- amps amps, 48300212 bytes)`"));
        assert!(page.contains("\n## 1 check waived\n"));
        assert!(page.contains("\n## 1 check pending\n"));
        let go = render(&sample::go());
        assert!(go.starts_with("# GO: production\n\nEvery planned check passed.\n"));
        assert!(!go.contains("## "), "{go}");
    }

    /// One that no other check has.
    fn report_failure(of: &str) -> Option<crate::report::schema::Failure> {
        let mut report = sample::no_go();
        let mut failure = report.checks[6].failure.take()?;
        failure.hint += of;
        Some(failure)
    }

    #[test]
    fn never_exceeds_its_cap_and_says_how_many_more() {
        let mut report = sample::many(4_000);
        for check in &mut report.checks {
            check.outcome = "failed".to_owned();
            check.scenario = "<".repeat(1_000);
            check.failure = report_failure(&check.id);
        }
        report.verdict.reasons = vec!["x".repeat(10_000); 10_000];
        let page = render(&report);
        assert!(page.len() <= MAX_BYTES, "{}", page.len());
        assert!(page.len() > MAX_BYTES / 2 && page.contains(" in `report.html`\n"));
        assert!(!render(&sample::many(400)).contains("`report.html`"));
    }

    #[test]
    fn one_cause_is_told_once_and_its_hint_in_full() {
        let mut report = sample::many(400);
        let hint = format!("{} end", "set one more thing, ".repeat(100));
        for failure in report
            .checks
            .iter_mut()
            .filter_map(|one| one.failure.as_mut())
        {
            failure.hint.clone_from(&hint);
            failure.host = Some("bastion".to_owned());
        }
        let page = render(&report);
        assert!(page.contains("## 20 checks failed, 1 cause\n"), "{page}");
        assert_eq!(page.matches(&hint).count(), 1);
        assert_eq!(page.matches("\n  - operations retrieves").count(), 20);
        assert!(!page.contains("\n  - 1 more"));
        report.checks[0] = report.checks[2].clone();
        assert!(render(&report).contains("\n  - 1 more\n"));
    }

    #[test]
    fn hostile_words_form_no_markup() {
        let page = render(&sample::hostile());
        assert!(!page.contains(|c| c != '\n' && text::is_unsafe(c)));
        for line in page.lines() {
            assert!(
                !line.starts_with("## GO") && !line.starts_with("::"),
                "{line}"
            );
        }
        let outside = words(sample::HOSTILE);
        for markup in ["<script", "@", " [x", "_[", "x](", "s://", "\n"] {
            assert!(!outside.contains(markup), "{markup} in {outside}");
        }
        // A row has as many cells as its head: no bar inside a cell is free.
        let bars = |line: &str| line.replace("\\|", "").matches('|').count();
        let row = page.lines().find(|line| line.starts_with("| gap"));
        let row = row.unwrap();
        assert_eq!(bars(row), 7, "{row}");
    }

    #[test]
    fn a_code_span_outlasts_its_backticks() {
        assert_eq!(code("a``b"), "``` a``b ```");
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code(""), "");
        assert_eq!(words("a|b <i> @x"), "a\\|b &lt;i&gt; \u{fe6b}x");
    }
}
