//! Whether the ways to the vendor and from it were proven by people.

use super::{Judged, Moment, Short, place, proof, unsaid};
use crate::failure::FailureKind;
use crate::inventory::{Inventory, Vendor};

pub(super) fn escalation(vendor: &Vendor, moment: &Moment, days: u32) -> Judged {
    let mut judged = Judged::default();
    if vendor.escalation.is_empty() {
        return judged.fail(unsaid(
            vendor,
            "escalation",
            "levels of escalation",
            "escalation: [{name: …, kind: phone, to: …, proven: {date: …, by: …}}]",
        ));
    }
    let mut short = Vec::new();
    for level in &vendor.escalation {
        let what = format!("level `{}`", level.name);
        judged.tell(proof::told(
            &format!("{what} ({})", level.to),
            level.proven.as_ref(),
        ));
        short.extend(proof::short(&what, level.proven.as_ref(), days, moment));
    }
    judged.unless_short(
        format!("every level of escalation proven within {days} days"),
        short,
        place(vendor, "escalation"),
        "have a person use that level, announced as a test, until somebody answers; then write `proven: {date: …, by: …}`",
    )
}

pub(super) fn subscribed(
    vendor: &Vendor,
    inventory: &Inventory,
    moment: &Moment,
    days: u32,
) -> Judged {
    let mut judged = Judged::default();
    if vendor.channels.is_empty() {
        return judged.fail(unsaid(
            vendor,
            "channels",
            "channels that tell of releases and outages",
            "channels: {outages: {url: …, subscribed: {TEAM: {address: …, proven: {date: …, by: …}}}}}",
        ));
    }
    let mut short = Vec::new();
    for channel in &vendor.channels {
        let every: Vec<&str> = match channel.teams.is_empty() {
            true => inventory
                .teams
                .iter()
                .map(|team| team.name.as_str())
                .collect(),
            false => channel.teams.iter().map(String::as_str).collect(),
        };
        if every.is_empty() {
            short.push(Short {
                kind: FailureKind::Missing,
                what: format!(
                    "nobody has to receive `{}`: the inventory has no team",
                    channel.name
                ),
            });
        }
        for team in every {
            let found = channel.subscribed.iter().find(|one| one.team == team);
            let what = format!("team `{team}` on channel `{}`", channel.name);
            let Some(found) = found else {
                short.push(Short {
                    kind: FailureKind::Missing,
                    what: format!("{what} is not subscribed"),
                });
                continue;
            };
            let address = found.address.as_deref().unwrap_or("no address told");
            let proven = found.proven.as_ref();
            judged.tell(proof::told(&format!("{what} ({address})"), proven));
            short.extend(proof::short(&what, proven, days, moment));
        }
    }
    judged.unless_short(
        format!("every team subscribed to every channel, proven within {days} days"),
        short,
        place(vendor, "channels"),
        "subscribe the team, wait until a message has come, and write `proven: {date: …, by: …}` under `subscribed:`; `teams:` of a channel names those whom it concerns",
    )
}
