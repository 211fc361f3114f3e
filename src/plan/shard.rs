//! One of several parts of a plan, each run by a runner of its own and merged afterwards. All checks of a host
//! are in one part, so that the limits of a host and the proof of its identity hold; which part it is follows
//! from the plan alone. The rule is a promise: `verify` makes every part again, years later.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::Plan;
use crate::problem::{Place, Problem};
use crate::report::schema;
use crate::text::did_you_mean;

/// More shards than anybody has runners.
pub const MOST_SHARDS: usize = 4096;
/// The group of what is in no group: hosts without one, and what is about no host.
pub const NO_GROUP: &str = "none";

/// Which part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    /// Which one, from 1.
    pub number: usize,
    /// Of how many.
    pub of: usize,
    /// Only hosts of these inventory groups; empty: all hosts. Sorted, each once.
    pub groups: Vec<String>,
}

/// A part as the plan has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub shard: Shard,
    /// Its hosts.
    pub hosts: BTreeSet<String>,
    /// Places of its checks in the whole plan.
    pub checks: Vec<usize>,
    /// Checks of the whole plan.
    pub whole: usize,
    /// Checks of what is in no group, when it is a part by groups and these are not its own.
    pub ungrouped: usize,
}

impl Shard {
    /// As a record tells it.
    #[must_use]
    pub fn of(told: &schema::Shard) -> Self {
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            number: number(told.number),
            of: number(told.of),
            groups: told.groups.clone(),
        }
    }

    /// `2/3`, `of group ny4`.
    #[must_use]
    pub fn name(&self) -> String {
        self.told(BTreeSet::new(), 0).name()
    }

    /// Whether what is in no group is its own, or that of another number of it.
    fn has_ungrouped(&self) -> bool {
        self.groups.is_empty() || self.groups.iter().any(|group| group == NO_GROUP)
    }

    fn asks_for(&self, groups: &[String]) -> bool {
        match groups.is_empty() {
            true => self.has_ungrouped(),
            false => self.groups.is_empty() || has_any(groups, &self.groups),
        }
    }

    fn told(&self, hosts: BTreeSet<String>, checks: usize) -> schema::Shard {
        schema::Shard {
            number: self.number as u64,
            of: self.of as u64,
            groups: self.groups.clone(),
            hosts: hosts.into_iter().collect(),
            checks: checks as u64,
        }
    }
}

impl Part {
    /// As a record tells it.
    #[must_use]
    pub fn told(&self) -> schema::Shard {
        self.shard.told(self.hosts.clone(), self.whole)
    }
}

impl Plan {
    /// Leaves the part of `shard` alone. The digest stays that of the whole plan.
    ///
    /// # Errors
    /// As [`Plan::part`].
    pub fn cut(&mut self, shard: &Shard) -> Result<(), Vec<Problem>> {
        let part = self.part(shard)?;
        let mut checks = std::mem::take(&mut self.checks).into_iter();
        let mut at = 0;
        for &index in &part.checks {
            self.checks.extend(checks.nth(index - at));
            at = index + 1;
        }
        self.visits.retain(|visit| part.hosts.contains(&visit.host));
        self.part = Some(part);
        Ok(())
    }

    /// The part of `shard`. It may be empty: there may be more shards than hosts.
    ///
    /// # Errors
    /// A number that is none of its shards; each group that no host has, or on whose hosts nothing is checked. What is
    /// in no group may be nothing: `none` is asked for beside sites that change.
    pub fn part(&self, shard: &Shard) -> Result<Part, Vec<Problem>> {
        if shard.number == 0 || shard.number > shard.of || shard.of > MOST_SHARDS {
            let message = format!("there is no shard {} of {}", shard.number, shard.of);
            return Err(vec![Problem::new(option("--shard"), message)]);
        }
        let problems: Vec<_> = shard
            .groups
            .iter()
            .filter_map(|group| self.idle(group))
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let hosts = self.hosts_of(shard);
        // What is about no host is nobody's, unless somebody has it.
        let has_rest = shard.has_ungrouped() && shard.number == 1;
        let is_own = |host: &Option<String>| match host {
            Some(host) => hosts.contains(host),
            None => has_rest,
        };
        let checks = self.checks.iter().enumerate();
        let checks = checks.filter(|(_, check)| is_own(&check.subject.host));
        let is_ungrouped = |host: &Option<String>| {
            let host = host.as_deref().and_then(|name| self.inventory.host(name));
            host.is_none_or(|host| host.groups.is_empty())
        };
        let others = self.checks.iter().filter(|_| !shard.has_ungrouped());
        let ungrouped = others.filter(|check| is_ungrouped(&check.subject.host));
        Ok(Part {
            shard: shard.clone(),
            checks: checks.map(|(index, _)| index).collect(),
            hosts,
            whole: self.checks.len(),
            ungrouped: ungrouped.count(),
        })
    }

    /// Hosts that are one machine stay together; the machines with most checks come first, each to the shard that
    /// has least.
    fn hosts_of(&self, shard: &Shard) -> BTreeSet<String> {
        let mut weights: HashMap<&str, usize> = HashMap::new();
        for host in self
            .checks
            .iter()
            .filter_map(|check| check.subject.host.as_deref())
        {
            *weights.entry(host).or_default() += 1;
        }
        let mut machines: BTreeMap<&str, (usize, Vec<&str>)> = BTreeMap::new();
        for host in &self.inventory.hosts {
            let weight = weights.get(&*host.name);
            let weight = weight.filter(|_| shard.asks_for(&host.groups));
            if let Some(weight) = weight {
                let machine = host.machine.as_deref().unwrap_or(&host.name);
                let (sum, hosts) = machines.entry(machine).or_default();
                *sum += weight;
                hosts.push(&host.name);
            }
        }
        let mut machines: Vec<_> = machines.into_values().collect();
        // Stable: those with as many stay in the order of their names.
        machines.sort_by_key(|(weight, _)| Reverse(*weight));
        let mut shards: BTreeSet<(usize, usize)> =
            (1..=shard.of).map(|number| (0, number)).collect();
        let mut own = BTreeSet::new();
        for (weight, hosts) in machines {
            let Some((load, number)) = shards.pop_first() else {
                break;
            };
            shards.insert((load + weight, number));
            if number == shard.number {
                own.extend(hosts.into_iter().map(str::to_owned));
            }
        }
        own
    }

    /// What is wrong with a group.
    fn idle(&self, group: &str) -> Option<Problem> {
        let hosts = &self.inventory.hosts;
        let groups = hosts.iter().flat_map(|host| &host.groups);
        if group == NO_GROUP {
            let is_meant = groups.clone().any(|known| known == NO_GROUP);
            return is_meant.then(|| {
                let message =
                    "`none` means what is in no group, and the inventory has a group of that name";
                Problem::new(option("--group"), message)
                    .with_hint("give that group another name, or split by number: --shard K/N")
            });
        }
        if !groups.clone().any(|known| known == group) {
            let known = groups.map(String::as_str).chain([NO_GROUP]);
            let message = format!("no host of the inventory is in group `{group}`");
            let hint = did_you_mean(group, known);
            return Some(Problem::new(option("--group"), message).with_hint(hint));
        }
        let mut checks = self.checks.iter();
        let is_in = |host: &str| {
            let host = self.inventory.host(host);
            host.is_some_and(|host| host.groups.iter().any(|known| known == group))
        };
        let is_checked = checks.any(|check| check.subject.host.as_deref().is_some_and(is_in));
        (!is_checked).then(|| {
            let message = format!("nothing is checked on the hosts of group `{group}`");
            Problem::new(option("--group"), message)
                .with_hint("`gonogo plan` without --group lists every check")
        })
    }
}

fn has_any(groups: &[String], asked: &[String]) -> bool {
    groups.iter().any(|group| asked.contains(group))
}

fn option(name: &str) -> Place {
    Place::whole(Path::new(name))
}
