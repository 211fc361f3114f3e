//! Whether a run is the newest of its history: an old GO must not stand in for what came after it
//! (facts: traps.md 2, G19), nor a run carry over what no run of it found. What cannot be seen is a newest
//! run that was taken away.

use std::path::Path;

use jiff::Timestamp;

use super::Unacceptable;
use crate::report::history::History;
use crate::report::sealed::Sealed;
use crate::sign::allowed_signers::AllowedSigners;
use crate::text::{count, escape};

/// Any later run supersedes, a GO too: whoever verifies the newest one misses nothing.
pub(super) fn newest(
    sealed: &Sealed,
    folder: &Path,
    allowed: &AllowedSigners,
    now: Timestamp,
) -> Result<History, Unacceptable> {
    let wrong = |why: String| Err(Unacceptable::History(why));
    let history = match History::open(folder, Some(allowed), now) {
        Ok(history) => history,
        Err(fault) => return wrong(fault.to_string()),
    };
    if let Some(broken) = history.breaks.first() {
        return wrong(format!("it is not one chain of runs: {broken}"));
    }
    match history.after(sealed.digest) {
        None => wrong(format!(
            "the run is not among the {} of `{}`",
            count(history.runs.len(), "run"),
            escape(&folder.to_string_lossy())
        )),
        Some([]) => Ok(history),
        Some([.., newest]) => Err(Unacceptable::Superseded(format!(
            "`{}` came after it, finished {}, {}",
            escape(&newest.name),
            escape(&newest.run.finished),
            newest.decision
        ))),
    }
}
