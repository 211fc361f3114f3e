//! For tests: a directory with keys made by the real `ssh-keygen`, and the stock tools an auditor
//! uses. A missing tool fails the test; nothing is skipped.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::key::SigningKey;

/// A temporary directory, gone when dropped.
pub(crate) struct Lab(tempfile::TempDir);

impl Lab {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// Runs a program in the lab, `input` on its stdin, times in UTC.
    pub(crate) fn run(&self, program: &str, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(self.0.path())
            .env("TZ", "UTC")
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|cause| panic!("{program} is required by the test suite: {cause}"));
        // A program that refuses early closes its stdin: that is its answer, not our failure.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    /// `ssh-keygen ARGUMENTS`, which must succeed: its stdout.
    pub(crate) fn ssh_keygen(&self, arguments: &[&str]) -> String {
        let output = self.run("ssh-keygen", arguments, b"");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes a key pair.
    pub(crate) fn keygen(&self, name: &str, arguments: &[&str], passphrase: &str) {
        let file = ["-q", "-f", name, "-N", passphrase];
        self.ssh_keygen(&[arguments, &file].concat());
    }

    /// Makes an ed25519 key pair and loads it.
    pub(crate) fn key(&self, name: &str, comment: &str) -> SigningKey {
        self.keygen(name, &["-t", "ed25519", "-C", comment], "");
        SigningKey::load(&self.path(name), None).unwrap()
    }
}

pub(crate) fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A real `ssh-agent`, ended when dropped.
pub(crate) struct RealAgent {
    process: std::process::Child,
    pub socket: PathBuf,
}

impl RealAgent {
    /// Asks people by `askpass`.
    pub(crate) fn start(lab: &Lab, askpass: &str) -> Self {
        let socket = lab.path("agent");
        let process = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .env("SSH_ASKPASS", askpass)
            .env("DISPLAY", ":none")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|cause| panic!("ssh-agent is required by the test suite: {cause}"));
        let begun = std::time::Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(begun.elapsed().as_secs() < 60, "ssh-agent does not listen");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Self { process, socket }
    }

    /// `ssh-add ARGUMENTS` in the lab; asked for a passphrase it says `secret`.
    pub(crate) fn add(&self, lab: &Lab, arguments: &[&str]) {
        lab.write("askpass", "#!/bin/sh\necho secret\n");
        chmod(&lab.path("askpass"), 0o700);
        let socket = format!("SSH_AUTH_SOCK={}", self.socket.display());
        let askpass = format!("SSH_ASKPASS={}", lab.path("askpass").display());
        let before = [&socket, &askpass, "SSH_ASKPASS_REQUIRE=force", "ssh-add"];
        let output = lab.run("env", &[&before, arguments].concat(), b"");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }
}

impl Drop for RealAgent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
