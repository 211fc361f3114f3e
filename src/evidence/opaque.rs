//! The reader for bytes of no known format: they are there, or they are not. Looks at nothing else.

use std::io::{self, Write};

use super::Content;
use super::reader::Reader;
use crate::failure::{Failure, FailureKind};

/// Counts bytes.
#[derive(Debug, Default)]
pub struct Opaque(u64);

impl Opaque {
    /// Bytes seen so far.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.0
    }
}

impl Write for Opaque {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0 += piece.len() as u64;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader for Opaque {
    fn finish(self: Box<Self>) -> Result<Content, Failure> {
        match self.0 {
            0 => Err(empty("a file with content")),
            _ => Ok(Content::Opaque),
        }
    }
}

/// The failure for an artifact of zero bytes.
pub(super) fn empty(expected: &str) -> Failure {
    Failure::new(FailureKind::Empty, expected, "0 bytes").with_hint(
        "check that the product writes to this path and that its disk is not full; an empty file \
         proves nothing",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_is_something() {
        let mut reader = Opaque::default();
        reader.write_all(b"x").unwrap();
        assert_eq!(reader.bytes(), 1);
        assert_eq!(Box::new(reader).finish(), Ok(Content::Opaque));
        let failure = Box::new(Opaque::default()).finish().unwrap_err();
        assert_eq!(failure.kind, FailureKind::Empty);
    }
}
