//! Logs whose entries the inventory describes: those of real products, each in its own words.

use super::*;
use crate::failure::FailureKind;
use crate::inventory::{Entry, TimeForm};

fn artifact(format: Format, form: EntryForm, time: TimeForm, zone: Zone) -> Artifact {
    let levels = [
        &["debug", "DEBUG", "."][..],
        &["info", "Note", "LOG", "notice", "-", "I"],
        &["warn", "Warning", "WARNING", "W"],
        &["error", "ERROR", "E"],
    ];
    let words = |words: &&[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let mut artifact = crate::evidence::reader::artifact(Some(format));
    artifact.log.entry = Some(Entry {
        form,
        time,
        zone,
        levels: levels.iter().map(words).collect(),
    });
    artifact
}

fn line(pattern: &str, mask: &str) -> Artifact {
    let form = EntryForm::Line(Pattern(regex::Regex::new(pattern).unwrap()));
    let time = match mask {
        "rfc3339" => TimeForm::Rfc3339,
        mask => TimeForm::Strptime(mask.to_owned()),
    };
    artifact(Format::Log, form, time, Zone::Host)
}

fn read(artifact: &Artifact, timezone: Option<&str>, bytes: &[u8]) -> Result<Content, Failure> {
    let judge = |step: usize| {
        let mut reader = reader(artifact, timezone).unwrap();
        for piece in bytes.chunks(step) {
            reader.write_all(piece).unwrap();
        }
        reader.finish()
    };
    let whole = judge(usize::MAX);
    for step in [1, 7, 4096] {
        assert_eq!(judge(step), whole, "in pieces of {step}");
    }
    whole
}

fn seen(content: Result<Content, Failure>) -> LogSeen {
    match content {
        Ok(Content::Log(seen)) => *seen,
        other => panic!("{other:?}"),
    }
}

fn levels(seen: &LogSeen) -> Vec<u64> {
    // Behind the known ones come those that nobody knows, such as STATEMENT here.
    let known = seen.levels.iter().take(4);
    known.map(|level| level.entries).collect()
}

#[test]
fn nginx_postgresql_mariadb_and_redis() {
    for (pattern, mask, log, newest, ranks) in [
        (
            r"^(?<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?<level>\w+)\] \d+#\d+: ",
            "%Y/%m/%d %H:%M:%S",
            "2026/11/21 09:29:59 [notice] 1#1: start\n2026/11/21 09:30:00 [error] 7#7: *1 open()\n",
            "2026-11-21T09:30:00Z",
            [0, 1, 0, 1],
        ),
        (
            r"^(?<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \S+ \[\d+\] (?:\S*@\S* )?(?<level>[A-Z]+\d?): ",
            "%Y-%m-%d %H:%M:%S%.f",
            "2026-11-21 09:29:59.000 UTC [9] LOG:  ready\n\tmore\n\
             2026-11-21 09:30:00.250 UTC [9] a@b ERROR:  syntax\n\
             2026-11-21 09:30:00.250 UTC [9] a@b STATEMENT:  selec\n",
            "2026-11-21T09:30:00.25Z",
            [0, 1, 0, 1],
        ),
        (
            r"^(?<time>\d{4}-\d\d-\d\d [ \d]\d:\d\d:\d\d) \d+ \[(?<level>Note|Warning|ERROR)\] ",
            "%Y-%m-%d %H:%M:%S",
            "2026-11-21  9:29:59 0 [Note] InnoDB\nVersion: '10.11'  socket: ''\n\
             2026-11-21  9:30:00 3 [Warning] Aborted\n",
            "2026-11-21T09:30:00Z",
            [0, 1, 1, 0],
        ),
        (
            r"^\d+:[XCSM] (?<time>\d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3}) (?<level>[.\-*#]) ",
            "%d %b %Y %H:%M:%S%.f",
            "7:C 21 Nov 2026 09:29:59.000 . oO0\n7:M 21 Nov 2026 09:30:00.500 - x\n",
            "2026-11-21T09:30:00.5Z",
            [1, 1, 0, 0],
        ),
    ] {
        let seen = seen(read(&line(pattern, mask), None, log.as_bytes()));
        assert_eq!(seen.newest.unwrap().to_string(), newest, "{log}");
        assert_eq!(levels(&seen), ranks, "{log}");
        let names: Vec<&str> = seen
            .levels
            .iter()
            .take(4)
            .map(|level| level.name.as_str())
            .collect();
        assert_eq!(names, ["debug", "info", "warn", "error"]);
    }
}

#[test]
fn a_json_object_a_line() {
    let some = |text: &str| Some(text.to_owned());
    let form = EntryForm::Json {
        time: "t.$date".to_owned(),
        level: some("s"),
        id: some("id"),
    };
    let mongodb = artifact(Format::JsonLog, form, TimeForm::Rfc3339, Zone::Host);
    let log = r#"{"t":{"$date":"2026-11-21T09:29:59.000+00:00"},"s":"I","c":"-","id":4615611,"msg":"x"}
{"t":{"$date":"2026-11-21T09:30:00.000+00:00"},"s":"W","id":22120,"msg":"y","attr":{"t":1}}
not JSON
"#;
    let seen = seen(read(&mongodb, None, log.as_bytes()));
    assert_eq!((seen.entries, levels(&seen)), (2, vec![0, 1, 1, 0]));
    assert_eq!(seen.ids.keys().collect::<Vec<_>>(), ["22120", "4615611"]);
    let failure = read(&mongodb, None, br#"{"error":"not found"}"#).unwrap_err();
    assert_eq!(failure.actual, "a JSON error message");
}

#[test]
fn the_zone_is_the_entry_s_or_the_host_s_or_utc() {
    const LOG: &[u8] = b"2026-11-21 09:30:00 x\n";
    let mut log = line("^(?<time>.{19})", "%Y-%m-%d %H:%M:%S");
    let newest =
        |log: &Artifact, timezone| seen(read(log, timezone, LOG)).newest.unwrap().to_string();
    assert_eq!(newest(&log, None), "2026-11-21T09:30:00Z");
    assert_eq!(newest(&log, Some("Asia/Tokyo")), "2026-11-21T00:30:00Z");
    log.log.entry.as_mut().unwrap().zone = Zone::Named("Europe/Berlin".to_owned());
    assert_eq!(newest(&log, Some("Asia/Tokyo")), "2026-11-21T08:30:00Z");
}

#[test]
fn times_that_do_not_read_are_a_failure_unless_they_are_few() {
    let log = line("^(?<time>.{19}) ", "%d.%m.%Y %H:%M:%S");
    let good = "21.11.2026 09:30:00 x\n";
    let odd = "21/11/2026 09:30:00 token=hunter2\n";
    let few = [good, odd, good].concat();
    assert_eq!(seen(read(&log, None, few.as_bytes())).entries, 2);
    let many = [good, odd, odd].concat();
    let failure = read(&log, None, many.as_bytes()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Mismatch);
    assert_eq!(failure.expected, "times written as `%d.%m.%Y %H:%M:%S`");
    assert!(failure.actual.ends_with("first is `21/11/2026 09:30:00`"));
}

#[test]
fn ids_that_hold_a_secret_are_redacted_and_long_ones_are_none() {
    let log = line(r"^(?<time>\S+) (?<id>.*)$", "rfc3339");
    let at = "2026-11-21T09:30:00Z";
    let text = format!(
        "{at} E17\n{at} password=hunter2\n{at} {}\n{at} \n",
        "x".repeat(65)
    );
    let seen = seen(read(&log, None, text.as_bytes()));
    assert_eq!((seen.entries, seen.has_more_ids), (4, true));
    assert_eq!(
        seen.ids.keys().collect::<Vec<_>>(),
        ["E17", "password=[redacted]"]
    );
}

#[test]
fn lines_are_matched_by_their_heads_and_whatever_their_bytes() {
    let log = line(r"^(?<time>\S+) (?<level>\w+) .*needle", "rfc3339");
    let entry = |gap: usize| {
        let text = format!("2026-11-21T09:30:00Z info {}needle\n", "x".repeat(gap));
        read(&log, None, text.as_bytes())
    };
    assert!(entry(100).is_ok());
    // Behind the head nothing is looked at.
    assert!(entry(3000).is_err());
    let latin = b"2026-11-21T09:30:00Z info gr\xfc\xdfe needle\n";
    assert_eq!(seen(read(&log, None, latin)).entries, 1);
    let mut wide = b"2026-11-21T09:30:00Z info needle ".to_vec();
    wide.extend("ü".repeat(4000).bytes());
    assert_eq!(seen(read(&log, None, &wide)).entries, 1);
}

#[test]
fn nothing_but_a_described_log_has_a_reader() {
    let described = line("^(?<time>.)", "%s");
    for format in [Format::JsonLog, Format::Plain, Format::Xml] {
        let mut other = described.clone();
        other.format = Some(format);
        assert!(reader(&other, None).is_none(), "{format:?}");
    }
    assert!(reader(&described, Some("Nowhere/Town")).is_none());
    assert!(reader(&described, None).is_some());
}

#[test]
fn random_bytes_never_panic_and_are_no_log() {
    let mut state = 3_u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    let json = EntryForm::Json {
        time: "t".to_owned(),
        level: None,
        id: None,
    };
    let logs = [
        line(r"^(?<time>\d{4}-\S+) ", "rfc3339"),
        artifact(Format::JsonLog, json, TimeForm::Unix, Zone::Host),
        crate::evidence::reader::artifact(Some(Format::AmpsLog)),
    ];
    for encoding in [None, Some(Encoding::Utf16), Some(Encoding::Latin1)] {
        for mut log in logs.clone() {
            log.log.encoding = encoding;
            for size in [1, 2, 3, 100, 9000] {
                let noise: Vec<u8> = (0..size).map(|_| random()).collect();
                assert!(read(&log, None, &noise).is_err());
            }
        }
    }
}
