//! A record changed in every way that a signer could, held to its own inputs.

use super::super::record::StepRecord;
use super::super::report::{Circumstances, report as compose};
use super::*;
use crate::evidence::log_seen::LogSeen;
use crate::evidence::settings::Settings;
use crate::evidence::{Content, Evidence};
use crate::inventory::Kind;
use crate::time;
use crate::verdict::StepOutcome;
use tempfile::TempDir;

const ESTATE: &str = r#"
environment: production
hosts:
  a: {address: 192.0.2.1, host_key: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
  b: {address: 192.0.2.2, host_key: "SHA256:BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
teams: {ops: {user: ops, key: k}, desk: {user: desk, key: k}}
products:
  p:
    artifacts:
      version: {kind: version, command: ["{home}/v", "--version"]}
      configuration: {kind: configuration, path: "{home}/*.xml", format: xml}
      event log: {kind: log, path: "{home}/logs/*.log", format: amps-log}
      statistics: {kind: statistics, path: "{home}/stats.db", format: plain}
instances:
  one: {product: p, host: a, teams: [ops, desk], vars: {home: /opt/one}, expect: {version: 1.2.3.4, name: one}}
  two: {product: p, host: b, teams: [ops], vars: {home: /opt/two}, expect: {version: 1.2.3.4, name: two}}
"#;

const FEATURE: &str = "Feature: f
  Scenario: all of <instance> for <team>
    Given each instance
    And each team responsible for it
    Then the version can be retrieved
    And the version is the expected one
    And the configuration can be retrieved
    And the configuration belongs to this instance
    And the event log has an entry from the last 1 hour
    And the event log covers the last 24 hours
    And the statistics database can be retrieved
    And every artifact was retrieved within 5 minutes
";

/// What a run of the estate would tell when all is well, and where its inputs are.
fn told() -> (schema::Report, TempDir) {
    let bytes = ESTATE.as_bytes().to_vec();
    told_of(Inventory::parse(Path::new("i.yaml"), bytes).unwrap())
}

fn told_of(inventory: Inventory) -> (schema::Report, TempDir) {
    composed(inventory, FEATURE, passed)
}

/// The record of a run of one feature, in which each check went as `passed` says.
pub(super) fn composed(
    inventory: Inventory,
    feature: &str,
    passed: fn(&Check) -> Record,
) -> (schema::Report, TempDir) {
    let bytes = feature.as_bytes().to_vec();
    let feature = FeatureFile {
        label: "my features/f.feature".into(),
        path: "f".into(),
        digest: Sha256::of(&bytes),
        bytes,
    };
    let plan = plan::make(
        &Arc::new(inventory),
        plan::read_files(vec![feature]).unwrap(),
        &Filters::default(),
    )
    .unwrap();
    let records = plan.checks.iter().map(passed).collect();
    let ran = Ran {
        records,
        hosts: super::super::Registry::default(),
        fault: None,
    };
    let mut run = crate::report::sample::go().run;
    // Only a record of this very version must tell the digest that this version makes.
    env!("CARGO_PKG_VERSION").clone_into(&mut run.tool.version);
    let (report, files) = compose(&plan, &ran, Circumstances { run });
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    (report, directory)
}

fn passed(check: &Check) -> Record {
    let name = check.subject.instance.clone().unwrap();
    let hours = |hours| Some(time::now() - SignedDuration::from_hours(hours));
    let log = Content::Log(Box::new(LogSeen {
        entries: 2,
        oldest: hours(30),
        newest: hours(0),
        ..LogSeen::default()
    }));
    let xml = Content::Settings(Box::new(Settings {
        root: Some("AMPSConfig".into()),
        name: Some(name.clone()),
        ..Settings::default()
    }));
    let found = |artifact: &str, kind, path: String, content| Evidence {
        artifact: artifact.into(),
        kind,
        path,
        bytes: 1,
        sha256: Sha256::of(b"x"),
        method: "sftp",
        modified: None,
        attempts: 1,
        resumed: 0,
        duration_ms: 1,
        content,
    };
    let at = |rest: &str| format!("/opt/{name}/{rest}");
    let step = StepRecord {
        outcome: StepOutcome::Passed,
        duration_ms: 1,
    };
    Record {
        started: Some(time::now()),
        duration_ms: 10,
        steps: vec![step; check.steps.len()],
        evidence: vec![
            found(
                "version",
                Kind::Version,
                at("v --version"),
                Content::Version("1.2.3.4".into()),
            ),
            found("configuration", Kind::Configuration, at("c.xml"), xml),
            found("event log", Kind::Log, at("logs/a.log"), log),
            found(
                "statistics",
                Kind::Statistics,
                at("stats.db"),
                Content::Opaque,
            ),
        ],
        facts: None,
        disks: Vec::new(),
        probes: Vec::new(),
        transcript: "t".into(),
        failure: None,
        at_login: false,
        fault: None,
    }
}

fn clock(tolerance_ms: u64) -> schema::Clock {
    schema::Clock {
        skew_ms: 0,
        uncertainty_ms: 600,
        tolerance_ms,
    }
}

#[test]
fn an_untouched_record_answers_its_inputs_wherever_it_lies() {
    let (report, directory) = told();
    assert_eq!(report.checks.len(), 3);
    assert_eq!(replay(&report, directory.path()), Ok(()));
    let mut report = report;
    report.hosts[0].clock = Some(clock(60_000));
    report.checks[0].evidence[2].resumed = 3;
    assert_eq!(replay(&report, directory.path()), Ok(()));
}

/// Fields are compared one by one: none may be forgotten, and what merely happened is none of them.
#[test]
fn each_field_of_a_check_and_of_a_step_is_held_to_the_plan() {
    type Change = fn(&mut schema::Check);
    let changes: [Change; 15] = [
        |c| c.id.push('x'),
        |c| c.feature.push('x'),
        |c| c.line += 1,
        |c| c.scenario.push('x'),
        |c| c.instance = None,
        |c| c.host = Some("b".into()),
        |c| c.team = None,
        |c| c.vendor = Some("v".into()),
        |c| c.tags.push("x".into()),
        |c| c.steps.push(c.steps[0].clone()),
        |c| c.steps[0].keyword.push('x'),
        |c| c.steps[0].text.push('x'),
        |c| c.steps[2].artifacts.clear(),
        |c| c.steps[2].artifacts.push("x".into()),
        |c| {
            c.steps[0].asks = Some(schema::Asks {
                role: None,
                question: "q".into(),
            });
        },
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let (mut report, directory) = told();
        change(&mut report.checks[1]);
        let told = replay(&report, directory.path()).unwrap_err().to_string();
        assert!(told.contains("not told as it was planned"), "{at}: {told}");
    }
    let (mut report, directory) = told();
    let check = &mut report.checks[1];
    check.duration_ms += 1;
    check.attempts += 1;
    check.steps[0].duration_ms += 1;
    assert_eq!(replay(&report, directory.path()), Ok(()));
}

#[test]
fn a_record_changed_with_right_sums_is_found() {
    type Change = fn(&mut schema::Report);
    let changes: [(&str, Change); 21] = [
        ("been resumed", |r| r.checks[0].evidence[2].resumed = 4),
        ("been resumed", |r| {
            r.checks[0].evidence[2].resumed = 1;
            r.checks[0].evidence[2].method = "command".into();
        }),
        ("instances", |r| {
            r.instances.retain(|one| one.name != "two");
            r.hosts.retain(|one| one.name != "b");
            r.checks
                .retain(|one| one.instance.as_deref() != Some("two"));
        }),
        ("instances", |r| drop(r.instances[0].teams.pop())),
        ("instances", |r| {
            for instance in &mut r.instances {
                instance.artifacts[2].shared = Some("syslog".into());
            }
        }),
        ("tells 2", |r| drop(r.checks.pop())),
        ("as it was planned", |r| r.checks.swap(0, 1)),
        ("as it was planned", |r| drop(r.checks[0].steps.pop())),
        ("as it was planned", |r| {
            r.checks[0].steps[4].text = "the team connects".into()
        }),
        ("as it was planned", |r| {
            r.checks[0].team = Some("desk".into())
        }),
        ("hosts", |r| r.hosts[0].machine = Some("x".into())),
        ("hosts", |r| r.hosts[0].expected = None),
        ("hosts", |r| r.hosts[0].runner = Some(true)),
        ("clock_tolerance", |r| {
            r.hosts[0].clock = Some(clock(600_000))
        }),
        ("environment", |r| {
            r.run.scope.environment = "staging".into()
        }),
        ("another plan", |r| {
            r.run.scope.plan = Sha256::of(b"").to_string()
        }),
        ("not planned", |r| {
            r.checks[2].evidence = r.checks[0].evidence.clone()
        }),
        ("bear out", |r| {
            r.checks[0].evidence[0].version = Some("0".into())
        }),
        ("bear out", |r| {
            r.checks[0].evidence[1].instance_name = Some("two".into())
        }),
        ("bear out", |r| {
            r.checks[0].evidence[2].newest_entry = Some("2020-01-01T00:00:00Z".into())
        }),
        ("bear out", |r| {
            r.checks[0].evidence[2].oldest_entry = r.checks[0].started.clone()
        }),
    ];
    for (index, (why, change)) in changes.into_iter().enumerate() {
        let (mut report, directory) = told();
        change(&mut report);
        let found = replay(&report, directory.path()).unwrap_err().to_string();
        assert!(found.contains(why), "case {index}: {found}");
    }
}

#[test]
fn consent_to_share_a_log_is_that_of_the_inventory() {
    let shared = |name: &str| {
        let text = ESTATE.replace("kind: log,", &format!("kind: log, shared: \"{name}\","));
        told_of(Inventory::parse(Path::new("i.yaml"), text.into_bytes()).unwrap())
    };
    let (report, directory) = shared("syslog");
    assert_eq!(replay(&report, directory.path()), Ok(()));
    let said = report.instances.iter().map(|one| &one.artifacts[2].shared);
    assert!(said.eq([&Some("syslog".into()), &Some("syslog".into())]));
    let (mut report, directory) = shared("log of {host}");
    assert_eq!(replay(&report, directory.path()), Ok(()));
    assert_eq!(
        report.instances[1].artifacts[2].shared.as_deref(),
        Some("log of b")
    );
    report.instances[1].artifacts[2].shared = report.instances[0].artifacts[2].shared.clone();
    let found = replay(&report, directory.path()).unwrap_err().to_string();
    assert!(found.contains("instances"), "{found}");
}

#[test]
fn a_database_cannot_have_been_resumed() {
    for (format, can) in [("plain", true), ("sqlite", false)] {
        let text = ESTATE.replace("format: plain", &format!("format: {format}"));
        let inventory = Inventory::parse(Path::new("i.yaml"), text.into_bytes()).unwrap();
        let (mut report, directory) = told_of(inventory);
        assert_eq!(replay(&report, directory.path()), Ok(()));
        report.checks[0].evidence[3].resumed = 1;
        assert_eq!(replay(&report, directory.path()).is_ok(), can, "{format}");
    }
}

#[test]
fn the_inputs_themselves_must_be_those_recorded() {
    let (report, directory) = told();
    fs::write(directory.path().join(INVENTORY), "environment: x\n").unwrap();
    let found = replay(&report, directory.path()).unwrap_err().to_string();
    assert!(found.contains("was changed"), "{found}");
    let (mut report, directory) = told();
    report.inputs.remove(0);
    assert!(replay(&report, directory.path()).is_err());
}

/// The operators' own ssh_config decides the way as the inventory does, and may be gone since.
#[test]
fn what_an_ssh_config_said_is_held_to_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("known", "x");
    let config = "Host a\n HostName 192.0.2.1\nHost b\n HostName 192.0.2.2\n ProxyJump a\nHost *\n User u\n IdentityFile /k\n UserKnownHostsFile FOLDER/known\n";
    write(
        "config",
        &config.replace("FOLDER", folder.path().to_str().unwrap()),
    );
    let text = ESTATE
        .lines()
        .map(|line| match line.split_once(": {address") {
            Some((host, _)) => format!("{host}: {{}}\n"),
            None if line.starts_with("teams") => "teams: {ops: {}, desk: {}}\n".to_owned(),
            None if line.starts_with("hosts") => format!("ssh: {{ssh_config: config}}\n{line}\n"),
            None => format!("{line}\n"),
        });
    let bytes = text.collect::<String>().into_bytes();
    let inventory = Inventory::parse(&folder.path().join("i.yaml"), bytes);
    let (mut report, directory) =
        told_of(inventory.unwrap_or_else(|problems| panic!("{problems}")));
    drop(folder);
    assert_eq!(report.hosts[1].address, "192.0.2.2:22");
    assert_eq!(replay(&report, directory.path()), Ok(()));
    let kept = "inputs/team-1-ops.ssh_config";
    let path = directory.path().join(kept);
    let text = fs::read_to_string(&path).unwrap();
    // With right sums, as a signer could.
    let mut change = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        let changed = text.replace(from, to);
        fs::write(&path, &changed).unwrap();
        let input = report.inputs.iter_mut().find(|input| input.path == kept);
        input.unwrap().sha256 = Sha256::of(changed.as_bytes()).to_string();
        replay(&report, directory.path())
    };
    for (from, to) in [
        ("HostName 192.0.2.2", "HostName 192.0.2.3"),
        ("User u", "User v"),
        ("ProxyJump a", "ProxyJump none"),
        ("\"/k\"", "\"/l\""),
        ("Host b\n", "Host x\n"),
        ("HostName", "Prot"),
    ] {
        let found = change(from, to);
        assert!(found.is_err(), "{from} → {to}");
    }
    assert_eq!(change("User u", "User u"), Ok(()));
}

/// Only that there is no plan to compare with is told apart: what differs from it differs in any version.
#[test]
fn a_refused_plan_is_no_differing_record() {
    let (mut report, directory) = told();
    report.run.tool.version = "0.1.0".to_owned();
    assert_eq!(replay(&report, directory.path()), Ok(()));
    let mut other = report.clone();
    other.instances.pop();
    let found = replay(&other, directory.path());
    assert!(matches!(found, Err(Unlike::Differs(_))), "{found:?}");
    let path = directory.path().join(INVENTORY);
    let text = fs::read_to_string(&path).unwrap() + "\nthis: is refused\n";
    fs::write(&path, &text).unwrap();
    let input = report
        .inputs
        .iter_mut()
        .find(|input| input.path == INVENTORY);
    input.unwrap().sha256 = Sha256::of(text.as_bytes()).to_string();
    let found = replay(&report, directory.path());
    assert!(matches!(found, Err(Unlike::Refused(_))), "{found:?}");
}

/// `verify --inventory` binds a run to an inventory, which only names the profile.
#[test]
fn a_built_in_profile_is_the_one_of_this_version() {
    let text = ESTATE
        .replace("\n  p:\n", "\n  amps:\n")
        .replace("product: p,", "product: amps,");
    let told = || {
        let bytes = text.clone().into_bytes();
        let inventory = Inventory::parse(Path::new("i.yaml"), bytes);
        told_of(inventory.unwrap_or_else(|problems| panic!("{problems}")))
    };
    let kept = "inputs/amps.profile.yaml";
    let (mut report, directory) = told();
    assert_eq!(replay(&report, directory.path()), Ok(()));
    let path = directory.path().join(kept);
    let changed = fs::read_to_string(&path).unwrap() + "\n# a weaker rule\n";
    fs::write(&path, &changed).unwrap();
    let input = report.inputs.iter_mut().find(|input| input.path == kept);
    input.unwrap().sha256 = Sha256::of(changed.as_bytes()).to_string();
    let found = replay(&report, directory.path()).unwrap_err().to_string();
    assert!(found.contains("is not the profile"), "{found}");
    // Another version has another.
    report.run.tool.version = "0.3.0".to_owned();
    assert_eq!(replay(&report, directory.path()), Ok(()));
    let (mut report, directory) = told();
    report.inputs.retain(|input| input.path != kept);
    assert!(replay(&report, directory.path()).is_err());
}
