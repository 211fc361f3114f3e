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
