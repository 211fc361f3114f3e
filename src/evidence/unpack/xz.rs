//! xz: streams one after the other, with padding between them (The .xz File Format 1.2.1, 2.2).

use std::io;

use liblzma::stream::{Action, Error, Status, Stream, TELL_UNSUPPORTED_CHECK};

use super::codec::{Codec, MOST_MEMORY, Step, Trouble};

/// Unpacks streams. liblzma could go from one to the next itself, but would not tell damage from dirt.
pub struct Xz {
    /// `None` behind a stream.
    stream: Option<Stream>,
    /// Zero bytes behind the last stream.
    padding: usize,
}

impl Xz {
    /// Ready for the first stream.
    pub fn new() -> io::Result<Self> {
        let stream = stream().map_err(io::Error::other)?;
        Ok(Self {
            stream: Some(stream),
            padding: 0,
        })
    }
}

fn stream() -> Result<Stream, Error> {
    // A checksum that this build cannot check would go unchecked without being told.
    Stream::new_stream_decoder(MOST_MEMORY, TELL_UNSUPPORTED_CHECK)
}

fn trouble(error: Error) -> Trouble {
    match error {
        Error::MemLimit | Error::Mem => Trouble::Memory,
        // The magic of the first stream is what brought us here.
        Error::Format => Trouble::Trailing,
        error => Trouble::Damaged(error.to_string()),
    }
}

impl Codec for Xz {
    const NAME: &'static str = "xz";

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Trouble> {
        let stream = match (&mut self.stream, input.first()) {
            (Some(stream), _) => stream,
            (None, None) => return Ok(Step { taken: 0, given: 0 }),
            (None, Some(0)) => {
                let zeros = input.iter().take_while(|byte| **byte == 0).count();
                self.padding += zeros;
                return Ok(Step {
                    taken: zeros,
                    given: 0,
                });
            }
            (None, Some(_)) if !self.padding.is_multiple_of(4) => return Err(Trouble::Trailing),
            (none, Some(_)) => {
                self.padding = 0;
                none.insert(stream().map_err(trouble)?)
            }
        };
        let before = (stream.total_in(), stream.total_out());
        let status = stream
            .process(input, output, Action::Run)
            .map_err(trouble)?;
        let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let step = Step {
            taken: size(stream.total_in() - before.0),
            given: size(stream.total_out() - before.1),
        };
        if matches!(status, Status::StreamEnd) {
            self.stream = None;
        }
        Ok(step)
    }

    fn is_complete(&self) -> bool {
        self.stream.is_none() && self.padding.is_multiple_of(4)
    }
}
