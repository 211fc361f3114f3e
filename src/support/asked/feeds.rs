//! The outage log and what feeds announce: reachable, and read by a person after the newest entry came.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::super::questions::{feeds, of_log, pages};
use super::super::{Heard, Judged, Moment, place, proof, unsaid};
use super::{Wrong, document, heard as answer, time, told, whole};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Proven, Vendor};
use crate::probe::{Entry, Question, Read};
use crate::text::{clip, count};
use crate::time::{rfc3339, say};

/// How far ahead the date of an entry may be: dates of days are written in any zone.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

pub(in crate::support) fn outage_log(vendor: &Vendor, heard: &Heard<'_>) -> Judged {
    let mut judged = Judged::default();
    let Some(question) = of_log(vendor) else {
        return judged.fail(unsaid(
            vendor,
            "outage_log",
            "where past outages are told",
            "outage_log: https://status.example.com/history",
        ));
    };
    let wrong = match newest(&question, heard, &mut judged) {
        Ok(newest) => {
            match newest {
                Some(entry) => judged.tell(said(&entry)),
                None if question.read == Read::Feed => judged.tell(
                    "it has no entry: no outage was ever told there, or nobody keeps it; only a person can say which",
                ),
                None => judged.tell("a page for people: nobody can tell from here what is newest"),
            }
            Vec::new()
        }
        Err(failure) => vec![failure],
    };
    judged.unless_wrong(wrong)
}

/// The newest entry, where it is a feed and has one.
fn newest(
    question: &Question,
    heard: &Heard<'_>,
    judged: &mut Judged,
) -> Result<Option<Entry>, Wrong> {
    let probe = answer(heard, question)?;
    told(probe).into_iter().for_each(|line| judged.tell(line));
    if question.read != Read::Feed {
        let samples = whole(probe, question)?;
        let bytes = samples.last().and_then(|sample| sample.hops.last());
        return match bytes.is_some_and(|hop| hop.bytes > 0) {
            true => Ok(None),
            false => Err(
                Failure::new(FailureKind::Empty, "content", "an answer of 0 bytes")
                    .with_subject(&*question.target)
                    .with_hint("see what the URL answers in a browser"),
            ),
        };
    }
    let document = document(probe, question)?;
    let feed = document.feed.as_ref().ok_or_else(|| {
        Failure::new(FailureKind::Undefined, "a feed that was read", "none")
            .with_subject(&*question.target)
            .with_hint("run again; nothing is known about it")
    })?;
    let entries = count(usize::try_from(feed.entries).unwrap_or(usize::MAX), "entry");
    judged.tell(format!(
        "{}: {}",
        question.target,
        entries.replace("entrys", "entries")
    ));
    Ok(feed.newest.clone())
}

fn said(entry: &Entry) -> String {
    format!(
        "newest entry \"{}\" of {}",
        clip(&entry.title, 200),
        entry.at
    )
}

pub(in crate::support) fn read(
    vendor: &Vendor,
    moment: &Moment,
    heard: &Heard<'_>,
    within: Duration,
) -> Judged {
    let mut judged = Judged::default();
    let feeds: Vec<(String, Question)> = feeds(vendor).collect();
    if feeds.is_empty() {
        return judged.fail(unsaid(
            vendor,
            "channels: NAME: feed",
            "feeds of what is announced",
            "channels: {releases: {feed: https://…/releases.atom, read: {date: …, by: …}}}",
        ));
    }
    let mut wrong = Vec::new();
    for (name, question) in pages(vendor) {
        if let Err(failure) = newest(&question, heard, &mut judged) {
            let actual = format!("{name}: {}", failure.actual);
            wrong.push(Failure { actual, ..failure });
        }
    }
    for channel in vendor.channels.iter().filter(|one| one.feed.is_none()) {
        judged.tell(format!(
            "channel `{}` has no feed: nobody can tell from here what is newest",
            channel.name
        ));
    }
    for (name, question) in &feeds {
        let newest = match newest(question, heard, &mut judged) {
            Ok(newest) => newest,
            Err(failure) => {
                wrong.push(failure);
                continue;
            }
        };
        let Some(newest) = newest else {
            // Somebody who has just begun announces nothing: but then nobody could have read it.
            wrong.push(
                Failure::new(
                    FailureKind::Empty,
                    "a feed that announces something",
                    format!("{name} has no entry"),
                )
                .with_subject(&*question.target)
                .with_hint("see whether the vendor still writes to this feed; where it announces nothing, remove `feed`"),
            );
            continue;
        };
        judged.tell(format!("{name}: {}", said(&newest)));
        let read = match name.as_str() {
            "the outage log" => (vendor.outage_log.as_ref()).and_then(|log| log.read.as_ref()),
            _ => {
                let mut channels = vendor.channels.iter();
                let channel = channels.find(|one| *name == format!("channel `{}`", one.name));
                channel.and_then(|channel| channel.read.as_ref())
            }
        };
        judged.tell(proof::told(name, read).replace("proven", "read"));
        if let Err(failure) = is_read(name, &newest, read, moment, within) {
            let failure = failure.with_subject(place(vendor, name));
            wrong.push(failure.with_hint(
                "have somebody read it, do what it asks for, write the actions below `announced:` and `read: {date: …, by: …}` beside the feed",
            ));
        }
    }
    judged.unless_wrong(wrong)
}

fn is_read(
    name: &str,
    newest: &Entry,
    read: Option<&Proven>,
    moment: &Moment,
    within: Duration,
) -> Result<(), Wrong> {
    let expected = format!("every announcement read within {}", say(within));
    let stale = |actual: String| Failure::new(FailureKind::Stale, expected.clone(), actual);
    let came: Option<Timestamp> = time(&newest.at);
    let Some(came) = came else {
        return Err(stale(format!("{name}: {} is no time", newest.at)));
    };
    if came.duration_since(moment.started) > AHEAD {
        return Err(stale(format!(
            "{name}: {}, which is yet to come",
            said(newest)
        )));
    }
    if let Some(read) = read {
        if read.date > proof::latest(moment) {
            return Err(stale(format!(
                "{name} is told as read on {}, which is yet to come",
                read.date
            )));
        }
        // Read on the day on which it came may be before it came: the day after is not.
        let day = TimeZone::UTC.to_datetime(came).date();
        if read.date > day {
            return Ok(());
        }
    }
    let age = Duration::try_from(moment.started.duration_since(came)).unwrap_or_default();
    if age <= within {
        return Ok(());
    }
    let actual = match read {
        None => format!(
            "{name}: {}, and nobody is told to have read it",
            said(newest)
        ),
        Some(read) => format!(
            "{name}: {}, and it was last read on {} by {}",
            said(newest),
            read.date,
            read.by
        ),
    };
    let kind = match read {
        None => FailureKind::Missing,
        Some(_) => FailureKind::Stale,
    };
    let actual = format!("{actual} (now {})", rfc3339(moment.started));
    Err(Failure::new(kind, expected.clone(), actual))
}
