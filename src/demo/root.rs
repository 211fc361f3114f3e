//! A directory on disk that pretends to be a host's whole file system: every path is taken from its
//! top, and no `..` and no symbolic link leads out of it. Reads only; knows no SFTP.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// As many links as Linux follows before it answers ELOOP (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// The top of a made-up host.
#[derive(Clone, Debug)]
pub(super) struct Root(PathBuf);

/// A path that exists: as the made-up host names it, and where it really is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Absolute, normalised, free of links (but for the last component when it was not followed).
    pub shown: String,
    /// The same on disk.
    pub real: PathBuf,
}

/// What to do when the last component is a symbolic link.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Follow,
    Keep,
}

impl Root {
    /// `real` must be absolute and free of links itself.
    pub(super) fn new(real: PathBuf) -> Self {
        Self(real)
    }

    /// Where the root really is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Finds `path`, taken from the root whether it begins with `/` or not.
    ///
    /// Links are followed here and not by the kernel, because an absolute target means the made-up
    /// host's `/`, not this machine's.
    pub(super) fn find(&self, path: &str, last: Last) -> Result<Found, Error> {
        let mut ahead: VecDeque<String> = path.split('/').map(str::to_owned).collect();
        let mut done: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(part) = ahead.pop_front() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    done.pop();
                    continue;
                }
                _ if part.contains('\0') => return Err(ErrorKind::InvalidInput.into()),
                _ => {}
            }
            let real = self.real(&done).join(&part);
            let what = real.symlink_metadata()?;
            let is_last = ahead.iter().all(|part| part.is_empty() || part == ".");
            if what.is_symlink() && !(is_last && last == Last::Keep) {
                links += 1;
                if links > MOST_LINKS {
                    return Err(Error::other("too many levels of symbolic links"));
                }
                let target = real.read_link()?.into_os_string().into_string();
                let target = target.map_err(|_| Error::from(ErrorKind::InvalidData))?;
                if target.starts_with('/') {
                    done.clear();
                }
                for part in target.split('/').rev() {
                    ahead.push_front(part.to_owned());
                }
            } else if !what.is_dir() && !is_last {
                return Err(ErrorKind::NotADirectory.into());
            } else {
                done.push(part);
            }
        }
        Ok(Found {
            real: self.real(&done),
            shown: format!("/{}", done.join("/")),
        })
    }

    /// `path` without `.`, `..` and doubled slashes, whether it exists or not.
    pub(super) fn normal(path: &str) -> String {
        let mut done: Vec<&str> = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    done.pop();
                }
                _ => done.push(part),
            }
        }
        format!("/{}", done.join("/"))
    }

    fn real(&self, parts: &[String]) -> PathBuf {
        parts
            .iter()
            .fold(self.0.clone(), |path, part| path.join(part))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn estate() -> (tempfile::TempDir, Root) {
        let outer = tempfile::tempdir().unwrap();
        let top = outer.path().canonicalize().unwrap().join("host");
        std::fs::create_dir_all(top.join("opt/amps/orders/logs")).unwrap();
        std::fs::write(outer.path().join("secret"), "outside").unwrap();
        std::fs::write(top.join("opt/amps/orders/logs/amps.log"), "inside").unwrap();
        (outer, Root::new(top))
    }

    #[test]
    fn dots_and_links_stay_inside() {
        let (outer, root) = estate();
        let logs = root.path().join("opt/amps/orders/logs");
        symlink("amps.log", logs.join("current")).unwrap();
        symlink("/opt/amps/orders/logs/amps.log", logs.join("absolute")).unwrap();
        symlink("../../../../../../secret", logs.join("climber")).unwrap();
        symlink(outer.path().join("secret"), logs.join("jumper")).unwrap();
        symlink("loop", logs.join("loop")).unwrap();
        for path in [
            "/opt/amps/orders/logs/amps.log",
            "opt/./amps//orders/../orders/logs/amps.log",
            "../../../../opt/amps/orders/logs/current",
            "/opt/amps/orders/logs/absolute",
        ] {
            let found = root.find(path, Last::Follow).unwrap();
            assert_eq!(found.shown, "/opt/amps/orders/logs/amps.log", "{path}");
            assert_eq!(std::fs::read(found.real).unwrap(), b"inside");
        }
        for (path, kind) in [
            ("../secret", ErrorKind::NotFound),
            ("/opt/amps/orders/logs/climber", ErrorKind::NotFound),
            ("/opt/amps/orders/logs/jumper", ErrorKind::NotFound),
            ("/opt/amps/orders/logs/loop", ErrorKind::Other),
            ("/opt/amps/orders/logs/amps.log/x", ErrorKind::NotADirectory),
            ("/opt/\0", ErrorKind::InvalidInput),
        ] {
            let refused = root.find(path, Last::Follow).unwrap_err();
            assert_eq!(refused.kind(), kind, "{path}");
        }
    }

    #[test]
    fn a_last_link_can_be_looked_at_itself() {
        let (_outer, root) = estate();
        symlink("gone", root.path().join("dangling")).unwrap();
        assert!(root.find("/dangling", Last::Follow).is_err());
        let kept = root.find("/dangling", Last::Keep).unwrap();
        assert_eq!(kept.shown, "/dangling");
        assert!(kept.real.is_symlink());
    }

    #[test]
    fn the_top_is_its_own_parent() {
        let (_outer, root) = estate();
        for path in ["", "/", ".", "..", "/../.."] {
            assert_eq!(root.find(path, Last::Follow).unwrap().real, root.path());
            assert_eq!(Root::normal(path), "/");
        }
        assert_eq!(Root::normal("/a/../b//./c"), "/b/c");
    }
}
