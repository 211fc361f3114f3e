//! What was fetched, beside what was fetched before: one line for each artifact of each team. Logs and
//! databases grow all the time; what is within the limits below is noise and not told (README).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Change, Diff, Kind};
use crate::report::phrases;
use crate::report::schema::{Check, Evidence, Report};
use crate::{text, time};

/// Sizes, times and spans change by more than this factor, or it is noise …
const FACTOR: u64 = 2;
/// … and by more than so many bytes …
const BYTES: u64 = 1 << 20;
/// … or so many milliseconds of retrieval …
const MS: u64 = 5_000;
/// … or so many milliseconds that a log or a database covers.
const COVERED_MS: u64 = 60 * 60 * 1_000;

/// All that the checks of one run fetched of one artifact with one login.
#[derive(Default)]
struct Seen {
    versions: BTreeSet<String>,
    names: BTreeSet<String>,
    methods: BTreeSet<String>,
    configurations: BTreeMap<String, String>,
    bytes: u64,
    ms: u64,
    covered_ms: Option<u64>,
}

pub(super) fn compare(diff: &mut Diff, old: &Report, new: &Report) {
    let (old, new) = (seen(old), seen(new));
    for (whose, new) in &new {
        // What was not fetched before is a new part, or a check that failed then.
        if let Some(old) = old.get(whose) {
            one(diff, whose, old, new);
        }
    }
}

fn seen(report: &Report) -> BTreeMap<String, Seen> {
    let mut all: BTreeMap<String, Seen> = BTreeMap::new();
    for check in &report.checks {
        // A file that was read halfway says nothing about its size.
        if check.outcome == "failed" || check.outcome == "waived" {
            continue;
        }
        let artifacts: BTreeSet<&str> = check.evidence.iter().map(|one| &*one.artifact).collect();
        for artifact in artifacts {
            let of = check.evidence.iter().filter(|one| one.artifact == artifact);
            let seen = all.entry(whose(check, artifact)).or_default();
            add(seen, &of.collect::<Vec<_>>());
        }
    }
    all
}

/// Several checks fetch the same artifact: the longest and largest of them speaks.
fn add(seen: &mut Seen, files: &[&Evidence]) {
    let sum = |of: fn(&Evidence) -> u64| {
        files
            .iter()
            .fold(0_u64, |sum, file| sum.saturating_add(of(file)))
    };
    seen.bytes = seen
        .bytes
        .max(sum(|file| file.listed_bytes.unwrap_or(file.bytes)));
    seen.ms = seen.ms.max(sum(|file| file.duration_ms));
    let time = |text: &Option<String>| text.as_deref()?.parse::<Timestamp>().ok();
    let oldest = files
        .iter()
        .filter_map(|file| time(&file.oldest_entry))
        .min();
    let newest = files
        .iter()
        .filter_map(|file| time(&file.newest_entry))
        .max();
    if let (Some(oldest), Some(newest)) = (oldest, newest) {
        let covered = newest.duration_since(oldest).max(SignedDuration::ZERO);
        let covered = u64::try_from(covered.as_millis()).unwrap_or(u64::MAX);
        seen.covered_ms = Some(seen.covered_ms.unwrap_or_default().max(covered));
    }
    for file in files {
        seen.methods.insert(file.method.clone());
        seen.versions.extend(file.version.clone());
        seen.names.extend(file.instance_name.clone());
        if file.kind == "configuration" {
            let digest = (file.path.clone(), file.sha256.clone());
            seen.configurations.extend([digest]);
        }
    }
}

fn whose(check: &Check, artifact: &str) -> String {
    format!("{artifact} of {}", phrases::about(check))
}

fn one(diff: &mut Diff, whose: &str, old: &Seen, new: &Seen) {
    let mut say = |what: &str, was: Option<String>, is: Option<String>| {
        let mut change = Change::new(Kind::Evidence, format!("{whose}: {what}"));
        (change.was, change.is) = (was, is);
        diff.changes.push(change);
    };
    let list = |set: &BTreeSet<String>| {
        let words: Vec<_> = set.iter().map(String::as_str).collect();
        (!set.is_empty()).then(|| words.join(", "))
    };
    for (what, was, is) in [
        ("version", &old.versions, &new.versions),
        ("name of the instance", &old.names, &new.names),
        ("method", &old.methods, &new.methods),
    ] {
        if was != is {
            say(what, list(was), list(is));
        }
    }
    let paths: BTreeSet<&String> = old
        .configurations
        .keys()
        .chain(new.configurations.keys())
        .collect();
    for path in paths {
        let (was, is) = (old.configurations.get(path), new.configurations.get(path));
        if was != is {
            say(&format!("digest of {path}"), was.cloned(), is.cloned());
        }
    }
    if is_more_than_noise(old.bytes, new.bytes, BYTES) {
        let size = |bytes| Some(text::size(bytes));
        say("size", size(old.bytes), size(new.bytes));
    }
    let span = |ms| Some(time::say(std::time::Duration::from_millis(ms)));
    if is_more_than_noise(old.ms, new.ms, MS) {
        say("time of retrieval", span(old.ms), span(new.ms));
    }
    if let (Some(was), Some(is)) = (old.covered_ms, new.covered_ms)
        && is_more_than_noise(was, is, COVERED_MS)
    {
        say("time that it covers", span(was), span(is));
    }
}

/// Both by the factor and by the least difference, either way.
fn is_more_than_noise(was: u64, is: u64, least: u64) -> bool {
    let (less, more) = (was.min(is), was.max(is));
    more - less > least && more > less.saturating_mul(FACTOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_small_or_little() {
        for (was, is) in [
            (0, BYTES),
            (100 << 20, 190 << 20),
            (3, 9),
            (190 << 20, 100 << 20),
            (7, 7),
        ] {
            assert!(!is_more_than_noise(was, is, BYTES), "{was} {is}");
        }
        for (was, is) in [
            (0, BYTES + 1),
            (100 << 20, 201 << 20),
            (201 << 20, 100 << 20),
            (u64::MAX, 1),
        ] {
            assert!(is_more_than_noise(was, is, BYTES), "{was} {is}");
        }
    }
}
