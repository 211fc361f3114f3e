//! One rule: no two instances hand in the same log, or the same statistics. A link, a copied path or a
//! wrong mount makes one instance prove its neighbour and itself never, and every other check is content.
//! A log that several rightly write is let pass where each of them says `shared:` with one name, and told.

use std::collections::{BTreeMap, BTreeSet};

use super::words::list;
use super::{Check, Evidence, Facts, Instance};
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

/// The same bytes of several instances: whose, what, and by which name they may be one file.
type Found<'f> = BTreeMap<(Vec<&'f str>, Kind, Option<&'f str>), Shared>;

/// Evidence of different instances that is the same file, and was not said to be.
pub(super) fn same_bytes(facts: &Facts) -> Vec<String> {
    let found = found(facts).into_iter();
    let unmeant = found.filter(|((.., consent), _)| consent.is_none());
    let say = |((names, kind, _), shared): ((Vec<&str>, Kind, _), Shared)| {
        let (what, or) = match kind {
            Kind::Log => (
                "log",
                ", or say `shared: NAME` of each if one log is rightly theirs",
            ),
            _ => ("statistics", ""),
        };
        format!(
            "instances handed in the same {what}: {} ({}): each must show its own; correct its `vars` or \
             path, or the link or mount on the host{or}",
            list(names),
            shared.places()
        )
    };
    unmeant.map(say).collect()
}

/// Logs that are knowingly one: what one instance shows is what the other shows.
pub(super) fn shared_log(facts: &Facts) -> Vec<String> {
    let say = |((names, _, consent), shared): ((Vec<&str>, _, Option<&str>), Shared)| {
        Some(format!(
            "instances knowingly share the log `{}`: {} ({})",
            consent?,
            list(names),
            shared.places()
        ))
    };
    found(facts).into_iter().filter_map(say).collect()
}

fn found(facts: &Facts) -> Found<'_> {
    let mut by_bytes: BTreeMap<(Kind, [u8; 32]), Holders<'_>> = BTreeMap::new();
    let mut consents: BTreeMap<(Kind, [u8; 32]), BTreeSet<Option<&str>>> = BTreeMap::new();
    let instances = facts.by_name();
    for check in &facts.checks {
        let Some(name) = &check.instance else {
            continue;
        };
        let instance = instances.get(&**name).copied();
        let host = instance.map_or("", |one| one.host.as_str());
        let logs = check.evidence.iter().filter_map(of_a_log);
        for (evidence, digest) in logs.chain(of_statistics(check)) {
            let key = (evidence.kind, *digest.as_bytes());
            let place = format!("{} on {host}", evidence.path);
            let holders = by_bytes.entry(key).or_default();
            holders.entry(name).or_default().insert(place);
            let consent = instance.and_then(|instance| consent(instance, evidence));
            consents.entry(key).or_default().insert(consent);
        }
    }
    // A whole rotated set is one finding: what the same instances share is told once.
    let mut found = Found::new();
    for (key, holders) in by_bytes {
        if holders.len() < 2 {
            continue;
        }
        let names: Vec<&str> = holders.keys().copied().collect();
        let mut given = consents.remove(&key).into_iter().flatten();
        // One of them that does not say so, or means another file, and nobody has.
        let consent = given.next().flatten().filter(|_| given.next().is_none());
        let shared = found.entry((names, key.0, consent)).or_default();
        if shared.files == 0 {
            let places = holders.values().filter_map(|places| places.first());
            shared.places = places.cloned().collect();
        }
        shared.files += 1;
    }
    found
}

/// By which name the instance says that this log may be that of others too.
fn consent<'f>(instance: &'f Instance, evidence: &Evidence) -> Option<&'f str> {
    if evidence.kind != Kind::Log {
        return None;
    }
    let mut shared = instance.shared.iter();
    let (_, name) = shared.find(|(artifact, _)| *artifact == evidence.artifact)?;
    (!name.is_empty()).then_some(name)
}

impl Shared {
    fn places(&self) -> String {
        let places = list(self.places.iter().map(String::as_str));
        match self.files {
            1 => places,
            files => format!("{places}, and {} more", files - 1),
        }
    }
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
