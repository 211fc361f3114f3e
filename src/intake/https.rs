//! An upload by HTTPS: PUT below the intake's address, where nothing of that name may be; then read back, as far
//! as the intake lets anybody. No redirect is followed, and the server's certificate must hold by `ca:`, else by
//! what this machine trusts.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::http::Response;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, SendBody, Timeout};

use super::{Arrived, Compared, Deadline, Outgoing, Parcel, Refused, secret};
use crate::digest::{Sha256, Stream};
use crate::inventory::Link;
use crate::text;
use crate::time::say;

const PIECE: usize = 256 << 10;
/// Name, TCP, proxy and TLS; the head of what is asked.
const MEETING: Duration = Duration::from_secs(20);
/// The answer to a question about a file.
const ANSWER: Duration = Duration::from_secs(60);
/// An upload that stands still, in either direction: some look for viruses before they answer.
const STILL: Duration = Duration::from_secs(300);

pub(super) fn ready(token_env: Option<&str>) -> Result<(), Refused> {
    token_env.map_or(Ok(()), |env| secret(env, "token").map(drop))
}

pub(super) fn deliver(
    link: &Link,
    token_env: Option<&str>,
    parcel: &Parcel,
    deadline: Deadline,
) -> Result<Arrived, Refused> {
    let upload = Upload {
        place: place(&link.url, &parcel.name)?,
        token: token_env.map(|env| secret(env, "token")).transpose()?,
        roots: roots(link.ca.as_deref())?,
        deadline,
    };
    upload.is_free()?;
    let answer = upload.put(parcel)?;
    let compared = upload.compare(&answer, parcel)?;
    Ok(Arrived {
        place: upload.place,
        compared,
        answer: Some(format!("HTTP status {}", answer.status().as_u16())),
        left: None,
    })
}

/// The address of the file: that of the intake is a folder.
pub(super) fn place(url: &str, name: &str) -> Result<String, Refused> {
    match url.contains(['?', '#']) {
        true => Err(Refused::new(
            "the address of the intake has a query or a fragment",
            "write the address of a folder, below which files are put",
        )),
        false => Ok(format!("{}/{name}", url.trim_end_matches('/'))),
    }
}

/// The certificates of `ca:`, else those that this machine trusts: a company's own are among them.
fn roots(ca: Option<&Path>) -> Result<RootCerts, Refused> {
    if let Some(file) = ca {
        return named(file);
    }
    let found = rustls_native_certs::load_native_certs();
    let certificates: Vec<Certificate<'static>> = (found.certs.iter())
        .map(|one| Certificate::from_der(one).to_owned())
        .collect();
    match certificates.is_empty() {
        false => Ok(RootCerts::new_with_certs(&certificates)),
        true => Err(Refused::new(
            "this machine trusts no certificate authority",
            "install ca-certificates, or set SSL_CERT_FILE",
        )),
    }
}

fn named(file: &Path) -> Result<RootCerts, Refused> {
    let shown = text::escape(&file.to_string_lossy()).into_owned();
    let hint = "write `ca:` of a file with certificates in PEM";
    let refused = |why: String| Refused::new(format!("`{shown}` {why}"), hint);
    let pem = std::fs::read(file).map_err(|error| refused(format!("cannot be read: {error}")))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        match item.map_err(|error| refused(format!("is no PEM: {error}")))? {
            PemItem::Certificate(one) => certificates.push(one),
            _ => return Err(refused("holds more than certificates".to_owned())),
        }
    }
    match certificates.is_empty() {
        false => Ok(RootCerts::new_with_certs(&certificates)),
        true => Err(refused("holds no certificate".to_owned())),
    }
}

struct Upload {
    place: String,
    token: Option<zeroize::Zeroizing<String>>,
    roots: RootCerts,
    deadline: Deadline,
}

impl Upload {
    /// Whoever says nothing for so long is not waited for, however far the deadline is.
    fn agent(&self, answer: Duration) -> Result<Agent, Refused> {
        let tls = TlsConfig::builder().root_certs(self.roots.clone()).build();
        let config = Agent::config_builder()
            .timeout_global(Some(self.deadline.left()?))
            .timeout_resolve(Some(MEETING))
            .timeout_connect(Some(MEETING))
            .timeout_send_request(Some(MEETING))
            .timeout_recv_response(Some(answer))
            .timeout_per_read(Some(answer))
            .timeout_per_write(Some(STILL))
            .max_redirects(0)
            .http_status_as_error(false)
            .https_only(true)
            .tls_config(tls)
            .user_agent(concat!("gonogo/", env!("CARGO_PKG_VERSION")));
        Ok(Agent::new_with_config(config.build()))
    }

    fn bearer(&self) -> String {
        let token = self.token.as_ref().map(|token| token.as_str());
        token.map_or_else(String::new, |token| format!("Bearer {token}"))
    }

    fn lost(&self, error: &ureq::Error, answer: Duration) -> Refused {
        if let Err(late) = self.deadline.left() {
            return late;
        }
        if let ureq::Error::Timeout(what) = error {
            let (did, after) = match what {
                Timeout::Resolve => ("was not found by name", MEETING),
                Timeout::Connect => ("let nobody connect, or said nothing in TLS", MEETING),
                Timeout::SendRequest => ("took no request", MEETING),
                Timeout::PerWrite => ("took nothing more of the file", STILL),
                _ => ("said nothing", answer),
            };
            return Refused::new(
                format!("`{}` {did} for {}", self.place, say(after)),
                "see what listens at `url` of the intake, and the way out from here (firewall, proxy)",
            );
        }
        Refused::new(
            format!(
                "`{}` cannot be reached: {}",
                self.place,
                text::escape(&error.to_string())
            ),
            "see `url` of the intake, the way out from here (proxy), and whether its certificate is trusted here",
        )
    }

    /// HEAD or GET.
    fn look(&self, whole: bool) -> Result<Response<Body>, Refused> {
        let agent = self.agent(ANSWER)?;
        let asked = match whole {
            true => agent.get(&self.place),
            false => agent.head(&self.place),
        };
        // Packed answers would have another size and digest.
        let asked = asked.header("Accept-Encoding", "identity");
        let asked = match self.token {
            Some(_) => asked.header("Authorization", self.bearer()),
            None => asked,
        };
        asked.call().map_err(|error| self.lost(&error, ANSWER))
    }

    fn is_free(&self) -> Result<(), Refused> {
        let status = self.look(false)?.status().as_u16();
        match status {
            200..=299 => Err(self.exists()),
            401 => Err(self.refused(status)),
            300..=399 => Err(self.refused(status)),
            500..=599 => Err(self.refused(status)),
            // Nothing there, or nobody may look: then `If-None-Match` has to do.
            _ => Ok(()),
        }
    }

    fn exists(&self) -> Refused {
        Refused::new(
            format!("the intake has a `{}` already", self.place),
            "nothing is written over: deliver it under another name, or have that one removed",
        )
    }

    fn refused(&self, status: u16) -> Refused {
        let hint = match status {
            300..=399 => "it leads elsewhere: write the address that takes uploads",
            401 | 403 => {
                "see with the vendor whether the token of `token_env` is the right one, and may write there"
            }
            404 | 409 => "the folder of `url` is not there: see its address with the vendor",
            405 | 501 => "it takes no PUT: see with the vendor how it takes uploads",
            412 => "nothing is written over: deliver it under another name",
            413 => "it is more than this intake takes: set `max_bytes`, and send it in parts",
            507 => "the intake is full: see with the vendor, or name another way with --intake",
            _ => "try again later, or see with the vendor",
        };
        Refused::new(
            format!(
                "the intake answers with HTTP status {status} for `{}`",
                self.place
            ),
            hint,
        )
    }

    fn put(&self, parcel: &Parcel) -> Result<Response<Body>, Refused> {
        let mut outgoing = Outgoing::open(parcel)?;
        let digest = STANDARD.encode(parcel.sha256.as_bytes());
        let asked = self
            .agent(STILL)?
            .put(&self.place)
            .header("Content-Type", "application/octet-stream")
            .header("Content-Length", parcel.bytes.to_string())
            .header("If-None-Match", "*")
            .header("Content-Digest", format!("sha-256=:{digest}:"));
        let asked = match self.token {
            Some(_) => asked.header("Authorization", self.bearer()),
            None => asked,
        };
        let answered = asked.send(SendBody::from_reader(&mut outgoing));
        let part = || match outgoing.read {
            0 => None,
            _ => Some(format!(
                "perhaps a part of `{}`: {} of {} bytes went",
                self.place, outgoing.read, parcel.bytes
            )),
        };
        let answer = match answered {
            Ok(answer) => answer,
            Err(error) => {
                let left = part();
                return Err(self.lost(&error, STILL).leaving(left));
            }
        };
        let status = answer.status().as_u16();
        if !(200..=299).contains(&status) {
            return Err(self.refused(status));
        }
        outgoing
            .done(parcel)
            .map_err(|refused| refused.leaving(Some(format!("`{}`", self.place))))?;
        Ok(answer)
    }

    fn compare(
        &self,
        answer: &Response<Body>,
        parcel: &Parcel,
    ) -> Result<Option<Compared>, Refused> {
        if let Some(stated) = stated(answer)
            && stated != parcel.sha256
        {
            return Err(self.damaged("it states another digest"));
        }
        let by_answer = stated(answer).map(|_| Compared::Stated);
        // That it cannot be looked at is no sign that it did not arrive.
        let Ok(mut read) = self.look(true) else {
            return Ok(by_answer);
        };
        if read.status().as_u16() != 200 {
            return Ok(by_answer);
        }
        let (mut hash, mut bytes) = (Stream::default(), 0_u64);
        let mut buffer = vec![0; PIECE];
        let mut body = read.body_mut().as_reader();
        while bytes <= parcel.bytes {
            match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => {
                    hash.update(&buffer[..n]);
                    bytes += n as u64;
                }
                Err(_) => return Ok(by_answer),
            }
        }
        match bytes == parcel.bytes && hash.finish() == parcel.sha256 {
            true => Ok(Some(Compared::ReadBack)),
            false => Err(self.damaged(&format!(
                "{bytes} bytes of it with another digest came back, of {}",
                parcel.bytes
            ))),
        }
    }

    fn damaged(&self, why: &str) -> Refused {
        let refused = Refused {
            damaged: true,
            ..Refused::new(
                format!(
                    "what the intake has of `{}` is not what was sent: {why}",
                    self.place
                ),
                "tell the vendor not to use it, and deliver again under another name",
            )
        };
        refused.leaving(Some(format!("`{}`, which must not be used", self.place)))
    }
}

/// The digest that an answer states of the file (RFC 9530).
fn stated(answer: &Response<Body>) -> Option<Sha256> {
    let value = answer.headers().get("Repr-Digest")?.to_str().ok()?;
    let (_, behind) = value.split_once("sha-256=:")?;
    let (digest, _) = behind.split_once(':')?;
    let bytes = STANDARD.decode(digest).ok()?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    hex.parse().ok()
}
