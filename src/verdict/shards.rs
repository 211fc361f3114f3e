//! Rules about runs that are a part of a plan, and about those that were put together from such parts. A shard
//! alone is never GO; whether the parts of a merged run are what their runners signed is asked elsewhere.

use super::Facts;
use super::words::list;
use crate::{text, time};

/// Shards without which nothing was proven of the whole.
pub(super) fn missing(facts: &Facts) -> Vec<String> {
    let Some(merged) = &facts.merged else {
        return Vec::new();
    };
    let missing = &merged.missing;
    match missing.len() {
        0 if merged.pieces.is_empty() => vec!["it was merged from no shard".to_owned()],
        0 => Vec::new(),
        many => {
            let told = list(missing.iter().map(String::as_str));
            vec![format!("{} missing: {told}", text::count(many, "shard"))]
        }
    }
}

/// One host, two machines: the shards did not look at one estate.
pub(super) fn differing(facts: &Facts) -> Vec<String> {
    let differs = facts.merged.iter().flat_map(|merged| &merged.differs);
    let differs: Vec<_> = differs.map(String::as_str).collect();
    match differs.is_empty() {
        true => Vec::new(),
        false => vec![format!("shards met different machines: {}", list(differs))],
    }
}

/// Shards of different days say nothing about one state of the estate.
pub(super) fn apart(facts: &Facts) -> Vec<String> {
    let Some(merged) = &facts.merged else {
        return Vec::new();
    };
    let started = merged.pieces.iter().filter_map(|piece| piece.started).min();
    let finished = merged
        .pieces
        .iter()
        .filter_map(|piece| piece.finished)
        .max();
    let span = started
        .zip(finished)
        .map(|(started, finished)| finished.duration_since(started));
    match span {
        Some(span) if span > merged.within => {
            let (span, most) = (span.unsigned_abs(), merged.within.unsigned_abs());
            vec![format!(
                "the shards were made over {}, at most {} is allowed",
                time::say(span),
                time::say(most)
            )]
        }
        _ => Vec::new(),
    }
}

/// All is well as far as it goes.
pub(super) fn alone(facts: &Facts) -> Vec<String> {
    let Some(shard) = &facts.shard else {
        return Vec::new();
    };
    let (name, own, all) = (&shard.name, facts.checks.len(), shard.checks);
    let what = match own {
        0 => "has nothing to do".to_owned(),
        _ => format!("is {own} of {all} checks"),
    };
    vec![format!(
        "shard {name} {what}: only `gonogo merge` of all shards can say GO"
    )]
}
