//! Which check of the new run is which check of the old one. An id holds the line of its scenario, so that
//! a line put above it would make every check a new one: name and subject are compared first.

use std::collections::{HashMap, VecDeque};

use crate::report::schema::{Check, Report};

/// A check of either run, beside its other self.
pub(in crate::report) enum Pair<'a> {
    Both(&'a Check, &'a Check),
    Vanished(&'a Check),
    New(&'a Check),
}

/// All checks: those of the new run in its order, then those that vanished.
pub(in crate::report) fn pair<'a>(old: &'a Report, new: &'a Report) -> Vec<Pair<'a>> {
    let mut partner: Vec<Option<&Check>> = vec![None; new.checks.len()];
    let mut is_taken = vec![false; old.checks.len()];
    // From the surest to the least sure sign of being the same check.
    for sign in [with_id as Sign, named, placed] {
        let mut waiting: HashMap<_, VecDeque<usize>> = HashMap::new();
        for (index, check) in old.checks.iter().enumerate() {
            if !is_taken[index] {
                waiting.entry(sign(check)).or_default().push_back(index);
            }
        }
        for (check, partner) in new.checks.iter().zip(&mut partner) {
            if partner.is_none()
                && let Some(index) = waiting.get_mut(&sign(check)).and_then(VecDeque::pop_front)
            {
                is_taken[index] = true;
                *partner = Some(&old.checks[index]);
            }
        }
    }
    let of_new = new.checks.iter().zip(partner);
    let of_new = of_new.map(|(new, old)| match old {
        Some(old) => Pair::Both(old, new),
        None => Pair::New(new),
    });
    let of_old = old.checks.iter().zip(is_taken);
    let vanished = of_old.filter(|(_, is_taken)| !is_taken);
    of_new
        .chain(vanished.map(|(old, _)| Pair::Vanished(old)))
        .collect()
}

type Sign = fn(&Check) -> Vec<&str>;

fn with_id(check: &Check) -> Vec<&str> {
    [vec![check.id.as_str()], named(check)].concat()
}

fn named(check: &Check) -> Vec<&str> {
    [
        vec![check.feature.as_str(), check.scenario.as_str()],
        subject(check),
    ]
    .concat()
}

/// In the same place, asking the same: its scenario was renamed.
fn placed(check: &Check) -> Vec<&str> {
    let steps = check.steps.iter().map(|step| step.text.as_str());
    [check.feature.as_str()]
        .into_iter()
        .chain(subject(check))
        .chain(steps)
        .collect()
}

/// An instance may move to another host and stays the same one.
fn subject(check: &Check) -> Vec<&str> {
    let host = match check.instance {
        Some(_) => &None,
        None => &check.host,
    };
    let subject = [&check.instance, host, &check.team, &check.vendor];
    // Empty is no name of any of them.
    subject
        .map(|part| part.as_deref().unwrap_or_default())
        .to_vec()
}
