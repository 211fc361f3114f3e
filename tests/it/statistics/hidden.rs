//! A span that the host's clock, unmeasured, hides.

use std::fs;

use rusqlite::Connection;
use serde_json::json;

use super::{ASKED, Estate};
use crate::lab::OPERATIONS;

#[test]
fn a_span_within_the_tolerance_of_an_unmeasured_clock_shows_nothing() {
    let estate = Estate::new();
    estate.orders.statistics_in("DELETE");
    estate.orders.write("VERSION", b"5.3.4.12\n");
    let judge = |last: &str| {
        let mut inventory = estate.lab.inventory();
        let artifacts = &mut inventory["products"]["amps"]["artifacts"];
        artifacts["version"] = json!({"kind": "version", "path": "{home}/VERSION"});
        inventory["teams"][OPERATIONS.team]["transport"] = "sftp".into();
        estate.lab.write_inputs(&inventory);
        let step = format!("has a sample at least every 30 seconds in the last {last}");
        let feature = format!("{ASKED}    And the statistics database {step}\n");
        let path = estate.lab.path("operator/features/samples.feature");
        fs::write(path, feature).unwrap();
        let run = estate.lab.judge_as_written();
        let verified = estate.lab.verify(&run.dir);
        assert_eq!(verified.status.code(), Some(run.code()), "{verified:?}");
        run
    };
    judge("30 minutes").assert_go(5);
    let asked = [("orders", OPERATIONS.team, "samples", "gap")];
    let run = judge("1 minute");
    run.assert_only(&asked);
    let failure = &run.check("orders", OPERATIONS.team, "samples")["failure"];
    assert!(
        failure["hint"]
            .as_str()
            .unwrap()
            .contains("clock_tolerance")
    );

    // Dead for a day: as long as nothing of the span was seen, it looked alive.
    estate.orders.stop_writer();
    let db = Connection::open(estate.orders.path("stats.db")).unwrap();
    db.execute_batch("UPDATE IMEMORY_DYNAMIC SET timestamp = timestamp - 86400000")
        .unwrap();
    drop(db);
    estate.orders.give_away();
    for last in ["1 minute", "30 minutes"] {
        let run = judge(last);
        let failure = &run.check("orders", OPERATIONS.team, "samples")["failure"];
        assert_eq!(failure["kind"], "gap", "{failure:#}");
    }
}
