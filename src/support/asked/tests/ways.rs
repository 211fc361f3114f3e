//! Mail domains, intake and the process test.

use super::*;
use crate::probe::{Exchanger, How, Inbox, Mail, Reception};

#[test]
fn mail_domains_are_plausible_refused_or_unknown() {
    use FailureKind::{Denied, Missing, Unreachable};
    let inventory = estate(
        "    contacts: {ana: {name: Ana, email: ana@Example.com}}\n    intake: [{kind: e-mail, to: in@example.com}]\n",
    );
    let said = |says: &str, exchangers: &[(&str, u64)]| {
        let exchangers = exchangers.iter().map(|(name, addresses)| Exchanger {
            name: (*name).to_owned(),
            addresses: *addresses,
        });
        let lack = (says == "unknown").then(|| {
            Lack::of(Failure::new(Unreachable, "an answer of DNS", "SERVFAIL").with_hint("look"))
        });
        Some(Mail {
            says: says.to_owned(),
            exchangers: exchangers.collect(),
            resolver: None,
            lack,
        })
    };
    let told = |question: &Question, mail: Option<Mail>| Probe {
        samples: Vec::new(),
        mail,
        ..answered(question, "")
    };
    for ask in [Ask::TakesMail, Ask::IntakeOpen] {
        assert_eq!(ask.questions(&inventory.vendors[0], None).len(), 1);
        never_silent(ask, &inventory, |one| {
            told(
                one,
                said("exchangers", &[("a.example", 0), ("b.example", 1)]),
            )
        });
        let at = |says, exchangers: &[(&str, u64)]| {
            judge_by(ask, &inventory, None, |one| {
                Some(told(one, said(says, exchangers)))
            })
        };
        holds(&at("implicit", &[("example.com", 2)]));
        fails(
            &at("exchangers", &[("a.example", 0)]),
            Missing,
            "no address",
        );
        fails(&at("exchangers", &[]), Missing, "");
        fails(&at("null", &[]), Denied, "RFC 7505");
        fails(&at("no-domain", &[]), Missing, "NXDOMAIN");
        fails(&at("nothing", &[]), Missing, "neither");
        fails(&at("unknown", &[]), Unreachable, "unknown: SERVFAIL");
        assert!(at("fine", &[("a", 1)]).failure.is_some());
    }
}

#[test]
fn the_domain_of_a_subscription_takes_mail_too() {
    let inventory = estate(
        "    contacts: {ana: {name: Ana, email: ana@example.com}}\n    channels: {news: {subscribed: {ops: {address: noc@gone.example}}}, sms: {subscribed: {ops: {address: \"+1 212 555 0100\"}}}, chat: {subscribed: {ops: {address: \"#noc\"}}}}\n",
    );
    let at = |gone: &str| {
        judge_by(Ask::TakesMail, &inventory, None, |one| {
            let is_gone = one.target == gone;
            let exchangers = vec![Exchanger {
                name: "a.example".to_owned(),
                addresses: 1,
            }];
            let mail = Mail {
                says: if is_gone { "no-domain" } else { "exchangers" }.to_owned(),
                exchangers: if is_gone { Vec::new() } else { exchangers },
                resolver: None,
                lack: None,
            };
            Some(Probe {
                samples: Vec::new(),
                mail: Some(mail),
                ..answered(one, "")
            })
        })
    };
    assert_eq!(
        Ask::TakesMail.questions(&inventory.vendors[0], None).len(),
        2
    );
    holds(&at("nowhere"));
    fails(
        &at("gone.example"),
        FailureKind::Missing,
        "team `ops` on channel `news` (noc@gone.example)",
    );
}

#[test]
fn an_intake_is_reached_with_its_own_key_and_account() {
    use FailureKind::{HostKey, Io, Mismatch, Missing, Undefined};
    let drop_box = |more: &str| {
        estate(&format!(
            "    intake: [{{kind: sftp, host: drop.example.com, user: bank, host_key: \"{PIN}\"{more}}}]\n"
        ))
    };
    let with_key = drop_box(", key: k, directory: in");
    let shown = |question: &Question, key: &str, login, directory: Option<&str>| Probe {
        samples: Vec::new(),
        inbox: Some(Inbox {
            host_key: Some(key.to_owned()),
            login,
            directory: directory.map(str::to_owned),
            lack: None,
        }),
        ..answered(question, "")
    };
    let ask = Ask::IntakeOpen;
    never_silent(ask, &with_key, |one| shown(one, PIN, true, Some("/in")));
    let at = |inventory: &Inventory, key: &str, login, directory| {
        judge_by(ask, inventory, None, |one| {
            Some(shown(one, key, login, directory))
        })
    };
    holds(&at(&drop_box(""), PIN, false, None));
    fails(&at(&with_key, PIN, false, None), Undefined, "");
    fails(&at(&with_key, PIN, true, None), Undefined, "");
    fails(
        &at(&with_key, "SHA256:B", true, Some("/in")),
        HostKey,
        "SHA256:B",
    );

    let upload = estate("    intake: [{kind: https, url: \"https://up.example.com/cases\"}]\n");
    assert!(ask.questions(&upload.vendors[0], None)[0].how == How::Head);
    never_silent(ask, &upload, |one| answered(one, ""));
    for (status, kind) in [
        (204, None),
        (401, None),
        (403, None),
        (405, None),
        (404, Some(Missing)),
        (302, Some(Mismatch)),
        (400, Some(Mismatch)),
        (503, Some(Io)),
    ] {
        let judged = judge_by(ask, &upload, None, |one| {
            let mut probe = answered(one, "");
            probe.samples[0].hops[0].status = Some(status);
            Some(probe)
        });
        match kind {
            None => holds(&judged),
            Some(kind) => fails(&judged, kind, &status.to_string()),
        }
    }
}

#[test]
fn a_process_test_was_answered_in_time() {
    use FailureKind::{Missing, Stale};
    let test = "    process_test: {case: \"1\", opened: 2026-11-01T10:00:00Z, acknowledged: 2026-11-01T14:00:00Z, within: 4h}\n";
    let at = |ask, old: &str, new: &str| {
        assert!(test.contains(old));
        judge_by(ask, &estate(&test.replacen(old, new, 1)), None, |_| None)
    };
    for ask in [Ask::ProcessTest(None), Ask::ProcessTest(Some(92))] {
        holds(&at(ask, "", ""));
        fails(&at(ask, "T14:00:00Z", "T14:00:01Z"), Stale, "after 4h");
        fails(
            &at(ask, ", acknowledged: 2026-11-01T14:00:00Z", ""),
            Stale,
            "not acknowledged",
        );
        fails(&at(ask, "case: \"1\", ", ""), Missing, "process_test: case");
        fails(
            &at(ask, ", within: 4h", ""),
            Missing,
            "process_test: within",
        );
        let future = "acknowledged: 2026-11-22T16:00:00Z, within: 30d";
        fails(
            &at(
                ask,
                "acknowledged: 2026-11-01T14:00:00Z, within: 4h",
                future,
            ),
            Stale,
            "yet to come",
        );
        fails(
            &judge_by(ask, &estate("    contract: {id: x}\n"), None, |_| None),
            Missing,
            "process_test",
        );
    }
    // Still within its time, and still nobody has answered.
    let open = "opened: 2026-11-22T14:00:00Z, within: 4h";
    let judged = at(
        Ask::ProcessTest(None),
        "opened: 2026-11-01T10:00:00Z, acknowledged: 2026-11-01T14:00:00Z, within: 4h",
        open,
    );
    fails(&judged, Missing, "not acknowledged, 1h");
    // 21 days and 5 hours ago.
    holds(&at(Ask::ProcessTest(Some(22)), "", ""));
    fails(&at(Ask::ProcessTest(Some(21)), "", ""), Stale, "21d 5h ago");
}

#[test]
fn a_mailbox_is_reached_by_its_server_too() {
    let by = |more: &str| {
        estate(&format!(
            "    intake: [{{kind: e-mail, to: in@example.com, from: us@example.org, host: \"127.0.0.1\"{more}}}]\n"
        ))
    };
    let takes = |question: &Question, reception: Reception| match question.how {
        How::Smtp(_) => Probe {
            samples: Vec::new(),
            reception: Some(reception),
            ..answered(question, "")
        },
        _ => Probe {
            samples: Vec::new(),
            mail: Some(Mail {
                says: "exchangers".to_owned(),
                exchangers: vec![Exchanger {
                    name: "a.example".to_owned(),
                    addresses: 1,
                }],
                resolver: None,
                lack: None,
            }),
            ..answered(question, "")
        },
    };
    let greets = |encrypted| Reception {
        name: "mx".to_owned(),
        encrypted,
        ..Reception::default()
    };
    let ask = Ask::IntakeOpen;
    let encrypted = by("");
    assert_eq!(ask.questions(&encrypted.vendors[0], None).len(), 2);
    never_silent(ask, &encrypted, |one| takes(one, greets(true)));
    let at = |inventory: &Inventory, reception: &Reception| {
        judge_by(ask, inventory, None, |one| {
            Some(takes(one, reception.clone()))
        })
    };
    // What was not encrypted is no answer of the server that is meant.
    fails(&at(&encrypted, &greets(false)), FailureKind::Undefined, "");
    holds(&at(&by(", tls: none"), &greets(false)));
    let lack = Failure::new(FailureKind::Mismatch, "a certificate", "of another").with_hint("look");
    let refused = Reception {
        lack: Some(Lack::of(lack)),
        ..greets(true)
    };
    fails(
        &at(&encrypted, &refused),
        FailureKind::Mismatch,
        "of another",
    );
}
