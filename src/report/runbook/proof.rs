//! Which checks prove what. A check that did not pass proves nothing.

use super::line::{Proof, Proven, Slot};
use super::{Deed, Source};
use crate::report::schema::Check;
use crate::support::Ask;

/// Most checks that are named for one statement.
const MOST: usize = 2;

/// The checks that passed, beside what they do.
pub(super) struct Proofs<'a> {
    passed: Vec<(usize, &'a Check, &'a Deed)>,
}

impl<'a> Proofs<'a> {
    pub(super) fn of(source: &Source<'a>) -> Self {
        let pairs = source.report.checks.iter().zip(source.deeds).enumerate();
        let passed = pairs.filter(|(_, (check, _))| check.outcome == "passed");
        let passed = passed.map(|(place, (check, deed))| (place, check, deed));
        Self {
            passed: passed.collect(),
        }
    }

    /// Every check that passed, in the order of the plan.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &'a Check, &'a Deed)> + '_ {
        self.passed.iter().copied()
    }

    /// That one.
    pub(super) fn of_one(&self, place: usize) -> Proof {
        self.with(|at, _, _| at == place)
    }

    /// Whatever asks that of the vendor; the inventory's own word where nothing does.
    pub(super) fn asked(&self, vendor: &str, is_it: impl Fn(Ask) -> bool) -> Proof {
        self.with(|_, check, deed| {
            check.vendor.as_deref() == Some(vendor) && deed.asks.iter().copied().any(&is_it)
        })
    }

    /// Whatever logs in to that host as that team: for that instance, or at least for another one there.
    pub(super) fn logged_in(&self, instance: &str, host: &str, team: &str) -> Proof {
        let is_there = |check: &Check, deed: &Deed| {
            deed.logs_in
                && check.host.as_deref() == Some(host)
                && check.team.as_deref() == Some(team)
        };
        let own = self.with(|_, check, deed| {
            is_there(check, deed) && check.instance.as_deref() == Some(instance)
        });
        match own {
            Proof::Stated => self.with(|_, check, deed| is_there(check, deed)),
            own => own,
        }
    }

    /// Whatever `is_it`; the inventory's own word where nothing is.
    pub(super) fn with(&self, is_it: impl Fn(usize, &Check, &Deed) -> bool) -> Proof {
        let found = self.passed.iter();
        let found: Vec<_> = found
            .filter(|(place, check, deed)| is_it(*place, check, deed))
            .collect();
        if found.is_empty() {
            return Proof::Stated;
        }
        let named = found.iter().take(MOST).map(|(place, check, _)| Proven {
            place: *place,
            id: check.id.clone(),
            line: check.line,
            when: Slot::instant(check.started.as_deref().unwrap_or_default()),
        });
        Proof::Checks(named.collect(), found.len().saturating_sub(MOST))
    }
}
