//! The lab as gonogo is told of it: inventory.yaml, known_hosts and a feature, in contract.md's words.

use std::fmt::Write as _;
use std::fs;

use serde_json::{Value, json};

use super::Lab;
use super::account::{MARKET_DATA, OPERATIONS, is_root};

/// One scenario for each kind of artifact, so that one sabotage has one failing check.
pub const FEATURE: &str = "\
Feature: What support asks for

  Scenario: version of <instance> for <team>
    Given each instance
    And each team responsible for it
    When the team connects
    Then the version can be retrieved
    And the version is the expected one

  Scenario: configuration of <instance> for <team>
    Given each instance
    And each team responsible for it
    When the team connects
    Then the configuration can be retrieved
    And the configuration is well-formed
    And the configuration belongs to this instance

  Scenario: event log of <instance> for <team>
    Given each instance
    And each team responsible for it
    When the team connects
    Then the event log can be retrieved
    And the event log has an entry from the last 1 hour
    And the event log covers the last 24 hours

  Scenario: statistics of <instance> for <team>
    Given each instance
    And each team responsible for it
    When the team connects
    Then the statistics database can be retrieved
    And the statistics database is consistent
    And the statistics database has a sample from the last 5 minutes
    And every artifact was retrieved within 5 minutes
";

/// The first words of [`FEATURE`]'s scenarios.
pub const FOUR: [&str; 4] = ["version", "configuration", "event log", "statistics"];

impl Lab {
    /// The inventory that describes the lab as it is: healthy instances, both teams.
    pub fn inventory(&self) -> Value {
        let mut inventory = json!({
            "environment": "production",
            "ssh": {
                "known_hosts": ["known_hosts"],
                "connect_timeout": "10s",
                "deadline": "30s",
            },
            "hosts": {},
            "teams": {},
            "products": {"amps": {"artifacts": {
                "version": {
                    "kind": "version",
                    "command": ["{home}/bin/ampServer", "--version"],
                    "match": "\\d+\\.\\d+\\.\\d+\\.\\d+",
                },
                "configuration": {
                    "kind": "configuration", "path": "{home}/config/*.xml", "format": "xml",
                },
                "event log": {"kind": "log", "path": "{home}/logs/*.log*", "format": "amps-log"},
                "statistics": {"kind": "statistics", "path": "{home}/stats.db", "format": "sqlite"},
            }}},
            "instances": {},
        });
        for host in self.hosts.borrow().iter() {
            inventory["hosts"][&host.name] = json!({
                "address": host.address.ip().to_string(),
                "port": host.address.port(),
            });
            if !is_root() {
                inventory["hosts"][&host.name]["machine"] = json!("this-one");
                inventory["hosts"][&host.name]["runner"] = json!(true);
            }
        }
        for account in [OPERATIONS, MARKET_DATA] {
            inventory["teams"][account.team] = json!({
                "user": account.login(),
                "key": format!("keys/{}", account.team),
            });
        }
        for instance in self.instances.borrow().iter() {
            inventory["instances"][&instance.name] = json!({
                "product": "amps",
                "host": instance.host,
                "teams": *instance.teams.borrow(),
                "vars": {"home": instance.home},
                "expect": {"version": "5.3.4.12", "name": instance.name},
            });
        }
        inventory
    }

    /// Writes `inventory.yaml`, `known_hosts` and `features/support.feature` for the operator.
    pub fn write_inputs(&self, inventory: &Value) {
        let mut known_hosts = String::new();
        for host in self.hosts.borrow().iter() {
            known_hosts.push_str(&host.known_hosts_line());
        }
        let operator = self.operator();
        fs::write(operator.join("known_hosts"), known_hosts).unwrap();
        fs::write(operator.join("inventory.yaml"), yaml(inventory)).unwrap();
        fs::create_dir_all(operator.join("features")).unwrap();
        fs::write(operator.join("features/support.feature"), FEATURE).unwrap();
    }
}

/// Block YAML with one key a line, so that problems have lines; scalars and lists as JSON, which is
/// YAML too.
fn yaml(value: &Value) -> String {
    fn put(text: &mut String, value: &Value, indent: usize) {
        let Value::Object(map) = value else {
            return writeln!(text, " {value}").unwrap();
        };
        if map.is_empty() {
            return writeln!(text, " {{}}").unwrap();
        }
        if indent > 0 || !text.is_empty() {
            text.push('\n');
        }
        for (key, value) in map {
            write!(text, "{:indent$}{}:", "", json!(key)).unwrap();
            put(text, value, indent + 2);
        }
    }
    let mut text = String::new();
    put(&mut text, value, 0);
    text
}
