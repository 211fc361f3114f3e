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
