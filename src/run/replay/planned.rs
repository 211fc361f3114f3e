//! Whether a check is told as it was planned, whatever happened in it. Compares in place: a large run has a
//! hundred thousand.

use crate::plan::{Check, Plan, Step};
use crate::report::schema;
use crate::run::report::artifacts;
use crate::steps::Call;

/// Every field is named, so that a new one is either compared or said to be of what happened.
pub(super) fn is_planned(told: &schema::Check, must: &Check, plan: &Plan) -> bool {
    let schema::Check {
        id,
        feature,
        line,
        scenario,
        instance,
        host,
        team,
        vendor,
        tags,
        outcome: _,
        attempts: _,
        started: _,
        duration_ms: _,
        steps,
        evidence: _,
        disks: _,
        probes: _,
        transcript: _,
        failure: _,
        waiver: _,
        earlier: _,
        carried: _,
        answers,
    } = told;
    let subject = &must.subject;
    *id == must.id
        && **feature == *must.feature
        && *line == must.line as u64
        && **scenario == *must.scenario
        && instance.as_deref() == subject.instance.as_deref()
        && host.as_deref() == subject.host.as_deref()
        && team.as_deref() == subject.team.as_deref()
        && vendor.as_deref() == subject.vendor.as_deref()
        && *tags == *must.tags
        // Never read from a record; one that has some was changed in memory.
        && answers.is_empty()
        && steps.len() == must.steps.len()
        && (steps.iter().zip(&must.steps)).all(|(told, step)| is_step(told, step, must, plan))
}

fn is_step(told: &schema::Step, must: &Step, check: &Check, plan: &Plan) -> bool {
    let schema::Step {
        keyword,
        text,
        outcome: _,
        duration_ms: _,
        artifacts: about,
        asks,
    } = told;
    let asks_the_same = match (&*must.call, asks) {
        (Call::Person(ask), Some(told)) => {
            let schema::Asks { role, question } = told;
            *role == ask.role && *question == ask.question
        }
        (Call::Person(_), None) | (_, Some(_)) => false,
        (_, None) => true,
    };
    **keyword == *must.keyword
        && **text == *must.text
        && asks_the_same
        && about.iter().eq(artifacts(plan, check, &must.call))
}
