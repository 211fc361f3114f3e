//! Checks about vendors: an estate of words alone, run and verified by the real binary, by today's date.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use jiff::civil::Weekday;
use jiff::{Timestamp, ToSpan as _, Zoned};
use serde_json::Value;
use tempfile::TempDir;

use crate::lab::{GONOGO, keygen};

const FEATURE: &str = "Feature: the support process
  @vendor
  Scenario: <vendor> knows us
    Given each vendor
    Then the support entitlement is named
    And the support contract does not end within 30 days
    And the support contract does not end before the next drill
  @vendor
  Scenario: somebody answers for <vendor>
    Given each vendor
    Then every gap in coverage has a plan whose owner was proven within the last 92 days
    And the primary and the backup contact differ
    And every phone number fits its country's numbering plan
    And every escalation level was proven within the last 92 days
    And the drill is not overdue
  @go-live
  Scenario: <vendor> and go-live
    Given each vendor
    Then every team is subscribed to every channel, proven within the last 92 days
    And go-live lies outside the release windows
    And no required action is overdue at go-live
";

const ESTATE: &str = r#"environment: production
teams: {ops: {user: ops, agent: true}}
products: {shop: {}}
vendors:
  echo:
    timezone: America/Los_Angeles
    contract: {id: E-1, plan: business, ends: ENDS, severities: {P1: 30m}, openers: [ana]}
    coverage: "Mon-Fri 09:00-18:00"
    applications: {shop: 24x7}
    out_of_hours: [{hours: 24x7, owner: ben, plan: fail over}]
    contacts:
      ana: {name: Ana Silva, email: ana@bank.example.com, phone: "+1 212 555 0100"}
      ben: {name: Ben Okafor, phone: "+1 212 555 0199", proven: {date: PROVEN, by: Ana}}
    primary: ana
    backup: ben
    escalation: [{name: telephone, kind: phone, to: "+1 415 555 2671", proven: {date: PROVEN, by: Ana}}]
    channels: {outages: {subscribed: {ops: {address: ops@bank.example.com, proven: {date: PROVEN, by: Ana}}}}}
    release_windows: {hours: "Wed-Fri 00:00-03:00"}
    announced: []
    drill: {last: DRILL}
"#;

struct Office(TempDir);

impl Office {
    fn new() -> Self {
        let office = Self(tempfile::tempdir().unwrap());
        keygen(&office.at().join("signer"), "vendors@test");
        let key = fs::read_to_string(office.at().join("signer.pub")).unwrap();
        let words: Vec<&str> = key.split_whitespace().collect();
        let line = format!("{} {} {}\n", words[2], words[0], words[1]);
        fs::write(office.at().join("allowed_signers"), line).unwrap();
        fs::write(office.at().join("support.feature"), FEATURE).unwrap();
        office.write(|text| text);
        office
    }

    fn at(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, edit: impl Fn(String) -> String) {
        let text = ESTATE
            .replace("ENDS", &day(200))
            .replace("PROVEN", &day(-20))
            .replace("DRILL", &day(-30));
        fs::write(self.at().join("inventory.yaml"), edit(text)).unwrap();
    }

    fn gonogo(&self, args: &[&str]) -> Output {
        let mut command = Command::new(GONOGO);
        command
            .args(args)
            .current_dir(self.at())
            .env("NO_COLOR", "1")
            .env("TZ", "Asia/Tokyo");
        command.output().unwrap()
    }

    fn run(&self, out: &str, more: &[&str], code: i32) -> Value {
        let args = [
            "run",
            "-i",
            "inventory.yaml",
            "support.feature",
            "-o",
            out,
            "--key",
            "signer",
        ];
        let output = self.gonogo(&[&args, more].concat());
        assert_eq!(
            output.status.code(),
            Some(code),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let report = fs::read(self.at().join(out).join("report.json")).unwrap();
        serde_json::from_slice(&report).unwrap()
    }

    fn verify(&self, run: &str, code: i32) {
        let output = self.gonogo(&[
            "verify",
            run,
            "--allowed-signers",
            "allowed_signers",
            "--inventory",
            "inventory.yaml",
            "--max-age",
            "1h",
        ]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
}

/// That many days from today in UTC.
fn day(days: i64) -> String {
    let today = Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date();
    today.checked_add(days.days()).unwrap().to_string()
}

/// The next such day, a week ahead, at that hour in UTC.
fn next(weekday: Weekday, hour: &str) -> String {
    let soon = Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date();
    let soon = soon.checked_add(2.days()).unwrap();
    format!("{}T{hour}:00:00Z", soon.nth_weekday(1, weekday).unwrap())
}

fn failure(report: &Value, scenario: usize) -> &Value {
    &report["checks"][scenario]["failure"]
}

#[test]
fn a_support_process_that_is_well_is_go_and_verifies_offline() {
    let office = Office::new();
    let monday = next(Weekday::Monday, "20");
    let report = office.run("run", &["--go-live", &monday], 0);
    assert_eq!(report["counts"]["passed"], 3);
    assert_eq!(report["checks"][0]["vendor"], "echo");
    assert!(report["checks"][0]["host"].is_null());
    assert!(
        report["run"]["tool"]["tzdb"]
            .as_str()
            .unwrap()
            .starts_with("20")
    );
    office.verify("run", 0);
    let told = fs::read_to_string(office.at().join("run/evidence/0002.txt")).unwrap();
    assert!(
        told.contains("America/Los_Angeles (") && told.contains("zone database"),
        "{told}"
    );
    for (format, words) in [
        ("html", "echo"),
        ("junit", "echo"),
        ("markdown", "GO"),
        ("text", "3 passed"),
    ] {
        let shown = office.gonogo(&["show", "run", "--format", format]);
        assert!(
            String::from_utf8_lossy(&shown.stdout).contains(words),
            "{format}: {shown:?}"
        );
    }
}

#[test]
fn go_live_that_is_not_told_or_lies_in_a_window_is_no_go() {
    let office = Office::new();
    let report = office.run("untold", &[], 1);
    assert_eq!(failure(&report, 2)["kind"], "undefined");
    assert!(
        failure(&report, 2)["hint"]
            .as_str()
            .unwrap()
            .contains("--go-live")
    );
    office.verify("untold", 1);
    // 01:00 or 02:00 in Los Angeles, in winter or summer.
    let wednesday = next(Weekday::Wednesday, "09");
    let report = office.run("within", &["--go-live", &wednesday], 1);
    assert_eq!(failure(&report, 2)["kind"], "mismatch");
    // What is run again is judged by the new time; all about vendors is, whatever passed.
    let monday = next(Weekday::Monday, "20");
    let again = office.run(
        "again",
        &["--go-live", &monday, "--rerun-failed", "within"],
        0,
    );
    assert!(
        again["checks"]
            .as_array()
            .unwrap()
            .iter()
            .all(|check| check["carried"].is_null())
    );
    office.verify("again", 0);
}

#[test]
fn what_is_overdue_or_unproven_is_no_go() {
    let office = Office::new();
    let monday = next(Weekday::Monday, "20");
    let go_live = ["--go-live", monday.as_str()];
    let cases = [
        (day(-30), day(-93), 1, "stale"),
        (day(-20), day(-93), 1, "stale"),
        (day(200), day(20), 0, "gap"),
    ];
    for (number, (old, new, scenario, kind)) in cases.iter().enumerate() {
        office.write(|text| text.replace(old.as_str(), new));
        let report = office.run(&format!("run-{number}"), &go_live, 1);
        assert_eq!(&failure(&report, *scenario)["kind"], kind, "{old}");
    }
    office.write(|text| {
        text.replace(
            "hours: 24x7, owner",
            "hours: \"Mon-Sat 00:00-24:00\", owner",
        )
    });
    let report = office.run("sundays", &go_live, 1);
    let failure = failure(&report, 1);
    assert_eq!(failure["kind"], "gap");
    assert!(
        failure["actual"].as_str().unwrap().contains("Sun "),
        "{failure}"
    );
}

#[test]
fn checks_about_vendors_do_not_stand_in_for_those_of_instances() {
    let office = Office::new();
    office.write(|text| {
        let estate = "hosts: {h: {address: 127.0.0.1, host_key: \"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}}\ninstances: {i: {product: amps, host: h, teams: [ops], vars: {home: /opt/i}}}\nvendors:";
        text.replace("vendors:", estate)
    });
    let plan = office.gonogo(&["plan", "-i", "inventory.yaml", "support.feature"]);
    assert_eq!(plan.status.code(), Some(2));
    let said = String::from_utf8_lossy(&plan.stderr);
    assert!(
        said.contains(
            "no check retrieves the version, configuration, log, statistics of instance `i`"
        ),
        "{said}"
    );
    let needs =
        "Feature: f\n  Scenario: s\n    Given each team\n    Then the drill is not overdue\n";
    fs::write(office.at().join("support.feature"), needs).unwrap();
    let plan = office.gonogo(&["plan", "-i", "inventory.yaml", "support.feature"]);
    assert_eq!(plan.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&plan.stderr).contains("this step needs a vendor"));
}

#[test]
fn the_shipped_example_has_both_vendors_and_plans() {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut command = Command::new(GONOGO);
    command.current_dir(root).args([
        "plan",
        "-i",
        "inventories/example.yaml",
        "features",
        "vendors",
    ]);
    let plan = command.output().unwrap();
    assert_eq!(
        plan.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&plan.stderr)
    );
    let said = String::from_utf8_lossy(&plan.stdout);
    for words in [
        "[60east]",
        "[echo]",
        "Nobody goes live while echo changes its service",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

/// The gate holds a run to the go-live that it is asked for, in whatever zone that is written.
#[test]
fn a_run_is_for_one_go_live_and_none_is_made_for_a_window_that_nobody_asked_for() {
    let office = Office::new();
    let asked = |run: &str, more: &[&str], code: i32, words: &str| {
        let args = ["verify", run, "--allowed-signers", "allowed_signers"];
        let output = office.gonogo(&[&args, more].concat());
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(words), "{words}: {said}");
    };
    let monday: Timestamp = next(Weekday::Monday, "20").parse().unwrap();
    let there = |time: Timestamp, zone: &str| {
        let there = time.in_tz(zone).unwrap();
        there.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    };
    office.run(
        "run",
        &["--go-live", &there(monday, "America/Los_Angeles")],
        0,
    );
    for zone in ["UTC", "America/Los_Angeles", "Asia/Kathmandu"] {
        asked("run", &["--go-live", &there(monday, zone)], 0, "GO");
    }
    let later = monday + 1.hours();
    let both = format!("made for a go-live at {monday}, not at {later}");
    asked("run", &["--go-live", &later.to_string()], 4, &both);
    // As a policy has it.
    let under = |key: &str| {
        let policy = format!("environment: production\nmax_age: 24h\ngo_live: {key}\n");
        fs::write(office.at().join("policy.yaml"), policy).unwrap();
    };
    let policy = ["--policy", "policy.yaml"];
    let given = there(monday, "Europe/Berlin");
    under("required");
    asked("run", &policy, 2, "demands `go_live`, and no --go-live");
    asked(
        "run",
        &[&policy[..], &["--go-live", &given]].concat(),
        0,
        "GO",
    );
    under(&given);
    asked("run", &policy, 0, "GO");
    asked(
        "run",
        &[&policy[..], &["--go-live", &there(monday, "UTC")]].concat(),
        0,
        "GO",
    );
    asked(
        "run",
        &[&policy[..], &["--go-live", &later.to_string()]].concat(),
        2,
        "exclude each other",
    );
    under(&there(later, "UTC"));
    asked("run", &policy, 4, &both);

    // A run whose features ask no window is held to what its inventory says of them.
    let silent = FEATURE.replace("    And go-live lies outside the release windows\n", "");
    assert_ne!(silent, FEATURE);
    fs::write(office.at().join("support.feature"), silent).unwrap();
    let wednesday = next(Weekday::Wednesday, "09");
    let refused = |more: &[&str], words: &str| {
        let args = ["run", "-i", "inventory.yaml", "support.feature"];
        let args = [&args[..], &["-o", "silent", "--key", "signer"], more].concat();
        let output = office.gonogo(&args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{words}: {said}");
        assert!(!office.at().join("silent").exists());
    };
    let window = "vendor `echo`: go-live at ";
    refused(&["--go-live", &wednesday], window);
    // It begins before the window and lasts into it; or takes no time at all.
    let early = wednesday.parse::<Timestamp>().unwrap() - 12.hours();
    let long = [
        "--go-live",
        &early.to_string(),
        "--go-live-until",
        &wednesday,
    ];
    refused(&long, window);
    let none = ["--go-live", &wednesday, "--go-live-until", &wednesday];
    refused(&none, "go-live ends before it begins");
    refused(&["--go-live", "2099-12-02T01:30:00-08:00[UTC]"], "offset");
    let until = (monday + 1.hours()).to_string();
    let given = ["--go-live", &monday.to_string(), "--go-live-until", &until];
    let report = office.run("quiet", &given, 0);
    assert_eq!(report["run"]["go_live_until"], until.as_str());
    asked("quiet", &["--go-live", &monday.to_string()], 0, "GO");
    // What is not told is for none.
    let quiet = silent_of_go_live();
    fs::write(office.at().join("support.feature"), quiet).unwrap();
    office.run("untold", &[], 0);
    asked(
        "untold",
        &["--go-live", &monday.to_string()],
        4,
        "tells no go-live",
    );
}

/// The feature without what needs a time of go-live.
fn silent_of_go_live() -> String {
    let needs = [
        "    And go-live lies outside the release windows\n",
        "    And no required action is overdue at go-live\n",
    ];
    let without = |text: String, line: &&str| text.replace(*line, "");
    needs.iter().fold(FEATURE.to_owned(), without)
}

/// Holidays of a file are the run's own: it verifies without the file, and says when the file ends too soon.
#[test]
fn a_file_of_holidays_is_kept_with_the_run() {
    let office = Office::new();
    let named = |text: String| {
        let plain = "coverage: \"Mon-Fri 09:00-18:00\"";
        assert!(text.contains(plain));
        let hours = "coverage: {hours: \"Mon-Fri 09:00-18:00\", holidays: [us.ics]}";
        text.replace(plain, hours)
    };
    office.write(named);
    let monday = next(Weekday::Monday, "20");
    let calendar = |last: &str| {
        let last = last.replace('-', "");
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:{last}\r\nSUMMARY:The last\r\n  one\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        fs::write(office.at().join("us.ics"), text).unwrap();
    };
    let plan = || office.gonogo(&["plan", "-i", "inventory.yaml", "support.feature"]);
    let missing = plan();
    assert_eq!(missing.status.code(), Some(2));
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(said.contains("cannot read the holidays `us.ics`"), "{said}");
    calendar("not a day");
    let said = String::from_utf8_lossy(&plan().stderr).into_owned();
    assert!(
        said.contains("`not a day` is no day") && said.contains("us.ics:4:1"),
        "{said}"
    );

    calendar(&day(400));
    let report = office.run("run", &["--go-live", &monday], 0);
    let kept = report["inputs"].as_array().unwrap().iter();
    let kept: Vec<_> = kept
        .filter_map(|input| input["path"].as_str())
        .filter(|path| path.ends_with(".holidays.ics"))
        .collect();
    assert_eq!(kept.len(), 1, "{report:#}");
    let copy = fs::read(office.at().join("run").join(kept[0])).unwrap();
    assert_eq!(copy, fs::read(office.at().join("us.ics")).unwrap());
    fs::remove_file(office.at().join("us.ics")).unwrap();
    office.verify("run", 0);
    // Another file since then says nothing of this run.
    calendar(&day(30));
    office.verify("run", 0);
    let report = office.run("short", &["--go-live", &monday], 1);
    let failure = failure(&report, 1);
    assert_eq!(failure["kind"], "stale");
    let actual = format!("us.ics: holidays end at {}", day(30));
    assert_eq!(failure["actual"], actual.as_str());
}
