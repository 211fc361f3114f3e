//! Signatures of single keys over bytes, below SSHSIG and DSSE: which key types are verified, with what.
//! RSA by `ring`, since the `rsa` crate has an open advisory (RUSTSEC-2023-0071); the rest by `ssh-key`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use signature::Verifier as _;
use ssh_key::certificate::Certificate;
use ssh_key::encoding::{Decode as _, Encode as _};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, Signature};

use super::fields::{Fields, put_string};

/// A key, certificates of which stand for the key in them.
pub(super) fn plain(key: &KeyData) -> &KeyData {
    match key {
        KeyData::Certificate(certificate) => certificate.public_key(),
        key => key,
    }
}

/// `SHA256:…` of a public key, of a certificate that of the key in it: as `ssh-keygen -l` prints it.
#[must_use]
pub fn fingerprint(key: &KeyData) -> String {
    plain(key).fingerprint(HashAlg::Sha256).to_string()
}

/// The key in SSH's binary form. Empty, and so equal to none, when it cannot be written.
pub(super) fn blob(key: &KeyData) -> Vec<u8> {
    let mut bytes = Vec::new();
    match key.encode(&mut bytes) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}

/// Reads the binary form of a key or a certificate, all of it.
pub(super) fn read_key(mut blob: &[u8]) -> Option<KeyData> {
    let key = KeyData::decode(&mut blob).ok()?;
    blob.is_empty().then_some(key)
}

/// Reads `TYPE BASE64 [comment]` of a public key or a certificate, as ssh-keygen writes them.
pub(super) fn read_line(line: &str) -> Option<(KeyData, &str)> {
    let line = line.trim();
    let (kind, rest) = line.split_once([' ', '\t'])?;
    let rest = rest.trim_start();
    let (base64, comment) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    let bytes = BASE64.decode(base64).ok()?;
    let told = Fields(&bytes).string()?;
    let key = read_key(&bytes)?;
    (told == kind.as_bytes()).then_some((key, comment.trim_start()))
}

/// True for the key types whose signatures are verified here.
pub(super) fn is_verified(key: &KeyData) -> bool {
    matches!(
        plain(key),
        KeyData::Ed25519(_) | KeyData::SkEd25519(_) | KeyData::Ecdsa(_) | KeyData::Rsa(_)
    )
}

/// True when `algorithm` is one that `key` may sign with: not SHA-1.
pub(super) fn fits(key: &KeyData, algorithm: &Algorithm) -> bool {
    match plain(key) {
        KeyData::Rsa(_) => matches!(algorithm, Algorithm::Rsa { hash: Some(_) }),
        key => key.algorithm() == *algorithm,
    }
}

/// True when the holder of `key` (a certificate's key) signed exactly `message`.
pub(super) fn is_signed(key: &KeyData, message: &[u8], signature: &Signature) -> bool {
    let key = plain(key);
    if !is_verified(key) || !fits(key, &signature.algorithm()) {
        return false;
    }
    match key {
        KeyData::Rsa(key) => is_signed_rsa(key, message, signature),
        key => key.verify(message, signature).is_ok(),
    }
}

fn is_signed_rsa(
    key: &ssh_key::public::RsaPublicKey,
    message: &[u8],
    signature: &Signature,
) -> bool {
    use ring::signature as rsa;
    let (Some(n), Some(e)) = (key.n().as_positive_bytes(), key.e().as_positive_bytes()) else {
        return false;
    };
    let with: &rsa::RsaParameters = match signature.algorithm() {
        Algorithm::Rsa {
            hash: Some(HashAlg::Sha512),
        } => &rsa::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Rsa {
            hash: Some(HashAlg::Sha256),
        } => &rsa::RSA_PKCS1_2048_8192_SHA256,
        _ => return false,
    };
    // Leading zeros may be left out (ssh-rsa.c, openssh_RSA_verify).
    let raw = signature.as_bytes();
    let Some(missing) = n.len().checked_sub(raw.len()) else {
        return false;
    };
    let raw = [vec![0; missing].as_slice(), raw].concat();
    let key = rsa::RsaPublicKeyComponents { n, e };
    key.verify(with, message, &raw).is_ok()
}

/// True when the authority that a certificate names really made it.
pub(super) fn is_certified(certificate: &Certificate) -> bool {
    // The signature is the last field and covers all before it (PROTOCOL.certkeys).
    let (Ok(whole), Ok(length)) = (
        certificate.to_bytes(),
        certificate.signature().encoded_len(),
    ) else {
        return false;
    };
    let signed = whole.len().checked_sub(length + 4);
    signed.is_some_and(|end| {
        let authority = certificate.signature_key();
        !authority.is_certificate() && is_signed(authority, &whole[..end], certificate.signature())
    })
}

/// The signature as DSSE libraries and openssl take it: ed25519's 64 bytes, ECDSA in DER. `None` for what
/// has no such form here.
pub(super) fn to_bare(signature: &Signature) -> Option<Vec<u8>> {
    match signature.algorithm() {
        Algorithm::Ed25519 => Some(signature.as_bytes().to_vec()),
        Algorithm::Ecdsa { .. } => {
            // An `mpint` holds the very bytes of a DER integer.
            let mut fields = Fields(signature.as_bytes());
            let (r, s) = (fields.string()?, fields.string()?);
            let integer = |n: &[u8]| Some([&[2, u8::try_from(n.len()).ok()?], n].concat());
            let body = [integer(r)?, integer(s)?].concat();
            let length = u8::try_from(body.len()).ok()?;
            let head = match length {
                0..=127 => vec![0x30, length],
                _ => vec![0x30, 0x81, length],
            };
            Some([head, body].concat())
        }
        _ => None,
    }
}

/// The signature by `key` that [`to_bare`] wrote; only its one spelling.
pub(super) fn from_bare(key: &KeyData, bare: &[u8]) -> Option<Signature> {
    let signature = match plain(key) {
        KeyData::Ed25519(_) => Signature::new(Algorithm::Ed25519, bare).ok()?,
        KeyData::Ecdsa(key) => {
            let mut fields = Fields(bare);
            let (0x30, mut length) = (fields.byte()?, fields.byte()?) else {
                return None;
            };
            if length == 0x81 {
                length = fields.byte()?;
            }
            let mut body = Fields(fields.bytes(usize::from(length))?);
            let mut raw = Vec::new();
            for _ in 0..2 {
                let (2, length) = (body.byte()?, body.byte()?) else {
                    return None;
                };
                put_string(&mut raw, body.bytes(usize::from(length))?);
            }
            Signature::new(key.algorithm(), raw).ok()?
        }
        _ => return None,
    };
    (to_bare(&signature)? == bare).then_some(signature)
}
