//! Restating a run: the checks that did not pass are run again, every other one is carried over as it was
//! told, and the new report has them all. Carried is never silent: each such check says from which run.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Files;
use super::report::inputs;
use crate::plan::{Plan, Waivers};
use crate::report::waived::{before as unwaived, is_of_waivers, waive};
use crate::report::{facts, judge, publish, schema};
use crate::steps::Call;
use crate::verdict::{Outcome, against_the_runner};

/// The run that is restated: proven whole and signed, its plan made again.
pub struct Before {
    /// Its record.
    pub report: schema::Report,
    /// SHA-256 of its manifest.
    pub digest: String,
    /// The transcripts of its checks.
    pub transcripts: Files,
}

/// What keeps `plan` from restating that record; nothing when it is the very same plan.
#[must_use]
pub fn differences(plan: &Plan, before: &schema::Report) -> Vec<String> {
    let mut found = Vec::new();
    let version = env!("CARGO_PKG_VERSION");
    if before.run.tool.version != version {
        let other = &before.run.tool.version;
        found.push(format!("it was made by gonogo {other}, this is {version}"));
    }
    if before.run.merged.is_some() || before.run.scope.shard.is_some() {
        found.push("it is a shard, or merged from shards".to_owned());
    }
    if before.run.kind != "run" {
        found.push(format!("it is of kind `{}`", before.run.kind));
    }
    found.extend(against_the_runner(&facts(before)));
    let digests = |inputs: &[schema::Input]| -> BTreeMap<String, String> {
        let inputs = inputs.iter();
        // What is accepted may change between the two: nothing is carried over for it.
        inputs
            .filter(|input| !is_of_waivers(&input.path))
            .map(|input| (input.path.clone(), input.sha256.clone()))
            .collect()
    };
    let now = digests(&inputs(plan, &mut Files::new()));
    let then = digests(&before.inputs);
    let paths: BTreeSet<&String> = now.keys().chain(then.keys()).collect();
    for path in paths {
        found.extend(match (then.get(path), now.get(path)) {
            (Some(_), None) => Some(format!("`{path}` is not used any more")),
            (None, Some(_)) => Some(format!("`{path}` was not used")),
            (was, is) if was != is => Some(format!("`{path}` is another one")),
            _ => None,
        });
    }
    let ids = |(planned, told): (&crate::plan::Check, &schema::Check)| planned.id == told.id;
    let same_checks =
        plan.checks.len() == before.checks.len() && plan.checks.iter().zip(&before.checks).all(ids);
    if found.is_empty() && (!same_checks || before.run.scope.plan != plan.digest.to_string()) {
        found.push("its plan is another one".to_owned());
    }
    found
}

/// The checks to run again, by their place in the plan: those that did not simply pass, and with them all
/// about vendors, which cost nothing and are judged by the run's own day and its go-live.
#[must_use]
pub fn to_run_again(before: &schema::Report, plan: &Plan) -> BTreeSet<usize> {
    let mut again = not_passed(before);
    if !again.is_empty() {
        let checks = plan.checks.iter().enumerate();
        let of_vendors = checks.filter(|(_, check)| {
            let mut steps = check.steps.iter();
            steps.any(|step| matches!(*step.call, Call::Vendor(_)))
        });
        again.extend(of_vendors.map(|(index, _)| index));
    }
    again
}

fn not_passed(before: &schema::Report) -> BTreeSet<usize> {
    let checks = before.checks.iter().enumerate();
    let again = checks.filter(|(_, check)| check.outcome != Outcome::Passed.as_str());
    again.map(|(index, _)| index).collect()
}

/// Puts what is carried over into the report of the checks that were run again, and judges it anew.
pub fn restate(
    report: &mut schema::Report,
    files: &mut Files,
    before: &Before,
    again: &BTreeSet<usize>,
    waivers: Option<&Waivers>,
) {
    let old = &before.report;
    report.run.restates = Some(schema::Restates {
        run: old.run.id.clone(),
        finished: old.run.finished.clone(),
        manifest: before.digest.clone(),
    });
    let changed = hosts(report, old);
    let checks = report.checks.iter_mut().zip(&old.checks).enumerate();
    for (index, (check, was)) in checks {
        match again.contains(&index) {
            true => tried_again(check, was, &old.run.id),
            false => {
                *check = carried(was, &old.run);
                if let Some(name) = &was.transcript
                    && let Some(bytes) = before.transcripts.get(name)
                {
                    files.insert(name.clone(), bytes.clone());
                }
                let other = was.host.as_ref().and_then(|host| changed.get(host));
                if let Some(other) = other {
                    no_longer_there(check, other);
                }
            }
        }
    }
    if let Some(waivers) = waivers {
        report.checks = unwaived(&report.checks);
        report.waivers = waive(&waivers.file, &waivers.keys, &mut report.checks);
    }
    report.counts = super::report::counts(&report.checks);
    report.verdict = publish(&judge(report));
}

fn carried(was: &schema::Check, run: &schema::Run) -> schema::Check {
    let mut check = was.clone();
    // Restated twice, it still is of the run that ran it.
    check.carried.get_or_insert_with(|| schema::Carried {
        run: run.id.clone(),
        finished: run.finished.clone(),
    });
    check
}

fn tried_again(check: &mut schema::Check, was: &schema::Check, run: &str) {
    let mut earlier = was.earlier.clone();
    if let Some(failure) = &was.failure {
        earlier.push(schema::Attempt {
            started: was.started.clone(),
            duration_ms: was.duration_ms,
            steps: was.steps.clone(),
            failure: failure.clone(),
            run: Some(run.to_owned()),
        });
    }
    check.attempts = u32::try_from(earlier.len())
        .unwrap_or(u32::MAX)
        .saturating_add(1);
    check.earlier = earlier;
}

/// What was learnt of hosts then stands beside what is learnt now. A host that is another machine now is
/// named, with what differs: nothing that was carried over is about it.
fn hosts(report: &mut schema::Report, old: &schema::Report) -> BTreeMap<String, String> {
    let mut changed = BTreeMap::new();
    // Of two of one name the first.
    let before = old.hosts.iter().rev();
    let before: HashMap<&str, _> = before.map(|was| (was.name.as_str(), was)).collect();
    for host in &mut report.hosts {
        let was = before.get(host.name.as_str()).copied();
        also_as_hop(host, was.into_iter());
        let Some(was) = was.filter(|was| was.host_key.is_some()) else {
            continue;
        };
        if host.host_key.is_none() {
            *host = schema::Host {
                address: host.address.clone(),
                as_hop: std::mem::take(&mut host.as_hop),
                ..was.clone()
            };
            continue;
        }
        match other_machine(was, host) {
            Some(what) => drop(changed.insert(host.name.clone(), what)),
            None => same_machine(host, was),
        }
    }
    changed
}

/// Adds the keys that others saw there on their way.
pub(super) fn also_as_hop<'h>(
    host: &mut schema::Host,
    others: impl Iterator<Item = &'h schema::Host>,
) {
    let keys = others.flat_map(|other| other.as_hop.iter().cloned());
    host.as_hop.extend(keys);
    host.as_hop.sort_unstable();
    host.as_hop.dedup();
}

fn other_machine(was: &schema::Host, is: &schema::Host) -> Option<String> {
    let said = [
        ("host key", &was.host_key, &is.host_key),
        ("hostname", &was.identity.hostname, &is.identity.hostname),
        (
            "machine id",
            &was.identity.machine_id,
            &is.identity.machine_id,
        ),
    ];
    said.into_iter()
        .find_map(|(what, was, is)| match (was, is) {
            (Some(was), Some(is)) if was != is => {
                Some(format!("its {what} is {is}, and was {was}"))
            }
            _ => None,
        })
}

/// Adds what was learnt of one machine at another time.
pub(super) fn same_machine(host: &mut schema::Host, was: &schema::Host) {
    let identity = &mut host.identity;
    identity.hostname = identity
        .hostname
        .take()
        .or_else(|| was.identity.hostname.clone());
    identity.machine_id = identity
        .machine_id
        .take()
        .or_else(|| was.identity.machine_id.clone());
    host.clock = host.clock.or(was.clock);
    host.facts = host.facts.take().or_else(|| was.facts.clone());
    host.sessions = match (host.sessions, was.sessions) {
        (Some(is), Some(was)) => Some(is.saturating_add(was)),
        (is, was) => is.or(was),
    };
    for (team, client) in &was.clients {
        host.clients
            .entry(team.clone())
            .or_insert_with(|| client.clone());
    }
}

fn no_longer_there(check: &mut schema::Check, what: &str) {
    check.outcome = Outcome::Failed.as_str().to_owned();
    check.failure = Some(schema::Failure {
        kind: "mismatch".to_owned(),
        host: check.host.clone(),
        account: None,
        subject: None,
        expected: "the machine on which the check passed".to_owned(),
        actual: what.to_owned(),
        hint: "run everything again, without --rerun-failed".to_owned(),
        at_login: true,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::verdict::Decision;

    fn before() -> Before {
        let report = sample::no_go();
        let names = report
            .checks
            .iter()
            .filter_map(|check| check.transcript.clone());
        Before {
            transcripts: names.map(|name| (name, b"as it was".to_vec())).collect(),
            digest: "ab".repeat(32),
            report,
        }
    }

    /// What running only `again` leaves: those passed, nothing is known of the rest nor of hosts that no
    /// check was about.
    fn ran(before: &Before, again: &BTreeSet<usize>) -> schema::Report {
        let mut report = before.report.clone();
        report.run.id = "later".to_owned();
        let mut met = BTreeSet::new();
        for (index, check) in report.checks.iter_mut().enumerate() {
            (check.waiver, check.earlier, check.attempts) = (None, Vec::new(), 1);
            match again.contains(&index) {
                true => {
                    check.outcome = "passed".to_owned();
                    check.failure = None;
                    for step in &mut check.steps {
                        step.outcome = "passed".to_owned();
                    }
                    met.extend(check.host.clone());
                }
                false => {
                    check.outcome = "failed".to_owned();
                    check.evidence.clear();
                    check.transcript = None;
                }
            }
        }
        for host in report
            .hosts
            .iter_mut()
            .filter(|host| !met.contains(&host.name))
        {
            host.host_key = None;
            host.identity = schema::HostIdentity::default();
            host.server = None;
        }
        report
    }

    fn restated(edit: impl FnOnce(&mut schema::Report)) -> (schema::Report, Files, Before) {
        let before = before();
        let again = not_passed(&before.report);
        let mut report = ran(&before, &again);
        edit(&mut report);
        let mut files = Files::new();
        restate(&mut report, &mut files, &before, &again, None);
        (report, files, before)
    }

    #[test]
    fn only_what_passed_is_carried_over_and_hosts_are_known_again() {
        let (report, files, before) = restated(|_| ());
        assert_eq!(not_passed(&before.report).len(), 4);
        for (check, was) in report.checks.iter().zip(&before.report.checks) {
            assert_eq!(
                check.carried.is_some(),
                was.outcome == "passed",
                "{}",
                check.id
            );
            let tried = usize::from(was.failure.is_some());
            let carried = usize::from(check.carried.is_some());
            assert_eq!(
                check.earlier.len(),
                was.earlier.len() + tried * (1 - carried)
            );
            assert_eq!(check.attempts as usize, check.earlier.len() + 1);
        }
        assert_eq!(report.hosts, before.report.hosts);
        assert!(!files.is_empty() && files.values().all(|bytes| bytes == b"as it was"));
        assert_eq!(report.counts.planned, report.counts.passed);
        assert_eq!(report.run.restates.unwrap().run, before.report.run.id);
    }

    #[test]
    fn nothing_is_carried_over_from_another_machine() {
        type Edit = fn(&mut schema::Host);
        let edits: [Edit; 3] = [
            |host| host.host_key = Some("SHA256:other".to_owned()),
            |host| host.identity.hostname = Some("other".to_owned()),
            |host| host.identity.machine_id = Some("00".repeat(16)),
        ];
        for edit in edits {
            let met = |report: &schema::Report| {
                report
                    .hosts
                    .iter()
                    .position(|host| host.host_key.is_some())
                    .unwrap()
            };
            let mut name = String::new();
            let (report, ..) = restated(|report| {
                let index = met(report);
                edit(&mut report.hosts[index]);
                name = report.hosts[index].name.clone();
            });
            let on_it = report
                .checks
                .iter()
                .filter(|check| check.host.as_ref() == Some(&name));
            let carried: Vec<_> = on_it.filter(|check| check.carried.is_some()).collect();
            assert!(!carried.is_empty());
            for check in carried {
                assert_eq!(check.outcome, "failed");
                assert_eq!(check.failure.as_ref().unwrap().kind, "mismatch");
            }
            assert_eq!(judge(&report).decision, Decision::NoGo);
            assert_eq!(report.verdict.decision, "NO-GO");
        }
    }

    /// The verdict says so of the first run; of the second, made elsewhere, it could not.
    #[test]
    fn what_was_run_on_the_runner_itself_is_not_restated_from_another() {
        let mut report = before().report;
        assert_eq!(against_the_runner(&facts(&report)), [""; 0]);
        let host = report.hosts.iter_mut().find(|host| host.host_key.is_some());
        let host = host.unwrap();
        let id = host
            .identity
            .machine_id
            .get_or_insert_with(|| "0f".repeat(16))
            .clone();
        report.run.runner_identity = Some(schema::RunnerIdentity {
            machine_id: Some(id),
            host_keys: Vec::new(),
        });
        let found = against_the_runner(&facts(&report));
        assert!(
            found[0].contains("is the machine that gonogo runs on"),
            "{found:?}"
        );
        report.run.finished = "2026-11-21T09:00:00Z".to_owned();
        assert_eq!(against_the_runner(&facts(&report)).len(), 2);
    }

    #[test]
    fn what_was_not_asked_again_stays_known_of_the_same_machine() {
        let (report, _, before) = restated(|report| {
            for host in &mut report.hosts {
                host.identity = schema::HostIdentity::default();
            }
        });
        assert_eq!(report.hosts, before.report.hosts);
    }
}
