//! Makes a command believe that it runs on the made-up host: the few absolute paths that exist there
//! are replaced, as text, by where they really are, and back again in what the command prints.
//! Not a sandbox: a command that names any other path sees this machine.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// The paths that exist on a made-up host.
const SHOWN: [&[u8]; 3] = [b"/opt/amps", b"/etc/hostname", b"/etc/machine-id"];

/// `command` with each of the shown paths moved below `root`. Only whole path names are meant:
/// neither `/srv/opt/amps` nor `/opt/amps2` is touched.
pub(super) fn inward(command: &[u8], root: &Path) -> Vec<u8> {
    let root = root.as_os_str().as_bytes();
    let mut moved = Vec::with_capacity(command.len() + 64);
    let mut at = 0;
    while at < command.len() {
        let before = at.checked_sub(1).map(|index| command[index]);
        let shown = SHOWN.into_iter().find(|shown| {
            let after = command[at..].strip_prefix(*shown);
            !before.is_some_and(names)
                && after
                    .is_some_and(|after| !after.first().is_some_and(|c| names(*c) && *c != b'/'))
        });
        match shown {
            Some(shown) => {
                moved.extend_from_slice(root);
                moved.extend_from_slice(shown);
                at += shown.len();
            }
            None => {
                moved.push(command[at]);
                at += 1;
            }
        }
    }
    moved
}

/// True for what a path name may go on with.
const fn names(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'/' | b'.' | b'_' | b'-')
}

/// Takes the root's real path out of a stream, wherever the stream is cut.
pub(super) struct Outward {
    needle: Vec<u8>,
    held: Vec<u8>,
}

impl Outward {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            needle: root.as_os_str().as_bytes().to_owned(),
            held: Vec::new(),
        }
    }

    /// Takes the next piece and gives what can be shown by now.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(piece);
        let mut shown = Vec::with_capacity(self.held.len());
        let mut rest = self.held.as_slice();
        while let Some(start) = rest.iter().position(|c| *c == self.needle[0]) {
            shown.extend_from_slice(&rest[..start]);
            rest = &rest[start..];
            if rest.starts_with(&self.needle) {
                rest = &rest[self.needle.len()..];
            } else if self.needle.starts_with(rest) {
                break;
            } else {
                shown.push(rest[0]);
                rest = &rest[1..];
            }
        }
        if !self.needle.starts_with(rest) || rest.is_empty() {
            shown.extend_from_slice(rest);
            rest = &[];
        }
        self.held = rest.to_owned();
        shown
    }

    /// What was held back in case it began the root's path.
    pub(super) fn finish(self) -> Vec<u8> {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_whole_path_names_only() {
        let moved = |command: &str| {
            String::from_utf8(inward(command.as_bytes(), Path::new("/tmp/x"))).unwrap()
        };
        for (command, expected) in [
            (
                "/opt/amps/a/bin/ampServer --version",
                "/tmp/x/opt/amps/a/bin/ampServer --version",
            ),
            (
                "ls '/opt/amps' /opt/amps",
                "ls '/tmp/x/opt/amps' /tmp/x/opt/amps",
            ),
            ("cat /etc/machine-id;", "cat /tmp/x/etc/machine-id;"),
            (
                "ls /opt/amps2 /srv/opt/amps x/opt/amps",
                "ls /opt/amps2 /srv/opt/amps x/opt/amps",
            ),
            (
                "cat /etc/hostname-backup /etc/passwd",
                "cat /etc/hostname-backup /etc/passwd",
            ),
        ] {
            assert_eq!(moved(command), expected);
        }
    }

    #[test]
    fn hides_the_root_wherever_the_stream_is_cut() {
        let text = b"/tmp//tmp/xx /tmp/x/opt/amps: /tmp/x and /tmp/x/tmp/x/a /t";
        let expected = b"/tmp/x /opt/amps:  and /a /t";
        for size in 1..text.len() {
            let mut outward = Outward::new(Path::new("/tmp/x"));
            let mut shown = Vec::new();
            for piece in text.chunks(size) {
                shown.extend(outward.feed(piece));
            }
            shown.extend(outward.finish());
            assert_eq!(
                String::from_utf8_lossy(&shown),
                String::from_utf8_lossy(expected),
                "{size}"
            );
        }
    }
}
