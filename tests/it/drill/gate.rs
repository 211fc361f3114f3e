//! `verify --drills`, and `drill:` of a policy: a gate that demands a rehearsal, and what does not do for one.

use std::fs;
use std::process::Output;

use jiff::{SignedDuration, Timestamp};

use super::{Office, told};

impl Office {
    fn gate(&self, more: &[&str]) -> Output {
        let args = ["verify", "run-go", "--allowed-signers", "sealers"];
        self.lab.run(&[&args[..], more].concat())
    }

    #[track_caller]
    fn gated(&self, more: &[&str], code: i32, words: &[&str]) {
        let output = self.gate(more);
        let told = told(&output);
        assert_eq!(output.status.code(), Some(code), "{more:?}: {told}");
        for word in words {
            assert!(told.contains(word), "{more:?}: not told `{word}`: {told}");
        }
    }

    /// A drill that passed, not signed off yet.
    fn drilled(&self, dir: &str, run: &str, out: &str) {
        self.whole(dir, run);
        self.finish(dir, out, 0, &["PASSED"]);
    }

    fn sign_off(&self, drill: &str) {
        for who in ["ann", "bob"] {
            self.sign_with_stock_tools(who, drill);
        }
    }
}

const ASKED: [&str; 4] = ["--drills", "drills", "--drill-people", "people"];

#[test]
fn a_gate_demands_a_drill() {
    let office = Office::new();
    let run = office.lab.run(&office.lab.run_args("run-go"));
    assert_eq!(run.status.code(), Some(0), "{}", super::told(&run));
    let with = |more: &[&'static str]| [&ASKED[..], more].concat();
    // Not asked, it is not asked for.
    office.gated(&[], 0, &["GO"]);
    let none = "drill with `60east` in `production`: there is none";
    office.gated(&ASKED, 1, &["NO-GO", none]);
    office.drilled("now", "run-a", "drills/1");
    let unsigned = "`1` does not count: two people have not signed it off";
    office.gated(&ASKED, 1, &["NO-GO", unsigned]);
    office.sign_with_stock_tools("ann", "drills/1");
    office.gated(&ASKED, 1, &["NO-GO", unsigned]);
    office.sign_with_stock_tools("bob", "drills/1");
    office.gated(&ASKED, 0, &["GO"]);
    office.gated(&with(&["--drill-within", "1h"]), 0, &["GO"]);
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    let late = "`1`, the newest that counts, began on ";
    office.gated(
        &with(&["--drill-within", "1s"]),
        1,
        &["NO-GO", late, "at most 1s since then"],
    );
    // With another vendor, and of another environment.
    office.gated(&with(&["--drill-vendor", "60east"]), 0, &["GO"]);
    let other = "drill with `echo` in `production`: there is none";
    office.gated(
        &with(&["--drill-vendor", "60east", "--drill-vendor", "echo"]),
        1,
        &[other],
    );
    // By people and keys that do not count.
    let strangers = ["--drills", "drills", "--drill-people", "strangers"];
    office.gated(&strangers, 1, &[unsigned]);
    let bob = fs::read_to_string(office.at("keys/bob.pub")).unwrap();
    office.write("revoked", &bob);
    office.gated(&with(&["--revoked", "revoked"]), 1, &[unsigned]);
    // What is asked by halves is no demand that was met.
    office.gated(&["--drills", "drills"], 2, &["--drill-people FILE"]);
    office.gated(&["--drill-people", "people"], 2, &["--drills FOLDER"]);
    office.gated(&["--drill-within", "92d"], 2, &["--drills FOLDER"]);
    let nowhere = ["--drills", "nowhere", "--drill-people", "people"];
    office.gated(&nowhere, 2, &["there is no folder `nowhere`"]);

    // A newer one that went wrong: the older counts, and its reader is told.
    office.begin("wrong");
    let args = [
        "finish",
        "wrong",
        "-o",
        "drills/2",
        "--key",
        "keys/signer",
        "--invalid",
    ];
    office.expect(&args, 1, &["INVALID"]);
    office.gated(&ASKED, 0, &["GO", "`2` does not count: it is INVALID"]);
    // A byte of the one that counted, and a chain with a hole.
    let file = office.at("drills/1/inputs/inventory.yaml");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, [&bytes[..], b"\n"].concat()).unwrap();
    office.gated(&ASKED, 1, &["NO-GO", "`1` does not count"]);
    fs::write(&file, bytes).unwrap();
    office.gated(&ASKED, 0, &["GO"]);
    fs::rename(office.at("drills/1"), office.at("aside")).unwrap();
    office.gated(&ASKED, 1, &["NO-GO", "no unbroken chain"]);
    fs::rename(office.at("aside"), office.at("drills/1")).unwrap();

    // Another environment than the drill's; and in JSON.
    office.inventory(|inventory| inventory["environment"] = serde_json::json!("staging"));
    let run = office.lab.run(&office.lab.run_args("run-staging"));
    assert_eq!(run.status.code(), Some(0), "{}", super::told(&run));
    let args = [
        "verify",
        "run-staging",
        "--allowed-signers",
        "sealers",
        "--format",
        "json",
    ];
    let gate = office.lab.run(&[&args[..], &ASKED].concat());
    assert_eq!(gate.status.code(), Some(1), "{}", super::told(&gate));
    let gate: serde_json::Value = serde_json::from_slice(&gate.stdout).unwrap();
    assert_eq!(gate["verdict"], "NO-GO");
    assert!(
        gate["reasons"]
            .to_string()
            .contains("`staging`: there is none"),
        "{gate}"
    );
    // An inventory without vendors has nobody to drill with.
    office.inventory(|inventory| drop(inventory.as_object_mut().unwrap().remove("vendors")));
    let run = office.lab.run(&office.lab.run_args("run-alone"));
    assert_eq!(run.status.code(), Some(0), "{}", super::told(&run));
    let gate = office.lab.run(
        &[
            &["verify", "run-alone", "--allowed-signers", "sealers"],
            &ASKED[..],
        ]
        .concat(),
    );
    assert_eq!(gate.status.code(), Some(1), "{}", super::told(&gate));
    assert!(super::told(&gate).contains("has no vendor"));
}

#[test]
fn a_policy_demands_a_drill() {
    let office = Office::new();
    let run = office.lab.run(&office.lab.run_args("run-go"));
    assert_eq!(run.status.code(), Some(0), "{}", super::told(&run));
    let policy = |drill: &str| {
        let text = format!("environment: production\nmax_age: 24h\n{drill}");
        office.write("policy.yaml", &text);
    };
    let ruled = |more: &[&str], code, words: &[&str]| {
        office.gated(&[&["--policy", "policy.yaml"], more].concat(), code, words);
    };
    policy("");
    ruled(&[], 0, &["GO"]);
    policy("drill: {within: 92d, folder: drills, people: people}\n");
    let none = "drill with `60east` in `production`: there is none";
    ruled(&[], 1, &["NO-GO", none]);
    let said = office.lab.run(&["policy", "policy.yaml"]);
    let said = super::told(&said);
    assert!(
        said.contains("with each vendor of the run's inventory a drill"),
        "{said}"
    );
    office.drilled("now", "run-a", "drills/1");
    office.sign_off("drills/1");
    ruled(&[], 0, &["GO"]);
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    // The stricter holds: no flag makes it longer, or leaves a vendor out.
    ruled(&["--drill-within", "1s"], 1, &["NO-GO", "at most 1s"]);
    policy("drill: {within: 1s, folder: drills, people: people}\n");
    ruled(&["--drill-within", "92d"], 1, &["NO-GO", "at most 1s"]);
    policy("drill: {within: 92d, folder: drills, people: people, vendors: [60east, echo]}\n");
    ruled(&["--drill-vendor", "60east"], 1, &["drill with `echo`"]);
    policy("drill: {within: 92d, vendors: [60east]}\n");
    ruled(
        &[],
        2,
        &[
            "policy.yaml:3:8",
            "no --drills FOLDER is given",
            "no --drill-people FILE is given",
        ],
    );
    ruled(&ASKED, 0, &["GO"]);
    // Two folders, two files of people.
    fs::create_dir(office.at("empty")).unwrap();
    policy("drill: {within: 92d, folder: empty, people: strangers}\n");
    ruled(
        &ASKED,
        2,
        &["`drill` and --drills", "`drill` and --drill-people"],
    );
    policy("drill: {within: 92d, folder: nowhere, people: nobody}\n");
    ruled(&[], 2, &["nowhere", "nobody"]);
    for (drill, word) in [
        ("drill: {}", "`drill` demands nothing"),
        ("drill: {folder: drills}", "within"),
        ("drill: {within: soon}", "within"),
        (
            "drill: {within: 92d, vendors: []}",
            "`vendors` demands nothing",
        ),
        (
            "drill: {within: 92d, vendor: 60east}",
            "did you mean `vendors`",
        ),
    ] {
        policy(&format!("{drill}\n"));
        ruled(&ASKED, 2, &[word]);
    }

    // What is open behind its day is told, and stops nobody: the next drill asks for it.
    policy("drill: {within: 92d, folder: drills, people: people}\n");
    office.whole("next", "run-b");
    let today = (Timestamp::now() - SignedDuration::from_hours(12)).strftime("%Y-%m-%d");
    let today = today.to_string();
    let finding = [
        "finding",
        "the menu is new",
        "--owner",
        "ben",
        "--due",
        &today,
    ];
    office.note("next", &finding, 0, &["noted"]);
    office.finish("next", "drills/2", 0, &["PASSED WITH FINDINGS"]);
    office.sign_off("drills/2");
    ruled(&[], 0, &["GO"]);
}
