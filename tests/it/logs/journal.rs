//! Products that log to systemd's journal only: a real systemd-journald and a real journalctl, inside a
//! host's own namespace.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Desk, OPS};
use crate::lab::{GONOGO, MARKET_DATA, OPERATIONS, needs_root, watched};

const JOURNALD: &str = "/lib/systemd/systemd-journald";

const QUESTIONS: [(&str, &str); 5] = [
    ("fresh", "the event log has an entry from the last 1 hour"),
    (
        "loud",
        "an entry of level \"warning\" or worse can be found in the event log",
    ),
    (
        "id",
        "an entry with id \"39f53479d3a045ac8e11786248231fbf\" can be found in the event log",
    ),
    ("many", "the event log has at least 3 entries"),
    ("whose", "the event log belongs to this instance"),
];

fn journal(inventory: &mut Value) {
    let log =
        json!({"kind": "log", "journal": "mariadb.service", "names": "mariadbd: (\\w+) is up"});
    inventory["products"]["amps"]["artifacts"]["event log"] = log;
}

/// journald on the host with some entries of `unit`. Whoever is in the group of `readable` may read them.
fn start(desk: &Desk, unit: &str, readable: u32) {
    // What systemd itself would say of a unit's process: it vouches for fields that root sends.
    let entry = |priority: u32, message: &str, more: &str| {
        format!(
            "printf 'MESSAGE={message}\\nOBJECT_SYSTEMD_UNIT={unit}\\nPRIORITY={priority}\\nSYSLOG_IDENTIFIER=mariadbd\\n{more}' | logger --journald"
        )
    };
    let script = [
        "mount -t tmpfs tmpfs /run".to_owned(),
        "mkdir -p /run/sshd /run/systemd/journal /run/log/journal".to_owned(),
        format!(
            "setsid {JOURNALD} >/dev/null 2>&1 </dev/null &\n for try in 1 2 3 4 5 6 7 8 9 10; do [ -S /run/systemd/journal/socket ] || sleep 0.3; done"
        ),
        entry(6, "orders is up", ""),
        entry(4, "disk is slow\\nsecond line", ""),
        entry(
            6,
            "stopped",
            "MESSAGE_ID=39f53479d3a045ac8e11786248231fbf\\n",
        ),
        format!(
            "for try in 1 2 3 4 5 6 7 8 9 10; do [ $(journalctl -q --unit={unit} -o cat | wc -l) -ge 3 ] || sleep 0.3; done"
        ),
        format!("chgrp -R {readable} /run/log/journal && chmod -R g+rX /run/log/journal"),
        format!("journalctl --no-pager --unit={unit}"),
    ];
    let done = desk
        .host
        .inside(&script.join("\n").replace("\\nsecond line", " and old"));
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success() && said.contains("orders is up"),
        "{done:?}"
    );
}

fn unable(test: &str) -> bool {
    if needs_root(test) {
        return true;
    }
    let missing = !Path::new(JOURNALD).exists();
    assert!(
        !missing || std::env::var_os("GONOGO_LAB").is_none_or(|lab| lab != "full"),
        "GONOGO_LAB=full, but {JOURNALD} is not installed"
    );
    missing
}

#[test]
fn a_unit_whose_log_is_in_the_journal_answers_like_a_file() {
    if unable("a_unit_whose_log_is_in_the_journal_answers_like_a_file") {
        return;
    }
    let desk = Desk::new();
    start(&desk, "mariadb.service", OPERATIONS.uid);
    let run = desk.is_go(&QUESTIONS, journal);
    let evidence = &run.check("orders", OPS, "loud")["evidence"][0];
    assert_eq!(evidence["entries"], 3, "{evidence:#}");
    assert_eq!(
        evidence["path"],
        "journalctl --no-pager --output=json --output-fields=MESSAGE,MESSAGE_ID,PRIORITY,SYSLOG_IDENTIFIER --since=-8d --unit=mariadb.service"
    );
    let plan = desk.lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    let told = String::from_utf8_lossy(&plan.stdout);
    let line = format!("execute  {}", evidence["path"].as_str().unwrap());
    assert!(told.contains(&line), "{told}");
    // A level that it has not, and a unit of which it has nothing.
    let louder = (
        "louder",
        "an entry of level \"err\" or worse can be found in the event log",
    );
    desk.fails(
        &[louder],
        journal,
        &[("louder", "missing", "none among 3 entries")],
    );
    desk.fails(
        &QUESTIONS[..1],
        |inventory| {
            journal(inventory);
            inventory["products"]["amps"]["artifacts"]["event log"]["journal"] =
                json!("mysql.service");
        },
        &[
            ("log", "empty", "systemctl"),
            ("fresh", "empty", "systemctl"),
        ],
    );
}

/// What journalctl prints is as long as the unit is talkative: a stand-in says 200 MB.
#[test]
fn a_journal_of_any_length_needs_no_memory() {
    const ENTRIES: u64 = 50_000;
    if needs_root("a_journal_of_any_length_needs_no_memory") {
        return;
    }
    let desk = Desk::new();
    desk.host.own_usr_local();
    let micros = Timestamp::now().as_microsecond();
    let line = format!(
        r#"{{"__REALTIME_TIMESTAMP":"{micros}","MESSAGE":"orders is up {}"}}"#,
        "x".repeat(4000)
    );
    let program = |path: &str, more: &str| {
        let script = format!("#!/bin/sh\nyes '{line}' | head -n {ENTRIES}\n{more}");
        let file = desk.lab.path("stand-in");
        fs::write(&file, script).unwrap();
        let done = desk.host.inside(&format!(
            "install -D -m 755 {} {path}",
            file.to_str().unwrap()
        ));
        assert!(done.status.success(), "{done:?}");
    };
    program("/usr/local/bin/journalctl", "");
    desk.write(&QUESTIONS[..1], |inventory| {
        journal(inventory);
        inventory["products"]["amps"]["artifacts"]["event log"]["reject"] = json!(["^NOAUTH"]);
    });
    let mut gonogo = Command::new(GONOGO);
    gonogo.args(["run", "-i", "inventory.yaml", "features", "-o", "run-long"]);
    gonogo
        .args(["--key", "keys/signer"])
        .envs(desk.lab.environment());
    gonogo
        .env_remove("SSH_AUTH_SOCK")
        .current_dir(desk.lab.operator());
    let run = watched(gonogo, Duration::from_secs(200));
    assert_eq!(run.code, Some(0), "{}", run.told);
    assert!(run.memory < 100 << 10, "{} KiB", run.memory);
    let report = fs::read(desk.lab.operator().join("run-long/report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let fresh = checks.iter().find(|check| check["scenario"] == "fresh");
    let evidence = &fresh.unwrap()["evidence"][0];
    assert_eq!(evidence["entries"], ENTRIES, "{evidence:#}");
    let bytes = (line.len() as u64 + 1) * ENTRIES;
    assert_eq!(evidence["bytes"], bytes);
    // Beyond the cap, which the statistics stay far below, it is refused; so is what `reject` finds behind ever so much, and an exit status.
    let small = |inventory: &mut Value| {
        journal(inventory);
        inventory["ssh"]["max_bytes"] = json!("64MiB");
    };
    desk.fails(&[], small, &[("log", "too-large", "")]);
    program("/usr/local/bin/journalctl", "echo NOAUTH\n");
    let reject = |inventory: &mut Value| {
        journal(inventory);
        inventory["products"]["amps"]["artifacts"]["event log"]["reject"] = json!(["^NOAUTH"]);
    };
    desk.fails(&[], reject, &[("log", "denied", "NOAUTH")]);
    program("/usr/local/bin/journalctl", "exit 3\n");
    desk.fails(&[], journal, &[("log", "mismatch", "3")]);
}

#[test]
fn an_account_outside_of_the_groups_is_denied() {
    if unable("an_account_outside_of_the_groups_is_denied") {
        return;
    }
    let desk = Desk::new();
    // Somebody else's group may read it.
    start(&desk, "mariadb.service", MARKET_DATA.uid);
    desk.fails(
        &QUESTIONS[..1],
        journal,
        &[
            ("log", "denied", "systemd-journal"),
            ("fresh", "denied", "systemd-journal"),
        ],
    );
}

#[test]
fn a_host_without_a_journal_and_a_span_beyond_what_is_asked() {
    if unable("a_host_without_a_journal_and_a_span_beyond_what_is_asked") {
        return;
    }
    let desk = Desk::new();
    let hidden = desk.host.inside("mount -t tmpfs tmpfs /run && mkdir /run/sshd && if [ -d /var/log/journal ]; then mount -t tmpfs tmpfs /var/log/journal; fi");
    assert!(hidden.status.success(), "{hidden:?}");
    let run = desk.ask(&QUESTIONS[..1], journal);
    let failure = &run.check("orders", OPS, "fresh")["failure"];
    assert!(
        ["missing", "empty"].contains(&failure["kind"].as_str().unwrap()),
        "{failure:#}"
    );
    let beyond = ("beyond", "the event log covers the last 9 days");
    desk.write(&[beyond], journal);
    let plan = desk.lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    let told = String::from_utf8_lossy(&plan.stderr);
    assert_eq!(plan.status.code(), Some(2), "{told}");
    assert!(told.contains("the last 8d only"), "{told}");
    desk.write(&QUESTIONS, |inventory| {
        journal(inventory);
        inventory["products"]["amps"]["artifacts"]["event log"]["journal"] = json!("maria*");
    });
    let plan = desk.lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    let told = String::from_utf8_lossy(&plan.stderr);
    assert!(told.contains("no name of a systemd unit"), "{told}");
}
