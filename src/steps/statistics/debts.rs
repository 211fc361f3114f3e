//! What gonogo has put on a host and owes to remove. A check pays its own debts; what it could not,
//! because it was told to stop or its session died, is paid when its lane ends, or named.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::road::Scratch;
use crate::failure::{Failure, FailureKind};
use crate::steps::command_line;
use crate::text;
use crate::transport::{Command, Limits, Session};

/// Longest time that a removal may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The private directories of one lane that are still there.
#[derive(Debug, Default)]
pub struct Debts(Mutex<Vec<Scratch>>);

impl Debts {
    pub(super) fn owe(&self, scratch: &Scratch) {
        self.lock().push(scratch.clone());
    }

    pub(super) fn paid(&self, scratch: &Scratch) {
        self.lock().retain(|owed| owed != scratch);
    }

    /// Everything that is owed; nothing is afterwards.
    #[must_use]
    pub fn take(&self) -> Vec<Scratch> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Scratch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the copy and its directory, and nothing else: a directory with anything else in it stays.
///
/// # Errors
/// Why it is still there, in a phrase.
pub async fn settle(
    session: &dyn Session,
    scratch: &Scratch,
    limits: Limits,
) -> Result<(), String> {
    let limits = Limits {
        time: limits.time.min(PATIENCE),
        bytes: limits.bytes.clamp(1 << 10, 64 << 10),
    };
    for words in [scratch.clear(), scratch.remove()] {
        let line = command_line(&words);
        match session.run(&Command(words), limits).await {
            Ok(output) if output.status == 0 => {}
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                return Err(format!(
                    "`{line}` ended with {}: \"{}\"",
                    output.status,
                    text::clip(said.trim(), 160)
                ));
            }
            Err(failure) => return Err(failure.to_string()),
        }
    }
    Ok(())
}

/// What to do about a directory that could not be removed.
pub(super) fn remedy(scratch: &Scratch) -> String {
    format!(
        "a private copy may be left on the host: look for {} and remove it with `rm -r -- {}`",
        scratch.path(),
        command_line(&[scratch.path()])
    )
}

/// The failure of a check that leaves something behind.
#[must_use]
pub fn left(scratch: &Scratch, why: &str) -> Failure {
    Failure::new(FailureKind::Io, "the private copy to be removed again", why)
        .with_subject(scratch.path())
        .with_hint(remedy(scratch))
}
