//! The line to a mail server: bounded answers by the deadline, in plain text until TLS, and what was read before TLS
//! counts for nothing after it.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, ClientConnection, Error, RootCertStore, StreamOwned};

use crate::failure::{Failure, FailureKind};
use crate::{text, time};

/// RFC 5321 (4.5.3.2) gives a server five minutes for most of its answers; whoever asks has less, by `until`.
const PATIENCE: Duration = Duration::from_secs(300);
/// What a name or a connection may take.
const CONNECT: Duration = Duration::from_secs(15);
/// By so much a wait of the system may end early.
const GRAIN: Duration = Duration::from_millis(100);
const SLOW: &str = "try again later; see what listens there: some servers hold back their greeting to whom they do not know, and one that speaks TLS from the first byte (`tls: implicit`) waits for us";
const MOST_LINE: usize = 2048;
const MOST_LINES: usize = 100;

/// What a server said.
#[derive(Debug)]
pub struct Answer {
    /// Its number.
    pub code: u16,
    /// Its text, a line each.
    pub lines: Vec<String>,
}

impl Answer {
    /// As a person reads it.
    #[must_use]
    pub fn told(&self) -> String {
        let said = self.lines.join(" ");
        format!("{} {}", self.code, text::clip(&said, 300))
    }

    /// One of those codes, or what it means that it is another.
    ///
    /// # Errors
    /// What it means.
    pub fn wanted(&self, codes: &[u16], at: &str, what: &str, hint: &str) -> Result<(), Unmet> {
        if codes.contains(&self.code) {
            return Ok(());
        }
        let told = self.told();
        let enhanced = |code: &str| self.lines.iter().any(|line| line.starts_with(code));
        let kind = match self.code {
            421 | 430..=459 => FailureKind::Io,
            _ => FailureKind::Denied,
        };
        let why = format!("{at} {what}: {told}");
        let hint = match self.code {
            _ if self.code == 552 || enhanced("5.3.4") => {
                "it is more than this server or mailbox takes: send it in parts (`gonogo case split`), or name another way with --intake"
            }
            530 if enhanced("5.7.0") || hint.is_empty() => {
                "it wants `user` and `password_env`, or TLS before anything else"
            }
            // That it is a matter of time is the server's own word.
            421 | 450..=459 | 430..=439 => "it says that this will pass: try again later",
            _ if hint.is_empty() => "see what it says, and with who runs it",
            _ => hint,
        };
        Err(Unmet::new(kind, text::escape(&why), hint))
    }
}

/// A socket whose every wait ends at the deadline.
struct Timed {
    stream: TcpStream,
    until: Instant,
}

impl Timed {
    fn ready(&self) -> io::Result<()> {
        let left = left(self.until).ok_or(io::ErrorKind::TimedOut)?;
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
pub struct Wire {
    line: Line,
    held: Vec<u8>,
    at: String,
    begun: Instant,
    until: Instant,
    /// It said anything at all.
    has_spoken: bool,
    local: Option<IpAddr>,
}

impl Wire {
    /// Name and TCP.
    pub(super) fn open(host: &str, port: u16, until: Instant) -> Result<Self, Unmet> {
        let begun = Instant::now();
        let at = text::endpoint(host, port);
        let stream = dial(&resolve(host, port, until)?, &at, until)?;
        let local = stream.local_addr().ok().map(|address| address.ip());
        Ok(Self {
            line: Line::Plain(Timed { stream, until }),
            held: Vec::new(),
            at,
            begun,
            until,
            has_spoken: false,
            local,
        })
    }

    /// Who we are: no name of this machine leaves it.
    #[must_use]
    pub fn own_name(&self) -> String {
        match self.local {
            Some(IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
            Some(IpAddr::V4(ip)) => format!("[{ip}]"),
            None => "[127.0.0.1]".to_owned(),
        }
    }

    /// Whether what is said now is.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        matches!(self.line, Line::Tls(_))
    }

    /// Shakes hands; the server's certificate must hold for the name in the inventory.
    pub(super) fn encrypt(&mut self, host: &str, ca: Option<&Path>) -> Result<(), Unmet> {
        if !self.held.is_empty() {
            return Err(Unmet::new(
                FailureKind::Mismatch,
                format!(
                    "{} went on in plain text where TLS begins: somebody may stand between",
                    self.at
                ),
                "nothing was sent: see with who runs the server, or use `tls: implicit` where it offers that",
            ));
        }
        let ours = |error: String| Unmet::ours(format!("TLS: {error}"));
        let Line::Plain(plain) = std::mem::replace(&mut self.line, Line::Broken) else {
            return Err(ours("twice".to_owned()));
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| ours(error.to_string()))?
            .with_root_certificates(roots(ca)?)
            .with_no_client_auth();
        let name =
            ServerName::try_from(host.to_owned()).map_err(|error| ours(error.to_string()))?;
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

    fn untrusted(&self, error: &io::Error) -> Option<Unmet> {
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
        let error = crate::transport::http::certificate_said(error);
        let why = format!("{} is not who it should be: {error}", self.at);
        Some(Unmet::new(
            FailureKind::Mismatch,
            text::escape(&why),
            format!("nothing was sent; {hint}"),
        ))
    }

    fn lost(&self, error: &io::Error) -> Unmet {
        let waited = [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut].contains(&error.kind());
        match left(self.until) {
            None => return self.late(),
            // A wait ends by the clock of the system, which may be a little before ours.
            Some(left) if waited && left < GRAIN => return self.late(),
            Some(_) if waited => {
                let why = format!("{} said nothing for {}", self.at, time::say(PATIENCE));
                return Unmet::new(FailureKind::Timeout, why, SLOW);
            }
            Some(_) => {}
        }
        let why = match error.kind() {
            io::ErrorKind::UnexpectedEof => format!("{} hung up", self.at),
            _ => format!("the connection to {} broke: {error}", self.at),
        };
        Unmet::new(
            FailureKind::Io,
            text::escape(&why),
            "try again later; see what listens there, and whether it speaks TLS from the first byte (`tls: implicit`)",
        )
    }

    /// All the time that there was is gone.
    fn late(&self) -> Unmet {
        let given = self.until.saturating_duration_since(self.begun);
        // What was gone before there was a connection is nobody's matter.
        let given = match (given + Duration::from_millis(500)).as_secs() {
            0 => given,
            seconds => Duration::from_secs(seconds),
        };
        let given = time::say(given);
        let why = match self.has_spoken {
            false => format!("{} said nothing within {given}", self.at),
            true => format!("{} was not done within {given}", self.at),
        };
        Unmet::new(FailureKind::Timeout, why, SLOW)
    }

    fn stream(&mut self) -> io::Result<&mut dyn ReadWrite> {
        match &mut self.line {
            Line::Plain(plain) => Ok(plain),
            Line::Tls(tls) => Ok(&mut **tls),
            Line::Broken => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Says bytes.
    ///
    /// # Errors
    /// When they do not go.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Unmet> {
        let written = self.stream().and_then(|stream| {
            stream.write_all(bytes)?;
            stream.flush()
        });
        written.map_err(|error| self.lost(&error))
    }

    /// Says a line, and hears the answer.
    ///
    /// # Errors
    /// When there is none.
    pub fn ask(&mut self, line: &str) -> Result<Answer, Unmet> {
        if line.contains(['\r', '\n', '\0']) {
            return Err(Unmet::ours("a line of SMTP with a line break in it"));
        }
        let line = zeroize::Zeroizing::new(format!("{line}\r\n"));
        self.write(line.as_bytes())?;
        self.answer()
    }

    /// One answer, of at most so many lines.
    ///
    /// # Errors
    /// When there is none.
    pub fn answer(&mut self) -> Result<Answer, Unmet> {
        let (mut code, mut lines) = (None, Vec::new());
        while lines.len() < MOST_LINES {
            let line = self.line()?;
            let odd = || {
                let shown = text::clip(&line, 80);
                let why = format!("{} does not speak SMTP: it says “{shown}”", self.at);
                Unmet::new(
                    FailureKind::Mismatch,
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
        Err(Unmet::new(
            FailureKind::Mismatch,
            format!("{} answers without an end", self.at),
            "see `host` and `port` of the intake: this is no mail server to trust",
        ))
    }

    fn line(&mut self) -> Result<String, Unmet> {
        loop {
            if let Some(end) = self.held.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.held.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
            }
            if self.held.len() > MOST_LINE {
                return Err(Unmet::new(
                    FailureKind::Mismatch,
                    format!("{} answers in a line without an end", self.at),
                    "see `host` and `port` of the intake: this is no mail server to trust",
                ));
            }
            let mut room = [0; 1024];
            let read = self.stream().and_then(|stream| stream.read(&mut room));
            match read {
                Ok(0) => return Err(self.lost(&io::ErrorKind::UnexpectedEof.into())),
                Ok(n) => {
                    self.has_spoken = true;
                    self.held.extend_from_slice(&room[..n]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.lost(&error)),
            }
        }
    }

    /// A word at the end that nobody waits for.
    pub fn leave(&mut self) {
        let _ = self.stream().and_then(|stream| {
            stream.write_all(b"QUIT\r\n")?;
            stream.flush()
        });
    }
}

/// Why a server is not the one that is meant, or does not do what it should.
#[derive(Clone, Debug)]
pub struct Unmet {
    /// What kind of failure that is.
    pub kind: FailureKind,
    /// What happened.
    pub why: String,
    /// What to do.
    pub hint: String,
    /// Our own side.
    pub is_ours: bool,
}

impl Unmet {
    pub(super) fn new(kind: FailureKind, why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            kind,
            why: why.into(),
            hint: hint.into(),
            is_ours: false,
        }
    }

    fn ours(why: impl Into<String>) -> Self {
        Self {
            is_ours: true,
            ..Self::new(FailureKind::Undefined, why, "")
        }
    }

    /// As a step fails with it.
    #[must_use]
    pub fn failure(self, target: &str) -> Failure {
        Failure::new(self.kind, format!("a mail server at {target}"), self.why)
            .with_subject(target)
            .with_hint(self.hint)
    }
}

/// What is left until then, and no longer than one answer may take.
fn left(until: Instant) -> Option<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    (!left.is_zero()).then(|| left.min(PATIENCE))
}

fn late(at: &str) -> Unmet {
    let why = format!("{at} was not reached in time");
    Unmet::new(FailureKind::Timeout, why, SLOW)
}

/// `getaddrinfo` has no timeout of its own.
fn resolve(host: &str, port: u16, until: Instant) -> Result<Vec<SocketAddr>, Unmet> {
    let (tell, told) = mpsc::channel();
    let name = host.trim_matches(['[', ']']).to_owned();
    std::thread::spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs();
        let _ = tell.send(found.map(Iterator::collect::<Vec<_>>));
    });
    let no = |why: String| {
        let hint = "correct `host` of the intake, or look at the resolver here";
        Unmet::new(FailureKind::Unreachable, why, hint)
    };
    let patience = left(until).ok_or_else(|| late(host))?.min(CONNECT);
    match told.recv_timeout(patience) {
        Ok(Ok(found)) if !found.is_empty() => Ok(found),
        Ok(Ok(_)) => Err(no(format!("`{host}` has no address"))),
        Ok(Err(error)) => Err(no(format!("`{host}` does not resolve: {error}"))),
        Err(_) => Err(no(format!("`{host}` was not resolved in time"))),
    }
}

fn dial(addresses: &[SocketAddr], at: &str, until: Instant) -> Result<TcpStream, Unmet> {
    let mut last = String::new();
    for address in addresses {
        let patience = left(until).ok_or_else(|| late(at))?.min(CONNECT);
        match TcpStream::connect_timeout(address, patience) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error.to_string(),
        }
    }
    Err(Unmet::new(
        FailureKind::Unreachable,
        format!("{at} cannot be reached: {last}"),
        "see whether the way out is open from here (firewall), and `host` and `port` right",
    ))
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

/// The certificates of `ca:`, else those that this machine trusts.
///
/// # Errors
/// When there are none.
pub fn roots(ca: Option<&Path>) -> Result<RootCertStore, Unmet> {
    let mut roots = RootCertStore::empty();
    let Some(file) = ca else {
        let found = rustls_native_certs::load_native_certs();
        return match roots.add_parsable_certificates(found.certs) {
            (0, _) => Err(Unmet::new(
                FailureKind::Undefined,
                "this machine trusts no certificate authority",
                "install ca-certificates, set SSL_CERT_FILE, or name `ca:`",
            )),
            _ => Ok(roots),
        };
    };
    let shown = text::escape(&file.to_string_lossy()).into_owned();
    let hint = "write `ca:` of a file with certificates in PEM";
    let refused =
        |why: String| Unmet::new(FailureKind::Undefined, format!("`{shown}` {why}"), hint);
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// What is told of a server that says `words` and no more, and how long that took.
    fn told(words: &str, time: Duration) -> (Result<Answer, Unmet>, Duration) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let begun = Instant::now();
        let mut wire = Wire::open("127.0.0.1", port, begun + time).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(words.as_bytes()).unwrap();
        let answer = wire.answer();
        (answer, begun.elapsed())
    }

    #[test]
    fn who_is_silent_is_told_by_the_deadline_of_who_asks_and_not_after_five_minutes() {
        let second = Duration::from_secs(1);
        for (words, says) in [
            ("", "said nothing within 1s"),
            ("220-mx\r\n22", "was not done within 1s"),
        ] {
            let (answer, took) = told(words, second);
            let unmet = answer.unwrap_err();
            assert_eq!(unmet.kind, FailureKind::Timeout);
            assert!(unmet.why.ends_with(says), "{}", unmet.why);
            assert!(took < second * 10, "{took:?}");
        }
        let (answer, _) = told("220 mx\r\n", second);
        assert_eq!(answer.unwrap().code, 220);
    }
}
