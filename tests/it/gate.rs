//! `verify` as a gate: every binding refuses what it is there to refuse and accepts its benign twin, and
//! whoever holds the right key still cannot sign a verdict that the recorded facts do not give.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gonogo::digest::Sha256;
use gonogo::sign::dsse::{Statement, TestResult, sign_statement};
use gonogo::sign::key::SigningKey;
use serde_json::Value;

use crate::lab::{FEATURE, Lab, OPERATIONS, Run, until};

/// A lab with one instance, judged; `edit` before that.
fn judged(edit: impl FnOnce(&mut Value)) -> (Lab, Run) {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    let run = lab.judge_with(edit);
    (lab, run)
}

#[track_caller]
fn verify(lab: &Lab, run: &Run, more: &[&str], code: i32, words: &[&str]) {
    let dir = run.dir.to_str().unwrap();
    let args = ["verify", dir, "--allowed-signers", "allowed_signers"];
    let output = lab.run(&[&args[..], more].concat());
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(code), "{more:?}: {told}");
    for word in words {
        assert!(told.contains(word), "{more:?}: not told `{word}`: {told}");
    }
    assert!(code != 4 || told.contains("hint: "), "{more:?}: {told}");
}

#[test]
fn every_binding_refuses_and_has_its_twin() {
    let (lab, run) = judged(|_| ());
    run.assert_go(4);
    let operator = lab.operator();
    let write = |name: &str, text: &str| {
        let path = operator.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };

    verify(&lab, &run, &["--environment", "production"], 0, &["GO"]);
    let other = "not `staging`";
    verify(&lab, &run, &["--environment", "staging"], 4, &[other]);

    verify(&lab, &run, &["--identity", "lab@gonogo"], 0, &[]);
    verify(
        &lab,
        &run,
        &["--identity", "eve@gonogo"],
        4,
        &["eve@gonogo"],
    );

    let inventory = ["--inventory", "inventory.yaml"];
    verify(&lab, &run, &inventory, 0, &[]);
    let right = fs::read_to_string(operator.join("inventory.yaml")).unwrap();
    // Not a byte may differ, not even in a comment.
    write("other.yaml", &format!("{right}# looked at\n"));
    let other = ["--inventory", "other.yaml"];
    verify(&lab, &run, &other, 4, &["another inventory"]);
    verify(&lab, &run, &["--inventory", "none.yaml"], 2, &["none.yaml"]);

    let features = ["--features", "features"];
    verify(&lab, &run, &features, 0, &[]);
    write(
        "features/support.feature",
        &format!("{FEATURE}\n# edited\n"),
    );
    verify(&lab, &run, &features, 4, &["another version", "support"]);
    write("features/support.feature", FEATURE);
    write("features/more.feature", FEATURE);
    verify(&lab, &run, &features, 4, &["did not use", "more.feature"]);
    fs::rename(
        operator.join("features/support.feature"),
        operator.join("support.feature"),
    )
    .unwrap();
    write("features/more.feature", FEATURE);
    verify(&lab, &run, &features, 4, &["feature"]);
    fs::remove_file(operator.join("features/more.feature")).unwrap();
    verify(&lab, &run, &features, 2, &["features"]);
    write("features/support.feature", FEATURE);
    verify(&lab, &run, &features, 0, &[]);

    verify(&lab, &run, &["--max-age", "24h"], 0, &[]);
    until("a second has passed", Duration::from_secs(30), || {
        let (dir, age) = (run.dir.to_str().unwrap(), "1s");
        let args = ["verify", dir, "--allowed-signers", "allowed_signers"];
        let output = lab.run(&[&args[..], &["--max-age", age]].concat());
        output.status.code() == Some(4) && String::from_utf8_lossy(&output.stderr).contains("stale")
    });
}

#[test]
fn a_feature_that_was_left_out_is_missed() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    lab.write_inputs(&lab.inventory());
    let more = lab.path("operator/features/more.feature");
    fs::write(&more, FEATURE.replace("What support", "Again what support")).unwrap();
    let run = lab.judge_as_written();
    run.assert_go(8);
    verify(&lab, &run, &["--features", "features"], 0, &[]);
    fs::remove_file(more).unwrap();
    let words = ["more.feature` too"];
    verify(&lab, &run, &["--features", "features"], 4, &words);
}

/// Puts `bytes` in the place of a listed file and signs the manifest anew with the right key.
fn sign_again(lab: &Lab, dir: &Path, name: &str, bytes: &[u8]) {
    let sums = dir.join("SHA256SUMS");
    let old = Sha256::of(&fs::read(dir.join(name)).unwrap()).to_string();
    fs::write(dir.join(name), bytes).unwrap();
    let listed = fs::read_to_string(&sums).unwrap();
    assert!(listed.contains(&old));
    let fitted = listed.replace(&old, &Sha256::of(bytes).to_string());
    fs::write(&sums, fitted).unwrap();
    fs::remove_file(dir.join("SHA256SUMS.sig")).unwrap();
    let signed = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", "gonogo-report@gonogo", "-f"])
        .arg(lab.path("operator/keys/signer"))
        .arg(&sums)
        .output()
        .unwrap();
    assert!(signed.status.success(), "{signed:?}");
}

/// Attests whatever the manifest lists now, with the right key.
fn attest_again(lab: &Lab, dir: &Path, result: TestResult) {
    let key = SigningKey::load(&lab.path("operator/keys/signer"), None).unwrap();
    let sums = fs::read(dir.join("SHA256SUMS")).unwrap();
    let statement = Statement {
        subjects: vec![("SHA256SUMS".to_owned(), Sha256::of(&sums))],
        result,
        configuration: Vec::new(),
        url: None,
        passed: Vec::new(),
        warned: Vec::new(),
        failed: Vec::new(),
    };
    let envelope = sign_statement(&key, &statement).unwrap();
    fs::write(dir.join("report.intoto.jsonl"), envelope).unwrap();
}

#[test]
fn the_right_key_does_not_make_a_wrong_verdict_right() {
    let (lab, run) = judged(|inventory| {
        inventory["instances"]["orders"]["expect"]["version"] = "9.9.9.9".into();
    });
    run.assert_only(&[("orders", OPERATIONS.team, "version", "mismatch")]);
    let dir = &run.dir;
    let attestation = dir.join("report.intoto.jsonl");
    let attested = fs::read(&attestation).unwrap();
    let report = fs::read_to_string(dir.join("report.json")).unwrap();

    // The benign twin: signed and attested again as it is, it is the same NO-GO.
    sign_again(&lab, dir, "report.json", report.as_bytes());
    verify(&lab, &run, &[], 1, &["NO-GO"]);
    attest_again(&lab, dir, TestResult::Failed);
    verify(&lab, &run, &[], 1, &["NO-GO"]);
    fs::write(&attestation, &attested).unwrap();

    let decided = |report: &str| -> String {
        let mut edited: Value = serde_json::from_str(report).unwrap();
        edited["verdict"]["decision"] = "GO".into();
        edited["verdict"]["reasons"] = Value::Array(Vec::new());
        serde_json::to_string_pretty(&edited).unwrap()
    };
    let go = decided(&report);
    sign_again(&lab, dir, "report.json", go.as_bytes());
    // The attestation is of the run as it was …
    verify(&lab, &run, &[], 4, &["report.intoto.jsonl"]);
    // … or gone …
    fs::remove_file(&attestation).unwrap();
    verify(&lab, &run, &[], 4, &["report.intoto.jsonl"]);
    // … or made to fit: then the facts speak.
    attest_again(&lab, dir, TestResult::Passed);
    let disagree = ["recorded verdict is GO", "facts give NO-GO"];
    verify(&lab, &run, &[], 4, &disagree);

    // Facts and verdict do not fit either when only the outcomes are painted over.
    let painted = go.replace("\"failed\"", "\"passed\"");
    assert_ne!(painted, go);
    sign_again(&lab, dir, "report.json", painted.as_bytes());
    attest_again(&lab, dir, TestResult::Passed);
    verify(&lab, &run, &[], 4, &[]);

    // Back as it was, with an attestation that says otherwise.
    sign_again(&lab, dir, "report.json", report.as_bytes());
    attest_again(&lab, dir, TestResult::Passed);
    verify(&lab, &run, &[], 4, &["report.intoto.jsonl", "PASSED"]);
    fs::write(&attestation, &attested).unwrap();
    verify(&lab, &run, &[], 1, &["NO-GO"]);
}

#[test]
fn a_page_tells_no_other_story_than_the_record() {
    let (lab, run) = judged(|inventory| {
        inventory["instances"]["orders"]["expect"]["version"] = "9.9.9.9".into();
    });
    assert_eq!(run.code(), 1, "{}", run.told());
    for (name, story) in [
        ("report.html", "<h1>GO</h1>"),
        ("summary.md", "GO"),
        ("junit.xml", "<testsuites/>"),
    ] {
        let page = fs::read(run.dir.join(name)).unwrap();
        sign_again(&lab, &run.dir, name, story.as_bytes());
        attest_again(&lab, &run.dir, TestResult::Failed);
        let told = format!("`{name}` is not what report.json renders to");
        verify(&lab, &run, &[], 4, &[&told]);
        sign_again(&lab, &run.dir, name, &page);
        attest_again(&lab, &run.dir, TestResult::Failed);
        verify(&lab, &run, &[], 1, &["NO-GO"]);
    }
}
