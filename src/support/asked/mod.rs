//! What the network answered, judged. What was not asked, came broken or is not understood is never well.

pub(super) mod answers;
pub(super) mod feeds;
pub(super) mod intake;
pub(super) mod mail;
pub(super) mod mailboxes;
pub(super) mod pages;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::{Heard, Judged};
use crate::failure::{Failure, FailureKind};
use crate::probe::{Document, How, Probe, Question, Sample};
use crate::text::{clip, size};

/// One answer that falls short.
pub(super) type Wrong = Failure;

impl Judged {
    /// Fails with the first of `wrong`, and tells the others.
    fn unless_wrong(mut self, wrong: Vec<Wrong>) -> Self {
        for other in wrong.iter().skip(1) {
            self.tell(format!("also: {other}"));
        }
        let more = wrong.len().saturating_sub(1);
        let Some(first) = wrong.into_iter().next() else {
            return self;
        };
        let actual = match more {
            0 => first.actual.clone(),
            more => format!("{}; and {more} more, told in the transcript", first.actual),
        };
        self.fail(Failure { actual, ..first })
    }
}

/// What came of the question; nothing came of one that was never asked.
pub(super) fn heard<'a>(heard: &Heard<'a>, question: &Question) -> Result<&'a Probe, Wrong> {
    let mut probes = heard.probes.iter();
    probes.find(|probe| probe.answers(question)).ok_or_else(|| {
        Failure::new(FailureKind::Undefined, "an answer", "it was not asked")
            .with_subject(&*question.target)
            .with_hint("run again; nothing is known about it")
    })
}

/// The samples of an HTTP question, all of them whole and with the status that was wanted.
pub(super) fn whole<'a>(probe: &'a Probe, question: &Question) -> Result<&'a [Sample], Wrong> {
    let wrong = |failure: Failure| failure.with_subject(&*question.target);
    if probe.samples.len() != question.samples as usize {
        let broken = probe.samples.iter().find_map(|sample| sample.lack.as_ref());
        let failure = broken.map_or_else(
            || {
                Failure::new(
                    FailureKind::Undefined,
                    format!("{} answers", question.samples),
                    format!("{}", probe.samples.len()),
                )
                .with_hint("run again; less is known than was to be")
            },
            crate::probe::Lack::failure,
        );
        return Err(wrong(failure));
    }
    for sample in &probe.samples {
        if let Some(lack) = &sample.lack {
            return Err(wrong(lack.failure()));
        }
        let status = sample.status();
        if status != Some(question.status) {
            return Err(wrong(of_status(question, sample, status)));
        }
        if question.how == How::Get && sample.hops.len() > question.redirects as usize + 1 {
            let failure = Failure::new(
                FailureKind::Mismatch,
                "no more redirects than the inventory allows",
                format!("{}", sample.hops.len() - 1),
            );
            return Err(wrong(failure.with_hint("run again: this was not planned")));
        }
    }
    Ok(&probe.samples)
}

fn of_status(question: &Question, sample: &Sample, status: Option<u16>) -> Failure {
    let expected = format!("status {}", question.status);
    let Some(status) = status else {
        return Failure::new(FailureKind::Io, expected, "no answer")
            .with_hint("look at the URL with curl from here");
    };
    let location = sample.hops.last().and_then(|hop| hop.location.as_deref());
    let (kind, actual, hint) = match (status, location) {
        (300..=399, Some(location)) => (
            FailureKind::Mismatch,
            format!("status {status}, a redirect to \"{}\"", clip(location, 200)),
            "write the URL that it leads to, or `redirects: 1` beside it, if that is the one that is meant",
        ),
        (401 | 403 | 407, _) => (
            FailureKind::Denied,
            format!("status {status}"),
            "it wants an account, or lets this address not in; no account is ever sent from here",
        ),
        (404 | 410, _) => (
            FailureKind::Missing,
            format!("status {status}"),
            "nothing is there: correct the URL, and see whether the page has moved",
        ),
        (500..=599, _) => (
            FailureKind::Io,
            format!("status {status}"),
            "the server itself fails: ask the vendor",
        ),
        _ => (
            FailureKind::Mismatch,
            format!("status {status}"),
            "see with curl what answers there; `status:` says which one is expected of what is monitored",
        ),
    };
    Failure::new(kind, expected, actual).with_hint(hint)
}

/// What was read of the last answer.
pub(super) fn document<'a>(probe: &'a Probe, question: &Question) -> Result<&'a Document, Wrong> {
    whole(probe, question)?;
    let wrong = |failure: Failure| failure.with_subject(&*question.target);
    let document = probe.document.as_ref().ok_or_else(|| {
        let failure = Failure::new(FailureKind::Undefined, "an answer that was read", "none");
        wrong(failure.with_hint("run again; nothing is known about it"))
    })?;
    match &document.lack {
        None => Ok(document),
        Some(lack) => Err(wrong(lack.failure())),
    }
}

/// A line for the transcript.
pub(super) fn told(probe: &Probe) -> Vec<String> {
    let from = probe.from.as_deref().unwrap_or("the runner");
    let mut lines = Vec::new();
    for sample in &probe.samples {
        for hop in &sample.hops {
            let status = match hop.status {
                Some(status) => format!("status {status}, {}", size(hop.bytes)),
                None => "no answer".to_owned(),
            };
            let mut line = format!("{} {} from {from}: {status}", probe.how, hop.url);
            if let Some(proxy) = &hop.proxy {
                line.push_str(&format!(", by proxy {proxy}"));
            }
            if let Some(address) = &hop.address {
                line.push_str(&format!(", {address}"));
            }
            line.push_str(&format!(
                ": dns {}, connect {}, tls {}, first byte {}, transfer {}",
                millis(hop.dns_us),
                millis(hop.connect_us),
                millis(hop.tls_us),
                millis(hop.first_byte_us),
                millis(hop.transfer_us)
            ));
            if let Some(ends) = &hop.certificate_ends {
                line.push_str(&format!("; certificate until {ends}"));
            }
            lines.push(line);
        }
    }
    if let Some(document) = &probe.document {
        lines.push(format!("{}: sha256 {}", probe.target, document.sha256));
    }
    lines
}

/// `12.3 ms`.
pub(super) fn millis(micros: u64) -> String {
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}

/// A time as it was recorded.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
