//! The files of each host's instance: version command, three XML configurations, an event log of four
//! files (one gzipped) over 26 hours, and a statistics database of 1 MiB whose newest samples are only
//! in its `-wal`, because a writer keeps it open. Made up here; nothing of AMPS itself is involved.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

const VERSION: &str = "#!/bin/sh\necho 'AMPS 5.3.4.12.973814.e1a57f7 - Copyright (c) A Vendor'\n";
/// Rows of the sample table: they make the database 1 MiB.
const ROWS: i64 = 18_000;
/// Samples that are in the `-wal` alone: about 130 KiB of it.
const FRESH: i64 = 16;

/// No entry has fewer bytes.
const ENTRY: u64 = 88;

/// Adds a sample to each database every 10 seconds, AMPS' default; ends when dropped.
pub struct Writer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Lays out `hosts` instances below `root`; the first one's newest log gets `big` bytes.
pub fn install(root: &Path, hosts: usize, big: Option<u64>) -> Writer {
    let template = root.with_extension("db");
    fill(&template);
    let mut open = Vec::new();
    for index in 0..hosts {
        let name = format!("h{:03}", index + 1);
        let home = root.join(&name);
        for sub in ["bin", "config", "logs"] {
            fs::create_dir_all(home.join(sub)).unwrap();
        }
        fs::write(home.join("bin/ampServer"), VERSION).unwrap();
        fs::set_permissions(
            home.join("bin/ampServer"),
            fs::Permissions::from_mode(0o755),
        )
        .unwrap();
        fs::write(home.join("VERSION"), "AMPS 5.3.4.12.973814\n").unwrap();
        for (file, tag) in [
            ("config", "AMPSConfig"),
            ("logging", "Logging"),
            ("sow", "SOW"),
        ] {
            let text = configuration(tag, (file == "config").then_some(name.as_str()));
            fs::write(home.join(format!("config/{file}.xml")), text).unwrap();
        }
        logs(&home.join("logs"), big.filter(|_| index == 0));
        fs::copy(&template, home.join("stats.db")).unwrap();
        let live = Connection::open(home.join("stats.db")).unwrap();
        live.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0;",
        )
        .unwrap();
        (0..FRESH).for_each(|_| sample(&live, now()));
        open.push(live);
    }
    fs::remove_file(template).unwrap();
    let (stop, stopped) = channel::<()>();
    let thread = std::thread::spawn(move || {
        while stopped.recv_timeout(Duration::from_secs(10)) == Err(RecvTimeoutError::Timeout) {
            open.iter().for_each(|live| sample(live, now()));
        }
    });
    Writer {
        stop: Some(stop),
        thread: Some(thread),
    }
}

// Milliseconds of the Julian day, as AMPS counts.
fn now() -> i64 {
    Timestamp::now().as_millisecond() + 210_866_803_200_000
}

fn sample(live: &Connection, at: i64) {
    let row = "INSERT INTO IMEMORY_DYNAMIC VALUES (?1, 1, ?1 % 1000, ?1 % 77777, ?1 % 9999999, ?1)";
    live.execute(row, [at]).unwrap();
}

fn fill(path: &Path) {
    let new = Connection::open(path).unwrap();
    new.execute_batch(
        "PRAGMA synchronous = OFF;
         CREATE TABLE IMEMORY_STATIC (static_id INTEGER PRIMARY KEY, name TEXT);
         CREATE TABLE IMEMORY_DYNAMIC (timestamp INTEGER, static_id INTEGER, rss INTEGER, vmsize INTEGER, faults INTEGER, seen INTEGER);
         CREATE INDEX IMEMORY_TIME ON IMEMORY_DYNAMIC (timestamp);
         INSERT INTO IMEMORY_STATIC VALUES (1, 'memory');
         BEGIN;",
    )
    .unwrap();
    let begin = now() - ROWS * 10_000;
    (0..ROWS).for_each(|row| sample(&new, begin + row * 10_000));
    new.execute_batch("COMMIT;").unwrap();
}

fn configuration(tag: &str, name: Option<&str>) -> String {
    let mut text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{tag}>\n");
    if let Some(name) = name {
        writeln!(text, "  <Name>{name}</Name>").unwrap();
    }
    for number in 0..40 {
        writeln!(text, "  <Topic>\n    <Name>orders-{number}</Name>\n    <MessageType>json</MessageType>\n    <Key>/id</Key>\n  </Topic>").unwrap();
    }
    writeln!(text, "</{tag}>").unwrap();
    text
}

/// One entry every 30 seconds: the last hour, twelve hours, eighteen, twenty-six.
fn logs(directory: &Path, big: Option<u64>) {
    let now = Timestamp::now();
    let hours = |hours: i64| now - SignedDuration::from_hours(hours);
    let text = |from, to| {
        let mut text = Vec::new();
        entries(&mut text, from, to, SignedDuration::from_secs(30));
        text
    };
    let mut member = GzEncoder::new(Vec::new(), Compression::default());
    member.write_all(&text(hours(26), hours(18))).unwrap();
    fs::write(directory.join("amps.log.3.gz"), member.finish().unwrap()).unwrap();
    fs::write(directory.join("amps.log.2"), text(hours(18), hours(12))).unwrap();
    fs::write(directory.join("amps.log.1"), text(hours(12), hours(1))).unwrap();
    match big {
        None => fs::write(directory.join("amps.log"), text(hours(1), now)).unwrap(),
        Some(big) => {
            let file = File::create(directory.join("amps.log")).unwrap();
            let mut file = BufWriter::new(file);
            // So many entries in an hour that they make as many bytes.
            let every =
                SignedDuration::from_nanos(3_600_000_000_000 / i64::try_from(big / ENTRY).unwrap());
            entries(&mut file, hours(1), now, every);
            file.flush().unwrap();
            file.get_ref().set_len(big).unwrap();
        }
    }
}

fn entries(out: &mut impl std::io::Write, from: Timestamp, to: Timestamp, every: SignedDuration) {
    let mut at = from;
    let mut number = 0_u32;
    while at <= to {
        let stamp = at.strftime("%Y-%m-%dT%H:%M:%S%.7f+00:00");
        let thread = number % 23;
        writeln!(
            out,
            "{stamp} [{thread}] info: 07-0023 client logon {number} from 10.20.30.{thread}:41702"
        )
        .unwrap();
        number += 1;
        at += every;
    }
}
