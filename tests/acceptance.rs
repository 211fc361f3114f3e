//! gonogo's own acceptance tests, in its own language: `tests/acceptance/*.feature` over `gonogo demo`,
//! so that they need neither root nor an sshd. Judges the binary alone, never the library.
//!
//! The stock runner is green for many things that are not (facts: traps.md T4): what was planned is
//! counted here beforehand, and only as many passed scenarios are a success.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test harness of its own: it dies, prints and exits"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use assert_fs::TempDir;
use cucumber::feature::Ext as _;
use cucumber::{World as _, gherkin, given, then, when};
use serde_json::Value;
use tokio::process::Command;

const FEATURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/acceptance");
const GONOGO: &str = env!("CARGO_BIN_EXE_gonogo");

/// A command that needs longer hangs.
const HARD_LIMIT: Duration = Duration::from_secs(180);

#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
struct Practice {
    dir: TempDir,
    fault: Option<String>,
    output: Option<Output>,
}

impl Practice {
    fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
            fault: None,
            output: None,
        }
    }

    async fn command(&self, program: &str, args: &[&str], stdin: Stdio) -> Output {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.dir.path()).stdin(stdin);
        command.env("NO_COLOR", "1").kill_on_drop(true);
        let ended = tokio::time::timeout(HARD_LIMIT, command.output()).await;
        ended.expect("ends in time").unwrap()
    }

    async fn gonogo(&mut self, args: &[&str]) {
        let output = self.command(GONOGO, args, Stdio::null()).await;
        self.output = Some(output);
    }

    fn output(&self) -> &Output {
        self.output.as_ref().expect("a When before the Then")
    }

    fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output().stdout).into_owned()
    }

    /// The only file whose name ends so below the scenario's directory.
    fn find(&self, name: &str) -> PathBuf {
        fn walk(dir: &Path, name: &str, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, name, found);
                } else if path.to_string_lossy().ends_with(name) {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        walk(self.dir.path(), name, &mut found);
        assert_eq!(found.len(), 1, "{name}: {found:?}\n{:?}", self.output);
        found.remove(0)
    }

    /// The signed run directory.
    fn run(&self) -> PathBuf {
        self.find("/report.json").parent().unwrap().to_owned()
    }

    fn report(&self) -> Value {
        let bytes = fs::read(self.find("/report.json")).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    fn checks(&self, outcome: &str) -> Vec<Value> {
        let report = self.report();
        let checks = report["checks"].as_array().unwrap().iter();
        let with = checks.filter(|check| check["outcome"] == outcome);
        with.cloned().collect()
    }
}

#[given("the practice estate")]
fn healthy(_: &mut Practice) {}

#[given(expr = "the practice estate with fault {string}")]
fn faulty(world: &mut Practice, fault: String) {
    world.fault = Some(fault);
}

#[when("I run the demo")]
async fn demo(world: &mut Practice) {
    let fault = world.fault.clone();
    let mut args = vec!["demo", "--out", "out"];
    if let Some(fault) = &fault {
        args.extend(["--break", fault]);
    }
    world.gonogo(&args).await;
}

#[when("I ask which faults can be planted")]
async fn list_breaks(world: &mut Practice) {
    world.gonogo(&["demo", "--list-breaks"]).await;
}

#[when("I edit the verdict of the report")]
fn edit_verdict(world: &mut Practice) {
    let path = world.find("/report.json");
    let report = fs::read_to_string(&path).unwrap();
    let edited = report.replace("\"NO-GO\"", "\"GO\"");
    assert_ne!(report, edited);
    fs::write(path, edited).unwrap();
}

#[then(expr = "the exit code is {int}")]
fn exit_code(world: &mut Practice, code: i32) {
    assert_eq!(
        world.output().status.code(),
        Some(code),
        "{:?}",
        world.output()
    );
}

#[then(expr = "the verdict is {string}")]
fn verdict(world: &mut Practice, decision: String) {
    assert_eq!(world.report()["verdict"]["decision"], decision.as_str());
    let stdout = world.stdout();
    let last = stdout.lines().last().unwrap_or_default();
    // "GO" must not match "NO-GO", nor "GO" begin "GONE".
    let word = last
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .next();
    assert_eq!(word, Some(decision.as_str()), "{stdout}");
}

#[then("every planned check passed with evidence")]
fn all_passed(world: &mut Practice) {
    let report = world.report();
    let counts = &report["counts"];
    assert!(counts["planned"].as_u64().unwrap() > 0, "{counts}");
    assert_eq!(counts["planned"], counts["passed"], "{counts}");
    let passed = world.checks("passed");
    assert_eq!(counts["planned"], passed.len());
    let seen = |check: &Value| check["evidence"].as_array().is_some_and(|e| !e.is_empty());
    assert!(passed.iter().any(seen));
}

#[then(expr = "only failures of kind {string} are told, and other checks pass")]
fn only_kind(world: &mut Practice, kind: String) {
    let failed = world.checks("failed");
    assert!(!failed.is_empty(), "nothing failed");
    for check in failed {
        assert_eq!(check["failure"]["kind"], kind.as_str(), "{check:#}");
        assert_ne!(check["failure"]["hint"], "", "{check:#}");
    }
    assert!(!world.checks("passed").is_empty(), "nothing passed");
}

#[then(expr = "a reason names {string} and {string}")]
fn reason(world: &mut Practice, one: String, two: String) {
    let report = world.report();
    let reasons = report["verdict"]["reasons"].as_array().unwrap();
    let names = |reason: &Value| {
        let reason = reason.as_str().unwrap();
        reason.contains(&one) && reason.contains(&two)
    };
    assert!(reasons.iter().any(names), "{reasons:#?}");
}

#[then("sha256sum agrees with every digest of the run")]
async fn digests(world: &mut Practice) {
    let sums = world.run().join("SHA256SUMS");
    let listed = fs::read_to_string(&sums).unwrap();
    assert!(listed.contains("report.json"), "{listed}");
    let run = world.run();
    let script = "cd -- \"$1\" && exec sha256sum --check --strict --quiet SHA256SUMS";
    let args = ["-c", script, "sh", run.to_str().unwrap()];
    let checked = world.command("sh", &args, Stdio::null()).await;
    assert!(checked.status.success(), "{checked:?}");
}

#[then("ssh-keygen finds the signature good")]
async fn signature(world: &mut Practice) {
    let (run, signers) = (world.run(), world.find(".allowed_signers"));
    let listed = fs::read_to_string(&signers).unwrap();
    let line = listed.lines().find(|line| !line.starts_with('#')).unwrap();
    let identity = line.split_whitespace().next().unwrap();
    let signature = run.join("SHA256SUMS.sig");
    let args = [
        "-Y",
        "verify",
        "-n",
        "gonogo-report@gonogo",
        "-I",
        identity,
        "-f",
        signers.to_str().unwrap(),
        "-s",
        signature.to_str().unwrap(),
    ];
    let sums = fs::File::open(run.join("SHA256SUMS")).unwrap();
    let verified = world.command("ssh-keygen", &args, sums.into()).await;
    assert!(verified.status.success(), "{verified:?}");
}

#[then(expr = "gonogo verify ends with {int}")]
async fn verify(world: &mut Practice, code: i32) {
    let (run, signers) = (world.run(), world.find(".allowed_signers"));
    let args = [
        "verify",
        run.to_str().unwrap(),
        "--allowed-signers",
        signers.to_str().unwrap(),
    ];
    let verified = world.command(GONOGO, &args, Stdio::null()).await;
    assert_eq!(verified.status.code(), Some(code), "{verified:?}");
}

#[then("each of them has its row in these features")]
fn each_has_a_row(world: &mut Practice) {
    let stdout = world.stdout();
    let names: Vec<_> = stdout
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() >= 10, "{stdout}");
    let features: String = features()
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for name in names {
        let (row, word) = (format!("| {name} "), format!("\"{name}\""));
        assert!(
            features.contains(&row) || features.contains(&word),
            "{name} has no scenario"
        );
    }
}

fn features() -> Vec<PathBuf> {
    let entries = fs::read_dir(FEATURES)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.extension().is_some_and(|e| e == "feature"))
        .collect()
}

/// Scenarios with steps, rows of Examples counted one by one.
fn planned() -> usize {
    let parse = |path: &PathBuf| {
        let feature = gherkin::Feature::parse_path(path, gherkin::GherkinEnv::default());
        let feature = feature.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let feature = feature.expand_examples().unwrap();
        assert!(feature.count_scenarios() > 0, "{}", path.display());
        for scenario in &feature.scenarios {
            assert!(!scenario.steps.is_empty(), "no steps: {}", scenario.name);
            assert!(
                !scenario.name.contains('<'),
                "not filled in: {}",
                scenario.name
            );
        }
        feature.count_scenarios()
    };
    features().iter().map(parse).sum()
}

/// `cargo test NAME` asks every test binary: this one is asked for when NAME is in its own name.
fn asked_for() -> bool {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let mut names = args.iter().filter(|arg| !arg.starts_with('-')).peekable();
    let listing = args.iter().any(|arg| arg == "--list");
    !listing && (names.peek().is_none() || names.any(|name| "acceptance".contains(name.as_str())))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    if !asked_for() {
        return println!("acceptance: not asked for");
    }
    let planned = planned();
    // Each demo is a small estate of its own: two at a time, whatever the machine.
    let writer = Practice::cucumber()
        .max_concurrent_scenarios(2)
        .fail_on_skipped()
        .with_default_cli()
        .run(FEATURES)
        .await;
    let scenarios = writer.scenarios_stats();
    let passed = scenarios.passed;
    println!("{passed} passed, {} failed", planned.saturating_sub(passed));
    let steps = writer.steps_stats();
    let clean = steps.failed == 0 && steps.skipped == 0 && scenarios.total() == planned;
    std::process::exit(i32::from(!(clean && planned > 0 && passed == planned)));
}
