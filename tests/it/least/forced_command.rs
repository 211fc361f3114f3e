//! `--forced-command`: the script itself, under each shell that may be `sh`, against hostile requests.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use gonogo::transport::{framed, quoted};
use serde_json::json;

use super::{asked, text};
use crate::lab::{BANNER, Lab, OPERATIONS};

const NONCE: &str = "0123456789abcdef0123456789abcdef";

/// What the client sends for `words`, in the frame of `nonce`.
fn request(nonce: &str, words: &[&str]) -> String {
    login_line(&framed(nonce, &quoted(words)))
}

fn login_line(script: &str) -> String {
    let mut line = "sh -c '".to_owned();
    for c in script.chars() {
        match c {
            '\'' | '\\' | '!' => line.push_str(&format!("'\\{c}'")),
            c => line.push(c),
        }
    }
    line + "'"
}

fn ask(shell: &[&str], script: &Path, dir: &Path, request: Option<&str>) -> Output {
    let mut command = Command::new("timeout");
    command.arg("20").args(shell).arg(script).current_dir(dir);
    command
        .env_remove("SSH_ORIGINAL_COMMAND")
        .stdin(Stdio::piped());
    if let Some(request) = request {
        command.env("SSH_ORIGINAL_COMMAND", request);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // Its stdin stays open, as the connection's does.
    let mut child = command.spawn().unwrap();
    let stdin = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    output
}

#[test]
fn the_script_runs_the_plan_and_refuses_what_is_smuggled() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    let mut inventory = lab.inventory();
    inventory["teams"][OPERATIONS.team]["transport"] = json!("exec");
    lab.write_inputs(&inventory);
    let printed = asked(&lab, &["--forced-command", OPERATIONS.team]);
    assert_eq!(printed.status.code(), Some(0), "{printed:?}");
    let script = lab.path("operator/tmp/forced");
    fs::write(&script, &printed.stdout).unwrap();
    let dir = lab.path("operator/tmp");
    let canary = dir.join("canary");
    let home = &orders.home;
    let version = format!("{home}/bin/ampServer");
    let version: &[&str] = &[&version, "--version"];
    let good = request(NONCE, version);
    let log = format!("{home}/{}", orders.log());
    let head = |size: &str, path: &str| request(NONCE, &["head", "-c", size, "--", path]);
    let find = ["-mindepth", "1", "-maxdepth", "1", "-print0"];
    let find = |dir: &str| request(NONCE, &[&["find", dir][..], &find].concat());

    let injections = [
        "; touch canary",
        "\ntouch canary",
        "$(touch canary)",
        "`touch canary`",
        "' ; touch canary; '",
        " & touch canary",
    ];
    let mut hostile: Vec<String> = [
        "",
        "id",
        "touch canary",
        "sh",
        "sh -c 'touch canary'",
        "sh -c ''",
        "sh -c '",
        "internal-sftp",
    ]
    .map(str::to_owned)
    .into();
    for injected in injections {
        hostile.push(format!("{good}{injected}"));
        hostile.push(format!("{injected}{good}"));
        for nonce in [
            "",
            "0123",
            &NONCE.repeat(2),
            &NONCE.to_uppercase(),
            "????????????????????????????????",
            "[a-f]*",
            "********************************",
        ] {
            hostile.push(request(nonce, version));
            hostile.push(request(&format!("{nonce}{injected}"), version));
        }
        let (start, end) = NONCE.split_at(NONCE.len().saturating_sub(injected.len().min(32)));
        hostile.push(request(&format!("{start}{injected}"), version));
        hostile.push(good.replacen(end, injected, 1));
        hostile.push(login_line(&framed(
            NONCE,
            &format!("{}{injected}", quoted(version)),
        )));
        hostile.push(login_line(&framed(NONCE, injected)));
        hostile.push(head(&format!("10{injected}"), &log));
        hostile.push(head("10", &format!("{log}{}", injected.replace(' ', "/"))));
        hostile.push(find(&format!("{home}/logs/{injected}")));
        hostile.push(request(NONCE, &[version[0], injected]));
    }
    // Two nonces in one frame; the frame without its tether; a quote in a path.
    hostile.push(good.replacen(NONCE, &NONCE.replace('0', "1"), 1));
    hostile.push(good.replace("kill -9 $c $$", "true"));
    hostile.push(head("10", &format!("{home}/logs/'; touch canary; '.log")));
    for size in ["", "0", "07", "-1", "1k", "SIZE", "*", "1 2"] {
        hostile.push(head(size, &log));
    }
    for path in [
        "logs/../stats.db",
        "logs/.x.log",
        "logs/..log",
        "logs/x/y.log",
        "logs//x.log",
        "logs/",
        "logs",
        "stats.db-shm",
        "stats.db/",
        "bin/ampServer",
        "*",
        "logs/*.log/../../x",
    ] {
        hostile.push(head("10", &format!("{home}/{path}")));
    }
    hostile.push(find(&format!("{home}/bin/")));
    hostile.push(find(&format!("{home}/logs/../")));
    hostile.push("x".repeat(100_000));
    hostile.push("'\\x'".repeat(8_000));

    let planned = [
        good,
        head("10", &log),
        head(
            "10",
            &format!("{home}/logs/it has $(touch canary) blanks.log"),
        ),
        request(NONCE, &["stat", "-L", "-c", "%f/%s/%Y", "--", &log]),
        find(&format!("{home}/logs/")),
        request(NONCE, &["hostname"]),
    ];
    let mut tried = 0;
    for shell in [
        &["dash"][..],
        &["bash", "--posix"],
        &["busybox", "sh"],
        &["ksh"],
        &["mksh"],
    ] {
        // Whatever shells are here; scripts/test says which are missing.
        if Command::new(shell[0])
            .args(&shell[1..])
            .args(["-c", "true"])
            .output()
            .is_err()
        {
            continue;
        }
        for request in &planned {
            let run = ask(shell, &script, &dir, Some(request));
            let framed = format!("\u{1e}GNG-{NONCE}\u{1e}");
            assert!(
                text(&run.stdout).starts_with(&framed),
                "{shell:?}: {request}\n{run:?}"
            );
            assert!(!canary.exists(), "{shell:?}: {request}");
        }
        let run = ask(shell, &script, &dir, Some(&planned[0]));
        assert!(text(&run.stdout).contains(BANNER), "{shell:?}: {run:?}");
        for request in hostile
            .iter()
            .map(|request| Some(request.as_str()))
            .chain([None])
        {
            let run = ask(shell, &script, &dir, request);
            assert_eq!(
                run.status.code(),
                Some(126),
                "{shell:?}: {request:?}\n{run:?}"
            );
            assert!(run.stdout.is_empty(), "{shell:?}: {request:?}\n{run:?}");
            assert!(!canary.exists(), "{shell:?}: {request:?}");
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
    // The canary sings where there is no such script.
    let bare = Command::new("sh")
        .args(["-c", &hostile[2]])
        .current_dir(&dir)
        .status()
        .unwrap();
    assert!(bare.success() && canary.exists());
}
