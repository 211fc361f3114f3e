//! What the benches run against: real `sshd`s on loopback, an account that is not root, AMPS-like
//! files for each host, and the operator's inventory, keys and features. All of it lies in one
//! temporary directory; dropping it ends what was started here and nothing else. Measures nothing.

mod files;
pub mod measure;
pub mod rounds;
mod sessions;

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The binary that is measured, built by `cargo bench` with the release profile.
pub const GONOGO: &str = env!("CARGO_BIN_EXE_gonogo");

/// Clock ticks a second in /proc on Linux (proc(5)).
const USER_HZ: f64 = 100.0;
const ACCOUNT: &str = "gonogo-bench";
const ID: u32 = 61_004;
/// One sshd listens on at most 16 addresses (MAX_LISTEN_SOCKS in its source).
const LISTENERS: usize = 15;

/// Runs as PID 1 of a namespace, so that nothing outlives it; the account exists only in there.
const BOOT: &str = r#"
set -e
etc=$1
shift
mount -t tmpfs -o mode=755 run /run
mkdir -m 755 /run/sshd /run/etc
cp -a /etc/. /run/etc/
cp -a "$etc/." /run/etc/
mount --bind /run/etc /etc
for config in "$@"; do /usr/sbin/sshd -D -e -f "$config" & done
wait
"#;

/// Where a host listens, counted from 0.
pub fn address(host: usize) -> Ipv4Addr {
    let part = |number: usize| u8::try_from(number + 1).unwrap();
    Ipv4Addr::new(127, 0, part(host / 250), part(host % 250))
}

/// Hosts 127.0.1.1, 127.0.1.2 … , their files, and the operator's directory.
pub struct Estate {
    servers: Child,
    /// Keeps the databases open and live.
    _writer: files::Writer,
    pub addresses: Vec<Ipv4Addr>,
    pub port: u16,
    root: tempfile::TempDir,
}

impl Drop for Estate {
    fn drop(&mut self) {
        let _ = self.servers.kill();
        let _ = self.servers.wait();
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl Estate {
    /// `hosts` hosts with one instance each; `big` sets the size of the first host's newest log.
    pub fn new(hosts: usize, big: Option<u64>) -> Self {
        let root = tempfile::Builder::new()
            .prefix("gonogo-bench-")
            .tempdir()
            .unwrap();
        fs::set_permissions(root.path(), Permissions::from_mode(0o711)).unwrap();
        let at = |name: &str| root.path().join(name);
        for (name, mode) in [("operator", 0o700), ("etc", 0o755), ("amps", 0o755)] {
            fs::create_dir(at(name)).unwrap();
            fs::set_permissions(at(name), Permissions::from_mode(mode)).unwrap();
        }
        for key in ["operator/signer", "operator/login", "host_key"] {
            keygen(&at(key));
        }
        let addresses: Vec<Ipv4Addr> = (0..hosts).map(address).collect();
        let socket = TcpListener::bind((addresses[0], 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        drop(socket);

        let writer = files::install(&at("amps"), hosts, big);
        give(&at("amps"));
        let servers = serve(root.path(), &addresses, port);
        let estate = Self {
            servers,
            _writer: writer,
            addresses,
            port,
            root,
        };
        estate.greets();
        estate.write_inputs(port);
        estate
    }

    /// A path below the temporary directory.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    /// Where the operator works.
    pub fn operator(&self) -> PathBuf {
        self.path("operator")
    }

    /// The home of one host's instance.
    pub fn home(&self, host: usize) -> PathBuf {
        self.path(&format!("amps/h{:03}", host + 1))
    }

    /// The account that is logged in with.
    pub fn account(&self) -> String {
        account()
    }

    /// CPU seconds of all servers and their sessions that have ended.
    pub fn server_cpu(&self) -> f64 {
        // Sessions are counted by their listener once it has reaped them.
        std::thread::sleep(Duration::from_millis(300));
        let sessions = sessions::descendants(self.servers.id());
        let ticks: u64 = sessions.iter().map(|stat| stat.ticks).sum();
        ticks as f64 / USER_HZ
    }

    /// `gonogo run` of the shipped feature, reduced to one scenario for each artifact (or to the
    /// event log alone).
    pub fn gonogo(&self, out: &str, feature: &str, jobs: usize) -> Vec<String> {
        let words =
            format!("{GONOGO} run -i inventory.yaml {feature} -o {out} --key signer --jobs {jobs}");
        words.split(' ').map(str::to_owned).collect()
    }

    /// Bytes of evidence that a run recorded; panics unless its verdict was GO.
    pub fn bytes_of(&self, out: &str) -> u64 {
        let text = fs::read_to_string(self.operator().join(out).join("report.json")).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["verdict"]["decision"], "GO", "{}", report["verdict"]);
        let checks = report["checks"].as_array().unwrap();
        let evidence = checks
            .iter()
            .flat_map(|check| check["evidence"].as_array().unwrap());
        evidence.filter_map(|file| file["bytes"].as_u64()).sum()
    }

    fn greets(&self) {
        let begun = Instant::now();
        for address in &self.addresses {
            while TcpStream::connect((*address, self.port)).is_err() {
                let log = self.path("sshd.log");
                assert!(
                    begun.elapsed() < Duration::from_secs(20),
                    "no sshd: {}",
                    fs::read_to_string(log).unwrap_or_default()
                );
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// The operator's inventory, features and known hosts, of servers that are reached at `port`.
    pub fn write_inputs(&self, port: u16) {
        let mut inventory = String::from(
            "environment: bench\nssh: {known_hosts: [known_hosts], connect_timeout: 30s}\nhosts:\n",
        );
        let user = account();
        for (index, address) in self.addresses.iter().enumerate() {
            writeln!(
                inventory,
                "  h{:03}: {{address: {address}, port: {port}, machine: bench, runner: true}}",
                index + 1
            )
            .unwrap();
        }
        writeln!(inventory, "teams:\n  operations: {{user: {user}, key: login}}\nproducts: {{amps: {{vendor: 60east}}}}\nvendors: {{60east: {{}}}}\ninstances:").unwrap();
        for index in 0..self.addresses.len() {
            let (name, home) = (format!("h{:03}", index + 1), self.home(index));
            writeln!(
                inventory,
                "  {name}: {{product: amps, host: {name}, teams: [operations], vars: {{home: \"{}\"}}, expect: {{version: 5.3.4.12, name: {name}}}}}",
                home.display()
            )
            .unwrap();
        }
        let public = fs::read_to_string(self.path("host_key.pub")).unwrap();
        let key: Vec<&str> = public.split(' ').take(2).collect();
        let mut known = String::new();
        for address in &self.addresses {
            writeln!(known, "[{address}]:{port} {}", key.join(" ")).unwrap();
        }
        let shipped =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("features/amps.feature"))
                .unwrap();
        let (each_artifact, _) = shipped.split_once("  Rule: it is quick").unwrap();
        for (name, text) in [
            ("inventory.yaml", inventory.as_str()),
            ("known_hosts", &known),
            ("amps.feature", each_artifact),
        ] {
            fs::write(self.operator().join(name), text).unwrap();
        }
    }
}

fn keygen(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "bench@gonogo", "-f"])
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

fn account() -> String {
    match is_root() {
        true => ACCOUNT.to_owned(),
        false => std::env::var("USER").expect("USER names the account"),
    }
}

/// The account may read everything below and change nothing.
fn give(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            give(&path);
        }
        if is_root() {
            chown(&path, None, Some(ID)).unwrap();
        }
    }
}

fn serve(root: &Path, addresses: &[Ipv4Addr], port: u16) -> Child {
    let shown = root.display();
    let keys = root.join("authorized_keys");
    fs::copy(root.join("operator/login.pub"), &keys).unwrap();
    fs::set_permissions(&keys, Permissions::from_mode(0o644)).unwrap();
    let mut configs = Vec::new();
    for (number, group) in addresses.chunks(LISTENERS).enumerate() {
        let mut config = format!(
            "Port {port}\nHostKey {shown}/host_key\nPidFile none\nAuthorizedKeysFile {}\nUsePAM no\nUseDNS no\n\
             StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nLogLevel ERROR\n\
             MaxStartups 1000\nMaxSessions 10\nSubsystem sftp internal-sftp\n",
            keys.display()
        );
        for address in group {
            writeln!(config, "ListenAddress {address}").unwrap();
        }
        let path = root.join(format!("sshd_{number}"));
        fs::write(&path, config).unwrap();
        configs.push(path);
    }
    let log = fs::File::create(root.join("sshd.log")).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if is_root() {
        accounts(&root.join("etc"));
        command.args(["unshare", "--mount", "--pid", "--propagation", "private"]);
        command.args([
            "--fork",
            "--kill-child",
            "--mount-proc",
            "sh",
            "-c",
            BOOT,
            "sh",
        ]);
        command.arg(root.join("etc"));
    } else {
        // Ends with its servers when the bench does.
        let servers = "for config; do /usr/sbin/sshd -D -e -f \"$config\" & done; wait";
        command.args(["unshare", "--user", "--map-current-user", "--pid", "--fork"]);
        command.args(["--kill-child", "sh", "-c", servers, "sh"]);
    }
    command.args(configs);
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap());
    command.stderr(log).spawn().unwrap()
}

fn accounts(etc: &Path) {
    for (file, line) in [
        ("passwd", format!("{ACCOUNT}:x:{ID}:{ID}::/:/bin/sh")),
        ("group", format!("{ACCOUNT}:x:{ID}:")),
        // `*` locks the password and leaves keys.
        ("shadow", format!("{ACCOUNT}:*:19000:0:99999:7:::")),
    ] {
        let system = fs::read_to_string(Path::new("/etc").join(file)).unwrap();
        fs::write(etc.join(file), format!("{system}{line}\n")).unwrap();
    }
    fs::set_permissions(etc.join("shadow"), Permissions::from_mode(0o600)).unwrap();
}
