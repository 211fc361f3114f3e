//! The binary fields of SSH (RFC 4251, section 5) as agents and revocation lists use them. Takes what is
//! there or nothing: never reads past the end, whatever a length says.

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub fn byte(&mut self) -> Option<u8> {
        self.bytes(1)?.first().copied()
    }

    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.bytes(4)?.try_into().ok()?))
    }

    pub fn u64(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.bytes(8)?.try_into().ok()?))
    }

    pub fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.bytes(usize::try_from(length).ok()?)
    }
}

/// `value` with its length before it. Of a length that no field can tell nothing is written whole, and
/// whoever reads it refuses it.
pub(super) fn put_string(into: &mut Vec<u8>, value: &[u8]) {
    into.extend(u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
    into.extend(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_was_put_and_never_more() {
        let mut bytes = vec![7];
        put_string(&mut bytes, b"abc");
        bytes.extend(9_u64.to_be_bytes());
        let mut fields = Fields(&bytes);
        assert_eq!(fields.byte(), Some(7));
        assert_eq!(fields.string(), Some(b"abc".as_slice()));
        assert_eq!(fields.u64(), Some(9));
        assert!(fields.is_empty() && fields.byte().is_none());
        for length in 0..8 {
            assert_eq!(Fields(&bytes[1..][..length.min(6)]).string(), None);
        }
        assert_eq!(Fields(&[0xff; 12]).string(), None);
    }
}
