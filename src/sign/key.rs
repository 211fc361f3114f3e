//! The key that signs a run: what `--key`, `--certificate` and `--sign-command` name. A private key in an
//! OpenSSH file, a public key whose private half an agent holds or a command uses, each perhaps with the
//! certificate of an authority. Never prompts. Who is trusted is `allowed_signers`' business.

use std::ffi::OsString;
use std::fmt;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use ssh_key::certificate::Certificate;
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, PrivateKey, PublicKey};

use super::agent::{self, Agent, AgentFault, Held};
use super::certificate::{self, Certified};
use super::command::SignCommand;
pub use super::key_fault::KeyFault;
pub use super::raw::fingerprint;
use super::raw::{plain, read_line};
use super::signer::By;
use crate::time;

/// Larger than any key ssh-keygen writes; a key file beyond it is something else.
const MOST_BYTES: u64 = 64 * 1024;

/// Before a fingerprint, instead of a file.
const OF_AGENT: &str = "agent:";

/// How long an agent or a command may take for one signature, unless the user says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What names a signing key.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// A private key; a public key or certificate, of which an agent or the command has the private half;
    /// or `agent:SHA256:…`.
    pub key: &'a Path,
    /// The environment variable that holds the passphrase of a private key.
    pub passphrase_env: Option<&'a str>,
    /// The certificate to sign with; without it, the one beside the key (`KEY-cert.pub`), if any.
    pub certificate: Option<&'a Path>,
    /// The words of the command that signs.
    pub command: Option<&'a [String]>,
    /// How long an agent or the command may take for one signature.
    pub patience: Duration,
}

impl<'a> Source<'a> {
    /// A key alone.
    #[must_use]
    pub const fn of(key: &'a Path, passphrase_env: Option<&'a str>) -> Self {
        Self {
            key,
            passphrase_env,
            certificate: None,
            command: None,
            patience: PATIENCE,
        }
    }
}

/// Something that can sign, with the identity it signs as.
#[derive(Clone)]
pub struct SigningKey {
    by: By,
    public: PublicKey,
    certificate: Option<Certificate>,
    identity: String,
}

// The private half stays out of logs and panics.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, {})", self.identity, self.fingerprint())
    }
}

impl SigningKey {
    /// The key that `path` names; `passphrase_env` names the environment variable that holds its
    /// passphrase.
    ///
    /// # Errors
    /// As [`SigningKey::open`].
    pub fn load(path: &Path, passphrase_env: Option<&str>) -> Result<Self, KeyFault> {
        Self::open(&Source::of(path, passphrase_env))
    }

    /// Finds what `source` names. Nothing is signed yet: [`SigningKey::prove`] does.
    ///
    /// # Errors
    /// Every way in which there is no usable key, or its certificate is worth nothing now.
    pub fn open(source: &Source<'_>) -> Result<Self, KeyFault> {
        Self::open_with(source, |name| std::env::var_os(name))
    }

    pub(super) fn open_with(
        source: &Source<'_>,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, KeyFault> {
        let found = find(source, environment)?;
        let certificate = match found.certificate {
            Some((file, certificate)) => Some(check(&file, certificate, &found.public)?),
            None => None,
        };
        let comment = String::from_utf8_lossy(found.public.comment().as_bytes()).into_owned();
        let file = source.key.to_owned();
        let identity = match &certificate {
            None if is_identity(&comment) => comment,
            None => return Err(KeyFault::Comment { file, comment }),
            // Only a principal can be verified as; the comment chooses among them.
            Some(certificate) => {
                let mut fit = certificate.valid_principals().iter();
                match certificate::names(certificate, &comment) && is_identity(&comment) {
                    true => comment,
                    false => fit
                        .find(|principal| is_identity(principal))
                        .cloned()
                        .ok_or(KeyFault::Principals { file })?,
                }
            }
        };
        Ok(Self {
            by: found.by,
            public: found.public,
            certificate,
            identity,
        })
    }

    /// Who signs: the key's comment, such as `gonogo@ops.example`; with a certificate one of its principals,
    /// the comment if it is one.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The public half, with its comment.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The certificate that its signatures carry.
    #[must_use]
    pub const fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// Who certified it.
    #[must_use]
    pub fn certified(&self) -> Option<Certified> {
        self.certificate.as_ref().map(Certified::of)
    }

    /// How long its certificate counts: `valid …`.
    #[must_use]
    pub fn certificate_window(&self) -> Option<String> {
        self.certificate.as_ref().map(certificate::window)
    }

    /// The first instant at which its certificate counts no more; `None` where there is no end.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        let second = self.certificate.as_ref()?.valid_before();
        Timestamp::from_second(i64::try_from(second).ok()?).ok()
    }

    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(self.public.key_data())
    }

    /// The line that lets this key, or whom its authority certifies as this identity, sign in `namespace`:
    /// for an auditor's `allowed_signers` file; without a line end. (facts: signing.md 2)
    #[must_use]
    pub fn allowed_signers_line(&self, namespace: &str) -> String {
        let (option, key) = match &self.certificate {
            Some(certificate) => {
                let authority = PublicKey::from(certificate.signature_key().clone());
                ("cert-authority,", authority.to_openssh())
            }
            None => ("", self.public.to_openssh()),
        };
        // A key that was read encodes again; an empty line would trust no one.
        let key = key.unwrap_or_default();
        format!(
            "{} {option}namespaces=\"{namespace}\" {}",
            self.identity,
            key.trim_end()
        )
    }

    pub(super) const fn by(&self) -> &By {
        &self.by
    }

    /// What its signatures name: the certificate, or the key.
    pub(super) fn claimed(&self) -> KeyData {
        match &self.certificate {
            Some(certificate) => KeyData::from(certificate.clone()),
            None => self.public.key_data().clone(),
        }
    }
}

struct Found {
    by: By,
    public: PublicKey,
    certificate: Option<(PathBuf, Certificate)>,
}

fn find(
    source: &Source<'_>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<Found, KeyFault> {
    let file = source.key.to_owned();
    let name = source
        .key
        .to_str()
        .and_then(|key| key.strip_prefix(OF_AGENT));
    if let Some(pin) = name {
        if source.command.is_some() {
            return Err(KeyFault::CommandNeedsPublic { file });
        }
        return by_fingerprint(source, &agent_of(source, environment)?, pin);
    }
    let (content, mode) = read(source.key)?;
    match kind_of(&content) {
        Content::Openssh if source.command.is_some() => Err(KeyFault::CommandNeedsPublic { file }),
        Content::Openssh => {
            must_be_private(source.key, mode)?;
            let key = private(source, &content, environment)?;
            let public = key.public_key().clone();
            Ok(Found {
                by: By::File(Box::new(key)),
                public,
                certificate: certificate_for(source)?,
            })
        }
        Content::Public => {
            let read = read_public(&content);
            let (key, comment) = read.ok_or(KeyFault::Public { file: file.clone() })?;
            let mut certificate = certificate_for(source)?;
            if let (None, Some(own)) = (&certificate, key.certificate()) {
                certificate = Some((file, own.clone()));
            }
            let public = PublicKey::new(plain(&key).clone(), comment);
            let by = match source.command {
                Some(words) => By::Command(SignCommand {
                    words: words.to_vec(),
                    patience: source.patience,
                }),
                None => {
                    let agent = agent_of(source, environment)?;
                    let held = held_of(&agent, public.key_data())?;
                    By::Agent(agent, held)
                }
            };
            Ok(Found {
                by,
                public,
                certificate,
            })
        }
        Content::Other(format) => {
            must_be_private(source.key, mode)?;
            Err(KeyFault::NotOpenssh { file, format })
        }
        Content::Unknown => Err(KeyFault::NotAKey { file }),
    }
}

fn private(
    source: &Source<'_>,
    content: &[u8],
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<PrivateKey, KeyFault> {
    let file = source.key.to_owned();
    let key = match PrivateKey::from_openssh(content) {
        Ok(key) => key,
        Err(ssh_key::Error::AlgorithmUnknown | ssh_key::Error::AlgorithmUnsupported { .. }) => {
            let algorithm = "an algorithm gonogo does not know".to_owned();
            return Err(KeyFault::Unsupported { file, algorithm });
        }
        Err(cause) => return Err(KeyFault::Damaged { file, cause }),
    };
    // Before the passphrase: no one should look for one that could not help.
    if !matches!(
        key.algorithm(),
        Algorithm::Ed25519 | Algorithm::Ecdsa { .. }
    ) {
        let algorithm = key.algorithm().to_string();
        return Err(KeyFault::Unsupported { file, algorithm });
    }
    if !key.is_encrypted() {
        return Ok(key);
    }
    let Some(name) = source.passphrase_env else {
        return Err(KeyFault::Encrypted { file });
    };
    let variable = name.to_owned();
    let Some(passphrase) = environment(name) else {
        return Err(KeyFault::NoPassphrase { file, variable });
    };
    let opened = key.decrypt(passphrase.as_bytes());
    opened.map_err(|_| KeyFault::WrongPassphrase { file, variable })
}

fn agent_of(
    source: &Source<'_>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<Agent, KeyFault> {
    let socket = environment("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty());
    Ok(Agent {
        socket: (socket.ok_or_else(|| AgentFault::Nowhere(source.key.to_owned()))?).into(),
        patience: source.patience,
    })
}

/// As the agent lists `key`: itself, else a certificate of it, by which it signs all the same.
fn held_of(agent: &Agent, key: &KeyData) -> Result<KeyData, AgentFault> {
    let held = agent.list()?;
    let mut fit: Vec<&Held> = held.iter().filter(|held| plain(&held.key) == key).collect();
    fit.sort_by_key(|held| held.key.is_certificate());
    match fit.first() {
        Some(held) => Ok(held.key.clone()),
        None => Err(AgentFault::Absent {
            fingerprint: fingerprint(key),
            held: agent::said(&held),
        }),
    }
}

/// The agent's own word for key, comment and certificate.
fn by_fingerprint(source: &Source<'_>, agent: &Agent, pin: &str) -> Result<Found, KeyFault> {
    let held = agent.list()?;
    let fit: Vec<&Held> = held
        .iter()
        .filter(|held| fingerprint(&held.key) == pin)
        .collect();
    let Some(first) = fit.first() else {
        return Err(KeyFault::Agent(AgentFault::Absent {
            fingerprint: pin.to_owned(),
            held: agent::said(&held),
        }));
    };
    let key = plain(&first.key).clone();
    let itself = fit.iter().find(|held| !held.key.is_certificate());
    let certificate = match certificate_for(source)? {
        Some(given) => Some(given),
        None => {
            let mut certificates = fit.iter().filter_map(|held| held.key.certificate());
            let only = certificates.next();
            if certificates.next().is_some() {
                return Err(KeyFault::Agent(AgentFault::Several(pin.to_owned())));
            }
            only.map(|only| (source.key.to_owned(), only.clone()))
        }
    };
    let comment = itself.unwrap_or(first).comment.as_str();
    Ok(Found {
        by: By::Agent(agent.clone(), itself.unwrap_or(first).key.clone()),
        public: PublicKey::new(key, comment),
        certificate,
    })
}

/// The certificate that was named, or the one beside the key, as ssh(1) takes it too.
fn certificate_for(source: &Source<'_>) -> Result<Option<(PathBuf, Certificate)>, KeyFault> {
    let file = match source.certificate {
        Some(file) => file.to_owned(),
        None => {
            let mut beside = match source.key.extension() {
                Some(extension) if extension == "pub" => source.key.with_extension(""),
                _ => source.key.to_owned(),
            }
            .into_os_string();
            beside.push("-cert.pub");
            let beside = PathBuf::from(beside);
            if beside.symlink_metadata().is_err() {
                return Ok(None);
            }
            beside
        }
    };
    let read = read_public(&read(&file)?.0);
    let certificate = read.and_then(|(key, _)| key.into_certificate());
    match certificate {
        Some(certificate) => Ok(Some((file, certificate))),
        None => Err(KeyFault::NotACertificate { file }),
    }
}

/// Worth something now, and for this key.
fn check(
    file: &Path,
    certificate: Certificate,
    public: &PublicKey,
) -> Result<Certificate, KeyFault> {
    let file = file.to_owned();
    if certificate.public_key() != public.key_data() {
        return Err(KeyFault::OtherCertificate { file });
    }
    match certificate::refusal(&certificate, time::now()) {
        Some(why) => Err(KeyFault::Certificate { file, why }),
        None => Ok(certificate),
    }
}

/// A key or a certificate, and its comment.
fn read_public(content: &[u8]) -> Option<(KeyData, String)> {
    let text = std::str::from_utf8(content).ok()?;
    let mut lines = text.lines().map(str::trim);
    let line = lines.find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let (key, comment) = read_line(line)?;
    Some((key, comment.to_owned()))
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

/// What it holds, and its mode.
fn read(path: &Path) -> Result<(Vec<u8>, u32), KeyFault> {
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
    let mut content = Vec::new();
    let mut most = opened.take(MOST_BYTES);
    most.read_to_end(&mut content).map_err(&unreadable)?;
    Ok((content, mode))
}

/// Others must not read a private key.
fn must_be_private(path: &Path, mode: u32) -> Result<(), KeyFault> {
    let file = path.to_owned();
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(KeyFault::Exposed { file, mode }),
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
