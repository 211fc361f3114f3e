//! One host that takes the connection and never says a word: when the last check of the others has ended, with it
//! and without it.

use std::fs;
use std::net::TcpListener;

use jiff::Timestamp;
use serde_json::Value;

use super::estate::{Estate, measure};

/// Prints both; the run with the silent host is a NO-GO.
pub fn compare(estate: &Estate, jobs: usize) {
    let operator = estate.operator();
    let plain = fs::read_to_string(operator.join("inventory.yaml")).unwrap();
    // Nobody accepts: the kernel does, and that is all.
    let silent = TcpListener::bind((estate.addresses[0], 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let place = |port: u16| format!("address: {}, port: {port}", estate.addresses[0]);
    let with = plain.replacen(&place(estate.port), &place(port), 1);
    let with = with.replace("connect_timeout: 30s", "connect_timeout: 10s");
    for (round, (name, inventory, code)) in [
        ("to warm up", &plain, 0),
        ("all of them answer", &plain, 0),
        ("one of them is silent", &with, 1),
    ]
    .into_iter()
    .enumerate()
    {
        fs::write(operator.join("inventory.yaml"), inventory).unwrap();
        let out = format!("silent-{round}");
        let (used, _) = measure::run(
            &operator,
            &estate.gonogo(&out, "amps.feature", jobs),
            &[code],
        );
        let text = fs::read_to_string(operator.join(&out).join("report.json")).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap();
        let begun: Timestamp = report["run"]["started"].as_str().unwrap().parse().unwrap();
        let others = report["checks"].as_array().unwrap().iter();
        let ended = others
            .filter(|check| check["host"] != "h001")
            .map(|check| {
                assert_eq!(check["outcome"], "passed", "{check}");
                let started: Timestamp = check["started"].as_str().unwrap().parse().unwrap();
                let waited = started.duration_since(begun).as_secs_f64();
                waited + check["duration_ms"].as_f64().unwrap() / 1000.0
            })
            .fold(0.0, f64::max);
        println!(
            "{name:24} the others were done after {ended:.2} s, the run after {:.2} s",
            used.wall
        );
    }
}
