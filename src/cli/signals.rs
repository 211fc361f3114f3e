//! Ctrl-C, SIGTERM, a lost terminal and the run's own deadline: all end a run in the same orderly way.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::fault::{Exit, Fault};

/// Why a run was ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Interrupted,
    Terminated,
    Deadline,
}

impl Ended {
    pub(super) const fn exit(self) -> Exit {
        match self {
            Self::Interrupted => Exit::Interrupted,
            Self::Terminated => Exit::Terminated,
            Self::Deadline => Exit::Fault,
        }
    }

    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted (SIGINT)",
            Self::Terminated => "terminated (SIGTERM or SIGHUP)",
            Self::Deadline => "the run's deadline passed",
        }
    }
}

/// Whether the caller wants this signal ignored, as nohup(1) does for SIGHUP: it stays so. (proc(5),
/// `SigIgn` of /proc/PID/status)
fn is_ignored(signal: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

/// Watches for reasons to end the run, cancels `cancel` at the first, and remembers which it was.
///
/// # Errors
/// When the handlers cannot be installed: a run that could not be ended in order is not begun.
pub(super) fn watch(
    cancel: &CancellationToken,
    deadline: Option<Duration>,
) -> Result<Arc<OnceLock<Ended>>, Fault> {
    let ended = Arc::new(OnceLock::new());
    let listen = |kind| {
        signal(kind).map_err(|error| {
            Fault::new(
                Exit::Fault,
                format!("cannot listen for signals: {error}"),
                "",
            )
        })
    };
    let mut hangup = match is_ignored(1) {
        false => Some(listen(SignalKind::hangup())?),
        true => None,
    };
    let (mut interrupt, mut terminate) = (
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
    );
    let (cancel, remember) = (cancel.clone(), ended.clone());
    tokio::spawn(async move {
        let sleep = tokio::time::sleep(deadline.unwrap_or(Duration::from_secs(100 * 366 * 86_400)));
        let first = tokio::select! {
            _ = interrupt.recv() => Ended::Interrupted,
            _ = terminate.recv() => Ended::Terminated,
            Some(_) = async { hangup.as_mut()?.recv().await } => Ended::Terminated,
            () = sleep => Ended::Deadline,
        };
        let _ = remember.set(first);
        cancel.cancel();
    });
    Ok(ended)
}
