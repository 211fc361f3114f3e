//! A real sshd whose SFTP server lies (`lying_sftp.py`; facts: traps.md T9, T11): about sizes, names,
//! kinds, and about ever coming to an end. Each lie is told about one directory of one instance, costs
//! that one check and ends in time; told by nobody, the same server is GO.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::{GONOGO, Host, Lab, OPERATIONS, Run, watched};

/// A host whose server tells each lie about the paths that contain the word beside it.
fn liar(lab: &Lab, lies: &[(&str, &str)]) -> Rc<Host> {
    let script = lab.path("lying_sftp.py");
    fs::write(&script, include_str!("lying_sftp.py")).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).unwrap();
    let lies: Vec<String> = lies
        .iter()
        .map(|(lie, word)| format!(" {lie} {word}"))
        .collect();
    let server = format!("python3 {}{}", script.display(), lies.concat());
    lab.host("ny4-1").subsystem(&server).start()
}

/// `orders` behind a server that tells `lie` about its configuration, and `quotes` behind the same.
fn judged(lie: &str, edit: impl FnOnce(&mut Value)) -> (Lab, Run) {
    let lab = Lab::new();
    let host = liar(&lab, &[(lie, "orders/config")]);
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

// One after the other over one login: what a lie did to a session is not to cost the next check.
#[test]
fn answers_that_answer_nothing() {
    let lies = [
        // The names of these directories cannot be.
        ("nul-name", "io", "config.xml"),
        ("empty-name", "io", "listed \"\""),
        ("no-names", "io", "no answer in SFTP: \"names\""),
        ("endless-count", "io", "a packet of type 104"),
        ("long-handle", "io", "a packet of type 102"),
        ("wrong-id", "io", "which was not asked"),
        ("huge-packet", "io", "no answer in SFTP"),
        ("empty-packet", "io", "no answer in SFTP"),
        ("wrong-length", "io", "a packet of type 103"),
        ("wrong-kind", "io", "no answer in SFTP: \"attributes\""),
        ("more", "io", "more bytes than were asked for"),
        ("empty-data", "io", "or none"),
    ];
    let lab = Lab::new();
    let words: Vec<String> = lies
        .iter()
        .map(|(lie, ..)| format!("{lie}/config"))
        .collect();
    let told: Vec<_> = lies
        .iter()
        .zip(&words)
        .map(|((lie, ..), word)| (*lie, word.as_str()))
        .collect();
    let host = liar(&lab, &told);
    for (lie, ..) in lies {
        lab.amps(lie, &host).stop_writer();
    }
    let run = lab.judge_with(|inventory| inventory["ssh"]["deadline"] = "5s".into());
    let expected: Vec<_> = lies
        .iter()
        .map(|(lie, kind, _)| (*lie, OPERATIONS.team, "configuration", *kind))
        .collect();
    run.assert_only(&expected);
    for (lie, _, words) in lies {
        let check = run.check(lie, OPERATIONS.team, "configuration");
        let actual = check["failure"]["actual"].as_str().unwrap();
        assert!(actual.contains(words), "{lie}: {actual}");
    }
}

#[test]
fn honest_answers_in_small_pieces_are_go() {
    judged("small-pieces", as_it_is).1.assert_go(8);
}

#[test]
fn a_flood_of_answers_to_nothing_does_not_fill_the_memory() {
    let lab = Lab::new();
    let host = liar(&lab, &[("flood", "orders/config")]);
    lab.amps("orders", &host);
    let inventory = lab.inventory();
    lab.write_inputs(&inventory);
    let mut command = Command::new(GONOGO);
    command.args(lab.run_args("out")).envs(lab.environment());
    command
        .env_remove("SSH_AUTH_SOCK")
        .current_dir(lab.operator());
    let run = watched(command, Duration::from_secs(60));
    assert_eq!(run.code, Some(1), "{}", run.told);
    assert!(
        run.memory < 512 << 10,
        "{} KiB in {:?}",
        run.memory,
        run.took
    );
}

// The installed `ssh` carries the same lies to a reader of our own, which tells most at once.
#[test]
fn by_the_installed_ssh_no_lie_is_believed_either() {
    let lies = [
        ("short", "short"),
        ("climbing-name", "io"),
        ("swapped", "not-regular"),
        ("stalls", "timeout"),
        ("nul-name", "io"),
        ("endless-count", "io"),
        ("long-handle", "io"),
        ("wrong-id", "io"),
        ("huge-packet", "io"),
        ("empty-packet", "io"),
        ("wrong-length", "io"),
        ("wrong-kind", "io"),
        ("more", "io"),
        ("empty-data", "io"),
        ("flood", "io"),
    ];
    let lab = Lab::new();
    let words: Vec<String> = lies
        .iter()
        .map(|(lie, _)| format!("{lie}/config"))
        .collect();
    let told: Vec<_> = lies
        .iter()
        .zip(&words)
        .map(|((lie, _), word)| (*lie, word.as_str()))
        .collect();
    let host = liar(&lab, &told);
    for (lie, _) in lies {
        lab.amps(lie, &host).stop_writer();
    }
    let run = lab.judge_with(|inventory| {
        inventory["ssh"]["deadline"] = "5s".into();
        inventory["ssh"]["client"] = "openssh".into();
    });
    let expected: Vec<_> = lies
        .iter()
        .map(|(lie, kind)| (*lie, OPERATIONS.team, "configuration", *kind))
        .collect();
    run.assert_only(&expected);
}
