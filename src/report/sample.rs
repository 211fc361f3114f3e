//! Reports to test renderers with: a made-up estate of 3 hosts, 5 instances and 2 teams, whole and
//! self-consistent. Not compiled into the program.

use super::schema::*;
use super::{judge, publish};
use crate::digest::Sha256;

const STARTED: &str = "2026-11-21T09:30:00Z";

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn digest(of: &str) -> String {
    Sha256::of(of.as_bytes()).to_string()
}

fn step(keyword: &str, text: &str, outcome: &str) -> Step {
    Step {
        keyword: keyword.to_owned(),
        text: text.to_owned(),
        outcome: outcome.to_owned(),
        duration_ms: if outcome == "not-run" { 0 } else { 41 },
        artifacts: Vec::new(),
        asks: None,
    }
}

fn evidence(artifact: &str, kind: &str, home: &str) -> Evidence {
    let path = match kind {
        "version" => format!("{home}/bin/ampServer --version"),
        "configuration" => format!("{home}/config/amps-production-matching-engine.xml"),
        "log" => format!("{home}/logs/event_log-2026-11-21.log"),
        _ => format!("{home}/stats.db"),
    };
    let is_timed = matches!(kind, "log" | "statistics");
    Evidence {
        artifact: artifact.to_owned(),
        kind: kind.to_owned(),
        bytes: if is_timed { 48_300_212 } else { 1_311 },
        sha256: digest(&path),
        path,
        method: if kind == "version" { "command" } else { "sftp" }.to_owned(),
        modified: (kind != "version").then(|| "2026-11-21T09:29:41Z".to_owned()),
        attempts: if kind == "statistics" { 2 } else { 1 },
        resumed: 0,
        duration_ms: 220,
        newest_entry: is_timed.then(|| "2026-11-21T09:29:41Z".to_owned()),
        oldest_entry: (kind == "log").then(|| "2026-11-20T00:00:03Z".to_owned()),
        entries: is_timed.then_some(301_229),
        version: (kind == "version").then(|| "5.3.4.12".to_owned()),
        listed_bytes: None,
        instance_name: (kind == "configuration").then(|| "orders".to_owned()),
        log: None,
        promise: None,
        settings: None,
        database: None,
    }
}

const ARTIFACTS: [(&str, &str, &str); 4] = [
    ("version", "version", "the version can be retrieved"),
    (
        "configuration",
        "configuration",
        "the configuration can be retrieved",
    ),
    ("event log", "log", "the event log can be retrieved"),
    (
        "statistics",
        "statistics",
        "the statistics database can be retrieved",
    ),
];

fn check(id: String, feature: &str, line: u64, scenario: String, steps: Vec<Step>) -> Check {
    Check {
        id,
        feature: feature.to_owned(),
        line,
        scenario,
        instance: None,
        host: None,
        team: None,
        vendor: None,
        tags: vec!["@blocker".to_owned()],
        outcome: "passed".to_owned(),
        attempts: 1,
        started: text("2026-11-21T09:30:02Z"),
        duration_ms: 1_240,
        steps,
        evidence: Vec::new(),
        disks: Vec::new(),
        probes: Vec::new(),
        transcript: None,
        failure: None,
        waiver: None,
        earlier: Vec::new(),
        carried: None,
        answers: Vec::new(),
    }
}

fn retrieval(instance: &Instance, team: &str, index: usize) -> Check {
    let (artifact, kind, phrase) = ARTIFACTS[index];
    let feature = "features/amps/retrieve.feature";
    let line = 8 + 9 * index as u64;
    let name = &instance.name;
    let steps = vec![
        step("Given", "each \"amps\" instance", "passed"),
        step("And", "each team responsible for it", "passed"),
        step("When", "the team connects", "passed"),
        step("Then", phrase, "passed"),
    ];
    Check {
        instance: text(name),
        host: text(&instance.host),
        team: text(team),
        evidence: vec![evidence(artifact, kind, &format!("/opt/amps/{name}"))],
        transcript: text("evidence/0001.txt"),
        ..check(
            format!("{feature}:{line}@{name}/{team}"),
            feature,
            line,
            format!("{team} retrieves the {artifact} of {name}"),
            steps,
        )
    }
}

fn host(name: &str, address: &str) -> Host {
    Host {
        name: name.to_owned(),
        address: format!("{address}:22"),
        host_key: Some(format!("SHA256:{}", &digest(name)[..43])),
        host_key_type: None,
        identity: HostIdentity {
            hostname: Some(format!("{name}.ny.example.net")),
            machine_id: Some(digest(name)[..32].to_owned()),
        },
        server: text("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"),
        machine: None,
        runner: None,
        sessions: None,
        clock: None,
        expected: Some(HostExpected {
            host_key: None,
            hostname: text(name),
            machine_id: None,
        }),
        facts: None,
        clients: Default::default(),
        as_hop: Vec::new(),
    }
}

fn instance(name: &str, host: &str, teams: &[&str]) -> Instance {
    let artifact = |(name, kind, _): (&str, &str, &str)| Artifact {
        name: name.to_owned(),
        kind: kind.to_owned(),
        shared: None,
    };
    Instance {
        name: name.to_owned(),
        product: "amps".to_owned(),
        host: host.to_owned(),
        teams: teams.iter().map(|team| (*team).to_owned()).collect(),
        artifacts: ARTIFACTS.map(artifact).to_vec(),
    }
}

/// Counts, judges and states what the checks come to.
fn sealed(mut report: Report) -> Report {
    let of = |outcome: &str| {
        let checks = report.checks.iter();
        checks.filter(|check| check.outcome == outcome).count() as u64
    };
    report.counts = Counts {
        planned: report.checks.len() as u64,
        passed: of("passed"),
        failed: of("failed"),
        waived: of("waived"),
        pending: of("pending"),
    };
    report.verdict = publish(&judge(&report));
    report
}

fn report(instances: Vec<Instance>) -> Report {
    let hosts = ["ny4-amps-1", "ny4-amps-2", "ld5-amps-1"];
    let hosts = hosts.iter().zip(["10.20.0.11", "10.20.0.12", "10.44.1.20"]);
    let mut checks = Vec::new();
    for instance in &instances {
        for team in &instance.teams {
            checks.extend((0..4).map(|index| retrieval(instance, team, index)));
        }
    }
    let file = |path: &str| Input {
        path: format!("inputs/{path}"),
        sha256: digest(path),
        name: None,
    };
    let inputs = [
        "inventory.yaml",
        "features/amps/retrieve.feature",
        "features/vendor.feature",
    ];
    sealed(Report {
        schema: SCHEMA.to_owned(),
        run: Run {
            id: "20261121T093000Z-1a2b3c4d".to_owned(),
            kind: "run".to_owned(),
            started: STARTED.to_owned(),
            finished: "2026-11-21T09:31:12Z".to_owned(),
            tool: Tool {
                name: "gonogo".to_owned(),
                version: "0.1.0".to_owned(),
                sha256: Some(digest("gonogo")),
                libssh2: "1.11.2_DEV".to_owned(),
                tzdb: None,
                openssh: None,
            },
            operator: "ci".to_owned(),
            runner: "runner-3".to_owned(),
            scope: Scope {
                environment: "production".to_owned(),
                plan: digest("plan"),
                partial: false,
                filters: Vec::new(),
                shard: None,
            },
            previous: Some(digest("previous")),
            number: Some(2),
            challenge: None,
            aborted: None,
            ci: text("https://ci.example.net/gonogo/1881"),
            go_live: None,
            go_live_until: None,
            runner_identity: None,
            subject: None,
            restates: None,
            merged: None,
        },
        verdict: Verdict {
            decision: "GO".to_owned(),
            reasons: Vec::new(),
        },
        counts: Counts::default(),
        inputs: inputs.into_iter().map(file).collect(),
        hosts: hosts.map(|(name, address)| host(name, address)).collect(),
        instances,
        checks,
        waivers: Vec::new(),
        weeks: Vec::new(),
    })
}

/// 28 checks, all passed, one at the second attempt.
pub(crate) fn go() -> Report {
    let mut report = report(vec![
        instance("orders", "ny4-amps-1", &["operations", "support"]),
        instance("quotes", "ny4-amps-1", &["operations"]),
        instance("risk", "ny4-amps-2", &["operations", "support"]),
        instance("audit-trail", "ld5-amps-1", &["operations"]),
        instance("reference-data", "ld5-amps-1", &["support"]),
    ]);
    let retried = &mut report.checks[5];
    retried.attempts = 2;
    retried.earlier = vec![Attempt {
        started: text("2026-11-21T09:30:01Z"),
        duration_ms: 10_000,
        steps: vec![
            step("When", "the team connects", "failed"),
            step("Then", "the configuration can be retrieved", "not-run"),
        ],
        failure: Failure {
            kind: "unreachable".to_owned(),
            host: text("ny4-amps-1"),
            account: text("support"),
            subject: None,
            expected: "a connection to 10.20.0.11:22 within 10s".to_owned(),
            actual: "connection refused".to_owned(),
            hint: "is sshd running there, and may the runner reach port 22?".to_owned(),
            at_login: true,
        },
        run: None,
    }];
    report
}

fn fail(check: &mut Check, kind: &str, subject: &str, words: [&str; 3]) {
    let [expected, actual, hint] = words.map(str::to_owned);
    check.outcome = "failed".to_owned();
    check.evidence.clear();
    if let Some(last) = check.steps.last_mut() {
        last.outcome = "failed".to_owned();
    }
    check.failure = Some(Failure {
        kind: kind.to_owned(),
        host: check.host.clone(),
        account: check.team.as_deref().and_then(text),
        subject: text(subject),
        expected,
        actual,
        hint,
        at_login: false,
    });
}

fn process_test() -> Check {
    let feature = "features/vendor.feature";
    let steps = vec![
        step("Given", "the \"60east\" vendor", "passed"),
        Step {
            asks: Some(Asks {
                role: text("vendor desk"),
                question: "60east acknowledged the process-test case in time".to_owned(),
            }),
            ..step(
                "Then",
                "the \"vendor desk\" confirms \"60east acknowledged the process-test case in time\"",
                "pending",
            )
        },
    ];
    Check {
        vendor: text("60east"),
        outcome: "pending".to_owned(),
        ..check(
            format!("{feature}:4@60east"),
            feature,
            4,
            "60east acknowledges the process-test case".to_owned(),
            steps,
        )
    }
}

/// As [`go()`], with two failed checks, one waived and one pending.
pub(crate) fn no_go() -> Report {
    let mut report = go();
    let log = "/opt/amps/orders/logs/event_log-2026-11-21.log";
    fail(
        &mut report.checks[6],
        "denied",
        log,
        [
            "the event log readable by support",
            "permission denied (-rw-r----- amps amps, 48300212 bytes)",
            "add support to the group amps on ny4-amps-1, or let it read through `elevate: sudo`",
        ],
    );
    fail(
        &mut report.checks[15],
        "stale",
        "/opt/amps/risk/stats.db",
        [
            "a sample from the last 5 minutes",
            "newest sample 2026-11-20T22:14:07Z, 11h 15m before",
            "is statistics sampling on in the configuration of risk?",
        ],
    );
    fail(
        &mut report.checks[22],
        "gap",
        "/opt/amps/audit-trail/logs/*.log*",
        [
            "entries covering the last 24 hours",
            "no entry between 2026-11-20T17:00:00Z and 2026-11-21T05:00:00Z",
            "was the instance stopped overnight, or the log rotated away?",
        ],
    );
    let waived = &mut report.checks[22];
    waived.outcome = "waived".to_owned();
    waived.waiver = Some(Waiver {
        id: "W-2026-07".to_owned(),
        reason: "the audit trail is stopped overnight until the second feed is live".to_owned(),
        requester: "ann.lee".to_owned(),
        approver: "bob.ray".to_owned(),
        from: text("2026-11-20T00:00:00Z"),
        expires: "2026-12-15T00:00:00Z".to_owned(),
        ticket: text("OPS-4411"),
    });
    let covered = vec![waived.id.clone()];
    report.waivers = vec![Granted {
        id: "W-2026-07".to_owned(),
        selects: format!("check `{}`", covered[0]),
        reason: "the audit trail is stopped overnight until the second feed is live".to_owned(),
        ticket: "OPS-4411".to_owned(),
        requester: "ann.lee".to_owned(),
        approver: "bob.ray".to_owned(),
        key: "SHA256:made-up".to_owned(),
        from: "2026-11-20T00:00:00Z".to_owned(),
        expires: "2026-12-15T00:00:00Z".to_owned(),
        covered,
        ..Granted::default()
    }];
    report.checks.push(process_test());
    sealed(report)
}

/// As [`go()`], with one check that waits for a person.
pub(crate) fn hold() -> Report {
    let mut report = go();
    report.checks.push(process_test());
    sealed(report)
}

/// Exactly `checks` of them (a multiple of 4), every twentieth failed.
pub(crate) fn many(checks: usize) -> Report {
    let hosts = ["ny4-amps-1", "ny4-amps-2", "ld5-amps-1"];
    let numbered = |index: usize| {
        let host = hosts[index % hosts.len()];
        instance(&format!("engine-{index:03}"), host, &["operations"])
    };
    let mut report = report((0..checks / 4).map(numbered).collect());
    for check in report.checks.iter_mut().skip(2).step_by(20) {
        fail(
            check,
            "denied",
            "/opt/amps/engine/logs/event_log.log",
            [
                "the event log readable by operations",
                "permission denied",
                "add operations to the group amps",
            ],
        );
    }
    sealed(report)
}

/// 400 checks for each round; not judged.
pub(crate) fn rounds(rounds: usize) -> Report {
    let mut report = many(400);
    let few = std::mem::take(&mut report.checks);
    for round in 0..rounds {
        let id = |check: &Check| format!("{}#{round}", check.id);
        let renamed = few.iter().map(|check| Check {
            id: id(check),
            ..check.clone()
        });
        report.checks.extend(renamed);
    }
    report
}

/// What a hostile server, inventory or feature could put into words, in every place that takes any.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script>\u{1b}[2J\0]]>\u{202e}\u{ffff}\u{9b}&amp;|`*_[x](javascript:1)\r\n## GO\n::error::\"'>@team https://evil.example";

/// As [`no_go()`], hostile words in every free text.
pub(crate) fn hostile() -> Report {
    let mut report = no_go();
    let words = || HOSTILE.to_owned();
    let maybe = || Some(HOSTILE.to_owned());
    report.run.id = words();
    report.run.operator = words();
    report.run.runner = words();
    report.run.ci = maybe();
    report.run.aborted = maybe();
    report.run.tool.version = words();
    report.run.tool.libssh2 = words();
    report.run.scope.environment = words();
    report.run.scope.filters = vec![words()];
    report.run.scope.partial = true;
    report.inputs[0].path = words();
    report.verdict.reasons = vec![words(), words()];
    let host = &mut report.hosts[0];
    host.address = words();
    host.host_key = maybe();
    host.identity.hostname = maybe();
    host.identity.machine_id = maybe();
    host.server = maybe();
    host.machine = maybe();
    host.expected = Some(HostExpected {
        host_key: maybe(),
        hostname: maybe(),
        machine_id: maybe(),
    });
    let instance = &mut report.instances[0];
    instance.name = words();
    instance.product = words();
    instance.host = words();
    instance.teams[1] = words();
    instance.artifacts[2].name = words();
    for index in [0, 6, 15, 22, 28] {
        let check = &mut report.checks[index];
        check.id = format!("{HOSTILE}{index}");
        check.scenario = words();
        check.feature = words();
        check.instance = maybe();
        check.host = maybe();
        check.team = maybe();
        check.vendor = maybe();
        check.tags = vec![words()];
        check.transcript = maybe();
        for step in &mut check.steps {
            step.keyword = words();
            step.text = words();
            step.artifacts = maybe().into_iter().collect();
        }
        for evidence in &mut check.evidence {
            evidence.artifact = words();
            evidence.path = words();
            evidence.method = words();
            evidence.version = maybe();
            evidence.instance_name = maybe();
        }
        if let Some(failure) = &mut check.failure {
            failure.host = maybe();
            failure.account = maybe();
            failure.subject = maybe();
            failure.expected = words();
            failure.actual = words();
            failure.hint = words();
        }
        if let Some(waiver) = &mut check.waiver {
            waiver.id = words();
            waiver.reason = words();
            waiver.requester = words();
            waiver.approver = words();
            waiver.ticket = maybe();
        }
    }
    report
}

/// A run that was interrupted before anything was judged.
pub(crate) fn aborted() -> Report {
    let mut report = go();
    report.run.kind = "aborted".to_owned();
    report.run.aborted = text("interrupted by the operator");
    report.checks.clear();
    sealed(report)
}

/// The week in which New York sets its clocks back, a week after London.
pub(crate) fn week() -> Week {
    let hours = |from: &str, to: &str, said: &str| HoursOfWeek {
        from: from.to_owned(),
        to: to.to_owned(),
        said: said.to_owned(),
        vendor_said: Some(said.to_owned()),
    };
    let midnight = |at: String, day: &str| Midnight {
        at,
        day: day.to_owned(),
    };
    let days = [
        "Mon 2026-10-26",
        "Tue 2026-10-27",
        "Wed 2026-10-28",
        "Thu 2026-10-29",
        "Fri 2026-10-30",
        "Sat 2026-10-31",
        "Sun 2026-11-01",
    ];
    let at = |day: &str, hour: &str| format!("{}T{hour}:00:00Z", &day[4..]);
    Week {
        vendor: "60east".to_owned(),
        application: "orders".to_owned(),
        severity: Some("S2".to_owned()),
        zone: "America/New_York".to_owned(),
        vendor_zone: Some("Europe/London".to_owned()),
        from: "2026-10-26T04:00:00Z".to_owned(),
        to: "2026-11-02T05:00:00Z".to_owned(),
        days: days.map(|day| midnight(at(day, "04"), day)).into(),
        vendor_days: days[1..]
            .iter()
            .map(|day| midnight(at(day, "00"), day))
            .collect(),
        required: vec![hours(
            "2026-10-26T04:00:00Z",
            "2026-11-02T05:00:00Z",
            "always",
        )],
        covered: vec![hours(
            "2026-10-26T13:00:00Z",
            "2026-10-26T21:00:00Z",
            "Monday",
        )],
        planned: vec![hours(
            "2026-11-01T04:00:00Z",
            "2026-11-02T05:00:00Z",
            "Sunday",
        )],
        open: vec![hours(
            "2026-10-26T04:00:00Z",
            "2026-10-26T13:00:00Z",
            "Monday night",
        )],
    }
}
