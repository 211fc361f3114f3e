//! What a plan and its records say of each host, found by its name: an estate may have ten thousand, and looking
//! through all visits for each of them would take minutes.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::Record;
use crate::evidence::host_facts::HostFacts;
use crate::inventory::{Client, Login};
use crate::plan::{Plan, Visit};
use crate::text;

pub(super) struct ByHost<'p> {
    visits: HashMap<&'p str, Vec<&'p Visit>>,
    /// Logins to it, as a hop too, that follow an ssh_config.
    followed: HashMap<&'p str, Vec<&'p Login>>,
    /// Of the first check that asked.
    facts: HashMap<&'p str, &'p HostFacts>,
}

impl<'p> ByHost<'p> {
    pub fn new(plan: &'p Plan, records: &'p [Record]) -> Self {
        let mut visits: HashMap<&str, Vec<&Visit>> = HashMap::new();
        let mut followed: HashMap<&str, Vec<&Login>> = HashMap::new();
        for visit in &plan.visits {
            visits.entry(&visit.host).or_default().push(visit);
            let logins = visit.login.via.iter().chain([&*visit.login]);
            for login in logins.filter(|login| login.ssh_config.is_some()) {
                followed.entry(&login.host).or_default().push(login);
            }
        }
        let mut facts = HashMap::new();
        for (check, record) in plan.checks.iter().zip(records) {
            if let (Some(host), Some(known)) = (&check.subject.host, &record.facts) {
                facts.entry(host.as_str()).or_insert(known);
            }
        }
        Self {
            visits,
            followed,
            facts,
        }
    }

    /// Who visits it, in the order of the plan.
    pub fn visits(&self, host: &str) -> &[&'p Visit] {
        self.visits.get(host).map(Vec::as_slice).unwrap_or_default()
    }

    /// What was learnt of it.
    pub fn facts(&self, host: &str) -> Option<&'p HostFacts> {
        self.facts.get(host).copied()
    }

    /// Where it is by the ssh_configs that lead to it, each place once; an ssh_config may know better than the
    /// inventory, and each team its own.
    pub fn followed_to(&self, host: &str) -> Vec<String> {
        let logins = self.followed.get(host).into_iter().flatten();
        let places = logins.map(|login| text::endpoint(&login.address, login.port));
        places.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The least that any login accepts: a host has one clock.
    pub fn clock_tolerance(&self, host: &str) -> Option<Duration> {
        let visits = self.visits(host).iter();
        visits.map(|visit| visit.login.clock_tolerance).min()
    }

    /// Whether some login uses the installed `ssh`.
    pub fn is_by_openssh(&self, host: &str) -> bool {
        let mut visits = self.visits(host).iter();
        visits.any(|visit| visit.login.client == Client::Openssh)
    }
}
