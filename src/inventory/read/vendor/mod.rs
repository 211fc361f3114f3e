//! One key of `vendors:`. What it refers to (contacts, teams, instances, severities) is noted with its
//! place; `resolve/vendors.rs` looks whether it is there.

mod asked;
mod channels;
pub(in crate::inventory) mod holidays;
mod hours;
mod intake;
mod people;
mod releases;
mod submission;

use std::path::{Path, PathBuf};

use super::access;
use crate::calendar::{self, Zone};
use crate::inventory::fields::{self, Keys};
use crate::inventory::page::{Mark, Page, Spanned, Text};
use crate::inventory::raw::{self, Reference, Refers};
use crate::inventory::template::{self, Template};
use crate::inventory::vendor::{Contract, Drill, HolidayFile, Vendor};
use crate::inventory::yaml::Node;
use crate::inventory::{email, grammar, phone};
use holidays::Records;

/// What the parts of a vendor share while it is read.
struct Reading<'v> {
    zone: Option<&'v Zone>,
    /// The vendor's zone was refused: that hours have none is the same mistake.
    zone_refused: bool,
    refers: Vec<Reference>,
    keys: Vec<Spanned<PathBuf>>,
    cas: Vec<Spanned<PathBuf>>,
    openpgp: Vec<Spanned<PathBuf>>,
    folder: &'v Path,
    records: Option<&'v Records>,
    holidays: Vec<HolidayFile>,
    /// Something in the contract, the hours or the applications was refused; something in the contacts.
    hours_refused: bool,
    contacts_refused: bool,
}

impl Reading<'_> {
    fn refers(&mut self, to: Refers, text: &Text) {
        self.refers.push(Reference {
            to,
            text: text.clone(),
        });
    }
}

pub(super) fn vendor(
    page: &mut Page<'_>,
    name: Text,
    node: &Node<'_>,
    folder: &Path,
    records: Option<&Records>,
) -> raw::Vendor {
    let owner = format!("vendor `{}`", name.value);
    let mut vendor = Vendor {
        name: name.value.clone(),
        ..Vendor::default()
    };
    let (mut unread, mut contacts_unread) = (true, true);
    let (mut refers, mut key_files) = (Vec::new(), Vec::new());
    let (mut cas, mut openpgp) = (Vec::new(), Vec::new());
    if let Some(mut keys) = Keys::of(page, node, owner, name.at) {
        let written = keys.take("timezone");
        let zone = written.and_then(|node| hours::zone(page, node));
        let mut reading = Reading {
            zone: zone.as_ref(),
            zone_refused: written.is_some() && zone.is_none(),
            refers,
            keys: key_files,
            cas,
            openpgp,
            folder,
            records,
            holidays: Vec::new(),
            hours_refused: false,
            contacts_refused: false,
        };
        whole(page, &mut keys, &mut vendor, &mut reading);
        unread = reading.zone_refused || reading.hours_refused;
        contacts_unread = reading.contacts_refused;
        refers = reading.refers;
        (key_files, cas, openpgp) = (reading.keys, reading.cas, reading.openpgp);
        vendor.holiday_files = reading.holidays;
        vendor.zone = zone;
        let before = page.refusals();
        keys.done(page);
        let is_misspelt = page.refusals() > before;
        unread |= is_misspelt;
        contacts_unread |= is_misspelt;
    }
    raw::Vendor {
        name,
        vendor,
        refers,
        keys: key_files,
        cas,
        openpgp,
        unread,
        contacts_unread,
    }
}

fn whole(
    page: &mut Page<'_>,
    keys: &mut Keys<'_, '_>,
    vendor: &mut Vendor,
    reading: &mut Reading<'_>,
) {
    let before = page.refusals();
    if let Some(entry) = keys.entry("contract") {
        vendor.contract = contract(page, &entry.value, entry.at, reading);
    }
    if let Some(entry) = keys.entry("coverage") {
        vendor.coverage = hours::coverage(page, &entry.value, entry.at, reading);
    }
    if let Some(node) = keys.take("applications") {
        vendor.applications = hours::applications(page, node, reading);
    }
    reading.hours_refused = page.refusals() > before;
    if let Some(node) = keys.take("out_of_hours") {
        vendor.out_of_hours = hours::out_of_hours(page, node, reading);
    }
    let before = page.refusals();
    if let Some(node) = keys.take("contacts") {
        vendor.contacts = people::contacts(page, node);
    }
    reading.contacts_refused = page.refusals() > before;
    for (key, place) in [
        ("primary", &mut vendor.primary),
        ("backup", &mut vendor.backup),
    ] {
        let named = keys.take(key);
        let named = named.and_then(|node| fields::checked(page, node, key, grammar::name));
        if let Some(named) = named {
            reading.refers(Refers::Contact, &named);
            *place = Some(named.value);
        }
    }
    if let Some(node) = keys.take("escalation") {
        vendor.escalation = channels::escalation(page, node, reading);
    }
    if let Some(node) = keys.take("channels") {
        vendor.channels = channels::channels(page, node, reading);
    }
    if let Some(entry) = keys.entry("release_windows") {
        vendor.release_windows = releases::windows(page, &entry.value, entry.at, reading);
    }
    if let Some(node) = keys.take("announced") {
        vendor.announced = releases::announced(page, node);
    }
    if let Some(entry) = keys.entry("drill") {
        vendor.drill = drill(page, &entry.value, entry.at);
    }
    if let Some(node) = keys.take("status_pages") {
        vendor.status_pages = asked::status_pages(page, node, reading);
    }
    if let Some(node) = keys.take("monitoring") {
        vendor.monitoring = asked::monitoring(page, node, reading);
    }
    if let Some(node) = keys.take("outage_log") {
        vendor.outage_log = asked::outage_log(page, node, reading);
    }
    if let Some(node) = keys.take("resolver") {
        let server = fields::parsed(page, node, "resolver", asked::resolver);
        vendor.resolver = server.map(|server| server.value);
    }
    if let Some(node) = keys.take("probe_from") {
        vendor.probe_from = email(page, node, "probe_from");
        if let Some(address) = &vendor.probe_from
            && !address.is_ascii()
        {
            let hint = "write the domain as DNS has it (xn--…)";
            page.refuse(node.at, "not every mail server knows such a sender", hint);
        }
    }
    if let Some(node) = keys.take("request_template") {
        let template = access::file(page, node, "request_template", reading.folder);
        // Its text is read later: a run that is verified has kept it.
        vendor.request_template = template.map(|path| Template {
            path: path.value,
            text: Err(String::new()),
        });
    }
    if let Some(node) = keys.take("asked")
        && let Some(asked) = fields::names(page, node, "asked", template::asked)
    {
        vendor.asked = asked.value.into_iter().map(|field| field.value).collect();
    }
    if let Some(node) = keys.take("intake") {
        vendor.intake = intake::intake(page, node, reading);
    }
    if let Some(entry) = keys.entry("process_test") {
        vendor.process_test = intake::process_test(page, &entry.value, entry.at);
    }
}

fn contract(
    page: &mut Page<'_>,
    node: &Node<'_>,
    at: Mark,
    reading: &mut Reading<'_>,
) -> Option<Contract> {
    let mut keys = Keys::of(page, node, "`contract`", at)?;
    let mut contract = Contract {
        id: said(page, &mut keys, "id"),
        plan: said(page, &mut keys, "plan"),
        begins: day(page, &mut keys, "begins"),
        ends: day(page, &mut keys, "ends"),
        ..Contract::default()
    };
    if let (Some(begins), Some(ends)) = (contract.begins, contract.ends)
        && ends < begins
    {
        page.refuse(
            at,
            "this contract ends before it begins",
            "`begins` is its first day, `ends` its last",
        );
    }
    if let Some(entry) = keys.entry("severities")
        && let Some(entries) = fields::entries(page, &entry.value, "`severities`")
    {
        for severity in entries {
            let name = super::key_name(page, severity);
            let within = fields::parsed(page, &severity.value, &name.value, access::duration);
            if let Some(within) = within {
                contract.severities.push((name.value, within.value));
            }
        }
    }
    if let Some(node) = keys.take("openers")
        && let Some(openers) = fields::names(page, node, "openers", grammar::name)
    {
        for opener in openers.value {
            reading.refers(Refers::Contact, &opener);
            contract.openers.push(opener.value);
        }
    }
    keys.done(page);
    Some(contract)
}

fn drill(page: &mut Page<'_>, node: &Node<'_>, at: Mark) -> Option<Drill> {
    let mut keys = Keys::of(page, node, "`drill`", at)?;
    let last = day(page, &mut keys, "last");
    let interval = keys.take("interval");
    let interval = interval.and_then(|node| fields::parsed(page, node, "interval", days));
    keys.done(page);
    Some(Drill {
        last,
        interval: interval.map_or(Drill::INTERVAL, |interval| interval.value),
    })
}

/// `92d`: whole days, a year at most.
fn days(text: &str) -> Result<u32, String> {
    let hint = "write whole days, from 1d to 366d, such as 92d";
    let days = text.strip_suffix('d').ok_or(hint)?;
    match days.parse() {
        Ok(days @ 1..=366) => Ok(days),
        _ => Err(hint.to_owned()),
    }
}

/// Words for people.
fn said(page: &mut Page<'_>, keys: &mut Keys<'_, '_>, key: &'static str) -> Option<String> {
    let node = keys.take(key)?;
    fields::checked(page, node, key, grammar::stated).map(|text| text.value)
}

fn day(
    page: &mut Page<'_>,
    keys: &mut Keys<'_, '_>,
    key: &'static str,
) -> Option<jiff::civil::Date> {
    let node = keys.take(key)?;
    fields::parsed(page, node, key, calendar::day).map(|day| day.value)
}

/// A URL that people or gonogo open from here.
fn url(page: &mut Page<'_>, node: &Node<'_>, key: &str) -> Option<String> {
    let read = |text: &str| crate::inventory::Url::parse(text).map(|_| text.to_owned());
    fields::parsed(page, node, key, read).map(|url| url.value)
}

fn email(page: &mut Page<'_>, node: &Node<'_>, key: &str) -> Option<String> {
    fields::checked(page, node, key, email::address).map(|address| address.value)
}

fn phone(page: &mut Page<'_>, node: &Node<'_>, key: &str) -> Option<String> {
    fields::parsed(page, node, key, phone::number).map(|number| number.value)
}
