//! Shards: real processes side by side, each with a key of its own, merged into one run. What is missing, twice, of
//! another estate or forged is never a GO. Here is the site that the tests share.

mod attacked;
mod deploy;
mod forged;
mod hops;
mod merged;
mod refused;
mod ungrouped;
mod who;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::rc::Rc;

use serde_json::Value;

use crate::lab::{Amps, GONOGO, Host, Lab, keygen};

fn told(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    format!("\n{stdout}{}", String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn expect(output: &Output, code: i32, words: &[&str]) {
    let told = told(output);
    assert_eq!(output.status.code(), Some(code), "{told}");
    for word in words {
        assert!(told.contains(word), "not told `{word}`: {told}");
    }
}

fn record(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("report.json")).unwrap()).unwrap()
}

/// Three hosts of two sites, an instance on each; runners `ny4` and `ld5`, and who merges, with keys of their own.
struct Sites {
    lab: Lab,
    amps: Vec<Rc<Amps>>,
}

const HOSTS: [(&str, &str); 3] = [("ld5-1", "ld5"), ("ny4-1", "ny4"), ("ny4-2", "ny4")];

impl Sites {
    fn new() -> Self {
        Self::of(false)
    }

    /// With `one`, the first two hosts are one machine.
    fn of(one: bool) -> Self {
        let lab = Lab::new();
        let mut hosts: Vec<Rc<Host>> = Vec::new();
        for (name, _) in HOSTS {
            let host = match (one, hosts.first()) {
                (true, Some(first)) if hosts.len() == 1 => {
                    lab.host(name).same_machine_as(first).start()
                }
                _ => lab.host(name).start(),
            };
            hosts.push(host);
        }
        let amps = hosts.iter().enumerate();
        let amps = amps.map(|(at, host)| lab.amps(&format!("engine-{at}"), host));
        let amps = amps.collect();
        let sites = Self { lab, amps };
        let mut signers = String::new();
        for who in ["ny4", "ld5", "merger", "stranger"] {
            keygen(&sites.at(&format!("keys/{who}")), who);
            if who != "stranger" {
                let public = fs::read_to_string(sites.at(&format!("keys/{who}.pub"))).unwrap();
                signers += &format!("{who} namespaces=\"gonogo-report@gonogo\" {public}");
            }
        }
        fs::write(sites.at("allowed_signers"), signers).unwrap();
        sites.write(|_| ());
        sites
    }

    /// The inventory with its groups, as `change` has it.
    fn write(&self, change: impl FnOnce(&mut Value)) {
        let mut inventory = self.lab.inventory();
        for (host, group) in HOSTS {
            inventory["hosts"][host]["groups"] = serde_json::json!([group]);
        }
        change(&mut inventory);
        self.lab.write_inputs(&inventory);
    }

    fn at(&self, name: &str) -> PathBuf {
        self.lab.operator().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(GONOGO);
        command.args(args).current_dir(self.lab.operator());
        command
            .envs(self.lab.environment())
            .env_remove("SSH_AUTH_SOCK");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.lab.run(args)
    }

    /// One shard into `out`, signed by `who`.
    fn shard(&self, out: &str, who: &str, which: &[&str]) -> Output {
        let key = format!("keys/{who}");
        let args = [
            "run",
            "-i",
            "inventory.yaml",
            "features",
            "-o",
            out,
            "--key",
            &key,
        ];
        self.run(&[&args[..], which].concat())
    }

    /// All of `--shard K/N` side by side, into `s-1` …, each to end so.
    #[track_caller]
    fn shards(&self, codes: &[i32], more: &[&str]) -> Vec<String> {
        let of = codes.len();
        let begun: Vec<_> = (1..=of)
            .map(|number| {
                let (out, which) = (format!("s-{number}"), format!("{number}/{of}"));
                let key = if number % 2 == 0 {
                    "keys/ld5"
                } else {
                    "keys/ny4"
                };
                let args = [
                    "run",
                    "-i",
                    "inventory.yaml",
                    "features",
                    "-o",
                    &out,
                    "--key",
                    key,
                    "--shard",
                    &which,
                ];
                let child = self.command(&[&args[..], more].concat()).spawn().unwrap();
                (out, child)
            })
            .collect();
        let ended: Vec<_> = begun
            .into_iter()
            .map(|(out, child)| (out, child.wait_with_output().unwrap()))
            .collect();
        for ((_, output), code) in ended.iter().zip(codes) {
            expect(output, *code, &[]);
        }
        ended.into_iter().map(|(out, _)| out).collect()
    }

    fn merge<S: AsRef<str>>(&self, runs: &[S], out: &str, more: &[&str]) -> Output {
        let runs: Vec<&str> = runs.iter().map(AsRef::as_ref).collect();
        let args = [
            "-o",
            out,
            "--allowed-signers",
            "allowed_signers",
            "--key",
            "keys/merger",
        ];
        self.run(&[&["merge"], &runs[..], &args, more].concat())
    }

    fn verify(&self, run: &str, more: &[&str]) -> Output {
        let args = ["verify", run, "--allowed-signers", "allowed_signers"];
        self.run(&[&args[..], more].concat())
    }

    fn record(&self, run: &str) -> Value {
        record(&self.at(run))
    }
}

/// Outcomes by instance, of a merged record.
fn outcomes(record: &Value) -> BTreeMap<String, Vec<String>> {
    let mut outcomes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for check in record["checks"].as_array().unwrap() {
        let of = outcomes
            .entry(check["instance"].as_str().unwrap().to_owned())
            .or_default();
        of.push(check["outcome"].as_str().unwrap().to_owned());
    }
    outcomes
}

fn missing(record: &Value) -> Vec<String> {
    let missing = record["run"]["merged"]["missing"].as_array();
    let missing = missing.into_iter().flatten();
    missing
        .map(|one| {
            format!(
                "{}: {}",
                one["shard"].as_str().unwrap_or("-"),
                one["why"].as_str().unwrap()
            )
        })
        .collect()
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.unwrap().success());
}
