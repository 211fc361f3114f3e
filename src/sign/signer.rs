//! How a signature comes about: by a private key from a file, by an agent, or by a command. Whatever came
//! is checked by [`super::sshsig::sign`] before anybody sees it.

use signature::Signer as _;
use ssh_key::{HashAlg, PrivateKey, Signature, SshSig};

use super::agent::{Agent, AgentFault};
use super::command::{CommandFault, SignCommand};
use super::key::SigningKey;
use super::raw::plain;
use super::sshsig::{self, SignatureFault, to_be_signed};
use crate::text::escape;

/// The namespace of trial signatures: worth nothing anywhere.
pub const TRIAL_NAMESPACE: &str = "gonogo-trial@gonogo";

/// Who has the private half.
#[derive(Clone)]
pub(super) enum By {
    File(Box<PrivateKey>),
    /// The key as the agent lists it: itself, or a certificate of it.
    Agent(Agent, ssh_key::public::KeyData),
    Command(SignCommand),
}

impl SigningKey {
    /// Proves that the signer signs, before an hour of work depends on it: a signature over a fixed text in
    /// [`TRIAL_NAMESPACE`], checked and thrown away.
    ///
    /// # Errors
    /// As [`sshsig::sign`].
    pub fn prove(&self) -> Result<(), SignFault> {
        sshsig::sign(
            self,
            TRIAL_NAMESPACE,
            b"gonogo asks whether this signer signs\n",
        )
        .map(drop)
    }

    /// A signature over `message` itself, as DSSE has it. `None` where only SSHSIG can be had.
    pub(super) fn sign_bare(&self, message: &[u8]) -> Result<Option<Signature>, SignFault> {
        match self.by() {
            By::File(key) => Ok(Some(
                key.as_ref().try_sign(message).map_err(SignFault::Key)?,
            )),
            // Some agents sign nothing but logins and SSHSIG; and of a token or RSA it is no DSSE signature.
            By::Agent(agent, held) => Ok(agent.sign(held, message).ok()),
            By::Command(_) => Ok(None),
        }
    }

    /// An SSHSIG over `message`, not checked yet.
    pub(super) fn sign_message(
        &self,
        namespace: &str,
        message: &[u8],
    ) -> Result<SshSig, SignFault> {
        let signature = match self.by() {
            By::Command(command) => {
                let output = command.sign(namespace, message)?;
                let given = SshSig::from_pem(&output)
                    .map_err(|cause| SignFault::NotASignature(cause.to_string()))?;
                if given.namespace() != namespace {
                    return Err(SignFault::OtherNamespace {
                        expected: namespace.to_owned(),
                        found: given.namespace().to_owned(),
                    });
                }
                // The certificate is not covered by the signature: whichever of the two the command put
                // there, the run gets the one that was asked for.
                if plain(given.public_key()) != self.public().key_data() {
                    return Err(SignFault::OtherKey {
                        expected: self.fingerprint(),
                        found: super::raw::fingerprint(given.public_key()),
                    });
                }
                return self.claim(namespace, given.hash_alg(), given.signature().clone());
            }
            By::File(key) => {
                let bytes = to_be_signed(namespace, message).map_err(SignFault::Library)?;
                key.as_ref().try_sign(&bytes).map_err(SignFault::Key)?
            }
            By::Agent(agent, held) => {
                let bytes = to_be_signed(namespace, message).map_err(SignFault::Library)?;
                agent.sign(held, &bytes)?
            }
        };
        self.claim(namespace, HashAlg::Sha512, signature)
    }

    fn claim(
        &self,
        namespace: &str,
        hash: HashAlg,
        signature: Signature,
    ) -> Result<SshSig, SignFault> {
        SshSig::new(self.claimed(), namespace, hash, signature).map_err(SignFault::Library)
    }
}

/// Why a signature could not be made: a fault of ours, exit 3.
#[derive(Debug, thiserror::Error)]
pub enum SignFault {
    /// The library refused.
    #[error("cannot sign: {0}")]
    Library(ssh_key::Error),
    /// The key refused.
    #[error("cannot sign: {0}")]
    Key(signature::Error),
    /// The agent did not sign.
    #[error("cannot sign: {0}")]
    Agent(#[from] AgentFault),
    /// The command did not sign.
    #[error("cannot sign: {0}")]
    Command(#[from] CommandFault),
    /// The command printed something else.
    #[error("cannot sign: the sign command printed no armoured SSH signature ({})", escape(.0))]
    NotASignature(String),
    /// The command signed for another purpose.
    #[error(
        "cannot sign: the sign command signed for namespace `{}`, not `{expected}`",
        escape(found)
    )]
    OtherNamespace {
        /// What was asked for.
        expected: String,
        /// What it claims.
        found: String,
    },
    /// Another key signed.
    #[error("cannot sign: key {found} signed, not {expected}")]
    OtherKey {
        /// The key that had to sign.
        expected: String,
        /// The key that did.
        found: String,
    },
    /// What was just made does not verify.
    #[error("cannot sign: the fresh signature does not verify ({0})")]
    SelfCheck(SignatureFault),
}

impl SignFault {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Library(_) | Self::Key(_) | Self::SelfCheck(_) => {
                "try the key with `ssh-keygen -Y sign`"
            }
            Self::Agent(fault) => fault.hint(),
            Self::Command(fault) => fault.hint(),
            Self::NotASignature(_) => {
                "on stdin it gets what is to be signed, on stdout it prints what `ssh-keygen -Y sign` prints, and nothing else"
            }
            Self::OtherNamespace { .. } => {
                "a run takes signatures in several: write {namespace} in --sign-command, or read GONOGO_NAMESPACE in it"
            }
            Self::OtherKey { .. } => {
                "--key names the public key of the one that the command signs with"
            }
        }
    }
}

#[cfg(test)]
#[path = "signer_tests.rs"]
mod tests;
