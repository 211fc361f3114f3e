//! Products as meant: the built-in profile of that name or choice, then what the inventory says.

use std::collections::HashSet;

use super::artifacts;
use crate::inventory::page::{Mark, Page, Text};
use crate::inventory::profile;
use crate::inventory::raw::{Artifact, Raw};
use crate::text;

/// One product with its profile applied.
pub(super) struct Product {
    pub name: String,
    /// Where it stands; for a profile used without being declared, where it is first used.
    pub at: Mark,
    pub vendor: Option<String>,
    /// In the profile's order, then in the file's.
    pub artifacts: Vec<Artifact>,
}

/// Every declared product, and every profile that an instance names without declaring a product.
pub(super) fn merge(page: &mut Page<'_>, raw: &Raw) -> Vec<Product> {
    let vendors: HashSet<&str> = raw.vendors.iter().map(|name| name.value.as_str()).collect();
    let mut products = Vec::new();
    let mut declared = HashSet::new();
    for product in &raw.products {
        let name = product.name.value.as_str();
        declared.insert(name);
        let base = match &product.profile {
            Some(chosen) => {
                let found = profile::find(&chosen.value);
                if found.is_none() {
                    refuse_profile(page, chosen);
                }
                found
            }
            None => profile::find(name),
        };
        if let Some(vendor) = &product.vendor
            && !vendors.contains(vendor.value.as_str())
        {
            let known = vendors.iter().copied();
            super::dangling(page, vendor, "vendor", "vendors", raw.unread.vendors, known);
        }
        let (base_vendor, base) = match base {
            Some(base) => (base.vendor, base.artifacts),
            None => (None, Vec::new()),
        };
        // A profile's vendor counts only where the inventory describes that vendor.
        let base_vendor = base_vendor.filter(|vendor| vendors.contains(vendor.value.as_str()));
        let vendor = product.vendor.clone().or(base_vendor);
        products.push(Product {
            name: name.to_owned(),
            at: product.name.at,
            vendor: vendor.map(|vendor| vendor.value),
            artifacts: over(base, &product.artifacts),
        });
    }
    for instance in &raw.instances {
        if let Some(used) = &instance.product
            && !declared.contains(used.value.as_str())
            && let Some(base) = profile::find(&used.value)
        {
            declared.insert(used.value.as_str());
            let vendor = base.vendor.map(|vendor| vendor.value);
            products.push(Product {
                name: used.value.clone(),
                at: used.at,
                vendor: vendor.filter(|vendor| vendors.contains(vendor.as_str())),
                artifacts: base.artifacts,
            });
        }
    }
    products
}

/// `base` with what `written` overrides or adds, by name.
pub(super) fn over(mut base: Vec<Artifact>, written: &[Artifact]) -> Vec<Artifact> {
    for artifact in written {
        let known = base
            .iter_mut()
            .find(|known| known.name.value == artifact.name.value);
        match known {
            Some(known) => *known = artifacts::overlay(known, artifact),
            None => base.push(artifact.clone()),
        }
    }
    base
}

fn refuse_profile(page: &mut Page<'_>, chosen: &Text) {
    let mut hint = text::did_you_mean(&chosen.value, profile::names());
    if hint.is_empty() {
        let known: Vec<&str> = profile::names().collect();
        hint = format!("profiles: {}", known.join(", "));
    }
    let message = format!("there is no profile `{}`", chosen.value);
    page.refuse(chosen.at, message, hint);
}
