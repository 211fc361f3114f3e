//! `gonogo profiles`: what is known of products, and each profile as it is written.

use std::fmt::Write as _;

use serde_json::json;

use super::args::{Profiles, ProfilesFormat, ProfilesVerb};
use super::fault::{Exit, Fault};
use super::term;
use crate::inventory::{Shipped, shipped};
use crate::text;

/// What holds for every product is no profile.
const ALL: &str = "all";

pub(super) fn profiles(args: &Profiles) -> Result<Exit, Fault> {
    let all = shipped();
    term::out(&match &args.verb {
        None => match args.format {
            ProfilesFormat::Text => table(&all),
            ProfilesFormat::Json => json(&all),
        },
        Some(ProfilesVerb::Show { name }) => show(&all, name)?.to_owned(),
    });
    Ok(Exit::Go)
}

fn show(all: &[Shipped], name: &str) -> Result<&'static str, Fault> {
    let found = all.iter().find(|profile| profile.name == name);
    found.map(|profile| profile.text).ok_or_else(|| {
        let mut hint = text::did_you_mean(name, all.iter().map(|profile| profile.name));
        if hint.is_empty() {
            "`gonogo profiles` lists them".clone_into(&mut hint);
        }
        let message = format!("there is no profile `{}`", text::escape(name));
        Fault::new(Exit::Refused, message, &hint)
    })
}

fn table(all: &[Shipped]) -> String {
    let width = all.iter().map(|profile| profile.name.len()).max();
    let width = width.unwrap_or_default();
    let mut out = String::new();
    for profile in all.iter().filter(|profile| profile.name != ALL) {
        let _ = writeln!(out, "{:width$}  {}", profile.name, profile.about);
        let _ = writeln!(out, "{:width$}  {}", "", profile.artifacts.join(", "));
    }
    out.push_str("\n`gonogo profiles show NAME` prints one to copy and edit, `gonogo profiles show all` what is never run.\n");
    out
}

fn json(all: &[Shipped]) -> String {
    let profiles = all.iter().filter(|profile| profile.name != ALL);
    let profiles = profiles.map(|profile| {
        json!({
            "name": profile.name,
            "about": profile.about,
            "artifacts": profile.artifacts,
        })
    });
    let profiles: Vec<_> = profiles.collect();
    format!(
        "{:#}\n",
        json!({ "schema": "gonogo/profiles/v1", "profiles": profiles })
    )
}
