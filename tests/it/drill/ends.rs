//! A drill that is killed, filled by many hands at once, sealed by a certified key, or on a clock that goes
//! backwards; and a drill that fell short.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{NAMESPACE, Office, now, told};
use crate::lab::GONOGO;

impl Office {
    fn spawn(&self, args: &[&str]) -> Child {
        Command::new(GONOGO)
            .arg("drill")
            .args(args)
            .current_dir(self.lab.operator())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Starts it and kills it after that time; whether it had ended well before.
    pub(super) fn killed(&self, args: &[&str], after: Duration) -> bool {
        let mut child = self.spawn(args);
        std::thread::sleep(after);
        child.kill().unwrap();
        child.wait().unwrap().success()
    }

    pub(super) fn status(&self, dir: &str) -> String {
        let output = self.lab.run(&["drill", "status", dir]);
        told(&output)
    }
}

/// Times to be killed after: more of them where a process begins to write.
fn moments() -> impl Iterator<Item = Duration> {
    (0..24).map(|step| Duration::from_micros(1_500 * step * step / 4))
}

#[test]
fn whatever_is_killed_is_gone_on_with() {
    let office = Office::new();
    // Its beginning: there is a drill, or it is begun in the same place.
    for after in moments() {
        let _ = fs::remove_dir_all(office.at("begun"));
        office.killed(&office.begin_args("begun"), after);
        let status = office.status("begun");
        let is_begun = status.contains("planned drill with 60east");
        assert!(
            is_begun
                || status.contains("it was never begun")
                || status.contains("it has no folder `entries`"),
            "{after:?}: {status}"
        );
        let again = office
            .lab
            .run(&[&["drill"], &office.begin_args("begun")[..]].concat());
        let code = again.status.code();
        assert_eq!(code, Some(if is_begun { 2 } else { 0 }), "{}", told(&again));
        assert!(office.status("begun").contains("planned drill with 60east"));
    }
    // What is no drill is not taken for one that was not begun.
    office.write("begun/notes.txt", "mine");
    fs::remove_file(office.at("begun/entries/0001.json")).unwrap();
    office.expect(&office.begin_args("begun"), 2, &["exists already"]);

    // A step: it is there or it is not, and what was told to be there is.
    office.begin("now");
    let mut whole = 1;
    for (number, after) in moments().enumerate() {
        let what = format!("number {number}");
        let step: &[&str] = match number % 2 {
            0 => &["note", "now", "deviation", &what],
            _ => &[
                "note",
                "now",
                "bundle",
                "--file",
                "bundle.tar.zst",
                "--again",
                "more",
            ],
        };
        let step = match whole {
            1 => &["note", "now", "bundle", "--file", "bundle.tar.zst"],
            _ => step,
        };
        let was_done = office.killed(step, after);
        let status = office.status("now");
        let entries = status
            .lines()
            .filter(|line| line.starts_with("   ") || line.starts_with("  "))
            .count();
        assert!(
            entries == whole + 1 || (entries == whole && !was_done),
            "{after:?}: {whole} {was_done}: {status}"
        );
        whole = entries;
    }
    assert!(whole > 1, "each was killed before it wrote");
}

#[test]
fn a_finish_that_is_killed_or_not_alone_breaks_no_chain() {
    let office = Office::new();
    let mut sealed = 0;
    for (number, after) in moments().enumerate() {
        let (dir, out) = (format!("now-{number}"), format!("drills/{number}"));
        office.begin(&dir);
        let finish = [
            "finish",
            &dir,
            "-o",
            &out,
            "--key",
            "keys/signer",
            "--invalid",
        ];
        office.killed(&finish, after);
        // Signed and not in its place, it is told, and taken away by hand.
        let hidden = fs::read_dir(office.at("drills")).unwrap();
        let hidden: Vec<_> = hidden
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.join("SHA256SUMS.sig").exists())
            .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with('.'))
            .collect();
        for path in hidden {
            office.expect(
                &finish,
                2,
                &["under a hidden name", "remove it if a `finish` was killed"],
            );
            fs::remove_dir_all(path).unwrap();
        }
        match office.at(&out).exists() {
            true => office.expect(&finish, 2, &["sealed already"]),
            false => office.expect(&finish, 1, &["INVALID"]),
        };
        sealed += 1;
        let args = [
            "verify",
            &out,
            "--allowed-signers",
            "sealers",
            "--drills",
            "drills",
        ];
        office.expect(&args, 1, &["INVALID"]);
    }
    // Many at once: each waits for its place in the chain.
    let names: Vec<String> = (0..4).map(|number| format!("more-{number}")).collect();
    for dir in &names {
        office.begin(dir);
    }
    let children: Vec<Child> = (names.iter())
        .map(|dir| {
            let out = format!("drills/{dir}");
            office.spawn(&[
                "finish",
                dir,
                "-o",
                &out,
                "--key",
                "keys/signer",
                "--invalid",
            ])
        })
        .collect();
    for mut child in children {
        assert_eq!(child.wait().unwrap().code(), Some(1));
    }
    let mut numbers: Vec<u64> = Vec::new();
    for dir in &names {
        let out = format!("drills/{dir}");
        let args = [
            "verify",
            &out,
            "--allowed-signers",
            "sealers",
            "--drills",
            "drills",
        ];
        office.expect(&args, 1, &["INVALID"]);
        let record = fs::read(office.at(&out).join("drill.json")).unwrap();
        let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
        numbers.push(record["number"].as_u64().unwrap());
    }
    numbers.sort_unstable();
    let expected: Vec<u64> = (1..=4).map(|number| sealed + number).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn what_fell_short_is_sealed_only_by_somebody_who_means_it() {
    let office = Office::new();
    office.whole("now", "run-a");
    let tried = now();
    let silent = [
        "escalation",
        "support line",
        "--tried",
        &tried,
        "--again",
        "it was engaged",
    ];
    office.note("now", &silent, 0, &["noted"]);
    let hint = "gonogo drill note now finding TEXT --owner WHO --due DAY --about 'escalation support line'";
    office.expect(&["status", "now"], 1, &["short", hint, "FAILED"]);
    office.finish(
        "now",
        "drills/1",
        2,
        &["the drill fell short", hint, "--failed"],
    );
    assert!(!office.at("drills/1").exists());
    let finish = ["finish", "now", "-o", "drills/1", "--key", "keys/signer"];
    // It is not incomplete: that word does not do.
    let invalid = [&finish[..], &["--invalid"]].concat();
    office.expect(&invalid, 2, &["the drill fell short"]);
    let failed = [&finish[..], &["--failed"]].concat();
    office.expect(&failed, 1, &["FAILED"]);
    office.verify("drills/1", 1, &["FAILED"]);
    // It is sealed: what is told now is of the next one.
    let finding = [
        "finding",
        "dead",
        "--owner",
        "ben",
        "--due",
        "2099-01-01",
        "--about",
        "escalation support line",
    ];
    office.note("now", &finding, 0, &["noted"]);
    office.finish("now", "drills/1", 2, &["sealed already, as `1`"]);
    office.finish(
        "now",
        "drills/2",
        2,
        &["sealed already, as `1`", "the next drill"],
    );
}

#[test]
fn an_invalid_drill_makes_no_finding_vanish() {
    let office = Office::new();
    office.begin("one");
    let finding = [
        "finding",
        "the number is dead",
        "--owner",
        "ben",
        "--due",
        "2099-01-01",
    ];
    let id = office.note("one", &finding, 0, &["noted"]);
    let id = id.lines().next().unwrap().to_owned();
    let invalid = |dir: &str, out: &str| {
        let args = [
            "finish",
            dir,
            "-o",
            out,
            "--key",
            "keys/signer",
            "--invalid",
        ];
        office.expect(&args, 1, &["INVALID"]);
    };
    invalid("one", "drills/1");
    // Nobody speaks of it here …
    office.begin("two");
    invalid("two", "drills/2");
    // … and it is asked for all the same.
    office.whole("three", "run-a");
    office.finish(
        "three",
        "drills/3",
        2,
        &[&format!("what became of finding `{id}`")],
    );
    let closed = ["last", &id, "closed", "--reason", "Ana called it"];
    office.note("three", &closed, 0, &["noted"]);
    office.finish("three", "drills/3", 0, &["PASSED"]);
}

#[test]
fn a_clock_that_goes_backwards_tells_nothing() {
    let office = Office::new();
    office.begin("now");
    office.note("now", &["deviation", "first"], 0, &["noted"]);
    // As a clock that was an hour ahead leaves it: the record itself is sound.
    let first = fs::read_to_string(office.at("now/entries/0001.json")).unwrap();
    let second = fs::read_to_string(office.at("now/entries/0002.json")).unwrap();
    let entry: serde_json::Value = serde_json::from_str(&second).unwrap();
    let ahead = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1))
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let second = second.replace(entry["at"].as_str().unwrap(), &ahead);
    fs::write(office.at("now/entries/0002.json"), &second).unwrap();
    fs::remove_file(office.at("now/head")).unwrap();
    assert!(!first.contains(&ahead));
    office.note("now", &["deviation", "second"], 2, &["times go backwards"]);
    let args = [
        "finish",
        "now",
        "-o",
        "drills/1",
        "--key",
        "keys/signer",
        "--invalid",
    ];
    office.expect(&args, 2, &["the clock went backwards"]);
    assert!(fs::read_dir(office.at("drills")).unwrap().next().is_none());
}

/// A sealing key that an authority certifies: it seals, it signs nothing off, and its time is held to.
#[test]
fn a_certified_key_seals_and_counts_as_its_owner() {
    let office = Office::new();
    let keys = office.at("keys");
    let run = |args: &[&str]| {
        let made = Command::new("ssh-keygen")
            .args(args)
            .current_dir(&keys)
            .output();
        let made = made.unwrap();
        assert!(made.status.success(), "{made:?}");
    };
    run(&["-q", "-t", "ed25519", "-N", "", "-C", "ca", "-f", "ca"]);
    run(&[
        "-q", "-t", "ed25519", "-N", "", "-C", "robot", "-f", "robot",
    ]);
    let certify = |valid: &str| {
        run(&[
            "-q",
            "-s",
            "ca",
            "-I",
            "robot",
            "-n",
            "robot",
            "-V",
            valid,
            "robot.pub",
        ]);
    };
    let ca = fs::read_to_string(keys.join("ca.pub")).unwrap();
    let public = fs::read_to_string(keys.join("robot.pub")).unwrap();
    office.write(
        "authority",
        &format!("robot cert-authority,namespaces=\"{NAMESPACE}\" {ca}"),
    );
    office.begin("now");
    let finish = |dir: &str, out: &str, code: i32, words: &[&str]| {
        let args = ["finish", dir, "-o", out, "--key", "keys/robot", "--invalid"];
        let told = office.lab.run(&[&["drill"], &args[..]].concat());
        let text = super::told(&told);
        assert_eq!(told.status.code(), Some(code), "{text}");
        for word in words {
            assert!(text.contains(word), "{text}");
        }
    };
    certify("-1h:+1h");
    finish("now", "drills/1", 1, &["INVALID"]);
    let verify = |signers: &str, people: &str, code, words: &[&str]| {
        let args = [
            "verify",
            "drills/1",
            "--allowed-signers",
            signers,
            "--people",
            people,
        ];
        office.expect(&args, code, words);
    };
    verify("authority", "people", 1, &["INVALID", "by robot"]);
    // Its owner signs nothing off, by the certificate or by the plain key under another name.
    let line = format!("robert namespaces=\"{NAMESPACE}\" {public}");
    let people = fs::read_to_string(office.at("people")).unwrap();
    office.write("people-too", &format!("{people}{line}"));
    office.expect(
        &["sign", "drills/1", "--key", "keys/robot", "--as", "robert"],
        4,
        &["this key sealed the drill"],
    );
    office.sign_with_stock_tools("robot", "drills/1");
    verify(
        "authority",
        "people-too",
        1,
        &["it is who sealed the drill"],
    );
    // Another authority, and a certificate that is over.
    let eve = fs::read_to_string(keys.join("eve.pub")).unwrap();
    office.write(
        "other",
        &format!("robot cert-authority,namespaces=\"{NAMESPACE}\" {eve}"),
    );
    verify("other", "people", 4, &["not acceptable"]);
    office.begin("late");
    certify("-2h:-1h");
    let args = [
        "finish",
        "late",
        "-o",
        "drills/2",
        "--key",
        "keys/robot",
        "--invalid",
    ];
    office.expect(&args, 3, &["certificate"]);
    assert!(!office.at("drills/2").exists());
}

#[test]
fn a_bundle_of_another_run_is_no_bundle_of_this_drill() {
    let office = Office::new();
    let kept = |run: &str, keep: &str| {
        let args = [&office.lab.run_args(run)[..], &["--keep", keep]].concat();
        let output = office.lab.run(&args);
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        let args = [
            "case",
            "build",
            run,
            "--allowed-signers",
            "sealers",
            "--instance",
            "orders",
        ];
        let bundle = format!("{run}.tar.zst");
        for reviewed in [&[][..], &["--reviewed-by", "Eve"]] {
            let out = ["--from", keep, "-o", &bundle];
            let output = office.lab.run(&[&args[..], &out, reviewed].concat());
            assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        }
        bundle
    };
    // One from before the drill, one of it that does not count, and the one that does.
    let early = kept("run-early", "kept-early");
    std::thread::sleep(Duration::from_millis(1_100));
    office.begin("now");
    let (of_a, of_b) = (kept("run-a", "kept-a"), kept("run-b", "kept-b"));
    office.note(
        "now",
        &[
            "retrieval",
            "--run",
            "run-b",
            "--allowed-signers",
            "sealers",
        ],
        0,
        &["noted"],
    );
    office.tell("now");
    office.expect(&["status", "now"], 0, &["so far   PASSED"]);
    let hand_over = |bundle: &str| {
        office.again("now", &["bundle", "--file", bundle], 0, &["noted"]);
        office.receipt(bundle, |_| ());
        office.again(
            "now",
            &["delivery", "--receipt", "receipt.json"],
            0,
            &["noted"],
        );
        office.answer("now", "1", true);
    };
    let other = ["was built from run ", "and every team fetched in run "];
    for bundle in [&early, &of_a] {
        hand_over(bundle);
        office.expect(&["status", "now"], 1, &other);
        office.finish("now", "drills/1", 2, &other);
        assert!(!office.at("drills/1").exists());
    }
    hand_over(&of_b);
    office.expect(&["status", "now"], 0, &["so far   PASSED"]);
    hand_over(&of_a);
    office.again(
        "now",
        &[
            "retrieval",
            "--run",
            "run-a",
            "--allowed-signers",
            "sealers",
        ],
        0,
        &["noted"],
    );
    office.finish("now", "drills/1", 0, &["PASSED"]);
    office.verify("drills/1", 5, &["HOLD"]);
    // What went wrong is a record, too, and counts for nothing.
    office.begin("next");
    office.retrieve("next", "run-c");
    office.tell("next");
    office.again("next", &["bundle", "--file", &early], 0, &["noted"]);
    let invalid = [
        "finish",
        "next",
        "-o",
        "drills/2",
        "--key",
        "keys/signer",
        "--invalid",
    ];
    office.expect(&invalid, 1, &["INVALID", other[0]]);
    office.verify("drills/2", 1, &["INVALID"]);
}
