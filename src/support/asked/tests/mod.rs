//! Each judgement with what makes it fail and the twin that passes, by answers as their readers tell them.

mod mailboxes;
mod pages;
mod ways;

use std::path::Path;
use std::time::Duration;

use super::super::{Ask, Heard, Judged, Moment};
use crate::evidence::{feed, pointed, status};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Inventory;
use crate::probe::{Document, Hop, Lack, Probe, Question, Read, Sample};

const TODAY: &str = "2026-11-22T15:00:00Z";
const PIN: &str = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn estate(vendor: &str) -> Inventory {
    let text = format!(
        "environment: p\nhosts: {{h: {{address: h.example, host_key: \"{PIN}\"}}}}\nteams: {{ops: {{user: ops, key: k}}}}\nvendors:\n  echo:\n{vendor}"
    );
    Inventory::parse(Path::new("i.yaml"), text.into_bytes()).unwrap_or_else(|all| panic!("{all}"))
}

/// An answer of 200 with this body, asked when the run began.
fn answered(question: &Question, body: &str) -> Probe {
    let hop = Hop {
        url: question.target.clone(),
        status: Some(question.status),
        bytes: body.len() as u64,
        certificate_ends: Some("2027-01-22T15:00:00Z".to_owned()),
        ..Hop::default()
    };
    let sample = Sample {
        hops: vec![hop],
        total_us: 100_000,
        lack: None,
    };
    let mut document = Document::default();
    let lack = match &question.read {
        Read::Nothing => None,
        Read::Feed => feed::feed(body.as_bytes())
            .map(|found| document.feed = Some(found))
            .err(),
        Read::Time(at) => pointed::time(at, body.as_bytes())
            .map(|time| document.time = Some(time))
            .err(),
        page => {
            let page = status::page(page, body.as_bytes()).unwrap();
            page.map(|page| document.page = Some(page)).err()
        }
    };
    document.lack = lack.map(Lack::of);
    Probe {
        how: question.how.as_str().to_owned(),
        target: question.target.clone(),
        from: question.from.clone(),
        asked: question.line(),
        at: TODAY.to_owned(),
        samples: vec![sample; question.samples as usize],
        document: (question.read != Read::Nothing).then_some(document),
        mail: None,
        inbox: None,
        reception: None,
        acceptance: None,
    }
}

fn judge_by(
    ask: Ask,
    inventory: &Inventory,
    go_live: Option<&str>,
    answer: impl Fn(&Question) -> Option<Probe>,
) -> Judged {
    let vendor = &inventory.vendors[0];
    let host = ask.is_asked_on_host().then_some("h");
    let questions = ask.questions(vendor, host);
    let probes: Vec<Probe> = questions.iter().filter_map(answer).collect();
    let moment = Moment {
        started: TODAY.parse().unwrap(),
        go_live: go_live.map(|time| time.split('/').next().unwrap().parse().unwrap()),
        go_live_until: go_live.and_then(|time| Some(time.split_once('/')?.1.parse().unwrap())),
    };
    let heard = Heard {
        host,
        probes: &probes,
    };
    ask.judge(vendor, inventory, &moment, &heard)
}

#[track_caller]
fn holds(judged: &Judged) {
    assert_eq!(judged.failure, None);
    assert!(!judged.told.is_empty());
}

#[track_caller]
fn fails(judged: &Judged, kind: FailureKind, words: &str) {
    let failure = judged.failure.as_ref();
    let failure = failure.unwrap_or_else(|| panic!("holds: {:?}", judged.told));
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.actual.contains(words), "{failure}");
    assert!(
        !failure.hint.is_empty() && failure.subject.is_some(),
        "{failure:?}"
    );
}

/// What holds by `well` holds no more when it was not asked, or came to nothing.
#[track_caller]
fn never_silent(ask: Ask, inventory: &Inventory, well: impl Fn(&Question) -> Probe) {
    holds(&judge_by(ask, inventory, None, |one| Some(well(one))));
    fails(
        &judge_by(ask, inventory, None, |_| None),
        FailureKind::Undefined,
        "not asked",
    );
    let emptied = judge_by(ask, inventory, None, |one| {
        Some(Probe {
            samples: Vec::new(),
            document: None,
            mail: None,
            inbox: None,
            reception: None,
            acceptance: None,
            ..well(one)
        })
    });
    assert!(emptied.failure.is_some(), "{:?}", emptied.told);
    let otherwise = judge_by(ask, inventory, None, |one| {
        let asked = format!("{} (never)", one.line());
        Some(Probe { asked, ..well(one) })
    });
    fails(&otherwise, FailureKind::Undefined, "not asked");
    let bare = estate("    contract: {id: x}\n");
    let judged = judge_by(ask, &bare, None, |one| Some(well(one)));
    fails(&judged, FailureKind::Missing, "the inventory says no");
}

fn atom(at: &str) -> String {
    format!("<feed><entry><title>5.3.5</title><updated>{at}</updated></entry></feed>")
}

#[test]
fn what_is_announced_was_read_the_day_after_or_is_fresh() {
    use FailureKind::{Corrupt, Empty, Missing, Stale};
    let week = Ask::AnnouncementsRead(Duration::from_secs(7 * 86_400));
    let with = |read: &str| {
        estate(&format!(
            "    channels: {{releases: {{feed: \"https://example.com/r.atom\"{read}}}}}\n"
        ))
    };
    let at = |read: &str, newest: &str| {
        judge_by(week, &with(read), None, |one| {
            Some(answered(one, &atom(newest)))
        })
    };
    never_silent(week, &with(""), |one| {
        answered(one, &atom("2026-11-20T00:00:00Z"))
    });
    let read = ", read: {date: 2026-11-10, by: Ana}";
    holds(&at(read, "2026-11-09T23:59:59Z"));
    // On the day itself, before or after nobody knows.
    fails(&at(read, "2026-11-10T00:00:00Z"), Stale, "5.3.5");
    holds(&at(read, "2026-11-15T15:00:00Z"));
    fails(
        &at(read, "2026-11-15T14:59:59Z"),
        Stale,
        "last read on 2026-11-10 by Ana",
    );
    fails(&at("", "2026-11-15T14:59:59Z"), Missing, "nobody is told");
    fails(
        &at(
            ", read: {date: 2026-11-24, by: Ana}",
            "2026-11-01T00:00:00Z",
        ),
        Stale,
        "yet to come",
    );
    fails(&at(read, "2026-12-24T00:00:00Z"), Stale, "yet to come");
    let none = judge_by(week, &with(read), None, |one| {
        Some(answered(one, "<feed/>"))
    });
    fails(&none, Empty, "no entry");
    let page = judge_by(week, &with(read), None, |one| {
        Some(answered(one, "<html/>"))
    });
    fails(&page, Corrupt, "html");

    never_opens_a_dead_page();
    let log = estate("    outage_log: https://status.example.com/history\n");
    never_silent(Ask::OutageLog, &log, |one| answered(one, "outages"));
    let empty = judge_by(Ask::OutageLog, &log, None, |one| Some(answered(one, "")));
    fails(&empty, Empty, "0 bytes");
    let log = estate(
        "    outage_log: {url: \"https://status.example.com/h.rss\", kind: rss, read: {date: 2026-11-10, by: Ana}}\n",
    );
    let bare = judge_by(Ask::OutageLog, &log, None, |one| {
        Some(answered(one, "<feed/>"))
    });
    holds(&bare);
    let told = bare.told.join("\n");
    assert!(told.contains("it has no entry"), "{told}");
    holds(&judge_by(week, &log, None, |one| {
        Some(answered(one, &atom("2026-11-09T00:00:00Z")))
    }));
    fails(
        &judge_by(week, &log, None, |one| {
            Some(answered(one, &atom("2026-11-11T00:00:00Z")))
        }),
        Stale,
        "the outage log",
    );
}

/// The page of a channel is asked, too, and what has no feed is told.
fn never_opens_a_dead_page() {
    let week = Ask::AnnouncementsRead(Duration::from_secs(7 * 86_400));
    let inventory = estate(
        "    channels: {news: {url: \"https://example.com/news\", feed: \"https://example.com/n.atom\"}, notes: {url: \"https://example.com/notes\"}, one: {url: \"https://example.com/n.atom\", feed: \"https://example.com/n.atom\"}}\n",
    );
    assert_eq!(week.questions(&inventory.vendors[0], None).len(), 3);
    let at = |gone: &str| {
        judge_by(week, &inventory, None, |one| {
            let mut probe = answered(one, &atom("2026-11-20T00:00:00Z"));
            if one.target.ends_with(gone) {
                probe.samples[0].hops[0].status = Some(404);
            }
            Some(probe)
        })
    };
    let well = at("/nothing");
    holds(&well);
    let told = well.told.join("\n");
    assert!(
        told.contains("channel `notes` has no feed: nobody can tell"),
        "{told}"
    );
    assert!(!told.contains("channel `news` has no feed"), "{told}");
    for gone in ["/news", "/notes", "/n.atom"] {
        fails(&at(gone), FailureKind::Missing, "404");
    }
    let silent = judge_by(week, &inventory, None, |one| {
        let probe = answered(one, &atom("2026-11-20T00:00:00Z"));
        (!one.target.ends_with("/notes")).then_some(probe)
    });
    fails(&silent, FailureKind::Undefined, "not asked");
}

const MONITORED: &str = "    monitoring: [{url: \"https://api.example.com/health\", runner: true, from: [h], status: 201, fresh: {at: /t, within: 10m}}]\n";

fn body(time: &str) -> String {
    format!("{{\"t\": \"{time}\"}}")
}

#[test]
fn what_is_monitored_answers_in_time_and_fresh() {
    use FailureKind::{Corrupt, Denied, Io, Mismatch, Missing, Stale, Timeout};
    let inventory = estate(MONITORED);
    for ask in [
        Ask::Answers(Duration::from_secs(1)),
        Ask::AnswersHost(Duration::from_secs(1)),
    ] {
        never_silent(ask, &inventory, |one| {
            answered(one, &body("2026-11-22T14:50:00Z"))
        });
        let at = |text: &str, edit: &dyn Fn(&mut Probe)| {
            judge_by(ask, &inventory, None, |one| {
                let mut probe = answered(one, text);
                edit(&mut probe);
                Some(probe)
            })
        };
        fails(&at(&body("2026-11-22T14:49:59Z"), &|_| {}), Stale, "10m 1s");
        holds(&at(&body("2026-11-22T15:01:00Z"), &|_| {}));
        fails(
            &at(&body("2026-11-22T15:01:01Z"), &|_| {}),
            Stale,
            "yet to come",
        );
        fails(&at("{}", &|_| {}), Missing, "");
        fails(&at("<html>", &|_| {}), Corrupt, "");
        let fresh = body("2026-11-22T15:00:00Z");
        // The slowest counts, not the median.
        fails(
            &at(&fresh, &|probe| probe.samples[1].total_us = 1_000_001),
            Timeout,
            "slowest of 3 answers",
        );
        holds(&at(&fresh, &|probe| probe.samples[1].total_us = 1_000_000));
        for (status, kind) in [
            (200, Mismatch),
            (403, Denied),
            (404, Missing),
            (503, Io),
            (301, Mismatch),
        ] {
            fails(
                &at(&fresh, &|probe| {
                    probe.samples[2].hops[0].status = Some(status)
                }),
                kind,
                &status.to_string(),
            );
        }
        fails(
            &at(&fresh, &|probe| probe.samples[0].hops[0].status = None),
            Io,
            "no answer",
        );
        assert!(
            at(&fresh, &|probe| drop(probe.samples.pop()))
                .failure
                .is_some()
        );
        let broken = |probe: &mut Probe| {
            let failure = Failure::new(Timeout, "an answer", "none").with_hint("wait");
            probe.samples.truncate(1);
            probe.samples[0].lack = Some(Lack::of(failure));
        };
        fails(&at(&fresh, &broken), Timeout, "none");
    }
}

#[test]
fn certificates_hold_to_the_day() {
    use FailureKind::{Missing, Stale, Undefined};
    let inventory = estate(MONITORED);
    let fresh = body("2026-11-22T15:00:00Z");
    // 61 days after the run.
    never_silent(Ask::CertificatesHold(61), &inventory, |one| {
        answered(one, &fresh)
    });
    let judged = judge_by(Ask::CertificatesHold(62), &inventory, None, |one| {
        Some(answered(one, &fresh))
    });
    fails(&judged, Stale, "in 61 days");
    let untold = judge_by(Ask::CertificatesHold(1), &inventory, None, |one| {
        let mut probe = answered(one, &fresh);
        probe.samples[1].hops[0].certificate_ends = None;
        Some(probe)
    });
    fails(&untold, Undefined, "none was recorded");
    let plain = estate("    monitoring: [{url: \"http://api.example.com/\"}]\n");
    let judged = judge_by(Ask::CertificatesHold(1), &plain, None, |one| {
        Some(answered(one, "x"))
    });
    fails(&judged, Missing, "is of https");
}
