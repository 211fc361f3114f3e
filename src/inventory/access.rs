//! How a team reaches a host: everything `transport` needs to connect, and nothing it must look up.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::artifact::Pattern;
use super::gather::Gather;

/// One login, with every default applied: `ssh:`, then the team, then the host, the last word wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Key of the host in `hosts:`.
    pub host: String,
    /// Key of the team in `teams:`.
    pub team: String,
    /// Name or IP address.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// Remote account.
    pub user: String,
    /// Methods to try, in order, each once.
    pub auth: Vec<Auth>,
    /// Files in known_hosts format (sshd(8)); used when there is no pin.
    pub known_hosts: Vec<PathBuf>,
    /// `SHA256:…` fingerprint that the host key must have, instead of known_hosts.
    pub host_key: Option<String>,
    /// Time for name, TCP, key exchange and authentication, of each hop.
    pub connect_timeout: Duration,
    /// Whole time of one check.
    pub deadline: Duration,
    /// How far the host's clock may be from the runner's.
    pub clock_tolerance: Duration,
    /// Cap for one artifact, in bytes.
    pub max_bytes: u64,
    /// Whether commands and reads go through `sudo -n`.
    pub elevate: Elevate,
    /// Which of SSH's subsystems may be used.
    pub transport: Transport,
    /// Whether one command may read many files.
    pub gather: Gather,
    /// Which SSH client.
    pub client: Client,
    /// The operators' own ssh_config, where the login follows one.
    pub ssh_config: Option<SshConfig>,
    /// The directory that this account sees as `/`: a host path, without `/` at its end.
    pub chroot: Option<String>,
    /// The hops, nearest first, each with its own login.
    pub via: Vec<Login>,
}

/// The ssh_config(5) that a login follows, and what of it is no part of the login itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshConfig {
    /// The file.
    pub path: PathBuf,
    /// The file as the inventory writes it.
    pub written: String,
    /// What one would type: `ssh -F FILE ALIAS`.
    pub alias: String,
    /// `HostKeyAlias`: the name to look up in known_hosts, without a port.
    pub host_key_alias: Option<String>,
    /// `AddressFamily`.
    pub family: Family,
    /// What is offered because it says so, each once: keys, certificates, the agent. Empty where the
    /// inventory itself says how to log in.
    pub offers: Vec<String>,
    /// What it says that is not followed although the login can be made, in phrases.
    pub notes: Vec<String>,
}

/// `AddressFamily` of ssh_config(5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Whatever the name resolves to.
    #[default]
    Any,
    /// IPv4 only.
    Inet,
    /// IPv6 only.
    Inet6,
}

impl Login {
    /// Whether `AddressFamily` of its ssh_config leaves that address.
    #[must_use]
    pub fn takes(&self, address: &SocketAddr) -> bool {
        match self.ssh_config.as_ref().map(|config| config.family) {
            Some(Family::Inet) => address.is_ipv4(),
            Some(Family::Inet6) => address.is_ipv6(),
            Some(Family::Any) | None => true,
        }
    }

    /// The name to look up in known_hosts in place of address and port: `HostKeyAlias`.
    #[must_use]
    pub fn host_key_alias(&self) -> Option<&str> {
        self.ssh_config.as_ref()?.host_key_alias.as_deref()
    }

    /// What this account calls the host's `path`; `None` when that lies outside its chroot.
    #[must_use]
    pub fn asked(&self, path: &str) -> Option<String> {
        match &self.chroot {
            None => Some(path.to_owned()),
            Some(chroot) => below(chroot, path).map(|below| format!("/{below}")),
        }
    }

    /// What the host calls the `path` of this account.
    #[must_use]
    pub fn on_host(&self, path: &str) -> String {
        match &self.chroot {
            None => path.to_owned(),
            Some(chroot) => format!("{chroot}/{}", path.trim_start_matches('/')),
        }
    }
}

/// What is left of `path` below `chroot`. As text: a pattern is below only what it spells out.
pub(super) fn below<'p>(chroot: &str, path: &'p str) -> Option<&'p str> {
    let rest = path.strip_prefix(chroot.trim_end_matches('/'))?;
    let below = rest.strip_prefix('/')?.trim_start_matches('/');
    (!below.is_empty()).then_some(below)
}

/// One way to authenticate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// A private key file, perhaps encrypted, perhaps with an OpenSSH certificate beside it.
    Key {
        /// The private key.
        path: PathBuf,
        /// `certificate: FILE`.
        certificate: Option<PathBuf>,
        /// `passphrase_env: NAME`: the environment variable that holds the passphrase.
        passphrase_env: Option<String>,
    },
    /// The ssh-agent at `SSH_AUTH_SOCK`: all of its keys, or one.
    Agent(AgentKey),
    /// `keyboard_interactive:` answers to what the server asks.
    KeyboardInteractive {
        /// In the order of the inventory; each is given once for each login.
        answers: Vec<Answer>,
    },
    /// `password_env: NAME`: the environment variable that holds the password.
    Password {
        /// The variable's name; its value is never stored.
        env: String,
    },
}

/// `agent:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentKey {
    /// `true`: whatever the agent holds, one after the other.
    Any,
    /// `"SHA256:…"`, as `ssh-add -l` prints it.
    Fingerprint(String),
    /// A public key or certificate file: the agent holds its other half.
    File(PathBuf),
}

/// One answer of `keyboard_interactive:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Where it comes from.
    pub from: AnswerFrom,
    /// `prompt:` the questions that it answers; any, in order, without.
    pub prompt: Option<Pattern>,
}

/// Where an answer comes from; it is never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerFrom {
    /// `env: NAME`.
    Env(String),
    /// `command: [PROGRAM, …]`, run on this side when the server asks.
    Command(Vec<String>),
}

/// `elevate:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elevate {
    /// As the login account.
    None,
    /// `sudo -n --`: as root.
    Root,
    /// `sudo -n -u USER --`.
    User(String),
}

/// `transport:`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// SFTP for files (unless elevated), exec for commands.
    Auto,
    /// Exec for everything.
    Exec,
    /// SFTP for files; no command is ever sent.
    Sftp,
}

/// `client:`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// libssh2, inside the process.
    Ssh2,
    /// The installed `ssh`.
    Openssh,
}
