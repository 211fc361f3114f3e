//! TLS to the web server: which certificates are trusted, and what it is called when one is not. There is
//! no switch that turns checking off.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, ClientConnection, Error, RootCertStore};

use crate::failure::{Failure, FailureKind};
use crate::inventory::Url;

/// Of a file of certificates: the whole public list is a quarter of it.
const MOST: u64 = 1 << 20;

/// A connection to be made, checked against the URL's host by `ca`, or by what this machine trusts.
pub(super) fn connection(url: &Url, ca: Option<&Path>) -> Result<ClientConnection, Failure> {
    let roots = match ca {
        Some(file) => of_file(file)?,
        None => of_machine()?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ours(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(url.host.clone()).map_err(|error| ours(error.to_string()))?;
    ClientConnection::new(Arc::new(config), name).map_err(|error| ours(error.to_string()))
}

fn of_file(file: &Path) -> Result<RootCertStore, Failure> {
    let wrong = |why: String| {
        Failure::new(
            FailureKind::Undefined,
            "a file of certificates in PEM on the runner",
            format!("{}: {why}", file.display()),
        )
        .with_hint("correct `ca` in the inventory (it is relative to the inventory); `openssl x509 -in FILE -text` shows the first one")
    };
    let size = std::fs::metadata(file).map_err(|error| wrong(error.to_string()))?;
    if size.len() > MOST {
        return Err(wrong("far too large for certificates".to_owned()));
    }
    let text = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| wrong(error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(wrong("no certificate in it".to_owned())),
        false => Ok(roots),
    }
}

/// The store of the operating system may hold what webpki cannot read: the rest of it counts.
fn of_machine() -> Result<RootCertStore, Failure> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    match added {
        0 => Err(ours("this machine trusts no certificate".to_owned())),
        _ => Ok(roots),
    }
}

fn ours(actual: String) -> Failure {
    Failure::new(FailureKind::Undefined, "a TLS client on the runner", actual)
        .with_hint("install the package ca-certificates on the runner, or name a file as `ca:` beside the `url:`")
}

/// The failure when `error` is of TLS.
pub(super) fn refused(error: &io::Error) -> Option<Failure> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    let Error::InvalidCertificate(wrong) = error else {
        let (kind, expected, hint) = match error {
            Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => (
                FailureKind::Mismatch,
                "a server that speaks TLS",
                "it may speak HTTP without TLS: write `http://`, or correct the port",
            ),
            Error::AlertReceived(_) => (
                FailureKind::Denied,
                "a server that agrees to TLS with this client",
                "it may want a client's certificate, another name, or a version older than TLS 1.2, none of which is given",
            ),
            _ => (
                FailureKind::Mismatch,
                "a TLS connection by the rules",
                "see with `openssl s_client -connect` on the host what the server offers",
            ),
        };
        return Some(Failure::new(kind, expected, error.to_string()).with_hint(hint));
    };
    let hint = match wrong {
        CertificateError::UnknownIssuer => {
            "nobody that is trusted has issued it: name the file with the issuer's certificate as `ca:` beside the `url:`"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for other names: write the URL with one of them (the host itself resolves it), or have one issued for this one; only subjectAltName counts"
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            "have it renewed on the host; if its dates are right, look at this runner's clock"
        }
        _ => {
            "see with `openssl s_client -showcerts` on the host what the server presents; a certificate with CA:TRUE cannot be a server's own"
        }
    };
    let failure = Failure::new(
        FailureKind::Mismatch,
        "a certificate that this server should have",
        said(error),
    );
    Some(failure.with_hint(hint))
}

/// What is wrong, with times that people can read.
pub(in crate::transport) fn said(error: &Error) -> String {
    let at = |time: &UnixTime| {
        let seconds = i64::try_from(time.as_secs()).ok();
        let instant = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        instant.map_or_else(
            || "a time beyond all calendars".to_owned(),
            crate::time::rfc3339,
        )
    };
    let Error::InvalidCertificate(wrong) = error else {
        return error.to_string();
    };
    match wrong {
        CertificateError::ExpiredContext { time, not_after } => format!(
            "its certificate has expired: it ended at {}, and it is {} here",
            at(not_after),
            at(time)
        ),
        CertificateError::NotValidYetContext { time, not_before } => format!(
            "its certificate is not valid yet: it begins at {}, and it is {} here",
            at(not_before),
            at(time)
        ),
        // Known to rustls by its text alone.
        CertificateError::Other(_) if error.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is one of an issuer (CA:TRUE), not of a server".to_owned()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::OtherError;

    use super::*;

    #[derive(Debug)]
    struct CaUsedAsEndEntity;

    impl std::fmt::Display for CaUsedAsEndEntity {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("CaUsedAsEndEntity")
        }
    }

    impl std::error::Error for CaUsedAsEndEntity {}

    #[test]
    fn a_certificate_is_told_in_words_and_times_of_people() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let told = |wrong| said(&Error::InvalidCertificate(wrong));
        assert_eq!(
            told(CertificateError::ExpiredContext {
                time: at(1_795_360_387),
                not_after: at(1_791_676_800)
            }),
            "its certificate has expired: it ended at 2026-10-11T00:00:00Z, and it is 2026-11-22T15:13:07Z here"
        );
        let early = told(CertificateError::NotValidYetContext {
            time: at(0),
            not_before: at(86_400),
        });
        assert!(early.contains("begins at 1970-01-02T00:00:00Z"), "{early}");
        let other = OtherError(Arc::new(CaUsedAsEndEntity));
        let issuer = told(CertificateError::Other(other));
        assert!(
            issuer.contains("CA:TRUE") && !issuer.contains("Other"),
            "{issuer}"
        );
        // What rustls says well stays as it is.
        let stranger = told(CertificateError::UnknownIssuer);
        assert!(stranger.contains("UnknownIssuer"), "{stranger}");
    }
}
