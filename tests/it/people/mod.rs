//! Waivers and approvals of real runs, signed by stock `ssh-keygen`: what holds, each way in which it does
//! not, and that whoever holds the key that signs runs can neither waive, nor extend, nor approve. Here is the
//! house that they share.

mod answers;
mod approvals;
mod asked;
mod break_glass;
mod edges;
mod forger;
mod glass_policy;
mod unanswered;
mod waivers;

pub(crate) use asked::Asked;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gonogo::digest::Sha256;
use gonogo::sign::dsse::{Statement, TestResult, sign_statement};
use gonogo::sign::key::SigningKey;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::lab::{Lab, OPERATIONS, Run, keygen};

const APPROVAL: &str = "gonogo-approval@gonogo";
const WAIVER: &str = "gonogo-waiver@gonogo";
const REPORT: &str = "gonogo-report@gonogo";
const LOG: &str = "features/support.feature:18@orders/operations";

pub(crate) fn told(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    format!("{stdout}{}", String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
pub(crate) fn expect(output: &Output, code: i32, words: &[&str]) {
    let told = told(output);
    assert_eq!(output.status.code(), Some(code), "{told}");
    for word in words {
        assert!(told.contains(word), "not told `{word}`: {told}");
    }
}

/// A lab with one instance, and people with keys of their own.
pub(crate) struct House {
    pub(crate) lab: Lab,
    log_id: String,
}

impl House {
    /// `break_it` before anything runs.
    pub(crate) fn new(break_it: impl FnOnce(&crate::lab::Amps)) -> Self {
        let lab = Lab::new();
        let host = lab.host("ny4-1").start();
        let orders = lab.amps("orders", &host);
        break_it(&orders);
        lab.write_inputs(&lab.inventory());
        for who in ["ann", "bob", "bob2", "carl"] {
            keygen(&lab.path("operator/keys").join(who), who);
        }
        let house = Self {
            lab,
            log_id: String::new(),
        };
        house.approvers(&[("ann", "", "ann"), ("bob", "", "bob"), ("carl", "", "carl")]);
        let plan = house.lab.run(&[
            "plan",
            "-i",
            "inventory.yaml",
            "features",
            "--format",
            "json",
        ]);
        let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
        let checks = plan["checks"].as_array().unwrap().iter();
        let ids = checks.map(|check| check["id"].as_str().unwrap().to_owned());
        let mut ids = ids.collect::<Vec<_>>();
        Self {
            log_id: ids.swap_remove(2),
            ..house
        }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.lab.operator().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.at(name), text).unwrap();
    }

    /// Name, options, key: a line each.
    pub(crate) fn approvers(&self, lines: &[(&str, &str, &str)]) {
        let lines = lines.iter().map(|(name, options, key)| {
            let public = fs::read_to_string(self.at(&format!("keys/{key}.pub"))).unwrap();
            format!("{name} {options}{public}")
        });
        self.write("approvers", &lines.collect::<String>());
    }

    /// A waiver of the event log's check, as `change` has it.
    fn waiver(&self, change: impl FnOnce(&mut Value)) {
        let now = Timestamp::now();
        let mut waiver = json!({
            "id": "W-1", "check": self.log_id, "reason": "the feed is quiet until go-live",
            "ticket": "OPS-1", "requester": "ann", "approver": "bob",
            "from": (now - SignedDuration::from_hours(1)).to_string(),
            "expires": (now + SignedDuration::from_hours(240)).to_string(),
        });
        change(&mut waiver);
        let lines = waiver.as_object().unwrap().iter();
        let lines = lines.filter(|(_, value)| !value.is_null());
        let lines = lines.map(|(key, value)| format!("    {key}: {value}\n"));
        let text = lines.collect::<String>();
        let text = format!(
            "environment: production\nwaivers:\n  - {}",
            text.trim_start()
        );
        self.write("waivers.yaml", &text);
    }

    /// As an approver does it: `ssh-keygen -Y sign`.
    pub(crate) fn sign(&self, who: &str, namespace: &str, file: &Path) -> PathBuf {
        let mut signature = file.to_owned().into_os_string();
        signature.push(".sig");
        let _ = fs::remove_file(&signature);
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", namespace, "-f"])
            .arg(self.at(&format!("keys/{who}")))
            .arg(file)
            .output()
            .unwrap();
        assert!(signed.status.success(), "{signed:?}");
        signature.into()
    }

    pub(crate) fn signed(&self, who: &str, change: impl FnOnce(&mut Value)) {
        self.waiver(change);
        self.sign(who, WAIVER, &self.at("waivers.yaml"));
    }

    fn plan(&self) -> Output {
        let args = ["plan", "-i", "inventory.yaml", "features"];
        let more = ["--waivers", "waivers.yaml", "--approvers", "approvers"];
        self.lab.run(&[&args[..], &more].concat())
    }

    pub(crate) fn run(&self, more: &[&str]) -> Run {
        let out = self.lab.next_out();
        let waivers = ["--waivers", "waivers.yaml", "--approvers", "approvers"];
        let args = [&self.lab.run_args(&out)[..], &waivers, more].concat();
        Run::of(self.lab.run(&args), self.at(&out))
    }

    pub(crate) fn verify(&self, dir: &Path, more: &[&str]) -> Output {
        let dir = dir.to_str().unwrap();
        let args = ["verify", dir, "--allowed-signers", "allowed_signers"];
        self.lab.run(&[&args[..], more].concat())
    }

    /// A copy of the run with some files replaced, put together again by who holds the runner's key: the
    /// manifest, its signature and the attestation are all right.
    pub(crate) fn forged(&self, run: &Path, name: &str, change: impl FnOnce(&Path)) -> PathBuf {
        let dir = self.at(name);
        let copied = Command::new("cp").arg("-r").arg(run).arg(&dir).output();
        assert!(copied.unwrap().status.success());
        change(&dir);
        // The pages tell the same story, as `verify` demands.
        let record = fs::read(dir.join("report.json")).unwrap();
        let pages = gonogo::report::files(&gonogo::report::read(&record).unwrap()).unwrap();
        for (page, bytes) in pages.iter().filter(|(page, _)| *page != "report.json") {
            fs::write(dir.join(page), bytes).unwrap();
        }
        let mut names = Vec::new();
        walk(&dir, "", &mut names);
        names.retain(|name| !name.starts_with("SHA256SUMS") && name != "report.intoto.jsonl");
        names.sort();
        let sums = names.iter().map(|name| {
            let digest = Sha256::of(&fs::read(dir.join(name)).unwrap());
            format!("{digest}  {name}\n")
        });
        let sums = sums.collect::<String>();
        fs::write(dir.join("SHA256SUMS"), &sums).unwrap();
        self.sign("signer", REPORT, &dir.join("SHA256SUMS"));
        let report: Value =
            serde_json::from_slice(&fs::read(dir.join("report.json")).unwrap()).unwrap();
        let key = SigningKey::load(&self.at("keys/signer"), None).unwrap();
        let statement = Statement {
            subjects: vec![("SHA256SUMS".to_owned(), Sha256::of(sums.as_bytes()))],
            result: match (
                report["verdict"]["decision"] == "GO",
                report["counts"]["waived"] == 0,
            ) {
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
        let envelope = sign_statement(&key, &statement).unwrap();
        fs::write(dir.join("report.intoto.jsonl"), envelope).unwrap();
        dir
    }
}

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

/// Edits report.json; inputs are listed anew as they lie there.
pub(crate) fn edit(dir: &Path, change: impl FnOnce(&mut Value)) {
    let path = dir.join("report.json");
    let mut report: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut report);
    let mut names = Vec::new();
    walk(&dir.join("inputs"), "inputs/", &mut names);
    let known: Vec<Value> = report["inputs"].as_array().unwrap().clone();
    names.sort_by_key(|name| {
        let at = known
            .iter()
            .position(|input| input["path"] == name.as_str());
        at.unwrap_or(known.len())
    });
    let inputs = names.iter().map(|name| {
        let digest = Sha256::of(&fs::read(dir.join(name)).unwrap()).to_string();
        json!({"path": name, "sha256": digest})
    });
    report["inputs"] = inputs.collect();
    // Keys stay in the order that serde_json gives: any order is read.
    fs::write(path, serde_json::to_vec_pretty(&report).unwrap()).unwrap();
}
