//! Records that tell a vendor's checks as passed, held to the inventory and to the run's own times.

use super::super::record::StepRecord;
use super::tests::composed;
use super::*;
use crate::probe::{Hop, Probe, Sample};
use crate::report::schema::Carried;
use crate::verdict::StepOutcome;
use tempfile::TempDir;

const ESTATE: &str = r#"
environment: production
vendors:
  echo:
    contract: {id: E-1, ends: 2027-06-30}
    release_windows: {hours: "Wed-Fri 00:00-03:00", timezone: America/Los_Angeles}
    announced: [{release: R, action: do it, due: 2026-12-01}]
    drill: {last: 2026-10-01}
"#;

const FEATURE: &str = "Feature: f
  Scenario: <vendor>
    Given each vendor
    Then the support contract does not end within 30 days
    And go-live lies outside the release windows
    And no required action is overdue
    And the drill is not overdue
";

fn passed(check: &Check) -> Record {
    let step = StepRecord {
        outcome: StepOutcome::Passed,
        duration_ms: 1,
    };
    Record {
        started: Some("2026-11-21T09:30:02Z".parse().unwrap()),
        steps: vec![step; check.steps.len()],
        failure: None,
        ..Record::not_run(0, Failure::new(FailureKind::Undefined, "", ""))
    }
}

fn told(estate: &str) -> (schema::Report, TempDir) {
    let bytes = estate.as_bytes().to_vec();
    let inventory = Inventory::parse(Path::new("i.yaml"), bytes).unwrap();
    let (mut report, directory) = composed(inventory, FEATURE, passed);
    report.run.started = "2026-11-21T09:30:00Z".to_owned();
    report.run.go_live = Some("2026-12-01T18:00:00Z".to_owned());
    (report, directory)
}

#[track_caller]
fn refused(report: &schema::Report, directory: &TempDir, words: &str) {
    match replay(report, directory.path()) {
        Err(Unlike::Differs(why)) => assert!(why.contains(words), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_inventory_bears_out_is_believed_and_nothing_else() {
    let (report, directory) = told(ESTATE);
    assert_eq!(replay(&report, directory.path()), Ok(()));
    for (old, new, words) in [
        ("last: 2026-10-01", "last: 2026-08-20", "2026-08-20"),
        (
            "due: 2026-12-01",
            "due: 2026-11-30",
            "due by 2026-11-30 and not done",
        ),
        ("ends: 2027-06-30", "ends: 2026-12-30", "ends on 2026-12-30"),
        (
            "Wed-Fri 00:00-03:00",
            "Tue 10:00-11:00",
            "Tue 2026-12-01 10:00",
        ),
        ("    drill: {last: 2026-10-01}\n", "", "missing"),
    ] {
        assert!(ESTATE.contains(old), "{old}");
        let (report, directory) = told(&ESTATE.replacen(old, new, 1));
        refused(&report, &directory, words);
    }
}

const MONITORED: &str = r#"
environment: production
vendors:
  echo:
    monitoring: [{url: "https://api.example.com/health", samples: 1}]
"#;

const ASKS: &str = "Feature: f
  Scenario: <vendor>
    Given each vendor
    Then every monitoring URL answers within 2 seconds
";

fn answered() -> Probe {
    let hop = Hop {
        url: "https://api.example.com/health".to_owned(),
        status: Some(200),
        ..Hop::default()
    };
    let sample = Sample {
        hops: vec![hop],
        total_us: 1000,
        lack: None,
    };
    Probe {
        how: "get".to_owned(),
        target: "https://api.example.com/health".to_owned(),
        from: None,
        asked: "get      https://api.example.com/health".to_owned(),
        at: "2026-11-21T09:30:02Z".to_owned(),
        samples: vec![sample],
        document: None,
        mail: None,
        inbox: None,
        reception: None,
        acceptance: None,
    }
}

#[test]
fn what_the_network_answered_is_judged_again_and_nothing_unplanned_is_told() {
    let told = |probes: &[Probe]| {
        let bytes = MONITORED.as_bytes().to_vec();
        let inventory = Inventory::parse(Path::new("i.yaml"), bytes).unwrap();
        let (mut report, directory) = composed(inventory, ASKS, passed);
        report.checks[0].probes = probes.to_vec();
        report.run.started = "2026-11-21T09:30:00Z".to_owned();
        (report, directory)
    };
    let (report, directory) = told(&[answered()]);
    assert_eq!(replay(&report, directory.path()), Ok(()));
    type Edit = fn(&mut Probe);
    let cases: [(Edit, &str); 8] = [
        (
            |probe| probe.samples[0].hops[0].status = Some(503),
            "status 503",
        ),
        (|probe| probe.samples[0].total_us = 2_000_001, "timeout"),
        (|probe| probe.samples.clear(), "0"),
        (|probe| probe.from = Some("ny4-1".to_owned()), "not planned"),
        (|probe| probe.target.push('/'), "not planned"),
        (
            |probe| probe.asked.push_str("  (status 503)"),
            "not planned",
        ),
        (
            |probe| probe.at = "2026-11-20T09:30:02Z".to_owned(),
            "while the check ran",
        ),
        (|probe| probe.at = "then".to_owned(), "while the check ran"),
    ];
    for (edit, words) in cases {
        let mut probe = answered();
        edit(&mut probe);
        let (report, directory) = told(&[probe]);
        refused(&report, &directory, words);
    }
    let (report, directory) = told(&[]);
    refused(&report, &directory, "not asked");
    let (report, directory) = told(&[answered(), answered()]);
    refused(&report, &directory, "told twice");
}

#[test]
fn times_that_were_changed_are_judged_by() {
    let (report, directory) = told(ESTATE);
    let mut edited = report.clone();
    edited.run.go_live = Some("2026-12-02T08:00:00Z".to_owned());
    refused(&edited, &directory, "Wed 2026-12-02 00:00");
    edited.run.go_live = None;
    refused(&edited, &directory, "not told");
    edited.run.go_live = Some("soon".to_owned());
    refused(&edited, &directory, "without one");
    let mut edited = report.clone();
    edited.run.started = "2027-01-10T00:00:00Z".to_owned();
    edited.run.go_live = Some("2027-01-12T18:00:00Z".to_owned());
    refused(&edited, &directory, "do it");
    let mut edited = report;
    edited.checks[0].carried = Some(Carried {
        run: "r".to_owned(),
        finished: "2026-11-20T00:00:00Z".to_owned(),
    });
    refused(&edited, &directory, "judged by another run");
}

#[test]
fn a_week_is_drawn_as_the_inventory_has_it() {
    let estate = ESTATE
        .replace("vendors:\n", "products: {shop: {}}\nvendors:\n")
        .replace(
            "  echo:\n",
            "  echo:\n    timezone: America/Los_Angeles\n    coverage: \"Mon-Fri 09:00-18:00\"\n    applications: {shop: 24x7}\n",
        );
    let (mut report, directory) = told(&estate);
    let inventory = Inventory::parse(Path::new("i.yaml"), estate.into_bytes()).unwrap();
    report.weeks = weeks::weeks(&inventory, &moment(&report.run).unwrap());
    report.run.tool.tzdb = Some(crate::calendar::tzdb().to_owned());
    assert_eq!(report.weeks.len(), 1);
    assert_eq!(
        report.weeks[0].days[0].day, "Mon 2026-11-30",
        "the week of go-live"
    );
    assert_eq!(replay(&report, directory.path()), Ok(()));
    let drawn = report.clone();
    report.weeks[0].open.clear();
    refused(&report, &directory, "a week of an application");
    report.weeks = drawn.weeks.clone();
    report.weeks[0].vendor_zone = Some("UTC".to_owned());
    refused(&report, &directory, "a week of an application");
    // Judged by another zone database, it may rightly be another one.
    report.run.tool.tzdb = Some("1999a".to_owned());
    assert_eq!(replay(&report, directory.path()), Ok(()));
}
