//! Whether the ways to the vendor and from it were proven by people.

use super::{Judged, Moment, Short, people, phones, place, proof, unsaid};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Inventory, Level, Means, Vendor};

fn no_level(vendor: &Vendor) -> Failure {
    unsaid(
        vendor,
        "escalation",
        "levels of escalation",
        "escalation: [{name: …, kind: phone, to: …, hours: 24x7, answers_within: 1h, proven: {date: …, by: …}}]",
    )
}

/// When each level answers and how soon, and that no two are one.
pub(super) fn agreed(vendor: &Vendor) -> Judged {
    let mut judged = Judged::default();
    if vendor.escalation.is_empty() {
        return judged.fail(no_level(vendor));
    }
    let mut short = Vec::new();
    for (at, level) in vendor.escalation.iter().enumerate() {
        let what = format!("level `{}`", level.name);
        let within = level.answers_within.map(crate::time::say);
        judged.tell(format!(
            "{what} ({}): {}, {}",
            level.to,
            match level.hours {
                Some(_) => "has its hours",
                None => "no hours told",
            },
            match &within {
                Some(within) => format!("answers within {within}"),
                None => "no response goal told".to_owned(),
            }
        ));
        let mut lacks = |key: &str| {
            short.push(Short {
                kind: FailureKind::Missing,
                what: format!("{what} tells no `{key}`"),
            });
        };
        if level.hours.is_none() {
            lacks("hours");
        }
        if within.is_none() {
            lacks("answers_within");
        }
        let mut before = vendor.escalation.iter().take(at);
        if let Some(same) = before.find(|other| leads_to_the_same(other, level)) {
            short.push(Short {
                kind: FailureKind::Mismatch,
                what: format!(
                    "{what} leads where level `{}` does: {}",
                    same.name, level.to
                ),
            });
        }
    }
    judged.unless_short(
        "levels of escalation with their hours and a response goal, each a way of its own",
        short,
        place(vendor, "escalation"),
        "write `hours:` (`24x7` where it always answers) and `answers_within:` beside each level, as the vendor promises them; who did not answer at one level must not be the next",
    )
}

fn leads_to_the_same(one: &Level, other: &Level) -> bool {
    let is_mail = |level: &Level| matches!(level.means, Means::Email | Means::EmergencyEmail);
    let (a, b) = (one.to.trim_end_matches('/'), other.to.trim_end_matches('/'));
    match (one.means, other.means) {
        (Means::Phone, Means::Phone) => phones::is_same(a, b),
        (Means::Forum | Means::Url, Means::Forum | Means::Url) => a == b,
        _ => is_mail(one) && is_mail(other) && people::alike(a, b),
    }
}

pub(super) fn escalation(vendor: &Vendor, moment: &Moment, days: u32) -> Judged {
    let mut judged = Judged::default();
    if vendor.escalation.is_empty() {
        return judged.fail(no_level(vendor));
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
            let address = found.address.as_deref();
            let proven = found.proven.as_ref();
            let said = address.unwrap_or("no address told");
            judged.tell(proof::told(&format!("{what} ({said})"), proven));
            match address {
                None => short.push(Short {
                    kind: FailureKind::Missing,
                    what: format!("{what} tells no address"),
                }),
                Some(number) if number.starts_with('+') && !phones::fits(number) => {
                    short.push(Short {
                        kind: FailureKind::Mismatch,
                        what: format!("{what}: {number} is no number of its country"),
                    });
                }
                Some(_) => {}
            }
            short.extend(proof::short(&what, proven, days, moment));
        }
    }
    judged.unless_short(
        format!("every team subscribed to every channel, proven within {days} days"),
        short,
        place(vendor, "channels"),
        "subscribe the team, wait until a message has come, and write `{address: …, proven: {date: …, by: …}}` under `subscribed:`; `teams:` of a channel names those whom it concerns",
    )
}
