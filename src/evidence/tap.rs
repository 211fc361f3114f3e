//! A tap on a stream: one end goes to the transport as its sink, the other stays here, so that the
//! reader can be taken back out once the bytes have flowed. Knows no format.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use crate::transport;

/// Keeps a reader within reach while the transport writes to it from a thread of its own.
pub struct Tap<R>(Arc<Mutex<Option<R>>>);

impl<R: Write + Send + 'static> Tap<R> {
    /// Puts `reader` behind a tap.
    #[must_use]
    pub fn new(reader: R) -> Self {
        Self(Arc::new(Mutex::new(Some(reader))))
    }

    /// The one end for `Session::read`. What is written there after [`Tap::take`] is refused with
    /// [`io::ErrorKind::BrokenPipe`], which ends a read that nobody waits for any more.
    #[must_use]
    pub fn sink(&self) -> transport::Sink {
        Box::new(Spout(Arc::clone(&self.0)))
    }

    /// The reader, with all it saw; works even while the transport still holds its sink.
    ///
    /// # Panics
    /// When the reader itself panicked while it was written to: what it saw is then no evidence.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "a reader that panicked has judged nothing, so its panic goes on; the reader is \
                  there because only this method, which consumes the tap, takes it"
    )]
    pub fn take(self) -> R {
        let mut reader = self.0.lock().expect("the reader panicked");
        reader.take().expect("a tap is taken once")
    }
}

/// The end that the transport writes to.
struct Spout<R>(Arc<Mutex<Option<R>>>);

impl<R: Write> Spout<R> {
    fn with<T>(&self, act: impl FnOnce(&mut R) -> io::Result<T>) -> io::Result<T> {
        let late = || io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads this any more");
        // The tap was dropped, as when the deadline has passed: no more is unpacked and looked at.
        if Arc::strong_count(&self.0) == 1 {
            return Err(late());
        }
        match self.0.lock() {
            Ok(mut reader) => match reader.as_mut() {
                Some(reader) => act(reader),
                None => Err(late()),
            },
            Err(_) => Err(io::Error::other("the reader panicked")),
        }
    }
}

impl<R: Write> Write for Spout<R> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.with(|reader| reader.write(piece))
    }

    fn write_all(&mut self, piece: &[u8]) -> io::Result<()> {
        self.with(|reader| reader.write_all(piece))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(R::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_reader_while_another_thread_still_holds_the_sink() {
        let tap = Tap::new(Vec::new());
        let mut sink = tap.sink();
        let sink = std::thread::spawn(move || {
            sink.write_all(b"seen").unwrap();
            sink
        });
        let mut sink = sink.join().unwrap();
        assert_eq!(tap.take(), b"seen");
        let late = sink.write_all(b"late").unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn what_comes_after_the_tap_is_gone_is_not_looked_at() {
        let tap = Tap::new(Vec::new());
        let mut sink = tap.sink();
        sink.write_all(b"seen").unwrap();
        drop(tap);
        let late = sink.write_all(b"late").unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_reader_that_panicked_is_never_evidence() {
        struct Faulty;
        impl Write for Faulty {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                panic!("defect")
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let tap = Tap::new(Faulty);
        let mut sink = tap.sink();
        std::thread::spawn(move || sink.write(b"x"))
            .join()
            .unwrap_err();
        assert!(tap.sink().write(b"x").is_err());
        let taken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| tap.take()));
        assert!(taken.is_err());
    }
}
