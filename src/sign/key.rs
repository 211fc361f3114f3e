//! The key that signs a run: an OpenSSH ed25519 private key in a file. Never prompts, never talks to
//! an agent, and refuses a file that others may read. Who is trusted is `allowed_signers`' business.

use std::ffi::OsString;
use std::fmt;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, PrivateKey, PublicKey};

use crate::text::escape;

/// Larger than any key ssh-keygen writes; a key file beyond it is something else.
const MOST_BYTES: u64 = 64 * 1024;

/// A private key, decrypted, with the identity it signs as.
#[derive(Clone)]
pub struct SigningKey {
    key: PrivateKey,
    identity: String,
}

// The private half stays out of logs and panics.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, {})", self.identity, self.fingerprint())
    }
}

impl SigningKey {
    /// Reads the key at `path`; `passphrase_env` names the environment variable that holds its
    /// passphrase.
    ///
    /// # Errors
    /// Every way in which the file is not a usable ed25519 key of this account alone.
    pub fn load(path: &Path, passphrase_env: Option<&str>) -> Result<Self, KeyFault> {
        Self::load_with(path, passphrase_env, |name| std::env::var_os(name))
    }

    fn load_with(
        path: &Path,
        passphrase_env: Option<&str>,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, KeyFault> {
        let file = path.to_owned();
        let content = read(path)?;
        let key = match kind_of(&content) {
            Content::Openssh => match PrivateKey::from_openssh(&content) {
                Ok(key) => key,
                Err(
                    ssh_key::Error::AlgorithmUnknown | ssh_key::Error::AlgorithmUnsupported { .. },
                ) => {
                    let algorithm = "an algorithm gonogo does not know".to_owned();
                    return Err(KeyFault::Unsupported { file, algorithm });
                }
                Err(cause) => return Err(KeyFault::Damaged { file, cause }),
            },
            Content::Public => return Err(KeyFault::Public { file }),
            Content::Other(format) => return Err(KeyFault::NotOpenssh { file, format }),
            Content::Unknown => return Err(KeyFault::NotAKey { file }),
        };
        // Before the passphrase: no one should look for one that could not help.
        if key.algorithm() != Algorithm::Ed25519 {
            let algorithm = key.algorithm().to_string();
            return Err(KeyFault::Unsupported { file, algorithm });
        }
        let key = if key.is_encrypted() {
            let Some(name) = passphrase_env else {
                return Err(KeyFault::Encrypted { file });
            };
            let variable = name.to_owned();
            let Some(passphrase) = environment(name) else {
                return Err(KeyFault::NoPassphrase { file, variable });
            };
            match key.decrypt(passphrase.as_bytes()) {
                Ok(key) => key,
                Err(_) => return Err(KeyFault::WrongPassphrase { file, variable }),
            }
        } else {
            key
        };
        let comment = String::from_utf8_lossy(key.comment().as_bytes()).into_owned();
        if !is_identity(&comment) {
            return Err(KeyFault::Comment { file, comment });
        }
        Ok(Self {
            key,
            identity: comment,
        })
    }

    /// Who signs: the key's comment, such as `gonogo@ops.example`.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The public half, with its comment.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        self.key.public_key()
    }

    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(self.public().key_data())
    }

    /// The line that lets this key sign in `namespace`, for an auditor's `allowed_signers` file;
    /// without a line end. (facts: signing.md 2)
    #[must_use]
    pub fn allowed_signers_line(&self, namespace: &str) -> String {
        // A key that was read encodes again; an empty line would trust no one.
        let key = self.public().to_openssh().unwrap_or_default();
        format!("{} namespaces=\"{namespace}\" {key}", self.identity)
    }

    pub(super) fn private(&self) -> &PrivateKey {
        &self.key
    }
}

/// `SHA256:…` of a public key, as `ssh-keygen -l` prints it.
#[must_use]
pub fn fingerprint(key: &KeyData) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// An identity is a plain name: it stands unquoted in `allowed_signers` and on a command line, so it
/// can be no pattern, no list, no option and nothing a shell reads.
fn is_identity(comment: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "@._+:/=-".contains(c);
    (1..=128).contains(&comment.len()) && !comment.starts_with('-') && comment.chars().all(allowed)
}

enum Content {
    Openssh,
    Public,
    Other(&'static str),
    Unknown,
}

fn kind_of(content: &[u8]) -> Content {
    let text = String::from_utf8_lossy(content);
    let text = text.trim_start();
    let public = ["ssh-", "ecdsa-sha2-", "sk-", "---- BEGIN SSH2 PUBLIC KEY"];
    if text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----") {
        Content::Openssh
    } else if text.starts_with("PuTTY-User-Key-File-") {
        Content::Other("PuTTY")
    } else if text.contains("PUBLIC KEY-----") || public.iter().any(|p| text.starts_with(p)) {
        Content::Public
    } else if text.contains("-----BEGIN PRIVATE KEY-----")
        || text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    {
        Content::Other("PKCS#8")
    } else if text.contains(" PRIVATE KEY-----") {
        Content::Other("PEM")
    } else {
        Content::Unknown
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KeyFault> {
    let file = path.to_owned();
    let unreadable = |cause: std::io::Error| match cause.kind() {
        std::io::ErrorKind::NotFound => KeyFault::Missing { file: file.clone() },
        _ => KeyFault::Unreadable {
            file: file.clone(),
            cause,
        },
    };
    // Looked at before it is opened: opening a FIFO would wait for ever.
    if !std::fs::metadata(path).map_err(&unreadable)?.is_file() {
        return Err(KeyFault::NotAKey { file });
    }
    let opened = std::fs::File::open(path).map_err(&unreadable)?;
    let mode = opened.metadata().map_err(&unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFault::Exposed { file, mode });
    }
    let mut content = Vec::new();
    let mut most = opened.take(MOST_BYTES);
    most.read_to_end(&mut content).map_err(&unreadable)?;
    Ok(content)
}

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
    #[error("`{}` is a public key; signing needs the private one", show(file))]
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
        "signing key `{}` is of type {algorithm}; only ssh-ed25519 is supported",
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
            Self::Public { file } => match show(file).strip_suffix(".pub") {
                Some(private) => format!("name the private key, probably `{private}`"),
                None => "name the file without `.pub`".to_owned(),
            },
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
            Self::NotAKey { .. } | Self::Unsupported { .. } => format!("make one with `{CREATE}`"),
            Self::Damaged { .. } => "restore the key from its backup, or make a new one".to_owned(),
            Self::Encrypted { .. } => {
                "name the environment variable that holds the passphrase".to_owned()
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::lab::{Lab, chmod};

    fn refusal(lab: &Lab, name: &str, env: Option<&str>, value: Option<&str>) -> KeyFault {
        let environment = |_: &str| value.map(OsString::from);
        SigningKey::load_with(&lab.path(name), env, environment).unwrap_err()
    }

    #[test]
    fn reads_what_ssh_keygen_writes() {
        let lab = Lab::new();
        lab.keygen("key", &["-t", "ed25519", "-C", "gonogo@ops.example"], "");
        let key = SigningKey::load(&lab.path("key"), None).unwrap();
        assert_eq!(key.identity(), "gonogo@ops.example");
        let listed = lab.ssh_keygen(&["-lf", "key.pub"]);
        assert_eq!(listed.split(' ').nth(1), Some(key.fingerprint().as_str()));
        let public = lab.read("key.pub");
        assert_eq!(
            key.allowed_signers_line("n@d"),
            format!(
                "gonogo@ops.example namespaces=\"n@d\" {}",
                public.trim_end()
            )
        );
        assert!(!format!("{key:?}").contains("Private"), "{key:?}");
    }

    #[test]
    fn opens_every_cipher_with_the_passphrase_from_the_environment() {
        let lab = Lab::new();
        for cipher in [
            "aes256-ctr",
            "aes256-gcm@openssh.com",
            "chacha20-poly1305@openssh.com",
        ] {
            let name = cipher.split('@').next().unwrap();
            let arguments = ["-t", "ed25519", "-C", "me@x", "-Z", cipher, "-a", "2"];
            lab.keygen(name, &arguments, "gonogo");
            // Cargo sets it for every test: the one variable that needs no unsafe to be set.
            let key = SigningKey::load(&lab.path(name), Some("CARGO_PKG_NAME"));
            assert_eq!(key.unwrap().identity(), "me@x", "{cipher}");
        }
    }

    #[test]
    fn names_what_is_wrong_with_a_passphrase() {
        let lab = Lab::new();
        lab.keygen("key", &["-t", "ed25519", "-C", "me@x", "-a", "2"], "secret");
        let wrong = refusal(&lab, "key", Some("PASS"), Some("other"));
        assert!(matches!(wrong, KeyFault::WrongPassphrase { .. }), "{wrong}");
        let unset = refusal(&lab, "key", Some("PASS"), None);
        assert!(matches!(unset, KeyFault::NoPassphrase { .. }), "{unset}");
        let none = refusal(&lab, "key", None, Some("secret"));
        assert!(matches!(none, KeyFault::Encrypted { .. }), "{none}");
    }

    #[test]
    fn names_what_is_not_a_signing_key() {
        let lab = Lab::new();
        lab.keygen("key", &["-t", "ed25519", "-C", "me@x"], "");
        lab.keygen("rsa", &["-t", "rsa", "-b", "2048", "-C", "me@x"], "");
        lab.keygen("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"], "");
        lab.keygen("pkcs8", &["-t", "ecdsa", "-m", "PKCS8"], "");
        lab.keygen("p521", &["-t", "ecdsa", "-b", "521"], "");
        lab.keygen("p256", &["-t", "ecdsa", "-b", "256"], "");
        let content = lab.read("key");
        lab.write("damaged", content.replace("AAAA", "AAAB"));
        lab.write("text", "not a key\n");
        lab.write("empty", "");
        lab.write("ppk", "PuTTY-User-Key-File-3: ssh-ed25519\n");
        for name in ["damaged", "text", "empty", "ppk", "key.pub"] {
            chmod(&lab.path(name), 0o600);
        }
        let told = |name: &str| refusal(&lab, name, None, None);
        assert!(matches!(told("absent"), KeyFault::Missing { .. }));
        assert!(matches!(told("."), KeyFault::NotAKey { .. }));
        assert!(matches!(told("key.pub"), KeyFault::Public { .. }));
        assert!(
            told("key.pub").hint().ends_with("key`"),
            "{}",
            told("key.pub").hint()
        );
        assert!(matches!(
            told("pem"),
            KeyFault::NotOpenssh { format: "PEM", .. }
        ));
        assert!(matches!(
            told("pkcs8"),
            KeyFault::NotOpenssh {
                format: "PKCS#8",
                ..
            }
        ));
        assert!(matches!(
            told("ppk"),
            KeyFault::NotOpenssh {
                format: "PuTTY",
                ..
            }
        ));
        assert!(told("pem").hint().contains("ssh-keygen -p -f"));
        assert!(matches!(told("text"), KeyFault::NotAKey { .. }));
        assert!(matches!(told("empty"), KeyFault::NotAKey { .. }));
        assert!(matches!(told("damaged"), KeyFault::Damaged { .. }));
        for name in ["rsa", "p256", "p521"] {
            let fault = told(name);
            assert!(
                matches!(fault, KeyFault::Unsupported { .. }),
                "{name}: {fault}"
            );
            assert!(fault.to_string().contains("only ssh-ed25519"), "{fault}");
        }
        assert!(told("rsa").to_string().contains("ssh-rsa"));
    }

    #[test]
    fn refuses_a_key_that_others_may_read() {
        let lab = Lab::new();
        lab.keygen("key", &["-t", "ed25519", "-C", "me@x"], "");
        for mode in [0o640, 0o604, 0o620, 0o644] {
            chmod(&lab.path("key"), mode);
            let fault = refusal(&lab, "key", None, None);
            assert!(
                matches!(fault, KeyFault::Exposed { .. }),
                "{mode:o}: {fault}"
            );
            assert!(fault.hint().starts_with("chmod 600 "));
        }
        for mode in [0o600, 0o400] {
            chmod(&lab.path("key"), mode);
            assert!(SigningKey::load(&lab.path("key"), None).is_ok(), "{mode:o}");
        }
    }

    #[test]
    fn refuses_a_comment_that_is_no_identity() {
        let lab = Lab::new();
        for (n, comment) in ["", "two words", "a,b", "*", "!a", "-I", "a'b", "a$b", "ü"]
            .into_iter()
            .enumerate()
        {
            let name = format!("key{n}");
            lab.keygen(&name, &["-t", "ed25519", "-C", comment], "");
            let fault = refusal(&lab, &name, None, None);
            assert!(
                matches!(fault, KeyFault::Comment { .. }),
                "{comment}: {fault}"
            );
            assert!(fault.hint().contains("ssh-keygen -c -C"));
        }
    }
}
