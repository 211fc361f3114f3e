//! What was fetched is what lies on the server: a large log's digest is `sha256sum`'s, and with `--keep`
//! the raw files are there, byte for byte, outside the signed run.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use gonogo::digest::Sha256;

use crate::lab::{Lab, OPERATIONS};

fn sha256sum(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(' ').next().unwrap().to_owned()
}

#[test]
fn a_log_of_64_mib_has_the_digest_of_sha256sum() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(27);
    let stamp = at.strftime("%Y-%m-%dT%H:%M:%S%.7f+00:00");
    let line = format!("{stamp} [1] info: 07-0023 {}\n", "x".repeat(400));
    let mut text = line.repeat((64 << 20) / line.len() + 1);
    text.truncate(64 << 20);
    assert_eq!(text.len(), 64 << 20);
    let old = format!("{}.3", orders.log());
    orders.write(&old, text.as_bytes());
    for transport in ["auto", "exec"] {
        let run = lab.judge_with(|inventory| {
            inventory["teams"][OPERATIONS.team]["transport"] = transport.into();
        });
        run.assert_go(4);
        let check = run.check("orders", OPERATIONS.team, "event log");
        let evidence = check["evidence"].as_array().unwrap().iter();
        let mut large = evidence.filter(|item| item["bytes"] == 64 << 20);
        let large = large.next().unwrap();
        assert_eq!(large["sha256"], sha256sum(&orders.path(&old)), "{large:#}");
    }
}

#[test]
fn kept_files_are_those_of_the_report() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    orders.stop_writer();
    lab.write_inputs(&lab.inventory());
    let out = lab.next_out();
    let args = [&lab.run_args(&out)[..], &["--keep", "kept"]].concat();
    let ran = lab.run(&args);
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    let dir = lab.operator().join(out);
    let report = fs::read(dir.join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();

    let kept = lab.operator().join("kept");
    let mut seen = BTreeSet::new();
    for check in report["checks"].as_array().unwrap() {
        for item in check["evidence"].as_array().unwrap() {
            let (artifact, path) = (&item["artifact"], item["path"].as_str().unwrap());
            let file = match item["method"].as_str().unwrap() {
                "command" => "output.txt",
                _ => path.rsplit('/').next().unwrap(),
            };
            let below = Path::new("orders/operations")
                .join(artifact.as_str().unwrap())
                .join(file);
            let bytes = fs::read(kept.join(&below)).unwrap();
            assert_eq!(item["sha256"], Sha256::of(&bytes).to_string(), "{below:?}");
            assert_eq!(item["bytes"], bytes.len(), "{below:?}");
            seen.insert(below);
        }
    }
    // Two configuration files, three logs, the version; the database with what belongs to it.
    assert!(seen.len() >= 7, "{seen:?}");
    let mut found = BTreeSet::new();
    walk(&kept, &kept, &mut found);
    assert_eq!(found, seen, "nothing else is kept");
    // None of it is in the signed run.
    let config = fs::read(orders.path("config/config.xml")).unwrap();
    let mut files = BTreeSet::new();
    walk(&dir, &dir, &mut files);
    for file in files {
        assert_ne!(fs::read(dir.join(&file)).unwrap(), config, "{file:?}");
    }
}

/// Files below `at`, all private.
fn walk(root: &Path, at: &Path, found: &mut BTreeSet<std::path::PathBuf>) {
    for entry in fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        if path.is_dir() {
            walk(root, &path, found);
        } else {
            assert!(mode & 0o077 == 0 || !root.ends_with("kept"), "{path:?}");
            found.insert(path.strip_prefix(root).unwrap().to_owned());
        }
    }
}
