//! `gonogo case draft`: the vendor's template, filled in from runs over real sshd; and the step that says whether
//! it can be.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::rc::Rc;

use serde_json::json;

use crate::lab::{GONOGO, Host, Lab, Run};

const FACTS: &str = "
  Scenario: host of <instance>
    Given each instance
    And the \"operations\" team
    When the team connects
    Then the operating system, kernel, limits and disk space of the host are known
  Scenario: request of <vendor>
    Given each vendor
    Then no field of the request is left blank
";

const ANSWERS: [&str; 10] = [
    "--set",
    "severity=S1",
    "--set",
    "impact=orders are late",
    "--set",
    "since when=2026-11-22 09:10 UTC",
    "--set",
    "behaviour seen=no heartbeat {from} the gateway",
    "--set",
    "behaviour expected=one a second",
];

/// A lab whose vendor has the shipped template, and a run of it that asked the host as well.
fn ran() -> (Lab, Rc<Host>, Run) {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    let run = judge(&lab, |text| text);
    (lab, host, run)
}

fn judge(lab: &Lab, template: impl Fn(String) -> String) -> Run {
    let mut inventory = lab.inventory();
    inventory["products"]["amps"]["vendor"] = json!("60east");
    inventory["vendors"] = json!({"60east": {
        "contract": {"id": "60E-0417", "plan": "premium", "severities": {"S1": "1h", "S2": "4h"}},
        "contacts": {
            "ana": {"name": "Ana Silva", "email": "ana@bank.example.com", "phone": "+1 212 555 0100"},
            "ben": {"name": "Ben Okafor", "phone": "+1 212 555 0199"},
        },
        "primary": "ana",
        "backup": "ben",
        "request_template": "request.txt",
        "asked": ["severity", "impact", "since when", "behaviour seen", "behaviour expected"],
    }});
    lab.write_inputs(&inventory);
    let shipped = include_str!("../../inventories/60east-request.txt").to_owned();
    fs::write(lab.path("operator/request.txt"), template(shipped)).unwrap();
    let feature = lab.path("operator/features/support.feature");
    let text = fs::read_to_string(&feature).unwrap() + FACTS;
    fs::write(feature, text).unwrap();
    lab.judge_as_written()
}

fn draft(lab: &Lab, run: &Run, more: &[&str]) -> Output {
    let run = run.dir.to_str().unwrap();
    lab.run(
        &[
            &["case", "draft", "--run", run, "--instance", "orders"],
            more,
        ]
        .concat(),
    )
}

#[track_caller]
fn ends(output: &Output, code: i32, says: &[&str]) -> String {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{told}");
    for words in says {
        assert!(told.contains(words), "{words}: {told}");
    }
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const PROVEN: [&str; 2] = ["--allowed-signers", "allowed_signers"];

#[test]
fn a_request_is_filled_in_to_its_last_field() {
    let (lab, _host, run) = ran();
    assert_eq!(run.last_line(), "GO", "{}", run.told());
    let proven = [&PROVEN[..], &ANSWERS].concat();
    let page = ends(&draft(&lab, &run, &proven), 0, &[]);
    let id = run.report()["run"]["id"].as_str().unwrap();
    let kernel = rustix::system::uname();
    let kernel = [kernel.sysname(), kernel.release()].map(|word| word.to_string_lossy());
    let said = kernel.join(" ");
    let check = run.check("orders", "operations", "version");
    let digest = check["evidence"][0]["sha256"].as_str().unwrap();
    for words in [
        "Support request from contract 60E-0417 (premium)\n",
        "Version: 5.3.4.12\n",
        "Severity: S1\n",
        "no heartbeat {from} the gateway\n",
        "amps, orders (production)\n",
        &format!("Kernel: {said}\n"),
        "  Primary: Ana Silva, ana@bank.example.com, +12125550100\n",
        "  Backup: Ben Okafor, +12125550199\n",
        "retrieved by operations",
        &format!("run {id}, signed by"),
        "event log: ",
        "newest entry 2",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    // By the digest of what nobody redacted a short secret in it would be guessed.
    let is_hex = |c: char| c.is_ascii_hexdigit();
    let longest = page.split(|c| !is_hex(c)).map(str::len).max();
    for words in ["Not verified", "market-data", "SHA-256", digest] {
        assert!(!page.contains(words), "{words}: {page}");
    }
    assert!(longest < Some(64), "{page}");

    // The same once more, into a file, and never over one.
    let to_file = [&proven[..], &["-o", "request"]].concat();
    ends(&draft(&lab, &run, &to_file), 0, &[]);
    assert_eq!(
        fs::read_to_string(lab.path("operator/request")).unwrap(),
        page
    );
    ends(
        &draft(&lab, &run, &to_file),
        2,
        &["`request` exists already"],
    );

    // What nobody proved says so, on the page too; and each field may be of another inventory.
    let page = ends(&draft(&lab, &run, &ANSWERS), 0, &["not verified: "]);
    assert!(
        page.ends_with(&format!(
            "\nNot verified: nobody was asked who signed run {id}.\n"
        )),
        "{page}"
    );
    assert!(page.contains(&format!("run {id}, not verified:")), "{page}");
    let text = fs::read_to_string(lab.path("operator/inventory.yaml")).unwrap();
    let newer = text.replace("60E-0417", "60E-0500");
    fs::write(lab.path("operator/newer.yaml"), newer).unwrap();
    let page = ends(
        &draft(&lab, &run, &[&proven[..], &["-i", "newer.yaml"]].concat()),
        0,
        &[],
    );
    assert!(page.contains("contract 60E-0500"), "{page}");
    // The run keeps its template: that of the disk may change.
    fs::write(lab.path("operator/request.txt"), "{gone}").unwrap();
    ends(&draft(&lab, &run, &proven), 0, &[]);
    ends(
        &draft(&lab, &run, &[&proven[..], &["-i", "newer.yaml"]].concat()),
        2,
        &["unknown field `{gone}`", "request.txt:1:1"],
    );
    let verified = lab.verify(&run.dir);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    // A run that was changed is not quoted.
    let report = run.dir.join("report.json");
    let text = fs::read_to_string(&report)
        .unwrap()
        .replace("5.3.4.12", "5.3.4.13");
    fs::write(&report, text).unwrap();
    ends(
        &draft(&lab, &run, &proven),
        4,
        &["the run is not acceptable"],
    );
}

#[test]
fn whatever_is_blank_is_named_at_once_and_nothing_is_written() {
    let (lab, _host, run) = ran();
    let out = ["-o", "request"];
    let output = draft(&lab, &run, &out);
    ends(
        &output,
        2,
        &[
            "the field `severity` is left blank",
            "the field `impact` is left blank",
            "the field `since when` is left blank",
            "the field `behaviour seen` is left blank",
            "the field `behaviour expected` is left blank",
            "request.txt:4:",
            "--set 'impact=TEXT'",
        ],
    );
    for (change, words) in [
        ("impact=", "the field `impact` is left blank"),
        ("impact= \n ", "the field `impact` is left blank"),
        ("impact=TBD", "`TBD` is left over as the answer to `impact`"),
        ("impact={impact}", "`{impact}` is left over"),
        ("impact=T.B.D.", "`T.B.D.` is left over"),
        ("impact=n/a", "`n/a` is left over"),
        ("impact=[fill in]", "`[fill in]` is left over"),
        ("impact=the password is hunter2Xyz", "looks like a secret"),
        ("impact=pwd hunter2Xyz", "looks like a secret"),
        ("impact=as said in {behaviour seen}", "is left over"),
        (
            "impact=log in with password=hunter2-Xy9",
            "looks like a secret",
        ),
        ("impact=a\u{1b}[2Jb", "control characters"),
        ("impct=late", "did you mean `impact`?"),
        (
            "version=5.3.4.99",
            "the field `version` is filled in from the run",
        ),
        ("severity=S2", "the field `severity` is answered twice"),
        ("late", "names no field"),
    ] {
        let answers: Vec<&str> = ANSWERS
            .iter()
            .map(|one| match one.starts_with("impact=") {
                true => change,
                false => one,
            })
            .collect();
        let output = draft(&lab, &run, &[&answers[..], &out].concat());
        let told = ends(&output, 2, &[words]);
        assert!(told.is_empty() && !lab.path("operator/request").exists());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            !stderr.contains("hunter2") && !stderr.contains('\u{1b}'),
            "{stderr}"
        );
    }
    for (more, words) in [
        (
            vec!["--set-file", "impact=gone"],
            "cannot read `gone` for `impact`",
        ),
        (vec!["--set-file", "impact=keys"], "no regular file"),
        (vec!["--team", "nobody"], "team `nobody` is not responsible"),
        (vec!["--instance", "order"], "cannot be used multiple times"),
    ] {
        ends(&draft(&lab, &run, &more), 2, &[words]);
    }
    fs::write(
        lab.path("operator/impact.txt"),
        "orders are late\r\n\r\nsince nine\n",
    )
    .unwrap();
    let mut answers = ANSWERS.to_vec();
    (answers[2], answers[3]) = ("--set-file", "impact=impact.txt");
    let page = ends(&draft(&lab, &run, &answers), 0, &[]);
    assert!(
        page.contains("Impact: orders are late\n\nsince nine\nSince when:"),
        "{page}"
    );
}

#[test]
fn what_the_run_did_not_read_is_not_made_up() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    let good = judge(&lab, |text| text);
    assert_eq!(good.last_line(), "GO", "{}", good.told());

    // No version: a request says so, or a person does.
    orders.write("bin/ampServer", b"#!/bin/sh\nexit 1\n");
    let run = judge(&lab, |text| text);
    assert_eq!(run.last_line(), "NO-GO");
    let proven = [&PROVEN[..], &ANSWERS].concat();
    ends(
        &draft(&lab, &run, &proven),
        2,
        &["nothing fills in the field `version`", "request.txt:3:10"],
    );
    // What was given for it and is no answer is told once.
    let left = [&proven[..], &["--set", "version=TBD"]].concat();
    let output = draft(&lab, &run, &left);
    ends(
        &output,
        2,
        &["`TBD` is left over as the answer to `version`", "1 problem"],
    );
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!told.contains("nothing fills in"), "{told}");
    let told = [
        &proven[..],
        &["--set", "version=5.3.4.12, from the release note"],
    ]
    .concat();
    let page = ends(&draft(&lab, &run, &told), 0, &[]);
    assert!(
        page.contains("Version: 5.3.4.12, from the release note\n"),
        "{page}"
    );
}

#[test]
fn a_template_that_leaves_a_field_blank_is_no_go() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    for (old, new, words) in [
        ("Impact: {impact}\n", "Impact:\n", "`Impact:` is left blank"),
        ("{impact}", "{impakt}", "unknown field `{impakt}`"),
        ("{impact}", "{impact", "a `{` is not closed"),
        ("{impact}", "____________", "left to be written by hand"),
        ("{impact}", "see below", "`asked` names `impact`"),
    ] {
        let run = judge(&lab, |text| text.replacen(old, new, 1));
        assert_eq!(run.last_line(), "NO-GO", "{}", run.told());
        let failed = run.checks().last().unwrap()["failure"]["actual"].to_string();
        assert!(failed.contains(words), "{words}: {failed}");
        ends(
            &draft(&lab, &run, &ANSWERS),
            2,
            &[words, "inputs/vendor-1-60east.request.txt"],
        );
    }
    fs::remove_file(lab.path("operator/request.txt")).unwrap();
    let run = lab.judge_as_written();
    let failed = run.checks().last().unwrap()["failure"].to_string();
    assert!(
        failed.contains("No such file") && failed.contains("missing"),
        "{failed}"
    );
    assert_eq!(lab.verify(&run.dir).status.code(), Some(1));
}

/// The same on a terminal of its own (script(1)), where somebody types `keys`.
fn typed(lab: &Lab, run: &Run, keys: &str) -> String {
    let run = run.dir.to_str().unwrap();
    let line = format!("{GONOGO} case draft --run {run} --instance orders -o typed");
    let mut command = Command::new("timeout");
    command.args(["60", "script", "-q", "-e", "-c", &line, "/dev/null"]);
    command.envs(lab.environment()).env_remove("CI");
    let mut child = command
        .current_dir(lab.operator())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(keys.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_only_a_person_knows_is_asked_for_on_a_terminal() {
    let (lab, _host, run) = ran();
    let told = typed(
        &lab,
        &run,
        "S1\n\nTBD\norders are late\n9 UTC\nnothing\nsome\n",
    );
    for words in [
        "severity: ",
        "the field `impact` is left blank",
        "behaviour expected: ",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let page = fs::read_to_string(lab.path("operator/typed")).unwrap();
    assert!(
        page.contains("\nImpact: orders are late\nSince when: 9 UTC\n"),
        "{page}"
    );

    // Whoever has no answer three times writes none.
    fs::remove_file(lab.path("operator/typed")).unwrap();
    let told = typed(&lab, &run, "S1\n\n\n\n9 UTC\nnothing\nsome\n");
    assert!(told.contains("--set 'impact=TEXT'"), "{told}");
    assert!(!lab.path("operator/typed").exists());
}

#[test]
fn an_edited_run_is_quoted_to_nobody_and_a_severity_is_the_contracts() {
    let (lab, _host, run) = ran();
    let with = |severity: &'static str| -> Vec<&str> {
        let answers = ANSWERS
            .iter()
            .map(|one| match one.starts_with("severity=") {
                true => severity,
                false => one,
            });
        answers.collect()
    };
    let output = draft(&lab, &run, &with("severity=S9"));
    ends(
        &output,
        2,
        &["the contract has no severity `S9`", "it has S1, S2"],
    );
    // Told once, and not as blank beside it.
    for change in ["severity=S9", "severity=TBD"] {
        let told = draft(&lab, &run, &with(change)).stderr;
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(!told.contains("is left blank"), "{told}");
    }
    ends(
        &draft(&lab, &run, &with("severity=S2")),
        0,
        &["not verified: "],
    );
    let report = run.dir.join("report.json");
    let text = fs::read_to_string(&report).unwrap();
    fs::write(&report, text.replace("5.3.4.12", "5.3.4.13")).unwrap();
    let told = ends(
        &draft(&lab, &run, &ANSWERS),
        4,
        &["the run is not acceptable", "report.json"],
    );
    assert!(told.is_empty());
    fs::write(&report, text).unwrap();
    ends(&draft(&lab, &run, &ANSWERS), 0, &["not verified: "]);
    fs::remove_file(run.dir.join("SHA256SUMS")).unwrap();
    ends(
        &draft(&lab, &run, &ANSWERS),
        4,
        &["the run is not acceptable"],
    );
}
