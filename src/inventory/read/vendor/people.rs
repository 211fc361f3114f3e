//! Contacts, and when something was last proven by a person.

use super::{email, hours, phone, said};
use crate::calendar;
use crate::inventory::fields::{self, Keys};
use crate::inventory::grammar;
use crate::inventory::page::Page;
use crate::inventory::vendor::{Contact, Proven};
use crate::inventory::yaml::Node;

pub(super) fn contacts(page: &mut Page<'_>, node: &Node<'_>) -> Vec<Contact> {
    let entries = fields::entries(page, node, "`contacts`").unwrap_or_default();
    let mut contacts = Vec::new();
    for entry in entries {
        let key = super::super::key_name(page, entry);
        let owner = format!("contact `{}`", key.value);
        let Some(mut keys) = Keys::of(page, &entry.value, owner, entry.at) else {
            continue;
        };
        let name = keys.require("name", "Ana Silva");
        let name = name.and_then(|node| fields::checked(page, node, "name", grammar::stated));
        let email = keys.take("email").map(|node| email(page, node, "email"));
        let probe = probe(page, &mut keys, email.clone().flatten().as_deref());
        let phone = keys.take("phone").map(|node| phone(page, node, "phone"));
        let contact = Contact {
            name: name.map(|name| name.value).unwrap_or_default(),
            role: said(page, &mut keys, "role"),
            zone: (keys.take("timezone")).and_then(|node| hours::zone(page, node)),
            proven: proven(page, &mut keys),
            email: email.clone().flatten(),
            probe,
            phone: phone.clone().flatten(),
            key: key.value,
        };
        keys.done(page);
        if email.is_none() && phone.is_none() {
            let message = format!("nobody can reach contact `{}`", contact.key);
            page.refuse(entry.at, message, "write its `email`, its `phone`, or both");
        }
        contacts.push(contact);
    }
    contacts
}

/// `probe: rcpt`: its mail server is asked whether it accepts the address.
pub(super) fn probe(page: &mut Page<'_>, keys: &mut Keys<'_, '_>, address: Option<&str>) -> bool {
    let Some(entry) = keys.entry("probe") else {
        return false;
    };
    let asked = fields::word(page, &entry.value, "probe", &[("rcpt", true)]);
    match address {
        None => {
            let hint =
                "write it beside the address of a person, or of a level that is reached by e-mail";
            page.refuse(entry.at, "`probe` without an e-mail address", hint);
        }
        Some(address) if !address.is_ascii() => {
            let hint = "write the domain as DNS has it (xn--…), or remove `probe`";
            page.refuse(
                entry.at,
                "not every mail server can be asked about this address",
                hint,
            );
        }
        Some(_) => {}
    }
    asked.is_some()
}

/// `proven: {date: 2026-10-01, by: Ana Silva}`.
pub(super) fn proven(page: &mut Page<'_>, keys: &mut Keys<'_, '_>) -> Option<Proven> {
    day_of(page, keys, "proven")
}

/// When somebody last read what a feed announces: of what is no feed nobody can tell what came since.
pub(super) fn read_of(
    page: &mut Page<'_>,
    keys: &mut Keys<'_, '_>,
    is_feed: bool,
    hint: &str,
) -> Option<Proven> {
    if let (Some(entry), false) = (keys.entry("read"), is_feed) {
        page.refuse(entry.at, "`read` without a feed is judged by nothing", hint);
    }
    day_of(page, keys, "read")
}

/// The same below another key.
pub(super) fn day_of(
    page: &mut Page<'_>,
    keys: &mut Keys<'_, '_>,
    key: &'static str,
) -> Option<Proven> {
    let entry = keys.entry(key)?;
    let mut keys = Keys::of(page, &entry.value, format!("`{key}`"), entry.at)?;
    let date = keys.require("date", "2026-10-01");
    let date = date.and_then(|node| fields::parsed(page, node, "date", calendar::day));
    let by = keys.require("by", "Ana Silva");
    let by = by.and_then(|node| fields::checked(page, node, "by", grammar::stated));
    keys.done(page);
    Some(Proven {
        date: date?.value,
        by: by?.value,
    })
}
