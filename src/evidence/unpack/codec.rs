//! What zstd, xz and bzip2 have in common: bytes in, bytes out, an end that must be there, and limits.
//! gzip has its own file: a live gzip log may be unfinished.

use std::io::{self, Write};

use super::{CAP, FREE, RATIO, abandoned, bomb, corrupt, defect, ends_early, is_bomb, trailing};
use crate::evidence::Content;
use crate::evidence::reader::Reader;
use crate::failure::{Failure, FailureKind};
use crate::text;

/// Unpacked bytes that are passed on at once.
const BUFFER: usize = 64 * 1024;

/// Most bytes that a decoder may allocate for its window: what `zstd` opens without being told to, and
/// twice what `xz -9` needs.
pub const MOST_MEMORY: u64 = 128 << 20;

/// What one step took and gave.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Bytes taken from the input.
    pub taken: usize,
    /// Bytes put into the output.
    pub given: usize,
}

/// Why a step cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The bytes are not as they were written.
    Damaged(String),
    /// What follows a complete stream is none.
    Trailing,
    /// It asks for more than [`MOST_MEMORY`].
    Memory,
}

/// One compression.
pub trait Codec: Send {
    /// The program that writes it.
    const NAME: &'static str;

    /// Takes the front of `input`, gives the front of `output`. An empty input asks for what is held
    /// back.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Trouble>;

    /// Whether the input may end here; asked last.
    fn is_complete(&self) -> bool;
}

/// Passes on to a reader what a codec unpacks.
pub struct Packed<C> {
    reader: Box<dyn Reader>,
    codec: Option<C>,
    buffer: Vec<u8>,
    packed: u64,
    unpacked: u64,
    failure: Option<Failure>,
}

impl<C: Codec> Packed<C> {
    /// A codec that cannot be made is told at the end.
    pub fn new(reader: Box<dyn Reader>, codec: impl FnOnce() -> io::Result<C>) -> Self {
        let (codec, failure) = match codec() {
            Ok(codec) => (Some(codec), None),
            Err(error) => (None, Some(defect(&error))),
        };
        Self {
            reader,
            codec,
            buffer: vec![0; BUFFER],
            packed: 0,
            unpacked: 0,
            failure,
        }
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), Failure> {
        let codec = self.codec.as_mut().ok_or_else(abandoned)?;
        let mut rest = piece;
        loop {
            let step = codec.step(rest, &mut self.buffer).map_err(refusal::<C>)?;
            rest = &rest[step.taken..];
            self.packed += step.taken as u64;
            self.unpacked += step.given as u64;
            limits::<C>(self.packed, self.unpacked)?;
            let given = &self.buffer[..step.given];
            self.reader.write_all(given).map_err(|e| defect(&e))?;
            let is_still = step.taken == 0 && step.given == 0;
            match rest.is_empty() {
                // A full buffer may have left something behind.
                true if step.given < self.buffer.len() => return Ok(()),
                false if is_still => return Err(corrupt(C::NAME, "it cannot be unpacked")),
                _ => {}
            }
        }
    }

    fn end(&mut self) -> Result<(), Failure> {
        let codec = self.codec.as_mut().ok_or_else(abandoned)?;
        loop {
            let step = codec.step(&[], &mut self.buffer).map_err(refusal::<C>)?;
            self.unpacked += step.given as u64;
            limits::<C>(self.packed, self.unpacked)?;
            let given = &self.buffer[..step.given];
            self.reader.write_all(given).map_err(|e| defect(&e))?;
            if step.given == 0 {
                break;
            }
        }
        match codec.is_complete() {
            true => Ok(()),
            false => Err(ends_early(C::NAME)),
        }
    }
}

fn limits<C: Codec>(packed: u64, unpacked: u64) -> Result<(), Failure> {
    if unpacked > CAP {
        return Err(bomb(C::NAME, &text::size(CAP)));
    }
    if is_bomb(packed, unpacked) {
        let most = format!("{RATIO} times its size, and {}", text::size(FREE));
        return Err(bomb(C::NAME, &most));
    }
    Ok(())
}

fn refusal<C: Codec>(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Damaged(why) => corrupt(C::NAME, &format!("it is damaged: {why}")),
        Trouble::Trailing => trailing(C::NAME),
        Trouble::Memory => Failure::new(
            FailureKind::TooLarge,
            format!(
                "a {} file that is unpacked in at most {} of memory",
                C::NAME,
                text::size(MOST_MEMORY)
            ),
            "it asks for more",
        )
        .with_hint("pack it on the host with a smaller window: `xz -9`, `zstd -19` or less, without `--long`"),
    }
}

impl<C: Codec> Write for Packed<C> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.failure.is_none()
            && let Err(failure) = self.take(piece)
        {
            self.failure = Some(failure);
            // Its window is not needed any more.
            self.codec = None;
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<C: Codec> Reader for Packed<C> {
    fn finish(mut self: Box<Self>) -> Result<Content, Failure> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.end()?;
        self.reader.finish()
    }
}
