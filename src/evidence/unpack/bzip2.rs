//! bzip2: streams one after the other, as `cat a.bz2 b.bz2` and pbzip2(1) make them. What follows the
//! last stream is refused, where bzip2(1) only warns of it.

use bzip2::{Decompress, Error, Status};

use super::codec::{Codec, Step, Trouble};

/// Unpacks streams.
pub struct Bzip2 {
    /// `None` right behind a stream.
    stream: Option<Decompress>,
    streams: u64,
}

impl Bzip2 {
    /// Ready for the first stream.
    pub fn new() -> Self {
        Self {
            stream: Some(Decompress::new(false)),
            streams: 0,
        }
    }
}

impl Codec for Bzip2 {
    const NAME: &'static str = "bzip2";

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Trouble> {
        if input.is_empty() && self.stream.is_none() {
            return Ok(Step { taken: 0, given: 0 });
        }
        let stream = self.stream.get_or_insert_with(|| Decompress::new(false));
        let before = (stream.total_in(), stream.total_out());
        let status = stream
            .decompress(input, output)
            .map_err(|error| match error {
                Error::DataMagic if self.streams > 0 => Trouble::Trailing,
                Error::DataMagic => Trouble::Damaged("its header is wrong".to_owned()),
                _ => Trouble::Damaged("a checksum or a block is wrong".to_owned()),
            })?;
        let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let step = Step {
            taken: size(stream.total_in() - before.0),
            given: size(stream.total_out() - before.1),
        };
        match status {
            Status::StreamEnd => {
                self.stream = None;
                self.streams += 1;
            }
            Status::MemNeeded => return Err(Trouble::Memory),
            _ => {}
        }
        Ok(step)
    }

    fn is_complete(&self) -> bool {
        self.stream.is_none()
    }
}
