//! What support asks of the host, learnt from a real one; and files that are listed and never opened.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::lab::{Amps, Host, Lab, OPERATIONS, Run};

const OPS: &str = OPERATIONS.team;

const HOST: &str = "\
Feature: The host

  Scenario: facts of <host>
    Given each host
    And the \"operations\" team
    When the team connects
    Then the operating system, kernel, limits and disk space of the host are known

  Scenario: room for the log of <instance>
    Given each instance
    When the team connects
    Then the file system of the event log has at least 1 % free

  Scenario: dumps of <instance>
    Given each instance
    When the team connects
    Then artifact \"minidumps\" can be listed
    And artifact \"minidumps\" lists no file newer than 1 day
";

/// As [`Lab::judge_with`], with [`HOST`] and an artifact of minidumps.
fn judge(lab: &Lab, edit: impl FnOnce(&mut Value)) -> Run {
    let mut inventory = lab.inventory();
    inventory["products"]["amps"]["artifacts"]["minidumps"] =
        json!({"kind": "other", "path": "{home}/dumps/*.dmp", "listing": true});
    edit(&mut inventory);
    lab.write_inputs(&inventory);
    fs::write(lab.operator().join("features/host.feature"), HOST).unwrap();
    lab.judge_as_written()
}

fn dumps(instance: &Amps) {
    fs::create_dir(instance.path("dumps")).unwrap();
    fs::set_permissions(instance.path("dumps"), fs::Permissions::from_mode(0o755)).unwrap();
}

/// A dump that nobody but its owner may read, so many hours old.
fn dump(instance: &Amps, name: &str, hours: u64) {
    let path = instance.path(&format!("dumps/{name}"));
    fs::write(&path, vec![7; 4096]).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(hours * 3600);
    let file = fs::File::options().write(true).open(&path);
    // Without root its owner cannot open it either: the mode comes last there.
    let set = |file: fs::File| file.set_modified(then).unwrap();
    match file {
        Ok(file) => set(file),
        Err(_) => {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            set(fs::File::options().write(true).open(&path).unwrap());
            fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        }
    }
}

fn pair() -> (Lab, Rc<Host>, Rc<Amps>, Rc<Amps>) {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let (orders, quotes) = (lab.amps("orders", &host), lab.amps("quotes", &host));
    dumps(&orders);
    dumps(&quotes);
    (lab, host, orders, quotes)
}

fn outcome<'r>(run: &'r Run, scenario: &str) -> Vec<&'r Value> {
    let checks = run.checks().iter();
    checks
        .filter(|check| check["scenario"].as_str().unwrap().starts_with(scenario))
        .collect()
}

#[test]
fn a_host_is_known_and_dumps_are_listed_unread() {
    let (lab, _host, orders, _) = pair();
    dump(&orders, "old.dmp", 48);
    let run = judge(&lab, |_| ());
    assert_eq!(run.code(), 0, "{}\n{:#?}", run.told(), run.failures());
    let facts = &run.report()["hosts"][0]["facts"];
    let is_word = |name: &str| facts[name].as_str().is_some_and(|word| !word.is_empty());
    assert!(
        is_word("os") && is_word("kernel") && is_word("machine"),
        "{facts:#}"
    );
    assert!(facts["memory_kib"].as_u64().unwrap() > 1000, "{facts:#}");
    assert!(facts["limits"]["open files"].is_string(), "{facts:#}");
    assert!(
        facts["disks"]
            .as_array()
            .unwrap()
            .iter()
            .any(|disk| disk["mounted_on"] == "/")
    );
    // No file at all is a listing, too.
    for (instance, files, bytes) in [("orders", 1, 4096), ("quotes", 0, 0)] {
        let listing = &run.check(instance, OPS, "dumps")["evidence"][0];
        assert_eq!(listing["method"], "listing");
        assert_eq!(listing["entries"], files, "{listing:#}");
        assert_eq!(listing["listed_bytes"], bytes, "{listing:#}");
    }
    for check in outcome(&run, "room") {
        assert_eq!(check["disks"].as_array().unwrap().len(), 1, "{check:#}");
    }
    let html = fs::read_to_string(run.dir.join("report.html")).unwrap();
    assert!(html.contains("of memory"));
    let verified = lab.verify(&run.dir);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}

#[test]
fn without_sftp_it_is_the_same() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").without_sftp().start();
    let orders = lab.amps("orders", &host);
    dumps(&orders);
    dump(&orders, "old.dmp", 48);
    let run = judge(&lab, |_| ());
    assert_eq!(run.code(), 0, "{}\n{:#?}", run.told(), run.failures());
}

#[test]
fn a_fresh_dump_is_a_finding() {
    let (lab, _host, orders, quotes) = pair();
    dump(&orders, "fresh.dmp", 1);
    dump(&orders, "old.dmp", 48);
    dump(&quotes, "old.dmp", 48);
    let run = judge(&lab, |_| ());
    run.assert_only(&[("orders", OPS, "dumps", "mismatch")]);
    let failure = &run.check("orders", OPS, "dumps")["failure"];
    assert!(
        failure["actual"].as_str().unwrap().contains("fresh.dmp"),
        "{failure:#}"
    );
}

#[test]
fn a_directory_that_is_not_there_is_no_empty_listing() {
    let (lab, _host, orders, _) = pair();
    orders.remove("dumps");
    judge(&lab, |_| ()).assert_only(&[("orders", OPS, "dumps", "missing")]);
}

#[test]
fn a_directory_that_may_not_be_read_is_no_empty_listing() {
    let (lab, _host, orders, _) = pair();
    orders.lock("dumps");
    judge(&lab, |_| ()).assert_only(&[("orders", OPS, "dumps", "denied")]);
}

/// A host on which another program of that name comes first.
fn with_own(name: &str, script: &str) -> Run {
    let lab = Lab::new();
    let own = lab.path("own");
    fs::create_dir(&own).unwrap();
    fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(own.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(own.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("SetEnv PATH={}:/usr/local/bin:/usr/bin:/bin", own.display());
    let host = lab.host("ny4-1").option(&path).start();
    dumps(&lab.amps("orders", &host));
    judge(&lab, |_| ())
}

#[test]
fn facts_that_are_none_are_refused() {
    for (name, script, kind) in [
        ("uname", "echo unknown", "mismatch"),
        ("uname", "echo 'uname: no' >&2; exit 1", "mismatch"),
        ("df", "echo 'df: cannot' >&2; exit 1", "mismatch"),
    ] {
        let run = with_own(name, script);
        let facts = outcome(&run, "facts")[0];
        assert_eq!(facts["failure"]["kind"], kind, "{script}: {facts:#}");
        assert!(run.report()["hosts"][0]["facts"].is_null());
    }
    // The twin: what it says is a kernel.
    let run = with_own("uname", "echo Linux 6.1.0 x86_64");
    assert_eq!(outcome(&run, "facts")[0]["outcome"], "passed");
}

#[test]
fn a_full_disk_is_a_finding_and_one_with_room_is_not() {
    let head = "echo 'Filesystem 1024-blocks Used Available Capacity Mounted on';";
    for (row, kind) in [
        ("/dev/a 1000 995 5 100% /", Some("mismatch")),
        ("/dev/a 1000 500 500 50% /", None),
        ("/dev/a x x x 50% /", Some("mismatch")),
    ] {
        let run = with_own("df", &format!("{head} echo '{row}'"));
        let room = run.check("orders", OPS, "room");
        assert_eq!(room["failure"]["kind"].as_str(), kind, "{row}: {room:#}");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_before_connecting() {
    let (lab, _host, ..) = pair();
    let refused = |edit: &dyn Fn(&mut Value), feature: &str, told: &str| {
        let mut inventory = lab.inventory();
        inventory["products"]["amps"]["artifacts"]["minidumps"] =
            json!({"kind": "other", "path": "{home}/dumps/*.dmp", "listing": true});
        edit(&mut inventory);
        lab.write_inputs(&inventory);
        fs::write(lab.operator().join("features/host.feature"), feature).unwrap();
        let plan = lab.run(&["plan", "-i", "inventory.yaml", "features"]);
        assert_eq!(plan.status.code(), Some(2), "{told}: {plan:?}");
        let stderr = String::from_utf8_lossy(&plan.stderr);
        assert!(stderr.contains(told), "{stderr}");
    };
    let own = |line: &str| {
        format!(
            "Feature: x\n\n  Scenario: x of <instance>\n    Given each instance\n    Then {line}\n"
        )
    };
    let nothing = |_: &mut Value| ();
    refused(
        &nothing,
        &own("artifact \"minidumps\" can be retrieved"),
        "never opened",
    );
    refused(
        &nothing,
        &own("the event log can be listed"),
        "is not a listing",
    );
    let percent = own("the file system of the event log has at least 100 % free");
    refused(&nothing, &percent, "100 % says nothing");
    let room = own("the file system of the version has at least 5 % free");
    refused(&nothing, &room, "lies in no file");
    let artifact = |key: &'static str, value: Value| {
        move |inventory: &mut Value| {
            inventory["products"]["amps"]["artifacts"]["minidumps"][key] = value.clone();
        }
    };
    let kind = artifact("kind", json!("log"));
    refused(&kind, HOST, "a listing is no proof");
    let directory = artifact("path", json!("/tmp"));
    refused(&directory, HOST, "ends in a pattern");
    let sftp = |inventory: &mut Value| {
        inventory["teams"][OPS]["transport"] = json!("sftp");
        let version = json!({"kind": "version", "path": "{home}/VERSION"});
        inventory["products"]["amps"]["artifacts"]["version"] = version;
    };
    refused(&sftp, HOST, "files only (`transport: sftp`)");
}
