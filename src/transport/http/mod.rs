//! One HTTP GET over a way that the host itself opens (direct-tcpip): what is sent, and which answers are
//! the artifact. HTTP/1.1 by `httparse`, TLS by rustls, both driven by the session's own thread over a
//! stream whose every wait ends at the deadline: an async client would need a runtime beside the thread
//! that owns libssh2, and takes no notice of bytes beyond a stated length.
//!
//! Follows no redirect, keeps no cookie, asks for no compression, and never asks twice. What the runner
//! itself asks is `near.rs`.

mod body;
mod head;
mod near;
mod peer;
mod proxy;
pub(super) mod refusal;
mod tls;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::actor::Deadline;
use super::pour::Pour;
use super::{ReadError, Receipt, Sink, auth};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Get, Url};
pub use near::{Wanted, ask};
use peer::Peer;
pub use proxy::Proxies;
pub(super) use tls::said as certificate_said;

/// What is late or lost, in a failure.
pub(super) const WHAT: &str = "the HTTP request";
/// Of a server that takes the connection and does not go on.
const SLOW: &str = "it took the connection and did not answer in time: ask whoever runs it; if it is merely slow, raise `deadline`";

/// A way from the host to an address that it reaches. Reading and writing wait for the peer, no longer
/// than the deadline.
pub(super) trait Way: Read + Write {
    /// Why the last call failed, when more than the way itself was to blame for it.
    fn why(&mut self) -> Option<Failure>;

    /// From here on no call waits longer than `time` in all, and one that would ends as `TimedOut`.
    fn hasten(&mut self, time: Duration);
}

/// One request, all of it known.
pub(super) struct Request {
    pub(super) url: Url,
    written: String,
    credentials: Option<Zeroizing<String>>,
    ca: Option<PathBuf>,
}

impl Request {
    /// Takes what the inventory says, and the password from its variable.
    pub(super) fn of(get: &Get) -> Result<Self, Failure> {
        // The plan refuses it; this is for whoever forgets to.
        let url = Url::parse(&get.url).map_err(|hint| {
            Failure::new(
                FailureKind::Undefined,
                "a URL",
                "one that may not be asked for",
            )
            .with_hint(hint)
        })?;
        let credentials = match (&get.user, &get.password_env) {
            (Some(user), Some(env)) => {
                let password = auth::variable(env, "password")?;
                let pair = Zeroizing::new(format!("{user}:{}", &*password));
                Some(Zeroizing::new(STANDARD.encode(pair.as_bytes())))
            }
            _ => None,
        };
        Ok(Self {
            url,
            written: get.url.clone(),
            credentials,
            ca: get.ca.clone(),
        })
    }

    /// RFC 9112 3: every byte of it was judged by [`Url::parse`].
    fn text(&self) -> Zeroizing<String> {
        let (host, target) = (self.url.authority(), &self.url.target);
        let credentials = match &self.credentials {
            Some(pair) => Zeroizing::new(format!("Authorization: Basic {}\r\n", &**pair)),
            None => Zeroizing::default(),
        };
        Zeroizing::new(format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: gonogo/{}\r\nAccept: */*\r\n\
             Accept-Encoding: identity\r\nConnection: close\r\n{}\r\n",
            env!("CARGO_PKG_VERSION"),
            &*credentials
        ))
    }
}

/// Sends the request and streams the answer's body into `sink`.
pub(super) fn exchange(
    way: &mut dyn Way,
    request: &Request,
    most: u64,
    deadline: &Deadline,
    sink: Sink,
) -> Result<Receipt, ReadError> {
    let tls = match request.url.is_tls {
        true => Some(tls::connection(&request.url, request.ca.as_deref())?),
        false => None,
    };
    let mut peer = Peer::new(way, tls, deadline);
    peer.send(request.text().as_bytes())?;
    let head = head::read(&mut peer)?;
    let length = head.judge(&request.url, request.credentials.is_some())?;
    if head.stated().is_some_and(|stated| stated > most) {
        return Err(body::too_large(most).into());
    }
    let mut pour = Pour::new(head.stated().unwrap_or(0), sink).map_err(ReadError::Sink)?;
    let mut bytes = 0_u64;
    let mut taken = Ok(());
    let read = body::read(&mut peer, length, &mut |piece: &[u8]| {
        bytes += piece.len() as u64;
        if bytes > most {
            return Err(body::too_large(most).into());
        }
        pour.take(piece.to_vec()).map_err(|error| {
            taken = Err(error);
            ReadError::Sink(std::io::ErrorKind::BrokenPipe.into())
        })
    });
    if let Err(error) = taken {
        return Err(ReadError::Sink(pour.error(error)));
    }
    read?;
    let sha256 = pour.finish().map_err(ReadError::Sink)?;
    Ok(Receipt {
        path: request.written.clone(),
        bytes,
        size: bytes,
        sha256,
        modified: None,
        method: "http",
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
