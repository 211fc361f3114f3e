//! What an authority answers: its statement, signed as CMS (RFC 3161 2.4.2, RFC 5652). OpenSSL verifies
//! signature, chain and purpose at the stated instant; what the statement says is read from the very bytes
//! that it verified.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyParam;
use openssl::x509::{X509, X509NameRef, X509PurposeId};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::der::{Der, oid, tag};
use super::{Request, Stamp, StampFault};

const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";
/// `[0]`, constructed.
const FIRST: u8 = 0xa0;
/// `[1]`, constructed.
const SECOND: u8 = 0xa1;

/// Whose stamps count.
#[derive(Clone)]
pub struct Authorities(Vec<X509>);

impl std::fmt::Debug for Authorities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authorities({} certificates)", self.0.len())
    }
}

impl Authorities {
    /// Reads CA certificates in PEM form.
    ///
    /// # Errors
    /// When it holds none, or one that cannot be read.
    pub fn parse(pem: &[u8]) -> Result<Self, StampFault> {
        let read = X509::stack_from_pem(pem);
        let read = read.map_err(|error| StampFault::Authorities(said(&error)))?;
        match read.is_empty() {
            true => Err(StampFault::Authorities("there is none".to_owned())),
            false => Ok(Self(read)),
        }
    }

    // Whole chains at the instant `at`, for the one purpose: an authority that has expired since was
    // trusted then, and a web server's certificate never is.
    fn store(&self, at: Timestamp) -> Result<X509Store, openssl::error::ErrorStack> {
        let mut store = X509StoreBuilder::new()?;
        for certificate in &self.0 {
            store.add_cert(certificate.clone())?;
        }
        store.set_purpose(X509PurposeId::TIMESTAMP_SIGN)?;
        let mut rules = X509VerifyParam::new()?;
        rules.set_time(at.as_second());
        store.set_param(&rules)?;
        Ok(store.build())
    }
}

/// An authority's answer that holds a token; nothing of it is proven.
#[derive(Clone, Debug)]
pub struct Token<'a> {
    content_info: &'a [u8],
    stated: Stated,
    certificates: Vec<&'a [u8]>,
    signer: Option<By<'a>>,
}

/// By whom a token says that it was signed: issuer and serial number of the certificate.
#[derive(Clone, Copy, Debug)]
struct By<'a> {
    issuer: &'a [u8],
    serial: &'a [u8],
}

/// The statement (`TSTInfo`).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stated {
    policy: String,
    algorithm: String,
    digest: Vec<u8>,
    serial: Vec<u8>,
    at: Timestamp,
    nonce: Option<Vec<u8>>,
}

impl<'a> Token<'a> {
    /// Reads a whole answer (`TimeStampResp`).
    ///
    /// # Errors
    /// When it is none, or the authority refused.
    pub fn parse(response: &'a [u8]) -> Result<Self, StampFault> {
        let mut whole = Der(response);
        let mut inside = whole.take(tag::SEQUENCE)?;
        whole.end()?;
        let mut status = inside.take(tag::SEQUENCE)?;
        let granted = status.number()?;
        // `granted` and `grantedWithMods`.
        if granted > 1 {
            let said = status
                .maybe(tag::SEQUENCE)?
                .map(|mut text| text.take(tag::TEXT));
            let said = said.transpose()?.map_or(&[][..], |text| text.0);
            let said = String::from_utf8_lossy(&said[..said.len().min(200)]).into_owned();
            return Err(StampFault::Refused {
                status: granted,
                said,
            });
        }
        let (kind, mut content, content_info) = {
            let mut ahead = inside;
            let (kind, content, all) = ahead.any()?;
            ahead.end()?;
            (kind, Der(content), all)
        };
        if kind != tag::SEQUENCE || oid(content.take(tag::OID)?.0) != SIGNED_DATA {
            return Err(StampFault::Shape("it holds no signed data"));
        }
        let mut signed = content.take(FIRST)?.take(tag::SEQUENCE)?;
        signed.number()?;
        signed.any()?;
        let mut encapsulated = signed.take(tag::SEQUENCE)?;
        if oid(encapsulated.take(tag::OID)?.0) != TST_INFO {
            return Err(StampFault::Shape("what is signed is no time stamp"));
        }
        let statement = encapsulated.take(FIRST)?.take(tag::OCTETS)?;
        let mut certificates = Vec::new();
        let mut held = signed.maybe(FIRST)?.unwrap_or(Der(&[]));
        while !held.0.is_empty() {
            certificates.push(held.any()?.2);
        }
        signed.maybe(SECOND)?;
        let mut signers = signed.take(tag::SET)?;
        let mut signer = signers.take(tag::SEQUENCE)?;
        // RFC 3161 2.4.2: by the authority and nobody else.
        signers.end()?;
        signer.number()?;
        let signer = signer.maybe(tag::SEQUENCE)?.map(|mut by| {
            let issuer = by.any()?.2;
            let serial = by.take(tag::INTEGER)?.0;
            Ok(By { issuer, serial })
        });
        Ok(Self {
            content_info,
            stated: Stated::parse(statement.0)?,
            certificates,
            signer: signer.transpose()?,
        })
    }

    /// Subject of the certificate that signed, from the token or from those of `authorities`.
    fn authority(&self, authorities: &Authorities) -> Option<String> {
        let own = self
            .certificates
            .iter()
            .filter_map(|der| X509::from_der(der).ok());
        let mut all = own.chain(authorities.0.iter().cloned());
        let by = self.signer?;
        let signed = |certificate: &X509| {
            let issuer = certificate.issuer_name().to_der().ok()?;
            let serial = certificate.serial_number().to_bn().ok()?.to_vec();
            let stated: Vec<u8> = by
                .serial
                .iter()
                .copied()
                .skip_while(|byte| *byte == 0)
                .collect();
            (issuer == by.issuer && serial == stated).then_some(())
        };
        all.find(|certificate| signed(certificate).is_some())
            .map(|certificate| name(certificate.subject_name()))
    }

    /// The instant that it states; nothing of it is proven.
    #[must_use]
    pub const fn states(&self) -> Timestamp {
        self.stated.at
    }

    /// Proves that one of `authorities` stamped `content`, and in answer to `request` when one is given.
    ///
    /// # Errors
    /// The first reason found, in this order: digest, nonce, signature and chain.
    pub fn verify(
        &self,
        content: &[u8],
        request: Option<&Request>,
        authorities: &Authorities,
    ) -> Result<Stamp, StampFault> {
        let stated = &self.stated;
        let digest = match &*stated.algorithm {
            "2.16.840.1.101.3.4.2.1" => Sha256::digest(content).to_vec(),
            "2.16.840.1.101.3.4.2.2" => Sha384::digest(content).to_vec(),
            "2.16.840.1.101.3.4.2.3" => Sha512::digest(content).to_vec(),
            other => return Err(StampFault::WeakDigest(other.to_owned())),
        };
        if digest != stated.digest {
            return Err(StampFault::OtherBytes);
        }
        if request.is_some_and(|request| Some(request.nonce()) != stated.nonce.as_deref()) {
            return Err(StampFault::OtherRequest);
        }
        let untrusted = |error: openssl::error::ErrorStack| StampFault::Untrusted(said(&error));
        let mut cms = CmsContentInfo::from_der(self.content_info).map_err(untrusted)?;
        let store = authorities.store(stated.at).map_err(untrusted)?;
        let mut proven = Vec::new();
        // Besides the token's own certificates those of the file may be the signer's.
        let mut others = Stack::new().map_err(untrusted)?;
        for certificate in &authorities.0 {
            others.push(certificate.clone()).map_err(untrusted)?;
        }
        cms.verify(
            Some(&others),
            Some(&store),
            None,
            Some(&mut proven),
            CMSOptions::empty(),
        )
        .map_err(untrusted)?;
        // Two readers of one file could see two statements.
        if Stated::parse(&proven)? != *stated {
            return Err(StampFault::Shape("what is signed is not what it shows"));
        }
        Ok(Stamp {
            at: stated.at,
            authority: self
                .authority(authorities)
                .unwrap_or_else(|| "an unnamed certificate".to_owned()),
            serial: stated
                .serial
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            policy: stated.policy.clone(),
        })
    }
}

/// `CN=…, O=…`
fn name(name: &X509NameRef) -> String {
    let parts = name.entries().map(|entry| {
        let key = entry.object().nid().short_name().unwrap_or("?");
        let value = entry.data().to_string();
        format!("{key}={}", value.unwrap_or_else(|_| "?".to_owned()))
    });
    let parts: Vec<_> = parts.collect();
    parts.join(", ")
}

fn said(error: &openssl::error::ErrorStack) -> String {
    let reasons = error.errors().iter().map(|error| {
        let reason = error.reason().unwrap_or("unknown reason");
        match error.data() {
            Some(data) => format!("{reason} ({data})"),
            None => reason.to_owned(),
        }
    });
    let reasons: Vec<_> = reasons.collect();
    crate::text::escape(&reasons.join(", ")).into_owned()
}

impl Stated {
    fn parse(statement: &[u8]) -> Result<Self, StampFault> {
        let mut whole = Der(statement);
        let mut inside = whole.take(tag::SEQUENCE)?;
        whole.end()?;
        if inside.number()? != 1 {
            return Err(StampFault::Shape(
                "it is of a version that nobody has written",
            ));
        }
        let policy = oid(inside.take(tag::OID)?.0);
        let mut imprint = inside.take(tag::SEQUENCE)?;
        let algorithm = oid(imprint.take(tag::SEQUENCE)?.take(tag::OID)?.0);
        let digest = imprint.take(tag::OCTETS)?.0.to_vec();
        imprint.end()?;
        let serial = inside.take(tag::INTEGER)?.0.to_vec();
        let at = instant(inside.take(tag::TIME)?.0)?;
        // Accuracy and ordering change nothing here; the authority's name is its certificate's.
        inside.maybe(tag::SEQUENCE)?;
        inside.maybe(tag::BOOLEAN)?;
        let nonce = inside.maybe(tag::INTEGER)?.map(|nonce| nonce.0.to_vec());
        Ok(Self {
            policy,
            algorithm,
            digest,
            serial,
            at,
            nonce,
        })
    }
}

/// `20261121093000Z`, with a fraction perhaps (RFC 3161 2.4.2): always UTC.
fn instant(time: &[u8]) -> Result<Timestamp, StampFault> {
    let wrong = StampFault::Shape("its time is none");
    let text = std::str::from_utf8(time).unwrap_or_default();
    let Some(text) = text.strip_suffix('Z') else {
        return Err(wrong);
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || !plain(whole) || !plain(fraction) {
        return Err(wrong);
    }
    let read = DateTime::strptime("%Y%m%d%H%M%S", whole);
    let read = read.and_then(|read| read.to_zoned(TimeZone::UTC));
    read.map(|read| read.timestamp()).map_err(|_| wrong)
}
