//! Each rule of the law against facts that break it alone, and against a benign twin. A rule that is
//! dropped from its table turns its case into a GO, and this file red.

use std::collections::BTreeSet;

use super::sample::{
    check, evidence, fail, good, grant, hang, host, instance, other_types, waive, waiver,
};
use super::*;
use crate::digest::Sha256;
use crate::failure::FailureKind;
use crate::inventory::Kind;

type Change = fn(&mut Facts);

fn clock(skew_ms: i64) -> Clock {
    Clock {
        skew_ms,
        uncertainty_ms: 1500,
        tolerance_ms: 60_000,
    }
}

/// The rule that must speak, and it alone, and what makes it.
const BREAKS: &[(&str, Change)] = &[
    ("unreadable", |f| f.unreadable.push("outcome `ok`".into())),
    ("aborted", |f| f.aborted = Some("deadline".into())),
    ("aborted", |f| f.kind = RunKind::Aborted),
    ("empty", |f| {
        f.checks.clear();
        f.instances.clear();
        f.counts = Counts::default();
    }),
    ("sums", |f| f.counts.planned = 4),
    ("sums", |f| f.counts.passed = 2),
    ("sums", |f| {
        f.counts.passed = 2;
        f.counts.waived = 1;
    }),
    ("sums", |f| {
        f.counts.planned = 4;
        f.counts.pending = 1;
    }),
    ("sums", |f| {
        f.counts.planned = 4;
        f.counts.failed = 1;
    }),
    ("sums", |f| {
        f.checks.push(check("quotes", "support"));
    }),
    ("clock", |f| {
        f.finished = Some("2026-11-21T09:29:59Z".parse().unwrap())
    }),
    ("duplicates", |f| f.checks[1].id = f.checks[0].id.clone()),
    ("duplicates", |f| {
        f.hosts.push(host("ny4-1", "5555"));
        f.hosts[2].host_key = Some("SHA256:else".into());
    }),
    ("duplicates", |f| f.instances.push(f.instances[0].clone())),
    ("strangers", |f| {
        let mut stranger = check("ghost", "operations");
        stranger.claims.clear();
        f.checks.push(stranger);
        f.counts.planned += 1;
        f.counts.passed += 1;
    }),
    ("strangers", |f| f.checks[0].host = Some("ny4-2".into())),
    ("strangers", |f| {
        f.hosts.remove(1);
    }),
    ("strangers", |f| {
        let mut stranger = check("", "operations");
        stranger.instance = None;
        stranger.host = Some("ghost".into());
        f.checks.push(stranger);
        f.counts.planned += 1;
        f.counts.passed += 1;
    }),
    ("untold", |f| f.checks[0].steps.clear()),
    ("untold", |f| f.checks[0].steps[1] = StepOutcome::NotRun),
    ("untold", |f| f.checks[0].steps[1] = StepOutcome::Pending),
    ("untold", |f| f.checks[0].asks = 1),
    ("untold", |f| f.checks[0].steps[1] = StepOutcome::Failed),
    ("untold", |f| f.checks[0].failure = Some(FailureKind::Io)),
    ("untold", |f| f.checks[0].attempts = 0),
    ("untold", |f| f.checks[0].attempts = 2),
    ("untold", |f| f.checks[0].earlier = 1),
    ("unproven", |f| {
        f.checks[0].evidence.push(Evidence {
            bytes: 0,
            ..evidence(Kind::Other)
        });
    }),
    ("unproven", |f| {
        f.checks[0].evidence.push(Evidence {
            sha256: Some(Sha256::of(b"")),
            ..evidence(Kind::Other)
        });
    }),
    ("unproven", |f| {
        f.checks[0].claims.push(Claim::Artifact("core dump".into()));
    }),
    ("unproven", |f| {
        let claim = Claim::Artifact("core dump".into());
        f.checks[0].claims.push(claim);
        f.checks[0].evidence.push(Evidence {
            artifact: "core dump".into(),
            bytes: 0,
            sha256: Some(Sha256::of(b"")),
            ..evidence(Kind::Other)
        });
    }),
    ("twice", |f| {
        f.checks[2].evidence[3].sha256 = f.checks[0].evidence[3].sha256;
    }),
    ("one machine", |f| {
        f.hosts[1].machine_id = Some(" 9F0C\n".into())
    }),
    ("one machine", |f| {
        f.hosts[1].machine_id = Some("9f0c".into());
        f.hosts[0].machine = Some("blade-7".into());
    }),
    ("one machine", |f| {
        f.hosts[1].machine_id = Some("9f0c".into());
        f.hosts[0].machine = Some("blade-7".into());
        f.hosts[1].machine = Some("blade-8".into());
    }),
    ("one machine", |f| {
        f.hosts[1].host_key = f.hosts[0].host_key.clone();
        f.hosts[1].machine_id = None;
    }),
    ("one machine", |f| {
        f.hosts[1].machine_id = Some("9f0c".into());
        for (host, kind) in f.hosts.iter_mut().zip(["ssh-ed25519", "ssh-rsa"]) {
            host.host_key_type = Some(kind.into());
        }
    }),
    ("one machine", |f| {
        other_types(f);
        f.hosts[1].machine_id = None;
        f.hosts[1].hostname = Some("ny4-1".into());
    }),
    ("runner", |f| f.hosts[1].machine_id = Some("C1C1".into())),
    ("runner", |f| {
        f.hosts[1].machine_id = None;
        f.hosts[1].host_key = Some("SHA256:runner".into());
    }),
    ("runner", |f| {
        f.runner.machine_id = None;
        f.hosts[1].host_key = Some("SHA256:runner".into());
    }),
    ("host clock", |f| f.hosts[0].clock = Some(clock(61_501))),
    ("host clock", |f| f.hosts[0].clock = Some(clock(-61_501))),
    ("host clock", |f| f.hosts[1].clock = Some(clock(i64::MIN))),
    ("shared key", |f| {
        f.hosts[1].host_key = f.hosts[0].host_key.clone();
    }),
    ("shared log", |f| {
        for check in [0, 2] {
            f.checks[check].evidence[2].beginning = Some(Sha256::of(b"syslog"));
        }
        for instance in &mut f.instances {
            instance.shared = vec![("event log".into(), "syslog".into())];
        }
    }),
    ("untold apart", |f| {
        other_types(f);
        f.hosts[1].machine_id = None;
        f.hosts[1].hostname = None;
    }),
    // Every second machine is called so.
    ("untold apart", |f| {
        other_types(f);
        f.hosts[1].machine_id = None;
        for host in &mut f.hosts {
            host.hostname = Some("localhost.localdomain".into());
        }
    }),
    ("untold apart", |f| {
        other_types(f);
        for host in &mut f.hosts {
            (host.machine_id, host.hostname) = (None, None);
        }
    }),
    ("wrong host", |f| {
        f.hosts[0].expected_machine_id = Some("77aa".into())
    }),
    ("wrong host", |f| {
        f.hosts[0].expected_hostname = Some("ny4-9".into())
    }),
    ("wrong host", |f| {
        f.hosts[0].expected_hostname = Some("ny4-1.other".into())
    }),
    ("wrong host", |f| {
        f.hosts[0].expected_host_key = Some("SHA256:NY4-1".into())
    }),
    ("wrong host", |f| {
        f.hosts[0].expected_hostname = Some("ny4-1".into());
        f.hosts[0].hostname = None;
    }),
    ("no host key", |f| f.hosts[0].host_key = None),
    ("no host key", |f| f.hosts[0].host_key = Some(String::new())),
    ("failed", |f| fail(f, 0, FailureKind::Denied)),
    ("not retrieved", |f| {
        f.checks.remove(1);
        f.counts.planned = 2;
        f.counts.passed = 2;
    }),
    ("not retrieved", |f| {
        f.checks[0].evidence.remove(2);
        f.checks[0].claims.remove(2);
    }),
    ("not retrieved", |f| f.checks[2].team = None),
    ("not retrieved", |f| {
        f.checks[2].team = Some("support".into())
    }),
    ("not retrieved", |f| {
        f.instances[1].artifacts[2].1 = Kind::Other
    }),
    ("not retrieved", |f| {
        f.instances[1].artifacts[2].0 = "error log".into()
    }),
    ("not retrieved", |f| {
        f.checks[0].claims.clear();
        f.checks[0].evidence[3] = Evidence {
            bytes: 0,
            sha256: Some(Sha256::of(b"")),
            ..evidence(Kind::Statistics)
        };
    }),
    ("no team", |f| {
        let lonely = instance("lonely", "ny4-1", &[]);
        f.instances.push(lonely);
    }),
    ("partial", |f| f.partial = true),
    ("partial", |f| {
        f.partial = true;
        f.checks[0].evidence.clear();
        f.checks[0].claims.clear();
    }),
    ("partial", |f| {
        f.filters = vec!["--tags @log".into()];
        f.checks[0].evidence.clear();
        f.checks[0].claims.clear();
    }),
    ("partial", |f| f.filters = vec!["--host ny4-*".into()]),
    ("pending", |f| hang(f, 1)),
    ("no instance", |f| {
        f.instances.clear();
        for check in &mut f.checks {
            check.host = Some("ny4-1".into());
            check.instance = None;
        }
    }),
    ("waived", |f| waive(f, 1)),
    ("waiver unused", |f| f.waivers.push(grant("W-8"))),
    ("waiver unused", |f| {
        f.waivers.push(grant("W-8"));
        f.waivers[0].passed = vec![f.checks[0].id.clone()];
    }),
];

/// Changes that break two rules by nature: the second one is named too.
const BREAKS_WITH_WAIVER: &[Change] = &[
    |f| {
        waive(f, 0);
        f.checks[0].waiver = None;
    },
    |f| waiver(f).expires = None,
    |f| waiver(f).expires = Some("2026-11-21T09:31:00Z".parse().unwrap()),
    |f| waiver(f).id = " ".into(),
    |f| waiver(f).reason.clear(),
    |f| waiver(f).reason = "  ".into(),
    |f| waiver(f).approver.clear(),
    |f| waiver(f).requester = "\t".into(),
    |f| waiver(f).requester = " Bob".into(),
];

/// Twins of the above that stay GO without a reason.
const BENIGN: &[Change] = &[
    |_| {},
    |f| f.kind = RunKind::Demo,
    |f| f.finished = f.started,
    |f| f.checks[0].host = Some("ny4-1".into()),
    |f| {
        f.checks[0].attempts = 2;
        f.checks[0].earlier = 1;
    },
    // An empty rotated file beside a full one.
    |f| {
        f.checks[0].evidence.push(Evidence {
            bytes: 0,
            sha256: Some(Sha256::of(b"")),
            ..evidence(Kind::Log)
        });
    },
    |f| {
        f.hosts[1].machine_id = Some("9f0c".into());
        f.hosts[0].machine = Some("blade-7".into());
        f.hosts[1].machine = Some("blade-7".into());
    },
    |f| {
        f.hosts[1].host_key = f.hosts[0].host_key.clone();
        f.hosts[1].machine_id = f.hosts[0].machine_id.clone();
        f.hosts[0].machine = Some("blade-7".into());
        f.hosts[1].machine = Some("blade-7".into());
    },
    // Keys of two types say nothing, two names do, and so do two machine-ids.
    |f| {
        other_types(f);
        f.hosts[1].machine_id = None;
    },
    |f| {
        other_types(f);
        f.hosts[1].hostname = f.hosts[0].hostname.clone();
    },
    // Knowingly the runner; a clone of it by its key alone, and not one.
    |f| {
        f.hosts[1].machine_id = Some("c1c1".into());
        f.hosts[1].is_runner = true;
    },
    |f| f.hosts[1].host_key = Some("SHA256:runner".into()),
    |f| f.runner = Runner::default(),
    |f| f.hosts[0].clock = Some(clock(61_500)),
    |f| f.hosts[0].clock = Some(clock(-61_500)),
    |f| {
        f.hosts[0].machine_id = None;
        f.hosts[1].machine_id = None;
    },
    // A hop that nothing is counted on may be the same sshd.
    |f| {
        f.hosts.push(Host {
            machine_id: None,
            ..host("ny4-1", "")
        });
        f.hosts[2].name = "bastion".into();
    },
    |f| {
        f.hosts[0].expected_hostname = Some("NY4-1".into());
        f.hosts[0].expected_machine_id = Some("9F0C".into());
        f.hosts[0].expected_host_key = Some("SHA256:ny4-1".into());
    },
    |f| {
        f.hosts[0].expected_hostname = Some("NY4-1.example ".into());
        f.hosts[0].hostname = Some("ny4-1.EXAMPLE\n".into());
    },
    // Never reached and nothing passed there: its failed checks would speak.
    |f| {
        f.hosts.push(Host {
            name: "bastion".into(),
            expected_hostname: Some("bastion".into()),
            ..Host::default()
        });
    },
];

fn speaking(facts: &Facts) -> Vec<&'static str> {
    let tables = [STOPS, WAITS, NOTES].into_iter().flatten();
    let speaking = tables.filter(|rule| !(rule.against)(facts).is_empty());
    speaking.map(|rule| rule.name).collect()
}

fn is_in(table: &[Rule], name: &str) -> bool {
    table.iter().any(|rule| rule.name == name)
}

#[test]
fn each_rule_alone_decides_its_own_case() {
    for (index, (name, change)) in BREAKS.iter().enumerate() {
        let mut facts = good();
        change(&mut facts);
        let verdict = decide(&facts);
        // An empty plan has no instance to miss either, which is said too.
        let spoke: Vec<_> = speaking(&facts)
            .into_iter()
            .filter(|spoke| !(*name == "empty" && *spoke == "no instance"))
            .collect();
        assert_eq!(spoke, [*name], "case {index}: {verdict:?}");
        let expected = match (is_in(STOPS, name), is_in(WAITS, name)) {
            (true, _) => Decision::NoGo,
            (_, true) => Decision::Hold,
            _ => Decision::Go,
        };
        assert_eq!(verdict.decision, expected, "case {index} ({name})");
        assert!(!verdict.reasons.is_empty(), "case {index} ({name})");
    }
    for (index, change) in BREAKS_WITH_WAIVER.iter().enumerate() {
        let mut facts = good();
        change(&mut facts);
        assert_eq!(speaking(&facts), ["waivers", "waived"], "case {index}");
        assert_eq!(decide(&facts).decision, Decision::NoGo, "case {index}");
    }
    let mut facts = good();
    waive(&mut facts, 0);
    facts.checks[1].waiver = facts.checks[0].waiver.clone();
    assert_eq!(
        speaking(&facts),
        ["waivers", "waived"],
        "waiver on a passed check"
    );
}

#[test]
fn benign_twins_stay_go() {
    for (index, change) in BENIGN.iter().enumerate() {
        let mut facts = good();
        change(&mut facts);
        let expected = Verdict {
            decision: Decision::Go,
            reasons: Vec::new(),
        };
        assert_eq!(decide(&facts), expected, "case {index}");
    }
}

#[test]
fn no_rule_is_without_a_case() {
    let cases = BREAKS.iter().map(|(name, _)| *name);
    let cases = cases.chain(["waivers", "waiver ends"]);
    let cases = cases.chain(super::shards_test::BREAKS.iter().map(|(name, _)| *name));
    let cases: BTreeSet<_> = cases.collect();
    let tables = [STOPS, WAITS, NOTES].into_iter().flatten();
    let rules: BTreeSet<_> = tables.map(|rule| rule.name).collect();
    assert_eq!(cases, rules);
}

#[test]
fn pending_waits_only_when_nothing_else_is_wrong() {
    let mut facts = good();
    hang(&mut facts, 0);
    fail(&mut facts, 1, FailureKind::Stale);
    let verdict = decide(&facts);
    assert_eq!(verdict.decision, Decision::NoGo);
    assert_eq!(
        verdict.reasons,
        [
            "1 of 3 checks failed (1 stale): features/amps.feature:3@orders/support",
            "1 of 3 checks pending a person's word: features/amps.feature:3@orders/operations",
        ]
    );
    // A pending check is no excuse for what was not retrieved.
    let mut facts = good();
    hang(&mut facts, 0);
    facts.checks[0].evidence.remove(0);
    assert_eq!(decide(&facts).decision, Decision::NoGo);
    // Nor may it hide a step that failed.
    let mut facts = good();
    hang(&mut facts, 0);
    facts.checks[0].steps[0] = StepOutcome::Failed;
    assert_eq!(decide(&facts).decision, Decision::NoGo);
}

#[test]
fn a_failed_or_waived_check_needs_its_failure_told() {
    for outcome in [Outcome::Failed, Outcome::Waived] {
        let mut facts = good();
        match outcome {
            Outcome::Failed => fail(&mut facts, 0, FailureKind::Io),
            _ => waive(&mut facts, 0),
        }
        facts.checks[0].failure = None;
        assert!(speaking(&facts).contains(&"untold"), "{outcome:?}");
    }
}

#[test]
fn reasons_are_capped_worst_first_and_the_same_each_time() {
    let mut facts = good();
    facts.aborted = Some("interrupted".into());
    for index in 0..3 {
        fail(&mut facts, index, FailureKind::Timeout);
    }
    for index in 0..40 {
        facts.checks.push(check("orders", &format!("team-{index}")));
        facts.counts.planned += 1;
        facts.counts.passed += 1;
        fail(&mut facts, 3 + index, FailureKind::Auth);
    }
    let verdict = decide(&facts);
    assert_eq!(verdict.reasons[0], "the run was aborted: interrupted");
    let failed = &verdict.reasons[1];
    assert!(
        failed.starts_with("43 of 43 checks failed (40 auth, 3 timeout): "),
        "{failed}"
    );
    assert!(failed.ends_with(" and 40 more"), "{failed}");
    assert_eq!(verdict, decide(&facts.clone()));
}

#[test]
fn a_partial_run_is_not_blamed_for_what_it_left_out() {
    let mut facts = good();
    facts.partial = true;
    facts.filters = vec!["--host ny4-1".into(), "--team operations".into()];
    facts.checks.truncate(1);
    facts.counts = Counts {
        planned: 1,
        passed: 1,
        ..Counts::default()
    };
    let verdict = decide(&facts);
    assert_eq!(verdict.decision, Decision::NoGo);
    assert_eq!(
        verdict.reasons,
        ["partial run: --host ny4-1 --team operations"]
    );
}

#[test]
fn hosts_with_checks_of_their_own_are_counted_too() {
    let mut facts = good();
    for name in ["web-1", "web-2"] {
        facts.hosts.push(Host {
            host_key: Some("SHA256:same".into()),
            machine_id: None,
            ..host(name, "")
        });
        facts.checks.push(Check {
            id: format!("features/hosts.feature:3@{name}"),
            instance: None,
            host: Some(name.into()),
            claims: Vec::new(),
            evidence: Vec::new(),
            ..check("", "operations")
        });
        facts.counts.planned += 1;
        facts.counts.passed += 1;
    }
    assert_eq!(speaking(&facts), ["one machine"]);
    let reason = &decide(&facts).reasons[0];
    assert!(
        reason.contains("web-1, web-2 (host key SHA256:same"),
        "{reason}"
    );
    facts.hosts[3].host_key = Some("SHA256:other".into());
    assert_eq!(decide(&facts).decision, Decision::Go);
}

#[test]
fn only_the_host_concerned_is_named() {
    let mut facts = good();
    facts.hosts[1].host_key = None;
    let reasons = decide(&facts).reasons;
    assert_eq!(
        reasons,
        ["passed on a host whose key is not recorded: ny4-2"]
    );
}

#[test]
fn a_failed_check_answers_for_what_it_claimed_or_retrieved_and_no_more() {
    for (change, rules) in [
        // Claims alone, as when nothing came; and evidence alone, as when a later step failed.
        (
            Box::new(|check: &mut Check| check.evidence.clear()) as Box<dyn Fn(&mut Check)>,
            vec!["failed"],
        ),
        (Box::new(|check| check.claims.clear()), vec!["failed"]),
        (
            Box::new(|check| {
                check.evidence.clear();
                check.claims.truncate(3);
            }),
            vec!["failed", "not retrieved"],
        ),
        (
            Box::new(|check| {
                check.evidence.clear();
                check.claims = vec![Claim::Artifact("event log".into())];
            }),
            vec!["failed", "not retrieved"],
        ),
    ] {
        let mut facts = good();
        fail(&mut facts, 0, FailureKind::Denied);
        change(&mut facts.checks[0]);
        assert_eq!(speaking(&facts), rules);
    }
}

#[test]
fn the_same_complaint_about_many_checks_is_one_reason() {
    let mut facts = good();
    facts.checks[0].steps.clear();
    facts.checks[1].failure = Some(FailureKind::Io);
    facts.checks[2].steps.clear();
    assert_eq!(
        decide(&facts).reasons,
        [
            "2 checks, each of which has no step: features/amps.feature:3@orders/operations, \
             features/amps.feature:3@quotes/operations",
            "a check did not fail and states a failure: features/amps.feature:3@orders/support",
        ]
    );
}
