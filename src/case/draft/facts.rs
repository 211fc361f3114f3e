//! What a run says for a field of the request. Nothing is chosen where it says two things.

use std::collections::{BTreeMap, BTreeSet};

use super::Order;
use crate::report::schema::{Check, Evidence, Host, Instance};
use crate::text;

/// What the run says for `field`.
///
/// # Errors
/// Why it says nothing, and what to do.
pub(super) fn told(field: &str, order: &Order<'_>) -> Result<String, String> {
    let run = &order.report.run;
    let instance = instance(order).ok_or("the run knows no such instance")?;
    match field {
        "instance" => Ok(instance.name.clone()),
        "product" => Ok(instance.product.clone()),
        "host" => Ok(instance.host.clone()),
        "team" => Ok(team(order, instance).to_owned()),
        "operator" => Ok(run.operator.clone()),
        "run" => Ok(match order.signer {
            Some(signer) => format!("{}, signed by {signer}", run.id),
            None => format!("{}, not verified", run.id),
        }),
        "version" => version(order, instance),
        "hostname" => of_host(order, instance, |host| host.identity.hostname.clone()),
        "machine id" => of_host(order, instance, |host| host.identity.machine_id.clone()),
        "os" => of_facts(order, instance, |host| {
            Some(host.facts.as_ref()?.os.clone())
        }),
        "kernel" => of_facts(order, instance, |host| {
            Some(host.facts.as_ref()?.kernel.clone())
        }),
        "processor" => of_facts(order, instance, |host| {
            Some(host.facts.as_ref()?.machine.clone())
        }),
        "memory" => of_facts(order, instance, |host| {
            Some(text::size(
                host.facts.as_ref()?.memory_kib.saturating_mul(1024),
            ))
        }),
        "retrieved" => retrieved(order, instance),
        "artifacts" => artifacts(order, instance),
        "failures" => Ok(failures(order, instance)),
        _ => Err("gonogo does not know it".to_owned()),
    }
}

fn instance<'a>(order: &Order<'a>) -> Option<&'a Instance> {
    let mut all = order.report.instances.iter();
    all.find(|one| one.name == order.instance)
}

fn team<'o>(order: &'o Order<'_>, instance: &'o Instance) -> &'o str {
    let first = instance.teams.first().map(String::as_str);
    order.team.or(first).unwrap_or_default()
}

fn of_instance<'a>(order: &Order<'a>) -> impl Iterator<Item = &'a Check> {
    let name = order.instance.to_owned();
    (order.report.checks.iter()).filter(move |check| check.instance.as_deref() == Some(&name))
}

fn version(order: &Order<'_>, instance: &Instance) -> Result<String, String> {
    let artifacts = instance.artifacts.iter();
    let of_kind: BTreeSet<&str> = artifacts
        .filter(|artifact| artifact.kind == "version")
        .map(|artifact| artifact.name.as_str())
        .collect();
    let evidence = of_instance(order).flat_map(|check| &check.evidence);
    let versions: BTreeSet<&str> = evidence
        .filter(|one| of_kind.contains(one.artifact.as_str()))
        .filter_map(|one| one.version.as_deref())
        .collect();
    let found: Vec<&str> = versions.into_iter().collect();
    match found.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err("the run read no version of this instance: --set 'version=X.Y.Z.H' says what is known otherwise".to_owned()),
        several => Err(format!(
            "the run read several versions ({}): see which of them runs, and run again",
            several.join(", ")
        )),
    }
}

fn host<'a>(order: &Order<'a>, instance: &Instance) -> Option<&'a Host> {
    let mut hosts = order.report.hosts.iter();
    hosts.find(|host| host.name == instance.host)
}

fn of_host(
    order: &Order<'_>,
    instance: &Instance,
    said: impl Fn(&Host) -> Option<String>,
) -> Result<String, String> {
    let value = host(order, instance).and_then(said);
    value
        .filter(|value| !value.trim().is_empty())
        .ok_or_else(|| {
            format!(
                "host `{}` did not say it in this run: say what is known with --set",
                instance.host
            )
        })
}

fn of_facts(
    order: &Order<'_>,
    instance: &Instance,
    said: impl Fn(&Host) -> Option<String>,
) -> Result<String, String> {
    let value = host(order, instance).and_then(said);
    value.filter(|value| !value.trim().is_empty()).ok_or_else(|| {
        format!(
            "no step of this run asked host `{}` for it: run features/host.feature too, or say what is known with --set",
            instance.host
        )
    })
}

/// What was fetched of each file as that team, the last time that it was: a log that was read twice has two
/// digests.
fn fetched<'a>(order: &Order<'a>, instance: &Instance) -> Vec<(&'a str, &'a Evidence)> {
    let mut last: BTreeMap<(&str, &str), (&str, &Evidence)> = BTreeMap::new();
    for check in of_instance(order) {
        if check.team.as_deref() != Some(team(order, instance)) {
            continue;
        }
        let Some(started) = check.started.as_deref() else {
            continue;
        };
        for one in &check.evidence {
            let known = instance.artifacts.iter();
            if !known.clone().any(|artifact| artifact.name == one.artifact) {
                continue;
            }
            let place = last
                .entry((&one.artifact, &one.path))
                .or_insert((started, one));
            if started >= place.0 {
                *place = (started, one);
            }
        }
    }
    last.into_values().collect()
}

fn retrieved(order: &Order<'_>, instance: &Instance) -> Result<String, String> {
    let fetched = fetched(order, instance);
    let from = fetched.iter().map(|(started, _)| *started).min();
    let to = fetched.iter().map(|(started, _)| *started).max();
    match from.zip(to) {
        Some((from, to)) if from == to => Ok(format!("at {from}")),
        Some((from, to)) => Ok(format!("from {from} to {to}")),
        None => Err(nothing(order, instance)),
    }
}

fn artifacts(order: &Order<'_>, instance: &Instance) -> Result<String, String> {
    let fetched = fetched(order, instance);
    if fetched.is_empty() {
        return Err(nothing(order, instance));
    }
    let line = |(started, one): &(&str, &Evidence)| {
        let newest = one.newest_entry.as_ref();
        let newest = newest.map_or_else(String::new, |at| format!(", newest entry {at}"));
        // No digest: by that of a file that nobody redacted a short secret in it is guessed.
        format!(
            "{}: {}, {}, read {started}{newest}",
            one.artifact,
            one.path.replace('\n', " "),
            text::size(one.bytes)
        )
    };
    Ok(fetched.iter().map(line).collect::<Vec<_>>().join("\n"))
}

fn nothing(order: &Order<'_>, instance: &Instance) -> String {
    format!(
        "the run retrieved nothing of it as team `{}`: see why, or name another with --team",
        team(order, instance)
    )
}

fn failures(order: &Order<'_>, instance: &Instance) -> String {
    let failed = order.report.checks.iter().filter(|check| {
        check.instance.as_deref() == Some(order.instance)
            || check.instance.is_none() && check.host.as_deref() == Some(&instance.host)
    });
    let lines: Vec<String> = failed
        .filter_map(|check| {
            let failure = check.failure.as_ref()?;
            let team = check.team.as_deref();
            let team = team.map_or_else(String::new, |team| format!(" ({team})"));
            let line = format!(
                "{}{team}: {}: expected {}, found {}",
                check.scenario, failure.kind, failure.expected, failure.actual
            );
            Some(line.replace(['\n', '\r'], " "))
        })
        .collect();
    match lines.is_empty() {
        true => "none".to_owned(),
        false => lines.join("\n"),
    }
}
