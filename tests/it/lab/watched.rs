//! A process that is watched: how long it took, and how much memory it held at its peak.

use std::fs;
use std::io::{Read as _, Seek as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What became of it.
pub struct Watched {
    pub code: Option<i32>,
    pub took: Duration,
    /// Peak resident memory in KiB.
    pub memory: u64,
    /// stdout and stderr.
    pub told: String,
}

/// Runs `command` to its end; kills it, and the test, when it takes longer than `most`.
pub fn watched(mut command: Command, most: Duration) -> Watched {
    let begun = Instant::now();
    let mut output = tempfile::tempfile().unwrap();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output.try_clone().unwrap())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut memory = 0;
    let ended = loop {
        // The kernel keeps the peak, so the last look has it.
        let peak = fs::read_to_string(&status).unwrap_or_default();
        let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.split_whitespace().next()?.parse().ok());
        memory = memory.max(peak.unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status.code());
        }
        if begun.elapsed() > most {
            let _ = child.kill();
            let _ = child.wait();
            break None;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let mut told = String::new();
    output.rewind().unwrap();
    output.read_to_string(&mut told).unwrap();
    Watched {
        code: ended.unwrap_or_else(|| panic!("still running after {most:?}: {told}")),
        took: begun.elapsed(),
        memory,
        told,
    }
}
