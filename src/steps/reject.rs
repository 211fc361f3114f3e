//! `reject:` of an artifact: a line that says that this is a refusal and no artifact, whatever the exit
//! status (`redis-cli INFO` without a password prints `NOAUTH` and exits 0; facts: artifacts.md 0, 4).
//! Looks at lines as they come over the wire: of a compressed file at none that it would unpack to.

use std::io::{self, Write};

use crate::evidence::redact::Capture;
use crate::failure::{Failure, FailureKind};
use crate::inventory::Pattern;
use crate::transport::Sink;

/// Longest piece of a line that is looked at: what has no line breaks is no text.
const MOST: usize = 16 << 10;

/// Refuses what a command printed when a line of either stream matches; `stdout` has seen its own.
pub(super) fn printed(stdout: Lines, patterns: &[Pattern], stderr: &[u8]) -> Result<(), Failure> {
    let mut errors = Lines::new(patterns);
    errors.take(stderr);
    for mut lines in [stdout, errors] {
        if let Some((line, pattern)) = lines.found() {
            let kind = match speaks_of_rights(&line) {
                true => FailureKind::Denied,
                false => FailureKind::Mismatch,
            };
            let hint = match kind {
                FailureKind::Denied => {
                    "the program ran and was refused by what it asked: give this account the password, role or group that the product wants (its `needs:`)"
                }
                _ => {
                    "the program ran and did not print the artifact: run the command by hand with this account, and see `reject:` of the artifact"
                }
            };
            return Err(refusal(kind, &line, &pattern).with_hint(hint));
        }
    }
    Ok(())
}

fn refusal(kind: FailureKind, line: &str, pattern: &str) -> Failure {
    Failure::new(
        kind,
        format!("no line that matches `{pattern}`"),
        format!("`{}`", Capture::new(line).excerpt(160)),
    )
}

fn speaks_of_rights(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    [
        "noauth",
        "noperm",
        "denied",
        "permission",
        "not authorized",
        "unauthorized",
        "authentication",
        "authenticate",
        "forbidden",
        "password",
        "credentials",
        "not allowed",
        "access",
    ]
    .iter()
    .any(|word| line.contains(word))
}

/// Looks for the patterns in each line while it streams by, in constant memory.
pub(super) struct Lines {
    patterns: Vec<Pattern>,
    line: Vec<u8>,
    found: Option<(String, String)>,
}

impl Lines {
    pub(super) fn new(patterns: &[Pattern]) -> Self {
        Self {
            patterns: patterns.to_vec(),
            line: Vec::new(),
            found: None,
        }
    }

    fn take(&mut self, mut piece: &[u8]) {
        while self.found.is_none() && !self.patterns.is_empty() && !piece.is_empty() {
            let room = (MOST - self.line.len()).min(piece.len());
            let end = piece[..room].iter().position(|byte| *byte == b'\n');
            self.line.extend_from_slice(&piece[..end.unwrap_or(room)]);
            piece = &piece[end.map_or(room, |end| end + 1)..];
            if end.is_some() || self.line.len() == MOST {
                self.look();
            }
        }
    }

    fn look(&mut self) {
        let line = String::from_utf8_lossy(&self.line);
        let line = line.trim_end_matches('\r');
        let pattern = self
            .patterns
            .iter()
            .find(|pattern| pattern.0.is_match(line));
        self.found = pattern.map(|pattern| (line.to_owned(), pattern.0.as_str().to_owned()));
        self.line.clear();
    }

    fn found(&mut self) -> Option<(String, String)> {
        if self.found.is_none() && !self.line.is_empty() {
            self.look();
        }
        self.found.take()
    }

    /// Refuses a file or an answer of which a line matched.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        match self.found() {
            None => Ok(()),
            Some((line, pattern)) => Err(refusal(FailureKind::Mismatch, &line, &pattern)
                .with_hint("what came is a refusal in place of the artifact: look at it on the host, and at `reject:` of the artifact")),
        }
    }
}

impl Write for Lines {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.take(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes to both.
pub(super) struct Both(pub(super) Sink, pub(super) Sink);

impl Write for Both {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.write_all(piece)?;
        self.1.write_all(piece)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        self.1.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(sources: &[&str]) -> Vec<Pattern> {
        let compile = |source: &&str| Pattern(regex::Regex::new(source).unwrap());
        sources.iter().map(compile).collect()
    }

    fn judged(stdout: &str, stderr: &str) -> Result<(), Failure> {
        let patterns = patterns(&["^NOAUTH ", "^Config not found$"]);
        let mut lines = Lines::new(&patterns);
        lines.take(stdout.as_bytes());
        printed(lines, &patterns, stderr.as_bytes())
    }

    #[test]
    fn a_refusal_with_status_0_is_told_by_its_line() {
        assert_eq!(judged("# Server\r\nredis_version:7.0.15\r\n", ""), Ok(()));
        assert_eq!(judged("x NOAUTH \n", ""), Ok(()));
        let denied = judged("NOAUTH Authentication required.\r\n", "").unwrap_err();
        assert_eq!(denied.kind, FailureKind::Denied);
        assert_eq!(denied.actual, "`NOAUTH Authentication required.`");
        let other = judged("fine\n", "warning\nConfig not found").unwrap_err();
        assert_eq!(other.kind, FailureKind::Mismatch);
        let secret = judged("NOAUTH password=hunter2 is wrong\n", "").unwrap_err();
        assert!(!secret.actual.contains("hunter2"), "{}", secret.actual);
    }

    #[test]
    fn a_line_is_found_however_the_bytes_arrive_and_memory_stays() {
        let mut text = vec![b'x'; 3 * MOST];
        text.extend_from_slice(b"\nNOAUTH here\nrest");
        for size in [1, 7, MOST, text.len()] {
            let mut lines = Lines::new(&patterns(&["^NOAUTH here$"]));
            for piece in text.chunks(size) {
                lines.write_all(piece).unwrap();
                assert!(lines.line.len() <= MOST);
            }
            assert_eq!(lines.finish().unwrap_err().kind, FailureKind::Mismatch);
        }
        let mut lines = Lines::new(&patterns(&["^NOAUTH"]));
        lines.write_all(&text[..3 * MOST]).unwrap();
        assert_eq!(lines.finish(), Ok(()));
    }
}
