//! Redis under Debian's redis.conf: configuration redis:redis 0640, log directory redis:adm 2750, log
//! 0660 by the unit's `UMask=007`.

use std::rc::Rc;

use super::super::Host;
use super::Daemon;

const CONF: &str = "/etc/redis/redis.conf";

/// One server.
pub struct Redis {
    pub host: Rc<Host>,
    daemon: Option<Daemon>,
}

impl Redis {
    /// A server that runs on the host's own address, port 6379.
    pub fn start(host: &Rc<Host>) -> Self {
        host.root("install -d -m 2755 -o redis -g redis /run/redis");
        let address = host.address.ip();
        host.root(&format!("sed -i 's/^bind .*/bind {address}/' {CONF}"));
        let mut own = Self {
            host: Rc::clone(host),
            daemon: None,
        };
        own.up();
        own
    }

    /// Starts it as Debian's unit does.
    pub fn up(&mut self) {
        self.host.root(&format!(
            "umask 007 && exec setpriv --reuid redis --regid redis --init-groups redis-server {CONF}"
        ));
        self.daemon = Some(Daemon::new(&self.host, "/run/redis/redis-server.pid"));
        // NOAUTH is an answer too.
        let ping = format!("redis-cli -h {} ping >/dev/null", self.host.address.ip());
        self.host.wait_for("Redis answers", &ping);
    }

    /// Stops it.
    pub fn down(&mut self) {
        self.daemon.take().expect("it runs").stop("TERM");
    }

    /// Lines at the end of redis.conf, which the next start reads.
    pub fn configure(&self, lines: &str) {
        self.host
            .root(&format!("printf '%s\\n' '{lines}' >>{CONF}"));
    }
}
