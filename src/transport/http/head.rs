//! The head of an answer: read within bounds, and what its status and its headers mean. RFC 9110, 9112.

use super::body::Length;
use super::peer::{More, Peer};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Url;
use crate::text;

/// Servers themselves send no more than a few kilobytes.
const MOST: usize = 32 << 10;
const MOST_HEADERS: usize = 100;
/// Interim answers (RFC 9110 15.2) that nobody asked for.
const MOST_INTERIM: usize = 4;

pub(super) struct Head {
    status: u16,
    reason: String,
    location: Option<String>,
    challenge: Option<String>,
    encoding: Option<String>,
    length: Result<Length, String>,
}

/// Reads the head of the final answer.
pub(super) fn read(peer: &mut Peer<'_>) -> Result<Head, Failure> {
    for _ in 0..=MOST_INTERIM {
        let head = read_one(peer)?;
        // 101 switches to another protocol, which nobody asked for.
        if !(100..200).contains(&head.status) || head.status == 101 {
            return Ok(head);
        }
    }
    Err(no_http("one interim answer after the other"))
}

fn read_one(peer: &mut Peer<'_>) -> Result<Head, Failure> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(peer.held()) {
            Ok(httparse::Status::Complete(end)) => {
                let head = Head::of(&response);
                peer.take(end);
                return Ok(head);
            }
            Ok(httparse::Status::Partial) if peer.held().len() < MOST => {}
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
                let expected = format!(
                    "at most {} and {MOST_HEADERS} lines before the body",
                    text::size(MOST as u64)
                );
                return Err(Failure::new(
                    FailureKind::TooLarge,
                    expected,
                    "more came; the connection was closed",
                )
                .with_hint("no ordinary server does that: see what listens there"));
            }
            Err(error) => {
                let begin = &peer.held()[..peer.held().len().min(80)];
                let said = String::from_utf8_lossy(begin);
                // RFC 8446 5.1: an alert, as a TLS port answers what is no TLS.
                if begin.starts_with(&[0x15, 0x03]) {
                    return Err(no_http("a TLS alert").with_hint("it speaks TLS: write `https://`"));
                }
                return Err(no_http(&format!(
                    "\"{}\" ({error})",
                    text::clip(said.trim(), 80)
                )));
            }
        }
        match peer.more()? {
            More::Bytes => {}
            More::End | More::Cut if peer.held().is_empty() => {
                return Err(Failure::new(FailureKind::Io, "an answer", "the server closed the connection without one")
                    .with_hint("look at the server's own log on the host; `http://` to a port of TLS ends like this, too"));
            }
            More::End | More::Cut => {
                return Err(Failure::new(
                    FailureKind::Short,
                    "a whole answer",
                    "it ended before its headers did",
                )
                .with_hint("look at the server's own log on the host"));
            }
        }
    }
}

fn no_http(actual: &str) -> Failure {
    Failure::new(FailureKind::Corrupt, "an answer of HTTP/1.1 or 1.0", actual).with_hint(
        "another service may listen there: look at the port and at `http://` or `https://`",
    )
}

impl Head {
    fn of(response: &httparse::Response<'_, '_>) -> Self {
        let all = |name: &str| {
            let found = response
                .headers
                .iter()
                .filter(|header| header.name.eq_ignore_ascii_case(name));
            found
                .map(|header| String::from_utf8_lossy(header.value).trim().to_owned())
                .collect::<Vec<_>>()
        };
        let first = |name: &str| {
            all(name)
                .into_iter()
                .next()
                .filter(|value| !value.is_empty())
        };
        Self {
            status: response.code.unwrap_or(0),
            reason: response.reason.unwrap_or_default().to_owned(),
            location: first("location"),
            challenge: first("www-authenticate"),
            encoding: first("content-encoding")
                .filter(|value| !value.eq_ignore_ascii_case("identity")),
            length: length(
                response.version,
                &all("transfer-encoding"),
                &all("content-length"),
            ),
        }
    }

    /// How many bytes are to come, when the server states it.
    pub(super) fn stated(&self) -> Option<u64> {
        match self.length {
            Ok(Length::Stated(length)) => Some(length),
            _ => None,
        }
    }

    /// Its status.
    pub(super) const fn status(&self) -> u16 {
        self.status
    }

    /// Where it redirects to.
    pub(super) fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    /// How the body ends, when this answer is the artifact.
    pub(super) fn judge(&self, url: &Url, has_password: bool) -> Result<Length, Failure> {
        if self.status != 200 {
            return Err(self.refused(url, has_password));
        }
        self.ends()
    }

    /// How the body ends, whatever the status.
    pub(super) fn ends(&self) -> Result<Length, Failure> {
        if let Some(encoding) = &self.encoding {
            let actual = format!(
                "`Content-Encoding: {}`, which was not asked for",
                text::clip(encoding, 60)
            );
            return Err(Failure::new(FailureKind::Mismatch, "an answer as it is", actual)
                .with_hint("have the server, or the proxy before it, compress only where `Accept-Encoding` says so"));
        }
        self.length.clone().map_err(|actual| {
            Failure::new(
                FailureKind::Corrupt,
                "an answer that says where it ends",
                actual,
            )
            .with_hint("no proper server sends such headers: see what listens there")
        })
    }

    fn refused(&self, url: &Url, has_password: bool) -> Failure {
        let said = format!("{} {}", self.status, text::clip(&self.reason, 80));
        let mut actual = format!("status {}", said.trim());
        let (kind, hint) = match self.status {
            300..=399 => {
                if let Some(location) = &self.location {
                    actual = format!("{actual}, a redirect to \"{}\"", text::clip(location, 200));
                }
                let hint = "redirects are not followed: write the URL that it leads to, if that is the one that is meant";
                (FailureKind::Mismatch, hint.to_owned())
            }
            401 | 407 => {
                if let Some(challenge) = &self.challenge {
                    actual = format!("{actual}, and asks for \"{}\"", text::clip(challenge, 100));
                }
                let hint = match has_password {
                    true => {
                        "the server does not take this `user` and the password of `password_env`; of AMPS look at `WWWAuthenticate` (only `Basic` is spoken here) and at its authentication module"
                    }
                    false => {
                        "give the artifact's `http:` a `user:` and a `password_env:`; AMPS may leave paths open by `AnonymousPaths` beside its `WWWAuthenticate`"
                    }
                };
                (FailureKind::Denied, hint.to_owned())
            }
            403 => {
                let hint = "the server forbids this path to this client: look at its access rules (`allow`, `deny`), at the account's rights there, and of AMPS at `AnonymousPaths`";
                (FailureKind::Denied, hint.to_owned())
            }
            404 | 410 => {
                let hint = format!(
                    "nothing is at `{}` there: correct the path, or see whether the product serves it on another port",
                    url.path()
                );
                (FailureKind::Missing, hint)
            }
            500..=599 => (
                FailureKind::Io,
                "the server itself failed: look at its own log on the host".to_owned(),
            ),
            _ => (
                FailureKind::Mismatch,
                "only status 200 is an answer: see what listens there".to_owned(),
            ),
        };
        Failure::new(kind, "status 200", actual).with_hint(hint)
    }
}

/// RFC 9112 6.3, and nothing of what it merely tolerates: a body that two readers end at two places is
/// none.
fn length(version: Option<u8>, codings: &[String], lengths: &[String]) -> Result<Length, String> {
    if !codings.is_empty() {
        let said = text::clip(&codings.join(", "), 60).into_owned();
        return match (codings, lengths, version) {
            ([coding], [], Some(1)) if coding.eq_ignore_ascii_case("chunked") => {
                Ok(Length::Chunked)
            }
            (_, [], Some(1)) => Err(format!("`Transfer-Encoding: {said}`")),
            (_, [], _) => Err(format!("`Transfer-Encoding: {said}` in HTTP/1.0")),
            (_, [..], _) => Err("both `Transfer-Encoding` and `Content-Length`".to_owned()),
        };
    }
    let Some(first) = lengths.first() else {
        return Ok(Length::UntilClosed);
    };
    let digits = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
    match first.parse() {
        Ok(length) if digits && lengths.iter().all(|other| other == first) => {
            Ok(Length::Stated(length))
        }
        _ => Err(format!(
            "`Content-Length: {}`",
            text::clip(&lengths.join(", "), 60)
        )),
    }
}
