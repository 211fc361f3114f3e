//! What is monitored: that it answers as the inventory expects, from the runner or from a host, how fast, how
//! fresh, and how long its certificates hold.

use std::time::Duration;

use jiff::SignedDuration;

use super::super::questions::{asked_from, asked_here, of_monitoring, on_host};
use super::super::{Ask, Heard, Judged, place, unsaid};
use super::{Wrong, document, heard as answer, millis, time, told, whole};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Monitoring, Vendor};
use crate::probe::{How, Probe, Question, Sample};
use crate::text::count;
use crate::time::say;

/// How far ahead the time in an answer may be.
const AHEAD: SignedDuration = SignedDuration::from_mins(1);

fn none_asked(vendor: &Vendor, host: Option<&str>) -> Failure {
    let expected = match host {
        None => "URLs that the runner asks whether the service works".to_owned(),
        Some(host) => format!("URLs that host {host} asks whether the service works"),
    };
    let example = match host {
        None => "monitoring: [{url: \"https://api.example.com/health\", runner: true}]".to_owned(),
        Some(host) => {
            format!("monitoring: [{{url: \"https://api.example.com/health\", from: [{host}]}}]")
        }
    };
    unsaid(vendor, "monitoring", &expected, &example)
}

pub(in crate::support) fn in_time(
    ask: Ask,
    vendor: &Vendor,
    heard: &Heard<'_>,
    within: Duration,
) -> Judged {
    let mut judged = Judged::default();
    let all: Vec<(&Monitoring, Question)> = match (ask.is_asked_on_host(), heard.host) {
        (true, Some(host)) => asked_from(vendor, host)
            .map(|one| (one, on_host(one, host)))
            .collect(),
        (true, None) => Vec::new(),
        (false, _) => asked_here(vendor)
            .map(|one| (one, of_monitoring(one)))
            .collect(),
    };
    if all.is_empty() {
        let host = heard.host.filter(|_| ask.is_asked_on_host());
        return judged.fail(none_asked(vendor, host));
    }
    let mut wrong = Vec::new();
    for (one, question) in &all {
        if let Err(failure) = one_in_time(one, question, heard, within, &mut judged) {
            let failure = match &failure.subject {
                Some(_) => failure,
                None => failure.with_subject(&*question.target),
            };
            wrong.push(failure);
        }
    }
    judged.unless_wrong(wrong)
}

fn one_in_time(
    one: &Monitoring,
    question: &Question,
    heard: &Heard<'_>,
    within: Duration,
    judged: &mut Judged,
) -> Result<(), Wrong> {
    let probe = answer(heard, question)?;
    told(probe).into_iter().for_each(|line| judged.tell(line));
    let samples = whole(probe, question)?;
    let mut times: Vec<u64> = samples.iter().map(|sample| sample.total_us).collect();
    times.sort_unstable();
    let slowest = times.last().copied().unwrap_or(u64::MAX);
    let median = times.get(times.len() / 2).copied().unwrap_or(u64::MAX);
    judged.tell(format!(
        "{}: {}, median {}, slowest {}",
        question.target,
        count(times.len(), "answer"),
        millis(median),
        millis(slowest)
    ));
    if Duration::from_micros(slowest) > within {
        let slow = samples.iter().max_by_key(|sample| sample.total_us);
        let actual = format!(
            "the slowest of {} took {}: {}; median {}",
            count(times.len(), "answer"),
            millis(slowest),
            slow.map(phases).unwrap_or_default(),
            millis(median)
        );
        return Err(
            Failure::new(FailureKind::Timeout, format!("an answer within {}", say(within)), actual)
                .with_hint("look at the phase that is slow: dns and connect are the network's, tls and first byte mostly the server's; ask again from elsewhere"),
        );
    }
    if let Some(fresh) = &one.fresh {
        is_fresh(fresh.within, probe, question, judged)?;
    }
    Ok(())
}

/// The times of all requests of a sample.
fn phases(sample: &Sample) -> String {
    let sum = |of: fn(&crate::probe::Hop) -> u64| millis(sample.hops.iter().map(of).sum());
    format!(
        "dns {}, connect {}, tls {}, first byte {}, transfer {}",
        sum(|hop| hop.dns_us),
        sum(|hop| hop.connect_us + hop.proxy_us),
        sum(|hop| hop.tls_us),
        sum(|hop| hop.first_byte_us),
        sum(|hop| hop.transfer_us)
    )
}

fn is_fresh(
    within: Duration,
    probe: &Probe,
    question: &Question,
    judged: &mut Judged,
) -> Result<(), Wrong> {
    let document = document(probe, question)?;
    let told = document.time.as_deref();
    let times = told.and_then(time).zip(time(&probe.at));
    let Some((stated, asked)) = times else {
        return Err(Failure::new(
            FailureKind::Undefined,
            "a time in the answer",
            "none was recorded",
        )
        .with_hint("run again; nothing is known about it"));
    };
    let age = asked.duration_since(stated);
    judged.tell(format!(
        "{}: of {stated}, asked at {asked}",
        question.target
    ));
    let expected = format!("a time in the answer of the last {}", say(within));
    let stale = |actual: String, hint: &str| {
        Err(Failure::new(FailureKind::Stale, expected.clone(), actual).with_hint(hint))
    };
    if age < -AHEAD {
        return stale(
            format!("{stated}, which is yet to come"),
            "one of the clocks is wrong, or the time is of another zone",
        );
    }
    let age = Duration::try_from(age).unwrap_or_default();
    if age > within {
        return stale(
            format!("{stated}, {} old", say(age)),
            "it answers, and what it answers is old: ask the vendor what has stopped behind it",
        );
    }
    Ok(())
}

pub(in crate::support) fn certificates(vendor: &Vendor, heard: &Heard<'_>, days: u32) -> Judged {
    let mut judged = Judged::default();
    let asked: Vec<Question> = asked_here(vendor).map(of_monitoring).collect();
    let is_any = !asked.is_empty();
    let (secure, plain): (Vec<_>, Vec<_>) =
        (asked.into_iter()).partition(|question| question.target.starts_with("https://"));
    for question in plain {
        judged.tell(format!(
            "{}: without TLS, and so without a certificate",
            question.target
        ));
    }
    if secure.is_empty() {
        return judged.fail(match is_any {
            false => none_asked(vendor, None),
            true => Failure::new(
                FailureKind::Missing,
                "monitored URLs with certificates",
                "none of those that the runner asks is of https",
            )
            .with_subject(place(vendor, "monitoring"))
            .with_hint("write `https://` where the service has it; where nothing is encrypted, remove this step"),
        });
    }
    let mut wrong = Vec::new();
    for question in &secure {
        match holds(question, heard, days) {
            Ok(lines) => lines.into_iter().for_each(|line| judged.tell(line)),
            Err(failure) => {
                let failure = failure.with_subject_if_none(&question.target);
                wrong.push(failure);
            }
        }
    }
    judged.unless_wrong(wrong)
}

/// The certificate of each server on the way, however the answer ended behind it.
fn holds(question: &Question, heard: &Heard<'_>, days: u32) -> Result<Vec<String>, Wrong> {
    debug_assert!(question.how == How::Get, "hosts tell of no certificate");
    let probe = answer(heard, question)?;
    let samples = whole(probe, question)?;
    let asked = time(&probe.at);
    let mut lines = Vec::new();
    let hops = samples.iter().flat_map(|sample| &sample.hops);
    for hop in hops.filter(|hop| hop.url.starts_with("https://")) {
        let times = hop.certificate_ends.as_deref().and_then(time).zip(asked);
        let Some((ends, asked)) = times else {
            return Err(Failure::new(
                FailureKind::Undefined,
                "a certificate with its end",
                "none was recorded",
            )
            .with_hint("run again; nothing is known about it"));
        };
        let left = ends.duration_since(asked).as_hours().div_euclid(24);
        if left < i64::from(days) {
            return Err(Failure::new(
                FailureKind::Stale,
                format!("a certificate that holds for {days} days more"),
                format!("it ends at {ends}, in {left} days"),
            )
            .with_subject(&*hop.url)
            .with_hint("ask whoever runs the server when it is renewed: from then on nothing connects to it"));
        }
        let line = format!("{}: certificate until {ends}, {left} days", hop.url);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    match lines.is_empty() {
        true => Err(
            Failure::new(FailureKind::Undefined, "a certificate", "none was recorded")
                .with_hint("run again; nothing is known about it"),
        ),
        false => Ok(lines),
    }
}
