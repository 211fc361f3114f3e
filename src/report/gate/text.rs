//! The gate's answer for a person: an accepted run, its reasons, the worst failures, the verdict as the
//! last line. What is not accepted has no lines here: its reason is an error, and goes to stderr.

use super::{Gate, Outcome};
use crate::text::{defuse, escape};

/// Most failures told; the report tells all.
const MOST: usize = 10;

/// The lines for stdout.
#[must_use]
pub fn render(gate: &Gate) -> String {
    let Some(run) = &gate.run else {
        return String::new();
    };
    let counts = &run.counts;
    let mut lines = vec![
        line("run", &format!("{} ({})", run.id, run.kind)),
        line("environment", &run.environment),
        line("finished", &run.finished),
        line(
            "signed by",
            &format!("{} ({})", run.signer, run.fingerprint),
        ),
        line(
            "checks",
            &format!(
                "{} planned, {} passed, {} failed, {} waived, {} pending",
                counts.planned, counts.passed, counts.failed, counts.waived, counts.pending
            ),
        ),
    ];
    lines.extend(gate.facts.iter().map(|fact| line(fact.label, &fact.value)));
    lines.extend(gate.reasons.iter().map(|reason| line("reason", reason)));
    for outcome in [Outcome::Failed, Outcome::Pending] {
        let groups = gate.grouped(outcome);
        for (finding, more) in groups.iter().take(MOST) {
            let and = match more {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            let told = format!("{}{and}: {}", finding.check, finding.say());
            lines.push(line(outcome.as_str(), &told));
            if !finding.hint.is_empty() {
                lines.push(line("", &format!("hint: {}", finding.hint)));
            }
        }
        if let Some(more) = groups.len().checked_sub(MOST).filter(|more| *more > 0) {
            lines.push(line(outcome.as_str(), &format!("{more} more")));
        }
    }
    lines.push(gate.answer.as_str().to_owned());
    lines
        .iter()
        .map(|line| format!("{}\n", defuse(&escape(line))))
        .collect()
}

fn line(label: &str, words: &str) -> String {
    format!("{label:12} {words}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::gate::sample;

    #[test]
    fn the_answer_is_the_last_line_and_worst_failures_stand_first() {
        let text = render(&sample::no_go());
        assert_eq!(text.lines().last(), Some("NO-GO"));
        let failed: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("failed "))
            .collect();
        assert!(failed[0].contains(": denied: "), "{text}");
        assert!(text.contains("\n             hint: add support to the group amps"));
        assert!(
            text.contains("\npending      features/vendor.feature"),
            "{text}"
        );
        assert_eq!(render(&sample::go()).lines().last(), Some("GO"));
        assert_eq!(render(&sample::refused()), "");
    }

    #[test]
    fn of_many_failures_the_rest_is_counted() {
        let mut gate = sample::many();
        assert!(
            render(&gate).contains(" more): denied: "),
            "{}",
            render(&gate)
        );
        for (index, finding) in gate.findings.iter_mut().enumerate() {
            finding.subject = Some(format!("/log/{index}"));
        }
        let text = render(&gate);
        assert_eq!(text.matches("\nfailed ").count(), MOST + 1);
        assert!(text.contains("\nfailed       10 more\n"), "{text}");
    }

    #[test]
    fn hostile_words_forge_no_line() {
        let text = render(&sample::hostile());
        assert!(!text.contains(|c| c != '\n' && crate::text::is_unsafe(c)));
        assert_eq!(text.lines().filter(|line| *line == "GO").count(), 0);
    }
}
