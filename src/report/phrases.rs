//! How every rendering says the same thing: who a check is about, what a verdict means, sums, times.
//! Plain phrases, not yet escaped for any format.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::facts;
use super::schema::{Check, Counts, Failure, HostFacts, HoursOfWeek, Report, Run, Waiver, Week};
use crate::failure::FailureKind;
use crate::{text, time};

/// Most artifacts whose retrieval is told in a summary.
const MOST_ARTIFACTS: usize = 40;
/// Most shards that are named; all of them stand in the record.
const MOST_SHARDS: usize = 8;

/// What a verdict asks of its reader, in one sentence.
pub(super) fn meaning(report: &Report) -> &'static str {
    let waived = report.counts.waived > 0;
    match (&*report.verdict.decision, waived) {
        ("GO", false) => "Every planned check passed.",
        ("GO", true) => "Every planned check passed or is covered by a valid waiver.",
        ("HOLD", _) if report.run.scope.shard.is_some() => {
            "Nothing failed in this shard, and the others are due."
        }
        ("HOLD", _) => "Nothing failed, and a person's word is still due.",
        _ => "Do not go live on this run.",
    }
}

/// What a kind of run other than the usual one must warn of.
pub(super) fn warnings(report: &Report) -> Vec<String> {
    let mut warnings = Vec::new();
    match (&report.run.aborted, &*report.run.kind) {
        (Some(why), _) => warnings.push(format!("Aborted: {why}")),
        (None, "aborted") => warnings.push("Aborted".to_owned()),
        _ => {}
    }
    if report.run.scope.partial || !report.run.scope.filters.is_empty() {
        let filters = report.run.scope.filters.join(" ");
        warnings.push(format!("Partial run, filtered by: {filters}"));
    }
    warnings.extend(restated(report));
    let shard = report.run.scope.shard.as_ref();
    warnings.extend(shard.map(|shard| {
        let (name, own, all) = (shard.name(), report.checks.len(), shard.checks);
        format!("Shard {name}: {own} of {all} checks, to be merged with the others")
    }));
    warnings.extend(merged(report));
    if report.checks.is_empty() && shard.is_none() {
        warnings.push("No check was planned".to_owned());
    }
    if report.run.kind == "demo" {
        warnings.push("Practice estate: says nothing about a real one".to_owned());
    }
    warnings
}

/// `105 of 108 checks were not run again: …`, of a run that restates another one.
pub(super) fn restated(report: &Report) -> Option<String> {
    let restates = report.run.restates.as_ref()?;
    let carried = report
        .checks
        .iter()
        .filter_map(|check| check.carried.as_ref());
    let carried: Vec<_> = carried.collect();
    let oldest = carried.iter().map(|carried| &carried.finished).min();
    let oldest =
        oldest.map(|oldest| format!(", the oldest of one that finished at {}", instant(oldest)));
    Some(format!(
        "{} of {} were not run again: they are carried over from run {}{}",
        carried.len(),
        text::count(report.checks.len(), "check"),
        restates.run,
        oldest.unwrap_or_default()
    ))
}

/// `commit 9f0c…, release sha256:…`: what is to go live on the run, when it was said.
pub(super) fn subject(run: &Run) -> Option<String> {
    let subject = run.subject.as_ref()?;
    let commit = subject.commit.as_ref().map(|id| format!("commit {id}"));
    let release = subject.release.as_ref();
    let release = release.map(|digest| format!("release sha256:{digest}"));
    let parts: Vec<_> = commit.into_iter().chain(release).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Where a check was run, when this run only restates it: `run …, finished at …`.
/// `Merged from 3 shards: 1/3 (run …, signed with SHA256:…), …`.
pub(super) fn merged(report: &Report) -> Option<String> {
    let pieces = &report.run.merged.as_ref()?.shards;
    let told = pieces.iter().take(MOST_SHARDS).map(|piece| {
        let (name, run, key) = (piece.shard.name(), &piece.run, &piece.key);
        format!("{name} (run {run}, signed with {key})")
    });
    let more = match pieces.len().saturating_sub(MOST_SHARDS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let told: Vec<_> = told.collect();
    let all = text::count(pieces.len(), "shard");
    Some(format!("Merged from {all}: {}{more}", told.join(", ")))
}

/// Where a check was run, when this run only restates or merges it: `run …, finished at …`.
pub(super) fn carried(check: &Check) -> Option<String> {
    let carried = check.carried.as_ref()?;
    Some(format!(
        "run {}, finished at {}",
        carried.run,
        instant(&carried.finished)
    ))
}

/// `32 planned = 28 passed + 2 failed + 1 waived + 1 pending`.
pub(super) fn sum(counts: &Counts) -> String {
    let Counts {
        planned,
        passed,
        failed,
        waived,
        pending,
    } = counts;
    format!(
        "{planned} planned = {passed} passed + {failed} failed + {waived} waived + {pending} pending"
    )
}

/// What is known of the clocks of the hosts that were reached; `None` in a record without any.
pub(super) fn clocks(report: &Report) -> Option<String> {
    let reached = report.hosts.iter().filter(|host| host.sessions.is_some());
    let (mut measured, mut not) = (Vec::new(), Vec::new());
    for host in reached {
        match host.clock {
            Some(clock) => measured.push((clock.skew_ms.unsigned_abs(), host, facts::clock(clock))),
            None => not.push(host.name.as_str()),
        }
    }
    let furthest = measured.iter().max_by_key(|(off, ..)| *off);
    let furthest = furthest.map(|(_, host, clock)| {
        let (name, said, most) = (&host.name, clock.say(), clock.tolerance());
        match measured.len() {
            1 => format!("{name} {said}, at most {most} is accepted"),
            many => {
                format!("{many} measured, the furthest {name} {said}, at most {most} is accepted")
            }
        }
    });
    let not = match not.len() {
        0 => None,
        1..=3 => Some(format!("not measured: {}", not.join(", "))),
        many => Some(format!("not measured on {many} hosts")),
    };
    let parts: Vec<_> = furthest.into_iter().chain(not).collect();
    (!parts.is_empty()).then(|| format!("clocks: {}", parts.join("; ")))
}

/// `Debian GNU/Linux 12 (bookworm), Linux 6.1.0-18-amd64 x86_64, 23.5 GiB of memory, open files 1024, …`.
pub(super) fn host_facts(facts: &HostFacts) -> String {
    let size = |kib: u64| text::size(kib.saturating_mul(1024));
    let limit = |name: &str| {
        let limit = facts.limits.get(name);
        limit.map(|limit| format!("{name} {limit}"))
    };
    let fullest = (facts.disks.iter()).max_by_key(|disk| {
        let all = u128::from(disk.used_kib) + u128::from(disk.free_kib);
        (u128::from(disk.used_kib) * 1000).checked_div(all)
    });
    let fullest = fullest.map(|disk| {
        let free = size(disk.free_kib);
        format!("fullest disk {} with {free} free", disk.mounted_on)
    });
    let words = [
        Some(facts.os.clone()),
        Some(format!("{} {}", facts.kernel, facts.machine)),
        Some(format!("{} of memory", size(facts.memory_kib))),
        limit("open files"),
        limit("core file size"),
        fullest,
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `15.2 MiB/s`; `None` for what was too quick or too small to say.
pub(super) fn rate(bytes: u64, ms: u64) -> Option<String> {
    let rate = u128::from(bytes) * 1000;
    let rate = rate.checked_div(u128::from(ms)).filter(|rate| *rate > 0)?;
    Some(format!("{}/s", text::size(u64::try_from(rate).ok()?)))
}

/// How long each artifact took, over all checks, and whose took longest:
/// `event log: 48 MiB of 6 files in 3s, 15.2 MiB/s; longest orders/ny4-1/operations, 2s`.
pub(super) fn retrievals(report: &Report) -> Vec<String> {
    struct Sum {
        files: usize,
        bytes: u64,
        ms: u64,
        longest: (u64, String),
    }
    let mut order: Vec<&str> = Vec::new();
    let mut sums: HashMap<&str, Sum> = HashMap::new();
    for check in &report.checks {
        let mut took: HashMap<&str, u64> = HashMap::new();
        for one in &check.evidence {
            let sum = sums.entry(&one.artifact).or_insert_with(|| {
                order.push(&one.artifact);
                Sum {
                    files: 0,
                    bytes: 0,
                    ms: 0,
                    longest: (0, String::new()),
                }
            });
            sum.files += 1;
            sum.bytes = sum.bytes.saturating_add(one.bytes);
            sum.ms = sum.ms.saturating_add(one.duration_ms);
            let took = took.entry(&one.artifact).or_default();
            *took = took.saturating_add(one.duration_ms);
            if *took > sum.longest.0 || sum.longest.1.is_empty() {
                sum.longest = (*took, about(check));
            }
        }
    }
    let say = |name: &&str| {
        let sum = &sums[name];
        let files = text::count(sum.files, "file");
        let rate = rate(sum.bytes, sum.ms).map_or(String::new(), |rate| format!(", {rate}"));
        let (ms, whose) = &sum.longest;
        format!(
            "{name}: {} of {files} in {}{rate}; longest {whose}, {}",
            text::size(sum.bytes),
            span(sum.ms),
            span(*ms)
        )
    };
    order.iter().take(MOST_ARTIFACTS).map(say).collect()
}

/// Who and what a check is about: `orders/ny4-1/operations`.
pub(super) fn about(check: &Check) -> String {
    let parts = [&check.instance, &check.host, &check.team, &check.vendor];
    let parts: Vec<_> = parts.into_iter().flatten().map(String::as_str).collect();
    parts.join("/")
}

/// Where a failure stands: `ny4-1 as ops`.
pub(super) fn place(failure: &Failure) -> Option<String> {
    match (&failure.host, &failure.account) {
        (Some(host), Some(account)) => Some(format!("{host} as {account}")),
        (Some(host), None) => Some(host.clone()),
        (None, Some(account)) => Some(account.clone()),
        (None, None) => None,
    }
}

/// `W-7, until 2026-12-15 00:00:00 UTC, granted by bob to ann (OPS-4411): reason`.
pub(super) fn waiver(waiver: &Waiver) -> String {
    let Waiver {
        id,
        reason,
        requester,
        approver,
        from: _,
        expires,
        ticket,
    } = waiver;
    let until = instant(expires);
    let ticket = ticket.as_ref().map(|ticket| format!(" ({ticket})"));
    let ticket = ticket.unwrap_or_default();
    format!("{id}, until {until}, granted by {approver} to {requester}{ticket}: {reason}")
}

/// The step that a pending check waits for.
pub(super) fn waits_for(check: &Check) -> Option<String> {
    let step = check.steps.iter().find(|step| step.outcome == "pending");
    let step = step.filter(|_| check.outcome == "pending")?;
    Some(format!("{} {}", step.keyword, step.text))
}

/// The command by which somebody answers a pending check; `RUN` stands for the run's directory.
pub(super) fn how_to_answer(check: &Check) -> Option<String> {
    waits_for(check)?;
    Some(answer_command("RUN", &check.id))
}

/// The same with the directory.
#[must_use]
pub fn answer_command(run: &str, check: &str) -> String {
    let (run, check) = (text::shell_word(run), text::shell_word(check));
    format!("gonogo attest {run} --check {check} --answer passed --statement '…' --key FILE")
}

/// `40 h 30 min`: a week is counted in hours, not in days.
fn hours(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match minutes % 60 {
        0 => format!("{} h", minutes / 60),
        rest => format!("{} h {rest} min", minutes / 60),
    }
}

/// How long each kind of hours is in a week, and on whose clock.
pub(super) fn of_week(week: &Week) -> String {
    let length = |all: &[HoursOfWeek]| {
        let spans = all.iter().filter_map(|one| {
            let (from, to): (Timestamp, Timestamp) = (one.from.parse().ok()?, one.to.parse().ok()?);
            Duration::try_from(to.duration_since(from)).ok()
        });
        spans.fold(Duration::ZERO, Duration::saturating_add)
    };
    let (required, planned, open) = (
        length(&week.required),
        length(&week.planned),
        length(&week.open),
    );
    let answered = required.saturating_sub(planned).saturating_sub(open);
    let begins = week.days.first().map_or("", |first| first.day.as_str());
    let theirs = week.vendor_zone.as_deref().unwrap_or("no hours");
    format!(
        "required {}: answered {}, not answered with a plan {}, without a plan {}; the week from {begins} on the clock of {} (the vendor's: {theirs})",
        hours(required),
        hours(answered),
        hours(planned),
        hours(open),
        week.zone,
    )
}

/// When the estate is to go live, where that was said.
pub(super) fn go_live(run: &Run) -> Option<String> {
    let from = instant(run.go_live.as_deref()?);
    Some(match &run.go_live_until {
        Some(until) => format!("{from} to {}", instant(until)),
        None => from,
    })
}

/// `2026-11-21 09:30:00 UTC` from RFC 3339; what is no time stays as it is.
pub(super) fn instant(rfc3339: &str) -> String {
    match rfc3339.parse() {
        Ok(instant) => {
            let text: String = time::rfc3339(instant);
            text.replace('T', " ").replace('Z', " UTC")
        }
        Err(_) => rfc3339.to_owned(),
    }
}

/// `1.2s` from milliseconds.
pub(super) fn span(ms: u64) -> String {
    time::say(Duration::from_millis(ms))
}

/// The checks of that outcome, worst kind of failure first, else in the plan's order.
pub(super) fn of<'a>(report: &'a Report, outcome: &str) -> Vec<&'a Check> {
    let checks = report.checks.iter();
    worst_first(checks.filter(|check| check.outcome == outcome))
}

/// Worst kind of failure first, else as they come.
pub(super) fn worst_first<'a>(checks: impl Iterator<Item = &'a Check>) -> Vec<&'a Check> {
    let mut checks: Vec<_> = checks.collect();
    checks.sort_by_key(|check| {
        let failure = check.failure.as_ref();
        failure.map(|failure| failure.kind.parse::<FailureKind>().ok())
    });
    checks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn says_times_with_their_zone() {
        assert_eq!(instant("2026-11-21T09:30:00Z"), "2026-11-21 09:30:00 UTC");
        assert_eq!(
            instant("2026-11-21T10:30:00+01:00"),
            "2026-11-21 09:30:00 UTC"
        );
        assert_eq!(instant("soon"), "soon");
    }

    #[test]
    fn warns_of_what_is_not_a_whole_run() {
        assert_eq!(warnings(&sample::go()), [""; 0]);
        let aborted = warnings(&sample::aborted());
        assert_eq!(
            aborted,
            [
                "Aborted: interrupted by the operator",
                "No check was planned"
            ]
        );
        let mut partial = sample::go();
        partial.run.scope.filters = vec!["--host ny4-*".to_owned()];
        assert_eq!(
            warnings(&partial),
            ["Partial run, filtered by: --host ny4-*"]
        );
    }

    #[test]
    fn tells_how_long_each_artifact_took() {
        assert_eq!(rate(3 << 20, 2000).as_deref(), Some("1.5 MiB/s"));
        assert_eq!((rate(0, 5), rate(5, 0)), (None, None));
        let told = retrievals(&sample::go());
        let log = told.iter().find(|line| line.starts_with("event log: "));
        let log = log.unwrap();
        assert!(
            log.contains("/s; longest ") && log.contains(" MiB of "),
            "{log}"
        );
    }

    #[test]
    fn worst_kind_first() {
        let report = sample::no_go();
        let failed = of(&report, "failed");
        let kinds: Vec<_> = failed
            .iter()
            .map(|one| &*one.failure.as_ref().unwrap().kind)
            .collect();
        assert_eq!(kinds, ["denied", "stale"]);
    }
}
