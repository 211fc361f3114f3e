//! What may be told, by whom and when; and a drill that is taken up again.

use std::fs;
use std::process::{Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Office, files, now, told};
use crate::lab::GONOGO;

#[test]
fn what_is_told_must_be_true() {
    let office = Office::new();
    // A run from before the drill, then one of it; of another environment, and filtered.
    let early = office.lab.run(&office.lab.run_args("early"));
    assert_eq!(early.status.code(), Some(0), "{}", told(&early));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    office.begin("now");
    let run = |run: &str, code, words: &[&str]| {
        let step = ["retrieval", "--run", run, "--allowed-signers", "sealers"];
        office.note("now", &step, code, words);
    };
    run("early", 2, &["run everything within the drill"]);
    run("nothing", 4, &["not acceptable"]);
    office.inventory(|inventory| inventory["environment"] = json!("staging"));
    let other = office.lab.run(&office.lab.run_args("staging"));
    assert_eq!(other.status.code(), Some(0), "{}", told(&other));
    run("staging", 2, &["environment `staging`"]);
    office.inventory(|inventory| {
        inventory["vendors"]["60east"]["drill"] = json!({"last": "2020-01-02"})
    });
    let other = office.lab.run(&office.lab.run_args("changed"));
    assert_eq!(other.status.code(), Some(0), "{}", told(&other));
    run("changed", 2, &["another inventory"]);
    office.inventory(|_| ());
    let args = office.lab.run_args("part");
    office
        .lab
        .run(&[&args[..], &["--team", "operations"]].concat());
    run("part", 4, &["not acceptable"]);
    office.retrieve("now", "whole");

    // Times.
    let at = |seconds: i64| (Timestamp::now() + SignedDuration::from_secs(seconds)).to_string();
    let answer = |time: &str, code, words: &[&str]| {
        let step = [
            "acknowledgement",
            "--case",
            "1",
            "--from",
            "Kim",
            "--at",
            time,
        ];
        office.note("now", &step, code, words);
    };
    answer(&at(3600), 2, &["which is in the future"]);
    answer(&at(-86_400), 2, &["before the drill began"]);
    let call = |tried: &str, answered: &str, code, words: &[&str]| {
        let step = [
            "escalation",
            "mailbox",
            "--tried",
            tried,
            "--answered",
            answered,
            "--from",
            "Kim",
        ];
        office.note("now", &step, code, words);
    };
    call(&at(0), &at(-1), 2, &["answered before it was tried"]);
    call(&at(0), &at(60), 2, &["which is in the future"]);
    let lost = now();
    office.note(
        "now",
        &["escalation", "mailbix", "--tried", &lost],
        2,
        &["no escalation level `mailbix`"],
    );

    // Words and files.
    office.write("blank.txt", "Version: 5\nImpact:\n");
    office.note(
        "now",
        &["request", "--file", "blank.txt"],
        2,
        &["line 2, `Impact:`: nothing is said"],
    );
    office.write("empty", "");
    office.note("now", &["bundle", "--file", "empty"], 2, &["it is empty"]);
    let fifo = Command::new("mkfifo").arg(office.at("fifo")).status();
    assert!(fifo.unwrap().success());
    let words = ["it is not a regular file"];
    office.note("now", &["bundle", "--file", "fifo"], 2, &words);
    for (key, value, words) in [
        ("outcome", "not delivered", "outcome is `not delivered`"),
        ("vendor", "echo", "vendor is `echo`"),
        ("environment", "staging", "environment is `staging`"),
        ("sha256", "abc", "not a SHA-256 digest"),
    ] {
        office.receipt("bundle.tar.zst", |receipt| receipt[key] = json!(value));
        office.note(
            "now",
            &["delivery", "--receipt", "receipt.json"],
            2,
            &[words],
        );
    }

    // A bundle that was swapped before it was delivered.
    office.tell("now");
    office.write("other.tar.zst", "less of the evidence");
    office.receipt("other.tar.zst", |_| ());
    office.again(
        "now",
        &["delivery", "--receipt", "receipt.json"],
        0,
        &["noted"],
    );
    let words = ["the digests that arrived are not those of the bundle"];
    office.finish("now", "drills/1", 2, &words);
    office.deliver("now", true, |_| ());
    office.answer("now", "1", true);
    office.expect(&["status", "now"], 0, &["so far   PASSED"]);

    // What was noted and changed afterwards, an entry or a file.
    let evidence = files(&office.at("now/evidence"));
    let bundle = evidence
        .iter()
        .find(|file| file.to_string_lossy().ends_with("-bundle.tar.zst"));
    let bundle = bundle.unwrap();
    let bytes = fs::read(bundle).unwrap();
    fs::write(bundle, "ALL the evidence").unwrap();
    office.finish("now", "drills/1", 2, &["it was changed since it was noted"]);
    fs::write(bundle, bytes).unwrap();
    let entry = office.at("now/entries/0003.json");
    let text = fs::read_to_string(&entry).unwrap();
    fs::write(&entry, text.replacen("request.txt", "request.tXt", 1)).unwrap();
    office.finish("now", "drills/1", 2, &["the entry before it was changed"]);
    fs::remove_file(&entry).unwrap();
    office.finish(
        "now",
        "drills/1",
        2,
        &["it has `0004.json` where `0003.json` belongs"],
    );
    fs::write(&entry, text).unwrap();
    assert!(fs::read_dir(office.at("drills")).unwrap().next().is_none());
    office.finish("now", "drills/1", 0, &["PASSED"]);
}

#[test]
fn who_when_and_what_is_agreed_is_asked_at_the_beginning() {
    let office = Office::new();
    let mut args = office.begin_args("now").map(str::to_owned);
    let with = |args: &[String], code, words: &[&str]| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        office.expect(&args, code, words);
        assert_eq!(office.at("now").exists(), code == 0);
    };
    for (expert, operator) in [
        ("ben", "ben"),
        ("ben", "Ben Okafor"),
        ("ana@bank.example.com", "Ana  SILVA"),
    ] {
        args[8] = format!("usual-expert={expert}");
        args[10] = format!("operator={operator}");
        with(&args, 2, &["the usual expert must not be the operator"]);
    }
    args[10] = "helper=zed".to_owned();
    with(&args, 2, &["nobody plays `operator`"]);
    args[8] = "usual-expert=ana".to_owned();
    args[10] = "operator=ben".to_owned();
    args[4] = "60eats".to_owned();
    with(&args, 2, &["no vendor `60eats`", "60east"]);
    args[4] = "60east".to_owned();
    args[6] = "out-of-hours".to_owned();
    with(
        &args,
        2,
        &["nobody knows whether the vendor has to answer now"],
    );
    let severity =
        |severity: &str| [&args[..], &["--severity".to_owned(), severity.to_owned()]].concat();
    with(&severity("S1"), 2, &["the vendor has to answer now"]);
    with(&severity("S3"), 2, &["`coverage` for that severity"]);
    for (key, words) in [
        ("process_test", "`process_test: {within: TIME}`"),
        ("escalation", "`escalation`, the levels"),
    ] {
        office.inventory(|inventory| {
            inventory["vendors"]["60east"]
                .as_object_mut()
                .unwrap()
                .remove(key);
        });
        with(&severity("S2"), 2, &[words]);
    }
    office.inventory(|_| ());
    with(&severity("S2"), 0, &["the drill began"]);
    office.expect(&args.each_ref().map(String::as_str), 2, &["nobody knows"]);
    office.expect(&office.begin_args("now"), 2, &["exists already"]);
}

#[test]
fn it_waits_for_people_and_resumes_after_a_kill() {
    let office = Office::new();
    office.begin("now");
    // What a killed process leaves between two entries: pieces that were never told.
    office.write("now/entries/.new-Ab12Cd", "{\"number\": 2, \"at");
    office.write("now/evidence/.new-Ab12Ce", "half of a bun");
    office.note(
        "now",
        &["deviation", "the template was old"],
        0,
        &["noted as entry 2"],
    );
    office.note(
        "now",
        &["bundle", "--file", "bundle.tar.zst"],
        0,
        &["noted as entry 3"],
    );
    // A file that was copied, and its entry not written.
    fs::remove_file(office.at("now/entries/0003.json")).unwrap();
    fs::remove_file(office.at("now/head")).unwrap();
    office.note(
        "now",
        &["bundle", "--file", "bundle.tar.zst"],
        0,
        &["noted as entry 3"],
    );
    // A cut entry is no entry, and none is guessed.
    let cut = office.at("now/entries/0003.json");
    let text = fs::read(&cut).unwrap();
    fs::write(&cut, &text[..text.len() / 2]).unwrap();
    office.expect(
        &["status", "now"],
        2,
        &["is no drill under way: `0003.json`"],
    );
    fs::write(&cut, text).unwrap();
    // Many hands at once: each is told, none twice.
    let begin = |number: usize| {
        Command::new(GONOGO)
            .args([
                "drill",
                "note",
                "now",
                "deviation",
                &format!("number {number}"),
            ])
            .current_dir(office.lab.operator())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = (0..6).map(begin).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let told = office.expect(&["status", "now"], 1, &["   9  ", "so far   INVALID"]);
    assert_eq!(
        told.matches("deviation").count() + told.matches("number ").count(),
        6,
        "{told}"
    );
    office.expect(&["status", "nowhere"], 2, &["is no drill under way"]);
}
