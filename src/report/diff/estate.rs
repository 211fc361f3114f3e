//! Hosts, instances, teams, artifacts and inputs: what came, what went, and what is another one under the
//! same name.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, Diff, Kind};
use crate::report::schema::{Host, Report};

pub(super) fn compare(diff: &mut Diff, old: &Report, new: &Report) {
    come_and_gone(diff, "host", &hosts(old), &hosts(new));
    come_and_gone(diff, "instance", &instances(old), &instances(new));
    come_and_gone(diff, "team", &teams(old), &teams(new));
    come_and_gone(diff, "artifact", &artifacts(old), &artifacts(new));
    let before: BTreeMap<&str, &Host> = old.hosts.iter().map(|host| (&*host.name, host)).collect();
    for host in &new.hosts {
        if let Some(before) = before.get(host.name.as_str()) {
            one_host(diff, before, host);
        }
    }
    for instance in &new.instances {
        let before = old.instances.iter().find(|one| one.name == instance.name);
        let Some(before) = before else { continue };
        let about = |what: &str| format!("instance {}: {what}", instance.name);
        told(
            diff,
            about("host"),
            Some(&before.host),
            Some(&instance.host),
        );
        told(
            diff,
            about("product"),
            Some(&before.product),
            Some(&instance.product),
        );
    }
    inputs(diff, old, new);
}

fn hosts(report: &Report) -> BTreeSet<String> {
    report.hosts.iter().map(|host| host.name.clone()).collect()
}

fn instances(report: &Report) -> BTreeSet<String> {
    let instances = report.instances.iter();
    instances.map(|instance| instance.name.clone()).collect()
}

/// Each team of each instance: one that is taken off an instance cannot fetch its artifacts any more.
fn teams(report: &Report) -> BTreeSet<String> {
    let instances = report.instances.iter();
    let teams = instances.flat_map(|instance| {
        let teams = instance.teams.iter();
        teams.map(|team| format!("{team} of {}", instance.name))
    });
    teams.collect()
}

fn artifacts(report: &Report) -> BTreeSet<String> {
    let instances = report.instances.iter();
    let artifacts = instances.flat_map(|instance| {
        let artifacts = instance.artifacts.iter();
        artifacts.map(|one| format!("{} ({}) of {}", one.name, one.kind, instance.name))
    });
    artifacts.collect()
}

fn come_and_gone(diff: &mut Diff, word: &str, old: &BTreeSet<String>, new: &BTreeSet<String>) {
    for gone in old.difference(new) {
        let change = Change::new(Kind::VanishedParts, format!("{word} {gone}"));
        diff.changes.push(change.worse());
    }
    for come in new.difference(old) {
        diff.changes
            .push(Change::new(Kind::NewParts, format!("{word} {come}")));
    }
}

/// What tells a machine from another, and what answered. What is known of one run only is no change of
/// the machine: its login failed, or nobody asked.
fn one_host(diff: &mut Diff, old: &Host, new: &Host) {
    let about = |what: &str| format!("host {}: {what}", new.name);
    for (what, was, is) in [
        ("host key", &old.host_key, &new.host_key),
        ("host key type", &old.host_key_type, &new.host_key_type),
        ("hostname", &old.identity.hostname, &new.identity.hostname),
        (
            "machine id",
            &old.identity.machine_id,
            &new.identity.machine_id,
        ),
        ("SSH server", &old.server, &new.server),
    ] {
        if was.is_some() && is.is_some() {
            told(diff, about(what), was.as_deref(), is.as_deref());
        }
    }
    told(
        diff,
        about("address"),
        Some(&old.address),
        Some(&new.address),
    );
    told(
        diff,
        about("machine"),
        old.machine.as_deref(),
        new.machine.as_deref(),
    );
    let teams: BTreeSet<&String> = old.clients.keys().chain(new.clients.keys()).collect();
    if old.sessions.is_some() && new.sessions.is_some() {
        for team in teams {
            let client = |host: &Host| {
                let named = host.clients.get(team).cloned();
                named.unwrap_or_else(|| "libssh2".to_owned())
            };
            let what = about(&format!("client of {team}"));
            told(diff, what, Some(&client(old)), Some(&client(new)));
        }
    }
    if let (Some(was), Some(is)) = (&old.facts, &new.facts) {
        told(diff, about("operating system"), Some(&was.os), Some(&is.os));
        told(diff, about("kernel"), Some(&was.kernel), Some(&is.kernel));
        let limits: BTreeSet<&String> = was.limits.keys().chain(is.limits.keys()).collect();
        for limit in limits {
            let (before, after) = (was.limits.get(limit), is.limits.get(limit));
            let what = about(&format!("limit {limit}"));
            told(
                diff,
                what,
                before.map(String::as_str),
                after.map(String::as_str),
            );
        }
    }
}

fn told(diff: &mut Diff, what: String, was: Option<&str>, is: Option<&str>) {
    if was != is {
        let mut change = Change::new(Kind::Hosts, what);
        (change.was, change.is) = (was.map(str::to_owned), is.map(str::to_owned));
        diff.changes.push(change);
    }
}

fn inputs(diff: &mut Diff, old: &Report, new: &Report) {
    let digests = |report: &Report| -> BTreeMap<String, String> {
        let inputs = report.inputs.iter();
        inputs
            .map(|input| (input.path.clone(), input.sha256.clone()))
            .collect()
    };
    let (before, after) = (digests(old), digests(new));
    let (was, is) = (&old.run, &new.run);
    let maker = |run: &crate::report::schema::Run| {
        let tool = &run.tool;
        let openssh = tool.openssh.as_ref().map(|openssh| format!(", {openssh}"));
        let openssh = openssh.unwrap_or_default();
        format!(
            "{} {}, libssh2 {}{openssh}",
            tool.name, tool.version, tool.libssh2
        )
    };
    let mut all: Vec<(String, Option<String>, Option<String>)> = before
        .keys()
        .chain(after.keys())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|path| {
            (
                path.clone(),
                before.get(path).cloned(),
                after.get(path).cloned(),
            )
        })
        .collect();
    all.push(("tool".to_owned(), Some(maker(was)), Some(maker(is))));
    all.push((
        "binary of the tool".to_owned(),
        was.tool.sha256.clone(),
        is.tool.sha256.clone(),
    ));
    all.push((
        "operator".to_owned(),
        Some(was.operator.clone()),
        Some(is.operator.clone()),
    ));
    all.push((
        "runner".to_owned(),
        Some(was.runner.clone()),
        Some(is.runner.clone()),
    ));
    for (what, was, is) in all.into_iter().filter(|(_, was, is)| was != is) {
        let mut change = Change::new(Kind::Inputs, what);
        (change.was, change.is) = (was, is);
        diff.changes.push(change);
    }
}
