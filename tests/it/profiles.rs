//! `gonogo profiles show` prints the very file, and a copy of it is a profile of the user's.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::lab::GONOGO;

fn gonogo(args: &[&str], directory: &Path) -> Output {
    let mut command = Command::new(GONOGO);
    command.args(args).current_dir(directory).output().unwrap()
}

#[test]
fn what_is_shown_is_the_file_and_can_be_used_as_a_users_own() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let listed = gonogo(&["profiles", "--format", "json"], at);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let names: Vec<&str> = (listed["profiles"].as_array().unwrap().iter())
        .map(|profile| profile["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 12, "{names:?}");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/inventory/profiles");
    let features = at.join("f.feature");
    let scenario = "Feature: f\n  Scenario: all of <instance>\n    Given each instance\n    When the team connects\n    Then the version can be retrieved\n    And the configuration can be retrieved\n    And the event log can be retrieved\n    And artifact \"statistics\" can be retrieved\n";
    fs::write(&features, scenario).unwrap();
    for name in names.into_iter().chain(["all"]) {
        let shown = gonogo(&["profiles", "show", name], at);
        let file = fs::read(own.join(format!("{name}.yaml"))).unwrap();
        assert!(shown.stdout == file, "{name}: shown as it is written");
        if name == "all" {
            continue;
        }
        fs::write(at.join("copy.yaml"), &shown.stdout).unwrap();
        let inventory = "environment: p\nssh: {host_key: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'}\nhosts: {h: {address: 127.0.0.1}}\nteams: {t: {user: t, agent: true}}\nproducts: {ours: {profile: ./copy.yaml}}\ninstances: {i: {product: ours, host: h, teams: [t], vars: {home: /opt/x}}}\n";
        fs::write(at.join("i.yaml"), inventory).unwrap();
        let planned = gonogo(&["plan", "-i", "i.yaml", "f.feature"], at);
        assert_eq!(planned.status.code(), Some(0), "{name}: {planned:?}");
    }
}
