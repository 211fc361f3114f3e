//! `gonogo case deliver`: to real servers of each kind, each rule and each fault with its benign twin.

pub(crate) mod encrypted;
pub(crate) mod https;
pub(crate) mod mail;
mod mail_hostile;
mod rules;
pub(crate) mod sent;
mod sftp;
mod split;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use crate::lab::Lab;

pub(crate) const CERTIFICATES: &str = "certificates.pem";

/// Writes an inventory that says nothing but a vendor's ways, and a bundle of so many bytes.
fn office(lab: &Lab, intake: &Value, bytes: usize) {
    write(lab, &json!({"acme": {"intake": intake}}));
    let content: Vec<u8> = (0..bytes).map(|at| (at * 7 + at / 251) as u8).collect();
    fs::write(lab.path("operator/b.tar.zst"), content).unwrap();
}

fn write(lab: &Lab, vendors: &Value) {
    let text = json!({
        "environment": "production",
        "hosts": {"ny4-1": {"address": "127.0.0.1", "host_key": format!("SHA256:{}", "A".repeat(43))}},
        "teams": {"ops": {"user": "ops", "agent": true}},
        "products": {"shop": {"artifacts": {
            "version": {"kind": "version", "path": "/v"},
            "configuration": {"kind": "configuration", "path": "/c"},
            "log": {"kind": "log", "path": "/l"},
            "statistics": {"kind": "statistics", "path": "/s"},
        }}},
        "instances": {"orders": {"product": "shop", "host": "ny4-1", "teams": ["ops"]}},
        "vendors": vendors,
    });
    fs::write(lab.path("operator/vendors.yaml"), text.to_string()).unwrap();
}

fn deliver(lab: &Lab, more: &[&str]) -> Output {
    let args = [
        "case",
        "deliver",
        "b.tar.zst",
        "-i",
        "vendors.yaml",
        "--vendor",
        "acme",
    ];
    let mut command = assert_cmd::Command::new(crate::lab::GONOGO);
    command
        .args(args)
        // What goes over the wire is the subject: `sent` asks what it may be.
        .arg("--any-file")
        .args(more)
        .envs(lab.environment())
        .env("SSL_CERT_FILE", lab.path("operator").join(CERTIFICATES))
        .env("DROP_TOKEN", "t0ken-17")
        .env("MAIL_PASSWORD", "s3cret-pw")
        .env("NO_PROXY", "127.0.0.1")
        .env_remove("SSH_AUTH_SOCK")
        .current_dir(lab.operator())
        .timeout(std::time::Duration::from_secs(60));
    let output = command.output().unwrap();
    assert!(output.status.code().is_some(), "hung: {output:?}");
    output
}

#[track_caller]
fn ends(output: &Output, code: i32, says: &[&str]) -> String {
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    for words in says {
        assert!(
            out.contains(words) || err.contains(words),
            "{words}: {out}{err}"
        );
    }
    for secret in ["t0ken", "s3cret"] {
        assert!(!format!("{out}{err}").contains(secret), "{out}{err}");
    }
    out.into_owned()
}

/// The receipts beside the bundle, oldest first.
fn receipts(lab: &Lab) -> Vec<Value> {
    let mut paths: Vec<PathBuf> = fs::read_dir(lab.operator())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".receipt.json"))
        .collect();
    paths.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
    let read = |path: &PathBuf| serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    paths.iter().map(read).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
