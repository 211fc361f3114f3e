//! Whether every way to hand evidence over can be reached; nothing is sent over any of them.

use super::super::questions::of_intake;
use super::super::{Heard, Judged, unsaid};
use super::{Wrong, heard as answer, mail, told};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Vendor;
use crate::probe::{Desk, Drop, How, Probe, Question, Tls};

pub(in crate::support) fn open(vendor: &Vendor, heard: &Heard<'_>) -> Judged {
    let mut judged = Judged::default();
    if vendor.intake.is_empty() {
        return judged.fail(unsaid(
            vendor,
            "intake",
            "ways to hand evidence over",
            "intake: [{kind: sftp, host: drop.example.com, user: customer-17, host_key: \"SHA256:…\", key: keys/drop}]",
        ));
    }
    let mut wrong = Vec::new();
    let questions = vendor
        .intake
        .iter()
        .flat_map(|intake| of_intake(vendor, intake));
    for question in questions {
        let found = match &question.how {
            How::Mx(_) => {
                mail::plausible(&question, heard).map(|line| format!("{}: {line}", question.target))
            }
            How::Sftp(drop) => {
                answer(heard, &question).and_then(|probe| let_in(probe, &question, drop))
            }
            How::Smtp(desk) => {
                answer(heard, &question).and_then(|probe| greets(probe, &question, desk))
            }
            _ => answer(heard, &question).and_then(|probe| {
                told(probe).into_iter().for_each(|line| judged.tell(line));
                takes_uploads(probe, &question)
            }),
        };
        match found {
            Ok(line) => judged.tell(line),
            Err(failure) => wrong.push(failure.with_subject_if_none(&question.target)),
        }
    }
    judged.unless_wrong(wrong)
}

fn undefined() -> Wrong {
    Failure::new(FailureKind::Undefined, "an answer", "none was recorded")
        .with_hint("run again; nothing is known about it")
}

fn let_in(probe: &Probe, question: &Question, drop: &Drop) -> Result<String, Wrong> {
    let target = &question.target;
    let inbox = probe.inbox.as_ref().ok_or_else(undefined)?;
    if let Some(lack) = &inbox.lack {
        return Err(lack.failure().with_subject(target));
    }
    let key = inbox.host_key.as_deref().ok_or_else(undefined)?;
    let pin = drop.host_key.as_deref().unwrap_or_default();
    if key.trim_end_matches('=') != pin.trim_end_matches('=') {
        return Err(
            Failure::new(FailureKind::HostKey, format!("host key {pin}"), key)
                .with_subject(target)
                .with_hint("ask the vendor, by another way, which key its drop box has"),
        );
    }
    match (&drop.login, inbox.login, &inbox.directory) {
        (None, _, _) => Ok(format!(
            "{target}: reached, host key {key}; no way to log in, and so no login was tried"
        )),
        (Some(_), true, Some(directory)) => Ok(format!(
            "{target}: host key {key}, let in, {directory} is a directory"
        )),
        (Some(_), ..) => Err(undefined()),
    }
}

fn greets(probe: &Probe, question: &Question, desk: &Desk) -> Result<String, Wrong> {
    let target = &question.target;
    let reception = probe.reception.as_ref().ok_or_else(undefined)?;
    if let Some(lack) = &reception.lack {
        return Err(lack.failure().with_subject(target));
    }
    let how = match (desk.tls, reception.encrypted) {
        (Tls::None, _) => "in plain text, on this machine",
        (Tls::Starttls | Tls::Implicit, true) => "over TLS",
        (Tls::Starttls | Tls::Implicit, false) => return Err(undefined()),
    };
    let most = reception.most_bytes.map_or_else(String::new, |most| {
        format!(", messages of at most {most} bytes")
    });
    Ok(format!(
        "{target}: a mail server greets {how}{most}; no account, sender or recipient was named"
    ))
}

const MOVED: &str = "see whether uploads have moved; `redirects: 1` follows one";

/// What takes uploads need not answer a HEAD without an account well: that it answers as such a place may
/// is all that can be told without sending anything.
fn takes_uploads(probe: &Probe, question: &Question) -> Result<String, Wrong> {
    let [sample] = probe.samples.as_slice() else {
        return Err(undefined());
    };
    if let Some(lack) = &sample.lack {
        return Err(lack.failure());
    }
    let target = &question.target;
    let status = sample.status().ok_or_else(undefined)?;
    let means = match status {
        200..=299 => "",
        401 | 403 => ", which asks for the account that an upload has",
        405 => ", which takes other requests only",
        _ => {
            let location = sample.hops.last().and_then(|hop| hop.location.as_deref());
            let to = location.map_or_else(String::new, |to| format!(", a redirect to \"{to}\""));
            let (kind, hint) = match status {
                404 | 410 => (FailureKind::Missing, MOVED),
                500..=599 => (
                    FailureKind::Io,
                    "ask the vendor whether its uploads are well; ask again later",
                ),
                _ => (FailureKind::Mismatch, MOVED),
            };
            return Err(Failure::new(
                kind,
                "status 200 to 299, 401, 403 or 405 to a HEAD",
                format!("status {status}{to}"),
            )
            .with_hint(hint));
        }
    };
    Ok(format!(
        "{target}: status {status}{means}; nothing was sent"
    ))
}
