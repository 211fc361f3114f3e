//! How often checks were tried: what passes one time in three is no GO for everybody.

use super::named;
use crate::inventory::policy::Retries;
use crate::report::schema::Report;
use crate::text::count;

/// What goes beyond, a phrase each.
pub(super) fn beyond(report: &Report, rule: &Retries) -> Vec<String> {
    let mut beyond = Vec::new();
    let retried = report.checks.iter().filter(|check| check.attempts > 1);
    let retried: Vec<_> = retried.collect();
    if let Some(most) = rule.most_checks.filter(|most| retried.len() > *most) {
        let names: Vec<_> = retried.iter().take(5).map(|check| named(check)).collect();
        let more = match retried.len().saturating_sub(5) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let found = count(retried.len(), "check");
        let names = names.join(", ");
        beyond.push(format!(
            "{found} tried more than once, at most {most} accepted: {names}{more}"
        ));
    }
    if let Some(most) = rule.most_attempts {
        let often = retried
            .iter()
            .filter(|check| check.attempts as usize > most);
        beyond.extend(often.map(|check| {
            let attempts = check.attempts;
            format!(
                "{attempts} attempts of {}, at most {most} accepted",
                named(check)
            )
        }));
    }
    if rule.no_restating
        && let Some(restates) = &report.run.restates
    {
        beyond.push(format!(
            "the run restates run {}, and none is accepted that does",
            restates.run
        ));
    }
    beyond
}
