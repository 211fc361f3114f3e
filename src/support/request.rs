//! Whether a support request for the vendor can be filled in to its last field, and what the inventory fills
//! in. What a run fills in, and what people do, is `case/draft.rs`.

use super::{Judged, Short, listed, place, unsaid};
use crate::failure::{Failure, FailureKind};
use crate::inventory::template::{By, Piece, filled_by};
use crate::inventory::{Contact, Inventory, Vendor};

/// What the inventory says for a field of [`By::Inventory`]; `None` when it says nothing.
#[must_use]
pub fn agreed(field: &str, vendor: &Vendor, inventory: &Inventory) -> Option<String> {
    let contract = vendor.contract.as_ref();
    let named = |key: &Option<String>| vendor.contact(key.as_deref()?).map(told);
    match field {
        "vendor" => Some(vendor.name.clone()),
        "environment" => Some(inventory.environment.clone()),
        "contract" => contract?.id.clone(),
        "plan" => contract?.plan.clone(),
        "contract ends" => Some(contract?.ends?.to_string()),
        "primary contact" => named(&vendor.primary),
        "backup contact" => named(&vendor.backup),
        _ => None,
    }
}

/// What to write in the inventory for it.
#[must_use]
pub fn remedy(field: &str) -> &'static str {
    match field {
        "contract" => "write `contract: {id: …}`",
        "plan" => "write `contract: {plan: …}`",
        "contract ends" => "write `contract: {ends: …}`",
        "primary contact" => "write `primary: CONTACT`",
        "backup contact" => "write `backup: CONTACT`",
        _ => "",
    }
}

fn told(contact: &Contact) -> String {
    let parts = [
        Some(contact.name.as_str()),
        contact.role.as_deref(),
        contact.email.as_deref(),
        contact.phone.as_deref(),
        contact.zone.as_ref().map(|zone| zone.name()),
    ];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    parts.join(", ")
}

pub(super) fn complete(vendor: &Vendor, inventory: &Inventory) -> Judged {
    let mut judged = Judged::default();
    let expected = "a request template of which every field can be filled in";
    let Some(template) = &vendor.request_template else {
        let example = "request_template: 60east-request.txt";
        return judged.fail(unsaid(vendor, "request_template", expected, example));
    };
    let subject = place(vendor, "request_template");
    if let Err(why) = &template.text {
        let actual = format!("it cannot be used: {why}");
        return judged.fail(
            Failure::new(FailureKind::Missing, expected, actual)
                .with_subject(subject)
                .with_hint("name the vendor's template; `gonogo case template` prints one to copy and edit"),
        );
    }
    let pieces = match template.pieces(&vendor.asked) {
        Ok(pieces) => pieces,
        Err(problems) => {
            let all: Vec<String> = (problems.iter())
                .map(|problem| match problem.place.line {
                    0 => problem.message.clone(),
                    line => format!("line {line}: {}", problem.message),
                })
                .collect();
            let hint = problems.first().map_or("", |problem| &problem.hint);
            return judged.fail(
                Failure::new(FailureKind::Mismatch, expected, listed(&all))
                    .with_subject(subject)
                    .with_hint(hint),
            );
        }
    };
    let mut names: Vec<&str> = Vec::new();
    for piece in &pieces {
        if let Piece::Field { name, .. } = piece
            && !names.contains(&name.as_str())
        {
            names.push(name);
        }
    }
    let of = |by: Option<By>| -> Vec<&str> {
        let names = names.iter().copied();
        names.filter(|name| filled_by(name) == by).collect()
    };
    let mut short = Vec::new();
    for name in of(Some(By::Inventory)) {
        match agreed(name, vendor, inventory) {
            Some(value) => judged.tell(format!("{name}: {value}")),
            None => short.push(Short {
                kind: FailureKind::Missing,
                what: format!(
                    "the inventory says nothing for `{{{name}}}`: {}",
                    remedy(name)
                ),
            }),
        }
    }
    for (who, names) in [
        ("filled in from a run", of(Some(By::Run))),
        ("asked of a person", of(None)),
    ] {
        if !names.is_empty() {
            judged.tell(format!("{who}: {}", names.join(", ")));
        }
    }
    judged.unless_short(
        expected,
        short,
        subject,
        "complete what the inventory says of this vendor",
    )
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
