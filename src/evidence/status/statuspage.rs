//! Atlassian Statuspage and what calls itself compatible: `/api/v2/summary.json`.

use serde::Deserialize;

use super::{corrupt, json, time, words};
use crate::failure::Failure;
use crate::probe::{Component, Incident, Maintenance, Page};

const KIND: &str = "Statuspage v2 (`/api/v2/summary.json`)";

#[derive(Deserialize)]
struct Summary {
    page: About,
    status: Status,
    // Where one of them is left out, nobody knows: a clone without incidents tells of none.
    components: Vec<Part>,
    incidents: Vec<Told>,
    scheduled_maintenances: Vec<Told>,
}

#[derive(Deserialize)]
struct About {
    updated_at: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    indicator: String,
}

#[derive(Deserialize)]
struct Part {
    name: String,
    status: String,
}

#[derive(Deserialize)]
struct Told {
    name: String,
    status: String,
    impact: Option<String>,
    started_at: Option<String>,
    created_at: Option<String>,
    shortlink: Option<String>,
    scheduled_for: Option<String>,
    scheduled_until: Option<String>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Page, Failure> {
    let summary: Summary = json(bytes, KIND)?;
    let updated = summary.page.updated_at.as_deref();
    let updated = updated.ok_or_else(|| corrupt(KIND, "`page` without `updated_at`"))?;
    let unwell = summary.components.iter();
    let unwell = unwell.filter(|part| part.status != "operational");
    let unwell = unwell.map(|part| Component {
        name: words(&part.name),
        word: words(&part.status),
    });
    let incidents = summary.incidents.iter().map(|told| Incident {
        title: words(&told.name),
        word: words(&told.status),
        impact: told.impact.as_deref().map(words),
        began: (told.started_at.as_deref().or(told.created_at.as_deref())).map(words),
        url: told.shortlink.as_deref().map(words),
    });
    let maintenance = summary.scheduled_maintenances.iter().map(|told| {
        Ok(Maintenance {
            title: words(&told.name),
            word: words(&told.status),
            from: time(told.scheduled_for.as_deref(), "scheduled_for", KIND)?,
            until: time(told.scheduled_until.as_deref(), "scheduled_until", KIND)?,
            url: told.shortlink.as_deref().map(words),
        })
    });
    Ok(Page {
        indicator: Some(words(&summary.status.indicator)),
        updated: time(Some(updated), "updated_at", KIND)?,
        components: summary.components.len() as u64,
        unwell: unwell.collect(),
        incidents: incidents.collect(),
        maintenance: maintenance.collect::<Result<_, Failure>>()?,
    })
}
