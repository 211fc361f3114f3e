//! The directory of one session: 0700, with a path short enough for a socket and plain enough for
//! `ssh_config`, where files of the inventory appear under names of ours. Gone with the session.

use std::fs;
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// `sun_path` holds 104 bytes or more; `ssh` adds 17 to a socket's name while it makes it.
const LONGEST: usize = 60;

/// The directory, and what its names stand for.
pub(super) struct Place {
    dir: TempDir,
    shown: Vec<(String, String)>,
}

impl Place {
    /// A fresh one.
    pub(super) fn new() -> io::Result<Self> {
        let wanted = std::env::temp_dir();
        let base = match is_plain(&wanted) {
            true => wanted,
            false => PathBuf::from("/tmp"),
        };
        let dir = tempfile::Builder::new()
            .prefix("gng-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(base)?;
        Ok(Self {
            dir,
            shown: Vec::new(),
        })
    }

    /// The path of a name in it: letters, digits and `/._-` only.
    pub(super) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// Writes a file, or replaces it.
    pub(super) fn write(&self, name: &str, text: &str, mode: u32) -> io::Result<()> {
        let path = self.path(name);
        let _ = fs::remove_file(&path);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)?;
        io::Write::write_all(&mut file, text.as_bytes())
    }

    /// Makes `name` lead to `target`, and comes back with its path.
    pub(super) fn link(&mut self, name: &str, target: &Path) -> io::Result<String> {
        let path = self.path(name);
        let target = std::path::absolute(target)?;
        let _ = fs::remove_file(&path);
        symlink(&target, &path)?;
        self.shown.retain(|(own, _)| *own != path);
        self.shown
            .push((path.clone(), target.display().to_string()));
        Ok(path)
    }

    /// Empties and removes it now; it is of no more use.
    pub(super) fn clear(&self) {
        let _ = fs::remove_dir_all(self.dir.path());
    }

    /// What a file in it holds by now; nothing when it is not there.
    pub(super) fn text(&self, name: &str) -> String {
        let bytes = fs::read(self.path(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// True once there is something of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        fs::symlink_metadata(self.path(name)).is_ok()
    }

    /// `text` with the names of the inventory in place of ours.
    pub(super) fn said(&self, text: &str) -> String {
        let mut said = text.to_owned();
        // The longest first: `key_1` begins `key_10`.
        let mut shown: Vec<_> = self.shown.iter().collect();
        shown.sort_by_key(|(own, _)| std::cmp::Reverse(own.len()));
        for (own, real) in shown {
            said = said.replace(own, real);
        }
        said
    }
}

fn is_plain(path: &Path) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-".contains(&b);
    let text = path.as_os_str().as_encoded_bytes();
    path.is_absolute() && path.is_dir() && text.len() <= LONGEST && text.iter().all(|b| plain(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_the_directory_is_ours_alone() {
        let mut place = Place::new().unwrap();
        let mode = fs::metadata(place.dir.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let one = place.link("key_1", Path::new("/a b/%h \"x\"")).unwrap();
        let ten = place.link("key_10", Path::new("/ten")).unwrap();
        assert!(one.len() + 17 < 104 && place.has("key_1") && !place.has("key"));
        assert_eq!(
            place.said(&format!("Load key \"{one}\" or {ten}: bad")),
            "Load key \"/a b/%h \"x\"\" or /ten: bad"
        );
        for odd in ["/no/such", "relative", "/tmp/a b", "/tmp/100%"] {
            assert!(!is_plain(Path::new(odd)), "{odd}");
        }
        let path = place.path("x");
        place.write("x", "1", 0o600).unwrap();
        place.write("x", "2", 0o700).unwrap();
        assert_eq!((&*place.text("x"), &*place.text("y")), ("2", ""));
        drop(place);
        assert!(!Path::new(&path).exists());
    }
}
