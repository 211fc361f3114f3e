//! The support process rehearsed on the practice estate: what a newcomer is told to type can be typed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gonogo::digest::Sha256;

use crate::lab::GONOGO;

fn gonogo(at: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(GONOGO);
    command.args(args).current_dir(at).env("NO_COLOR", "1");
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What stands below that line, as far as it is indented.
fn below<'t>(text: &'t str, heading: &str) -> Vec<&'t str> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with(heading));
    assert!(lines.next().is_some(), "{heading}: {text}");
    lines.map_while(|line| line.strip_prefix("  ")).collect()
}

/// Types it into a shell.
fn typed(at: &Path, line: &str) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(at).env("CI", "true");
    shell.output().unwrap()
}

#[test]
fn the_process_is_rehearsed_whole_and_its_commands_can_be_typed_again() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    let rehearsed = gonogo(at, &["demo", "--rehearse", "practice run"]);
    let told = said(&rehearsed);
    assert_eq!(rehearsed.status.code(), Some(0), "{told}");
    let stdout = String::from_utf8_lossy(&rehearsed.stdout);
    assert_eq!(stdout.lines().last(), Some("GO"), "{stdout}");
    assert!(stdout.contains("PASSED"), "{stdout}");
    let dir = at.join("practice run");

    // What arrived is what was built, once by each way.
    let the_one = |folder: &str| {
        let arrived: Vec<_> = dir.join(folder).read_dir().unwrap().collect();
        assert_eq!(arrived.len(), 1, "{folder}: {arrived:?}");
        arrived[0].as_ref().unwrap().path()
    };
    let digest = |path: &Path| Sha256::of(&fs::read(path).unwrap());
    let bundle = dir.join("case.tar.zst");
    for folder in ["intake", "uploads"] {
        let arrived = the_one(folder);
        assert_eq!(digest(&arrived), digest(&bundle), "{folder}");
        let name = arrived.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("00012346_orders_"), "{folder}: {name}");
    }
    let request = fs::read_to_string(dir.join("request.txt")).unwrap();
    let mail = fs::read_to_string(the_one("mailbox")).unwrap();
    let lines: String = mail.lines().map(|line| line.trim_end()).collect();
    let packed = STANDARD.encode(fs::read(&bundle).unwrap());
    assert!(lines.contains(&packed), "the message holds the bundle");
    assert!(mail.contains("Subject: Case 00012346: orders"), "{mail}");
    assert!(lines.contains("5.3.4.12"), "{mail}");
    let asked = Command::new("tar")
        .args(["--zstd", "--wildcards", "-xOf"])
        .arg(&bundle)
        .arg("*/request.txt")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(asked.stdout).unwrap(), request);
    let receipts: Vec<_> = (dir.join("receipts").read_dir().unwrap())
        .map(|one| one.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".receipt.json"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    assert_eq!(receipts.len(), 3, "{receipts:?}");
    for arrival in ["read back", "accepted by the mail server"] {
        let has = |receipt: &&String| receipt.contains(arrival);
        assert!(receipts.iter().any(|receipt| has(&receipt)), "{arrival}");
    }
    assert!(
        request.contains("5.3.4.12") && request.contains("40 seconds late"),
        "{request}"
    );
    let book = fs::read_to_string(dir.join("runbook.md")).unwrap();
    assert!(book.contains("60E-PRACTICE"), "{book}");
    let drill: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.join("drills/1/drill.json")).unwrap()).unwrap();
    assert_eq!(drill["outcome"], "PASSED", "{drill:#}");
    for file in [
        "run/report.html",
        "runbook.html",
        "drills/1/drill.html",
        "COMMANDS.txt",
    ] {
        assert!(dir.join(file).metadata().unwrap().len() > 100, "{file}");
    }

    // The bundle holds its request to the vendor's template.
    let typed_before = fs::read_to_string(dir.join("COMMANDS.txt")).unwrap();
    let build = (typed_before.lines())
        .find(|line| line.contains(" case build ") && line.contains(" --request "))
        .unwrap();
    let build = build.replace("case.tar.zst", "more.tar.zst");
    for (text, code) in [(format!("{request}And one thing more.\n"), 2), (request, 0)] {
        fs::write(dir.join("request.txt"), &text).unwrap();
        let built = typed(at, &build);
        assert_eq!(built.status.code(), Some(code), "{built:?}");
        let refused = said(&built).contains("not the vendor's template, filled in");
        assert_eq!(refused, code == 2, "{built:?}");
        assert_eq!(dir.join("more.unreviewed.tar.zst").exists(), code == 0);
    }

    let again = below(&told, "and type it again");
    assert_eq!(again.len(), 5, "{again:?}");
    for line in &again {
        let output = typed(at, line);
        assert_eq!(output.status.code(), Some(0), "{line}: {output:?}");
    }
    // The estate is gone, and with it the intake: nothing is delivered, and that is said.
    let deliver = again
        .iter()
        .find(|line| line.contains("case deliver"))
        .unwrap();
    let sent = typed(at, &format!("{deliver} --send"));
    assert_eq!(sent.status.code(), Some(1), "{sent:?}");
    assert!(said(&sent).contains("not delivered"), "{sent:?}");

    // Every command is shown before it is carried out, and kept.
    let kept = fs::read_to_string(dir.join("COMMANDS.txt")).unwrap();
    let shown = told.lines().filter_map(|line| line.strip_prefix("$ "));
    let shown: Vec<&str> = shown.collect();
    for line in kept
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        assert!(shown.contains(&line), "{line}");
    }
    assert!(shown.len() > 15, "{shown:?}");

    let taken = gonogo(at, &["demo", "--rehearse", "practice run"]);
    assert_eq!(taken.status.code(), Some(2), "nothing is written over");
    let both = gonogo(at, &["demo", "--rehearse", "x", "--break", "denied"]);
    assert_eq!(both.status.code(), Some(2));
    assert!(!at.join("x").exists());
}

#[test]
fn what_the_demo_says_to_type_can_be_typed() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    let demo = gonogo(at, &["demo", "-o", "run"]);
    let told = said(&demo);
    assert_eq!(demo.status.code(), Some(0), "{told}");
    let checks = below(&told, "and check it");
    let next = below(&told, "and go on");
    assert_eq!((checks.len(), next.len()), (3, 2), "{told}");
    for line in checks.iter().chain(&next) {
        let output = typed(at, line);
        assert_eq!(output.status.code(), Some(0), "{line}: {output:?}");
    }
    let drafted = String::from_utf8(typed(at, next[0]).stdout).unwrap();
    assert!(
        drafted.contains("5.3.4.12") && drafted.contains("orders are late"),
        "{drafted}"
    );
    assert_eq!(below(&told, "and rehearse").len(), 1);
    // What is no GO proves no process, and so no runbook is told to be written.
    let broken = gonogo(at, &["demo", "-o", "broken", "--break", "contract-ended"]);
    assert_eq!(broken.status.code(), Some(1));
    let next = said(&broken);
    let next = below(&next, "and go on");
    assert_eq!(next.len(), 1, "{next:?}");
    assert_eq!(typed(at, next[0]).status.code(), Some(0));
}
