//! Old runs verify for ever (`tests/golden/`): a GO and a NO-GO of the practice estate, signed by keys
//! that are gone. What a later gonogo says of them must be what was said on their day; a change
//! that breaks this needs a reader for the older schema. A new version adds runs of its own, made in
//! `tests/golden` by `gonogo demo --out go-0.3` and `gonogo demo --break denied --out no-go-0.3`; until it
//! is released they may be made anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::lab::GONOGO;

const RUNS: [(&str, &str, i32); 6] = [
    ("go", "GO", 0),
    ("no-go", "NO-GO", 1),
    ("go-0.2", "GO", 0),
    ("no-go-0.2", "NO-GO", 1),
    ("go-0.3", "GO", 0),
    ("no-go-0.3", "NO-GO", 1),
];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn signers(name: &str) -> PathBuf {
    golden(&format!("{name}.allowed_signers"))
}

fn gonogo(args: &[&str]) -> Output {
    Command::new(GONOGO).args(args).output().unwrap()
}

fn verify(name: &str, more: &[&str]) -> Output {
    let (run, signers) = (golden(name), signers(name));
    let args = [
        "verify",
        run.to_str().unwrap(),
        "--allowed-signers",
        signers.to_str().unwrap(),
    ];
    gonogo(&[&args[..], more].concat())
}

#[test]
fn verify_says_what_it_said_on_their_day() {
    for (name, decision, code) in RUNS {
        let verified = verify(name, &["--identity", "demo@gonogo", "--format", "json"]);
        assert_eq!(verified.status.code(), Some(code), "{verified:?}");
        let told: Value = serde_json::from_slice(&verified.stdout).unwrap();
        assert_eq!(told["verdict"], decision);
        let report = fs::read(golden(name).join("report.json")).unwrap();
        let report: Value = serde_json::from_slice(&report).unwrap();
        assert_eq!(told["reasons"], report["verdict"]["reasons"]);
        assert_eq!(report["verdict"]["decision"], decision);
        assert_eq!(told["run"], report["run"]["id"]);
    }
}

#[test]
fn with_an_age_they_are_stale_and_under_other_signers_strange() {
    for (name, ..) in RUNS {
        let stale = verify(name, &["--max-age", "1m"]);
        assert_eq!(stale.status.code(), Some(4), "{stale:?}");
        let told = String::from_utf8_lossy(&stale.stderr).into_owned();
        assert!(told.contains("stale"), "{told}");
    }
    let (run, signers) = (golden("go"), signers("no-go"));
    let strange = gonogo(&[
        "verify",
        run.to_str().unwrap(),
        "--allowed-signers",
        signers.to_str().unwrap(),
    ]);
    assert_eq!(strange.status.code(), Some(4), "{strange:?}");
}

/// Whoever holds a key today could name an older version to have less compared.
#[test]
fn no_gate_takes_them_unasked() {
    for (name, decision, code) in RUNS {
        let gate = verify(name, &["--max-age", "10000d"]);
        assert_eq!(gate.status.code(), Some(4), "{gate:?}");
        let told = String::from_utf8_lossy(&gate.stderr).into_owned();
        assert!(
            told.contains("made by gonogo `0.") && told.contains("--accept-version"),
            "{told}"
        );
        let report = fs::read(golden(name).join("report.json")).unwrap();
        let report: Value = serde_json::from_slice(&report).unwrap();
        let version = report["run"]["tool"]["version"].as_str().unwrap();
        let named = [
            "--max-age",
            "10000d",
            "--accept-version",
            version,
            "--format",
            "json",
        ];
        let named = verify(name, &named);
        // What this version refuses of their plan stays refused to a gate.
        let told: Value = serde_json::from_slice(&named.stdout).unwrap();
        match named.status.code() {
            Some(4) => assert!(
                told["reasons"][0].as_str().unwrap().contains("own inputs"),
                "{told}"
            ),
            ended => {
                assert_eq!(ended, Some(code), "{told}");
                assert_eq!(told["verdict"], decision);
                assert_eq!(told["made_by"], format!("{version}, compared in part"));
                let warnings = told["warnings"].to_string();
                assert!(warnings.contains("made by gonogo 0."), "{warnings}");
            }
        }
        let other = verify(name, &["--max-age", "10000d", "--accept-version", "0.0.1"]);
        assert_eq!(other.status.code(), Some(4), "{other:?}");
    }
}

#[test]
fn show_renders_them() {
    for (name, decision, _) in RUNS {
        for format in ["text", "markdown", "html", "junit", "json"] {
            let run = golden(name);
            let shown = gonogo(&["show", run.to_str().unwrap(), "--format", format]);
            assert_eq!(shown.status.code(), Some(0), "{shown:?}");
            let text = String::from_utf8(shown.stdout).unwrap();
            assert!(text.contains(decision), "{name} {format}: {text}");
        }
    }
}

#[test]
fn other_peoples_tools_accept_them() {
    for (name, ..) in RUNS {
        let run = golden(name);
        let sums = Command::new("sha256sum")
            .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
            .current_dir(&run)
            .output()
            .unwrap();
        assert!(sums.status.success(), "{sums:?}");
        let signature = Command::new("ssh-keygen")
            .args(["-Y", "verify", "-n", "gonogo-report@gonogo"])
            .args(["-I", "demo@gonogo", "-f"])
            .arg(signers(name))
            .arg("-s")
            .arg(run.join("SHA256SUMS.sig"))
            .stdin(Stdio::from(fs::File::open(run.join("SHA256SUMS")).unwrap()))
            .output()
            .unwrap();
        assert!(signature.status.success(), "{signature:?}");
    }
}
