//! Unpacks a compressed log on its way to another reader: told by its first bytes and never by its
//! name, unpacked once, whatever is inside. Every member, frame or stream is unpacked and every checksum
//! is checked (facts: traps.md T14).
//!
//! Memory is that of one window, time that of the bytes that came: what unpacks to more than
//! [`RATIO`] times its size is no log, and so a few bytes cannot keep a reader busy when the transport's
//! deadline has passed.

mod bzip2;
mod codec;
mod gzip;
#[cfg(test)]
mod tests;
mod xz;
mod zstd;

use std::io::{self, Write};

use self::bzip2::Bzip2;
use self::codec::{Codec, Packed};
use self::gzip::Gunzip;
use self::xz::Xz;
use self::zstd::Zstd;
use super::Content;
use super::reader::Reader;
use crate::failure::{Failure, FailureKind};

/// Most bytes that a file may unpack to.
const CAP: u64 = 64 << 30;

/// Most bytes that each packed byte may stand for, once [`FREE`] bytes were unpacked. Deflate reaches
/// half of it with zeros; logs, whose times differ, do not come near.
const RATIO: u64 = 2048;

/// Bytes that may be unpacked whatever the packed size: time that no deadline misses.
const FREE: u64 = 64 << 20;

/// What the end of a gzip stream may look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Complete: the last member ends with its checksum.
    Closed,
    /// Perhaps still growing: the live file of an AMPS target with `Protocol` gzip is an unfinished
    /// member (facts: artifacts.md 2.3). A checksum that is there must still be right.
    Open,
}

/// Passes bytes on to a reader, unpacking them first when they are packed.
pub struct Unpack {
    state: State,
    tail: Tail,
}

enum State {
    /// Too few bytes so far to tell.
    Start(Box<dyn Reader>, Vec<u8>),
    Plain(Box<dyn Reader>),
    Packed(Box<dyn Reader>, &'static str),
    /// Never seen: stands in while the state changes.
    Gone,
}

impl Unpack {
    /// Passes on to `reader`.
    #[must_use]
    pub fn new(reader: Box<dyn Reader>, tail: Tail) -> Self {
        Self {
            state: State::Start(reader, Vec::new()),
            tail,
        }
    }
}

/// What the first bytes of a file say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Undecided,
    Plain,
    Gzip,
    Zstd,
    Xz,
    Bzip2,
}

fn kind(head: &[u8]) -> Kind {
    match head {
        // RFC 1952, 2.3.1: ID1 and ID2.
        [0x1f, 0x8b, ..] => Kind::Gzip,
        // RFC 8878, 3.1.1: a frame; 3.1.2: a skippable one, with which pzstd(1) begins.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Kind::Zstd,
        // The .xz File Format 1.2.1, 2.1.1.1.
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Kind::Xz,
        // bzip2's header, then a block's or the end's magic: a text may begin with `BZh`.
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..] => Kind::Bzip2,
        _ if is_begun(head) => Kind::Undecided,
        _ => Kind::Plain,
    }
}

fn is_begun(head: &[u8]) -> bool {
    let magic = |magic: &[u8]| magic.starts_with(head);
    let skippable = match head {
        [first @ 0x50..=0x5f, ..] => magic(&[*first, 0x2a, 0x4d, 0x18]),
        _ => false,
    };
    let bzip2 = matches!(head, [b'B', b'Z', b'h', b'1'..=b'9']) || magic(b"BZh");
    skippable
        || bzip2
        || [&[0x1f, 0x8b][..], &[0x28, 0xb5, 0x2f, 0xfd], b"\xfd7zXZ\0"]
            .into_iter()
            .any(magic)
}

impl Write for Unpack {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Plain(reader) | State::Packed(reader, _) => reader.write_all(piece)?,
            State::Gone => {}
            State::Start(_, head) => {
                // The longest magic is decided with seven bytes; a piece brings more at once.
                head.extend_from_slice(piece);
                let kind = kind(head);
                if kind != Kind::Undecided {
                    self.decide(kind)?;
                }
            }
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Unpack {
    fn decide(&mut self, kind: Kind) -> io::Result<()> {
        let State::Start(reader, head) = std::mem::replace(&mut self.state, State::Gone) else {
            return Ok(());
        };
        let state = match kind {
            Kind::Undecided | Kind::Plain => State::Plain(reader),
            Kind::Gzip => State::Packed(Box::new(Gunzip::new(reader, self.tail)), gzip::NAME),
            Kind::Zstd => packed(reader, Zstd::new),
            Kind::Xz => packed(reader, Xz::new),
            Kind::Bzip2 => packed(reader, || Ok(Bzip2::new())),
        };
        self.state = state;
        self.write_all(&head)
    }
}

fn packed<C: Codec + 'static>(
    reader: Box<dyn Reader>,
    codec: impl FnOnce() -> io::Result<C>,
) -> State {
    State::Packed(Box::new(Packed::new(reader, codec)), C::NAME)
}

impl Reader for Unpack {
    fn finish(mut self: Box<Self>) -> Result<Content, Failure> {
        if matches!(self.state, State::Start(..)) {
            self.decide(Kind::Plain).map_err(|error| defect(&error))?;
        }
        match self.state {
            State::Plain(reader) => reader.finish(),
            State::Packed(reader, name) => {
                let mut content = reader.finish()?;
                if let Content::Log(seen) = &mut content {
                    seen.packed = Some(name);
                }
                Ok(content)
            }
            State::Start(..) | State::Gone => Err(abandoned()),
        }
    }
}

/// Whether that many bytes are more than `packed` ones may stand for.
const fn is_bomb(packed: u64, unpacked: u64) -> bool {
    unpacked > FREE + packed * RATIO
}

fn bomb(name: &str, most: &str) -> Failure {
    Failure::new(
        FailureKind::TooLarge,
        format!("a {name} file that unpacks to at most {most}"),
        "it unpacks to more",
    )
    .with_hint("look at the file on the host: a log that shrinks so much is rarely a log")
}

/// The failure of an unfinished gzip file that is not the live one.
#[must_use]
pub fn unfinished() -> Failure {
    ends_early(gzip::NAME)
}

fn ends_early(name: &str) -> Failure {
    let hint = format!(
        "the file was cut off while it was compressed, or is still being written: check the disk and \
         the rotation on the host (`{name} -t`), and exclude a file that is still being compressed from the pattern"
    );
    Failure::new(
        FailureKind::Corrupt,
        format!("a complete {name} stream"),
        format!("the {name} stream ends early"),
    )
    .with_hint(hint)
}

fn trailing(name: &str) -> Failure {
    corrupt(name, &format!("bytes that are not {name} follow it"))
}

fn corrupt(name: &str, actual: &str) -> Failure {
    Failure::new(
        FailureKind::Corrupt,
        format!("a complete {name} stream"),
        format!("the file begins as {name}, but {actual}"),
    )
    .with_hint(format!(
        "try `{name} -t` on the host: if it fails there too, the copy on the server is damaged"
    ))
}

/// What cannot happen is no statement about the file.
fn abandoned() -> Failure {
    Failure::new(
        FailureKind::Undefined,
        "a compressed file read to its end",
        "the reader stopped in the middle",
    )
    .with_hint("this is a defect of gonogo: please report it")
}

fn defect(error: &io::Error) -> Failure {
    Failure {
        actual: format!("the reader refused the bytes: {error}"),
        ..abandoned()
    }
}
