//! What an operator gets wrong before anything is judged: each with its own message that names the
//! file, and with exit code 2 (written wrongly), 3 (our own side) or 4 (not acceptable).

use std::fs;
use std::path::Path;
use std::process::Output;
use std::rc::Rc;

use crate::lab::{FEATURE, Host, Lab, OPERATIONS, snapshot};

/// A lab that would be GO, with its inputs written.
fn ready() -> (Lab, Rc<Host>) {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    lab.write_inputs(&lab.inventory());
    (lab, host)
}

/// `run` ends with `code`, says all of `words` on stderr, leaves no run and touched no host.
#[track_caller]
fn refused(lab: &Lab, host: &Host, args: &[&str], code: i32, words: &[&str]) -> Output {
    let log = host.log().len();
    let out = args
        .iter()
        .position(|arg| *arg == "-o")
        .map(|at| args[at + 1]);
    let output = lab.run(args);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{told}");
    for word in words {
        assert!(told.contains(word), "not told `{word}`:\n{told}");
    }
    assert!(!told.contains("panicked"), "{told}");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        !stdout.lines().any(|line| line.starts_with("GO")),
        "{stdout}"
    );
    if let Some(out) = out {
        assert!(!lab.operator().join(out).join("report.json").exists());
    }
    assert_eq!(host.log().len(), log, "a host was touched: {}", host.log());
    output
}

/// As [`refused`], for a whole run of what is written.
#[track_caller]
fn run_refused(lab: &Lab, host: &Host, code: i32, words: &[&str]) -> Output {
    let out = lab.next_out();
    refused(lab, host, &lab.run_args(&out), code, words)
}

fn feature(lab: &Lab, text: &str) {
    fs::write(lab.path("operator/features/support.feature"), text).unwrap();
}

#[test]
fn missing_or_empty_inventory() {
    let (lab, host) = ready();
    let inventory = lab.path("operator/inventory.yaml");
    fs::write(&inventory, "").unwrap();
    run_refused(&lab, &host, 2, &["inventory.yaml", "empty"]);
    fs::remove_file(&inventory).unwrap();
    run_refused(&lab, &host, 2, &["inventory.yaml"]);
    fs::create_dir(&inventory).unwrap();
    run_refused(&lab, &host, 2, &["inventory.yaml"]);
}

#[test]
fn missing_or_empty_features() {
    let (lab, host) = ready();
    let features = lab.path("operator/features");
    fs::remove_file(features.join("support.feature")).unwrap();
    run_refused(&lab, &host, 2, &["features"]);
    fs::remove_dir(&features).unwrap();
    run_refused(&lab, &host, 2, &["features"]);
    fs::create_dir(&features).unwrap();
    feature(&lab, "");
    run_refused(&lab, &host, 2, &["support.feature"]);
    feature(&lab, "Feature: nothing in it\n");
    run_refused(&lab, &host, 2, &["support.feature"]);
}

#[test]
fn missing_or_empty_key() {
    let (lab, host) = ready();
    let key = lab.path("operator/keys/signer");
    fs::write(&key, "").unwrap();
    run_refused(&lab, &host, 3, &["keys/signer"]);
    fs::remove_file(&key).unwrap();
    run_refused(&lab, &host, 3, &["keys/signer"]);
    // A public key signs by an agent, and there is none.
    fs::copy(lab.path("operator/keys/signer.pub"), &key).unwrap();
    run_refused(&lab, &host, 3, &["keys/signer", "SSH_AUTH_SOCK names none"]);
}

#[test]
fn every_misspelling_is_named_with_its_place() {
    let (lab, host) = ready();
    for (right, wrong, place) in [
        (
            "    When the team connects",
            "    Whne the team connects",
            "support.feature:6:",
        ),
        (
            "    When the team connects",
            "    when the team connects",
            "support.feature:6:",
        ),
        (
            "  Scenario: version",
            "  Scenaro: version",
            "support.feature:3:",
        ),
        (
            "Then the version can",
            "Then the verson can",
            "support.feature:7:",
        ),
    ] {
        let text = FEATURE.replacen(right, wrong, 1);
        assert_ne!(text, FEATURE);
        feature(&lab, &text);
        run_refused(&lab, &host, 2, &[place, "hint"]);
    }
    // All problems at once, not only the first.
    let text = FEATURE.replace("When the team connects", "Whne the team connects");
    feature(&lab, &text);
    let places = [
        "support.feature:6:",
        "support.feature:13:",
        "support.feature:21:",
    ];
    run_refused(&lab, &host, 2, &places);
}

#[test]
fn a_misspelt_inventory_is_named_with_its_place() {
    let (lab, host) = ready();
    let path = lab.path("operator/inventory.yaml");
    let right = fs::read_to_string(&path).unwrap();
    for (from, to, words) in [
        ("\"port\":", "\"prot\":", ["prot", "did you mean `port`"]),
        (
            "\"host\": \"ny4-1\"",
            "\"host\": \"ny4-9\"",
            ["ny4-9", "inventory.yaml:"],
        ),
        (
            "\"operations\":",
            "\"opeartions\":",
            ["operations", "inventory.yaml:"],
        ),
        (
            "\"30s\"",
            "\"30 fortnights\"",
            ["30 fortnights", "inventory.yaml:"],
        ),
    ] {
        let wrong = right.replacen(from, to, 1);
        assert_ne!(wrong, right, "{from}");
        fs::write(&path, wrong).unwrap();
        run_refused(&lab, &host, 2, &words);
    }
}

#[test]
fn what_selects_nothing() {
    let (lab, host) = ready();
    feature(
        &lab,
        &FEATURE.replace("each instance\n", "each instance on group \"ny4\"\n"),
    );
    run_refused(&lab, &host, 2, &["ny4", "support.feature:"]);
    feature(
        &lab,
        &FEATURE.replace("each instance\n", "each \"redis\" instance\n"),
    );
    run_refused(&lab, &host, 2, &["redis", "support.feature:"]);
    feature(&lab, FEATURE);
    for (filter, value) in [
        ("--instance", "nobody-*"),
        ("--host", "ld5-*"),
        ("--team", "marketing"),
        ("--tags", "@nosuchtag"),
    ] {
        let out = lab.next_out();
        let args = [&lab.run_args(&out)[..], &[filter, value]].concat();
        refused(&lab, &host, &args, 2, &[value]);
    }
}

#[test]
fn an_instance_without_statistics() {
    let (lab, host) = ready();
    // Nobody asks for them …
    let cut = FEATURE.find("  Scenario: statistics").unwrap();
    feature(&lab, &FEATURE[..cut]);
    run_refused(&lab, &host, 2, &["orders", "statistics"]);
    // … or there are none to ask for.
    let mut inventory = lab.inventory();
    let mut plain = inventory["products"]["amps"].clone();
    plain["artifacts"]
        .as_object_mut()
        .unwrap()
        .remove("statistics");
    inventory["products"]["plain"] = plain;
    inventory["instances"]["orders"]["product"] = "plain".into();
    lab.write_inputs(&inventory);
    run_refused(&lab, &host, 2, &["orders", "statistics"]);
}

#[test]
fn scenarios_that_prove_nothing() {
    let (lab, host) = ready();
    for empty in [
        "\n  Scenario: without steps\n",
        "\n  Scenario Outline: without rows <x>\n    Given each instance\n    When the team connects\n\n    Examples:\n      | x |\n",
    ] {
        feature(&lab, &format!("{FEATURE}{empty}"));
        run_refused(&lab, &host, 2, &["support.feature:"]);
    }
}

#[test]
fn one_unreachable_host_leaves_the_others_judged() {
    let lab = Lab::new();
    let hosts = ["ny4-1", "ny4-2", "ny4-3"].map(|name| lab.host(name).start());
    let names = ["orders", "quotes", "risk"];
    for (name, host) in names.iter().zip(&hosts) {
        lab.amps(name, host);
    }
    let nobody = lab.host("ld5-1").dead();
    let run = lab.judge_with(|inventory| {
        inventory["hosts"]["ny4-2"]["address"] = nobody.ip().to_string().into();
        inventory["hosts"]["ny4-2"]["port"] = nobody.port().into();
    });
    let failed = crate::lab::FOUR.map(|four| ("quotes", OPERATIONS.team, four, "unreachable"));
    run.assert_only(&failed);
    assert_eq!(run.checks().len(), 12);
}

#[test]
fn an_output_directory_that_exists() {
    let (lab, host) = ready();
    let taken = lab.path("operator/taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("precious"), "keep me").unwrap();
    let before = snapshot(&taken);
    refused(&lab, &host, &lab.run_args("taken"), 2, &["taken", "exists"]);
    assert_eq!(before, snapshot(&taken));
}

#[test]
fn an_output_directory_that_cannot_be_written() {
    let (lab, host) = ready();
    refused(
        &lab,
        &host,
        &lab.run_args("no/such/parent"),
        3,
        &["no/such"],
    );
    refused(
        &lab,
        &host,
        &lab.run_args("inventory.yaml/out"),
        3,
        &["inventory.yaml"],
    );
    refused(
        &lab,
        &host,
        &lab.run_args("/proc/gonogo-out"),
        3,
        &["/proc"],
    );
    assert!(!Path::new("/proc/gonogo-out").exists());
}

#[test]
fn a_key_of_a_team_that_cannot_be_read() {
    let (lab, host) = ready();
    fs::remove_file(lab.path("operator/keys/operations")).unwrap();
    let output = run_refused_or_fault(&lab, &host);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("keys/operations"), "{told}");
}

// Whether a missing login key is a wrong inventory (2) or our own side (3) is the tool's to say;
// that it is never judged, and never GO, is not.
#[track_caller]
fn run_refused_or_fault(lab: &Lab, host: &Host) -> Output {
    let out = lab.next_out();
    let output = lab.run(&lab.run_args(&out));
    assert!(matches!(output.status.code(), Some(2 | 3)), "{output:?}");
    assert!(!host.log().contains("Accepted"), "{}", host.log());
    output
}

#[test]
fn an_edited_run_does_not_verify() {
    let (lab, _host) = ready();
    let orders_broken = lab.judge_with(|inventory| {
        inventory["instances"]["orders"]["expect"]["version"] = "9.9.9.9".into();
    });
    orders_broken.assert_only(&[("orders", OPERATIONS.team, "version", "mismatch")]);
    let dir = orders_broken.dir;
    let verified = lab.verify(&dir);
    assert_eq!(verified.status.code(), Some(1), "{verified:?}");

    let path = dir.join("report.json");
    let report = fs::read_to_string(&path).unwrap();
    let edited = report
        .replace("\"NO-GO\"", "\"GO\"")
        .replace("\"failed\"", "\"passed\"");
    assert_ne!(report, edited);
    fs::write(&path, &edited).unwrap();
    not_acceptable(&lab, &dir, &["report.json"]);

    // The sums made to fit: then the signature does not.
    let sums = dir.join("SHA256SUMS");
    let listed = fs::read_to_string(&sums).unwrap();
    let digest = |text: &str| gonogo::digest::Sha256::of(text.as_bytes()).to_string();
    let fitted = listed.replace(&digest(&report), &digest(&edited));
    assert_ne!(listed, fitted);
    fs::write(&sums, fitted).unwrap();
    not_acceptable(&lab, &dir, &["signature"]);

    // As it was, it is acceptable again; with one file more or less it is not.
    fs::write(&path, &report).unwrap();
    fs::write(&sums, &listed).unwrap();
    assert_eq!(lab.verify(&dir).status.code(), Some(1));
    fs::write(dir.join("stowaway.txt"), "x").unwrap();
    not_acceptable(&lab, &dir, &["stowaway.txt"]);
    fs::remove_file(dir.join("stowaway.txt")).unwrap();
    fs::remove_file(dir.join("junit.xml")).unwrap();
    not_acceptable(&lab, &dir, &["junit.xml"]);
}

#[test]
fn a_run_signed_by_a_stranger_or_of_another_world_does_not_verify() {
    let (lab, _host) = ready();
    let run = lab.judge_as_written();
    run.assert_go(4);
    let dir = run.dir.to_str().unwrap();
    let verify = |more: &[&str]| {
        let args = ["verify", dir, "--allowed-signers", "allowed_signers"];
        lab.run(&[&args[..], more].concat()).status.code()
    };
    let right = [
        "--environment",
        "production",
        "--inventory",
        "inventory.yaml",
    ];
    assert_eq!(verify(&right), Some(0));
    assert_eq!(
        verify(&["--features", "features", "--max-age", "24h"]),
        Some(0)
    );
    assert_eq!(verify(&["--environment", "staging"]), Some(4));
    assert_eq!(verify(&["--identity", "mallory@gonogo"]), Some(4));
    feature(&lab, &format!("{FEATURE}\n# changed\n"));
    assert_eq!(verify(&["--features", "features"]), Some(4));
    fs::write(
        lab.path("operator/inventory.yaml"),
        "environment: production\n",
    )
    .unwrap();
    assert_eq!(verify(&["--inventory", "inventory.yaml"]), Some(4));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(verify(&["--max-age", "1s"]), Some(4));

    crate::lab::keygen(&lab.path("operator/keys/stranger"), "lab@gonogo");
    let public = fs::read_to_string(lab.path("operator/keys/stranger.pub")).unwrap();
    fs::write(
        lab.path("operator/allowed_signers"),
        format!("lab@gonogo {public}"),
    )
    .unwrap();
    assert_eq!(verify(&[]), Some(4));
    // Nobody may sign: the gate itself is set up wrongly, whatever the run says.
    fs::write(lab.path("operator/allowed_signers"), "").unwrap();
    assert_eq!(verify(&[]), Some(2));
}

#[test]
fn a_run_directory_that_is_none() {
    let (lab, host) = ready();
    let nothing = lab.path("operator/nothing");
    let verify = ["verify", "nothing", "--allowed-signers", "allowed_signers"];
    refused(&lab, &host, &verify, 4, &["nothing"]);
    fs::create_dir(&nothing).unwrap();
    refused(&lab, &host, &verify, 4, &["SHA256SUMS"]);
}

fn not_acceptable(lab: &Lab, dir: &Path, words: &[&str]) {
    let verified = lab.verify(dir);
    let told = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert_eq!(verified.status.code(), Some(4), "{told}");
    for word in words {
        assert!(told.contains(word), "not told `{word}`:\n{told}");
    }
}
