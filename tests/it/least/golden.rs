//! The texts with backslashes in them, letter by letter: golden cases of the command line take a backslash
//! for a slash.

use std::path::Path;
use std::process::Command;

use crate::lab::GONOGO;

#[track_caller]
fn prints(args: &[&str], golden: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(GONOGO)
        .args(["plan", "-i", "inventory.yaml", "features"])
        .args(args)
        .current_dir(root.join("tests/cmd/plan-grants.in"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let file = root.join("tests/it/least").join(golden);
    // The plan's digest is of another test's concern.
    let digest = regex::Regex::new("plan [0-9a-f]{64}").unwrap();
    let printed = digest.replace(&printed, "plan DIGEST");
    // Nor the words of the frame, which are the transport's.
    let frame = regex::Regex::new("(?m)^(head|tail)=\".*\"$").unwrap();
    let printed = frame.replace_all(&printed, "$1=FRAME").into_owned();
    if std::env::var_os("TRYCMD").is_some_and(|word| word == "overwrite") {
        std::fs::write(&file, &printed).unwrap();
    }
    assert_eq!(printed, std::fs::read_to_string(&file).unwrap());
}

#[test]
fn sudoers_letter_by_letter() {
    prints(
        &["--sudoers", "operations", "--host", "ny4-1"],
        "golden.sudoers",
    );
}

#[test]
fn the_script_letter_by_letter() {
    prints(
        &["--forced-command", "operations", "--host", "ny4-1"],
        "golden.sh",
    );
}
