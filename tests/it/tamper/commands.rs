//! What the other commands do with a run that was changed: none tells it as verified, and none builds on it.

use super::*;

#[test]
fn no_other_command_presents_a_changed_run_as_verified() {
    let room = Room::new();
    let dir = room.copy(&room.no_go);
    // The NO-GO painted over, as a page of it would be.
    let report = fs::read_to_string(dir.join("report.json")).unwrap();
    let painted = report.replace("\"outcome\": \"failed\"", "\"outcome\": \"passed\"");
    let painted = painted.replace("\"NO-GO\"", "\"GO\"");
    assert_ne!(painted, report);
    fs::write(dir.join("report.json"), painted).unwrap();
    let dir = dir.to_str().unwrap();
    let whole = room.no_go.to_str().unwrap();
    let signers = ["--allowed-signers", "allowed_signers"];

    for format in ["text", "markdown", "html", "junit", "json", "oscal"] {
        let shown = room.lab.run(&["show", dir, "--format", format]);
        let words = told(&shown);
        // OSCAL refuses what no scenario maps to a control.
        let is_told = words.contains("not verified: `gonogo verify` proves");
        assert!(
            is_told || shown.status.code() == Some(2),
            "{format}: {words}"
        );
    }

    let diff =
        |old: &str, new: &str, more: &[&str]| room.lab.run(&[&["diff", old, new], more].concat());
    let go = room.go.to_str().unwrap();
    let unproven = diff(go, dir, &[]);
    assert!(
        told(&unproven).contains("not verified: nobody was asked"),
        "{unproven:?}"
    );
    for (old, new) in [(go, dir), (dir, go)] {
        let refused = diff(old, new, &signers);
        assert_eq!(refused.status.code(), Some(4), "{refused:?}");
        let words = told(&refused);
        assert!(
            words.contains("`report.json` was changed after signing"),
            "{words}"
        );
    }
    // The benign twin.
    assert_eq!(diff(go, whole, &signers).status.code(), Some(1));

    let folder = room.at("folder");
    fs::create_dir(&folder).unwrap();
    copy(Path::new(dir), &folder.join("run"));
    let history = room
        .lab
        .run(&[&["history", "folder"], &signers[..]].concat());
    assert_eq!(history.status.code(), Some(4), "{history:?}");
    let words = told(&history);
    assert!(
        words.contains("`run` cannot be counted: `report.json` was changed"),
        "{words}"
    );

    let inventory = fs::read_to_string(room.at("inventory.yaml")).unwrap();
    for name in ["--rerun-failed", "--previous"] {
        let args = room.lab.run_args("never");
        let refused = room.lab.run(&[&args[..], &[name, dir]].concat());
        assert_eq!(refused.status.code(), Some(2), "{name}: {refused:?}");
        let words = told(&refused);
        assert!(
            words.contains("report.json` was changed"),
            "{name}: {words}"
        );
        assert!(!room.at("never").exists(), "{inventory}");
    }

    let approved = room.lab.run(&["approve", dir, "--key", "keys/eve"]);
    assert_eq!(approved.status.code(), Some(4), "{approved:?}");
    assert!(told(&approved).contains("report.json"), "{approved:?}");
    let left = files(Path::new(dir));
    assert!(
        left.iter()
            .all(|name| !name.contains("eve") && !name.contains("lab")),
        "{left:?}"
    );
}
