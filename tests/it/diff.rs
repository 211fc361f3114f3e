//! `diff` by the real binary: two runs of the practice estate, the second one broken; the golden runs; and
//! what is no pair of runs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::lab::{GONOGO, Lab};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn gonogo(args: &[&str]) -> Output {
    Command::new(GONOGO).args(args).output().unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn whats(told: &Value, kind: &str) -> Vec<String> {
    let list = told["changes"][kind].as_array().unwrap().iter();
    list.map(|change| change["what"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_fault_that_is_planted_is_what_got_worse_and_mended_it_is_not() {
    let place = assert_fs::TempDir::new().unwrap();
    let runs = ["1-go", "2-broken", "3-go"].map(|name| place.path().join(name));
    for (run, broken) in runs.iter().zip([false, true, false]) {
        let fault: &[&str] = if broken { &["--break", "denied"] } else { &[] };
        let output = gonogo(&[&["demo", "--out", path(run)], fault].concat());
        assert_eq!(output.status.code(), Some(i32::from(broken)), "{output:?}");
    }
    let [go, broken, mended] = &runs;

    let worse = gonogo(&["diff", path(go), path(broken), "--format", "json"]);
    assert_eq!(worse.status.code(), Some(1), "{worse:?}");
    let told = json(&worse);
    let failing = whats(&told, "newly_failing");
    assert!(
        !failing.is_empty() && failing.iter().all(|what| what.contains("quotes")),
        "{failing:?}"
    );
    assert_eq!(whats(&told, "vanished_checks"), [""; 0]);
    assert_eq!(whats(&told, "newly_passing"), [""; 0]);
    assert!(
        told["changes"]["newly_failing"][0]["is"]
            .as_str()
            .unwrap()
            .contains("denied")
    );
    assert_eq!(told["old"]["verified"], false);

    let better = gonogo(&["diff", path(broken), path(mended), "--format", "json"]);
    assert_eq!(better.status.code(), Some(0), "{better:?}");
    let told = json(&better);
    assert_eq!(whats(&told, "newly_passing").len(), failing.len());
    assert_eq!(told["worse"], false);

    // Each demo has an estate of its own: other keys and ports, the same checks.
    let same = gonogo(&["diff", path(go), path(mended), "--format", "json"]);
    assert_eq!(same.status.code(), Some(0), "{same:?}");
    let told = json(&same);
    for kind in [
        "newly_failing",
        "vanished_checks",
        "vanished_parts",
        "new_checks",
        "new_parts",
    ] {
        assert_eq!(whats(&told, kind), [""; 0], "{kind}");
    }
    assert!(
        whats(&told, "hosts")
            .iter()
            .any(|what| what.ends_with("host key"))
    );

    let text = gonogo(&["diff", path(go), path(broken)]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.lines().last().unwrap().starts_with("worse: "),
        "{text}"
    );
    let page = gonogo(&["diff", path(go), path(broken), "--format", "markdown"]);
    assert_eq!(page.status.code(), Some(1));
    assert!(
        String::from_utf8(page.stdout)
            .unwrap()
            .starts_with("# worse\\: ")
    );
}

#[test]
fn signatures_are_checked_where_somebody_says_who_may_sign() {
    let (go, no_go) = (golden("go-0.2"), golden("no-go-0.2"));
    let diff = |more: &[&str]| gonogo(&[&["diff", path(&go), path(&no_go)], more].concat());
    let without = diff(&[]);
    assert_eq!(without.status.code(), Some(1), "{without:?}");
    let told = String::from_utf8_lossy(&without.stderr).into_owned();
    assert!(told.contains("not verified"), "{told}");
    let stdout = String::from_utf8_lossy(&without.stdout).into_owned();
    assert_eq!(stdout.matches("not verified").count(), 2, "{stdout}");

    let place = assert_fs::TempDir::new().unwrap();
    let both = place.path().join("signers");
    let of = |name: &str| fs::read_to_string(golden(&format!("{name}.allowed_signers"))).unwrap();
    fs::write(&both, of("go-0.2") + &of("no-go-0.2")).unwrap();
    let with = diff(&["--allowed-signers", path(&both)]);
    assert_eq!(with.status.code(), Some(1), "{with:?}");
    let stdout = String::from_utf8_lossy(&with.stdout).into_owned();
    assert_eq!(
        stdout.matches("signed by demo@gonogo").count(),
        2,
        "{stdout}"
    );

    // One of them is a stranger's.
    for (one, blamed) in [("go-0.2", "no-go-0.2"), ("no-go-0.2", "go-0.2")] {
        let one = golden(&format!("{one}.allowed_signers"));
        let refused = diff(&["--allowed-signers", path(&one)]);
        assert_eq!(refused.status.code(), Some(4), "{refused:?}");
        assert!(refused.stdout.is_empty(), "{refused:?}");
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            told.contains(blamed) && told.contains("not acceptable"),
            "{told}"
        );
    }
    let nobody = diff(&["--allowed-signers", path(&both), "--identity", "eve@gonogo"]);
    assert_eq!(nobody.status.code(), Some(4), "{nobody:?}");
    let alone = diff(&["--identity", "demo@gonogo"]);
    assert_eq!(alone.status.code(), Some(2), "{alone:?}");
}

#[test]
fn what_is_no_pair_of_runs_is_refused() {
    let place = assert_fs::TempDir::new().unwrap();
    let (go, no_go) = (golden("go-0.2"), golden("no-go-0.2"));
    let edited = |name: &str, from: &str, to: &str| {
        let directory = place.path().join(name);
        fs::create_dir(&directory).unwrap();
        let report = fs::read_to_string(no_go.join("report.json")).unwrap();
        assert!(report.contains(from));
        fs::write(directory.join("report.json"), report.replace(from, to)).unwrap();
        directory
    };
    let practice = "\"environment\": \"practice\"";
    let staging = edited("staging", practice, "\"environment\": \"staging\"");
    let newer = edited("newer", "gonogo/report/v1", "gonogo/report/v2");
    let broken = edited("broken", "{", "");
    let empty = place.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let absent = place.path().join("absent");
    for (old, new, word) in [
        (&go, &go, "both are run"),
        (&no_go, &go, "swap them"),
        (
            &go,
            &staging,
            "environment `practice`, the second about `staging`",
        ),
        (&go, &newer, "newer gonogo"),
        (&go, &broken, "report.json"),
        (&go, &empty, "report.json"),
        (&absent, &go, "absent"),
    ] {
        let refused = gonogo(&["diff", path(old), path(new)]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        assert!(refused.stdout.is_empty(), "{refused:?}");
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(told.contains(word), "{word}: {told}");
    }
    // With signers too: no run is a wrong argument, not an unacceptable one.
    let signers = golden("go-0.2.allowed_signers");
    let refused = gonogo(&[
        "diff",
        path(&go),
        path(&empty),
        "--allowed-signers",
        path(&signers),
    ]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let refused = gonogo(&[
        "diff",
        path(&go),
        path(&no_go),
        "--allowed-signers",
        path(&absent),
    ]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}

#[test]
fn a_full_disk_is_not_nothing_got_worse() {
    let (go, no_go) = (golden("go-0.2"), golden("no-go-0.2"));
    let run = |old: &Path, new: &Path| {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(GONOGO);
        command.arg("diff").args([old, new]).stdout(full);
        command.output().unwrap().status.code()
    };
    assert_eq!(run(&go, &no_go), Some(1));
    // Nothing got worse from the NO-GO to itself under another id, an hour later.
    let place = assert_fs::TempDir::new().unwrap();
    let report = fs::read_to_string(no_go.join("report.json")).unwrap();
    let id: Value = serde_json::from_str(&report).unwrap();
    let id = id["run"]["id"].as_str().unwrap().to_owned();
    fs::write(
        place.path().join("report.json"),
        report.replace(&id, "another"),
    )
    .unwrap();
    assert_eq!(run(&no_go, place.path()), Some(3));
}

#[test]
fn what_works_in_staging_and_not_in_production_comes_first() {
    let lab = Lab::new();
    let (trial, real) = (lab.host("stg-1").start(), lab.host("ny4-1").start());
    lab.amps("orders-stg", &trial);
    lab.amps("orders", &real);
    let only = |environment: &'static str, instance: &'static str, host: &'static str| {
        move |inventory: &mut Value| {
            inventory["environment"] = environment.into();
            for (key, kept) in [("instances", instance), ("hosts", host)] {
                let all = inventory[key].as_object_mut().unwrap();
                all.retain(|name, _| name == kept);
                assert_eq!(all.len(), 1, "{key}");
            }
        }
    };
    let (staging, production) = (
        only("staging", "orders-stg", "stg-1"),
        only("production", "orders", "ny4-1"),
    );
    lab.judge_with(staging).assert_go(4);
    lab.judge_with(production).assert_go(4);
    let diff = |args: &[&str]| lab.run(&[&["diff"], args].concat());
    let text = |output: &Output| {
        String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr)
    };
    let same = diff(&[
        "run-1",
        "run-2",
        "--environments",
        "--allowed-signers",
        "allowed_signers",
    ]);
    assert_eq!(same.status.code(), Some(0), "{}", text(&same));
    assert!(
        text(&same)
            .contains("4 checks pass in both\nwhatever works in staging works in production\n")
    );
    let by_name = diff(&[
        "run-1",
        "run-2",
        "--environments",
        "--same",
        "orders-stg=orders",
        "--same",
        "stg-1=ny4-1",
    ]);
    assert_eq!(by_name.status.code(), Some(0), "{}", text(&by_name));
    // As it was: without the word the two are refused.
    let refused = diff(&["run-1", "run-2"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused).contains("--environments compares"),
        "{}",
        text(&refused)
    );

    // The log is out of reach in production alone.
    let logs = lab.instance("orders").path("logs");
    fs::set_permissions(logs, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(lab.judge_with(production).code(), 1);
    let worse = diff(&["run-1", "run-3", "--environments"]);
    assert_eq!(worse.status.code(), Some(1), "{}", text(&worse));
    let told = text(&worse);
    assert!(
        told.contains("\nworks in staging, not in production (1)\n"),
        "{told}"
    );
    assert!(
        told.contains(" work in staging and not in production; 0 lacking in production"),
        "{told}"
    );
    let json = json(&diff(&[
        "run-1",
        "run-3",
        "--environments",
        "--format",
        "json",
    ]));
    let works = json["findings"]["works_in_first_only"].as_array().unwrap();
    assert!(
        works[0]["what"].as_str().unwrap().contains("orders"),
        "{works:?}"
    );
    let page = diff(&["run-1", "run-3", "--environments", "--format", "markdown"]);
    assert!(
        text(&page).starts_with("# 1 work in staging"),
        "{}",
        text(&page)
    );
    // The other way round production has nothing that staging lacks.
    let back = diff(&["run-3", "run-1", "--environments"]);
    assert_eq!(back.status.code(), Some(0), "{}", text(&back));

    for (args, word) in [
        (
            &["run-2", "run-3", "--environments"][..],
            "both runs are about environment",
        ),
        (&["run-1", "run-1", "--environments"], "both are run"),
        (
            &[
                "run-1",
                "run-2",
                "--environments",
                "--same",
                "orders-st=orders",
            ],
            "did you mean `orders-stg`?",
        ),
        (
            &["run-1", "run-2", "--environments", "--same", "orders"],
            "two names with `=`",
        ),
        (
            &["run-1", "run-2", "--same", "orders-stg=orders"],
            "--environments",
        ),
        (
            &[
                "run-1",
                "run-2",
                "--environments",
                "--same",
                "orders-stg=orders",
                "--same",
                "stg-1=orders",
            ],
            "twice",
        ),
    ] {
        let refused = diff(args);
        assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
        assert!(text(&refused).contains(word), "{word}: {}", text(&refused));
    }
}
