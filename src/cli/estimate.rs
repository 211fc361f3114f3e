//! `gonogo plan --estimate`: what a run would fetch, how long that takes at a given rate, and where that breaks a
//! limit. The only plan that contacts hosts; it lists, and reads nothing.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::args::PlanFormat;
use super::fault::{Exit, Fault};
use super::{passphrase, signals, term};
use crate::inventory::Login;
use crate::plan::Plan;
use crate::run::{self, Found, Share};
use crate::text::{count, escape, size};
use crate::time::say;
use crate::transport::Keyring;

/// Estimates `plan` at `rate` bytes a second.
pub(super) fn estimate(plan: Plan, rate: u64, format: PlanFormat) -> Result<Exit, Fault> {
    let missing = plan.inventory.check_files();
    if !missing.is_empty() {
        return Err(missing.into());
    }
    let plan = Arc::new(plan);
    let runtime = super::run::runtime()?;
    let cancel = CancellationToken::new();
    let ended = runtime.block_on(async { signals::watch(&cancel, None) })?;
    let keys = Keyring::default();
    let logins = plan.visits.iter().map(|visit| &*visit.login);
    if !passphrase::ask_for(&keys, logins, &cancel)? {
        let ended = ended.get().copied().unwrap_or(signals::Ended::Interrupted);
        return Err(Fault::new(
            ended.exit(),
            ended.reason(),
            "nothing was contacted",
        ));
    }
    term::say("listing what a run would read; nothing is read");
    let shares = runtime.block_on(run::estimate(&plan, keys, cancel.clone()));
    if cancel.is_cancelled() {
        let ended = ended.get().copied().unwrap_or(signals::Ended::Interrupted);
        return Err(Fault::new(ended.exit(), ended.reason(), "nothing was read"));
    }
    let told: Vec<Told<'_>> = shares
        .iter()
        .map(|share| Told::of(&plan, share, rate))
        .collect();
    term::out(&match format {
        PlanFormat::Text => text(&told, rate),
        PlanFormat::Json => format!("{:#}\n", json(&told, rate)),
    });
    match told.iter().all(|one| one.objection.is_none()) {
        true => Ok(Exit::Go),
        false => Ok(Exit::NoGo),
    }
}

/// One share, and what speaks against it.
struct Told<'s> {
    share: &'s Share,
    takes: Option<Duration>,
    objection: Option<String>,
}

impl<'s> Told<'s> {
    fn of(plan: &Plan, share: &'s Share, rate: u64) -> Self {
        let login = plan.inventory.login(&share.host, &share.team);
        let takes = match share.found {
            Ok(Found::Files { bytes, .. }) => Some(time(bytes, rate)),
            _ => None,
        };
        let objection = match &share.found {
            Err(failure) => Some(format!(
                "{}: {}, not {}; {}",
                failure.kind.as_str(),
                failure.actual,
                failure.expected,
                failure.hint
            )),
            Ok(Found::Files { bytes, .. }) => login.and_then(|login| limit(login, *bytes, takes)),
            Ok(Found::Unknown) => None,
        };
        Self {
            share,
            takes,
            objection,
        }
    }
}

fn time(bytes: u64, rate: u64) -> Duration {
    Duration::from_millis(bytes.saturating_mul(1000) / rate.max(1))
}

/// The limit that the artifact alone would break.
fn limit(login: &Login, bytes: u64, takes: Option<Duration>) -> Option<String> {
    if bytes > login.max_bytes {
        let most = size(login.max_bytes);
        return Some(format!(
            "more than `max_bytes` ({most}): raise it, or have files rotated and removed earlier"
        ));
    }
    let takes = takes.filter(|takes| *takes > login.deadline)?;
    Some(format!(
        "{} is more than the `deadline` of a check ({}): raise it for the host or the team",
        say(takes),
        say(login.deadline)
    ))
}

fn text(told: &[Told<'_>], rate: u64) -> String {
    let mut out = String::new();
    let mut owner = None;
    for one in told {
        let share = one.share;
        let whose = (&share.instance, &share.team);
        if owner != Some(whose) {
            owner = Some(whose);
            let (instance, host, team) = (&share.instance, &share.host, &share.team);
            let line = format!("{instance} on {host} as {team}");
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{}", escape(&line));
        }
        let weighs = match (&share.found, one.takes) {
            (Ok(Found::Files { files, bytes }), Some(takes)) => format!(
                "{}, {}, {}",
                count(usize::try_from(*files).unwrap_or(usize::MAX), "file"),
                size(*bytes),
                say(takes)
            ),
            (Ok(_), _) => "known only when it comes".to_owned(),
            (Err(_), _) => "cannot be told".to_owned(),
        };
        let _ = writeln!(out, "  {:<24} {weighs}", escape(&share.artifact));
        if let Some(objection) = &one.objection {
            let _ = writeln!(out, "    {}", escape(objection));
        }
    }
    let (files, bytes) = sum(told);
    let _ = writeln!(
        out,
        "\n{}, {}, each once: {} at {}/s, one after the other",
        count(usize::try_from(files).unwrap_or(usize::MAX), "file"),
        size(bytes),
        say(time(bytes, rate)),
        size(rate)
    );
    let objections = told.iter().filter(|one| one.objection.is_some()).count();
    if objections > 0 {
        let _ = writeln!(out, "{}", count(objections, "objection"));
    }
    out
}

fn sum(told: &[Told<'_>]) -> (u64, u64) {
    told.iter()
        .fold((0, 0), |(files, bytes), one| match one.share.found {
            Ok(Found::Files {
                files: more,
                bytes: size,
            }) => (files + more, bytes.saturating_add(size)),
            _ => (files, bytes),
        })
}

fn json(told: &[Told<'_>], rate: u64) -> Value {
    let (files, bytes) = sum(told);
    let artifact = |one: &Told<'_>| {
        let share = one.share;
        let (files, bytes) = match share.found {
            Ok(Found::Files { files, bytes }) => (Some(files), Some(bytes)),
            _ => (None, None),
        };
        json!({
            "instance": share.instance,
            "host": share.host,
            "team": share.team,
            "artifact": share.artifact,
            "files": files,
            "bytes": bytes,
            "milliseconds": one.takes.map(|takes| u64::try_from(takes.as_millis()).unwrap_or(u64::MAX)),
            "objection": one.objection,
        })
    };
    json!({
        "schema": "gonogo/estimate/v1",
        "rate": rate,
        "files": files,
        "bytes": bytes,
        "artifacts": told.iter().map(artifact).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_bytes_by_rate() {
        assert_eq!(time(10 << 20, 1 << 20), Duration::from_secs(10));
        assert_eq!(time(0, 1), Duration::ZERO);
        assert_eq!(time(u64::MAX, 0), Duration::from_millis(u64::MAX));
    }
}
