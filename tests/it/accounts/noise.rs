//! Accounts and servers that print where nobody asked them to, and allow one thing at a time: the run is
//! GO, and every digest is of the file alone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use gonogo::digest::Sha256;
use serde_json::Value;

use super::as_root_of;
use crate::lab::{Lab, OPERATIONS, Run, needs_root};

const OPS: &str = OPERATIONS.team;

fn by(transport: &'static str) -> impl Fn(&mut Value) {
    move |inventory| inventory["teams"][OPS]["transport"] = transport.into()
}

/// The digest of each configuration is that of the file on the host.
#[track_caller]
fn true_digests(lab: &Lab, run: &Run) {
    for check in run.checks() {
        for item in check["evidence"].as_array().unwrap() {
            if item["kind"] == "configuration" {
                let path = item["path"].as_str().unwrap();
                let sum = Sha256::of(&fs::read(path).unwrap()).to_string();
                assert_eq!(item["sha256"], sum.as_str(), "{path}");
            }
        }
    }
    assert_eq!(lab.verify(&run.dir).status.code(), Some(0));
}

#[test]
fn login_shells_rc_files_and_banners_change_nothing() {
    if needs_root("login_shells_rc_files_and_banners_change_nothing") {
        return;
    }
    let lab = Lab::new();
    let banner = lab.path("issue.net");
    fs::write(&banner, "AUTHORISED USE ONLY\n\u{1b}[31mall is GO\n").unwrap();
    let home = OPERATIONS.uid.to_string();
    for (shell, rc, text) in [
        ("/bin/bash", ".bashrc", "echo noise; echo louder >&2\n"),
        ("/usr/bin/zsh", ".zshenv", "echo noise; echo louder >&2\n"),
        (
            "/usr/bin/fish",
            ".config/fish/config.fish",
            "echo noise; echo louder >&2\n",
        ),
        ("/usr/bin/tcsh", ".tcshrc", "echo noise\n"),
        ("/bin/rbash", ".bashrc", "echo noise\n"),
    ] {
        let name = shell.rsplit('/').next().unwrap();
        let host = lab
            .host(name)
            .shell(OPERATIONS, shell)
            .option(&format!("Banner {}", banner.display()))
            .option("PrintMotd yes")
            .option("PermitTTY no")
            .option("MaxSessions 1")
            .start();
        let file = host.path("home").join(&home).join(rc);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        let seen = lab.ssh(&host, OPERATIONS, "true");
        assert!(
            seen.stdout.starts_with(b"noise"),
            "{shell} is quiet: {seen:?}"
        );
        lab.amps(&format!("orders-{name}"), &host);
    }
    for transport in ["auto", "exec"] {
        let run = lab.judge_with(by(transport));
        run.assert_go(20);
        true_digests(&lab, &run);
    }
}

#[test]
fn a_wrapper_that_prints_and_runs_what_was_asked() {
    if needs_root("a_wrapper_that_prints_and_runs_what_was_asked") {
        return;
    }
    let lab = Lab::new();
    let wrapper = lab.path("wrapper");
    fs::write(
        &wrapper,
        "#!/bin/sh\necho 'this session is recorded'\necho recorded >&2\nexec sh -c \"$SSH_ORIGINAL_COMMAND\"\n",
    )
    .unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    let forced = format!("ForceCommand {}", wrapper.display());
    let host = lab.host("ny4-1").option(&forced).start();
    lab.amps("orders", &host);
    // SFTP is spoilt by what it prints, and commands are not: `auto` takes the road that is left.
    for transport in ["auto", "exec"] {
        let run = lab.judge_with(by(transport));
        run.assert_go(4);
        true_digests(&lab, &run);
        let methods = run.report().to_string();
        assert!(
            methods.contains("\"method\":\"exec\"") && !methods.contains("\"method\":\"sftp\"")
        );
    }
    let run = lab.judge_with(|inventory| {
        by("sftp")(inventory);
        inventory["products"]["amps"]["artifacts"]["version"] = serde_json::json!({
            "kind": "version", "path": "{home}/VERSION", "match": "\\d+\\.\\d+\\.\\d+\\.\\d+",
        });
    });
    run.assert_only(&crate::lab::FOUR.map(|four| ("orders", OPS, four, "shell")));
    let told = run.check("orders", OPS, "version")["failure"].to_string();
    assert!(
        told.contains("this session is recorded") && told.contains("ForceCommand"),
        "{told}"
    );
}

#[test]
fn a_home_that_is_full_missing_or_shut_matters_to_nobody() {
    if needs_root("a_home_that_is_full_missing_or_shut_matters_to_nobody") {
        return;
    }
    let lab = Lab::new();
    for (name, line) in [
        (
            "full",
            "mount -t tmpfs -o size=4k,mode=777 none {home} && ! head -c 9000 /dev/zero >{home}/x",
        ),
        ("missing", "rmdir {home}"),
        ("shut", "chown 0:0 {home} && chmod 700 {home}"),
    ] {
        let host = lab.host(name).shell(OPERATIONS, "/usr/bin/fish").start();
        let home = host.path("home").join(OPERATIONS.uid.to_string());
        as_root_of(&host, &line.replace("{home}", &home.display().to_string()));
        let home = home.display().to_string();
        let write = lab.ssh(
            &host,
            OPERATIONS,
            &format!("echo more than nothing >{home}/y"),
        );
        assert!(!write.status.success(), "{name}: {write:?}");
        lab.amps(&format!("orders-{name}"), &host);
    }
    for transport in ["auto", "exec"] {
        lab.judge_with(by(transport)).assert_go(12);
    }
}
