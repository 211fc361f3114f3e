//! Status pages: whether somebody keeps them, and what they tell. Each kind has its own words; a word that is
//! not among them means that nobody knows, never that all is well.

use jiff::{SignedDuration, Timestamp};

use super::super::questions::of_page;
use super::super::{Heard, Judged, Moment, place, unsaid};
use super::{Wrong, document, heard as answer, time, told, whole};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{PageKind, StatusPage, Vendor};
use crate::probe::{Incident, Maintenance, Page, Question, Read};
use crate::text::clip;

/// How far a page's own clock may be ahead.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// The words of a kind: what is well, what is known otherwise.
struct Words {
    well: &'static [&'static str],
    /// Not well, and no incident by itself.
    lesser: &'static [&'static str],
    /// The vendor works on it now: whether that concerns go-live, what it has planned tells.
    maintained: &'static [&'static str],
    /// An incident, whatever else the page says.
    severe: &'static [&'static str],
    /// What numbers mean.
    means: &'static [(&'static str, &'static str)],
}

/// Statuspage: `indicator`.
const INDICATOR: Words = Words {
    well: &["none"],
    lesser: &["minor"],
    maintained: &["maintenance"],
    severe: &["major", "critical"],
    means: &[],
};
/// status.io: `status_code` of the whole and of components.
const STATUS_CODE: Words = Words {
    well: &["100"],
    lesser: &[],
    maintained: &["200"],
    severe: &["300", "400", "500", "600"],
    means: &[
        ("100", "operational"),
        ("200", "planned maintenance"),
        ("300", "degraded performance"),
        ("400", "partial service disruption"),
        ("500", "service disruption"),
        ("600", "security event"),
    ],
};
/// Components of Statuspage.
const COMPONENT: Words = Words {
    well: &["operational"],
    lesser: &["degraded_performance"],
    maintained: &["under_maintenance"],
    severe: &["partial_outage", "major_outage"],
    means: &[],
};
/// Components of Cachet 3.
const CACHET_COMPONENT: Words = Words {
    well: &["1"],
    lesser: &["2"],
    maintained: &["6"],
    severe: &["3", "4"],
    means: &[
        ("1", "operational"),
        ("2", "performance issues"),
        ("3", "partial outage"),
        ("4", "major outage"),
        ("5", "unknown"),
        ("6", "under maintenance"),
    ],
};

/// How far an incident is: closed, open.
type Course = (&'static [&'static str], &'static [&'static str]);

const INCIDENT: Course = (
    &["resolved", "postmortem", "completed"],
    &["investigating", "identified", "monitoring"],
);
const CACHET_INCIDENT: Course = (&["4"], &["1", "2", "3"]);
const CACHET_INCIDENT_MEANS: &[(&str, &str)] = &[
    ("1", "investigating"),
    ("2", "identified"),
    ("3", "watching"),
    ("4", "fixed"),
];

/// How far a maintenance is: over, to come, going on.
type Stage = (
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

const MAINTENANCE: Stage = (
    &["completed"],
    &["scheduled"],
    &["in_progress", "verifying"],
);
const CACHET_SCHEDULE: Stage = (&["2"], &["0"], &["1"]);
const CACHET_SCHEDULE_MEANS: &[(&str, &str)] =
    &[("0", "upcoming"), ("1", "in progress"), ("2", "complete")];
const STATUS_IO_MAINTENANCE: Stage = (&[], &["upcoming"], &["active"]);

fn none_named(vendor: &Vendor) -> Failure {
    unsaid(
        vendor,
        "status_pages",
        "pages that tell how the service is",
        "status_pages: [{url: \"https://status.example.com/\", kind: statuspage}]",
    )
}

pub(in crate::support) fn no_incident(
    vendor: &Vendor,
    moment: &Moment,
    heard: &Heard<'_>,
) -> Judged {
    let mut judged = Judged::default();
    if vendor.status_pages.is_empty() {
        return judged.fail(none_named(vendor));
    }
    let tells = |page: &&StatusPage| {
        matches!(
            page.kind,
            PageKind::Statuspage | PageKind::StatusIo | PageKind::Cachet
        )
    };
    if !vendor.status_pages.iter().any(|page| tells(&page)) {
        return judged.fail(
            Failure::new(
                FailureKind::Missing,
                "a page that tells a program of its incidents",
                "feeds and pages for people only",
            )
            .with_subject(place(vendor, "status_pages"))
            .with_hint("name one of kind `statuspage`, `status.io` or `cachet`; or have a person look: Then \"ROLE\" confirms \"no incident is open\""),
        );
    }
    let by = moment.go_live.unwrap_or(moment.started);
    judged.tell(match moment.go_live {
        Some(_) => format!("maintenance is judged at go-live, {}", said(by)),
        None => format!("maintenance is judged at the run's start, {}", said(by)),
    });
    let mut wrong = Vec::new();
    for page in &vendor.status_pages {
        let before = wrong.len();
        lives(page, moment, heard, &mut judged, &mut wrong);
        if wrong.len() == before {
            if tells(&page) {
                tell_of(page, moment, by, heard, &mut judged, &mut wrong);
            } else {
                judged.tell(format!(
                    "{}: tells no program whether an incident is open",
                    page.link.url
                ));
            }
        }
    }
    judged.unless_wrong(wrong)
}

pub(in crate::support) fn alive(vendor: &Vendor, moment: &Moment, heard: &Heard<'_>) -> Judged {
    let mut judged = Judged::default();
    if vendor.status_pages.is_empty() {
        return judged.fail(none_named(vendor));
    }
    let mut wrong = Vec::new();
    for page in &vendor.status_pages {
        lives(page, moment, heard, &mut judged, &mut wrong);
    }
    judged.unless_wrong(wrong)
}

fn said(instant: Timestamp) -> String {
    crate::time::rfc3339(instant)
}

/// It answers, reads as what it is, and was updated no longer ago than `max_age`.
fn lives(
    page: &StatusPage,
    moment: &Moment,
    heard: &Heard<'_>,
    judged: &mut Judged,
    wrong: &mut Vec<Wrong>,
) {
    let before = wrong.len();
    let mut updated: Option<Timestamp> = None;
    for question in of_page(page) {
        let probe = match answer(heard, &question) {
            Ok(probe) => probe,
            Err(failure) => {
                wrong.push(failure);
                continue;
            }
        };
        told(probe).into_iter().for_each(|line| judged.tell(line));
        let read = match question.read {
            Read::Nothing => whole(probe, &question).and_then(|samples| {
                let hops = samples.iter().filter_map(|sample| sample.hops.last());
                match hops.map(|hop| hop.bytes).min() {
                    Some(1..) => Ok(None),
                    _ => Err(
                        Failure::new(FailureKind::Empty, "content", "an answer of 0 bytes")
                            .with_subject(&*question.target)
                            .with_hint("see what the URL answers in a browser"),
                    ),
                }
            }),
            _ => document(probe, &question).and_then(|document| newest(document, &question)),
        };
        match read {
            Ok(newest) => updated = updated.max(newest),
            Err(failure) => wrong.push(failure),
        }
    }
    if wrong.len() > before || page.kind == PageKind::Page {
        return;
    }
    let url = &page.link.url;
    let max = SignedDuration::from_hours(24 * i64::from(page.max_age));
    let stale = |actual: String, hint: &str| {
        let expected = format!("a page that somebody updated within {} days", page.max_age);
        Failure::new(FailureKind::Stale, expected, actual)
            .with_subject(url)
            .with_hint(hint)
    };
    match updated {
        None => wrong.push(stale(
            "it tells no time of any change".to_owned(),
            "see whether anybody keeps this page; a page for people only is of `kind: page`",
        )),
        Some(updated) if updated.duration_since(moment.started) > AHEAD => wrong.push(stale(
            format!("it was updated at {}, which is yet to come", said(updated)),
            "one of the clocks is wrong: look at the runner's, and ask the vendor",
        )),
        Some(updated) if moment.started.duration_since(updated) > max => wrong.push(stale(
            format!("it was last updated at {}", said(updated)),
            "a page that nobody keeps tells of no incident: ask the vendor where it tells of them now; where a quiet page is right, raise `max_age`",
        )),
        Some(updated) => judged.tell(format!("{url}: last updated at {}", said(updated))),
    }
}

/// When the document was last changed, as it says itself.
fn newest(
    document: &crate::probe::Document,
    question: &Question,
) -> Result<Option<Timestamp>, Wrong> {
    let text = match question.read {
        Read::Feed => {
            let feed = document.feed.as_ref().ok_or_else(|| unread(question))?;
            feed.newest.as_ref().map(|entry| entry.at.clone())
        }
        _ => {
            let page = document.page.as_ref().ok_or_else(|| unread(question))?;
            page.updated.clone()
        }
    };
    match text {
        None => Ok(None),
        Some(text) => time(&text).map(Some).ok_or_else(|| unread(question)),
    }
}

fn unread(question: &Question) -> Wrong {
    Failure::new(FailureKind::Undefined, "an answer that was read", "none")
        .with_subject(&*question.target)
        .with_hint("run again; nothing is known about it")
}

/// What it tells of components, incidents and maintenance.
fn tell_of(
    page: &StatusPage,
    moment: &Moment,
    by: Timestamp,
    heard: &Heard<'_>,
    judged: &mut Judged,
    wrong: &mut Vec<Wrong>,
) {
    let url = &page.link.url;
    let (indicator, component, course, stage) = match page.kind {
        PageKind::StatusIo => (STATUS_CODE, STATUS_CODE, INCIDENT, STATUS_IO_MAINTENANCE),
        PageKind::Cachet => (
            INDICATOR,
            CACHET_COMPONENT,
            CACHET_INCIDENT,
            CACHET_SCHEDULE,
        ),
        _ => (INDICATOR, COMPONENT, INCIDENT, MAINTENANCE),
    };
    for question in of_page(page) {
        let Ok(probe) = answer(heard, &question) else {
            continue;
        };
        let Some(seen) = probe
            .document
            .as_ref()
            .and_then(|document| document.page.as_ref())
        else {
            wrong.push(unread(&question));
            continue;
        };
        let has_indicator = matches!(question.read, Read::Statuspage | Read::StatusIo);
        match (&seen.indicator, has_indicator) {
            (None, true) => wrong.push(unread(&question)),
            (Some(word), _) => {
                judge_word("the whole", word, &indicator, moment, url, judged, wrong);
            }
            (None, false) => {}
        }
        let tells_components = has_indicator || question.read == Read::CachetComponents;
        if tells_components && seen.components == 0 {
            wrong.push(
                Failure::new(
                    FailureKind::Empty,
                    "a page that tells how its components are",
                    "it names no component",
                )
                .with_subject(url)
                .with_hint("a page of nothing is always well: ask the vendor which page tells of what you use"),
            );
        }
        components(seen, &component, moment, url, judged, wrong);
        for incident in &seen.incidents {
            wrong.extend(judge_incident(incident, page.kind, course, url));
        }
        for maintenance in &seen.maintenance {
            match judge_maintenance(maintenance, page.kind, stage, by, moment, url) {
                Ok(line) => judged.tell(line),
                Err(failure) => wrong.push(failure),
            }
        }
    }
}

fn components(
    seen: &Page,
    words: &Words,
    moment: &Moment,
    url: &str,
    judged: &mut Judged,
    wrong: &mut Vec<Wrong>,
) {
    for component in &seen.unwell {
        let name = format!("component `{}`", clip(&component.name, 80));
        judge_word(&name, &component.word, words, moment, url, judged, wrong);
    }
    if seen.components > 0 {
        let well = seen.components.saturating_sub(seen.unwell.len() as u64);
        judged.tell(format!(
            "{url}: {well} of {} components are well",
            seen.components
        ));
    }
}

fn judge_word(
    what: &str,
    word: &str,
    words: &Words,
    moment: &Moment,
    url: &str,
    judged: &mut Judged,
    wrong: &mut Vec<Wrong>,
) {
    let is = |known: &[&str]| known.contains(&word);
    // How it will be at go-live only what is planned tells; how it is when the run starts, this word does.
    let is_worked_on = is(words.maintained) && moment.go_live.is_none();
    if is(words.well) || is(words.lesser) || (is(words.maintained) && !is_worked_on) {
        judged.tell(format!("{url}: {what}: {}", told_as(word, words.means)));
        return;
    }
    let meaning = words.means.iter().find(|(number, _)| *number == word);
    let meaning = meaning.map(|(_, meaning)| format!(" ({meaning})"));
    let said = format!("`{}`{}", clip(word, 80), meaning.unwrap_or_default());
    let actual = format!("{what} is told as {said}");
    let failure = if is_worked_on {
        Failure::new(
            FailureKind::Mismatch,
            format!("no maintenance at the vendor's at {}", crate::time::rfc3339(moment.started)),
            actual,
        )
        .with_hint("wait until the vendor has done its work; or tell when go-live is (`--go-live TIME`): then what is planned for that time counts")
    } else if is(words.severe) {
        Failure::new(FailureKind::Mismatch, "no incident at the vendor's", actual).with_hint(
            "do not go live into somebody else's outage: wait until the vendor says that it is over",
        )
    } else {
        strange(&actual)
    };
    wrong.push(failure.with_subject(url));
}

/// A number with what it means; a word as it is.
fn told_as(word: &str, means: &[(&str, &str)]) -> String {
    let known = means.iter().find(|(number, _)| *number == word);
    known.map_or_else(
        || word.to_owned(),
        |(number, meaning)| format!("{number}: {meaning}"),
    )
}

fn strange(actual: &str) -> Failure {
    Failure::new(
        FailureKind::Undefined,
        "words that this kind of page is known to use",
        actual,
    )
    .with_hint("what gonogo does not understand is never taken for well: see the page; it may be a clone with words of its own (then it is of `kind: page`, and a person looks)")
}

fn judge_incident(
    incident: &Incident,
    kind: PageKind,
    (closed, open): Course,
    url: &str,
) -> Option<Wrong> {
    let word = incident.word.as_str();
    if closed.contains(&word) && kind != PageKind::StatusIo {
        return None;
    }
    let title = clip(&incident.title, 200);
    let began = incident
        .began
        .as_deref()
        .unwrap_or("a time that is not told");
    let place = incident.url.as_deref().unwrap_or(url);
    let means = match kind {
        PageKind::Cachet => CACHET_INCIDENT_MEANS,
        _ => &[],
    };
    let said = told_as(word, means);
    let at = format!("incident \"{title}\" ({said}), since {began}: {place}");
    // Of status.io every one is open that it lists.
    let failure = match open.contains(&word) || kind == PageKind::StatusIo {
        true => Failure::new(FailureKind::Mismatch, "no open incident at the vendor's", at).with_hint(
            "do not go live into somebody else's outage: wait until the vendor closes it; whether it concerns you only a person can say (a waiver)",
        ),
        false => strange(&at),
    };
    Some(failure.with_subject(url))
}

fn judge_maintenance(
    maintenance: &Maintenance,
    kind: PageKind,
    (over, to_come, now): Stage,
    by: Timestamp,
    moment: &Moment,
    url: &str,
) -> Result<String, Wrong> {
    let word = maintenance.word.as_str();
    let title = clip(&maintenance.title, 200);
    let spoken = |time: &Option<String>| time.clone().unwrap_or_else(|| "?".to_owned());
    let (from_said, until_said) = (spoken(&maintenance.from), spoken(&maintenance.until));
    let place = maintenance.url.as_deref().unwrap_or(url);
    let means = match kind {
        PageKind::Cachet => CACHET_SCHEDULE_MEANS,
        _ => &[],
    };
    let said_as = told_as(word, means);
    let line = format!("maintenance \"{title}\" ({said_as}), {from_said} to {until_said}: {place}");
    if over.contains(&word) {
        return Ok(line);
    }
    if !to_come.contains(&word) && !now.contains(&word) {
        return Err(strange(&line).with_subject(url));
    }
    let read = |text: &Option<String>| text.as_deref().and_then(time);
    let (from, until) = (read(&maintenance.from), read(&maintenance.until));
    if from.zip(until).is_some_and(|(from, until)| until <= from) {
        let line = format!("it ends before it begins: {line}");
        return Err(Failure::new(
            FailureKind::Undefined,
            "maintenance whose times make sense",
            line,
        )
        .with_subject(url)
        .with_hint(
            "nobody can tell from this when the vendor works: ask it, and have the page corrected",
        ));
    }
    // One that goes on past its end, or tells none, has no end that anybody knows.
    let until = until.filter(|until| *until > moment.started);
    let has_begun = match now.contains(&word) {
        true => true,
        false => from.is_none_or(|from| from <= by || from < moment.live().to),
    };
    match has_begun && until.is_none_or(|until| by < until) {
        false => Ok(line),
        true => Err(Failure::new(
            FailureKind::Mismatch,
            format!("no maintenance at the vendor's at {}", said(by)),
            line,
        )
        .with_subject(url)
        .with_hint("choose another time for go-live, or have the vendor move its own")),
    }
}
