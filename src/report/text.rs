//! The report for a terminal: what failed and what to do, then the sums, then the verdict as the last
//! line. Every word from outside is escaped; colour only when asked for.

use super::causes::{self, Cause};
use super::phrases;
use super::schema::Report;
use crate::text::escape;

/// How a terminal wants it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// ANSI colour and bold (ECMA-48 SGR).
    pub color: bool,
    /// Columns to wrap at, never fewer than 40; `None` wraps nothing, as for a file or a pipe.
    pub width: Option<usize>,
}

/// Narrower than this, wrapping makes words unreadable rather than lines short.
const NARROWEST: usize = 40;
const LABEL: usize = 10;
/// Most hosts whose facts are told.
const MOST_HOSTS: usize = 20;

/// The report as text, ending with a line that is `GO`, `NO-GO` or `HOLD` and a newline.
#[must_use]
pub fn render(report: &Report, style: Style) -> String {
    let mut page = Page {
        out: String::new(),
        style,
    };
    page.checks(report);
    page.verdict(report);
    page.out
}

struct Page {
    out: String,
    style: Style,
}

#[derive(Clone, Copy)]
enum Paint {
    Bold,
    Red,
    Green,
    Yellow,
}

impl Page {
    fn checks(&mut self, report: &Report) {
        for cause in causes::of(phrases::of(report, "failed")) {
            let [first, rest @ ..] = &*cause.checks else {
                continue;
            };
            let more = match rest.len() {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            self.title("FAILED", Paint::Red, &format!("{}{more}", first.scenario));
            self.failure(&cause);
            for check in &cause.checks {
                self.row("check", &check.id);
            }
            self.out.push('\n');
        }
        for check in phrases::of(report, "pending") {
            self.title("PENDING", Paint::Yellow, &check.scenario);
            if let Some(step) = phrases::waits_for(check) {
                self.row("waits for", &step);
            }
            self.row("check", &check.id);
            if let Some(command) = phrases::how_to_answer(check) {
                self.row("answer by", &command);
            }
            self.out.push('\n');
        }
        for check in phrases::of(report, "waived") {
            self.title("WAIVED", Paint::Yellow, &check.scenario);
            for cause in causes::of([check]) {
                self.failure(&cause);
            }
            if let Some(waiver) = &check.waiver {
                self.row("waiver", &phrases::waiver(waiver));
            }
            self.row("check", &check.id);
            self.out.push('\n');
        }
    }

    fn failure(&mut self, cause: &Cause<'_>) {
        let Some(failure) = cause.failure else {
            return;
        };
        self.row("kind", &failure.kind);
        if let Some(place) = cause.place() {
            self.row("where", &place);
        }
        if let Some(subject) = cause.subject() {
            self.row("what", &subject);
        }
        self.row("expected", &failure.expected);
        self.row("actual", &failure.actual);
        if let Some(hosts) = cause.behind() {
            self.row("fails on", &hosts);
        }
        if !failure.hint.is_empty() {
            self.row("hint", &failure.hint);
        }
    }

    fn verdict(&mut self, report: &Report) {
        let run = &report.run;
        let started = phrases::instant(&run.started);
        self.line(&format!(
            "{}, run {}, {started}",
            run.scope.environment, run.id
        ));
        if let Some(subject) = phrases::subject(run) {
            self.wrapped("", 2, &subject);
        }
        self.line(&phrases::sum(&report.counts));
        if let Some(clocks) = phrases::clocks(report) {
            self.line(&clocks);
        }
        self.hosts(report);
        for line in phrases::retrievals(report) {
            self.wrapped("", 2, &line);
        }
        for warning in phrases::warnings(report) {
            self.line(&warning);
        }
        for reason in &report.verdict.reasons {
            self.wrapped("- ", 2, reason);
        }
        let decision = &report.verdict.decision;
        let paint = match &**decision {
            "GO" => Paint::Green,
            "HOLD" => Paint::Yellow,
            _ => Paint::Red,
        };
        let decision = self.painted(paint, &escape(decision));
        self.out.push_str(&decision);
        self.out.push('\n');
    }

    /// What was learnt of the hosts; of a large estate the first ones.
    fn hosts(&mut self, report: &Report) {
        let hosts = report.hosts.iter();
        let known = hosts.filter_map(|host| Some((&host.name, host.facts.as_ref()?)));
        let known: Vec<_> = known.collect();
        for (name, facts) in known.iter().take(MOST_HOSTS) {
            self.wrapped("", 2, &format!("{name}: {}", phrases::host_facts(facts)));
        }
        if let Some(more) = known.len().checked_sub(MOST_HOSTS).filter(|more| *more > 0) {
            self.line(&format!("{more} more hosts are known likewise"));
        }
    }

    fn title(&mut self, word: &str, paint: Paint, scenario: &str) {
        let word = self.painted(paint, word);
        let scenario = self.painted(Paint::Bold, &escape(scenario));
        self.out.push_str(&format!("{word} {scenario}\n"));
    }

    fn row(&mut self, label: &str, words: &str) {
        self.wrapped(&format!("  {label:LABEL$}"), LABEL + 2, words);
    }

    fn line(&mut self, words: &str) {
        self.wrapped("", 0, words);
    }

    /// `first`, then the words, further lines indented; a word longer than a line stays whole, so
    /// that a path can be copied.
    fn wrapped(&mut self, first: &str, indent: usize, words: &str) {
        let words = escape(words);
        let width = self
            .style
            .width
            .map_or(usize::MAX, |width| width.max(NARROWEST));
        self.out.push_str(first);
        let mut column = indent;
        let mut is_first = true;
        for word in words.split(' ') {
            let length = word.chars().count();
            if !is_first {
                if column.saturating_add(1 + length) > width {
                    self.out.push('\n');
                    self.out.push_str(&" ".repeat(indent));
                    column = indent;
                } else {
                    self.out.push(' ');
                    column += 1;
                }
            }
            self.out.push_str(word);
            column += length;
            is_first = false;
        }
        self.out.push('\n');
    }

    fn painted(&self, paint: Paint, words: &str) -> String {
        if !self.style.color {
            return words.to_owned();
        }
        let code = match paint {
            Paint::Bold => "1",
            Paint::Red => "1;31",
            Paint::Green => "1;32",
            Paint::Yellow => "1;33",
        };
        format!("\u{1b}[{code}m{words}\u{1b}[0m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn plain(report: &Report) -> String {
        render(report, Style::default())
    }

    #[test]
    fn tells_a_failure_so_that_it_can_be_acted_on() {
        let text = plain(&sample::no_go());
        let expected = "\
FAILED support retrieves the event log of orders
  kind      denied
  where     ny4-amps-1 as support
  what      /opt/amps/orders/logs/event_log-2026-11-21.log
  expected  the event log readable by support
  actual    permission denied (-rw-r----- amps amps, 48300212 bytes)
  hint      add support to the group amps on ny4-amps-1, or let it read through `elevate: sudo`
  check     features/amps/retrieve.feature:26@orders/support

FAILED ";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains("29 planned = 25 passed + 2 failed + 1 waived + 1 pending\n"));
        assert!(text.contains("waits for Then the \"vendor desk\" confirms \"60east acknowledged the process-test case in time\"\n"));
        assert!(
            text.contains("waiver    W-2026-07, until 2026-12-15 00:00:00 UTC, granted by bob.ray")
        );
    }

    #[test]
    fn the_verdict_is_the_last_line_and_the_only_word_on_it() {
        for (report, verdict) in [
            (sample::go(), "GO"),
            (sample::no_go(), "NO-GO"),
            (sample::hold(), "HOLD"),
            (sample::aborted(), "NO-GO"),
        ] {
            let text = plain(&report);
            assert_eq!(text.lines().last(), Some(verdict));
            assert!(text.ends_with('\n'));
        }
        // Run, sum, four artifacts and the verdict.
        assert_eq!(plain(&sample::go()).lines().count(), 7);
    }

    #[test]
    fn colours_only_when_asked() {
        let style = Style {
            color: true,
            width: None,
        };
        let coloured = render(&sample::no_go(), style);
        assert!(coloured.ends_with("\u{1b}[1;31mNO-GO\u{1b}[0m\n"));
        assert!(!plain(&sample::no_go()).contains('\u{1b}'));
    }

    #[test]
    fn wraps_and_never_below_forty_columns() {
        for width in [1, 40, 72] {
            let style = Style {
                color: false,
                width: Some(width),
            };
            let text = render(&sample::no_go(), style);
            // Titles are one line by design, and a word longer than a line stays whole.
            let is_title = |line: &&str| line.starts_with(|c: char| c.is_uppercase());
            for line in text.lines().filter(|line| !is_title(line)) {
                let words = line.get(12..).unwrap_or_default().split(' ').count();
                assert!(
                    line.chars().count() <= width.max(40) || words == 1,
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn the_same_failure_is_told_once() {
        let text = plain(&sample::many(80));
        // Four failures on three hosts.
        assert_eq!(text.matches("FAILED").count(), 3, "{text}");
        assert_eq!(text.matches(" (and 1 more)\n").count(), 1);
        assert_eq!(text.matches("\n  check ").count(), 4);
    }

    #[test]
    fn hostile_words_steer_nothing_and_forge_no_line() {
        let text = plain(&sample::hostile());
        let is_bad = |c: char| c != '\n' && crate::text::is_unsafe(c);
        assert!(!text.contains(is_bad), "{text:?}");
        assert!(!text.contains("\n## GO"));
        assert!(!text.contains("\n::error::"));
    }
}
