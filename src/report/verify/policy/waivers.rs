//! Which waivers a policy accepts. That they are approved and hold is asked elsewhere, of every run
//! (`verify/people.rs`): here it is asked how many, for how long, and of what.

use jiff::{SignedDuration, Timestamp};

use super::named;
use crate::inventory::policy::{Waived, fits};
use crate::report::schema::{Check, Granted, Report};
use crate::text::count;

/// What goes beyond, a phrase each.
pub(super) fn beyond(report: &Report, rule: &Waived) -> Vec<String> {
    let waived = report
        .checks
        .iter()
        .filter(|check| check.outcome == "waived");
    let waived: Vec<&Check> = waived.collect();
    let used = report.waivers.iter().filter(|one| !one.covered.is_empty());
    let used: Vec<&Granted> = used.collect();
    let mut beyond = Vec::new();
    if rule.none && !waived.is_empty() {
        let checks = count(waived.len(), "check");
        return vec![format!("{checks} waived, and no waiver is accepted here")];
    }
    for (found, most, what) in [
        (used.len(), rule.most, "waiver"),
        (waived.len(), rule.most_checks, "waived check"),
    ] {
        if let Some(most) = most.filter(|most| found > *most) {
            let found = count(found, what);
            beyond.push(format!("{found}, at most {most} accepted"));
        }
    }
    if let Some(days) = rule.most_days {
        let too_long = used.iter().filter(|one| holds_longer(one, days));
        beyond.extend(too_long.map(|one| {
            let (id, from, expires) = (&one.id, &one.from, &one.expires);
            let days = count(days, "day");
            format!("waiver `{id}` holds from {from} to {expires}, at most {days} accepted")
        }));
    }
    for check in waived {
        let kind = check.failure.as_ref().map(|failure| failure.kind.as_str());
        let never = rule.never_kinds.iter();
        let kind = never
            .map(|kind| kind.as_str())
            .find(|never| Some(*never) == kind);
        let kind = kind.map(|kind| format!("a failure of kind `{kind}` is"));
        let tags = || check.tags.iter().map(|tag| tag.trim_start_matches('@'));
        let tag = rule
            .never_tags
            .iter()
            .find(|never| tags().any(|tag| tag == *never));
        let tag = tag.map(|tag| format!("a check with tag `@{tag}` is"));
        let mut scenarios = rule.never_scenarios.iter();
        let scenario = scenarios.find(|pattern| fits(pattern, &check.scenario));
        let scenario = scenario.map(|name| format!("scenario `{name}` is"));
        if let Some(what) = kind.or(tag).or(scenario) {
            beyond.push(format!("{what} never waived: {}", named(check)));
        }
    }
    beyond
}

/// What cannot be read holds for ever.
fn holds_longer(waiver: &Granted, days: usize) -> bool {
    let time = |text: &str| text.parse::<Timestamp>().ok();
    let most = SignedDuration::from_hours(24 * i64::try_from(days).unwrap_or(0));
    match (time(&waiver.from), time(&waiver.expires)) {
        (Some(from), Some(expires)) => expires.duration_since(from) > most,
        _ => true,
    }
}
