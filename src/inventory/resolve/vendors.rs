//! Whether what a vendor refers to is there, and whether its parts fit together.

use std::collections::HashSet;

use super::{Known, dangling};
use crate::inventory::page::Page;
use crate::inventory::raw::{Raw, Reference, Refers, Vendor};

pub(super) fn check(page: &mut Page<'_>, raw: &Raw, known: &Known<'_>) {
    let instances = raw.instances.iter().map(|one| one.name.value.as_str());
    let products = raw.products.iter().map(|one| one.name.value.as_str());
    let used = raw.instances.iter().filter_map(|one| one.product.as_ref());
    let used = used.map(|product| product.value.as_str());
    let applications: HashSet<&str> = instances.chain(products).chain(used).collect();
    for vendor in &raw.vendors {
        for reference in &vendor.refers {
            follow(page, raw, known, &applications, vendor, reference);
        }
        if !vendor.unread {
            severities_fit(page, vendor);
        }
    }
}

fn follow(
    page: &mut Page<'_>,
    raw: &Raw,
    known: &Known<'_>,
    applications: &HashSet<&str>,
    vendor: &Vendor,
    Reference { to, text }: &Reference,
) {
    let name = text.value.as_str();
    match to {
        Refers::Contact => {
            let contacts = vendor.vendor.contacts.iter();
            let contacts = contacts.map(|contact| contact.key.as_str());
            if !contacts.clone().any(|known| known == name) {
                let unread = vendor.contacts_unread && vendor.vendor.contacts.is_empty();
                dangling(page, text, "contact", "contacts", unread, contacts);
            }
        }
        Refers::Severity => {
            let contract = vendor.vendor.contract.as_ref();
            let severities = contract
                .into_iter()
                .flat_map(|contract| &contract.severities);
            let severities = severities.map(|(severity, _)| severity.as_str());
            if !severities.clone().any(|known| known == name) {
                dangling(
                    page,
                    text,
                    "severity",
                    "severities",
                    vendor.unread,
                    severities,
                );
            }
        }
        Refers::Application => {
            let unread = raw.unread.products;
            if !applications.contains(name) {
                let names = applications.iter().copied();
                dangling(
                    page,
                    text,
                    "instance or product",
                    "instances",
                    unread,
                    names,
                );
            }
        }
        Refers::Team => {
            if !known.teams.contains_key(name) {
                let teams = known.teams.keys().map(String::as_str);
                dangling(page, text, "team", "teams", raw.unread.teams, teams);
            }
        }
        Refers::Host => {
            if !known.hosts.contains_key(name) {
                let hosts = known.hosts.keys().map(String::as_str);
                dangling(page, text, "host", "hosts", raw.unread.hosts, hosts);
            }
        }
    }
}

/// Where hours differ by severity, each application says which is its own.
fn severities_fit(page: &mut Page<'_>, vendor: &Vendor) {
    let Some(coverage) = &vendor.vendor.coverage else {
        return;
    };
    for application in &vendor.vendor.applications {
        if coverage.of(application.severity.as_deref()).is_some() {
            continue;
        }
        let mut names = vendor.refers.iter();
        let at = names.find(|of| of.to == Refers::Application && of.text.value == application.name);
        let name = &application.name;
        let message = match &application.severity {
            None => format!(
                "application `{name}` has no `severity`, and the hours of `coverage` differ by it"
            ),
            Some(severity) => {
                format!("`coverage` has no hours for severity `{severity}` of application `{name}`")
            }
        };
        let covered = coverage.hours.iter().filter_map(|(of, _)| of.as_deref());
        let covered: Vec<&str> = covered.collect();
        let hint = format!("it is covered for {}", covered.join(", "));
        page.refuse(at.map_or(vendor.name.at, |of| of.text.at), message, hint);
    }
}
