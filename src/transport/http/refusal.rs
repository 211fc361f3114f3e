//! What it is called when the host opens no way to the web server. libssh2 passes on the reason code of RFC
//! 4254 5.1 and not the text beside it: what one code stands for is listed, and none is claimed.

use std::net::IpAddr;

use crate::failure::{Failure, FailureKind};
use crate::inventory::{Login, Url};

/// sshd's answer, from either client's `message`; `said` is what is quoted of it.
pub(in crate::transport) fn worded(
    login: &Login,
    url: &Url,
    message: &str,
    said: String,
) -> Failure {
    let way = url.endpoint();
    let (kind, hint) = if message.contains("prohibited") {
        let (user, team) = (&login.user, &login.team);
        (
            FailureKind::Denied,
            format!(
                "sshd on this host does not let {user} forward there. In sshd_config, below `Match User {user}`: \
                 `AllowTcpForwarding local` and `PermitOpen {way}`; in authorized_keys, before the key: \
                 `port-forwarding,permitopen=\"{way}\"` where it says `restrict` or `no-port-forwarding`. \
                 `DisableForwarding` must not be set, and an sshd older than 7.7 says the same of a name that \
                 it cannot resolve. `gonogo plan --sshd-match {team}` and `--authorized-keys {team}` print all of it"
            ),
        )
    } else if message.contains("connect failed") {
        let name = match url.host.parse::<IpAddr>() {
            Ok(_) => "",
            Err(_) => " for a name that does not resolve on the host,",
        };
        (
            FailureKind::Unreachable,
            format!(
                "sshd forwards, but nothing answers there: that stands{name} for a port where nothing listens \
                 (`ss -ltn` on the host shows the ports; AMPS has no admin interface without `Admin/InetAddr`), \
                 for a server that listens on another address than {}, and for a firewall",
                url.host
            ),
        )
    } else if message.contains("resource") {
        let hint = "sshd has no more channels or files to give: look at the host's limits and load";
        (FailureKind::Unreachable, hint.to_owned())
    } else if message.contains("unknown channel type") {
        let hint = "what answers SSH there does not know how to forward: take the artifact by `command` or `path`";
        (FailureKind::Denied, hint.to_owned())
    } else {
        let hint = format!(
            "look at sshd's log on the host: \"refused local port forward\" or \"request was denied\" means that it may \
             not (`AllowTcpForwarding`, `PermitOpen {way}`, `permitopen=`), \"connect_to … failed\" that nothing answers"
        );
        (FailureKind::Unreachable, hint)
    };
    Failure::new(kind, format!("a way from the host itself to {way}"), said).with_hint(hint)
}
