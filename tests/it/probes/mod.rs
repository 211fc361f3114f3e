//! What is asked of the network for the support process: a real nginx with real certificates, a real DNS
//! server, a real sshd, and servers that behave as none should.

mod hosts;
mod mail;
mod rude;
mod site;
mod web;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tempfile::TempDir;

use crate::lab::{GONOGO, keygen};

/// Whoever runs gonogo about one vendor.
struct Office(TempDir);

impl Office {
    fn new() -> Self {
        let office = Self(tempfile::tempdir().unwrap());
        keygen(&office.at().join("signer"), "vendors@test");
        let key = fs::read_to_string(office.at().join("signer.pub")).unwrap();
        let words: Vec<&str> = key.split_whitespace().collect();
        let line = format!("{} {} {}\n", words[2], words[0], words[1]);
        fs::write(office.at().join("allowed_signers"), line).unwrap();
        office
    }

    fn at(&self) -> &Path {
        self.0.path()
    }

    /// A vendor of these keys, of whom these steps are asked.
    fn write(&self, vendor: &str, steps: &[&str]) {
        let inventory = format!(
            "environment: production\nteams: {{ops: {{user: ops, agent: true}}}}\nvendors:\n  echo:\n{vendor}\n"
        );
        fs::write(self.at().join("inventory.yaml"), inventory).unwrap();
        let steps: String = steps
            .iter()
            .map(|step| format!("    Then {step}\n"))
            .collect();
        let feature = format!("Feature: f\n  Scenario: s\n    Given each vendor\n{steps}");
        fs::write(self.at().join("support.feature"), feature).unwrap();
    }

    fn gonogo(&self, args: &[&str], environment: &[(&str, &str)]) -> Output {
        let mut command = Command::new(GONOGO);
        command
            .args(args)
            .current_dir(self.at())
            .env("NO_COLOR", "1");
        for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        command.envs(environment.iter().copied());
        command.output().unwrap()
    }

    fn run(&self, more: &[&str], environment: &[(&str, &str)]) -> Asked {
        let _ = fs::remove_dir_all(self.at().join("run"));
        let _ = fs::remove_file(self.at().join("run.lock"));
        let args = [
            "run",
            "-i",
            "inventory.yaml",
            "support.feature",
            "-o",
            "run",
            "--key",
            "signer",
        ];
        let began = Instant::now();
        let output = self.gonogo(&[&args, more].concat(), environment);
        let took = began.elapsed();
        let report = fs::read(self.at().join("run/report.json"));
        let report =
            report.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        Asked {
            code: output.status.code().unwrap(),
            report: serde_json::from_slice(&report).unwrap(),
            took,
        }
    }

    /// Writes, and runs without a word more.
    fn ask(&self, vendor: &str, step: &str) -> Asked {
        self.write(vendor, &[step]);
        self.run(&[], &[])
    }

    fn verify(&self, code: i32) {
        let args = ["verify", "run", "--allowed-signers", "allowed_signers"];
        let output = self.gonogo(&args, &[]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }

    fn plan(&self) -> String {
        let args = ["plan", "-i", "inventory.yaml", "support.feature"];
        let output = self.gonogo(&args, &[]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// One run and what it recorded.
struct Asked {
    code: i32,
    report: Value,
    took: Duration,
}

impl Asked {
    fn check(&self) -> &Value {
        &self.report["checks"][0]
    }

    fn probe(&self, index: usize) -> &Value {
        &self.check()["probes"][index]
    }

    #[track_caller]
    fn is_go(&self) -> &Self {
        assert_eq!(self.code, 0, "{:#}", self.check()["failure"]);
        assert_eq!(self.check()["outcome"], "passed");
        self
    }

    /// A NO-GO of that kind which says these words.
    #[track_caller]
    fn is_no_go(&self, kind: &str, words: &str) -> &Self {
        let failure = &self.check()["failure"];
        assert_eq!(self.code, 1, "{failure:#}");
        assert_eq!(failure["kind"], kind, "{failure:#}");
        let said = format!("{} {}", failure["actual"], failure["hint"]);
        assert!(said.contains(words), "{words}: {failure:#}");
        assert_ne!(failure["hint"], "");
        self
    }
}

/// That many seconds from now, as services write it.
fn at(seconds: i64) -> String {
    let then = Timestamp::now() + SignedDuration::from_secs(seconds);
    then.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
