//! GO on real servers, and the proof afterwards with the auditor's own tools: `sha256sum`,
//! `ssh-keygen -Y verify`, and digests of the very files on the server.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use gonogo::digest::Sha256;

use crate::lab::{Amps, FOUR, Lab, MARKET_DATA, OPERATIONS, Run, needs_root};

const TEAMS: [&str; 2] = [OPERATIONS.team, MARKET_DATA.team];

/// What an auditor does without gonogo.
pub fn audit(lab: &Lab, run: &Run) {
    let sums = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
        .current_dir(&run.dir)
        .output()
        .unwrap();
    assert!(sums.status.success(), "{sums:?}");
    let listed = fs::read_to_string(run.dir.join("SHA256SUMS")).unwrap();
    assert!(listed.contains("report.json"), "{listed}");
    let signature = Command::new("ssh-keygen")
        .args([
            "-Y",
            "verify",
            "-n",
            "gonogo-report@gonogo",
            "-I",
            "lab@gonogo",
            "-f",
        ])
        .arg(lab.path("operator/allowed_signers"))
        .arg("-s")
        .arg(run.dir.join("SHA256SUMS.sig"))
        .stdin(Stdio::from(
            fs::File::open(run.dir.join("SHA256SUMS")).unwrap(),
        ))
        .output()
        .unwrap();
    assert!(signature.status.success(), "{signature:?}");
}

#[test]
fn a_healthy_estate_is_go_and_every_digest_is_true() {
    let lab = Lab::new();
    let ny4 = lab.host("ny4-1").start();
    let ld5 = lab.host("ld5-1").start();
    let orders = lab.amps("orders", &ny4);
    let quotes = lab.amps("quotes", &ld5);
    *orders.teams.borrow_mut() = TEAMS.into();
    let run = lab.judge();
    run.assert_go(12);
    audit(&lab, &run);
    let verified = lab.verify(&run.dir);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");

    for (instance, teams) in [(&orders, &TEAMS[..]), (&quotes, &TEAMS[..1])] {
        for team in teams {
            for scenario in FOUR {
                run.check(&instance.name, team, scenario);
            }
            let check = run.check(&instance.name, team, "configuration");
            let evidence = check["evidence"].as_array().unwrap();
            assert_eq!(evidence.len(), 2, "{check:#}");
            for item in evidence {
                let path = item["path"].as_str().unwrap();
                let bytes = fs::read(path).unwrap();
                assert_eq!(item["sha256"], Sha256::of(&bytes).to_string(), "{path}");
                assert_eq!(item["bytes"], bytes.len());
            }
            let log = run.check(&instance.name, team, "event log");
            let evidence = log["evidence"].as_array().unwrap();
            let rotated = evidence
                .iter()
                .any(|item| item["path"].as_str().unwrap().ends_with(".log.2.gz"));
            assert!(rotated && evidence.len() == 3, "{log:#}");
        }
    }
    // Each host stands in the report as itself.
    let hosts = run.report()["hosts"].as_array().unwrap();
    for host in [&ny4, &ld5] {
        let told = hosts.iter().find(|told| told["name"] == host.name.as_str());
        let told = told.unwrap();
        assert!(told["host_key"].as_str().unwrap().starts_with("SHA256:"));
        if crate::lab::is_root() {
            assert_eq!(told["identity"]["machine_id"], host.machine_id.as_str());
            assert_eq!(told["identity"]["hostname"], host.name.as_str());
        }
    }
}

#[test]
fn the_statistics_hold_what_only_the_wal_had() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    let run = lab.judge();
    run.assert_go(4);
    // 360 samples are in the main file; the fresh ones come from the live -wal (traps.md T6).
    let check = run.check("orders", OPERATIONS.team, "statistics");
    let evidence = check["evidence"].as_array().unwrap();
    let samples = evidence
        .iter()
        .filter_map(|item| item["entries"].as_u64())
        .max();
    assert!(samples.unwrap() > 360, "{check:#}");
}

#[test]
fn shell_only_and_one_session_at_a_time_is_go() {
    let lab = Lab::new();
    let host = lab
        .host("ny4-1")
        .without_sftp()
        .option("MaxSessions 1")
        .start();
    lab.amps("orders", &host);
    lab.judge().assert_go(4);
}

#[test]
fn an_sftp_only_account_is_go_and_gets_no_command() {
    if needs_root("an_sftp_only_account_is_go_and_gets_no_command") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("ny4-1").sftp_chroot(MARKET_DATA).start();
    let orders = Amps::install_in_chroot("orders", &host);
    let mut inventory = lab.inventory();
    // The version comes from a file: no command can be sent here.
    let version = serde_json::json!({
        "kind": "version", "path": "{home}/VERSION", "match": "\\d+\\.\\d+\\.\\d+\\.\\d+",
    });
    inventory["products"]["amps"]["artifacts"]["version"] = version;
    inventory["teams"][MARKET_DATA.team]["transport"] = "sftp".into();
    inventory["instances"]["orders"] = serde_json::json!({
        "product": "amps", "host": "ny4-1", "teams": [MARKET_DATA.team],
        "vars": {"home": orders.home}, "expect": {"version": "5.3.4.12", "name": "orders"},
    });
    lab.write_inputs(&inventory);
    let run = lab.judge_as_written();
    run.assert_go(4);
    assert!(
        !host.log().contains("Starting session: command"),
        "{}",
        host.log()
    );
}

#[test]
fn a_filtered_run_says_so_and_does_not_verify() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    lab.amps("quotes", &host);
    lab.write_inputs(&lab.inventory());
    let out = lab.next_out();
    let filter = ["--instance", "ord*"];
    let run = lab.run(&[&lab.run_args(&out)[..], &filter].concat());
    // All that was judged passed, and still a part is never GO.
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let dir = lab.operator().join(out);
    let report = fs::read_to_string(dir.join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["run"]["scope"]["partial"], true);
    assert_eq!(report["checks"].as_array().unwrap().len(), 4);
    assert_eq!(report["counts"]["passed"], 4);
    assert_eq!(report["verdict"]["decision"], "NO-GO");
    let reasons = report["verdict"]["reasons"].to_string();
    assert!(reasons.contains("--instance ord*"), "{reasons}");
    let refused = lab.verify(&dir);
    assert_eq!(refused.status.code(), Some(4), "{refused:?}");
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("partial") && told.contains("ord*"), "{told}");
    let verify = [
        "verify",
        dir.to_str().unwrap(),
        "--allowed-signers",
        "allowed_signers",
    ];
    let allowed = lab.run(&[&verify[..], &["--allow-partial"]].concat());
    assert_eq!(allowed.status.code(), Some(1), "{allowed:?}");
}

#[test]
fn a_shipped_feature_names_no_step_that_does_not_exist() {
    let features = Path::new(env!("CARGO_MANIFEST_DIR")).join("features");
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    lab.write_inputs(&lab.inventory());
    for entry in fs::read_dir(features).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "feature")
        {
            continue;
        }
        // Alone, a feature may leave gaps in the coverage of the inventory; its steps must be known.
        let plan = lab.run(&["plan", "-i", "inventory.yaml", path.to_str().unwrap()]);
        let told = String::from_utf8_lossy(&plan.stderr).into_owned();
        assert!(
            !told.contains("undefined step"),
            "{}: {told}",
            path.display()
        );
        assert!(matches!(plan.status.code(), Some(0 | 2)), "{plan:?}");
    }
}
