//! Whether the domains of e-mail addresses take mail: plausible, refused, or unknown. Unknown is not well.

use super::super::questions::{addresses, mailboxes, of_address};
use super::super::{Heard, Judged, unsaid};
use super::{Wrong, heard as answer, mailboxes as asked};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Vendor;
use crate::probe::Question;

pub(in crate::support) fn taken(vendor: &Vendor, heard: &Heard<'_>) -> Judged {
    let mut judged = Judged::default();
    let mailboxes = mailboxes(vendor);
    if mailboxes.is_empty() {
        return judged.fail(unsaid(
            vendor,
            "contacts",
            "e-mail addresses",
            "contacts: {ana: {name: …, email: ana@example.com}}",
        ));
    }
    let mut wrong = Vec::new();
    for (whose, address) in mailboxes {
        let Some(question) = of_address(vendor, address) else {
            continue;
        };
        match plausible(&question, heard) {
            Ok(line) => judged.tell(format!("{whose} ({address}): {line}")),
            Err(failure) => {
                let actual = format!("{whose} ({address}): {}", failure.actual);
                wrong.push(Failure { actual, ..failure });
            }
        }
    }
    // Where it was asked for, what the mail server itself says; that it tells nothing is no refusal.
    for (whose, address, probe) in addresses(vendor) {
        if !probe {
            continue;
        }
        match asked::said(vendor, &whose, address, heard) {
            Ok(said) => judged.tell(said.line()),
            Err(failure) => wrong.push(failure),
        }
    }
    judged.unless_wrong(wrong)
}

/// A line for the transcript, or why no mail arrives there.
pub(super) fn plausible(question: &Question, heard: &Heard<'_>) -> Result<String, Wrong> {
    let expected = "a domain that takes mail";
    let wrong = |kind, actual: String, hint: &str| {
        Err(Failure::new(kind, expected, actual)
            .with_subject(&*question.target)
            .with_hint(hint))
    };
    let domain = &question.target;
    let Some(mail) = &answer(heard, question)?.mail else {
        return wrong(
            FailureKind::Undefined,
            "nothing was recorded".to_owned(),
            "run again; nothing is known about it",
        );
    };
    let asked = match &mail.resolver {
        Some(server) => format!(", says {server}"),
        None => String::new(),
    };
    let reached = mail.exchangers.iter().filter(|one| one.addresses > 0);
    let names: Vec<&str> = reached.map(|one| one.name.as_str()).collect();
    match mail.says.as_str() {
        "exchangers" | "implicit" if !names.is_empty() => {
            let how = match mail.says.as_str() {
                "implicit" => "no exchanger, the domain itself",
                _ => "exchangers",
            };
            Ok(format!("plausible: {how}: {}{asked}", names.join(", ")))
        }
        "exchangers" => {
            let all: Vec<&str> = mail
                .exchangers
                .iter()
                .map(|one| one.name.as_str())
                .collect();
            wrong(
                FailureKind::Missing,
                format!(
                    "refused: its exchangers have no address: {}{asked}",
                    all.join(", ")
                ),
                "no mail server can deliver there: ask whoever keeps the domain",
            )
        }
        "null" => wrong(
            FailureKind::Denied,
            format!("refused: {domain} says that it takes no mail (a null MX, RFC 7505){asked}"),
            "the address is wrong, or given up: ask for the one that is read",
        ),
        "no-domain" => wrong(
            FailureKind::Missing,
            format!("refused: there is no domain {domain} (NXDOMAIN){asked}"),
            "correct the address; where names inside differ from those outside, `resolver:` names the DNS server to ask",
        ),
        "nothing" => wrong(
            FailureKind::Missing,
            format!("refused: {domain} has neither an exchanger nor an address{asked}"),
            "correct the address, or ask whoever keeps the domain",
        ),
        _ => {
            let failure = mail.lack.as_ref().map(crate::probe::Lack::failure);
            let failure = failure.unwrap_or_else(|| {
                Failure::new(FailureKind::Undefined, expected, "nothing was recorded")
                    .with_hint("run again; nothing is known about it")
            });
            let actual = format!("unknown: {}{asked}", failure.actual);
            Err(Failure { actual, ..failure }.with_subject(domain))
        }
    }
}
