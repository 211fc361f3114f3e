//! Status pages: each word of each kind.

use super::*;

const PAGE: &str = "    status_pages: [{url: \"https://status.example.com/\", kind: statuspage}]\n";
const STATUS_IO: &str = r#"{"result":{"status_overall":{"updated":"2026-11-20T10:00:00Z","status_code":100},"status":[{"name":"API","status_code":100}],"incidents":[],"maintenance":{"active":[],"upcoming":[{"name":"m","datetime_planned_start":"2026-12-02T00:00:00Z","datetime_planned_end":"2026-12-02T02:00:00Z"}]}}}"#;
const WELL: &str = r#"{"page":{"updated_at":"2026-11-20T10:00:00Z"},"status":{"indicator":"none"},"components":[{"name":"API","status":"operational"}],"incidents":[{"name":"old","status":"resolved"}],"scheduled_maintenances":[{"name":"done","status":"completed"},{"name":"night","status":"scheduled","scheduled_for":"2026-12-02T00:00:00Z","scheduled_until":"2026-12-02T02:00:00Z"}]}"#;

#[test]
fn a_status_page_is_well_or_says_why_not() {
    use FailureKind::{Corrupt, Mismatch, Stale, Undefined};
    let inventory = estate(PAGE);
    let ask = Ask::NoIncident;
    never_silent(ask, &inventory, |one| answered(one, WELL));
    let at =
        |text: &str, go_live| judge_by(ask, &inventory, go_live, |one| Some(answered(one, text)));
    let with = |old: &str, new: &str| {
        assert!(WELL.contains(old), "{old}");
        at(&WELL.replacen(old, new, 1), None)
    };
    let open = r#""incidents":[{"name":"API is down","status":"investigating","started_at":"2026-11-22T14:00:00Z","shortlink":"https://stspg.io/x"},"#;
    let judged = with(r#""incidents":["#, open);
    fails(
        &judged,
        Mismatch,
        "\"API is down\" (investigating), since 2026-11-22T14:00:00Z: https://stspg.io/x",
    );
    for word in ["identified", "monitoring"] {
        fails(&with("resolved", word), Mismatch, "old");
    }
    holds(&with("resolved", "postmortem"));
    for word in ["fixed", "RESOLVED", "", "ok"] {
        fails(&with("resolved", word), Undefined, "old");
    }
    fails(&with("\"none\"", "\"major\""), Mismatch, "`major`");
    fails(&with("\"none\"", "\"critical\""), Mismatch, "`critical`");
    holds(&with("\"none\"", "\"minor\""));
    for word in ["operational", "UP", "ok", "None"] {
        fails(&with("\"none\"", &format!("\"{word}\"")), Undefined, word);
    }
    holds(&with("\"operational\"", "\"degraded_performance\""));
    fails(
        &with("\"operational\"", "\"partial_outage\""),
        Mismatch,
        "component `API` is told as `partial_outage`",
    );
    fails(
        &with("\"operational\"", "\"major_outage\""),
        Mismatch,
        "API",
    );
    fails(&with("\"operational\"", "\"fine\""), Undefined, "API");
    // A dead page, on the day and the day after; one from the future.
    holds(&with("2026-11-20T10:00:00Z", "2026-08-22T15:00:00Z"));
    fails(
        &with("2026-11-20T10:00:00Z", "2026-08-22T14:59:59Z"),
        Stale,
        "2026-08-22",
    );
    fails(
        &with("2026-11-20T10:00:00Z", "2026-11-23T10:00:00Z"),
        Stale,
        "yet to come",
    );
    fails(&at("<html>", None), Corrupt, "");
    fails(&at(r#"{"status":{"indicator":"none"}}"#, None), Corrupt, "");
}

/// Whoever tells no go-live asks how it is now: what the vendor works on now is not well.
#[test]
fn what_is_worked_on_now_is_judged_where_no_go_live_is_told() {
    use FailureKind::Mismatch;
    let io = "    status_pages: [{url: \"https://api.status.io/1.0/status/x\", kind: status.io}]\n";
    for (page, text, old, new) in [
        (PAGE, WELL, "\"none\"", "\"maintenance\""),
        (PAGE, WELL, "\"operational\"", "\"under_maintenance\""),
        (
            io,
            STATUS_IO,
            "\"status_code\":100}",
            "\"status_code\":200}",
        ),
        (io, STATUS_IO, "100}]", "200}]"),
    ] {
        assert!(text.contains(old), "{old}");
        let text = text.replacen(old, new, 1);
        let inventory = estate(page);
        let at = |go_live| {
            judge_by(Ask::NoIncident, &inventory, go_live, |one| {
                Some(answered(one, &text))
            })
        };
        fails(&at(None), Mismatch, "is told as");
        holds(&at(Some("2026-12-05T00:00:00Z")));
    }
}

#[test]
fn a_page_that_names_no_component_tells_of_nothing() {
    let inventory = estate(PAGE);
    let at = |ask, text: &str| judge_by(ask, &inventory, None, |one| Some(answered(one, text)));
    let bare = WELL.replace(r#"{"name":"API","status":"operational"}"#, "");
    fails(
        &at(Ask::NoIncident, &bare),
        FailureKind::Empty,
        "no component",
    );
    holds(&at(Ask::NoIncident, WELL));
    // It answers and is kept: that is all that the other step promises.
    holds(&at(Ask::PagesAlive, &bare));
}

#[test]
fn what_runs_below_a_component_is_judged_by_its_own_code() {
    use FailureKind::{Corrupt, Mismatch, Undefined};
    let io = estate(
        "    status_pages: [{url: \"https://api.status.io/1.0/status/x\", kind: status.io}]\n",
    );
    let at = |containers: &str| {
        let text = STATUS_IO.replace(
            "\"status_code\":100}]",
            &format!("\"status_code\":100,\"containers\":{containers}}}]"),
        );
        assert_ne!(text, STATUS_IO);
        judge_by(Ask::NoIncident, &io, None, |one| Some(answered(one, &text)))
    };
    holds(&at("[]"));
    holds(&at("null"));
    holds(&at(
        r#"[{"id":"e","name":"EU","status":"Operational","status_code":100}]"#,
    ));
    fails(
        &at(r#"[{"name":"US","status_code":100},{"name":"EU","status_code":500}]"#),
        Mismatch,
        "component `API / EU` is told as `500` (service disruption)",
    );
    fails(&at(r#"[{"name":"EU","status_code":7}]"#), Undefined, "`7`");
    fails(&at(r#"[{"name":"EU"}]"#), Corrupt, "status_code");
}

#[test]
fn maintenance_that_ends_before_it_begins_is_never_well() {
    use FailureKind::Undefined;
    let (from, until) = ("2026-12-02T00:00:00Z", "2026-12-02T02:00:00Z");
    let turned = WELL
        .replace(from, "FROM")
        .replace(until, from)
        .replace("FROM", until);
    let inventory = estate(PAGE);
    let at = |text: &str, go_live: Option<&str>| {
        judge_by(Ask::NoIncident, &inventory, go_live, |one| {
            Some(answered(one, text))
        })
    };
    for go_live in [
        None,
        Some("2026-12-02T01:00:00Z"),
        Some("2026-12-09T01:00:00Z"),
    ] {
        fails(&at(&turned, go_live), Undefined, "ends before it begins");
    }
    fails(
        &at(&WELL.replace(until, from), None),
        Undefined,
        "ends before it begins",
    );
    holds(&at(WELL, Some("2026-12-09T01:00:00Z")));
    // What is over concerns nobody.
    holds(&at(&turned.replace("\"scheduled\"", "\"completed\""), None));
}

#[test]
fn maintenance_is_judged_at_go_live_to_the_second() {
    use FailureKind::{Mismatch, Undefined};
    let inventory = estate(PAGE);
    let at = |text: &str, go_live: Option<&str>| {
        judge_by(Ask::NoIncident, &inventory, go_live, |one| {
            Some(answered(one, text))
        })
    };
    holds(&at(WELL, Some("2026-12-01T23:59:59Z")));
    fails(
        &at(WELL, Some("2026-12-02T00:00:00Z")),
        Mismatch,
        "\"night\"",
    );
    fails(
        &at(WELL, Some("2026-12-02T01:59:59Z")),
        Mismatch,
        "\"night\"",
    );
    holds(&at(WELL, Some("2026-12-02T02:00:00Z")));
    // It begins while the estate goes live.
    fails(
        &at(WELL, Some("2026-12-01T23:00:00Z/2026-12-02T00:00:01Z")),
        Mismatch,
        "\"night\"",
    );
    holds(&at(WELL, Some("2026-12-01T23:00:00Z/2026-12-02T00:00:00Z")));
    // 01:30 in Berlin is 00:30 in UTC.
    fails(
        &at(WELL, Some("2026-12-02T01:30:00+01:00")),
        Mismatch,
        "\"night\"",
    );
    let going_on = WELL.replace("\"scheduled\"", "\"in_progress\"");
    fails(&at(&going_on, None), Mismatch, "\"night\"");
    holds(&at(&going_on, Some("2026-12-02T02:00:00Z")));
    // Past its own end and still going on: nobody knows until when.
    let late = going_on.replace("2026-12-02T0", "2026-11-22T0");
    fails(
        &at(&late, Some("2026-12-05T00:00:00Z")),
        Mismatch,
        "\"night\"",
    );
    let endless = WELL.replace(r#","scheduled_until":"2026-12-02T02:00:00Z""#, "");
    fails(
        &at(&endless, Some("2026-12-09T00:00:00Z")),
        Mismatch,
        "\"night\"",
    );
    holds(&at(&endless, Some("2026-12-01T00:00:00Z")));
    fails(
        &at(&WELL.replace("\"scheduled\"", "\"planned\""), None),
        Undefined,
        "night",
    );
}

#[test]
fn status_io_and_cachet_have_words_of_their_own() {
    use FailureKind::{Mismatch, Missing, Undefined};
    let io = estate(
        "    status_pages: [{url: \"https://api.status.io/1.0/status/x\", kind: status.io}]\n",
    );
    let well = STATUS_IO;
    never_silent(Ask::NoIncident, &io, |one| answered(one, well));
    let at = |text: &str, go_live| {
        judge_by(Ask::NoIncident, &io, go_live, |one| {
            Some(answered(one, text))
        })
    };
    holds(&at(
        &well.replacen(":100}", ":200}", 1),
        Some("2026-12-09T00:00:00Z"),
    ));
    fails(
        &at(&well.replacen(":100}", ":500}", 1), None),
        Mismatch,
        "`500`",
    );
    fails(
        &at(&well.replacen(":100}", ":101}", 1), None),
        Undefined,
        "`101`",
    );
    let component = |code: &str| at(&well.replace("100}]", &format!("{code}}}]")), None);
    fails(
        &component("500"),
        Mismatch,
        "component `API` is told as `500`",
    );
    fails(&component("101"), Undefined, "component `API`");
    let open = well.replace("\"incidents\":[]", "\"incidents\":[{\"name\":\"down\"}]");
    fails(&at(&open, None), Mismatch, "down");
    fails(
        &at(well, Some("2026-12-02T01:00:00Z")),
        Mismatch,
        "\"m\" (upcoming)",
    );

    let cachet =
        estate("    status_pages: [{url: \"https://status.example.com/\", kind: cachet}]\n");
    let list = |value: &str| {
        format!(
            r#"{{"data":[{{"attributes":{{"name":"it","status":{{"human":"x","value":{value}}},"updated":{{"string":"2026-11-20 10:00:00"}},"scheduled":{{"string":"2026-12-02 00:00:00"}},"completed":{{"string":"2026-12-02 02:00:00"}}}}}}]}}"#
        )
    };
    let at = |component: &str, incident: &str, schedule: &str, go_live| {
        judge_by(Ask::NoIncident, &cachet, go_live, |one| {
            let value = match &one.read {
                Read::CachetComponents => component,
                Read::CachetIncidents => incident,
                _ => schedule,
            };
            Some(answered(one, &list(value)))
        })
    };
    let night = Some("2026-12-02T01:00:00Z");
    holds(&at("1", "4", "0", None));
    holds(&at("6", "4", "2", night));
    fails(
        &at("6", "4", "2", None),
        Mismatch,
        "`6` (under maintenance)",
    );
    fails(&at("4", "4", "2", None), Mismatch, "`4` (major outage)");
    fails(&at("3", "4", "2", None), Mismatch, "`3` (partial outage)");
    holds(&at("2", "4", "2", None));
    for unknown in ["0", "5", "7"] {
        fails(&at(unknown, "4", "2", None), Undefined, unknown);
    }
    for open in ["1", "2", "3"] {
        fails(&at("1", open, "2", None), Mismatch, "it");
    }
    fails(&at("1", "2", "2", None), Mismatch, "(2: identified)");
    fails(&at("1", "0", "2", None), Undefined, "it");
    fails(&at("1", "4", "0", night), Mismatch, "it");
    fails(&at("1", "4", "1", None), Mismatch, "it");
    fails(&at("1", "4", "3", None), Undefined, "it");
    // One of its three lists alone proves nothing.
    let some = judge_by(Ask::NoIncident, &cachet, None, |one| {
        (one.read != Read::CachetIncidents).then(|| answered(one, &list("1")))
    });
    assert!(some.failure.is_some());

    // What only people can read tells no program that all is well.
    let feeds = estate("    status_pages: [{url: \"https://status.example.com/x\", kind: page}]\n");
    let judged = judge_by(Ask::NoIncident, &feeds, None, |one| {
        Some(answered(one, "well"))
    });
    fails(&judged, Missing, "people only");
    holds(&judge_by(Ask::PagesAlive, &feeds, None, |one| {
        Some(answered(one, "well"))
    }));
    let empty = judge_by(Ask::PagesAlive, &feeds, None, |one| Some(answered(one, "")));
    fails(&empty, FailureKind::Empty, "0 bytes");
}
