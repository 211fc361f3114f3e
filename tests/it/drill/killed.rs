//! Each station killed at every stage of its way and told again, to a drill that passed; and what was damaged since.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{Office, now, told};

/// Milliseconds after which a process is killed: the last of them leave it time to end.
const AFTER: [u64; 8] = [2, 8, 14, 20, 30, 60, 150, 600];

impl Office {
    /// Kills the step until it was told, or tells it undisturbed: once, whatever came between.
    fn told_between_kills(&self, step: &[&str], entries: usize) {
        let args = [&["note", "now"], step].concat();
        let there = || {
            let status = self.status("now");
            assert!(!status.contains("no drill under way"), "{step:?}: {status}");
            fs::read_dir(self.at("now/entries"))
                .unwrap()
                .filter(|entry| {
                    let name = entry.as_ref().unwrap().file_name();
                    !name.to_string_lossy().starts_with('.')
                })
                .count()
        };
        for after in AFTER {
            let was_done = self.killed(&args, Duration::from_millis(after));
            match there() {
                now if now == entries => assert!(!was_done, "{step:?}: told, and gone"),
                now => {
                    assert_eq!(now, entries + 1, "{step:?}");
                    // It is there, and nobody tells it twice by mistake.
                    self.expect(&args, 2, &["told already"]);
                    return;
                }
            }
        }
        self.expect(&args, 0, &["noted"]);
    }
}

#[test]
fn each_station_that_is_killed_is_told_once_and_the_drill_passes() {
    let office = Office::new();
    office.begin("now");
    let run = office.lab.run(&office.lab.run_args("run"));
    assert_eq!(run.status.code(), Some(0), "{}", told(&run));
    let mut entries = 1;
    let mut tell = |step: &[&str]| {
        office.told_between_kills(step, entries);
        entries += 1;
    };
    tell(&["retrieval", "--run", "run", "--allowed-signers", "sealers"]);
    tell(&["request", "--file", "request.txt"]);
    office.bundle_of_the_run("now", "bundle.tar.zst");
    tell(&["bundle", "--file", "bundle.tar.zst"]);
    office.receipt("bundle.tar.zst", |_| ());
    tell(&["delivery", "--receipt", "receipt.json"]);
    let at = now();
    tell(&[
        "acknowledgement",
        "--case",
        "1",
        "--from",
        "Kim",
        "--at",
        &at,
    ]);
    for level in ["mailbox", "support line"] {
        tell(&[
            "escalation",
            level,
            "--tried",
            &at,
            "--answered",
            &at,
            "--from",
            "Kim",
        ]);
    }
    tell(&["deviation", "--none"]);
    office.expect(&["status", "now"], 0, &["so far   PASSED"]);
    office.finish("now", "drills/1", 0, &["PASSED"]);
    office.verify("drills/1", 5, &["HOLD"]);
}

#[test]
fn what_was_damaged_is_refused_with_what_to_do() {
    let office = Office::new();
    office.begin("now");
    for what in ["first", "second", "third"] {
        office.note("now", &["deviation", what], 0, &["noted"]);
    }
    let hint = "as it left it; where it was changed, begin anew";
    let refused = |words: &[&str]| {
        let words = [words, &[hint]].concat();
        office.expect(&["status", "now"], 2, &words);
        office.note("now", &["deviation", "more"], 2, &words);
        let finish = [
            "finish",
            "now",
            "-o",
            "drills/1",
            "--key",
            "keys/signer",
            "--invalid",
        ];
        office.expect(&finish, 2, &words);
    };
    let damaged = |name: &str, edit: &dyn Fn(&str) -> String, words: &[&str]| {
        let path = office.at("now/entries").join(name);
        let text = fs::read_to_string(&path).unwrap();
        let edited = edit(&text);
        assert_ne!(edited, text);
        fs::write(&path, edited).unwrap();
        refused(words);
        fs::write(&path, text).unwrap();
    };
    let cut = |text: &str| text[..text.len() - 4].to_owned();
    for name in ["0002.json", "0004.json"] {
        damaged(name, &cut, &[name]);
        damaged(name, &|_| String::new(), &[name]);
        damaged(name, &|text| format!("{text}\n"), &[name, "not spelled"]);
    }
    let edit = |text: &str| {
        text.replacen("first", "worst", 1)
            .replacen("third", "forth", 1)
    };
    damaged("0002.json", &edit, &["the entry before it was changed"]);
    damaged("0004.json", &edit, &["`0004.json` was changed"]);
    // Taken out: the last, and one before it.
    let (last, aside) = (office.at("now/entries/0004.json"), office.at("aside"));
    fs::rename(&last, &aside).unwrap();
    refused(&["what was told behind it was taken out"]);
    fs::rename(&aside, &last).unwrap();
    let third = office.at("now/entries/0003.json");
    fs::rename(&third, &aside).unwrap();
    refused(&["`0004.json` where `0003.json` belongs"]);
    fs::rename(&aside, &third).unwrap();
    // The twin: whole again, and after a kill between an entry and what says that it is the last.
    office.expect(&["status", "now"], 1, &["so far   INVALID"]);
    let head = office.at("now/head");
    let before = fs::read(Path::new(&head)).unwrap();
    office.note("now", &["deviation", "fourth"], 0, &["noted as entry 5"]);
    fs::write(&head, before).unwrap();
    office.note("now", &["deviation", "fifth"], 0, &["noted as entry 6"]);
}
