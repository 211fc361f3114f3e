//! Turns what a log is written in into UTF-8, before lines are looked for. UTF-8 passes as it is,
//! invalid bytes included.
//!
//! A byte order mark (Unicode 15.0, 23.8) has the last word; without one the inventory has it.

use crate::inventory::Encoding;

/// Bytes that are turned at once: what bounds the memory for it.
const CHUNK: usize = 8 * 1024;

/// Decodes a stream.
#[derive(Debug)]
pub struct Decode {
    state: State,
    text: String,
}

#[derive(Debug)]
enum State {
    /// Too few bytes so far to tell a mark.
    Undecided(Option<Encoding>, Vec<u8>),
    Utf8,
    Latin1,
    Utf16(Units),
}

/// What is left of the last piece of UTF-16.
#[derive(Debug)]
struct Units {
    is_big: bool,
    byte: Option<u8>,
    /// A high surrogate, whose low one comes next.
    high: Option<u16>,
}

impl Decode {
    /// `declared`: what the inventory says.
    pub const fn new(declared: Option<Encoding>) -> Self {
        Self {
            state: State::Undecided(declared, Vec::new()),
            text: String::new(),
        }
    }

    /// Gives `piece` on as UTF-8.
    pub fn pass(&mut self, mut piece: &[u8], mut next: impl FnMut(&[u8])) {
        if let State::Undecided(declared, head) = &mut self.state {
            let missing = 3 - head.len();
            let (front, rest) = piece.split_at(missing.min(piece.len()));
            head.extend_from_slice(front);
            if head.len() < 3 {
                return;
            }
            let (declared, head) = (*declared, std::mem::take(head));
            self.decide(declared, &head, &mut next);
            piece = rest;
        }
        self.turn(piece, &mut next);
    }

    /// Gives what was held back: of a stream of one or two bytes, all of it.
    pub fn finish(&mut self, mut next: impl FnMut(&[u8])) {
        if let State::Undecided(declared, head) = &mut self.state {
            let (declared, head) = (*declared, std::mem::take(head));
            self.decide(declared, &head, &mut next);
        }
    }

    fn decide(&mut self, declared: Option<Encoding>, head: &[u8], next: &mut impl FnMut(&[u8])) {
        let utf16 = |is_big| {
            State::Utf16(Units {
                is_big,
                byte: None,
                high: None,
            })
        };
        let (state, mark) = match (head, declared) {
            ([0xff, 0xfe, ..], _) => (utf16(false), 2),
            ([0xfe, 0xff, ..], _) => (utf16(true), 2),
            ([0xef, 0xbb, 0xbf, ..], _) => (State::Utf8, 3),
            // A log begins with ASCII, whose high byte is 0.
            ([0, 1..=u8::MAX, ..], Some(Encoding::Utf16)) => (utf16(true), 0),
            (_, Some(Encoding::Utf16)) => (utf16(false), 0),
            (_, Some(Encoding::Latin1)) => (State::Latin1, 0),
            (_, Some(Encoding::Utf8) | None) => (State::Utf8, 0),
        };
        self.state = state;
        self.turn(&head[mark..], next);
    }

    fn turn(&mut self, piece: &[u8], next: &mut impl FnMut(&[u8])) {
        match &mut self.state {
            State::Undecided(..) | State::Utf8 => next(piece),
            State::Latin1 => {
                for chunk in piece.chunks(CHUNK) {
                    self.text.clear();
                    self.text.extend(chunk.iter().map(|byte| char::from(*byte)));
                    next(self.text.as_bytes());
                }
            }
            State::Utf16(units) => {
                for chunk in piece.chunks(CHUNK) {
                    self.text.clear();
                    units.turn(chunk, &mut self.text);
                    next(self.text.as_bytes());
                }
            }
        }
    }
}

impl Units {
    /// Half a pair becomes U+FFFD.
    fn turn(&mut self, chunk: &[u8], text: &mut String) {
        let mut units = Vec::with_capacity(chunk.len() / 2 + 2);
        units.extend(self.high.take());
        for byte in chunk {
            let Some(first) = self.byte.take() else {
                self.byte = Some(*byte);
                continue;
            };
            units.push(match self.is_big {
                true => u16::from_be_bytes([first, *byte]),
                false => u16::from_le_bytes([first, *byte]),
            });
        }
        if let Some(0xd800..=0xdbff) = units.last() {
            self.high = units.pop();
        }
        let decoded = char::decode_utf16(units);
        text.extend(decoded.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
    }
}

/// `Some(true)` when the bytes look like big-endian UTF-16 of mostly ASCII text, `Some(false)` when
/// little-endian: every other byte is NUL.
pub fn looks_like_utf16(head: &[u8]) -> Option<bool> {
    let pairs = head.len() / 2;
    let nuls = |first: usize| {
        let bytes = head.iter().skip(first).step_by(2).take(pairs);
        bytes.filter(|byte| **byte == 0).count()
    };
    let (even, odd) = (nuls(0), nuls(1));
    // Nine of ten: text of another script has a few other high bytes, but never a NUL low byte.
    let most = |many: usize, few: usize| pairs >= 4 && many * 10 >= pairs * 9 && few * 10 <= pairs;
    match (most(even, odd), most(odd, even)) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "2026 grüße 🦀\nend";

    fn decode(declared: Option<Encoding>, bytes: &[u8]) -> Vec<u8> {
        let judge = |step: usize| {
            let mut decode = Decode::new(declared);
            let mut all = Vec::new();
            for piece in bytes.chunks(step) {
                decode.pass(piece, |text| all.extend_from_slice(text));
            }
            decode.finish(|text| all.extend_from_slice(text));
            all
        };
        let whole = judge(usize::MAX);
        for step in [1, 2, 3, 5, 8192] {
            assert_eq!(judge(step), whole, "in pieces of {step}");
        }
        whole
    }

    fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn a_mark_has_the_last_word() {
        let marked = format!("\u{feff}{TEXT}");
        for declared in [
            None,
            Some(Encoding::Utf8),
            Some(Encoding::Utf16),
            Some(Encoding::Latin1),
        ] {
            assert_eq!(decode(declared, marked.as_bytes()), TEXT.as_bytes());
            for unit in [u16::to_le_bytes, u16::to_be_bytes] {
                assert_eq!(decode(declared, &utf16(&marked, unit)), TEXT.as_bytes());
            }
        }
    }

    #[test]
    fn without_a_mark_the_inventory_has_it() {
        let utf16 = |unit| decode(Some(Encoding::Utf16), &self::utf16(TEXT, unit));
        assert_eq!(utf16(u16::to_le_bytes), TEXT.as_bytes());
        assert_eq!(utf16(u16::to_be_bytes), TEXT.as_bytes());
        let latin = decode(Some(Encoding::Latin1), b"gr\xfc\xdfe");
        assert_eq!(latin, "grüße".as_bytes());
        for bytes in [&b""[..], b"a", b"ab", b"gr\xfc\xdfe\0"] {
            assert_eq!(decode(None, bytes), bytes);
        }
        let long = "größe\n".repeat(10_000);
        let bytes = self::utf16(&long, u16::to_le_bytes);
        assert_eq!(decode(Some(Encoding::Utf16), &bytes), long.as_bytes());
    }

    #[test]
    fn half_a_pair_and_half_a_unit_do_no_harm() {
        let broken = decode(Some(Encoding::Utf16), b"a\0\x3d\xd8b\0\x00");
        assert_eq!(broken, "a\u{fffd}b".as_bytes());
        // Cut inside a pair: nothing follows.
        assert_eq!(decode(Some(Encoding::Utf16), b"a\0\x3d\xd8"), b"a");
    }

    #[test]
    fn utf16_is_recognised_by_its_nuls() {
        let le = utf16(TEXT, u16::to_le_bytes);
        let be = utf16(TEXT, u16::to_be_bytes);
        let ascii = utf16("2026-11-21 started", u16::to_le_bytes);
        assert_eq!(looks_like_utf16(&ascii), Some(false));
        assert_eq!(looks_like_utf16(&le[..20]), Some(false));
        assert_eq!(looks_like_utf16(&be[..20]), Some(true));
        for other in [&[0; 64][..], b"plain text, no NUL", b"a\0b\0", b""] {
            assert_eq!(looks_like_utf16(other), None);
        }
    }
}
