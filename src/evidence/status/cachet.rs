//! Cachet 3, three lists (github.com/cachethq/core, src/Http/Resources and src/Enums). Its 2.x has other
//! numbers for the same words and is refused: there `id` and `status` stand beside each other.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{corrupt, instant, json, words};
use crate::failure::Failure;
use crate::probe::{Component, Incident, Maintenance, Page};
use crate::time::rfc3339;

const KIND: &str = "Cachet 3 (`/api/…`)";
/// ComponentStatusEnum: operational.
const OPERATIONAL: i64 = 1;

#[derive(Deserialize)]
struct List<T> {
    data: Vec<Resource<T>>,
    links: Option<Links>,
}

#[derive(Deserialize)]
struct Resource<T> {
    attributes: T,
}

#[derive(Deserialize)]
struct Links {
    next: Option<String>,
}

#[derive(Deserialize)]
struct Moment {
    string: Option<String>,
}

/// A bare number in some releases, an object with it in others.
#[derive(Deserialize)]
#[serde(untagged)]
enum Status {
    Bare(i64),
    Told { value: i64 },
}

impl Status {
    const fn value(&self) -> i64 {
        match self {
            Self::Bare(value) | Self::Told { value } => *value,
        }
    }
}

#[derive(Deserialize)]
struct Part {
    name: String,
    status: Status,
    updated: Option<Moment>,
}

#[derive(Deserialize)]
struct Told {
    name: String,
    status: Status,
    occurred: Option<Moment>,
    created: Option<Moment>,
    updated: Option<Moment>,
}

#[derive(Deserialize)]
struct Plan {
    name: String,
    status: Status,
    scheduled: Option<Moment>,
    completed: Option<Moment>,
    updated: Option<Moment>,
}

fn list<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>, Failure> {
    let list: List<T> = json(bytes, KIND)?;
    if list.links.is_some_and(|links| links.next.is_some()) {
        return Err(corrupt(KIND, "only the first part of a longer list"));
    }
    Ok(list.data.into_iter().map(|one| one.attributes).collect())
}

/// `2026-11-22 15:00:00`, as Laravel writes it; Cachet keeps UTC unless its own settings say otherwise.
fn time(moment: Option<&Moment>) -> Result<Option<String>, Failure> {
    let Some(text) = moment.and_then(|moment| moment.string.as_deref()) else {
        return Ok(None);
    };
    let bare = || {
        let civil = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
        let instant = TimeZone::UTC.to_timestamp(civil).ok()?;
        Some(rfc3339(instant))
    };
    let time = instant(text).or_else(bare);
    time.map(Some)
        .ok_or_else(|| corrupt(KIND, &format!("`{text}` is no time")))
}

/// The newest of all changes.
fn newest<'a>(all: impl Iterator<Item = Option<&'a Moment>>) -> Result<Option<String>, Failure> {
    let mut newest: Option<String> = None;
    for moment in all {
        // All of one form: as text they stand in the order of time.
        newest = newest.max(time(moment)?);
    }
    Ok(newest)
}

pub(super) fn components(bytes: &[u8]) -> Result<Page, Failure> {
    let parts: Vec<Part> = list(bytes)?;
    let unwell = parts
        .iter()
        .filter(|part| part.status.value() != OPERATIONAL);
    let unwell = unwell.map(|part| Component {
        name: words(&part.name),
        word: part.status.value().to_string(),
    });
    Ok(Page {
        updated: newest(parts.iter().map(|part| part.updated.as_ref()))?,
        components: parts.len() as u64,
        unwell: unwell.collect(),
        ..Page::default()
    })
}

pub(super) fn incidents(bytes: &[u8]) -> Result<Page, Failure> {
    let all: Vec<Told> = list(bytes)?;
    let mut incidents = Vec::new();
    for told in &all {
        let began = time(told.occurred.as_ref())?;
        incidents.push(Incident {
            title: words(&told.name),
            word: told.status.value().to_string(),
            impact: None,
            began: match began {
                Some(began) => Some(began),
                None => time(told.created.as_ref())?,
            },
            url: None,
        });
    }
    // Fixed ones are of no more use than to show that somebody keeps the page.
    incidents.retain(|incident| incident.word != "4");
    Ok(Page {
        updated: newest(all.iter().map(|told| told.updated.as_ref()))?,
        incidents,
        ..Page::default()
    })
}

pub(super) fn schedules(bytes: &[u8]) -> Result<Page, Failure> {
    let all: Vec<Plan> = list(bytes)?;
    let mut maintenance = Vec::new();
    for plan in all.iter().filter(|plan| plan.status.value() != 2) {
        maintenance.push(Maintenance {
            title: words(&plan.name),
            word: plan.status.value().to_string(),
            from: time(plan.scheduled.as_ref())?,
            until: time(plan.completed.as_ref())?,
            url: None,
        });
    }
    Ok(Page {
        updated: newest(all.iter().map(|plan| plan.updated.as_ref()))?,
        maintenance,
        ..Page::default()
    })
}
