//! One feature file to scenarios, ready to be crossed: linted, parsed with `gherkin`, backgrounds put
//! in front, outlines expanded. Knows no inventory and no step.

use std::path::Path;
use std::sync::Arc;

use gherkin::{Examples, Feature, GherkinEnv, LineCol};

use super::lint::lint;
use super::prose::lost_step;
use crate::feature_files::FeatureFile;
use crate::problem::{Place, Problem};
use crate::steps::Subject;

/// A scenario as written, one row of its examples filled in.
#[derive(Clone, Debug)]
pub(super) struct Template {
    /// Label of the feature file.
    pub feature: Arc<str>,
    /// Where the user's file lies, for problems.
    pub place: Place,
    /// Line of the scenario, or of the row of its examples.
    pub line: usize,
    /// Name, row filled in.
    pub name: String,
    /// Tags of feature, rule, scenario and examples, without `@`.
    pub tags: Arc<[String]>,
    /// Background steps first.
    pub steps: Vec<TemplateStep>,
}

/// A step as written, one row filled in.
#[derive(Clone, Debug)]
pub(super) struct TemplateStep {
    pub keyword: String,
    pub text: String,
    pub table: Option<Vec<Vec<String>>>,
    pub doc_string: Option<String>,
    pub place: Place,
}

/// Reads one feature.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn parse(file: &FeatureFile) -> Result<(Feature, Vec<Template>), Vec<Problem>> {
    let path = &file.path;
    let source = match std::str::from_utf8(&file.bytes) {
        Ok(source) => source.strip_prefix('\u{feff}').unwrap_or(source),
        Err(error) => {
            let line = file.bytes[..error.valid_up_to()]
                .iter()
                .filter(|&&byte| byte == b'\n')
                .count()
                + 1;
            return Err(vec![
                Problem::new(Place::new(path, line, 1), "not UTF-8")
                    .with_hint("save the feature as UTF-8"),
            ]);
        }
    };
    let language = language(source);
    let known = language.is_none_or(|(_, name)| gherkin::is_language_supported(name));
    if let (Some((line, name)), false) = (language, known) {
        let problem = Problem::new(
            Place::new(path, line, 1),
            format!("unknown language `{name}`"),
        )
        .in_text(source);
        return Err(vec![problem.with_hint(
            "use a code of Gherkin's list of spoken languages, such as `en`, `de` or `fr`",
        )]);
    }
    let english = language.is_none_or(|(_, name)| name == "en");
    let mut problems = lint(path, source, english);
    match Feature::parse(source, GherkinEnv::default()) {
        Ok(feature) => {
            let templates = Reader {
                path,
                source,
                feature: file.label.as_str().into(),
                problems: &mut problems,
            }
            .read(&feature);
            match problems.is_empty() {
                true => Ok((feature, templates)),
                false => Err(problems),
            }
        }
        // The linter's places are exact, the parser's lie behind the slip: show the better ones.
        Err(_) if !problems.is_empty() => Err(problems),
        Err(error) => Err(vec![syntax(path, source, &error.to_string())]),
    }
}

// Only a comment before the feature declares a language.
fn language(source: &str) -> Option<(usize, &str)> {
    source
        .lines()
        .enumerate()
        .take_while(|(_, line)| line.trim().is_empty() || line.trim().starts_with('#'))
        .find_map(|(index, line)| {
            let rest = line
                .trim()
                .trim_start_matches('#')
                .trim_start()
                .strip_prefix("language")?;
            Some((index + 1, rest.trim_start().strip_prefix(':')?.trim()))
        })
}

/// `gherkin` keeps a parse error's position private and prints it as `Error at L:C`.
fn syntax(path: &Path, source: &str, error: &str) -> Problem {
    let mut numbers = error
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse::<usize>().ok());
    let (line, column) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(1));
    if source.trim().is_empty() {
        return Problem::new(Place::whole(path), "an empty feature")
            .with_hint("write `Feature: NAME` and at least one scenario, or remove the file");
    }
    Problem::new(Place::new(path, line, column), "this is not Gherkin: the parser cannot go on here")
        .in_text(source)
        .with_hint("the slip is on this line or shortly before it; a lone backslash in a table is written `\\\\`")
}

struct Reader<'a> {
    path: &'a Path,
    source: &'a str,
    feature: Arc<str>,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn read(mut self, feature: &Feature) -> Vec<Template> {
        let mut templates = Vec::new();
        self.lost(feature.position, feature.description.as_deref());
        let before = self.background(feature.background.as_ref());
        for scenario in &feature.scenarios {
            self.scenario(scenario, &feature.tags, &before, &mut templates);
        }
        for rule in &feature.rules {
            self.lost(rule.position, rule.description.as_deref());
            let inner = [before.clone(), self.background(rule.background.as_ref())].concat();
            let tags = [feature.tags.clone(), rule.tags.clone()].concat();
            if rule.scenarios.is_empty() {
                self.problem(
                    rule.position,
                    "a rule without a scenario",
                    "it would check nothing",
                );
            }
            for scenario in &rule.scenarios {
                self.scenario(scenario, &tags, &inner, &mut templates);
            }
        }
        if feature.scenarios.is_empty() && feature.rules.is_empty() {
            self.problem(
                feature.position,
                "a feature without a scenario",
                "it would check nothing",
            );
        }
        templates
    }

    fn background(&mut self, background: Option<&gherkin::Background>) -> Vec<TemplateStep> {
        let Some(background) = background else {
            return Vec::new();
        };
        self.no_prose(background.position, background.description.as_deref());
        background
            .steps
            .iter()
            .map(|step| self.step(step))
            .collect()
    }

    fn scenario(
        &mut self,
        scenario: &gherkin::Scenario,
        tags: &[String],
        before: &[TemplateStep],
        templates: &mut Vec<Template>,
    ) {
        self.no_prose(scenario.position, scenario.description.as_deref());
        if scenario.name.trim().is_empty() {
            self.problem(
                scenario.position,
                "a scenario without a name",
                "reports tell scenarios apart by their names",
            );
        }
        if scenario.steps.is_empty() {
            self.problem(
                scenario.position,
                "a scenario without steps",
                "it would pass without having looked at anything",
            );
        }
        let own = scenario
            .steps
            .iter()
            .map(|step| self.step(step))
            .collect::<Vec<_>>();
        let template = Template {
            feature: self.feature.clone(),
            place: self.place(scenario.position),
            line: scenario.position.line,
            name: scenario.name.trim().to_owned(),
            tags: [tags, &scenario.tags].concat().into(),
            steps: [before, &own].concat(),
        };
        if scenario.examples.is_empty() {
            if matches!(&*scenario.keyword, "Scenario Outline" | "Scenario Template") {
                let hint = "add `Examples:` with a table below it, or call it a scenario";
                self.problem(scenario.position, "an outline without examples", hint);
            }
            return templates.push(template);
        }
        for examples in &scenario.examples {
            self.no_prose(examples.position, examples.description.as_deref());
            self.rows(examples, &template, templates);
        }
    }

    fn rows(&mut self, examples: &Examples, template: &Template, templates: &mut Vec<Template>) {
        let Some((header, rows)) = examples
            .table
            .as_ref()
            .and_then(|table| table.rows.split_first())
        else {
            return self.problem(
                examples.position,
                "examples without a table",
                "the outline would run for no row at all",
            );
        };
        if rows.is_empty() {
            self.problem(
                examples.position,
                "examples without a row below the header",
                "the outline would run for no row at all",
            );
        }
        for (index, column) in header.iter().enumerate() {
            if Subject::PLACEHOLDERS.contains(&column.as_str()) {
                self.problem(
                    examples.position,
                    format!("column `{column}` hides the built-in `<{column}>`"),
                    "give the column another name",
                );
            }
            if header[..index].contains(column) {
                self.problem(
                    examples.position,
                    format!("two columns are called `{column}`"),
                    "rename one",
                );
            }
        }
        let first = examples
            .table
            .as_ref()
            .map_or(0, |table| table.position.line);
        for (index, row) in rows.iter().enumerate() {
            let fill = |text: &str| {
                fill(text, |name| {
                    header
                        .iter()
                        .position(|column| column == name)
                        .and_then(|at| row.get(at))
                        .map(String::as_str)
                })
            };
            let steps = template.steps.iter().map(|step| step.map(&fill)).collect();
            let line = row_line(self.source, first, index + 1);
            let tags: Arc<[String]> = [&template.tags[..], &examples.tags].concat().into();
            templates.push(Template {
                line,
                tags,
                steps,
                name: fill(&template.name),
                ..template.clone()
            });
        }
    }

    fn step(&mut self, step: &gherkin::Step) -> TemplateStep {
        TemplateStep {
            keyword: step.keyword.trim().to_owned(),
            text: step.value.trim().to_owned(),
            table: step.table.as_ref().map(|table| table.rows.clone()),
            doc_string: step.docstring.as_deref().map(doc_string),
            place: self.place(step.position),
        }
    }

    /// Prose is welcome here, and so would be a whole scenario whose first line is misspelt.
    fn lost(&mut self, position: LineCol, description: Option<&str>) {
        let Some(step) = description.and_then(lost_step) else {
            return;
        };
        let mut behind = self.source.lines().enumerate().skip(position.line);
        let found = behind.find(|(_, line)| line.trim() == step);
        let line = found.map_or(position.line, |(index, _)| index + 1);
        // The linter has found the same line already when its keyword is English.
        if self
            .problems
            .iter()
            .all(|problem| problem.place.line != line)
        {
            self.problem(
                LineCol { line, col: 1 },
                "a step that belongs to no scenario",
                "the line above that should begin one is misspelt or missing; prose must not read like a step",
            );
        }
    }

    /// The check that holds in every language: a misspelt first step becomes a description.
    fn no_prose(&mut self, position: LineCol, description: Option<&str>) {
        let first = description
            .unwrap_or_default()
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty());
        let Some(first) = first else {
            return;
        };
        let behind = self.source.lines().enumerate().skip(position.line);
        let line = behind
            .filter(|(_, line)| line.trim() == first)
            .map(|(index, _)| index + 1)
            .next()
            .unwrap_or(position.line);
        // The linter has found the same line already when the file is English.
        if self
            .problems
            .iter()
            .all(|problem| problem.place.line != line)
        {
            self.problem(LineCol { line, col: 1 }, "this line is no step, and prose is not allowed here", "a misspelt keyword becomes prose and would not be run; put prose under the feature, or behind a `#`");
        }
    }

    fn place(&self, position: LineCol) -> Place {
        Place::new(self.path, position.line, position.col)
    }

    fn problem(&mut self, position: LineCol, message: impl Into<String>, hint: &str) {
        let problem = Problem::new(self.place(position), message)
            .in_text(self.source)
            .with_hint(hint);
        self.problems.push(problem);
    }
}

impl TemplateStep {
    /// Whether it holds no placeholder.
    pub(super) fn is_plain(&self) -> bool {
        let mut cells = self.table.iter().flatten().flatten();
        let has_none = |text: &String| !text.contains('<');
        has_none(&self.text) && cells.all(has_none) && self.doc_string.iter().all(has_none)
    }

    /// The step with every text changed by `fill`.
    pub(super) fn map(&self, fill: &impl Fn(&str) -> String) -> Self {
        let table = self.table.as_ref().map(|rows| {
            rows.iter()
                .map(|row| row.iter().map(|cell| fill(cell)).collect())
                .collect()
        });
        Self {
            keyword: self.keyword.clone(),
            text: fill(&self.text),
            table,
            doc_string: self.doc_string.as_deref().map(fill),
            place: self.place.clone(),
        }
    }
}

/// Replaces each `<name>` for which `value` knows one, once: what comes in is not looked at again.
pub(super) fn fill<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let (before, tail) = rest.split_at(open);
        filled.push_str(before);
        let named = tail
            .find('>')
            .map(|close| (&tail[1..close], &tail[close + 1..]));
        match named.and_then(|(name, behind)| value(name).map(|value| (value, behind))) {
            Some((value, behind)) => {
                filled.push_str(value);
                rest = behind;
            }
            None => {
                filled.push('<');
                rest = &tail[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

// `gherkin` keeps the line break after the opening and before the closing delimiter (cucumber.md 2).
fn doc_string(text: &str) -> String {
    let text = text.strip_prefix('\n').unwrap_or(text);
    text.strip_suffix('\n').unwrap_or(text).to_owned()
}

/// Line of the n-th row of a table; comments and blank lines between rows are skipped.
fn row_line(source: &str, first: usize, row: usize) -> usize {
    let rows = source
        .lines()
        .enumerate()
        .skip(first.saturating_sub(1))
        .filter(|(_, line)| line.trim().starts_with('|'));
    rows.map(|(index, _)| index + 1).nth(row).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Sha256;

    fn read(source: &str) -> Result<Vec<Template>, Vec<Problem>> {
        let bytes = source.as_bytes().to_vec();
        let file = FeatureFile {
            label: "f/a.feature".into(),
            path: "a.feature".into(),
            digest: Sha256::of(&bytes),
            bytes,
        };
        parse(&file).map(|(_, templates)| templates)
    }

    #[test]
    fn backgrounds_rules_outlines_and_tags_come_together() {
        let templates = read("@f\nFeature: f\n  Background:\n    Given each instance\n  @s\n  Scenario Outline: get <x>\n    Then artifact \"<x>\" can be retrieved\n    @e\n    Examples:\n      | x |\n      # comment\n      | a<y> |\n      | b |\n  Rule: r\n    Background:\n      And each team responsible for it\n    Scenario: s\n      When the team connects\n").unwrap();
        let names: Vec<_> = templates
            .iter()
            .map(|t| (t.name.as_str(), t.line, t.steps.len()))
            .collect();
        assert_eq!(names, [("get a<y>", 12, 2), ("get b", 13, 2), ("s", 17, 3)]);
        assert_eq!(*templates[0].tags, ["f", "s", "e"]);
        assert_eq!(
            templates[0].steps[1].text,
            "artifact \"a<y>\" can be retrieved"
        );
    }

    #[test]
    fn other_languages_doc_strings_and_tables_work() {
        let templates = read("# language: de\nFunktionalität: f\n  Szenario: s\n    Angenommen each instance\n    Dann its output contains:\n      \"\"\"\n      one\n      two\n      \"\"\"\n    Und these artifacts can be retrieved:\n      | event log |\n").unwrap();
        let steps = &templates[0].steps;
        assert_eq!(steps[0].text, "each instance");
        assert_eq!(
            steps[1]
                .doc_string
                .as_deref()
                .map(|text| text.lines().map(str::trim).collect()),
            Some(vec!["one", "two"])
        );
        assert_eq!(steps[2].table, Some(vec![vec!["event log".to_owned()]]));
    }

    #[test]
    fn what_would_run_nothing_is_refused() {
        for (source, message) in [
            ("", "an empty feature"),
            ("Feature: f\n", "a feature without a scenario"),
            (
                "Feature: f\n  Background:\n    Given each instance\n",
                "a feature without a scenario",
            ),
            ("Feature: f\n  Scenario: s\n", "a scenario without steps"),
            (
                "Feature: f\n  Scenario:\n    Given each instance\n",
                "a scenario without a name",
            ),
            (
                "Feature: f\n  Scenario Outline: s\n    Given each instance\n    Examples:\n      | x |\n",
                "without a row",
            ),
            (
                "Feature: f\n  Scenario Outline: s\n    Given each instance\n    Examples:\n",
                "without a table",
            ),
            (
                "Feature: f\n  Scenario Outline: s\n    Given each instance\n    Examples:\n      | host |\n      | a |\n",
                "hides the built-in",
            ),
            (
                "Feature: f\n  Scenario Outline: s\n    Given each instance\n",
                "an outline without examples",
            ),
            ("Feature: f\n  Rule: r\n", "a rule without a scenario"),
            ("# language: xx\nFeature: f\n", "unknown language"),
            (
                "# language: de\nFunktionalität: f\n  Szenario: s\n    Angenomen each instance\n    Dann x\n",
                "this line is no step",
            ),
            (
                "# language: de\nFunktionalität: f\n  Szenaro: s\n    Dann the team connects\n  Szenario: t\n    Dann the team connects\n",
                "a step that belongs to no scenario",
            ),
            (
                "Feature: f\n  scenario s\n    then the team connects\n  Scenario: t\n    Then the team connects\n",
                "a step that belongs to no scenario",
            ),
            (
                "Feature: f\n  Rule: r\n    scenario s\n    then the team connects\n    Scenario: t\n      Then the team connects\n",
                "a step that belongs to no scenario",
            ),
            (
                "Feature: f\n  Scenario: s\n    # note\r    Then the version can be retrieved\n    Then the team connects\n",
                "a line break that Gherkin does not know",
            ),
            (
                "Feature: f\n  Scenario: s\n    Given each instance\n    Whne x\n",
                "unknown keyword `Whne`",
            ),
        ] {
            let problems = read(source).expect_err(source);
            assert!(
                problems.iter().any(|p| p.message.contains(message)),
                "{source:?}: {problems:#?}"
            );
        }
    }

    #[test]
    fn a_value_is_filled_in_once() {
        let filled = fill("a <x> b <unknown> <x", |name| {
            (name == "x").then_some("<x>")
        });
        assert_eq!(filled, "a <x> b <unknown> <x");
    }
}
