//! What mail servers said of the addresses of people and levels. Accepted is what they accept: 252 tells nothing, and
//! "try again" is no refusal, and no acceptance either.

use super::super::questions::{addresses, of_mailbox};
use super::super::{Heard, Judged, place, unsaid};
use super::{Wrong, heard as answer};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Vendor;
use crate::probe::Acceptance;

const EXPECTED: &str = "an address that its mail server accepts";

/// What a server that refuses nothing said.
pub(super) enum Said {
    Accepted(String),
    Untold(String),
}

impl Said {
    pub(super) fn line(self) -> String {
        match self {
            Self::Accepted(line) | Self::Untold(line) => line,
        }
    }
}

/// Every address is accepted by the server that it was asked of.
pub(in crate::support) fn accepted(vendor: &Vendor, heard: &Heard<'_>) -> Judged {
    let mut judged = Judged::default();
    let all = addresses(vendor);
    if all.is_empty() {
        return judged.fail(unsaid(
            vendor,
            "contacts",
            "e-mail addresses",
            "contacts: {ana: {name: …, email: ana@example.com, probe: rcpt}}",
        ));
    }
    let mut wrong = Vec::new();
    for (whose, address, probe) in all {
        if !probe {
            let hint = "write `probe: rcpt` beside it: then its mail server is asked, which is told nothing but the address";
            let actual = format!("{whose} ({address}): its mail server is not to be asked");
            let failure = Failure::new(FailureKind::Missing, EXPECTED, actual);
            wrong.push(failure.with_subject(place(vendor, &whose)).with_hint(hint));
            continue;
        }
        match said(vendor, &whose, address, heard) {
            Ok(Said::Accepted(line)) => judged.tell(line),
            Ok(Said::Untold(actual)) => {
                let hint = "this server tells nobody which mailboxes it has: have a person prove the address (`proven`), and do not ask for this step";
                let failure = Failure::new(FailureKind::Undefined, EXPECTED, actual);
                wrong.push(failure.with_subject(address).with_hint(hint));
            }
            Err(failure) => wrong.push(failure),
        }
    }
    judged.unless_wrong(wrong)
}

/// What was said of one address, or why it counts as refused or unknown.
pub(super) fn said(
    vendor: &Vendor,
    whose: &str,
    address: &str,
    heard: &Heard<'_>,
) -> Result<Said, Wrong> {
    let question = of_mailbox(vendor, address);
    let wrong = |kind, actual: String, hint: &str| {
        Failure::new(kind, EXPECTED, format!("{whose} ({address}): {actual}"))
            .with_subject(address)
            .with_hint(hint)
    };
    let unheard = || {
        let why = "nothing was recorded".to_owned();
        wrong(
            FailureKind::Undefined,
            why,
            "run again; nothing is known about it",
        )
    };
    let acceptance = answer(heard, &question)?.acceptance.as_ref();
    let Acceptance {
        server,
        code,
        words,
        lack,
    } = acceptance.ok_or_else(unheard)?;
    if let Some(lack) = lack {
        let failure = lack.failure();
        let actual = format!("{whose} ({address}): {}", failure.actual);
        return Err(Failure { actual, ..failure }.with_subject(address));
    }
    let told = format!("{server} says {words}");
    match code {
        Some(250 | 251) => Ok(Said::Accepted(format!(
            "{whose} ({address}): accepted: {told}; whether anybody reads it, only a person can prove"
        ))),
        Some(252) => Ok(Said::Untold(format!(
            "{whose} ({address}): not verified: {told}"
        ))),
        Some(400..=499) => Err(wrong(
            FailureKind::Io,
            format!("not now: {told}"),
            "the server puts strangers off (greylisting) or is busy, and has refused nothing: try again in some minutes, from the same address",
        )),
        Some(500..=599) => Err(wrong(
            FailureKind::Denied,
            format!("refused: {told}"),
            "ask the vendor for the address that is read; where the server refuses who asks and not the address, `probe_from: ADDRESS` names another sender",
        )),
        _ => Err(unheard()),
    }
}
