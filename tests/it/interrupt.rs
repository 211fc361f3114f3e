//! A run that is told to stop: it stops soon, says so in its exit code, and what it leaves is either
//! nothing or sealed as aborted. Never a GO, never half a directory.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::lab::{BANNER, GONOGO, Host, Lab, OPERATIONS, until};

fn start(lab: &Lab, out: &str) -> Child {
    Command::new(GONOGO)
        .args(lab.run_args(out))
        .envs(lab.environment())
        .env_remove("SSH_AUTH_SOCK")
        .current_dir(lab.operator())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits for the child, and kills it by its id when it does not end.
fn ends(child: &mut Child, most: Duration) -> Option<i32> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if begun.elapsed() > most {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("still running {most:?} after the signal");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn logged_in(host: &Host) -> bool {
    host.log().contains("Accepted publickey")
}

fn interrupted(signal: Signal, code: i32) {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host).slow_version();
    lab.amps("quotes", &host);
    lab.write_inputs(&lab.inventory());
    let before: Vec<_> = names(&lab);
    let mut child = start(&lab, "out");
    until("gonogo logs in", Duration::from_secs(30), || {
        logged_in(&host)
    });
    let pid = Pid::from_child(&child);
    kill_process(pid, signal).unwrap();
    let ended = ends(&mut child, Duration::from_secs(15));
    assert_eq!(ended, Some(code));

    let out = lab.path("operator/out");
    let mut left = names(&lab);
    left.retain(|name| !before.contains(name));
    if !out.exists() {
        assert!(left.is_empty(), "half a run: {left:?}");
        return;
    }
    assert_eq!(left, ["out"], "half a run beside the whole");
    let report: Value =
        serde_json::from_slice(&fs::read(out.join("report.json")).unwrap()).unwrap();
    assert_eq!(report["run"]["kind"], "aborted");
    assert_eq!(report["verdict"]["decision"], "NO-GO");
    // Every planned check has its slot, and those that never ran say so.
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 8);
    let slow = checks.iter().find(|check| {
        check["instance"] == "orders" && check["scenario"].as_str().unwrap().starts_with("version")
    });
    let slow = slow.unwrap();
    assert_eq!(
        (&slow["outcome"], &slow["team"]),
        (&"failed".into(), &OPERATIONS.team.into())
    );
    assert_eq!(slow["failure"]["kind"], "undefined", "{slow:#}");
    let verified = lab.verify(&out);
    assert!(
        matches!(verified.status.code(), Some(1 | 4)),
        "{verified:?}"
    );
}

fn names(lab: &Lab) -> Vec<String> {
    let entries = fs::read_dir(lab.operator()).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn by_ctrl_c() {
    interrupted(Signal::INT, 130);
}

#[test]
fn by_the_job_runner() {
    interrupted(Signal::TERM, 143);
}

#[test]
fn by_a_lost_terminal() {
    interrupted(Signal::HUP, 143);
}

#[test]
fn by_its_own_deadline() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    orders.slow_version();
    lab.amps("quotes", &host);
    lab.write_inputs(&lab.inventory());
    let begun = Instant::now();
    let out = lab.next_out();
    let run = lab.run(&[&lab.run_args(&out)[..], &["--deadline", "5s"]].concat());
    assert!(begun.elapsed() < Duration::from_secs(40), "{run:?}");
    assert_eq!(run.status.code(), Some(3), "{run:?}");
    let told = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(told.contains("deadline"), "{told}");
    assert_eq!(String::from_utf8_lossy(&run.stdout), "NO-GO\n");
    let dir = lab.operator().join(out);
    let report: Value =
        serde_json::from_slice(&fs::read(dir.join("report.json")).unwrap()).unwrap();
    assert_eq!(report["run"]["kind"], "aborted");
    assert_eq!(report["checks"].as_array().unwrap().len(), 8);
    let verified = lab.verify(&dir);
    assert_eq!(verified.status.code(), Some(4), "{verified:?}");
    let told = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(
        told.contains("ended early") && told.contains("deadline"),
        "{told}"
    );
    // With time enough it is an ordinary run.
    orders.answer_version(BANNER, 0);
    let out = lab.next_out();
    let run = lab.run(&[&lab.run_args(&out)[..], &["--deadline", "10m"]].concat());
    assert_eq!(run.status.code(), Some(0), "{run:?}");
}

#[test]
fn in_its_first_moment() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    lab.write_inputs(&lab.inventory());
    let mut child = start(&lab, "out");
    until("there is a draft", Duration::from_secs(30), || {
        names(&lab).iter().any(|name| name.starts_with(".out."))
    });
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(ends(&mut child, Duration::from_secs(30)), Some(130));
    let half = names(&lab)
        .into_iter()
        .find(|name| name.starts_with(".out."));
    assert_eq!(half, None, "half a directory is left");
}

#[test]
fn killed_outright_it_leaves_nothing_that_verifies() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host).slow_version();
    lab.write_inputs(&lab.inventory());
    let mut child = start(&lab, "out");
    until("gonogo logs in", Duration::from_secs(30), || {
        logged_in(&host)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        !lab.path("operator/out").exists(),
        "the run directory was there before its end"
    );
}
