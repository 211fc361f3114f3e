//! A log by the mask that its product names it by.

use serde_json::{Value, json};

use super::{Desk, entries, gzip};

const QUESTIONS: [(&str, &str); 2] = [
    ("covers", "the event log covers the last 24 hours"),
    ("gap", "the event log has no gap of more than 30 minutes"),
];

fn masked(inventory: &mut Value) {
    inventory["products"]["amps"]["artifacts"]["event log"] = json!({
        "kind": "log", "mask": "{home}/logs/{instance}-%Y%m%d-%n.log", "format": "amps-log",
    });
}

/// Rotated as the product and its action do it, beside files that only look alike.
fn rotated() -> Desk {
    let desk = Desk::new();
    let orders = &desk.orders;
    for end in ["", ".1", ".2.gz"] {
        orders.remove(&format!("{}{end}", orders.log()));
    }
    let text = entries(26 * 60, 12 * 60);
    orders.write("logs/orders-20261120-00001.log.gz", &gzip(&text));
    orders.write(
        "logs/orders-20261120-2.log",
        entries(12 * 60, 60).as_bytes(),
    );
    orders.write("logs/orders-20261121-10.log", entries(60, 0).as_bytes());
    for decoy in ["orders-20261121-x.log", "orders-20261121-3.log.old"] {
        orders.write(&format!("logs/{decoy}"), b"no log at all\n");
    }
    desk
}

#[test]
fn a_mask_finds_each_rotation_and_nothing_else() {
    let desk = rotated();
    let run = desk.is_go(&QUESTIONS, masked);
    let log = run.check("orders", super::OPS, "covers");
    let paths: Vec<&str> = log["evidence"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap().rsplit('/').next().unwrap())
        .collect();
    assert_eq!(
        paths,
        [
            "orders-20261120-00001.log.gz",
            "orders-20261120-2.log",
            "orders-20261121-10.log"
        ]
    );
    let plan = desk.lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    let told = String::from_utf8_lossy(&plan.stdout);
    let glob = "/logs/orders-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9]*.log*";
    assert!(told.contains(glob), "{told}");
}

#[test]
fn names_that_only_look_alike_are_missing() {
    let desk = rotated();
    for file in ["20261120-00001.log.gz", "20261120-2.log", "20261121-10.log"] {
        desk.orders.remove(&format!("logs/orders-{file}"));
    }
    desk.fails(
        &QUESTIONS[..1],
        masked,
        &[
            ("log", "missing", "similar names"),
            ("covers", "missing", "similar names"),
        ],
    );
}

#[test]
fn an_unknown_conversion_and_a_mask_of_two_instances_are_refused() {
    let desk = rotated();
    let quotes = desk.lab.amps("quotes", &desk.host);
    for (mask, words) in [
        ("{home}/logs/%Q.log", "`%Q` is no conversion"),
        ("{home}/logs/*-%n.log", "write a pattern as `path:`"),
        ("/var/log/amps/%Y-%n.log", "claim the same path"),
    ] {
        desk.write(&QUESTIONS, |inventory| {
            masked(inventory);
            inventory["products"]["amps"]["artifacts"]["event log"]["mask"] = json!(mask);
        });
        let plan = desk.lab.run(&["plan", "-i", "inventory.yaml", "features"]);
        let told = String::from_utf8_lossy(&plan.stderr);
        assert_eq!(plan.status.code(), Some(2), "{mask}: {told}");
        assert!(
            told.contains(words) && told.contains("inventory.yaml:"),
            "{told}"
        );
    }
    drop(quotes);
}
