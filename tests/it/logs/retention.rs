//! What logrotate(8) promises, by real files of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::Desk;

const QUESTION: [(&str, &str); 1] = [("kept", "the event log is kept for at least 7 days")];

fn rotated(inventory: &mut Value) {
    inventory["products"]["amps"]["artifacts"]["event log"]["retention"] =
        json!({"logrotate": "{home}/logrotate.d/amps"});
}

/// Writes the file, and the main one beside the directory; logrotate itself must take both.
fn rules(desk: &Desk, main: Option<&str>, block: &str) {
    let orders = &desk.orders;
    let directory = orders.path("logrotate.d");
    fs::create_dir_all(&directory).unwrap();
    let text = format!("{}/logs/*.log {{\n{block}\n}}\n", orders.home);
    orders.write("logrotate.d/amps", text.as_bytes());
    if let Some(main) = main {
        let whole = |include: &Path| format!("{main}\ninclude {}\n", include.display());
        orders.write("logrotate.conf", whole(&directory).as_bytes());
        // A copy of ours: logrotate takes no file that belongs to another account.
        let own = desk.lab.path("operator/rotation");
        let _ = fs::remove_dir_all(&own);
        fs::create_dir_all(own.join("logrotate.d")).unwrap();
        fs::write(own.join("logrotate.d/amps"), text).unwrap();
        let conf = own.join("logrotate.conf");
        fs::write(&conf, whole(&own.join("logrotate.d"))).unwrap();
        let tried = Command::new("logrotate")
            .arg("--debug")
            .arg("--state")
            .arg(own.join("state"))
            .arg(conf)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&tried.stderr);
        assert!(said.contains("Handling 1 logs"), "{said}");
    }
}

#[test]
fn enough_is_promised_by_the_block_or_by_the_defaults() {
    let desk = Desk::new();
    rules(&desk, None, "  daily\n  rotate 7\n  compress");
    let run = desk.is_go(&QUESTION, rotated);
    let evidence = &run.check("orders", super::OPS, "kept")["evidence"];
    let promise = evidence.as_array().unwrap().last().unwrap();
    assert_eq!(promise["artifact"], "retention of event log", "{promise:#}");
    assert_eq!(promise["promise"]["kept_s"], 7 * 86_400, "{promise:#}");
    assert_eq!(promise["promise"]["rule"], "daily, rotate 7");
    rules(&desk, Some("weekly\nrotate 1"), "  missingok");
    desk.is_go(&QUESTION, rotated);
    rules(&desk, Some("size 1M"), "  daily\n  rotate -1");
    desk.is_go(&QUESTION, rotated);
}

#[test]
fn too_little_or_no_time_at_all_is_promised() {
    let desk = Desk::new();
    for (main, block, words) in [
        (
            None,
            "  daily\n  rotate 6",
            "6d is promised (daily, rotate 6; line 1)",
        ),
        (Some("weekly\nrotate 4"), "  maxage 3", "3d is promised"),
        (
            Some("weekly\nrotate 4"),
            "  size 10M\n  rotate 99",
            "no time is promised",
        ),
        (
            None,
            "  weekly\n  rotate 9\n  maxsize 1G",
            "no time is promised",
        ),
        (None, "  weekly", "no time is promised"),
    ] {
        let _ = fs::remove_file(desk.orders.path("logrotate.conf"));
        rules(&desk, main, block);
        desk.fails(&QUESTION, rotated, &[("kept", "mismatch", words)]);
    }
}

#[test]
fn a_file_about_other_logs_and_none_at_all() {
    let desk = Desk::new();
    rules(&desk, None, "  daily\n  rotate 7");
    let text = "/var/log/other/*.log {\n daily\n rotate 7\n}\n";
    desk.orders.write("logrotate.d/amps", text.as_bytes());
    desk.fails(&QUESTION, rotated, &[("kept", "missing", "none in it")]);
    desk.orders.remove("logrotate.d/amps");
    desk.fails(
        &QUESTION,
        rotated,
        &[("kept", "missing", "logrotate.d/amps")],
    );
}

#[test]
fn the_plan_prints_what_is_read_for_it() {
    let desk = Desk::new();
    desk.write(&QUESTION, rotated);
    let plan = desk.lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    let told = String::from_utf8_lossy(&plan.stdout);
    for file in ["logrotate.d/amps", "logrotate.conf"] {
        assert!(
            told.contains(&format!("read     {}/{file}", desk.orders.home)),
            "{told}"
        );
    }
}
