//! How long, how much CPU, how much memory: each contender is a process of its own under
//! `/usr/bin/time`, and rounds alternate, so that a busy machine burdens all alike.

use std::path::Path;
use std::process::{Command, Stdio};

/// What one process used.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    /// Seconds of wall time.
    pub wall: f64,
    /// CPU seconds, user and system.
    pub cpu: f64,
    /// Peak resident set, MiB.
    pub rss: f64,
}

/// Runs `words` in `directory`; panics with its output unless it exits with 0.
pub fn run(directory: &Path, words: &[String]) -> (Used, String) {
    let output = Command::new("/usr/bin/time")
        .args(["--quiet", "-f", "@@ %e %U %S %M"])
        .args(words)
        .current_dir(directory)
        .env("NO_COLOR", "1")
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::null())
        .output()
        .expect("/usr/bin/time is installed (Debian: time)");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{words:?}\n{stdout}\n{errors}");
    let (_, numbers) = errors.rsplit_once("@@ ").expect("time's line");
    let numbers: Vec<f64> = numbers
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    let used = Used {
        wall: numbers[0],
        cpu: numbers[1] + numbers[2],
        rss: numbers[3] / 1024.0,
    };
    (used, stdout)
}

/// The middle value.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        many if many % 2 == 1 => values[many / 2],
        many => f64::midpoint(values[many / 2 - 1], values[many / 2]),
    }
}

/// CPU of one process, with that of its reaped children.
pub struct Stat {
    parent: u32,
    id: u32,
    /// Clock ticks, user and system.
    pub ticks: u64,
}

/// Every living process below `root` (proc(5)).
pub fn descendants(root: u32) -> Vec<Stat> {
    let mut all: Vec<Stat> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| stat(&entry.ok()?.path()))
        .collect();
    let mut found: Vec<Stat> = Vec::new();
    loop {
        let is_below =
            |stat: &Stat| stat.id == root || found.iter().any(|above| above.id == stat.parent);
        let (below, rest) = all.into_iter().partition(is_below);
        let below: Vec<Stat> = below;
        all = rest;
        if below.is_empty() {
            return found;
        }
        found.extend(below);
    }
}

fn stat(process: &Path) -> Option<Stat> {
    let text = std::fs::read_to_string(process.join("stat")).ok()?;
    // The name in parentheses may hold blanks.
    let (head, tail) = text.rsplit_once(')')?;
    let fields: Vec<&str> = tail.split_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().map(|ticks| ticks.parse::<u64>());
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        id: head.split(' ').next()?.parse().ok()?,
        ticks: ticks.sum::<Result<u64, _>>().ok()?,
    })
}
