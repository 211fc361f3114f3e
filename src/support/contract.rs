//! What the contract says, and how long it holds.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::{Judged, Moment, Short, drill, place, proof, unsaid};
use crate::calendar::days_between;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Contract, Vendor};

const EXPECTED: &str = "a support contract";
const EXAMPLE: &str = "contract: {id: …, plan: …, ends: 2027-03-31}";
const RENEW: &str = "renew the contract, and write its new `ends`";

/// The contract and its last day, where it has begun.
fn current<'v>(vendor: &'v Vendor, moment: &Moment) -> Result<(&'v Contract, Date), Failure> {
    let contract = vendor.contract.as_ref();
    let contract = contract.ok_or_else(|| unsaid(vendor, "contract", EXPECTED, EXAMPLE))?;
    let ends = contract.ends;
    let ends =
        ends.ok_or_else(|| unsaid(vendor, "contract: ends", "the contract's last day", EXAMPLE))?;
    let today = vendor.day(moment.started);
    match contract.begins {
        Some(begins) if begins > today => {
            let expected = "a contract that has begun";
            let actual = format!("it begins on {begins}, and it is {today}");
            let failure = Failure::new(FailureKind::Gap, expected, actual);
            Err(failure
                .with_subject(place(vendor, "contract"))
                .with_hint("until then nobody answers: have it begin earlier"))
        }
        _ => Ok((contract, ends)),
    }
}

/// Holds when the contract does not end before `until`.
fn until(vendor: &Vendor, moment: &Moment, until: Date, why: &str) -> Judged {
    let mut judged = Judged::default();
    let (contract, ends) = match current(vendor, moment) {
        Ok(found) => found,
        Err(failure) => return judged.fail(failure),
    };
    let name = contract.id.as_deref().unwrap_or("without an id");
    judged.tell(format!(
        "contract {name} ends on {ends}, it is needed until {until}: {why}"
    ));
    if ends >= until {
        return judged;
    }
    let expected = format!("a contract until {until}, {why}");
    judged.fail(
        Failure::new(FailureKind::Gap, expected, format!("it ends on {ends}"))
            .with_subject(place(vendor, "contract"))
            .with_hint(RENEW),
    )
}

pub(super) fn holds_for(vendor: &Vendor, moment: &Moment, days: u32) -> Judged {
    let from = moment.latest();
    let last = vendor.day(from).checked_add(i64::from(days).days());
    let what = match from == moment.started {
        true => "the start of this run",
        false => "go-live",
    };
    let why = format!("{days} days from {what} on");
    until(vendor, moment, last.unwrap_or(Date::MAX), &why)
}

pub(super) fn holds_until_drill(vendor: &Vendor, moment: &Moment) -> Judged {
    match drill::due(vendor, moment) {
        // One that is overdue is due today.
        Ok((_, next)) => {
            let next = next.max(proof::today(moment));
            until(vendor, moment, next, "when the next drill is due")
        }
        Err(failure) => Judged::default().fail(failure),
    }
}

pub(super) fn entitled(vendor: &Vendor, moment: &Moment) -> Judged {
    let mut judged = Judged::default();
    let Some(contract) = &vendor.contract else {
        return judged.fail(unsaid(vendor, "contract", EXPECTED, EXAMPLE));
    };
    let mut short = Vec::new();
    let mut need = |what: &str, said: Option<String>| match said {
        Some(said) => judged.tell(format!("{what}: {said}")),
        None => short.push(Short {
            kind: FailureKind::Missing,
            what: format!("no `{what}`"),
        }),
    };
    need("id", contract.id.clone());
    need("plan", contract.plan.clone());
    need("ends", contract.ends.map(|ends| ends.to_string()));
    let severities = contract.severities.iter();
    let severities: Vec<_> = severities
        .map(|(name, within)| format!("{name} within {}", crate::time::say(*within)))
        .collect();
    need("severities", said(&severities));
    let openers: Vec<_> = contract
        .openers
        .iter()
        .filter_map(|key| vendor.contact(key))
        .collect();
    let named: Vec<_> = openers.iter().map(|contact| contact.name.clone()).collect();
    need("openers", said(&named));
    let today = vendor.day(moment.started);
    let live = vendor.day(moment.latest());
    if let Some(ends) = contract.ends.filter(|ends| *ends < live) {
        let what = match ends < today {
            true => {
                let ago = crate::text::count(
                    usize::try_from(days_between(ends, today)).unwrap_or_default(),
                    "day",
                );
                format!("it ended on {ends}, {ago} ago")
            }
            false => format!("it ends on {ends}, before go-live on {live}"),
        };
        short.push(Short {
            kind: FailureKind::Gap,
            what,
        });
    }
    judged.unless_short(
        "contract id, plan, severities, end, and who may open cases",
        short,
        place(vendor, "contract"),
        "support asks for these before it helps: complete `contract:`",
    )
}

fn said(all: &[String]) -> Option<String> {
    (!all.is_empty()).then(|| all.join(", "))
}
