//! `show` renders a run again in five formats, the same bytes as were signed, and says that it proves
//! nothing.

use std::fs;

use crate::lab::Lab;

#[test]
fn five_formats_of_one_run() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    orders.lock("config/config.xml");
    let run = lab.judge();
    let dir = run.dir.to_str().unwrap();
    let show = |format: &str| {
        let shown = lab.run(&["show", dir, "--format", format]);
        assert_eq!(shown.status.code(), Some(0), "{shown:?}");
        let told = String::from_utf8_lossy(&shown.stderr).into_owned();
        assert!(told.contains("not verified"), "{told}");
        String::from_utf8(shown.stdout).unwrap()
    };
    for (format, file) in [
        ("json", "report.json"),
        ("html", "report.html"),
        ("junit", "junit.xml"),
        ("markdown", "summary.md"),
    ] {
        let written = fs::read_to_string(run.dir.join(file)).unwrap();
        assert!(show(format) == written, "{format} is not {file}");
    }
    let text = show("text");
    assert_eq!(text.lines().last(), Some("NO-GO"), "{text}");
    assert!(text.contains("denied") && text.contains("config.xml"));
    assert_eq!(text.as_bytes(), lab.run(&["show", dir]).stdout);

    let junit = show("junit");
    let junit = roxmltree::Document::parse(&junit).unwrap();
    let count = |name| junit.descendants().filter(|n| n.has_tag_name(name)).count();
    assert!(count("testcase") >= 4 && count("failure") >= 1);
    assert!(show("html").starts_with("<!DOCTYPE html>"));
    assert!(show("markdown").starts_with("# NO-GO"));
}

#[test]
fn what_is_no_run_is_refused() {
    let lab = Lab::new();
    let shown = lab.run(&["show", "nothing"]);
    assert_eq!(shown.status.code(), Some(2), "{shown:?}");
    let dir = lab.path("operator/run");
    fs::create_dir(&dir).unwrap();
    for broken in [
        "",
        "{}",
        "{\"schema\": \"gonogo/report/v9\"}",
        "[]",
        "\u{0}",
    ] {
        fs::write(dir.join("report.json"), broken).unwrap();
        let shown = lab.run(&["show", "run"]);
        assert_eq!(shown.status.code(), Some(2), "{shown:?}");
        assert!(shown.stdout.is_empty(), "{shown:?}");
        let told = String::from_utf8_lossy(&shown.stderr).into_owned();
        assert!(told.contains("report.json"), "{told}");
    }
}

fn golden(name: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("tests/golden").join(name);
    path.to_str().unwrap().to_owned()
}

fn shown(args: &[&str]) -> (Option<i32>, String, String) {
    let output = std::process::Command::new(crate::lab::GONOGO)
        .arg("show")
        .args(args)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Other people's readers of these are in tests/pypi.
#[test]
fn three_formats_for_others_prove_nothing_and_say_so() {
    for run in ["go", "no-go", "go-0.2", "no-go-0.3"] {
        for format in ["sigstore", "oscal", "messages"] {
            let (code, out, told) = shown(&[&golden(run), "--format", format]);
            assert_eq!(code, Some(0), "{run} as {format}: {told}");
            assert!(told.contains("not verified"), "{told}");
            assert!(!told.contains("left out"), "{told}");
            for line in out.lines().filter(|_| format != "oscal") {
                serde_json::from_str::<serde_json::Value>(line).unwrap();
            }
        }
    }
}

/// A copy of a golden run, for changes.
fn copied(name: &str) -> assert_fs::TempDir {
    use assert_fs::fixture::PathCopy as _;
    let place = assert_fs::TempDir::new().unwrap();
    place.copy_from(golden(name), &["**/*"]).unwrap();
    place
}

#[test]
fn what_a_format_cannot_tell_is_refused() {
    let place = copied("go");
    let run = place.path().to_str().unwrap();
    let refused = |args: &[&str], word: &str| {
        let (code, out, told) = shown(&[&[run], args].concat());
        assert_eq!(code, Some(2), "{told}");
        assert!(out.is_empty() && told.contains(word), "{told}");
    };
    let mapping = place.path().join("controls.yaml");
    let mapping = mapping.to_str().unwrap();
    let oscal = ["--format", "oscal", "--controls", mapping];
    refused(&oscal, "cannot read the controls");
    fs::write(
        mapping,
        "catalogs: {nist: {titel: N}}\ntags: {\"@a\": [x/1]}",
    )
    .unwrap();
    refused(&oscal, "controls.yaml:1:");
    fs::write(
        mapping,
        "catalogs: {nist: {title: N}}\ntags: {\"@a\": [nist/ac-1]}",
    )
    .unwrap();
    refused(&oscal, "no check has a tag that stands for a control");
    refused(&["--controls", mapping], "for OSCAL alone");
    // A feature that is not the one that was run.
    let feature = place.path().join("inputs/features/amps.feature");
    fs::write(&feature, "Feature: another\n").unwrap();
    refused(
        &["--format", "messages"],
        "is not the one that the report names",
    );
    fs::remove_file(&feature).unwrap();
    refused(&["--format", "messages"], "cannot be read");
    let attestation = place.path().join("report.intoto.jsonl");
    let line = fs::read_to_string(&attestation).unwrap();
    fs::write(&attestation, line.replace("in-toto", "other")).unwrap();
    refused(&["--format", "sigstore"], "of type");
    fs::write(&attestation, "{}\n").unwrap();
    refused(&["--format", "sigstore"], "not a DSSE envelope");
    fs::remove_file(&attestation).unwrap();
    refused(&["--format", "sigstore"], "report.intoto.jsonl");
}
