//! A sealed run directory, read back: proves who signed it and that it is whole. Judges nothing: what
//! the report says, how old it is and what it is bound to is asked after this, of proven bytes.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::digest::Sha256;
use crate::sign::allowed_signers::{AllowedSigners, Signer};
use crate::sign::dsse::{self, EnvelopeFault, Statement};
use crate::sign::manifest::{
    ATTESTATION, MANIFEST, Manifest, ManifestFault, ManifestSyntax, SIGNATURE, read_regular,
};
use crate::sign::sshsig::{NAMESPACE, Signature, SignatureFault};
use crate::text::{count, escape};

/// No manifest, signature or attestation of a run comes near it.
const MOST_BYTES: u64 = 64 << 20;

/// A directory that was proven whole and signed; the only way to its content.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Where it is.
    pub dir: PathBuf,
    /// Who signed it.
    pub signer: Signer,
    /// What it holds.
    pub manifest: Manifest,
    /// SHA-256 of `SHA256SUMS`: what the next run's `PREVIOUS.sha256` names.
    pub digest: Sha256,
    /// What the attestation says; its digests were compared with the manifest.
    pub statement: Statement,
    /// The signature as it lies there: what a time stamp is over.
    pub signature: Vec<u8>,
}

impl Sealed {
    /// Proves that `dir` is exactly what one of `allowed` signed, as `identity` when one is given,
    /// with a key that is valid at the instant `at`.
    ///
    /// # Errors
    /// The first reason found, in this order: signature, manifest, files, attestation.
    pub fn open(
        dir: &Path,
        allowed: &AllowedSigners,
        identity: Option<&str>,
        at: Timestamp,
    ) -> Result<Self, SealFault> {
        let Whole {
            signer,
            manifest,
            digest,
            signature: armour,
        } = Whole::open(dir, allowed, identity, NAMESPACE, at)?;
        let envelope = read(dir, ATTESTATION)?;
        let envelope = String::from_utf8_lossy(&envelope);
        let key = Signature::parse(&armour)?;
        let statement = dsse::verify_envelope(&envelope, key.key())?;
        agree(&statement, &manifest, digest)?;
        Ok(Self {
            dir: dir.to_owned(),
            signer,
            manifest,
            digest,
            statement,
            signature: armour,
        })
    }

    /// Reads one listed file, proven once more while it is read.
    ///
    /// # Errors
    /// When it is not listed, or was changed since.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, SealFault> {
        let read = self.manifest.read(&self.dir, name);
        read.map_err(|fault| SealFault::Files(vec![fault]))
    }
}

/// A directory that is exactly what somebody signed, in whatever namespace: a run has an attestation too.
#[derive(Clone, Debug)]
pub struct Whole {
    /// Who signed it.
    pub signer: Signer,
    /// What it holds.
    pub manifest: Manifest,
    /// SHA-256 of `SHA256SUMS`.
    pub digest: Sha256,
    /// The signature as it lies there.
    pub signature: Vec<u8>,
}

impl Whole {
    /// Proves that `dir` is exactly what one of `allowed` signed in `namespace`, as [`Sealed::open`] does.
    ///
    /// # Errors
    /// The first reason found, in this order: signature, manifest, files.
    pub fn open(
        dir: &Path,
        allowed: &AllowedSigners,
        identity: Option<&str>,
        namespace: &str,
        at: Timestamp,
    ) -> Result<Self, SealFault> {
        let sums = read(dir, MANIFEST)?;
        let armour = read(dir, SIGNATURE)?;
        let signer = allowed.verify(identity, namespace, &sums, &armour, at)?;
        let manifest: Manifest = String::from_utf8_lossy(&sums).parse()?;
        manifest.check(dir).map_err(SealFault::Files)?;
        Ok(Self {
            signer,
            manifest,
            digest: Sha256::of(&sums),
            signature: armour,
        })
    }
}

fn read(dir: &Path, name: &'static str) -> Result<Vec<u8>, SealFault> {
    read_regular(&dir.join(name), MOST_BYTES).map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound if !dir.exists() => SealFault::Absent(dir.to_owned()),
        std::io::ErrorKind::NotFound => SealFault::NotARun {
            dir: dir.to_owned(),
            name,
        },
        _ => SealFault::Unreadable {
            path: dir.join(name),
            cause,
        },
    })
}

/// Both signatures must speak of the same run.
fn agree(statement: &Statement, manifest: &Manifest, digest: Sha256) -> Result<(), SealFault> {
    let listed = |name: &str| match name {
        MANIFEST => Some(digest),
        name => manifest.digest(name),
    };
    if !statement.subjects.iter().any(|(name, _)| name == MANIFEST) {
        return Err(SealFault::OtherRun(MANIFEST.to_owned()));
    }
    let named = statement.subjects.iter().chain(&statement.configuration);
    for (name, digest) in named {
        // Other subjects, such as a release, stand for things outside the run.
        if listed(name).is_some_and(|listed| listed != *digest) {
            return Err(SealFault::OtherRun(name.clone()));
        }
    }
    Ok(())
}

/// Why a directory is not acceptable: `verify` exits 4.
#[derive(Debug, thiserror::Error)]
pub enum SealFault {
    /// Nothing is there.
    #[error("`{}` does not exist", escape(&.0.to_string_lossy()))]
    Absent(PathBuf),
    /// It lacks one of the files that make it a sealed run.
    #[error("`{}` is not a sealed run: it has no {name}", escape(&dir.to_string_lossy()))]
    NotARun {
        /// The directory.
        dir: PathBuf,
        /// What is missing.
        name: &'static str,
    },
    /// A file cannot be read.
    #[error("`{}` cannot be read: {cause}", escape(&path.to_string_lossy()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The signature proves nothing.
    #[error("{SIGNATURE}: {0}")]
    Signature(#[from] SignatureFault),
    /// The signed manifest is not one that gonogo writes.
    #[error(transparent)]
    Manifest(#[from] ManifestSyntax),
    /// The directory is not what was signed. Never empty.
    #[error("{}", first(.0))]
    Files(Vec<ManifestFault>),
    /// The attestation proves nothing.
    #[error("report.intoto.jsonl: {0}")]
    Attestation(#[from] EnvelopeFault),
    /// The attestation is of another run.
    #[error("report.intoto.jsonl: the digest of `{}` is not that of this run", escape(.0))]
    OtherRun(String),
}

fn first(faults: &[ManifestFault]) -> String {
    match faults {
        [] => "the directory differs from SHA256SUMS".to_owned(),
        [only] => only.to_string(),
        [first, rest @ ..] => format!("{first} (and {} more)", count(rest.len(), "difference")),
    }
}

impl SealFault {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Absent(_) | Self::NotARun { .. } => {
                "name the directory that `gonogo run -o` wrote, whole"
            }
            Self::Unreadable { .. } => "run as an account that may read it",
            Self::Signature(fault) => fault.hint(),
            Self::Manifest(_) => "the run was not sealed by gonogo; get it again from its source",
            Self::Files(_) => {
                "a run is never edited, and nothing is added to it: get it again from its source"
            }
            Self::Attestation(_) | Self::OtherRun(_) => {
                "the attestation was changed or swapped; get the run again from its source"
            }
        }
    }
}
