//! Products as meant: the profile of that name or choice, then what the inventory says.

use std::collections::HashSet;

use super::artifacts;
use crate::inventory::page::{Mark, Page};
use crate::inventory::profile::{Profiles, Var};
use crate::inventory::raw::{Artifact, Raw};

/// One product with its profile applied.
pub(super) struct Product {
    pub name: String,
    /// Where it stands; for a profile used without being declared, where it is first used.
    pub at: Mark,
    pub vendor: Option<String>,
    /// Placeholders of its profile.
    pub vars: Vec<Var>,
    /// In the profile's order, then in the file's.
    pub artifacts: Vec<Artifact>,
}

/// Every declared product, and every profile that an instance names without declaring a product.
pub(super) fn merge(page: &mut Page<'_>, raw: &Raw, profiles: &Profiles) -> Vec<Product> {
    let vendors: HashSet<&str> = (raw.vendors.iter())
        .map(|vendor| vendor.name.value.as_str())
        .collect();
    let mut products = Vec::new();
    let mut declared = HashSet::new();
    for product in &raw.products {
        let name = product.name.value.as_str();
        declared.insert(name);
        let chosen = product.profile.as_ref();
        let base = profiles.find(chosen.map_or(name, |chosen| &chosen.value));
        if let Some(vendor) = &product.vendor
            && !vendors.contains(vendor.value.as_str())
        {
            let known = vendors.iter().copied();
            super::dangling(page, vendor, "vendor", "vendors", raw.unread.vendors, known);
        }
        // A profile's vendor counts only where the inventory describes that vendor.
        let base_vendor = base.and_then(|base| base.vendor.clone());
        let base_vendor = base_vendor.filter(|vendor| vendors.contains(vendor.value.as_str()));
        let vendor = product.vendor.clone().or(base_vendor);
        let (vars, base) = match base {
            Some(base) => (base.vars.clone(), base.artifacts.clone()),
            None => (Vec::new(), Vec::new()),
        };
        products.push(Product {
            name: name.to_owned(),
            at: product.name.at,
            vendor: vendor.map(|vendor| vendor.value),
            vars,
            artifacts: over(base, &product.artifacts),
        });
    }
    for instance in &raw.instances {
        if let Some(used) = &instance.product
            && !declared.contains(used.value.as_str())
            && let Some(base) = profiles.find(&used.value)
        {
            declared.insert(used.value.as_str());
            let vendor = base.vendor.as_ref().map(|vendor| vendor.value.clone());
            products.push(Product {
                name: used.value.clone(),
                at: used.at,
                vendor: vendor.filter(|vendor| vendors.contains(vendor.as_str())),
                vars: base.vars.clone(),
                artifacts: base.artifacts.clone(),
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
