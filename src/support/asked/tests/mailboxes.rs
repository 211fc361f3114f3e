//! What a mail server says of an address: accepted is 250 and 251 alone.

use super::*;
use crate::probe::{Acceptance, Exchanger, How, Mail};

/// `ana` and the desk may be asked about, `ben` as `more` says.
fn inventory(more: &str) -> Inventory {
    estate(&format!(
        "    probe_from: us@open.example\n    contacts:\n      ana: {{name: Ana, email: ana@Example.com, probe: rcpt}}\n      ben: {{name: Ben, email: ben@example.com{more}}}\n    escalation:\n      - {{name: desk, kind: e-mail, to: help@example.com, probe: rcpt}}\n      - {{name: night, kind: phone, to: \"+1 (415) 555-2671\"}}\n"
    ))
}

fn told(question: &Question, code: Option<u16>) -> Probe {
    let bare = Probe {
        samples: Vec::new(),
        ..answered(question, "")
    };
    match question.how {
        How::Rcpt(_) => Probe {
            acceptance: Some(Acceptance {
                server: "mx.example (192.0.2.1)".to_owned(),
                code,
                words: code.map_or_else(String::new, |code| format!("{code} its words")),
                lack: None,
            }),
            ..bare
        },
        _ => Probe {
            mail: Some(Mail {
                says: "exchangers".to_owned(),
                exchangers: vec![Exchanger {
                    name: "mx.example".to_owned(),
                    addresses: 1,
                }],
                resolver: None,
                lack: None,
            }),
            ..bare
        },
    }
}

#[test]
fn an_address_is_accepted_refused_put_off_or_unknown() {
    use FailureKind::{Denied, Io, Undefined, Unreachable};
    let all = inventory(", probe: rcpt");
    let lines: Vec<String> = (Ask::MailAccepted.questions(&all.vendors[0], None).iter())
        .map(Question::line)
        .collect();
    let whole = "rcpt     help@example.com  (its preferred mail server on port 25: EHLO, MAIL FROM:<us@open.example>, RCPT TO, RSET, QUIT, no message)";
    assert_eq!((lines.len(), lines[2].as_str()), (3, whole));
    never_silent(Ask::MailAccepted, &all, |one| told(one, Some(250)));
    // Of one address what the code says, the others being well.
    for ask in [Ask::MailAccepted, Ask::TakesMail] {
        let at = |code: Option<u16>| {
            judge_by(ask, &all, None, |one| {
                let code = match one.target.starts_with("help@") {
                    true => code,
                    false => Some(251),
                };
                Some(told(one, code))
            })
        };
        holds(&at(Some(250)));
        fails(
            &at(Some(550)),
            Denied,
            "level `desk` (help@example.com): refused: mx.example (192.0.2.1) says 550 its words",
        );
        fails(&at(Some(552)), Denied, "refused");
        for later in [421, 450, 451, 499] {
            fails(&at(Some(later)), Io, "not now: ");
            let hint = at(Some(later)).failure.unwrap().hint;
            assert!(hint.contains("try again"), "{hint}");
        }
        for odd in [None, Some(220), Some(254), Some(354), Some(600)] {
            fails(&at(odd), Undefined, "nothing was recorded");
        }
        let unverified = at(Some(252));
        match ask {
            Ask::MailAccepted => fails(&unverified, Undefined, "not verified: "),
            // By its domain alone it may take mail.
            _ => {
                holds(&unverified);
                let mut lines = unverified.told.iter();
                assert!(lines.any(|line| line.contains("not verified: ")));
            }
        }
        let lost = judge_by(ask, &all, None, |one| {
            let lack = Failure::new(Unreachable, "a mail server", "closed").with_hint("look");
            let mut probe = told(one, Some(250));
            if let Some(acceptance) = &mut probe.acceptance {
                acceptance.lack = Some(Lack::of(lack));
            }
            Some(probe)
        });
        fails(&lost, Unreachable, "closed");
    }
}

/// Who did not ask for it is not asked about, and what was not asked proves nothing.
#[test]
fn a_mail_server_is_asked_on_request_alone() {
    let some = inventory("");
    let vendor = &some.vendors[0];
    let rcpt = |ask: Ask| {
        let questions = ask.questions(vendor, None).into_iter();
        let asked = questions.filter(|one| matches!(one.how, How::Rcpt(_)));
        asked.map(|one| one.target).collect::<Vec<_>>()
    };
    let both = ["ana@Example.com", "help@example.com"];
    assert_eq!(rcpt(Ask::TakesMail), both);
    assert_eq!(rcpt(Ask::MailAccepted), both);
    let well = |one: &Question| Some(told(one, Some(250)));
    holds(&judge_by(Ask::TakesMail, &some, None, well));
    fails(
        &judge_by(Ask::MailAccepted, &some, None, well),
        FailureKind::Missing,
        "contact `ben` (ben@example.com): its mail server is not to be asked",
    );
    let none = estate("    contacts: {ana: {name: Ana, email: ana@example.com}}\n");
    let questions = Ask::TakesMail.questions(&none.vendors[0], None);
    assert!(questions.iter().all(|one| matches!(one.how, How::Mx(_))));
}
