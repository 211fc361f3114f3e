//! A folder of runs as one chain: made by real runs, read by `gonogo history` and by sha256sum, and broken
//! in each way that somebody might who does not like one of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use crate::lab::{GONOGO, Lab, keygen, until};

/// An estate whose runs lie in `runs/`.
struct Chain {
    lab: Lab,
    amps: std::rc::Rc<crate::lab::Amps>,
}

impl Chain {
    fn new() -> Self {
        let lab = Lab::new();
        let host = lab.host("ny4-1").start();
        let amps = lab.amps("orders", &host);
        lab.write_inputs(&lab.inventory());
        fs::create_dir(lab.operator().join("runs")).unwrap();
        Self { lab, amps }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.lab.operator().join("runs").join(name)
    }

    fn add(&self, name: &str, more: &[&str]) -> Output {
        let out = format!("runs/{name}");
        let args = self.lab.run_args(&out);
        self.lab.run(&[&args, more].concat())
    }

    /// A run that is chained to the newest, and ends so.
    #[track_caller]
    fn run(&self, name: &str, code: i32) {
        let output = self.add(name, &["--history", "runs"]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }

    fn history(&self, format: &str) -> (i32, String) {
        let signers = ["--allowed-signers", "allowed_signers", "--format", format];
        let output = self.lab.run(&[&["history", "runs"], &signers[..]].concat());
        let told = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            String::from_utf8(told).unwrap(),
        )
    }

    #[track_caller]
    fn assert_history(&self, code: i32, words: &str) {
        let (ended, told) = self.history("text");
        assert!(
            ended == code && told.contains(words),
            "{words}: exit {ended}: {told}"
        );
    }

    /// What a gate says that is shown the run and the folder.
    #[track_caller]
    fn assert_newest(&self, name: &str, code: i32, words: &str) {
        let run = self.path(name);
        let args = ["--allowed-signers", "allowed_signers", "--history", "runs"];
        let output = self
            .lab
            .run(&[&["verify", run.to_str().unwrap()], &args[..]].concat());
        let told = String::from_utf8([&output.stdout[..], &output.stderr].concat()).unwrap();
        assert!(
            output.status.code() == Some(code) && told.contains(words),
            "{words}: {told}"
        );
    }

    fn numbers(&self) -> Vec<u64> {
        let output = self.lab.run(&[
            "history",
            "runs",
            "--allowed-signers",
            "allowed_signers",
            "--format",
            "json",
        ]);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let runs = told["runs"].as_array().unwrap();
        runs.iter()
            .map(|run| run["number"].as_u64().unwrap())
            .collect()
    }
}

fn rename(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.unwrap().success());
}

#[test]
fn every_run_is_chained_and_none_can_be_taken_out() {
    let chain = Chain::new();
    // In an order that no listing gives.
    chain.run("c", 0);
    chain.amps.lock("logs");
    chain.run("a", 1);
    chain.amps.mode("logs", 0o755);
    chain.run("b", 0);
    assert_eq!(chain.numbers(), [1, 2, 3]);
    chain.assert_history(0, "one unbroken chain of 3 runs; the newest is `b`, GO");
    let (code, page) = chain.history("html");
    assert!(
        code == 0 && page.contains("one unbroken chain") && page.contains("href=\"b/report.html\"")
    );
    // As an auditor sees it who has no gonogo.
    for (name, code) in [("b", true), ("a", true)] {
        let sums = Command::new("sha256sum")
            .args(["--check", "--strict", "PREVIOUS.sha256"])
            .current_dir(chain.path(name))
            .output()
            .unwrap();
        assert_eq!(sums.status.success(), code, "{sums:?}");
    }

    // Only the newest may be shown to a gate.
    chain.assert_newest("b", 0, "GO");
    chain.assert_newest("c", 4, "superseded: `b` came after it");
    chain.assert_newest("a", 4, "superseded: `b` came after it");

    // Hidden, the newest is no longer told by `ls`: an older one would be the newest.
    for hidden in [".b", ".b.partial-x1Y2z3"] {
        rename(&chain.path("b"), &chain.path(hidden));
        let told = format!("`{hidden}` is a run under a hidden name");
        chain.assert_history(4, &told);
        chain.assert_newest("a", 4, &told);
        let refused = chain.add("d", &["--history", "runs"]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        rename(&chain.path(hidden), &chain.path("b"));
    }
    // What was never sealed judged nothing, and is told.
    fs::create_dir(chain.path(".e.partial-x1Y2z3")).unwrap();
    let begun = chain.path(".e.partial-x1Y2z3/report.json");
    fs::copy(chain.path("a/report.json"), begun).unwrap();
    chain.assert_history(0, "note: `.e.partial-x1Y2z3` is no run");
    chain.assert_newest("b", 0, "GO");
    fs::remove_dir_all(chain.path(".e.partial-x1Y2z3")).unwrap();

    // The NO-GO in the middle is put away: every reader says so, and nobody builds on it.
    let away = chain.lab.operator().join("away");
    rename(&chain.path("a"), &away);
    chain.assert_history(4, "`b` follows a run that is not here");
    chain.assert_newest("b", 4, "history: it is not one chain of runs");
    let refused = chain.add("d", &["--history", "runs"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(!chain.path("d").exists());
    // What is left of it says that it was one.
    fs::create_dir(chain.path("a")).unwrap();
    fs::copy(away.join("report.json"), chain.path("a/report.json")).unwrap();
    chain.assert_history(4, "`a` cannot be counted");
    fs::remove_dir_all(chain.path("a")).unwrap();
    // Edited.
    copy(&away, &chain.path("a"));
    let report = fs::read_to_string(chain.path("a/report.json")).unwrap();
    fs::write(chain.path("a/report.json"), report.replace("NO-GO", "GO")).unwrap();
    chain.assert_history(4, "`a` cannot be counted");
    fs::remove_dir_all(chain.path("a")).unwrap();

    rename(&away, &chain.path("a"));
    chain.assert_history(0, "one unbroken chain of 3 runs");
    copy(&chain.path("a"), &chain.path("copy"));
    chain.assert_history(4, "`a` and `copy` are the same run");
    fs::remove_dir_all(chain.path("copy")).unwrap();
    fs::create_dir(chain.path("notes")).unwrap();
    chain.assert_history(0, "note: `notes` is no run");
    chain.run("d", 0);
    assert_eq!(chain.numbers(), [1, 2, 3, 4]);
    // An old GO, shown as the newest from another place.
    rename(&chain.path("d"), &away);
    chain.assert_newest("../away", 4, "the run is not among the 3 runs");
    chain.assert_newest("b", 0, "GO");
}

#[test]
fn a_second_run_in_the_same_place_shows_as_a_fork() {
    let chain = Chain::new();
    chain.run("a", 0);
    chain.run("b", 0);
    for (name, previous) in [("c", &["--previous", "runs/a"][..]), ("d", &[])] {
        let made = chain.add(name, previous);
        assert_eq!(made.status.code(), Some(0), "{made:?}");
        let told = match previous {
            [] => "both say that they are the first run",
            _ => "follow the same run, `a`",
        };
        chain.assert_history(4, told);
        fs::remove_dir_all(chain.path(name)).unwrap();
    }
    // The benign twin names the right one.
    let made = chain.add("c", &["--previous", "runs/b"]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    assert_eq!(chain.numbers(), [1, 2, 3]);
    // A run of another environment has no place here.
    let mut staging = chain.lab.inventory();
    staging["environment"] = "staging".into();
    chain.lab.write_inputs(&staging);
    let refused = chain.add("d", &["--history", "runs"]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(
        refused.status.code() == Some(2) && told.contains("no run can follow the newest"),
        "{told}"
    );
    assert!(!chain.path("d").exists());
    let made = chain.add("d", &["--previous", "runs/c"]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    chain.assert_history(4, "`d` is about environment `staging`");
}

#[test]
fn two_runs_at_once_do_not_take_the_same_place() {
    let chain = Chain::new();
    let runs = chain.lab.operator().join("runs");
    let mut holder = Command::new("flock")
        .arg("--no-fork")
        .arg(&runs)
        .args(["sleep", "60"])
        .spawn()
        .unwrap();
    until("the folder is locked", Duration::from_secs(20), || {
        !Command::new("flock")
            .arg("-n")
            .arg(&runs)
            .arg("true")
            .status()
            .unwrap()
            .success()
    });
    let refused = chain.add("a", &["--history", "runs"]);
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(
        told.contains("another run is being made in `runs`"),
        "{told}"
    );
    chain.run("a", 0);
}

#[test]
fn an_aborted_run_has_its_place_too() {
    let chain = Chain::new();
    chain.run("a", 0);
    let aborted = chain.add("b", &["--history", "runs", "--deadline", "1ms"]);
    assert_eq!(aborted.status.code(), Some(3), "{aborted:?}");
    chain.run("c", 0);
    assert_eq!(chain.numbers(), [1, 2, 3]);
    chain.assert_history(0, "NO-GO");
}

#[test]
fn a_retired_key_keeps_its_runs_and_a_strangers_run_is_none() {
    let chain = Chain::new();
    chain.run("a", 0);
    let signers = chain.lab.operator().join("allowed_signers");
    let line = fs::read_to_string(&signers).unwrap();
    let window = |window: &str| line.replace("namespaces=", &format!("{window},namespaces="));
    fs::write(&signers, window("valid-before=\"20260101Z\"")).unwrap();
    chain.assert_history(4, "the key is not valid at");
    // Until a moment after the run: no longer now, and then.
    std::thread::sleep(Duration::from_millis(1_100));
    let now = jiff::Timestamp::now().strftime("%Y%m%d%H%M%SZ").to_string();
    std::thread::sleep(Duration::from_millis(1_100));
    fs::write(&signers, window(&format!("valid-before=\"{now}\""))).unwrap();
    chain.assert_history(0, "key valid then, not now");

    keygen(&chain.lab.operator().join("keys/eve"), "eve@gonogo");
    fs::write(&signers, &line).unwrap();
    chain.assert_history(0, "one unbroken chain of 1 run");
    let args = [
        "run",
        "-i",
        "inventory.yaml",
        "features",
        "-o",
        "runs/b",
        "--key",
        "keys/eve",
        "--history",
        "runs",
    ];
    let made = chain.lab.run(&args);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    chain.assert_history(4, "stands in no line of allowed_signers");
}

#[test]
fn what_is_no_history_is_told() {
    let chain = Chain::new();
    chain.assert_history(2, "no run lies directly in `runs`");
    for (args, told) in [
        (
            &["history", "none", "--allowed-signers", "allowed_signers"][..],
            "cannot list `none`",
        ),
        (
            &["history", "runs", "--allowed-signers", "none"][..],
            "cannot read `none`",
        ),
    ] {
        let output = Command::new(GONOGO)
            .args(args)
            .current_dir(chain.lab.operator())
            .output();
        let output = output.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(2) && stderr.contains(told),
            "{stderr}"
        );
    }
    // A run beside its folder could be followed by nobody.
    let args = chain.lab.run_args("elsewhere");
    let refused = chain.lab.run(&[&args[..], &["--history", "runs"]].concat());
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(
        refused.status.code() == Some(2) && told.contains("does not lie directly in"),
        "{told}"
    );
    let refused = chain.add("a", &["--previous", "keys"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}
