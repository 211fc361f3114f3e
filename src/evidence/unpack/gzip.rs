//! gzip (RFC 1952): members one after the other, and zero padding behind the last. A live log may end
//! inside a member. Memory is constant, and deflate unpacks to at most 1032 times its size, so a bomb
//! costs time only, and the transport's deadline ends that.

use std::io::{self, Write};

use flate2::write::GzDecoder;

use super::{CAP, Tail, abandoned, bomb, corrupt, defect, ends_early, trailing};
use crate::evidence::Content;
use crate::evidence::reader::Reader;
use crate::failure::Failure;
use crate::text;

/// RFC 1952, 2.3.1: ID1 and ID2.
const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The program that writes it.
pub const NAME: &str = "gzip";

/// Passes bytes on to a reader, unpacking them first when they are gzip.
pub struct Gunzip<R: Write> {
    state: State<R>,
    tail: Tail,
    cap: u64,
}

enum State<R: Write> {
    /// No byte seen, or one that may begin the magic.
    Start(R, Option<u8>),
    /// Not gzip.
    Plain(R),
    /// Inside a member, or right behind one.
    Member(Box<GzDecoder<Metered<R>>>, Place),
    /// Zero bytes behind the last member, as tape blocks leave them; gzip(1) ignores them too.
    Padding(R),
    /// Judged; the rest is swallowed.
    Failed(Failure),
}

/// Which member of a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    First,
    Later,
}

impl<R: Reader> Gunzip<R> {
    /// Passes on to `reader`.
    pub const fn new(reader: R, tail: Tail) -> Self {
        Self {
            state: State::Start(reader, None),
            tail,
            cap: CAP,
        }
    }

    /// Unpacks at most `bytes`; one more is `too-large`.
    #[cfg(test)]
    const fn with_cap(mut self, bytes: u64) -> Self {
        self.cap = bytes;
        self
    }
}

impl<R: Write> State<R> {
    /// Takes the front of `piece` and moves on; takes at least one byte, or changes the state.
    fn step(self, piece: &mut &[u8], cap: u64) -> Self {
        match self {
            Self::Start(reader, seen) => start(reader, seen, piece, cap),
            Self::Plain(mut reader) => match reader.write_all(piece) {
                Ok(()) => {
                    *piece = &[];
                    Self::Plain(reader)
                }
                Err(error) => Self::Failed(defect(&error)),
            },
            Self::Member(mut decoder, place) => match decoder.write(piece) {
                Ok(0) => behind(decoder, piece, cap),
                Ok(taken) => {
                    *piece = &piece[taken..];
                    Self::Member(decoder, place)
                }
                Err(error) => Self::Failed(refusal(&decoder, place, &error)),
            },
            Self::Padding(reader) if piece.iter().all(|byte| *byte == 0) => {
                *piece = &[];
                Self::Padding(reader)
            }
            Self::Padding(_) => Self::Failed(trailing(NAME)),
            Self::Failed(failure) => {
                *piece = &[];
                Self::Failed(failure)
            }
        }
    }
}

/// Decides between gzip and anything else.
fn start<R: Write>(reader: R, seen: Option<u8>, piece: &mut &[u8], cap: u64) -> State<R> {
    let mut head = [0; 2];
    let mut have = 0;
    for byte in seen.into_iter().chain(piece.iter().copied()).take(2) {
        head[have] = byte;
        have += 1;
    }
    if have == 1 && head[0] == MAGIC[0] {
        *piece = &[];
        return State::Start(reader, Some(head[0]));
    }
    let mut state = if head == MAGIC {
        member(reader, cap, 0, Place::First)
    } else {
        State::Plain(reader)
    };
    if let Some(byte) = seen {
        let mut first: &[u8] = &[byte];
        while !first.is_empty() {
            state = state.step(&mut first, cap);
        }
    }
    state
}

fn member<R: Write>(reader: R, cap: u64, unpacked: u64, place: Place) -> State<R> {
    let metered = Metered {
        reader: Some(reader),
        unpacked,
        cap,
        over: false,
    };
    State::Member(Box::new(GzDecoder::new(metered)), place)
}

/// A member takes no more bytes: its checksum decides, then comes another member, padding or dirt.
fn behind<R: Write>(mut decoder: Box<GzDecoder<Metered<R>>>, piece: &[u8], cap: u64) -> State<R> {
    if let Err(error) = decoder.try_finish() {
        return State::Failed(refusal(&decoder, Place::First, &error));
    }
    let unpacked = decoder.get_ref().unpacked;
    match (decoder.get_mut().reader.take(), piece.first()) {
        (Some(reader), Some(0)) => State::Padding(reader),
        (Some(reader), Some(byte)) if *byte == MAGIC[0] => {
            member(reader, cap, unpacked, Place::Later)
        }
        _ => State::Failed(trailing(NAME)),
    }
}

impl<R: Reader> Write for Gunzip<R> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut rest = piece;
        while !rest.is_empty() {
            let state = std::mem::replace(&mut self.state, State::Failed(abandoned()));
            self.state = state.step(&mut rest, self.cap);
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<R: Reader> Reader for Gunzip<R> {
    fn finish(self: Box<Self>) -> Result<Content, Failure> {
        let mut is_unfinished = false;
        let reader = match self.state {
            State::Start(reader, None) | State::Plain(reader) | State::Padding(reader) => reader,
            State::Start(mut reader, Some(byte)) => {
                reader.write_all(&[byte]).map_err(|error| defect(&error))?;
                reader
            }
            State::Member(decoder, place) => {
                let (reader, is_cut) = last(decoder, place, self.tail)?;
                is_unfinished = is_cut;
                reader
            }
            State::Failed(failure) => return Err(failure),
        };
        let mut content = Box::new(reader).finish()?;
        if let Content::Log(seen) = &mut content {
            seen.is_unfinished = is_unfinished;
        }
        Ok(content)
    }
}

/// Ends the stream inside (true) or right behind a member.
fn last<R: Write>(
    mut decoder: Box<GzDecoder<Metered<R>>>,
    place: Place,
    tail: Tail,
) -> Result<(R, bool), Failure> {
    let mut is_unfinished = false;
    if let Err(error) = decoder.try_finish() {
        let metered = decoder.get_ref();
        let early = !metered.over
            && (error.kind() == io::ErrorKind::UnexpectedEof
                // flate2 calls a clipped trailer a wrong checksum. A member that has its whole
                // trailer takes no further byte; one that takes it was clipped.
                || matches!(decoder.write(&[0]), Ok(1)));
        match (early, tail) {
            (true, Tail::Open) => is_unfinished = true,
            (true, Tail::Closed) => return Err(ends_early(NAME)),
            (false, _) => return Err(refusal(&decoder, place, &error)),
        }
    }
    let reader = decoder.get_mut().reader.take().ok_or_else(abandoned)?;
    Ok((reader, is_unfinished))
}

/// Counts what is unpacked and stops at the cap.
struct Metered<R> {
    reader: Option<R>,
    unpacked: u64,
    cap: u64,
    over: bool,
}

impl<R: Write> Write for Metered<R> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.unpacked += piece.len() as u64;
        if self.unpacked > self.cap {
            self.over = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        // Without a reader this is the decoder's own `drop`, which may write once more.
        if let Some(reader) = &mut self.reader {
            reader.write_all(piece)?;
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn refusal<R: Write>(decoder: &GzDecoder<Metered<R>>, place: Place, error: &io::Error) -> Failure {
    let metered = decoder.get_ref();
    if metered.over {
        return bomb(NAME, &text::size(metered.cap));
    }
    match (decoder.header().is_some(), place) {
        (false, Place::Later) => trailing(NAME),
        (false, Place::First) => corrupt(NAME, "its header is damaged"),
        (true, _) => corrupt(NAME, &format!("it is damaged: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureKind;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    /// Shows what was passed on as the root of a document.
    #[derive(Default)]
    struct Echo(Vec<u8>);

    impl Write for Echo {
        fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
            self.0.extend_from_slice(piece);
            Ok(piece.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Reader for Echo {
        fn finish(self: Box<Self>) -> Result<Content, Failure> {
            Ok(Content::Version(
                String::from_utf8_lossy(&self.0).into_owned(),
            ))
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8], step: usize, tail: Tail) -> Result<String, Failure> {
        let mut reader = Gunzip::new(Echo::default(), tail);
        for piece in bytes.chunks(step) {
            reader.write_all(piece).unwrap();
        }
        match Box::new(reader).finish()? {
            Content::Version(text) => Ok(text),
            other => panic!("{other:?}"),
        }
    }

    /// Whatever the pieces, the judgement is the same.
    fn every_way(bytes: &[u8], tail: Tail) -> Result<String, Failure> {
        let whole = read(bytes, usize::MAX, tail);
        for step in [1, 2, 3, 7, 19] {
            assert_eq!(read(bytes, step, tail), whole, "in pieces of {step}");
        }
        whole
    }

    #[test]
    fn plain_bytes_pass_as_they_are() {
        for plain in [
            &b""[..],
            b"x",
            b"\x1f",
            b"\x1fx",
            b"plain text",
            b"\x8b\x1f",
        ] {
            let passed = every_way(plain, Tail::Closed).unwrap();
            assert_eq!(passed.as_bytes(), String::from_utf8_lossy(plain).as_bytes());
        }
    }

    #[test]
    fn every_member_is_unpacked_and_zero_padding_is_ignored() {
        let two = [gzip(b"one,"), gzip(b""), gzip(b"two")].concat();
        assert_eq!(every_way(&two, Tail::Closed).unwrap(), "one,two");
        let padded = [&two[..], &[0; 600]].concat();
        assert_eq!(every_way(&padded, Tail::Closed).unwrap(), "one,two");
    }

    #[test]
    fn a_stream_cut_anywhere_ends_early() {
        let text: String = (0..400).map(|n| format!("{n} ")).collect();
        let whole = gzip(text.as_bytes());
        for cut in 2..whole.len() {
            let failure = every_way(&whole[..cut], Tail::Closed).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Corrupt);
            assert_eq!(failure.actual, "the gzip stream ends early", "cut at {cut}");
            let open = read(&whole[..cut], usize::MAX, Tail::Open).unwrap();
            assert!(text.starts_with(&open));
        }
        // Only the checksum is missing: everything is there.
        let trailer = read(&whole[..whole.len() - 8], 100, Tail::Open).unwrap();
        assert_eq!(trailer, text);
        let second = [&whole[..], &whole[..whole.len() - 9]].concat();
        assert!(every_way(&second, Tail::Closed).is_err());
    }

    #[test]
    fn a_wrong_checksum_is_corrupt_even_when_the_tail_may_be_open() {
        let mut bytes = gzip(b"some text");
        let crc = bytes.len() - 8;
        bytes[crc] ^= 1;
        for tail in [Tail::Closed, Tail::Open] {
            let failure = every_way(&bytes, tail).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Corrupt);
            assert!(failure.actual.contains("checksum"), "{}", failure.actual);
            let followed = [&bytes[..], &gzip(b"more")].concat();
            assert!(every_way(&followed, tail).is_err());
        }
    }

    #[test]
    fn dirt_behind_a_member_and_a_damaged_header_are_corrupt() {
        for dirt in [&b"dirt"[..], b"\0\0dirt", b"\x1f\x8bdirtdirtdirt", b"d"] {
            let bytes = [&gzip(b"text")[..], dirt].concat();
            let failure = every_way(&bytes, Tail::Open).unwrap_err();
            assert!(failure.actual.ends_with("not gzip follow it"), "{dirt:?}");
        }
        let failure = every_way(b"\x1f\x8b\x07 not deflate at all", Tail::Open).unwrap_err();
        assert!(failure.actual.contains("header"), "{}", failure.actual);
    }

    #[test]
    fn a_bomb_stops_at_the_cap_over_all_members() {
        let member = gzip(&vec![b'x'; 1 << 20]);
        let bomb = [&member[..], &member[..]].concat();
        let judge = |cap| {
            let mut reader = Gunzip::new(Echo::default(), Tail::Closed).with_cap(cap);
            reader.write_all(&bomb).unwrap();
            Box::new(reader).finish()
        };
        let failure = judge((2 << 20) - 1).unwrap_err();
        assert_eq!(failure.kind, FailureKind::TooLarge);
        assert!(judge(2 << 20).is_ok());
    }
}
