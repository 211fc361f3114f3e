//! `gonogo case split`: parts that the receiver joins with the two lines that come along.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use serde_json::json;

use super::{deliver, ends, names, office};
use crate::lab::Lab;

fn split(lab: &Lab, more: &[&str]) -> Output {
    let args = ["case", "split", "b.tar.zst", "-o", "parts", "--any-file"];
    lab.run(&[&args[..], more].concat())
}

/// Does what JOIN.txt says, in a shell.
fn join(lab: &Lab) -> Output {
    let folder = lab.path("operator/parts");
    let page = fs::read_to_string(folder.join("b.tar.zst.JOIN.txt")).unwrap();
    let lines: Vec<&str> = page.lines().filter(|line| line.starts_with("  ")).collect();
    assert_eq!(lines.len(), 3, "{page}");
    let script = lines.join("\n");
    let mut command = Command::new("sh");
    command.args(["-e", "-c", &script]).current_dir(folder);
    command.output().unwrap()
}

#[test]
fn parts_joined_are_the_whole_and_a_changed_one_is_found() {
    let lab = Lab::new();
    office(&lab, &json!([]), 700_001);
    ends(
        &split(&lab, &["--max-bytes", "100KiB"]),
        0,
        &["b.part-001-of-007.tar.zst", "the whole has SHA-256"],
    );
    let folder = lab.path("operator/parts");
    assert_eq!(names(&folder).len(), 9);
    for name in names(&folder) {
        let found = fs::metadata(folder.join(name)).unwrap();
        assert!(found.len() <= 102_400);
        // As the bundle itself: what is in it is for one pair of eyes.
        assert_eq!(found.permissions().mode() & 0o777, 0o600);
    }
    let joined = join(&lab);
    assert!(joined.status.success(), "{joined:?}");
    let whole = fs::read(lab.path("operator/b.tar.zst")).unwrap();
    assert!(fs::read(folder.join("b.tar.zst")).unwrap() == whole);

    let part = folder.join("b.part-004-of-007.tar.zst");
    let mut bytes = fs::read(&part).unwrap();
    bytes[17] ^= 1;
    fs::write(&part, bytes).unwrap();
    assert!(!join(&lab).status.success());
    fs::remove_file(part).unwrap();
    assert!(!join(&lab).status.success());
    ends(
        &split(&lab, &["--max-bytes", "1MB"]),
        2,
        &["needs no parts of"],
    );
    ends(
        &split(&lab, &["--max-bytes", "100KiB"]),
        2,
        &["`parts` exists already"],
    );
}

#[test]
fn the_limit_is_the_intakes_or_told_and_sensible() {
    let lab = Lab::new();
    let drop_box = |more: &str| {
        let mut intake = json!({
            "kind": "sftp", "host": "127.0.0.1", "port": 9, "user": "bank", "extensions": [".tar.zst"],
            "host_key": format!("SHA256:{}", "A".repeat(43)), "key": "k", "name": "{case}.tar.zst",
        });
        if !more.is_empty() {
            intake["max_bytes"] = json!(more);
        }
        office(&lab, &json!([intake]), 700_001);
    };
    let by_vendor = ["--vendor", "acme", "-i", "vendors.yaml"];
    drop_box("");
    ends(&split(&lab, &by_vendor), 2, &["has no `max_bytes`"]);
    ends(&split(&lab, &[]), 2, &["required"]);
    ends(&split(&lab, &["--max-bytes", "0"]), 2, &[]);
    ends(
        &split(&lab, &["--max-bytes", "10"]),
        2,
        &["would have 70001 parts"],
    );
    ends(
        &lab.run(&["case", "split", "gone", "-o", "parts", "--max-bytes", "10"]),
        2,
        &["No such file"],
    );
    ends(
        &lab.run(&["case", "split", "keys", "-o", "parts", "--max-bytes", "10"]),
        2,
        &["no regular file"],
    );
    assert!(!lab.path("operator/parts").exists());
    drop_box("300KiB");
    ends(&deliver(&lab, &["--case", "17"]), 2, &["gonogo case split"]);
    ends(&split(&lab, &by_vendor), 0, &["b.part-003-of-003.tar.zst"]);
    // Each part may go, under a name of its own.
    for number in 1..=3 {
        let part = format!("parts/b.part-00{number}-of-003.tar.zst");
        let args = [
            "case",
            "deliver",
            &part,
            "--any-file",
            "-i",
            "vendors.yaml",
            "--vendor",
            "acme",
            "--case",
            "17",
        ];
        let name = format!("/17.part-00{number}-of-003.tar.zst");
        ends(&lab.run(&args), 0, &["would send", &name]);
    }
}
