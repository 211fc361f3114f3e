//! A real sshd with accounts, keys and files of its own. Asserts nothing about gonogo.

use std::cell::Cell;
use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use gonogo::failure::Failure;
use gonogo::inventory::{Auth, Client, Elevate, Gather, Login, Transport};
use gonogo::transport::{self, Limits, Receipt, Session, Sink, Span, Ways};
use tokio_util::sync::CancellationToken;

use crate::lab::needs_root;

/// Account, shell, what its shell reads first (see [`rc`]).
const ACCOUNTS: [(&str, &str, &str); 21] = [
    ("gngt-ops", "/bin/bash", ""),
    ("gngt-two", "/bin/sh", ""),
    ("gngt-noisy", "/bin/bash", "echo noise; echo louder >&2\n"),
    ("gngt-exit", "/bin/bash", "exit 0\n"),
    ("gngt-nologin", "/usr/sbin/nologin", ""),
    ("gngt-false", "/bin/false", ""),
    ("gngt-rbash", "/bin/rbash", ""),
    ("gngt-exec", "/bin/bash", "exec echo gone\n"),
    ("gngt-dash", "/bin/dash", ""),
    ("gngt-zsh", "/usr/bin/zsh", NOISE),
    ("gngt-fish", "/usr/bin/fish", NOISE),
    // csh cannot write to stderr alone.
    ("gngt-tcsh", "/usr/bin/tcsh", "echo noise\n"),
    ("gngt-csh", "/usr/bin/csh", "echo noise\n"),
    ("gngt-ksh", "/usr/bin/ksh", ""),
    ("gngt-mksh", "/usr/bin/mksh", NOISE),
    ("gngt-ash", "/var/tmp/gonogo-lab/applets/ash", ""),
    ("gngt-jail", "/bin/rbash", "PATH=$HOME/bin\n"),
    (
        "gngt-waits",
        "/bin/bash",
        "echo 'Press enter:' >&2; read x\n",
    ),
    ("gngt-full", "/bin/bash", "ulimit -u 0\n"),
    ("gngt-loud", "/bin/bash", "echo Welcome to ny4\n"),
    ("gngt-homeless", "/bin/bash", HOMELESS),
];

const NOISE: &str = "echo noise; echo louder >&2\n";
/// Its home is in passwd and nowhere else.
const HOMELESS: &str = "no home";

pub const OPS: &str = "gngt-ops";
pub const TWO: &str = "gngt-two";

thread_local! {
    static CLIENT: Cell<Client> = const { Cell::new(Client::Ssh2) };
}

/// From here on every login of this test's thread is made with that client.
pub fn use_client(client: Client) {
    CLIENT.set(client);
}

pub fn client() -> Client {
    CLIENT.get()
}

/// One sshd with its directory.
pub struct Lab {
    pub dir: PathBuf,
    pub port: u16,
    sshd: Child,
    _dir: tempfile::TempDir,
}

/// Limits that no healthy operation meets.
pub const AMPLE: Limits = Limits {
    time: Duration::from_secs(30),
    bytes: 1 << 30,
};

pub fn within(time: Duration) -> Limits {
    Limits { time, ..AMPLE }
}

pub fn shell(script: &str) -> transport::Command {
    transport::Command(["sh", "-c", script].map(str::to_owned).into())
}

pub fn sh(program: &str, arguments: &[&str]) -> String {
    let out = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{program} {arguments:?}: {said}");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// True as root; otherwise the test is left out, and said to be.
pub fn usable() -> bool {
    let test = std::thread::current();
    if needs_root(test.name().unwrap_or("transport")) {
        return false;
    }
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(accounts);
    true
}

fn accounts() {
    fs::create_dir_all("/run/sshd").unwrap();
    applets();
    for (user, login_shell, text) in ACCOUNTS {
        let home = format!("/var/tmp/gonogo-lab/{user}");
        fs::create_dir_all(&home).unwrap();
        let known = Command::new("id")
            .arg(user)
            .output()
            .unwrap()
            .status
            .success();
        if !known {
            // `*`: no password, yet not locked.
            sh(
                "useradd",
                &["-M", "-d", &home, "-s", login_shell, "-p", "*", user],
            );
        }
        if text == HOMELESS {
            fs::remove_dir_all(&home).unwrap();
            continue;
        }
        let rc = format!("{home}/{}", rc(login_shell));
        fs::create_dir_all(Path::new(&rc).parent().unwrap()).unwrap();
        fs::write(rc, text).unwrap();
        sh("chown", &["-R", user, &home]);
    }
}

/// What a shell reads when sshd hands it one command.
fn rc(login_shell: &str) -> &'static str {
    match login_shell.rsplit('/').next() {
        Some("zsh") => ".zshenv",
        Some("fish") => ".config/fish/config.fish",
        Some("tcsh") => ".tcshrc",
        Some("csh") => ".cshrc",
        _ => ".bashrc",
    }
}

/// BusyBox in place of every program that it has, where `SetEnv PATH` says so.
pub const APPLETS: &str = "/var/tmp/gonogo-lab/applets";

fn applets() {
    if !Path::new(APPLETS).join("ash").exists() {
        fs::create_dir_all(APPLETS).unwrap();
        sh("busybox", &["--install", "-s", APPLETS]);
    }
}

impl Lab {
    /// An sshd with more lines in its configuration.
    pub fn with(more: &str) -> Self {
        let temporary = tempfile::Builder::new()
            .prefix("gonogo-")
            .tempdir_in("/var/tmp")
            .unwrap();
        let dir = temporary.path().to_owned();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        for key in ["host", "user"] {
            keygen(&dir.join(key), "ed25519", "");
        }
        fs::create_dir(dir.join("authorized")).unwrap();
        for (user, ..) in ACCOUNTS {
            fs::copy(dir.join("user.pub"), dir.join("authorized").join(user)).unwrap();
        }
        let port = free_port();
        let more = more.replace("{dir}", &dir.display().to_string());
        let subsystem = match more.contains("NOSFTP") {
            true => "",
            false => "Subsystem sftp internal-sftp\n",
        };
        let more = more.replace("NOSFTP", "");
        // Of this one option sshd takes the last line, not the first.
        let startups = match more.contains("MaxStartups") {
            true => "",
            false => "MaxStartups 200\n",
        };
        let hostkey = match more.contains("HostKey ") {
            true => String::new(),
            false => format!("HostKey {}\n", dir.join("host").display()),
        };
        fs::write(
            dir.join("sshd_config"),
            format!(
                "{more}\nListenAddress 127.0.0.1\nPort {port}\n{hostkey}PidFile none\nUsePAM no\n\
                 StrictModes no\nAuthorizedKeysFile {d}/authorized/%u\nPasswordAuthentication no\n\
                 KbdInteractiveAuthentication no\n{startups}LogLevel DEBUG1\n{subsystem}\n",
                d = dir.display()
            ),
        )
        .unwrap();
        let log = fs::File::create(dir.join("log")).unwrap();
        let sshd = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(dir.join("sshd_config"))
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let lab = Self {
            dir,
            port,
            sshd,
            _dir: temporary,
        };
        lab.trust(&lab.host_line("host"));
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = fs::read_to_string(lab.dir.join("log")).unwrap();
            assert!(started.elapsed() < Duration::from_secs(10), "sshd: {log}");
            std::thread::sleep(Duration::from_millis(10));
        }
        lab
    }

    pub fn new() -> Self {
        Self::with("")
    }

    /// A known_hosts line for the key pair of that name.
    pub fn host_line(&self, key: &str) -> String {
        format!("[127.0.0.1]:{} {}", self.port, self.public(key))
    }

    pub fn public(&self, key: &str) -> String {
        let text = fs::read_to_string(self.dir.join(format!("{key}.pub"))).unwrap();
        let words: Vec<&str> = text.split_whitespace().take(2).collect();
        format!("{}\n", words.join(" "))
    }

    pub fn trust(&self, text: &str) {
        fs::write(self.dir.join("known_hosts"), text).unwrap();
    }

    pub fn authorize(&self, user: &str, line: &str) {
        fs::write(self.dir.join("authorized").join(user), line).unwrap();
    }

    pub fn login(&self, user: &str) -> Login {
        let known_hosts = self.dir.join("known_hosts");
        login_at("127.0.0.1", self.port, user, self.key("user"), known_hosts)
    }

    pub fn key(&self, name: &str) -> Auth {
        Auth::Key {
            path: self.dir.join(name),
            certificate: None,
            passphrase_env: None,
        }
    }

    /// A file that `OPS` can read, in a directory of the lab.
    pub fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.dir.join("files").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    pub fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap()
    }

    /// The processes that serve sessions of this sshd.
    pub fn children(&self) -> Vec<u32> {
        let mut found = vec![self.sshd.id()];
        let mut at = 0;
        while at < found.len() {
            let text = sh_quiet("ps", &["-o", "pid=", "--ppid", &found[at].to_string()]);
            found.extend(
                text.split_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            );
            at += 1;
        }
        found.remove(0);
        found
    }

    pub fn signal(&self, signal: &str) {
        let mut pids = self.children();
        pids.push(self.sshd.id());
        for pid in pids {
            sh_quiet("kill", &[&format!("-{signal}"), &pid.to_string()]);
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.signal("CONT");
        self.signal("KILL");
        let _ = self.sshd.wait();
    }
}

fn sh_quiet(program: &str, arguments: &[&str]) -> String {
    let out = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8_lossy(&out.stdout).into_owned()
}

pub fn keygen(path: &Path, kind: &str, passphrase: &str) {
    let path = path.display().to_string();
    sh(
        "ssh-keygen",
        &["-q", "-t", kind, "-N", passphrase, "-C", "", "-f", &path],
    );
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Whether a process with that word in its command line still runs, polling until it does not.
pub fn still_runs(word: &str, patience: Duration) -> bool {
    let started = Instant::now();
    loop {
        let alive = fs::read_dir("/proc")
            .unwrap()
            .filter_map(Result::ok)
            .any(|entry| {
                let numeric = entry
                    .file_name()
                    .to_string_lossy()
                    .bytes()
                    .all(|b| b.is_ascii_digit());
                let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                let own = entry.file_name().to_string_lossy() == std::process::id().to_string();
                numeric && !own && String::from_utf8_lossy(&line).contains(word)
            });
        if !alive || started.elapsed() > patience {
            return alive;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub async fn connect(login: &Login) -> Result<Arc<dyn Session>, Failure> {
    connect_by(&Ways::default(), login).await
}

/// Like [`connect`], sharing what the sessions of one run share.
pub async fn connect_by(ways: &Ways, login: &Login) -> Result<Arc<dyn Session>, Failure> {
    let session = ways.connect(login, &CancellationToken::new()).await;
    if let Err(failure) = &session {
        assert!(
            failure.host.is_some() && failure.account.is_some(),
            "{failure}"
        );
        assert!(!failure.hint.is_empty(), "{failure} has no hint");
    }
    session
}

/// A sink that keeps what it gets, and may do something at its first byte.
#[derive(Clone, Default)]
pub struct Kept(pub Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A sink that calls once when the first bytes come.
pub struct OnFirst<F: FnOnce()>(pub Option<F>);

impl<F: FnOnce()> Write for OnFirst<F> {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        if let Some(call) = self.0.take() {
            call();
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub async fn fetch(session: &dyn Session, path: &str) -> Result<(Receipt, Vec<u8>), Failure> {
    fetch_within(session, path, Span::WHOLE, AMPLE).await
}

pub async fn fetch_within(
    session: &dyn Session,
    path: &str,
    span: Span,
    limits: Limits,
) -> Result<(Receipt, Vec<u8>), Failure> {
    let kept = Kept::default();
    let sink: Sink = Box::new(kept.clone());
    match session.read(path, span, limits, sink).await {
        Ok(receipt) => Ok((receipt, kept.0.lock().unwrap().clone())),
        Err(error) => {
            let failure = error.told().expect("this sink takes everything");
            assert!(
                failure.host.is_some() && !failure.hint.is_empty(),
                "{failure}"
            );
            assert!(failure.subject.is_some(), "{failure}");
            Err(failure)
        }
    }
}

/// A login with nothing special about it.
pub fn login_at(address: &str, port: u16, user: &str, way: Auth, known_hosts: PathBuf) -> Login {
    Login {
        host: "target".into(),
        team: "operations".into(),
        address: address.into(),
        port,
        user: user.into(),
        auth: vec![way],
        known_hosts: vec![known_hosts],
        host_key: None,
        connect_timeout: Duration::from_secs(10),
        deadline: Duration::from_secs(60),
        clock_tolerance: Duration::from_secs(60),
        max_bytes: 1 << 30,
        elevate: Elevate::None,
        transport: Transport::Auto,
        gather: Gather::Each,
        client: CLIENT.get(),
        ssh_config: None,
        chroot: None,
        via: vec![],
    }
}
