//! What cannot be granted is refused, and what is granted is named; real servers prove the rest.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::inventory::Inventory;
use crate::plan::{Filters, make, read};

/// A plan in which `ops` runs a command and reads a file, as root.
fn plan(command: &str, path: &str) -> Plan {
    let inventory = format!(
        "environment: production
ssh: {{host_key: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', key: k}}
hosts:
  a: {{address: 127.0.0.1, via: [hop]}}
  b: {{address: 127.0.0.2, via: [hop]}}
  hop: {{address: 127.0.0.3, user: jump}}
teams:
  ops: {{user: ops, elevate: sudo}}
  idle: {{user: idle}}
products:
  p:
    artifacts:
      version: {{kind: version, command: {command}}}
      configuration: {{kind: configuration, path: {path}}}
      log: {{kind: log, path: /l}}
      statistics: {{kind: statistics, path: /s}}
instances:
  one: {{product: p, host: a, teams: [ops]}}
  two: {{product: p, host: b, teams: [ops]}}
"
    );
    planned(inventory)
}

fn planned(inventory: String) -> Plan {
    let inventory = Inventory::parse(Path::new("i.yaml"), inventory.into_bytes()).unwrap();
    let root = tempfile::tempdir().unwrap();
    let feature = "Feature: all
  Scenario: all of <instance>
    Given each instance
    And each team responsible for it
    When the team connects
    Then the version can be retrieved
    And the configuration can be retrieved
    And the event log can be retrieved
    And the statistics database can be retrieved
";
    fs::write(root.path().join("all.feature"), feature).unwrap();
    let written = read(&[root.path().to_owned()]).unwrap();
    make(&Arc::new(inventory), written, &Filters::default()).unwrap()
}

fn granted(command: &str, path: &str, what: Grant) -> Result<String, String> {
    let granted = grant(&plan(command, path), "ops", what);
    granted.map(|granted| granted.text).map_err(|problems| {
        let told = problems.iter().map(ToString::to_string);
        told.collect::<Vec<_>>().join("\n")
    })
}

#[test]
fn what_no_rule_can_say_alone_is_refused_by_name() {
    for (command, path, why) in [
        ("[/v, 'a b']", "/c", "a blank inside of one"),
        ("[/v, '']", "/c", "a blank inside of one"),
        ("[/v]", "/a b/c", "a blank inside of one"),
        ("[bin/v]", "/c", "absolute paths"),
        ("[/v]", "'/c/[é]'", "no regular expression"),
        ("[/v]", "'/c/[#]'", "no regular expression"),
    ] {
        let refused = granted(command, path, Grant::Sudoers).unwrap_err();
        assert!(
            refused.contains(why) && refused.contains("hint: "),
            "{command} {path}: {refused}"
        );
        // Told once, not once for each host.
        let lines = refused
            .matches("error: no sudoers rule can allow exactly")
            .count();
        assert!((1..=4).contains(&lines), "{refused}");
    }
    let long = format!("'/{}/*'", "c".repeat(1100));
    let refused = granted("[/v]", &long, Grant::Sudoers).unwrap_err();
    assert!(refused.contains("longer than sudo takes"), "{refused}");
    let refused = granted("[/v]", "'/c/[é]'", Grant::ForcedCommand).unwrap_err();
    assert!(refused.contains("no script can allow exactly"), "{refused}");
}

#[test]
fn a_command_without_arguments_gets_none() {
    let rules = granted("[vmstat]", "/c", Grant::Sudoers).unwrap();
    assert!(
        rules.contains("ops ALL=(root) NOPASSWD: /usr/bin/vmstat \"\"\n"),
        "{rules}"
    );
    assert!(
        rules.contains("sudo looks up head, stat, vmstat"),
        "{rules}"
    );
    assert!(rules.contains("\n# on a, b\nops "), "{rules}");
    // What every account may ask is no matter of sudo.
    assert!(
        !rules.contains("machine-id") && !rules.contains("hostname"),
        "{rules}"
    );
}

#[test]
fn a_hop_opens_what_lies_behind_it_for_this_team() {
    let blocks = granted("[/v]", "/c", Grant::SshdMatch).unwrap();
    assert!(
        blocks.contains("\n# on hop\nMatch User jump\n    MaxSessions 0\n"),
        "{blocks}"
    );
    assert!(
        blocks.contains("    PermitOpen 127.0.0.1:22 127.0.0.2:22\n"),
        "{blocks}"
    );
    let lines = granted("[/v]", "/c", Grant::AuthorizedKeys).unwrap();
    assert!(
        lines.contains("permitopen=\"127.0.0.1:22\",permitopen=\"127.0.0.2:22\""),
        "{lines}"
    );
}

#[test]
fn two_teams_never_share_a_file() {
    let text = |teams: [&str; 2]| {
        let [one, two] = teams.map(|name| format!("{name}: {{user: ops, elevate: sudo}}"));
        let mut plan = plan("[/v]", "/c");
        let written = String::from_utf8(plan.inventory.bytes.clone()).unwrap();
        let written = written
            .replace(
                "ops: {user: ops, elevate: sudo}",
                &format!("{one}\n  {two}"),
            )
            .replace("teams: [ops]", &format!("teams: [{}]", teams.join(", ")));
        plan = planned(written);
        teams.map(|team| {
            let granted = grant(&plan, team, Grant::Sudoers).unwrap();
            let at = granted.text.find("/etc/sudoers.d/").unwrap();
            granted.text[at..].lines().next().unwrap().to_owned()
        })
    };
    assert_eq!(
        text(["ops", "night ops"]),
        [
            "/etc/sudoers.d/gonogo-ops",
            "/etc/sudoers.d/gonogo-night-ops"
        ]
    );
    for alike in [["night ops", "night-ops"], ["運用", "開発"], ["Ops", "ops"]] {
        let [one, two] = text(alike);
        assert_ne!(one.to_lowercase(), two.to_lowercase(), "{alike:?}");
    }
}

#[test]
fn a_team_that_is_unknown_or_idle_gets_nothing() {
    let plan = plan("[/v]", "/c");
    for (team, told) in [
        ("opps", "did you mean `ops`?"),
        ("idle", "no check of the plan"),
    ] {
        for what in [
            Grant::Sudoers,
            Grant::AuthorizedKeys,
            Grant::ForcedCommand,
            Grant::SshdMatch,
        ] {
            let problems = grant(&plan, team, what).unwrap_err();
            assert!(problems[0].to_string().contains(told), "{}", problems[0]);
        }
    }
}
