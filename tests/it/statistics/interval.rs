//! How often AMPS is meant to sample where the inventory does not say: as its configuration does.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use super::{ASKED, Estate};
use crate::lab::{OPERATIONS, Run};

fn judge(estate: &Estate, interval: &str) -> Run {
    let config = "config/config.xml";
    let text = fs::read_to_string(estate.orders.path(config)).unwrap();
    let (before, rest) = text.split_once("<Interval>").unwrap();
    let (_, behind) = rest.split_once("</Interval>").unwrap();
    let text = format!("{before}<Interval>{interval}</Interval>{behind}");
    estate.orders.write(config, text.as_bytes());
    estate.lab.write_inputs(&estate.lab.inventory());
    let feature =
        format!("{ASKED}    And the statistics database is sampled at the configured interval\n");
    let path = estate.lab.path("operator/features/samples.feature");
    fs::write(path, feature).unwrap();
    let run = estate.lab.judge_as_written();
    let verified = estate.lab.verify(&run.dir);
    let told = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert_eq!(verified.status.code(), Some(run.code()), "{told}");
    run
}

#[test]
fn the_configuration_says_how_often_amps_samples() {
    let estate = Estate::new();
    estate.orders.stop_writer();
    // What the stand-in filled in beforehand came every 10 seconds.
    let db = Connection::open(estate.orders.path("stats.db")).unwrap();
    let late = jiff::Timestamp::now().as_millisecond() + 210_866_803_200_000 - 120_000;
    db.execute("DELETE FROM IMEMORY_DYNAMIC WHERE timestamp > ?1", [late])
        .unwrap();
    drop(db);
    let run = judge(&estate, "10S");
    run.assert_go(5);
    let evidence = &run.check("orders", OPERATIONS.team, "samples")["evidence"];
    let evidence = evidence.as_array().unwrap();
    let told = |kind: &str| evidence.iter().find(|file| file["kind"] == kind).unwrap();
    let configured: &Value = &told("statistics")["database"]["configured"];
    assert_eq!(configured["interval_ms"], 10_000);
    assert_eq!(configured["source"], told("configuration")["path"]);
    // The plan knows the step to be about both, and prints what it touches for both.
    let steps = &run.check("orders", OPERATIONS.team, "samples")["steps"];
    let about = steps[4]["artifacts"].as_array().unwrap();
    assert_eq!(about, &["statistics", "configuration"]);
    for (interval, kind, words) in [
        ("1m", "mismatch", "every 1m"),
        ("10", "mismatch", "no number with a unit"),
        ("${EVERY}", "mismatch", "`interval: 10s`"),
    ] {
        let run = judge(&estate, interval);
        run.assert_only(&[("orders", OPERATIONS.team, "samples", kind)]);
        let failure = run.check("orders", OPERATIONS.team, "samples")["failure"].to_string();
        assert!(failure.contains(words), "{words}: {failure}");
    }
}
