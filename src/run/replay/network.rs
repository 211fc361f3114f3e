//! Whether what was recorded of the network answers what the check asks, and nothing else.

use jiff::{SignedDuration, Timestamp};

use super::SLACK;
use crate::inventory::Inventory;
use crate::plan::Check;
use crate::report::schema;
use crate::text::escape;

/// Each answer of the network is to a question that the check asks, once, and of the time of the check.
pub(super) fn planned(
    planned: &Check,
    told: &schema::Check,
    all: &Inventory,
) -> Result<(), String> {
    let subject = &planned.subject;
    let steps = planned.steps.iter();
    let questions: Vec<_> = steps
        .flat_map(|step| step.call.questions(subject, all))
        .collect();
    let time = |text: &str| text.parse::<Timestamp>().ok();
    let began = told.started.as_deref().and_then(time);
    let ended =
        began.map(|began| began + SignedDuration::from_millis_i128(told.duration_ms.into()));
    for (index, probe) in told.probes.iter().enumerate() {
        let target = escape(&probe.target);
        if !questions.iter().any(|question| probe.answers(question)) {
            return Err(format!("`{target}` was asked, and was not planned"));
        }
        let is_same = |other: &schema::Probe| {
            (&other.how, &other.target, &other.from, &other.asked)
                == (&probe.how, &probe.target, &probe.from, &probe.asked)
        };
        if told.probes.iter().take(index).any(is_same) {
            return Err(format!("`{target}` is told twice"));
        }
        let within = began.zip(ended).zip(time(&probe.at));
        if !within.is_some_and(|((began, ended), at)| began - SLACK <= at && at <= ended + SLACK) {
            return Err(format!("`{target}` was not asked while the check ran"));
        }
    }
    Ok(())
}
