//! HAProxy under Debian's haproxy.cfg, its log written by the real rsyslogd from Debian's rule for it:
//! root:adm 0640. The statistics come by a socket of their own, because Debian's is `level admin`:
//! whoever may ask it may also take servers out of service.

use std::rc::Rc;
use std::time::Duration;

use super::super::account::OPERATIONS;
use super::super::{Host, until};
use super::{Daemon, nginx};

/// As Debian's rsyslog.conf, without the kernel's messages and the machine's own socket.
const RSYSLOG: &str = "\
$FileOwner root
$FileGroup adm
$FileCreateMode 0640
$DirCreateMode 0755
$Umask 0022
module(load=\"imuxsock\" SysSock.Use=\"off\")
$IncludeConfig /etc/rsyslog.d/*.conf
";

/// One server, and the syslog beside it.
pub struct Haproxy {
    pub host: Rc<Host>,
    daemon: Option<Daemon>,
    syslog: Daemon,
}

impl Haproxy {
    /// Its configuration.
    pub const CONF: &'static str = "/etc/haproxy/haproxy.cfg";
    /// The socket for statistics.
    pub const SOCKET: &'static str = "/run/haproxy/gonogo.sock";

    /// A server that runs: port 8081 of the host's address leads to port 80 of it.
    pub fn start(host: &Rc<Host>) -> Self {
        let address = host.address.ip();
        host.root("install -d -m 2775 -o haproxy -g haproxy /run/haproxy");
        host.put("/etc/rsyslog.conf", RSYSLOG);
        host.root("rsyslogd -i /run/rsyslogd.pid");
        let syslog = Daemon::new(host, "/run/rsyslogd.pid");
        host.wait_for("rsyslogd listens", "test -S /var/lib/haproxy/dev/log");
        let user = OPERATIONS.login();
        host.root(&format!(
            "sed -i '/stats socket/a\\\tstats socket {} user {user} mode 600 level user' {}",
            Self::SOCKET,
            Self::CONF
        ));
        let text = format!(
            "{}\nfrontend web\n\tbind {address}:8081\n\tdefault_backend site\n\n\
             backend site\n\tserver one {address}:80\n",
            host.text(Self::CONF)
        );
        host.put(Self::CONF, &text);
        let mut own = Self {
            host: Rc::clone(host),
            daemon: None,
            syslog,
        };
        own.up();
        own
    }

    /// Starts it as Debian's unit does, in the background.
    pub fn up(&mut self) {
        self.host.root(&format!(
            "haproxy -W -D -f {} -p /run/haproxy.pid",
            Self::CONF
        ));
        self.daemon = Some(Daemon::new(&self.host, "/run/haproxy.pid"));
        self.logs("/started");
    }

    /// Stops it.
    pub fn down(&mut self) {
        self.daemon.take().expect("it runs").stop("TERM");
    }

    /// Opens the log again, as Debian's rsyslog-rotate asks for.
    pub fn reopen(&self) {
        self.syslog.signal("HUP");
    }

    /// `haproxy -c`: whether HAProxy itself takes its configuration, and what it says.
    pub fn takes_its_configuration(&self) -> (bool, String) {
        let tried = self.host.inside(&format!("haproxy -c -f {}", Self::CONF));
        let said = String::from_utf8_lossy(&tried.stderr).into_owned();
        (tried.status.success(), said)
    }

    /// Asks until the live log tells of it.
    pub fn logs(&self, path: &str) {
        until(path, Duration::from_secs(60), || {
            self.get(path);
            let grep = format!("grep -q {path} /var/log/haproxy.log");
            self.host.inside(&grep).status.success()
        });
    }

    /// A request that the log tells of; the answer, 503 where nothing is behind it.
    pub fn get(&self, path: &str) -> String {
        nginx::get(*self.host.address.ip(), 8081, path)
    }
}
