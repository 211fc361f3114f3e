//! One rule: no two instances hand in the same log, or the same statistics. A link, a copied path or a
//! wrong mount makes one instance prove its neighbour and itself never, and every other check is content.

use std::collections::{BTreeMap, BTreeSet};

use super::words::list;
use super::{Check, Evidence, Facts};
use crate::digest::Sha256;
use crate::inventory::Kind;

/// Who handed in the same bytes, from where.
type Holders<'f> = BTreeMap<&'f str, BTreeSet<String>>;

/// What the same instances share: an example of each, and how many files.
#[derive(Default)]
struct Shared {
    places: Vec<String>,
    files: usize,
}

/// Evidence of different instances that is the same file.
pub(super) fn same_bytes(facts: &Facts) -> Vec<String> {
    let mut by_bytes: BTreeMap<(Kind, [u8; 32]), Holders<'_>> = BTreeMap::new();
    for check in &facts.checks {
        let Some(instance) = &check.instance else {
            continue;
        };
        let mut instances = facts.instances.iter();
        let host = instances.find(|one| one.name == *instance);
        let host = host.map_or("", |one| one.host.as_str());
        let logs = check.evidence.iter().filter_map(of_a_log);
        for (evidence, digest) in logs.chain(of_statistics(check)) {
            let key = (evidence.kind, *digest.as_bytes());
            let place = format!("{} on {host}", evidence.path);
            let holders = by_bytes.entry(key).or_default();
            holders.entry(instance).or_default().insert(place);
        }
    }
    // A whole rotated set is one finding: what the same instances share is told once.
    let mut found: BTreeMap<(Vec<&str>, Kind), Shared> = BTreeMap::new();
    for ((kind, _), holders) in by_bytes {
        if holders.len() < 2 {
            continue;
        }
        let names: Vec<&str> = holders.keys().copied().collect();
        let places = holders
            .values()
            .filter_map(|places| places.first().cloned());
        let shared = found.entry((names, kind)).or_default();
        if shared.files == 0 {
            shared.places = places.collect();
        }
        shared.files += 1;
    }
    let say = |((names, kind), shared): ((Vec<&str>, Kind), Shared)| {
        let what = match kind {
            Kind::Log => "log",
            _ => "statistics",
        };
        let more = match shared.files {
            1 => String::new(),
            files => format!(", and {} more", files - 1),
        };
        format!(
            "instances handed in the same {what}: {} ({}{more}): each must show its own; correct its `vars` or \
             path, or the link or mount on the host",
            list(names),
            list(shared.places.iter().map(String::as_str))
        )
    };
    found.into_iter().map(say).collect()
}

/// What tells a log from every other one; `None` where equal bytes may be chance.
fn of_a_log(evidence: &Evidence) -> Option<(&Evidence, Sha256)> {
    if evidence.kind != Kind::Log {
        return None;
    }
    // A log that grows is the same log while its beginning is.
    let digest = evidence.beginning.or_else(|| {
        let has_entry = evidence.entries.is_some_and(|entries| entries > 0);
        evidence.sha256.filter(|_| has_entry && is_file(evidence))
    });
    digest.map(|digest| (evidence, digest))
}

/// What tells each database of a check from every other one: all of its files together. The main file alone
/// may well be that of another instance, as long as what was written since stands in the write-ahead log.
fn of_statistics(check: &Check) -> impl Iterator<Item = (&Evidence, Sha256)> {
    let mut sets: BTreeMap<&str, Vec<&Evidence>> = BTreeMap::new();
    for evidence in &check.evidence {
        if evidence.kind == Kind::Statistics && is_file(evidence) && evidence.is_proof() {
            sets.entry(&evidence.artifact).or_default().push(evidence);
        }
    }
    sets.into_values().filter_map(|files| {
        let digests = files.iter().filter_map(|file| file.sha256);
        let digests: BTreeSet<String> = digests.map(|digest| digest.to_string()).collect();
        let words: Vec<String> = digests.into_iter().collect();
        Some((*files.first()?, Sha256::of(words.join(" ").as_bytes())))
    })
}

/// What a command or a web server answers may rightly be the same of two idle instances.
fn is_file(evidence: &Evidence) -> bool {
    matches!(
        evidence.method.as_str(),
        "sftp" | "exec" | "copy" | "vacuum-into"
    )
}
