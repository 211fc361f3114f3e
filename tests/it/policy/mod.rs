//! `verify --policy`: each demand refuses a run that does not meet it, alone and with its own reason, and accepts
//! its benign twin; no flag loosens what the policy says.

mod coverage;
mod demands;
mod example;
mod people;
mod restated;

use std::path::Path;
use std::process::Output;

use crate::people::House;

const LEAST: &str = "environment: production\nmax_age: 24h\n";

/// `verify` under that policy.
fn under(house: &House, policy: &str, run: &Path, more: &[&str]) -> Output {
    house.write("policy.yaml", policy);
    house.verify(run, &[&["--policy", "policy.yaml"], more].concat())
}
