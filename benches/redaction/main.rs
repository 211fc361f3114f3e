//! The redaction of a log as `case build` does it, every walk of it: learn until no name is new, redact, prove.
//! 100 MiB of AMPS's log unless a number of MiB is given. `cargo bench --bench redaction -- 100`
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints its figures, and stops where it cannot go on"
)]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use gonogo::redaction::{Counts, Engine, Known, Map, Proof, Shape, learn, prove, redact};

/// As many walks as `case build` takes at most to learn.
const ROUNDS: usize = 6;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mib = words.iter().find_map(|word| word.parse::<usize>().ok());
    let mib = mib.unwrap_or(100);
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("amps.log"), home.path().join("out.log"));
    write(&from, mib << 20);
    let known = Known {
        hosts: ["ny4-1", "10.20.0.11"].map(str::to_owned).into(),
        users: ["svc_quotes".to_owned()].into(),
        protected: ["orders", "amps"].map(str::to_owned).into(),
        versions: ["5.3.4.12".to_owned()].into(),
        ..Known::default()
    };
    let mut engine = Engine::new(known, Map::with_key([7; 32]));
    let start = Instant::now();
    for round in 1..=ROUNDS {
        let before = engine.names_met();
        walk(&format!("learn {round}"), mib, || {
            learn(&mut engine, Shape::Lines, &from).unwrap();
            engine.settle();
        });
        if engine.names_met() == before {
            break;
        }
    }
    let mut counts = Counts::new();
    walk("redact", mib, || {
        counts = redact(&engine, Shape::Lines, &from, &to).unwrap();
    });
    walk("prove", mib, || {
        let leaks = prove(&Proof::new(&engine), Shape::Lines, &to).unwrap();
        assert!(leaks.is_empty(), "{leaks:?}");
    });
    let all = start.elapsed().as_secs_f64();
    let clean = fs::read_to_string(&to).unwrap();
    assert!(!clean.contains("aconnors") && clean.contains("heartbeat timeout after 5000 ms"));
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    println!(
        "all      {all:7.2} s   {peak}   {} names",
        engine.names_met()
    );
    println!("{counts:?}");
}

fn walk(name: &str, mib: usize, work: impl FnOnce()) {
    let start = Instant::now();
    work();
    let took = start.elapsed().as_secs_f64();
    println!("{name:8} {took:7.2} s   {:7.1} MiB/s", mib as f64 / took);
}

/// A log of AMPS: clients that come and go, journals, replication, heartbeats, a password now and then.
fn write(path: &Path, bytes: usize) {
    let mut file = fs::File::create(path).unwrap();
    let (mut text, mut written, mut seed) = (String::new(), 0, 42_u64);
    let mut at = 0_u64;
    while written < bytes {
        text.clear();
        while text.len() < 1 << 20 {
            // PCG's multiplier (Knuth, MMIX).
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let mut number = |most: u64| {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (seed >> 33) % most
            };
            at += 1;
            let (hour, minute, second) = (at / 3_240_000 % 24, at / 54_000 % 60, at / 900 % 60);
            let client = format!(
                "blotter-{}-{}",
                ["ny", "ldn", "zrh"][number(3) as usize],
                number(12)
            );
            let user = ["aconnors", "hkuhn", "svc_quotes", "mkt_ro"][number(4) as usize];
            let address = format!("10.20.{}.{}", number(4), 1 + number(60));
            let _ = write!(
                text,
                "2026-11-21T{hour:02}:{minute:02}:{second:02}.{:07}-05:00 [{}] ",
                number(10_000_000),
                number(64)
            );
            let _ = match number(100) {
                0..30 => writeln!(
                    text,
                    "info: 1F-0004 [{address}:{}] AMPS client session logon: {client} user id: {user} version: 5.3.4.0.java correlation id: {:#x}",
                    1024 + number(60_000),
                    number(1 << 16)
                ),
                30..55 => writeln!(
                    text,
                    "trace: 12-0010 client[{client}] sow_and_subscribe topic /orders filter \"/price > {}\" batch size 100 bookmark {}|{}|",
                    number(999),
                    number(1 << 50),
                    number(1 << 31)
                ),
                55..70 => writeln!(
                    text,
                    "info: 07-0015 journal file ./journal/orders.{:010}.journal of size {} bytes recycled after {}.123 ms",
                    number(99_999),
                    number(1 << 30),
                    number(9)
                ),
                70..80 => writeln!(
                    text,
                    "warning: 30-0011 slow client {client} at tcp://{address}:9007/amps/json: queue depth {}, {} bytes behind",
                    number(90_000),
                    number(1 << 28)
                ),
                80..90 => writeln!(
                    text,
                    "info: 02-0003 replication to amps-b.zrhbank.example:9010 acknowledged sequence {} in {}ms",
                    number(1 << 31),
                    number(90)
                ),
                90..99 => writeln!(
                    text,
                    "info: 00-0016 heartbeat timeout after 5000 ms, 3.5MB queued, 1,234,567 messages published"
                ),
                _ => writeln!(
                    text,
                    "error: 07-0023 Authentication failure for client {client} user '{user}' password='pw{:x}'",
                    number(1 << 31)
                ),
            };
        }
        file.write_all(text.as_bytes()).unwrap();
        written += text.len();
    }
}
