//! Ways to the vendor and from it that people use: escalation levels and channels.

use super::{Reading, asked, email, hours, people, phone, url};
use crate::inventory::fields::{self, Keys};
use crate::inventory::grammar;
use crate::inventory::page::Page;
use crate::inventory::raw::Refers;
use crate::inventory::read::access;
use crate::inventory::vendor::{Channel, Level, Means, Subscription};
use crate::inventory::yaml::{self, Node};

pub(super) fn escalation(
    page: &mut Page<'_>,
    node: &Node<'_>,
    reading: &mut Reading<'_>,
) -> Vec<Level> {
    let read = |page: &mut Page<'_>, item: &Node<'_>| {
        let mut keys = Keys::of(page, item, "a level of `escalation`", item.at)?;
        let name = keys.require("name", "emergency desk");
        let name = name.and_then(|node| fields::checked(page, node, "name", grammar::name));
        let means = keys.require("kind", "phone");
        let means = means.and_then(|node| fields::word(page, node, "kind", &Means::WORDS));
        let means = means.map(|means| means.value);
        let to = keys.require("to", "\"+1 212 555 0100\"");
        let to = to.zip(means).and_then(|(node, means)| match means {
            Means::Forum | Means::Url => url(page, node, "to"),
            Means::Email | Means::EmergencyEmail => email(page, node, "to"),
            Means::Phone => phone(page, node, "to"),
        });
        let hours = match keys.entry("hours") {
            Some(_) => hours::hours(page, &mut keys, item.at, reading),
            None => None,
        };
        let within = keys.take("answers_within");
        let within =
            within.and_then(|node| fields::parsed(page, node, "answers_within", access::duration));
        let proven = people::proven(page, &mut keys);
        let is_mail = matches!(means, Some(Means::Email | Means::EmergencyEmail));
        let address = to.as_deref().filter(|_| is_mail);
        let probe = people::probe(page, &mut keys, address);
        keys.done(page);
        let at = item.at;
        Some((
            at,
            Level {
                name: name?.value,
                means: means?,
                to: to?,
                probe,
                hours,
                answers_within: within.map(|within| within.value),
                proven,
            },
        ))
    };
    let levels = fields::list(page, node, "escalation", read);
    let levels = levels.map(|levels| levels.value).unwrap_or_default();
    for (name, at) in yaml::repeated(levels.iter().map(|(at, level)| (level.name.as_str(), *at))) {
        let message = format!("two levels of `escalation` are called `{name}`");
        page.refuse(at, message, "give each a name of its own");
    }
    levels.into_iter().map(|(_, level)| level).collect()
}

pub(super) fn channels(
    page: &mut Page<'_>,
    node: &Node<'_>,
    reading: &mut Reading<'_>,
) -> Vec<Channel> {
    let entries = fields::entries(page, node, "`channels`").unwrap_or_default();
    let mut channels = Vec::new();
    for entry in entries {
        let name = super::super::key_name(page, entry);
        let owner = format!("channel `{}`", name.value);
        let Some(mut keys) = Keys::of(page, &entry.value, owner, entry.at) else {
            continue;
        };
        let url = keys.entry("url");
        let url = url.and_then(|entry| asked::asked_at(page, entry, "url", reading));
        let mut teams = Vec::new();
        if let Some(node) = keys.take("teams")
            && let Some(named) = fields::names(page, node, "teams", grammar::name)
        {
            if named.value.is_empty() {
                let hint = "name them, or leave the key out: then every team must be";
                page.refuse(
                    node.at,
                    "no team has to be subscribed to this channel",
                    hint,
                );
            }
            for team in named.value {
                reading.refers(Refers::Team, &team);
                teams.push(team.value);
            }
        }
        let subscribed = keys.take("subscribed");
        let subscribed = subscribed.map(|node| subscriptions(page, node, reading));
        let written = keys.entry("feed");
        let feed = written.and_then(|entry| asked::asked_at(page, entry, "feed", reading));
        let hint = "write `feed:` with the URL of what it announces, or remove `read`";
        let read = people::read_of(page, &mut keys, written.is_some(), hint);
        keys.done(page);
        channels.push(Channel {
            name: name.value,
            url,
            teams,
            subscribed: subscribed.unwrap_or_default(),
            feed,
            read,
        });
    }
    channels
}

/// `subscribed: {operations: {address: …, proven: …}}`.
fn subscriptions(
    page: &mut Page<'_>,
    node: &Node<'_>,
    reading: &mut Reading<'_>,
) -> Vec<Subscription> {
    let entries = fields::entries(page, node, "`subscribed`").unwrap_or_default();
    let mut subscriptions = Vec::new();
    for entry in entries {
        let team = super::super::key_name(page, entry);
        reading.refers(Refers::Team, &team);
        let owner = format!("the subscription of team `{}`", team.value);
        let Some(mut keys) = Keys::of(page, &entry.value, owner, entry.at) else {
            continue;
        };
        let address = keys.take("address");
        let address = address.and_then(|node| receives(page, node));
        let proven = people::proven(page, &mut keys);
        keys.done(page);
        subscriptions.push(Subscription {
            team: team.value,
            address,
            proven,
        });
    }
    subscriptions
}

/// An e-mail address, a telephone number, or words of another way, such as a room of a chat.
fn receives(page: &mut Page<'_>, node: &Node<'_>) -> Option<String> {
    let text = fields::checked(page, node, "address", grammar::stated)?.value;
    if text.contains('@') {
        email(page, node, "address")
    } else if text.starts_with(|first: char| first == '+' || first.is_ascii_digit()) {
        phone(page, node, "address")
    } else {
        Some(text)
    }
}
