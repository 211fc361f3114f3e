//! What it is called when a hop gives no way to the next host. libssh2 passes on the reason code of
//! RFC 4254 5.1 and not the text beside it: what one code stands for is listed, and none is claimed.

use ssh2::Error;

use crate::failure::{Failure, FailureKind};
use crate::inventory::Login;
use crate::text;
use crate::transport::classify;

/// The hop answered, and the answer was no.
pub(super) fn refused(hop: &Login, next: &Login, error: &Error) -> Failure {
    worded(hop, next, error.message(), classify::said(error))
}

/// The same, from either client's `message`; `said` is what is quoted of it.
pub(in crate::transport) fn worded(
    hop: &Login,
    next: &Login,
    message: &str,
    said: String,
) -> Failure {
    let hint = if message.contains("prohibited") {
        "the hop does not forward there; one answer stands for `AllowTcpForwarding`, \
         `DisableForwarding` and `PermitOpen` in its sshd_config (also below a `Match`), and for \
         `restrict`, `no-port-forwarding` and `permitopen=` in the account's authorized_keys; an sshd \
         older than 7.7 also says so of a name it cannot resolve. Its log tells: \"refused local port \
         forward\" (forwarding is off) or \"the request was denied\" (`PermitOpen`, `permitopen=`). \
         `gonogo plan --sshd-match TEAM` prints what the hop has to allow"
    } else if message.contains("connect failed") {
        "the hop forwards, but cannot connect to the target; one answer stands for a name that does not \
         resolve on the hop, for a port where nothing listens, and for a firewall or route between the \
         two. Its log tells: \"connect_to …: unknown host\" (the name) or \"connect_to … port …: failed\" \
         (port or route)"
    } else if message.contains("resource") {
        "the hop has no more channels or files to give: look at its limits and load"
    } else if message.contains("unknown channel type") {
        "what answers as hop does not know how to forward: it is no ordinary sshd"
    } else {
        "look at the hop's sshd log"
    };
    no_way(hop, next, said, hint)
}

/// The hop did not answer in time.
pub(in crate::transport) fn late(hop: &Login, next: &Login, time: &str) -> Failure {
    no_way(
        hop,
        next,
        format!("no answer within {time}"),
        "raise `connect_timeout` if the target is merely slow; else look for a firewall between hop \
         and target that drops instead of refusing, and whether the target is up",
    )
}

/// Its turn never came.
pub(super) fn crowded(hop: &Login, next: &Login) -> Failure {
    no_way(
        hop,
        next,
        "the hop was still waiting for another target behind it, and no second connection was to be had",
        "another target behind this hop does not answer: see its failure. An account that may log in to \
         the hop more than once, and without a one-time code, keeps them from waiting for each other \
         (MaxStartups, maxlogins)",
    )
}

/// No socket pair on our side.
pub(super) fn ours(hop: &Login, next: &Login, error: &std::io::Error) -> Failure {
    let mut failure = no_way(
        hop,
        next,
        error.to_string(),
        "raise the runner's limits (`ulimit -n`) or run fewer hosts at once",
    );
    failure.kind = FailureKind::Undefined;
    failure
}

/// The connection to the hop ended under those that ran through it.
pub(super) fn lost(hop: &Login, error: &Error) -> Failure {
    Failure::new(
        FailureKind::Unreachable,
        format!(
            "a connection to hop `{}` that lasts as long as the sessions through it",
            hop.host
        ),
        format!("it was lost: {}", classify::said(error)),
    )
    .with_hint(
        "look at the hop's sshd log, and at what ends long or idle connections there; the next check \
         connects to the hop anew",
    )
    .with_login(&hop.host, &hop.user)
}

fn no_way(hop: &Login, next: &Login, actual: impl Into<String>, hint: &str) -> Failure {
    let target = text::endpoint(&next.address, next.port);
    let expected = format!(
        "a way through hop `{}` to `{}` at {target}",
        hop.host, next.host
    );
    Failure::new(FailureKind::Unreachable, expected, actual)
        .with_hint(hint)
        .with_subject(target)
        .with_login(&hop.host, &hop.user)
}
