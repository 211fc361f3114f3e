//! nginx under Debian's nginx.conf: its master is root's, its workers and logs are www-data's, the logs
//! of group adm and mode 0640.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use super::super::{Host, until};
use super::Daemon;

/// One server.
pub struct Nginx {
    pub host: Rc<Host>,
    daemon: Option<Daemon>,
}

impl Nginx {
    /// Where the lab's own server block lies; Debian includes it.
    pub const STATUS: &'static str = "/etc/nginx/conf.d/status.conf";
    /// Debian's site.
    pub const SITE: &'static str = "/etc/nginx/sites-available/default";

    /// A server that runs on the host's own address: Debian's site on port 80, `stub_status` on 8080.
    pub fn start(host: &Rc<Host>) -> Self {
        let address = host.address.ip();
        host.root(&format!(
            "sed -i 's/listen 80 /listen {address}:80 /; /listen .*::.*:80/d' {}",
            Self::SITE
        ));
        host.put(
            Self::STATUS,
            &format!(
                "server {{\n\tlisten {address}:8080;\n\taccess_log off;\n\tlocation = /basic_status {{\n\
                 \t\tstub_status;\n\t}}\n}}\n"
            ),
        );
        // As the package's postinst leaves them.
        host.root(
            "cd /var/log/nginx && for log in access error; do touch $log.log && \
             chown www-data:adm $log.log && chmod 640 $log.log; done",
        );
        let mut own = Self {
            host: Rc::clone(host),
            daemon: None,
        };
        own.up();
        own
    }

    /// Starts it as Debian's unit does.
    pub fn up(&mut self) {
        self.host
            .root("nginx -q -g 'daemon on; master_process on;' 2>/dev/null");
        self.daemon = Some(Daemon::new(&self.host, "/run/nginx.pid"));
        self.get(80, "/");
    }

    /// Stops it.
    pub fn down(&mut self) {
        self.daemon.take().expect("it runs").stop("QUIT");
    }

    /// Opens its logs again, as logrotate's script asks for by Debian's init script.
    pub fn reopen(&self) {
        self.daemon.as_ref().expect("it runs").signal("USR1");
    }

    /// `nginx -t`: whether nginx itself takes its configuration, and what it says.
    pub fn takes_its_configuration(&self) -> (bool, String) {
        let tried = self.host.inside("nginx -t");
        let said = String::from_utf8_lossy(&tried.stderr).into_owned();
        (tried.status.success(), said)
    }

    /// Asks until the live access log tells of it: which file gets a request is open until every worker
    /// has opened the new one.
    pub fn logs(&self, path: &str) {
        until(path, Duration::from_secs(60), || {
            self.get(80, path);
            let grep = format!("grep -q {path} /var/log/nginx/access.log");
            self.host.inside(&grep).status.success()
        });
    }

    /// A request that the access log tells of; the answer.
    pub fn get(&self, port: u16, path: &str) -> String {
        get(*self.host.address.ip(), port, path)
    }
}

/// `GET` without more, the whole answer.
pub(super) fn get(address: Ipv4Addr, port: u16, path: &str) -> String {
    let mut peer = TcpStream::connect((address, port)).unwrap();
    let limit = Some(Duration::from_secs(10));
    peer.set_read_timeout(limit).unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nHost: lab\r\nUser-Agent: lab\r\n\r\n");
    peer.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    peer.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
