//! A drill from beginning to sign-off with the real binary, a real run, real keys and the stock tools of
//! VERIFY.txt; each way in which it must not pass, with its benign twin.

mod ends;
mod faults;
mod forged;
mod gate;
mod killed;
mod request;
mod told;
mod whole;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use gonogo::case::archive::Packing;
use gonogo::digest::Sha256;
use jiff::{Timestamp, ToSpan as _, Zoned};
use serde_json::{Value, json};

use crate::deliver::sent::bundle_of;
use crate::lab::{Lab, keygen};

const NAMESPACE: &str = "gonogo-drill@gonogo";

/// An estate with a vendor, and people with keys.
struct Office {
    lab: Lab,
    _amps: std::rc::Rc<crate::lab::Amps>,
}

fn told(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    format!("{stdout}{}", String::from_utf8_lossy(&output.stderr))
}

fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Office {
    fn new() -> Self {
        let lab = Lab::new();
        let host = lab.host("ny4-1").start();
        let amps = lab.amps("orders", &host);
        let office = Self { lab, _amps: amps };
        office.inventory(|_| ());
        for who in ["ann", "bob", "carl", "eve"] {
            keygen(&office.at("keys").join(who), who);
        }
        let line = |name: &str, key: &str, namespaces: &str| {
            let public = fs::read_to_string(office.at("keys").join(format!("{key}.pub"))).unwrap();
            let words: Vec<&str> = public.split_whitespace().collect();
            format!(
                "{name} namespaces=\"{namespaces}\" {} {}\n",
                words[0], words[1]
            )
        };
        let both = format!("gonogo-report@gonogo,{NAMESPACE}");
        office.write("sealers", &line("sealer", "signer", &both));
        office.write(
            "reports-only",
            &line("sealer", "signer", "gonogo-report@gonogo"),
        );
        office.write("strangers", &line("eve", "eve", &both));
        let people = [
            line("ann", "ann", NAMESPACE),
            line("bob", "bob", NAMESPACE),
            line("ann", "carl", NAMESPACE),
            line("sealer", "signer", NAMESPACE),
        ];
        office.write("people", &people.concat());
        office.bundle("bundle.tar.zst", "none", &Sha256::of(b"none").to_string());
        office.write(
            "request.txt",
            "Version: 5.3.4.12\nImpact: orders are late\n",
        );
        fs::create_dir(office.at("drills")).unwrap();
        office
    }

    fn inventory(&self, edit: impl FnOnce(&mut Value)) {
        let mut inventory = self.lab.inventory();
        // Hours that are far from now, whatever the day.
        let far = Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC);
        let far = far
            .checked_add(3.days())
            .unwrap()
            .strftime("%a")
            .to_string();
        inventory["vendors"] = json!({"60east": {
            "contract": {"id": "60E-1", "severities": {"S1": "1h", "S2": "4h"}},
            "coverage": {"hours": {"S1": "24x7", "S2": format!("{far} 08:00-18:00")}, "timezone": "Etc/UTC"},
            "contacts": {
                "ana": {"name": "Ana Silva", "email": "ana@bank.example.com"},
                "ben": {"name": "Ben Okafor", "phone": "+1 212 555 0199"},
            },
            "escalation": [
                {"name": "mailbox", "kind": "e-mail", "to": "support@amps-vendor.example.com", "answers_within": "4h"},
                {"name": "support line", "kind": "phone", "to": "+1 702 555 0100", "answers_within": "1h"},
            ],
            "process_test": {"within": "4h"},
            "intake": [{"kind": "sftp", "host": "drop.amps-vendor.example.com", "user": "bank", "directory": "in",
                "host_key": "SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDTSGiEO5VJ2mRJPmk", "key": "keys/ann"}],
            "drill": {"last": "2020-01-01"},
        }});
        edit(&mut inventory);
        self.lab.write_inputs(&inventory);
    }

    fn at(&self, name: &str) -> PathBuf {
        self.lab.operator().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.at(name), text).unwrap();
    }

    #[track_caller]
    fn expect(&self, args: &[&str], code: i32, words: &[&str]) -> String {
        let output = self.lab.run(&[&["drill"], args].concat());
        let told = told(&output);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {told}");
        for word in words {
            assert!(told.contains(word), "{args:?}: not told `{word}`: {told}");
        }
        told
    }

    fn begin_args<'a>(&self, dir: &'a str) -> [&'a str; 13] {
        [
            "begin",
            "-i",
            "inventory.yaml",
            "--vendor",
            "60east",
            "--kind",
            "planned",
            "--role",
            "usual-expert=ana",
            "--role",
            "operator=ben",
            "--dir",
            dir,
        ]
    }

    #[track_caller]
    fn begin(&self, dir: &str) {
        self.expect(&self.begin_args(dir), 0, &["2 escalation levels"]);
    }

    #[track_caller]
    fn note(&self, dir: &str, step: &[&str], code: i32, words: &[&str]) -> String {
        self.expect(&[&["note", dir], step].concat(), code, words)
    }

    #[track_caller]
    fn retrieve(&self, dir: &str, out: &str) {
        let output = self.lab.run(&self.lab.run_args(out));
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        let step = ["retrieval", "--run", out, "--allowed-signers", "sealers"];
        self.note(dir, &step, 0, &["noted"]);
    }

    fn receipt(&self, file: &str, edit: impl FnOnce(&mut Value)) {
        let bytes = fs::read(self.at(file)).unwrap();
        let now = now();
        let mut receipt = json!({
            "schema": "gonogo/receipt/v1", "tool": "gonogo", "environment": "production", "vendor": "60east",
            "intake": 1, "kind": "sftp", "process_test": true, "file": file, "name": file,
            "place": format!("sftp bank@drop.amps-vendor.example.com:22, in/{file}"), "bytes": bytes.len(),
            "sha256": Sha256::of(&bytes).to_string(), "started": now, "finished": now, "outcome": "delivered",
            "arrival": "read back",
        });
        edit(&mut receipt);
        self.write("receipt.json", &receipt.to_string());
    }

    /// A reviewed bundle that says that it is of that run.
    fn bundle(&self, name: &str, run: &str, manifest: &str) {
        let said = json!({
            "schema": "gonogo/case/v1", "run": run, "run_manifest_sha256": manifest, "instance": "orders",
        });
        bundle_of(&self.lab, name, Packing::TarZst, Some("Eve"), &said, |_| ());
    }

    /// The same of the run that was noted last, if one was.
    fn bundle_of_the_run(&self, dir: &str, name: &str) {
        let entries = files(&self.at(dir).join("entries"));
        let run = entries.iter().rev().find_map(|file| {
            let entry: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
            let run = entry["step"].get("retrieval")?;
            Some((
                run["run"].as_str()?.to_owned(),
                run["manifest"].as_str()?.to_owned(),
            ))
        });
        if let Some((run, manifest)) = run {
            self.bundle(name, &run, &manifest);
        }
    }

    /// What was told already, told again.
    #[track_caller]
    fn again(&self, dir: &str, step: &[&str], code: i32, words: &[&str]) -> String {
        self.note(
            dir,
            &[step, &["--again", "it was wrong"]].concat(),
            code,
            words,
        )
    }

    #[track_caller]
    fn deliver(&self, dir: &str, again: bool, edit: impl FnOnce(&mut Value)) {
        self.receipt("bundle.tar.zst", edit);
        let step = ["delivery", "--receipt", "receipt.json"];
        match again {
            true => self.again(dir, &step, 0, &["noted"]),
            false => self.note(dir, &step, 0, &["noted"]),
        };
    }

    /// The vendor answers now.
    #[track_caller]
    fn answer(&self, dir: &str, case: &str, again: bool) {
        let at = now();
        let step = [
            "acknowledgement",
            "--case",
            case,
            "--from",
            "Kim",
            "--at",
            &at,
        ];
        match again {
            true => self.again(dir, &step, 0, &["noted"]),
            false => self.note(dir, &step, 0, &["noted"]),
        };
    }

    /// Everything but the retrieval and the last drill's findings, as agreed.
    #[track_caller]
    fn tell(&self, dir: &str) {
        self.note(dir, &["request", "--file", "request.txt"], 0, &["noted"]);
        self.hand_over(dir);
    }

    /// As [`Office::tell`], without the request.
    #[track_caller]
    fn hand_over(&self, dir: &str) {
        self.bundle_of_the_run(dir, "bundle.tar.zst");
        self.note(dir, &["bundle", "--file", "bundle.tar.zst"], 0, &["noted"]);
        self.deliver(dir, false, |_| ());
        self.answer(dir, "00012345", false);
        let at = now();
        for level in ["mailbox", "support line"] {
            let step = [
                "escalation",
                level,
                "--tried",
                &at,
                "--answered",
                &at,
                "--from",
                "Kim",
            ];
            self.note(dir, &step, 0, &["noted"]);
        }
        self.note(dir, &["deviation", "--none"], 0, &["noted"]);
    }

    /// A drill to its last step, in which that run was made.
    #[track_caller]
    fn whole(&self, dir: &str, run: &str) {
        self.begin(dir);
        self.retrieve(dir, run);
        self.tell(dir);
    }

    #[track_caller]
    fn finish(&self, dir: &str, out: &str, code: i32, words: &[&str]) {
        let args = ["finish", dir, "-o", out, "--key", "keys/signer"];
        self.expect(&args, code, words);
    }

    #[track_caller]
    fn verify(&self, drill: &str, code: i32, words: &[&str]) {
        let args = [
            "verify",
            drill,
            "--allowed-signers",
            "sealers",
            "--people",
            "people",
            "--drills",
            "drills",
        ];
        self.expect(&args, code, words);
    }

    /// As an auditor does it: `ssh-keygen -Y sign`.
    fn sign_with_stock_tools(&self, who: &str, drill: &str) {
        let copy = self.at("tmp-sums");
        fs::copy(self.at(drill).join("SHA256SUMS"), &copy).unwrap();
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", NAMESPACE, "-f"])
            .arg(self.at("keys").join(who))
            .arg(&copy)
            .output()
            .unwrap();
        assert!(signed.status.success(), "{signed:?}");
        let name = format!("SHA256SUMS.{who}.sig");
        fs::rename(self.at("tmp-sums.sig"), self.at(drill).join(name)).unwrap();
    }
}

/// Every regular file below `dir`.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// A shell command in a directory, which must say nothing and succeed.
#[track_caller]
fn sh(dir: &Path, command: &str) -> String {
    let output = Command::new("sh")
        .args(["-ec", command])
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}: {}", told(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The indented commands of VERIFY.txt below the heading that begins so, with the auditor's own files.
fn commands(text: &str, heading: &str, office: &Office) -> String {
    let rest = text.split_once(&format!("\n{heading}")).unwrap().1;
    let lines = rest.lines().skip(1);
    let lines = lines.take_while(|line| line.is_empty() || !line.starts_with(char::is_numeric));
    let lines = lines.filter_map(|line| line.strip_prefix("    "));
    let text = lines.collect::<Vec<_>>().join("\n");
    let signers = office.at("sealers").display().to_string();
    let people = office.at("people").display().to_string();
    text.replace("/path/to/allowed_signers", &signers)
        .replace("/path/to/people", &people)
}
