//! What libssh2's error codes mean for a report (facts: ssh.md 3.13). Words failures; decides
//! nothing about retries. Refusals before authentication are `handshake.rs`.

use libssh2_sys as raw;
use ssh2::{Error, ErrorCode};

use super::actor::Deadline;
use crate::failure::{Failure, FailureKind};

/// The libssh2 code of an error, when it is not one of SFTP's.
pub(super) fn code(error: &Error) -> Option<i32> {
    match error.code() {
        ErrorCode::Session(code) => Some(code),
        ErrorCode::SFTP(_) => None,
    }
}

/// True when nothing more can come over the connection.
pub(super) fn is_lost(error: &Error) -> bool {
    matches!(
        code(error),
        Some(
            -1 | raw::LIBSSH2_ERROR_BANNER_RECV
                | raw::LIBSSH2_ERROR_BANNER_SEND
                | raw::LIBSSH2_ERROR_INVALID_MAC
                | raw::LIBSSH2_ERROR_SOCKET_SEND
                | raw::LIBSSH2_ERROR_DECRYPT
                | raw::LIBSSH2_ERROR_SOCKET_DISCONNECT
                | raw::LIBSSH2_ERROR_PROTO
                | raw::LIBSSH2_ERROR_SOCKET_TIMEOUT
                | raw::LIBSSH2_ERROR_SOCKET_RECV
                | raw::LIBSSH2_ERROR_BAD_SOCKET
        )
    )
}

/// True when a blocking call ran into the time set for it.
pub(super) fn is_late(error: &Error) -> bool {
    code(error) == Some(raw::LIBSSH2_ERROR_TIMEOUT)
}

/// True when a call that must not block would have.
pub(super) fn would_block(error: &Error) -> bool {
    code(error) == Some(raw::LIBSSH2_ERROR_EAGAIN)
}

/// True when the server refused a channel or a request on it.
pub(super) fn is_refused(error: &Error) -> bool {
    matches!(
        code(error),
        Some(
            raw::LIBSSH2_ERROR_CHANNEL_FAILURE
                | raw::LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED
                | raw::LIBSSH2_ERROR_REQUEST_DENIED
        )
    )
}

/// The remedy of a login that was let in with an expired password.
pub(super) const EXPIRED: &str = "the login is right, but it has an expired password, and sshd runs nothing until it is \
     changed: log in by hand on a terminal and set a new one (`chage -l` on the server shows the dates)";

/// The remedy of a server that is closed to all but root.
pub(super) const CLOSED: &str = "that may be the text of an /etc/nologin on the server, which keeps everybody but root out: \
     sshd's log says `not allowed because /etc/nologin exists`";

/// Whether sshd said, in small letters, that nothing runs before the password is changed (session.c,
/// do_pwchange).
pub(super) fn has_expired(said: &str) -> bool {
    said.contains("password has expired") || said.contains("password change required")
}

/// How sshd ends a session that /etc/nologin forbids (session.c, do_nologin).
pub(super) fn is_closed(status: Option<i32>) -> bool {
    status == Some(254)
}

/// `what` was not over at its deadline.
pub(super) fn late(what: &str, deadline: &Deadline) -> Failure {
    Failure::new(
        FailureKind::Timeout,
        format!("{what} to end within {}", deadline.said()),
        "it had not ended by then; the connection was closed",
    )
    .with_hint(
        "look on the host for a hung file system, a full disk or a process stuck on that path; if it \
         is merely slow, raise `deadline`",
    )
}

/// The connection was lost during `what`.
pub(super) fn lost(what: &str, error: &Error) -> Failure {
    Failure::new(
        FailureKind::Unreachable,
        format!("a connection that lasts until {what} is done"),
        format!("it was lost: {}", said(error)),
    )
    .with_hint("look at sshd's log on the host, and at firewalls that cut idle or long connections")
}

/// libssh2's own words, and its code for those who search for it.
pub(super) fn said(error: &Error) -> String {
    match error.code() {
        ErrorCode::Session(code) => format!("{} (libssh2 {code})", error.message()),
        ErrorCode::SFTP(code) => format!("{} (SFTP status {code})", error.message()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: i32) -> Error {
        Error::from_errno(ErrorCode::Session(code))
    }

    #[test]
    fn sorts_codes_by_what_they_mean() {
        assert!(is_lost(&error(-13)) && is_lost(&error(-43)) && !is_lost(&error(-9)));
        assert!(is_late(&error(-9)) && would_block(&error(-37)) && is_refused(&error(-21)));
        let denied = Error::from_errno(ErrorCode::SFTP(3));
        assert!(!is_lost(&denied) && code(&denied).is_none());
    }
}
