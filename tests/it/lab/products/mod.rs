//! Debian's own PostgreSQL, MariaDB, Redis, nginx and HAProxy, really running on a host of the lab: from
//! Debian's configuration in the host's private /etc, in Debian's directories (private copies laid over
//! the machine's), as the accounts, with the modes and behind the start lines that Debian's units use.
//! There is no systemd in the lab: what only systemd does (the journal, `RuntimeDirectory=`) is done
//! here or left out. Needs root.

mod haproxy;
mod mariadb;
mod nginx;
mod postgresql;
mod redis;

pub use haproxy::Haproxy;
pub use mariadb::Mariadb;
pub use nginx::Nginx;
pub use postgresql::Postgresql;
pub use redis::Redis;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Output;
use std::rc::Rc;
use std::time::Duration;

use super::account::OPERATIONS;
use super::{Host, HostBuilder, until};

/// What Debian's packages write to below /var; the machine's own is never touched.
const VAR: [&str; 7] = [
    "log",
    "lib/postgresql",
    "lib/mysql",
    "lib/redis",
    "lib/haproxy",
    "lib/nginx",
    "lib/logrotate",
];

impl HostBuilder<'_> {
    /// Starts a host whose /var is its own where products write, and whose account for operations is in
    /// group adm, which Debian gives the logs to.
    pub fn start_debian(self) -> Rc<Host> {
        let host = self.start();
        for sub in VAR {
            let (own, system) = (host.path("var").join(sub), Path::new("/var").join(sub));
            fs::create_dir_all(&own).unwrap();
            // Directories only, as packages leave them: content is other people's.
            copy_tree(&system, &own);
            host.root(&format!(
                "mount --bind {} {}",
                own.display(),
                system.display()
            ));
        }
        host.root(&format!("usermod -aG adm {}", OPERATIONS.login()));
        host
    }
}

/// The directory and those below it, without files, with owners and modes.
fn copy_tree(from: &Path, to: &Path) {
    if let Ok(meta) = fs::symlink_metadata(from)
        && meta.is_dir()
    {
        fs::create_dir_all(to).unwrap();
        std::os::unix::fs::chown(to, Some(meta.uid()), Some(meta.gid())).unwrap();
        fs::set_permissions(to, meta.permissions()).unwrap();
        for entry in fs::read_dir(from).unwrap().filter_map(Result::ok) {
            let name = entry.file_name();
            // Databases of the machine itself.
            if entry.file_type().unwrap().is_dir() && !to.ends_with("mysql") {
                copy_tree(&entry.path(), &to.join(name));
            }
        }
    }
}

impl Host {
    /// As [`Host::inside`], which must succeed; what it printed.
    #[track_caller]
    pub fn root(&self, line: &str) -> String {
        let done = self.inside(line);
        assert!(done.status.success(), "{line}: {done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    /// Runs a shell line as the account of operations: how a sabotage is tried before gonogo is judged
    /// by it.
    pub fn ops(&self, line: &str) -> Output {
        let (user, quoted) = (OPERATIONS.login(), line.replace('\'', r"'\''"));
        self.inside(&format!("cd / && exec su {user} -s /bin/sh -c '{quoted}'"))
    }

    /// True when operations gets the whole file.
    pub fn ops_can_read(&self, file: &str) -> bool {
        self.ops(&format!("exec cat {file} >/dev/null"))
            .status
            .success()
    }

    /// Writes a file of the host, as root, with mode 0644.
    pub fn put(&self, file: &str, text: &str) {
        let scratch = self.path("scratch");
        fs::write(&scratch, text).unwrap();
        self.root(&format!("cat {} >{file}", scratch.display()));
    }

    /// What a file of the host holds.
    pub fn text(&self, file: &str) -> String {
        self.root(&format!("cat {file}"))
    }

    /// logrotate(8) with one of Debian's files, as cron would, whether or not it is time.
    pub fn logrotate(&self, config: &str) {
        self.root(&format!(
            "logrotate --force --state /run/logrotate.status {config}"
        ));
    }

    /// Polls a shell line on the host until it succeeds.
    #[track_caller]
    pub fn wait_for(&self, what: &str, line: &str) {
        until(what, Duration::from_secs(60), || {
            self.inside(line).status.success()
        });
    }
}

/// A server that runs, known by its pid file; ended when dropped.
pub struct Daemon {
    host: Rc<Host>,
    pid_file: String,
}

impl Daemon {
    fn new(host: &Rc<Host>, pid_file: &str) -> Self {
        host.wait_for(pid_file, &format!("test -s {pid_file}"));
        Self {
            host: Rc::clone(host),
            pid_file: pid_file.to_owned(),
        }
    }

    /// Ends it by its process id, and waits until it is gone.
    pub fn stop(&self, signal: &str) {
        // The pid counts in the host's own namespace, so that nothing else can be met.
        self.host.root(&format!(
            "pid=$(head -n 1 {}) && kill -{signal} $pid && \
             for try in $(seq 300); do kill -0 $pid 2>/dev/null || exit 0; sleep 0.05; done; exit 1",
            self.pid_file
        ));
    }

    /// Tells it to do something.
    pub fn signal(&self, signal: &str) {
        self.host
            .root(&format!("kill -{signal} $(head -n 1 {})", self.pid_file));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let kill = format!("kill -KILL $(head -n 1 {})", self.pid_file);
        let _ = self.host.inside(&kill);
    }
}
