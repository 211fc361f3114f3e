//! Gaps, entries from the future, levels, ids, counts and names over a rotated set.

use std::fs::File;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

use super::{Desk, as_it_is, entries, gzip, stamp};

const QUESTIONS: [(&str, &str); 8] = [
    ("gap", "the event log has no gap of more than 30 minutes"),
    (
        "day",
        "the event log has no gap of more than 30 minutes in the last 24 hours",
    ),
    ("future", "the event log has no entry from the future"),
    (
        "loud",
        "an entry of level \"warning\" or worse can be found in the event log",
    ),
    (
        "calm",
        "the event log has no entry of level \"error\" or worse from the last 24 hours",
    ),
    (
        "id",
        "an entry with id \"07-0023\" can be found in the event log",
    ),
    ("many", "the event log has at least 1000 entries"),
    ("whose", "the event log belongs to this instance"),
];

/// Appends an entry of that age to the live log.
fn append(desk: &Desk, ago: SignedDuration, what: &str) {
    let log = desk.orders.log();
    let at = stamp(Timestamp::now() - ago);
    let text = entries(60, 0) + &format!("{at} [1] {what}\n");
    desk.orders.write(&log, text.as_bytes());
}

#[test]
fn a_healthy_log_answers_every_question() {
    let desk = Desk::new();
    let run = desk.is_go(&QUESTIONS, as_it_is);
    // What was judged is told.
    let of = |scenario: &str| run.check("orders", super::OPS, scenario)["evidence"].clone();
    let found = of("id");
    let files = found.as_array().unwrap();
    assert_eq!(files.len(), 3, "{found:#}");
    for file in files {
        let log = &file["log"];
        assert!(log["ids"]["07-0023"].as_u64().unwrap() > 10, "{file:#}");
        assert_eq!(log["names"], serde_json::json!(["orders"]), "{file:#}");
        assert_eq!(log["holes"].as_array().unwrap().len(), 1, "{file:#}");
        assert_eq!(log["beginning"].as_str().unwrap().len(), 64);
        let levels = log["levels"].as_array().unwrap();
        assert_eq!(levels[1]["name"], "warning", "{file:#}");
    }
    assert!(of("gap")[0]["log"].get("ids").is_none());
}

#[test]
fn a_rotation_that_is_gone_is_a_gap_between_two_files() {
    let desk = Desk::new();
    desk.orders.remove(&format!("{}.1", desk.orders.log()));
    let run = desk.fails(
        &QUESTIONS[..7],
        as_it_is,
        &[
            ("gap", "gap", "orders.log.2.gz) to "),
            ("day", "gap", "(the first of "),
            // What is gone is missing from the count too.
            ("many", "short", "1000 entries"),
        ],
    );
    let failure = run.check("orders", super::OPS, "gap")["failure"].to_string();
    assert!(
        failure.contains("11h") && failure.contains("orders.log)"),
        "{failure}"
    );
}

#[test]
fn a_silence_inside_a_file_is_a_gap_and_an_old_one_is_none_of_today() {
    let desk = Desk::new();
    let log = desk.orders.log();
    let text = entries(12 * 60, 300) + &entries(200, 60);
    desk.orders.write(&format!("{log}.1"), text.as_bytes());
    desk.fails(
        &QUESTIONS,
        as_it_is,
        &[("gap", "gap", "both in"), ("day", "gap", "1h 40m")],
    );
    // The same silence before the span that is asked for.
    desk.well();
    let old = entries(40 * 60, 38 * 60) + &entries(26 * 60, 12 * 60);
    desk.orders.write(&format!("{log}.2.gz"), &gzip(&old));
    desk.fails(&QUESTIONS, as_it_is, &[("gap", "gap", "12h")]);
}

#[test]
fn a_log_that_has_ended_is_silent_until_now() {
    let desk = Desk::new();
    desk.orders
        .write(&desk.orders.log(), entries(60, 45).as_bytes());
    desk.fails(&QUESTIONS, as_it_is, &[("day", "gap", "until now")]);
}

#[test]
fn an_entry_from_the_future() {
    let desk = Desk::new();
    append(
        &desk,
        -SignedDuration::from_hours(2),
        "info: 07-0023 client logon",
    );
    // The host's clock was ahead of all others when it was written, and so is the file's time.
    let log = File::options()
        .write(true)
        .open(desk.orders.path(&desk.orders.log()))
        .unwrap();
    log.set_modified(SystemTime::now() + Duration::from_secs(2 * 3600))
        .unwrap();
    desk.fails(
        &QUESTIONS[2..],
        as_it_is,
        &[("future", "stale", "ahead of")],
    );
    // Clocks of well-run hosts agree within seconds.
    append(
        &desk,
        -SignedDuration::from_mins(3),
        "info: 07-0023 client logon",
    );
    desk.is_go(&QUESTIONS, as_it_is);
}

#[test]
fn an_error_of_today_is_found_and_one_of_last_week_is_not() {
    let desk = Desk::new();
    append(
        &desk,
        SignedDuration::from_hours(5),
        "critical: 30-0000 out of memory",
    );
    desk.fails(
        &QUESTIONS,
        as_it_is,
        &[("calm", "mismatch", "level critical")],
    );
    append(
        &desk,
        SignedDuration::from_hours(25),
        "critical: 30-0000 out of memory",
    );
    desk.is_go(&QUESTIONS, as_it_is);
    // A log that does not go back far enough cannot say that there was none.
    let log = desk.orders.log();
    desk.orders.write(&log, entries(60, 0).as_bytes());
    for gone in ["1", "2.gz"] {
        desk.orders.remove(&format!("{}.{gone}", desk.orders.log()));
    }
    desk.fails(&QUESTIONS[2..6], as_it_is, &[("calm", "gap", "begins at")]);
}

#[test]
fn a_level_that_is_filtered_out_and_an_id_that_is_not_there() {
    let desk = Desk::new();
    let log = desk.orders.log();
    for (end, from, to) in [("", 60, 0), (".1", 12 * 60, 60)] {
        let text = entries(from, to).replace("warning: 24", "info: 24");
        let text = text.replace("07-0023", "07-0024");
        desk.orders.write(&format!("{log}{end}"), text.as_bytes());
    }
    let old = entries(26 * 60, 12 * 60).replace("warning: 24", "info: 24");
    let old = old.replace("07-0023", "07-0024");
    desk.orders.write(&format!("{log}.2.gz"), &gzip(&old));
    desk.fails(
        &QUESTIONS,
        as_it_is,
        &[
            ("loud", "missing", "none among"),
            ("id", "missing", "did you mean `07-0024`?"),
        ],
    );
}

#[test]
fn the_log_of_another_instance_by_its_name() {
    let desk = Desk::new();
    let log = desk.orders.log();
    let foreign = entries(60, 0).replace("instance orders", "instance quotes");
    desk.orders.write(&log, foreign.as_bytes());
    desk.fails(&QUESTIONS, as_it_is, &[("whose", "mismatch", "quotes")]);
    // One that gives no name proves nothing either; a rotated file may be without.
    let nameless = entries(60, 0).replace("instance orders is up", "up");
    desk.orders.write(&log, nameless.as_bytes());
    desk.is_go(&QUESTIONS, as_it_is);
    for gone in ["1", "2.gz"] {
        desk.orders.remove(&format!("{log}.{gone}"));
    }
    desk.fails(
        &QUESTIONS[7..],
        as_it_is,
        &[("whose", "mismatch", "no name")],
    );
}

#[test]
fn what_cannot_be_answered_is_refused_by_the_plan() {
    let desk = Desk::new();
    for (step, words) in [
        (
            "an entry of level \"warnings\" or worse can be found in the event log",
            "did you mean `warning`?",
        ),
        (
            "the event log has no entry of level \"fatal\" or worse from the last 1 day",
            "its levels are developer, trace",
        ),
        ("the event log has at least 0 entries", "out of range"),
        (
            "the statistics database belongs to this instance",
            "is not of a format",
        ),
    ] {
        desk.write(&[("question", step)], as_it_is);
        let plan = desk.lab.run(&["plan", "-i", "inventory.yaml", "features"]);
        let told = String::from_utf8_lossy(&plan.stderr);
        assert_eq!(plan.status.code(), Some(2), "{step}: {told}");
        assert!(told.contains(words), "{words}: {told}");
        assert!(told.contains("support.feature:"), "{told}");
    }
    desk.write(&QUESTIONS[7..], |inventory| {
        let log = &mut inventory["products"]["amps"]["artifacts"]["event log"];
        log.as_object_mut().unwrap().remove("names");
    });
    let plan = desk.lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    let told = String::from_utf8_lossy(&plan.stderr);
    assert_eq!(plan.status.code(), Some(2), "{told}");
    assert!(told.contains("write `names: REGEX`"), "{told}");
}
