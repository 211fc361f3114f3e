//! A machine of its own whose sshd refuses logins for every reason there is: accounts in its own /etc,
//! StrictModes on, PAM when asked for. Asserts nothing about gonogo.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use gonogo::inventory::{Auth, Login};

use super::lab::{login_at, sh};
use crate::lab::{Host, HostBuilder, Lab, keygen};

/// cargo sets it for every test, to `gonogo`: the only way to have a variable without `unsafe`.
pub const SECRET: &str = "CARGO_PKG_NAME";
/// Another one, of another value.
pub const WRONG: &str = "CARGO_PKG_VERSION";
/// The first uid; no account outside has it.
const FIRST: u32 = 61_100;

/// One account of the gate.
#[derive(Clone, Copy)]
pub struct Visitor {
    pub name: &'static str,
    /// The password field of shadow(5); `PASSWORD` is the hash of [`SECRET`]'s value.
    pub password: &'static str,
    /// What follows it: last change, minimum, maximum, warning, inactive, expires, reserved.
    pub aging: &'static str,
    pub shell: &'static str,
    /// Options before its key in authorized_keys.
    pub options: &'static str,
}

/// An account that is let in by its key.
pub const fn visitor(name: &'static str) -> Visitor {
    Visitor {
        name,
        password: "*",
        aging: "19000:0:99999:7:::",
        shell: "/bin/sh",
        options: "",
    }
}

/// The directory, the accounts and the options of a gate, before it opens.
pub struct Plans<'a> {
    pub lab: &'a Lab,
    pub builder: HostBuilder<'a>,
    visitors: Vec<Visitor>,
}

impl<'a> Plans<'a> {
    /// A machine with these accounts; `pam` is its PAM service, when it has one.
    pub fn new(lab: &'a Lab, name: &str, visitors: &[Visitor], pam: Option<&str>) -> Self {
        let mut builder = lab.host(name);
        keygen(&lab.path("id"), "visitor@gonogo");
        let hash = sh(
            "openssl",
            &["passwd", "-6", &std::env::var(SECRET).unwrap()],
        );
        for (uid, visitor) in (FIRST..).zip(visitors) {
            let home = lab.path(&format!("{name}/home/{}", visitor.name));
            fs::create_dir_all(home.join(".ssh")).unwrap();
            let key = fs::read_to_string(lab.path("id.pub")).unwrap();
            let line = format!("{} {key}", visitor.options);
            fs::write(home.join(".ssh/authorized_keys"), line.trim_start()).unwrap();
            for path in [
                home.clone(),
                home.join(".ssh"),
                home.join(".ssh/authorized_keys"),
            ] {
                chown(&path, Some(uid), Some(uid)).unwrap();
            }
            let Visitor {
                name,
                password,
                aging,
                shell,
                ..
            } = visitor;
            let password = password.replace("PASSWORD", hash.trim());
            builder = builder
                .etc(
                    "passwd",
                    &format!("{name}:x:{uid}:{uid}::{}:{shell}", home.display()),
                )
                .etc("shadow", &format!("{name}:{password}:{aging}"))
                .etc("group", &format!("{name}:x:{uid}:"));
        }
        builder = builder
            .option("StrictModes yes")
            .option("AuthorizedKeysFile .ssh/authorized_keys");
        if let Some(service) = pam {
            builder = builder.option("UsePAM yes").etc("pam.d/sshd", service);
        }
        Self {
            lab,
            builder,
            visitors: visitors.to_vec(),
        }
    }

    /// One more line of sshd_config.
    pub fn option(mut self, line: &str) -> Self {
        self.builder = self.builder.option(line);
        self
    }

    /// One more line of a file in its /etc.
    pub fn etc(mut self, file: &str, line: &str) -> Self {
        self.builder = self.builder.etc(file, line);
        self
    }

    /// Opens it.
    pub fn open(self) -> Gate {
        let host = self.builder.start();
        let known_hosts = self.lab.path("known_hosts");
        fs::write(&known_hosts, host.known_hosts_line()).unwrap();
        Gate {
            id: self.lab.path("id"),
            known_hosts,
            host,
            visitors: self.visitors,
        }
    }
}

/// A running gate.
pub struct Gate {
    pub host: Rc<Host>,
    pub id: PathBuf,
    known_hosts: PathBuf,
    visitors: Vec<Visitor>,
}

impl Gate {
    /// The login of `user` by its key.
    pub fn login(&self, user: &str) -> Login {
        let (ip, port) = (self.host.address.ip().to_string(), self.host.address.port());
        let mut login = login_at(&ip, port, user, key(&self.id), self.known_hosts.clone());
        login.connect_timeout = Duration::from_secs(20);
        login
    }

    /// What sshd has logged since it had logged `before` bytes.
    pub fn log_since(&self, before: usize) -> String {
        self.host.log()[before..].to_owned()
    }

    /// The home of `user`, seen from outside.
    pub fn home(&self, user: &str) -> PathBuf {
        assert!(self.visitors.iter().any(|visitor| visitor.name == user));
        self.host.path("home").join(user)
    }

    pub fn mode(&self, user: &str, below: &str, mode: u32) {
        let path = self.home(user).join(below);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// Logging in by the key at `path`.
pub fn key(path: &std::path::Path) -> Auth {
    Auth::Key {
        path: path.to_owned(),
        certificate: None,
        passphrase_env: None,
    }
}
