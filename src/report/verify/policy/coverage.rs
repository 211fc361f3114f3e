//! Whether a run still has what the last GO before it had. A run that lost something is no such GO itself: else two
//! runs after each other would let anything vanish. What is not asked for any more is said in the policy, with its
//! reason and its day.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::named;
use crate::inventory::policy::{Coverage, Lost};
use crate::report::diff::pairs::{Pair, pair};
use crate::report::schema::{Check, Report};
use crate::report::verify::{Unacceptable, Verified};
use crate::text::{count, escape};

/// What was lost.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// A phrase for each thing.
    pub reasons: Vec<String>,
    /// What else is to be known.
    pub warnings: Vec<String>,
    /// The runs that it was held to.
    pub held_to: Option<String>,
}

/// Everything that the last GO of the chain, and the run that the user named, had and `run` has not.
pub(super) fn lost(run: &Verified, rule: &Coverage, today: Date) -> Result<Found, Unacceptable> {
    let mut found = Found::default();
    let mut bases = Vec::new();
    bases.extend(last_go(run, rule, today)?);
    bases.extend(run.against.clone());
    if bases.is_empty() {
        let unknown = "no earlier GO is known: nothing says what the run should have";
        match rule.must_exist {
            true => found.reasons.push(unknown.to_owned()),
            false => found.warnings.push(unknown.to_owned()),
        }
        return Ok(found);
    }
    let mut told = BTreeSet::new();
    for base in &bases {
        for what in gone(base, run.report(), rule, today) {
            let reason = format!("{what}, which run {} had, is not in this run", base.run.id);
            // The one that was named may be the last of the chain.
            if told.insert(what) {
                found.reasons.push(reason);
            }
        }
    }
    let mut ids: Vec<_> = bases.iter().map(|base| base.run.id.clone()).collect();
    ids.dedup();
    found.held_to = Some(ids.join(", "));
    Ok(found)
}

/// The last run before this one that is GO and had what the GO before it had. A HOLD waits for a word of people that
/// lies beside it, and asked as much.
fn last_go(run: &Verified, rule: &Coverage, today: Date) -> Result<Option<Report>, Unacceptable> {
    let Some(history) = &run.history else {
        return Ok(None);
    };
    let mut last: Option<Report> = None;
    for entry in history.before(run.sealed().digest) {
        let finished = entry.run.finished.parse::<Timestamp>().ok();
        let finished = finished.map(|time| time.to_zoned(TimeZone::UTC).date());
        let is_base = matches!(entry.decision, "GO" | "HOLD");
        if !is_base || rule.since.is_some_and(|since| finished < Some(since)) {
            continue;
        }
        let read = history.record(entry).map_err(|why| {
            Unacceptable::History(format!("`{}`: {}", escape(&entry.name), escape(&why)))
        });
        let (report, _) = read?;
        let has_all = |last: &Report| gone(last, &report, rule, today).is_empty();
        if last.as_ref().is_none_or(has_all) {
            last = Some(report);
        }
    }
    Ok(last)
}

/// What `old` has and `new` has not, but for what is retired: instances, hosts and teams with the number of their
/// checks, then each other check, then each step.
fn gone(old: &Report, new: &Report, rule: &Coverage, today: Date) -> Vec<String> {
    let is_retired = |lost: &Lost<'_>| {
        let mut retired = rule.retired.iter();
        retired.any(|one| one.from <= today && one.what.means(lost))
    };
    let pairs = pair(old, new);
    let lost_checks = pairs.iter().filter_map(|pair| match pair {
        Pair::Vanished(check) if !is_retired(&of(check)) => Some(*check),
        _ => None,
    });
    let mut lost_checks: Vec<&Check> = lost_checks.collect();
    let mut gone = Vec::new();
    for (word, names) in [
        ("instance", instances(old, new)),
        ("host", hosts(old, new)),
        ("team", teams(old, new)),
    ] {
        for name in names {
            let lost = named_alone(word, name, old);
            if is_retired(&lost) {
                continue;
            }
            let is_about = |check: &&&Check| part(check, word) == Some(name);
            let checks = lost_checks.iter().filter(is_about).count();
            lost_checks.retain(|check| part(check, word) != Some(name));
            gone.push(match checks {
                0 => format!("{word} `{name}`"),
                some => format!("{word} `{name}` with {}", count(some, "check")),
            });
        }
    }
    gone.extend(
        lost_checks
            .into_iter()
            .map(|check| format!("check {}", named(check))),
    );
    for pair in &pairs {
        let Pair::Both(was, is) = pair else { continue };
        for step in steps(was, is) {
            let lost = Lost {
                step: Some(step),
                ..of(was)
            };
            if !is_retired(&lost) {
                gone.push(format!("step `{step}` of check {}", named(is)));
            }
        }
        for (step, artifact) in artifacts(was, is) {
            let lost = Lost {
                step: Some(step),
                ..of(was)
            };
            if !is_retired(&lost) {
                gone.push(format!(
                    "artifact `{artifact}` in step `{step}` of check {}",
                    named(is)
                ));
            }
        }
    }
    gone
}

fn of(check: &Check) -> Lost<'_> {
    Lost {
        feature: Some(&check.feature),
        scenario: Some(&check.scenario),
        instance: check.instance.as_deref(),
        host: check.host.as_deref(),
        team: check.team.as_deref(),
        step: None,
    }
}

fn named_alone<'a>(word: &str, name: &'a str, old: &'a Report) -> Lost<'a> {
    let instance = old.instances.iter().find(|one| one.name == name);
    match word {
        "instance" => Lost {
            instance: Some(name),
            host: instance.map(|one| one.host.as_str()),
            ..Lost::default()
        },
        "host" => Lost {
            host: Some(name),
            ..Lost::default()
        },
        _ => Lost {
            team: Some(name),
            ..Lost::default()
        },
    }
}

fn part<'a>(check: &'a Check, word: &str) -> Option<&'a str> {
    let part = match word {
        "instance" => &check.instance,
        "host" => &check.host,
        _ => &check.team,
    };
    part.as_deref()
}

fn instances<'a>(old: &'a Report, new: &Report) -> BTreeSet<&'a str> {
    let is_there = |name: &str| new.instances.iter().any(|one| one.name == name);
    let names = old.instances.iter().map(|one| one.name.as_str());
    names.filter(|name| !is_there(name)).collect()
}

fn hosts<'a>(old: &'a Report, new: &Report) -> BTreeSet<&'a str> {
    let is_there = |name: &str| new.hosts.iter().any(|one| one.name == name);
    let names = old.hosts.iter().map(|one| one.name.as_str());
    names.filter(|name| !is_there(name)).collect()
}

fn teams<'a>(old: &'a Report, new: &'a Report) -> BTreeSet<&'a str> {
    let of = |report: &'a Report| -> BTreeSet<&'a str> {
        let checks = report.checks.iter();
        checks.filter_map(|check| check.team.as_deref()).collect()
    };
    of(old).difference(&of(new)).copied().collect()
}

/// Artifacts that a step of the check was about, by its table too, and no step is any more; each with that step.
fn artifacts<'a>(was: &'a Check, is: &Check) -> Vec<(&'a str, &'a str)> {
    let named = is.steps.iter().flat_map(|step| &step.artifacts);
    let named: BTreeSet<&String> = named.collect();
    let texts: BTreeSet<&str> = is.steps.iter().map(|step| step.text.as_str()).collect();
    let kept = was.steps.iter();
    // A step that is gone is told as such.
    let kept = kept.filter(|step| texts.contains(step.text.as_str()));
    let all = kept.flat_map(|step| {
        let names = step.artifacts.iter();
        names.map(move |name| (step.text.as_str(), name))
    });
    let lost = all.filter(|(_, name)| !named.contains(name));
    lost.map(|(step, name)| (step, name.as_str())).collect()
}

/// Steps that the check asked and does not ask any more, each as often as it stood there.
fn steps<'a>(was: &'a Check, is: &Check) -> Vec<&'a str> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for step in &is.steps {
        *left.entry(&step.text).or_default() += 1;
    }
    let mut lost = Vec::new();
    for step in &was.steps {
        match left.get_mut(step.text.as_str()) {
            Some(times) if *times > 0 => *times -= 1,
            _ => lost.push(step.text.as_str()),
        }
    }
    lost
}

#[cfg(test)]
#[path = "coverage_tests.rs"]
mod tests;
