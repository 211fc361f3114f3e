//! One finished run: its exit, its last word and its report, with the assertions tests share.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;

/// What `gonogo run` left.
pub struct Run {
    pub output: Output,
    /// The run directory, whether or not it exists.
    pub dir: PathBuf,
    /// report.json, when there is one.
    pub report: Option<Value>,
}

impl Run {
    /// What a process that somebody else started left in `dir`.
    pub fn of(output: Output, dir: PathBuf) -> Self {
        Self::new(output, dir)
    }

    pub(super) fn new(output: Output, dir: PathBuf) -> Self {
        let report = fs::read(dir.join("report.json")).ok();
        let report = report.map(|bytes| serde_json::from_slice(&bytes).unwrap());
        Self {
            output,
            dir,
            report,
        }
    }

    /// The exit code.
    pub fn code(&self) -> i32 {
        self.output.status.code().unwrap()
    }

    /// Everything it said, for messages.
    pub fn told(&self) -> String {
        let stdout = String::from_utf8_lossy(&self.output.stdout);
        let stderr = String::from_utf8_lossy(&self.output.stderr);
        format!(
            "exit {}\n--- stdout\n{stdout}\n--- stderr\n{stderr}",
            self.code()
        )
    }

    /// The last line of stdout: the verdict.
    pub fn last_line(&self) -> String {
        let stdout = String::from_utf8_lossy(&self.output.stdout);
        stdout.lines().last().unwrap_or_default().to_owned()
    }

    /// The report.
    pub fn report(&self) -> &Value {
        let report = self.report.as_ref();
        report.unwrap_or_else(|| panic!("no report.json: {}", self.told()))
    }

    /// All checks.
    pub fn checks(&self) -> &[Value] {
        self.report()["checks"].as_array().unwrap()
    }

    /// The one check of that instance and team whose scenario begins with these words.
    pub fn check(&self, instance: &str, team: &str, scenario: &str) -> &Value {
        let mut found = self.checks().iter().filter(|check| {
            check["instance"] == instance
                && check["team"] == team
                && check["scenario"].as_str().unwrap().starts_with(scenario)
        });
        let check = found
            .next()
            .unwrap_or_else(|| panic!("no check {instance}, {team}, {scenario}"));
        assert!(
            found.next().is_none(),
            "two checks {instance}, {team}, {scenario}"
        );
        check
    }

    /// GO: every one of `planned` checks passed with evidence, and the words say so.
    #[track_caller]
    pub fn assert_go(&self, planned: usize) {
        assert_eq!(self.code(), 0, "{}\n{:#?}", self.told(), self.failures());
        assert_eq!(self.report()["verdict"]["decision"], "GO");
        assert!(self.last_line().starts_with("GO"), "{}", self.told());
        assert_eq!(self.checks().len(), planned);
        assert!(planned > 0);
        for check in self.checks() {
            assert_eq!(check["outcome"], "passed", "{check:#}");
            let evidence = check["evidence"].as_array().unwrap();
            assert!(!evidence.is_empty(), "passed without evidence: {check:#}");
            for item in evidence {
                assert!(item["bytes"].as_u64().unwrap() > 0, "{item:#}");
            }
        }
        self.assert_sums();
    }

    /// NO-GO: exactly these checks failed `(instance, team, scenario, kind)`, and all others passed.
    #[track_caller]
    pub fn assert_only(&self, expected: &[(&str, &str, &str, &str)]) {
        assert!(!expected.is_empty());
        assert_eq!(self.code(), 1, "{}", self.told());
        assert_eq!(self.report()["verdict"]["decision"], "NO-GO");
        assert!(self.last_line().starts_with("NO-GO"), "{}", self.told());
        for (instance, team, scenario, kind) in expected {
            let check = self.check(instance, team, scenario);
            assert_eq!(check["outcome"], "failed", "{check:#}");
            let failure = &check["failure"];
            assert_eq!(failure["kind"], *kind, "{failure:#}");
            for told in ["expected", "actual", "hint"] {
                assert_ne!(failure[told], "", "nothing said in {told}: {failure:#}");
            }
        }
        let failures = self.failures();
        assert_eq!(failures.len(), expected.len(), "{failures:#?}");
        self.assert_sums();
    }

    /// Scenario and failure of every check that did not pass.
    pub fn failures(&self) -> Vec<String> {
        let failed = self
            .checks()
            .iter()
            .filter(|check| check["outcome"] != "passed");
        failed
            .map(|check| format!("{}: {}", check["scenario"], check["failure"]))
            .collect()
    }

    #[track_caller]
    fn assert_sums(&self) {
        let counts = &self.report()["counts"];
        let count = |word: &str| counts[word].as_u64().unwrap();
        let sum = count("passed") + count("failed") + count("waived") + count("pending");
        assert_eq!(count("planned"), sum, "{counts}");
        assert_eq!(count("planned"), self.checks().len() as u64, "{counts}");
    }
}
