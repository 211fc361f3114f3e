//! Whole runs signed otherwise than by a key in a file: by the ssh-agent, with a certificate, by a command;
//! then verified by gonogo and by `ssh-keygen`, with and without a revocation list.

mod command;
mod ends;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::lab::{GONOGO, Lab, Run, keygen, until};

/// A lab with one instance, its inputs written.
fn lab() -> Lab {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    lab.write_inputs(&lab.inventory());
    lab
}

/// Runs everything, signed as these arguments say.
fn run(lab: &Lab, signing: &[&str], agent: Option<&Agent>) -> Run {
    let out = lab.next_out();
    let args = lab.run_args(&out);
    let mut command = assert_cmd::Command::new(GONOGO);
    for (name, value) in lab.environment() {
        command.env(name, value);
    }
    command.env_remove("SSH_AUTH_SOCK");
    if let Some(agent) = agent {
        command.env("SSH_AUTH_SOCK", &agent.socket);
    }
    let output = command
        .args(&args[..6])
        .args(signing)
        .current_dir(lab.operator())
        .timeout(Duration::from_secs(120))
        .output()
        .unwrap();
    assert!(output.status.code().is_some(), "hung or killed: {output:?}");
    Run::of(output, lab.operator().join(out))
}

#[track_caller]
fn verify(lab: &Lab, run: &Run, more: &[&str], code: i32, words: &[&str]) {
    let dir = run.dir.to_str().unwrap();
    let args = ["verify", dir, "--allowed-signers", "allowed"];
    let output = lab.run(&[&args[..], more].concat());
    let told = told(&output);
    assert_eq!(output.status.code(), Some(code), "{more:?}: {told}");
    for word in words {
        assert!(told.contains(word), "{more:?}: not told `{word}`: {told}");
    }
}

fn told(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    format!("{stdout}{}", String::from_utf8_lossy(&output.stderr))
}

/// ssh-keygen in the operator's directory.
fn ssh_keygen(lab: &Lab, args: &[&str]) -> Output {
    let mut command = Command::new("ssh-keygen");
    command.args(args).current_dir(lab.operator());
    command.stdin(Stdio::null()).output().unwrap()
}

/// The command of step 1 of the run's own VERIFY.txt, with these options more.
fn as_verify_text_says(lab: &Lab, run: &Run, more: &str) -> Output {
    let text = fs::read_to_string(run.dir.join("VERIFY.txt")).unwrap();
    let (_, rest) = text.split_once("1. The signature").unwrap();
    let lines = rest.lines().skip_while(|line| !line.starts_with("    "));
    let lines = lines.take_while(|line| line.starts_with("    "));
    let line = lines.collect::<Vec<_>>().join("\n");
    let allowed = lab.path("operator/allowed");
    let line = line
        .replace("/path/to/allowed_signers", allowed.to_str().unwrap())
        .replace("-Y verify", &format!("-Y verify {more}"));
    let mut command = Command::new("sh");
    command.args(["-c", &line]).current_dir(&run.dir);
    command.output().unwrap()
}

/// A real ssh-agent, ended when dropped.
struct Agent {
    process: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(lab: &Lab) -> Self {
        let socket = lab.path("operator/agent");
        let mut command = Command::new("ssh-agent");
        command.arg("-D").arg("-a").arg(&socket);
        let process = command.stdout(Stdio::null()).spawn().unwrap();
        until("the agent listens", Duration::from_secs(30), || {
            std::os::unix::net::UnixStream::connect(&socket).is_ok()
        });
        Self { process, socket }
    }

    fn add(&self, lab: &Lab, args: &[&str]) {
        let mut command = Command::new("ssh-add");
        command.args(args).current_dir(lab.operator());
        let added = command.env("SSH_AUTH_SOCK", &self.socket).output().unwrap();
        assert!(added.status.success(), "{added:?}");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn an_agent_signs_a_run_and_one_that_cannot_ends_it_before_it_begins() {
    let lab = lab();
    let agent = Agent::start(&lab);
    fs::copy(
        lab.path("operator/allowed_signers"),
        lab.path("operator/allowed"),
    )
    .unwrap();
    let by_agent = ["--key", "keys/signer.pub"];

    let refused = run(&lab, &by_agent, Some(&agent));
    assert_eq!(refused.code(), 3, "{}", refused.told());
    assert!(refused.told().contains("ssh-add -X"), "{}", refused.told());
    let refused = run(&lab, &by_agent, None);
    assert_eq!(refused.code(), 3, "{}", refused.told());
    assert!(
        refused.told().contains("SSH_AUTH_SOCK names none"),
        "{}",
        refused.told()
    );
    assert!(!refused.dir.exists());

    agent.add(&lab, &["-q", "keys/signer"]);
    let signed = run(&lab, &by_agent, Some(&agent));
    signed.assert_go(4);
    verify(&lab, &signed, &["--identity", "lab@gonogo"], 0, &["GO"]);
    let theirs = as_verify_text_says(&lab, &signed, "");
    assert!(theirs.status.success(), "{theirs:?}");
}

#[test]
fn a_certificate_signs_a_run_and_a_revocation_list_ends_it() {
    let lab = lab();
    keygen(&lab.path("operator/ca"), "the authority");
    keygen(&lab.path("operator/stranger"), "another");
    let id = [
        "-q",
        "-s",
        "ca",
        "-I",
        "job 17",
        "-z",
        "17",
        "-n",
        "ci@gonogo",
    ];
    let certified = ssh_keygen(
        &lab,
        &[&id[..], &["-V", "-1d:+1d", "keys/signer.pub"]].concat(),
    );
    assert!(certified.status.success(), "{certified:?}");
    let write = |name: &str, text: &str| fs::write(lab.path("operator").join(name), text).unwrap();
    let read = |name: &str| fs::read_to_string(lab.path("operator").join(name)).unwrap();
    write(
        "allowed",
        &format!("*@gonogo cert-authority {}", read("ca.pub")),
    );

    let signed = run(&lab, &["--key", "keys/signer"], None);
    signed.assert_go(4);
    let words = ["signing as ci@gonogo", "`job 17`", "valid from"];
    assert!(
        words.iter().all(|word| signed.told().contains(word)),
        "{}",
        signed.told()
    );
    verify(
        &lab,
        &signed,
        &[],
        0,
        &["ci@gonogo", "certified by SHA256:", "serial 17"],
    );
    verify(
        &lab,
        &signed,
        &["--identity", "ci@gonogo", "--format", "json"],
        0,
        &["\"authority\""],
    );
    verify(
        &lab,
        &signed,
        &["--identity", "lab@gonogo"],
        4,
        &["it is not for `lab@gonogo`", "hint"],
    );
    assert!(as_verify_text_says(&lab, &signed, "").status.success());
    let text = fs::read_to_string(signed.dir.join("VERIFY.txt")).unwrap();
    assert!(
        text.contains("cert-authority,namespaces=") && text.contains("`job 17`"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.len() <= 100), "{text}");

    // Its time is over, or not yet there.
    for (at, code) in [("2001-01-01T00:00:00Z", 4), ("2100-01-01T00:00:00Z", 4)] {
        verify(
            &lab,
            &signed,
            &["--signed-at", at],
            code,
            &["the certificate does not count"],
        );
    }

    let krl = |name: &str, spec: &str| {
        write("spec", spec);
        let made = ssh_keygen(&lab, &["-q", "-k", "-f", name, "-s", "ca.pub", "spec"]);
        assert!(made.status.success(), "{made:?}");
    };
    krl("other.krl", "serial: 18\nid: job 18\n");
    verify(&lab, &signed, &["--revoked", "other.krl"], 0, &["GO"]);
    for (name, spec, what) in [
        ("serial.krl", "serial: 1-17\n", "the certificate"),
        ("id.krl", "id: job 17\n", "the certificate"),
        (
            "key.krl",
            &format!("sha256: {}", read("keys/signer.pub")),
            "the key",
        ),
        (
            "ca.krl",
            &format!("key: {}", read("ca.pub")),
            "the authority's key",
        ),
    ] {
        krl(name, spec);
        let words = ["revoked: ", what, "valid-before"];
        verify(&lab, &signed, &["--revoked", name], 4, &words);
        let list = lab.path("operator").join(name).display().to_string();
        let theirs = as_verify_text_says(&lab, &signed, &format!("-r {list}"));
        assert!(!theirs.status.success(), "{name}: {theirs:?}");
    }
    // A text works too; what cannot be read is never an empty list.
    write("list", &read("stranger.pub"));
    verify(&lab, &signed, &["--revoked", "list"], 0, &["GO"]);
    write("list", &read("keys/signer.pub"));
    verify(&lab, &signed, &["--revoked", "list"], 4, &["revoked: "]);
    for broken in ["", "junk\n", "SSHKRL\n"] {
        write("list", broken);
        verify(
            &lab,
            &signed,
            &["--revoked", "list"],
            2,
            &["revocation list", "hint"],
        );
    }
    verify(&lab, &signed, &["--revoked", "nowhere"], 2, &["nowhere"]);

    // Expired beside the key: said before anything is contacted.
    let id = [
        "-q",
        "-s",
        "ca",
        "-I",
        "old",
        "-n",
        "ci@gonogo",
        "-V",
        "-2d:-1d",
    ];
    ssh_keygen(&lab, &[&id[..], &["keys/signer.pub"]].concat());
    let refused = run(&lab, &["--key", "keys/signer"], None);
    assert_eq!(refused.code(), 3, "{}", refused.told());
    assert!(refused.told().contains("has expired"), "{}", refused.told());
}

#[test]
fn an_authority_does_not_make_two_keys_one_where_a_run_is_restated() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    let mut inventory = lab.inventory();
    inventory["instances"]["orders"]["expect"]["version"] = "9.9.9.9".into();
    lab.write_inputs(&inventory);
    for name in ["ca", "keys/second"] {
        keygen(&lab.path("operator").join(name), "ci@gonogo");
    }
    for key in ["keys/signer.pub", "keys/second.pub"] {
        let certified = ssh_keygen(
            &lab,
            &["-q", "-s", "ca", "-I", "job", "-n", "ci@gonogo", key],
        );
        assert!(certified.status.success(), "{certified:?}");
    }
    let first = run(&lab, &["--key", "keys/signer"], None);
    assert_eq!(first.code(), 1, "{}", first.told());
    let dir = first.dir.to_str().unwrap();
    let again = |key: &str| run(&lab, &["--key", key, "--rerun-failed", dir], None);
    let refused = again("keys/second");
    assert_eq!(refused.code(), 2, "{}", refused.told());
    assert!(refused.told().contains("signed it"), "{}", refused.told());
    // The benign twin.
    let restated = again("keys/signer");
    assert_eq!(restated.code(), 1, "{}", restated.told());
    assert!(
        restated.told().contains("restating run"),
        "{}",
        restated.told()
    );
}
