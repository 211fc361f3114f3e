//! PostgreSQL as `pg_createcluster` of Debian makes a cluster: configuration below /etc/postgresql, data
//! mode 0700, log postgres:adm 0640, a Unix socket with peer authentication.

use std::rc::Rc;

use super::super::Host;
use super::super::account::OPERATIONS;
use super::Daemon;

/// One cluster, `main`.
pub struct Postgresql {
    pub host: Rc<Host>,
    /// The major version, which Debian's paths have.
    pub major: String,
    daemon: Option<Daemon>,
}

impl Postgresql {
    /// A cluster that runs, and a role for operations that is member of pg_monitor.
    pub fn start(host: &Rc<Host>) -> Self {
        let major = host.root("ls /usr/lib/postgresql | sort -n | tail -n 1");
        let mut own = Self {
            host: Rc::clone(host),
            major: major.trim().to_owned(),
            daemon: None,
        };
        let (major, conf) = (&own.major, own.conf());
        host.root("install -d -m 2775 -o postgres -g postgres /run/postgresql");
        host.root(&format!("rm -rf {conf} /var/lib/postgresql/{major}/main"));
        host.root(&format!(
            "pg_createcluster {major} main -- --auth-local=peer --no-sync"
        ));
        // Tests run side by side, and none outlives a power failure.
        host.put(
            &format!("{conf}/conf.d/lab.conf"),
            "listen_addresses = ''\nfsync = off\nshared_buffers = 16MB\n",
        );
        own.up();
        let user = OPERATIONS.login();
        own.sql(&format!("CREATE ROLE \"{user}\" LOGIN"));
        own.sql(&format!("GRANT pg_monitor TO \"{user}\""));
        own
    }

    /// Where its configuration lies.
    pub fn conf(&self) -> String {
        format!("/etc/postgresql/{}/main", self.major)
    }

    /// Its log.
    pub fn log(&self) -> String {
        format!("/var/log/postgresql/postgresql-{}-main.log", self.major)
    }

    /// Starts it.
    pub fn up(&mut self) {
        let major = &self.major;
        self.host.root(&format!("pg_ctlcluster {major} main start"));
        let pid_file = format!("/var/lib/postgresql/{major}/main/postmaster.pid");
        self.daemon = Some(Daemon::new(&self.host, &pid_file));
        self.host.wait_for("PostgreSQL answers", "pg_isready -q");
    }

    /// Stops it, as `pg_ctlcluster stop` does.
    pub fn down(&mut self) {
        // Fast shutdown. The pid file goes with the server.
        let daemon = self.daemon.take().expect("it runs");
        daemon.stop("INT");
    }

    /// One statement as the superuser; what it answers.
    pub fn sql(&self, statement: &str) -> String {
        let quoted = statement.replace('\'', r"'\''");
        self.host.root(&format!(
            "cd / && setpriv --reuid postgres --regid postgres --init-groups \
             psql -XAtq -v ON_ERROR_STOP=1 -d postgres -c '{quoted}'"
        ))
    }
}
