//! Inventories of any size over the shipped feature, and runs of them that nobody can log in for. Nothing listens.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const KEY: &str = "SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDTSGiEO5VJ2mRJPmk";

/// Owned words.
pub fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Runs gonogo; a NO-GO is no fault.
pub fn run(at: &Path, words: &[&str]) {
    let ended = Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .args(words)
        .current_dir(at)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(matches!(ended.code(), Some(0 | 1)), "{words:?}: {ended}");
}

/// A run of ten checks for each host, all of which refuse the connection.
pub fn refused(at: &Path, hosts: u32) {
    let (inventory, out) = (format!("{hosts}.yaml"), format!("run-{hosts}"));
    estate(at, hosts, "ssh: {port: 1, connect_timeout: 5s}\n");
    let key = at.join("key");
    fs::remove_file(&key).unwrap();
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "bench@gonogo", "-f"])
        .arg(&key)
        .status();
    assert!(made.expect("ssh-keygen is installed").success());
    let public = fs::read_to_string(at.join("key.pub")).unwrap();
    fs::write(at.join("signers"), format!("bench@gonogo {public}")).unwrap();
    let line = [
        "run", "-i", &inventory, "features", "-o", &out, "--key", "key", "-q",
    ];
    run(at, &line);
    fs::remove_file(at.join("key.pub")).unwrap();
}

/// One AMPS instance on each host, two teams, five scenarios.
pub fn estate(at: &Path, hosts: u32, ssh: &str) {
    let features = at.join("features");
    fs::create_dir_all(&features).unwrap();
    let amps = concat!(env!("CARGO_MANIFEST_DIR"), "/features/amps.feature");
    fs::copy(amps, features.join("amps.feature")).unwrap();
    fs::write(at.join("key"), "a plan reads no key\n").unwrap();
    let mut text = format!(
        "environment: bench\n{ssh}teams:\n  operations: {{user: ops, key: key}}\n  \
         support: {{user: support, key: key}}\nproducts: {{amps: {{vendor: 60east}}}}\nvendors: {{60east: {{}}}}\nhosts:\n"
    );
    let mut instances = String::from("instances:\n");
    for host in 0..hosts {
        let (high, low) = (host / 250, host % 250 + 1);
        writeln!(text, "  h{host}:\n    address: 127.20.{high}.{low}\n    groups: [g{}]\n    host_key: \"{KEY}\"", host % 20).unwrap();
        writeln!(instances, "  i{host}:\n    product: amps\n    host: h{host}\n    teams: [operations, support]\n    vars: {{home: /opt/amps/i{host}}}\n    expect: {{version: 5.3.4.12, name: i{host}}}").unwrap();
    }
    fs::write(at.join(format!("{hosts}.yaml")), text + &instances).unwrap();
}
