//! status.io, its public API 1.0: open incidents, maintenance under way and to come.

use serde::Deserialize;

use super::{corrupt, json, time, words};
use crate::failure::Failure;
use crate::probe::{Component, Incident, Maintenance, Page};

const KIND: &str = "status.io (`/1.0/status/ID`)";
/// All is well.
const OPERATIONAL: i64 = 100;

#[derive(Deserialize)]
struct Answer {
    result: Whole,
}

#[derive(Deserialize)]
struct Whole {
    status_overall: Overall,
    status: Vec<Part>,
    incidents: Vec<Told>,
    maintenance: Plans,
}

#[derive(Deserialize)]
struct Overall {
    status_code: i64,
    updated: Option<String>,
}

#[derive(Deserialize)]
struct Part {
    name: String,
    status_code: i64,
    containers: Option<Vec<Container>>,
}

/// Where a component runs, such as a region: with a code of its own.
#[derive(Deserialize)]
struct Container {
    name: String,
    status_code: i64,
}

#[derive(Deserialize)]
struct Plans {
    active: Vec<Told>,
    upcoming: Vec<Told>,
}

#[derive(Deserialize)]
struct Told {
    name: String,
    datetime_open: Option<String>,
    datetime_planned_start: Option<String>,
    datetime_planned_end: Option<String>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Page, Failure> {
    let whole = json::<Answer>(bytes, KIND)?.result;
    let updated = whole.status_overall.updated.as_deref();
    let updated = updated.ok_or_else(|| corrupt(KIND, "`status_overall` without `updated`"))?;
    let mut parts: Vec<(String, i64)> = Vec::new();
    for part in &whole.status {
        parts.push((words(&part.name), part.status_code));
        for container in part.containers.iter().flatten() {
            let name = format!("{} / {}", part.name.trim(), container.name.trim());
            parts.push((words(&name), container.status_code));
        }
    }
    let components = parts.len() as u64;
    let unwell = parts.into_iter().filter(|(_, code)| *code != OPERATIONAL);
    let unwell = unwell.map(|(name, code)| Component {
        name,
        word: code.to_string(),
    });
    let incidents = whole.incidents.iter().map(|told| Incident {
        title: words(&told.name),
        word: "open".to_owned(),
        impact: None,
        began: told.datetime_open.as_deref().map(words),
        url: None,
    });
    let plans = [
        ("active", &whole.maintenance.active),
        ("upcoming", &whole.maintenance.upcoming),
    ];
    let mut maintenance = Vec::new();
    for (word, told) in plans
        .iter()
        .flat_map(|(word, all)| all.iter().map(move |one| (word, one)))
    {
        maintenance.push(Maintenance {
            title: words(&told.name),
            word: (*word).to_owned(),
            from: time(
                told.datetime_planned_start.as_deref(),
                "datetime_planned_start",
                KIND,
            )?,
            until: time(
                told.datetime_planned_end.as_deref(),
                "datetime_planned_end",
                KIND,
            )?,
            url: None,
        });
    }
    Ok(Page {
        indicator: Some(whole.status_overall.status_code.to_string()),
        updated: time(Some(updated), "updated", KIND)?,
        components,
        unwell: unwell.collect(),
        incidents: incidents.collect(),
        maintenance,
    })
}
