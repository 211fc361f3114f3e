//! Why a version cannot be told, each reason produced for real on an `sshd` and told apart from the
//! others, beside an instance that nothing was done to; and versions that contradict each other.

use std::fs;
use std::process::Command;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::lab::{Amps, BANNER, Host, Lab, OPERATIONS};

const OPS: &str = OPERATIONS.team;

const SAME: &str = "\
Feature: One release

  Scenario: same version of <instance>
    Given each instance
    When the team connects
    Then the installed, running and logged version are the same
";

/// Tells what runs while it is gone from the disk, as after an installation without a restart.
const REPLACED: &str = "#!/bin/sh\n\
    d=$(mktemp -d); cp /bin/sleep $d/amps-5.3.4.12; $d/amps-5.3.4.12 9 >/dev/null 2>&1 & p=$!\n\
    sleep 0.2; rm -r $d; readlink /proc/$p/exe; kill $p\n";

/// A program of an instance in place of the healthy one.
fn program(instance: &Amps, bytes: &[u8]) {
    instance.write("bin/ampServer", bytes);
    instance.mode("bin/ampServer", 0o755);
}

/// A binary that needs `libgone.so`, with and without the symbol that it uses.
fn linked(lab: &Lab, library: Option<&str>) -> Vec<u8> {
    let dir = lab.path(library.unwrap_or("none"));
    fs::create_dir_all(&dir).unwrap();
    fs::set_permissions(&dir, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let build = |name: &str, source: &str, options: &[&str]| {
        let file = dir.join(format!("{name}.c"));
        fs::write(&file, source).unwrap();
        let mut cc = Command::new("cc");
        cc.arg("-o").arg(dir.join(name)).arg(&file).args(options);
        let made = cc.arg(format!("-L{}", dir.display())).output().unwrap();
        assert!(made.status.success(), "{made:?}");
    };
    let shared = ["-shared", "-fPIC"];
    build("libgone.so", "int amps_open(void) { return 0; }\n", &shared);
    let path = format!("-Wl,-rpath,{}", dir.display());
    let main = "int amps_open(void);\nint main(void) { return amps_open(); }\n";
    build("main", main, &["-lgone", &path]);
    match library {
        None => fs::remove_file(dir.join("libgone.so")).unwrap(),
        Some(_) => build("libgone.so", "int other(void) { return 0; }\n", &shared),
    }
    fs::read(dir.join("main")).unwrap()
}

/// The header of an ELF file for another processor than any that these tests run on (`EM_S390`).
fn foreign() -> Vec<u8> {
    let mut header = b"\x7fELF\x02\x02\x01".to_vec();
    header.resize(16, 0);
    header.extend([0, 2, 0, 22, 0, 0, 0, 1]);
    header.resize(4096, 0);
    header
}

/// An instance with its own `version`.
fn own(inventory: &mut Value, instance: &str, version: Value) {
    inventory["instances"][instance]["artifacts"] = json!({"version": version});
}

#[test]
fn every_reason_is_told_apart() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    type Break<'a> = Box<dyn Fn(&Amps) + 'a>;
    let script = |text: &'static str| -> Break<'static> {
        Box::new(move |instance| program(instance, text.as_bytes()))
    };
    let nothing = || -> Break<'static> { Box::new(|_| ()) };
    let cases: Vec<(&str, &str, &str, &str, Break<'_>)> = vec![
        (
            "path",
            "missing",
            "`ampServer` in the PATH",
            "absolute path",
            nothing(),
        ),
        (
            "gone",
            "missing",
            "a program at this path",
            "vars",
            Box::new(|i| i.remove("bin/ampServer")),
        ),
        (
            "library",
            "missing",
            "shared library libgone.so",
            "ldd",
            Box::new(|i| program(i, &linked(&lab, None))),
        ),
        (
            "symbol",
            "mismatch",
            "shared libraries of the release",
            "ldd",
            Box::new(|i| program(i, &linked(&lab, Some("old")))),
        ),
        (
            "foreign",
            "mismatch",
            "a program for this host's processor",
            "uname -m",
            Box::new(|i| program(i, &foreign())),
        ),
        (
            "interpreter",
            "missing",
            "the interpreter",
            "first line",
            script("#!/opt/none/python\nprint(1)\n"),
        ),
        (
            "env",
            "missing",
            "the interpreter",
            "PATH",
            script("#!/usr/bin/env no-such-python\nprint(1)\n"),
        ),
        (
            "licence",
            "mismatch",
            "a product with a valid licence",
            "licence",
            script("#!/bin/sh\necho 'license for 5.3.4.12 has expired' >&2\nexit 1\n"),
        ),
        (
            "unlicensed",
            "mismatch",
            "a product with a valid licence",
            "licence",
            script("#!/bin/sh\necho 'no valid license for 5.3.4.12 was found'\n"),
        ),
        (
            "killed",
            "io",
            "a program that ends by itself",
            "OOM",
            script("#!/bin/sh\nkill -9 $$\n"),
        ),
        (
            "old-cpu",
            "io",
            "a program that ends by itself",
            "processor",
            script("#!/bin/sh\nkill -4 $$\n"),
        ),
        (
            "denied",
            "denied",
            "exit status 0",
            "chmod",
            Box::new(|i| i.mode("bin/ampServer", 0o640)),
        ),
        (
            "part",
            "mismatch",
            "text in stdout or stderr",
            "within a number",
            script("#!/bin/sh\necho 'AMPS 15.3.4.12'\n"),
        ),
        (
            "stream",
            "empty",
            "some output on stdout",
            "`stream: stderr`",
            script("#!/bin/sh\necho 'AMPS 5.3.4.12' >&2\n"),
        ),
        (
            "replaced",
            "mismatch",
            "text in stdout or stderr",
            "restart",
            script(REPLACED),
        ),
    ];
    let mut broken = Vec::new();
    for (name, .., break_it) in &cases {
        let instance = lab.amps(name, &host);
        break_it(&instance);
        broken.push(instance);
    }
    lab.amps("healthy", &host);
    // A wrapper may warn on stderr, whatever it quotes there.
    let wrapped = lab.amps("wrapped", &host);
    let text = format!("#!/bin/sh\necho '/opt/amps-1.2.3.4: not found' >&2\necho '{BANNER}'\n");
    program(&wrapped, text.as_bytes());
    let run = lab.judge_with(|inventory| {
        let four = "\\d+\\.\\d+\\.\\d+\\.\\d+";
        let home = |name: &str| format!("{{home}}/{name}");
        let command = json!([home("bin/ampServer"), "--version"]);
        own(
            inventory,
            "path",
            json!({"kind": "version", "command": ["ampServer", "--version"]}),
        );
        let part =
            json!({"kind": "version", "command": command.clone(), "match": "5\\.3\\.4\\.\\d+"});
        own(inventory, "part", part);
        let stream =
            json!({"kind": "version", "command": command, "stream": "stdout", "match": four});
        own(inventory, "stream", stream);
    });
    let failed: Vec<_> = (cases.iter())
        .map(|(name, kind, ..)| (*name, OPS, "version", *kind))
        .collect();
    run.assert_only(&failed);
    for (name, _, expected, hint, _) in &cases {
        let failure = &run.check(name, OPS, "version")["failure"];
        let told = |word: &str| failure[word].as_str().unwrap().to_owned();
        assert!(
            told("expected").starts_with(expected),
            "{name}: {failure:#}"
        );
        assert!(told("hint").contains(hint), "{name}: {failure:#}");
    }
}

/// Two instances that run what is installed, and one of which something else is told.
fn releases() -> (Lab, Rc<Host>, Rc<Amps>) {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    for name in ["orders", "quotes"] {
        let instance = lab.amps(name, &host);
        instance.write("running", b"AMPS 5.3.4.12.973814.e1a57f7\n");
    }
    let orders = lab.amps("trades", &host);
    orders.write("running", b"AMPS 5.3.4.12.973814.e1a57f7\n");
    (lab, host, orders)
}

fn judge(lab: &Lab, edit: impl FnOnce(&mut Value)) -> crate::lab::Run {
    let mut inventory = lab.inventory();
    let four = "\\d+\\.\\d+\\.\\d+\\.\\d+";
    inventory["products"]["amps"]["artifacts"]["running version"] =
        json!({"kind": "version", "command": ["cat", "{home}/running"], "match": four});
    edit(&mut inventory);
    lab.write_inputs(&inventory);
    let feature = lab.operator().join("features/version.feature");
    fs::write(feature, SAME).unwrap();
    lab.judge_as_written()
}

#[test]
fn what_is_installed_is_what_runs() {
    let (lab, _host, trades) = releases();
    let run = judge(&lab, |_| ());
    run.assert_go(15);
    let verified = lab.verify(&run.dir);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");

    trades.write("running", b"AMPS 5.3.4.11.973000.c0ffee1\n");
    let run = judge(&lab, |_| ());
    run.assert_only(&[("trades", OPS, "same version", "mismatch")]);
    let failure = &run.check("trades", OPS, "same version")["failure"];
    let actual = "version 5.3.4.12, running version 5.3.4.11";
    assert_eq!(failure["actual"], actual, "{failure:#}");
    let verified = lab.verify(&run.dir);
    assert_eq!(verified.status.code(), Some(1), "{verified:?}");
}

#[test]
fn one_source_cannot_contradict_itself() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    lab.write_inputs(&lab.inventory());
    let feature = lab.operator().join("features/version.feature");
    fs::write(feature, SAME).unwrap();
    let refused = lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("only `version` tells a version"), "{told}");
    assert!(told.contains("version.feature:6:"), "{told}");
}

/// A line of the log as the product writes it when it starts.
fn log_start(instance: &Amps, version: &str) {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.0000000+00:00");
    let line = format!("{now} [1] info: 00-0015 AMPS {version}.973814.e1a57f7 started\n");
    let log = fs::read_to_string(instance.path(&instance.log())).unwrap() + &line;
    instance.write(&instance.log(), log.as_bytes());
}

#[test]
fn what_was_logged_is_what_is_installed() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    for (name, version) in [
        ("orders", Some("5.3.4.12")),
        ("quotes", Some("5.3.4.11")),
        ("trades", None),
    ] {
        let instance = lab.amps(name, &host);
        if let Some(version) = version {
            log_start(&instance, version);
        }
    }
    let mut inventory = lab.inventory();
    let pattern = json!("AMPS (\\d+\\.\\d+\\.\\d+\\.\\d+)");
    inventory["products"]["amps"]["artifacts"]["event log"]["match"] = pattern;
    lab.write_inputs(&inventory);
    fs::write(lab.operator().join("features/version.feature"), SAME).unwrap();
    let run = lab.judge_as_written();
    run.assert_only(&[
        ("quotes", OPS, "same version", "mismatch"),
        ("trades", OPS, "same version", "missing"),
    ]);
    let failure = &run.check("quotes", OPS, "same version")["failure"];
    let actual = "version 5.3.4.12, event log 5.3.4.11";
    assert_eq!(failure["actual"], actual, "{failure:#}");
    let verified = lab.verify(&run.dir);
    assert_eq!(verified.status.code(), Some(1), "{verified:?}");
}
