//! A whole run through one bastion: how often it is logged in to, and what a refusal of it becomes.

use serde_json::json;

use crate::lab::{Lab, OPERATIONS};

#[test]
fn every_host_behind_a_bastion_comes_over_one_login_to_it() {
    let lab = Lab::new();
    let targets = ["ny4-1", "ny4-2", "ny4-3"].map(|name| lab.host(name).start());
    let permitted = targets.each_ref().map(|target| target.address.to_string());
    let bastion = lab
        .host("bastion")
        .option("MaxSessions 1")
        .option(&format!("PermitOpen {}", permitted.join(" ")))
        .start();
    for (instance, target) in ["orders", "quotes", "fills"].iter().zip(&targets) {
        lab.amps(instance, target);
    }
    let via = |inventory: &mut serde_json::Value| {
        for target in &targets {
            inventory["hosts"][&target.name]["via"] = json!(["bastion"]);
        }
    };
    let accepted = || bastion.log().matches("Accepted publickey").count();
    // All at once, and one after the other: the connection waits for the lanes to come.
    lab.judge_with(via).assert_go(12);
    assert_eq!(accepted(), 1, "{}", bastion.log());
    let out = lab.next_out();
    let mut line = lab.run_args(&out).to_vec();
    line.extend(["--jobs", "1"]);
    let output = lab.run(&line);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(accepted(), 2, "{}", bastion.log());
    assert!(!bastion.log().contains("Starting session"));
}

#[test]
fn a_bastion_that_refuses_is_asked_once_for_all_hosts_behind_it() {
    let lab = Lab::new();
    let bastion = lab.host("bastion").without_key(OPERATIONS).start();
    let targets = ["ny4-1", "ny4-2", "ny4-3"].map(|name| lab.host(name).start());
    for (instance, target) in ["orders", "quotes", "fills"].iter().zip(&targets) {
        lab.amps(instance, target);
    }
    let run = lab.judge_with(|inventory| {
        for target in &targets {
            inventory["hosts"][&target.name]["via"] = json!(["bastion"]);
        }
    });
    assert_eq!(
        (run.code(), run.failures().len()),
        (1, 12),
        "{}",
        run.told()
    );
    for check in run.checks() {
        let failure = &check["failure"];
        assert_eq!(
            (&failure["kind"], &failure["host"]),
            (&json!("auth"), &json!("bastion"))
        );
        assert_eq!(failure["account"], OPERATIONS.login().as_str());
    }
    let log = bastion.log();
    assert_eq!(log.matches("Failed publickey").count(), 1, "{log}");
}
