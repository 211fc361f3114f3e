//! From a production host, by its own curl; and a vendor's SFTP drop.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::site::Site;
use super::{Office, at};
use crate::lab::{Lab, OPERATIONS, Run, is_root};

const FEATURE: &str = "\
Feature: Monitoring

  Scenario: <vendor> from <host>
    Given the \"echo\" vendor
    And each host that it is monitored from
    And the \"operations\" team
    When the team connects
    Then every monitoring URL answers the host within 5 seconds
";

fn judge(lab: &Lab, monitoring: &Value) -> Run {
    let mut inventory = lab.inventory();
    inventory["vendors"]["echo"]["monitoring"] = json!([monitoring]);
    lab.write_inputs(&inventory);
    fs::write(lab.operator().join("features/support.feature"), FEATURE).unwrap();
    lab.judge_as_written()
}

#[track_caller]
fn no_go(run: &Run, kind: &str, words: &str) {
    let failure = &run.checks()[0]["failure"];
    assert_eq!(run.code(), 1, "{}", run.told());
    assert_eq!(failure["kind"], kind, "{failure:#}");
    assert!(failure.to_string().contains(words), "{failure:#}");
}

#[test]
fn a_host_asks_by_its_own_curl_as_planned() {
    let (lab, site) = (Lab::new(), Site::start());
    let host = lab.host("ny4-1").start();
    // As an administrator would install it: readable for all.
    let ca = lab.path("ca.pem");
    fs::copy(site.ca(), &ca).unwrap();
    fs::set_permissions(&ca, fs::Permissions::from_mode(0o644)).unwrap();
    let body = |seconds| format!(r#"{{"updated":"{}"}}"#, at(seconds));
    site.put("health.json", &body(-30));
    let url = site.url("health.json");
    let well = json!({
        "url": url, "from": ["ny4-1"], "samples": 2, "host_ca": ca,
        "fresh": {"at": "/updated", "within": "10m"},
    });
    let run = judge(&lab, &well);
    assert_eq!(run.code(), 0, "{} {:#?}", run.told(), run.failures());
    let probe = &run.checks()[0]["probes"][0];
    assert_eq!(
        (&probe["how"], &probe["from"]),
        (&json!("curl"), &json!("ny4-1"))
    );
    assert_eq!(probe["samples"].as_array().unwrap().len(), 2);
    let hop = &probe["samples"][0]["hops"][0];
    assert_eq!(
        (&hop["status"], &hop["address"]),
        (&json!(200), &json!("127.0.0.1"))
    );
    assert!(
        hop["tls_us"].as_u64().unwrap() > 0 && probe["document"]["time"].is_string(),
        "{hop}"
    );
    assert_eq!(site.asked().len(), 2);
    let plan = lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    let plan = String::from_utf8(plan.stdout).unwrap();
    assert!(
        plan.contains("    execute  curl --disable --silent"),
        "{plan}"
    );
    assert!(plan.contains(&format!("--url {url}")), "{plan}");
    assert!(!plan.contains("from this machine"), "{plan}");
    assert_eq!(lab.verify(&run.dir).status.code(), Some(0));

    let with = |key: &str, value: Value| {
        let mut edited = well.clone();
        edited[key] = value;
        judge(&lab, &edited)
    };
    no_go(
        &with("host_ca", json!("/etc/hostname")),
        "mismatch",
        "certificate",
    );
    no_go(
        &with(
            "url",
            json!(format!("http://127.0.0.1:{}/broken", site.plain)),
        ),
        "io",
        "503",
    );
    no_go(
        &with("url", json!("http://127.0.0.1:1/")),
        "unreachable",
        "connect",
    );
    site.put("health.json", &body(-700));
    no_go(&judge(&lab, &well), "stale", "old");
    assert_eq!(with("fresh", Value::Null).code(), 2);
    if is_root() {
        site.put("health.json", &body(-1));
        let gone = host.inside("mount --bind /dev/null /usr/bin/curl");
        assert!(gone.status.success(), "{gone:?}");
        no_go(&judge(&lab, &well), "denied", "curl");
        // Not there at all: every program but this one.
        let (real, less) = (host.path("real"), host.path("less"));
        let (real, less) = (real.display(), less.display());
        let without = host.inside(&format!(
            "umount /usr/bin/curl && mkdir {real} {less} && chmod 755 {real} {less} && mount --bind /usr/bin {real} \
             && cp -rs {real}/. {less}/ && rm {less}/curl && mount --bind {less} /usr/bin"
        ));
        assert!(without.status.success(), "{without:?}");
        no_go(&judge(&lab, &well), "missing", "install curl on this host");
        // The same host as it was.
        let again = host.inside("umount /usr/bin");
        assert!(again.status.success(), "{again:?}");
        let run = judge(&lab, &well);
        assert_eq!(run.code(), 0, "{} {:#?}", run.told(), run.failures());
    }
}

#[test]
fn a_host_that_asks_nothing_is_refused_before_anything_is_connected() {
    let lab = Lab::new();
    lab.host("ny4-1").start();
    lab.host("ny4-2").start();
    let mut inventory = lab.inventory();
    inventory["vendors"]["echo"]["monitoring"] =
        json!([{"url": "http://127.0.0.1:1/", "from": ["ny4-1"]}]);
    lab.write_inputs(&inventory);
    let every = FEATURE.replace("And each host that it is monitored from", "And each host");
    fs::write(lab.operator().join("features/support.feature"), every).unwrap();
    let plan = lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    assert_eq!(plan.status.code(), Some(2));
    let said = String::from_utf8_lossy(&plan.stderr);
    assert!(
        said.contains("this host asks nothing of this vendor's"),
        "{said}"
    );
    let alone = FEATURE.replace("    Given the \"echo\" vendor\n", "");
    fs::write(lab.operator().join("features/support.feature"), alone).unwrap();
    let plan = lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    assert_eq!(plan.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&plan.stderr).contains("`it` is a vendor"));
}

#[test]
fn a_drop_box_has_its_own_key_lets_in_and_shows_its_directory() {
    let (lab, office) = (Lab::new(), Office::new());
    let host = lab.host("drop").record_sftp().start();
    let key = lab.path("operator/keys").join(OPERATIONS.team);
    fs::create_dir_all(host.path("cases")).unwrap();
    let intake = |pin: &str, more: &str| {
        format!(
            "    intake: [{{kind: sftp, host: \"{}\", port: {}, user: {}, host_key: \"{pin}\"{more}}}]",
            host.address.ip(),
            host.address.port(),
            OPERATIONS.login()
        )
    };
    let step = "every intake of the vendor can be reached";
    let with_key =
        |directory: &str| format!(", key: \"{}\", directory: \"{directory}\"", key.display());
    let pin = host.fingerprint();
    let there = host.path("cases").display().to_string();
    let run = office.ask(&intake(&pin, &with_key(&there)), step);
    let inbox = &run.is_go().probe(0)["inbox"];
    assert_eq!(
        (&inbox["login"], &inbox["directory"]),
        (&json!(true), &json!(there))
    );
    assert!(
        office.plan().contains(&format!("then looks at {there})")),
        "{}",
        office.plan()
    );
    office.verify(0);
    let requests = host.sftp_log();
    assert!(
        !requests.contains("open ") && !requests.contains("mkdir"),
        "{requests}"
    );
    let reached = office.ask(&intake(&pin, ""), step);
    assert_eq!(reached.is_go().probe(0)["inbox"]["login"], false);
    office.verify(0);
    let wrong = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for more in ["", &with_key(&there)] {
        office
            .ask(&intake(wrong, more), step)
            .is_no_go("host-key", "");
    }
    office
        .ask(&intake(&pin, &with_key("/nowhere/at/all")), step)
        .is_no_go("missing", "");
    office
        .ask(&intake(&pin, &with_key("/etc/passwd")), step)
        .is_no_go("not-regular", "none");
    let stranger = format!(", key: \"{}\"", lab.path("operator/keys/signer").display());
    office
        .ask(&intake(&pin, &stranger), step)
        .is_no_go("auth", "");
}
