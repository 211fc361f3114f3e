//! The line to a mail server: bounded answers by the deadline, in plain text until TLS, and what was read before TLS
//! counts for nothing after it.

use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, ClientConnection, Error, RootCertStore, StreamOwned};

use super::super::door::{dial, resolve};
use super::super::{Deadline, Refused};
use crate::inventory::Submission;
use crate::text;

/// RFC 5321 gives a server five minutes for most of its answers.
const PATIENCE: Duration = Duration::from_secs(300);
const MOST_LINE: usize = 2048;
const MOST_LINES: usize = 100;

/// What a server said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: u16,
    pub(super) lines: Vec<String>,
}

impl Answer {
    /// As a person reads it.
    pub(super) fn told(&self) -> String {
        let said = self.lines.join(" ");
        format!("{} {}", self.code, text::clip(&said, 300))
    }
}

/// A socket whose every wait ends at the deadline.
struct Timed {
    stream: TcpStream,
    deadline: Deadline,
}

impl Timed {
    fn ready(&self) -> io::Result<()> {
        let left = self
            .deadline
            .left()
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
        let left = left.min(PATIENCE);
        self.stream.set_read_timeout(Some(left))?;
        self.stream.set_write_timeout(Some(left))
    }
}

impl Read for Timed {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.ready()?;
        self.stream.read(room)
    }
}

impl Write for Timed {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.ready()?;
        self.stream.write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

enum Line {
    Plain(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
    /// Between the two.
    Broken,
}

/// The connection.
pub(super) struct Wire {
    line: Line,
    held: Vec<u8>,
    at: String,
    deadline: Deadline,
    local: Option<IpAddr>,
}

impl Wire {
    pub(super) fn open(by: &Submission, deadline: Deadline) -> Result<Self, Refused> {
        let at = text::endpoint(&by.host, by.port);
        let addresses = resolve(&by.host, by.port, deadline)?;
        let stream = dial(&addresses, &at, deadline)?;
        let local = stream.local_addr().ok().map(|address| address.ip());
        Ok(Self {
            line: Line::Plain(Timed { stream, deadline }),
            held: Vec::new(),
            at,
            deadline,
            local,
        })
    }

    /// Who we are: no name of this machine leaves it.
    pub(super) fn own_name(&self) -> String {
        match self.local {
            Some(IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
            Some(IpAddr::V4(ip)) => format!("[{ip}]"),
            None => "[127.0.0.1]".to_owned(),
        }
    }

    pub(super) const fn is_encrypted(&self) -> bool {
        matches!(self.line, Line::Tls(_))
    }

    /// Shakes hands; the server's certificate must hold for the name in the inventory.
    pub(super) fn encrypt(&mut self, by: &Submission) -> Result<(), Refused> {
        if !self.held.is_empty() {
            return Err(Refused::new(
                format!(
                    "{} went on in plain text where TLS begins: somebody may stand between",
                    self.at
                ),
                "nothing was sent: see with who runs the server, or use `tls: implicit` where it offers that",
            ));
        }
        let ours = |error: String| Refused::fault(format!("TLS: {error}"));
        let Line::Plain(plain) = std::mem::replace(&mut self.line, Line::Broken) else {
            return Err(ours("twice".to_owned()));
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| ours(error.to_string()))?
            .with_root_certificates(roots(by.ca.as_deref())?)
            .with_no_client_auth();
        let name =
            ServerName::try_from(by.host.clone()).map_err(|error| ours(error.to_string()))?;
        let tls = ClientConnection::new(Arc::new(config), name);
        let tls = tls.map_err(|error| ours(error.to_string()))?;
        let mut stream = StreamOwned::new(tls, plain);
        while stream.conn.is_handshaking() {
            if let Err(error) = stream.conn.complete_io(&mut stream.sock) {
                return Err(self.untrusted(&error).unwrap_or_else(|| self.lost(&error)));
            }
        }
        self.line = Line::Tls(Box::new(stream));
        Ok(())
    }

    fn untrusted(&self, error: &io::Error) -> Option<Refused> {
        let error = error.get_ref()?.downcast_ref::<Error>()?;
        let hint = match error {
            Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                "nobody that is trusted here has issued it: name the issuer's certificate as `ca: FILE` of the intake"
            }
            Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) => "it is for other names: write `host` as its certificate has it",
            Error::InvalidCertificate(_) => {
                "have it renewed; if its dates are right, look at the clock here"
            }
            _ => {
                "see whether this port speaks TLS from its first byte (`tls: implicit`) or after STARTTLS"
            }
        };
        let why = format!("{} is not who it should be: {error}", self.at);
        Some(Refused::new(
            text::escape(&why),
            format!("nothing was sent; {hint}"),
        ))
    }

    fn lost(&self, error: &io::Error) -> Refused {
        if let Err(late) = self.deadline.left() {
            return late;
        }
        let why = match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                format!(
                    "{} said nothing for {}",
                    self.at,
                    crate::time::say(PATIENCE)
                )
            }
            io::ErrorKind::UnexpectedEof => format!("{} hung up", self.at),
            _ => format!("the connection to {} broke: {error}", self.at),
        };
        Refused::new(
            text::escape(&why),
            "try again later; see what listens there, and whether it speaks TLS from the first byte (`tls: implicit`)",
        )
    }

    fn stream(&mut self) -> io::Result<&mut dyn ReadWrite> {
        match &mut self.line {
            Line::Plain(plain) => Ok(plain),
            Line::Tls(tls) => Ok(&mut **tls),
            Line::Broken => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        let written = self.stream().and_then(|stream| {
            stream.write_all(bytes)?;
            stream.flush()
        });
        written.map_err(|error| self.lost(&error))
    }

    /// Says a line, and hears the answer.
    pub(super) fn ask(&mut self, line: &str) -> Result<Answer, Refused> {
        if line.contains(['\r', '\n', '\0']) {
            return Err(Refused::fault("a line of SMTP with a line break in it"));
        }
        let line = zeroize::Zeroizing::new(format!("{line}\r\n"));
        self.write(line.as_bytes())?;
        self.answer()
    }

    /// One answer, of at most so many lines.
    pub(super) fn answer(&mut self) -> Result<Answer, Refused> {
        let (mut code, mut lines) = (None, Vec::new());
        while lines.len() < MOST_LINES {
            let line = self.line()?;
            let odd = || {
                let shown = text::clip(&line, 80);
                let why = format!("{} does not speak SMTP: it says “{shown}”", self.at);
                Refused::new(
                    text::escape(&why),
                    "see `host` and `port` of the intake: something else may listen there",
                )
            };
            let (digits, rest) = line.split_at_checked(3).ok_or_else(odd)?;
            let is_number = digits.bytes().all(|c| c.is_ascii_digit());
            let number: u16 = digits.parse().ok().filter(|_| is_number).ok_or_else(odd)?;
            if !(200..600).contains(&number) || code.is_some_and(|code| code != number) {
                return Err(odd());
            }
            code = Some(number);
            let (more, said) = match rest.as_bytes().first() {
                None => (false, ""),
                Some(b' ') => (false, rest.get(1..).unwrap_or_default()),
                Some(b'-') => (true, rest.get(1..).unwrap_or_default()),
                Some(_) => return Err(odd()),
            };
            lines.push(said.trim_end().to_owned());
            if !more {
                return Ok(Answer {
                    code: number,
                    lines,
                });
            }
        }
        Err(Refused::new(
            format!("{} answers without an end", self.at),
            "see `host` and `port` of the intake: this is no mail server to trust",
        ))
    }

    fn line(&mut self) -> Result<String, Refused> {
        loop {
            if let Some(end) = self.held.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.held.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
            }
            if self.held.len() > MOST_LINE {
                return Err(Refused::new(
                    format!("{} answers in a line without an end", self.at),
                    "see `host` and `port` of the intake: this is no mail server to trust",
                ));
            }
            let mut room = [0; 1024];
            let read = self.stream().and_then(|stream| stream.read(&mut room));
            match read {
                Ok(0) => return Err(self.lost(&io::ErrorKind::UnexpectedEof.into())),
                Ok(n) => self.held.extend_from_slice(&room[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.lost(&error)),
            }
        }
    }

    /// A word at the end that nobody waits for.
    pub(super) fn leave(&mut self) {
        let _ = self.stream().and_then(|stream| {
            stream.write_all(b"QUIT\r\n")?;
            stream.flush()
        });
    }
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

/// The certificates of `ca:`, else those that this machine trusts.
pub(super) fn roots(ca: Option<&Path>) -> Result<RootCertStore, Refused> {
    let mut roots = RootCertStore::empty();
    let Some(file) = ca else {
        let found = rustls_native_certs::load_native_certs();
        return match roots.add_parsable_certificates(found.certs) {
            (0, _) => Err(Refused::new(
                "this machine trusts no certificate authority",
                "install ca-certificates, set SSL_CERT_FILE, or name `ca:`",
            )),
            _ => Ok(roots),
        };
    };
    let shown = text::escape(&file.to_string_lossy()).into_owned();
    let hint = "write `ca:` of a file with certificates in PEM";
    let refused = |why: String| Refused::new(format!("`{shown}` {why}"), hint);
    let pem = std::fs::read(file).map_err(|error| refused(format!("cannot be read: {error}")))?;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| refused(format!("is no PEM: {error}")))?;
        roots
            .add(certificate)
            .map_err(|error| refused(format!("holds no certificate: {error}")))?;
    }
    match roots.is_empty() {
        true => Err(refused("holds no certificate".to_owned())),
        false => Ok(roots),
    }
}
