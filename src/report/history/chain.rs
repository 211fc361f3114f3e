//! Whether runs are one chain: each names the manifest of the one before it, none is missing, none
//! stands beside another. Pure. What no chain can show is that its last run was taken away: an auditor
//! keeps the newest digest (facts: signing.md 2).

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::Entry;
use crate::digest::Sha256;
use crate::text::escape;

// Each runner has a clock of its own.
pub(super) const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Where the chain is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant is told by its message, each field by its name"
)]
pub enum Break {
    #[error("`{}` cannot be counted: {}", escape(name), escape(why))]
    Unreadable { name: String, why: String },
    #[error("`{}` is a run under a hidden name", escape(name))]
    Hidden { name: String },
    #[error("`{}` and `{}` are the same run", escape(one), escape(other))]
    Twice { one: String, other: String },
    #[error(
        "`{}` and `{}` both say that they are the first run",
        escape(one),
        escape(other)
    )]
    TwoFirst { one: String, other: String },
    #[error(
        "`{}` follows a run that is not here (SHA-256 of its SHA256SUMS: {digest})",
        escape(name)
    )]
    Missing { name: String, digest: Sha256 },
    #[error(
        "`{}` and `{}` follow the same run, `{}`",
        escape(one),
        escape(other),
        escape(after)
    )]
    Fork {
        one: String,
        other: String,
        after: String,
    },
    #[error(
        "`{}` has number {found}, its place in the chain is {expected}",
        escape(name)
    )]
    Number {
        name: String,
        found: u64,
        expected: u64,
    },
    #[error("`{}` has no number, though a run before it has", escape(name))]
    Unnumbered { name: String },
    #[error(
        "`{}` began before `{}`, which it follows, had ended",
        escape(name),
        escape(before)
    )]
    Overlap { name: String, before: String },
    #[error(
        "`{}` is about environment `{}`, the run before it about `{}`",
        escape(name),
        escape(found),
        escape(expected)
    )]
    Environment {
        name: String,
        found: String,
        expected: String,
    },
}

impl Break {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => {
                "get the run again from its source; it may be the one that says NO-GO"
            }
            Self::Hidden { .. } => {
                "give it its name back, without the dot: a run that was killed while it took its place is left so; it may be the one that says NO-GO"
            }
            Self::Twice { .. } => "take the copy out of the folder",
            Self::TwoFirst { .. } | Self::Fork { .. } => {
                "let every run begin with --history FOLDER, which finds the run before it; ask who made the second"
            }
            Self::Missing { .. } => {
                "put the missing run back: a chain is only as long as its runs are kept"
            }
            Self::Number { .. } | Self::Unnumbered { .. } | Self::Overlap { .. } => {
                "ask who made the run, and with which gonogo; then begin a new folder"
            }
            Self::Environment { .. } => "keep one folder for each environment",
        }
    }
}

/// The runs in the order of the chain, and where it is broken. Where it is, its pieces come by time.
pub(super) fn link(mut runs: Vec<Entry>) -> (Vec<Entry>, Vec<Break>) {
    let mut breaks = Vec::new();
    runs.sort_by(|one, next| (one.started(), &one.name).cmp(&(next.started(), &next.name)));
    let mut seen = BTreeMap::<Sha256, String>::new();
    runs.retain(|run| match seen.get(&run.digest) {
        Some(one) => {
            let (one, other) = (one.clone(), run.name.clone());
            breaks.push(Break::Twice { one, other });
            false
        }
        None => {
            seen.insert(run.digest, run.name.clone());
            true
        }
    });
    // Who follows whom; `None` is the place before the first.
    let mut follows = BTreeMap::<Option<Sha256>, usize>::new();
    let mut heads = Vec::new();
    for (place, run) in runs.iter().enumerate() {
        let before = run.previous.map(|digest| (digest, seen.get(&digest)));
        let earlier = follows
            .get(&run.previous)
            .map(|place| runs[*place].name.clone());
        let name = run.name.clone();
        match (before, earlier) {
            (None, Some(one)) => breaks.push(Break::TwoFirst { one, other: name }),
            (Some((digest, None)), _) => breaks.push(Break::Missing { name, digest }),
            (Some((_, Some(after))), Some(one)) => breaks.push(Break::Fork {
                one,
                other: name,
                after: after.clone(),
            }),
            (None, None) => {
                follows.insert(None, place);
            }
            (Some(_), None) => {
                follows.insert(run.previous, place);
                continue;
            }
        }
        heads.push(place);
    }
    let mut order = Vec::new();
    for head in heads {
        let mut place = Some(head);
        while let Some(at) = place {
            order.push(at);
            place = follows.get(&Some(runs[at].digest)).copied();
        }
    }
    // Digests cannot name each other in a circle; were it so, no run may vanish from sight.
    let placed: BTreeSet<usize> = order.iter().copied().collect();
    order.extend((0..runs.len()).filter(|place| !placed.contains(place)));
    let mut slots: Vec<_> = runs.into_iter().map(Some).collect();
    let runs: Vec<_> = order
        .into_iter()
        .filter_map(|at| slots[at].take())
        .collect();
    breaks.extend(steps(&runs));
    (runs, breaks)
}

/// What does not fit from one run to the next.
fn steps(runs: &[Entry]) -> Vec<Break> {
    let mut breaks = Vec::new();
    let (mut number, mut numbered) = (None, false);
    for (place, run) in runs.iter().enumerate() {
        let before = place.checked_sub(1).map(|place| &runs[place]);
        let before = before.filter(|before| run.previous == Some(before.digest));
        let expected = match before {
            Some(_) => number.map(|number: u64| number.saturating_add(1)),
            None => run.previous.is_none().then_some(1),
        };
        let name = || run.name.clone();
        match (run.run.number, expected) {
            (Some(found), Some(expected)) if found != expected => breaks.push(Break::Number {
                name: name(),
                found,
                expected,
            }),
            (None, _) if numbered => breaks.push(Break::Unnumbered { name: name() }),
            _ => {}
        }
        number = run.run.number.or(expected);
        numbered |= run.run.number.is_some();
        let Some(before) = before else { continue };
        let ended = before.finished();
        if run.started() < ended.map(|ended| ended.saturating_sub(SKEW).unwrap_or(ended)) {
            breaks.push(Break::Overlap {
                name: name(),
                before: before.name.clone(),
            });
        }
        let of = |run: &Entry| run.run.scope.environment.clone();
        if of(run) != of(before) {
            breaks.push(Break::Environment {
                name: name(),
                found: of(run),
                expected: of(before),
            });
        }
    }
    breaks
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
