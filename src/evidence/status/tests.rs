//! What has not the shape of its kind is refused; what it says is judged in `support/asked`.

use super::*;

const SUMMARY: &str = r#"{"page":{"id":"x","updated_at":"2026-11-20T10:00:00.123-08:00"},"status":{"indicator":"none","description":"All Systems Operational"},"components":[{"name":"API","status":"operational"}],"incidents":[],"scheduled_maintenances":[]}"#;
const STATUS_IO: &str = r#"{"result":{"status_overall":{"updated":"2026-11-20T10:00:00.000Z","status":"Operational","status_code":100},"status":[{"name":"API","status_code":100,"containers":[]}],"incidents":[],"maintenance":{"active":[],"upcoming":[]}}}"#;
const CACHET: &str = r#"{"data":[{"id":"1","type":"x","attributes":{"name":"API","status":{"human":"ok","value":1},"updated":{"string":"2026-11-20 10:00:00"}}}],"links":{"first":"x","next":null}}"#;

fn read(read: &Read, text: &str) -> Result<Page, Failure> {
    page(read, text.as_bytes()).unwrap()
}

#[test]
fn each_kind_reads_its_own() {
    for (kind, text) in [
        (Read::Statuspage, SUMMARY),
        (Read::StatusIo, STATUS_IO),
        (Read::CachetComponents, CACHET),
        (Read::CachetIncidents, CACHET),
        (Read::CachetSchedules, CACHET),
    ] {
        let page = read(&kind, text).unwrap();
        let day = page.updated.unwrap();
        assert!(day.starts_with("2026-11-20T1"), "{kind:?}: {day}");
        assert_eq!(page.unwell, []);
    }
    assert!(page(&Read::Nothing, b"{}").is_none());
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let marked = |text: &str| [b"\xef\xbb\xbf", text.as_bytes()].concat();
    assert!(page(&Read::Statuspage, &marked(SUMMARY)).unwrap().is_ok());
    // Two of them, or one amid the text, are none.
    let twice = [b"\xef\xbb\xbf", &marked(SUMMARY)[..]].concat();
    assert!(page(&Read::Statuspage, &twice).unwrap().is_err());
    let time = super::super::pointed::time("/t", &marked(r#"{"t":"2026-11-20T10:00:00Z"}"#));
    assert_eq!(time.unwrap(), "2026-11-20T10:00:00Z");
}

#[test]
fn what_has_another_shape_is_refused() {
    let without = |text: &str, part: &str| {
        assert!(text.contains(part), "{part}");
        text.replacen(part, "", 1)
    };
    for (kind, text) in [
        (Read::Statuspage, "<html></html>".to_owned()),
        (Read::Statuspage, String::new()),
        (Read::Statuspage, "{}".to_owned()),
        (Read::Statuspage, STATUS_IO.to_owned()),
        // A clone that leaves a list out tells nothing of it.
        (Read::Statuspage, without(SUMMARY, r#""incidents":[],"#)),
        (
            Read::Statuspage,
            without(SUMMARY, r#","scheduled_maintenances":[]"#),
        ),
        (
            Read::Statuspage,
            without(SUMMARY, r#","updated_at":"2026-11-20T10:00:00.123-08:00""#),
        ),
        (
            Read::Statuspage,
            SUMMARY.replace("2026-11-20T10:00:00.123-08:00", "Nov 20, 10:00 PST"),
        ),
        // A key that stands twice could say both.
        (
            Read::Statuspage,
            SUMMARY.replace(r#""incidents":[]"#, r#""incidents":[],"incidents":[]"#),
        ),
        (Read::StatusIo, without(STATUS_IO, r#""incidents":[],"#)),
        (
            Read::StatusIo,
            STATUS_IO.replace("100,\"con", "\"100\",\"con"),
        ),
        (Read::StatusIo, SUMMARY.to_owned()),
        (
            Read::CachetIncidents,
            CACHET.replace("null", r#""https://x/api/incidents?page=2""#),
        ),
        (
            Read::CachetComponents,
            CACHET.replace("2026-11-20 10:00:00", "2 days ago"),
        ),
        // As 2.x has it: without `attributes`.
        (
            Read::CachetIncidents,
            r#"{"data":[{"id":1,"name":"x","status":4}]}"#.to_owned(),
        ),
        (Read::CachetIncidents, r#"{"errors":["no"]}"#.to_owned()),
    ] {
        let failure = read(&kind, &text).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Corrupt, "{kind:?}: {text}");
        assert!(!failure.hint.is_empty());
    }
    let one = r#"{"name":"x","status":"investigating"}"#;
    let many = vec![one; MOST + 1].join(",");
    let text = SUMMARY.replace(r#""incidents":[]"#, &format!(r#""incidents":[{many}]"#));
    assert_eq!(
        read(&Read::Statuspage, &text).unwrap_err().kind,
        FailureKind::TooLarge
    );
}

#[test]
fn words_of_the_other_side_are_short_and_told_as_they_came() {
    let long = "a".repeat(5000);
    let text = SUMMARY.replace(
        r#""incidents":[]"#,
        &format!(r#""incidents":[{{"name":"{long}","status":"investigating","shortlink":"https://stspg.io/x"}}]"#),
    );
    let page = read(&Read::Statuspage, &text).unwrap();
    assert!(page.incidents[0].title.len() < 300);
    assert_eq!(page.incidents[0].url.as_deref(), Some("https://stspg.io/x"));
}
