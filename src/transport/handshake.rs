//! The handshake, and what a refusal before authentication means: from libssh2's code and from what the
//! peer itself said ([`Hello`]). Whether the host key is the right one is `host_key.rs`.

use libssh2_sys as raw;
use ssh2::{Error, ErrorCode};

use super::actor::{Deadline, Socket};
use super::classify;
use super::far::{Again, Far, Refused};
use super::hello::Hello;
use super::host_key::Ask;
use super::offers::Lack;
use crate::failure::{Failure, FailureKind};

/// Shakes hands on the connection of `far`, asking for the host key types of `order`.
///
/// # Errors
/// `unreachable`, quoting what the peer said.
pub(super) fn shake(
    far: &mut Far,
    deadline: &Deadline,
    ask: &Ask,
    order: &str,
    address: &str,
) -> Result<(), Refused> {
    far.session.set_blocking(false);
    let session = &mut far.session;
    let socket = &far.socket;
    let (hello, greeted) = Hello::hear(socket, deadline, || {
        let step = unsent(socket, || session.handshake());
        let taken = session.banner().map(str::to_owned);
        let taken = taken.filter(|line| line.starts_with("SSH-"));
        match step {
            Err(error) if !classify::would_block(&error) => Err(error),
            _ => Ok(taken),
        }
    });
    let refuse = |words: (&str, String, &str), again| Refused {
        failure: Failure::new(FailureKind::Unreachable, words.0, words.1)
            .with_subject(address)
            .with_hint(words.2),
        again,
    };
    if let Some(words) = never(&hello) {
        return Err(refuse(words, None));
    }
    let late = || Error::from_errno(ErrorCode::Session(raw::LIBSSH2_ERROR_TIMEOUT));
    let shaken = greeted.and_then(|()| match far.arm(deadline, "the handshake") {
        Ok(()) => far.session.handshake(),
        Err(_) => Err(late()),
    });
    let Err(error) = shaken else {
        return Ok(());
    };
    let offers = hello.offers();
    let lacks = offers.map(|offers| offers.lacks(&far.session, order));
    let lacks = lacks.filter(|_| is_kex(&error)).unwrap_or_default();
    let unknown_types = lacks.is_empty() || lacks.iter().any(|lack| lack.what == "host key type");
    // Only types that are known were asked for: what the host has instead is worth a second look.
    let again = match *ask == Ask::Known && is_kex(&error) && unknown_types {
        true => Some(Again::Asking(Ask::Any)),
        false => may_be_busy(&error, &hello).then(|| Again::Busy(is_full(&hello.first_line()))),
    };
    match &*lacks {
        [] => Err(refuse(why(&error, &hello), again)),
        [lack, ..] => {
            let failure = nothing_in_common(&lacks, &hello).with_subject(address);
            let hint = format!(
                "update the server's sshd and have it allow one of ours; or set `client: openssh` for this \
                 login and allow one of its there (`{} +…` in ssh_config)",
                lack.option
            );
            Err(Refused {
                failure: failure.with_hint(hint),
                again,
            })
        }
    }
}

// Does `step` with what it writes held back until it is over: libssh2 greets and reads in one call, and
// a peer of the same machine would have its answer taken in before anybody could look at it.
fn unsent<T>(socket: &Socket, step: impl FnOnce() -> T) -> T {
    cork(socket, true);
    let done = step();
    cork(socket, false);
    done
}

// Where there is no cork, the answer may be quicker than the look, and a refusal quotes less.
#[cfg(target_os = "linux")]
fn cork(socket: &Socket, on: bool) {
    if let Socket::Tcp(stream) = socket {
        let _ = rustix::net::sockopt::set_tcp_cork(stream, on);
    }
}

#[cfg(not(target_os = "linux"))]
fn cork(_: &Socket, _: bool) {}

/// What was expected, what came, and what to do about it.
pub(super) type Words<'a> = (&'a str, String, &'static str);

/// What no handshake can come of, so that none is tried.
pub(super) fn never<'a>(hello: &Hello) -> Option<Words<'a>> {
    if hello.is_endless() {
        let actual = format!(
            "it talks without end, beginning with {}",
            hello.first_line()
        );
        return Some((
            "an SSH server",
            actual,
            "something else answers on that port: correct `port`, or look what listens there",
        ));
    }
    // RFC 4253 5.1: 1.99 is a server that speaks both.
    let old = hello
        .ident()
        .filter(|ident| ident.starts_with("SSH-1.") && !ident.starts_with("SSH-1.99-"))?;
    Some((
        "an SSH server of protocol 2",
        format!("it speaks protocol 1 only: \"{old}\""),
        "protocol 1 is broken, and no client of today speaks it: have the server updated or replaced",
    ))
}

fn is_kex(error: &Error) -> bool {
    matches!(
        classify::code(error),
        Some(raw::LIBSSH2_ERROR_KEX_FAILURE | raw::LIBSSH2_ERROR_METHOD_NONE)
    )
}

// Another login in a moment may be let in. Who says that this runner is being penalised, or speaks
// another protocol, would say it again, and be annoyed.
fn may_be_busy(error: &Error, hello: &Hello) -> bool {
    classify::is_lost(error)
        && (hello.is_silence() || hello.ident().is_some() || is_full(&hello.first_line()))
}

fn is_full(line: &str) -> bool {
    line.contains("MaxStartups") || line.contains("too many")
}

fn nothing_in_common(lacks: &[Lack], hello: &Hello) -> Failure {
    let each = |word: fn(&Lack) -> String| lacks.iter().map(word).collect::<Vec<_>>().join("; ");
    let server = hello.ident().unwrap_or_default();
    let expected = each(|lack| format!("a {} of ours: {}", lack.what, lack.ours));
    let actual = each(|lack| format!("{}: {}", lack.what, lack.theirs));
    Failure::new(
        FailureKind::Unreachable,
        expected,
        format!("the server ({server}) has none of them, it offers {actual}"),
    )
}

/// Why no handshake came about.
fn why(error: &Error, hello: &Hello) -> Words<'static> {
    let late = classify::is_late(error);
    if hello.is_silence() {
        return match late {
            true => (
                "an SSH handshake within `connect_timeout`",
                "the port is open, and not a word came from it".to_owned(),
                "look whether sshd hangs there, whether something else listens that waits for its client \
                 to speak (TLS, a database), or whether a firewall answers in the host's place",
            ),
            false => (
                "an SSH handshake",
                format!(
                    "the connection was taken and closed without a word ({})",
                    classify::said(error)
                ),
                "it may be: too many logins at once (MaxStartups), this runner is being penalised \
                 (PerSourcePenalties, fail2ban, hosts.deny), sshd cannot start a process, a forwarder whose \
                 target is down, or a server of another protocol (TLS). In the server's log look for \
                 `drop connection`, `refused connect`, `fork`",
            ),
        };
    }
    let Some(ident) = hello.ident() else {
        let line = hello.first_line();
        return ("an SSH server", format!("it said: {line}"), not_ssh(&line));
    };
    match (hello.offers().is_some(), late) {
        (false, true) => (
            "an SSH handshake within `connect_timeout`",
            format!("it greeted as \"{ident}\" and then said no more in time"),
            "the host may be overloaded or stopped, or a firewall lets the first packets through and no \
             large ones (look at the MTU of the way)",
        ),
        (true, true) => (
            "an SSH handshake within `connect_timeout`",
            format!("the key exchange with \"{ident}\" was not over by then"),
            "the host may be overloaded, or a firewall lets no large packets through (look at the MTU of \
             the way); raise `connect_timeout` if it is merely slow",
        ),
        (false, false) => (
            "an SSH handshake",
            format!(
                "it greeted as \"{ident}\" and hung up ({})",
                classify::said(error)
            ),
            "it may be: hosts.deny or a login filter that judges after the greeting, sshd without a \
             readable host key, or too many logins at once. In the server's log look for `refused \
             connect`, `no hostkeys available`, `drop connection`",
        ),
        (true, false) => (
            "an SSH handshake",
            format!(
                "the key exchange with \"{ident}\" broke off: {}",
                classify::said(error)
            ),
            "look in the server's log at this moment; if other clients get further, a firewall that looks \
             into SSH may sit between",
        ),
    }
}

fn not_ssh(line: &str) -> &'static str {
    let begins = |word: &str| line.trim_start_matches('"').starts_with(word);
    if is_full(line) {
        "the server takes no more logins at once: raise `MaxStartups` in its sshd_config, or let fewer \
         clients log in at the same time"
    } else if begins("Not allowed at this time") {
        "the server penalises this runner's address (PerSourcePenalties, sshd_config(5)) for logins that \
         failed, or takes no more at once: wait, end what keeps failing, or exempt the runner \
         (PerSourcePenaltyExemptList)"
    } else if begins("HTTP/") || begins("<") {
        "a web server or proxy answers on that port: correct `port`, or look what listens there"
    } else if begins("a TLS record") {
        "something that speaks TLS answers on that port: correct `port`, or look what listens there"
    } else if begins("220") {
        "a mail or FTP server answers on that port: correct `port`, or look what listens there"
    } else {
        "that is no SSH server: correct `port`, or look what listens there"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: i32) -> Error {
        Error::from_errno(ErrorCode::Session(code))
    }

    #[test]
    fn only_a_hang_up_without_a_reason_is_worth_a_second_try() {
        let silence = Hello::default();
        assert!(may_be_busy(&error(-43), &silence) && may_be_busy(&error(-13), &silence));
        assert!(!may_be_busy(&error(-9), &silence) && !may_be_busy(&error(-5), &silence));
        let said = |line: &str| Hello::of(line.as_bytes());
        assert!(may_be_busy(&error(-13), &said("Exceeded MaxStartups\r\n")));
        assert!(may_be_busy(&error(-13), &said("SSH-2.0-x\r\n")));
        for line in [
            "Not allowed at this time\r\n",
            "HTTP/1.1 400 Bad Request\r\n",
        ] {
            assert!(!may_be_busy(&error(-13), &said(line)), "{line}");
        }
    }

    #[test]
    fn protocol_1_alone_is_refused_and_both_are_not() {
        for (line, refused) in [
            ("SSH-1.5-OpenSSH_3.4\n", true),
            ("SSH-1.99-OpenSSH_3.4\n", false),
            ("SSH-2.0-x\n", false),
        ] {
            assert_eq!(
                never(&Hello::of(line.as_bytes())).is_some(),
                refused,
                "{line}"
            );
        }
    }

    #[test]
    fn every_refusal_has_its_own_words() {
        let mut seen = std::collections::BTreeSet::new();
        for said in [
            "",
            "SSH-2.0-x\r\n",
            "220 mail\r\n",
            "HTTP/1.1 400\r\n",
            "?\r\n",
        ] {
            for code in [-9, -13] {
                let (expected, actual, hint) = why(&error(code), &Hello::of(said.as_bytes()));
                assert!(!expected.is_empty() && !hint.is_empty());
                seen.insert((actual, hint));
            }
        }
        // What is no SSH server is the same however the wait for it ended.
        assert_eq!(seen.len(), 2 + 2 + 3);
    }
}
