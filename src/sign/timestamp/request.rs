//! What an authority is asked: to stamp a SHA-512, and to send its certificate along (RFC 3161 2.4.1).

use sha2::{Digest as _, Sha512};

use super::StampFault;
use super::der::{Der, tag, write};

/// `id-sha512` (RFC 5754), with its absent parameters as NULL, as `openssl ts -query` writes it.
const SHA512: [u8; 13] = [
    0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00,
];

/// A request for a time stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    nonce: Vec<u8>,
    bytes: Vec<u8>,
}

impl Request {
    /// For a stamp of `content`. The nonce ties the answer to this request.
    #[must_use]
    pub fn of(content: &[u8], nonce: [u8; 8]) -> Self {
        // A positive number in its shortest form: the first byte neither negative nor zero.
        let mut nonce = nonce.to_vec();
        nonce[0] = nonce[0] & 0x7f | 0x40;
        let digest = write(tag::OCTETS, &Sha512::digest(content));
        let imprint = [write(tag::SEQUENCE, &SHA512), digest].concat();
        let inside = [
            write(tag::INTEGER, &[1]),
            write(tag::SEQUENCE, &imprint),
            write(tag::INTEGER, &nonce),
            write(tag::BOOLEAN, &[0xff]),
        ];
        let bytes = write(tag::SEQUENCE, &inside.concat());
        Self { nonce, bytes }
    }

    /// Reads a request that was written before.
    ///
    /// # Errors
    /// When it is none of ours.
    pub fn parse(bytes: &[u8]) -> Result<Self, StampFault> {
        let mut whole = Der(bytes);
        let mut inside = whole.take(tag::SEQUENCE)?;
        whole.end()?;
        inside.number()?;
        inside.take(tag::SEQUENCE)?;
        let nonce = inside.take(tag::INTEGER)?.0.to_vec();
        let bytes = bytes.to_vec();
        Ok(Self { nonce, bytes })
    }

    /// As it is sent, with content type `application/timestamp-query`.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the answer must repeat.
    pub(super) fn nonce(&self) -> &[u8] {
        &self.nonce
    }
}
