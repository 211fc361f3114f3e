//! `SHA256SUMS`: the one file that is signed, and the proof that a directory holds exactly what it
//! lists. The format is that of coreutils `sha256sum`, narrowed to names that need no escape.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::num::NonZero;
use std::os::unix::fs::OpenOptionsExt as _;
use std::panic::resume_unwind;
use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustix::fs::OFlags;

use crate::digest::{Sha256, Stream};
use crate::text::escape;

/// Name of the manifest.
pub const MANIFEST: &str = "SHA256SUMS";
/// Name of its signature.
pub const SIGNATURE: &str = "SHA256SUMS.sig";
/// Name of the attestation.
pub const ATTESTATION: &str = "report.intoto.jsonl";

/// Files for which another thread is worth its start.
const FEW: usize = 64;
/// Most threads that hash side by side: the disk bounds more than the cores do.
const MOST_THREADS: usize = 8;

/// Every file with its digest, sorted by name, bytewise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest(BTreeMap<String, Sha256>);

/// The name cannot stand in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` cannot be the name of a file in a run: {why}", escape(name))]
pub struct NameFault {
    /// The name.
    pub name: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Checks the name of a file in a run: relative, of `[A-Za-z0-9._/-]` and `_`, no component empty,
/// `.`, `..` or beginning with `-`, and none of the names that stand outside the manifest.
///
/// # Errors
/// What is wrong with it. See [`portable_name`].
pub fn check_name(name: &str) -> Result<(), NameFault> {
    let fault = |why| {
        let name = name.to_owned();
        Err(NameFault { name, why })
    };
    if name.is_empty() || name.len() > 1024 {
        return fault("it is empty or too long");
    }
    if !name.bytes().all(|byte| byte == b'/' || is_portable(byte)) {
        return fault("only letters, digits and ._/- are allowed");
    }
    for part in name.split('/') {
        match part {
            "" | "." | ".." => return fault("it is absolute or has an empty, `.` or `..` part"),
            _ if part.starts_with('-') => return fault("a part begins with `-`"),
            _ if part.len() > 255 => return fault("a part is too long"),
            _ => {}
        }
    }
    // Also a directory of such a name: what the auditor's `find` skips, nothing may hide in.
    let top = name.split('/').next().unwrap_or(name);
    if top.starts_with(MANIFEST) || top == ATTESTATION {
        return fault("it is kept for the signature");
    }
    Ok(())
}

const fn is_portable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// A name that [`check_name`] takes, made of a user's path: every other character becomes `_`, and
/// `.`, `..` and `-` at the head of a part are replaced. Two paths may come to the same name.
#[must_use]
pub fn portable_name(path: &str) -> String {
    let part = |part: &str| {
        let portable = |c: char| match u8::try_from(c) {
            Ok(byte) if is_portable(byte) => c,
            _ => '_',
        };
        let name: String = part.chars().map(portable).take(200).collect();
        match name.as_str() {
            "." | ".." => "_".repeat(name.len()),
            _ if name.starts_with('-') => format!("_{}", &name[1..]),
            _ => name,
        }
    };
    let parts: Vec<String> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(part)
        .collect();
    parts.join("/")
}

impl Manifest {
    /// The manifest of `files`.
    ///
    /// # Errors
    /// The first name that cannot stand in a manifest.
    pub fn of(files: &BTreeMap<String, Sha256>) -> Result<Self, NameFault> {
        files.keys().try_for_each(|name| check_name(name))?;
        Ok(Self(files.clone()))
    }

    /// Name → digest.
    #[must_use]
    pub const fn files(&self) -> &BTreeMap<String, Sha256> {
        &self.0
    }

    /// The digest of one file.
    #[must_use]
    pub fn digest(&self, name: &str) -> Option<Sha256> {
        self.0.get(name).copied()
    }

    /// Proves that `dir` holds every listed file, unchanged, and no other: but for `SHA256SUMS*` and
    /// `report.intoto.jsonl` at its top, which must be regular files as well. Empty directories are
    /// not looked at. Reads streaming.
    ///
    /// # Errors
    /// Everything that differs: what changed, what is missing, what is extra, each sorted by path.
    pub fn check(&self, dir: &Path) -> Result<(), Vec<ManifestFault>> {
        let mut faults = Vec::new();
        let mut seen = BTreeMap::new();
        walk(dir, &mut seen, &mut faults);
        // What lies in a directory that cannot be listed is not known to be missing.
        let unlisted: Vec<String> = faults.iter().map(ManifestFault::path).collect();
        let is_unlisted = |name: &str| unlisted.iter().any(|above| name.starts_with(&**above));
        for (name, regular) in &seen {
            let listed = self.0.contains_key(name);
            if !regular {
                faults.push(ManifestFault::Special(name.clone()));
            } else if !listed && !stands_outside(name) {
                faults.push(ManifestFault::Extra(name.clone()));
            }
        }
        let mut here = Vec::new();
        for (name, digest) in &self.0 {
            match seen.get(name) {
                None if is_unlisted(name) => {}
                None => faults.push(ManifestFault::Missing(name.clone())),
                Some(false) => {}
                Some(true) => here.push((name.as_str(), *digest)),
            }
        }
        faults.extend(unlike(dir, &here));
        faults.sort();
        match faults.is_empty() {
            true => Ok(()),
            false => Err(faults),
        }
    }

    /// Reads one listed file whole, and only if it has the digest it must have: what is judged is
    /// what was proven, even if someone changes the directory meanwhile.
    ///
    /// # Errors
    /// When it is not listed, not there, not a regular file, or changed.
    pub fn read(&self, dir: &Path, name: &str) -> Result<Vec<u8>, ManifestFault> {
        let missing = || ManifestFault::Missing(name.to_owned());
        let digest = self.digest(name).ok_or_else(missing)?;
        let content = read_regular(&dir.join(name), u64::MAX);
        match content {
            Ok(content) if Sha256::of(&content) == digest => Ok(content),
            Ok(_) => Err(ManifestFault::Changed(name.to_owned())),
            Err(cause) => Err(ManifestFault::unreadable(name, &cause)),
        }
    }
}

fn stands_outside(name: &str) -> bool {
    !name.contains('/') && (name.starts_with(MANIFEST) || name == ATTESTATION)
}

/// Every entry that is no directory, by its path inside `dir`, and whether it is a regular file.
/// Symbolic links are not followed, so the walk ends.
fn walk(dir: &Path, seen: &mut BTreeMap<String, bool>, faults: &mut Vec<ManifestFault>) {
    let mut waiting = vec![(dir.to_owned(), String::new())];
    while let Some((dir, prefix)) = waiting.pop() {
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(cause) => {
                faults.push(ManifestFault::unreadable(&prefix, &cause));
                continue;
            }
        };
        for entry in entries {
            let found = entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?)));
            match found {
                Ok((name, kind)) => {
                    // A name that is not UTF-8 is in no manifest: its lossy form says which.
                    let path = format!("{prefix}{}", name.to_string_lossy());
                    if kind.is_dir() {
                        waiting.push((dir.join(name), format!("{path}/")));
                    } else {
                        seen.insert(path, kind.is_file());
                    }
                }
                Err(cause) => faults.push(ManifestFault::unreadable(&prefix, &cause)),
            }
        }
    }
}

// Neither a symbolic link put there meanwhile is followed nor a FIFO waited for.
fn open_regular(path: &Path) -> std::io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let file = File::options()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(std::io::Error::other("not a regular file")),
    }
}

/// Reads a regular file of at most `most` bytes.
pub(crate) fn read_regular(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let mut file = open_regular(path)?.take(most.saturating_add(1));
    file.read_to_end(&mut content)?;
    match content.len() as u64 > most {
        true => Err(std::io::Error::other("too large")),
        false => Ok(content),
    }
}

/// Which of `files` are not what they must be, on every core: a large run has a transcript for each check.
fn unlike(dir: &Path, files: &[(&str, Sha256)]) -> Vec<ManifestFault> {
    let next = AtomicUsize::new(0);
    let share = || {
        let (mut faults, mut piece) = (Vec::new(), vec![0; 64 * 1024]);
        while let Some((name, digest)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            match hash(&dir.join(name), &mut piece) {
                Ok(found) if found == *digest => {}
                Ok(_) => faults.push(ManifestFault::Changed((*name).to_owned())),
                Err(cause) => faults.push(ManifestFault::unreadable(name, &cause)),
            }
        }
        faults
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let others = cores
        .min(files.len() / FEW)
        .min(MOST_THREADS)
        .saturating_sub(1);
    thread::scope(|scope| {
        let others: Vec<_> = (0..others).map(|_| scope.spawn(share)).collect();
        let mut faults = share();
        for other in others {
            faults.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        faults
    })
}

fn hash(path: &Path, piece: &mut [u8]) -> std::io::Result<Sha256> {
    let mut file = open_regular(path)?;
    let mut stream = Stream::default();
    loop {
        match file.read(piece) {
            Ok(0) => return Ok(stream.finish()),
            Ok(length) => stream.update(&piece[..length]),
            Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
}

/// How a directory differs from its manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum ManifestFault {
    /// Listed with another digest.
    #[error("`{}` was changed after signing", escape(.0))]
    Changed(String),
    /// Listed and not there.
    #[error("`{}` is missing", escape(.0))]
    Missing(String),
    /// There and not listed.
    #[error("`{}` is not listed in SHA256SUMS", escape(.0))]
    Extra(String),
    /// A symbolic link, FIFO, socket or device.
    #[error("`{}` is not a regular file", escape(.0))]
    Special(String),
    /// It cannot be read here.
    #[error("`{}` cannot be read: {cause}", escape(path))]
    Unreadable {
        /// Path inside the directory.
        path: String,
        /// What the system said.
        cause: String,
    },
}

impl ManifestFault {
    /// What it is about.
    fn path(&self) -> String {
        match self {
            Self::Changed(path) | Self::Missing(path) | Self::Extra(path) | Self::Special(path) => {
                path.clone()
            }
            Self::Unreadable { path, .. } => path.clone(),
        }
    }

    fn unreadable(path: &str, cause: &std::io::Error) -> Self {
        Self::Unreadable {
            path: path.to_owned(),
            cause: cause.to_string(),
        }
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.0.iter();
        lines.try_for_each(|(name, digest)| writeln!(f, "{digest}  {name}"))
    }
}

/// A line of a manifest that is not as gonogo writes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestSyntax {
    /// No line at all.
    #[error("SHA256SUMS is empty")]
    Empty,
    /// Not `DIGEST  NAME`.
    #[error("line {0} of SHA256SUMS is not `<64 hexadecimal digits>  <name>`")]
    Line(usize),
    /// A name that may not stand there.
    #[error("line {line} of SHA256SUMS: {fault}")]
    Name {
        /// From 1.
        line: usize,
        /// What is wrong.
        fault: NameFault,
    },
    /// A name that stands twice, or out of order.
    #[error("line {0} of SHA256SUMS is a duplicate or out of order")]
    Order(usize),
    /// The last line has no end.
    #[error("SHA256SUMS is cut off")]
    Cut,
}

impl FromStr for Manifest {
    type Err = ManifestSyntax;

    /// Reads exactly what [`Manifest`]'s `Display` writes; there is one spelling.
    fn from_str(text: &str) -> Result<Self, ManifestSyntax> {
        if text.is_empty() {
            return Err(ManifestSyntax::Empty);
        }
        let text = text.strip_suffix('\n').ok_or(ManifestSyntax::Cut)?;
        let mut files = BTreeMap::<String, Sha256>::new();
        for (index, line) in text.split('\n').enumerate() {
            let number = index + 1;
            let bad = ManifestSyntax::Line(number);
            let Some((digest, name)) = line.split_once("  ") else {
                return Err(bad);
            };
            let digest = digest.parse().map_err(|_| bad)?;
            check_name(name).map_err(|fault| ManifestSyntax::Name {
                line: number,
                fault,
            })?;
            let last = files.last_key_value();
            if last.is_some_and(|(last, _)| last.as_str() >= name) {
                return Err(ManifestSyntax::Order(number));
            }
            files.insert(name.to_owned(), digest);
        }
        Ok(Self(files))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::lab::Lab;

    fn files(names: &[&str]) -> BTreeMap<String, Sha256> {
        let digest = |name: &&str| ((*name).to_owned(), Sha256::of(name.as_bytes()));
        names.iter().map(digest).collect()
    }

    /// A directory `run` in which every file holds its own name, and its manifest.
    fn planted(names: &[&str]) -> (Lab, Manifest) {
        let lab = Lab::new();
        for name in names {
            let path = lab.path("run").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        (lab, Manifest::of(&files(names)).unwrap())
    }

    #[test]
    fn is_what_sha256sum_writes_and_takes() {
        let names = [
            "report.json",
            "a/b.txt",
            "a-b",
            "a.b",
            "Z",
            "a_b",
            "inputs/x.feature",
        ];
        let (lab, manifest) = planted(&names);
        let sh = "cd run; find . -type f | sed 's|^./||' | sort | xargs sha256sum";
        let theirs = lab.run("sh", &["-c", sh], b"").stdout;
        assert_eq!(manifest.to_string(), String::from_utf8(theirs).unwrap());
        assert_eq!(manifest.to_string().parse(), Ok(manifest));
    }

    #[test]
    fn names_that_could_leave_or_hide_are_refused() {
        for name in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "./a",
            "a/",
            ".",
            "..",
            "a b",
            "a\\b",
            "ü",
            "a\nb",
            "-rf",
            "a/-b",
            "a\0b",
            "SHA256SUMS",
            "SHA256SUMS.me.sig",
            "SHA256SUMS.d/x",
            "report.intoto.jsonl",
        ] {
            assert!(check_name(name).is_err(), "{name:?}");
            assert!(Manifest::of(&files(&[name])).is_err(), "{name:?}");
        }
        for name in [
            "a",
            "a/b/c",
            ".a",
            "a..b",
            "a-",
            "a_b",
            "x/SHA256SUMS",
            "...",
        ] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn any_path_of_a_user_becomes_a_portable_name() {
        for (path, name) in [
            ("features/get logs.feature", "features/get_logs.feature"),
            ("../shared/é.feature", "__/shared/_.feature"),
            ("/abs//x", "abs/x"),
            ("-x/./y", "_x/_/y"),
        ] {
            assert_eq!(portable_name(path), name);
            assert_eq!(check_name(name), Ok(()));
        }
    }

    #[test]
    fn only_one_spelling_is_read() {
        let good = Manifest::of(&files(&["a", "b"])).unwrap().to_string();
        assert!(good.parse::<Manifest>().is_ok());
        let (first, second) = good.split_at(good.find('\n').unwrap() + 1);
        for bad in [
            String::new(),
            "\n".to_owned(),
            good.trim_end().to_owned(),
            format!("{good}\n"),
            format!("# {good}"),
            good.replace("  ", " *"),
            good.replace("  ", " "),
            good.replace("  a", "   a"),
            good.replace('\n', "\r\n"),
            good.to_uppercase(),
            format!("\\{good}"),
            format!("{second}{first}"),
            format!("{first}{first}"),
            good.replace("  a", "  ../a"),
            good.replace("  a", "  /a"),
            good[1..].to_owned(),
        ] {
            assert!(bad.parse::<Manifest>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_directory_is_exactly_what_is_listed() {
        let (lab, manifest) = planted(&["report.json", "evidence/1.txt"]);
        let dir = lab.path("run");
        for outside in [
            "SHA256SUMS",
            "SHA256SUMS.sig",
            "SHA256SUMS.me.sig",
            "report.intoto.jsonl",
        ] {
            std::fs::write(dir.join(outside), "x").unwrap();
        }
        assert_eq!(manifest.check(&dir), Ok(()));
        assert_eq!(manifest.read(&dir, "report.json").unwrap(), b"report.json");

        use ManifestFault as F;
        let told = |expected: &[ManifestFault]| {
            assert_eq!(manifest.check(&dir).unwrap_err(), expected);
        };
        let extra = dir.join("evidence/SHA256SUMS");
        std::fs::write(&extra, "x").unwrap();
        told(&[F::Extra("evidence/SHA256SUMS".into())]);
        std::fs::remove_file(&extra).unwrap();

        std::fs::create_dir(dir.join("SHA256SUMS.d")).unwrap();
        std::fs::write(dir.join("SHA256SUMS.d/x"), "x").unwrap();
        told(&[F::Extra("SHA256SUMS.d/x".into())]);
        std::fs::remove_dir_all(dir.join("SHA256SUMS.d")).unwrap();

        let link = dir.join("SHA256SUMS.link");
        std::os::unix::fs::symlink("report.json", &link).unwrap();
        told(&[F::Special("SHA256SUMS.link".into())]);
        std::fs::remove_file(&link).unwrap();

        let file = dir.join("report.json");
        std::fs::rename(&file, lab.path("aside")).unwrap();
        told(&[F::Missing("report.json".into())]);
        std::os::unix::fs::symlink(lab.path("aside"), &file).unwrap();
        told(&[F::Special("report.json".into())]);
        assert!(manifest.read(&dir, "report.json").is_err());
        std::fs::remove_file(&file).unwrap();
        assert!(
            lab.run("mkfifo", &["run/report.json"], b"")
                .status
                .success()
        );
        told(&[F::Special("report.json".into())]);
        assert!(manifest.read(&dir, "report.json").is_err());
        std::fs::remove_file(&file).unwrap();

        std::fs::write(&file, "report.jsom").unwrap();
        told(&[F::Changed("report.json".into())]);
        let read = manifest.read(&dir, "report.json");
        assert_eq!(read, Err(F::Changed("report.json".into())));
        std::fs::rename(lab.path("aside"), &file).unwrap();
        assert_eq!(manifest.check(&dir), Ok(()));
        let gone = manifest.check(&lab.path("no")).unwrap_err();
        assert!(
            matches!(gone.last(), Some(F::Unreadable { .. })),
            "{gone:?}"
        );
    }

    #[test]
    fn a_name_that_is_not_utf8_is_an_extra_file() {
        use std::os::unix::ffi::OsStrExt as _;
        let (lab, manifest) = planted(&["a"]);
        let name = std::ffi::OsStr::from_bytes(b"a\xff");
        std::fs::write(lab.path("run").join(name), "x").unwrap();
        let told = manifest.check(&lab.path("run")).unwrap_err();
        assert_eq!(told, [ManifestFault::Extra("a\u{fffd}".into())]);
    }
}
