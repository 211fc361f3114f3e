//! An estate and real clients for it: the installed `ssh` and `sftp`, in batch mode, strict.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use gonogo::demo::{self, Break, Estate};

pub const OPS: (&str, &str) = ("amps-ops", "operations");
pub const PINNED: &str = "ld5-1";
pub const MARKET: (&str, &str) = ("md-support", "market-data");

/// An estate, and how a client reaches it.
pub struct Lab {
    pub estate: Estate,
    pub inventory: String,
}

impl Lab {
    pub fn well() -> Self {
        Self::start(None)
    }

    pub fn broken(fault: Break) -> Self {
        Self::start(Some(fault))
    }

    pub fn start(fault: Option<Break>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let estate = runtime.block_on(demo::start(fault)).unwrap();
        let inventory = std::fs::read_to_string(estate.inventory()).unwrap();
        Self { estate, inventory }
    }

    /// The port that the inventory gives to `host`.
    pub fn port(&self, host: &str) -> String {
        let entry = self
            .inventory
            .split(&format!("\n  {host}:\n"))
            .nth(1)
            .unwrap();
        let port = entry
            .lines()
            .find_map(|line| line.trim().strip_prefix("port: "));
        port.unwrap().to_owned()
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.estate.directory().join(path)
    }

    pub fn client(&self, program: &str, host: &str, (user, key): (&str, &str)) -> Command {
        let mut command = Command::new(program);
        // The pinned host is not in known_hosts, and OpenSSH knows no pins: it takes what comes.
        let (known_hosts, strict) = match host {
            PINNED => (PathBuf::from("/dev/null"), "no"),
            _ => (self.at("known_hosts"), "yes"),
        };
        let known_hosts = format!("UserKnownHostsFile={}", known_hosts.display());
        let strict = format!("StrictHostKeyChecking={strict}");
        command.args(["-F", "none", "-o", "BatchMode=yes", "-o", &strict]);
        command.args(["-o", "GlobalKnownHostsFile=/dev/null", "-o", &known_hosts]);
        command.args(["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]);
        command.args([
            "-o",
            "ConnectTimeout=3",
            "-o",
            "LogLevel=ERROR",
            "-o",
            &format!("User={user}"),
        ]);
        command.args(["-o", &format!("Port={}", self.port(host)), "-i"]);
        command.arg(self.at("keys").join(key)).stdin(Stdio::null());
        command
    }

    pub fn ssh(&self, host: &str, login: (&str, &str), remote: &str) -> Output {
        self.client("ssh", host, login)
            .args(["127.0.0.1", remote])
            .output()
            .unwrap()
    }

    /// Runs one batch of sftp commands in a directory of its own.
    pub fn sftp(&self, host: &str, login: (&str, &str), into: &Path, batch: &str) -> Output {
        let mut client = self.client("sftp", host, login);
        client.args(["-b", "-", "127.0.0.1"]).current_dir(into);
        client
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut client = client.spawn().unwrap();
        client
            .stdin
            .take()
            .unwrap()
            .write_all(batch.as_bytes())
            .unwrap();
        client.wait_with_output().unwrap()
    }

    /// Fetches one file, or says what sftp said.
    pub fn get(&self, host: &str, login: (&str, &str), path: &str) -> Result<Vec<u8>, String> {
        let into = tempfile::tempdir().unwrap();
        let output = self.sftp(host, login, into.path(), &format!("get {path} got\n"));
        match output.status.success() {
            true => Ok(std::fs::read(into.path().join("got")).unwrap()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < patience, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn alive(process: &str) -> bool {
    // A zombie is dead; only its parent has not looked yet.
    std::fs::read_to_string(format!("/proc/{process}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().starts_with(" Z"))
}
