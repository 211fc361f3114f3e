//! SSHSIG (OpenSSH's PROTOCOL.sshsig): detached, armoured signatures over bytes, in a namespace.
//! Made here they are byte for byte those of `ssh-keygen -Y sign`. Who may sign is not asked here.

use ssh_key::certificate::Certificate;
use ssh_key::encoding::{Decode as _, Encode as _};
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, LineEnding, SshSig};

use super::key::SigningKey;
use super::raw::{fingerprint, fits, is_certified, is_signed, is_verified, plain};
use super::signer::SignFault;
use crate::text::escape;

/// The namespace of run reports (contract 6).
pub const NAMESPACE: &str = "gonogo-report@gonogo";

/// More than any signature of a supported key needs, its certificate included.
const MOST_BYTES: usize = 32 * 1024;

/// Signs `message` in `namespace`: the armoured text, as `ssh-keygen -Y sign` writes it.
///
/// # Errors
/// When the signer refuses, fails or is late, the namespace is empty, or the fresh signature does not
/// verify or is another key's.
pub fn sign(key: &SigningKey, namespace: &str, message: &[u8]) -> Result<String, SignFault> {
    let signature = key.sign_message(namespace, message)?;
    let armour = armour(&signature).map_err(SignFault::Library)?;
    let read = Signature::parse(armour.as_bytes()).map_err(SignFault::SelfCheck)?;
    read.check(namespace, message)
        .map_err(SignFault::SelfCheck)?;
    if read.key() != key.public().key_data() {
        return Err(SignFault::OtherKey {
            expected: key.fingerprint(),
            found: read.fingerprint(),
        });
    }
    Ok(armour)
}

/// A signature as read; nothing is proven before [`Signature::check`].
#[derive(Clone, Debug)]
pub struct Signature(SshSig);

impl Signature {
    /// Reads an armoured signature. Only the one spelling that `ssh-keygen` writes is taken (lines
    /// may end in CR LF), so that a changed byte is a refused byte.
    ///
    /// # Errors
    /// [`SignatureFault::NotASignature`], `Certificate` or `UnsupportedKey`.
    pub fn parse(armoured: &[u8]) -> Result<Self, SignatureFault> {
        let not = SignatureFault::NotASignature;
        if armoured.len() > MOST_BYTES {
            return Err(not("too long".to_owned()));
        }
        let text = std::str::from_utf8(armoured).map_err(|_| not("not a text".to_owned()))?;
        let text = text.replace("\r\n", "\n");
        let signature = Self::known(SshSig::from_pem(&text))?;
        if armour(&signature.0).ok() != Some(text) {
            return Err(not("not as ssh-keygen writes it".to_owned()));
        }
        Ok(signature)
    }

    /// Reads what the armour holds; only its one spelling.
    ///
    /// # Errors
    /// As [`Signature::parse`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureFault> {
        let not = SignatureFault::NotASignature;
        if bytes.len() > MOST_BYTES {
            return Err(not("too long".to_owned()));
        }
        let signature = Self::known(SshSig::decode(&mut { bytes }))?;
        match signature.to_bytes() == bytes {
            true => Ok(signature),
            false => Err(not("not as ssh-keygen writes it".to_owned())),
        }
    }

    /// What the armour holds.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.0.encode(&mut bytes) {
            Ok(()) => bytes,
            // What was read can be written; nothing is no signature.
            Err(_) => Vec::new(),
        }
    }

    fn known(read: Result<SshSig, ssh_key::Error>) -> Result<Self, SignatureFault> {
        let not = SignatureFault::NotASignature;
        let signature = match read {
            Ok(signature) => signature,
            Err(ssh_key::Error::AlgorithmUnsupported { algorithm }) => {
                return Err(SignatureFault::UnsupportedKey(algorithm.to_string()));
            }
            Err(cause) => return Err(not(cause.to_string())),
        };
        // The version is not covered by the signature, and ssh-keygen takes 0 for 1.
        if signature.version() != SshSig::VERSION {
            return Err(not(format!("version {}", signature.version())));
        }
        if !signature.reserved().is_empty() {
            return Err(not("not as ssh-keygen writes it".to_owned()));
        }
        let key = signature.public_key();
        if !is_verified(key) {
            return Err(SignatureFault::UnsupportedKey(key.algorithm().to_string()));
        }
        if !fits(key, &signature.algorithm()) {
            let algorithm = signature.algorithm().to_string();
            return Err(SignatureFault::UnsupportedKey(algorithm));
        }
        match key.certificate() {
            Some(certificate) if !is_certified(certificate) => Err(SignatureFault::Certificate),
            _ => Ok(Self(signature)),
        }
    }

    /// The namespace it claims.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.0.namespace()
    }

    /// The key it claims, of a certificate the key in it.
    #[must_use]
    pub fn key(&self) -> &KeyData {
        plain(self.0.public_key())
    }

    /// The certificate it was made with.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        self.0.public_key().certificate()
    }

    /// The key or the certificate.
    pub(super) fn claimed(&self) -> &KeyData {
        self.0.public_key()
    }

    /// `SHA256:…` of that key.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(self.key())
    }

    /// Proves that the holder of [`Signature::key`] signed exactly `message` in `namespace`.
    ///
    /// # Errors
    /// [`SignatureFault::WrongNamespace`] or [`SignatureFault::Mismatch`].
    pub fn check(&self, namespace: &str, message: &[u8]) -> Result<(), SignatureFault> {
        if self.namespace() != namespace {
            return Err(SignatureFault::WrongNamespace {
                expected: namespace.to_owned(),
                found: self.namespace().to_owned(),
            });
        }
        let signed = SshSig::signed_data(namespace, self.0.hash_alg(), message);
        let signed = signed.map_err(|_| SignatureFault::Mismatch)?;
        match is_signed(self.key(), &signed, self.0.signature()) {
            true => Ok(()),
            false => Err(SignatureFault::Mismatch),
        }
    }
}

/// What a key signs instead of `message`.
pub(super) fn to_be_signed(namespace: &str, message: &[u8]) -> Result<Vec<u8>, ssh_key::Error> {
    SshSig::signed_data(namespace, HashAlg::Sha512, message)
}

fn armour(signature: &SshSig) -> Result<String, ssh_key::Error> {
    let mut text = signature.to_pem(LineEnding::LF)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// Why a signature proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// Not an SSHSIG armour, or a damaged one.
    #[error("not an SSH signature: {}", escape(.0))]
    NotASignature(String),
    /// Made with a certificate that no authority made.
    #[error("the signature was made with a certificate that the authority in it did not sign")]
    Certificate,
    /// Made with a key type, or an algorithm of it, that is not verified here.
    #[error("the signature is of type {}, which gonogo does not verify", escape(.0))]
    UnsupportedKey(String),
    /// Made for another purpose.
    #[error("the signature is for namespace `{}`, not `{expected}`", escape(found))]
    WrongNamespace {
        /// What it had to be.
        expected: String,
        /// What it claims.
        found: String,
    },
    /// The bytes were changed, or another key signed them.
    #[error("the signature does not match the signed bytes")]
    Mismatch,
    /// No line names this identity.
    #[error("no line of allowed_signers is for `{}`", escape(identity))]
    NoSuchIdentity {
        /// Whom the verifier asked for.
        identity: String,
    },
    /// Lines name this identity, none with this key.
    #[error("key {fingerprint} is not allowed to sign as `{}`", escape(identity))]
    KeyNotAllowed {
        /// Whom the verifier asked for.
        identity: String,
        /// The key that signed.
        fingerprint: String,
    },
    /// No identity was asked for, and no line holds this key.
    #[error("key {fingerprint} stands in no line of allowed_signers")]
    NoIdentity {
        /// The key that signed.
        fingerprint: String,
    },
    /// The key, the certificate or its authority is on the revocation list.
    #[error("revoked: {what} {fingerprint} is on the revocation list")]
    Revoked {
        /// What of it.
        what: &'static str,
        /// The key that signed; of an authority, its own.
        fingerprint: String,
    },
    /// Lines with this authority's key are for others, or there are none.
    #[error("no line of allowed_signers lets authority {authority} certify {}", match identity {
        Some(identity) => format!("`{}`", escape(identity)),
        None => "a signer".to_owned(),
    })]
    AuthorityNotAllowed {
        /// Whom the verifier asked for.
        identity: Option<String>,
        /// The authority that certified the key.
        authority: String,
    },
    /// The line's authority made the certificate, and it is worth nothing here or then.
    #[error("allowed_signers line {line}: the certificate does not count: {why}")]
    CertificateRefused {
        /// From 1.
        line: usize,
        /// A phrase on `it`.
        why: String,
    },
    /// The key's line is for other namespaces.
    #[error("allowed_signers line {line} does not allow namespace `{namespace}`")]
    NamespaceNotAllowed {
        /// From 1.
        line: usize,
        /// The namespace verified for.
        namespace: String,
    },
    /// The key's line is not valid at that time.
    #[error("allowed_signers line {line}: the key is not valid at {at} (allowed {window})")]
    OutsideWindow {
        /// From 1.
        line: usize,
        /// RFC 3339.
        at: String,
        /// `from … until …`.
        window: String,
    },
}

impl SignatureFault {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NotASignature(_) => {
                "the file must be what `ssh-keygen -Y sign` or `gonogo run` wrote, unchanged"
            }
            Self::Certificate => "the certificate was changed: get the run again from its source",
            Self::UnsupportedKey(_) => {
                "verify it with `ssh-keygen -Y verify`, or sign with an ed25519, ECDSA or RSA (rsa-sha2) key"
            }
            Self::WrongNamespace { .. } => {
                "this signature was made for another purpose; ask for the right one"
            }
            Self::Mismatch => {
                "the files were changed after signing: get them again from the source"
            }
            Self::NoSuchIdentity { .. } => {
                "check --identity, or ask the keeper of allowed_signers to add the signer"
            }
            Self::KeyNotAllowed { .. } | Self::NoIdentity { .. } => {
                "confirm the fingerprint with the signer before adding the key to allowed_signers"
            }
            Self::Revoked { .. } => {
                "do not trust the run: ask the keeper of the revocation list why; a key that was only replaced belongs in allowed_signers with `valid-before`, not on that list"
            }
            Self::AuthorityNotAllowed { .. } => {
                "confirm the authority's fingerprint with its keeper before adding a `cert-authority` line to allowed_signers"
            }
            Self::CertificateRefused { .. } => {
                "a certificate counts while it is valid and for the principals it lists: --signed-at names the time of the signature, known from elsewhere than the run"
            }
            Self::NamespaceNotAllowed { .. } => {
                "the keeper of allowed_signers did not allow this key for this purpose"
            }
            Self::OutsideWindow { .. } => {
                "the key was not valid when the report was made; a rotated key needs its old line kept"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::lab::Lab;

    const MESSAGE: &[u8] = b"abc  report.json\n";

    #[test]
    fn is_byte_for_byte_what_ssh_keygen_writes() {
        let lab = Lab::new();
        let key = lab.key("key", "me@x");
        for (n, size) in [0, 1, 17, 100_000].into_iter().enumerate() {
            let name = format!("message{n}");
            let message = vec![b'm'; size];
            lab.write(&name, &message);
            lab.ssh_keygen(&["-Y", "sign", "-f", "key", "-n", NAMESPACE, &name]);
            let ours = sign(&key, NAMESPACE, &message).unwrap();
            assert_eq!(ours, lab.read(&format!("{name}.sig")), "{size}");
        }
    }

    #[test]
    fn a_signature_holds_for_its_bytes_and_namespace_only() {
        let lab = Lab::new();
        let key = lab.key("key", "me@x");
        let armour = sign(&key, NAMESPACE, MESSAGE).unwrap();
        let signature = Signature::parse(armour.as_bytes()).unwrap();
        assert_eq!(signature.fingerprint(), key.fingerprint());
        assert_eq!(signature.check(NAMESPACE, MESSAGE), Ok(()));
        assert_eq!(
            signature.check(NAMESPACE, b"abc  report.jsom\n"),
            Err(SignatureFault::Mismatch)
        );
        assert!(matches!(
            signature.check("git", MESSAGE),
            Err(SignatureFault::WrongNamespace { .. })
        ));
        assert!(sign(&key, "", MESSAGE).is_err());
    }

    #[test]
    fn every_changed_byte_is_refused() {
        let lab = Lab::new();
        let armour = sign(&lab.key("key", "me@x"), NAMESPACE, MESSAGE).unwrap();
        let verdict = |bytes: &[u8]| Signature::parse(bytes)?.check(NAMESPACE, MESSAGE);
        assert_eq!(verdict(armour.as_bytes()), Ok(()));
        let crlf = armour.replace('\n', "\r\n");
        assert_eq!(verdict(crlf.as_bytes()), Ok(()));
        for at in 0..armour.len() {
            for change in [1, 0x20, 0x80] {
                let mut bytes = armour.clone().into_bytes();
                bytes[at] ^= change;
                assert!(verdict(&bytes).is_err(), "byte {at} ^ {change}");
            }
            let mut bytes = armour.clone().into_bytes();
            bytes.remove(at);
            assert!(verdict(&bytes).is_err(), "byte {at} removed");
        }
    }

    #[test]
    fn a_version_that_ssh_keygen_lets_pass_is_refused() {
        let lab = Lab::new();
        let key = lab.key("key", "me@x");
        let armour = sign(&key, NAMESPACE, MESSAGE).unwrap();
        // The version follows the magic: `AQ` is 1, and nothing signs it.
        let at = "-----BEGIN SSH SIGNATURE-----\n".len() + 12;
        assert_eq!(&armour[at..at + 2], "AQ");
        let zero = format!("{}AA{}", &armour[..at], &armour[at + 2..]);
        lab.write("zero.sig", &zero);
        lab.write("allowed", key.allowed_signers_line(NAMESPACE));
        let arguments = [
            "-Y", "verify", "-f", "allowed", "-I", "me@x", "-n", NAMESPACE,
        ];
        let arguments = [&arguments[..], &["-s", "zero.sig"]].concat();
        let theirs = lab.run("ssh-keygen", &arguments, MESSAGE);
        assert!(theirs.status.success(), "{theirs:?}");
        let ours = Signature::parse(zero.as_bytes()).unwrap_err();
        assert_eq!(ours.to_string(), "not an SSH signature: version 0");
    }

    #[test]
    fn reads_every_key_type_either_hash_and_certificates() {
        let lab = Lab::new();
        lab.keygen("p256", &["-t", "ecdsa", "-b", "256"], "");
        lab.keygen("p384", &["-t", "ecdsa", "-b", "384"], "");
        lab.keygen("p521", &["-t", "ecdsa", "-b", "521"], "");
        lab.keygen("rsa", &["-t", "rsa", "-b", "2048"], "");
        lab.keygen("ed", &["-t", "ed25519"], "");
        lab.keygen("other", &["-t", "ed25519"], "");
        let signed = |key: &str, options: &[&str]| {
            lab.write("m", MESSAGE);
            let _ = std::fs::remove_file(lab.path("m.sig"));
            let base = ["-Y", "sign", "-f", key, "-n", NAMESPACE];
            lab.ssh_keygen(&[&base, options, &["m"]].concat());
            Signature::parse(lab.read("m.sig").as_bytes())
        };
        for key in ["p256", "p384", "p521", "ed", "rsa"] {
            for hash in ["hashalg=sha256", "hashalg=sha512"] {
                let signature = signed(key, &["-O", hash]).unwrap();
                assert_eq!(signature.check(NAMESPACE, MESSAGE), Ok(()), "{key} {hash}");
                let other = signature.check(NAMESPACE, b"other");
                assert_eq!(other, Err(SignatureFault::Mismatch), "{key} {hash}");
            }
        }
        for (authority, name) in [("p256", "p256"), ("rsa", "rsa"), ("ed", "ed")] {
            lab.ssh_keygen(&["-s", authority, "-I", "id", "-n", "me", "other.pub"]);
            let signature = signed("other-cert.pub", &[]).unwrap();
            assert_eq!(signature.check(NAMESPACE, MESSAGE), Ok(()), "{name}");
            let certificate = signature.certificate().unwrap();
            assert_eq!(certificate.key_id(), "id");
        }
    }

    #[test]
    fn a_certificate_that_its_authority_did_not_sign_is_refused() {
        let lab = Lab::new();
        let key = lab.key("key", "me@x");
        lab.keygen("ca", &["-t", "ed25519"], "");
        lab.ssh_keygen(&["-s", "ca", "-I", "id", "-n", "me@x", "key.pub"]);
        let certified = SigningKey::load(&lab.path("key"), None).unwrap();
        assert!(certified.certificate().is_some());
        let good = sign(&certified, NAMESPACE, MESSAGE).unwrap();
        let good = Signature::parse(good.as_bytes()).unwrap();
        assert_eq!(good.key(), key.public().key_data());
        let bytes = good.to_bytes();
        let name = bytes.windows(4).position(|at| at == b"me@x").unwrap();
        let mut forged = bytes.clone();
        forged[name] = b'w';
        assert!(Signature::from_bytes(&bytes).is_ok());
        let refused = Signature::from_bytes(&forged).unwrap_err();
        assert_eq!(refused, SignatureFault::Certificate);
    }
}
