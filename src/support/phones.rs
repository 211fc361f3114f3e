//! Telephone numbers beside the numbering plans of their countries. That a number is possible does not
//! say that anybody answers.

mod plans;

use phonenumber::{Type, country, parse_with};

use super::questions::subscriptions;
use super::{Judged, Short, place};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Means, Vendor};

pub(super) fn valid(vendor: &Vendor) -> Judged {
    let mut judged = Judged::default();
    let people = vendor.contacts.iter().filter_map(|contact| {
        let phone = contact.phone.as_deref()?;
        Some((format!("contact `{}`", contact.key), phone))
    });
    let levels = vendor.escalation.iter();
    let levels = levels.filter(|level| level.means == Means::Phone);
    let levels = levels.map(|level| (format!("level `{}`", level.name), level.to.as_str()));
    let teams = subscriptions(vendor).filter(|(_, address)| address.starts_with('+'));
    let numbers: Vec<(String, &str)> = people.chain(levels).chain(teams).collect();
    if numbers.is_empty() {
        let expected = "telephone numbers";
        let failure = Failure::new(
            FailureKind::Missing,
            expected,
            "no contact and no level has one",
        );
        return judged.fail(failure.with_subject(place(vendor, "contacts")).with_hint(
            "write `phone:` of a contact, or a level of `escalation` of `kind: phone`",
        ));
    }
    let mut short = Vec::new();
    for (whose, number) in numbers {
        match kind(number) {
            None => short.push(Short {
                kind: FailureKind::Mismatch,
                what: format!("{number} of {whose} is no number of its country"),
            }),
            Some(Type::TollFree) => judged.tell(format!(
                "{whose}: {number} is free of charge where it is: it may be out of reach from abroad"
            )),
            Some(Type::PremiumRate) => judged.tell(format!("{whose}: {number} is charged at a premium rate")),
            Some(_) => judged.tell(format!("{whose}: {number}")),
        }
    }
    judged.unless_short(
        "numbers that fit their country's numbering plan",
        short,
        place(vendor, "contacts, escalation, channels"),
        "see whether digits are missing, too many or swapped, and call it",
    )
}

/// Whether its country has such a number.
pub(super) fn fits(number: &str) -> bool {
    kind(number).is_some()
}

/// Whether both are one number, however they are written: with the zero that is dialled at home (`+44 (0)20 …`) too.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let read = |number: &str| {
        let plan = plans::of(number)?;
        let number = parse_with(&plan, None::<country::Id>, number).ok()?;
        Some((number.code().value(), number.national().value()))
    };
    one == other || read(one).is_some_and(|number| Some(number) == read(other))
}

/// What sort of number it is, where its country has it.
fn kind(number: &str) -> Option<Type> {
    let plan = plans::of(number)?;
    let number = parse_with(&plan, None::<country::Id>, number).ok()?;
    let kind = number.number_type(&plan);
    (number.is_valid_with(&plan) && kind != Type::Unknown).then_some(kind)
}
