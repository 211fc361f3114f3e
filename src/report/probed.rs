//! What was asked of the network and what came, in words that every rendering shares. Words of the other side stand
//! as they came: whoever renders them makes them harmless. Judges nothing: a check's outcome says what it means.

use jiff::Timestamp;

use super::phrases;
use crate::probe::{Acceptance, Document, Hop, Inbox, Lack, Mail, Page, Probe, Reception, Sample};
use crate::text;

/// Most incidents, components or maintenances that are named: the record holds all.
const MOST: usize = 5;

/// By whom it was asked: a host's key, or nothing for the runner.
pub(super) fn asker(probe: &Probe) -> &str {
    probe.from.as_deref().unwrap_or("the runner")
}

/// What came, a line each: status and size, where from, and what it came to.
pub(super) fn answer(probe: &Probe) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(sample) = slowest(probe) {
        for hop in &sample.hops {
            said.push(of_hop(hop, sample.hops.len() > 1));
        }
    }
    let lacks = probe
        .samples
        .iter()
        .filter_map(|sample| sample.lack.as_ref());
    said.extend(lacks.map(lacking));
    if let Some(document) = &probe.document {
        said.extend(of_document(document));
    }
    said.extend(probe.mail.iter().flat_map(of_mail));
    said.extend(probe.inbox.iter().flat_map(of_inbox));
    said.extend(probe.reception.iter().flat_map(of_reception));
    said.extend(probe.acceptance.iter().flat_map(of_acceptance));
    if said.is_empty() {
        said.push("no answer was recorded".to_owned());
    }
    said
}

/// The time of each part of the slowest answer, and of all of them.
pub(super) fn times(probe: &Probe) -> Option<(String, Vec<String>)> {
    let sample = slowest(probe)?;
    let sum = |of: fn(&Hop) -> u64| sample.hops.iter().map(of).fold(0, u64::saturating_add);
    let phases = [
        ("dns", sum(|hop| hop.dns_us)),
        ("connect", sum(|hop| hop.connect_us)),
        ("proxy", sum(|hop| hop.proxy_us)),
        ("tls", sum(|hop| hop.tls_us)),
        ("first byte", sum(|hop| hop.first_byte_us)),
        ("transfer", sum(|hop| hop.transfer_us)),
    ];
    let phases = phases.into_iter().filter(|(_, micros)| *micros > 0);
    let mut parts: Vec<String> = phases
        .map(|(name, micros)| format!("{name} {}", millis(micros)))
        .collect();
    if probe.samples.len() > 1 {
        let all: Vec<String> = (probe.samples.iter())
            .map(|sample| millis(sample.total_us))
            .collect();
        parts.push(format!("slowest of {}", all.join(", ")));
    }
    Some((millis(sample.total_us), parts))
}

/// Until when the certificates hold that were shown: the first that ends, with whole days from the asking on.
pub(super) fn certificate(probe: &Probe) -> Option<String> {
    let hops = probe.samples.iter().flat_map(|sample| &sample.hops);
    let ends = hops
        .filter_map(|hop| hop.certificate_ends.as_deref())
        .min()?;
    let days = || {
        let (ends, asked): (Timestamp, Timestamp) = (ends.parse().ok()?, probe.at.parse().ok()?);
        Some(ends.duration_since(asked).as_hours().div_euclid(24))
    };
    let days = days().map_or_else(String::new, |days| format!(", {days} days"));
    Some(format!(
        "certificate until {}{days}",
        phrases::instant(ends)
    ))
}

fn slowest(probe: &Probe) -> Option<&Sample> {
    probe.samples.iter().max_by_key(|sample| sample.total_us)
}

fn of_hop(hop: &Hop, is_one_of_many: bool) -> String {
    let mut said = match hop.status {
        Some(status) => format!("status {status}, {}", text::size(hop.bytes)),
        None => "no answer".to_owned(),
    };
    if let Some(address) = &hop.address {
        said.push_str(&format!(", {address}"));
    }
    if let Some(proxy) = &hop.proxy {
        said.push_str(&format!(", by proxy {proxy}"));
    }
    if let Some(location) = &hop.location {
        said.push_str(&format!(", leads to {location}"));
    }
    match is_one_of_many {
        true => format!("{}: {said}", hop.url),
        false => said,
    }
}

fn lacking(lack: &Lack) -> String {
    format!("{}: {}", lack.kind, lack.actual)
}

fn of_document(document: &Document) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(page) = &document.page {
        said.extend(of_page(page));
    }
    if let Some(feed) = &document.feed {
        let entries = match feed.entries {
            1 => "1 entry".to_owned(),
            many => format!("{many} entries"),
        };
        said.push(match &feed.newest {
            Some(newest) => format!(
                "{entries}, newest of {}: {}",
                phrases::instant(&newest.at),
                newest.title
            ),
            None => entries,
        });
    }
    if let Some(time) = &document.time {
        said.push(format!("as of {}", phrases::instant(time)));
    }
    said.extend(document.lack.as_ref().map(lacking));
    said
}

fn of_page(page: &Page) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(indicator) = &page.indicator {
        said.push(format!("the whole: {indicator}"));
    }
    if page.components > 0 {
        let unwell = page.unwell.len() as u64;
        let well = page.components.saturating_sub(unwell);
        said.push(format!("{well} of {} components are well", page.components));
    }
    let unwell = page.unwell.iter();
    named(
        &mut said,
        unwell.map(|one| format!("{}: {}", one.name, one.word)),
    );
    let incidents = page.incidents.iter();
    named(
        &mut said,
        incidents.map(|one| {
            let began = one.began.as_deref().map(phrases::instant);
            let began = began.map_or_else(String::new, |began| format!(", since {began}"));
            format!("incident, {}: {}{began}", one.word, one.title)
        }),
    );
    let maintenance = page.maintenance.iter();
    named(
        &mut said,
        maintenance.map(|one| {
            let told = |time: &Option<String>| {
                time.as_deref()
                    .map_or_else(|| "?".to_owned(), phrases::instant)
            };
            let (from, until) = (told(&one.from), told(&one.until));
            format!(
                "maintenance, {}: {}, {from} to {until}",
                one.word, one.title
            )
        }),
    );
    if let Some(updated) = &page.updated {
        said.push(format!("updated {}", phrases::instant(updated)));
    }
    said
}

/// The first few of them, and how many more there are.
fn named(said: &mut Vec<String>, all: impl ExactSizeIterator<Item = String>) {
    let more = all.len().saturating_sub(MOST);
    said.extend(all.take(MOST));
    if more > 0 {
        said.push(format!("and {more} more"));
    }
}

fn of_mail(mail: &Mail) -> Vec<String> {
    let says = match mail.says.as_str() {
        "exchangers" => "takes mail",
        "implicit" => "takes mail itself, without an exchanger",
        "null" => "takes no mail (a null MX)",
        "nothing" => "neither an exchanger nor an address",
        "no-domain" => "there is no such domain",
        "unknown" => "nobody could tell",
        other => other,
    };
    let mut said = vec![says.to_owned()];
    let exchangers = mail.exchangers.iter();
    named(
        &mut said,
        exchangers.map(|one| {
            let addresses = usize::try_from(one.addresses).unwrap_or(usize::MAX);
            let addresses = match addresses {
                1 => "1 address".to_owned(),
                many => format!("{many} addresses"),
            };
            format!("{}, {addresses}", one.name)
        }),
    );
    if let Some(resolver) = &mail.resolver {
        said.push(format!("said by {resolver}"));
    }
    said.extend(mail.lack.as_ref().map(lacking));
    said
}

fn of_inbox(inbox: &Inbox) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(key) = &inbox.host_key {
        said.push(format!("host key {key}"));
    }
    if inbox.login {
        said.push("let in".to_owned());
    }
    if let Some(directory) = &inbox.directory {
        said.push(format!("{directory} is a directory"));
    }
    said.extend(inbox.lack.as_ref().map(lacking));
    said
}

fn of_reception(reception: &Reception) -> Vec<String> {
    let mut said = Vec::new();
    if !reception.name.is_empty() {
        let how = match reception.encrypted {
            true => "over TLS",
            false => "in plain text",
        };
        said.push(format!("{} greets {how}", reception.name));
    }
    if let Some(most) = reception.most_bytes {
        said.push(format!("takes messages of up to {}", text::size(most)));
    }
    said.extend(reception.lack.as_ref().map(lacking));
    said
}

fn of_acceptance(acceptance: &Acceptance) -> Vec<String> {
    let mut said = Vec::new();
    if acceptance.code.is_some() {
        said.push(format!("{} says {}", acceptance.server, acceptance.words));
    }
    said.extend(acceptance.lack.as_ref().map(lacking));
    said
}

/// `12.3 ms`.
fn millis(micros: u64) -> String {
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::{Component, Entry, Exchanger, Feed, Incident};

    fn probe() -> Probe {
        let hop = |tls_us, ends: &str| Hop {
            url: "https://a.example/".to_owned(),
            status: Some(200),
            bytes: 17,
            dns_us: 900,
            connect_us: 1_400,
            tls_us,
            first_byte_us: 100,
            certificate_ends: Some(ends.to_owned()),
            ..Hop::default()
        };
        let sample = |total_us, hop| Sample {
            hops: vec![hop],
            total_us,
            lack: None,
        };
        Probe {
            how: "get".to_owned(),
            target: "https://a.example/".to_owned(),
            from: None,
            asked: "get      https://a.example/".to_owned(),
            at: "2026-11-22T08:00:00Z".to_owned(),
            samples: vec![
                sample(12_345, hop(7_500, "2026-12-06T08:00:00Z")),
                sample(2_000_000, hop(8_000, "2026-12-06T07:59:59Z")),
            ],
            document: None,
            mail: None,
            inbox: None,
            reception: None,
            acceptance: None,
        }
    }

    #[test]
    fn the_slowest_answer_is_told_part_by_part_and_the_first_end_counts() {
        let probe = probe();
        let (total, parts) = times(&probe).unwrap();
        assert_eq!(total, "2000.0 ms");
        assert_eq!(
            parts.join("; "),
            "dns 0.9 ms; connect 1.4 ms; tls 8.0 ms; first byte 0.1 ms; slowest of 12.3 ms, 2000.0 ms"
        );
        let said = certificate(&probe).unwrap();
        assert_eq!(said, "certificate until 2026-12-06 07:59:59 UTC, 13 days");
        assert_eq!(
            (asker(&probe), answer(&probe)),
            ("the runner", vec!["status 200, 17 B".to_owned()])
        );
    }

    #[test]
    fn what_is_lacking_is_never_silent() {
        let mut probe = probe();
        probe.samples.clear();
        assert_eq!(answer(&probe), ["no answer was recorded"]);
        assert_eq!((times(&probe), certificate(&probe)), (None, None));
        probe.samples.push(Sample {
            lack: Some(Lack {
                kind: "unreachable".to_owned(),
                expected: String::new(),
                actual: "connection refused".to_owned(),
                hint: String::new(),
            }),
            ..Sample::default()
        });
        assert_eq!(answer(&probe), ["unreachable: connection refused"]);
    }

    #[test]
    fn what_pages_feeds_domains_and_drops_say_is_told() {
        let incident = |number: usize| Incident {
            title: format!("outage {number}"),
            word: "investigating".to_owned(),
            impact: None,
            began: None,
            url: None,
        };
        let page = Page {
            indicator: Some("minor".to_owned()),
            components: 3,
            unwell: vec![Component {
                name: "API".to_owned(),
                word: "partial_outage".to_owned(),
            }],
            incidents: (0..7).map(incident).collect(),
            ..Page::default()
        };
        let said = of_page(&page);
        assert_eq!(
            said[..3],
            [
                "the whole: minor",
                "2 of 3 components are well",
                "API: partial_outage"
            ]
        );
        assert_eq!(said[3], "incident, investigating: outage 0");
        assert_eq!(said.last().unwrap(), "and 2 more");
        let feed = Document {
            feed: Some(Feed {
                entries: 1,
                newest: Some(Entry {
                    title: "5.3.5".to_owned(),
                    at: "2026-11-01T00:00:00Z".to_owned(),
                }),
            }),
            ..Document::default()
        };
        assert_eq!(
            of_document(&feed),
            ["1 entry, newest of 2026-11-01 00:00:00 UTC: 5.3.5"]
        );
        let mail = Mail {
            says: "exchangers".to_owned(),
            exchangers: vec![Exchanger {
                name: "mx.example".to_owned(),
                addresses: 0,
            }],
            resolver: None,
            lack: None,
        };
        assert_eq!(of_mail(&mail), ["takes mail", "mx.example, 0 addresses"]);
        let inbox = Inbox {
            host_key: None,
            login: false,
            directory: None,
            lack: None,
        };
        assert!(of_inbox(&inbox).is_empty());
        let reception = Reception {
            name: "mx.example".to_owned(),
            encrypted: true,
            most_bytes: Some(1 << 20),
            lack: None,
        };
        assert_eq!(
            of_reception(&reception),
            [
                "mx.example greets over TLS",
                "takes messages of up to 1 MiB"
            ]
        );
    }
}
