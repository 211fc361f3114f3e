//! A drill of which the pieces do not hang together does not pass, and its twin does.

use serde_json::json;

use super::{Office, files, now};
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
        office.again("now", &["request", "--file", file], code, words);
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
    early.write("hello.txt", "hello\n");
    early.note("now", &["request", "--file", "hello.txt"], 0, &["noted"]);
    early.retrieve("now", "run");
    early.hand_over("now");
    early.finish("now", "drills/1", 2, &words);
    assert!(!early.at("drills/1").exists());
    early.again("now", &["request", "--file", "request.txt"], 0, &["noted"]);
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
    // Of no run, and of none that was noted yet.
    let nothing = ["says nothing of a run", "gonogo case build"];
    bundle(&office.lab, "b.zip", Packing::Zip, Some("Eve"), |_| ());
    office.note("now", &["bundle", "--file", "b.zip"], 2, &nothing);
    office.write("notes.tar.zst", "all the evidence");
    office.note("now", &["bundle", "--file", "notes.tar.zst"], 2, &nothing);
    let step = ["bundle", "--file", "bundle.tar.zst"];
    office.note("now", &step, 0, &["noted"]);
    office.retrieve("now", "run");
    let words = [
        "missing  a bundle of this drill's run",
        "it was built from run none, and every team fetched in run ",
    ];
    office.expect(&["status", "now"], 1, &words);
    office.bundle_of_the_run("now", "bundle.tar.zst");
    office.again("now", &step, 0, &["noted"]);
    let told = office.expect(&["status", "now"], 1, &["so far   INVALID"]);
    assert!(!told.contains("of this drill's run"), "{told}");
}

#[test]
fn parts_are_opened_as_one_and_what_is_encrypted_is_told() {
    let office = Office::new();
    office.begin("now");
    office.retrieve("now", "run");
    office.bundle_of_the_run("now", "bundle.tar.zst");
    let split = [
        "case",
        "split",
        "bundle.tar.zst",
        "--max-bytes",
        "60000",
        "-o",
        "parts",
    ];
    let output = office.lab.run(&split);
    assert_eq!(output.status.code(), Some(0), "{}", super::told(&output));
    let parts: Vec<String> = files(&office.at("parts"))
        .iter()
        .map(|file| file.to_string_lossy().into_owned())
        .filter(|file| file.contains(".part-"))
        .collect();
    assert!(parts.len() > 1, "{parts:?}");
    let of = |parts: &[String]| {
        let mut step = vec!["bundle".to_owned()];
        step.extend(
            parts
                .iter()
                .flat_map(|part| ["--file".to_owned(), part.clone()]),
        );
        step
    };
    let note = |parts: &[String], again: &[&str], code, words: &[&str]| {
        let step = of(parts);
        let step: Vec<&str> = step
            .iter()
            .map(String::as_str)
            .chain(again.iter().copied())
            .collect();
        office.note("now", &step, code, words);
    };
    note(&parts[1..], &[], 2, &["not all parts of it are named"]);
    note(&parts[..1], &[], 2, &["not all parts of it are named"]);
    let mut turned = parts.clone();
    turned.reverse();
    note(&turned, &[], 0, &["noted"]);
    let told = office.expect(&["status", "now"], 1, &["so far   INVALID"]);
    assert!(
        !told.contains("unproven") && !told.contains("wrong"),
        "{told}"
    );
    // As `age` writes it, to somebody else.
    let locked = "age-encryption.org/v1\n-> X25519 AAAA\nBBBB\n--- CCCC\nxyz";
    office.write("bundle.tar.zst.age", locked);
    let step = ["bundle".to_owned(), "bundle.tar.zst.age".to_owned()];
    note(&step[1..], &["--again", "it is encrypted"], 0, &["noted"]);
    let words = "unproven the bundle is encrypted: nobody could look into it, and its digest";
    office.expect(&["status", "now"], 1, &[words]);
    // Beside one that could be opened, too.
    let both = ["bundle.tar.zst", "bundle.tar.zst.age"].map(str::to_owned);
    note(&both, &["--again", "both"], 0, &["noted"]);
    office.expect(&["status", "now"], 1, &[words]);
    // A part that is none of it hides nothing.
    office.write("x.part-001-of-002.tar.zst", "all the");
    office.write("x.part-002-of-002.tar.zst", locked);
    let parts = ["x.part-001-of-002.tar.zst", "x.part-002-of-002.tar.zst"].map(str::to_owned);
    note(
        &parts,
        &["--again", "in parts"],
        2,
        &["says nothing of a run"],
    );
}

#[test]
fn the_vendor_acknowledges_the_case_that_was_delivered() {
    let office = Office::new();
    office.begin("now");
    office.retrieve("now", "run");
    let at = now();
    for ours in [
        "ana",
        "Ana Silva",
        "ana@bank.example.com",
        "Okafor, Ben",
        "operations",
    ] {
        let call = [
            "escalation",
            "mailbox",
            "--tried",
            &at,
            "--answered",
            &at,
            "--from",
            ours,
        ];
        office.note(
            "now",
            &call,
            2,
            &["is one of ours", "the vendor answers an escalation"],
        );
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
    office.deliver("now", true, |receipt| receipt["case"] = json!("00099999"));
    let told = |case: &str| office.answer("now", case, true);
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
    office.whole("now", "run");
    let bytes = std::fs::read(office.at("bundle.tar.zst")).unwrap();
    let digest = gonogo::digest::Sha256::of(&bytes).to_string();
    let step = [
        "delivery",
        "--sha256",
        &digest,
        "--words",
        "by carrier pigeon",
    ];
    office.again("now", &step, 0, &["noted"]);
    office.answer("now", "1", true);
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
