//! An SFTP-only account in a chroot: the inventory speaks of the host's paths, the account is asked for
//! its own (`chroot:`).

use serde_json::{Value, json};

use crate::lab::{Amps, Lab, MARKET_DATA, needs_root};

const MD: &str = MARKET_DATA.team;

/// A host whose market-data team is shut in `/run/chroot`, with one instance in there.
fn shut_in(lab: &Lab) -> (Value, std::rc::Rc<crate::lab::Host>, Amps) {
    let host = lab.host("ny4-1").sftp_chroot(MARKET_DATA).start();
    let orders = Amps::install_in_chroot("orders", &host);
    let mut inventory = lab.inventory();
    inventory["products"]["amps"]["artifacts"]["version"] = json!({
        "kind": "version", "path": "{home}/VERSION", "match": "\\d+\\.\\d+\\.\\d+\\.\\d+",
    });
    inventory["teams"][MD]["transport"] = "sftp".into();
    inventory["teams"][MD]["chroot"] = "/run/chroot".into();
    inventory["instances"]["orders"] = json!({
        "product": "amps", "host": "ny4-1", "teams": [MD],
        "vars": {"home": format!("/run/chroot{}", orders.home)},
        "expect": {"version": "5.3.4.12", "name": "orders"},
    });
    (inventory, host, orders)
}

#[test]
fn paths_are_the_hosts_own_in_inventory_report_and_evidence() {
    if needs_root("paths_are_the_hosts_own_in_inventory_report_and_evidence") {
        return;
    }
    let lab = Lab::new();
    let (inventory, host, orders) = shut_in(&lab);
    lab.write_inputs(&inventory);
    let plan = lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
    for told in [
        "shut in /run/chroot",
        "/run/chroot/amps/orders/logs/*.log*  (asked for as /amps/orders/logs/*.log*)",
    ] {
        assert!(plan.contains(told), "{plan}");
    }
    let run = lab.judge_as_written();
    run.assert_go(4);
    assert_eq!(lab.verify(&run.dir).status.code(), Some(0));
    for check in run.checks() {
        for item in check["evidence"].as_array().unwrap() {
            let path = item["path"].as_str().unwrap();
            assert!(path.starts_with("/run/chroot/amps/orders/"), "{path}");
        }
    }
    assert!(!host.log().contains("Starting session: command"));

    // What fails is told by the host's path as well, and so is what denies.
    orders.mode("logs", 0o700);
    let run = lab.judge_as_written();
    run.assert_only(&[("orders", MD, "event log", "denied")]);
    let told = run.check("orders", MD, "event log")["failure"].to_string();
    assert!(
        told.contains("; /run/chroot/amps/orders/logs is drwx------"),
        "{told}"
    );
    assert!(
        told.contains("setfacl -m u:gonogo-md:rx /run/chroot/amps/orders/logs`"),
        "{told}"
    );
    orders.mode("logs", 0o750);
    orders.remove("config");
    let run = lab.judge_as_written();
    run.assert_only(&[("orders", MD, "configuration", "missing")]);
    let failure = &run.check("orders", MD, "configuration")["failure"];
    let told = failure.to_string();
    assert!(told.contains("/run/chroot/amps/orders/config"), "{told}");
}

#[test]
fn what_lies_outside_is_refused_before_anything_is_contacted() {
    if needs_root("what_lies_outside_is_refused_before_anything_is_contacted") {
        return;
    }
    let lab = Lab::new();
    let (mut inventory, host, orders) = shut_in(&lab);
    let before = host.log();
    inventory["instances"]["orders"]["vars"]["home"] = orders.home.clone().into();
    lab.write_inputs(&inventory);
    for command in ["plan", "run"] {
        let args = match command {
            "plan" => vec!["plan", "-i", "inventory.yaml", "features"],
            _ => lab.run_args("never").to_vec(),
        };
        let refused = lab.run(&args);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        let wanted = "`/amps/orders/logs/*.log*`, artifact `event log` of instance `orders`, lies outside the chroot of team";
        assert!(told.contains(wanted), "{told}");
        assert!(told.contains("inventory.yaml:"), "{told}");
    }
    assert_eq!(host.log(), before, "somebody was contacted");
}
