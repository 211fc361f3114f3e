//! One file handed in by two instances, and what only looks like it.

use super::sample::{evidence, good};
use super::*;
use crate::digest::Sha256;
use crate::inventory::Kind;

type Change = fn(&mut Facts);

const SAME: &[Change] = &[
    // A link to another instance's log, which has grown meanwhile.
    |f| {
        for (check, bytes) in [(0, 5000), (2, 6000)] {
            let log = &mut f.checks[check].evidence[2];
            log.beginning = Some(Sha256::of(b"AMPS started"));
            log.bytes = bytes;
        }
    },
    // A short one is compared as a whole, when it holds an entry.
    |f| {
        for check in [1, 2] {
            let log = &mut f.checks[check].evidence[2];
            log.entries = Some(1);
            log.sha256 = Some(Sha256::of(b"one entry"));
        }
    },
    |f| {
        f.checks[2].evidence[3].sha256 = f.checks[0].evidence[3].sha256;
    },
    // A whole set of database and log.
    |f| {
        for check in [0, 2] {
            f.checks[check].evidence[3].sha256 = Some(Sha256::of(b"database"));
            f.checks[check].evidence.push(Evidence {
                sha256: Some(Sha256::of(b"write-ahead log")),
                ..evidence(Kind::Statistics)
            });
        }
    },
];

/// One log of `orders` and `quotes`, and what each calls the log that it may share.
fn one_log(f: &mut Facts, names: [&str; 2]) {
    for check in [0, 1, 2] {
        let log = &mut f.checks[check].evidence[2];
        (log.beginning, log.entries) = (Some(Sha256::of(b"syslog")), Some(7));
    }
    for (instance, name) in f.instances.iter_mut().zip(names) {
        instance.shared = vec![("event log".into(), name.into())];
    }
}

/// Consents that do not cover what was handed in.
const NOT_MEANT: &[Change] = &[
    |f| one_log(f, ["a", "b"]),
    |f| one_log(f, ["", ""]),
    // Only one of them says so.
    |f| {
        one_log(f, ["syslog", "syslog"]);
        f.instances[1].shared.clear();
    },
    // Of another artifact.
    |f| {
        one_log(f, ["syslog", "syslog"]);
        f.instances[0].shared[0].0 = "audit log".into();
    },
    // The same file once under its name and once as an artifact that nobody said it of.
    |f| {
        one_log(f, ["syslog", "syslog"]);
        let mut other = f.checks[2].evidence[2].clone();
        other.artifact = "audit log".into();
        f.checks[2].evidence.push(other);
    },
    // A third instance.
    |f| {
        one_log(f, ["syslog", "syslog"]);
        let mut third = f.checks[2].clone();
        third.id.push('x');
        third.instance = Some("third".into());
        third.evidence.retain(|one| one.kind == Kind::Log);
        f.checks.push(third);
    },
    // A name stands for statistics too only in a forged record.
    |f| {
        f.checks[2].evidence[3].sha256 = f.checks[0].evidence[3].sha256;
        for instance in &mut f.instances {
            instance.shared = vec![("statistics".into(), "syslog".into())];
        }
    },
];

#[test]
fn a_log_is_shared_only_by_instances_that_all_say_so_with_one_name() {
    let mut facts = good();
    one_log(&mut facts, ["syslog", "syslog"]);
    assert_eq!(twice::same_bytes(&facts), [""; 0]);
    let verdict = decide(&facts);
    assert_eq!(verdict.decision, Decision::Go);
    assert_eq!(
        verdict.reasons,
        [
            "instances knowingly share the log `syslog`: orders, quotes (/opt/event log on ny4-1, \
             /opt/event log on ny4-2)"
        ]
    );
    for (index, change) in NOT_MEANT.iter().enumerate() {
        let mut facts = good();
        change(&mut facts);
        let told = twice::same_bytes(&facts);
        assert_eq!(told.len(), 1, "case {index}: {told:?}");
        assert_eq!(twice::shared_log(&facts), [""; 0], "case {index}");
        assert_eq!(decide(&facts).decision, Decision::NoGo, "case {index}");
    }
    // Who may share and does not is nobody's business.
    let mut facts = good();
    for instance in &mut facts.instances {
        instance.shared = vec![("event log".into(), "syslog".into())];
    }
    assert_eq!(decide(&facts).reasons, [""; 0]);
}

const OTHERS: &[Change] = &[
    // One log, fetched by the two teams of one instance.
    |f| {
        for check in [0, 1] {
            let log = &mut f.checks[check].evidence[2];
            log.beginning = Some(Sha256::of(b"AMPS started"));
            log.entries = Some(7);
        }
    },
    // The same few bytes without an entry, the same answer of two idle servers, the same version,
    // a log that is knowingly shared as what it is: another artifact.
    |f| f.checks[2].evidence[2].sha256 = f.checks[0].evidence[2].sha256,
    |f| {
        for check in [0, 2] {
            f.checks[check].evidence[3].sha256 = Some(Sha256::of(b"clients: 0"));
            f.checks[check].evidence[3].method = "command".into();
        }
    },
    |f| {
        for check in [0, 2] {
            f.checks[check].evidence[0].sha256 = Some(Sha256::of(b"5.3.4.12"));
            f.checks[check].evidence.push(Evidence {
                entries: Some(9),
                beginning: Some(Sha256::of(b"syslog")),
                ..evidence(Kind::Other)
            });
        }
    },
    // Two databases that were set up alike: what was written since stands in the write-ahead log.
    |f| {
        for (check, log) in [(0, &b"one"[..]), (2, b"two")] {
            f.checks[check].evidence[3].sha256 = Some(Sha256::of(b"database"));
            f.checks[check].evidence.push(Evidence {
                sha256: Some(Sha256::of(log)),
                ..evidence(Kind::Statistics)
            });
        }
    },
];

#[test]
fn one_file_of_two_instances_is_told_and_nothing_else_is() {
    for (index, change) in SAME.iter().enumerate() {
        let mut facts = good();
        change(&mut facts);
        let told = twice::same_bytes(&facts);
        assert_eq!(told.len(), 1, "case {index}: {told:?}");
        assert_eq!(decide(&facts).decision, Decision::NoGo, "case {index}");
    }
    for (index, change) in OTHERS.iter().enumerate() {
        let mut facts = good();
        change(&mut facts);
        assert_eq!(twice::same_bytes(&facts), [""; 0], "case {index}");
        assert_eq!(decide(&facts).decision, Decision::Go, "case {index}");
    }
}
