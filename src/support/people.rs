//! Whether the people who talk to the vendor are two.

use super::{Judged, Short, phones, place, unsaid};
use crate::failure::FailureKind;
use crate::inventory::{Contact, Vendor};
use crate::text::looks;

pub(super) fn differ(vendor: &Vendor) -> Judged {
    let mut judged = Judged::default();
    let named = |key: &'static str, chosen: &Option<String>| {
        let contact = chosen.as_deref().and_then(|chosen| vendor.contact(chosen));
        let expected = "a primary and a backup contact";
        contact.ok_or_else(|| unsaid(vendor, key, expected, &format!("{key}: CONTACT")))
    };
    let (primary, backup) = match (
        named("primary", &vendor.primary),
        named("backup", &vendor.backup),
    ) {
        (Ok(primary), Ok(backup)) => (primary, backup),
        (Err(failure), _) | (_, Err(failure)) => return judged.fail(failure),
    };
    judged.tell(format!("primary: {}, {}", primary.name, phone(primary)));
    judged.tell(format!("backup: {}, {}", backup.name, phone(backup)));
    let mut short = Vec::new();
    let mut same = |what: &str, said: &str| {
        short.push(Short {
            kind: FailureKind::Mismatch,
            what: format!("both {what} {said}"),
        });
    };
    let is_one = primary.key == backup.key || looks(&primary.name) == looks(&backup.name);
    if is_one {
        same("are", &primary.name);
    }
    if let (Some(one), Some(other)) = (&primary.email, &backup.email)
        && alike(one, other)
    {
        same("read", one);
    }
    if let (Some(one), Some(other)) = (&primary.phone, &backup.phone)
        && phones::is_same(one, other)
    {
        same("answer", one);
    }
    for contact in [primary, backup] {
        if contact.phone.is_none() {
            short.push(Short {
                kind: FailureKind::Missing,
                what: format!("{} has no telephone", contact.name),
            });
        }
    }
    judged.unless_short(
        "two people, each with a telephone and a mailbox of their own",
        short,
        place(vendor, "primary, backup"),
        "whatever keeps the one away must not keep the other: name somebody else as `backup`",
    )
}

fn phone(contact: &Contact) -> &str {
    contact.phone.as_deref().unwrap_or("no telephone")
}

/// Whether two addresses are one mailbox, as far as their spelling tells.
pub(super) fn alike(one: &str, other: &str) -> bool {
    mailbox(one) == mailbox(other)
}

/// Without capitals and without what is behind a `+`, which most servers deliver to the same mailbox (RFC 5233); the
/// domain as the network asks for it (RFC 5891). One provider's addresses are one with dots and without.
fn mailbox(address: &str) -> String {
    let (name, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_lowercase());
    let name = name.to_lowercase();
    let plain = match name.split_once('+') {
        Some((plain, _)) if !plain.is_empty() => plain,
        _ => &name,
    };
    match &*domain {
        "gmail.com" | "googlemail.com" => format!("{}@gmail.com", plain.replace('.', "")),
        _ => format!("{plain}@{domain}"),
    }
}
