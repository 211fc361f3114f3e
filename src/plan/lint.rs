//! What the Gherkin parser lets through and a gate must not: misspelt and lower-case keywords that
//! become prose, rows that are cut, tags that change what runs (facts: traps.md T4, cucumber.md 2).
//! Line based, English keywords; what holds in every language is checked on the tree in `parse.rs`.

use std::path::Path;

use crate::problem::{Place, Problem};
use crate::text;

const STRUCTURE: [&str; 10] = [
    "Feature",
    "Background",
    "Rule",
    "Scenario Outline",
    "Scenario Template",
    "Scenarios",
    "Scenario",
    "Examples",
    "Example",
    "Ability",
];
const STEPS: [&str; 5] = ["Given", "When", "Then", "And", "But"];
const REFUSED_TAGS: [&str; 3] = ["allow.skipped", "retry", "serial"];

#[derive(Clone, Copy, PartialEq)]
enum Within {
    Start,
    /// `Feature:` or `Rule:`: prose is welcome.
    Prose,
    Steps,
    Examples,
}

/// All problems of one feature's text. `english` is false when the file declares another language.
pub(super) fn lint(path: &Path, source: &str, english: bool) -> Vec<Problem> {
    let mut linter = Linter {
        path,
        source,
        english,
        within: Within::Start,
        width: None,
        problems: Vec::new(),
    };
    let mut fence: Option<(&str, usize)> = None;
    for (index, line) in source.lines().enumerate() {
        let trimmed = line.trim();
        // Editors break the line there and Gherkin does not: what follows would hide in a comment.
        if line.contains(['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']) {
            linter.problem(
                index + 1,
                1,
                "a line break that Gherkin does not know",
                "save the file with LF or CR LF at the end of each line",
            );
        }
        if let Some((mark, _)) = fence {
            if trimmed == mark {
                fence = None;
            }
            continue;
        }
        let opens = ["\"\"\"", "```"]
            .into_iter()
            .find(|mark| trimmed.starts_with(mark));
        if let Some(mark) = opens {
            fence = Some((mark, index + 1));
            continue;
        }
        linter.line(index + 1, line, trimmed);
    }
    if let Some((_, line)) = fence {
        linter.problem(
            line,
            1,
            "this doc string is never closed",
            "end it with the same three characters on a line of their own",
        );
    }
    linter.problems
}

struct Linter<'a> {
    path: &'a Path,
    source: &'a str,
    english: bool,
    within: Within,
    /// Cells of the current table's first row.
    width: Option<usize>,
    problems: Vec<Problem>,
}

impl Linter<'_> {
    fn line(&mut self, number: usize, line: &str, trimmed: &str) {
        let column = line.chars().take_while(|c| c.is_whitespace()).count() + 1;
        if trimmed.is_empty() || trimmed.starts_with('#') {
            return;
        }
        if trimmed.starts_with('|') {
            return self.row(number, column, trimmed);
        }
        self.width = None;
        if trimmed.starts_with('@') {
            return self.tags(number, column, trimmed);
        }
        if !self.english {
            return;
        }
        let structural = STRUCTURE.iter().find(|word| {
            trimmed
                .strip_prefix(**word)
                .is_some_and(|rest| rest.starts_with(':'))
        });
        match structural {
            Some(&("Feature" | "Ability" | "Rule")) => self.within = Within::Prose,
            Some(&("Examples" | "Scenarios")) => self.within = Within::Examples,
            Some(_) => self.within = Within::Steps,
            None if is_step(trimmed) => self.step(number, column),
            None => self.prose(number, column, trimmed),
        }
    }

    fn step(&mut self, number: usize, column: usize) {
        if self.within != Within::Steps {
            self.problem(number, column, "a step that belongs to no scenario", "the line above that should begin one is misspelt or missing; prose must not begin with a step keyword");
        }
    }

    fn prose(&mut self, number: usize, column: usize, trimmed: &str) {
        let head = trimmed.split(':').next().unwrap_or_default();
        let first = trimmed.split_whitespace().next().unwrap_or_default();
        let like_structure = trimmed
            .contains(':')
            .then(|| near(head, &STRUCTURE))
            .flatten();
        let like_step = near(first, &STEPS);
        match (self.within, like_structure, like_step) {
            (_, Some(meant), _) => self.unknown(number, column, head, &format!("{meant}:")),
            (Within::Steps | Within::Examples, _, Some(meant)) => {
                self.unknown(number, column, first, meant)
            }
            (Within::Prose, ..) => {}
            (Within::Start, ..) => self.problem(
                number,
                column,
                "text before `Feature:`",
                "begin the file with `Feature: NAME`; comments begin with `#`",
            ),
            (Within::Steps | Within::Examples, ..) => {
                let message = format!(
                    "`{}` is neither a keyword nor a step",
                    text::clip(first, 40)
                );
                self.problem(
                    number,
                    column,
                    message,
                    "prose belongs under `Feature:` or `Rule:`, or behind a `#`",
                );
            }
        }
    }

    fn unknown(&mut self, number: usize, column: usize, word: &str, meant: &str) {
        let message = format!("unknown keyword `{}`", text::clip(word, 40));
        self.problem(number, column, message, format!("did you mean `{meant}`?"));
    }

    fn row(&mut self, number: usize, column: usize, trimmed: &str) {
        let mut cells = 0_usize;
        let mut escaped = false;
        for c in trimmed.chars() {
            cells += usize::from(c == '|' && !escaped);
            escaped = c == '\\' && !escaped;
        }
        if !trimmed.ends_with('|') || cells < 2 {
            return self.problem(
                number,
                column,
                "this table row does not end with `|`",
                "every cell stands between two `|`; a `|` inside a cell is written `\\|`",
            );
        }
        match self.width {
            None => self.width = Some(cells - 1),
            Some(width) if width != cells - 1 => {
                let message = format!(
                    "this row has {} and the table's first has {}",
                    text::count(cells - 1, "cell"),
                    text::count(width, "cell")
                );
                self.problem(
                    number,
                    column,
                    message,
                    "give every row the same cells; a `|` inside a cell is written `\\|`",
                );
            }
            Some(_) => {}
        }
    }

    fn tags(&mut self, number: usize, column: usize, trimmed: &str) {
        let words = trimmed
            .split(" #")
            .next()
            .unwrap_or_default()
            .split_whitespace();
        for word in words {
            let Some(tag) = word
                .strip_prefix('@')
                .filter(|tag| !tag.is_empty() && !tag.contains('@'))
            else {
                self.problem(
                    number,
                    column,
                    format!("`{}` is not a tag", text::clip(word, 40)),
                    "tags are single words that begin with `@`, separated by blanks",
                );
                continue;
            };
            if REFUSED_TAGS.iter().any(|refused| {
                tag.strip_prefix(refused)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['(', '.']))
            }) {
                self.problem(number, column, format!("tag `@{tag}` is not allowed"), "it would change what runs or let undefined steps pass; gonogo decides that from the inventory");
            }
        }
    }

    fn problem(
        &mut self,
        line: usize,
        column: usize,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let problem = Problem::new(Place::new(self.path, line, column), message)
            .in_text(self.source)
            .with_hint(hint);
        self.problems.push(problem);
    }
}

fn is_step(trimmed: &str) -> bool {
    let keyword = STEPS.iter().any(|word| {
        trimmed
            .strip_prefix(word)
            .is_some_and(|rest| rest.starts_with([' ', '\t']))
    });
    keyword || trimmed.starts_with("* ")
}

/// The keyword that `word` is a slip of: same letters in another case, or one edit away. Prose has many
/// words near a short keyword ("This" is two edits from "Then"), so the distance stays small.
fn near(word: &str, keywords: &[&'static str]) -> Option<&'static str> {
    let lower = word.trim().to_lowercase();
    let distance = |keyword: &&&str| strsim::damerau_levenshtein(&lower, &keyword.to_lowercase());
    let best = keywords.iter().min_by_key(distance)?;
    let most = if best.len() > 6 { 2 } else { 1 };
    (distance(&best) <= most).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
# a comment
@amps @control:nist/ir-3
Feature: Support artifacts
  Note: the vendor asks for four things.
  This is prose, and so is the next line
  and then it ends.

  Background:
    Given each instance

  Rule: logs
    Prose here too.

    Scenario Outline: <what>
      * the team connects
      Then artifact \"<what>\" can be retrieved
        \"\"\"
        Whne this is a doc string
        \"\"\"

      Examples:
        | what      |
        | a \\| b    |
";

    #[test]
    fn a_good_feature_has_no_problem() {
        assert_eq!(lint(Path::new("a.feature"), GOOD, true), []);
    }

    #[test]
    fn every_slip_is_found_where_it_stands() {
        for (good, bad, line, message) in [
            (
                "Feature: Support",
                "feature: Support",
                3,
                "unknown keyword `feature`",
            ),
            (
                "Scenario Outline: <what>",
                "Scenaro Outline: <what>",
                14,
                "unknown keyword `Scenaro Outline`",
            ),
            ("* the team", "Givn the team", 15, "unknown keyword `Givn`"),
            ("* the team", "when the team", 15, "unknown keyword `when`"),
            ("* the team", "our team", 15, "neither a keyword nor a step"),
            (
                "Background:",
                "Backgroud:",
                8,
                "unknown keyword `Backgroud`",
            ),
            ("Examples:", "Exmples:", 21, "unknown keyword `Exmples`"),
            ("| a \\| b    |", "| a | b    |", 23, "this row has 2 cells"),
            ("| a \\| b    |", "| a", 23, "does not end with `|`"),
            ("@amps", "@allow.skipped", 2, "not allowed"),
            ("@amps", "@retry(3)", 2, "not allowed"),
            ("@amps", "amps", 2, "text before `Feature:`"),
            ("# a comment", "a comment", 1, "text before `Feature:`"),
        ] {
            let problems = lint(Path::new("a.feature"), &GOOD.replacen(good, bad, 1), true);
            let found = problems
                .iter()
                .any(|p| p.place.line == line && p.message.contains(message));
            assert!(found, "{bad}: {problems:#?}");
        }
    }

    #[test]
    fn a_step_in_prose_betrays_a_lost_scenario_line() {
        let problems = lint(
            Path::new("a.feature"),
            "Feature: f\n  Scenario one\n    Given each instance\n",
            true,
        );
        assert_eq!(problems.len(), 1);
        assert_eq!(
            (problems[0].place.line, problems[0].message.as_str()),
            (3, "a step that belongs to no scenario")
        );
    }

    #[test]
    fn an_open_doc_string_is_found() {
        let problems = lint(
            Path::new("a.feature"),
            &GOOD.replacen("        \"\"\"\n\n", "\n", 1),
            true,
        );
        assert!(
            problems.iter().any(|p| p.message.contains("never closed")),
            "{problems:#?}"
        );
    }
}
