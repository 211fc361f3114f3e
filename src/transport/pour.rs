//! Where the bytes of one file go while they come: into the digest and into the caller's sink. For a
//! large file both work on a thread of their own, so that they do not wait for the decryption that the
//! session's thread does, nor that one for them (docs/performance.md). Memory stays constant.

use std::io::{self, Write as _};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::Sink;
use crate::digest::{Sha256, Stream};

/// Below this the second thread costs more than it saves.
const LARGE: u64 = 4 << 20;
/// Pieces under way between the two.
const QUEUE: usize = 8;

pub(super) struct Pour(Road);

enum Road {
    Here(Stream, Sink),
    There {
        pieces: SyncSender<Vec<u8>>,
        worker: JoinHandle<io::Result<Stream>>,
    },
}

impl Pour {
    /// For a file of `size` bytes.
    pub(super) fn new(size: u64, mut sink: Sink) -> io::Result<Self> {
        let mut hash = Stream::default();
        if size < LARGE {
            return Ok(Self(Road::Here(hash, sink)));
        }
        let (pieces, coming) = sync_channel::<Vec<u8>>(QUEUE);
        let work = move || {
            for piece in coming {
                hash.update(&piece);
                sink.write_all(&piece)?;
            }
            sink.flush()?;
            Ok(hash)
        };
        let worker = thread::Builder::new().name("pour".to_owned()).spawn(work)?;
        Ok(Self(Road::There { pieces, worker }))
    }

    /// Takes the next piece.
    pub(super) fn take(&mut self, piece: Vec<u8>) -> io::Result<()> {
        match &mut self.0 {
            Road::Here(hash, sink) => {
                hash.update(&piece);
                sink.write_all(&piece)
            }
            // A worker that is gone has met an error, which `finish` tells.
            Road::There { pieces, .. } => pieces
                .send(piece)
                .map_err(|_| io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// The digest of all that was taken, once the sink has it.
    pub(super) fn finish(self) -> io::Result<Sha256> {
        self.so_far().map(Stream::finish)
    }

    /// As [`Pour::finish`], to be gone on with.
    pub(super) fn so_far(self) -> io::Result<Stream> {
        match self.0 {
            Road::Here(hash, mut sink) => {
                sink.flush()?;
                Ok(hash)
            }
            Road::There { pieces, worker } => {
                drop(pieces);
                let done = worker.join();
                done.unwrap_or_else(|_| Err(io::Error::other("a reader of ours panicked")))
            }
        }
    }

    /// Why [`Pour::take`] refused: the worker's own error says more than that it is gone.
    pub(super) fn error(self, told: io::Error) -> io::Error {
        match self.0 {
            Road::Here(..) => told,
            there @ Road::There { .. } => Self(there).finish().err().unwrap_or(told),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Shared {
        fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
            let mut all = self.0.lock().unwrap();
            if all.len() > 100_000 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            all.extend_from_slice(piece);
            Ok(piece.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn both_roads_give_the_same_digest_and_bytes() {
        for size in [0, LARGE] {
            let sink = Shared::default();
            let mut pour = Pour::new(size, Box::new(sink.clone())).unwrap();
            for piece in [&b"one"[..], b"", b"two"] {
                pour.take(piece.to_vec()).unwrap();
            }
            assert_eq!(pour.finish().unwrap(), Sha256::of(b"onetwo"));
            assert_eq!(*sink.0.lock().unwrap(), b"onetwo");
        }
    }

    #[test]
    fn an_error_of_the_sink_is_told_on_both_roads() {
        for size in [0, LARGE] {
            let mut pour = Pour::new(size, Box::new(Shared::default())).unwrap();
            let piece = vec![7; 60_000];
            let refused = (0..100).find_map(|_| pour.take(piece.clone()).err());
            let error = pour.error(refused.unwrap());
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        }
    }
}
