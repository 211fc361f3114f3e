//! `run --rerun-failed`: what failed is run again, all is restated, what was carried over says so, and
//! nothing that another plan, key or machine proved passes as this run's.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use serde_json::Value;

use crate::lab::{Lab, OPERATIONS, Run, keygen, until};

fn again(lab: &Lab, before: &Path, more: &[&str]) -> Run {
    let out = lab.next_out();
    let before = before.to_str().unwrap();
    let args = [&lab.run_args(&out)[..], &["--rerun-failed", before], more].concat();
    let output = lab.run(&args);
    Run::of(output, lab.operator().join(out))
}

fn verify(lab: &Lab, run: &Run, more: &[&str]) -> Output {
    let dir = run.dir.to_str().unwrap();
    let args = ["verify", dir, "--allowed-signers", "allowed_signers"];
    lab.run(&[&args[..], more].concat())
}

fn told(output: &Output) -> String {
    let (stdout, stderr) = (&output.stdout, &output.stderr);
    [
        String::from_utf8_lossy(stdout),
        String::from_utf8_lossy(stderr),
    ]
    .concat()
}

/// Two instances on two hosts; the configuration of the first cannot be read.
fn broken() -> (Lab, Run, std::rc::Rc<crate::lab::Amps>) {
    let lab = Lab::new();
    let (one, two) = (lab.host("ny4-1").start(), lab.host("ny4-2").start());
    let orders = lab.amps("orders", &one);
    lab.amps("quotes", &two);
    orders.lock("config/config.xml");
    let run = lab.judge();
    run.assert_only(&[("orders", OPERATIONS.team, "configuration", "denied")]);
    (lab, run, orders)
}

#[test]
fn what_failed_is_run_again_and_all_is_restated() {
    let (lab, first, orders) = broken();
    // Still broken: the same NO-GO, with both attempts.
    let still = again(&lab, &first.dir, &[]);
    assert_eq!(still.code(), 1, "{}", still.told());
    assert_eq!(still.checks().len(), first.checks().len());
    orders.mode("config/config.xml", 0o644);
    let mended = again(&lab, &still.dir, &[]);
    assert_eq!(mended.code(), 0, "{}", mended.told());
    mended.assert_go(first.checks().len());
    let (id, carried_from) = (&first.report()["run"]["id"], &still.report()["run"]["id"]);
    assert_eq!(mended.report()["run"]["restates"]["run"], *carried_from);
    let mut carried = 0;
    for (check, was) in mended.checks().iter().zip(first.checks()) {
        assert_eq!(check["id"], was["id"]);
        if was["outcome"] == "failed" {
            // Tried three times, each in a run of its own.
            assert_eq!(check["attempts"], 3, "{check}");
            assert_eq!(check["earlier"][0]["run"], *id);
            assert_eq!(check["earlier"][1]["run"], *carried_from);
            assert_eq!(check["earlier"][1]["failure"]["kind"], "denied");
            assert_eq!(check["carried"], Value::Null);
            continue;
        }
        carried += 1;
        // Restated twice, of the run that ran it.
        assert_eq!(check["carried"]["run"], *id);
        assert_eq!(check["started"], was["started"]);
        assert_eq!(check["evidence"], was["evidence"]);
        let name = was["transcript"].as_str().unwrap();
        let read = |run: &Run| fs::read(run.dir.join(name)).unwrap();
        assert_eq!(read(&mended), read(&first));
    }
    assert!(carried >= 7, "{carried}");
    // Nobody was contacted for what was carried over: the other host has the sessions that it had.
    let host = |run: &Run| {
        let hosts = run.report()["hosts"].as_array().unwrap().clone();
        hosts
            .into_iter()
            .find(|host| host["name"] == "ny4-2")
            .unwrap()
    };
    assert_eq!(host(&mended), host(&first));

    let accepted = verify(
        &lab,
        &mended,
        &["--max-age", "1h", "--features", "features"],
    );
    assert_eq!(accepted.status.code(), Some(0), "{accepted:?}");
    let words = told(&accepted);
    assert!(words.contains("were not run again"), "{words}");
    assert!(
        words.contains("carried") && words.contains(carried_from.as_str().unwrap()),
        "{words}"
    );
    for page in ["report.html", "summary.md"] {
        let page = fs::read_to_string(mended.dir.join(page)).unwrap();
        assert!(page.contains("were not run again"));
    }

    // As old as the oldest check: a run of everything made at the same moment is younger.
    let seconds = |run: &Run| {
        let finished = run.report()["run"]["finished"].as_str().unwrap();
        let finished: jiff::Timestamp = finished.parse().unwrap();
        jiff::Timestamp::now().duration_since(finished).as_secs()
    };
    until(
        "a second lies between the two runs",
        Duration::from_secs(60),
        || {
            let apart = seconds(&first) - seconds(&mended);
            assert!(apart >= 0);
            let most = format!("{}s", seconds(&mended) + 1);
            let stale = verify(&lab, &mended, &["--max-age", &most]);
            apart == 0 || stale.status.code() == Some(4) && told(&stale).contains("restates checks")
        },
    );
}

#[test]
fn what_cannot_be_restated_is_refused() {
    let (lab, first, orders) = broken();
    orders.mode("config/config.xml", 0o644);
    let refused = |run: &Run, code: i32, word: &str| {
        assert_eq!(run.code(), code, "{word}: {}", run.told());
        assert!(run.told().contains(word), "{word}: {}", run.told());
        assert!(!run.dir.exists(), "{word}: a run was written");
    };
    let operator = lab.operator();
    let edit = |name: &str, edit: fn(&str) -> String| {
        let path = operator.join(name);
        let before = fs::read_to_string(&path).unwrap();
        fs::write(&path, edit(&before)).unwrap();
        (path, before)
    };
    // Another inventory, another feature: even by a comment.
    for name in ["inventory.yaml", "features/support.feature"] {
        let (path, before) = edit(name, |text| format!("{text}\n# looked at\n"));
        refused(&again(&lab, &first.dir, &[]), 2, "is another one");
        fs::write(path, before).unwrap();
    }
    // Another key.
    keygen(&operator.join("keys/other"), "other@gonogo");
    let out = lab.next_out();
    let before = first.dir.to_str().unwrap();
    let other = [
        "run",
        "-i",
        "inventory.yaml",
        "features",
        "-o",
        &out,
        "--key",
        "keys/other",
    ];
    let other = lab.run(&[&other[..], &["--rerun-failed", before]].concat());
    assert_eq!(other.status.code(), Some(2), "{other:?}");
    assert!(told(&other).contains("cannot be restated"), "{other:?}");
    // Filters, a run that is none, one that was changed.
    refused(&again(&lab, &first.dir, &["--host", "ny4-1"]), 2, "--host");
    refused(
        &again(&lab, &operator.join("none"), &[]),
        2,
        "cannot be restated",
    );
    let summary = first.dir.join("summary.md");
    let written = fs::read(&summary).unwrap();
    fs::write(&summary, "GO").unwrap();
    refused(&again(&lab, &first.dir, &[]), 2, "cannot be restated");
    fs::write(&summary, written).unwrap();
    // The benign twin; and then nothing is left to be run again.
    let mended = again(&lab, &first.dir, &[]);
    assert_eq!(mended.code(), 0, "{}", mended.told());
    refused(
        &again(&lab, &mended.dir, &[]),
        2,
        "all of its checks passed",
    );
}
