//! Configurations on real servers: each fault turns its own check to NO-GO with the right kind, and its
//! benign twin is GO.

use std::fs;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::lab::{Amps, FEATURE, Host, Lab, OPERATIONS, Run};

const FORMATS: &str = "
  Scenario: settings of <instance>
    Given each instance
    When the team connects
    Then artifact \"settings\" can be retrieved
    And artifact \"settings\" is well-formed
";

struct Site {
    lab: Lab,
    orders: Rc<Amps>,
    _host: Rc<Host>,
}

impl Site {
    fn new() -> Self {
        let lab = Lab::new();
        let host = lab.host("ny4-1").start();
        let orders = lab.amps("orders", &host);
        Self {
            lab,
            orders,
            _host: host,
        }
    }

    /// Runs with an artifact `settings` beside the four, and these scenarios.
    fn judge(&self, settings: Value, scenarios: &str) -> Run {
        self.judge_with(scenarios, |artifacts| {
            artifacts["settings"] = settings;
        })
    }

    fn judge_with(&self, scenarios: &str, edit: impl FnOnce(&mut Value)) -> Run {
        let mut inventory = self.lab.inventory();
        edit(&mut inventory["products"]["amps"]["artifacts"]);
        self.lab.write_inputs(&inventory);
        let feature = self.lab.operator().join("features/support.feature");
        fs::write(feature, format!("{FEATURE}{scenarios}")).unwrap();
        self.lab.judge_as_written()
    }
}

fn scenario(steps: &[&str]) -> String {
    let head = "\n  Scenario: settings of <instance>\n    Given each instance\n    When the team connects\n";
    let steps = steps.iter().map(|step| format!("    Then {step}\n"));
    head.to_owned() + &steps.collect::<String>()
}

fn only_settings(run: &Run, kind: &str) -> Value {
    run.assert_only(&[("orders", OPERATIONS.team, "settings", kind)]);
    let check = run.check("orders", OPERATIONS.team, "settings");
    check["failure"].clone()
}

fn go(run: &Run, lab: &Lab) {
    run.assert_go(5);
    let verified = lab.verify(&run.dir);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}

/// What kind of failure, and what it says.
#[track_caller]
fn says(failure: &Value, words: &[&str]) {
    let told = format!("{failure}");
    for words in words {
        assert!(told.contains(words), "no `{words}` in {failure:#}");
    }
    assert!(!told.contains("hunter2"), "{failure:#}");
}

#[test]
fn each_format_is_well_formed_or_its_fault_has_a_place() {
    let site = Site::new();
    for (format, good, bad, place) in [
        (
            "yaml",
            "a: {b: 1}\n",
            "a: 1\na: hunter2\n",
            "line 2, column 1",
        ),
        ("json", "{\"a\": 1}", "{\"a\": hunter2}", "line 1, column 7"),
        (
            "ini",
            "[mysqld]\nport = 1\n",
            "port = 1\n[mysqld]\n",
            "line 1, column 1",
        ),
        (
            "conf",
            "port = 1 # x\nsave 3600 1\n",
            "a = 1\npw = 'hunter2\n",
            "line 2, column 6",
        ),
        (
            "properties",
            "a=b\\\n c\n",
            "p=hunter2\\u12\n",
            "line 1, column 1",
        ),
        (
            "nginx",
            "http { server { listen 1; } }\n",
            "http {\n  listen 1\n}\n",
            "line 3, column 1",
        ),
        (
            "haproxy",
            "global\n  maxconn 1\n",
            "glboal\n  maxconn 1\n",
            "line 1, column 1",
        ),
        ("xml", "<a><b/></a>", "<a>\n<b></a>", "line 2, column 4"),
    ] {
        let artifact = json!({
            "kind": "configuration", "path": "{home}/settings.txt", "format": format,
        });
        site.orders.write("settings.txt", good.as_bytes());
        go(&site.judge(artifact.clone(), FORMATS), &site.lab);
        site.orders.write("settings.txt", bad.as_bytes());
        let failure = only_settings(&site.judge(artifact, FORMATS), "corrupt");
        says(&failure, &[place, "settings.txt"]);
    }
}

#[test]
fn what_is_no_configuration_has_its_own_failure() {
    let site = Site::new();
    let artifact = json!({
        "kind": "configuration", "path": "{home}/settings.txt", "format": "nginx",
    });
    for (bytes, kind, words) in [
        (
            &b"# nothing\n\n# at all\n"[..],
            "empty",
            "comments and blanks only",
        ),
        (b"user x;\n\0\0\0\0\0", "corrupt", "NUL bytes from line 2"),
        (
            b"<!doctype html><html>502 Bad Gateway</html>",
            "corrupt",
            "an HTML page",
        ),
        (b"\xff\xfeu\0s\0", "corrupt", "UTF-16"),
        (b"\x1f\x8b\x08\x08\x01\x02", "corrupt", "binary bytes"),
    ] {
        site.orders.write("settings.txt", bytes);
        let failure = only_settings(&site.judge(artifact.clone(), FORMATS), kind);
        says(&failure, &[words]);
    }
}

/// Bombs are refused within seconds, and gonogo stays small.
#[test]
fn bombs_are_refused_in_bounded_time_and_memory() {
    use std::process::Command;
    use std::time::Duration;

    use crate::lab::{GONOGO, Watched, watched};

    let site = Site::new();
    let mut laughs = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (new, old) in ('b'..='j').zip('a'..) {
        let nine = vec![format!("*{old}"); 9].join(", ");
        laughs.push_str(&format!("{new}: &{new} [{nine}]\n"));
    }
    let entities =
        "<!DOCTYPE a [<!ENTITY b \"xxxxxxxxxx\"><!ENTITY c \"&b;&b;&b;&b;\">]>\n<a>&c;</a>";
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    // Its bytes alone pass the cap.
    let huge = format!("<a b=\"{}\"/>", "x".repeat(17 << 20));
    for (format, text, kind) in [
        ("yaml", laughs.as_str(), "too-large"),
        ("xml", entities, "corrupt"),
        ("xml", &deep, "too-large"),
        ("xml", &huge, "too-large"),
    ] {
        site.orders.write("settings.txt", text.as_bytes());
        let artifact = json!({
            "kind": "configuration", "path": "{home}/settings.txt", "format": format,
        });
        only_settings(&site.judge(artifact, FORMATS), kind);
        let mut command = Command::new(GONOGO);
        let out = site.lab.next_out();
        command
            .args(site.lab.run_args(&out))
            .envs(site.lab.environment())
            .env_remove("SSH_AUTH_SOCK")
            .current_dir(site.lab.operator());
        let run = watched(command, Duration::from_secs(60));
        assert_eq!(run.code, Some(1), "{}", run.told);
        let Watched { memory, took, .. } = run;
        assert!(memory < 512 << 10, "{format}: {memory} KiB in {took:?}");
        println!("{format}, {} bytes: {took:?}, {memory} KiB", text.len());
    }
}

const COMPLETE: &[&str] = &[
    "artifact \"settings\" can be retrieved",
    "artifact \"settings\" is complete with everything it includes",
];

fn nginx(includes: &[&str]) -> Value {
    json!({
        "kind": "configuration", "path": "{home}/nginx/nginx.conf", "format": "nginx",
        "includes": includes,
    })
}

#[test]
fn includes_are_followed_and_each_way_they_fail_is_told() {
    let site = Site::new();
    let steps = scenario(COMPLETE);
    fs::create_dir_all(site.orders.path("nginx/conf.d")).unwrap();
    let write =
        |name: &str, text: &str| site.orders.write(&format!("nginx/{name}"), text.as_bytes());
    write("mime.types", "types { text/html html; }\n");
    write(
        "nginx.conf",
        "http {\n  include mime.types;\n  include conf.d/*.conf;\n  include none.d/*.conf;\n}\n",
    );
    write(
        "conf.d/a.conf",
        "server { include mime.types; listen 1; }\n",
    );
    write("conf.d/.hidden.conf", "broken");
    let planned = ["{home}/nginx/mime.types", "{home}/nginx/*.d/*.conf"];
    let run = site.judge(nginx(&planned), &steps);
    go(&run, &site.lab);
    let check = run.check("orders", OPERATIONS.team, "settings");
    let evidence = check["evidence"].as_array().unwrap();
    let names: Vec<&str> = evidence
        .iter()
        .map(|item| item["path"].as_str().unwrap().rsplit('/').next().unwrap())
        .collect();
    assert_eq!(names, ["nginx.conf", "mime.types", "a.conf"], "{check:#}");
    assert!(
        evidence
            .iter()
            .all(|item| item["settings"]["complete"] == true)
    );
    // What is read stands in the plan.
    let plan = site.lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
    assert!(plan.contains("/nginx/*.d/*.conf"), "{plan}");

    // Outside of the plan: the hint says what to add, and nothing was read.
    let failure = only_settings(&site.judge(nginx(&planned[..1]), &steps), "missing");
    says(
        &failure,
        &["line 3 of", "conf.d/*.conf", "`includes:`", "nginx.conf"],
    );
    // The phrase alone demands the same where `includes:` is not written.
    let mut without = nginx(&[]);
    without.as_object_mut().unwrap().remove("includes");
    let failure = only_settings(&site.judge(without.clone(), &steps), "missing");
    says(&failure, &["line 2 of", "mime.types"]);
    site.judge(without, &scenario(&COMPLETE[..1])).assert_go(5);
    // Missing.
    fs::remove_file(site.orders.path("nginx/mime.types")).unwrap();
    let failure = only_settings(&site.judge(nginx(&planned), &steps), "missing");
    says(&failure, &["line 2 of", "mime.types"]);
    // A circle.
    write("mime.types", "include mime.types;\n");
    let failure = only_settings(&site.judge(nginx(&planned), &steps), "corrupt");
    says(&failure, &["line 1 of", "mime.types again"]);
    // Included, and not well-formed.
    write("mime.types", "types { text/html html }\n");
    let well_formed = scenario(&["artifact \"settings\" is well-formed"]);
    let failure = only_settings(&site.judge(nginx(&planned), &well_formed), "corrupt");
    says(&failure, &["mime.types", "a `;` is missing in line 1"]);
}

#[test]
fn postgresqls_and_mysqls_includes_are_followed_as_they_mean_them() {
    let site = Site::new();
    let steps = scenario(COMPLETE);
    fs::create_dir_all(site.orders.path("pg/conf.d/more")).unwrap();
    let write = |name: &str, text: &str| site.orders.write(name, text.as_bytes());
    write(
        "pg/postgresql.conf",
        "port = 1\ninclude_dir 'conf.d'\ninclude_if_exists 'none.conf'\n",
    );
    write("pg/conf.d/a.conf", "include 'more/b.conf'\n");
    write("pg/conf.d/more/b.conf", "log_destination = 'stderr'\n");
    write("pg/conf.d/README", "no configuration");
    let artifact = json!({
        "kind": "configuration", "path": "{home}/pg/postgresql.conf", "format": "conf",
        "includes": ["{home}/pg/conf.d/*.conf", "{home}/pg/conf.d/more/*.conf", "{home}/pg/none.conf"],
        "findings": [{"setting": "log_destination", "absent": true, "says": "no log", "hint": "log"}],
    });
    let keeps = "artifact \"settings\" keeps the evidence that support will ask for";
    let run = site.judge(
        artifact.clone(),
        &scenario(&[COMPLETE[0], COMPLETE[1], keeps]),
    );
    go(&run, &site.lab);
    let check = run.check("orders", OPERATIONS.team, "settings");
    assert_eq!(check["evidence"].as_array().unwrap().len(), 3, "{check:#}");
    write("pg/conf.d/a.conf", "include 'b.conf'\n");
    let failure = only_settings(&site.judge(artifact, &steps), "missing");
    says(&failure, &["line 1 of", "conf.d/b.conf"]);

    let home = &site.orders.home;
    fs::create_dir_all(site.orders.path("my/conf.d")).unwrap();
    write(
        "my/my.cnf",
        &format!("[client]\nport=1\n!includedir {home}/my/conf.d/\n"),
    );
    write("my/conf.d/a.cnf", "[mysqld]\nport=2\n");
    let artifact = json!({
        "kind": "configuration", "path": "{home}/my/my.cnf", "format": "ini",
        "includes": ["{home}/my/conf.d/*.cnf"],
    });
    go(&site.judge(artifact, &steps), &site.lab);
}

#[test]
fn another_instances_configuration_is_noticed_in_every_format() {
    let site = Site::new();
    let steps = scenario(&["artifact \"settings\" belongs to this instance"]);
    let artifact = json!({
        "kind": "configuration", "path": "{home}/settings.txt", "format": "conf",
        "name": "cluster_name",
    });
    site.orders.write(
        "settings.txt",
        b"cluster_name = 'quotes'\ncluster_name = 'orders'\n",
    );
    go(&site.judge(artifact.clone(), &steps), &site.lab);
    for other in ["Orders", "quotes", ""] {
        let text = format!("cluster_name = '{other}'\n");
        site.orders.write("settings.txt", text.as_bytes());
        only_settings(&site.judge(artifact.clone(), &steps), "mismatch");
    }
}

#[test]
fn the_shipped_sample_is_told_from_a_configuration() {
    let site = Site::new();
    let steps = scenario(&["artifact \"settings\" is not the shipped sample"]);
    let artifact = json!({
        "kind": "configuration", "path": "{home}/settings.txt", "format": "conf",
        "shipped": ["{home}/share/*.sample", "{home}/none/sample"],
    });
    site.orders.write("settings.txt", b"# mine\nport   1\n");
    // Nothing to compare with proves nothing.
    only_settings(&site.judge(artifact.clone(), &steps), "missing");
    fs::create_dir_all(site.orders.path("share")).unwrap();
    site.orders
        .write("share/x.sample", b"# The port\nport 1\n\n");
    let failure = only_settings(&site.judge(artifact.clone(), &steps), "mismatch");
    says(&failure, &["share/x.sample", "settings.txt"]);
    site.orders.write("settings.txt", b"port 2\n");
    let run = site.judge(artifact, &steps);
    go(&run, &site.lab);
    let check = run.check("orders", OPERATIONS.team, "settings");
    assert_eq!(check["evidence"].as_array().unwrap().len(), 1, "{check:#}");
    let shipped = check["evidence"][0]["settings"]["shipped"].to_string();
    assert!(shipped.contains("x.sample"), "{check:#}");
}

#[test]
fn drift_between_disk_and_the_running_copy_is_told_setting_by_setting() {
    let site = Site::new();
    let steps = scenario(&["artifact \"settings\" is the one that is running"]);
    let judge = |format: &str, live: &str| {
        let (format, live) = (format.to_owned(), live.to_owned());
        site.judge_with(&steps, |artifacts| {
            artifacts["settings"] = json!({
                "kind": "configuration", "path": "{home}/settings.txt", "format": format,
                "running": "live settings",
            });
            artifacts["live settings"] = json!({
                "kind": "other", "command": ["/bin/cat", "{home}/live.txt"], "format": live,
            });
        })
    };
    let write = |disk: &str, live: &str| {
        site.orders.write("settings.txt", disk.as_bytes());
        site.orders.write("live.txt", live.as_bytes());
    };
    write(
        "shared_buffers = 128MB\nfsync = on\nport = 1\nport = 2\nunknown = 1\n",
        "fsync=true\nport=2\nshared_buffers=131072kB\nother=9\n",
    );
    let run = judge("conf", "properties");
    go(&run, &site.lab);
    let check = run.check("orders", OPERATIONS.team, "settings");
    let running = &check["evidence"][0]["settings"]["running"];
    assert_eq!(running["compared"], 3, "{check:#}");
    write(
        "port = 2\nrequirepass hunter2\n",
        "port=3\nrequirepass=hunter2hunter2\n",
    );
    let failure = only_settings(&judge("conf", "properties"), "mismatch");
    says(
        &failure,
        &[
            "2 differences",
            "port=2 on disk",
            "settings.txt:1",
            "port=3 running",
            "[redacted]",
        ],
    );
    write("port = 2\n", "other=1\n");
    says(
        &only_settings(&judge("conf", "properties"), "mismatch"),
        &["no setting"],
    );

    let xml = |name: &str, extra: &str| {
        format!(
            "<AMPSConfig><Name>{name}</Name><Admin><FileName>/x/s.db</FileName></Admin>{extra}</AMPSConfig>"
        )
    };
    write(
        &xml("${WHO}", "").replace("/x/", "/${X}/"),
        &xml("orders", ""),
    );
    go(&judge("xml", "xml"), &site.lab);
    write(&xml("orders", ""), &xml("orders", "<Group>g</Group>"));
    says(
        &only_settings(&judge("xml", "xml"), "mismatch"),
        &["AMPSConfig/Group"],
    );
}

#[test]
fn a_file_does_not_prove_itself_to_be_running() {
    let site = Site::new();
    site.orders.write("settings.txt", b"port = 2\n");
    let steps = scenario(&["artifact \"settings\" is the one that is running"]);
    let judge = |live: &str| {
        site.judge_with(&steps, |artifacts| {
            artifacts["settings"] = json!({
                "kind": "configuration", "path": "{home}/settings.txt", "format": "conf",
                "running": "live settings",
            });
            artifacts["live settings"] = json!({"kind": "other", "path": live, "format": "conf"});
        })
    };
    let run = judge("{home}/settings.txt");
    assert_eq!(run.code(), 2, "{}", run.told());
    assert!(
        run.told().contains("would always be the same"),
        "{}",
        run.told()
    );
    // The same by another pattern.
    let failure = only_settings(&judge("{home}/settings.*"), "mismatch");
    says(&failure, &["one file was read for both", "settings.txt"]);
    site.orders.write("live.txt", b"port = 2\n");
    go(&judge("{home}/live.txt"), &site.lab);
}

#[test]
fn settings_that_destroy_evidence_are_a_gap_with_their_lines() {
    let site = Site::new();
    let steps = "
  Scenario: settings of <instance>
    Given each instance
    When the team connects
    Then the configuration keeps the evidence that support will ask for
";
    let whole = |admin: &str, targets: &str| {
        let text = format!(
            "<AMPSConfig>\n<Name>orders</Name>\n{admin}\n<Logging>{targets}</Logging>\n</AMPSConfig>\n"
        );
        site.orders.write("config/config.xml", text.as_bytes());
        site.judge_with(steps, |_| ())
    };
    fs::remove_file(site.orders.path("config/logging.xml")).unwrap();
    let admin = "<Admin><FileName>stats.db</FileName></Admin>";
    let target = |inner: &str| format!("<Target><Protocol>file</Protocol>{inner}</Target>");
    let good = target(
        "<FileName>a-%n.log</FileName><Level>info</Level><RotationThreshold>1G</RotationThreshold>",
    );
    go(&whole(admin, &good), &site.lab);
    for (admin, targets, words) in [
        ("", good.as_str(), "`Admin`"),
        (
            "<Admin><FileName>:memory:</FileName></Admin>",
            &good,
            "config.xml:3",
        ),
        (
            "<Admin><InetAddr>8085</InetAddr></Admin>",
            &good,
            "AMPSConfig/Admin/FileName",
        ),
        (admin, "", "AMPS writes no log"),
        (
            admin,
            &target(
                "<FileName>a.log</FileName><Level>info</Level><RotationThreshold>1G</RotationThreshold>",
            ),
            "truncates itself",
        ),
        (
            admin,
            &target("<FileName>a-%n.log</FileName><Level>error</Level>"),
            "config.xml:4",
        ),
        (admin, &target("<FileName>a-%n.log</FileName>"), "no level"),
    ] {
        let failure = only_settings(&whole(admin, targets), "gap");
        says(&failure, &[words, "config.xml", "1 finding:"]);
    }
    // All of them in one failure, the worst first.
    let failure = only_settings(&whole("", ""), "gap");
    says(&failure, &["2 findings: `Logging/Target`"]);
}

#[test]
fn keys_of_a_configuration_are_judged_before_anything_is_contacted() {
    let site = Site::new();
    for (artifact, steps, words) in [
        (
            json!({"kind": "configuration", "path": "{home}/x", "format": "plain", "includes": ["/x"]}),
            vec![],
            "needs a format that can be parsed",
        ),
        (
            json!({"kind": "configuration", "command": ["/x"], "format": "nginx", "includes": ["/x"]}),
            vec![],
            "looked for beside a file",
        ),
        (
            json!({"kind": "configuration", "path": "{home}/x", "format": "nginx", "includes": ["conf.d/*"]}),
            vec![],
            "must be absolute",
        ),
        (
            json!({"kind": "configuration", "path": "{home}/x", "format": "nginx", "shipped": ["/a/../b"]}),
            vec![],
            "may not climb",
        ),
        (
            json!({"kind": "configuration", "path": "{home}/x", "format": "nginx"}),
            vec!["artifact \"settings\" is not the shipped sample"],
            "has no `shipped:",
        ),
        (
            json!({"kind": "configuration", "path": "{home}/x", "format": "nginx", "running": "nothing"}),
            vec!["artifact \"settings\" is the one that is running"],
            "has no artifact `nothing`",
        ),
        (
            json!({"kind": "configuration", "path": "{home}/x", "format": "nginx"}),
            vec!["artifact \"settings\" keeps the evidence that support will ask for"],
            "has no `findings:",
        ),
        (
            json!({"kind": "configuration", "path": "{home}/x", "format": "conf"}),
            vec!["artifact \"settings\" belongs to this instance"],
            "`name:",
        ),
    ] {
        let run = match steps.is_empty() {
            true => site.judge(artifact, ""),
            false => site.judge(artifact, &scenario(&steps)),
        };
        assert_eq!(run.code(), 2, "{}", run.told());
        assert!(run.told().contains(words), "{words}\n{}", run.told());
    }
}
