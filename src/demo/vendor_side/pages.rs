//! What the practice vendor's web site says: of a service that is well, and the ways in which it is not.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::time::rfc3339;

/// Statuspage, API v2.
pub(in crate::demo) const SUMMARY: &str = "/status/api/v2/summary.json";
/// What is announced.
pub(in crate::demo) const FEED: &str = "/announcements.atom";
/// Past outages.
pub(in crate::demo) const LOG: &str = "/history.atom";
/// What is monitored.
pub(in crate::demo) const HEALTH: &str = "/health.json";
/// Where evidence goes, with an account that nobody here has.
pub(in crate::demo) const UPLOAD: &str = "/cases/";

/// One answer of the site.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Page {
    pub status: u16,
    pub kind: &'static str,
    pub body: String,
    /// How long the first answer takes.
    pub late: Duration,
}

impl Page {
    fn new(kind: &'static str, body: String) -> Self {
        Self {
            status: 200,
            kind,
            body,
            late: Duration::ZERO,
        }
    }
}

/// What the status page tells.
pub(in crate::demo) struct Told {
    /// `none`, `minor`, `major`, `critical`; anything else is a word of its own.
    pub indicator: &'static str,
    /// When somebody last changed it.
    pub updated: Timestamp,
    /// Whether an incident is open.
    pub incident: bool,
    /// When maintenance begins.
    pub maintenance: Timestamp,
}

impl Told {
    /// All is well; maintenance comes a week behind go-live.
    pub(in crate::demo) fn well(now: Timestamp, go_live: Timestamp) -> Self {
        Self {
            indicator: "none",
            updated: now - 2.hours(),
            incident: false,
            maintenance: go_live + 168.hours(),
        }
    }

    /// As the page says it.
    pub(in crate::demo) fn page(&self, now: Timestamp) -> Page {
        let incidents: Vec<Value> = match self.incident {
            false => Vec::new(),
            true => vec![json!({
                "name": "Orders are acknowledged late", "status": "investigating", "impact": "minor",
                "started_at": rfc3339(now - 1.hours()), "shortlink": "https://status.echo.example.com/i/1",
            })],
        };
        let components = ["API", "Order entry", "Market data"]
            .map(|name| json!({"name": name, "status": "operational"}));
        let page = json!({
            "page": {"name": "Echo, for practice", "updated_at": rfc3339(self.updated)},
            "status": {"indicator": self.indicator, "description": "for practice"},
            "components": components,
            "incidents": incidents,
            "scheduled_maintenances": [{
                "name": "Database upgrade", "status": "scheduled", "impact": "maintenance",
                "scheduled_for": rfc3339(self.maintenance), "scheduled_until": rfc3339(self.maintenance + 3.hours()),
                "shortlink": "https://status.echo.example.com/m/2",
            }],
        });
        Page::new("application/json", page.to_string())
    }
}

/// The monitored URL's answer, as of that time.
pub(in crate::demo) fn health(at: Timestamp) -> Page {
    let body = json!({"status": "ok", "updated": rfc3339(at)});
    Page::new("application/json", body.to_string())
}

/// Every page, all of them well.
pub(super) fn all(now: Timestamp, go_live: Timestamp) -> BTreeMap<&'static str, Page> {
    let days = |days: i64| rfc3339(now - (24 * days).hours());
    let feed = |title: &str, entries: &[(&str, String)]| {
        let entries: String = (entries.iter())
            .map(|(title, at)| {
                format!("<entry><title>{title}</title><updated>{at}</updated></entry>")
            })
            .collect();
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>{title}</title>{entries}</feed>\n"
        );
        Page::new("application/atom+xml", body)
    };
    let announced = [
        ("Release 2026.11: nothing to do", days(9)),
        ("Release 2026.10: new certificates", days(37)),
    ];
    let outages = [("Orders rejected for 12 minutes", days(40))];
    let upload = Page {
        status: 401,
        ..Page::new("text/plain", "an account is wanted\n".to_owned())
    };
    BTreeMap::from([
        (SUMMARY, Told::well(now, go_live).page(now)),
        (FEED, feed("Announcements", &announced)),
        (LOG, feed("Outages", &outages)),
        (HEALTH, health(now)),
        (UPLOAD, upload),
    ])
}
