//! Instructions instead of seconds: the same on a busy machine and on an idle one, so that a ratio to the stored
//! baseline tells a regression. Needs `valgrind`.
//!
//! `cargo bench --bench instructions`; `-- verify` only what has that in its name; `-- --write` stores the counts as
//! the new baseline; `-- --keep DIR` leaves callgrind's files there, for `callgrind_annotate --inclusive=yes`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints its figures, and stops where it cannot go on"
)]

#[path = "../estate/plans.rs"]
mod plans;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use plans::{estate, refused, run, words};

const GONOGO: &str = env!("CARGO_BIN_EXE_gonogo");
const BASELINE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/benches/instructions/baseline.txt"
);
/// Hash maps are seeded anew in each process: counts differ by far less than this.
const MOST: f64 = 1.03;

fn main() -> ExitCode {
    let mut wanted = Vec::new();
    let (mut writes, mut keeps) = (false, None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            // What cargo itself adds.
            "--bench" => {}
            "--write" => writes = true,
            "--keep" => keeps = Some(PathBuf::from(words.next().expect("--keep DIR"))),
            _ => wanted.push(word),
        }
    }
    let root = tempfile::tempdir().unwrap();
    let at = root.path();
    let baseline = fs::read_to_string(BASELINE).unwrap_or_default();
    let (mut stored, mut grown) = (String::new(), false);
    println!(
        "{:42} {:>14} {:>14} {:>7}",
        "", "instructions", "baseline", "ratio"
    );
    for (name, prepare, line) in cases() {
        let before = baseline.lines().find_map(|line| {
            let (count, told) = line.trim().split_once("  ")?;
            (told == name).then(|| count.parse::<u64>().ok())?
        });
        if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(word)) {
            // What was not counted this time stays as it was.
            if let Some(before) = before {
                writeln!(stored, "{before:>14}  {name}").unwrap();
            }
            continue;
        }
        prepare(at);
        let to = keeps
            .as_deref()
            .unwrap_or(at)
            .join(format!("{}.callgrind", name.replace([' ', ','], "-")));
        let count = instructions(at, &line, &to);
        writeln!(stored, "{count:>14}  {name}").unwrap();
        match before {
            Some(before) => {
                #[expect(clippy::cast_precision_loss, reason = "counts are below 2^52")]
                let ratio = count as f64 / before as f64;
                grown |= ratio > MOST;
                println!("{name:42} {count:>14} {before:>14} {ratio:>7.3}");
            }
            None => println!("{name:42} {count:>14} {:>14} {:>7}", "-", "-"),
        }
    }
    if writes {
        fs::write(BASELINE, stored).unwrap();
        return ExitCode::SUCCESS;
    }
    if grown {
        println!("\nmore than {MOST} times the baseline: find out why, or store it with --write");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

type Case = (&'static str, fn(&Path), Vec<String>);

fn cases() -> Vec<Case> {
    let plan = |inventory: &str| words(&["plan", "-i", inventory, "features"]);
    let verify = |run: &str, signers: &str| words(&["verify", run, "--allowed-signers", signers]);
    vec![
        ("help", |_| {}, words(&["--help"])),
        (
            "verify, the demo's 121 checks",
            demo,
            verify("demo", "demo.allowed_signers"),
        ),
        (
            "verify, 1000 checks",
            |at| refused(at, 100),
            verify("run-100", "signers"),
        ),
        (
            "verify, 10000 checks",
            |at| refused(at, 1_000),
            verify("run-1000", "signers"),
        ),
        ("plan, 10 checks", |at| estate(at, 1, ""), plan("1.yaml")),
        (
            "plan, 1000 hosts, 10000 checks",
            |at| estate(at, 1_000, ""),
            plan("1000.yaml"),
        ),
        (
            "plan, 10000 hosts, 100000 checks",
            |at| estate(at, 10_000, ""),
            plan("10000.yaml"),
        ),
    ]
}

/// Counted by callgrind, which sees every instruction of the process.
fn instructions(at: &Path, line: &[String], to: &Path) -> u64 {
    let out = format!("--callgrind-out-file={}", to.display());
    let ended = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", &out, GONOGO])
        .args(line)
        .current_dir(at)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("valgrind is installed");
    // A run that nobody could log in for is NO-GO, and verified all the same.
    assert!(matches!(ended.code(), Some(0 | 1)), "{line:?}: {ended}");
    let told = fs::read_to_string(to).unwrap();
    let summary = told.lines().find_map(|line| {
        let totals = line
            .strip_prefix("summary:")
            .or(line.strip_prefix("totals:"))?;
        totals.split_whitespace().next()?.parse().ok()
    });
    summary.expect("callgrind tells a sum")
}

fn demo(at: &Path) {
    run(at, &["demo", "--out", "demo"]);
}
