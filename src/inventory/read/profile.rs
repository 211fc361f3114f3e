//! A profile as written: what a product of its name starts from. The keys of its artifacts are those of
//! an inventory's.

use super::artifact::artifacts;
use crate::inventory::artifact::Kind;
use crate::inventory::discover::Discover;
use crate::inventory::fields::{self, Keys};
use crate::inventory::forbidden::Rules;
use crate::inventory::grammar;
use crate::inventory::page::{Page, Spanned};
use crate::inventory::placeholder::RESERVED;
use crate::inventory::profile::{Profile, Var};
use crate::inventory::raw::Artifact;
use crate::inventory::yaml::Node;
use crate::text;

/// The profile of that name.
pub(in crate::inventory) fn profile(
    page: &mut Page<'_>,
    name: &str,
    root: &Node<'_>,
) -> Option<Profile> {
    let mut profile = Profile::default();
    let mut keys = Keys::of(page, root, format!("profile `{name}`"), root.at)?;
    let about = keys.take("about");
    profile.about = about.and_then(|node| fields::checked(page, node, "about", grammar::printable));
    let vendor = keys.take("vendor");
    profile.vendor = vendor.and_then(|node| fields::checked(page, node, "vendor", grammar::name));
    let declared = keys.take("vars");
    profile.vars = vars(page, declared);
    profile.artifacts = artifacts(page, keys.take("artifacts"));
    let never = keys.entry("never");
    let never = never.and_then(|entry| super::never::never(page, &entry.value, entry.at));
    profile.never = never.unwrap_or_default();
    if let Some(entry) = keys.entry("discover") {
        let found = super::discover::discover(page, name, &entry.value, entry.at);
        let configuration = Some(Kind::Configuration);
        let mut artifacts = profile.artifacts.iter();
        let first = artifacts
            .find(|artifact| artifact.kind.as_ref().map(|kind| kind.value) == configuration);
        let format = first.and_then(|artifact| artifact.format.as_ref());
        profile.discover = found.map(|found| Discover {
            format: format.map(|format| format.value),
            ..found
        });
    }
    keys.done(page);
    if declared.is_some() {
        undeclared(page, &profile);
    }
    Some(profile)
}

/// What the profile of that name never runs, and nothing else of it.
pub(in crate::inventory) fn rules(
    page: &mut Page<'_>,
    name: &str,
    root: &Node<'_>,
) -> Option<Rules> {
    let mut keys = Keys::of(page, root, format!("profile `{name}`"), root.at)?;
    let never = keys.entry("never");
    let never = never.and_then(|entry| super::never::never(page, &entry.value, entry.at));
    Some(never.unwrap_or_default())
}

/// `NAME: {about: TEXT, default: TEXT, optional: true}`
fn vars(page: &mut Page<'_>, node: Option<&Node<'_>>) -> Vec<Var> {
    let Some(entries) = node.and_then(|node| fields::entries(page, node, "`vars`")) else {
        return Vec::new();
    };
    let mut vars = Vec::with_capacity(entries.len());
    for entry in entries {
        let name = entry.key.as_ref();
        let rule = match RESERVED.contains(&name) {
            true => Err("this placeholder has its value already: take another name".to_owned()),
            false => grammar::identifier(name),
        };
        if let Err(hint) = rule {
            let message = format!("`{name}` cannot be a placeholder of a profile");
            page.refuse(entry.at, message, hint);
            continue;
        }
        let Some(mut keys) = Keys::of(page, &entry.value, format!("var `{name}`"), entry.at) else {
            continue;
        };
        let mut text = |key| {
            let node = keys.take(key)?;
            fields::checked(page, node, key, grammar::printable).map(|text| text.value)
        };
        let (about, default) = (text("about"), text("default"));
        let optional = keys.take("optional");
        let optional = optional.and_then(|node| fields::flag(page, node, "optional"));
        keys.done(page);
        if let (Some(flag), true) = (&optional, default.is_some()) {
            let hint = "a placeholder with a default always has a value: remove one of the two";
            page.refuse(
                flag.at,
                format!("var `{name}` is optional and has a default"),
                hint,
            );
        }
        vars.push(Var {
            name: Spanned {
                at: entry.at,
                value: name.to_owned(),
            },
            about,
            default,
            optional: optional.is_some_and(|flag| flag.value),
        });
    }
    vars
}

/// A profile that declares its placeholders uses no other.
fn undeclared(page: &mut Page<'_>, profile: &Profile) {
    let known: Vec<&str> = profile
        .vars
        .iter()
        .map(|var| var.name.value.as_str())
        .chain(RESERVED)
        .collect();
    for template in profile.artifacts.iter().flat_map(Artifact::templates) {
        for hole in template.holes().filter(|hole| !known.contains(hole)) {
            let mut hint = text::did_you_mean(hole, known.iter().copied());
            if hint.is_empty() {
                hint = format!("declare it: `vars: {{{hole}: {{about: …}}}}`");
            }
            let message = format!("`{{{hole}}}` is none of this profile's `vars`");
            page.refuse(template.at, message, hint);
        }
    }
}
