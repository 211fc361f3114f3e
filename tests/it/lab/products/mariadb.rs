//! MariaDB under Debian's option files. Debian gives its error log to the journal, which the lab has
//! not: `log_error` names a file here, in a directory as Debian made it before, mysql:adm 2750.

use std::rc::Rc;

use super::super::Host;
use super::super::account::OPERATIONS;
use super::Daemon;

/// One server.
pub struct Mariadb {
    pub host: Rc<Host>,
    /// The zone that it writes its log in, where it is early in the morning: the hour has one digit.
    pub timezone: String,
    daemon: Option<Daemon>,
}

/// A zone where it is seven o'clock.
fn at_seven(now: jiff::Timestamp) -> String {
    let hour = now.to_zoned(jiff::tz::TimeZone::UTC).hour();
    let behind = match hour - 7 {
        hours @ 13.. => hours - 24,
        hours => hours,
    };
    // POSIX: the sign is that of the way to Greenwich.
    format!("Etc/GMT{behind:+}")
}

impl Mariadb {
    /// The option file of the lab; Debian reads it last.
    pub const CONF: &'static str = "/etc/mysql/mariadb.conf.d/99-lab.cnf";

    /// A server that runs, reached by its Unix socket alone, and an account for operations without any
    /// privilege.
    pub fn start(host: &Rc<Host>) -> Self {
        host.root("install -d -m 755 -o mysql -g root /run/mysqld");
        host.root("install -d -m 2750 -o mysql -g adm /var/log/mysql");
        host.root(
            "exec setpriv --reuid mysql --regid mysql --init-groups mariadb-install-db \
             --no-defaults --datadir=/var/lib/mysql --skip-test-db \
             --auth-root-authentication-method=socket --innodb-log-file-size=4M >/dev/null",
        );
        host.put(
            Self::CONF,
            "[mysqld]\nlog_error = /var/log/mysql/error.log\nskip-networking\n\
             innodb_log_file_size = 4M\ninnodb_flush_method = fsync\ninnodb_use_native_aio = 0\n",
        );
        let mut own = Self {
            host: Rc::clone(host),
            timezone: at_seven(jiff::Timestamp::now()),
            daemon: None,
        };
        own.up();
        own.sql(&format!(
            "CREATE USER '{}'@localhost IDENTIFIED VIA unix_socket",
            OPERATIONS.login()
        ));
        own
    }

    /// Starts it as Debian's unit does.
    pub fn up(&mut self) {
        self.host.root(&format!(
            "umask 007 && TZ={} exec start-stop-daemon --start --background --chuid mysql \
             --exec /usr/sbin/mariadbd",
            self.timezone
        ));
        self.host
            .wait_for("MariaDB answers", "mariadb-admin ping >/dev/null 2>&1");
        self.daemon = Some(Daemon::new(&self.host, "/run/mysqld/mysqld.pid"));
    }

    /// Stops it.
    pub fn down(&mut self) {
        self.daemon.take().expect("it runs").stop("TERM");
    }

    /// Statements as root; what they answer.
    pub fn sql(&self, statements: &str) -> String {
        let quoted = statements.replace('\'', r"'\''");
        self.host.root(&format!("mariadb -NB -e '{quoted}'"))
    }
}
