//! The run directory, written whole or not at all: a private draft beside its final place, sealed by
//! manifest, signature and attestation, published by one rename. Takes names and bytes; renders
//! nothing. A draft that is dropped unsealed is removed, so leave by returning, never by `exit`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rustix::fs::{RenameFlags, renameat_with};
use tempfile::TempDir;

use super::sealed::{SealFault, Sealed, Whole};
use crate::digest::{Sha256, Stream};
use crate::sign::allowed_signers::AllowedSigners;
use crate::sign::dsse::{AttestFault, Statement, sign_statement};
use crate::sign::key::SigningKey;
use crate::sign::manifest::{
    ATTESTATION, MANIFEST, Manifest, NameFault, SIGNATURE, check_name, portable_name,
};
use crate::sign::signer::SignFault;
use crate::sign::sshsig::{NAMESPACE, sign};
use crate::text::escape;

/// Threads that wait for the disk side by side.
const SYNCS_AT_ONCE: usize = 16;

/// A run directory in the making.
#[derive(Debug)]
pub struct Draft {
    out: PathBuf,
    parent: PathBuf,
    partial: TempDir,
    files: Arc<Mutex<Files>>,
}

#[derive(Debug, Default)]
struct Files {
    finished: BTreeMap<String, Sha256>,
    open: BTreeSet<String>,
    /// Directories that are there: a large run has a transcript for each of its checks.
    dirs: BTreeSet<PathBuf>,
}

impl Draft {
    /// Takes the place where `out` will be, before anything else happens: what can be refused is
    /// refused here, not after an hour of work.
    ///
    /// # Errors
    /// When `out` exists (as anything), or its parent is missing or not writable.
    pub fn create(out: &Path) -> Result<Self, DirectoryFault> {
        let no_name = || DirectoryFault::NoName {
            out: out.to_owned(),
        };
        let name = out.file_name().ok_or_else(no_name)?.to_owned();
        // Absolute: the place must stay the same whatever becomes of the working directory.
        let out = std::path::absolute(out).map_err(|cause| DirectoryFault::io(out, cause))?;
        let parent = out.parent().ok_or_else(no_name)?.to_owned();
        match std::fs::metadata(&parent) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(DirectoryFault::ParentNotADirectory { parent }),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                return Err(DirectoryFault::ParentMissing { parent });
            }
            Err(cause) => return Err(DirectoryFault::io(&parent, cause)),
        }
        refuse_existing(&out)?;
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".partial-");
        let partial = tempfile::Builder::new()
            .prefix(&prefix)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&parent);
        let partial = partial.map_err(|cause| match cause.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                let parent = parent.clone();
                DirectoryFault::NotWritable { parent, cause }
            }
            _ => DirectoryFault::io(&parent, cause),
        })?;
        Ok(Self {
            out,
            parent,
            partial,
            files: Arc::default(),
        })
    }

    /// Writes one file.
    ///
    /// # Errors
    /// When the name is not allowed or stands already, or the disk refuses.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<Sha256, DirectoryFault> {
        let mut file = self.create_file(name)?;
        let written = file.write_all(content);
        written.map_err(|cause| DirectoryFault::io(&file.path, cause))?;
        file.finish()
    }

    /// Opens one file for streaming. It counts when [`DraftFile::finish`] returned; a file that was
    /// begun and never finished makes [`Draft::seal`] refuse.
    ///
    /// # Errors
    /// When the name is not allowed or stands already, or the disk refuses.
    pub fn create_file(&self, name: &str) -> Result<DraftFile, DirectoryFault> {
        check_name(name)?;
        let path = self.partial.path().join(name);
        let io = |cause| DirectoryFault::io(&path, cause);
        if let Some(dir) = path.parent()
            && !lock(&self.files).dirs.contains(dir)
        {
            std::fs::create_dir_all(dir).map_err(io)?;
            lock(&self.files).dirs.insert(dir.to_owned());
        }
        let file = File::create_new(&path).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => DirectoryFault::Twice {
                name: name.to_owned(),
            },
            _ => io(cause),
        })?;
        lock(&self.files).open.insert(name.to_owned());
        Ok(DraftFile {
            name: name.to_owned(),
            file: BufWriter::new(file),
            stream: Stream::default(),
            files: Arc::clone(&self.files),
            path,
        })
    }

    /// Seals and publishes: manifest over everything, its signature, the attestation (`statement`
    /// with `SHA256SUMS` and `report.json` put before its own subjects), all of it on disk and read
    /// back before one rename makes it visible. Modes become 0644 and 0755.
    ///
    /// # Errors
    /// When something is unfinished, the disk refuses, what was written does not verify, or someone
    /// else took the place meanwhile. Then nothing is left behind.
    pub fn seal(
        self,
        signer: &SigningKey,
        mut statement: Statement,
    ) -> Result<Sealed, DirectoryFault> {
        let dir = self.partial.path();
        let manifest = self.manifest()?;
        let sums = manifest.to_string();
        let mut subjects = vec![(MANIFEST.to_owned(), Sha256::of(sums.as_bytes()))];
        let report = manifest.digest("report.json");
        subjects.extend(report.map(|digest| ("report.json".to_owned(), digest)));
        subjects.append(&mut statement.subjects);
        statement.subjects = subjects;
        let signature = sign(signer, NAMESPACE, sums.as_bytes())?;
        let attestation = sign_statement(signer, &statement)?;
        let own = [
            (MANIFEST, sums),
            (SIGNATURE, signature),
            (ATTESTATION, attestation),
        ];
        settle(dir, &manifest, &own)?;
        let (allowed, at) = itself(signer, NAMESPACE);
        let mut sealed = Sealed::open(dir, &allowed, Some(signer.identity()), at)?;
        if sealed.manifest != manifest || sealed.statement != statement {
            return Err(DirectoryFault::Disturbed);
        }
        self.publish()?;
        sealed.dir = self.out;
        Ok(sealed)
    }

    /// As [`Draft::seal`], in another namespace and without an attestation: no gate may take it for a run. SHA-256
    /// of the manifest.
    ///
    /// # Errors
    /// As [`Draft::seal`].
    pub fn seal_as(self, signer: &SigningKey, namespace: &str) -> Result<Sha256, DirectoryFault> {
        let dir = self.partial.path();
        let manifest = self.manifest()?;
        let sums = manifest.to_string();
        let signature = sign(signer, namespace, sums.as_bytes())?;
        settle(dir, &manifest, &[(MANIFEST, sums), (SIGNATURE, signature)])?;
        let (allowed, at) = itself(signer, namespace);
        let whole = Whole::open(dir, &allowed, Some(signer.identity()), namespace, at)?;
        if whole.manifest != manifest {
            return Err(DirectoryFault::Disturbed);
        }
        self.publish()?;
        Ok(whole.digest)
    }

    fn manifest(&self) -> Result<Manifest, DirectoryFault> {
        let files = lock(&self.files);
        if let Some(name) = files.open.first() {
            let name = name.clone();
            return Err(DirectoryFault::Unfinished { name });
        }
        if files.finished.is_empty() {
            return Err(DirectoryFault::Empty);
        }
        Ok(Manifest::of(&files.finished)?)
    }

    fn publish(&self) -> Result<(), DirectoryFault> {
        let from = self.partial.path();
        let cwd = rustix::fs::CWD;
        match renameat_with(cwd, from, cwd, &self.out, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(rustix::io::Errno::EXIST) => {
                let out = self.out.clone();
                return Err(DirectoryFault::Exists { out });
            }
            // An old kernel, or a file system (NFS) without it: the gap between look and rename
            // stays, and rename itself still refuses to replace what is not empty.
            Err(
                rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP,
            ) => {
                refuse_existing(&self.out)?;
                let moved = std::fs::rename(from, &self.out);
                moved.map_err(|cause| DirectoryFault::io(&self.out, cause))?;
            }
            Err(errno) => return Err(DirectoryFault::io(&self.out, errno.into())),
        }
        sync(&self.parent).map_err(|cause| {
            let out = self.out.clone();
            DirectoryFault::NotDurable { out, cause }
        })
    }
}

fn lock(files: &Mutex<Files>) -> MutexGuard<'_, Files> {
    // Each change is one insert or remove: a panic elsewhere leaves nothing half done.
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

// A dangling symbolic link is something too.
fn refuse_existing(out: &Path) -> Result<(), DirectoryFault> {
    match std::fs::symlink_metadata(out) {
        Ok(_) => Err(DirectoryFault::Exists {
            out: out.to_owned(),
        }),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(DirectoryFault::io(out, cause)),
    }
}

/// The signer alone as who may sign, and when that is asked.
fn itself(signer: &SigningKey, namespace: &str) -> (AllowedSigners, Timestamp) {
    let allowed = AllowedSigners::parse(signer.allowed_signers_line(namespace).as_bytes());
    // A certificate that ended meanwhile is the gate's to refuse: the record is kept.
    let last = signer
        .ends()
        .map(|ends| ends - SignedDuration::from_secs(1));
    let now = crate::time::now();
    (allowed, last.map_or(now, |last| now.min(last)))
}

/// Writes what stands outside the manifest, gives every file and directory its mode and has the disk confirm it.
fn settle(dir: &Path, manifest: &Manifest, own: &[(&str, String)]) -> Result<(), DirectoryFault> {
    for (name, content) in own {
        let path = dir.join(name);
        std::fs::write(&path, content).map_err(|cause| DirectoryFault::io(&path, cause))?;
    }
    let set = |path: &Path, mode: u32| {
        let settled = std::fs::set_permissions(path, Permissions::from_mode(mode));
        let settled = settled.and_then(|()| sync(path));
        settled.map_err(|cause| DirectoryFault::io(path, cause))
    };
    let listed = manifest.files().keys().map(String::as_str);
    let own = own.iter().map(|(name, _)| *name);
    let files: Vec<PathBuf> = listed.chain(own).map(|name| dir.join(name)).collect();
    // Asked for many files at once, a disk confirms them in about the time of one.
    let share = files.len().div_ceil(SYNCS_AT_ONCE);
    std::thread::scope(|scope| {
        let settle = |files: &[PathBuf]| files.iter().try_for_each(|file| set(file, 0o644));
        let begun: Vec<_> = files
            .chunks(share)
            .map(|files| scope.spawn(move || settle(files)))
            .collect();
        let mut ended = begun.into_iter().map(|share| share.join());
        ended.try_for_each(|settled| settled.unwrap_or_else(|panic| resume_unwind(panic)))
    })?;
    let mut dirs = BTreeSet::from([dir.to_owned()]);
    for path in &files {
        let above = path.ancestors().skip(1);
        dirs.extend(above.take_while(|above| *above != dir).map(Path::to_owned));
    }
    // The deepest first: a directory is confirmed after what it holds.
    dirs.iter().rev().try_for_each(|dir| set(dir, 0o755))
}

fn sync(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        // Some file systems cannot confirm a directory; there is nothing more to ask of them.
        Err(cause) if cause.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

/// One file of a draft, hashed while it is written.
pub struct DraftFile {
    name: String,
    path: PathBuf,
    file: BufWriter<File>,
    stream: Stream,
    files: Arc<Mutex<Files>>,
}

impl Write for DraftFile {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let taken = self.file.write(piece)?;
        self.stream.update(&piece[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl DraftFile {
    /// Ends the file: its digest, which the manifest will hold.
    ///
    /// # Errors
    /// When the disk refuses the last bytes.
    pub fn finish(mut self) -> Result<Sha256, DirectoryFault> {
        let flushed = self.file.flush();
        flushed.map_err(|cause| DirectoryFault::io(&self.path, cause))?;
        let digest = self.stream.finish();
        let mut files = lock(&self.files);
        files.open.remove(&self.name);
        files.finished.insert(self.name, digest);
        Ok(digest)
    }
}

/// Why there is no run directory: a fault of ours, exit 3.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant is told by its message, each field by its name"
)]
pub enum DirectoryFault {
    #[error("`{}` exists already", show(out))]
    Exists { out: PathBuf },
    #[error("`{}` does not end in the name of a directory", show(out))]
    NoName { out: PathBuf },
    #[error("directory `{}` does not exist", show(parent))]
    ParentMissing { parent: PathBuf },
    #[error("`{}` is not a directory", show(parent))]
    ParentNotADirectory { parent: PathBuf },
    #[error("cannot write in `{}`: {}", show(parent), cause.kind())]
    NotWritable { parent: PathBuf, cause: io::Error },
    #[error(transparent)]
    Name(#[from] NameFault),
    #[error("file `{}` was written twice into the run", escape(name))]
    Twice { name: String },
    #[error("file `{}` of the run was begun and not finished", escape(name))]
    Unfinished { name: String },
    #[error("the run holds no file")]
    Empty,
    #[error("cannot write `{}`: {cause}", show(path))]
    Io { path: PathBuf, cause: io::Error },
    #[error(
        "run `{}` is written, but the disk does not confirm it: {cause}",
        show(out)
    )]
    NotDurable { out: PathBuf, cause: io::Error },
    #[error(transparent)]
    Sign(#[from] SignFault),
    #[error(transparent)]
    Attest(#[from] AttestFault),
    #[error("the run does not verify before it is published: {0}")]
    SelfCheck(#[from] SealFault),
    #[error("the run was changed by someone else before it was published")]
    Disturbed,
}

fn show(path: &Path) -> String {
    escape(&path.to_string_lossy()).into_owned()
}

impl DirectoryFault {
    fn io(path: &Path, cause: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { path, cause }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Exists { .. } => {
                "a run is never overwritten: name another directory, or move this one away".into()
            }
            Self::NoName { .. } => {
                "name a directory that does not exist yet, such as runs/1".into()
            }
            Self::ParentMissing { parent } => format!("mkdir -p {}", show(parent)),
            Self::ParentNotADirectory { .. } => "name a place inside a directory".into(),
            Self::NotWritable { .. } => {
                "name a directory that the account of gonogo may write in".into()
            }
            Self::Name(NameFault { name, .. }) => {
                format!("such as `{}`", escape(&portable_name(name)))
            }
            Self::Io { cause, .. } | Self::NotDurable { cause, .. } => match cause.kind() {
                io::ErrorKind::StorageFull => "the disk is full: free some space".into(),
                io::ErrorKind::QuotaExceeded => "the account's disk quota is used up".into(),
                io::ErrorKind::FileTooLarge => {
                    "the file exceeds what the account or the file system allows (ulimit -f)".into()
                }
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    "name a directory that the account of gonogo may write in".into()
                }
                _ => "check the disk, or name a directory on another one".into(),
            },
            Self::SelfCheck(_) | Self::Disturbed => {
                "let no other program touch the directory, and check disk and memory".into()
            }
            Self::Sign(fault) | Self::Attest(AttestFault::Sign(fault)) => fault.hint().into(),
            Self::Attest(_) => "check the key with `ssh-keygen -Y sign`".into(),
            Self::Twice { .. } | Self::Unfinished { .. } | Self::Empty => {
                "this is a defect of gonogo: report it".into()
            }
        }
    }
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
