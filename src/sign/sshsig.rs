//! SSHSIG (OpenSSH's PROTOCOL.sshsig): detached, armoured signatures over bytes, in a namespace.
//! Made here they are byte for byte those of `ssh-keygen -Y sign`. Who may sign is not asked here.

use ssh_key::public::KeyData;
use ssh_key::{EcdsaCurve, HashAlg, LineEnding, PublicKey, SshSig};

use super::key::{SigningKey, fingerprint};
use crate::text::escape;

/// The namespace of run reports (contract 6).
pub const NAMESPACE: &str = "gonogo-report@gonogo";

/// More than any signature of a supported key needs.
const MOST_BYTES: usize = 16 * 1024;

/// Signs `message` in `namespace`: the armoured text, as `ssh-keygen -Y sign` writes it.
///
/// # Errors
/// When the namespace is empty, or the fresh signature does not verify (a broken machine).
pub fn sign(key: &SigningKey, namespace: &str, message: &[u8]) -> Result<String, SignFault> {
    let signature = SshSig::sign(key.private(), namespace, HashAlg::Sha512, message)?;
    let armour = armour(&signature)?;
    let read = Signature::parse(armour.as_bytes()).map_err(SignFault::SelfCheck)?;
    read.check(namespace, message)
        .map_err(SignFault::SelfCheck)?;
    Ok(armour)
}

/// Why a signature could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SignFault {
    /// The library refused.
    #[error("cannot sign: {0}")]
    Library(#[from] ssh_key::Error),
    /// What was just made does not verify.
    #[error("cannot sign: the fresh signature does not verify ({0})")]
    SelfCheck(SignatureFault),
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
        let signature = match SshSig::from_pem(&text) {
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
        if !signature.reserved().is_empty() || armour(&signature).ok() != Some(text) {
            return Err(not("not as ssh-keygen writes it".to_owned()));
        }
        let key = signature.public_key();
        let same = key.algorithm() == signature.algorithm();
        match key {
            KeyData::Certificate(_) => Err(SignatureFault::Certificate),
            KeyData::Ed25519(_) | KeyData::SkEd25519(_) if same => Ok(Self(signature)),
            KeyData::Ecdsa(key) if same && key.curve() != EcdsaCurve::NistP521 => {
                Ok(Self(signature))
            }
            key => Err(SignatureFault::UnsupportedKey(key.algorithm().to_string())),
        }
    }

    /// The namespace it claims.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.0.namespace()
    }

    /// The key it claims.
    #[must_use]
    pub fn key(&self) -> &KeyData {
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
        PublicKey::from(self.key().clone())
            .verify(namespace, message, &self.0)
            .map_err(|_| SignatureFault::Mismatch)
    }
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
    /// Made with an OpenSSH certificate.
    #[error("the signature was made with a certificate, which gonogo does not verify yet")]
    Certificate,
    /// Made with a key type that is not verified here.
    #[error("the signature is of key type {}, which gonogo does not verify", escape(.0))]
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
            Self::Certificate => "verify it with `ssh-keygen -Y verify`, or sign with a plain key",
            Self::UnsupportedKey(_) => {
                "verify it with `ssh-keygen -Y verify`, or sign with an ed25519 or ECDSA key"
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
    fn reads_sha256_and_ecdsa_and_says_what_it_cannot() {
        let lab = Lab::new();
        lab.keygen("p256", &["-t", "ecdsa", "-b", "256"], "");
        lab.keygen("p384", &["-t", "ecdsa", "-b", "384"], "");
        lab.keygen("p521", &["-t", "ecdsa", "-b", "521"], "");
        lab.keygen("rsa", &["-t", "rsa", "-b", "2048"], "");
        lab.keygen("ed", &["-t", "ed25519"], "");
        let signed = |key: &str, options: &[&str]| {
            lab.write("m", MESSAGE);
            let _ = std::fs::remove_file(lab.path("m.sig"));
            let base = ["-Y", "sign", "-f", key, "-n", NAMESPACE];
            lab.ssh_keygen(&[&base, options, &["m"]].concat());
            Signature::parse(lab.read("m.sig").as_bytes())
        };
        for key in ["p256", "p384", "ed"] {
            for hash in ["hashalg=sha256", "hashalg=sha512"] {
                let signature = signed(key, &["-O", hash]).unwrap();
                assert_eq!(signature.check(NAMESPACE, MESSAGE), Ok(()), "{key} {hash}");
            }
        }
        for (key, word) in [("rsa", "rsa"), ("p521", "nistp521")] {
            let fault = signed(key, &[]).unwrap_err();
            assert!(
                matches!(&fault, SignatureFault::UnsupportedKey(kind) if kind.contains(word)),
                "{key}: {fault}"
            );
        }
        lab.ssh_keygen(&["-s", "p256", "-I", "id", "-n", "me", "ed.pub"]);
        assert_eq!(
            signed("ed-cert.pub", &[]).unwrap_err(),
            SignatureFault::Certificate
        );
    }
}
