//! An authority of its own and a certificate for 127.0.0.1, made on the spot and good for nothing else. The
//! authority's key is thrown away at once.

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
};
use openssl::x509::{X509, X509Builder, X509Name};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::super::EstateFault;

/// A day.
const DAY: i64 = 86_400;

/// What was made.
pub(super) struct Issued {
    /// The authority's certificate, in PEM.
    pub authority: String,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// Makes both; the certificate ends in so many days, the authority ten days later.
pub(super) fn issue(days: u32) -> Result<Issued, EstateFault> {
    let authority_key = key()?;
    let name = name("practice authority")?;
    let mut builder = begun(&name, days + 10)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(&authority_key)?;
    builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    builder.append_extension(KeyUsage::new().critical().key_cert_sign().build()?)?;
    builder.sign(&authority_key, MessageDigest::sha256())?;
    let authority = builder.build();

    let own_key = key()?;
    let mut builder = begun(&self::name("practice vendor")?, days)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(&own_key)?;
    builder.append_extension(BasicConstraints::new().critical().build()?)?;
    builder.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
    let mut alternative = SubjectAlternativeName::new();
    let extension = alternative
        .ip("127.0.0.1")
        .build(&builder.x509v3_context(Some(&authority), None))?;
    builder.append_extension(extension)?;
    builder.sign(&authority_key, MessageDigest::sha256())?;
    let certificate: X509 = builder.build();
    Ok(Issued {
        authority: String::from_utf8_lossy(&authority.to_pem()?).into_owned(),
        certificate: certificate.to_der()?,
        key: own_key.private_key_to_pkcs8()?,
    })
}

impl Issued {
    /// A TLS server that shows it.
    pub(super) fn server(&self) -> Result<ServerConfig, EstateFault> {
        let provider = rustls::crypto::ring::default_provider();
        let chain = vec![CertificateDer::from(self.certificate.clone())];
        let key = PrivateKeyDer::Pkcs8(self.key.clone().into());
        let config = ServerConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(config)
    }
}

fn key() -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

fn name(common: &str) -> Result<X509Name, ErrorStack> {
    let mut name = X509Name::builder()?;
    name.append_entry_by_nid(Nid::COMMONNAME, common)?;
    Ok(name.build())
}

fn begun(subject: &X509Name, days: u32) -> Result<X509Builder, ErrorStack> {
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let mut serial = BigNum::new()?;
    serial.rand(120, MsbOption::MAYBE_ZERO, false)?;
    let serial = serial.to_asn1_integer()?;
    builder.set_serial_number(&serial)?;
    builder.set_subject_name(subject)?;
    let yesterday = crate::time::now().as_second() - DAY;
    let (from, until) = (
        Asn1Time::from_unix(yesterday)?,
        Asn1Time::days_from_now(days)?,
    );
    builder.set_not_before(&from)?;
    builder.set_not_after(&until)?;
    Ok(builder)
}
