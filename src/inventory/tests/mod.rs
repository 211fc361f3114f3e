//! The inventory from text to meaning: what is right reads as meant, and what is wrong is refused
//! all at once, at its place, with what to write instead.

mod gets;
mod holidays;
mod logins;
mod logs;
mod meaning;
mod profiles;
mod refusals;
mod ssh_config;
mod vendors;

use std::path::Path;

use super::Inventory;
use crate::problem::{Problem, Problems};

/// A small estate that is right. Rows of the tables change one line of it.
const GOOD: &str = r#"environment: production
ssh:
  known_hosts: [known_hosts]
  deadline: 90s
hosts:
  bastion: {address: bastion.example}
  ny4-1:
    address: 10.20.0.11
    via: [bastion]
    groups: [ny4]
  ny4-2: {address: 10.20.0.12}
teams:
  ops:
    user: ops
    key: keys/ops
  support: {user: support, agent: true}
products:
  amps: {}
  web:
    vendor: acme
    artifacts:
      version: {kind: version, path: "{home}/VERSION", match: 'v(\d+)'}
      access log: {kind: log, path: "{home}/*.log"}
instances:
  orders:
    product: amps
    host: ny4-1
    teams: [ops, support]
    vars: {home: /opt/amps/orders}
  shop:
    product: web
    host: ny4-2
    teams: [ops]
    vars:
      home: /srv/shop
    expect: {version: 5.3}
vendors:
  acme: {}
"#;

fn parse(text: &str) -> Result<Inventory, Problems> {
    Inventory::parse(Path::new("etc/estate.yaml"), text.as_bytes().to_vec())
}

fn good(text: &str) -> Inventory {
    parse(text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn problems(text: &str) -> Vec<Problem> {
    parse(text)
        .err()
        .map(Problems::into_vec)
        .unwrap_or_default()
}

/// `GOOD` with `old` replaced by `new`; `old` must be there exactly once.
fn changed(old: &str, new: &str) -> String {
    assert_eq!(GOOD.matches(old).count(), 1, "{old:?} must stand once");
    GOOD.replacen(old, new, 1)
}

/// `line:column message` of each.
fn brief(problems: &[Problem]) -> Vec<String> {
    let place = |problem: &Problem| format!("{}:{}", problem.place.line, problem.place.column);
    problems
        .iter()
        .map(|problem| format!("{} {}", place(problem), problem.message))
        .collect()
}
