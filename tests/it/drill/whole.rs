//! A whole drill, the next one that answers for it, and what an auditor finds of both.

use std::fs;

use super::{Office, commands, files, now, sh, told};

#[test]
fn a_drill_is_told_sealed_signed_off_and_counts() {
    let office = Office::new();
    office.begin("now");
    office.expect(
        &["status", "now"],
        1,
        &["missing  the retrieval by every team", "so far   INVALID"],
    );
    office.finish(
        "now",
        "drills/1",
        2,
        &[
            "the drill is not complete",
            "the vendor's acknowledgement",
            "escalation level `support line`",
        ],
    );
    assert!(!office.at("drills/1").exists());
    office.retrieve("now", "run-a");
    office.tell("now");
    office.expect(
        &["status", "now", "--drills", "drills"],
        0,
        &["so far   PASSED"],
    );
    office.finish("now", "drills/1", 0, &["PASSED"]);
    office.finish("now", "drills/2", 2, &["sealed already, as `1`"]);

    // It waits for two people, and who sealed it is none of them, nor is one with two keys two.
    office.verify("drills/1", 5, &["0 of 2 signed it off", "HOLD"]);
    office.expect(
        &["sign", "drills/1", "--key", "keys/signer"],
        4,
        &["this key sealed the drill"],
    );
    office.sign_with_stock_tools("signer", "drills/1");
    office.expect(
        &["sign", "drills/1", "--key", "keys/ann"],
        0,
        &["signed off drill"],
    );
    office.sign_with_stock_tools("carl", "drills/1");
    office.verify(
        "drills/1",
        5,
        &["1 of 2 signed it off", "it is who sealed the drill"],
    );
    office.sign_with_stock_tools("eve", "drills/1");
    office.verify(
        "drills/1",
        5,
        &["1 of 2 signed it off", "SHA256SUMS.eve.sig"],
    );
    office.sign_with_stock_tools("bob", "drills/1");
    office.verify("drills/1", 0, &["PASSED", "signed off by bob"]);

    // Whose key may not seal drills, or sealed another one.
    let by = |signers: &str, words: &[&str]| {
        office.expect(
            &["verify", "drills/1", "--allowed-signers", signers],
            4,
            words,
        );
    };
    by("strangers", &["not acceptable: SHA256SUMS.sig"]);
    by("reports-only", &["not acceptable", "gonogo-drill@gonogo"]);
    let sealed = [
        "verify",
        "drills/1",
        "--allowed-signers",
        "sealers",
        "--environment",
        "staging",
    ];
    office.expect(&sealed, 4, &["environment is `production`"]);
    // No gate takes it for a run.
    let gate = office.lab.verify(&office.at("drills/1"));
    assert_eq!(gate.status.code(), Some(4), "{}", told(&gate));

    // As an auditor does it who has no gonogo.
    let dir = office.at("drills/1");
    let text = fs::read_to_string(dir.join("VERIFY.txt")).unwrap();
    let identity = text
        .lines()
        .find_map(|line| line.strip_prefix("Sealed by    "))
        .unwrap();
    let of = |heading: &str| commands(&text, heading, &office).replace(identity, "sealer");
    assert!(sh(&dir, &of("1. ")).contains("Good \"gonogo-drill@gonogo\" signature for sealer"));
    assert_eq!(sh(&dir, &of("2. ")), "");
    assert_eq!(sh(&dir, &of("3. ")), "");
    assert!(sh(&dir, &of("5. ").replace("NAME", "bob")).contains("for bob"));
    let last = sh(&dir, &of("6. ").replace("RUNNER", "sealer"));
    let digests: Vec<&str> = last
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|two| two.0)
        .collect();
    assert!(digests.len() == 2 && digests[0] == digests[1], "{last}");

    // A byte of any file, and a file more.
    for file in files(&dir) {
        let name = file.strip_prefix(&dir).unwrap().display().to_string();
        let bytes = fs::read(&file).unwrap();
        let mut changed = bytes.clone();
        let at = changed.len() / 2;
        changed[at] ^= 1;
        fs::write(&file, changed).unwrap();
        let is_sign_off = name.starts_with("SHA256SUMS.") && name != "SHA256SUMS.sig";
        match (is_sign_off, &*name) {
            (false, _) => office.verify("drills/1", 4, &["not acceptable"]),
            // One of ann's two keys is enough of her.
            (true, "SHA256SUMS.bob.sig") => office.verify("drills/1", 5, &["1 of 2"]),
            (true, _) => office.verify("drills/1", 0, &["PASSED"]),
        }
        fs::write(&file, bytes).unwrap();
    }
    office.write("drills/1/more", "x");
    office.verify("drills/1", 4, &["`more` is not listed"]);
    fs::remove_file(dir.join("more")).unwrap();
    office.verify("drills/1", 0, &["PASSED"]);

    // The inventory's own word is old; the sealed drill counts, and only behind its people.
    office.expect(
        &["due", "-i", "inventory.yaml"],
        1,
        &["60east  due by 2020-04-02, last on 2020-01-01, OVERDUE"],
    );
    let due = |people: &str, code, words: &[&str]| {
        let args = [
            "due",
            "-i",
            "inventory.yaml",
            "--drills",
            "drills",
            "--allowed-signers",
            "sealers",
            "--people",
            people,
            "--ics",
            "due.ics",
        ];
        office.expect(&args, code, words);
    };
    due("people", 0, &["60east  due by "]);
    let ics = fs::read_to_string(office.at("due.ics")).unwrap();
    assert!(
        ics.contains("UID:drill-60east-production@gonogo\r\n"),
        "{ics}"
    );
    due(
        "strangers",
        1,
        &[
            "OVERDUE",
            "`1` does not count: two people have not signed it off",
        ],
    );

    second(&office);
}

/// The next one answers for what the one before found.
fn second(office: &Office) {
    office.whole("next", "run-b");
    let again = ["--again", "the line was engaged"];
    let tried = now();
    let silent = ["escalation", "support line", "--tried", &tried];
    office.note("next", &silent, 2, &["it was told already"]);
    office.note("next", &[&silent[..], &again].concat(), 0, &["noted"]);
    office.expect(
        &["status", "next", "--drills", "drills"],
        1,
        &["`support line` did not answer", "FAILED"],
    );
    let finding = |owner: &str, due: &str, code, words: &[&str]| {
        let step = [
            "finding",
            "the number is dead",
            "--owner",
            owner,
            "--due",
            due,
            "--about",
            "escalation support line",
        ];
        office.note("next", &step, code, words)
    };
    finding("nobody", "2099-01-01", 2, &["neither a contact"]);
    finding("ben", "2020-01-01", 2, &["which is over"]);
    finding("ben", "2099-02-31", 2, &["cannot be told"]);
    let id = finding("ben", "2099-01-01", 0, &["noted"]);
    let id = id.lines().next().unwrap().to_owned();
    office.finish("next", "drills/2", 0, &["PASSED WITH FINDINGS", &id]);
    for who in ["ann", "bob"] {
        office.sign_with_stock_tools(who, "drills/2");
    }
    office.verify("drills/2", 0, &["PASSED WITH FINDINGS", &id]);
    sh(
        &office.at("drills/2"),
        "sha256sum --quiet --strict -c PREVIOUS.sha256",
    );

    office.whole("third", "run-c");
    let forgotten = format!("what became of finding `{id}` of the last drill");
    office.finish("third", "drills/3", 2, &[&forgotten]);
    office.note(
        "third",
        &["last", "0-9", "closed", "--reason", "x"],
        0,
        &["noted"],
    );
    office.finish(
        "third",
        "drills/3",
        2,
        &[&forgotten, "it has none of that id"],
    );
    // Sealed all the same, it is INVALID and counts for nothing.
    let args = [
        "finish",
        "third",
        "-o",
        "drills/3",
        "--key",
        "keys/signer",
        "--invalid",
    ];
    office.expect(&args, 1, &["INVALID", &forgotten]);
    office.verify("drills/3", 1, &["INVALID"]);
    // A folder without the drill that found it is no way around.
    fs::rename(office.at("drills/2"), office.at("aside")).unwrap();
    office.verify("drills/3", 4, &["no unbroken chain"]);
    fs::rename(office.at("aside"), office.at("drills/2")).unwrap();
    office.verify("drills/3", 1, &["INVALID"]);
}
