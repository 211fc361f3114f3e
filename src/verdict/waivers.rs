//! Rules about waivers: a failure is accepted only by a waiver that says who, why and until when.

use super::words::{list, of_all};
use super::{Check, Facts, Outcome};

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
                let who = |name: &str| name.trim().to_lowercase();
                let expired = match (waiver.expires, facts.finished) {
                    (Some(expires), Some(finished)) => expires <= finished,
                    _ => true,
                };
                let wrong = if expired {
                    "has expired"
                } else if waiver.id.trim().is_empty() {
                    "has no id"
                } else if waiver.reason.trim().is_empty() {
                    "gives no reason"
                } else if who(&waiver.approver).is_empty() {
                    "names nobody who approved it"
                } else if who(&waiver.requester).is_empty() {
                    "names nobody who asked for it"
                } else if who(&waiver.approver) == who(&waiver.requester) {
                    "was approved by the one who asked for it"
                } else {
                    return None;
                };
                Some(format!("waiver {} {wrong}: {id}", waiver.id))
            }
            (_, None) => None,
        }
    };
    let complaints: Vec<_> = facts.checks.iter().filter_map(complain).collect();
    match complaints.is_empty() {
        true => Vec::new(),
        false => vec![list(complaints.iter().map(String::as_str))],
    }
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
