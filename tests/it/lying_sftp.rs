//! A real sshd whose SFTP server lies (`lying_sftp.py`; facts: traps.md T9, T11): about sizes, names,
//! kinds, and about ever coming to an end. Each lie is told about one directory of one instance, costs
//! that one check and ends in time; told by nobody, the same server is GO.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::{Lab, OPERATIONS, Run};

/// `orders` behind a server that tells `lie` about its configuration, and `quotes` behind the same.
fn judged(lie: &str, edit: impl FnOnce(&mut Value)) -> (Lab, Run) {
    let lab = Lab::new();
    let script = lab.path("lying_sftp.py");
    fs::write(&script, include_str!("lying_sftp.py")).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).unwrap();
    let server = format!("python3 {} {lie} orders/config", script.display());
    let host = lab.host("ny4-1").subsystem(&server).start();
    lab.amps("orders", &host);
    lab.amps("quotes", &host);
    let begun = Instant::now();
    let run = lab.judge_with(edit);
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "{lie} took {:?}",
        begun.elapsed()
    );
    (lab, run)
}

#[track_caller]
fn costs(lie: &str, kind: &str, edit: impl FnOnce(&mut Value)) -> Value {
    let (lab, run) = judged(lie, edit);
    run.assert_only(&[("orders", OPERATIONS.team, "configuration", kind)]);
    assert_eq!(lab.verify(&run.dir).status.code(), Some(1));
    let check = run.check("orders", OPERATIONS.team, "configuration");
    check["failure"].clone()
}

fn as_it_is(_: &mut Value) {}

fn soon(inventory: &mut Value) {
    inventory["ssh"]["deadline"] = "8s".into();
}

#[test]
fn without_a_lie_it_is_go() {
    judged("none", as_it_is).1.assert_go(8);
}

#[test]
fn fewer_bytes_than_the_size_it_stated() {
    let failure = costs("short", "short", as_it_is);
    assert!(failure["expected"].as_str().unwrap().contains("bytes"));
}

#[test]
fn an_error_amid_the_file() {
    let failure = costs("io", "io", as_it_is);
    assert!(failure["actual"].as_str().unwrap().contains("64 bytes"));
}

#[test]
fn names_that_lead_elsewhere() {
    for lie in ["climbing-name", "absolute-name"] {
        let failure = costs(lie, "io", as_it_is);
        let actual = failure["actual"].as_str().unwrap();
        assert!(actual.contains("/etc/passwd.xml"), "{failure:#}");
    }
}

#[test]
fn a_directory_without_end() {
    costs("endless-directory", "too-large", as_it_is);
}

#[test]
fn a_file_without_end() {
    costs("endless-file", "too-large", as_it_is);
}

#[test]
fn a_file_that_is_another_kind_once_opened() {
    costs("swapped", "not-regular", as_it_is);
}

#[test]
fn a_read_that_is_never_answered() {
    costs("stalls", "timeout", soon);
}

#[test]
fn a_byte_at_a_time() {
    costs("trickles", "timeout", soon);
}

#[test]
fn a_name_told_twice_is_fetched_once() {
    let (_lab, run) = judged("twice", as_it_is);
    run.assert_go(8);
    let check = run.check("orders", OPERATIONS.team, "configuration");
    assert_eq!(check["evidence"].as_array().unwrap().len(), 2, "{check:#}");
}
