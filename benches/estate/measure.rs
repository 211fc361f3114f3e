//! How long, how much CPU, how much memory: each contender is a process of its own under
//! `/usr/bin/time`, and rounds alternate, so that a busy machine burdens all alike.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

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

/// Runs `words` in `directory`; panics with its output unless it exits with one of `codes`.
pub fn run(directory: &Path, words: &[String], codes: &[i32]) -> (Used, String) {
    // `%e` counts in hundredths only.
    let clock = Instant::now();
    let output = Command::new("/usr/bin/time")
        .args(["--quiet", "-f", "@@ %U %S %M"])
        .args(words)
        .current_dir(directory)
        .env("NO_COLOR", "1")
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::null())
        .output()
        .expect("/usr/bin/time is installed (Debian: time)");
    let wall = clock.elapsed().as_secs_f64();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let code = output.status.code().unwrap_or(-1);
    assert!(codes.contains(&code), "{words:?}\n{stdout}\n{errors}");
    let (_, numbers) = errors.rsplit_once("@@ ").expect("time's line");
    let numbers: Vec<f64> = numbers
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    let used = Used {
        wall,
        cpu: numbers[0] + numbers[1],
        rss: numbers[2] / 1024.0,
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
