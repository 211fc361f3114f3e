//! Facts to test the rules with: a made-up estate, all well, and the usual ways for it not to be. Not
//! compiled into the program.

use super::*;
use crate::digest::Sha256;
use crate::failure::FailureKind;
use crate::inventory::Kind;

pub(super) fn evidence(kind: Kind) -> Evidence {
    let name = match kind {
        Kind::Log => "event log",
        kind => kind.as_str(),
    };
    Evidence {
        artifact: name.to_owned(),
        kind,
        path: format!("/opt/{name}"),
        method: "sftp".to_owned(),
        bytes: 3,
        sha256: Some(Sha256::of(b"abc")),
        entries: None,
        beginning: None,
    }
}

/// What an instance shows: no two show the same bytes.
fn of(instance: &str, kind: Kind) -> Evidence {
    Evidence {
        sha256: Some(Sha256::of(format!("of {instance}").as_bytes())),
        ..evidence(kind)
    }
}

pub(super) fn check(instance: &str, team: &str) -> Check {
    Check {
        id: format!("features/amps.feature:3@{instance}/{team}"),
        instance: Some(instance.to_owned()),
        host: None,
        team: Some(team.to_owned()),
        outcome: Outcome::Passed,
        attempts: 1,
        earlier: 0,
        steps: vec![StepOutcome::Passed; 2],
        asks: 0,
        answers: 0,
        failure: None,
        at_login: false,
        waiver: None,
        claims: Kind::REQUIRED.map(Claim::Kind).to_vec(),
        evidence: Kind::REQUIRED.map(|kind| of(instance, kind)).to_vec(),
    }
}

pub(super) fn instance(name: &str, host: &str, teams: &[&str]) -> Instance {
    let artifacts = Kind::REQUIRED
        .map(evidence)
        .map(|one| (one.artifact, one.kind));
    Instance {
        name: name.to_owned(),
        host: host.to_owned(),
        teams: teams.iter().map(|team| (*team).to_owned()).collect(),
        artifacts: artifacts.to_vec(),
        shared: Vec::new(),
    }
}

pub(super) fn host(name: &str, machine_id: &str) -> Host {
    Host {
        name: name.to_owned(),
        address: "10.20.0.11:22".to_owned(),
        host_key: Some(format!("SHA256:{name}")),
        hostname: Some(format!("{name}.example")),
        machine_id: Some(machine_id.to_owned()),
        ..Host::default()
    }
}

/// Two hosts, two instances, two teams, three checks, all well.
pub(super) fn good() -> Facts {
    let checks = vec![
        check("orders", "operations"),
        check("orders", "support"),
        check("quotes", "operations"),
    ];
    Facts {
        unreadable: Vec::new(),
        kind: RunKind::Run,
        aborted: None,
        started: Some("2026-11-21T09:30:00Z".parse().unwrap()),
        finished: Some("2026-11-21T09:31:00Z".parse().unwrap()),
        partial: false,
        filters: Vec::new(),
        runner: Runner {
            machine_id: Some("c1c1".to_owned()),
            host_keys: vec!["SHA256:runner".to_owned()],
        },
        counts: Counts {
            planned: 3,
            passed: 3,
            ..Counts::default()
        },
        hosts: vec![host("ny4-1", "9f0c"), host("ny4-2", "77aa")],
        instances: vec![
            instance("orders", "ny4-1", &["operations", "support"]),
            instance("quotes", "ny4-2", &["operations"]),
        ],
        checks,
        waivers: Vec::new(),
        go_live: None,
        shard: None,
        merged: None,
    }
}

pub(super) fn fail(facts: &mut Facts, index: usize, kind: FailureKind) {
    let check = &mut facts.checks[index];
    check.outcome = Outcome::Failed;
    check.failure = Some(kind);
    check.steps[1] = StepOutcome::Failed;
    facts.counts.passed -= 1;
    facts.counts.failed += 1;
}

pub(super) fn waive(facts: &mut Facts, index: usize) {
    fail(facts, index, FailureKind::Stale);
    facts.counts.failed -= 1;
    facts.counts.waived += 1;
    facts.checks[index].outcome = Outcome::Waived;
    facts.checks[index].waiver = Some(Waiver {
        id: "W-7".to_owned(),
        reason: "the log is quiet at weekends".to_owned(),
        requester: "ann".to_owned(),
        approver: "bob".to_owned(),
        from: Some("2026-11-20T00:00:00Z".parse().unwrap()),
        expires: Some("2026-12-01T00:00:00Z".parse().unwrap()),
    });
    let mut told = grant("W-7");
    told.covered = vec![facts.checks[index].id.clone()];
    facts.waivers.push(told);
}

pub(super) fn grant(id: &str) -> Grant {
    Grant {
        id: id.to_owned(),
        from: Some("2026-11-20T00:00:00Z".parse().unwrap()),
        expires: Some("2026-12-01T00:00:00Z".parse().unwrap()),
        ..Grant::default()
    }
}

pub(super) fn hang(facts: &mut Facts, index: usize) {
    facts.checks[index].outcome = Outcome::Pending;
    facts.checks[index].steps[1] = StepOutcome::Pending;
    facts.checks[index].asks = 1;
    facts.counts.passed -= 1;
    facts.counts.pending += 1;
}

pub(super) fn waiver(facts: &mut Facts) -> &mut Waiver {
    waive(facts, 0);
    facts.checks[0].waiver.as_mut().unwrap()
}

/// Keys of two types, which cannot be compared.
pub(super) fn other_types(facts: &mut Facts) {
    for (host, kind) in facts.hosts.iter_mut().zip(["ssh-ed25519", "ssh-rsa"]) {
        host.host_key_type = Some(kind.into());
    }
}
