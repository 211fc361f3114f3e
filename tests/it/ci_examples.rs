//! The examples of docs/ci.md and of the README, run as their platforms run them: with a GO they deploy, with
//! a NO-GO, with a run that was tampered with, and with an old one they do not.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::lab::{GONOGO, Lab, keygen};

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The fenced blocks of that language, in order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let after = page.split(&fence).skip(1);
    after
        .map(|rest| rest.split("\n```").next().unwrap().to_owned() + "\n")
        .collect()
}

fn yaml(page: &str, word: &str) -> Value {
    let found = blocks(page, "yaml");
    let found: Vec<_> = found.iter().filter(|block| block.contains(word)).collect();
    assert_eq!(found.len(), 1, "{word}");
    serde_saphyr::from_str(found[0]).unwrap()
}

/// One job: what it needs, whether it runs although that failed, and its scripts.
#[derive(Debug)]
struct Job {
    name: String,
    needs: Vec<String>,
    always: bool,
    scripts: Vec<String>,
}

fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(word) => vec![word.clone()],
        Value::Array(all) => all.iter().flat_map(words).collect(),
        _ => Vec::new(),
    }
}

fn github() -> Vec<Job> {
    let told = yaml(&page("docs/ci.md"), "runs-on:");
    let order = ["readiness", "gate", "deploy"];
    assert_eq!(told["jobs"].as_object().unwrap().len(), order.len());
    let job = |name: &str| {
        let job = &told["jobs"][name];
        let steps = job["steps"].as_array().unwrap().iter();
        assert!(job["continue-on-error"].is_null(), "{name}");
        Job {
            name: name.to_owned(),
            needs: words(&job["needs"]),
            always: !job["if"].is_null(),
            scripts: steps
                .filter_map(|step| Some(step["run"].as_str()?.to_owned()))
                .collect(),
        }
    };
    order.map(job).into()
}

fn gitlab() -> Vec<Job> {
    let told = yaml(&page("docs/ci.md"), "dotenv:");
    let stages = words(&told["stages"]).into_iter();
    let job = |name: String| {
        let job = &told[&name];
        assert!(job["allow_failure"].is_null(), "{name}");
        Job {
            needs: words(&job["needs"]),
            always: job["when"] == "always",
            scripts: vec![words(&job["script"]).join("\n")],
            name,
        }
    };
    stages.map(job).collect()
}

fn jenkins() -> Vec<Job> {
    let page = page("docs/ci.md");
    let found = blocks(&page, "groovy");
    assert_eq!(found.len(), 1);
    let stages = found[0].split("stage('").skip(1);
    let mut before = Vec::new();
    let job = |stage: &str| {
        let (name, body) = stage.split_once('\'').unwrap();
        let mut scripts = Vec::new();
        let mut rest = body;
        while let Some((_, after)) = rest.split_once(" sh '") {
            let quote = if after.starts_with("''") { "'''" } else { "'" };
            let after = after.trim_start_matches('\'');
            let (script, after) = after.split_once(quote).unwrap();
            // Groovy takes a backslash at the end of a line as no line end.
            scripts.push(script.replace("\\\n", ""));
            rest = after;
        }
        let needs = before.clone();
        before = vec![name.to_owned()];
        // A stage that failed ends the build.
        Job {
            name: name.to_owned(),
            needs,
            always: false,
            scripts,
        }
    };
    stages.map(job).collect()
}

/// Runs one script as the platform does, in the operator's directory.
fn script(lab: &Lab, shell: &[&str], script: &str, more: &BTreeMap<String, String>) -> bool {
    let place = lab.operator();
    let bin = Path::new(GONOGO).parent().unwrap().to_str().unwrap();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).arg(script).current_dir(&place);
    command.envs(lab.environment()).env("PATH", path).envs(more);
    command.env("GITHUB_OUTPUT", place.join("output"));
    command.env("GITHUB_STEP_SUMMARY", place.join("summary"));
    let output = command.env_remove("SSH_AUTH_SOCK").output().unwrap();
    output.status.success()
}

/// Runs the jobs in their order and says whether it was deployed.
fn pipeline(lab: &Lab, jobs: &[Job], shell: &[&str], key: &str) -> bool {
    let place = lab.operator();
    for name in ["deployed", "gonogo.env", "output", "summary"] {
        let _ = fs::remove_file(place.join(name));
    }
    let mut variables = BTreeMap::from([("GONOGO_SIGNING_KEY".to_owned(), key.to_owned())]);
    let mut passed: Vec<&str> = Vec::new();
    for job in jobs {
        let is_due = job.needs.iter().all(|need| passed.contains(&need.as_str()));
        if !is_due && !job.always {
            continue;
        }
        let run = |one: &String| script(lab, shell, one, &variables);
        // Jenkins takes the run to another workspace meanwhile; here there is one.
        let scripts = job
            .scripts
            .iter()
            .filter(|one| job.name != "gate" || one.as_str() != "rm -rf run");
        if scripts.into_iter().all(run) {
            passed.push(&job.name);
        }
        if let Ok(file) = fs::read_to_string(place.join("gonogo.env")) {
            let pairs = file.lines().filter_map(|line| line.split_once('='));
            variables.extend(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())));
        }
    }
    place.join("deployed").exists()
}

const BASH: [&str; 6] = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"];
const SH: [&str; 3] = ["sh", "-xe", "-c"];

#[test]
fn each_example_deploys_a_go_and_no_no_go() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    lab.write_inputs(&lab.inventory());
    let operator = lab.operator();
    let deploy = operator.join("deploy.sh");
    fs::write(&deploy, "#!/bin/sh\n: > deployed\n").unwrap();
    fs::set_permissions(&deploy, fs::Permissions::from_mode(0o700)).unwrap();
    let file = operator.join("keys/signer");
    let content = fs::read_to_string(&file).unwrap();
    let content = content.trim_end();
    let file = file.to_str().unwrap();
    let examples = [
        ("GitHub", github(), &BASH[..], content),
        ("GitLab", gitlab(), &BASH[..], file),
        ("Jenkins", jenkins(), &SH[..], file),
    ];
    for (name, jobs, shell, key) in &examples {
        assert_eq!(jobs.len(), 3, "{name}");
        assert!(
            pipeline(&lab, jobs, shell, key),
            "{name}: a GO is not deployed: {jobs:?}"
        );
    }
    orders.lock("config/config.xml");
    for (name, jobs, shell, key) in &examples {
        assert!(
            !pipeline(&lab, jobs, shell, key),
            "{name}: a NO-GO is deployed"
        );
        // The gate alone, whatever became of the run: here, were somebody to wrap it in `|| true`.
        let gate = jobs.iter().find(|job| job.name == "gate").unwrap();
        let verify = gate.scripts.last().unwrap();
        assert!(
            !script(&lab, shell, verify, &BTreeMap::new()),
            "{name}: the gate passes a NO-GO"
        );
        let weakened: Vec<Job> = jobs
            .iter()
            .map(|job| Job {
                name: job.name.clone(),
                needs: job.needs.clone(),
                always: job.always,
                scripts: match job.name.as_str() {
                    "readiness" => job
                        .scripts
                        .iter()
                        .map(|one| format!("{one}\n:"))
                        .map(|one| one.replace("--key \"$key\"", "--key \"$key\" || true"))
                        .collect(),
                    _ => job.scripts.clone(),
                },
            })
            .collect();
        assert!(
            !pipeline(&lab, &weakened, shell, key),
            "{name}: weakened, it deploys a NO-GO"
        );
        let told = fs::read_to_string(operator.join("gonogo.env")).unwrap_or_default();
        assert!(
            told.is_empty() || told.contains("GONOGO_VERDICT=NO-GO\n"),
            "{told}"
        );
    }
}

#[test]
fn no_gate_of_an_example_lets_a_run_pass_that_is_not_acceptable() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    let run = lab.judge();
    run.assert_go(4);
    let operator = lab.operator();
    fs::rename(&run.dir, operator.join("run")).unwrap();
    let readme = blocks(&page("README.md"), "yaml");
    let readme = readme
        .iter()
        .find(|block| block.contains("gonogo verify"))
        .unwrap();
    let readme: Value = serde_saphyr::from_str(readme).unwrap();
    let short = readme["jobs"]["gate"]["steps"].as_array().unwrap().iter();
    let short: Vec<_> = short.filter_map(|step| step["run"].as_str()).collect();
    assert_eq!(short.len(), 1);
    let gate = |jobs: Vec<Job>| {
        jobs.into_iter()
            .find(|job| job.name == "gate")
            .unwrap()
            .scripts
            .pop()
            .unwrap()
    };
    let page = page("docs/ci.md");
    let policy = blocks(&page, "yaml");
    let policy = policy
        .iter()
        .find(|block| block.starts_with("environment:"));
    fs::write(operator.join("policy.yaml"), policy.unwrap()).unwrap();
    let ruled = blocks(&page, "sh");
    let ruled = ruled.iter().find(|block| block.contains("--policy"));
    let gates = [
        (ruled.unwrap().clone(), &BASH[..]),
        (gate(github()), &BASH[..]),
        (gate(gitlab()), &BASH[..]),
        (gate(jenkins()), &SH[..]),
        (short[0].to_owned(), &BASH[..]),
    ];
    let pass = |what: &str, expected: bool| {
        for (verify, shell) in &gates {
            assert!(verify.contains("gonogo verify run "), "{verify}");
            let passed = script(&lab, shell, verify, &BTreeMap::new());
            assert_eq!(passed, expected, "{what}: {verify}");
        }
    };
    pass("as it is", true);
    let edit = |name: &str, from: &str, to: &str| {
        let path = operator.join(name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{name}");
        fs::write(&path, text.replace(from, to)).unwrap();
    };
    edit("run/summary.md", "GO", "G0");
    pass("edited", false);
    edit("run/summary.md", "G0", "GO");
    pass("as it was", true);
    edit("inventory.yaml", "production", "production ");
    pass("another inventory", false);
    edit("inventory.yaml", "production ", "production");
    fs::rename(operator.join("allowed_signers"), operator.join("away")).unwrap();
    pass("nobody may sign", false);
    fs::rename(operator.join("away"), operator.join("allowed_signers")).unwrap();
    fs::rename(operator.join("run"), operator.join("gone")).unwrap();
    pass("no run", false);
    fs::rename(operator.join("gone"), operator.join("run")).unwrap();
    pass("as it was again", true);
}

/// The second workflow: its check, and then its deployment, where two people broke the glass and nowhere else.
#[test]
fn the_break_glass_example_deploys_what_two_people_signed() {
    let page = page("docs/ci.md");
    let blocks = blocks(&page, "yml");
    let block: Vec<_> = blocks
        .iter()
        .filter(|one| one.contains("break-glass"))
        .collect();
    assert_eq!(block.len(), 1);
    let told: Value = serde_saphyr::from_str(block[0]).unwrap();
    let script_of = |name: &str| {
        let job = &told["jobs"][name];
        assert!(job["if"].is_null() && job["continue-on-error"].is_null());
        let steps = job["steps"].as_array().unwrap().iter();
        let scripts: Vec<_> = steps.filter_map(|step| step["run"].as_str()).collect();
        assert_eq!(scripts.len(), 1, "{name}");
        scripts[0].to_owned()
    };
    let (check, deploy) = (script_of("check"), script_of("deploy"));
    assert_eq!(words(&told["jobs"]["deploy"]["needs"]), ["check"]);

    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    orders.lock("config/config.xml");
    let operator = lab.operator();
    let ours = operator.join("deploy.sh");
    fs::write(&ours, "#!/bin/sh\n: > deployed\n").unwrap();
    fs::set_permissions(&ours, fs::Permissions::from_mode(0o700)).unwrap();
    let run = lab.judge();
    assert_eq!(run.code(), 1, "{}", run.told());
    fs::rename(&run.dir, operator.join("run")).unwrap();
    for who in ["ann", "dora", "erin"] {
        keygen(&operator.join("keys").join(who), who);
    }
    let line = |options: &str, who: &str| {
        let public = fs::read_to_string(operator.join(format!("keys/{who}.pub"))).unwrap();
        format!("{who} {options}{public}")
    };
    let alone = "namespaces=\"gonogo-break-glass@gonogo\" ";
    let both = line(alone, "dora") + &line(alone, "erin");
    for (file, text) in [
        ("breakers", both),
        ("approvers", line("", "ann")),
        ("answerers", line("", "ann")),
    ] {
        fs::write(operator.join(file), text).unwrap();
    }
    let none = BTreeMap::new();
    let is_deployed = || {
        let _ = fs::remove_file(operator.join("deployed"));
        let passed = script(&lab, &BASH, &check, &none) && script(&lab, &BASH, &deploy, &none);
        assert_eq!(operator.join("deployed").exists(), passed);
        passed
    };
    assert!(!is_deployed(), "nobody asked");
    let sh = |line: &str| assert!(script(&lab, &BASH, line, &none), "{line}");
    sh(
        "gonogo break-glass request run --reason 'it closes' --ticket INC-7 --for 1h --key keys/dora > file",
    );
    assert!(!is_deployed(), "one of two");
    sh("gonogo break-glass sign \"$(cat file)\" --key keys/erin");
    let _ = fs::remove_file(operator.join("output"));
    assert!(is_deployed(), "two of two");
    let output = fs::read_to_string(operator.join("output")).unwrap();
    let is_go = output
        .lines()
        .any(|line| line == "GO" || line.ends_with("=GO"));
    assert!(output.contains("NO-GO") && !is_go, "{output}");
    fs::write(operator.join("run/summary.md"), "GO").unwrap();
    assert!(!is_deployed(), "a run that was changed");
}

#[test]
fn the_example_of_a_review_can_be_run() {
    let page = page("docs/ci.md");
    let review = blocks(&page, "sh");
    let review = review
        .iter()
        .find(|block| block.contains("github-deployment-review"))
        .unwrap();
    let (verify, curl) = review.split_once("curl ").unwrap();
    assert!(curl.contains("--data @review.json"));
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    for (locked, state) in [(false, "approved"), (true, "rejected")] {
        if locked {
            orders.lock("config/config.xml");
        }
        let _ = fs::remove_dir_all(lab.operator().join("run"));
        let run = lab.judge();
        fs::rename(&run.dir, lab.operator().join("run")).unwrap();
        assert!(script(&lab, &BASH, verify, &BTreeMap::new()));
        let body = fs::read(lab.operator().join("review.json")).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["state"], state);
        assert_eq!(body["environment_name"], "production");
    }
}
