//! What is asked of the network: status pages, feeds, the outage log, what is monitored, and by whose
//! certificates it is proven.

use std::net::{IpAddr, SocketAddr};

use super::{Reading, days, people};
use crate::inventory::fields::{self, Keys};
use crate::inventory::grammar;
use crate::inventory::page::Page;
use crate::inventory::raw::Refers;
use crate::inventory::read::access;
use crate::inventory::vendor::{Fresh, Link, Monitoring, OutageLog, PageKind, StatusPage};
use crate::inventory::yaml::{Entry, Node, Value};

/// DNS (RFC 1035 4.2).
const DNS: u16 = 53;
const MOST_REDIRECTS: u32 = 5;
const MOST_SAMPLES: u32 = 10;

/// What the outage log may be.
const LOGS: [(&str, PageKind); 3] = [
    ("page", PageKind::Page),
    ("rss", PageKind::Rss),
    ("atom", PageKind::Atom),
];

/// The keys beside a URL that say how it is asked.
pub(super) fn link(
    page: &mut Page<'_>,
    keys: &mut Keys<'_, '_>,
    url: Option<String>,
    reading: &mut Reading<'_>,
) -> Option<Link> {
    let ca = keys.take("ca");
    let ca = ca.and_then(|node| access::file(page, node, "ca", reading.folder));
    if let (Some(ca), Some(url)) = (&ca, &url)
        && !url.starts_with("https://")
    {
        page.refuse(ca.at, "`ca` is about https", "write https://, or remove it");
    }
    reading.cas.extend(ca.clone());
    let redirects = keys.take("redirects");
    let redirects = redirects.and_then(|node| {
        fields::parsed(page, node, "redirects", |text| {
            number(text, 0, MOST_REDIRECTS)
        })
    });
    Some(Link {
        url: url?,
        ca: ca.map(|ca| ca.value),
        redirects: redirects.map_or(0, |redirects| redirects.value),
    })
}

pub(super) fn status_pages(
    page: &mut Page<'_>,
    node: &Node<'_>,
    reading: &mut Reading<'_>,
) -> Vec<StatusPage> {
    let read = |page: &mut Page<'_>, item: &Node<'_>| {
        let mut keys = Keys::of(page, item, "a page of `status_pages`", item.at)?;
        let url = keys.require("url", "https://status.example.com/");
        let url = url.and_then(|node| super::url(page, node, "url"));
        let kind = keys.require("kind", "statuspage");
        let kind = kind.and_then(|node| fields::word(page, node, "kind", &PageKind::WORDS));
        let max_age = keys.take("max_age");
        let max_age = max_age.and_then(|node| fields::parsed(page, node, "max_age", days));
        let link = link(page, &mut keys, url, reading);
        keys.done(page);
        Some(StatusPage {
            link: link?,
            kind: kind?.value,
            max_age: max_age.map_or(StatusPage::MAX_AGE, |days| days.value),
        })
    };
    let pages = fields::list(page, node, "status_pages", read);
    pages.map(|pages| pages.value).unwrap_or_default()
}

pub(super) fn monitoring(
    page: &mut Page<'_>,
    node: &Node<'_>,
    reading: &mut Reading<'_>,
) -> Vec<Monitoring> {
    let read = |page: &mut Page<'_>, item: &Node<'_>| {
        let mut keys = Keys::of(page, item, "an entry of `monitoring`", item.at)?;
        let url = keys.require("url", "https://api.example.com/health");
        let url = url.and_then(|node| super::url(page, node, "url"));
        let from = keys.take("from");
        let from = from.and_then(|node| fields::names(page, node, "from", grammar::name));
        let from = from.map(|from| from.value).unwrap_or_default();
        for host in &from {
            reading.refers(Refers::Host, host);
        }
        let runner = keys.take("runner");
        let runner = runner.and_then(|node| fields::flag(page, node, "runner"));
        let every = keys.take("every");
        let every = every.and_then(|node| fields::parsed(page, node, "every", access::duration));
        let status = keys.take("status");
        let status = status.and_then(|node| fields::parsed(page, node, "status", status_code));
        let samples = keys.take("samples");
        let samples = samples.and_then(|node| {
            fields::parsed(page, node, "samples", |text| number(text, 1, MOST_SAMPLES))
        });
        let fresh = keys.entry("fresh");
        let fresh = fresh.and_then(|entry| fresh_within(page, entry));
        let host_ca = keys.take("host_ca");
        let host_ca =
            host_ca.and_then(|node| fields::checked(page, node, "host_ca", grammar::directory));
        if let (Some(host_ca), true) = (&host_ca, from.is_empty()) {
            let hint = "write `from: [HOST]`, or `ca:` for the runner";
            page.refuse(
                host_ca.at,
                "`host_ca` is a file on hosts, and none asks this URL",
                hint,
            );
        }
        let link = link(page, &mut keys, url, reading);
        keys.done(page);
        Some(Monitoring {
            link: link?,
            from: from.into_iter().map(|host| host.value).collect(),
            runner: runner.is_some_and(|runner| runner.value),
            every: every.map(|every| every.value),
            status: status.map_or(200, |status| status.value),
            samples: samples.map_or(Monitoring::SAMPLES, |samples| samples.value),
            fresh,
            host_ca: host_ca.map(|file| file.value),
        })
    };
    let asked = fields::list(page, node, "monitoring", read);
    asked.map(|asked| asked.value).unwrap_or_default()
}

/// `{at: /updated, within: 10m}`.
fn fresh_within(page: &mut Page<'_>, entry: &Entry<'_>) -> Option<Fresh> {
    let mut keys = Keys::of(page, &entry.value, "`fresh`", entry.at)?;
    let at = keys.require("at", "/status/updated");
    let at = at.and_then(|node| fields::checked(page, node, "at", pointer));
    let within = keys.require("within", "10m");
    let within = within.and_then(|node| fields::parsed(page, node, "within", access::duration));
    keys.done(page);
    Some(Fresh {
        at: at?.value,
        within: within?.value,
    })
}

/// A URL, or `{url, kind, read, ca, redirects}`.
pub(super) fn outage_log(
    page: &mut Page<'_>,
    node: &Node<'_>,
    reading: &mut Reading<'_>,
) -> Option<OutageLog> {
    if let Value::Scalar { .. } = node.value {
        let url = super::url(page, node, "outage_log")?;
        return Some(OutageLog {
            link: Link {
                url,
                ..Link::default()
            },
            kind: PageKind::Page,
            read: None,
        });
    }
    let mut keys = Keys::of(page, node, "`outage_log`", node.at)?;
    let url = keys.require("url", "https://status.example.com/history.atom");
    let url = url.and_then(|node| super::url(page, node, "url"));
    let written = keys.take("kind");
    let kind = written.and_then(|node| fields::word(page, node, "kind", &LOGS));
    let kind_is_wrong = written.is_some() && kind.is_none();
    let is_feed = matches!(&kind, Some(kind) if kind.value != PageKind::Page);
    let hint = "write `kind: rss` or `kind: atom` with the URL of its feed, or remove `read`";
    let read = people::read_of(page, &mut keys, is_feed || kind_is_wrong, hint);
    let link = link(page, &mut keys, url, reading);
    keys.done(page);
    Some(OutageLog {
        link: link?,
        kind: kind.map_or(PageKind::Page, |kind| kind.value),
        read,
    })
}

/// A URL, or `{url, ca, redirects}`.
pub(super) fn asked_at(
    page: &mut Page<'_>,
    entry: &Entry<'_>,
    key: &str,
    reading: &mut Reading<'_>,
) -> Option<Link> {
    if let Value::Scalar { .. } = entry.value.value {
        let url = super::url(page, &entry.value, key)?;
        return Some(Link {
            url,
            ..Link::default()
        });
    }
    let mut keys = Keys::of(page, &entry.value, format!("`{key}`"), entry.at)?;
    let url = keys.require("url", "https://example.com/releases.atom");
    let url = url.and_then(|node| super::url(page, node, "url"));
    let link = link(page, &mut keys, url, reading);
    keys.done(page);
    link
}

/// `10.0.0.53`, `10.0.0.53:5353`, `[fd00::53]:5353`.
pub(super) fn resolver(text: &str) -> Result<SocketAddr, String> {
    let alone = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, DNS));
    let server = alone.or_else(|_| text.parse::<SocketAddr>());
    match server {
        Ok(server) if server.port() > 0 => Ok(server),
        _ => Err("write the address of a DNS server, with its port where that is not 53, such as 10.0.0.53 or [fd00::53]:5353".to_owned()),
    }
}

fn number(text: &str, least: u32, most: u32) -> Result<u32, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits && (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("write a whole number from {least} to {most}")),
    }
}

fn status_code(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(status @ 200..=599) => Ok(status),
        _ => Err("write the status of an answer, such as 200".to_owned()),
    }
}

/// RFC 6901 3.
fn pointer(text: &str) -> Result<(), String> {
    let odd = |(at, _): (usize, &str)| !text[at + 1..].starts_with(['0', '1']);
    match text.starts_with('/') && !text.match_indices('~').any(odd) && text.len() <= 200 {
        true => grammar::printable(text),
        false => Err("write a JSON pointer, such as /status/updated".to_owned()),
    }
}
