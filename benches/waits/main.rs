//! What a person or a gate waits for on the runner itself: help, reading an inventory and making a plan, the practice
//! estate, verifying its run; and of runs of 1,000, 10,000 and 100,000 checks (nobody could log in) their report,
//! pages and signature, and verifying them. `cargo bench --bench waits`; `-- read` only what has that in its name.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints its figures, and stops where it cannot go on"
)]

#[path = "../estate/measure.rs"]
mod measure;
mod parts;
#[path = "../estate/plans.rs"]
mod plans;

use std::path::Path;

use measure::{Used, median, run};
use plans::{estate, refused, words};

const GONOGO: &str = env!("CARGO_BIN_EXE_gonogo");
const HOSTS: [u32; 3] = [100, 1_000, 10_000];

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    // What no command does alone is measured of this program, as a process of its own.
    if parts::run(&asked) {
        return;
    }
    let wanted: Vec<&String> = asked.iter().filter(|word| *word != "--bench").collect();
    let root = tempfile::tempdir().unwrap();
    let at = root.path();
    let measure = |name: &str, rounds: usize, line: &dyn Fn(usize) -> Vec<String>| {
        if wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str())) {
            measure(name, at, rounds, line);
        }
    };
    let gonogo = |line: &[&str]| [vec![GONOGO.to_owned()], words(line)].concat();
    let own = std::env::current_exe().unwrap().display().to_string();
    let own = |line: &[&str]| [vec![own.clone()], words(line)].concat();
    measure("gonogo --help", 20, &|_| gonogo(&["--help"]));
    for hosts in HOSTS {
        estate(at, hosts, "");
        let inventory = format!("{hosts}.yaml");
        let name = format!("read an inventory, {hosts} hosts");
        measure(&name, 5, &|_| own(&["read-inventory", &inventory]));
        let name = format!("plan, {hosts} hosts, {hosts}0 checks");
        measure(&name, 5, &|_| {
            gonogo(&["plan", "-i", &inventory, "features"])
        });
    }
    measure("plan, 10000 hosts, --host h7000", 5, &|_| {
        gonogo(&["plan", "-i", "10000.yaml", "--host", "h7000", "features"])
    });
    measure("gonogo demo", 5, &|round| {
        gonogo(&["demo", "--out", &format!("demo-{round}")])
    });
    measure("gonogo verify, of the demo's run", 20, &|_| {
        if !at.join("demo-1").exists() {
            plans::run(at, &["demo", "--out", "demo-1"]);
        }
        let signers = "demo-1.allowed_signers";
        gonogo(&["verify", "demo-1", "--allowed-signers", signers])
    });
    for hosts in HOSTS {
        let of = format!("run-{hosts}");
        let checks = format!("{hosts}0 checks");
        let names = [
            "verify",
            "read a report",
            "report and pages",
            "sealed whole",
        ];
        let names = names.map(|name| format!("{name}, {checks}"));
        let is_wanted = |name: &String| wanted.iter().any(|word| name.contains(word.as_str()));
        if !wanted.is_empty() && !names.iter().any(is_wanted) {
            continue;
        }
        refused(at, hosts);
        measure(&names[0], 3, &|_| {
            gonogo(&["verify", &of, "--allowed-signers", "signers"])
        });
        // To be taken off the next two, which begin with it.
        measure(&names[1], 3, &|_| own(&["read-report", &of]));
        // Its manifest and signature too, without transcripts.
        measure(&names[2], 3, &|round| {
            own(&["seal-pages", &of, &format!("{of}-pages-{round}")])
        });
        measure(&names[3], 3, &|round| {
            own(&["seal-whole", &of, &format!("{of}-whole-{round}")])
        });
    }
}

fn measure(name: &str, at: &Path, rounds: usize, line: &dyn Fn(usize) -> Vec<String>) {
    let mut all: Vec<Used> = Vec::new();
    for round in 0..=rounds {
        // A run that nobody could log in for is NO-GO, and verified all the same.
        let (used, _) = run(at, &line(round), &[0, 1]);
        // The first one warms the page cache.
        if round > 0 {
            all.push(used);
        }
    }
    println!(
        "{name:38} wall {:7.3} s   CPU {:6.2} s   peak {:4.0} MiB   ({rounds} rounds, medians)",
        median(all.iter().map(|used| used.wall)),
        median(all.iter().map(|used| used.cpu)),
        median(all.iter().map(|used| used.rss)),
    );
}
