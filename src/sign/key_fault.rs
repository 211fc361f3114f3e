//! Why there is no signing key, and what to do about it.

use std::path::{Path, PathBuf};

use super::agent::AgentFault;
use crate::text::escape;

/// Why there is no key to sign with: a fault of ours, exit 3.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant is told by its message, each field by its name"
)]
pub enum KeyFault {
    #[error("signing key `{}` does not exist", show(file))]
    Missing { file: PathBuf },
    #[error("signing key `{}` cannot be read: {cause}", show(file))]
    Unreadable {
        file: PathBuf,
        cause: std::io::Error,
    },
    #[error(
        "signing key `{}` is open to group or others (mode {mode:04o})",
        show(file)
    )]
    Exposed { file: PathBuf, mode: u32 },
    #[error("`{}` is a public key, and not one in OpenSSH's format", show(file))]
    Public { file: PathBuf },
    #[error("signing key `{}` is in {format} format, not OpenSSH's", show(file))]
    NotOpenssh { file: PathBuf, format: &'static str },
    #[error("`{}` is not a private key", show(file))]
    NotAKey { file: PathBuf },
    #[error("signing key `{}` is damaged: {cause}", show(file))]
    Damaged {
        file: PathBuf,
        cause: ssh_key::Error,
    },
    #[error(
        "signing key `{}` is of type {algorithm}; from a file only ed25519 and ECDSA keys sign",
        show(file)
    )]
    Unsupported { file: PathBuf, algorithm: String },
    #[error(
        "signing key `{}` is encrypted and no passphrase was given",
        show(file)
    )]
    Encrypted { file: PathBuf },
    #[error(
        "signing key `{}` is encrypted and environment variable `{variable}` is not set",
        show(file)
    )]
    NoPassphrase { file: PathBuf, variable: String },
    #[error(
        "the passphrase in `{variable}` does not open signing key `{}`",
        show(file)
    )]
    WrongPassphrase { file: PathBuf, variable: String },
    #[error(
        "signing key `{}` has the comment `{}`, which cannot serve as the signer's identity",
        show(file),
        escape(comment)
    )]
    Comment { file: PathBuf, comment: String },
    #[error(transparent)]
    Agent(#[from] AgentFault),
    #[error("`{}` is no certificate", show(file))]
    NotACertificate { file: PathBuf },
    #[error("certificate `{}` is for another key", show(file))]
    OtherCertificate { file: PathBuf },
    #[error("certificate `{}` cannot sign a run: {why}", show(file))]
    Certificate { file: PathBuf, why: String },
    #[error(
        "the certificate of signing key `{}` lists no principal that can serve as the signer's identity",
        show(file)
    )]
    Principals { file: PathBuf },
    #[error(
        "with a sign command, --key names a public key, which `{}` is not",
        show(file)
    )]
    CommandNeedsPublic { file: PathBuf },
}

fn show(path: &Path) -> String {
    escape(&path.to_string_lossy()).into_owned()
}

impl KeyFault {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        const CREATE: &str = "ssh-keygen -t ed25519 -C gonogo@your.domain -f FILE";
        match self {
            Self::Missing { .. } => format!("make one with `{CREATE}`"),
            Self::Unreadable { .. } => "run as the account that owns the key".to_owned(),
            Self::Exposed { file, .. } => format!("chmod 600 {}", show(file)),
            Self::Public { .. } => {
                "it is one line that begins with its type, such as `ssh-ed25519 AAAA…`: `ssh-keygen -i` converts others"
                    .to_owned()
            }
            Self::NotOpenssh {
                file,
                format: "PuTTY",
            } => {
                format!(
                    "convert it with `puttygen {} -O private-openssh-new -o NEW`",
                    show(file)
                )
            }
            Self::NotOpenssh { file, .. } => format!(
                "rewrite it in OpenSSH format with `ssh-keygen -p -f {}`, or make one with `{CREATE}`",
                show(file)
            ),
            Self::NotAKey { .. } => format!("make one with `{CREATE}`"),
            Self::Unsupported { file, .. } => format!(
                "`ssh-add` it and name its public key (`--key {}.pub`): the agent signs with it; or make one with `{CREATE}`",
                show(file)
            ),
            Self::Damaged { .. } => "restore the key from its backup, or make a new one".to_owned(),
            Self::Encrypted { .. } => {
                "name the environment variable that holds the passphrase (--key-passphrase-env); or `ssh-add` it and name its public key"
                    .to_owned()
            }
            Self::NoPassphrase { variable, .. } => {
                format!("set `{variable}` in the environment of gonogo")
            }
            Self::WrongPassphrase { file, variable } => format!(
                "set `{variable}` to the passphrase that `ssh-keygen -y -f {}` accepts",
                show(file)
            ),
            Self::Comment { file, .. } => format!(
                "give it a comment of letters, digits and @._+:/=- with \
                 `ssh-keygen -c -C gonogo@your.domain -f {}`",
                show(file)
            ),
            Self::Agent(fault) => fault.hint().to_owned(),
            Self::NotACertificate { .. } => {
                "`ssh-keygen -s CA -I ID -n gonogo@your.domain KEY.pub` writes one: KEY-cert.pub".to_owned()
            }
            Self::OtherCertificate { .. } => {
                "name the one that `ssh-keygen -L -f FILE` shows for this key, or move it away from beside the key"
                    .to_owned()
            }
            Self::Certificate { .. } => {
                "have the authority sign the key again, or move the certificate away from beside the key to sign with the key alone"
                    .to_owned()
            }
            Self::Principals { .. } => {
                "have the authority sign it with `-n NAME`, of letters, digits and @._+:/=-".to_owned()
            }
            Self::CommandNeedsPublic { .. } => {
                "name the public key of the one that the command signs with".to_owned()
            }
        }
    }
}
