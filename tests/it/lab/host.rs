//! One real `sshd` on its own loopback address, started in the foreground and killed by its process
//! id when the lab is dropped. Strict about keys, generous about start-ups: many tests log in at once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::rc::Rc;
use std::time::Duration;

use super::account::{Account, MARKET_DATA, OPERATIONS, is_root};
use super::machine::{self, Machine};
use super::{Lab, keygen, until};

/// A running server.
pub struct Host {
    /// Its key in the inventory and its host name.
    pub name: String,
    pub address: SocketAddrV4,
    pub machine_id: String,
    dir: PathBuf,
    server: Child,
}

impl Host {
    /// A path inside the host's own directory, the same seen from within.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.dir.join(relative)
    }

    /// What `sshd` logged so far, `LogLevel VERBOSE`.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("sshd.log")).unwrap()
    }

    /// What the SFTP server of [`HostBuilder::record_sftp`] logged so far: every open, every change.
    pub fn sftp_log(&self) -> String {
        let lines = self.sftp_requests();
        let told = lines.lines().filter(|line| !line.starts_with("debug"));
        told.map(|line| format!("{line}\n")).collect()
    }

    /// The same with every single request in it.
    pub fn sftp_requests(&self) -> String {
        fs::read_to_string(self.path("recorded/sftp")).unwrap()
    }

    /// Every command line that [`HostBuilder::record_commands`] saw.
    pub fn commands(&self) -> String {
        fs::read_to_string(self.path("recorded/commands")).unwrap()
    }

    /// Runs a shell line as root on the host itself (needs root).
    pub fn inside(&self, line: &str) -> Output {
        let pid = self.first().to_string();
        let entered = Command::new("nsenter")
            .args([
                "-t", &pid, "-m", "-u", "-p", "timeout", "20", "sh", "-c", line,
            ])
            .stdin(Stdio::null())
            .output();
        entered.unwrap()
    }

    /// Makes a directory of the lab appear as /usr/local on the host (needs root).
    pub fn own_usr_local(&self) {
        let local = self.path("local");
        fs::create_dir_all(local.join("libexec")).unwrap();
        for dir in [local.clone(), local.join("libexec")] {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mounted = self.inside(&format!("mount --bind {} /usr/local", local.display()));
        assert!(mounted.status.success(), "{mounted:?}");
    }

    /// Appends to the first sshd_config as an administrator does: checks, reloads, waits (needs root).
    pub fn reconfigure(&self, text: &str) {
        let (config, first) = (self.path("sshd_config"), self.path("sshd_config.first"));
        if !first.exists() {
            fs::copy(&config, &first).unwrap();
        }
        let whole = fs::read_to_string(&first).unwrap() + text;
        fs::write(&config, whole).unwrap();
        let checked = self.inside(&format!("{} -t -f {}", sshd().display(), config.display()));
        assert!(checked.status.success(), "{checked:?}");
        let listens = || self.log().matches("Server listening on").count();
        let before = listens();
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.first()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
        until("sshd is back", Duration::from_secs(20), || {
            listens() > before && greets(self.address)
        });
    }

    /// The first process of the host's own namespace, which is its sshd.
    fn first(&self) -> u32 {
        let pid = self.server.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        children.trim().parse().unwrap()
    }

    /// The first process of its namespaces, for `nsenter` (needs root).
    pub fn init(&self) -> u32 {
        let unshare = self.server.id();
        let children = format!("/proc/{unshare}/task/{unshare}/children");
        let children = fs::read_to_string(children).unwrap();
        children.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// `ssh-ed25519 AAAA…`
    pub fn public_key(&self) -> String {
        let line = fs::read_to_string(self.path("host_key.pub")).unwrap();
        line.split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    /// `SHA256:…`, as a pin wants it.
    pub fn fingerprint(&self) -> String {
        let key = ssh_key::PublicKey::from_openssh(&self.public_key()).unwrap();
        key.fingerprint(ssh_key::HashAlg::Sha256).to_string()
    }

    /// The command lines of all processes that run there, but for the server that waits for callers.
    pub fn sessions(&self) -> Vec<String> {
        let parent = |pid: u32| -> Option<u32> {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            stat.rsplit(')')
                .next()?
                .split_whitespace()
                .nth(1)?
                .parse()
                .ok()
        };
        let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let all = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let is_ours = |pid: &u32| {
            // Nobody is its own ancestor for more than a few generations.
            let mut ancestors = std::iter::successors(parent(*pid), |pid| parent(*pid)).take(32);
            ancestors.any(|ancestor| ancestor == self.server.id())
        };
        let lines = all.filter(is_ours).filter_map(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            Some(String::from_utf8_lossy(&line).replace('\0', " "))
        });
        lines.filter(|line| !line.contains("[listener]")).collect()
    }

    /// The line that `known_hosts` needs.
    pub fn known_hosts_line(&self) -> String {
        let (ip, port) = (self.address.ip(), self.address.port());
        format!("[{ip}]:{port} {}\n", self.public_key())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // As root this is `unshare`, whose namespace dies with it: no reader stays stuck behind.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// What differs from a plain host.
pub struct HostBuilder<'a> {
    lab: &'a Lab,
    name: String,
    dir: PathBuf,
    options: Vec<String>,
    matched: BTreeMap<String, Vec<String>>,
    shells: BTreeMap<u32, String>,
    key_options: BTreeMap<u32, String>,
    strangers: Vec<u32>,
    subsystem: Option<String>,
    sudoers: String,
    machine_id: Option<String>,
    etc: BTreeMap<String, String>,
}

impl<'a> HostBuilder<'a> {
    pub(super) fn new(lab: &'a Lab, name: &str) -> Self {
        let dir = lab.path(name);
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        for (sub, mode) in [
            ("keys", 0o755),
            ("home", 0o755),
            ("chroot", 0o755),
            ("recorded", 0o777),
        ] {
            fs::create_dir(dir.join(sub)).unwrap();
            fs::set_permissions(dir.join(sub), fs::Permissions::from_mode(mode)).unwrap();
        }
        Self {
            lab,
            name: name.to_owned(),
            dir,
            options: Vec::new(),
            matched: BTreeMap::new(),
            shells: BTreeMap::new(),
            key_options: BTreeMap::new(),
            strangers: Vec::new(),
            subsystem: Some("internal-sftp".to_owned()),
            sudoers: String::new(),
            machine_id: None,
            etc: BTreeMap::new(),
        }
    }

    /// Lines at the end of a file in the machine's own /etc, or the whole file where the lab makes none
    /// (needs root).
    pub fn etc(mut self, file: &str, lines: &str) -> Self {
        let text = self.etc.entry(file.to_owned()).or_default();
        writeln!(text, "{lines}").unwrap();
        self
    }

    /// One line of `sshd_config`.
    pub fn option(mut self, line: &str) -> Self {
        self.options.push(line.to_owned());
        self
    }

    /// One line of `sshd_config` for one account only.
    pub fn option_for(mut self, account: Account, line: &str) -> Self {
        let lines = self.matched.entry(account.login()).or_default();
        lines.push(line.to_owned());
        self
    }

    /// The account's login shell (needs root); `/bin/sh` otherwise.
    pub fn shell(mut self, account: Account, shell: &str) -> Self {
        self.shells.insert(account.uid, shell.to_owned());
        self
    }

    /// Options before the account's key (`authorized_keys`), such as `command="echo ok"`.
    pub fn key_options(mut self, account: Account, options: &str) -> Self {
        self.key_options.insert(account.uid, options.to_owned());
        self
    }

    /// The account's key is not authorized here.
    pub fn without_key(mut self, account: Account) -> Self {
        self.strangers.push(account.uid);
        self
    }

    /// No SFTP at all.
    pub fn without_sftp(mut self) -> Self {
        self.subsystem = None;
        self
    }

    /// Another SFTP server than sshd's own; the command line runs in the account's shell.
    pub fn subsystem(mut self, command: &str) -> Self {
        self.subsystem = Some(command.to_owned());
        self
    }

    /// SFTP and nothing else, inside `host.path("chroot")` as `/` (needs root).
    pub fn sftp_chroot(self, account: Account) -> Self {
        self.option_for(account, "ChrootDirectory /run/chroot")
            .option_for(account, "ForceCommand internal-sftp")
    }

    /// Every request over SFTP is written to [`Host::sftp_log`]. The server inside sshd can only log
    /// to syslog; the external one runs in the account's shell, which can redirect it.
    pub fn record_sftp(mut self) -> Self {
        let record = self.dir.join("recorded/sftp");
        fs::write(&record, "").unwrap();
        fs::set_permissions(&record, fs::Permissions::from_mode(0o666)).unwrap();
        let known = ["/usr/lib/openssh", "/usr/libexec/openssh", "/usr/lib/ssh"];
        let mut known = known.iter().map(|dir| Path::new(dir).join("sftp-server"));
        let server = known.find(|path| path.exists()).expect("sftp-server");
        let (server, record) = (server.display(), record.display());
        self.subsystem = Some(format!("{server} -e -l DEBUG3 2>>{record}"));
        self
    }

    /// Every command of the account's key is written to [`Host::commands`] before it runs.
    pub fn record_commands(self, account: Account) -> Self {
        let (script, record) = (
            self.dir.join("recorded/run"),
            self.dir.join("recorded/commands"),
        );
        let text = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$SSH_ORIGINAL_COMMAND\" >>'{}'\nexec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"\n",
            record.display()
        );
        fs::write(&record, "").unwrap();
        fs::write(&script, text).unwrap();
        fs::set_permissions(&record, fs::Permissions::from_mode(0o666)).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        // By key and not by account: without root two teams share one account.
        let options = format!("command=\"{}\"", script.display());
        self.key_options(account, &options)
    }

    /// Lines of a sudoers file (needs root).
    pub fn sudoers(mut self, lines: &str) -> Self {
        writeln!(self.sudoers, "{lines}").unwrap();
        self
    }

    /// Says that it is the machine that `other` is (needs root).
    pub fn same_machine_as(mut self, other: &Host) -> Self {
        self.machine_id = Some(other.machine_id.clone());
        self
    }

    /// Shows the host key of `other`, as clones of one image do.
    pub fn same_key_as(self, other: &Host) -> Self {
        for file in ["host_key", "host_key.pub"] {
            fs::copy(other.path(file), self.dir.join(file)).unwrap();
        }
        self
    }

    /// `date` is that many seconds off for every account.
    pub fn clock_off(self, seconds: i64) -> Self {
        let bin = self.dir.join("bin");
        let date = bin.join("date");
        fs::create_dir(&bin).unwrap();
        // What it is asked has to be what the plan prints.
        let text = format!(
            "#!/bin/sh\n[ \"$*\" = '-u +%s' ] || exit 64\necho $(($(/bin/date -u +%s) + {seconds}))\n"
        );
        fs::write(&date, text).unwrap();
        for path in [bin.as_path(), &date] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        self.option(&format!("SetEnv PATH={}:/usr/bin:/bin", bin.display()))
    }

    /// Starts the server and waits until it greets.
    pub fn start(self) -> Rc<Host> {
        let address = self.free_address();
        let machine_id = self.machine_id.clone().unwrap_or_else(random_id);
        if !self.dir.join("host_key").exists() {
            keygen(&self.dir.join("host_key"), &self.name);
        }
        self.authorize();
        let config = self.dir.join("sshd_config");
        fs::write(&config, self.config(address)).unwrap();

        let sshd = sshd();
        let mut line: Vec<std::ffi::OsString> =
            ["setpriv", "--pdeathsig", "KILL"].map(Into::into).into();
        if is_root() {
            let prepared = self.dir.join("etc");
            let machine = Machine {
                hostname: &self.name,
                machine_id: &machine_id,
                sudoers: &self.sudoers,
                etc: &self.etc,
                shell: &|account| {
                    let shell = self.shells.get(&account.uid);
                    shell.cloned().unwrap_or_else(|| "/bin/sh".to_owned())
                },
                home: &|account| self.home(account).display().to_string(),
            };
            machine.prepare(&prepared);
            line.extend(machine::boot(&prepared, &self.dir.join("chroot")));
        }
        line.extend([sshd.into(), "-D".into(), "-e".into(), "-f".into()]);
        line.push(config.into());

        let log = fs::File::create(self.dir.join("sshd.log")).unwrap();
        let mut server = Command::new(&line[0])
            .args(&line[1..])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let log = self.dir.join("sshd.log");
        until("sshd greets", Duration::from_secs(20), || {
            let ended = server.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {:?}", fs::read_to_string(&log));
            greets(address)
        });
        let host = Rc::new(Host {
            name: self.name,
            address,
            machine_id,
            dir: self.dir,
            server,
        });
        self.lab.hosts.borrow_mut().push(Rc::clone(&host));
        host
    }

    /// A host of which only the address exists: nothing listens.
    pub fn dead(self) -> SocketAddrV4 {
        self.free_address()
    }

    // A random address makes it unlikely that another test takes the port between here and sshd.
    fn free_address(&self) -> SocketAddrV4 {
        let mut bytes = [0; 3];
        getrandom::fill(&mut bytes).unwrap();
        let ip = Ipv4Addr::new(127, bytes[0] | 1, bytes[1], bytes[2] | 1);
        let port = TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap();
        SocketAddrV4::new(ip, port.port())
    }

    fn home(&self, account: Account) -> PathBuf {
        self.dir.join("home").join(account.uid.to_string())
    }

    fn authorize(&self) {
        for account in [OPERATIONS, MARKET_DATA] {
            let home = self.home(account);
            fs::create_dir_all(&home).unwrap();
            if is_root() {
                chown(&home, Some(account.uid), Some(account.uid)).unwrap();
            }
            // As many systems make them: no target account of sudo gets in.
            fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
            if self.strangers.contains(&account.uid) {
                continue;
            }
            let public = self.lab.path("operator/keys").join(account.team);
            let public = fs::read_to_string(public.with_extension("pub")).unwrap();
            let options = self.key_options.get(&account.uid);
            let blank = options.map_or("", |_| " ");
            let line = format!("{}{blank}{public}", options.map_or("", String::as_str));
            let file = self.dir.join("keys").join(account.login());
            // Without root both teams share one account and so one file.
            let before = fs::read_to_string(&file).unwrap_or_default();
            fs::write(&file, before + &line).unwrap();
        }
    }

    fn config(&self, address: SocketAddrV4) -> String {
        let dir = self.dir.display();
        // sshd takes the first word on everything, but what a `Match` block says outweighs all before it.
        let is_block = |line: &&String| line.starts_with("Match ");
        let (blocks, plain): (Vec<_>, Vec<_>) = self.options.iter().partition(is_block);
        let lines = |lines: Vec<&String>| -> String {
            lines.into_iter().map(|line| format!("{line}\n")).collect()
        };
        let mut text = lines(plain);
        write!(
            text,
            "ListenAddress {}\nPort {}\nHostKey {dir}/host_key\nPidFile {dir}/sshd.pid\n\
             AuthorizedKeysFile {dir}/keys/%u\nStrictModes no\nUsePAM no\nUseDNS no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin no\n\
             LogLevel VERBOSE\nMaxStartups 200\nPrintMotd no\n",
            address.ip(),
            address.port()
        )
        .unwrap();
        if has_penalties() {
            text.push_str("PerSourcePenalties no\n");
        }
        if let Some(subsystem) = &self.subsystem {
            writeln!(text, "Subsystem sftp {subsystem}").unwrap();
        }
        text.push_str(&lines(blocks));
        for (account, lines) in &self.matched {
            writeln!(text, "Match User {account}\n  {}", lines.join("\n  ")).unwrap();
        }
        text
    }
}

fn sshd() -> PathBuf {
    let known = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"];
    let found = known.into_iter().map(Path::new).find(|path| path.exists());
    // sshd re-executes itself and insists on an absolute path.
    found
        .expect("sshd is installed (scripts/test installs it)")
        .to_owned()
}

// PerSourcePenalties came with OpenSSH 9.8; an older sshd refuses to start over it.
fn has_penalties() -> bool {
    let version = Command::new("ssh").arg("-V").output().unwrap();
    let version = String::from_utf8_lossy(&version.stderr).into_owned();
    let digits = version.strip_prefix("OpenSSH_").unwrap_or_default();
    let mut parts = digits.split(|c: char| !c.is_ascii_digit());
    let mut number = || parts.next().and_then(|part| part.parse::<u32>().ok());
    (number(), number()) >= (Some(9), Some(8))
}

fn greets(address: SocketAddrV4) -> bool {
    let Ok(mut peer) = TcpStream::connect_timeout(&address.into(), Duration::from_secs(1)) else {
        return false;
    };
    peer.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut banner = [0; 8];
    peer.read_exact(&mut banner).is_ok() && banner == *b"SSH-2.0-"
}

fn random_id() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
