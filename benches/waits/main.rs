//! What a person or a gate waits for on the runner itself: help, reading an inventory of 10,000 hosts,
//! the practice estate, and verifying its run. `cargo bench --bench waits`
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints its figures, and stops where it cannot go on"
)]

#[path = "../estate/measure.rs"]
mod measure;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use measure::{Used, median, run};

const GONOGO: &str = env!("CARGO_BIN_EXE_gonogo");
const KEY: &str = "SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDTSGiEO5VJ2mRJPmk";
const HOSTS: u32 = 10_000;

fn main() {
    let root = tempfile::tempdir().unwrap();
    let at = root.path();
    fs::write(at.join("inventory.yaml"), inventory()).unwrap();
    fs::write(at.join("key"), "a plan reads no key\n").unwrap();
    let features = Path::new(env!("CARGO_MANIFEST_DIR")).join("features");
    let features = features.display().to_string();
    measure("gonogo --help", at, 20, |_| vec!["--help".into()]);
    measure("plan, 10,000 hosts, all checks", at, 5, |_| {
        words(&["plan", "-i", "inventory.yaml", &features])
    });
    measure("plan, 10,000 hosts, --host h7000", at, 5, |_| {
        words(&["plan", "-i", "inventory.yaml", "--host", "h7000", &features])
    });
    measure("gonogo demo", at, 5, |round| {
        words(&["demo", "--out", &format!("demo-{round}")])
    });
    measure("gonogo verify, of the demo's run", at, 20, |_| {
        words(&[
            "verify",
            "demo-1",
            "--allowed-signers",
            "demo-1.allowed_signers",
        ])
    });
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn measure(name: &str, at: &Path, rounds: usize, line: impl Fn(usize) -> Vec<String>) {
    let mut all: Vec<Used> = Vec::new();
    for round in 0..=rounds {
        let line = [vec![GONOGO.to_owned()], line(round)].concat();
        let (used, _) = run(at, &line);
        // The first one warms the page cache.
        if round > 0 {
            all.push(used);
        }
    }
    println!(
        "{name:34} wall {:7.3} s   CPU {:.2} s   peak {:.0} MiB   ({rounds} rounds, medians)",
        median(all.iter().map(|used| used.wall)),
        median(all.iter().map(|used| used.cpu)),
        median(all.iter().map(|used| used.rss)),
    );
}

/// One AMPS instance on each host, two teams, hops for a third of them.
fn inventory() -> String {
    let mut text = format!(
        "environment: bench\nteams:\n  operations: {{user: ops, key: key}}\n  \
         support: {{user: support, key: key}}\nproducts: {{amps: {{vendor: 60east}}}}\nvendors: {{60east: {{}}}}\n\
         hosts:\n  bastion: {{address: 10.0.0.1, host_key: \"{KEY}\"}}\n",
    );
    let mut instances = String::from("instances:\n");
    for host in 0..HOSTS {
        let (high, low) = (host / 250, host % 250 + 1);
        let via = if host % 3 == 0 {
            ", via: [bastion]"
        } else {
            ""
        };
        writeln!(text, "  h{host}:\n    address: 10.20.{high}.{low}\n    groups: [g{}]\n    host_key: \"{KEY}\"{}", host % 20, via.replace(", ", "\n    ")).unwrap();
        writeln!(instances, "  i{host}:\n    product: amps\n    host: h{host}\n    teams: [operations, support]\n    vars: {{home: /opt/amps/i{host}}}\n    expect: {{version: 5.3.4.12, name: i{host}}}").unwrap();
    }
    text + &instances
}
