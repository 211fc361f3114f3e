//! HTTP from the runner itself, phase by phase: name, TCP, proxy, TLS, head, body. The same strict reading of
//! answers as over a host's own connection. Each request has a connection of its own; nothing is kept.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustls::ClientConnection;

use super::body::{self, Length};
use super::head;
use super::peer::Peer;
use super::proxy::{Proxies, Proxy};
use super::{SLOW, Way, tls};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Url;
use crate::probe::{Hop, Lack, Sample};
use crate::text;
use crate::time::{rfc3339, say};
use crate::transport::actor::Deadline;
use crate::transport::{ReadError, classify};

/// What is asked of a web server.
#[derive(Clone)]
pub struct Wanted {
    /// `GET` or `HEAD`.
    pub method: &'static str,
    /// What is asked for.
    pub url: String,
    /// The status that is an answer: only then a body is read.
    pub status: u16,
    /// Whose certificates are trusted, instead of those of this machine.
    pub ca: Option<PathBuf>,
    /// How many redirects are followed.
    pub redirects: u32,
    /// The most bytes of a body.
    pub most: u64,
    /// The whole time, redirects included.
    pub time: Duration,
}

/// Asks once. What could not be had stands in the sample; a body only where the status is the wanted one.
pub async fn ask(wanted: &Wanted, proxies: &Proxies) -> (Sample, Option<Vec<u8>>) {
    let began = Instant::now();
    let deadline = Deadline::after(wanted.time);
    let mut sample = Sample::default();
    let asked = follow(wanted, proxies, deadline, &mut sample.hops).await;
    sample.total_us = micros(began);
    match asked {
        Ok(body) => (sample, body),
        Err(failure) => {
            sample.lack = Some(Lack::of(failure));
            (sample, None)
        }
    }
}

async fn follow(
    wanted: &Wanted,
    proxies: &Proxies,
    deadline: Deadline,
    hops: &mut Vec<Hop>,
) -> Result<Option<Vec<u8>>, Failure> {
    let mut next = wanted.url.clone();
    for left in (0..=wanted.redirects).rev() {
        let url = Url::parse(&next).map_err(|hint| {
            Failure::new(
                FailureKind::Mismatch,
                "a URL that may be asked for",
                format!("`{}`", text::clip(&next, 200)),
            )
            .with_hint(hint)
        })?;
        if let Some(why) = url.never() {
            let failure = Failure::new(
                FailureKind::Undefined,
                "a URL that only tells",
                format!("`{}`, which was not asked for", text::clip(&next, 200)),
            );
            return Err(failure.with_hint(why));
        }
        hops.push(Hop {
            url: next.clone(),
            ..Hop::default()
        });
        let Some(hop) = hops.last_mut() else { break };
        let body = one(wanted, &url, proxies, deadline, hop).await?;
        let is_redirect = matches!(hop.status, Some(301 | 302 | 303 | 307 | 308));
        match hop.location.clone() {
            Some(location) if is_redirect && left > 0 && hop.status != Some(wanted.status) => {
                next = led_to(&url, &location)?;
            }
            _ => return Ok(body),
        }
    }
    Ok(None)
}

/// Where a redirect leads: never from TLS to what has none.
fn led_to(from: &Url, location: &str) -> Result<String, Failure> {
    let scheme = if from.is_tls { "https" } else { "http" };
    let to = match location.strip_prefix('/') {
        Some(rest) if !rest.starts_with('/') => {
            format!("{scheme}://{}{location}", from.endpoint())
        }
        _ => location.to_owned(),
    };
    if from.is_tls && !to.starts_with("https://") {
        return Err(Failure::new(
            FailureKind::Mismatch,
            "a redirect to an https:// address or to a path",
            format!("a redirect to \"{}\"", text::clip(location, 200)),
        )
        .with_hint(
            "it was not followed: whoever listens in between could answer in the vendor's place",
        ));
    }
    Ok(to)
}

async fn one(
    wanted: &Wanted,
    url: &Url,
    proxies: &Proxies,
    deadline: Deadline,
    hop: &mut Hop,
) -> Result<Option<Vec<u8>>, Failure> {
    let proxy = proxies.of_url(url)?;
    let (host, port) = match &proxy {
        Some(proxy) => (proxy.host.clone(), proxy.port),
        None => (url.host.clone(), url.port),
    };
    hop.proxy = proxy.as_ref().map(|_| text::endpoint(&host, port));
    let began = Instant::now();
    let addresses = resolve(&host, port, deadline).await;
    hop.dns_us = micros(began);
    let addresses = addresses?;
    // Certificates are read before the clock of the handshake runs.
    let tls = match url.is_tls {
        true => Some(tls::connection(url, wanted.ca.as_deref())?),
        false => None,
    };
    let work = Work {
        method: wanted.method,
        url: url.clone(),
        status: wanted.status,
        most: wanted.most,
        proxy,
        addresses,
        tls,
        deadline,
        hop: hop.clone(),
    };
    let done = tokio::task::spawn_blocking(move || work.run()).await;
    let (told, asked) = done.map_err(|_| {
        Failure::new(FailureKind::Undefined, "an answer", "gonogo itself failed")
            .with_hint("this is a defect of gonogo: please report it")
    })?;
    *hop = told;
    asked
}

async fn resolve(host: &str, port: u16, deadline: Deadline) -> Result<Vec<SocketAddr>, Failure> {
    let fail = |actual: String| {
        Failure::new(
            FailureKind::Unreachable,
            format!("an address of {host}"),
            actual,
        )
        .with_hint("correct the name, or look at the runner's resolver (/etc/resolv.conf); behind a proxy set HTTPS_PROXY")
    };
    let left = deadline.left().unwrap_or_default();
    let found = tokio::time::timeout(left, tokio::net::lookup_host((host, port))).await;
    let found: Vec<SocketAddr> = match found {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(error)) => return Err(fail(format!("the name does not resolve: {error}"))),
        Err(_) => return Err(fail("the name was not resolved in time".to_owned())),
    };
    match found.is_empty() {
        true => Err(fail("the name has no address".to_owned())),
        false => Ok(found),
    }
}

/// One request, ready to be made by a thread that may wait.
struct Work {
    method: &'static str,
    url: Url,
    status: u16,
    most: u64,
    proxy: Option<Proxy>,
    addresses: Vec<SocketAddr>,
    tls: Option<ClientConnection>,
    deadline: Deadline,
    hop: Hop,
}

impl Work {
    fn run(mut self) -> (Hop, Result<Option<Vec<u8>>, Failure>) {
        let asked = self.ask();
        (self.hop, asked)
    }

    fn ask(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let began = Instant::now();
        let stream = self.connect();
        self.hop.connect_us = micros(began);
        let mut near = Near {
            stream: stream?,
            deadline: self.deadline,
        };
        if let (Some(proxy), true) = (&self.proxy, self.url.is_tls) {
            let began = Instant::now();
            let let_through = tunnel(&mut near, &self.url, proxy, &self.deadline);
            self.hop.proxy_us = micros(began);
            let_through?;
        }
        let mut tls = self.tls.take();
        if let Some(tls) = &mut tls {
            let began = Instant::now();
            let shaken = shake_hands(tls, &mut near, &self.deadline);
            self.hop.tls_us = micros(began);
            shaken?;
            self.hop.certificate_ends = ends(tls);
        }
        let mut peer = Peer::new(&mut near, tls, &self.deadline);
        let began = Instant::now();
        let head = peer
            .send(self.text().as_bytes())
            .and_then(|()| head::read(&mut peer));
        self.hop.first_byte_us = micros(began);
        let head = head?;
        self.hop.status = Some(head.status());
        let location = head.location();
        self.hop.location = location.map(|to| text::clip(to, 500).into_owned());
        if head.status() != self.status || self.method == "HEAD" {
            return Ok(None);
        }
        let length = match head.status() {
            // RFC 9110 15.3.5, 15.4.5: they have none.
            204 | 304 => Length::Stated(0),
            _ => head.ends()?,
        };
        let began = Instant::now();
        let (most, mut body) = (self.most, Vec::new());
        let read = body::read(&mut peer, length, &mut |piece: &[u8]| {
            if (body.len() + piece.len()) as u64 > most {
                return Err(too_large(most).into());
            }
            body.extend_from_slice(piece);
            Ok(())
        });
        self.hop.transfer_us = micros(began);
        self.hop.bytes = body.len() as u64;
        match read {
            Ok(()) => Ok(Some(body)),
            Err(ReadError::Failure(failure)) => Err(failure),
            Err(ReadError::Lost(lost)) => Err(lost.failure),
            Err(ReadError::Sink(error)) => Err(Failure::new(
                FailureKind::Undefined,
                "an answer",
                error.to_string(),
            )),
        }
    }

    /// The first address that answers; a dead one leaves time for the next.
    fn connect(&mut self) -> Result<TcpStream, Failure> {
        let mut told = Vec::new();
        for (index, address) in self.addresses.iter().enumerate() {
            let others = u32::try_from(self.addresses.len() - index).unwrap_or(u32::MAX);
            let Some(left) = self.deadline.left() else {
                break;
            };
            let share = left / others;
            match TcpStream::connect_timeout(address, share) {
                Ok(stream) => {
                    self.hop.address = Some(address.to_string());
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    told.push(format!("{address}: no answer within {}", say(share)));
                }
                Err(error) => told.push(format!("{address}: {error}")),
            }
        }
        let whom = match &self.proxy {
            Some(_) => "the proxy",
            None => "the server",
        };
        Err(Failure::new(
            FailureKind::Unreachable,
            format!("a connection to {whom}"),
            told.join("; "),
        )
        .with_hint("look at the address, the port and the firewalls between; where only a proxy leads out, set HTTPS_PROXY for gonogo"))
    }

    /// RFC 9112 3: every byte of the URL was judged by [`Url::parse`].
    fn text(&self) -> zeroize::Zeroizing<String> {
        let (host, target) = (self.url.authority(), &self.url.target);
        // RFC 9112 3.2.2: a proxy is asked for the whole of it.
        let (target, credentials) = match &self.proxy {
            Some(proxy) if !self.url.is_tls => (format!("http://{host}{target}"), account(proxy)),
            _ => (target.clone(), zeroize::Zeroizing::default()),
        };
        zeroize::Zeroizing::new(format!(
            "{} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: gonogo/{}\r\nAccept: */*\r\n\
             Accept-Encoding: identity\r\nConnection: close\r\n{}\r\n",
            self.method,
            env!("CARGO_PKG_VERSION"),
            &*credentials
        ))
    }
}

fn account(proxy: &Proxy) -> zeroize::Zeroizing<String> {
    zeroize::Zeroizing::new(match &proxy.credentials {
        Some(pair) => format!("Proxy-Authorization: Basic {}\r\n", &**pair),
        None => String::new(),
    })
}

/// RFC 9110 9.3.6.
fn tunnel(near: &mut Near, url: &Url, proxy: &Proxy, deadline: &Deadline) -> Result<(), Failure> {
    let place = url.endpoint();
    let mut peer = Peer::new(near, None, deadline);
    let text = zeroize::Zeroizing::new(format!(
        "CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{}\r\n",
        &*account(proxy)
    ));
    peer.send(text.as_bytes())?;
    let head = head::read(&mut peer)?;
    let hint = "look at the proxy's own rules and log; an account for it stands in HTTPS_PROXY as http://user:password@host:port";
    match head.status() {
        200..=299 if peer.held().is_empty() => Ok(()),
        status => Err(Failure::new(
            FailureKind::Denied,
            format!("a proxy that lets this machine through to {place}"),
            format!("status {status} from the proxy"),
        )
        .with_hint(hint)),
    }
}

fn shake_hands(
    tls: &mut ClientConnection,
    near: &mut Near,
    deadline: &Deadline,
) -> Result<(), Failure> {
    while tls.is_handshaking() {
        if let Err(error) = tls.complete_io(near) {
            if let Some(failure) = tls::refused(&error) {
                return Err(failure);
            }
            if error.kind() == io::ErrorKind::TimedOut || deadline.left().is_none() {
                return Err(classify::late("the TLS handshake", deadline).with_hint(SLOW));
            }
            return Err(Failure::new(
                FailureKind::Io,
                "a server that speaks TLS",
                format!("the connection ended in the handshake: {error}"),
            )
            .with_hint("look at the port, and at what stands between: `openssl s_client -connect` shows it"));
        }
    }
    Ok(())
}

/// When the server's own certificate ends.
fn ends(tls: &ClientConnection) -> Option<String> {
    let leaf = tls.peer_certificates()?.first()?;
    let certificate = openssl::x509::X509::from_der(leaf).ok()?;
    let epoch = openssl::asn1::Asn1Time::from_unix(0).ok()?;
    let since = epoch.diff(certificate.not_after()).ok()?;
    let seconds = i64::from(since.days) * 86_400 + i64::from(since.secs);
    Timestamp::from_second(seconds).ok().map(rfc3339)
}

fn too_large(most: u64) -> Failure {
    Failure::new(
        FailureKind::TooLarge,
        format!("at most {}", text::size(most)),
        "more came; the connection was closed",
    )
    .with_hint("no status page and no feed is so large: look at what the URL answers")
}

fn micros(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// A socket whose every wait ends at the deadline.
struct Near {
    stream: TcpStream,
    deadline: Deadline,
}

impl Near {
    fn ready(&self) -> io::Result<()> {
        let late = || io::Error::from(io::ErrorKind::TimedOut);
        let left = self.deadline.left().ok_or_else(late)?;
        self.stream.set_read_timeout(Some(left))?;
        self.stream.set_write_timeout(Some(left))
    }
}

/// The kernel's word for a timeout that was set.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

impl Read for Near {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.ready()?;
        self.stream.read(room).map_err(timed_out)
    }
}

impl Write for Near {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.ready()?;
        self.stream.write(piece).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Way for Near {
    fn why(&mut self) -> Option<Failure> {
        None
    }

    fn hasten(&mut self, time: Duration) {
        let sooner = Deadline::after(time);
        if sooner.left() < self.deadline.left() {
            self.deadline = sooner;
        }
    }
}
