//! Certificates of an SSH authority (PROTOCOL.certkeys) as signing keys: what one must be so that a
//! signature made with it proves who signed. The rules are those of `sshkey_cert_check_authority` in
//! OpenSSH, and one more: an option that must be understood is refused when it is not.

use jiff::Timestamp;
use ssh_key::certificate::{CertType, Certificate};

use super::raw::{fingerprint, is_certified};
use crate::text::escape;
use crate::time::rfc3339;

/// Critical options that restrict logins and say nothing on signatures.
const OF_LOGINS: [&str; 2] = ["force-command", "source-address"];

/// Who certified a signer's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// `SHA256:…` of the authority's key.
    pub authority: String,
    /// Key ID, as the authority wrote it.
    pub id: String,
    /// Serial number; 0 when the authority gives none.
    pub serial: u64,
}

impl Certified {
    pub(super) fn of(certificate: &Certificate) -> Self {
        Self {
            authority: fingerprint(certificate.signature_key()),
            id: certificate.key_id().to_owned(),
            serial: certificate.serial(),
        }
    }
}

/// What makes `certificate` worthless for signing at the instant `at`, whatever its names.
pub(super) fn refusal(certificate: &Certificate, at: Timestamp) -> Option<String> {
    if !is_certified(certificate) {
        return Some("the authority's signature on it does not verify".to_owned());
    }
    if certificate.cert_type() != CertType::User {
        return Some("it is a host certificate, not a user certificate".to_owned());
    }
    let options = certificate.critical_options().keys();
    if let Some(unknown) = options
        .map(String::as_str)
        .find(|name| !OF_LOGINS.contains(name))
    {
        return Some(format!(
            "its critical option `{}` is not known here",
            escape(unknown)
        ));
    }
    // Before 1970 nothing is valid: counted as its first second.
    let second = u64::try_from(at.as_second()).unwrap_or(0);
    if second < certificate.valid_after() {
        return Some(format!(
            "it is not yet valid at {}: {}",
            rfc3339(at),
            window(certificate)
        ));
    }
    // The end does not belong to it, unlike that of `valid-before` in allowed_signers.
    if second >= certificate.valid_before() {
        return Some(format!(
            "it has expired at {}: {}",
            rfc3339(at),
            window(certificate)
        ));
    }
    if certificate.valid_principals().is_empty() {
        return Some("it lists no principal, and so names nobody".to_owned());
    }
    None
}

/// `valid from … until …`.
pub(super) fn window(certificate: &Certificate) -> String {
    let say = |second: u64| {
        let instant = i64::try_from(second)
            .ok()
            .and_then(|second| Timestamp::from_second(second).ok());
        instant.map_or_else(|| "for ever".to_owned(), rfc3339)
    };
    let (from, until) = (certificate.valid_after(), certificate.valid_before());
    match (from, until) {
        (0, u64::MAX) => "valid for ever".to_owned(),
        (0, until) => format!("valid until {}", say(until)),
        (from, u64::MAX) => format!("valid from {}", say(from)),
        _ => format!("valid from {} until {}", say(from), say(until)),
    }
}

/// True when it was made for `name`; no patterns.
pub(super) fn names(certificate: &Certificate, name: &str) -> bool {
    certificate
        .valid_principals()
        .iter()
        .any(|principal| principal == name)
}
