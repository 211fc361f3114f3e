//! Records of statistics and configurations edited to claim what their own facts do not bear out.

use super::super::record::StepRecord;
use super::tests::composed;
use super::*;
use crate::evidence::{Content, Evidence};
use crate::report::schema::{Configured, Database, Running, Settings, Span, Stretch};
use crate::time::{self, rfc3339};
use crate::verdict::StepOutcome;
use tempfile::TempDir;

const ESTATE: &str = r#"
environment: production
hosts:
  a: {address: 192.0.2.1, host_key: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
teams: {ops: {user: ops, key: k}}
products:
  p:
    artifacts:
      version: {kind: version, command: ["{home}/v", "--version"]}
      configuration:
        kind: configuration
        path: "{home}/*.xml"
        format: xml
        shipped: ["{home}/share/*.sample"]
        running: used
        findings: [{setting: A, absent: true, says: no a, hint: a}, {setting: B, absent: true, says: no b, hint: b}]
      used: {kind: configuration, path: "{home}/run/used", format: xml}
      event log: {kind: log, path: "{home}/logs/*.log", format: amps-log}
      statistics:
        kind: statistics
        path: "{home}/stats.db"
        format: sqlite
        tables: [T]
        columns: {S: [timestamp, rss]}
        sample: {table: S, column: timestamp, unit: amps}
        interval: 10s
instances:
  one: {product: p, host: a, teams: [ops], vars: {home: /opt/one}}
"#;

const FEATURE: &str = "Feature: f
  Scenario: all of <instance>
    Given each instance
    Then the version can be retrieved
    And the event log can be retrieved
    And the configuration is well-formed
    And the configuration is complete with everything it includes
    And the configuration is not the shipped sample
    And the configuration is the one that is running
    And the configuration keeps the evidence that support will ask for
    And the statistics database is consistent
    And the statistics database has the expected tables and columns
    And the statistics database has a sample at least every 1 minute in the last 1 hour
    And the statistics database is sampled at the configured interval
    And the statistics database has no sample from the future
";

// Places in the record's evidence.
const CONFIGURATION: usize = 2;
const STATISTICS: usize = 4;

fn passed(check: &Check) -> Record {
    let found = |artifact: &str, kind, path: &str| Evidence {
        artifact: artifact.into(),
        kind,
        path: format!("/opt/one/{path}"),
        bytes: 1,
        sha256: Sha256::of(b"x"),
        method: "sftp",
        modified: None,
        attempts: 1,
        resumed: 0,
        duration_ms: 1,
        content: Content::Opaque,
    };
    let step = StepRecord {
        outcome: StepOutcome::Passed,
        duration_ms: 1,
    };
    Record {
        started: Some(time::now()),
        duration_ms: 10,
        steps: vec![step; check.steps.len()],
        evidence: vec![
            found("version", Kind::Version, "v --version"),
            found("event log", Kind::Log, "logs/a.log"),
            found("configuration", Kind::Configuration, "c.xml"),
            found("used", Kind::Configuration, "run/used"),
            found("statistics", Kind::Statistics, "stats.db"),
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

/// A record of the estate in which all is well.
fn told(estate: &str) -> (schema::Report, TempDir) {
    let inventory = Inventory::parse(Path::new("i.yaml"), estate.as_bytes().to_vec());
    let inventory = inventory.unwrap_or_else(|problems| panic!("{problems}"));
    let (mut report, directory) = composed(inventory, FEATURE, passed);
    let began: Timestamp = report.checks[0]
        .started
        .as_deref()
        .unwrap()
        .parse()
        .unwrap();
    let ago = |seconds| rfc3339(began - SignedDuration::from_secs(seconds));
    let files = &mut report.checks[0].evidence;
    let settings = Settings {
        settings: 7,
        includes: 1,
        complete: true,
        rules: Some(2),
        shipped: vec!["/opt/one/share/c.sample".into()],
        running: Some(Running {
            artifact: "used".into(),
            compared: 7,
            differing: 0,
        }),
    };
    files[CONFIGURATION].settings = Some(settings);
    let stretch = |from, to| Stretch {
        from: ago(from),
        to: ago(to),
        ms: u64::try_from(from - to).unwrap() * 1000,
    };
    let columns = ["timestamp", "rss"].map(str::to_owned).to_vec();
    files[STATISTICS].newest_entry = Some(ago(5));
    files[STATISTICS].entries = Some(900);
    files[STATISTICS].database = Some(Database {
        reason: "r".into(),
        attempts: vec!["torn".into(), "ok".into()],
        sqlite: None,
        tables: 2,
        found: [("T".to_owned(), Vec::new()), ("S".to_owned(), columns)].into(),
        journal_mode: Some("wal".into()),
        page_size: Some(4096),
        widest_gap: Some(stretch(7200, 7100)),
        interval_ms: Some(10_500),
        configured: None,
        spans: vec![Span {
            whole: stretch(3600, 0),
            widest: stretch(100, 50),
        }],
    });
    (report, directory)
}

type Change = fn(&mut schema::Evidence, &mut Vec<schema::Evidence>);

/// Replays the record with one piece of evidence changed; the others stand beside it.
fn changed(estate: &str, at: usize, change: Change) -> Result<(), Unlike> {
    let (mut report, directory) = told(estate);
    let files = &mut report.checks[0].evidence;
    let mut file = files.remove(at);
    change(&mut file, files);
    files.insert(at.min(files.len()), file);
    replay(&report, directory.path())
}

fn database(file: &mut schema::Evidence) -> &mut Database {
    file.database.as_mut().unwrap()
}

fn settings(file: &mut schema::Evidence) -> &mut Settings {
    file.settings.as_mut().unwrap()
}

fn running(file: &mut schema::Evidence) -> &mut Running {
    settings(file).running.as_mut().unwrap()
}

#[track_caller]
fn all_are_refused(at: usize, changes: &[Change]) {
    assert_eq!(changed(ESTATE, at, |_, _| ()), Ok(()));
    for (index, change) in changes.iter().enumerate() {
        let found = changed(ESTATE, at, *change).unwrap_err().to_string();
        assert!(found.contains("does not bear out"), "case {index}: {found}");
    }
}

#[test]
fn statistics_that_their_record_does_not_bear_out_are_refused() {
    all_are_refused(
        STATISTICS,
        &[
            |f, _| f.database = None,
            |f, _| database(f).tables = 0,
            |f, _| database(f).attempts.push("torn".into()),
            |f, _| drop(database(f).found.remove("T")),
            |f, _| drop(database(f).found.remove("S")),
            |f, _| drop(database(f).found.get_mut("S").unwrap().pop()),
            |f, _| database(f).spans.clear(),
            // A gap that is too long; one whose length is not that between its ends; one outside.
            |f, _| {
                let widest = &mut database(f).spans[0].widest;
                widest.ms = 90_000;
            },
            |f, _| {
                let span = &mut database(f).spans[0];
                span.widest.from = span.whole.from.clone();
            },
            |f, _| {
                let span = &mut database(f).spans[0];
                std::mem::swap(&mut span.widest.from, &mut span.widest.to);
            },
            |f, _| database(f).spans[0].widest.from = "2020-01-01T00:00:00Z".into(),
            // A shorter span than was asked for, and one of another day.
            |f, _| {
                let span = &mut database(f).spans[0];
                span.whole.from = span.widest.from.clone();
            },
            |f, _| {
                let Span { whole, widest } = &mut database(f).spans[0];
                for text in [
                    &mut whole.from,
                    &mut whole.to,
                    &mut widest.from,
                    &mut widest.to,
                ] {
                    let time: Timestamp = text.parse().unwrap();
                    *text = rfc3339(time - SignedDuration::from_hours(24));
                }
            },
            |f, _| database(f).interval_ms = None,
            |f, _| database(f).interval_ms = Some(60_000),
            |f, _| f.newest_entry = None,
            |f, _| f.newest_entry = Some("2099-01-01T00:00:00Z".into()),
            // The inventory has the last word on the interval.
            |f, _| {
                database(f).interval_ms = Some(60_000);
                database(f).configured = Some(Configured {
                    interval_ms: 60_000,
                    source: "/opt/one/c.xml".into(),
                });
            },
        ],
    );
}

#[test]
fn an_interval_of_the_configuration_is_of_one_that_was_fetched() {
    let estate = ESTATE.replace("        interval: 10s\n", "");
    let said = |source: &'static str, ms, measured| {
        let (mut report, directory) = told(&estate);
        let file = &mut report.checks[0].evidence[STATISTICS];
        database(file).interval_ms = Some(measured);
        database(file).configured = (ms > 0).then(|| Configured {
            interval_ms: ms,
            source: source.into(),
        });
        replay(&report, directory.path())
    };
    assert_eq!(said("/opt/one/c.xml", 60_000, 60_500), Ok(()));
    assert!(said("/opt/one/c.xml", 60_000, 10_500).is_err());
    assert!(said("/opt/one/c.xml", 0, 10_500).is_err());
    assert!(said("/opt/one/d.xml", 10_000, 10_500).is_err());
    assert!(said("/opt/one/logs/a.log", 10_000, 10_500).is_err());
}

#[test]
fn configurations_that_their_record_does_not_bear_out_are_refused() {
    all_are_refused(
        CONFIGURATION,
        &[
            |f, _| f.settings = None,
            |f, _| (settings(f).settings, settings(f).includes) = (0, 0),
            |f, _| settings(f).complete = false,
            |f, _| settings(f).shipped.clear(),
            |f, _| settings(f).shipped = vec!["/opt/one/c.xml".into()],
            |f, _| settings(f).rules = None,
            |f, _| settings(f).rules = Some(1),
            |f, _| settings(f).running = None,
            |f, _| running(f).compared = 0,
            |f, _| running(f).differing = 1,
            |f, _| running(f).artifact = "configuration".into(),
            // The copy that it was compared with was not fetched.
            |_, others| others.retain(|file| file.artifact != "used"),
            // One of two files of which nothing is told.
            |f, others| {
                let mut second = f.clone();
                second.path = "/opt/one/d.xml".into();
                second.settings = None;
                others.push(second);
            },
        ],
    );
}
