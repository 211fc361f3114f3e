//! A certificate that ends while the run is made: refused before anything is contacted where that can be
//! known, renewed where another came, and else the record is kept as an aborted run.

use super::*;

/// Certifies the signer from an hour ago until this time.
fn certify(lab: &Lab, until: &str) {
    let args = [
        "-q",
        "-s",
        "ca",
        "-I",
        "job",
        "-n",
        "ci@gonogo",
        "-V",
        until,
    ];
    let made = ssh_keygen(lab, &[&args[..], &["keys/signer.pub"]].concat());
    assert!(made.status.success(), "{made:?}");
}

fn certified() -> Lab {
    let lab = lab();
    keygen(&lab.path("operator/ca"), "the authority");
    let ca = fs::read_to_string(lab.path("operator/ca.pub")).unwrap();
    fs::write(
        lab.path("operator/allowed"),
        format!("*@gonogo cert-authority {ca}"),
    )
    .unwrap();
    fs::create_dir(lab.path("operator/runs")).unwrap();
    lab
}

#[test]
fn a_certificate_that_may_end_before_the_run_is_refused_at_once() {
    let lab = certified();
    certify(&lab, "-1h:+10m");
    let key = ["--key", "keys/signer", "--deadline"];
    let refused = run(&lab, &[&key[..], &["15m"]].concat(), None);
    assert_eq!(refused.code(), 3, "{}", refused.told());
    for words in ["ends at", "15m are allowed", "hint: have the key certified"] {
        assert!(refused.told().contains(words), "{}", refused.told());
    }
    assert!(!refused.dir.exists());
    // The benign twin.
    run(&lab, &[&key[..], &["5m"]].concat(), None).assert_go(4);
}

/// Runs into `runs/one` a check that takes 8 seconds; what `meanwhile` does happens as soon as it has begun.
fn slow(lab: &Lab, meanwhile: impl FnOnce()) -> Output {
    let feature = lab.path("operator/features/slow.feature");
    let slow = "Feature: Slow\n  Scenario: It takes a while\n    Given each instance\n    And each team responsible for it\n    When the team runs \"sleep 8\"\n    Then the command succeeds\n";
    fs::write(feature, slow).unwrap();
    let mut args = lab.run_args("runs/one").to_vec();
    args.extend(["--history", "runs"]);
    let mut command = Command::new("timeout");
    command.args(["-k", "1", "100", GONOGO]).args(args);
    command.envs(lab.environment()).env_remove("SSH_AUTH_SOCK");
    command.current_dir(lab.operator());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    until("the run has begun", Duration::from_secs(60), || {
        let mut entries = fs::read_dir(lab.path("operator/runs")).unwrap();
        entries.next().is_some()
    });
    meanwhile();
    child.wait_with_output().unwrap()
}

#[test]
fn a_certificate_that_ended_leaves_an_aborted_run_in_its_place() {
    let lab = certified();
    certify(&lab, "-1h:+9s");
    let output = slow(&lab, || ());
    let words = told(&output);
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert!(
        words.contains("the certificate of the signing key ended at"),
        "{words}"
    );
    assert!(words.contains("NO-GO\n"), "{words}");
    let report = fs::read_to_string(lab.path("operator/runs/one/report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["run"]["kind"], "aborted");
    assert_eq!(report["counts"]["passed"], 5, "{report:#}");
    // It is no GO for any gate, at whatever time it is said to have been signed …
    std::thread::sleep(Duration::from_secs(6));
    let verify = |more: &[&str]| {
        let args = ["verify", "runs/one", "--allowed-signers", "allowed"];
        lab.run(&[&args[..], more].concat())
    };
    assert!(
        told(&verify(&[])).contains("it has expired"),
        "{:?}",
        verify(&[])
    );
    let began = report["run"]["started"].as_str().unwrap();
    let early = verify(&["--signed-at", began]);
    assert_eq!(early.status.code(), Some(4), "{early:?}");
    assert!(told(&early).contains("ended early"), "{early:?}");
    // … and keeps its place in the chain.
    let history = lab.run(&["history", "runs", "--allowed-signers", "allowed"]);
    assert_eq!(history.status.code(), Some(0), "{history:?}");
    assert!(told(&history).contains("NO-GO"), "{history:?}");
}

#[test]
fn a_certificate_that_was_renewed_meanwhile_signs_the_run() {
    let lab = certified();
    certify(&lab, "-1h:+9s");
    let output = slow(&lab, || certify(&lab, "-1h:+1d"));
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let args = ["verify", "runs/one", "--allowed-signers", "allowed"];
    let verified = lab.run(&args);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}
