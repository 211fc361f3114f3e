//! What is checked before anything is contacted: no server is there in any of these.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use super::{deliver, ends, office, write};
use crate::lab::Lab;

fn sftp(more: &Value) -> Value {
    let mut intake = json!({
        "kind": "sftp", "host": "127.0.0.1", "port": 9, "user": "bank",
        "host_key": format!("SHA256:{}", "A".repeat(43)), "key": "keys/operations",
    });
    for (key, value) in more.as_object().unwrap() {
        intake[key] = value.clone();
    }
    intake
}

#[test]
fn size_name_and_ending_are_the_intakes() {
    let lab = Lab::new();
    for (rule, more, code, says) in [
        (
            json!({"max_bytes": "1000"}),
            vec![],
            0,
            "would send b.tar.zst",
        ),
        (
            json!({"max_bytes": "999"}),
            vec![],
            2,
            "this intake takes 999 B (999 bytes)",
        ),
        (
            json!({"extensions": [".zip", ".tar.zst"]}),
            vec![],
            0,
            "would send",
        ),
        (
            json!({"extensions": [".zip", ".tar.gz"]}),
            vec![],
            2,
            "it takes .zip, .tar.gz",
        ),
        (
            json!({"name": "{case}_{host}_{utc}.tar.zst"}),
            vec![],
            2,
            "needs `{case}`",
        ),
        (
            json!({"name": "{case}_{host}_{utc}.tar.zst"}),
            vec!["--case", "17"],
            2,
            "needs `{host}`",
        ),
        (
            json!({"name": "{case}_{host}.tar.zst"}),
            vec!["--case", "17", "--instance", "orders"],
            0,
            "~/17_ny4-1.tar.zst",
        ),
        (
            json!({"name": "{case}.tar.zst"}),
            vec!["--case", "../17"],
            2,
            "is no part of a file's name",
        ),
        (
            json!({"name": "{case}.tar.zst"}),
            vec!["--case=-rf"],
            2,
            "is no part of a file's name",
        ),
        (
            json!({"name": "{instance}.zst"}),
            vec!["--instance", "ordres"],
            2,
            "no instance `ordres`",
        ),
        (
            json!({}),
            vec!["--sha256", &"0".repeat(64)],
            2,
            "is not the file that is meant",
        ),
        (json!({}), vec!["--intake", "2"], 2, "has no intake 2"),
        (
            json!({"encrypt_to": ["A".repeat(40)]}),
            vec![],
            2,
            "takes only what is encrypted to AAAA",
        ),
    ] {
        office(&lab, &json!([sftp(&rule)]), 1000);
        ends(&deliver(&lab, &more), code, &[says]);
    }
    // All at once.
    let rule = json!({"max_bytes": "1", "extensions": [".zip"], "encrypt_to": ["A".repeat(40)]});
    office(&lab, &json!([sftp(&rule)]), 1000);
    ends(
        &deliver(&lab, &[]),
        2,
        &["takes 1 B", "it takes .zip", "encrypted to"],
    );
}

#[test]
fn what_is_no_bundle_or_has_no_way_is_refused() {
    let lab = Lab::new();
    office(
        &lab,
        &json!([sftp(&json!({})), sftp(&json!({"kind": "sftp"}))]),
        10,
    );
    ends(
        &deliver(&lab, &[]),
        2,
        &["has 2 intakes", "--intake: 1 sftp, 2 sftp"],
    );
    ends(&deliver(&lab, &["--intake", "2"]), 0, &[]);
    ends(
        &deliver(&lab, &["--vendor", "x"]),
        2,
        &["cannot be used multiple times"],
    );
    let mail = json!({"kind": "e-mail", "to": "help@example.com"});
    office(&lab, &json!([mail]), 10);
    ends(&deliver(&lab, &[]), 2, &["names no mail server"]);
    office(&lab, &json!([]), 10);
    ends(&deliver(&lab, &[]), 2, &["says no `intake`"]);
    office(&lab, &json!([sftp(&json!({}))]), 0);
    ends(&deliver(&lab, &[]), 2, &["it is empty"]);
    fs::remove_file(lab.path("operator/b.tar.zst")).unwrap();
    ends(&deliver(&lab, &[]), 2, &["cannot be sent: No such file"]);
    fs::create_dir(lab.path("operator/b.tar.zst")).unwrap();
    ends(&deliver(&lab, &[]), 2, &["no regular file"]);
    let again = lab.path("operator/o.unreviewed.tar.zst");
    fs::write(again, "x").unwrap();
    let args = [
        "case",
        "deliver",
        "o.unreviewed.tar.zst",
        "-i",
        "vendors.yaml",
        "--vendor",
        "acme",
    ];
    ends(&lab.run(&args), 2, &["was not reviewed"]);
    // Without a place for the receipt nothing is sent.
    fs::remove_dir(lab.path("operator/b.tar.zst")).unwrap();
    office(&lab, &json!([sftp(&json!({}))]), 10);
    ends(
        &deliver(&lab, &["--send", "--receipts", "gone"]),
        3,
        &["nothing was sent"],
    );
}

#[test]
fn the_process_is_tried_once_a_quarter() {
    let lab = Lab::new();
    office(&lab, &json!([sftp(&json!({}))]), 10);
    let args = ["--process-test", "--receipts", "receipts"];
    ends(&deliver(&lab, &["--process-test"]), 2, &["--receipts"]);
    // Made for this account alone, where there is a place for it.
    let nowhere = ["--process-test", "--receipts", "gone/receipts"];
    ends(&deliver(&lab, &nowhere), 3, &["nothing was sent: make it"]);
    ends(&deliver(&lab, &args), 0, &["would send"]);
    let made = fs::metadata(lab.path("operator/receipts")).unwrap();
    assert_eq!(made.permissions().mode() & 0o777, 0o700);
    let kept = |vendor: &str, is_test: bool, days: i64| {
        let at: Timestamp = Timestamp::now() - (days * 24).hours();
        let receipt = json!({
            "schema": "gonogo/receipt/v1", "tool": "gonogo", "environment": "production", "vendor": vendor,
            "intake": 1, "kind": "sftp", "place": "p", "case": null, "instance": null, "process_test": is_test,
            "file": "b", "name": "b", "bytes": 1, "sha256": "0", "started": at.to_string(),
            "finished": at.to_string(), "outcome": "delivered", "arrival": "read back", "answer": null,
            "left": null, "why": null,
        });
        let path = lab.path("operator/receipts/one.receipt.json");
        fs::write(path, receipt.to_string()).unwrap();
    };
    for (vendor, is_test, days, code) in [
        ("acme", true, 1, 2),
        ("acme", true, 91, 2),
        ("acme", true, -1, 2),
        ("acme", true, 93, 0),
        ("acme", false, 1, 0),
        ("other", true, 1, 0),
    ] {
        kept(vendor, is_test, days);
        let says = if code == 2 {
            "was tried with `acme` on"
        } else {
            "would send"
        };
        ends(&deliver(&lab, &args), code, &[says]);
    }
    kept("acme", true, 1);
    ends(
        &deliver(&lab, &[&args[..], &["--force"]].concat()),
        0,
        &["forced: the last"],
    );
    ends(&deliver(&lab, &[]), 0, &[]);
    fs::write(lab.path("operator/receipts/two.receipt.json"), "{}").unwrap();
    ends(
        &deliver(&lab, &args),
        2,
        &["two.receipt.json` cannot be read"],
    );
    // The case of the process test stands in the name.
    fs::remove_file(lab.path("operator/receipts/two.receipt.json")).unwrap();
    fs::remove_file(lab.path("operator/receipts/one.receipt.json")).unwrap();
    let intake = sftp(&json!({"name": "{case}.tar.zst"}));
    write(
        &lab,
        &json!({"acme": {"intake": [intake], "process_test": {"case": "00012345"}}}),
    );
    ends(&deliver(&lab, &args), 0, &["00012345.tar.zst"]);
    ends(&deliver(&lab, &[]), 2, &["needs `{case}`"]);
}
