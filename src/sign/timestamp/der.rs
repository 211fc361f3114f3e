//! DER, as much as a time stamp has of it (X.690): one element after the other, definite lengths alone.
//! Reads; trusts nothing.

use super::StampFault;

/// Tags that a time stamp uses.
pub(super) mod tag {
    pub(in super::super) const BOOLEAN: u8 = 0x01;
    pub(in super::super) const INTEGER: u8 = 0x02;
    pub(in super::super) const OCTETS: u8 = 0x04;
    pub(in super::super) const OID: u8 = 0x06;
    pub(in super::super) const TEXT: u8 = 0x0c;
    pub(in super::super) const TIME: u8 = 0x18;
    pub(in super::super) const SEQUENCE: u8 = 0x30;
    pub(in super::super) const SET: u8 = 0x31;
}

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Der<'a>(pub &'a [u8]);

impl<'a> Der<'a> {
    /// The next element, whatever it is: its tag, its content, and all of it.
    pub(super) fn any(&mut self) -> Result<(u8, &'a [u8], &'a [u8]), StampFault> {
        let cut = || StampFault::Shape("it is cut off");
        let (&[tag, first], rest) = self.0.split_first_chunk::<2>().ok_or_else(cut)?;
        if tag & 0x1f == 0x1f {
            return Err(StampFault::Shape("it has a tag of several bytes"));
        }
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (bytes, rest) = rest
                    .split_at_checked(usize::from(first & 0x7f))
                    .ok_or_else(cut)?;
                let length = bytes
                    .iter()
                    .fold(0, |all, byte| all << 8 | usize::from(*byte));
                if length < 0x80 || bytes[0] == 0 {
                    return Err(StampFault::Shape("it has a length that DER writes shorter"));
                }
                (length, rest)
            }
            _ => return Err(StampFault::Shape("it has a length that DER does not know")),
        };
        let (content, after) = rest.split_at_checked(length).ok_or_else(cut)?;
        let whole = &self.0[..self.0.len() - after.len()];
        self.0 = after;
        Ok((tag, content, whole))
    }

    /// The content of the next element, which must be of this tag.
    pub(super) fn take(&mut self, wanted: u8) -> Result<Der<'a>, StampFault> {
        match self.any()? {
            (tag, content, _) if tag == wanted => Ok(Der(content)),
            _ => Err(StampFault::Shape(
                "an element is of another kind than RFC 3161 has there",
            )),
        }
    }

    /// As [`Der::take`], or nothing when the next element is of another tag or there is none.
    pub(super) fn maybe(&mut self, wanted: u8) -> Result<Option<Der<'a>>, StampFault> {
        match self.0.first() {
            Some(tag) if *tag == wanted => self.take(wanted).map(Some),
            _ => Ok(None),
        }
    }

    /// A whole number that is not negative, small enough to count with.
    pub(super) fn number(&mut self) -> Result<u64, StampFault> {
        match self.take(tag::INTEGER)?.0 {
            [] => Err(StampFault::Shape("a number has no digits")),
            bytes if bytes.len() > 8 || bytes[0] & 0x80 != 0 => {
                Err(StampFault::Shape("a number is too large"))
            }
            bytes => Ok(bytes
                .iter()
                .fold(0, |all, byte| all << 8 | u64::from(*byte))),
        }
    }

    /// Nothing may follow.
    pub(super) fn end(self) -> Result<(), StampFault> {
        match self.0 {
            [] => Ok(()),
            _ => Err(StampFault::Shape("something follows its end")),
        }
    }
}

/// `1.2.840.…` of the content of an object identifier.
pub(super) fn oid(content: &[u8]) -> String {
    let mut arcs = Vec::new();
    let mut arc = 0_u128;
    for byte in content.iter().take(64) {
        arc = arc << 7 | u128::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            match arcs.is_empty() {
                true => arcs.extend([(arc / 40).min(2), arc - 40 * (arc / 40).min(2)]),
                false => arcs.push(arc),
            }
            arc = 0;
        }
    }
    let arcs: Vec<_> = arcs.iter().map(u128::to_string).collect();
    arcs.join(".")
}

/// One element, written.
pub(super) fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut element = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length @ 0..=0x7f) => element.push(length),
        _ => {
            // Requests are a hundred bytes: two bytes of length hold any of them.
            let length = content.len() as u16;
            element.push(0x82);
            element.extend(length.to_be_bytes());
        }
    }
    element.extend(content);
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_elements_and_refuses_what_is_no_der() {
        let mut der = Der(&[0x02, 0x02, 0x01, 0x00, 0x30, 0x00]);
        assert_eq!(der.number().unwrap(), 256);
        assert!(der.maybe(tag::OCTETS).unwrap().is_none());
        assert!(der.take(tag::SEQUENCE).unwrap().0.is_empty());
        der.end().unwrap();
        let long = [&[0x04, 0x81, 0x80][..], &[7; 128]].concat();
        assert_eq!(Der(&long).take(tag::OCTETS).unwrap().0.len(), 128);
        for wrong in [
            &[][..],
            &[0x30],
            &[0x30, 0x01],
            &[0x30, 0x80, 0x00, 0x00],
            &[0x30, 0x81, 0x01, 0x00],
            &[0x30, 0x82, 0x00, 0x80],
            &[0x30, 0x85, 0, 0, 0, 0, 1],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x1f, 0x01, 0x00],
        ] {
            assert!(Der(wrong).any().is_err(), "{wrong:x?}");
        }
        for number in [
            &[0x02, 0x00][..],
            &[0x02, 0x01, 0x80],
            &[0x02, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        ] {
            assert!(Der(number).number().is_err(), "{number:x?}");
        }
    }

    #[test]
    fn an_identifier_is_said_with_dots() {
        assert_eq!(
            oid(&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03]),
            "2.16.840.1.101.3.4.2.3"
        );
        assert_eq!(oid(&[0x2a, 0x03, 0x04, 0x01]), "1.2.3.4.1");
    }
}
