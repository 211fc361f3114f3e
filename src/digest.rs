//! SHA-256 as a type: what a byte stream was, never a string that might be one.
//! Hashes and nothing else; who signs a digest is `sign`'s business.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256 as Hasher};

/// A SHA-256 digest (FIPS 180-4), written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Hasher::digest(bytes).into())
    }

    /// The 32 raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a SHA-256 digest: 64 lower-case hexadecimal digits expected")]
pub struct NotADigest;

impl FromStr for Sha256 {
    type Err = NotADigest;

    // Upper case is refused: one digest has one spelling, so text comparison stays sound.
    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(NotADigest);
        }
        let nibble = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(NotADigest),
        };
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

/// Hashes a stream piece by piece, in constant memory.
#[derive(Clone, Default)]
pub struct Stream(Hasher);

impl Stream {
    /// Takes the next piece of the stream.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of everything taken so far.
    #[must_use]
    pub fn finish(self) -> Sha256 {
        Sha256(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // FIPS 180-4 example: the digest of "abc".
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn of_stream_and_text_agree() {
        let mut stream = Stream::default();
        stream.update(b"a");
        stream.update(b"bc");
        assert_eq!(Sha256::of(b"abc").to_string(), ABC);
        assert_eq!(stream.finish(), ABC.parse().unwrap());
    }

    #[test]
    fn one_digest_has_one_spelling() {
        assert_eq!(ABC.to_uppercase().parse::<Sha256>(), Err(NotADigest));
        assert_eq!(ABC[1..].parse::<Sha256>(), Err(NotADigest));
        assert!(ABC.parse::<Sha256>().is_ok());
    }
}
