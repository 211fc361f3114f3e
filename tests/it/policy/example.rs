//! The shipped example: read, told in plain words, and a GO of the practice estate holds to each of its demands;
//! with any one of them made harder it is none.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::lab::GONOGO;
use crate::people::expect;

fn gonogo(dir: &Path, args: &[&str]) -> Output {
    let output = Command::new(GONOGO).args(args).current_dir(dir).output();
    output.unwrap()
}

#[test]
fn the_shipped_example_holds_for_the_practice_estate() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path();
    let made = gonogo(dir, &["demo", "--out", "run"]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventories/policy.yaml");
    let example = fs::read_to_string(shipped).unwrap();
    let verify = |policy: &str| {
        fs::write(dir.join("policy.yaml"), policy).unwrap();
        let args = ["verify", "run", "--allowed-signers", "run.allowed_signers"];
        gonogo(dir, &[&args[..], &["--policy", "policy.yaml"]].concat())
    };
    expect(&verify(&example), 0, &["policy       sha256:", "\nGO\n"]);
    expect(
        &gonogo(dir, &["policy", "policy.yaml"]),
        0,
        &["- no check is waived"],
    );
    for (from, to, code, word) in [
        (
            "environment: practice",
            "environment: production",
            4,
            "not `production`",
        ),
        ("max_age: 24h", "max_age: 1ms", 4, "stale"),
        (
            "[demo@gonogo]",
            "[ci@ops.example]",
            4,
            "the policy permits ci@ops.example",
        ),
        ("oldest: 0.4.0", "oldest: 9.0.0", 4, "9.0.0 and later"),
        (
            "\"@artifact:log\"",
            "\"@artifact:core\"",
            1,
            "no check has tag `@artifact:core`",
        ),
        (
            "orders, ",
            "order, ",
            1,
            "no check is about instance `order`",
        ),
        ("ny4-1, ", "ny4-9, ", 1, "no check is about host `ny4-9`"),
        (
            "[operations, ",
            "[operators, ",
            1,
            "no check is of team `operators`",
        ),
        ("at_least: 7", "at_least: 8", 1, "7 checks of scenario"),
        (
            "name: statistics",
            "name: trades",
            1,
            "no check retrieved `trades`",
        ),
    ] {
        assert!(example.contains(from), "{from}");
        expect(&verify(&example.replacen(from, to, 1)), code, &[word]);
    }
}
