//! Hands the plan to cucumber as features. Nothing is parsed here: the plan was made before.

use std::sync::Arc;

use cucumber::parser::Result;
use futures::stream;
use gherkin::StepType;

use crate::plan::{Check, Plan};

/// Prefix of the tag that ties a scenario to its slot.
const SLOT: &str = "gonogo:check:";

/// The slot of a scenario made by [`Parser`].
pub(super) fn slot(scenario: &gherkin::Scenario) -> Option<usize> {
    scenario
        .tags
        .iter()
        .find_map(|tag| tag.strip_prefix(SLOT)?.parse().ok())
}

pub(super) struct Parser;

impl cucumber::Parser<Arc<Plan>> for Parser {
    type Cli = cucumber::cli::Empty;
    type Output = stream::Iter<std::vec::IntoIter<Result<gherkin::Feature>>>;

    // Eager: a parser that is ever pending makes cucumber spin (facts: cucumber.md 1).
    fn parse(self, plan: Arc<Plan>, _: Self::Cli) -> Self::Output {
        let mut features: Vec<gherkin::Feature> = plan
            .features
            .iter()
            .map(|feature| {
                gherkin::Feature::builder()
                    .keyword(feature.keyword.clone())
                    .name(feature.name.clone())
                    .path(Some(feature.file.path.clone()))
                    .build()
            })
            .collect();
        for (index, check) in plan.checks.iter().enumerate() {
            let home = plan
                .features
                .iter()
                .position(|feature| *feature.file.label == *check.feature);
            if let Some(feature) = home.and_then(|home| features.get_mut(home)) {
                feature.scenarios.push(scenario(index, check));
            }
        }
        stream::iter(features.into_iter().map(Ok).collect::<Vec<_>>())
    }
}

fn scenario(index: usize, check: &Check) -> gherkin::Scenario {
    let steps = check.steps.iter().map(|step| {
        // The type only matters to cucumber's own matching, which is not used.
        gherkin::Step::builder()
            .keyword(step.keyword.to_string())
            .ty(StepType::Given)
            .value(step.text.to_string())
            .build()
    });
    gherkin::Scenario::builder()
        .keyword("Scenario".to_owned())
        .name(check.id.clone())
        .steps(steps.collect())
        .tags(vec![format!("{SLOT}{index}")])
        .position(gherkin::LineCol {
            line: check.line,
            col: 1,
        })
        .build()
}
