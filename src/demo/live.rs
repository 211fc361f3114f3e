//! The estate's pulse: one thread that adds a record to every live log and a sample to every live
//! statistics database, as a running AMPS would, until it is dropped.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::log::Scribe;
use super::statistics;
use crate::time;

/// Between two beats.
const BEAT: Duration = Duration::from_millis(500);

/// What of one instance is alive.
pub(super) struct Living {
    /// The log that grows, and who writes it.
    pub log: Option<(PathBuf, Scribe)>,
    /// The database, held open so that its `-wal` stays.
    pub statistics: Option<Connection>,
    /// Whether it gets samples.
    pub sampled: bool,
}

/// The thread. Dropping it stops and joins it.
pub(super) struct Pulse {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Pulse {
    pub(super) fn start(mut living: Vec<Living>) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("estate-pulse".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                    living.iter_mut().for_each(beat);
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// A missed beat (a full disk, a lock) is no more than that: the checks see an older estate.
fn beat(living: &mut Living) {
    let now = time::now();
    if let Some((path, scribe)) = &mut living.log {
        let mut text = String::new();
        scribe.record(&mut text, now);
        let opened = OpenOptions::new().append(true).open(path);
        let _missed = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    }
    if let Some(database) = living.statistics.as_mut().filter(|_| living.sampled) {
        let _missed = statistics::sample(database, now);
    }
}
