//! Keeps the first bytes of a small text file, such as one that holds a version. Reads nothing in
//! them: that is for `version`.

use std::io::{self, Write};

use super::redact::Capture;

/// Bytes that a version file is worth reading: a page of text.
pub const PAGE: usize = 64 * 1024;

/// Captures at most a fixed number of bytes and counts the rest.
#[derive(Debug)]
pub struct Text {
    head: Vec<u8>,
    limit: usize,
    bytes: u64,
}

impl Text {
    /// Captures at most `limit` bytes.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self {
            head: Vec::new(),
            limit,
            bytes: 0,
        }
    }

    /// Bytes seen, captured or not.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// True when there was more than the limit.
    #[must_use]
    pub const fn is_clipped(&self) -> bool {
        self.bytes > self.limit as u64
    }

    /// What was captured.
    #[must_use]
    pub fn into_capture(self) -> Capture {
        Capture::new(self.head)
    }
}

impl Write for Text {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let room = self.limit - self.head.len();
        self.head.extend_from_slice(&piece[..room.min(piece.len())]);
        self.bytes += piece.len() as u64;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_head_and_counts_the_rest() {
        let mut text = Text::new(4);
        text.write_all(b"5.3").unwrap();
        assert!(!text.is_clipped());
        text.write_all(b".4.12\n").unwrap();
        assert!(text.is_clipped());
        assert_eq!(text.bytes(), 9);
        assert_eq!(text.into_capture().redact().text, "5.3.");
    }
}
