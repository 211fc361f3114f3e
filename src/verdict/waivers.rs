//! Rules about waivers: a failure is accepted only by a waiver that says who, why and until when. Who signed
//! it is not known here: `report/verify/waived.rs` asks.

use std::collections::HashSet;

use jiff::SignedDuration;

use super::words::{list, of_all};
use super::{Check, Facts, Grant, Outcome, Waiver};
use crate::time;

/// Who relies on a waiver hears of its end so long before.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Checks told as waived whose waiver does not hold, and waivers where nothing was waived.
pub(super) fn invalid(facts: &Facts) -> Vec<String> {
    let complain = |check: &Check| -> Option<String> {
        let id = &check.id;
        match (check.outcome, &check.waiver) {
            (Outcome::Waived, None) => Some(format!("waived without a waiver: {id}")),
            (Outcome::Passed | Outcome::Failed | Outcome::Pending, Some(waiver)) => {
                let waiver = &waiver.id;
                Some(format!(
                    "waiver {waiver} stands at a check that is not waived: {id}"
                ))
            }
            (Outcome::Waived, Some(waiver)) => {
                let wrong = wrong(facts, check, waiver)?;
                Some(format!("waiver {} {wrong}: {id}", waiver.id))
            }
            (_, None) => None,
        }
    };
    let mut complaints: Vec<_> = facts.checks.iter().filter_map(complain).collect();
    complaints.extend(
        facts
            .waivers
            .iter()
            .filter_map(|grant| untrue(facts, grant)),
    );
    let is = |outcome: Outcome| facts.checks.iter().any(|check| check.outcome == outcome);
    if is(Outcome::Waived) && !is(Outcome::Passed) {
        complaints.push("nothing passed: waivers alone prove nothing".to_owned());
    }
    match complaints.is_empty() {
        true => Vec::new(),
        false => vec![list(complaints.iter().map(String::as_str))],
    }
}

fn wrong(facts: &Facts, check: &Check, waiver: &Waiver) -> Option<&'static str> {
    let who = |name: &str| name.trim().to_lowercase();
    let begun = match (waiver.from, facts.started) {
        (Some(from), Some(started)) => from <= started,
        _ => false,
    };
    let expired = match (waiver.expires, facts.finished) {
        (Some(expires), Some(finished)) => expires <= finished,
        _ => true,
    };
    let may_be = (check.failure).is_some_and(|kind| kind.may_be_waived(check.at_login));
    let mut grants = facts.waivers.iter();
    let is_told = grants.any(|grant| {
        grant.id == waiver.id
            && (grant.from, grant.expires) == (waiver.from, waiver.expires)
            && grant.covered.contains(&check.id)
    });
    if expired {
        Some("has expired")
    } else if !begun {
        Some("was not valid yet")
    } else if waiver.id.trim().is_empty() {
        Some("has no id")
    } else if waiver.reason.trim().is_empty() {
        Some("gives no reason")
    } else if who(&waiver.approver).is_empty() {
        Some("names nobody who approved it")
    } else if who(&waiver.requester).is_empty() {
        Some("names nobody who asked for it")
    } else if who(&waiver.approver) == who(&waiver.requester) {
        Some("was approved by the one who asked for it")
    } else if !may_be && check.failure.is_some() {
        Some("covers a failure that nobody may waive")
    } else if check.attempts == 0 {
        Some("covers a check that was never tried")
    } else if !is_told {
        Some("is not among those of the run")
    } else {
        None
    }
}

/// What the list of waivers claims and the checks do not bear out.
fn untrue(facts: &Facts, grant: &Grant) -> Option<String> {
    if grant.covered.is_empty() {
        return None;
    }
    let waived = facts.checks.iter().filter(|check| {
        check.outcome == Outcome::Waived
            && (check.waiver.as_ref()).is_some_and(|waiver| waiver.id == grant.id)
    });
    let waived: HashSet<&str> = waived.map(|check| &*check.id).collect();
    let mut covered = grant.covered.iter();
    let stray = covered.find(|id| !waived.contains(&***id))?;
    Some(format!("waiver {} covers no failure of: {stray}", grant.id))
}

/// Waivers are told in every output, GO or not.
pub(super) fn used(facts: &Facts) -> Vec<String> {
    let waived = facts.of(Outcome::Waived);
    if waived.is_empty() {
        return Vec::new();
    }
    let ids = list(waived.iter().map(|check| &*check.id));
    let of_all = of_all(waived.len(), facts.checks.len());
    vec![format!("{of_all} waived: {ids}")]
}

/// A waiver that the verdict rests on, and that ends before go-live or soon after it (after the run, when
/// nobody said when that is).
pub(super) fn ending(facts: &Facts) -> Vec<String> {
    let Some(then) = facts.go_live.or(facts.finished) else {
        return Vec::new();
    };
    let what = match facts.go_live {
        Some(_) => "go-live",
        None => "the run",
    };
    let say = |grant: &Grant| {
        let left = grant.expires?.duration_since(then);
        if grant.covered.is_empty() || left > SOON {
            return None;
        }
        let side = if left > SignedDuration::ZERO {
            "after"
        } else {
            "before"
        };
        let (id, span) = (&grant.id, time::say(left.unsigned_abs()));
        Some(format!("waiver {id} ends {span} {side} {what}"))
    };
    let ends: Vec<_> = facts.waivers.iter().filter_map(say).collect();
    match ends.is_empty() {
        true => Vec::new(),
        false => vec![list(ends.iter().map(String::as_str))],
    }
}

/// Waivers that nothing needed: who keeps them should know.
pub(super) fn unused(facts: &Facts) -> Vec<String> {
    let say = |grant: &Grant| {
        let (id, passed) = (&grant.id, list(grant.passed.iter().map(String::as_str)));
        match (grant.covered.is_empty(), passed.is_empty()) {
            (true, true) => Some(format!("waiver {id} covers nothing")),
            (true, false) => Some(format!(
                "waiver {id} covers nothing, passed without it: {passed}"
            )),
            (false, false) => Some(format!("waiver {id} was not needed for: {passed}")),
            (false, true) => None,
        }
    };
    let told: Vec<_> = facts.waivers.iter().filter_map(say).collect();
    match told.is_empty() {
        true => Vec::new(),
        false => vec![list(told.iter().map(String::as_str))],
    }
}
