//! Runs the real binary: as an operator would, in the operator's directory, and never for ever.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::Value;

use super::{Lab, Run};

/// The binary under test.
pub const GONOGO: &str = env!("CARGO_BIN_EXE_gonogo");

/// No command of these tests may need longer; beyond, the process is killed and the test fails.
const HARD_LIMIT: Duration = Duration::from_secs(120);

impl Lab {
    /// `gonogo ARGS` as the operator; dies with the output when it does not end in time.
    pub fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> Output {
        let mut command = assert_cmd::Command::new(GONOGO);
        for (name, value) in self.environment() {
            command.env(name, value);
        }
        command.env_remove("SSH_AUTH_SOCK").args(args);
        let output = command.current_dir(self.operator()).timeout(HARD_LIMIT);
        let output = output.output().unwrap();
        assert!(output.status.code().is_some(), "hung or killed: {output:?}");
        output
    }

    /// The environment in which the operator works.
    pub fn environment(&self) -> [(&'static str, PathBuf); 4] {
        [
            ("HOME", self.operator()),
            ("TMPDIR", self.path("operator/tmp")),
            ("NO_COLOR", "1".into()),
            ("TZ", "UTC".into()),
        ]
    }

    /// A run directory that does not exist yet, relative to the operator's.
    pub fn next_out(&self) -> String {
        let mut runs = self.runs.borrow_mut();
        *runs += 1;
        format!("run-{runs}")
    }

    /// The arguments of a whole run into `out`.
    pub fn run_args<'a>(&self, out: &'a str) -> [&'a str; 8] {
        [
            "run",
            "-i",
            "inventory.yaml",
            "features",
            "-o",
            out,
            "--key",
            "keys/signer",
        ]
    }

    /// Writes the inputs and runs everything.
    pub fn judge(&self) -> Run {
        self.judge_with(|_| ())
    }

    /// As [`Lab::judge`], the inventory edited first.
    pub fn judge_with(&self, edit: impl FnOnce(&mut Value)) -> Run {
        let mut inventory = self.inventory();
        edit(&mut inventory);
        self.write_inputs(&inventory);
        self.judge_as_written()
    }

    /// Runs what is written already.
    pub fn judge_as_written(&self) -> Run {
        let out = self.next_out();
        let output = self.run(&self.run_args(&out));
        Run::new(output, self.operator().join(out))
    }

    /// As [`Lab::judge_with`], with these lines of known_hosts too.
    pub fn judge_knowing(&self, known_hosts: &str, edit: impl FnOnce(&mut Value)) -> Run {
        let mut inventory = self.inventory();
        edit(&mut inventory);
        self.write_inputs(&inventory);
        let file = self.path("operator/known_hosts");
        let known = std::fs::read_to_string(&file).unwrap() + known_hosts;
        std::fs::write(&file, known).unwrap();
        self.judge_as_written()
    }

    /// `gonogo verify` on a run directory.
    pub fn verify(&self, dir: &Path) -> Output {
        let dir = dir.to_str().unwrap();
        self.run(&["verify", dir, "--allowed-signers", "allowed_signers"])
    }
}
