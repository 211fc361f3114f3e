//! `--limit-rate`: how many bytes a second one host may be asked for, by all sessions with it together. A file
//! that is read by SFTP is asked for no faster; of what a command prints, no more is taken in. What cannot
//! come before the deadline is refused before any of it is read.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Sink;
use super::actor::Deadline;
use crate::failure::{Failure, FailureKind};
use crate::text;
use crate::time::say;

/// So much may be under way at once, or a long line would carry less than it may.
const AHEAD: Duration = Duration::from_millis(250);

/// The limit of one host.
#[derive(Debug)]
pub(super) struct Rate {
    per_second: u64,
    /// When what was let through by now is over.
    busy: Mutex<Instant>,
}

impl Rate {
    /// So many bytes a second.
    pub(super) fn new(per_second: u64) -> Self {
        Self {
            per_second: per_second.max(1),
            busy: Mutex::new(Instant::now()),
        }
    }

    fn time(&self, bytes: u64) -> Duration {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.per_second);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// When these bytes may come; they count from then on.
    fn take(&self, bytes: u64, now: Instant) -> Duration {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let from = (*busy).max(now);
        *busy = from.checked_add(self.time(bytes)).unwrap_or(from);
        from.saturating_duration_since(now).saturating_sub(AHEAD)
    }

    /// Whether the next byte would have to wait.
    pub(super) fn is_busy(&self) -> bool {
        let busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.saturating_duration_since(Instant::now()) > AHEAD
    }

    /// Waits until these bytes may come, or the deadline has passed.
    pub(super) fn wait(&self, bytes: u64, deadline: &Deadline) {
        let wait = self.take(bytes, Instant::now());
        std::thread::sleep(wait.min(deadline.left().unwrap_or_default()));
    }

    /// Refuses what cannot come in time, whatever else is asked of the host.
    pub(super) fn bears(&self, bytes: u64, deadline: &Deadline) -> Result<(), Failure> {
        let left = deadline.left().unwrap_or_default();
        let takes = self.time(bytes);
        if takes <= left {
            return Ok(());
        }
        let most = u128::from(self.per_second) * left.as_millis() / 1000;
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        let rate = text::size(self.per_second);
        Err(Failure::new(
            FailureKind::TooLarge,
            format!(
                "at most {} ({most} bytes): what `--limit-rate` of {rate} a second lets through in the {} that are left",
                text::size(most),
                say(left)
            ),
            format!("{} ({bytes} bytes), which take {}", text::size(bytes), say(takes)),
        )
        .with_hint("nothing of it was read: raise `--limit-rate` or `deadline`, or have the files rotated earlier"))
    }
}

/// A sink that takes no more than the rate lets through.
pub(super) struct Slow {
    sink: Sink,
    rate: Arc<Rate>,
    deadline: Deadline,
}

impl Slow {
    /// `sink`, slowed down where there is a limit.
    pub(super) fn sink(sink: Sink, rate: Option<&Arc<Rate>>, deadline: &Deadline) -> Sink {
        match rate {
            None => sink,
            Some(rate) => Box::new(Self {
                sink,
                rate: Arc::clone(rate),
                deadline: *deadline,
            }),
        }
    }
}

impl Write for Slow {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.sink.write_all(piece)?;
        self.rate.wait(piece.len() as u64, &self.deadline);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_wait_for_those_before_them() {
        let rate = Rate::new(1000);
        let now = Instant::now();
        assert_eq!(rate.take(500, now), Duration::ZERO);
        let second = rate.take(500, now) + AHEAD;
        assert!(second > Duration::from_millis(400) && second <= Duration::from_millis(500));
        assert!(rate.take(1, now) + AHEAD > Duration::from_millis(900) && rate.is_busy());
        // What was not used is not saved up.
        let later = now + Duration::from_secs(60);
        assert_eq!(rate.take(5000, later), Duration::ZERO);
        assert_eq!(rate.take(1, later) + AHEAD, Duration::from_secs(5));
    }

    #[test]
    fn what_cannot_come_in_time_is_refused() {
        let rate = Rate::new(1000);
        let deadline = Deadline::after(Duration::from_secs(10));
        assert!(rate.bears(9_000, &deadline).is_ok());
        let failure = rate.bears(11_000, &deadline).unwrap_err();
        assert_eq!(failure.kind, FailureKind::TooLarge);
        assert!(failure.actual.contains("11000 bytes"), "{failure}");
        assert!(rate.bears(u64::MAX, &deadline).is_err());
    }
}
