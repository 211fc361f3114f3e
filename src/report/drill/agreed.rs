//! What the inventory says of the rehearsal with a vendor, taken once when the drill begins: all that is missing of
//! it is told at once, before anybody's time is spent.

use jiff::{SignedDuration, Timestamp};

use super::schema::{Agreed, Coverage, Level, Person};
use crate::calendar::{Lean, Span, tzdb};
use crate::inventory::{Inventory, Vendor};

/// What is agreed with `vendor`, and whether it has to answer a case of that severity `at` that time.
///
/// # Errors
/// Everything that the inventory does not say, a phrase each.
pub fn agreed(
    inventory: &Inventory,
    vendor: &Vendor,
    severity: Option<&str>,
    at: Timestamp,
) -> Result<Agreed, Vec<String>> {
    let mut unsaid = Vec::new();
    let within = vendor.process_test.as_ref().and_then(|test| test.within);
    if within.is_none() {
        unsaid.push(
            "`process_test: {within: TIME}`, the time until the vendor's acknowledgement"
                .to_owned(),
        );
    }
    if vendor.escalation.is_empty() {
        unsaid.push("`escalation`, the levels that are tried".to_owned());
    }
    if vendor.contacts.is_empty() {
        unsaid.push("`contacts`, who can own a finding".to_owned());
    }
    let coverage = match &vendor.coverage {
        None => None,
        Some(coverage) => {
            match coverage.of(severity) {
                Some(hours) => {
                    let hour = SignedDuration::from_hours(1);
                    let horizon = Span {
                        from: at.saturating_sub(hour).unwrap_or(at),
                        to: at.saturating_add(hour).unwrap_or(at),
                    };
                    // Where clocks show a time twice, it is out of hours only as far as that is certain.
                    let answers = hours.within(horizon, Lean::Wide).around(at).is_some();
                    Some(Coverage {
                        severity: severity.map(str::to_owned),
                        answers,
                        tzdb: tzdb().to_owned(),
                    })
                }
                None if severity.is_some() => {
                    unsaid.push("`coverage` for that severity".to_owned());
                    None
                }
                // Hours that differ by severity, and nobody said which: that is not known.
                None => None,
            }
        }
    };
    let seconds = within.map_or(0, |within| within.as_secs());
    match unsaid.is_empty() {
        true => Ok(Agreed {
            contacts: (vendor.contacts.iter())
                .map(|contact| Person {
                    key: contact.key.clone(),
                    name: contact.name.clone(),
                    email: contact.email.clone(),
                })
                .collect(),
            teams: (inventory.teams.iter().map(|team| team.name.clone())).collect(),
            acknowledged_within: seconds,
            escalation: (vendor.escalation.iter())
                .map(|level| Level {
                    name: level.name.clone(),
                    to: level.to.clone(),
                    answers_within: level.answers_within.map(|within| within.as_secs()),
                })
                .collect(),
            coverage,
        }),
        false => Err(unsaid),
    }
}
