//! `gonogo steps`: the vocabulary, from the one table.

use std::fmt::Write as _;

use serde_json::json;

use super::args::{Steps, StepsFormat};
use super::fault::{Exit, Fault};
use super::term;
use crate::steps::{STEPS, StepDef, Takes};

pub(super) fn steps(args: &Steps) -> Result<Exit, Fault> {
    term::out(&match args.format {
        StepsFormat::Text => text(),
        StepsFormat::Markdown => markdown(),
        StepsFormat::Json => json(),
    });
    Ok(Exit::Go)
}

fn text() -> String {
    let mut out = String::new();
    for def in STEPS.iter() {
        let _ = writeln!(
            out,
            "{} {}\n    {}{}\n    e.g. {}\n",
            def.keyword,
            def.expression,
            def.doc,
            below(def),
            def.example
        );
    }
    out.push_str(PARAMETERS);
    out
}

const PARAMETERS: &str = "\
{string}    text in double or single quotes
{artifact}  the version | the configuration | the event log | the statistics database | artifact \"NAME\"
{int}       a whole number from 1 on
{duration}  a whole number and milliseconds, seconds, minutes, hours or days

<instance> <host> <team> <product> <vendor> <environment> in names and steps are filled in for each check.
";

/// What docs/steps.md holds; a test keeps the two the same.
pub(super) fn markdown() -> String {
    let mut out = String::from(
        "# Steps\n\nWritten by `gonogo steps --format markdown`. Keywords are interchangeable; `And` and `But` continue the one before.\n\n| step | what it proves |\n|---|---|\n",
    );
    for def in STEPS.iter() {
        let _ = writeln!(
            out,
            "| `{} {}` | {}{} |",
            def.keyword,
            def.expression,
            def.doc,
            below(def)
        );
    }
    let _ = write!(out, "\n```text\n{PARAMETERS}```\n");
    out
}

fn json() -> String {
    let step = |def: &&StepDef| {
        json!({
            "keyword": def.keyword,
            "expression": def.expression,
            "example": def.example,
            "proves": def.doc,
            "below": match def.takes { Takes::Nothing => "nothing", Takes::Table => "table", Takes::DocString => "doc-string" },
        })
    };
    let all: Vec<_> = STEPS.iter().map(step).collect();
    format!(
        "{:#}\n",
        json!({ "schema": "gonogo/steps/v1", "steps": all })
    )
}

const fn below(def: &StepDef) -> &'static str {
    match def.takes {
        Takes::Nothing => "",
        Takes::Table => " A one-column table follows.",
        Takes::DocString => " A doc string follows.",
    }
}

#[cfg(test)]
mod tests {
    use crate::steps::STEPS;

    #[test]
    fn every_parameter_of_the_table_is_explained() {
        for def in STEPS.iter() {
            for rest in def.expression.split('{').skip(1) {
                let name = rest.split_once('}').unwrap().0;
                let begins = format!("{{{name}}} ");
                let mut lines = super::PARAMETERS.lines();
                assert!(
                    lines.any(|line| line.starts_with(&begins)),
                    "{}",
                    def.expression
                );
            }
        }
    }

    #[test]
    fn the_page_in_docs_is_what_the_table_says() {
        let page =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/steps.md")).unwrap();
        assert!(
            page == super::markdown(),
            "write it anew: gonogo steps --format markdown > docs/steps.md"
        );
    }
}
