//! From the published record to the facts a verdict rests on. Total: a word that cannot be read
//! becomes an entry of `Facts::unreadable`, which no GO survives, never a default.

use jiff::{SignedDuration, Timestamp};

use super::subject::is_commit;
use super::{claims, schema};
use crate::digest::Sha256;
use crate::failure::FailureKind;
use crate::inventory::Kind;
use crate::verdict::{self, Facts, Outcome, RunKind, StepOutcome, Verdict};

/// The five kinds of artifact, in the order every output shows them.
pub(super) const KINDS: [Kind; 5] = [
    Kind::Version,
    Kind::Configuration,
    Kind::Log,
    Kind::Statistics,
    Kind::Other,
];

/// The facts of a report. The verdict that the report states is not among them.
#[must_use]
pub fn facts(report: &schema::Report) -> Facts {
    let mut words = Words::default();
    let run = &report.run;
    let counts = report.counts;
    words.digest("digest of the plan", &run.scope.plan);
    for (what, digest) in [
        ("digest of the previous run", &run.previous),
        ("digest of the tool", &run.tool.sha256),
    ] {
        if let Some(digest) = digest {
            words.digest(what, digest);
        }
    }
    let subject = run.subject.as_ref();
    if let Some(release) = subject.and_then(|subject| subject.release.as_ref()) {
        words.digest("digest of the release", release);
    }
    if let Some(commit) = subject.and_then(|subject| subject.commit.as_ref())
        && !is_commit(commit)
    {
        words.refuse("commit", commit);
    }
    if let Some(restates) = &run.restates {
        words.digest("digest of the run restated", &restates.manifest);
        words.moment("end of the run restated", &restates.finished);
    }
    for piece in run.merged.iter().flat_map(|merged| &merged.shards) {
        words.digest("digest of a shard", &piece.manifest);
    }
    for input in &report.inputs {
        words.digest("digest of an input", &input.sha256);
    }
    Facts {
        kind: words.run_kind(&run.kind),
        aborted: run.aborted.clone(),
        started: words.moment("start of the run", &run.started),
        finished: words.moment("end of the run", &run.finished),
        partial: run.scope.partial,
        filters: run.scope.filters.clone(),
        runner: runner(run.runner_identity.as_ref()),
        counts: verdict::Counts {
            planned: counts.planned,
            passed: counts.passed,
            failed: counts.failed,
            waived: counts.waived,
            pending: counts.pending,
        },
        hosts: report.hosts.iter().map(host).collect(),
        instances: (report.instances.iter())
            .map(|instance| words.instance(instance))
            .collect(),
        checks: (report.checks.iter())
            .map(|check| words.check(check))
            .collect(),
        waivers: (report.waivers.iter())
            .map(|waiver| words.grant(waiver))
            .collect(),
        go_live: (run.go_live.as_ref()).and_then(|time| words.time("time of go-live", time)),
        shard: run.scope.shard.as_ref().map(shard),
        merged: (run.merged.as_ref()).map(|merged| words.merged(merged)),
        unreadable: words.unreadable,
    }
}

/// Judges a report by its recorded facts alone, whatever verdict it states.
#[must_use]
pub fn judge(report: &schema::Report) -> Verdict {
    verdict::decide(&facts(report))
}

/// A verdict in its published words.
#[must_use]
pub fn publish(verdict: &Verdict) -> schema::Verdict {
    schema::Verdict {
        decision: verdict.decision.as_str().to_owned(),
        reasons: verdict.reasons.clone(),
    }
}

fn runner(identity: Option<&schema::RunnerIdentity>) -> verdict::Runner {
    identity.map_or_else(Default::default, |runner| verdict::Runner {
        machine_id: runner.machine_id.clone(),
        host_keys: runner.host_keys.clone(),
    })
}

fn shard(shard: &schema::Shard) -> verdict::Shard {
    verdict::Shard {
        name: shard.name(),
        hosts: shard.hosts.clone(),
        checks: shard.checks,
    }
}

fn host(host: &schema::Host) -> verdict::Host {
    let expected = host.expected.clone().unwrap_or_default();
    verdict::Host {
        name: host.name.clone(),
        address: host.address.clone(),
        host_key: host.host_key.clone(),
        hostname: host.identity.hostname.clone(),
        machine_id: host.identity.machine_id.clone(),
        machine: host.machine.clone(),
        host_key_type: host.host_key_type.clone(),
        is_runner: host.runner == Some(true),
        clock: host.clock.map(clock),
        expected_host_key: expected.host_key,
        expected_hostname: expected.hostname,
        expected_machine_id: expected.machine_id,
    }
}

/// The clock of a host as the verdict judges it.
pub(super) fn clock(clock: schema::Clock) -> verdict::Clock {
    verdict::Clock {
        skew_ms: clock.skew_ms,
        uncertainty_ms: clock.uncertainty_ms,
        tolerance_ms: clock.tolerance_ms,
    }
}

// Year 3000: rules add to the times and durations of a run, and no sum may leave what can be counted.
const LAST_SECOND: i64 = 32_503_680_000;
const LONGEST_MS: u64 = 366 * 86_400_000;

/// Reads words one by one and keeps what it cannot read.
#[derive(Default)]
struct Words {
    unreadable: Vec<String>,
}

impl Words {
    fn refuse(&mut self, what: &str, word: &str) {
        self.unreadable.push(format!("{what} `{word}`"));
    }

    /// The one of `all` that is published as `word`.
    fn one_of<T: Copy>(
        &mut self,
        what: &str,
        word: &str,
        all: &[T],
        as_str: fn(T) -> &'static str,
    ) -> Option<T> {
        let known = all.iter().copied().find(|known| as_str(*known) == word);
        if known.is_none() {
            self.refuse(what, word);
        }
        known
    }

    // What stands in for an unreadable word below is never read as good: `unreadable` stops the GO.
    fn run_kind(&mut self, word: &str) -> RunKind {
        let kind = self.one_of("kind of run", word, &RunKind::ALL, RunKind::as_str);
        kind.unwrap_or(RunKind::Aborted)
    }

    fn kind(&mut self, word: &str) -> Kind {
        let kind = self.one_of("kind of artifact", word, &KINDS, Kind::as_str);
        kind.unwrap_or(Kind::Other)
    }

    fn time(&mut self, what: &str, text: &str) -> Option<Timestamp> {
        let instant = text.parse().ok();
        if instant.is_none() {
            self.refuse(what, text);
        }
        instant
    }

    /// A time on the runner's clock, told by gonogo itself.
    fn moment(&mut self, what: &str, text: &str) -> Option<Timestamp> {
        let instant = self.time(what, text)?;
        if (0..=LAST_SECOND).contains(&instant.as_second()) {
            return Some(instant);
        }
        self.refuse(what, text);
        None
    }

    fn duration(&mut self, what: &str, ms: u64) {
        if ms > LONGEST_MS {
            self.refuse(what, &format!("{ms} ms"));
        }
    }

    fn times<const N: usize>(&mut self, times: [(&str, &Option<String>); N]) {
        for (what, text) in times {
            if let Some(text) = text {
                self.time(what, text);
            }
        }
    }

    fn digest(&mut self, what: &str, text: &str) -> Option<Sha256> {
        let digest = text.parse().ok();
        if digest.is_none() {
            self.refuse(what, text);
        }
        digest
    }

    fn beginning(&mut self, evidence: &schema::Evidence) -> Option<Sha256> {
        let found = evidence.log.as_ref()?;
        for level in &found.levels {
            self.times([("newest entry of a level", &level.newest)]);
        }
        for hole in &found.holes {
            self.time("end of a hole", &hole.from);
            self.time("end of a hole", &hole.to);
        }
        let beginning = found.beginning.as_ref()?;
        self.digest("digest of a log's beginning", beginning)
    }

    fn merged(&mut self, merged: &schema::Merged) -> verdict::Merged {
        self.duration("time between shards", merged.within_s.saturating_mul(1000));
        let within = i64::try_from(merged.within_s).unwrap_or(i64::MAX);
        let piece = |piece: &schema::Piece| verdict::Piece {
            shard: shard(&piece.shard),
            started: self.moment("start of a shard", &piece.started),
            finished: self.moment("end of a shard", &piece.finished),
            runner: runner(piece.runner_identity.as_ref()),
        };
        verdict::Merged {
            within: SignedDuration::from_secs(within),
            pieces: merged.shards.iter().map(piece).collect(),
            missing: merged.missing.iter().map(schema::Missing::say).collect(),
            differs: merged.differs.clone(),
        }
    }

    fn failure(&mut self, failure: &schema::Failure) -> FailureKind {
        let kinds = &FailureKind::ALL;
        let kind = self.one_of("kind of failure", &failure.kind, kinds, FailureKind::as_str);
        kind.unwrap_or(FailureKind::Undefined)
    }

    fn steps(&mut self, steps: &[schema::Step]) -> Vec<StepOutcome> {
        let mut read = |step: &schema::Step| {
            let all = &StepOutcome::ALL;
            let outcome = self.one_of("outcome of a step", &step.outcome, all, StepOutcome::as_str);
            outcome.unwrap_or(StepOutcome::Failed)
        };
        steps.iter().map(&mut read).collect()
    }

    fn instance(&mut self, instance: &schema::Instance) -> verdict::Instance {
        let artifacts = instance.artifacts.iter();
        let artifacts = artifacts.map(|one| (one.name.clone(), self.kind(&one.kind)));
        verdict::Instance {
            name: instance.name.clone(),
            host: instance.host.clone(),
            teams: instance.teams.clone(),
            artifacts: artifacts.collect(),
            shared: (instance.artifacts.iter())
                .filter_map(|one| Some((one.name.clone(), one.shared.clone()?)))
                .collect(),
        }
    }

    fn check(&mut self, check: &schema::Check) -> verdict::Check {
        if let Some(started) = &check.started {
            self.moment("start of a check", started);
        }
        self.duration("duration of a check", check.duration_ms);
        if let Some(carried) = &check.carried {
            self.moment("end of a run carried over", &carried.finished);
        }
        for attempt in &check.earlier {
            self.times([("start of an attempt", &attempt.started)]);
            self.steps(&attempt.steps);
            self.failure(&attempt.failure);
        }
        let outcome = self.one_of(
            "outcome of a check",
            &check.outcome,
            &Outcome::ALL,
            Outcome::as_str,
        );
        verdict::Check {
            id: check.id.clone(),
            instance: check.instance.clone(),
            host: check.host.clone(),
            team: check.team.clone(),
            outcome: outcome.unwrap_or(Outcome::Failed),
            attempts: check.attempts,
            earlier: check.earlier.len(),
            steps: self.steps(&check.steps),
            asks: check.steps.iter().filter(|one| one.asks.is_some()).count(),
            answers: check.answers.len(),
            failure: check.failure.as_ref().map(|failure| self.failure(failure)),
            at_login: check.failure.as_ref().is_some_and(|one| one.at_login),
            waiver: check.waiver.as_ref().map(|waiver| self.waiver(waiver)),
            claims: claims::of_check(check),
            evidence: (check.evidence.iter())
                .map(|evidence| self.evidence(evidence))
                .collect(),
        }
    }

    fn waiver(&mut self, waiver: &schema::Waiver) -> verdict::Waiver {
        verdict::Waiver {
            id: waiver.id.clone(),
            reason: waiver.reason.clone(),
            requester: waiver.requester.clone(),
            approver: waiver.approver.clone(),
            from: (waiver.from.as_ref()).and_then(|from| self.time("beginning of a waiver", from)),
            expires: self.time("expiry of a waiver", &waiver.expires),
        }
    }

    fn grant(&mut self, waiver: &schema::Granted) -> verdict::Grant {
        verdict::Grant {
            id: waiver.id.clone(),
            from: self.time("beginning of a waiver", &waiver.from),
            expires: self.time("expiry of a waiver", &waiver.expires),
            covered: waiver.covered.clone(),
            passed: waiver.passed.clone(),
        }
    }

    fn evidence(&mut self, evidence: &schema::Evidence) -> verdict::Evidence {
        self.times([
            ("change of a file", &evidence.modified),
            ("newest entry", &evidence.newest_entry),
            ("oldest entry", &evidence.oldest_entry),
        ]);
        self.duration("duration of a retrieval", evidence.duration_ms);
        verdict::Evidence {
            artifact: evidence.artifact.clone(),
            kind: self.kind(&evidence.kind),
            path: evidence.path.clone(),
            method: evidence.method.clone(),
            bytes: evidence.bytes,
            sha256: self.digest("digest of evidence", &evidence.sha256),
            entries: evidence.entries,
            beginning: self.beginning(evidence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::verdict::Decision;

    #[test]
    fn the_samples_are_judged_as_they_state() {
        for report in [
            sample::go(),
            sample::no_go(),
            sample::hold(),
            sample::many(40),
        ] {
            assert_eq!(publish(&judge(&report)), report.verdict);
        }
        assert_eq!(judge(&sample::go()).decision, Decision::Go);
        assert_eq!(judge(&sample::no_go()).decision, Decision::NoGo);
        assert_eq!(judge(&sample::hold()).decision, Decision::Hold);
    }

    #[test]
    fn the_stated_verdict_decides_nothing() {
        let mut report = sample::no_go();
        report.verdict.decision = "GO".to_owned();
        report.verdict.reasons.clear();
        assert_eq!(judge(&report).decision, Decision::NoGo);
        // Not even by being unreadable: a run is judged before its verdict is written.
        let mut report = sample::go();
        report.verdict.decision.clear();
        assert_eq!(judge(&report).decision, Decision::Go);
        let mut report = sample::no_go();
        report.verdict.decision.clear();
        assert_eq!(judge(&report).decision, Decision::NoGo);
    }

    #[test]
    fn every_unreadable_word_stops_the_go() {
        type Change = fn(&mut schema::Report);
        let changes: [Change; 23] = [
            |r| {
                r.run.subject = Some(schema::Subject {
                    commit: Some("main".into()),
                    release: None,
                });
            },
            |r| {
                r.run.subject = Some(schema::Subject {
                    commit: None,
                    release: Some("v1".into()),
                });
            },
            |r| r.checks[0].duration_ms = u64::MAX,
            |r| r.checks[0].evidence[0].duration_ms = u64::MAX,
            |r| r.run.started = "9999-12-30T22:00:00Z".into(),
            |r| r.checks[0].started = Some("-000001-01-01T00:00:00Z".into()),
            |r| r.run.kind = "drill".into(),
            |r| r.run.started = "yesterday".into(),
            |r| r.run.finished = "2026-11-21".into(),
            |r| r.run.scope.plan = "0".into(),
            |r| r.run.previous = Some("AB".into()),
            |r| r.run.tool.sha256 = Some(String::new()),
            |r| r.inputs[0].sha256 = "none".into(),
            |r| r.instances[0].artifacts[0].kind = "versions".into(),
            |r| r.checks[0].outcome = "ok".into(),
            |r| r.checks[0].started = Some("soon".into()),
            |r| r.checks[0].steps[0].outcome = "skipped".into(),
            |r| r.checks[0].evidence[0].kind = "file".into(),
            |r| r.checks[0].evidence[0].sha256 = "deadbeef".into(),
            |r| r.checks[0].evidence[0].modified = Some("x".into()),
            |r| r.checks[0].evidence[0].newest_entry = Some("x".into()),
            |r| r.checks[0].evidence[0].oldest_entry = Some("x".into()),
            |r| {
                r.checks[0].failure = Some(schema::Failure {
                    kind: "broken".into(),
                    host: None,
                    account: None,
                    subject: None,
                    expected: String::new(),
                    actual: String::new(),
                    hint: String::new(),
                    at_login: false,
                });
            },
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let mut report = sample::go();
            change(&mut report);
            assert_eq!(facts(&report).unreadable.len(), 1, "case {index}");
            assert_eq!(judge(&report).decision, Decision::NoGo, "case {index}");
        }
        assert_eq!(facts(&sample::go()).unreadable, [""; 0]);
    }

    #[test]
    fn a_retrieval_without_evidence_is_no_go() {
        let mut report = sample::go();
        report.checks[0].evidence.clear();
        let verdict = judge(&report);
        assert_eq!(verdict.decision, Decision::NoGo);
        assert!(
            verdict.reasons[0].contains("without evidence"),
            "{verdict:?}"
        );
    }
}
