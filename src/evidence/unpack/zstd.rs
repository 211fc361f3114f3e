//! Zstandard (RFC 8878): frames one after the other, skippable ones among them.

use std::io;

use zstd::stream::raw::{DParameter, Decoder, Operation as _};

use super::codec::{Codec, MOST_MEMORY, Step, Trouble};

/// A window of at most [`MOST_MEMORY`], as its binary logarithm.
const WINDOW_LOG: u32 = MOST_MEMORY.ilog2();

/// Unpacks frames.
pub struct Zstd {
    decoder: Decoder<'static>,
    /// Right behind a frame.
    is_between: bool,
    frames: u64,
}

impl Zstd {
    /// Ready for the first frame.
    pub fn new() -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
        Ok(Self {
            decoder,
            is_between: false,
            frames: 0,
        })
    }
}

impl Codec for Zstd {
    const NAME: &'static str = "zstd";

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Trouble> {
        if input.is_empty() && self.is_between {
            // Asked again, the decoder would wait for another frame.
            return Ok(Step { taken: 0, given: 0 });
        }
        let step = (self.decoder)
            .run_on_buffers(input, output)
            .map_err(|error| self.trouble(&error.to_string()))?;
        if step.bytes_read > 0 || step.bytes_written > 0 {
            self.is_between = step.remaining == 0;
            self.frames += u64::from(self.is_between);
        }
        Ok(Step {
            taken: step.bytes_read,
            given: step.bytes_written,
        })
    }

    fn is_complete(&self) -> bool {
        self.is_between
    }
}

impl Zstd {
    /// The library's own words (zstd 1.5, `ERR_getErrorString`) are all that it tells.
    fn trouble(&self, words: &str) -> Trouble {
        let says = |part: &str| words.to_ascii_lowercase().contains(part);
        if says("too much memory") {
            Trouble::Memory
        } else if says("unknown frame descriptor") && self.frames > 0 {
            Trouble::Trailing
        } else {
            Trouble::Damaged(words.to_owned())
        }
    }
}
