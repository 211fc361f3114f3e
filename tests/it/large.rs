//! Large outputs and odd files: in constant memory, to the last byte, and never more than was asked for.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use gonogo::digest::Sha256;
use serde_json::{Value, json};

use crate::lab::{Amps, GONOGO, Host, Lab, OPERATIONS, Run, watched};

const OPS: &str = OPERATIONS.team;

const LARGE: &str = "\
Feature: Large

  Scenario: dump of <instance>
    Given each instance
    When the team connects
    Then artifact \"dump\" can be retrieved
    And artifact \"dump\" was retrieved within 1 minute
";

fn one() -> (Lab, Rc<Host>, Rc<Amps>) {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    (lab, host, orders)
}

fn write(lab: &Lab, dump: Value, edit: impl FnOnce(&mut Value)) {
    let mut inventory = lab.inventory();
    inventory["products"]["amps"]["artifacts"]["dump"] = dump;
    edit(&mut inventory);
    lab.write_inputs(&inventory);
    fs::write(lab.operator().join("features/large.feature"), LARGE).unwrap();
}

fn command(words: &[&str]) -> Value {
    json!({"kind": "other", "command": words})
}

#[test]
fn a_command_that_prints_much_needs_no_memory() {
    const MUCH: usize = 200_000_000;
    let (lab, ..) = one();
    write(
        &lab,
        command(&["head", "-c", &MUCH.to_string(), "/dev/zero"]),
        |_| (),
    );
    let mut gonogo = Command::new(GONOGO);
    gonogo.args(["run", "-i", "inventory.yaml", "features", "-o", "run-large"]);
    gonogo
        .args(["--key", "keys/signer"])
        .envs(lab.environment());
    gonogo
        .env_remove("SSH_AUTH_SOCK")
        .current_dir(lab.operator());
    let run = watched(gonogo, Duration::from_secs(110));
    assert_eq!(run.code, Some(0), "{}", run.told);
    assert!(run.memory < 100 << 10, "{} KiB", run.memory);
    let report = fs::read(lab.operator().join("run-large/report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let dump = checks
        .iter()
        .find(|check| check["scenario"] == "dump of orders");
    let dump = &dump.unwrap()["evidence"][0];
    assert_eq!(dump["bytes"], MUCH);
    let zeros = vec![0; 1 << 20];
    let mut hash = gonogo::digest::Stream::default();
    let mut left = MUCH;
    while left > 0 {
        let piece = left.min(zeros.len());
        hash.update(&zeros[..piece]);
        left -= piece;
    }
    assert_eq!(dump["sha256"], hash.finish().to_string());
}

fn judge(lab: &Lab, dump: Value, edit: impl FnOnce(&mut Value)) -> Run {
    write(lab, dump, edit);
    lab.judge_as_written()
}

#[test]
fn more_than_the_cap_is_refused_and_either_stream_counts() {
    let (lab, ..) = one();
    let small = |inventory: &mut Value| inventory["ssh"]["max_bytes"] = json!("1MiB");
    let fits = judge(
        &lab,
        command(&["head", "-c", "1000000", "/dev/zero"]),
        small,
    );
    assert_eq!(fits.code(), 0, "{}", fits.told());
    for script in [
        "head -c 2000000 /dev/zero",
        "head -c 2000000 /dev/zero >&2; echo done",
    ] {
        let run = judge(&lab, command(&["sh", "-c", script]), small);
        run.assert_only(&[("orders", OPS, "dump", "too-large")]);
    }
    // Half of it is no artifact, however much came before.
    let script = "head -c 900000 /dev/zero; exit 3";
    let run = judge(&lab, command(&["sh", "-c", script]), small);
    run.assert_only(&[("orders", OPS, "dump", "mismatch")]);
}

#[test]
fn the_wanted_stream_alone_is_the_artifact() {
    let (lab, ..) = one();
    for (stream, text) in [
        ("stdout", "out\n"),
        ("stderr", "err\n"),
        ("both", "out\nerr\n"),
    ] {
        let dump = json!({"kind": "other", "stream": stream, "command": ["sh", "-c", "echo err >&2; echo out"]});
        let run = judge(&lab, dump, |_| ());
        let evidence = &run.check("orders", OPS, "dump")["evidence"][0];
        assert_eq!(evidence["bytes"], text.len(), "{evidence:#}");
        assert_eq!(evidence["sha256"], Sha256::of(text.as_bytes()).to_string());
    }
}

#[test]
fn a_sparse_file_counts_by_its_size() {
    let (lab, _host, orders) = one();
    orders.write("dump", b"begin");
    let mut file = fs::File::options()
        .write(true)
        .open(orders.path("dump"))
        .unwrap();
    file.seek(SeekFrom::Start(64 << 20)).unwrap();
    file.write_all(b"end").unwrap();
    drop(file);
    let dump = || json!({"kind": "other", "path": "{home}/dump"});
    let run = judge(&lab, dump(), |_| ());
    let evidence = &run.check("orders", OPS, "dump")["evidence"][0];
    assert_eq!(evidence["bytes"], (64 << 20) + 3, "{}", run.told());
    let capped = judge(&lab, dump(), |inventory| {
        inventory["ssh"]["max_bytes"] = json!("32MiB");
    });
    capped.assert_only(&[("orders", OPS, "dump", "too-large")]);
}

#[test]
fn a_growing_file_is_what_it_was_when_it_was_opened() {
    let (lab, _host, orders) = one();
    orders.write("dump", &[b'x'; 1 << 20]);
    let path = orders.path("dump");
    let growing = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let go_on = growing.clone();
    let writer = std::thread::spawn(move || {
        let mut file = fs::File::options().append(true).open(path).unwrap();
        while go_on.load(std::sync::atomic::Ordering::Relaxed) {
            file.write_all(&[b'x'; 4096]).unwrap();
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let run = judge(
        &lab,
        json!({"kind": "other", "path": "{home}/dump"}),
        |_| (),
    );
    growing.store(false, std::sync::atomic::Ordering::Relaxed);
    writer.join().unwrap();
    assert_eq!(run.code(), 0, "{}", run.told());
    let evidence = &run.check("orders", OPS, "dump")["evidence"][0];
    let bytes = usize::try_from(evidence["bytes"].as_u64().unwrap()).unwrap();
    assert!(bytes >= 1 << 20, "{evidence:#}");
    let prefix = Sha256::of(&vec![b'x'; bytes]);
    assert_eq!(evidence["sha256"], prefix.to_string());
}
