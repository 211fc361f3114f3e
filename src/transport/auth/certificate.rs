//! OpenSSH user certificates: what our side can say of one before a server is asked, and what of it
//! explains a refusal. Signatures and authorities are the server's business.

use jiff::Timestamp;
use ssh_key::certificate::CertType;
use ssh_key::{Certificate, HashAlg, PublicKey};

use super::own;
use crate::failure::Failure;
use crate::{text, time};

/// A certificate, and what messages call it.
pub(super) struct Certified {
    name: String,
    certificate: Certificate,
}

const AGAIN: &str = "have it signed again (`ssh-keygen -L -f FILE` shows what it says)";

impl Certified {
    /// From a `-cert.pub` file.
    pub(super) fn from_text(name: &str, text: &str) -> Result<Self, Failure> {
        let certificate = Certificate::from_openssh(text.trim());
        let certificate = certificate.map_err(|error| {
            let actual = format!("{name}: {error}");
            own("an OpenSSH certificate", actual, AGAIN)
        })?;
        Ok(Self::new(name, certificate))
    }

    pub(super) fn new(name: &str, certificate: Certificate) -> Self {
        let name = name.to_owned();
        Self { name, certificate }
    }

    /// In time, and of a user: anything else is refused everywhere.
    pub(super) fn must_be_valid(&self) -> Result<(), Failure> {
        let Self { name, certificate } = self;
        let wrong = |why: String| own("a valid certificate", format!("{name}: {why}"), AGAIN);
        if certificate.cert_type() != CertType::User {
            return Err(wrong("it is a host's certificate, not a user's".to_owned()));
        }
        let now = time::now();
        let second = u64::try_from(now.as_second()).unwrap_or(0);
        let (after, before) = (certificate.valid_after(), certificate.valid_before());
        let now = time::rfc3339(now);
        if before <= second {
            return Err(wrong(format!(
                "the certificate has expired on {} (it is {now} here)",
                date(before)
            )));
        }
        if after > second {
            return Err(wrong(format!(
                "the certificate is not valid before {} (it is {now} here)",
                date(after)
            )));
        }
        Ok(())
    }

    /// Of this very key. Unknown for the formats that only libssh2 reads.
    pub(super) fn must_fit(&self, key: Option<&PublicKey>) -> Result<(), Failure> {
        let certified = self.certificate.public_key();
        match key {
            Some(key) if key.key_data() != certified => Err(own(
                "the certificate of this key",
                format!(
                    "{} certifies {}, the key is {}",
                    self.name,
                    certified.fingerprint(HashAlg::Sha256),
                    key.fingerprint(HashAlg::Sha256)
                ),
                "name key and certificate that belong together",
            )),
            _ => Ok(()),
        }
    }

    /// What of it a server may not like: principals, authority, source.
    pub(super) fn told(&self, user: &str) -> String {
        let Self { certificate, .. } = self;
        let mut told = format!(
            "certificate \"{}\" of CA {}, for ",
            text::clip(certificate.key_id(), 60),
            certificate.signature_key().fingerprint(HashAlg::Sha256)
        );
        let principals = certificate.valid_principals();
        told.push_str(&match principals {
            [] => "no principal at all".to_owned(),
            some => text::clip(&some.join(", "), 120).into_owned(),
        });
        if !principals.is_empty() && !principals.iter().any(|name| name == user) {
            told.push_str(" and not `");
            told.push_str(user);
            told.push('`');
        }
        for (name, value) in certificate.critical_options().iter() {
            let value = text::clip(value, 60);
            told.push_str(&match value.is_empty() {
                true => format!(", {}", text::clip(name, 60)),
                false => format!(", {} {value}", text::clip(name, 60)),
            });
        }
        told
    }
}

fn date(second: u64) -> String {
    let second = i64::try_from(second).unwrap_or(i64::MAX);
    match Timestamp::from_second(second) {
        Ok(instant) => time::rfc3339(instant),
        Err(_) => "a day beyond all calendars".to_owned(),
    }
}
