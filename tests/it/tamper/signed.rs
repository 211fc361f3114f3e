//! Runs that were put together again and signed: by a stranger, for another purpose, by a key whose time is
//! over, and by the very key that signs runs.

use super::kinds::{Row, row};
use super::*;

const FOREIGN: [bool; 3] = [false, true, true];
/// All signatures and digests are right.
const RIGHT: [bool; 3] = [true; 3];

/// With the verdict that its facts give.
fn fitted(room: &Room, dir: &Path) {
    judged(dir);
    signed(room, dir);
}

fn signed(room: &Room, dir: &Path) {
    room.seal_again(dir, "signer", REPORT, true);
}

fn no_go(room: &Room, dir: &Path, change: impl FnOnce(&mut Value)) {
    fs::remove_dir_all(dir).unwrap();
    copy(&room.no_go, dir);
    edit(dir, change);
    signed(room, dir);
}

fn window(room: &Room, name: &str, option: &str) {
    let line = fs::read_to_string(room.at("allowed_signers")).unwrap();
    let line = line.replace("namespaces=", &format!("{option},namespaces="));
    fs::write(room.at(name), line).unwrap();
}

/// The verdict that the facts give now.
fn judged(dir: &Path) {
    let report = gonogo::report::read(&fs::read(dir.join("report.json")).unwrap()).unwrap();
    let verdict = gonogo::report::judge(&report);
    edit(dir, |report| {
        report["verdict"] = serde_json::json!({
            "decision": verdict.decision.as_str(), "reasons": verdict.reasons,
        });
    });
}

/// Takes a check out with its evidence, its sums and its transcript.
fn without(dir: &Path) {
    let mut gone = String::new();
    edit(dir, |report| {
        let check = report["checks"].as_array_mut().unwrap().remove(3);
        gone = check["transcript"].as_str().unwrap().to_owned();
        report["counts"]["planned"] = 3.into();
        report["counts"]["passed"] = 3.into();
    });
    fs::remove_file(dir.join(gone)).unwrap();
}

pub(super) fn rows() -> Vec<Row> {
    let with = |row: Row, more| Row { more, ..row };
    vec![
        row(
            "signed again by a key that nobody allowed, under the same name",
            "SHA256SUMS.sig: key SHA256:",
            FOREIGN,
            |room, dir| room.seal_again(dir, "eve", REPORT, true),
        ),
        row(
            "signed by the right key for another purpose",
            "SHA256SUMS.sig: the signature is for namespace `file`, not `gonogo-report@gonogo`",
            FOREIGN,
            |room, dir| room.seal_again(dir, "signer", "file", true),
        ),
        row(
            "an approval put in the place of the signature",
            "SHA256SUMS.sig: the signature is for namespace `gonogo-approval@gonogo`",
            FOREIGN,
            |room, dir| room.sign(dir, "signer", "gonogo-approval@gonogo"),
        ),
        row(
            "the attestation signed by another key",
            "report.intoto.jsonl: the envelope was signed by key",
            RIGHT,
            |room, dir| {
                room.seal_again(dir, "eve", REPORT, true);
                let theirs = fs::read(dir.join("report.intoto.jsonl")).unwrap();
                signed(room, dir);
                fs::write(dir.join("report.intoto.jsonl"), theirs).unwrap();
            },
        ),
        with(
            row(
                "nothing, but the key was retired (`valid-before`)",
                "the key is not valid at",
                FOREIGN,
                |room, _| window(room, "retired", "valid-before=\"20200101Z\""),
            ),
            &["--allowed-signers", "retired"],
        ),
        with(
            row(
                "nothing, but the key is not valid yet (`valid-after`)",
                "the key is not valid at",
                FOREIGN,
                |room, _| window(room, "early", "valid-after=\"21000101Z\""),
            ),
            &["--allowed-signers", "early"],
        ),
        with(
            row(
                "nothing, but the key was revoked (KRL)",
                "SHA256SUMS.sig: revoked: the key",
                FOREIGN,
                |room, _| {
                    let made = Command::new("ssh-keygen")
                        .args(["-q", "-k", "-f", "revoked", "keys/signer.pub"])
                        .current_dir(room.lab.operator())
                        .output()
                        .unwrap();
                    assert!(made.status.success(), "{made:?}");
                },
            ),
            &["--revoked", "revoked"],
        ),
        row(
            "by the right key: a NO-GO told as GO",
            "the recorded verdict is GO, the recorded facts give NO-GO",
            RIGHT,
            |room, dir| {
                no_go(room, dir, |report| {
                    report["verdict"]["decision"] = "GO".into();
                    report["verdict"]["reasons"] = Vec::<Value>::new().into();
                });
            },
        ),
        row(
            "by the right key: other sums",
            "the recorded facts give NO-GO",
            RIGHT,
            |room, dir| {
                edit(dir, |report| report["counts"]["planned"] = 5.into());
                signed(room, dir);
            },
        ),
        row(
            "by the right key: a failed check told as passed, with all its steps, sums and the verdict",
            "a step passed that its evidence does not bear out",
            RIGHT,
            |room, dir| {
                no_go(room, dir, |report| {
                    let text = report.to_string().replace("\"failed\"", "\"passed\"");
                    *report = serde_json::from_str(&text).unwrap();
                    let checks = report["checks"].as_array_mut().unwrap();
                    for check in checks {
                        check.as_object_mut().unwrap().remove("failure");
                    }
                    report["counts"] = serde_json::json!({"planned": 4, "passed": 4, "failed": 0, "waived": 0, "pending": 0});
                    report["verdict"] = serde_json::json!({"decision": "GO", "reasons": []});
                });
            },
        ),
        row(
            "by the right key: a check taken out with its evidence and its sums",
            "its inputs plan 4 checks, it tells 3",
            RIGHT,
            |room, dir| {
                without(dir);
                fitted(room, dir);
            },
        ),
        row(
            "by the right key: a check taken out, and its scenario from the feature that the run keeps",
            "no check retrieves the statistics of instance `orders` as team `operations`",
            RIGHT,
            |room, dir| {
                without(dir);
                let path = dir.join("inputs/features/support.feature");
                let feature = fs::read_to_string(&path).unwrap();
                let (kept, _) = feature.split_once("  Scenario: statistics").unwrap();
                fs::write(&path, kept).unwrap();
                let digest = Sha256::of(kept.as_bytes()).to_string();
                edit(dir, |report| {
                    let inputs = report["inputs"].as_array_mut().unwrap();
                    let feature = inputs
                        .iter_mut()
                        .find(|input| input["path"] == "inputs/features/support.feature");
                    feature.unwrap()["sha256"] = digest.into();
                });
                fitted(room, dir);
            },
        ),
        row(
            "by the right key: a waiver written into the record",
            "no input of the run grants its waiver",
            RIGHT,
            |room, dir| {
                no_go(room, dir, |report| {
                    let failed = report["checks"].as_array_mut().unwrap();
                    let check = failed
                        .iter_mut()
                        .find(|check| check["outcome"] == "failed")
                        .unwrap();
                    check["outcome"] = "waived".into();
                    check["waiver"] = serde_json::json!({
                        "id": "W-1", "reason": "x", "requester": "ann", "approver": "bob",
                        "ticket": "OPS-1", "from": "2001-01-01T00:00:00Z", "expires": "2099-01-01T00:00:00Z",
                    });
                    report["counts"]["failed"] = 0.into();
                    report["counts"]["waived"] = 1.into();
                });
                fitted(room, dir);
            },
        ),
        row(
            "by the right key: a transcript dropped from manifest and directory",
            "incomplete: transcript",
            RIGHT,
            |room, dir| {
                fs::remove_file(dir.join(transcript(dir))).unwrap();
                signed(room, dir);
            },
        ),
        row(
            "by the right key: a file added",
            "incomplete: `evidence/more.txt` is not named by the report",
            RIGHT,
            |room, dir| {
                fs::write(dir.join("evidence/more.txt"), "x").unwrap();
                signed(room, dir);
            },
        ),
        row(
            "by the right key: another page",
            "incomplete: `report.html` is not what report.json renders to",
            RIGHT,
            |room, dir| {
                fs::write(dir.join("report.html"), "<h1>GO</h1>").unwrap();
                room.seal_again(dir, "signer", REPORT, false);
            },
        ),
        row(
            "by the right key: an input that is not the recorded one",
            "incomplete: input `inputs/inventory.yaml` is not the one recorded",
            RIGHT,
            |room, dir| {
                let path = dir.join("inputs/inventory.yaml");
                let text = fs::read_to_string(&path).unwrap() + "# edited\n";
                fs::write(path, text).unwrap();
                signed(room, dir);
            },
        ),
        with(
            row(
                "by the right key: an input changed with its digest",
                "wrong binding: the run used another inventory",
                RIGHT,
                |room, dir| {
                    let path = dir.join("inputs/inventory.yaml");
                    let text = fs::read_to_string(&path).unwrap() + "# edited\n";
                    fs::write(path, &text).unwrap();
                    let digest = Sha256::of(text.as_bytes()).to_string();
                    edit(dir, |report| {
                        let inputs = report["inputs"].as_array_mut().unwrap();
                        let inventory = inputs
                            .iter_mut()
                            .find(|input| input["path"] == "inputs/inventory.yaml");
                        inventory.unwrap()["sha256"] = digest.into();
                    });
                    signed(room, dir);
                    // The one that is to go live, as the run had it.
                    fs::copy(room.go.join("inputs/inventory.yaml"), room.at("live.yaml")).unwrap();
                },
            ),
            &["--inventory", "live.yaml"],
        ),
        row(
            "by the right key: dated ahead, to stay fresh",
            "incomplete: the run is told to have finished long after its last check",
            RIGHT,
            |room, dir| {
                edit(dir, |report| {
                    report["run"]["finished"] = "2099-01-01T00:00:00Z".into()
                });
                signed(room, dir);
            },
        ),
        row(
            "by the right key: a version of gonogo that never was",
            "made by gonogo `0.0.9`, which is no version that this one knows",
            RIGHT,
            |room, dir| {
                edit(dir, |report| {
                    report["run"]["tool"]["version"] = "0.0.9".into()
                });
                signed(room, dir);
            },
        ),
        row(
            "by the right key: a key in the record that no gonogo knows",
            "report.json: ",
            RIGHT,
            |room, dir| {
                edit(dir, |report| report["run"]["approved"] = true.into());
                room.seal_again(dir, "signer", REPORT, false);
            },
        ),
        row(
            "by the right key: the verdict twice in the record",
            "report.json: ",
            RIGHT,
            |room, dir| {
                let path = dir.join("report.json");
                let text = fs::read_to_string(&path).unwrap();
                fs::write(
                    &path,
                    text.replacen('{', "{\"verdict\":{\"decision\":\"GO\",\"reasons\":[]},", 1),
                )
                .unwrap();
                room.seal_again(dir, "signer", REPORT, false);
            },
        ),
    ]
}

/// Put together again as it is, it is the same run: what refuses the others is what was changed in them.
#[test]
fn the_benign_twin_of_what_was_signed_again() {
    let room = Room::new();
    let dir = room.copy(&room.go);
    edit(&dir, |_| ());
    signed(&room, &dir);
    let (code, told) = room.verify(&dir, &[]);
    assert_eq!(code, 0, "{told}");
    let dir = room.copy(&room.go);
    no_go(&room, &dir, |_| ());
    let (code, told) = room.verify(&dir, &[]);
    assert_eq!(code, 1, "{told}");
}

/// An older GO under the newer one's name: nothing in it was changed, and only the history knows.
#[test]
fn an_older_run_under_the_name_of_a_newer_one() {
    let room = Room::new();
    let runs = room.at("runs");
    fs::create_dir(&runs).unwrap();
    let add = |name: &str, code: i32| {
        let out = format!("runs/{name}");
        let args = room.lab.run_args(&out);
        let done = room.lab.run(&[&args[..], &["--history", "runs"]].concat());
        assert_eq!(done.status.code(), Some(code), "{done:?}");
    };
    let healthy = fs::read_to_string(room.go.join("inputs/inventory.yaml")).unwrap();
    let now = fs::read_to_string(room.at("inventory.yaml")).unwrap();
    fs::write(room.at("inventory.yaml"), healthy).unwrap();
    add("1", 0);
    fs::write(room.at("inventory.yaml"), now).unwrap();
    add("2", 1);
    let newer = runs.join("2");
    assert_eq!(room.verify(&newer, &["--history", "runs"]).0, 1);
    fs::rename(&newer, room.at("away")).unwrap();
    copy(&runs.join("1"), &newer);
    let (code, told) = room.verify(&newer, &["--history", "runs"]);
    assert_eq!(code, 4, "{told}");
    assert!(
        told.contains("history: it is not one chain of runs: `1` and `2` are the same run"),
        "{told}"
    );
    // Beside the true one under another name.
    fs::remove_dir_all(&newer).unwrap();
    fs::rename(room.at("away"), &newer).unwrap();
    let (code, told) = room.verify(&runs.join("1"), &["--history", "runs"]);
    assert_eq!(code, 4, "{told}");
    assert!(told.contains("superseded: `2` came after it"), "{told}");
}
