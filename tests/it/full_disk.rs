//! A disk that fills up while the run is written: exit 3 and nothing left, or a whole run. Each size
//! is a tmpfs in a mount namespace of its own.

use std::process::{Command, Output};

use crate::lab::{GONOGO, Lab, needs_root};

/// Runs gonogo with a tmpfs of those mount options at `operator/disk`; stdout ends with what was left there.
fn on_a_disk(lab: &Lab, options: &str, script: &str) -> Output {
    let disk = lab.path("operator/disk");
    std::fs::create_dir_all(&disk).unwrap();
    let script = format!("mount -t tmpfs -o {options} disk disk || exit 99\n{script}");
    Command::new("timeout")
        .args([
            "-k",
            "1",
            "100",
            "unshare",
            "--mount",
            "--propagation",
            "private",
        ])
        .args(["sh", "-c", &script, "sh", GONOGO])
        .envs(lab.environment())
        .env_remove("SSH_AUTH_SOCK")
        .current_dir(lab.operator())
        .output()
        .unwrap()
}

const RUN: &str = "\
\"$1\" run -i inventory.yaml features -o disk/out --key keys/signer
code=$?
echo \"left: $(ls -A disk | tr '\\n' ' ')\"
[ $code = 0 ] || exit $code
exec \"$1\" verify disk/out --allowed-signers allowed_signers
";

#[test]
fn the_run_is_whole_or_absent() {
    if needs_root("the_run_is_whole_or_absent") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    lab.write_inputs(&lab.inventory());
    let mut codes = Vec::new();
    for size in ["4k", "16k", "32k", "64k", "128k", "64m"] {
        let output = on_a_disk(&lab, &format!("size={size}"), RUN);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let code = output.status.code();
        match code {
            Some(3) => assert!(told.contains("left: \n"), "{size}: {told}"),
            Some(0) => assert!(told.contains("left: out \n"), "{size}: {told}"),
            _ => panic!("{size}: {output:?}"),
        }
        assert!(
            code == Some(0) || !told.lines().any(|line| line.starts_with("GO")),
            "{told}"
        );
        codes.push(code);
    }
    // The first cannot hold a run and the last can: both ends were seen.
    assert_eq!(codes.first(), Some(&Some(3)), "{codes:?}");
    assert_eq!(codes.last(), Some(&Some(0)), "{codes:?}");
}

#[test]
fn a_read_only_disk() {
    if needs_root("a_read_only_disk") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    lab.write_inputs(&lab.inventory());
    let output = on_a_disk(&lab, "size=64m,ro", RUN);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("operator/disk`"), "{told}");
    // Known before anybody logs in: a run that cannot be kept is not begun.
    assert!(!host.log().contains("Accepted"), "{}", host.log());
}

#[test]
fn no_room_for_temporary_files_is_no_go() {
    if needs_root("no_room_for_temporary_files_is_no_go") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    lab.write_inputs(&lab.inventory());
    let script = "\
export TMPDIR=$PWD/disk
\"$1\" run -i inventory.yaml features -o out --key keys/signer
code=$?
echo \"left: $(ls -A disk | tr '\\n' ' ')\"
exit $code
";
    let output = on_a_disk(&lab, "size=4k", script);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    // gonogo may do without temporary files; if it needs them, it is our own fault and no verdict.
    match output.status.code() {
        Some(0) => {
            assert!(told.contains("\nGO") || told.starts_with("GO"), "{told}");
            let verified = lab.verify(&lab.path("operator/out"));
            assert_eq!(verified.status.code(), Some(0), "{verified:?}");
        }
        // What was judged until then is kept, sealed as aborted; that never verifies.
        Some(3) => {
            assert!(told.contains("NO-GO\n"), "{told}");
            let out = lab.path("operator/out");
            let report = std::fs::read_to_string(out.join("report.json")).unwrap();
            let report: serde_json::Value = serde_json::from_str(&report).unwrap();
            assert_eq!(report["run"]["kind"], "aborted");
            let verified = lab.verify(&out);
            assert_eq!(verified.status.code(), Some(4), "{verified:?}");
        }
        _ => panic!("{output:?}"),
    }
    assert!(told.contains("left: \n"), "{told}");
}
