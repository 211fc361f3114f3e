//! The body of an answer, to its end and not a byte further: by stated length, in chunks, or until the
//! server closes. Keeps none of it.

use super::peer::{More, Peer};
use crate::failure::{Failure, FailureKind};
use crate::text;
use crate::transport::ReadError;

/// Of a line with the size of a chunk, and of all lines behind the last one.
const MOST_LINE: usize = 4 << 10;
const MOST_TRAILER: usize = 16 << 10;

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Stated(u64),
    Chunked,
    UntilClosed,
}

type Take<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), ReadError>;

/// Reads all of it.
pub(super) fn read(peer: &mut Peer<'_>, length: Length, take: Take<'_>) -> Result<(), ReadError> {
    match length {
        Length::Stated(length) => {
            let got = some(peer, length, take)?;
            if got < length {
                return Err(
                    short(&format!("{length} bytes, as `Content-Length` says"), got).into(),
                );
            }
        }
        Length::Chunked => chunks(peer, take)?,
        Length::UntilClosed => return until_closed(peer, take),
    }
    match peer.says_more() {
        true => Err(Failure::new(
            FailureKind::Corrupt,
            "an answer that ends where it says",
            "more bytes came behind it",
        )
        .with_hint("the length that the server states is wrong: look at the server, or at the proxy before it")
        .into()),
        false => Ok(()),
    }
}

/// More came than was allowed.
pub(super) fn too_large(most: u64) -> Failure {
    Failure::new(
        FailureKind::TooLarge,
        format!("at most {} ({most} bytes)", text::size(most)),
        "more came; the connection was closed",
    )
    .with_hint("raise `max_bytes` for the host or team, or ask for less of it in the URL")
}

fn short(expected: &str, got: u64) -> Failure {
    Failure::new(
        FailureKind::Short,
        expected,
        format!("{got} bytes, and the connection was closed"),
    )
    .with_hint("the server ended in the middle of its answer: look at its own log on the host")
}

/// Up to `length` bytes; how many came before the end.
fn some(peer: &mut Peer<'_>, length: u64, take: Take<'_>) -> Result<u64, ReadError> {
    let mut left = length;
    while left > 0 {
        let held = peer.held().len() as u64;
        if held == 0 {
            match peer.more()? {
                More::Bytes => continue,
                More::End | More::Cut => break,
            }
        }
        let now = held.min(left);
        // No more than is held, so it fits.
        let count = usize::try_from(now).unwrap_or(usize::MAX);
        take(&peer.held()[..count])?;
        peer.take(count);
        left -= now;
    }
    Ok(length - left)
}

fn until_closed(peer: &mut Peer<'_>, take: Take<'_>) -> Result<(), ReadError> {
    let mut got = 0;
    loop {
        let count = peer.held().len();
        take(peer.held())?;
        peer.take(count);
        got += count as u64;
        match peer.more()? {
            More::Bytes => {}
            More::End => return Ok(()),
            More::Cut => {
                return Err(short(
                    "an answer whose end the server states (TLS close_notify)",
                    got,
                )
                .into());
            }
        }
    }
}

/// RFC 9112 7.1.
fn chunks(peer: &mut Peer<'_>, take: Take<'_>) -> Result<(), ReadError> {
    let mut got = 0;
    loop {
        let size = size(peer, got)?;
        if size == 0 {
            return Ok(trailer(peer, got)?);
        }
        let came = some(peer, size, take)?;
        got += came;
        if came < size {
            return Err(short(&format!("a chunk of {size} bytes"), got).into());
        }
        let end = line(peer, 2, got)?;
        if end != *b"\r\n" {
            return Err(bad("a chunk that does not end where its size says").into());
        }
    }
}

fn size(peer: &mut Peer<'_>, got: u64) -> Result<u64, Failure> {
    let line = line(peer, MOST_LINE, got)?;
    // httparse takes a line without digits for a zero.
    let has_digits = line.first().is_some_and(u8::is_ascii_hexdigit);
    match httparse::parse_chunk_size(&line) {
        Ok(httparse::Status::Complete((_, size))) if has_digits => Ok(size),
        _ => Err(bad("a chunk without a proper size")),
    }
}

fn trailer(peer: &mut Peer<'_>, got: u64) -> Result<(), Failure> {
    let mut room = MOST_TRAILER;
    loop {
        let line = line(peer, room.min(MOST_LINE), got)?;
        if line == b"\r\n" {
            return Ok(());
        }
        room = room.saturating_sub(line.len());
    }
}

/// The next line with its end, of at most that many bytes.
fn line(peer: &mut Peer<'_>, most: usize, got: u64) -> Result<Vec<u8>, Failure> {
    loop {
        let held = peer.held();
        let end = held.iter().take(most).position(|byte| *byte == b'\n');
        if let Some(end) = end {
            let line = held[..=end].to_vec();
            peer.take(line.len());
            return Ok(line);
        }
        if held.len() >= most {
            return Err(bad("a line without an end between the chunks"));
        }
        match peer.more()? {
            More::Bytes => {}
            More::End | More::Cut => {
                return Err(short("an answer that ends with a chunk of size 0", got));
            }
        }
    }
}

fn bad(actual: &str) -> Failure {
    Failure::new(
        FailureKind::Corrupt,
        "an answer in chunks (RFC 9112 7.1)",
        actual,
    )
    .with_hint("no proper server sends that: look at the server, or at the proxy before it")
}
