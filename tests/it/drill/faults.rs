//! A drill of which the pieces do not hang together does not pass, and its twin does.

use serde_json::json;

use super::{Office, now};
use crate::deliver::sent::bundle;
use gonogo::case::archive::Packing;

#[test]
fn a_request_is_about_what_was_retrieved() {
    let office = Office::new();
    office.begin("now");
    let words = [
        "names no instance of the run with the version",
        "orders 5.3.4.12",
    ];
    // Before the run is noted nobody knows; then it is asked, at the latest by the seal.
    office.write("hello.txt", "hello\n");
    office.note("now", &["request", "--file", "hello.txt"], 0, &["noted"]);
    office.retrieve("now", "run");
    let again = |file: &str, code, words: &[&str]| {
        let step = ["request", "--file", file, "--again", "a better one"];
        office.note("now", &step, code, words);
    };
    again("hello.txt", 2, &words);
    office.write("other.txt", "Version: 5.3.4.1\nImpact: orders are late\n");
    again("other.txt", 2, &words);
    office.write(
        "whose.txt",
        "Version: 5.3.4.12\nImpact: preorders are late\n",
    );
    again("whose.txt", 2, &words);
    office.write("late.txt", "Version: 5.3.4.12\nImpact: orders are late\n");
    again("late.txt", 0, &["noted"]);

    let early = Office::new();
    early.begin("now");
    early.tell("now");
    early.write("hello.txt", "hello\n");
    let step = ["request", "--file", "hello.txt", "--again", "another"];
    early.note("now", &step, 0, &["noted"]);
    early.retrieve("now", "run");
    early.finish("now", "drills/1", 2, &words);
    assert!(!early.at("drills/1").exists());
    let step = [
        "request",
        "--file",
        "request.txt",
        "--again",
        "the true one",
    ];
    early.note("now", &step, 0, &["noted"]);
    early.finish("now", "drills/1", 0, &["PASSED"]);
    early.verify("drills/1", 5, &["0 of 2"]);
}

#[test]
fn a_bundle_that_may_not_leave_is_none() {
    let office = Office::new();
    office.begin("now");
    for packing in [Packing::TarZst, Packing::Zip] {
        let name = format!("final{}", packing.end());
        bundle(&office.lab, &name, packing, None, |_| ());
        let step = ["bundle", "--file", &name];
        office.note("now", &step, 2, &["was not reviewed"]);
        bundle(&office.lab, &name, packing, Some("Eve"), |members| {
            members[0].1.push(b'x');
        });
        office.note("now", &step, 2, &["is not the bundle that was built"]);
    }
    let step = ["bundle", "--file", "keys/ann"];
    office.note("now", &step, 2, &["stays at home", "private key"]);
    bundle(&office.lab, "b.zip", Packing::Zip, Some("Eve"), |_| ());
    office.note("now", &["bundle", "--file", "b.zip"], 0, &["noted"]);
}

#[test]
fn the_vendor_acknowledges_the_case_that_was_delivered() {
    let office = Office::new();
    office.begin("now");
    office.retrieve("now", "run");
    let at = now();
    for ours in ["ana", "Ana Silva", "ana@bank.example.com", "Okafor, Ben"] {
        let step = [
            "acknowledgement",
            "--case",
            "1",
            "--from",
            ours,
            "--at",
            &at,
        ];
        office.note("now", &step, 2, &["is one of ours"]);
    }
    office.tell("now");
    office.receipt("bundle.tar.zst", |receipt| {
        receipt["case"] = json!("00099999")
    });
    let step = [
        "delivery",
        "--receipt",
        "receipt.json",
        "--again",
        "with its case",
    ];
    office.note("now", &step, 0, &["noted"]);
    let at = now();
    let told = |case: &str| {
        let args = [
            "acknowledgement",
            "--case",
            case,
            "--from",
            "Kim",
            "--at",
            &at,
        ];
        office.note(
            "now",
            &[&args[..], &["--again", "once more"]].concat(),
            0,
            &["noted"],
        );
    };
    told("00012345");
    let words = ["under case `00099999`", "acknowledged case `00012345`"];
    office.finish("now", "drills/1", 2, &words);
    told("00099999");
    office.finish("now", "drills/1", 0, &["PASSED"]);
    office.verify("drills/1", 5, &["0 of 2"]);
}

#[test]
fn what_no_receipt_proves_falls_short() {
    let office = Office::new();
    office.begin("now");
    office.retrieve("now", "run");
    office.tell("now");
    let bytes = std::fs::read(office.at("bundle.tar.zst")).unwrap();
    let digest = gonogo::digest::Sha256::of(&bytes).to_string();
    let step = [
        "delivery",
        "--sha256",
        &digest,
        "--words",
        "by carrier pigeon",
    ];
    office.note(
        "now",
        &[&step[..], &["--again", "no receipt"]].concat(),
        0,
        &["noted"],
    );
    let at = now();
    let answer = [
        "acknowledgement",
        "--case",
        "1",
        "--from",
        "Kim",
        "--at",
        &at,
    ];
    office.note(
        "now",
        &[&answer[..], &["--again", "to that"]].concat(),
        0,
        &["noted"],
    );
    let words = ["delivery: no receipt", "--about delivery"];
    office.finish("now", "drills/1", 2, &words);
    let due = "2099-01-01";
    let found = [
        "finding",
        "no receipt",
        "--owner",
        "ana",
        "--due",
        due,
        "--about",
        "delivery",
    ];
    office.note("now", &found, 0, &["noted"]);
    office.finish("now", "drills/1", 0, &["PASSED WITH FINDINGS"]);
    office.verify("drills/1", 5, &["0 of 2"]);
}
