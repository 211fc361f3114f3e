//! Logs as they lie on servers: in a zone of their own, packed, still growing, in other encodings, with
//! lost blocks. Each fault on a real sshd, beside a twin that is well.

use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Stdio};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::lab::{Amps, Lab, OPERATIONS, Run};

const OPS: &str = OPERATIONS.team;

/// Judges `orders` with these files as its log: name, content, hours since the last change.
fn judge(log: Option<Value>, timezone: Option<&str>, files: &[(&str, Vec<u8>, i64)]) -> Run {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    lab.amps("quotes", &host);
    for rotated in ["", ".1", ".2.gz"] {
        orders.remove(&format!("{}{rotated}", orders.log()));
    }
    for (name, bytes, hours) in files {
        let name = format!("logs/orders.log{name}");
        orders.write(&name, bytes);
        changed(&orders, &name, *hours);
    }
    lab.judge_with(|inventory| {
        if let Some(zone) = timezone {
            inventory["hosts"]["ny4-1"]["timezone"] = zone.into();
        }
        if let Some(log) = log {
            inventory["instances"]["orders"]["artifacts"] = json!({"event log": log});
        }
    })
}

fn changed(orders: &Amps, name: &str, hours: i64) {
    let at = Timestamp::now() - SignedDuration::from_hours(hours);
    let file = File::options().write(true).open(orders.path(name)).unwrap();
    file.set_modified(at.into()).unwrap();
}

/// One entry each ten minutes, the last of them `to` hours ago, in that form and zone.
fn lines(form: &str, zone: &str, from: i64, to: i64) -> Vec<u8> {
    let zone = TimeZone::get(zone).unwrap();
    let hours = SignedDuration::from_hours;
    let (mut at, end) = (Timestamp::now() - hours(from), Timestamp::now() - hours(to));
    let mut text = String::new();
    while at < end {
        let stamp = at.to_zoned(zone.clone()).strftime(form).to_string();
        text.push_str(&format!("{stamp} info: 07-0023 client logon\n"));
        at += SignedDuration::from_mins(10);
    }
    text.into_bytes()
}

fn amps(from: i64, to: i64) -> Vec<u8> {
    lines("%Y-%m-%dT%H:%M:%S%.7f%:z [1]", "America/New_York", from, to)
}

fn tokyo(from: i64, to: i64) -> Vec<u8> {
    lines("%Y-%m-%d %H:%M:%S", "Asia/Tokyo", from, to)
}

fn zoneless() -> Option<Value> {
    Some(json!({
        "kind": "log", "path": "{home}/logs/*.log*", "format": "log",
        "entry": {"pattern": r"^(?<time>\S+ \S+) (?<level>\w+): (?<id>\S+)", "time": "%Y-%m-%d %H:%M:%S"},
    }))
}

fn pack(tool: &str, text: &[u8]) -> Vec<u8> {
    let mut words = tool.split(' ');
    let mut child = Command::new(words.next().unwrap())
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{tool}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let text = text.to_vec();
    let feeder = std::thread::spawn(move || stdin.write_all(&text));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    output.stdout
}

#[track_caller]
fn fails(run: &Run, kind: &str, actual: &str, hint: &str) {
    run.assert_only(&[("orders", OPS, "event log", kind)]);
    let check = run.check("orders", OPS, "event log");
    let failure = &check["failure"];
    assert!(
        failure["actual"].as_str().unwrap().contains(actual),
        "{failure:#}"
    );
    assert!(
        failure["hint"].as_str().unwrap().contains(hint),
        "{failure:#}"
    );
}

#[test]
fn a_dead_log_read_in_a_wrong_zone_does_not_look_alive() {
    let alive = [("", tokyo(30, 0), 0)];
    judge(zoneless(), Some("Asia/Tokyo"), &alive).assert_go(8);
    // Dead for nine hours: read as UTC, its last entry seems to be from just now.
    let dead = [("", tokyo(40, 9), 9)];
    let run = judge(zoneless(), None, &dead);
    fails(&run, "mismatch", "later", "`timezone:` of host `ny4-1`");
    let run = judge(zoneless(), Some("Asia/Tokyo"), &dead);
    fails(&run, "stale", "the newest is from", "running");
    // In the other direction a log that is alive looks old: no false GO.
    let run = judge(zoneless(), Some("Pacific/Kiritimati"), &alive);
    run.assert_only(&[("orders", OPS, "event log", "stale")]);
}

#[test]
fn every_packing_is_read_and_a_cut_one_is_corrupt() {
    for (ending, tool) in [(".xz", "xz -c"), (".zst", "zstd -qc"), (".bz2", "bzip2 -c")] {
        let packed = pack(tool, &amps(30, 5));
        let set = |packed: &[u8]| [("", amps(5, 0), 0), (ending, packed.to_vec(), 5)];
        judge(None, None, &set(&packed)).assert_go(8);
        let run = judge(None, None, &set(&packed[..packed.len() - 5]));
        fails(&run, "corrupt", "ends early", "-t`");
    }
}

#[test]
fn only_the_newest_of_packed_files_may_be_unfinished() {
    let gzip = |text: &[u8]| pack("gzip -c", text);
    let (old, new) = (gzip(&amps(30, 5)), gzip(&amps(5, 0)));
    // Cut where every block has come and the trailer has not: as the product's own live file.
    let cut = |bytes: &[u8]| bytes[..bytes.len() - 6].to_vec();
    let live = [(".1.gz", old.clone(), 5), (".gz", cut(&new), 0)];
    judge(None, None, &live).assert_go(8);
    let rotated = [(".1.gz", cut(&old), 5), (".gz", new, 0)];
    fails(
        &judge(None, None, &rotated),
        "corrupt",
        "ends early",
        "gzip -t",
    );
    // Packing failed a moment ago, and the live log is plain.
    let failed = [("", amps(5, 0), 0), (".1.gz", cut(&old), 0)];
    fails(
        &judge(None, None, &failed),
        "corrupt",
        "ends early",
        "gzip -t",
    );
}

#[test]
fn encodings_and_lost_blocks() {
    let utf16 = |text: &[u8]| {
        let text = String::from_utf8(text.to_vec()).unwrap();
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    let marked = [&b"\xff\xfe"[..], &utf16(&amps(30, 0))].concat();
    judge(None, None, &[("", marked, 0)]).assert_go(8);
    let bare = utf16(&amps(30, 0));
    let run = judge(None, None, &[("", bare.clone(), 0)]);
    fails(&run, "corrupt", "UTF-16", "encoding: utf-16");
    let declared = json!({"encoding": "utf-16"});
    judge(Some(declared), None, &[("", bare, 0)]).assert_go(8);
    let lost = [amps(30, 0), vec![0; 4096]].concat();
    let run = judge(None, None, &[("", lost, 0)]);
    fails(&run, "corrupt", "its last 4 KiB are NUL bytes", "crash");
    let page = b"<html><body>502 Bad Gateway</body></html>\n".to_vec();
    let run = judge(None, None, &[("", page, 0)]);
    fails(&run, "corrupt", "an HTML page", "error or login page");
}
