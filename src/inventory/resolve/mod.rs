//! From the inventory as written to the inventory as meant: references followed, profiles and
//! overrides merged, placeholders filled. Everything that does not fit is refused on the page, and
//! resolving goes on with the rest.

mod artifacts;
mod chroots;
mod claims;
mod hosts;
mod instances;
mod logins;
mod paths;
mod placeholders;
mod products;
mod urls;
mod vendors;

use std::collections::HashMap;

use super::Team;
use super::forbidden::Never;
use super::login::Logins;
use super::page::{Page, Text};
use super::profile::Profiles;
use super::raw::Raw;
use super::ssh_config::Configs;
use super::{Host, Instance, Vendor};
use crate::text;

/// What an inventory is made of.
pub(super) struct Resolved {
    pub environment: String,
    pub hosts: Vec<Host>,
    pub host_index: Index,
    pub teams: Vec<Team>,
    pub team_index: Index,
    pub instances: Vec<Instance>,
    pub vendors: Vec<Vendor>,
    pub products: Vec<(String, Option<String>)>,
    pub logins: Logins,
}

/// Name → position in the file.
///
/// A plan looks up a hundred names for each host, and whoever writes an inventory gains nothing by names that collide.
pub(super) type Index = HashMap<String, usize, foldhash::fast::RandomState>;

/// Resolves everything; usable only when the page holds no problem afterwards.
pub(super) fn resolve(
    raw: Raw,
    page: &mut Page<'_>,
    configs: Configs,
    profiles: &Profiles,
    never: &Never,
) -> Resolved {
    let host_index = index(raw.hosts.iter().map(|host| &host.name));
    let team_index = index(raw.teams.iter().map(|team| &team.name));
    let known = Known {
        hosts: &host_index,
        teams: &team_index,
    };
    logins::check(page, &raw, &known);
    let products = products::merge(page, &raw, profiles);
    let instances = instances::resolve(page, &raw, &known, &products, never);
    chroots::check(page, &raw, &known, &instances);
    vendors::check(page, &raw, &known);
    let hosts = hosts::resolve(page, &raw);
    let team_names = raw.teams.iter().map(|team| team.name.value.clone());
    let teams = team_names.map(|name| Team { name }).collect();
    let vendors = raw.vendors.into_iter();
    let vendors = vendors.map(|vendor| vendor.vendor).collect();
    let products = products.into_iter();
    let products = products
        .map(|product| (product.name, product.vendor))
        .collect();
    let team_levels = raw.teams.into_iter().map(|team| team.access).collect();
    let host_levels = raw.hosts.into_iter().map(|host| host.access).collect();
    Resolved {
        environment: raw.environment.map(|name| name.value).unwrap_or_default(),
        hosts,
        host_index,
        teams,
        team_index,
        instances,
        vendors,
        products,
        logins: Logins::new(raw.ssh, team_levels, host_levels, configs),
    }
}

/// What references may point to.
struct Known<'a> {
    hosts: &'a Index,
    teams: &'a Index,
}

fn index<'a>(names: impl Iterator<Item = &'a Text>) -> Index {
    index_of(names.map(|name| name.value.as_str()))
}

fn index_of<'a>(names: impl Iterator<Item = &'a str>) -> Index {
    names
        .enumerate()
        .map(|(at, name)| (name.to_owned(), at))
        .collect()
}

/// Refuses a reference that leads nowhere, unless the section it leads into was itself refused.
fn dangling<'k>(
    page: &mut Page<'_>,
    reference: &Text,
    noun: &str,
    section: &str,
    section_unread: bool,
    known: impl Iterator<Item = &'k str>,
) {
    if section_unread {
        return;
    }
    let mut hint = match page.may_guess(known.size_hint().0) {
        true => text::did_you_mean(&reference.value, known),
        false => String::new(),
    };
    if hint.is_empty() {
        hint = format!("add it under `{section}:`, or name one that stands there");
    }
    let message = format!("there is no {noun} `{}`", reference.value);
    page.refuse(reference.at, message, hint);
}
