//! `--keep DIR`: raw artifacts, kept outside the signed run as `DIR/<instance>/<team>/<artifact>/<file>`.
//! Local names are ours: the last component of the remote path, cleaned, never a path of the server's.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Where raw artifacts are kept.
#[derive(Debug)]
pub struct Keep(PathBuf);

impl Keep {
    /// Keeps below `directory`, which is created with mode 0700 when missing.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn new(directory: &Path) -> io::Result<Self> {
        create(directory)?;
        Ok(Self(directory.to_owned()))
    }

    /// A new file with mode 0600 for one remote file. Of equal names the later gets a number: two
    /// remote directories may hold the same name.
    pub(super) fn file(
        &self,
        instance: &str,
        team: &str,
        artifact: &str,
        remote: &str,
    ) -> io::Result<(File, PathBuf)> {
        let directory = [instance, team, artifact]
            .iter()
            .fold(self.0.clone(), |path, part| path.join(clean(part)));
        create(&directory)?;
        let name = clean(remote.rsplit('/').next().unwrap_or_default());
        for number in 0..10_000 {
            let path = match number {
                0 => directory.join(&name),
                _ => directory.join(format!("{name}.{number}")),
            };
            match OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
            {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                opened => return opened.map(|file| (file, path)),
            }
        }
        Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "10,000 files of the same name",
        ))
    }
}

/// A kept file. Unless it is told to be whole it is removed when this goes: on a failure, and where a
/// deadline or an interrupt ends the check.
pub(super) struct Kept(Option<PathBuf>);

impl Kept {
    /// Nothing is in it yet.
    pub(super) const fn begun(path: PathBuf) -> Self {
        Self(Some(path))
    }

    /// All that it is to hold has come.
    pub(super) fn whole(mut self) {
        self.0 = None;
    }

    /// It is of no use.
    pub(super) fn remove(mut self) -> io::Result<()> {
        self.0.take().map_or(Ok(()), fs::remove_file)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // Nobody is left to be told.
            let _ = fs::remove_file(path);
        }
    }
}

fn create(directory: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

/// What a part of a path is called there.
#[must_use]
pub fn clean(name: &str) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || "._- ".contains(c) {
            c
        } else {
            '_'
        }
    };
    let cleaned: String = name.chars().take(200).map(safe).collect();
    match cleaned.trim_matches('.').is_empty() {
        true => "_".to_owned(),
        false => cleaned,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_names_cannot_leave_the_directory() {
        let root = tempfile::tempdir().unwrap();
        let keep = Keep::new(&root.path().join("kept")).unwrap();
        for remote in ["/logs/..", "/logs/a\0b", "/logs/../../etc/passwd", "/logs/"] {
            let (_, path) = keep.file("../orders", "ops", "event log", remote).unwrap();
            let path = path.canonicalize().unwrap();
            assert!(
                path.starts_with(root.path().canonicalize().unwrap().join("kept")),
                "{path:?}"
            );
        }
    }

    #[test]
    fn equal_names_are_both_kept() {
        let root = tempfile::tempdir().unwrap();
        let keep = Keep::new(root.path()).unwrap();
        let (_, first) = keep.file("i", "t", "a", "/x/amps.log").unwrap();
        let (_, second) = keep.file("i", "t", "a", "/y/amps.log").unwrap();
        assert!(first.ends_with("i/t/a/amps.log") && second.ends_with("i/t/a/amps.log.1"));
    }
}
