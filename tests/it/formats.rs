//! `verify --format …` by the real binary: every format has the same exit codes, writes its files on a
//! refusal too, and no full disk, closed pipe or file that cannot be written turns into exit 0.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::lab::GONOGO;

mod cut_off;

const FORMATS: [&str; 7] = [
    "text",
    "json",
    "github",
    "github-deployment-review",
    "gitlab",
    "env",
    "junit",
];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// `gonogo verify` of a golden run, the files of GitHub in `place`.
fn command(run: &str, place: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(GONOGO);
    command
        .arg("verify")
        .arg(golden(run))
        .arg("--allowed-signers")
        .arg(golden(&format!("{run}.allowed_signers")))
        .args(more)
        .env("GITHUB_STEP_SUMMARY", place.join("summary"))
        .env("GITHUB_OUTPUT", place.join("output"))
        .stdin(Stdio::null());
    command
}

fn verify(run: &str, place: &Path, more: &[&str]) -> Output {
    command(run, place, more).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Run, more arguments, exit code, the word of the answer.
const CASES: [(&str, &[&str], i32, &str); 4] = [
    ("go", &["--environment", "practice"], 0, "GO"),
    ("no-go", &["--environment", "practice"], 1, "NO-GO"),
    ("go", &["--environment", "production"], 4, "UNACCEPTABLE"),
    (
        "go",
        &["--environment", "practice", "--inventory", "none.yaml"],
        2,
        "NOT-JUDGED",
    ),
];

#[test]
fn exit_codes_are_the_same_for_each_format_and_go_is_said_for_0_alone() {
    for (run, more, code, word) in CASES {
        for format in FORMATS {
            let place = assert_fs::TempDir::new().unwrap();
            let args = [more, &["--format", format]].concat();
            let output = verify(run, place.path(), &args);
            assert_eq!(output.status.code(), Some(code), "{format}: {output:?}");
            let told = stdout(&output);
            let is_go = match format {
                "json" => serde_json::from_str::<Value>(&told).unwrap()["verdict"] == "GO",
                "github-deployment-review" => {
                    let body: Value = serde_json::from_str(&told).unwrap();
                    body["state"] == "approved"
                }
                "env" | "gitlab" => {
                    assert!(told.contains(&format!("GONOGO_VERDICT={word}\n")), "{told}");
                    assert!(told.contains(&format!("GONOGO_EXIT={code}\n")), "{told}");
                    told.contains("GONOGO_VERDICT=GO\n")
                }
                "github" => {
                    let outputs = fs::read_to_string(place.path().join("output")).unwrap();
                    let values: Vec<_> = outputs.lines().collect();
                    assert!(values[0].starts_with("verdict<<"), "{outputs}");
                    assert_eq!(values[1], word);
                    let summary = fs::read_to_string(place.path().join("summary")).unwrap();
                    assert!(summary.starts_with(&format!("# {word}")), "{summary}");
                    told.contains("::notice title=gonogo%3A GO::")
                }
                "junit" => {
                    let page = roxmltree::Document::parse(&told).unwrap();
                    let root = page.root_element();
                    let cases: usize = root.attribute("tests").unwrap().parse().unwrap();
                    // Of a run that was refused there is nothing but the refusal.
                    assert_eq!(cases > 1, code <= 1, "{told}");
                    root.attribute("failures") == Some("0") && root.attribute("errors") == Some("0")
                }
                _ => told.lines().last() == Some("GO"),
            };
            assert_eq!(is_go, code == 0, "{format}: {told}");
            // Only Actions' own format touches the files of Actions.
            assert_eq!(place.path().join("output").exists(), format == "github");
        }
    }
}

#[test]
fn a_review_needs_the_environment_that_it_speaks_of() {
    let place = assert_fs::TempDir::new().unwrap();
    let format = ["--format", "github-deployment-review"];
    let without = verify("go", place.path(), &format);
    assert_eq!(without.status.code(), Some(2), "{without:?}");
    assert!(without.stdout.is_empty(), "{without:?}");
    let named = ["--deployment-environment", "prod"];
    let alone = verify("go", place.path(), &[&format[..], &named].concat());
    assert_eq!(alone.status.code(), Some(2), "{alone:?}");
    let both = [&format[..], &named, &["--environment", "practice"]].concat();
    let body: Value = serde_json::from_slice(&verify("go", place.path(), &both).stdout).unwrap();
    assert_eq!(body["environment_name"], "prod");
    assert_eq!(body["state"], "approved");
}

#[test]
fn files_are_appended_to_behind_what_others_left() {
    let place = assert_fs::TempDir::new().unwrap();
    // The one without an end of line, the other with.
    fs::write(place.path().join("output"), "verdict=GO").unwrap();
    fs::write(place.path().join("summary"), "before\n").unwrap();
    verify("no-go", place.path(), &["--format", "github"]);
    let outputs = fs::read_to_string(place.path().join("output")).unwrap();
    assert!(outputs.starts_with("verdict=GO\nverdict<<"), "{outputs}");
    let summary = fs::read_to_string(place.path().join("summary")).unwrap();
    assert!(
        summary.starts_with("before\n# NO-GO\\: practice\n")
            || summary.starts_with("before\n# NO-GO: practice\n"),
        "{summary}"
    );
    // Full already: what GitHub would drop as a whole is not made longer.
    fs::write(place.path().join("summary"), "x".repeat(999_990)).unwrap();
    let full = verify("no-go", place.path(), &["--format", "github"]);
    assert_eq!(full.status.code(), Some(1), "{full:?}");
    let length = fs::metadata(place.path().join("summary")).unwrap().len();
    assert_eq!(length, 999_990);
    assert!(String::from_utf8_lossy(&full.stderr).contains("summary is full"));
}

#[test]
fn each_run_has_a_delimiter_of_its_own() {
    let place = assert_fs::TempDir::new().unwrap();
    for _ in 0..2 {
        verify("go", place.path(), &["--format", "github"]);
    }
    let outputs = fs::read_to_string(place.path().join("output")).unwrap();
    let delimiters: Vec<_> = outputs
        .lines()
        .filter_map(|line| line.strip_prefix("verdict<<"))
        .collect();
    assert_eq!(delimiters.len(), 2, "{outputs}");
    assert_ne!(delimiters[0], delimiters[1]);
    assert!(delimiters[0].len() >= 32);
}

#[test]
fn an_answer_that_cannot_be_told_is_never_exit_0() {
    for format in FORMATS {
        for (run, code) in [("go", 3), ("no-go", 1)] {
            let place = assert_fs::TempDir::new().unwrap();
            let args = ["--environment", "practice", "--format", format];
            // A disk that is full.
            let full = fs::File::options().write(true).open("/dev/full").unwrap();
            let output = command(run, place.path(), &args)
                .stdout(full)
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(code), "{format}: {output:?}");
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(told.contains("cannot be written to stdout"), "{told}");
            if format == "github" {
                let outputs = fs::read_to_string(place.path().join("output")).unwrap();
                assert!(!outputs.contains("\nGO\n"), "{outputs}");
            }
            // A reader that went away before a word was said.
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let output = command(run, place.path(), &args)
                .stdout(writer)
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(code), "{format}: {output:?}");
        }
    }
}

#[test]
fn files_of_github_that_cannot_be_written_are_never_exit_0() {
    for (variable, missing) in [
        ("GITHUB_STEP_SUMMARY", "summary"),
        ("GITHUB_OUTPUT", "output"),
    ] {
        for (run, code) in [("go", 3), ("no-go", 1)] {
            let place = assert_fs::TempDir::new().unwrap();
            let nowhere = place.path().join("no/such/place");
            let output = command(run, place.path(), &["--format", "github"])
                .env(variable, &nowhere)
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(code), "{output:?}");
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(told.contains(missing) || told.contains("outputs"), "{told}");
            if missing == "summary" {
                let outputs = fs::read_to_string(place.path().join("output")).unwrap();
                assert!(!outputs.contains("\nGO\n"), "{outputs}");
            }
            // Its benign twin: no such variable, nothing to write.
            let output = command(run, place.path(), &["--format", "github"])
                .env_remove(variable)
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(if run == "go" { 0 } else { 1 }));
        }
    }
}

#[test]
fn a_pipe_that_is_read_keeps_the_exit_code_of_a_go() {
    let place = assert_fs::TempDir::new().unwrap();
    let mut child = command("go", place.path(), &[])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(told.lines().last(), Some("GO"));
}

#[test]
fn variables_can_be_sourced_and_none_of_an_older_answer_survives() {
    let place = assert_fs::TempDir::new().unwrap();
    let file = place.path().join("gonogo.env");
    let mut keys: Vec<Vec<String>> = Vec::new();
    for (run, more, code, word) in CASES {
        let output = verify(run, place.path(), &[more, &["--format", "env"]].concat());
        assert_eq!(output.status.code(), Some(code));
        fs::write(&file, &output.stdout).unwrap();
        let told = stdout(&output);
        let names = told
            .lines()
            .map(|line| line.split_once('=').unwrap().0.to_owned());
        // Only of an accepted run of an older gonogo.
        keys.push(names.filter(|name| name != "GONOGO_MADE_BY").collect());
        let script = "set -eu; . \"$1\"; printf %s \"$GONOGO_VERDICT $GONOGO_RUN\"";
        let sourced = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(&file)
            .env("GONOGO_RUN", "an older one")
            .output()
            .unwrap();
        assert!(sourced.status.success(), "{sourced:?}");
        let sourced = stdout(&sourced);
        let (verdict, id) = sourced.split_once(' ').unwrap();
        assert_eq!(verdict, word);
        assert_eq!(id.is_empty(), code > 1, "{sourced}");
        // A person reads in the log of the job what the file is about.
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            code == 2 || log.contains(if code == 4 { "not acceptable" } else { word }),
            "{log}"
        );
    }
    assert!(keys.iter().all(|one| *one == keys[0]), "{keys:?}");
}

/// A run whose failure quotes a host that tries to command the runner; unsigned, for `show` and stderr.
#[test]
fn a_hostile_refusal_commands_nothing() {
    let place = assert_fs::TempDir::new().unwrap();
    let hostile = place.path().join("##[add-mask]x\n::stop-commands::y\n");
    fs::create_dir(&hostile).unwrap();
    fs::set_permissions(&hostile, fs::Permissions::from_mode(0o755)).unwrap();
    for format in FORMATS {
        let output = Command::new(GONOGO)
            .arg("verify")
            .arg(&hostile)
            .args([
                "--environment",
                "practice",
                "--format",
                format,
                "--allowed-signers",
            ])
            .arg(golden("go.allowed_signers"))
            .env("GITHUB_STEP_SUMMARY", place.path().join("summary"))
            .env("GITHUB_OUTPUT", place.path().join("output"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        let log = [
            stdout(&output),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ]
        .concat();
        for line in log.lines() {
            let line = line.trim_start();
            assert!(!line.contains("##["), "{format}: {line}");
            let is_ours = ["::error title=", "::stop-commands::gonogo", "::gonogo"];
            assert!(
                !line.starts_with("::") || is_ours.iter().any(|ours| line.starts_with(ours)),
                "{format}: {line}"
            );
        }
    }
}
