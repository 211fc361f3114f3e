//! A real signed run, and everything that somebody might do to it: what `gonogo verify` says, and what the
//! stock tools say by the very commands of the run's own VERIFY.txt. Here is the room that the tests share.

mod bytes;
mod commands;
mod kinds;
mod signed;
mod twin;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gonogo::digest::Sha256;
use gonogo::sign::dsse::{Statement, TestResult, sign_statement};
use gonogo::sign::key::SigningKey;
use serde_json::Value;

use crate::lab::{Lab, keygen};

const REPORT: &str = "gonogo-report@gonogo";

/// An estate with a GO and a later NO-GO, both signed.
struct Room {
    lab: Lab,
    go: PathBuf,
    no_go: PathBuf,
    text: String,
}

impl Room {
    fn new() -> Self {
        let lab = Lab::new();
        let host = lab.host("ny4-1").start();
        lab.amps("orders", &host);
        for name in ["eve", "other"] {
            keygen(&lab.path("operator/keys").join(name), "lab@gonogo");
        }
        let go = lab.judge();
        go.assert_go(4);
        let no_go = lab.judge_with(|inventory| {
            inventory["instances"]["orders"]["expect"]["version"] = "9.9.9.9".into();
        });
        assert_eq!(no_go.code(), 1, "{}", no_go.told());
        let text = fs::read_to_string(go.dir.join("VERIFY.txt")).unwrap();
        let (go, no_go) = (go.dir, no_go.dir);
        Self {
            lab,
            go,
            no_go,
            text,
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.lab.operator().join(name)
    }

    /// A copy of the run to be spoilt, in the place of the one before it.
    fn copy(&self, run: &Path) -> PathBuf {
        let to = self.at("copy");
        if to.exists() {
            fs::remove_dir_all(&to).unwrap();
        }
        copy(run, &to);
        to
    }

    /// Exit code and all words of `gonogo verify`, from outside the directory.
    fn verify(&self, dir: &Path, more: &[&str]) -> (i32, String) {
        let dir = dir.to_str().unwrap();
        let signers = match more.contains(&"--allowed-signers") {
            true => &[][..],
            false => &["--allowed-signers", "allowed_signers"],
        };
        let output = self.lab.run(&[&["verify", dir], signers, more].concat());
        (output.status.code().unwrap(), told(&output))
    }

    /// Steps 1 to 3 of VERIFY.txt, as the run told them before anybody touched it: whether each succeeds.
    fn stock(&self, dir: &Path, options: &str) -> [bool; 3] {
        let allowed = self.at("allowed_signers");
        let steps = [
            ("1. The", "2. Every"),
            ("2. Every", "3. No"),
            ("3. No", "4. The"),
        ];
        steps.map(|(from, to)| {
            let (_, rest) = self.text.split_once(from).unwrap();
            let (part, _) = rest.split_once(to).unwrap();
            let lines = part.lines().filter_map(|line| line.strip_prefix("    "));
            let script = lines.map(|line| format!("{line}\n")).collect::<String>();
            let script = script.replace("/path/to/allowed_signers", allowed.to_str().unwrap());
            let script = script.replace("-Y verify", &format!("-Y verify {options}"));
            let mut command = Command::new("timeout");
            command.args(["-k", "1", "30", "sh", "-c", &script]);
            let output = command.current_dir(dir).output().unwrap();
            assert_ne!(output.status.code(), Some(124), "hung: {script}");
            // The last word of step 3 is that nothing is printed.
            let is_quiet = output.stdout.is_empty() && output.stderr.is_empty();
            output.status.success() && (from == "1. The" || is_quiet)
        })
    }

    /// Puts manifest, signature and attestation together again over whatever lies there; `pages` too.
    fn seal_again(&self, dir: &Path, key: &str, namespace: &str, pages: bool) {
        let record = fs::read(dir.join("report.json")).unwrap();
        if pages {
            let report = gonogo::report::read(&record).unwrap();
            for (page, bytes) in gonogo::report::files(&report).unwrap() {
                if page != "report.json" {
                    fs::write(dir.join(page), bytes).unwrap();
                }
            }
        }
        let mut names = files(dir);
        names.retain(|name| !name.starts_with("SHA256SUMS") && name != "report.intoto.jsonl");
        let sums = names.iter().map(|name| {
            let digest = Sha256::of(&fs::read(dir.join(name)).unwrap());
            format!("{digest}  {name}\n")
        });
        let sums = sums.collect::<String>();
        fs::write(dir.join("SHA256SUMS"), &sums).unwrap();
        self.sign(dir, key, namespace);
        let report: Value = serde_json::from_slice(&record).unwrap();
        let signer = SigningKey::load(&self.at(&format!("keys/{key}")), None).unwrap();
        let is_go = report["verdict"]["decision"] == "GO";
        let statement = Statement {
            subjects: vec![("SHA256SUMS".to_owned(), Sha256::of(sums.as_bytes()))],
            result: match (is_go, report["counts"]["waived"] == 0) {
                (true, true) => TestResult::Passed,
                (true, false) => TestResult::Warned,
                _ => TestResult::Failed,
            },
            configuration: Vec::new(),
            url: None,
            passed: Vec::new(),
            warned: Vec::new(),
            failed: Vec::new(),
        };
        let envelope = sign_statement(&signer, &statement).unwrap();
        fs::write(dir.join("report.intoto.jsonl"), envelope).unwrap();
    }

    /// `SHA256SUMS.sig` anew, by stock ssh-keygen.
    fn sign(&self, dir: &Path, key: &str, namespace: &str) {
        let _ = fs::remove_file(dir.join("SHA256SUMS.sig"));
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", namespace, "-f"])
            .arg(self.at(&format!("keys/{key}")))
            .arg(dir.join("SHA256SUMS"))
            .output()
            .unwrap();
        assert!(signed.status.success(), "{signed:?}");
    }
}

fn told(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    format!("{stdout}{}", String::from_utf8_lossy(&output.stderr))
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.unwrap().success());
}

/// Every file in `dir` by its path in it, sorted.
fn files(dir: &Path) -> Vec<String> {
    fn walk(dir: &Path, prefix: &str, names: &mut Vec<String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            match entry.path().is_dir() {
                true => walk(&entry.path(), &format!("{name}/"), names),
                false => names.push(name),
            }
        }
    }
    let mut names = Vec::new();
    walk(dir, "", &mut names);
    names.sort();
    names
}

/// The first transcript.
fn transcript(dir: &Path) -> String {
    let mut names = files(dir).into_iter();
    names.find(|name| name.starts_with("evidence/")).unwrap()
}

fn edit(dir: &Path, change: impl FnOnce(&mut Value)) {
    let path = dir.join("report.json");
    let mut report: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut report);
    fs::write(path, serde_json::to_vec_pretty(&report).unwrap()).unwrap();
}
