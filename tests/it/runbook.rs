//! `runbook` by the real binary: of the practice estate, and of real servers behind a bastion; what is no GO is
//! refused, and an edited runbook is named.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::lab::{GONOGO, Lab};

fn gonogo(at: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(GONOGO);
    command.args(args).current_dir(at).env("NO_COLOR", "1");
    command.output().unwrap()
}

/// What it tells, which ends with that code.
#[track_caller]
fn told(output: &Output, code: i32) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let told = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    told
}

fn demo(at: &Path, out: &str, more: &[&str], code: i32) {
    told(&gonogo(at, &[&["demo", "--out", out], more].concat()), code);
}

const SIGNERS: [&str; 2] = ["--allowed-signers", "go.allowed_signers"];

#[test]
fn the_practice_estate_has_a_runbook_that_holds() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    demo(at, "go", &[], 0);
    let runbook = |more: &[&str]| {
        let args = [&["runbook", "go"], &SIGNERS[..], more].concat();
        gonogo(at, &args)
    };
    let note = told(&runbook(&["-o", "book.md"]), 0);
    assert!(note.contains("practice estate"), "{note}");
    let book = fs::read_to_string(at.join("book.md")).unwrap();
    assert_eq!(
        String::from_utf8(runbook(&[]).stdout).unwrap(),
        book,
        "not deterministic"
    );
    for statement in [
        "**Practice estate\\: says nothing about a real one.**",
        "- **id:** `60E-PRACTICE` — proven by [`features/60east.feature:",
        "- **severity S1:** first answer within 1h — proven by",
        "- **answers S2:** Mon-Fri 08\\:00-18\\:00 America/New\\_York — proven by",
        "- **2 telephone:** phone `+17025550100`, 24x7 America/New\\_York, answers within 1h",
        "(ben), the on-call engineer fails over to the replica\n",
        "- **ana:** Ana Silva, head of operations, `ana@bank.example.com` — **stated in the inventory, proven by no check**",
        "- **request template:** NOT STATED in the inventory",
        "### orders as operations\n",
        "\nssh -i keys/operations -p ",
        "\n/opt/amps/orders/bin/ampServer --version\n",
        "- **version found:** `5.3.4.12` — proven by",
        "- **next due:** ",
    ] {
        assert!(book.contains(statement), "{statement}\n{book}");
    }
    // Each link leads to the check that it names.
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(at.join("go/report.json")).unwrap()).unwrap();
    let page = fs::read_to_string(at.join("go/report.html")).unwrap();
    let mut links = 0;
    for link in book.split("[`").skip(1) {
        let (id, rest) = link.split_once("`](report.html#c").unwrap();
        let number = rest.split(')').next().unwrap();
        let check = &report["checks"][number.parse::<usize>().unwrap()];
        assert_eq!(check["id"], id);
        assert_eq!(check["outcome"], "passed");
        assert!(page.contains(&format!("id=\"c{number}\"")));
        links += 1;
    }
    assert!(links > 50, "{links}");

    let same = told(&runbook(&["--check", "book.md"]), 0);
    assert!(same.starts_with("book.md says what run "), "{same}");
    let number = book
        .lines()
        .position(|line| line.contains("**2 telephone"))
        .unwrap()
        + 1;
    fs::write(
        at.join("edited.md"),
        book.replace("+17025550100", "+19005550100"),
    )
    .unwrap();
    let edited = told(&runbook(&["--check", "edited.md"]), 1);
    let first = format!(
        "changed  edited.md:{number}: Vendor 60east › Escalation, in this order\n  file  - **2 telephone:** phone `+19005550100`"
    );
    assert!(edited.starts_with(&first), "{edited}");
    assert!(
        edited.ends_with("differ from run ") || edited.contains("1 statement differs from run "),
        "{edited}"
    );

    // The page: replaced where it stands, and never put over something else.
    for _ in 0..2 {
        told(&runbook(&["--format", "html", "-o", "book.html"]), 0);
    }
    let html = fs::read_to_string(at.join("book.html")).unwrap();
    assert!(html.contains("href=\"report.html#c") && !html.contains("<script"));
    fs::write(at.join("notes.md"), "# Mine\n").unwrap();
    for (out, word) in [
        ("notes.md", "no runbook stands there"),
        ("go/book.md", "lies in the run directory"),
        (".", "no regular file"),
    ] {
        let refused = told(&runbook(&["-o", out]), 2);
        assert!(refused.contains(word), "{refused}");
    }
    assert_eq!(fs::read_to_string(at.join("notes.md")).unwrap(), "# Mine\n");
    let verify = gonogo(at, &[&["verify", "go"], &SIGNERS[..]].concat());
    told(&verify, 0);
    for (file, word) in [("absent.md", "absent.md"), ("book.html", "it is HTML")] {
        let refused = told(&runbook(&["--check", file]), 2);
        assert!(refused.contains(word), "{refused}");
    }
}

#[test]
fn what_is_no_go_proves_no_process() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    demo(at, "go", &[], 0);
    demo(at, "broken", &["--break", "denied"], 1);
    let runbook = |run: &str, more: &[&str], code: i32| {
        let args = [&["runbook", run, "--allowed-signers"], more].concat();
        let output = gonogo(at, &args);
        if code != 0 {
            assert!(output.stdout.is_empty(), "{output:?}");
        }
        told(&output, code)
    };
    let no_go = runbook("broken", &["broken.allowed_signers"], 4);
    assert!(no_go.contains("proves no process: it is NO-GO"), "{no_go}");
    assert!(no_go.contains("hint: "), "{no_go}");
    let stranger = runbook("go", &["broken.allowed_signers"], 4);
    assert!(stranger.contains("stands in no line"), "{stranger}");
    runbook("go", &["go.allowed_signers", "--identity", "eve@gonogo"], 4);
    let nothing = runbook("nowhere", &["go.allowed_signers"], 2);
    assert!(nothing.contains("name the directory"), "{nothing}");
    // One byte of what the run keeps.
    let inventory = at.join("go/inputs/inventory.yaml");
    let text = fs::read_to_string(&inventory).unwrap();
    fs::write(&inventory, text.replace("60E-PRACTICE", "60E-PRACTISE")).unwrap();
    let changed = runbook("go", &["go.allowed_signers"], 4);
    assert!(changed.contains("inventory.yaml"), "{changed}");
    fs::write(&inventory, text).unwrap();
    runbook("go", &["go.allowed_signers"], 0);
}

#[test]
fn the_road_over_a_bastion_is_told_as_it_can_be_typed() {
    let lab = Lab::new();
    let target = lab.host("ny4-1").start();
    let bastion = lab.host("bastion").start();
    lab.amps("orders", &target);
    let via = |inventory: &mut serde_json::Value| {
        inventory["hosts"]["ny4-1"]["via"] = json!(["bastion"]);
    };
    lab.judge_with(via).assert_go(4);
    lab.judge_as_written().assert_go(4);
    lab.judge_with(|_| ()).assert_go(4);
    let at = lab.operator();
    let runbook = |run: &str, more: &[&str]| {
        let signers = ["--allowed-signers", "allowed_signers"];
        lab.run(&[&["runbook", run], &signers[..], more].concat())
    };
    told(&runbook("run-1", &["-o", "book.md"]), 0);
    let book = fs::read_to_string(at.join("book.md")).unwrap();
    assert!(book.contains("- **1 hop bastion:** `"), "{book}");
    assert!(book.contains("- **2 server ny4-1:** `"), "{book}");
    // The next run of the same estate, and one that goes another road.
    told(&runbook("run-2", &["--check", "book.md"]), 0);
    let other = told(&runbook("run-3", &["--check", "book.md"]), 1);
    assert!(other.contains("**1 hop bastion"), "{other}");

    // As a person types it, with that key in their ssh_config for the hop.
    let line = book.lines().find(|line| line.starts_with("ssh ")).unwrap();
    assert!(line.contains(" -J "), "{line}");
    let config = format!(
        "Host *\n  IdentityFile {0}/keys/operations\n  UserKnownHostsFile {0}/known_hosts\n  StrictHostKeyChecking yes\n  BatchMode yes\n  IdentityAgent none\n",
        at.display()
    );
    fs::write(at.join("person.ssh_config"), config).unwrap();
    let typed = line.replacen("ssh ", "ssh -F person.ssh_config ", 1) + " 'echo here'";
    let output = Command::new("sh")
        .args(["-c", &typed])
        .current_dir(&at)
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "here\n",
        "{typed}\n{output:?}"
    );
    assert!(bastion.log().contains("Accepted publickey"));

    // A part of a run, and one that is not the newest of its folder.
    let mut args = lab.run_args("part").to_vec();
    args.extend(["--host", "ny4-1"]);
    told(&lab.run(&args), 1);
    let part = told(&runbook("part", &[]), 4);
    assert!(
        part.contains("partial") || part.contains("filter"),
        "{part}"
    );
}

#[test]
fn an_older_go_of_a_history_is_superseded() {
    let lab = Lab::new();
    let target = lab.host("ny4-1").start();
    lab.amps("orders", &target);
    lab.judge().assert_go(4);
    fs::create_dir(lab.operator().join("runs")).unwrap();
    for out in ["runs/1", "runs/2"] {
        let mut args = lab.run_args(out).to_vec();
        args.extend(["--history", "runs"]);
        told(&lab.run(&args), 0);
    }
    let runbook = |run: &str| {
        let args = [
            "runbook",
            run,
            "--allowed-signers",
            "allowed_signers",
            "--history",
            "runs",
        ];
        lab.run(&args)
    };
    let old = told(&runbook("runs/1"), 4);
    assert!(
        old.contains("not acceptable") && old.contains("hint: "),
        "{old}"
    );
    told(&runbook("runs/2"), 0);
}
